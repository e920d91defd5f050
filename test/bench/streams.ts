/** Kafka Streams as a contender: jars by the pom's profile `streams`, the source compiled by the JDK. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { java, javaMin, type Report, run } from '../../deploy/native/packages.ts';

export type StreamsArguments = Readonly<Record<string, string | number>> & {
  readonly store: 'rocksdb' | 'memory';
};

export type StreamsProgram = { readonly command: (given: StreamsArguments) => readonly string[] };

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const pom = path('../../connectors/pom.xml');
const source = path('./streams/StockOnStreams.java');

/** What was fastest here: see docs/adr/0005-speed.md. */
const tuned = { threads: 1, cacheBytes: 0 };

export async function prepareStreams(report: Report): Promise<StreamsProgram> {
  const cache = process.env.STOCKLINE_CACHE ?? `${homedir()}/.cache/stockline`;
  const stamp = createHash('sha256').update(readFileSync(pom)).update(readFileSync(source));
  const folder = join(cache, `streams-${stamp.digest('hex').slice(0, 16)}`);
  const program = await java(javaMin, cache, report);
  if (!existsSync(folder)) {
    const part = `${folder}.${process.pid}.part`;
    mkdirSync(join(part, 'classes'), { recursive: true });
    report('fetching Kafka Streams (15 jars) ...');
    const jars = join(part, 'jars');
    await run('mvn', [
      ...['-q', '-B', '-f', pom, '-Pstreams', 'dependency:copy-dependencies'],
      ...['-DincludeScope=runtime', `-DoutputDirectory=${jars}`],
    ]);
    await run('javac', ['-cp', `${jars}/*`, '-d', join(part, 'classes'), source]);
    rmSync(folder, { recursive: true, force: true });
    renameSync(part, folder);
  }
  return {
    command: (given) => [
      program,
      ...['-Xms512m', '-Xmx1g', '-XX:+UseParallelGC'],
      ...['-cp', `${folder}/classes:${folder}/jars/*`, 'StockOnStreams'],
      ...Object.entries({ ...tuned, schemas: path('../../schemas'), ...given }).map(
        ([name, value]) => `${name}=${value}`,
      ),
    ],
  };
}

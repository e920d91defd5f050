/** What `stockline stress` commands stand on: a broker, topics and processors in a folder that goes away again. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { startStack } from '../../../deploy/native/stack.ts';
import type { KafkaPlaces } from '../../adapters/kafka/topic-reader.ts';
import { type Processors, startProcessors } from '../../processes/child-processes.ts';
import { loadPolicies } from '../../settings/policies.ts';
import { applyTopicsAndSchemas } from '../apply.ts';
import { inWorkingFolder } from '../working-folder.ts';

export type Stage = {
  readonly places: KafkaPlaces;
  readonly processors: Processors;
  /** Of this run alone. */
  readonly directory: string;
  readonly report: (line: string) => void;
};

export const readyMs = 90_000;

type Wanted = {
  readonly processes: readonly string[];
  /** Beside what every processor is told. */
  readonly environment?: (directory: string) => Readonly<Record<string, string>>;
  readonly given?: KafkaPlaces;
};

/** Resolves with the exit code of `run`, whose stage is on a broker of its own or on the one that is given, and is taken down whatever happens. */
export function onStage(wanted: Wanted, run: (stage: Stage) => Promise<number>): Promise<number> {
  return inWorkingFolder((directory) => onStageIn(directory, wanted, run));
}

async function onStageIn(
  directory: string,
  { given, processes, environment }: Wanted,
  run: (stage: Stage) => Promise<number>,
): Promise<number> {
  const report = (line: string): void => void process.stderr.write(`${line}\n`);
  const stack =
    given === undefined
      ? await startStack({
          directory: `${directory}/stack`,
          parts: ['kafka', 'registry'],
          isBrief: true,
          report,
        })
      : undefined;
  let processors: Processors | undefined;
  try {
    const places = given ?? {
      brokers: String(stack?.addresses.kafkaBrokers),
      registryUrl: String(stack?.addresses.registryUrl),
    };
    await applyTopicsAndSchemas(places, loadPolicies(), report);
    mkdirSync(`${directory}/logs`, { recursive: true });
    processors = startProcessors({
      processes: Object.fromEntries(processes.map((name) => [name, name])),
      environment: {
        STOCKLINE_KAFKA: places.brokers,
        STOCKLINE_REGISTRY: places.registryUrl,
        STOCKLINE_STATE: `${directory}/state`,
        STOCKLINE_RUN: `${directory}/run`,
        STOCKLINE_LOG_LEVEL: 'warn',
        ...environment?.(directory),
      },
      logDirectory: `${directory}/logs`,
      note: report,
    });
    await processors.ready(readyMs);
    return await run({ places, processors, directory, report });
  } finally {
    await processors?.stop();
    await stack?.stop();
  }
}

/** Where the API is, once it answers from whole figures. */
export async function readyApiUrl(processors: Processors): Promise<string> {
  const giveUpAt = Date.now() + readyMs;
  while (Date.now() < giveUpAt) {
    const url = processors.status.get('api')?.apiUrl;
    const isReady = url !== undefined && (await fetch(`${url}/readyz`)).status === 200;
    if (isReady) return url;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error('the API did not become ready');
}

/** On standard output, and in the file that was asked for. */
export function tellResult(result: object, file: string | undefined): void {
  const text = `${JSON.stringify(result, null, 2)}\n`;
  process.stdout.write(text);
  if (file !== undefined) writeFileSync(resolve(file), text);
}

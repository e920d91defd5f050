/** `stockline audit`: who asked for what and what was decided, and whether anybody has changed what was written down. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import type { AuditEntry } from '../../schemas/types.ts';
import { readTopic } from '../adapters/kafka/topic-reader.ts';
import { type ChainHead, type PlacedEntry, verifyChains } from '../audit/chain.ts';
import { readKafkaPlaces } from '../settings/places.ts';
import { audit } from '../topics.ts';
import type { Topic } from '../topology/topic.ts';
import { layOut } from './screen.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 as 64 hex digits is needed');
const offset = z.string().regex(/^\d+$/, 'an offset is needed');
const placedEntry = z.strictObject({
  partition: z.int().nonnegative(),
  offset,
  id: z.string(),
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  reason: z.string(),
  reference: z.string(),
  occurredAt: z.int(),
  previousHash: hash,
  hash,
});
const headsFile = z.record(z.string().regex(/^\d+$/), z.strictObject({ offset, hash }));

type Source = { readonly directory: string; readonly file?: string };

export function auditCommand(): Command {
  const command = new Command('audit').description(
    'who asked for what, why, and what was decided: list, export, verify',
  );
  withSource(command.command('list').description('the last entries'))
    .option('--subject <text>', 'only entries whose subject or reference contains this')
    .action(async (options: Source & { readonly subject?: string }) => list(options));
  withSource(command.command('export').description('all entries, one JSON object per line')).action(
    async (options: Source) => {
      for (const entry of await entriesOf(options)) {
        process.stdout.write(`${JSON.stringify(entry)}\n`);
      }
    },
  );
  withSource(
    command
      .command('verify')
      .description('0 when each chain is whole; else 1, with the place of each fault'),
  )
    .option('--heads <file>', 'what an earlier --write-heads wrote: shows an end that was cut off')
    .option('--write-heads <file>', 'write where each chain ends; keep it where nobody else writes')
    .action(async (options: VerifyOptions) => {
      process.exitCode = await verify(options);
    });
  return command;
}

function withSource(command: Command): Command {
  return command
    .option('--file <path>', 'read an export instead of the topic')
    .option('--directory <path>', 'where the running pipeline keeps its data', '.stockline');
}

async function entriesOf({ directory, file }: Source): Promise<readonly PlacedEntry[]> {
  if (file !== undefined) return readExport(file);
  const entries: PlacedEntry[] = [];
  await readTopic(
    readKafkaPlaces(process.env, directory),
    audit as unknown as Topic<never, never>,
    {
      onRecord: ({ partition, offset: at, value }) => {
        const { previousHash, hash: own, ...facts } = value as AuditEntry;
        entries.push({
          partition,
          offset: String(at),
          ...facts,
          previousHash: Buffer.from(previousHash).toString('hex'),
          hash: Buffer.from(own).toString('hex'),
        });
      },
    },
  );
  return entries;
}

function readExport(file: string): readonly PlacedEntry[] {
  const lines = readFileSync(resolve(file), 'utf8').split('\n');
  return lines.flatMap((line, at) => {
    if (line.trim() === '') return [];
    const parsed = placedEntry.safeParse(jsonOf(line));
    if (parsed.success) return [parsed.data];
    throw new Error(`${file}, line ${at + 1} is no audit entry: ${z.prettifyError(parsed.error)}`);
  });
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function list(options: Source & { readonly subject?: string }): Promise<void> {
  const { subject = '' } = options;
  const found = (await entriesOf(options)).filter(
    (entry) => entry.subject.includes(subject) || entry.reference.includes(subject),
  );
  if (found.length === 0) return void process.stdout.write('no audit entries\n');
  const newest = found.toSorted((one, other) => one.occurredAt - other.occurredAt).slice(-shown);
  const rows = newest.map((entry) => [
    `${entry.partition}-${entry.offset}`,
    new Date(entry.occurredAt).toISOString(),
    entry.actor,
    entry.action,
    entry.subject,
    entry.reason.slice(0, 80),
  ]);
  process.stdout.write(`${layOut(rows).join('\n')}\n`);
  if (found.length > shown) process.stdout.write(`... the last ${shown} of ${found.length}\n`);
}

const shown = 20;

type VerifyOptions = Source & { readonly heads?: string; readonly writeHeads?: string };

async function verify(options: VerifyOptions): Promise<number> {
  const known = options.heads === undefined ? {} : readHeads(options.heads);
  const verdict = verifyChains(await entriesOf(options), known);
  for (const { text } of verdict.faults) process.stdout.write(`${text}\n`);
  const isWhole = verdict.faults.length === 0;
  const what = isWhole ? 'each chain is whole' : `${verdict.faults.length} faults`;
  process.stdout.write(`${verdict.entries} entries: ${what}\n`);
  if (options.writeHeads !== undefined && isWhole) {
    writeFileSync(resolve(options.writeHeads), `${JSON.stringify(verdict.heads, null, 2)}\n`);
  }
  return isWhole ? 0 : 1;
}

function readHeads(file: string): Readonly<Record<string, ChainHead>> {
  const parsed = headsFile.safeParse(jsonOf(readFileSync(resolve(file), 'utf8')));
  if (parsed.success) return parsed.data;
  throw new Error(`${file} was not written by --write-heads: ${z.prettifyError(parsed.error)}`);
}

/** `stockline explain`: a SKU's figures at a location now or at a moment, each term down to what caused it. */
import type { Bucket } from '../../schemas/types.ts';
import { type KafkaPlaces, readTopic } from '../adapters/kafka/topic-reader.ts';
import { readKafkaPlaces } from '../settings/places.ts';
import { ledger } from '../topics.ts';
import { partitionOf } from '../topology/partitioner.ts';
import type { Topic } from '../topology/topic.ts';
import {
  buckets,
  type ExplainedCell,
  explainCells,
  type FiledEntry,
  type Term,
} from './ledger/history.ts';
import { layOut } from './screen.ts';
import { recordPlace, type StatedBy, statementsOf } from './source/rows.ts';

export type ExplainOptions = {
  readonly directory: string;
  /** A moment of the past; absent: now. */
  readonly at?: number;
  /** So many steps of each quantity are shown, newest first. */
  readonly steps: number;
  /** Also which movement and which row of the source stated each. */
  readonly source: boolean;
  readonly json: boolean;
};

/** Prints; resolves with 0. Throws a sentence when there is nothing to explain. */
export async function explain(
  sku: string,
  location: string | undefined,
  options: ExplainOptions,
): Promise<number> {
  const places = readKafkaPlaces(process.env, options.directory);
  const cells = chosenCells(sku, location, await readLedgerOf(places, sku), options.at);
  const statements = options.source
    ? await statementsOf(places, sku, effectIdsOf(cells, options.json ? Infinity : options.steps))
    : new Map<string, StatedBy>();
  const text = options.json
    ? JSON.stringify(
        cells.map((cell) => plainCell(cell, statements)),
        null,
        2,
      )
    : cells.map((cell) => shownCell(cell, options.steps, statements)).join('\n\n');
  process.stdout.write(`${text}\n`);
  return 0;
}

/** The same as plain data, for programs. Throws a sentence when there is nothing to explain. */
export async function explainPlain(
  places: KafkaPlaces,
  asked: {
    readonly sku: string;
    readonly location: string | undefined;
    readonly atMs: number | undefined;
    readonly source: boolean;
  },
): Promise<readonly object[]> {
  const filed = await readLedgerOf(places, asked.sku);
  const cells = chosenCells(asked.sku, asked.location, filed, asked.atMs);
  const statements = asked.source
    ? await statementsOf(places, asked.sku, effectIdsOf(cells, Number.POSITIVE_INFINITY))
    : new Map<string, StatedBy>();
  return cells.map((cell) => plainCell(cell, statements));
}

/** All entries of a SKU, in the order of their steps. */
async function readLedgerOf(places: KafkaPlaces, sku: string): Promise<readonly FiledEntry[]> {
  const filed: FiledEntry[] = [];
  await readTopic(places, ledger as unknown as Topic<never, never>, {
    partitions: [partitionOf(sku, ledger.partitions)],
    onRecord: ({ key, value, partition, offset, timestampMs }) => {
      if (key !== sku || value === undefined) return;
      filed.push({ entry: value as FiledEntry['entry'], partition, offset, timestampMs });
    },
  });
  return filed;
}

/** A sentence about the SKU, not a fault. */
export class NothingToExplain extends Error {}

/** The cells that were asked for; throws a sentence when there are none. */
export function chosenCells(
  sku: string,
  location: string | undefined,
  filed: readonly FiledEntry[],
  at?: number,
): readonly ExplainedCell[] {
  if (filed.length === 0) {
    throw new NothingToExplain(
      `${ledger.name} has no step of ${sku}: is the SKU spelt as in the ERP, and is the pipeline fed?`,
    );
  }
  const known = [...new Set(filed.map(({ entry }) => entry.location))].sort();
  if (location !== undefined && !known.includes(location)) {
    throw new NothingToExplain(
      `${sku} has never been at ${location}; it is known at ${known.join(', ')}`,
    );
  }
  const cells = explainCells(filed, at).filter(
    (cell) => location === undefined || cell.location === location,
  );
  if (cells.length === 0) {
    const first = Math.min(...filed.map(({ timestampMs }) => timestampMs));
    const where = location === undefined ? '' : ` at ${location}`;
    throw new NothingToExplain(
      `${sku}${where} had no step by ${instant(at ?? 0)}; the first one of ${sku} was told at ${instant(first)}`,
    );
  }
  return cells;
}

function effectIdsOf(cells: readonly ExplainedCell[], steps: number): ReadonlySet<string> {
  const terms = cells.flatMap((cell) =>
    [...cell.terms.values()].flatMap((all) => all.slice(0, steps)),
  );
  return new Set(terms.map(({ change }) => change.effectId).filter((id) => id !== ''));
}

const instant = (ms: number): string => new Date(ms).toISOString();
const units = (thousandths: number): number => thousandths / 1000;

function plainCell(cell: ExplainedCell, statements: ReadonlyMap<string, StatedBy>) {
  const { sku, location, last, earlier } = cell;
  const terms = buckets.flatMap((bucket) => {
    const all = (cell.terms.get(bucket) ?? []).map((term) => plainTerm(term, statements));
    return all.length === 0 && !earlier.has(bucket) ? [] : [[bucket, all] as const];
  });
  const quantities = Object.entries(cell.quantities).map(([name, value]) => [name, units(value)]);
  return {
    sku,
    location,
    sequence: last.entry.sequence,
    toldAt: instant(last.timestampMs),
    ledger: recordPlace(ledger.name, last.partition, last.offset),
    formula: formulaOf(cell),
    quantities: Object.fromEntries(quantities) as Readonly<Record<string, number>>,
    terms: Object.fromEntries(terms),
    beforeTheLedger: Object.fromEntries([...earlier].map(([name, value]) => [name, units(value)])),
    allocations: Object.fromEntries(
      [...cell.allocations].map(([channel, value]) => [channel, units(value)]),
    ),
  };
}

function plainTerm({ filed, change }: Term, statements: ReadonlyMap<string, StatedBy>) {
  const { cause, sequence, restatement } = filed.entry;
  const { applied, quantity, kind, reason, reference, occurredAt, effectId } = change;
  const stated = statements.get(effectId);
  return {
    ...{ applied: units(applied), told: units(quantity), kind, reason, reference, sequence },
    occurredAt: instant(occurredAt),
    ledger: recordPlace(ledger.name, filed.partition, filed.offset),
    cause: { ...cause, committedAt: instant(cause.committedAt) },
    ...(restatement === null ? {} : { restatement }),
    ...(effectId === '' ? {} : { effectId }),
    ...(stated === undefined ? {} : { stated }),
  };
}

const subtracted = ['reserved', 'damaged', 'qualityControl', 'safetyStock'] as const;

function formulaOf({ quantities }: ExplainedCell): string {
  const rest = subtracted.map((name) => ` - ${name} ${units(quantities[name])}`).join('');
  return `available ${units(quantities.available)} = onHand ${units(quantities.onHand)}${rest}`;
}

function shownCell(
  cell: ExplainedCell,
  steps: number,
  statements: ReadonlyMap<string, StatedBy>,
): string {
  const { sku, location, last } = cell;
  const place = recordPlace(ledger.name, last.partition, last.offset);
  const blocks = buckets.flatMap((bucket) => shownBucket(cell, bucket, steps, statements));
  const shares = [...cell.allocations].map(
    ([channel, share]) => `  of it ${units(share)} for channel ${channel} alone`,
  );
  return [
    `${sku} at ${location}: ${formulaOf(cell)}`,
    `  step ${last.entry.sequence}, told ${instant(last.timestampMs)}, ${place}`,
    ...blocks,
    ...shares,
  ].join('\n');
}

function shownBucket(
  { quantities, terms, earlier }: ExplainedCell,
  bucket: Bucket,
  steps: number,
  statements: ReadonlyMap<string, StatedBy>,
): readonly string[] {
  const all = terms.get(bucket) ?? [];
  const before = earlier.get(bucket);
  if (all.length === 0 && before === undefined) return [];
  const rows = all.slice(0, steps).map((term) => shownTerm(term, statements));
  const rest = all.slice(steps).reduce((sum, { change }) => sum + change.applied, 0);
  const more =
    all.length > steps ? [`    ${signed(rest)} in ${all.length - steps} earlier steps`] : [];
  const lost = before === undefined ? [] : [`    ${signed(before)} from before the ledger begins`];
  return [`  ${bucket} ${units(quantities[bucket])} =`, ...layOut(rows), ...more, ...lost];
}

function shownTerm({ filed, change }: Term, statements: ReadonlyMap<string, StatedBy>) {
  const { cause, sequence } = filed.entry;
  const { kind, reason, reference, occurredAt, applied, quantity } = change;
  const stated = statements.get(change.effectId);
  const what = kind === 'count' ? `count of ${units(quantity)}` : reason === '' ? kind : reason;
  const row =
    stated?.row === undefined
      ? ''
      : `${stated.row.table} ${stated.row.key} (${stated.row.operation}) ${stated.row.record}`;
  return [
    `    ${signed(applied)}`,
    what,
    reference,
    instant(occurredAt),
    `${cause.kind} ${cause.id}`,
    `${cause.system} ${cause.transaction} ${cause.position}`.trim(),
    `step ${sequence} ${recordPlace(ledger.name, filed.partition, filed.offset)}`,
    stated?.movement ?? '',
    row,
  ];
}

const signed = (thousandths: number): string =>
  `${thousandths > 0 ? '+' : ''}${units(thousandths)}`;

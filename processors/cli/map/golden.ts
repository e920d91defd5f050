/** Golden rows of a mapping: `connectors/<system>/golden.json` says what rows shall mean, and is compared with what they mean. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Row } from '../../cdc/change.ts';
import type { CapturedTable } from '../../cdc/table.ts';
import { rowOfText } from '../../cdc/text-values.ts';
import { Fault } from '../../cdc/values.ts';
import type { EffectDraft, SystemMapping } from '../../intake/mapping.ts';
import { tryDocument } from '../../intake/trial.ts';

/** Values as the database writes them in text. */
const textRow = z.record(z.string(), z.string().nullable());
const effect = z.looseObject({ sku: z.string(), location: z.string(), quantity: z.number() });
const example = z.strictObject({
  name: z.string().min(1),
  document: z.string().min(1),
  header: textRow,
  lines: z.array(textRow).default([]),
  lookups: z.record(z.string(), z.record(z.string(), z.string())).default({}),
  /** What time it is: for dates without time. */
  now: z.iso.datetime().default('2026-01-01T12:00:00Z'),
  /** Quantities in units, times in ISO 8601. */
  effects: z.array(effect).default([]),
});
const file = z.array(example);
type Example = z.infer<typeof example>;

const goldenFile = (system: string): string =>
  fileURLToPath(new URL(`../../../connectors/${system}/golden.json`, import.meta.url));

export type GoldenResult = { readonly examples: number; readonly faults: readonly string[] };

/** `update`: what the rows mean now is written down instead of being compared. */
export function checkGolden(mapping: SystemMapping, update: boolean): GoldenResult {
  const path = goldenFile(mapping.system);
  if (!existsSync(path)) {
    throw new Error(
      `connectors/${mapping.system}/golden.json is needed: [{ "name", "document", "header": { column: text }, "lines": [...], "lookups": { name: { key: value } } }]; --update fills in the effects`,
    );
  }
  const parsed = file.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!parsed.success) throw new Error(`${path}: ${z.prettifyError(parsed.error)}`);
  const meanings = parsed.data.map((one) => meaningOf(mapping, one));
  if (update) {
    const at = meanings.findIndex((meaning) => typeof meaning === 'string');
    if (at >= 0) throw new Error(`${parsed.data[at]?.name}: ${meanings[at]}`);
    const filled = parsed.data.map((one, at) => ({ ...one, effects: meanings[at] }));
    writeFileSync(path, `${JSON.stringify(filled, null, 2)}\n`);
    return { examples: filled.length, faults: [] };
  }
  const faults = parsed.data.flatMap((one, at) => {
    const [wanted, found] = [JSON.stringify(one.effects), JSON.stringify(meanings[at])];
    return wanted === found ? [] : [`${one.name}:\n  shall mean ${wanted}\n  means      ${found}`];
  });
  return { examples: parsed.data.length, faults };
}

/** What it means; the reason as a sentence where stock would refuse it. */
function meaningOf(mapping: SystemMapping, one: Example): readonly object[] | string {
  const document = mapping.documents.find(({ name }) => name === one.document);
  if (document === undefined) {
    const known = mapping.documents.map(({ name }) => name).join(', ');
    throw new Error(`${one.name}: there is no document ${one.document}; there are ${known}`);
  }
  const { header, lines } = document;
  const row = (table: CapturedTable, text: Readonly<Record<string, string | null>>): Row => {
    const found = rowOfText(table.columns, text);
    if (found instanceof Fault) throw new Error(`${one.name}: ${table.name}.${found.sentence}`);
    return found;
  };
  const rows = {
    header: row(header, one.header),
    lines: lines === undefined ? [] : one.lines.map((text) => row(lines.table, text)),
  };
  const lookups = new Map(
    Object.entries(one.lookups).map(([name, values]) => [name, new Map(Object.entries(values))]),
  );
  const tried = tryDocument(mapping, document, rows, lookups, Date.parse(one.now));
  return tried.fault === '' ? tried.effects.map(shown) : tried.fault;
}

/** As people read it; the order of the members is part of the file. */
function shown(draft: EffectDraft): object {
  const { kind, bucket, sku, location, quantity, occurredAt, reason, reference } = draft;
  const { echo, expectedAt, booking } = draft;
  return {
    ...{ sku, location, quantity: quantity / 1_000, bucket, kind },
    ...(kind === 'event' || kind === 'count' ? { at: new Date(occurredAt).toISOString() } : {}),
    ...{ reason, reference },
    ...(echo === undefined ? {} : { echo }),
    ...(expectedAt === undefined ? {} : { expectedAt: new Date(expectedAt).toISOString() }),
    ...(booking === undefined ? {} : { booking }),
  };
}

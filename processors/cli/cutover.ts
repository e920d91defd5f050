/** `stockline cutover --dry-run`: with what each cell would open if the source were captured now. Reads by SQL alone. */
import { Command } from 'commander';
import { loadMapping } from '../../connectors/systems.ts';
import type { EffectDraft, SystemMapping } from '../intake/mapping.ts';
import type { TriedDocument } from '../intake/trial.ts';
import { sampleOf } from './map/sample.ts';
import { layOut } from './screen.ts';
import { openSources, type SourceDatabase } from './source/tables.ts';

export type CutoverCell = {
  readonly sku: string;
  readonly location: string;
  /** By quantity, in thousandths. */
  readonly figures: Readonly<Record<string, number>>;
};

export type Cutover = {
  readonly cells: readonly CutoverCell[];
  readonly troubles: readonly string[];
};

const shownMax = 40;

export function cutoverCommand(): Command {
  return new Command('cutover')
    .description('what a source would open with: the stock of each cell at its first snapshot')
    .argument('<system>', 'a folder of connectors/, such as erp')
    .requiredOption('--dry-run', 'the only way that there is: `stockline apply` starts the capture')
    .requiredOption('--url <url>', 'the database, as the user that captures')
    .option(
      '--lookup <system=url>',
      'the database of another system whose tables the mapping looks up; may be repeated',
      (one: string, before: readonly string[]) => [...before, one],
      [] as readonly string[],
    )
    .option('--json', 'every cell, one JSON object per line')
    .action(
      async (
        system: string,
        options: {
          readonly url: string;
          readonly lookup: readonly string[];
          readonly json?: true;
        },
      ) => {
        const mapping = await loadMapping(system);
        const sources = await openSources(mapping, options.url, options.lookup);
        try {
          const found = await cutover(mapping, sources);
          const lines = options.json === true ? asJson(found) : asTable(found);
          process.stdout.write(`${lines.join('\n')}\n`);
          process.exitCode = found.troubles.length === 0 ? 0 : 3;
        } finally {
          await Promise.all([...sources.values()].map((source) => source.close()));
        }
      },
    );
}

/** What counts at a snapshot: openings and current values; of events those that no opening contains. */
export async function cutover(
  mapping: SystemMapping,
  sources: ReadonlyMap<string, SourceDatabase>,
): Promise<Cutover> {
  const contained = new Set(
    mapping.documents.filter((one) => one.containedInOpening).map(({ name }) => name),
  );
  const { tried, unreadable } = await sampleOf(mapping, sources);
  const cells = new Map<
    string,
    { sku: string; location: string; figures: Record<string, number> }
  >();
  for (const document of tried.filter(({ fault }) => fault === '')) {
    for (const effect of document.effects) {
      if (!counts(effect, contained.has(document.document))) continue;
      const { sku, location, bucket, quantity } = effect;
      const key = `${sku}|${location}`;
      const cell = cells.get(key) ?? { sku, location, figures: {} };
      cell.figures[bucket] = (cell.figures[bucket] ?? 0) + quantity;
      cells.set(key, cell);
    }
  }
  const order = (one: CutoverCell, other: CutoverCell): number =>
    one.sku.localeCompare(other.sku) || one.location.localeCompare(other.location);
  const sorted = [...cells.values()].sort(order);
  return { cells: sorted, troubles: [...unreadable, ...faultsOf(tried), ...negativeOf(sorted)] };
}

function counts(effect: EffectDraft, isContained: boolean): boolean {
  if (effect.kind === 'opening') return true;
  if (effect.kind === 'level') return effect.booking === undefined;
  // A sale that the ERP has posted already is in its balance.
  return effect.kind === 'event' && !isContained && effect.echo === undefined;
}

function faultsOf(tried: readonly TriedDocument[]): readonly string[] {
  const byFault = new Map<string, number>();
  for (const { document, fault } of tried) {
    if (fault === '') continue;
    const text = `${document}: ${fault}`;
    byFault.set(text, (byFault.get(text) ?? 0) + 1);
  }
  return [...byFault].map(([text, count]) => (count === 1 ? text : `${text} (${count} documents)`));
}

const negativeOf = (cells: readonly CutoverCell[]): readonly string[] =>
  cells
    .filter(({ figures }) => (figures.onHand ?? 0) < 0)
    .map(
      ({ sku, location, figures }) => `${sku} at ${location} opens with ${units(figures.onHand)}`,
    );

const units = (thousandths = 0): string => String(thousandths / 1_000);

function asJson({ cells, troubles }: Cutover): readonly string[] {
  for (const trouble of troubles) process.stderr.write(`${trouble}\n`);
  return cells.map(({ sku, location, figures }) => {
    const inUnits = Object.entries(figures).map(([name, value]) => [name, value / 1_000]);
    return JSON.stringify({ sku, location, ...Object.fromEntries(inUnits) });
  });
}

function asTable({ cells, troubles }: Cutover): readonly string[] {
  const names = [...new Set(cells.flatMap(({ figures }) => Object.keys(figures)))];
  const rows = cells
    .slice(0, shownMax)
    .map(({ sku, location, figures }) => [
      sku,
      location,
      ...names.map((name) => units(figures[name])),
    ]);
  const sums = names.map((name) =>
    units(cells.reduce((sum, { figures }) => sum + (figures[name] ?? 0), 0)),
  );
  const skus = new Set(cells.map(({ sku }) => sku)).size;
  return [
    ...layOut([
      ['sku', 'location', ...names],
      ...rows,
      [`${skus} SKUs`, `${cells.length} cells`, ...sums],
    ]),
    ...(cells.length > shownMax ? [`the first ${shownMax} are shown; --json tells all`] : []),
    ...(troubles.length === 0 ? ['nothing speaks against it'] : ['look at these first:']),
    ...troubles.slice(0, shownMax).map((trouble) => `  ${trouble}`),
    ...(troubles.length > shownMax ? [`  and ${troubles.length - shownMax} more`] : []),
  ];
}

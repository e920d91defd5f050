/** Our figures in thousandths and milliseconds → what the API answers, in units and ISO times. Pure. */
import type { z } from 'zod';
import type { ChannelStock, Outcome, StockLevel } from '../../schemas/types.ts';
import type { Change } from './changes.ts';
import type { FreshnessNote } from './freshness.ts';
import type * as models from './models.ts';

export const unitsOf = (thousandths: number): number => thousandths / 1000;
export const thousandthsOf = (units: number): number => Math.round(units * 1000);
const isoOf = (ms: number): string => new Date(ms).toISOString();

export function cellOf(level: StockLevel): z.infer<typeof models.cell> {
  const { quantities, cause } = level;
  return {
    sku: level.sku,
    location: level.location,
    quantities: {
      onHand: unitsOf(quantities.onHand),
      reserved: unitsOf(quantities.reserved),
      available: unitsOf(quantities.available),
      incoming: unitsOf(quantities.incoming),
      inTransit: unitsOf(quantities.inTransit),
      damaged: unitsOf(quantities.damaged),
      qualityControl: unitsOf(quantities.qualityControl),
      safetyStock: unitsOf(quantities.safetyStock),
    },
    sequence: level.sequence,
    previousSequence: level.previousSequence,
    cause: {
      kind: cause.kind,
      id: cause.id,
      system: cause.system,
      committedAt: isoOf(cause.committedAt),
    },
    allocations: level.allocations.map((one) => ({
      channel: one.channel,
      quantity: unitsOf(one.quantity),
    })),
  };
}

export function figureOf(figure: ChannelStock): z.infer<typeof models.figure> {
  const { channel, sku, status, sequence, previousSequence, formula, formulaVersion } = figure;
  const sellable = unitsOf(figure.sellable);
  return { channel, sku, sellable, status, sequence, previousSequence, formula, formulaVersion };
}

export const changeOf = (
  change: Change,
): z.infer<typeof models.changesAnswer>['changes'][number] =>
  change.kind === 'stock'
    ? { kind: 'stock', cell: cellOf(change.level) }
    : { kind: 'channel', figure: figureOf(change.figure) };

export function freshnessAnswer(note: FreshnessNote): z.infer<typeof models.freshness> {
  const watermarks = Object.entries(note.watermarks).map(([source, at]) => [source, isoOf(at)]);
  return {
    asOf: note.asOf === null ? null : isoOf(note.asOf),
    freshnessMs: note.freshnessMs,
    provenance: note.provenance,
    watermarks: Object.fromEntries(watermarks),
    behind: [...note.behind],
  };
}

/** A reservation is named by the key of the request that made it: only its client can name it. */
export function outcomeOf(outcome: Outcome): z.infer<typeof models.outcomeAnswer> {
  const { reservation, client } = outcome;
  const own = reservation?.startsWith(`${client}|`) === true;
  return {
    key: outcome.idempotencyKey,
    accepted: outcome.accepted,
    code: outcome.code,
    reason: outcome.reason,
    reservation: own ? reservation.slice(client.length + 1) : null,
    state: outcome.state,
    lines: outcome.lines.map((line) => ({
      ...line,
      quantity: unitsOf(line.quantity),
      short: unitsOf(line.short),
    })),
    decidedAt: isoOf(outcome.decidedAt),
  };
}

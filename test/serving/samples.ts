/** Figures to serve. */
import type { Served } from '../../processors/serving/ports.ts';

export function servedFigure(sku: string, sequence: number, sellable: number): Served {
  const cause = {
    kind: 'movement',
    id: 'm',
    system: 'erp',
    transaction: 't',
    position: 'p',
  } as const;
  return {
    kind: 'channel',
    channel: 'web',
    sku,
    figure: {
      ...{ channel: 'web', sku, sellable, status: sellable > 0 ? 'inStock' : 'out', sequence },
      ...{ previousSequence: sequence - 1, formula: 'f', formulaVersion: 1 },
      cause: { ...cause, committedAt: 1_000 },
    },
  };
}

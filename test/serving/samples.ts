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

export async function until(
  holds: () => boolean | Promise<boolean>,
  deadlineMs = 20_000,
): Promise<void> {
  const giveUpAt = Date.now() + deadlineMs;
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error('it did not come to that in time');
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** A log that is the same in every process, and what the views have to show of it, computed apart from them. */
import { feedsOf } from '../../processors/analytics/tables.ts';
import { channelStock, ledger, movements, stockLevels } from '../../processors/topics.ts';
import { MemoryLog } from './memory-log.ts';
import { channelFigure, effect, entry, level, movement } from './samples.ts';

export function fixedLog(records: number): MemoryLog {
  const web = channelStock('web').name;
  const log = new MemoryLog([...feedsOf(['web']).keys()]);
  for (let n = 0; n < records; n += 1) {
    const sku = `SKU-${(n * 7919) % 97}`;
    const partition = ((n * 7919) % 97) % 2;
    const quantity = ((n * 2_654_435_761) % 5_000) - 2_500;
    const sale = effect({ id: `e${n}`, reference: `receipt ${n}`, quantity });
    log.append(movements.name, partition, sku, movement(sku, [sale], `m${n}`));
    log.append(ledger.name, partition, sku, entry(sku, n + 1, quantity));
    log.append(
      stockLevels.name,
      partition,
      { sku, location: 'S01' },
      level(sku, 'S01', n + 1, quantity),
    );
    log.append(web, partition, sku, channelFigure('web', sku, n + 1, Math.max(0, quantity)));
  }
  return log;
}

/** Sums and last values, straight from the numbers that made the log. */
export function expectedFigures(records: number) {
  const last = new Map<string, number>();
  let sum = 0;
  for (let n = 0; n < records; n += 1) {
    const quantity = ((n * 2_654_435_761) % 5_000) - 2_500;
    sum += quantity;
    last.set(`SKU-${(n * 7919) % 97}`, quantity);
  }
  return { sum, last };
}

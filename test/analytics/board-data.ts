/** A few days of three shops up to `now`, seeded, with something in every topic: what the boards are tried on. */
import { feedsOf } from '../../processors/analytics/tables.ts';
import { channelStock, ledger, movements, stockLevels } from '../../processors/topics.ts';
import type { Effect } from '../../schemas/types.ts';
import { seededRandom } from '../support/seeded-random.ts';
import {
  shops,
  skus,
  tellAnomalies,
  tellForecasts,
  tellRequests,
  tellTrouble,
} from './board-topics.ts';
import { MemoryLog } from './memory-log.ts';
import { cause, effect, quantities } from './samples.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
export const boardChannels = ['web', 'marketplace'];

export type BoardData = {
  readonly log: MemoryLog;
  readonly sku: string;
  readonly location: string;
};

export function boardData(now: number, days = 6): BoardData {
  const log = new MemoryLog([...feedsOf(boardChannels).keys()]);
  const below = seededRandom(7);
  const shop = new Shop(log, () => below(1_000_000) / 1_000_000);
  const begin = now - days * dayMs;
  for (const sku of skus) for (const location of shops) shop.open(sku, location, begin);
  for (let at = begin + hourMs; at < now; at += hourMs) shop.hour(at);
  shop.count(skus[2] ?? '', 'S02', now - 5 * hourMs);
  // Whatever the hour of the day has sold: of one SKU nothing is left anywhere.
  for (const location of shops) shop.count(skus[1] ?? '', location, now - 4 * hourMs, 0);
  tellRequests(log, now);
  tellTrouble(log, now);
  tellAnomalies(log, now);
  tellForecasts(log, now, shop.random);
  return { log, sku: skus[0] ?? '', location: 'S01' };
}

class Shop {
  readonly random: () => number;
  private readonly log: MemoryLog;
  private readonly onHand = new Map<string, number>();
  private readonly sequences = new Map<string, number>();
  private receipts = 0;

  constructor(log: MemoryLog, random: () => number) {
    this.log = log;
    this.random = random;
  }

  open(sku: string, location: string, at: number): void {
    const units = (20 + Math.floor(this.random() * 60)) * 1000;
    const opening = effect({
      kind: 'opening',
      reason: 'opening',
      quantity: units,
      location,
      echo: null,
    });
    this.step(sku, at, [{ ...opening, occurredAt: at }]);
  }

  /** Sales by the hour of the day; stock that is low is filled up at night. */
  hour(at: number): void {
    const hour = new Date(at).getUTCHours();
    const busy = hour < 7 || hour > 20 ? 0.03 : 0.35 + 0.35 * Math.sin(((hour - 7) / 13) * Math.PI);
    for (const [index, sku] of skus.entries()) {
      for (const location of shops) {
        if (this.random() < busy * (1 - index / 16))
          this.sell(sku, location, at + this.random() * hourMs * 0.9);
        if (hour === 5 && (this.onHand.get(`${sku}|${location}`) ?? 0) < 8_000 && index !== 1) {
          this.receive(sku, location, at);
        }
      }
    }
  }

  private sell(sku: string, location: string, at: number): void {
    this.receipts += 1;
    const reference = `receipt ${location}/1/${this.receipts}`;
    const isReturn = this.random() < 0.06;
    const quantity = isReturn ? 1000 : -1000 * (1 + Math.floor(this.random() * 3));
    const sold = effect({ id: `e${this.receipts}`, reference, location, quantity, occurredAt: at });
    this.step(sku, at, [{ ...sold, reason: isReturn ? 'return' : 'sale' }]);
    if (this.random() > 0.03) return;
    const voided = { ...sold, asserted: false, quantity: -quantity };
    this.step(sku, at + 60_000, [isReturn ? { ...voided, reason: 'return' } : voided]);
  }

  private receive(sku: string, location: string, at: number): void {
    const expectedAt = at - dayMs * (this.random() < 0.3 ? 1 : 0) + 8 * hourMs;
    const order = { location, occurredAt: at, reference: `order ${sku}`, echo: null } as const;
    this.step(sku, at, [
      effect({ ...order, id: `r${at}`, reason: 'receipt', quantity: 30_000 }),
      effect({
        ...order,
        id: `i${at}`,
        kind: 'level',
        bucket: 'incoming',
        reason: 'purchaseOrder',
        quantity: -30_000,
        expectedAt,
      }),
    ]);
  }

  /** Two units less than was thought, unless a figure is given. */
  count(sku: string, location: string, at: number, found?: number): void {
    const counted = found ?? (this.onHand.get(`${sku}|${location}`) ?? 0) - 2_000;
    this.step(sku, at, [
      effect({
        kind: 'count',
        reason: 'count',
        location,
        quantity: counted,
        occurredAt: at,
        echo: null,
      }),
    ]);
  }

  /** One source transaction: movement, ledger entry, stock level and channel figures. */
  private step(sku: string, at: number, effects: readonly Effect[]): void {
    const location = effects[0]?.location ?? '';
    const cell = `${sku}|${location}`;
    const sequence = (this.sequences.get(cell) ?? 0) + 1;
    this.sequences.set(cell, sequence);
    const id = `m-${cell}-${sequence}`;
    const partition = skus.indexOf(sku) % 2;
    const before = this.onHand.get(cell) ?? 0;
    const own = effects.filter((one) => one.bucket === 'onHand');
    const after = own.reduce(
      (sum, one) => (one.kind === 'event' ? sum + one.quantity : one.quantity),
      before,
    );
    this.onHand.set(cell, after);
    const told = { ...cause, id, transaction: `0-1-${sequence}`, committedAt: at };
    const latency = 20 + this.random() ** 4 * 900;
    const movement = {
      id,
      sku,
      system: 'pos',
      transaction: told.transaction,
      position: cause.position,
      committedAt: at,
      effects,
    };
    this.log.append(movements.name, partition, sku, movement, at + latency * 0.4);
    const figures = quantities({ onHand: after, available: after });
    const changes = own.map((one) => ({
      bucket: one.bucket,
      kind: one.kind,
      quantity: one.quantity,
      applied: after - before,
      occurredAt: at,
      reason: one.reason,
      reference: one.reference,
      effectId: one.id,
    }));
    const step = { sku, location, sequence, cause: told, quantities: figures };
    this.log.append(
      ledger.name,
      partition,
      sku,
      { ...step, restatement: null, changes },
      at + latency * 0.7,
    );
    const level = { ...step, previousSequence: sequence - 1, schedule: [], allocations: [] };
    this.log.append(stockLevels.name, partition, { sku, location }, level, at + latency * 0.7);
    const sellable = Math.max(
      0,
      shops.reduce((sum, one) => sum + Math.max(0, this.onHand.get(`${sku}|${one}`) ?? 0), 0) -
        4_000,
    );
    for (const channel of boardChannels) {
      const status = sellable === 0 ? 'out' : sellable < 10_000 ? 'low' : 'inStock';
      this.log.append(
        channelStock(channel).name,
        partition,
        sku,
        {
          channel,
          sku,
          sellable,
          status,
          sequence,
          previousSequence: sequence - 1,
          formula: channel,
          formulaVersion: 1,
          cause: told,
        },
        at + latency,
      );
    }
  }
}

/** Every stock level and channel figure in memory, as the compacted topics state them. One per instance; no truth of its own. */
import type { ChannelStock, Freshness, StockLevel } from '../../schemas/types.ts';
import type { Published } from '../topics.ts';
import { type Change, type Recent, RecentChanges } from './changes.ts';
import type { Places } from './cursor.ts';
import { type FreshnessNote, freshnessOf } from './freshness.ts';

export type Cell = { readonly sku: string; readonly location: string };

/** Not heard of the broker for so long: what is told may be old. */
const lostAfterMs = 1_500;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export class StockView {
  readonly #levels = new Map<string, Map<string, StockLevel>>();
  readonly #channels = new Map<string, Map<string, ChannelStock>>();
  readonly #told = new Map<string, Freshness>();
  readonly #listeners = new Set<() => void>();
  readonly #recent: RecentChanges;
  #sortedSkus: readonly string[] | undefined;
  #isRestored = false;
  #followedAtMs = 0;
  #isAnnounced = false;

  constructor(options: { readonly channels: readonly string[]; readonly changesKept?: number }) {
    for (const channel of options.channels) this.#channels.set(channel, new Map());
    this.#recent = new RecentChanges(options.changesKept ?? 50_000);
  }

  /** Names a partition that will be followed. */
  open(place: string, offset: number): void {
    this.#recent.open(place, offset);
  }

  apply(place: string, offset: number, record: Published): void {
    const change = record.kind === 'stock' ? this.#stock(record) : this.#channel(record);
    if (change === undefined) this.#recent.advance(place, offset + 1);
    else this.#recent.add(place, offset, change);
    this.#announce();
  }

  advance(place: string, next: number): void {
    this.#recent.advance(place, next);
  }

  /** Of the SKUs of one partition; only when everything that the record speaks of has been applied. */
  tell(partition: number, freshness: Freshness): void {
    this.#told.set(`${partition}|${freshness.source}|${freshness.hop}`, freshness);
    this.#announce();
  }

  /** The broker has answered: nothing older than this is missing. */
  followed(nowMs: number): void {
    this.#followedAtMs = nowMs;
  }

  restored(): void {
    this.#isRestored = true;
  }

  get isRestored(): boolean {
    return this.#isRestored;
  }

  get cells(): number {
    let count = 0;
    for (const at of this.#levels.values()) count += at.size;
    return count;
  }

  /** How long ago everything that was committed then had been read. */
  lagMs(nowMs: number): number {
    return Math.max(0, nowMs - this.#followedAtMs);
  }

  freshness(nowMs: number): FreshnessNote {
    const sinceMs = this.lagMs(nowMs);
    return freshnessOf(
      this.#told.values(),
      { isFollowing: sinceMs <= lostAfterMs, sinceMs },
      nowMs,
    );
  }

  level(sku: string, location: string): StockLevel | undefined {
    return this.#levels.get(sku)?.get(location);
  }

  /** Of one SKU, by location. */
  levels(sku: string): readonly StockLevel[] {
    const found = [...(this.#levels.get(sku)?.values() ?? [])];
    return found.sort((a, b) => compare(a.location, b.location));
  }

  channels(): readonly string[] {
    return [...this.#channels.keys()].sort(compare);
  }

  channelFigure(channel: string, sku: string): ChannelStock | undefined {
    return this.#channels.get(channel)?.get(sku);
  }

  /** By SKU and location, after the cell `after`, at most `limit` of those that `wanted` takes. */
  list(
    after: Cell | undefined,
    limit: number,
    wanted: (level: StockLevel) => boolean,
  ): readonly StockLevel[] {
    const found: StockLevel[] = [];
    for (const sku of this.#skusFrom(after?.sku ?? '')) {
      for (const level of this.levels(sku)) {
        if (after !== undefined && sku === after.sku && level.location <= after.location) continue;
        if (wanted(level)) found.push(level);
        if (found.length === limit) return found;
      }
    }
    return found;
  }

  /** By SKU, after the SKU `after`. */
  listChannel(
    channel: string,
    after: string | undefined,
    limit: number,
    wanted: (figure: ChannelStock) => boolean,
  ): readonly ChannelStock[] {
    const figures = this.#channels.get(channel) ?? new Map<string, ChannelStock>();
    const found: ChannelStock[] = [];
    for (const sku of this.#skusFrom(after ?? '')) {
      const figure = figures.get(sku);
      if (figure !== undefined && sku !== after && wanted(figure)) found.push(figure);
      if (found.length === limit) return found;
    }
    return found;
  }

  changesSince(places: Places, limit: number): Recent {
    return this.#recent.since(places, limit);
  }

  places(): Places {
    return this.#recent.places();
  }

  /** Calls `listener` soon after anything has changed, once for many changes. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #stock({ key, level }: Extract<Published, { kind: 'stock' }>): Change | undefined {
    const at = this.#levels.get(key.sku) ?? new Map<string, StockLevel>();
    if (!this.#levels.has(key.sku)) this.#know(key.sku, at);
    if (level === undefined) {
      at.delete(key.location);
      return undefined;
    }
    at.set(key.location, level);
    return { kind: 'stock', level };
  }

  #channel(record: Extract<Published, { kind: 'channel' }>): Change | undefined {
    const { channel, sku, figure } = record;
    const figures = this.#channels.get(channel) ?? new Map<string, ChannelStock>();
    this.#channels.set(channel, figures);
    if (!this.#levels.has(sku)) this.#know(sku, new Map());
    if (figure === undefined) {
      figures.delete(sku);
      return undefined;
    }
    figures.set(sku, figure);
    return { kind: 'channel', figure };
  }

  #know(sku: string, at: Map<string, StockLevel>): void {
    this.#levels.set(sku, at);
    this.#sortedSkus = undefined;
  }

  *#skusFrom(first: string): Iterable<string> {
    this.#sortedSkus ??= [...this.#levels.keys()].sort(compare);
    const skus = this.#sortedSkus;
    let low = 0;
    let high = skus.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((skus[middle] ?? '') < first) low = middle + 1;
      else high = middle;
    }
    for (let at = low; at < skus.length; at += 1) yield skus[at] ?? '';
  }

  #announce(): void {
    if (this.#isAnnounced || this.#listeners.size === 0) return;
    this.#isAnnounced = true;
    setImmediate(() => {
      this.#isAnnounced = false;
      for (const listener of this.#listeners) listener();
    });
  }
}

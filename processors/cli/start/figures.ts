/** What an outside reader of the stock and channel topics knows: the latest figures, and how long each took to arrive. */
import { commitClockMs } from '../../../connectors/simulator/commit-clock.ts';
import type { ReadRecord } from '../../adapters/kafka/independent-reader.ts';

/** Quantities in thousandths of a unit, by the names of schemas/stock-level.avsc. */
export type CellFigures = Readonly<Record<string, number>>;

export type Percentiles = { readonly p50: number; readonly p99: number; readonly count: number };

/** Nothing has arrived is not the same as at once. */
export function latencyText({ p50, p99, count }: Percentiles): string {
  return count === 0 ? 'none' : `p50 ${p50} ms, p99 ${p99} ms`;
}

type Published = {
  readonly sku: string;
  readonly sequence: number;
  readonly cause: { readonly system: string; readonly transaction: string };
};
type PublishedStock = Published & {
  readonly location: string;
  readonly quantities: Record<string, number>;
};
type PublishedChannel = Published & { readonly channel: string; readonly sellable: number };

export type SourceCommit = {
  readonly system: string;
  readonly transaction: string;
  readonly committedAtMs: number;
};

const commitsRemembered = 200_000;

export class Figures {
  /** By `sku|location`. */
  readonly cells = new Map<string, CellFigures>();
  /** Sellable thousandths by `channel|sku`. */
  readonly sellable = new Map<string, number>();
  lastRecordAtMs = Date.now();
  records = 0;
  private readonly openAlerts = new Set<string>();
  private readonly commits = new Map<string, number>();
  private readonly latencies = new Map<string, Latencies>();
  private readonly recent = new RecentLatencies();
  private measureFromMs = 0;

  /** Told when a source's COMMIT has returned: the clock of that transaction starts. */
  noteCommit(commit: SourceCommit): void {
    this.commits.set(`${commit.system}:${commit.transaction}`, commit.committedAtMs);
    if (this.commits.size > commitsRemembered) {
      const oldest = this.commits.keys().next().value;
      if (oldest !== undefined) this.commits.delete(oldest);
    }
  }

  /** Latencies of transactions committed from now on are measured; earlier ones are forgotten. */
  startMeasuring(): void {
    this.measureFromMs = commitClockMs();
    this.latencies.clear();
  }

  onRecord(record: ReadRecord): void {
    this.lastRecordAtMs = Date.now();
    this.records += 1;
    if (record.value === undefined) return;
    if (record.topic === 'inventory.alert.v1') {
      const alert = record.value as { readonly id: string; readonly open: boolean };
      if (alert.open) this.openAlerts.add(alert.id);
      else this.openAlerts.delete(alert.id);
    } else if (record.topic === 'inventory.stock.v1') {
      const level = record.value as PublishedStock;
      this.cells.set(`${level.sku}|${level.location}`, thousandths(level.quantities));
    } else {
      const figure = record.value as PublishedChannel;
      this.sellable.set(`${figure.channel}|${figure.sku}`, Math.round(figure.sellable * 1000));
      this.measure(figure.cause);
    }
  }

  /** Alerts that are open. */
  get alerts(): number {
    return this.openAlerts.size;
  }

  /** Cells that are oversold now. */
  negativeCells(): number {
    let count = 0;
    for (const { available } of this.cells.values()) if ((available ?? 0) < 0) count += 1;
    return count;
  }

  private measure(cause: { readonly system: string; readonly transaction: string }): void {
    const committedAtMs = this.commits.get(`${cause.system}:${cause.transaction}`);
    if (committedAtMs === undefined || committedAtMs < this.measureFromMs) return;
    const known = this.latencies.get(cause.system) ?? new Latencies();
    const nowMs = commitClockMs();
    known.add(nowMs - committedAtMs);
    this.latencies.set(cause.system, known);
    this.recent.add(nowMs - committedAtMs, nowMs);
  }

  /** Source commit to channel topic, in milliseconds, over all sources and for each. */
  latency(): {
    readonly all: Percentiles;
    readonly bySource: Readonly<Record<string, Percentiles>>;
  } {
    return {
      all: percentilesOf([...this.latencies.values()]),
      bySource: Object.fromEntries(
        [...this.latencies].map(([system, known]) => [system, percentilesOf([known])]),
      ),
    };
  }

  /** The same over all sources, of the last half to whole minute. */
  recentLatency(): Percentiles {
    return percentilesOf(this.recent.at(commitClockMs()));
  }
}

/** Ten minutes: later than that is as bad. */
const latestTenth = 6_000_000;

/**
 * How often each latency was seen, by tenths of a millisecond: exact to that, and looked at twice a second without sorting
 * what two minutes have brought. Whoever reads and whoever draws share a thread.
 */
class Latencies {
  tenths = new Uint32Array(10_000);
  count = 0;

  add(ms: number): void {
    const tenth = Math.min(Math.max(0, Math.round(ms * 10)), latestTenth);
    if (tenth >= this.tenths.length) {
      const larger = new Uint32Array(2 * tenth);
      larger.set(this.tenths);
      this.tenths = larger;
    }
    this.tenths[tenth] = (this.tenths[tenth] ?? 0) + 1;
    this.count += 1;
  }
}

const periodMs = 30_000;

/** Those of the running half minute and of the one before: a start that took its time is not remembered for hours. */
class RecentLatencies {
  private period = 0;
  private running = new Latencies();
  private before = new Latencies();

  add(ms: number, nowMs: number): void {
    this.moveTo(nowMs);
    this.running.add(ms);
  }

  at(nowMs: number): readonly Latencies[] {
    this.moveTo(nowMs);
    return [this.before, this.running];
  }

  private moveTo(nowMs: number): void {
    const period = Math.floor(nowMs / periodMs);
    if (period === this.period) return;
    this.before = period === this.period + 1 ? this.running : new Latencies();
    this.running = new Latencies();
    this.period = period;
  }
}

/** Nearest-rank percentiles of all of these together. */
function percentilesOf(all: readonly Latencies[]): Percentiles {
  const count = all.reduce((sum, one) => sum + one.count, 0);
  const last = Math.max(0, ...all.map(({ tenths }) => tenths.length));
  const rank = (share: number): number => {
    const wanted = Math.max(1, Math.ceil(share * count));
    let seen = 0;
    for (let tenth = 0; tenth < last; tenth += 1) {
      for (const { tenths } of all) seen += tenths[tenth] ?? 0;
      if (seen >= wanted) return tenth / 10;
    }
    return 0;
  };
  return { p50: rank(0.5), p99: rank(0.99), count };
}

function thousandths(units: Readonly<Record<string, number>>): CellFigures {
  return Object.fromEntries(
    Object.entries(units).map(([name, value]) => [name, Math.round(value * 1000)]),
  );
}

/** Nearest-rank percentiles, to a tenth of a millisecond. */
export function percentiles(samples: readonly number[]): Percentiles {
  const sorted = [...samples].sort((one, other) => one - other);
  const rank = (share: number): number => {
    const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
    return Math.round(value * 10) / 10;
  };
  return { p50: rank(0.5), p99: rank(0.99), count: sorted.length };
}

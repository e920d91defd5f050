/** Telemetry of processors: Prometheus metrics, and JSON logs at transitions only. */
import { type Logger, pino } from 'pino';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Telemetry } from '../runtime/ports.ts';

export type ProcessTelemetry = {
  /** The telemetry of one processor in this process. */
  readonly of: (processor: string) => Telemetry;
  readonly log: Logger;
  /** All metrics in Prometheus' text form. */
  readonly metrics: () => Promise<string>;
  readonly contentType: string;
};

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export function processTelemetry(options: { readonly logLevel: LogLevel }): ProcessTelemetry {
  const log = pino({ level: options.logLevel, base: { pid: process.pid } });
  const registry = new Registry();
  const meters = createMeters(registry);
  return {
    log,
    metrics: () => registry.metrics(),
    contentType: registry.contentType,
    of: (processor) => telemetryOf(processor, log.child({ processor }), meters),
  };
}

type Meters = ReturnType<typeof createMeters>;

function createMeters(registry: Registry) {
  const registers = [registry];
  const counter = (name: string, help: string, labels: readonly string[] = []) =>
    new Counter({ name, help, labelNames: ['processor', ...labels], registers });
  const gauge = (name: string, help: string) =>
    new Gauge({ name, help, labelNames: ['processor'], registers });
  return {
    records: counter('stockline_records_total', 'Records taken by committed transactions'),
    outputs: counter('stockline_outputs_total', 'Records written by committed transactions'),
    deadLetters: counter('stockline_dead_letters_total', 'Records that could not be used'),
    aborts: counter(
      'stockline_transactions_aborted_total',
      'Transactions aborted or of unknown end',
    ),
    counts: counter('stockline_counts_total', "The steps' own counts", ['metric']),
    commitSeconds: new Histogram({
      name: 'stockline_commit_seconds',
      help: 'Time from the begin of a transaction to its commit',
      labelNames: ['processor'],
      buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
      registers,
    }),
    restores: counter('stockline_restores_total', 'Partition states restored', ['from']),
    restoreSeconds: gauge('stockline_restore_seconds', 'Duration of the last restore'),
    rebalances: counter('stockline_rebalances_total', 'Partitions shared out anew'),
    partitions: gauge('stockline_assigned_partitions', 'Partitions that this process works'),
    lagRecords: gauge('stockline_lag_records', 'Records that wait'),
    lagSeconds: gauge('stockline_lag_seconds', 'Age of the last record taken, while more wait'),
  };
}

function telemetryOf(processor: string, log: Logger, meters: Meters): Telemetry {
  return {
    log: (level, event, fields = {}) => {
      log[level](fields, event);
    },
    committed: (transaction) => {
      meters.records.inc({ processor }, transaction.records);
      meters.outputs.inc({ processor }, transaction.outputs);
      if (transaction.deadLetters > 0)
        meters.deadLetters.inc({ processor }, transaction.deadLetters);
      meters.commitSeconds.observe({ processor }, transaction.commitMs / 1_000);
      for (const [metric, by] of transaction.counts) meters.counts.inc({ processor, metric }, by);
    },
    aborted: (reason) => {
      meters.aborts.inc({ processor });
      log.warn({ reason }, 'transaction not committed');
    },
    restored: ({ partition, records, tookMs, from }) => {
      meters.restores.inc({ processor, from });
      meters.restoreSeconds.set({ processor }, tookMs / 1_000);
      log.info({ partition, records, tookMs: Math.round(tookMs), from }, 'task restored');
    },
    lag: ({ records, seconds }) => {
      meters.lagRecords.set({ processor }, records);
      meters.lagSeconds.set({ processor }, seconds);
    },
    rebalanced: (partitions) => {
      if (partitions.length > 0) meters.rebalances.inc({ processor });
      meters.partitions.set({ processor }, partitions.length);
      log.info({ partitions }, 'partitions shared out');
    },
  };
}

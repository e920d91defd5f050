/** What a process works, by the names that `STOCKLINE_PROCESSORS` gives: how each is begun, and what it tells of itself. */
import type { KafkaPlaces } from '../adapters/kafka/topic-reader.ts';
import type { Config } from '../config.ts';
import type { Telemetry } from '../runtime/ports.ts';
import type { WebhookSources } from '../settings/webhook-sources.ts';
import type { ProcessorStatus } from './status.ts';

export type Running = {
  readonly name: string;
  /** Settles when all of it has ended; rejects when it cannot go on. */
  readonly done: Promise<void>;
  readonly ready: () => boolean;
  /** Absent: it works beside the processors. */
  readonly status?: () => ProcessorStatus;
  readonly analyticsUrl?: string;
  readonly apiUrl?: string;
};

/** What is worked beside the stream processors. */
export type Start = (
  config: Config,
  beside: {
    readonly places: KafkaPlaces;
    readonly channels: readonly string[];
    readonly webhookSources: WebhookSources;
    readonly telemetry: Telemetry;
    readonly signal: AbortSignal;
  },
) => Running | Promise<Running>;

/** A record that could not be used, whole: original bytes and headers, and why. */
import type { DeadLetter } from '../../schemas/types.ts';
import type { RawRecord } from './ports.ts';

export type Refusal = { readonly code: string; readonly reason: string };

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const redrivesHeader = 'redrives';

/** A larger value stays where it is: a dead letter that no topic takes would end the processor. */
const valueBytesMax = 3_500_000;

export function deadLetterOf(processor: string, raw: RawRecord, refusal: Refusal): DeadLetter {
  const redrives = raw.headers.find(([name]) => name === redrivesHeader);
  const bytes = raw.value?.length ?? 0;
  const whole = bytes <= valueBytesMax;
  return {
    processor,
    code: refusal.code,
    reason: whole ? refusal.reason : `${refusal.reason} (its ${bytes} bytes are left in the topic)`,
    topic: raw.topic,
    partition: raw.partition,
    offset: Number(raw.offset),
    timestamp: raw.timestampMs,
    key: raw.key ?? null,
    value: whole ? (raw.value ?? null) : null,
    headers: raw.headers.map(([name, value]) => ({ name, value })),
    redrives: redrives === undefined ? 0 : Number(decoder.decode(redrives[1])) || 0,
  };
}

/** The headers by which tools of Kafka Connect and Spring find their way. Text only: the client writes no other. */
export function deadLetterHeaders(
  processor: string,
  raw: RawRecord,
  refusal: Refusal,
): readonly (readonly [string, Uint8Array])[] {
  const fields: readonly (readonly [string, string])[] = [
    ['__connect.errors.topic', raw.topic],
    ['__connect.errors.partition', String(raw.partition)],
    ['__connect.errors.offset', String(raw.offset)],
    ['__connect.errors.connector.name', processor],
    ['__connect.errors.exception.class.name', refusal.code],
    ['__connect.errors.exception.message', refusal.reason],
    ['kafka_dlt-original-topic', raw.topic],
    ['kafka_dlt-original-consumer-group', processor],
    ['kafka_dlt-exception-fqcn', refusal.code],
    ['kafka_dlt-exception-message', refusal.reason],
  ];
  return fields.map(([name, text]) => [name, encoder.encode(text)]);
}

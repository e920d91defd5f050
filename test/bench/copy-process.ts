/**
 * The bound for our transport: reads the same records and writes, with the same source, producer and transactions, as
 * many records of the same sizes as the stock processor does, but thinks about none of them. `CopySettings` in argv[2].
 */

import { kafkaSource } from '../../processors/adapters/kafka/consumer.ts';
import { kafkaProducer } from '../../processors/adapters/kafka/producer.ts';
import { processTelemetry } from '../../processors/adapters/telemetry.ts';
import { limits } from '../../processors/runtime/limits.ts';
import { createPace } from '../../processors/runtime/pace.ts';
import { beginning, type OutputRecord, type RawRecord } from '../../processors/runtime/ports.ts';

/** What the stock processor wrote of a topic: per event so many records, of so many bytes. */
export type Share = {
  readonly topic: string;
  readonly perEvent: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly withHeaders: boolean;
};

export type CopySettings = {
  readonly brokers: string;
  readonly group: string;
  readonly input: string;
  readonly partitions: number;
  readonly shares: readonly Share[];
};

const settings = JSON.parse(String(process.argv[2])) as CopySettings;
const telemetry = processTelemetry({ logLevel: 'error' }).of('copy');
const source = await kafkaSource({ ...settings, telemetry });
const producer = await kafkaProducer({
  brokers: settings.brokers,
  transactionalId: settings.group,
  source,
  telemetry,
});
let isEnding = false;
process.once('SIGTERM', () => {
  isEnding = true;
});
const shares = settings.shares.map((share) => ({
  ...share,
  key: Buffer.alloc(share.keyBytes, 'k'),
  value: Buffer.alloc(share.valueBytes, 'v'),
  owed: 0,
}));
const pace = createPace();
const noHeaders: OutputRecord['headers'] = [];

function* copies(record: RawRecord): Generator<OutputRecord> {
  const { partition, timestampMs, headers } = record;
  for (const share of shares) {
    share.owed += share.perEvent;
    for (; share.owed >= 1; share.owed -= 1) {
      const { topic, key, value, withHeaders } = share;
      yield {
        topic,
        partition,
        timestampMs,
        key,
        value,
        headers: withHeaders ? headers : noHeaders,
      };
    }
  }
}

await producer.init();
const partitions = Array.from({ length: settings.partitions }, (_, partition) => partition);
source.assign(
  partitions.map((partition) => ({ topic: settings.input, partition, offset: beginning })),
);
while (!isEnding) {
  let taken: RawRecord[] = [];
  let sinceMs = 0;
  for (;;) {
    const isOpen = taken.length > 0;
    const { records } = await source.poll({
      recordsMax: limits.pollRecordsMax,
      waitMs: isOpen ? 0 : limits.idleWaitMs,
    });
    if (!isOpen) sinceMs = Date.now();
    taken = isOpen ? taken.concat(records) : [...records];
    const drained = records.length < limits.pollRecordsMax;
    const nowMs = Date.now();
    const open = { nowMs, ageMs: nowMs - sinceMs, records: taken.length, drained };
    if (pace.isDue(open)) break;
  }
  if (taken.length === 0) continue;
  await producer.begin();
  for (const record of taken) for (const copy of copies(record)) await produce(copy);
  const next = new Map(taken.map(({ partition, offset }) => [partition, offset + 1n]));
  await producer.sendOffsets(
    [...next].map(([partition, offset]) => ({ topic: settings.input, partition, offset })),
  );
  await producer.commit();
}
await producer.close();
await source.close();

async function produce(record: OutputRecord): Promise<void> {
  for (;;) {
    try {
      producer.produce(record);
      return;
    } catch {
      await producer.drain();
    }
  }
}

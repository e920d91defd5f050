/** Topics in memory behind analytics' reader: offsets with gaps, ends, and a topic that can be recreated. */
import type { Batch, PartitionOffset, RecordReader } from '../../processors/analytics/ports.ts';
import type { StreamRecord } from '../../processors/topology/topology.ts';

export class MemoryLog {
  private readonly partitions = new Map<string, StreamRecord[]>();
  private readonly names = new Map<
    string,
    { readonly topic: string; readonly partition: number }
  >();
  private nextTimestampMs = Date.parse('2026-03-02T09:00:00.000Z');

  constructor(topics: readonly string[], partitions = 2) {
    for (const topic of topics) {
      for (let partition = 0; partition < partitions; partition += 1) {
        this.names.set(`${topic} ${partition}`, { topic, partition });
        this.partitions.set(`${topic} ${partition}`, []);
      }
    }
  }

  /** Every third record is followed by a gap, as a transaction's marker makes one. */
  append(
    topic: string,
    partition: number,
    key: unknown,
    value: unknown,
    atMs?: number,
  ): StreamRecord {
    const records = this.of(topic, partition);
    const last = records.at(-1)?.offset ?? -1n;
    const offset = last + (records.length % 3 === 2 ? 2n : 1n);
    this.nextTimestampMs += 1;
    const timestampMs = atMs ?? this.nextTimestampMs;
    const record = { topic, partition, offset, timestampMs, key, value, headers: [] };
    records.push(record);
    return record;
  }

  recreate(topic: string): void {
    for (const [place, name] of this.names) {
      if (name.topic === topic) this.partitions.set(place, []);
    }
  }

  /** Removes records as compaction does. */
  compact(topic: string, keep: (record: StreamRecord) => boolean): void {
    for (const [place, name] of this.names) {
      if (name.topic === topic)
        this.partitions.set(place, (this.partitions.get(place) ?? []).filter(keep));
    }
  }

  of(topic: string, partition: number): StreamRecord[] {
    const records = this.partitions.get(`${topic} ${partition}`);
    if (records === undefined) throw new Error(`no partition ${partition} of ${topic}`);
    return records;
  }

  all(topic: string): readonly StreamRecord[] {
    return [...this.names]
      .filter(([, name]) => name.topic === topic)
      .flatMap(([, name]) => this.of(topic, name.partition));
  }

  reader(): RecordReader {
    let positions: PartitionOffset[] = [];
    return {
      bounds: async () =>
        [...this.names.values()].map(({ topic, partition }) => {
          const records = this.of(topic, partition);
          const end = (records.at(-1)?.offset ?? -1n) + 1n;
          return { topic, partition, first: records[0]?.offset ?? end, end };
        }),
      seek: async (offsets) => {
        positions = [...offsets];
      },
      poll: async ({ waitMs, recordsMax }): Promise<Batch> => {
        const records: StreamRecord[] = [];
        const ends: PartitionOffset[] = [];
        positions = positions.map((position) => {
          const { topic, partition, offset } = position;
          const found = this.of(topic, partition)
            .filter((record) => record.offset >= offset)
            .slice(0, Math.max(0, recordsMax - records.length));
          records.push(...found);
          const last = found.at(-1);
          const next = last === undefined ? position : { ...position, offset: last.offset + 1n };
          if (found.length === 0 && records.length < recordsMax) ends.push(next);
          return next;
        });
        await new Promise((resolve) =>
          setTimeout(resolve, records.length > 0 ? 0 : Math.min(waitMs, 5)),
        );
        return { records, ends };
      },
    };
  }
}

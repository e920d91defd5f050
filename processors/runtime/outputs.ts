/** What an open transaction wants written: in order, and on compacted topics one record per key. */

import { partitionOf } from '../topology/partitioner.ts';
import type { Topic } from '../topology/topic.ts';
import type { Header } from '../topology/topology.ts';
import { stop } from './errors.ts';
import { limits } from './limits.ts';
import type { Codecs, OutputRecord, RawRecord } from './ports.ts';

export type Emitted = {
  readonly topic: Topic<never, never>;
  readonly key: unknown;
  /** Undefined for a tombstone. */
  readonly value: unknown;
  readonly timestampMs: number;
  readonly partition: number | undefined;
  readonly headers: readonly Header[];
  /** The input that asked for it; undefined: a tick. */
  readonly cause: RawRecord | undefined;
};

/** What no topic takes, found when it was encoded: the inputs that asked for it, and how large it was. */
export class OversizedOutput extends Error {
  readonly causes: ReadonlyMap<RawRecord | undefined, string>;

  constructor(causes: ReadonlyMap<RawRecord | undefined, string>) {
    super([...causes.values()].join('; '));
    this.name = 'OversizedOutput';
    this.causes = causes;
  }
}

type Slot = {
  readonly topic: AnyValueTopic;
  readonly partition: number;
  readonly keyBytes: Uint8Array;
  readonly headers: readonly Header[];
  readonly timestampMs: number;
  readonly value: unknown;
  readonly cause: RawRecord | undefined;
};

/** A topic seen without its types: key and value were checked where they were emitted. */
type AnyValueTopic = Omit<Topic<never, never>, 'partitionBy' | 'coalesce'> & {
  readonly partitionBy: (key: unknown) => string;
  readonly coalesce?: (earlier: unknown, later: unknown) => unknown;
};

export type Outputs = {
  readonly add: (emitted: Emitted) => void;
  readonly size: () => number;
  /** Throws `OversizedOutput`. */
  readonly encode: () => OutputRecord[];
  readonly clear: () => void;
};

export function collectOutputs(codecs: Codecs): Outputs {
  const slots: Slot[] = [];
  /** By topic: the slot of each key of a compacted topic. */
  const slotOfKey = new Map<string, Map<string, number>>();

  return {
    add: (emitted) => {
      const topic = emitted.topic as unknown as AnyValueTopic;
      const keyBytes = codecs.encodeKey(emitted.topic, emitted.key);
      const slot: Slot = {
        topic,
        partition:
          emitted.partition ?? partitionOf(topic.partitionBy(emitted.key), topic.partitions),
        keyBytes,
        headers: emitted.headers,
        timestampMs: emitted.timestampMs,
        value: emitted.value,
        cause: emitted.cause,
      };
      if (topic.cleanup === 'delete') {
        slots.push(slot);
        return;
      }
      const keys = slotOfKey.get(topic.name) ?? new Map<string, number>();
      slotOfKey.set(topic.name, keys);
      const identity = `${slot.partition} ${latin1(keyBytes)}`;
      const at = keys.get(identity);
      const earlier = at === undefined ? undefined : slots[at];
      if (at === undefined || earlier === undefined) {
        keys.set(identity, slots.length);
        slots.push(slot);
      } else {
        slots[at] = coalesced(earlier, slot);
      }
    },
    size: () => slots.length,
    encode: () => {
      const causes = new Map<RawRecord | undefined, string>();
      const records = slots.map((slot) => {
        const record = encodeSlot(slot, codecs);
        const bytes = slot.keyBytes.length + (record.value?.length ?? 0);
        if (bytes > (slot.topic.recordBytesMax ?? limits.recordBytesMax)) {
          causes.set(slot.cause, `an output for ${slot.topic.name} has ${bytes} bytes`);
        }
        return record;
      });
      if (causes.size > 0) throw new OversizedOutput(causes);
      return records;
    },
    clear: () => {
      slots.length = 0;
      slotOfKey.clear();
    },
  };
}

function coalesced(earlier: Slot, later: Slot): Slot {
  const { coalesce } = later.topic;
  if (coalesce === undefined || earlier.value === undefined || later.value === undefined) {
    return later;
  }
  return { ...later, value: coalesce(earlier.value, later.value) };
}

function encodeSlot(slot: Slot, codecs: Codecs): OutputRecord {
  return {
    topic: slot.topic.name,
    partition: slot.partition,
    timestampMs: slot.timestampMs,
    key: slot.keyBytes,
    value: slot.value === undefined ? undefined : encodeValue(slot, codecs),
    headers: slot.headers,
  };
}

function encodeValue(slot: Slot, codecs: Codecs): Uint8Array {
  try {
    return codecs.encodeValue(slot.topic as unknown as Topic<never, never>, slot.value);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const key = new TextDecoder().decode(slot.keyBytes.subarray(5));
    throw stop(
      'UNENCODABLE',
      `a value for ${slot.topic.name}, key ${JSON.stringify(key)}, does not fit its schema ${slot.topic.value.schema}: ${reason}`,
      error,
    );
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

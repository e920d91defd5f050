/** What an open transaction wants written: in order, and on compacted topics one record per key. */

import { bufferOf } from '../topology/buffer.ts';
import { partitionOf } from '../topology/partitioner.ts';
import type { Topic } from '../topology/topic.ts';
import type { Header } from '../topology/topology.ts';
import { stop } from './errors.ts';
import { limits } from './limits.ts';
import type { Codecs, OutputRecord, RawRecord } from './ports.ts';

/** Where an input stands; the record itself would be kept with its bytes until the commit. */
type InputPlace = Pick<RawRecord, 'topic' | 'offset'>;

export const nameOfInput = ({ topic, offset }: InputPlace): string => `${topic} ${offset}`;

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
  /** By the name of the input; undefined: a tick. */
  readonly causes: ReadonlyMap<string | undefined, string>;

  constructor(causes: ReadonlyMap<string | undefined, string>) {
    super([...causes.values()].join('; '));
    this.name = 'OversizedOutput';
    this.causes = causes;
  }
}

/** What a later value of its key may replace. */
type Slot = {
  readonly topic: AnyValueTopic;
  readonly partition: number;
  readonly keyBytes: Uint8Array;
  readonly headers: readonly Header[];
  readonly timestampMs: number;
  readonly value: unknown;
  readonly cause: InputPlace | undefined;
};

/** A topic seen without its types: key and value were checked where they were emitted. */
type AnyValueTopic = Omit<Topic<never, never>, 'partitionBy' | 'coalesce'> & {
  readonly partitionBy: (key: unknown) => string;
  readonly coalesce?: (earlier: unknown, later: unknown) => unknown;
};

export type Outputs = {
  readonly add: (emitted: Emitted) => void;
  readonly size: () => number;
  /** Throws `OversizedOutput`, again and again until `clear`. */
  readonly encode: () => OutputRecord[];
  readonly clear: () => void;
};

export function collectOutputs(codecs: Codecs): Outputs {
  /** What nothing replaces is bytes at once: objects that live until the commit are moved about by the garbage collector. */
  const pending: (Slot | OutputRecord)[] = [];
  /** By topic: where each key of a compacted topic is pending. */
  const placeOfKey = new Map<string, Map<string, number>>();
  const oversized = new Map<string | undefined, string>();

  const encode = (slot: Slot): OutputRecord => {
    const record = encodeSlot(slot, codecs);
    const bytes = slot.keyBytes.length + (record.value?.length ?? 0);
    if (bytes > (slot.topic.recordBytesMax ?? limits.recordBytesMax)) {
      const name = slot.cause && nameOfInput(slot.cause);
      oversized.set(name, `an output for ${slot.topic.name} has ${bytes} bytes`);
    }
    return record;
  };

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
        cause: emitted.cause && { topic: emitted.cause.topic, offset: emitted.cause.offset },
      };
      if (topic.cleanup === 'delete') {
        pending.push(encode(slot));
        return;
      }
      const places = placeOfKey.get(topic.name) ?? new Map<string, number>();
      placeOfKey.set(topic.name, places);
      const identity = `${slot.partition} ${latin1(keyBytes)}`;
      const at = places.get(identity);
      if (at === undefined) {
        places.set(identity, pending.length);
        pending.push(slot);
      } else {
        pending[at] = coalesced(pending[at] as Slot, slot);
      }
    },
    size: () => pending.length,
    encode: () => {
      const records = pending.map((one) => ('keyBytes' in one ? encode(one) : one));
      if (oversized.size > 0) throw new OversizedOutput(oversized);
      return records;
    },
    clear: () => {
      pending.length = 0;
      placeOfKey.clear();
      oversized.clear();
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

const latin1 = (bytes: Uint8Array): string => bufferOf(bytes).toString('latin1');

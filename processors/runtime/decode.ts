/** Raw records → what a step sees. Bytes that cannot be read become a refusal, never a throw. */
import type { Input, StreamRecord } from '../topology/topology.ts';
import { type AnyInput, isForeign } from '../topology/validate.ts';
import type { Refusal } from './dead-letter.ts';
import { PipelineError, SchemaNotFetched } from './errors.ts';
import type { Codecs, RawRecord } from './ports.ts';

export type Decoded = {
  readonly raw: RawRecord;
  readonly input: Extract<Input, { kind: 'record' }> | Refusal;
};

/** Throws only `SchemaNotFetched` and operating errors. */
export function decodeRecord(raw: RawRecord, topic: AnyInput, codecs: Codecs): Decoded {
  try {
    const record: StreamRecord = {
      topic: raw.topic,
      partition: raw.partition,
      offset: raw.offset,
      timestampMs: raw.timestampMs,
      // What another system's key says is in the value too.
      key: raw.key === undefined || isForeign(topic) ? undefined : codecs.decodeKey(topic, raw.key),
      value: raw.value === undefined ? undefined : codecs.decodeValue(topic, raw.value),
      headers: raw.headers,
    };
    return { raw, input: { kind: 'record', record } };
  } catch (error) {
    if (error instanceof SchemaNotFetched || error instanceof PipelineError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return { raw, input: { code: 'UNDECODABLE', reason } };
  }
}

/** Decodes a batch; schemas that have not been seen yet are fetched on the way. */
export async function decodeBatch(
  raws: readonly RawRecord[],
  topicOf: (name: string) => AnyInput,
  codecs: Codecs,
  learn: (schemaId: number) => Promise<void>,
): Promise<readonly Decoded[]> {
  const decoded: Decoded[] = [];
  await decodeEach(raws, topicOf, codecs, learn, (one) => void decoded.push(one));
  return decoded;
}

/** The same, each handed over before the next one is decoded: what is done with dies young. */
export async function decodeEach(
  raws: readonly RawRecord[],
  topicOf: (name: string) => AnyInput,
  codecs: Codecs,
  learn: (schemaId: number) => Promise<void>,
  take: (decoded: Decoded) => void,
): Promise<void> {
  for (const raw of raws) {
    for (;;) {
      const decoded = decodedOrUnknown(raw, topicOf(raw.topic), codecs);
      if (typeof decoded !== 'number') {
        take(decoded);
        break;
      }
      await learn(decoded);
    }
  }
}

/** The number of the schema that has to be fetched first. */
function decodedOrUnknown(raw: RawRecord, topic: AnyInput, codecs: Codecs): Decoded | number {
  try {
    return decodeRecord(raw, topic, codecs);
  } catch (error) {
    if (error instanceof SchemaNotFetched) return error.schemaId;
    throw error;
  }
}

/** The codecs of every process of a chaos run: schema ids given out in one order, so that no registry is needed. */
import { avroCodecs } from '../../processors/adapters/avro/codec.ts';
import type { Codecs } from '../../processors/runtime/ports.ts';
import type { Topic } from '../../processors/topology/topic.ts';
import { driverSchemas } from '../support/driver-schemas.ts';
import { tallyTopics } from './tally.ts';

export function tallyCodecs(): Codecs {
  const { source } = driverSchemas();
  const { refused } = tallyTopics('any');
  for (const part of ['key', 'value'] as const) {
    source.idOf(refused as unknown as Topic<never, never>, part);
  }
  return avroCodecs(source);
}

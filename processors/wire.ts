/**
 * Domain values and the Avro schemas that carry them. The generated types of schemas/types.ts are the plain
 * Avro objects (the codec turns decimals into thousandths and times into milliseconds), so no field is renamed here.
 */
import type { Wire } from './topology/topic.ts';

/** A wire whose domain type is the generated type of `schema`. */
export function wire<T>(schema: string): Wire<T> {
  return { schema, toAvro: (value) => value, fromAvro: (plain) => plain as T };
}

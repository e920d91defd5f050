/** Avro compatibility without a registry: can each version read what the other wrote? */
import avro from 'avsc';

export type PlainSchema = Parameters<typeof avro.Type.forSchema>[0];

/** Empty when readers of either schema read records of the other; otherwise what stands against it. */
export function incompatibilities(older: PlainSchema, newer: PlainSchema): readonly string[] {
  const found: string[] = [];
  const tryRead = (reader: PlainSchema, writer: PlainSchema, direction: string): void => {
    try {
      const type = avro.Type.forSchema(reader, { registry: {} });
      type.createResolver(avro.Type.forSchema(writer, { registry: {} }));
    } catch (error) {
      found.push(`${direction}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  tryRead(newer, older, 'new readers of old records');
  tryRead(older, newer, 'old readers of new records');
  return found;
}

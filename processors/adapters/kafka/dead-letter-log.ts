/** The dead-letter topic for the command line: read whole, and redriven in one Kafka transaction each. kafkajs. */
import { Kafka, logLevel } from 'kafkajs';
import type { DeadLetter } from '../../../schemas/types.ts';
import type { Topic } from '../../topology/topic.ts';
import { clientCodecs, type KafkaPlaces, readTopic } from './topic-reader.ts';

export type Filed = { readonly place: string; readonly letter: DeadLetter };

type LetterTopic = Topic<string, DeadLetter>;

const redrivesHeader = 'redrives';

/** All that is committed now, oldest first. */
export async function readDeadLetters(
  places: KafkaPlaces,
  topic: LetterTopic,
): Promise<readonly Filed[]> {
  const filed: Filed[] = [];
  await readTopic(places, topic as unknown as Topic<never, never>, {
    onRecord: ({ partition, offset, value }) => {
      if (value !== undefined) {
        filed.push({ place: `${partition}-${offset}`, letter: value as DeadLetter });
      }
    },
  });
  return filed.sort((one, other) => one.letter.timestamp - other.letter.timestamp);
}

/**
 * Sends each letter's record to where it came from, byte for byte, and notes in the same transaction that it went.
 * `noteOf` makes that note.
 */
export async function redriveLetters(
  places: KafkaPlaces,
  topic: LetterTopic,
  letters: readonly Filed[],
  noteOf: (filed: Filed) => DeadLetter,
): Promise<void> {
  const kafka = new Kafka({
    clientId: 'stockline-redrive',
    brokers: places.brokers.split(','),
    logLevel: logLevel.NOTHING,
  });
  const untyped = topic as unknown as Topic<never, never>;
  const codecs = clientCodecs(places);
  await codecs.prepare([untyped]);
  const producer = kafka.producer({
    // One at a time: a second redrive fences the first.
    transactionalId: 'stockline-redrive',
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  try {
    for (let at = 0; at < letters.length; at += redriveBatch) {
      const batch = letters.slice(at, at + redriveBatch);
      const transaction = await producer.transaction();
      try {
        await transaction.sendBatch({
          topicMessages: [
            ...batch.map(({ letter }) => ({ topic: letter.topic, messages: [original(letter)] })),
            {
              topic: topic.name,
              messages: batch.map((filed) => {
                const note = noteOf(filed);
                return {
                  partition: Number(filed.place.split('-')[0]),
                  key: Buffer.from(codecs.encodeKey(untyped, note.topic)),
                  value: Buffer.from(codecs.encodeValue(untyped, note)),
                };
              }),
            },
          ],
        });
        await transaction.commit();
      } catch (error) {
        await transaction.abort();
        throw error;
      }
    }
  } finally {
    await producer.disconnect();
  }
}

const redriveBatch = 200;

function original(letter: DeadLetter) {
  const headers: Record<string, Buffer> = {};
  for (const { name, value } of letter.headers) headers[name] = Buffer.from(value);
  headers[redrivesHeader] = Buffer.from(String(letter.redrives + 1));
  return {
    partition: letter.partition,
    key: letter.key === null ? null : Buffer.from(letter.key),
    value: letter.value === null ? null : Buffer.from(letter.value),
    headers,
  };
}

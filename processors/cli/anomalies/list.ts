/** Anomalies of the running pipeline: which are open, and who looks after them. */
import type { Anomaly } from '../../../schemas/types.ts';
import { writeRecord } from '../../adapters/kafka/record-writer.ts';
import { type KafkaPlaces, readTopic } from '../../adapters/kafka/topic-reader.ts';
import { keyOf } from '../../anomalies/episode.ts';
import { readKafkaPlaces } from '../../settings/places.ts';
import { acknowledgements, anomalies } from '../../topics.ts';
import type { Topic } from '../../topology/topic.ts';
import { layOut } from '../screen.ts';

type Where = { readonly directory: string };

export async function anomalyList(
  options: Where & { readonly all: boolean; readonly json: boolean },
): Promise<number> {
  const known = await lastAnomalies(readKafkaPlaces(process.env, options.directory));
  const told = [...known.values()]
    .filter(({ state }) => options.all || state !== 'closed')
    .sort((one, other) => other.openedAt - one.openedAt);
  if (options.json) {
    for (const anomaly of told) process.stdout.write(`${JSON.stringify(anomaly)}\n`);
    return 0;
  }
  const rows = told.map((one) => [
    one.id,
    one.acknowledgedBy === '' ? one.state : `${one.state}, ${one.acknowledgedBy}`,
    one.message,
    one.expected,
    one.seen,
  ]);
  const head = ['anomaly', 'state', 'what', 'expected', 'seen'];
  process.stdout.write(`${layOut([head, ...rows]).join('\n')}\n`);
  return 0;
}

export async function anomalyAcknowledge(
  id: string,
  options: Where & { readonly by: string; readonly note: string },
): Promise<number> {
  const places = readKafkaPlaces(process.env, options.directory);
  const known = (await lastAnomalies(places)).get(id);
  if (known === undefined || known.state === 'closed') {
    const why = known === undefined ? 'there is no such anomaly' : 'it is over already';
    process.stderr.write(`${why}: \`stockline anomalies list\` names those that are open\n`);
    return 1;
  }
  const { by: actor, note } = options;
  const word = { anomaly: id, actor, note, at: Date.now() };
  await writeRecord(places, acknowledgements, keyOf(known), word);
  process.stdout.write(`${options.by} looks after ${id}\n`);
  return 0;
}

async function lastAnomalies(places: KafkaPlaces): Promise<ReadonlyMap<string, Anomaly>> {
  const last = new Map<string, Anomaly>();
  await readTopic(places, anomalies as unknown as Topic<never, never>, {
    onRecord: ({ value }) => {
      if (value !== undefined) last.set((value as Anomaly).id, value as Anomaly);
    },
  });
  return last;
}

/**
 * A consumer that is replaced when it no longer reaches Kafka, or no longer fetches a partition. A broker that begins again
 * tells of topics before it tells of brokers, and a client that asks just then forgets every broker for good, without a
 * word: librdkafka's issue 5301.
 */
import { PipelineError, recoveryOf } from '../../runtime/errors.ts';
import { beginning, type PartitionOffset, type Telemetry } from '../../runtime/ports.ts';
import {
  type Bounds,
  boundsOf,
  disconnect,
  type KafkaConsumerClient,
  latestOffsets,
} from './client.ts';
import { offsetGone } from './errors.ts';
import { type Fetching, fetching, type Heard } from './fetching.ts';

/** How often it is looked at. Where nothing has come for so long, it may have nothing to say, or hear nothing. */
const lookEveryMs = 5_000;
const answerMs = 3_000;

export type Replaceable = {
  /** The one to work with. It changes with `listen`, `ask` and `assign`, and never while it reads. */
  readonly client: () => KafkaConsumerClient;
  readonly assign: (places: readonly PartitionOffset[]) => void;
  /** Asks it; when that fails another one is made ready beside it. */
  readonly ask: <T>(question: (client: KafkaConsumerClient) => Promise<T>) => Promise<T>;
  /**
   * Before each reading. Now and then the broker is asked, beside whatever goes on: nobody has to wait for it. Throws
   * when what was to be read next is not kept any more.
   */
  readonly listen: () => void;
  readonly heard: (heard: Heard) => void;
  readonly close: () => Promise<void>;
};

export function replaceable(
  first: KafkaConsumerClient,
  open: () => Promise<KafkaConsumerClient>,
  telemetry: Telemetry,
): Replaceable {
  const spare = spareClient(open, telemetry);
  let current = first;
  let fetched = fetching([]);
  let heardMs = Date.now();
  let lookedMs = Date.now();
  let gone: PipelineError | undefined;
  let isBusy = false;

  const assign = (places: readonly PartitionOffset[]): void => {
    fetched = fetching(places);
    current.assign(places.map((place) => ({ ...place, offset: Number(place.offset) })));
  };
  /** Replaces it when another one is ready. */
  const takeOver = (): void => {
    const taken = spare.take();
    if (taken === undefined) return;
    const old = current;
    current = taken.client;
    const places = fetched.positions();
    if (places.length > 0) assign(places);
    telemetry.log('warn', 'consumer replaced', { why: taken.why });
    void disconnect(old);
  };
  const look = async (): Promise<void> => {
    const asked = fetched;
    const isSilent = (): boolean => Date.now() - heardMs > lookEveryMs;
    const found = await lookAt(current, asked, isSilent);
    if (asked !== fetched || found === undefined) return;
    if (found instanceof PipelineError) gone = found;
    else await spare.prepare(found);
  };
  const beside = (work: () => Promise<void>): void => {
    if (isBusy || spare.isReady()) return;
    isBusy = true;
    void work().finally(() => {
      isBusy = false;
      lookedMs = Date.now();
    });
  };

  return {
    client: () => current,
    assign: (places) => {
      takeOver();
      assign(places);
    },
    ask: async (question) => {
      takeOver();
      try {
        return await question(current);
      } catch (error) {
        if (recoveryOf(error) !== 'stop') beside(() => spare.prepare('it did not answer'));
        throw error;
      }
    },
    listen: () => {
      if (gone !== undefined) throw gone;
      takeOver();
      if (Date.now() - lookedMs > lookEveryMs) beside(look);
    },
    heard: (heard) => {
      fetched.heard(heard);
      if (heard.records.length + heard.ends.length > 0) heardMs = Date.now();
    },
    close: async () => {
      await Promise.all([disconnect(current), spare.close()]);
    },
  };
}

type Spare = { readonly client: KafkaConsumerClient; readonly why: string };

/** Another client, made ready beside the one that is worked with. */
function spareClient(open: () => Promise<KafkaConsumerClient>, telemetry: Telemetry) {
  let ready: Spare | undefined;
  let isClosed = false;
  return {
    isReady: () => ready !== undefined,
    take: (): Spare | undefined => {
      const taken = ready;
      ready = undefined;
      return taken;
    },
    /** While Kafka is away this fails, and the old one may hear of it first. */
    prepare: async (why: string): Promise<void> => {
      if (isClosed) return;
      try {
        const client = await open();
        if (isClosed) await disconnect(client);
        else ready = { client, why };
      } catch (error) {
        telemetry.log('debug', 'no other consumer yet', { error: String(error) });
      }
    },
    close: async (): Promise<void> => {
      isClosed = true;
      if (ready !== undefined) await disconnect(ready.client);
    },
  };
}

/** Why the client is to be replaced, or the error where another one would hear the same; undefined: it is well. */
async function lookAt(
  client: KafkaConsumerClient,
  fetched: Fetching,
  isSilent: () => boolean,
): Promise<string | PipelineError | undefined> {
  const places = fetched.positions();
  if (places.length === 0) return undefined;
  const ends = await latestOffsets(client, places, answerMs).catch(() => undefined);
  if (ends === undefined) return isSilent() ? 'it no longer reached Kafka' : undefined;
  const stalled = fetched.stalled(ends);
  if (stalled === undefined) return undefined;
  const bounds = await boundsOf(client, stalled, answerMs).catch(() => undefined);
  if (bounds === undefined) return undefined;
  if (isGone(stalled, bounds)) return offsetGone(stalled, bounds);
  return `it no longer fetched ${stalled.topic} ${stalled.partition}`;
}

function isGone({ offset }: PartitionOffset, { first, end }: Bounds): boolean {
  return offset !== beginning && (offset < first || offset > end);
}

/**
 * A consumer that is replaced when it no longer reaches Kafka. A broker that begins again tells of topics before it tells
 * of brokers, and a client that asks just then forgets every broker for good, without a word: librdkafka's issue 5301.
 */
import { recoveryOf } from '../runtime/errors.ts';
import type { PartitionOffset, Telemetry } from '../runtime/ports.ts';
import { boundsOf, disconnect, type KafkaConsumerClient } from './kafka-client.ts';

/** Nothing has come for so long: it may have nothing to say, or hear nothing. */
const silentMs = 5_000;
const answerMs = 3_000;

export type Replaceable = {
  /** The one to work with. It changes with `listen`, `ask` and `assign`, and never while it reads. */
  readonly client: () => KafkaConsumerClient;
  readonly assign: (places: readonly PartitionOffset[]) => void;
  /** Asks it; when that fails another one is made ready beside it. */
  readonly ask: <T>(question: (client: KafkaConsumerClient) => Promise<T>) => Promise<T>;
  /** Before each reading. After a silence the broker is asked beside whatever goes on: nobody has to wait for it. */
  readonly listen: () => void;
  readonly heard: () => void;
  readonly close: () => Promise<void>;
};

export function replaceable(
  first: KafkaConsumerClient,
  open: () => Promise<KafkaConsumerClient>,
  telemetry: Telemetry,
): Replaceable {
  let current = first;
  let next: KafkaConsumerClient | undefined;
  let placed: readonly PartitionOffset[] = [];
  let heardMs = Date.now();
  let isBusy = false;
  let isClosed = false;

  const assign = (places: readonly PartitionOffset[]): void => {
    placed = places;
    current.assign(places.map((place) => ({ ...place, offset: Number(place.offset) })));
  };
  /** Replaces it when another one is ready. */
  const takeOver = (): void => {
    if (next === undefined) return;
    const old = current;
    current = next;
    next = undefined;
    if (placed.length > 0) assign(positionsOf(old, placed));
    telemetry.log('warn', 'consumer replaced', { why: 'it no longer reached Kafka' });
    void disconnect(old);
  };
  /** While Kafka is away this fails, and the old one may hear of it first. */
  const prepare = async (): Promise<void> => {
    try {
      const opened = await open();
      if (isClosed) await disconnect(opened);
      else next = opened;
    } catch (error) {
      telemetry.log('debug', 'no other consumer yet', { error: String(error) });
    }
  };
  const beside = (work: () => Promise<void>): void => {
    if (isBusy || isClosed || next !== undefined) return;
    isBusy = true;
    void work().finally(() => {
      isBusy = false;
      heardMs = Date.now();
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
        if (recoveryOf(error) !== 'stop') beside(prepare);
        throw error;
      }
    },
    listen: () => {
      takeOver();
      const [place] = placed;
      if (place === undefined || Date.now() - heardMs <= silentMs) return;
      beside(async () => {
        if (!(await answers(current, place))) await prepare();
      });
    },
    heard: () => {
      heardMs = Date.now();
    },
    close: async () => {
      isClosed = true;
      await Promise.all([disconnect(current), ...(next === undefined ? [] : [disconnect(next)])]);
    },
  };
}

async function answers(client: KafkaConsumerClient, place: PartitionOffset): Promise<boolean> {
  try {
    await boundsOf(client, place, answerMs);
    return true;
  } catch {
    return false;
  }
}

/** Where reading goes on: behind the last record that was handed over, else where it was to begin. */
function positionsOf(
  client: KafkaConsumerClient,
  placed: readonly PartitionOffset[],
): readonly PartitionOffset[] {
  const places = placed.map(({ topic, partition }) => ({ topic, partition }));
  const found = client.position(places) as readonly { readonly offset?: number }[];
  return placed.map((place, index) => {
    const offset = found[index]?.offset;
    return offset === undefined || offset < 0 ? place : { ...place, offset: BigInt(offset) };
  });
}

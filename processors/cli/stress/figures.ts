/** Figures of a channel as the channels processor would write them, for the stress of what comes after it. */
import type { ChannelStock } from '../../../schemas/types.ts';
import { recordWriter } from '../../adapters/kafka/record-writer.ts';
import type { KafkaPlaces } from '../../adapters/kafka/topic-reader.ts';
import type { Topic } from '../../topology/topic.ts';

export type Told = { readonly sequence: number; readonly units: number; readonly atMs: number };

export type Publishing = {
  readonly newest: ReadonlyMap<string, Told>;
  /** Every figure of a SKU, in order. */
  readonly history: ReadonlyMap<string, readonly Told[]>;
  readonly tell: (sku: string, units: number) => void;
  /** Resolves when the broker has all. */
  readonly flush: () => Promise<void>;
  readonly close: () => Promise<void>;
};

const lowUnits = 10;

export async function publishing(
  places: KafkaPlaces,
  topic: Topic<string, ChannelStock>,
): Promise<Publishing> {
  const writer = await recordWriter(places, topic);
  const channel = topic.name.split('.')[1] ?? '';
  const newest = new Map<string, Told>();
  const history = new Map<string, Told[]>();
  const open = new Set<Promise<void>>();
  let failure: unknown;
  return {
    newest,
    history,
    tell: (sku, units) => {
      const previousSequence = newest.get(sku)?.sequence ?? 0;
      const told: Told = { sequence: previousSequence + 1, units, atMs: Date.now() };
      newest.set(sku, told);
      history.set(sku, [...(history.get(sku) ?? []), told]);
      const writing = writer
        .write(sku, figureOf(channel, sku, told, previousSequence))
        .catch((error: unknown) => {
          failure ??= error;
        })
        .finally(() => open.delete(writing));
      open.add(writing);
    },
    flush: async () => {
      await Promise.all(open);
      if (failure !== undefined) throw failure;
    },
    close: () => writer.close(),
  };
}

function figureOf(
  channel: string,
  sku: string,
  { sequence, units, atMs }: Told,
  previousSequence: number,
): ChannelStock {
  return {
    channel,
    sku,
    sellable: units * 1_000,
    status: units === 0 ? 'out' : units <= lowUnits ? 'low' : 'inStock',
    sequence,
    previousSequence,
    formula: 'stress',
    formulaVersion: 1,
    cause: {
      kind: 'movement',
      id: `${sku}-${sequence}`,
      system: 'stress',
      transaction: '',
      position: '',
      committedAt: atMs,
    },
  };
}

/** Records of the topics → the view. */
import type { ApiKey, Freshness, Outcome } from '../../schemas/types.ts';
import { apiKeys, channelStock, freshness, outcomes, publishedBy, stockLevels } from '../topics.ts';
import type { StreamRecord } from '../topology/topology.ts';
import type { KeyRing } from './keys.ts';
import type { StockView } from './view.ts';

const placeOf = (topic: string, partition: number): string => `${topic} ${partition}`;

type Said = readonly [partition: number, freshness: Freshness];

/** What a follower of the topics tells, taken into the view. Freshness counts when all that it speaks of is in the view. */
export function viewEvents(
  view: StockView,
  keys: KeyRing,
  channels: readonly string[],
  onOutcome: (outcome: Outcome) => void,
) {
  const publishedOf = publishedBy(channels);
  const shown = new Set([stockLevels, ...channels.map(channelStock)].map(({ name }) => name));
  let heard: Said[] = [];
  let asked: Said[] = [];
  return {
    onOpen: (topic: string, partition: number, offset: number): void => {
      if (shown.has(topic)) view.open(placeOf(topic, partition), offset);
    },
    onPosition: (topic: string, partition: number, next: number): void => {
      if (shown.has(topic)) view.advance(placeOf(topic, partition), next);
    },
    onRecord: (record: StreamRecord): void => {
      const { topic, partition, key, value } = record;
      if (topic === outcomes.name) {
        if (value !== undefined) onOutcome(value as Outcome);
        return;
      }
      if (topic === freshness.name) {
        if (value !== undefined) heard.push([partition, value as Freshness]);
        return;
      }
      if (topic === apiKeys.name) {
        keys.take(String(key), value as ApiKey | undefined);
        return;
      }
      const published = publishedOf(record);
      if (published !== undefined) {
        view.apply(placeOf(topic, partition), Number(record.offset), published);
      }
    },
    onAsk: (): void => {
      asked = [...asked, ...heard];
      heard = [];
    },
    onCurrent: (askedAtMs: number): void => {
      view.restored();
      view.followed(askedAtMs);
      for (const [of, word] of asked) view.tell(of, word);
      asked = [];
    },
  };
}

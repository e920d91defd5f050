/** A SKU's figure for a channel, written only where it changes; and the level it came to, as a record of its own. */
import type { ChannelStock, LevelChange } from '../../schemas/types.ts';
import { channelStock, levelChanges } from '../topics.ts';
import { type Emit, emit, type StateView } from '../topology/topology.ts';
import { type ChannelPolicy, sellableUnits, staleUnits, statusOf } from './policy.ts';
import { type ChannelsState, publishedKey, type SkuState } from './state.ts';

export function publish(
  policy: ChannelPolicy,
  isStale: boolean,
  sku: string,
  { available, shares }: Pick<SkuState, 'available' | 'shares'>,
  cause: ChannelStock['cause'],
  state: StateView<ChannelsState>,
): readonly Emit[] {
  const { channel, formula, version } = policy;
  const key = publishedKey(channel, sku);
  const known = state.get(key);
  const last = known?.kind === 'published' ? known : undefined;
  const ordinary = sellableUnits(policy, available, shares);
  const sellable = isStale ? staleUnits(policy, ordinary, last?.sellable) : ordinary;
  const status = statusOf(policy, sellable);
  const unchanged =
    last !== undefined &&
    last.sellable === sellable &&
    last.status === status &&
    last.formula === formula &&
    last.version === version;
  if (unchanged) return [];
  const previousSequence = last?.sequence ?? 0;
  const sequence = previousSequence + 1;
  state.put(key, { kind: 'published', sellable, status, formula, version, sequence });
  const figure: ChannelStock = {
    ...{ channel, sku, sellable, status, sequence, previousSequence },
    ...{ formula, formulaVersion: version, cause },
  };
  const change = changeOf(last?.status, status);
  const at = cause.committedAt;
  return [
    emit(channelStock(channel), sku, figure),
    ...(change === undefined
      ? []
      : [emit(levelChanges, sku, { channel, sku, change, sellable, sequence, at })]),
  ];
}

function changeOf(
  before: ChannelStock['status'] | undefined,
  after: ChannelStock['status'],
): LevelChange['change'] | undefined {
  if (before === after) return undefined;
  if (before === 'out') return 'back';
  return after === 'inStock' ? 'in' : after;
}

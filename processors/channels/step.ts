/** stock level → what each channel may sell, written only where that changes. */
import type { ChannelStock, StockLevel } from '../../schemas/types.ts';
import { channelStock } from '../topics.ts';
import {
  type Emit,
  emit,
  type Input,
  type StateCodec,
  type StateView,
  type Step,
} from '../topology/topology.ts';
import { type ChannelPolicy, sellableUnits, statusOf } from './policy.ts';

export type ChannelsState =
  /** Available thousandths by location. */
  | { readonly kind: 'sku'; readonly available: Readonly<Record<string, number>> }
  | {
      readonly kind: 'published';
      readonly sellable: number;
      readonly status: ChannelStock['status'];
      readonly formula: string;
      readonly version: number;
      readonly sequence: number;
    };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const channelsStateCodec: StateCodec<ChannelsState> = {
  version: 1,
  encode: (value) => encoder.encode(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(decoder.decode(bytes)) as ChannelsState,
};

export function channelsStep(policies: readonly ChannelPolicy[]): Step<ChannelsState> {
  return (input: Input, state: StateView<ChannelsState>): readonly Emit[] => {
    if (input.kind === 'tick' || input.record.value === undefined) return [];
    const level = input.record.value as StockLevel;
    const skuKey = `k|${level.sku}`;
    const known = state.get(skuKey);
    const before = known?.kind === 'sku' ? known.available : {};
    const available = { ...before, [level.location]: level.quantities.available };
    if (before[level.location] !== level.quantities.available) {
      state.put(skuKey, { kind: 'sku', available });
    }
    return policies.flatMap((policy) => publish(policy, level, available, state));
  };
}

function publish(
  policy: ChannelPolicy,
  level: StockLevel,
  available: Readonly<Record<string, number>>,
  state: StateView<ChannelsState>,
): readonly Emit[] {
  const key = `p|${policy.channel}|${level.sku}`;
  const known = state.get(key);
  const last = known?.kind === 'published' ? known : undefined;
  const sellable = sellableUnits(policy, available);
  const status = statusOf(policy, sellable);
  const unchanged =
    last !== undefined &&
    last.sellable === sellable &&
    last.status === status &&
    last.formula === policy.formula &&
    last.version === policy.version;
  if (unchanged) return [];
  const previousSequence = last?.sequence ?? 0;
  const sequence = previousSequence + 1;
  const { formula, version } = policy;
  state.put(key, { kind: 'published', sellable, status, formula, version, sequence });
  const figure: ChannelStock = {
    channel: policy.channel,
    sku: level.sku,
    sellable,
    status,
    sequence,
    previousSequence,
    formula,
    formulaVersion: version,
    cause: level.cause,
  };
  return [emit(channelStock(policy.channel), level.sku, figure)];
}

/** stock level → what each channel may sell, written only where that changes. */
import type { ChannelPolicies, Freshness, GuardDecision, StockLevel } from '../../schemas/types.ts';
import { channelPolicies, freshness, guardDecisions, heldLevels } from '../topics.ts';
import { type Emit, emit, type Input, type Step, type StepState } from '../topology/topology.ts';
import type { Guard } from './guard.ts';
import { cellOf, guarded, onDecision } from './held.ts';
import { hear, inForce, putInForce, tickOver } from './in-force.ts';
import { type ChannelPolicy, sharesWith } from './policy.ts';
import { publish } from './publish.ts';
import { type ChannelsState, type SkuState, skuKey, skuOf } from './state.ts';

type View = StepState<ChannelsState>;

/** `policies`: the file's. */
export function channelsStep(
  policies: readonly ChannelPolicy[],
  guard?: Guard,
): Step<ChannelsState> {
  const publishSku = (level: StockLevel, state: View): readonly Emit[] => {
    const known = skuOf(state, level.sku);
    return inForce(policies, state).flatMap(({ policy, isStale }) =>
      publish(policy, isStale, level.sku, known, level.cause, state),
    );
  };
  return (input: Input, state: View): readonly Emit[] => {
    if (input.kind === 'tick') return tickOver(policies, input.nowMs, state);
    const { record } = input;
    if (record.value === undefined) return [];
    switch (record.topic) {
      case guardDecisions.name:
        return guard === undefined
          ? []
          : onDecision(guard, record.value as GuardDecision, state, (level) =>
              publishSku(level, state),
            );
      case channelPolicies.name:
        return putInForce(policies, record.value as ChannelPolicies, state);
      case freshness.name:
        hear(record.value as Freshness, state);
        return [];
      default: {
        const level = record.value as StockLevel;
        const emits = take(guard, level, record.timestampMs, state);
        // A transfer tells two locations: between them the SKU is not sold out.
        return record.isFollowed === true ? emits : [...emits, ...publishSku(level, state)];
      }
    }
  };
}

/** Into the state of its SKU, or beside it when the guard keeps it. */
function take(
  guard: Guard | undefined,
  level: StockLevel,
  nowMs: number,
  state: View,
): readonly Emit[] {
  const { sku, location } = level;
  const known = skuOf(state, sku);
  const before = known.available[location];
  const judged = guard === undefined ? undefined : guarded(guard, state, level, before ?? 0, nowMs);
  if (judged?.verdict === 'hold') {
    state.put(skuKey(sku), { ...known, held: { ...known.held, [location]: level } });
    return judged.emits;
  }
  const { [location]: kept, ...held } = known.held;
  const shares = sharesWith(known.shares, level);
  if (before !== level.quantities.available || kept !== undefined || shares !== known.shares) {
    const available = { ...known.available, [location]: level.quantities.available };
    const next: SkuState = { kind: 'sku', available, held };
    state.put(skuKey(sku), shares === undefined ? next : { ...next, shares });
  }
  const ended = kept === undefined ? [] : [emit(heldLevels, cellOf(level), undefined)];
  return [...(judged?.emits ?? []), ...ended];
}

/** stock level → what each channel may sell, written only where that changes. */
import type {
  Alert,
  ChannelStock,
  GuardDecision,
  StockKey,
  StockLevel,
} from '../../schemas/types.ts';
import { alerts, channelStock, guardDecisions, heldLevels } from '../topics.ts';
import {
  type Emit,
  emit,
  type Input,
  type StateCodec,
  type StateView,
  type Step,
} from '../topology/topology.ts';
import { type Guard, judge, type LocationState, newLocation, released } from './guard.ts';
import { type ChannelPolicy, sellableUnits, statusOf } from './policy.ts';

type SkuState = {
  readonly kind: 'sku';
  /** Available thousandths by location, as the channels go by. */
  readonly available: Readonly<Record<string, number>>;
  /** By location: the level that the guard keeps. */
  readonly held: Readonly<Record<string, StockLevel>>;
};

export type ChannelsState =
  | SkuState
  | LocationState
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
  version: 2,
  migrate: (bytes) => withHeld(JSON.parse(decoder.decode(bytes)) as ChannelsState),
  encode: (value) => encoder.encode(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(decoder.decode(bytes)) as ChannelsState,
};

/** The first version knew nothing of what is kept. */
function withHeld(value: ChannelsState): ChannelsState {
  return value.kind === 'sku' ? { ...value, held: {} } : value;
}

export function channelsStep(
  policies: readonly ChannelPolicy[],
  guard?: Guard,
): Step<ChannelsState> {
  return (input: Input, state: StateView<ChannelsState>): readonly Emit[] => {
    if (input.kind === 'tick' || input.record.value === undefined) return [];
    const { record } = input;
    if (record.topic === guardDecisions.name) {
      return guard === undefined
        ? []
        : onDecision(policies, guard, record.value as GuardDecision, state);
    }
    const level = record.value as StockLevel;
    const known = skuOf(state, level.sku);
    const after = level.quantities.available;
    const before = known.available[level.location];
    const judged =
      guard === undefined
        ? undefined
        : guarded(guard, state, level, before ?? 0, record.timestampMs);
    if (judged?.verdict === 'hold') {
      state.put(skuKey(level.sku), {
        ...known,
        held: { ...known.held, [level.location]: level },
      });
      return judged.emits;
    }
    const available = { ...known.available, [level.location]: after };
    const { [level.location]: kept, ...held } = known.held;
    if (before !== after || kept !== undefined) {
      state.put(skuKey(level.sku), { kind: 'sku', available, held });
    }
    const ended = kept === undefined ? [] : [emit(heldLevels, cellOf(level), undefined)];
    return [
      ...(judged?.emits ?? []),
      ...ended,
      ...policies.flatMap((policy) => publish(policy, level, available, state)),
    ];
  };
}

const skuKey = (sku: string): string => `k|${sku}`;
const locationKey = (location: string): string => `g|${location}`;

function skuOf(state: StateView<ChannelsState>, sku: string): SkuState {
  const known = state.get(skuKey(sku));
  return known?.kind === 'sku' ? known : { kind: 'sku', available: {}, held: {} };
}

function cellOf({ sku, location }: StockLevel): StockKey {
  return { sku, location };
}

function guarded(
  guard: Guard,
  state: StateView<ChannelsState>,
  level: StockLevel,
  before: number,
  nowMs: number,
): { readonly verdict: 'pass' | 'hold'; readonly emits: readonly Emit[] } {
  const { sku, location } = level;
  const after = level.quantities.available;
  const known = state.get(locationKey(location));
  const at = known?.kind === 'location' ? known : newLocation;
  const judged = judge(guard, at, { sku, before, after }, nowMs);
  if (judged.location !== at) state.put(locationKey(location), judged.location);
  if (judged.verdict === 'pass') return { verdict: 'pass', emits: [] };
  const held = { sku, location, available: after, shown: before, heldAt: nowMs };
  const emits = [emit(heldLevels, cellOf(level), held)];
  const { alert } = judged.location;
  return {
    verdict: 'hold',
    emits: judged.tripped ? [...emits, massZero(location, alert, guard, nowMs, true)] : emits,
  };
}

function onDecision(
  policies: readonly ChannelPolicy[],
  guard: Guard,
  { location, verdict, at: nowMs }: GuardDecision,
  state: StateView<ChannelsState>,
): readonly Emit[] {
  const known = state.get(locationKey(location));
  if (known?.kind !== 'location' || known.alert === '') return [];
  state.put(locationKey(location), released(guard, known, verdict, nowMs));
  const figures = known.held.flatMap((sku) => {
    const { available, held } = skuOf(state, sku);
    const { [location]: level, ...others } = held;
    if (level === undefined) return [];
    const now =
      verdict === 'approved' ? { ...available, [location]: level.quantities.available } : available;
    state.put(skuKey(sku), { kind: 'sku', available: now, held: others });
    return [
      emit(heldLevels, cellOf(level), undefined),
      ...policies.flatMap((policy) => publish(policy, level, now, state)),
    ];
  });
  return [...figures, massZero(location, known.alert, guard, nowMs, false)];
}

function massZero(
  location: string,
  name: string,
  { percent, minimum, windowMs }: Guard,
  raisedAt: number,
  open: boolean,
): Emit {
  const minutes = Math.round(windowMs / 60_000);
  const alert: Alert = {
    id: `massZero|${location}|${name}`,
    kind: 'massZero',
    severity: 'critical',
    sku: '',
    location,
    system: '',
    message: open
      ? `too much of ${location} runs out at once: what comes now is kept from the channels until \`stockline channel quarantine approve\` or \`reject\``
      : `what was kept from the channels at ${location} has been decided`,
    expected: `at most ${percent} percent of the SKUs, or ${minimum} of a partition, in ${minutes} minutes`,
    seen: open ? 'more' : '',
    raisedAt,
    open,
  };
  return emit(alerts, location, alert);
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

/** Levels that the mass-zero guard keeps from the channels, and what becomes of them once a person has decided. */
import type { Alert, GuardDecision, StockKey, StockLevel } from '../../schemas/types.ts';
import { alerts, heldLevels } from '../topics.ts';
import { type Emit, emit, type StateView } from '../topology/topology.ts';
import { type Guard, judge, newLocation, released } from './guard.ts';
import { type ChannelsState, locationKey, skuKey, skuOf } from './state.ts';

export const cellOf = ({ sku, location }: StockLevel): StockKey => ({ sku, location });

export function guarded(
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

/** `publishSku` tells the channels of a SKU whose level is kept no longer. */
export function onDecision(
  guard: Guard,
  { location, verdict, at: nowMs }: GuardDecision,
  state: StateView<ChannelsState>,
  publishSku: (level: StockLevel) => readonly Emit[],
): readonly Emit[] {
  const known = state.get(locationKey(location));
  if (known?.kind !== 'location' || known.alert === '') return [];
  state.put(locationKey(location), released(guard, known, verdict, nowMs));
  const figures = known.held.flatMap((sku) => {
    const { available, held, ...rest } = skuOf(state, sku);
    const { [location]: level, ...others } = held;
    if (level === undefined) return [];
    const now =
      verdict === 'approved' ? { ...available, [location]: level.quantities.available } : available;
    state.put(skuKey(sku), { ...rest, available: now, held: others });
    return [emit(heldLevels, cellOf(level), undefined), ...publishSku(level)];
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

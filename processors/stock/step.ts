/** movement, command or time → ledger entries, stock levels, decisions and alerts of one SKU. */
import type { Command, Movement } from '../../schemas/types.ts';
import { commands } from '../topics.ts';
import type { Emit, Input, StateView, Step, StreamRecord } from '../topology/topology.ts';
import { applyCommand } from './command.ts';
import { applyMovement } from './movement.ts';
import { noRules, type StockRules } from './rules.ts';
import type { StockState } from './state.ts';
import { applyTime, serveWaiting } from './time.ts';

/** The step with the ordinary rules. */
export const stockStep: Step<StockState> = (input, state) => step(input, state, noRules);

export function stockStepBy(rules: StockRules): Step<StockState> {
  return (input, state) => step(input, state, rules);
}

function step(input: Input, state: StateView<StockState>, rules: StockRules): readonly Emit[] {
  if (input.kind === 'tick') return applyTime(input.nowMs, state, rules);
  const { record } = input;
  if (record.value === undefined) return [];
  if (record.topic === commands.name) return onCommand(record, state, rules);
  const movement = record.value as Movement;
  const emits = applyMovement(movement, state, rules);
  const served = serveWaiting(movement.sku, record.timestampMs, state, rules);
  return served.length === 0 ? emits : [...emits, ...served];
}

function onCommand(
  record: StreamRecord,
  state: StateView<StockState>,
  rules: StockRules,
): readonly Emit[] {
  const command = record.value as Command;
  const nowMs = record.timestampMs;
  const order = String(record.offset).padStart(20, '0');
  const emits = applyCommand({ command, askedAt: nowMs, nowMs, order }, state, rules);
  return [...emits, ...serveWaiting(command.sku, nowMs, state, rules)];
}

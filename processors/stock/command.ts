/** A command: decided in the order of its SKU's partition, by the only writer there is. */
import type { Command, Decision } from '../../schemas/types.ts';
import { decisions, requestKey } from '../topics.ts';
import { type Emit, emit, type StateView } from '../topology/topology.ts';
import { carryOut, objection } from './adjustments.ts';
import { OpenSku } from './open-sku.ts';
import { keepPending, takePending } from './pending-lines.ts';
import {
  commitReservation,
  fulfilReservation,
  moveReservation,
  releaseReservation,
} from './reservations.ts';
import {
  type Asked,
  abort,
  confirm,
  reservationOf,
  reserve,
  update,
  waitMaxMs,
} from './reserve.ts';
import type { StockRules } from './rules.ts';
import type { StockState } from './state.ts';
import { accepted, type Refused, refused, type Verdict } from './verdict.ts';
import { dropWaiting, hasShortWaiters, putWaiting } from './waiting.ts';

export function applyCommand(
  asked: Asked,
  state: StateView<StockState>,
  rules: StockRules,
): readonly Emit[] {
  const { command, nowMs } = asked;
  const open = openFor(asked, state, rules);
  if (command.kind === 'confirm') {
    const lines = takePending(open, command);
    if (lines === undefined) confirm(open, command);
    else for (const line of lines) carryOut(open, { ...line, askedAt: nowMs, nowMs });
    return open.finish();
  }
  if (command.kind === 'abort' || command.kind === 'release') {
    const dropped = dropWaiting(state, command.sku, reservationOf(command));
    const gaveUp = dropped.map((one) =>
      decisionOf(one.command, refused('RESERVATION_RELEASED', 'given up while it waited'), open),
    );
    if (command.kind === 'abort') {
      if (takePending(open, command) === undefined) abort(open, command);
      return [...open.finish(), ...gaveUp];
    }
    return [...settleCommand(asked, decide(open, asked), open, state), ...gaveUp];
  }
  const isQueued = isGrant(command) && hasShortWaiters(state, command.sku, nowMs + waitMaxMs);
  const verdict = isQueued ? queuedVerdict(asked) : decide(open, asked);
  return settleCommand(asked, verdict, open, state);
}

/** Who came first is served first: a newcomer does not pass a line that waits for an undecided cart. */
function queuedVerdict({ command, nowMs }: Asked): Verdict {
  const reason = `${command.sku} is asked for by earlier carts`;
  return { kind: 'waits', untilMs: nowMs + waitMaxMs, reason, short: command.quantity };
}

export function isGrant(command: Command): boolean {
  return command.kind === 'reserve';
}

export function openFor(
  { command, nowMs }: Asked,
  state: StateView<StockState>,
  rules: StockRules,
): OpenSku {
  const cause = {
    kind: 'decision',
    id: command.id,
    system: 'stockline',
    transaction: command.reservation ?? '',
    position: '',
    committedAt: nowMs,
  } as const;
  return new OpenSku(state, command.sku, cause, rules);
}

/** Makes the verdict last and tells it. */
export function settleCommand(
  asked: Asked,
  verdict: Verdict,
  open: OpenSku,
  state: StateView<StockState>,
): readonly Emit[] {
  const { command } = asked;
  switch (verdict.kind) {
    case 'waits':
      putWaiting(state, { ...asked, untilMs: verdict.untilMs });
      return [];
    case 'refused':
      return [decisionOf(command, verdict, open)];
    case 'accepted': {
      if (!open.isExact()) {
        return [decisionOf(command, beyond(command), openFor(asked, state, open.rules))];
      }
      const emits = open.finish();
      return [...emits, decisionOf(command, verdict, open)];
    }
  }
}

/** What the writer of the SKU says. Changes the open SKU only where it accepts. */
export function decide(open: OpenSku, asked: Asked): Verdict {
  const { command } = asked;
  switch (command.kind) {
    case 'reserve':
      return reserve(open, asked);
    case 'update':
      return update(open, asked);
    case 'commit':
      return commitReservation(open, asked);
    case 'release':
      return releaseReservation(open, asked);
    case 'fulfil':
      return fulfilReservation(open, asked);
    default:
      return decideStock(open, asked);
  }
}

function decideStock(open: OpenSku, asked: Asked): Verdict {
  const { command } = asked;
  if (command.kind === 'transfer' && command.reservation !== null) {
    return moveReservation(open, command);
  }
  const wrong = objection(open, asked);
  if (wrong !== undefined) return wrong;
  if (!command.undecided) return accepted(carryOut(open, asked));
  // Tried on a copy that nobody keeps: what it would do, and whether the figures can hold it.
  const trial = new OpenSku(open.state, open.sku, open.cause, open.rules);
  const moved = carryOut(trial, asked);
  if (!trial.isExact()) return beyond(command);
  keepPending(open, asked, moved);
  return accepted(moved);
}

function beyond({ sku }: Command): Refused {
  return refused('QUANTITY_OVERFLOW', `${sku} would be beyond what a quantity can hold`);
}

function decisionOf(
  command: Command,
  verdict: Exclude<Verdict, { kind: 'waits' }>,
  open: OpenSku,
): Emit {
  const isAccepted = verdict.kind === 'accepted';
  const granted = isAccepted ? verdict.granted : [];
  const location = command.location !== '' ? command.location : (granted[0]?.location ?? '');
  const decision: Decision = {
    commandId: command.id,
    sku: command.sku,
    location,
    accepted: isAccepted,
    code: isAccepted ? '' : verdict.code,
    reason: isAccepted ? '' : verdict.reason,
    quantity: granted.reduce((sum, one) => sum + one.quantity, 0),
    sequence: location === '' ? 0 : open.cell(location).cell.sequence,
    decidedAt: open.cause.committedAt,
    short: verdict.short,
    parts: granted.map((one) => {
      const { sequence, quantities } = open.cell(one.location).cell;
      return { ...one, sequence, available: quantities.available };
    }),
    reservation: command.reservation,
    state: isAccepted ? verdict.state : '',
  };
  return emit(decisions, requestKey(command.client, command.idempotencyKey), decision);
}

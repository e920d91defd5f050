/**
 * Lines of a request over several lines that have been checked and wait for the others: each is done when its cart
 * confirms, and forgotten when it aborts. What a line will take is held meanwhile, so that it can be done then.
 */
import type { Command } from '../../schemas/types.ts';
import { requestKey } from '../topics.ts';
import { changeHold, findHold } from './holds.ts';
import type { OpenSku } from './open-sku.ts';
import type { Asked } from './reserve.ts';
import { type Hold, type PendingLine, type PendingLines, pendingKey } from './state.ts';

const none: PendingLines['requests'] = {};

function pendingOf(open: OpenSku): PendingLines['requests'] {
  const known = open.state.get(pendingKey(open.sku));
  return known?.kind === 'pending lines' ? known.requests : none;
}

/** Commands of other requests that wait to change the cell that `command` is about. */
export function pendingAt(open: OpenSku, command: Command): readonly Command[] {
  const own = requestOf(command);
  return Object.entries(pendingOf(open))
    .filter(([request]) => request !== own)
    .flatMap(([, lines]) => lines.map((line) => line.command))
    .filter(({ location, toLocation }) => [location, toLocation].includes(command.location));
}

/** The request that a line belongs to; its cart confirms or aborts it by this name. */
const requestOf = ({ client, idempotencyKey }: Command): string =>
  requestKey(client, idempotencyKey);

/** Keeps a line that has no objection until its cart has decided. `moved`: what it would do now. */
export function keepPending(
  open: OpenSku,
  asked: Asked,
  moved: readonly { readonly quantity: number }[],
): void {
  const { command, order } = asked;
  const request = requestOf(command);
  // What was compared is settled now: in the end the figure moves by the difference, whatever has come meanwhile.
  const settled: Command =
    command.kind === 'set'
      ? { ...command, kind: 'adjust', bucket: 'onHand', quantity: moved[0]?.quantity ?? 0 }
      : command;
  const line: PendingLine = { command: settled, order };
  const { [request]: before = [], ...others } = pendingOf(open);
  const requests = { ...others, [request]: [...before, line] };
  open.state.put(pendingKey(open.sku), { kind: 'pending lines', requests });
  const claim = claimOf(command);
  if (claim === undefined) return;
  const known = findHold(open, request);
  const hold = known ?? claimHold(request, asked);
  changeHold(open, known, { ...hold, parts: [...hold.parts, claim] }, command.kind);
}

/** What the line will take from its cell. */
function claimOf({ kind, location, quantity }: Command): Hold['parts'][number] | undefined {
  const isGivenBack = kind === 'allocate' && quantity < 0;
  const takes = kind === 'transfer' || kind === 'dispatch' || kind === 'allocate';
  if (!takes || quantity === 0) return undefined;
  const target = Math.abs(quantity);
  return { location, quantity: 0, target, allocated: isGivenBack ? target : 0 };
}

function claimHold(request: string, { command, askedAt }: Asked): Hold {
  return {
    ...{ kind: 'hold', sku: command.sku, reservation: request, state: 'CREATED' },
    ...{ channel: command.channel, reference: '', askedAt, fulfilled: 0, parts: [] },
    // Its cart ends it.
    expiresAt: Number.MAX_SAFE_INTEGER,
  };
}

/** Takes the lines of a request out, and gives back what they held; undefined when there are none. */
export function takePending(open: OpenSku, command: Command): readonly PendingLine[] | undefined {
  const request = requestOf(command);
  const { [request]: lines, ...others } = pendingOf(open);
  if (lines === undefined) return undefined;
  if (Object.keys(others).length === 0) open.state.delete(pendingKey(open.sku));
  else open.state.put(pendingKey(open.sku), { kind: 'pending lines', requests: others });
  const hold = findHold(open, request);
  if (hold !== undefined) {
    changeHold(open, hold, { ...hold, parts: [], state: 'RELEASED' }, command.kind);
  }
  return lines;
}

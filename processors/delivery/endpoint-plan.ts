/** Which webhooks go now, and what follows from their answers: the schedule, the circuit, giving up, replays, checkpoints. */
import type { DeliveryAttempt, DeliveryOutcome, Subscription } from '../../schemas/types.ts';
import { hashText } from '../domain/hash.ts';
import {
  type Endpoint,
  eventOf,
  type Going,
  isWanted,
  type Notice,
  nextIndex,
  routeSlot,
  type SlotPlace,
  setHandled,
  setSlot,
} from './endpoint.ts';
import type { Figure } from './figure.ts';
import type { Webhook, WebhookAnswer } from './ports.ts';
import { chance } from './settle.ts';

export type WebhookResult = {
  readonly webhook: Webhook;
  readonly beganAtMs: number;
  readonly tookMs: number;
  readonly answer: WebhookAnswer;
};

const jitterShare = 0.2;

export function planWebhooks(endpoint: Endpoint, nowMs: number): readonly Webhook[] {
  for (let key = endpoint.waiting.takeDue(nowMs); key !== undefined; ) {
    if (endpoint.slots.has(key)) routeSlot(endpoint, key);
    key = endpoint.waiting.takeDue(nowMs);
  }
  if (!endpoint.subscription.active || nowMs < endpoint.closedUntilMs) return [];
  if ((endpoint.checkpoints[0] ?? Number.POSITIVE_INFINITY) <= nowMs)
    addCheckpoint(endpoint, nowMs);
  // After an open circuit one goes first, to see.
  const isProbe = endpoint.failuresInARow >= endpoint.rules.failuresOpen;
  const room = isProbe
    ? endpoint.underWay === 0
      ? 1
      : 0
    : endpoint.rules.concurrent - endpoint.underWay;
  const webhooks: Webhook[] = [];
  for (const notice of endpoint.notices.values()) {
    if (webhooks.length >= room) break;
    if (endpoint.waiting.has(notice.id)) continue;
    webhooks.push(webhookOf(endpoint, notice.id, noticeBody(notice, nowMs), undefined));
    // Until its answer.
    endpoint.waiting.put(notice.id, Number.MAX_SAFE_INTEGER);
  }
  for (const ready of [endpoint.ready.urgent, endpoint.ready.rest]) {
    for (const key of ready) {
      if (webhooks.length >= room) break;
      ready.delete(key);
      webhooks.push(begin(endpoint, key));
    }
  }
  endpoint.underWay += webhooks.length;
  return webhooks;
}

export function nextWebhookMs(endpoint: Endpoint, nowMs: number): number {
  if (!endpoint.subscription.active) return Number.POSITIVE_INFINITY;
  const { ready, rules, notices, waiting } = endpoint;
  const isBusy = endpoint.underWay >= rules.concurrent;
  const hasReady =
    ready.urgent.size + ready.rest.size > 0 || [...notices.keys()].some((id) => !waiting.has(id));
  const next = Math.min(
    waiting.nextMs(),
    endpoint.checkpoints[0] ?? Number.POSITIVE_INFINITY,
    hasReady && !isBusy ? nowMs : Number.POSITIVE_INFINITY,
  );
  return Math.max(endpoint.closedUntilMs, next);
}

function begin(endpoint: Endpoint, key: string): Webhook {
  const place = endpoint.slots.get(key) as SlotPlace;
  const { slot } = place;
  const figure = (place.wanted ?? slot.going?.figure) as Figure;
  const before = slot.going;
  const isSame = before?.figure.sequence === figure.sequence && !place.again;
  const going: Going = isSame
    ? { ...before, attempts: before.attempts + 1, reached: before.reached + 1 }
    : {
        figure,
        // Whoever has seen an index must have what it stands for: only one that never arrived is taken over.
        index: before?.reached === 0 && !place.again ? before.index : nextIndex(endpoint),
        id: '',
        type: eventOf(slot, figure),
        previousSequence: slot.taken.sequence,
        attempts: 1,
        reached: 1,
      };
  const named = going.id === '' ? { ...going, id: idOf(endpoint, going) } : going;
  place.isUnderWay = true;
  place.again = false;
  setSlot(endpoint, key, { ...slot, going: named });
  return webhookOf(endpoint, named.id, figureBody(named), key);
}

const idOf = (endpoint: Endpoint, { index, figure }: Going): string =>
  `msg_${hashText(`${endpoint.id} ${index} ${figure.channel} ${figure.sku} ${figure.sequence}`)}`;

function webhookOf(
  { subscription }: Endpoint,
  id: string,
  body: string,
  key: string | undefined,
): Webhook {
  const { url, sealedSecrets } = subscription;
  return { endpoint: subscription.id, url, sealedSecrets, id, body, key };
}

function figureBody({ figure, index, type, previousSequence }: Going): string {
  const { channel, sku, sellable, status, sequence, publishedAtMs } = figure;
  return JSON.stringify({
    type,
    timestamp: new Date(publishedAtMs).toISOString(),
    data: { channel, sku, sellable: sellable / 1000, status, sequence, previousSequence, index },
  });
}

function noticeBody({ type, data }: Notice, nowMs: number): string {
  return JSON.stringify({ type, timestamp: new Date(nowMs).toISOString(), data });
}

/**
 * `index`: every delivery up to it has been taken or superseded, so what a receiver has not seen of them it has lost.
 * The last pause goes on for ever: a checkpoint may be lost too.
 */
function addCheckpoint(endpoint: Endpoint, nowMs: number): void {
  endpoint.checkpoints.shift();
  if (endpoint.checkpoints.length === 0) {
    const lastMs = endpoint.rules.checkpointsMs.at(-1);
    if (lastMs !== undefined) endpoint.checkpoints.push(nowMs + lastMs);
  }
  if (isWanted(endpoint.subscription, 'webhook.checkpoint')) {
    notify(endpoint, 'webhook.checkpoint', { index: endpoint.lastIndex }, String(nowMs));
  }
}

function notify(
  endpoint: Endpoint,
  type: Notice['type'],
  data: Notice['data'],
  salt: string,
): void {
  const id = `msg_${hashText(`${endpoint.id} ${type} ${salt} ${JSON.stringify(data)}`)}`;
  endpoint.notices.set(id, { id, type, data, attempts: 0 });
}

/** Takes a changed subscription, and does once what it asks for. */
export function changeSubscription(endpoint: Endpoint, subscription: Subscription): void {
  const wasActive = endpoint.subscription.active;
  endpoint.subscription = subscription;
  if (subscription.active && !wasActive) {
    endpoint.failuresInARow = 0;
    endpoint.closedUntilMs = 0;
  }
  const { request } = subscription;
  if (request === null || request.id === endpoint.begunRequest) return;
  endpoint.begunRequest = request.id;
  if (request.kind === 'test') {
    setHandled(endpoint, request.id);
    notify(endpoint, 'webhook.test', { subscription: endpoint.id }, request.id);
    return;
  }
  replay(endpoint, request);
}

/** Sends the newest figure again of each SKU whose last delivery is in the ranges, and of those given up. */
function replay(endpoint: Endpoint, { id, ranges }: NonNullable<Subscription['request']>): void {
  const isAsked = (index: number): boolean =>
    ranges.some(({ from, to }) => index >= from && index <= to);
  const left = new Set<string>();
  for (const [key, place] of endpoint.slots) {
    const { going, taken, givenUp } = place.slot;
    if (givenUp === 0 && !isAsked(going?.index ?? taken.index)) continue;
    // What is under way goes once more afterwards: its index counts as settled when the replay has ended.
    place.again = true;
    left.add(key);
    endpoint.waiting.remove(key);
    routeSlot(endpoint, key);
    const isReady = endpoint.ready.urgent.has(key) || endpoint.ready.rest.has(key);
    if (!isReady && !place.isUnderWay) left.delete(key);
  }
  const mostTo = endpoint.lastIndex;
  endpoint.replays.push({
    request: id,
    ranges: ranges.map(({ from, to }) => ({ from, to: Math.min(to, mostTo) })),
    left,
  });
  endReplays(endpoint, undefined);
}

/** Once all of a replay is taken, the receiver hears that what it missed of the range is settled. */
function endReplays(endpoint: Endpoint, takenKey: string | undefined): void {
  for (const one of [...endpoint.replays]) {
    if (takenKey !== undefined) one.left.delete(takenKey);
    if (one.left.size > 0) continue;
    endpoint.replays.splice(endpoint.replays.indexOf(one), 1);
    setHandled(endpoint, one.request);
    const data = { index: endpoint.lastIndex, replayed: one.ranges };
    notify(endpoint, 'webhook.checkpoint', data, String(endpoint.lastIndex));
  }
}

export type Settled = {
  readonly attempts: readonly DeliveryAttempt[];
  /** The receiver wants nothing more, for this reason. */
  readonly disabled?: string;
};

export function settleWebhook(endpoint: Endpoint, result: WebhookResult, nowMs: number): Settled {
  endpoint.underWay -= 1;
  const outcome = outcomeOf(result.answer);
  heed(endpoint, outcome, result.answer, nowMs);
  const { key } = result.webhook;
  if (key === undefined) return settleNotice(endpoint, result, outcome, nowMs);
  const place = endpoint.slots.get(key) as SlotPlace;
  place.isUnderWay = false;
  const going = place.slot.going as Going;
  const attempt = (final: DeliveryOutcome): DeliveryAttempt =>
    attemptOf(endpoint, going, result, final);
  if (outcome === 'accepted') {
    const { sequence, status } = going.figure;
    setSlot(endpoint, key, {
      taken: { sequence, status, index: going.index },
      going: null,
      givenUp: 0,
    });
    endpoint.checkpoints = endpoint.rules.checkpointsMs.map((afterMs) => nowMs + afterMs);
    routeSlot(endpoint, key);
    if (!place.again) endReplays(endpoint, key);
    return { attempts: [attempt('accepted')] };
  }
  if (outcome === 'disabled') {
    endpoint.subscription = { ...endpoint.subscription, active: false };
    routeSlot(endpoint, key);
    return { attempts: [attempt('disabled')], disabled: 'the receiver answered 410 Gone' };
  }
  const isLast = going.attempts >= endpoint.rules.attemptsMs.length;
  const isOutdated = (place.wanted?.sequence ?? 0) > going.figure.sequence;
  if (isLast && !isOutdated) {
    setSlot(endpoint, key, { ...place.slot, going: null, givenUp: going.figure.sequence });
    routeSlot(endpoint, key);
    endReplays(endpoint, key);
    return { attempts: [attempt('exhausted')] };
  }
  if (result.answer.kind === 'unsent') {
    setSlot(endpoint, key, { ...place.slot, going: { ...going, reached: going.reached - 1 } });
  }
  endpoint.waiting.put(key, nowMs + retryMs(endpoint, going.attempts, going.id, result.answer));
  routeSlot(endpoint, key);
  return { attempts: [attempt(outcome)] };
}

function settleNotice(
  endpoint: Endpoint,
  result: WebhookResult,
  outcome: DeliveryOutcome,
  nowMs: number,
): Settled {
  const { id } = result.webhook;
  const notice = endpoint.notices.get(id) as Notice;
  endpoint.waiting.remove(id);
  const attempts = notice.attempts + 1;
  const isOver =
    outcome === 'accepted' ||
    outcome === 'disabled' ||
    attempts >= endpoint.rules.attemptsMs.length;
  if (isOver) endpoint.notices.delete(id);
  else {
    endpoint.notices.set(id, { ...notice, attempts });
    endpoint.waiting.put(id, nowMs + retryMs(endpoint, attempts, id, result.answer));
  }
  const figure: Figure = {
    channel: '',
    sku: '',
    sellable: 0,
    status: 'out',
    sequence: 0,
    publishedAtMs: Math.round(result.beganAtMs),
  };
  const told = attemptOf(endpoint, { figure, id, attempts }, result, outcome);
  if (outcome !== 'disabled') return { attempts: [told] };
  endpoint.subscription = { ...endpoint.subscription, active: false };
  return { attempts: [told], disabled: 'the receiver answered 410 Gone' };
}

function outcomeOf(answer: WebhookAnswer): DeliveryOutcome {
  switch (answer.kind) {
    case 'unsent':
      return 'failed';
    case 'unanswered':
      return 'unknown';
    case 'answered': {
      const { status } = answer;
      if (status >= 200 && status < 300) return 'accepted';
      if (status === 410) return 'disabled';
      return [429, 502, 503, 504].includes(status) ? 'throttled' : 'failed';
    }
  }
}

/** Opens and closes the circuit; `Retry-After` closes the endpoint for that long. */
function heed(
  endpoint: Endpoint,
  outcome: DeliveryOutcome,
  answer: WebhookAnswer,
  nowMs: number,
): void {
  if (outcome === 'accepted') {
    endpoint.failuresInARow = 0;
    endpoint.openings = 0;
    return;
  }
  endpoint.failuresInARow += 1;
  const { rules } = endpoint;
  const asked = answer.kind === 'answered' ? (answer.retryAfterMs ?? 0) : 0;
  let pauseMs = Math.min(asked, 24 * 3_600_000);
  if (endpoint.failuresInARow >= rules.failuresOpen && nowMs >= endpoint.closedUntilMs) {
    pauseMs = Math.max(pauseMs, Math.min(rules.openMostMs, rules.openMs * 2 ** endpoint.openings));
    endpoint.openings = Math.min(20, endpoint.openings + 1);
  }
  endpoint.closedUntilMs = Math.max(endpoint.closedUntilMs, nowMs + pauseMs);
}

function retryMs(endpoint: Endpoint, attempts: number, id: string, answer: WebhookAnswer): number {
  const { attemptsMs } = endpoint.rules;
  const planned = attemptsMs[Math.min(attempts, attemptsMs.length - 1)] ?? 0;
  const jittered = planned * (1 + jitterShare * chance(`${id} ${attempts}`));
  const asked = answer.kind === 'answered' ? (answer.retryAfterMs ?? 0) : 0;
  return Math.round(Math.max(jittered, asked));
}

function attemptOf(
  endpoint: Endpoint,
  { figure, id, attempts }: Pick<Going, 'figure' | 'id' | 'attempts'>,
  { answer, beganAtMs, tookMs }: WebhookResult,
  outcome: DeliveryOutcome,
): DeliveryAttempt {
  return {
    destination: endpoint.id,
    destinationKind: 'webhook',
    channel: figure.channel,
    sku: figure.sku,
    sequence: figure.sequence,
    sellable: figure.sellable,
    delivery: id,
    attempt: attempts,
    outcome,
    status: answer.kind === 'answered' ? answer.status : 0,
    tookMs: Math.round(tookMs),
    attemptedAt: Math.round(beganAtMs),
    publishedAt: figure.publishedAtMs,
    reason: answer.kind === 'answered' ? '' : answer.reason.slice(0, 500),
  };
}

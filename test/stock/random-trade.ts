/** Weeks of a shop from a seed: everything that can happen to a cell, in one script for the stock processor. */
import { plainRequest } from '../../processors/cli/stress/shoppers.ts';
import { commands, movements } from '../../processors/topics.ts';
import type { Command, Effect } from '../../schemas/types.ts';
import { effect, movement, noon } from '../carts/shop.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { commit, crash, record, type ScriptItem, tick } from '../support/topology-driver.ts';

export const tradeSkus = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'] as const;
const locations = ['L1', 'L2', 'L3'] as const;
const dayMs = 86_400_000;

export type Trade = {
  readonly script: readonly ScriptItem[];
  /** Moments at which nothing was under way: all before them is committed. */
  readonly quietMs: readonly number[];
};

/** `steps` inputs, committed in batches of one to nine, with crashes in between. */
export function randomTrade(seed: number, steps: number): Trade {
  const random = seededRandom(seed);
  const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;
  const script: ScriptItem[] = [];
  const quietMs: number[] = [];
  let nowMs = noon;
  let left = 1 + random(9);
  for (let step = 0; step < steps; step += 1) {
    nowMs += 1 + random(60_000);
    const sku = pick(tradeSkus);
    const what = random(20);
    if (what < 12) {
      const effects = Array.from({ length: 1 + random(3) }, () =>
        effect(randomEffect(step, nowMs, random, pick)),
      );
      const system = pick(['erp', 'pos']);
      const contained = random(6) === 0 ? [randomPast(step, nowMs, random, pick)] : [];
      const value = { ...movement(sku, effects, system), contained };
      script.push(record(movements, sku, value, { timestampMs: nowMs }));
    } else if (what < 19) {
      const command = randomCommand(sku, step, nowMs, random, pick);
      script.push(record(commands, sku, command, { timestampMs: nowMs }));
    } else script.push(tick(nowMs));
    left -= 1;
    if (left > 0) {
      if (random(15) === 0) script.push(crash);
      continue;
    }
    script.push(commit);
    nowMs += 2;
    quietMs.push(nowMs - 1);
    left = 1 + random(9);
  }
  return { script, quietMs };
}

/** What an opening contains. */
function randomPast(step: number, nowMs: number, random: Random, pick: Pick): Effect {
  return effect({
    ...{ id: `p${step}`, order: String(step).padStart(6, '0'), location: pick(locations) },
    kind: pick(['count', 'event'] as const),
    quantity: random(20) * 1000,
    occurredAt: nowMs - random(90) * 3_600_000,
  });
}

type Random = (below: number) => number;
type Pick = <T>(from: readonly T[]) => T;

function randomEffect(step: number, nowMs: number, random: Random, pick: Pick): Partial<Effect> {
  const order = String(step).padStart(6, '0');
  const location = pick(locations);
  const units = (1 + random(9)) * 1000;
  const occurredAt = nowMs - random(3) * random(30) * 3_600_000;
  const common = { id: `e${step}-${random(1_000_000)}`, order, location, occurredAt };
  switch (random(8)) {
    case 0:
      return { ...common, kind: 'count', quantity: units * 10 };
    case 1:
      return { ...common, kind: 'opening', quantity: units * 5 };
    case 2: {
      const bucket = pick(['incoming', 'reserved'] as const);
      const expectedAt = random(3) === 0 ? null : nowMs + random(5) * dayMs;
      return { ...common, kind: 'level', bucket, quantity: pick([units, -units]), expectedAt };
    }
    case 3: {
      const bucket = pick(['damaged', 'qualityControl', 'safetyStock', 'inTransit'] as const);
      return { ...common, kind: 'level', bucket, quantity: pick([units, -units]) };
    }
    case 4: {
      const booking = {
        ...{ order: `o${random(20)}`, line: String(random(2)) },
        ...{ quantity: units, open: pick([0, units]) },
      };
      return { ...common, kind: 'level', bucket: 'reserved', quantity: 0, booking };
    }
    case 5: {
      const role = pick(['till', 'posting'] as const);
      const flags = { complete: random(2) === 0, contained: false, netted: random(3) === 0 };
      const echo = {
        key: `t${random(40)}`,
        role,
        rule: pick(['supersede', 'max'] as const),
        ...flags,
      };
      return { ...common, quantity: pick([units, -units]), echo };
    }
    default:
      return { ...common, quantity: pick([units * 2, -units]) };
  }
}

function randomCommand(
  sku: string,
  step: number,
  nowMs: number,
  random: Random,
  pick: Pick,
): Command {
  const key = `k${step}`;
  const { lines: _lines, askedBy: _asked, ...plain } = plainRequest('web', key, nowMs);
  const before = `web|k${Math.max(0, step - 1 - random(30))}`;
  const base: Command = {
    ...plain,
    ...{ id: `web|${key}#0`, sku, location: pick(locations), undecided: false },
    quantity: (1 + random(4)) * 1000,
    reservation: `web|${key}`,
    channel: pick([null, 'web', 'pos']),
    expiresAt: nowMs + pick([30_000, 600_000, 90 * dayMs]),
    reference: pick(['', `o${random(20)}`]),
  };
  switch (random(7)) {
    case 0:
      return { ...base, kind: 'allocate', reservation: null, channel: pick(['web', 'pos']) };
    case 1:
      return { ...base, kind: 'adjust', reservation: null };
    case 2: {
      const kind = pick(['commit', 'release', 'fulfil'] as const);
      return { ...base, kind, reservation: before, quantity: 0, location: '' };
    }
    case 3:
      return { ...base, kind: 'transfer', reservation: null, toLocation: pick(locations) };
    default:
      return {
        ...base,
        kind: 'reserve',
        location: pick(['', 'L1', 'L2']),
        policy: 'FillAllAvailable',
      };
  }
}

/** Lives of orders from a seed, as the three sources tell them: the web shop at once, the ERP up to two days late, the till. */
import type { Command } from '../../schemas/types.ts';
import { noon } from '../carts/shop.ts';
import { seededRandom } from '../support/seeded-random.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** What a source tells at a moment; `order` names the life that it belongs to. */
export type Told = { readonly atMs: number; readonly sku: string; readonly order: string } & (
  | { readonly kind: 'ask'; readonly command: Partial<Command>; readonly pieces: number }
  | { readonly kind: 'books'; readonly line: BookedLine; readonly pieces: number }
  | { readonly kind: 'ships'; readonly line: BookedLine; readonly pieces: number }
  | {
      readonly kind: 'posts';
      readonly line: BookedLine;
      readonly pieces: number;
      readonly parcel: string;
    }
  | { readonly kind: 'cancels'; readonly line: BookedLine; readonly pieces: number }
  | { readonly kind: 'till'; readonly receipt: string; readonly pieces: number }
  | {
      readonly kind: 'tillPosted';
      readonly receipt: string;
      readonly pieces: number;
      readonly isTakenBack: boolean;
    }
  | { readonly kind: 'runsOut' }
);

export type BookedLine = { readonly name: string; readonly location: string };

export const lifeMs = 30 * minuteMs;

type Random = (below: number) => number;
type Life = {
  readonly order: string;
  readonly sku: string;
  readonly startMs: number;
  readonly pieces: number;
  readonly random: Random;
  readonly tell: (delayMs: number, told: Plain) => void;
};
type Plain = Told extends infer T
  ? T extends Told
    ? Omit<T, 'atMs' | 'sku' | 'order'>
    : never
  : never;

/** All that is told of `count` orders and half as many till sales on `skus`, in the order in which it arrives. */
export function randomOrders(
  seed: number,
  count: number,
  skus: readonly string[],
): readonly Told[] {
  const random = seededRandom(seed);
  const all: Told[] = [];
  const spanMs = Math.max(1, count / 700) * 24 * hourMs;
  for (let index = 0; index < count; index += 1) {
    const order = `o${index}`;
    const sku = skus[random(skus.length)] as string;
    const startMs = noon + 1000 * random(Math.floor(spanMs / 1000));
    const tell = (delayMs: number, told: Plain): void =>
      void all.push({ ...told, atMs: startMs + Math.round(delayMs), sku, order } as Told);
    const life = { order, sku, startMs, pieces: 1 + random(6), random, tell };
    tellOrder(life);
    if (random(2) === 0) tellTillSale(life);
  }
  // Ties are told in the order in which they were made up.
  return all.sort((one, other) => one.atMs - other.atMs);
}

function tellOrder(life: Life): void {
  const { order, pieces, random, tell } = life;
  const isNamedAtOnce = random(3) === 0;
  const reservation = `web|${order}`;
  const reference = isNamedAtOnce ? order : '';
  tell(0, { kind: 'ask', command: { kind: 'reserve', reservation, reference }, pieces });
  const fate = random(20);
  const isPaid = fate >= 4;
  if (fate < 2) tell(lifeMs, { kind: 'runsOut' });
  else if (fate < 4)
    tell(10 * minuteMs, { kind: 'ask', command: { kind: 'release', reservation }, pieces });
  else {
    const commit = { kind: 'commit', reservation, reference: order } as const;
    tell((1 + random(25)) * minuteMs, { kind: 'ask', command: commit, pieces });
  }
  // What nobody paid for is booked now and then all the same, if the ERP knew of it.
  if (isPaid ? random(10) > 0 : isNamedAtOnce && random(6) === 0) tellErp(life, isPaid);
  else if (isPaid && random(3) === 0) {
    tell(random(72) * hourMs, { kind: 'ask', command: { kind: 'release', reservation }, pieces });
  }
}

/** The ERP books in one to three parts, up to two days late, perhaps before it is paid, and does something with it. */
function tellErp(life: Life, isPaid: boolean): void {
  const { pieces, random, tell } = life;
  const lateMs = random(6) === 0 ? 30_000 : random(48 * 60) * minuteMs;
  const parts = splitUp(pieces, 1 + random(3), random);
  const isOurs = isPaid && random(3) === 0;
  const lines: BookedLine[] = [];
  parts.forEach((count, index) => {
    const line = { name: String(index), location: !isOurs && random(10) === 0 ? 'L2' : 'L1' };
    const bookedMs = lateMs + index * random(12 * 60) * minuteMs;
    lines.push(line);
    tell(bookedMs, { kind: 'books', line, pieces: count });
    if (isOurs) return;
    const fate = random(20);
    // Booked, and then nothing is heard any more.
    if (fate === 0) return;
    if (fate < 4) {
      const cancelled = fate === 1 ? 1 + random(count) : count;
      tell(bookedMs + (1 + random(600)) * minuteMs, { kind: 'cancels', line, pieces: cancelled });
      return;
    }
    let shippedMs = bookedMs;
    for (const shipped of splitUp(count, 1 + random(2), random)) {
      shippedMs += (1 + random(36 * 60)) * minuteMs;
      tell(shippedMs, { kind: 'ships', line, pieces: shipped });
    }
  });
  if (isOurs) tellOurs(life, parts, lines, lateMs);
  else if (isPaid && random(10) === 0) {
    const command = { kind: 'release', reservation: `web|${life.order}` } as const;
    tell((1 + random(72)) * hourMs, { kind: 'ask', command, pieces });
  }
}

/** We hand the goods out ourselves, in up to two parcels; the ERP posts them when it has booked the line, or never. */
function tellOurs(
  life: Life,
  parts: readonly number[],
  lines: readonly BookedLine[],
  lateMs: number,
): void {
  const { order, random, tell } = life;
  const isPosted = random(8) > 0;
  let handedMs = 26 * minuteMs + random(24 * 60) * minuteMs;
  parts.forEach((pieces, index) => {
    const parcel = `${order}/${index}`;
    const command = { kind: 'fulfil', reservation: `web|${order}`, echoKey: parcel } as const;
    tell(handedMs, { kind: 'ask', command, pieces });
    if (isPosted) {
      const line = lines[index] as BookedLine;
      const bookedMs = lateMs + parts.length * 12 * hourMs;
      const postedMs = Math.max(handedMs, bookedMs) + (1 + random(48 * 60)) * minuteMs;
      tell(postedMs, { kind: 'posts', line, pieces, parcel });
    }
    handedMs += random(600) * minuteMs;
  });
}

function tellTillSale({ order, random, tell }: Life): void {
  const receipt = `r${order}`;
  const pieces = 1 + random(3);
  tell(1, { kind: 'till', receipt, pieces });
  const fate = random(10);
  if (fate === 0) return;
  const posted = { kind: 'tillPosted', receipt, pieces } as const;
  const postedMs = random(48 * 60) * minuteMs;
  tell(postedMs, { ...posted, isTakenBack: false });
  if (fate > 2) return;
  // Posted twice by mistake, and one of the two taken back.
  tell(postedMs + 2 * hourMs, { ...posted, isTakenBack: false });
  tell(postedMs + 5 * hourMs, { ...posted, isTakenBack: true });
}

function splitUp(total: number, parts: number, random: Random): readonly number[] {
  const split: number[] = [];
  let left = total;
  for (let part = parts; part > 1 && left > 1; part -= 1) {
    const count = 1 + random(left - 1);
    split.push(count);
    left -= count;
  }
  return [...split, left];
}

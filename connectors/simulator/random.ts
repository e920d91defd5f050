/** Seeded random numbers (xoshiro128**): the same seed gives the same retailer, on every machine. */

/** The generator's whole state; it can be stored and gone on with. */
export type Random = Uint32Array;

export function seededRandom(seed: number): Random {
  // splitmix32 spreads near seeds over the four words.
  let word = seed >>> 0;
  return Uint32Array.from({ length: 4 }, () => {
    word = (word + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  });
}

function nextUint32(random: Random): number {
  const [a = 0, b = 0, c = 0, d = 0] = random;
  const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
  const mixedC = c ^ a;
  const mixedD = d ^ b;
  random[1] = b ^ mixedC;
  random[0] = a ^ mixedD;
  random[2] = mixedC ^ (b << 9);
  random[3] = rotate(mixedD, 11);
  return result;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** At least 0, less than 1. */
export function fraction(random: Random): number {
  return nextUint32(random) / 0x1_0000_0000;
}

/** A whole number between the two, both included. */
export function integer(random: Random, low: number, high: number): number {
  return low + Math.floor(fraction(random) * (high - low + 1));
}

export function chance(random: Random, probability: number): boolean {
  return fraction(random) < probability;
}

/** One of the items; undefined only when there is none. */
export function pick<Item>(random: Random, items: readonly Item[]): Item | undefined {
  return items[Math.floor(fraction(random) * items.length)];
}

/** Running totals of weights, as `pickIndex` wants them. */
export function cumulate(weights: readonly number[]): readonly number[] {
  let total = 0;
  return weights.map((weight) => {
    total += weight;
    return total;
  });
}

/** The weights of `count` ranks by Zipf's law: the first sells most. */
export function zipfWeights(count: number, exponent: number): readonly number[] {
  return Array.from({ length: count }, (_, rank) => 1 / (rank + 1) ** exponent);
}

/** An index, each as likely as its weight says. */
export function pickIndex(random: Random, cumulated: readonly number[]): number {
  const wanted = fraction(random) * (cumulated.at(-1) ?? 0);
  let low = 0;
  let high = cumulated.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cumulated[middle] ?? 0) > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}

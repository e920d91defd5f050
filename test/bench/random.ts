/** A seeded source of chance: the same seed gives the same load. Mulberry32. */

export type Random = {
  /** From 0 to below 1. */
  readonly fraction: () => number;
  /** A whole number from 0 to below `bound`. */
  readonly below: (bound: number) => number;
};

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return { fraction, below: (bound) => Math.floor(fraction() * bound) };
}

/** Zipf-distributed ranks by rejection-inversion (Hörmann and Derflinger): no table, so 10 million ranks cost nothing. */
import type { Random } from './random.ts';

/** Draws ranks from 0 to below `ranks`; rank k comes with a probability proportional to 1 / (k + 1)^exponent. */
export function zipf(ranks: number, exponent: number, random: Random): () => number {
  const h = (x: number): number => Math.exp(-exponent * Math.log(x));
  /** The integral of h, with its constant chosen so that exponent 1 needs no case of its own. */
  const integral = (x: number): number => {
    const log = Math.log(x);
    return expm1Ratio((1 - exponent) * log) * log;
  };
  const inverse = (y: number): number => {
    const t = Math.max(-1, y * (1 - exponent));
    return Math.exp(log1pRatio(t) * y);
  };
  const first = integral(1.5) - 1;
  const last = integral(ranks + 0.5);
  const shift = 2 - inverse(integral(2.5) - h(2));
  return () => {
    for (;;) {
      const u = last + random.fraction() * (first - last);
      const x = inverse(u);
      const k = Math.min(ranks, Math.max(1, Math.round(x)));
      if (k - x <= shift || u >= integral(k + 0.5) - h(k)) return k - 1;
    }
  };
}

/** log(1 + x) / x */
function log1pRatio(x: number): number {
  return Math.abs(x) > 1e-8 ? Math.log1p(x) / x : 1 - x / 2;
}

/** (exp(x) - 1) / x */
function expm1Ratio(x: number): number {
  return Math.abs(x) > 1e-8 ? Math.expm1(x) / x : 1 + x / 2;
}

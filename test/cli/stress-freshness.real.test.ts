/** A sample of `stockline stress freshness`: reads that demand a watermark while each hop is paused in turn. */
import { expect, it } from 'vitest';
import { stressFreshness } from '../../processors/cli/stress/freshness.ts';

it('L1: no answer is older than demanded, and every answer names a paused hop within two seconds', async () => {
  const options = { reads: 20_000, clients: 8, skus: 20, rate: 10, seed: 5 };
  expect(await stressFreshness(options)).toBe(0);
});

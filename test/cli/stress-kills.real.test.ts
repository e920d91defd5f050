/** Samples of the long runs in which processes are killed again and again. Each starts a broker and processes of its own. */
import { expect, it } from 'vitest';
import { stressApiKills } from '../../processors/cli/stress/api-kills.ts';
import { stressReservations } from '../../processors/cli/stress/reservations.ts';
import { stressWebhooks } from '../../processors/cli/stress/webhooks.ts';

it('D2: many clients on few SKUs, stock and carts killed in turn: nothing is oversold or held for nobody, each is answered once', async () => {
  const options = { commands: 2_500, clients: 40, skus: 5, kill: true, seconds: 60, seed: 3 };
  expect(await stressReservations(options)).toBe(0);
});

it('L2: clients that write while the API is killed, and ask again with the same key: nothing is lost or done twice', async () => {
  const options = { seconds: 20, reads: 0, reservations: 0, skus: 20, seed: 3 };
  expect(await stressApiKills(options)).toBe(0);
});

it('E3: a receiver that loses and doubles, the sender killed meanwhile: its figures end as ours', async () => {
  const options = { skus: 300, changes: 2_000, seconds: 20, kill: true, seed: 3 };
  expect(await stressWebhooks(options)).toBe(0);
});

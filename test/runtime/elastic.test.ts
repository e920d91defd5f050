/** Elastic assignment: who leaves a group leaves it when its work has ended, whatever the group asks meanwhile. */
import { expect, it } from 'vitest';
import { systemClock } from '../../processors/adapters/kafka/runtime.ts';
import { runElastic } from '../../processors/runtime/elastic.ts';
import type { MembershipEvents, Telemetry } from '../../processors/runtime/ports.ts';

it('told to stop during a rebalance, it leaves when its partitions have been given up', async () => {
  const stop = new AbortController();
  const told: string[] = [];
  let endWork: () => void = () => {};
  let group: MembershipEvents | undefined;
  const telemetry = { rebalanced: () => {}, log: () => {} } as unknown as Telemetry;
  const run = runElastic({
    join: async (events) => {
      group = events;
      return {
        close: async () => {
          await events.revoked();
          told.push('left');
        },
      };
    },
    work: () =>
      new Promise((resolve) => {
        endWork = () => {
          told.push('work ended');
          resolve();
        };
      }),
    clock: systemClock,
    telemetry,
    signal: stop.signal,
  });
  await Promise.resolve();
  group?.assigned([0]);
  const answered = group?.revoked().then(() => told.push('rebalance answered'));
  stop.abort();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(told).toEqual([]);
  endWork();
  await Promise.all([run, answered]);
  expect(told).toEqual(['work ended', 'rebalance answered', 'left']);
});

/** A partition that a client has given up without a word is found; one that it reads slowly, or has read, is not. */
import { expect, it } from 'vitest';
import { fetching } from '../../processors/adapters/kafka/fetching.ts';
import { beginning } from '../../processors/runtime/ports.ts';

const topic = 't';
const placed = [
  { topic, partition: 0, offset: beginning },
  { topic, partition: 1, offset: 7n },
];
const none = { records: [], ends: [], isAll: true };
const at = (partition: number, offset: bigint) => ({ topic, partition, offset });

it('D3: goes on behind the last record and behind the markers that follow it', () => {
  const fetched = fetching(placed);
  expect(fetched.positions()).toEqual(placed);
  fetched.heard({ ...none, records: [at(0, 1n), at(0, 4n), at(1, 7n)], ends: [at(1, 9n)] });
  expect(fetched.positions()).toEqual([at(0, 5n), at(1, 9n)]);
});

it('D3: what stands between two looks, and not at its end, has stalled', () => {
  const fetched = fetching(placed);
  fetched.heard({ ...none, ends: [at(0, 3n)] });
  expect(fetched.stalled([3n, 9n])).toBeUndefined();
  fetched.heard({ ...none, records: [at(0, 3n)] });
  expect(fetched.stalled([4n, 9n])).toEqual(placed[1]);
});

it('D3: what has not even said that it is empty has stalled, and so has what was to begin behind the end', () => {
  for (const [place, end] of [
    [at(0, beginning), 0n],
    [at(0, 999n), 40n],
  ] as const) {
    const fetched = fetching([place]);
    fetched.heard(none);
    expect(fetched.stalled([end])).toBeUndefined();
    fetched.heard(none);
    expect(fetched.stalled([end])).toEqual(place);
  }
});

it('D3: what moves, is at its end, or waits to be handed over has not stalled', () => {
  const fetched = fetching([at(0, 0n), at(1, 0n)]);
  fetched.heard({ ...none, ends: [at(1, 0n)] });
  expect(fetched.stalled([50n, 0n])).toBeUndefined();
  // It is behind, and moves.
  fetched.heard({ ...none, records: [at(0, 10n)] });
  expect(fetched.stalled([60n, 0n])).toBeUndefined();
  // It stands, and so did whoever takes what has come.
  fetched.heard({ ...none, isAll: false });
  expect(fetched.stalled([60n, 0n])).toBeUndefined();
  // What has come since the last look need not have arrived yet.
  fetched.heard({ ...none, records: [at(0, 59n)] });
  expect(fetched.stalled([60n, 3n])).toBeUndefined();
});

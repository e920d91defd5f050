/** A consumer that no longer reaches Kafka, or no longer fetches, is replaced, and reading goes on where it stood. */
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';
import type { KafkaConsumerClient } from '../../processors/adapters/kafka/client.ts';
import { type Replaceable, replaceable } from '../../processors/adapters/kafka/replacement.ts';
import { PipelineError } from '../../processors/runtime/errors.ts';
import { silent } from '../chaos/committed-reader.ts';
import { until } from '../support/until.ts';

type Asked = readonly { readonly topic: string; readonly partition: number }[];
type Told = (error: unknown, found?: unknown) => void;

/** As much of the client as is asked here. `ends`: of the partitions, which begin at `first`. */
function fakeClient(ends: readonly number[] = [], first = 0) {
  const assigned: unknown[] = [];
  const disconnect = vi.fn((done: () => void) => done());
  const client = {
    assign: (places: readonly unknown[]) => assigned.push(places),
    offsetsForTimes: (places: Asked, _timeoutMs: number, done: Told) =>
      done(
        null,
        places.map((place) => ({ ...place, offset: ends[place.partition] })),
      ),
    queryWatermarkOffsets: (_topic: string, partition: number, _timeoutMs: number, done: Told) =>
      done(null, { lowOffset: first, highOffset: ends[partition] }),
    disconnect,
  };
  return { client: client as unknown as KafkaConsumerClient, assigned, disconnect };
}

function deafClient() {
  const { client, ...rest } = fakeClient();
  const offsetsForTimes = (_places: Asked, _timeoutMs: number, done: Told) =>
    done(Object.assign(new Error('Local: Timed out'), { code: -185 }));
  return { client: { ...client, offsetsForTimes } as unknown as KafkaConsumerClient, ...rest };
}

afterEach(() => void vi.useRealTimers());

/** It changes before a reading, never by itself. */
function isReplacedBy(other: KafkaConsumerClient, held: Replaceable): true | undefined {
  held.listen();
  return held.client() === other || undefined;
}

const lookedAfterMs = 5_001;
const places = [
  { topic: 't', partition: 0, offset: 5n },
  { topic: 't', partition: 1, offset: 7n },
];
const timedOut = () => Promise.reject(new PipelineError('TIMED_OUT', 'retry', 'no answer'));

it('D3: after a question that was not answered, behind the last record that was handed over', async () => {
  const [old, fresh] = [fakeClient(), fakeClient()];
  const held = replaceable(old.client, async () => fresh.client, silent);
  held.assign(places);
  held.heard({ records: [{ topic: 't', partition: 0, offset: 11n }], ends: [], isAll: true });
  await expect(held.ask(timedOut)).rejects.toThrow('no answer');
  await until(() => isReplacedBy(fresh.client, held), 1_000);
  expect(fresh.assigned).toEqual([
    [
      { topic: 't', partition: 0, offset: 12 },
      { topic: 't', partition: 1, offset: 7 },
    ],
  ]);
  expect(old.disconnect).toHaveBeenCalledOnce();
});

it('D3: after a silence in which it does not answer, and not while it does', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const [old, unheard, fresh] = [fakeClient([5, 7]), deafClient(), fakeClient()];
  const listening = replaceable(old.client, async () => fresh.client, silent);
  const deafened = replaceable(unheard.client, async () => fresh.client, silent);
  for (const held of [listening, deafened]) {
    held.assign(places);
    held.listen();
  }
  await Promise.resolve();
  expect(deafened.client()).toBe(unheard.client);
  vi.setSystemTime(Date.now() + lookedAfterMs);
  for (const held of [listening, deafened]) held.listen();
  await until(() => isReplacedBy(fresh.client, deafened), 1_000);
  expect(isReplacedBy(fresh.client, listening)).toBeUndefined();
  expect(listening.client()).toBe(old.client);
});

it('D3: when it hands over one partition and no longer fetches another, which goes on where it stood', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const [old, fresh] = [fakeClient([20, 9]), fakeClient()];
  const held = replaceable(old.client, async () => fresh.client, silent);
  held.assign(places);
  for (const offset of [10n, 19n]) {
    expect(isReplacedBy(fresh.client, held)).toBeUndefined();
    held.heard({ records: [{ topic: 't', partition: 0, offset }], ends: [], isAll: true });
    vi.setSystemTime(Date.now() + lookedAfterMs);
    held.listen();
    await turn();
  }
  expect(isReplacedBy(fresh.client, held)).toBe(true);
  expect(fresh.assigned).toEqual([
    [
      { topic: 't', partition: 0, offset: 20 },
      { topic: 't', partition: 1, offset: 7 },
    ],
  ]);
});

it('D3: and not when its place is not kept any more: that is told', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const old = fakeClient([5, 9], 8);
  const open = vi.fn(async () => fakeClient().client);
  const held = replaceable(old.client, open, silent);
  held.assign(places);
  held.heard({ records: [], ends: [{ topic: 't', partition: 0, offset: 5n }], isAll: true });
  for (const _ of ['seen', 'seen again']) {
    vi.setSystemTime(Date.now() + lookedAfterMs);
    held.listen();
    await turn();
    held.heard({ records: [], ends: [], isAll: true });
  }
  expect(() => held.listen()).toThrow('reading t 1 at 7, where 8 to 9 are kept');
  expect(open).not.toHaveBeenCalled();
});

it('D3: while no other one reaches Kafka either, the old one is kept', async () => {
  const old = fakeClient();
  const open = vi.fn(() => timedOut());
  const held = replaceable(old.client, open, silent);
  await expect(held.ask(timedOut)).rejects.toThrow('no answer');
  await expect(held.ask(timedOut)).rejects.toThrow('no answer');
  expect(open).toHaveBeenCalled();
  held.listen();
  expect(held.client()).toBe(old.client);
  expect(old.disconnect).not.toHaveBeenCalled();
});

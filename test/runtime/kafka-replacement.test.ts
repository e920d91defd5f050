/** A consumer that no longer reaches Kafka is replaced, and reading goes on where it stood. */
import { expect, it, vi } from 'vitest';
import type { KafkaConsumerClient } from '../../processors/adapters/kafka-client.ts';
import { type Replaceable, replaceable } from '../../processors/adapters/kafka-replacement.ts';
import { PipelineError } from '../../processors/runtime/errors.ts';
import { silent } from '../chaos/committed-reader.ts';
import { until } from '../support/until.ts';

const notConsumed = -1001;

/** As much of the client as is asked here. `read`: the offset behind the last record that was handed over. */
function fakeClient(read: Readonly<Record<number, number>>, isDeaf = false) {
  const assigned: unknown[] = [];
  const disconnect = vi.fn((done: () => void) => done());
  const client = {
    assign: (places: readonly unknown[]) => assigned.push(places),
    position: (places: readonly { readonly partition: number }[]) =>
      places.map(({ partition }) => ({ offset: read[partition] ?? notConsumed })),
    queryWatermarkOffsets: (
      _topic: string,
      _partition: number,
      _timeoutMs: number,
      done: (error: unknown, offsets?: unknown) => void,
    ) =>
      isDeaf
        ? done(Object.assign(new Error('Local: Timed out'), { code: -185 }))
        : done(null, { lowOffset: 0, highOffset: 9 }),
    disconnect,
  };
  return { client: client as unknown as KafkaConsumerClient, assigned, disconnect };
}

/** It changes before a reading, never by itself. */
function isReplacedBy(other: KafkaConsumerClient, held: Replaceable): true | undefined {
  held.listen();
  return held.client() === other || undefined;
}

const places = [
  { topic: 't', partition: 0, offset: 5n },
  { topic: 't', partition: 1, offset: 7n },
];
const timedOut = () => Promise.reject(new PipelineError('TIMED_OUT', 'retry', 'no answer'));

it('D3: after a question that was not answered, behind the last record that was handed over', async () => {
  const [old, fresh] = [fakeClient({ 0: 12 }), fakeClient({})];
  const held = replaceable(old.client, async () => fresh.client, silent);
  held.assign(places);
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
  try {
    const [old, deaf, fresh] = [fakeClient({}), fakeClient({}, true), fakeClient({})];
    const listening = replaceable(old.client, async () => fresh.client, silent);
    const deafened = replaceable(deaf.client, async () => fresh.client, silent);
    for (const held of [listening, deafened]) {
      held.assign(places);
      held.listen();
    }
    await Promise.resolve();
    expect(deafened.client()).toBe(deaf.client);
    vi.setSystemTime(Date.now() + 5_001);
    for (const held of [listening, deafened]) held.listen();
    await until(() => isReplacedBy(fresh.client, deafened), 1_000);
    expect(isReplacedBy(fresh.client, listening)).toBeUndefined();
    expect(listening.client()).toBe(old.client);
  } finally {
    vi.useRealTimers();
  }
});

it('D3: while no other one reaches Kafka either, the old one is kept', async () => {
  const old = fakeClient({});
  const open = vi.fn(() => timedOut());
  const held = replaceable(old.client, open, silent);
  await expect(held.ask(timedOut)).rejects.toThrow('no answer');
  await expect(held.ask(timedOut)).rejects.toThrow('no answer');
  expect(open).toHaveBeenCalled();
  held.listen();
  expect(held.client()).toBe(old.client);
  expect(old.disconnect).not.toHaveBeenCalled();
});

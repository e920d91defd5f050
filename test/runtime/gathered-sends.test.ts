import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { gatheredSends } from '../../processors/adapters/kafka/gathered-sends.ts';

/** A receiver that answers when it is told to. */
function slowReceiver() {
  const sent: (readonly string[])[] = [];
  const answers: ((error?: Error) => void)[] = [];
  const send = (messages: readonly string[]): Promise<void> => {
    sent.push(messages);
    return new Promise((resolve, reject) => {
      answers.push((error) => (error === undefined ? resolve() : reject(error)));
    });
  };
  const answer = async (error?: Error): Promise<void> => {
    answers.shift()?.(error);
    await turn();
    await turn();
  };
  return { sent, send, answer };
}

it('sends what comes while a send is on its way together, in order, when it has arrived', async () => {
  const { sent, send, answer } = slowReceiver();
  const { send: add } = gatheredSends(send, 1_000);
  const first = add('a', 1);
  await turn();
  await turn();
  const later: Promise<void>[] = [];
  for (const name of ['b', 'c', 'd']) {
    later.push(add(name, 1));
    await turn();
  }
  expect(sent).toEqual([['a']]);
  await answer();
  await first;
  expect(sent).toEqual([['a'], ['b', 'c', 'd']]);
  await answer();
  await Promise.all(later);
});

it('sends what is handed over at once together, and no more bytes than allowed', async () => {
  const { sent, send, answer } = slowReceiver();
  const { send: add } = gatheredSends(send, 10);
  const all = [add('a', 4), add('b', 6), add('large', 50), add('c', 1)];
  await turn();
  await turn();
  expect(sent).toEqual([['a', 'b']]);
  for (const _ of all) await answer();
  await Promise.all(all);
  expect(sent).toEqual([['a', 'b'], ['large'], ['c']]);
});

it('tells a failure to those who were sent together, and goes on', async () => {
  const { sent, send, answer } = slowReceiver();
  const { send: add } = gatheredSends(send, 1_000);
  const lost = [add('a', 1), add('b', 1)];
  const told = Promise.allSettled(lost);
  await turn();
  await turn();
  const kept = add('c', 1);
  await answer(new Error('no leader'));
  expect((await told).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await answer();
  await kept;
  expect(sent).toEqual([['a', 'b'], ['c']]);
});

it('settles when nothing is on its way any more, whether it has arrived or failed', async () => {
  const { send, answer } = slowReceiver();
  const sends = gatheredSends(send, 1_000);
  const told = Promise.allSettled([sends.send('a', 1)]);
  let isSettled = false;
  const settled = sends.settled().then(() => {
    isSettled = true;
  });
  await turn();
  await turn();
  expect(isSettled).toBe(false);
  await answer(new Error('no leader'));
  await settled;
  await told;
});

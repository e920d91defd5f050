/** The states of a transaction: what is repeated, aborted, unknown, and when a producer is given up. */
import { describe, expect, it } from 'vitest';
import { PipelineError, type Recovery } from '../../processors/runtime/errors.ts';
import { limits } from '../../processors/runtime/limits.ts';
import type { TransactionalProducer } from '../../processors/runtime/ports.ts';
import { createTransactions } from '../../processors/runtime/transaction.ts';
import { silent } from '../chaos/committed-reader.ts';

type Call = 'produce' | 'sendOffsets' | 'commit' | 'abort';

/** Each call fails as often as `failures` says, and lets `slowMs` pass. */
function transactionsOf(options: {
  readonly failures?: Partial<Record<Call, Recovery[]>>;
  readonly slow?: Call;
  readonly disturbed?: boolean;
}) {
  let nowMs = 0;
  const calls: string[] = [];
  const called = (name: Call): void => {
    calls.push(name);
    if (options.slow === name) nowMs += limits.socketTimeoutMs / 2;
    const recovery = options.failures?.[name]?.shift();
    if (recovery !== undefined) throw new PipelineError('TEST', recovery, name);
  };
  const step = (name: Call) => async (): Promise<void> => called(name);
  const createProducer = async (): Promise<TransactionalProducer> => ({
    init: async () => void calls.push('init'),
    begin: async () => {},
    produce: () => called('produce'),
    drain: async () => {},
    sendOffsets: step('sendOffsets'),
    commit: step('commit'),
    abort: step('abort'),
    disturbed: () => options.disturbed === true,
    close: async () => {},
  });
  const clock = { nowMs: () => nowMs, sleep: async () => {} };
  return { transactions: createTransactions({ createProducer, clock, telemetry: silent }), calls };
}

describe('transactions', () => {
  it.each([
    ['commits', {}, 'committed', true],
    ['repeats what may pass', { failures: { sendOffsets: ['retry'] } }, 'committed', true],
    ['aborts', { failures: { sendOffsets: ['abort'] } }, 'aborted', true],
    ['does not know how a commit ended', { failures: { commit: ['abort'] } }, 'unknown', false],
    [
      'leaves a failed abort to the next init',
      { failures: { sendOffsets: ['abort'], abort: ['abort'] } },
      'aborted',
      false,
    ],
    ['gives up a producer after a slow commit', { slow: 'commit' }, 'committed', false],
    ['gives up a producer after slow offsets', { slow: 'sendOffsets' }, 'committed', false],
    ['gives up a disturbed producer', { disturbed: true }, 'committed', false],
  ] as const)('%s', async (_, options, outcome, usable) => {
    const { transactions } = transactionsOf(options as Parameters<typeof transactionsOf>[0]);
    await transactions.open();
    expect(await transactions.run([], [])).toBe(outcome);
    expect(transactions.usable()).toBe(usable);
  });

  it('E1: a producer that was given up is never replaced between two transactions', async () => {
    const { transactions, calls } = transactionsOf({ slow: 'commit' });
    await transactions.open();
    await transactions.run([], []);
    await expect(transactions.run([], [])).rejects.toThrow(/from suspect to open/);
    expect(calls.filter((call) => call === 'init')).toHaveLength(1);
  });

  it('of a client that is found broken, the end of its transaction says why', async () => {
    const failures: Partial<Record<Call, Recovery[]>> = { produce: ['abort'], abort: ['stop'] };
    const { transactions, calls } = transactionsOf({ failures });
    await transactions.open();
    const record = { topic: 't', partition: 0, timestampMs: 0, key: undefined, value: undefined };
    const running = transactions.run([{ ...record, headers: [] } as never], []);
    await expect(running).rejects.toThrow('abort');
    expect(calls).toEqual(['init', 'produce', 'abort']);
  });

  it('a worker that was left behind cannot fence whoever followed it', async () => {
    const { transactions } = transactionsOf({});
    await transactions.open();
    await transactions.close();
    await expect(transactions.open()).rejects.toThrow(/after the end/);
  });
});

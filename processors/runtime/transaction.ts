/**
 * Kafka transactions: the only place that begins, commits or aborts one.
 *
 * A commit that did not return "done" is neither committed nor aborted: only a new producer, whose `init` settles the
 * old one's transaction, and the committed offsets can tell. So is a slow commit's successor: a delayed EndTxn of
 * one transaction can end the next one of the same producer epoch, so a slow or disturbed producer is given up.
 *
 * `init` makes its caller the owner, whoever worked meanwhile. So a new producer is only ever opened at the begin of a
 * session, before offsets and state are read: opened between two transactions it would let stale work through.
 */
import { PipelineError, stop } from './errors.ts';
import { limits } from './limits.ts';
import type {
  Clock,
  OutputRecord,
  PartitionOffset,
  Telemetry,
  TransactionalProducer,
} from './ports.ts';

type State = 'closed' | 'ready' | 'open' | 'committing' | 'aborting' | 'suspect';

const moves: Readonly<Record<State, readonly State[]>> = {
  closed: ['ready'],
  ready: ['open', 'suspect', 'closed'],
  open: ['committing', 'aborting', 'suspect'],
  committing: ['ready', 'suspect'],
  aborting: ['ready', 'suspect'],
  suspect: ['closed'],
};

/** unknown: ask the committed offsets, after `open`. */
export type Outcome = 'committed' | 'aborted' | 'unknown';

export type Transactions = {
  /** Fences every older producer of this transactional id and settles what it left. Replaces the producer if there is one. */
  readonly open: () => Promise<void>;
  /** True while another transaction may follow. False: `open`, then read offsets and state anew. */
  readonly usable: () => boolean;
  /** One whole transaction. Throws only errors with recovery `stop`. */
  readonly run: (
    outputs: readonly OutputRecord[],
    offsets: readonly PartitionOffset[],
  ) => Promise<Outcome>;
  readonly close: () => Promise<void>;
};

export function createTransactions(options: {
  readonly createProducer: () => Promise<TransactionalProducer>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}): Transactions {
  const { clock, telemetry } = options;
  let state: State = 'closed';
  let producer: TransactionalProducer | undefined;
  let ended = false;

  const move = (next: State): void => {
    if (!moves[state].includes(next)) {
      throw stop('ILLEGAL_TRANSACTION_STATE', `a transaction cannot go from ${state} to ${next}`);
    }
    state = next;
  };
  /** Repeats a call while it says `retry`, and notes whether it was slow. */
  const call = async (step: () => Promise<void>): Promise<{ readonly slow: boolean }> => {
    const startedMs = clock.nowMs();
    for (;;) {
      try {
        await step();
        return { slow: clock.nowMs() - startedMs >= limits.socketTimeoutMs / 2 };
      } catch (error) {
        const given = error instanceof PipelineError && error.recovery === 'retry';
        if (!given || clock.nowMs() - startedMs > 2 * limits.transactionTimeoutMs) throw error;
        await clock.sleep(limits.retryMinMs);
      }
    }
  };
  const close = async (): Promise<void> => {
    const old = producer;
    producer = undefined;
    if (state !== 'closed') {
      if (state !== 'ready') state = 'suspect';
      move('closed');
    }
    await old?.close();
  };
  const open = async (): Promise<void> => {
    // A worker that was left behind must not fence whoever has followed it.
    if (ended) throw stop('ENDED', 'a transaction after the end');
    await close();
    const next = await options.createProducer();
    producer = next;
    await call(() => next.init());
    move('ready');
  };
  const suspect = (why: string): void => {
    move('suspect');
    telemetry.log('warn', 'producer given up', { why });
  };
  /** Aborts; a failure to abort leaves it to the next producer's `init`. */
  const abort = async (current: TransactionalProducer, cause: PipelineError): Promise<Outcome> => {
    telemetry.aborted(cause.message);
    move('aborting');
    try {
      const { slow } = await call(() => current.abort());
      if (slow || current.disturbed()) suspect('slow or disturbed abort');
      else move('ready');
    } catch (error) {
      if (isStop(error)) throw error;
      suspect('failed abort');
    }
    return 'aborted';
  };

  return {
    open,
    close: () => {
      ended = true;
      return close();
    },
    usable: () => state === 'ready',
    run: async (outputs, offsets) => {
      const current = producer;
      if (current === undefined) throw stop('NO_PRODUCER', 'a transaction before open');
      move('open');
      let slow = false;
      try {
        await current.begin();
        // Waiting only where there is something to wait for: a promise per record would cost as much as its codec.
        for (const output of outputs)
          if (!tryProduce(current, output)) await produce(current, output);
        ({ slow } = await call(() => current.sendOffsets(offsets)));
      } catch (error) {
        if (!(error instanceof PipelineError) || error.recovery === 'stop') throw error;
        return abort(current, error);
      }
      move('committing');
      try {
        const committed = await call(() => current.commit());
        slow ||= committed.slow;
      } catch (error) {
        if (isStop(error)) throw error;
        suspect('a commit of unknown outcome');
        telemetry.aborted(`commit of unknown outcome: ${String(error)}`);
        return 'unknown';
      }
      if (slow || current.disturbed()) suspect('slow or disturbed commit');
      else move('ready');
      return 'committed';
    },
  };
}

/** False when the client's queue is full. */
function tryProduce(producer: TransactionalProducer, output: OutputRecord): boolean {
  try {
    producer.produce(output);
    return true;
  } catch (error) {
    if (!(error instanceof PipelineError) || error.recovery !== 'retry') throw error;
    return false;
  }
}

async function produce(producer: TransactionalProducer, output: OutputRecord): Promise<void> {
  do await producer.drain();
  while (!tryProduce(producer, output));
}

function isStop(error: unknown): boolean {
  return !(error instanceof PipelineError) || error.recovery === 'stop';
}

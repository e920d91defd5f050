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

/** In which state the producer is, and whether it may be trusted with another transaction. */
function createPhase(telemetry: Telemetry) {
  let state: State = 'closed';
  const move = (next: State): void => {
    if (!moves[state].includes(next)) {
      throw stop('ILLEGAL_TRANSACTION_STATE', `a transaction cannot go from ${state} to ${next}`);
    }
    state = next;
  };
  const suspect = (why: string): void => {
    move('suspect');
    telemetry.log('warn', 'producer given up', { why });
  };
  return {
    is: (): State => state,
    move,
    suspect,
    /** A transaction has ended. */
    settle: (producer: TransactionalProducer, wasSlow: boolean): void => {
      if (wasSlow || producer.disturbed()) suspect(`slow or disturbed while ${state}`);
      else move('ready');
    },
    close: (): void => {
      if (state === 'closed') return;
      if (state !== 'ready') state = 'suspect';
      move('closed');
    },
  };
}

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
  const phase = createPhase(telemetry);
  const { move, suspect, settle } = phase;
  let producer: TransactionalProducer | undefined;
  let ended = false;

  const close = async (): Promise<void> => {
    const old = producer;
    producer = undefined;
    phase.close();
    await old?.close();
  };
  const open = async (): Promise<void> => {
    // A worker that was left behind must not fence whoever has followed it.
    if (ended) throw stop('ENDED', 'a transaction after the end');
    await close();
    const next = await options.createProducer();
    producer = next;
    await measured(() => next.init(), clock);
    move('ready');
  };
  /** Aborts; a failure to abort leaves it to the next producer's `init`. */
  const abort = async (current: TransactionalProducer, cause: PipelineError): Promise<Outcome> => {
    telemetry.aborted(cause.message);
    move('aborting');
    try {
      const { slow } = await measured(() => current.abort(), clock);
      settle(current, slow);
    } catch (error) {
      if (isStop(error)) throw error;
      suspect('failed abort');
    }
    return 'aborted';
  };
  const commit = async (current: TransactionalProducer, wasSlow: boolean): Promise<Outcome> => {
    move('committing');
    try {
      const { slow } = await measured(() => current.commit(), clock, commitPatienceMs);
      settle(current, slow || wasSlow);
      return 'committed';
    } catch (error) {
      if (isStop(error)) throw error;
      suspect('a commit of unknown outcome');
      telemetry.aborted(`commit of unknown outcome: ${String(error)}`);
      return 'unknown';
    }
  };

  return {
    open,
    close: () => {
      ended = true;
      return close();
    },
    usable: () => phase.is() === 'ready',
    run: async (outputs, offsets) => {
      const current = producer;
      if (current === undefined) throw stop('NO_PRODUCER', 'a transaction before open');
      move('open');
      try {
        const { slow } = await write(current, outputs, offsets, clock);
        return await commit(current, slow);
      } catch (error) {
        if (isStop(error) || phase.is() !== 'open') throw error;
        return abort(current, error as PipelineError);
      }
    },
  };
}

const patienceMs = 2 * limits.transactionTimeoutMs;
/** The broker ends the transaction by itself meanwhile; what has become of it, the next producer learns sooner. */
const commitPatienceMs = limits.transactionTimeoutMs / 2;

/** Repeats a call while it says `retry`, and tells whether it was slow. */
async function measured(
  call: () => Promise<void>,
  clock: Clock,
  giveUpMs: number = patienceMs,
): Promise<{ readonly slow: boolean }> {
  const startedMs = clock.nowMs();
  for (;;) {
    try {
      await call();
      return { slow: clock.nowMs() - startedMs >= limits.socketTimeoutMs / 2 };
    } catch (error) {
      const given = error instanceof PipelineError && error.recovery === 'retry';
      if (!given || clock.nowMs() - startedMs > giveUpMs) throw error;
      await clock.sleep(limits.retryMinMs);
    }
  }
}

async function write(
  producer: TransactionalProducer,
  outputs: readonly OutputRecord[],
  offsets: readonly PartitionOffset[],
  clock: Clock,
): Promise<{ readonly slow: boolean }> {
  await producer.begin();
  await produceAll(producer, outputs);
  return measured(() => producer.sendOffsets(offsets), clock);
}

/** Waits only where there is something to wait for: a promise per record would cost as much as its codec. */
async function produceAll(
  producer: TransactionalProducer,
  outputs: readonly OutputRecord[],
): Promise<void> {
  for (const output of outputs) {
    while (!tryProduce(producer, output)) await producer.drain();
  }
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

function isStop(error: unknown): boolean {
  return !(error instanceof PipelineError) || error.recovery === 'stop';
}

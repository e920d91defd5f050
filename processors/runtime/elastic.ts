/**
 * Elastic assignment: the processes of a processor share its partitions out among those that are there. Each partition
 * is a share of its own, worked by whoever has it under the same name; it is given up only when its worker has ended.
 */
import { PipelineError } from './errors.ts';
import { limits } from './limits.ts';
import type { Clock, Membership, MembershipEvents, Telemetry } from './ports.ts';

export async function runElastic(options: {
  /** Undefined: told to stop meanwhile. */
  readonly join: (events: MembershipEvents) => Promise<Membership | undefined>;
  readonly work: (partition: number, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { clock, telemetry, signal } = options;
  while (!signal.aborted) {
    const end = await runMembership(options);
    if (end === undefined) return;
    // Somebody else works for one of our partitions: the group must have moved on without us.
    if (!isFenced(end)) throw end;
    telemetry.log('warn', 'fenced: joining again', { error: end.message });
    await clock.sleep(limits.retryMaxMs, signal);
  }
}

/** From joining to leaving: at the signal, or with the error of the first share that failed. */
async function runMembership(options: Parameters<typeof runElastic>[0]): Promise<unknown> {
  const { signal, telemetry } = options;
  let shares: { readonly ending: AbortController; readonly done: Promise<void> }[] = [];
  let givenUp: Promise<void> = Promise.resolve();
  let end: (error: unknown) => void = () => {};
  const ended = new Promise<unknown>((resolve) => {
    end = resolve;
  });
  const stop = (): void => end(undefined);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();

  const begin = (partition: number) => {
    const ending = new AbortController();
    const fail = (error: unknown): void => {
      // Fenced while giving its partition up: the next one was there before it had to be.
      if (!ending.signal.aborted || !isFenced(error)) end(error);
    };
    return { ending, done: options.work(partition, ending.signal).catch(fail) };
  };
  const membership = await options.join({
    assigned: (partitions) => {
      telemetry.rebalanced(partitions);
      shares = partitions.map(begin);
    },
    revoked: () => {
      const given = shares;
      shares = [];
      for (const { ending } of given) ending.abort();
      // Told to stop during a rebalance, this comes twice: both have to wait, or the group is left before its answer.
      givenUp = Promise.all([givenUp, ...given.map(({ done }) => done)]).then(() =>
        telemetry.rebalanced([]),
      );
      return givenUp;
    },
    failed: end,
  });
  try {
    return await ended;
  } finally {
    signal.removeEventListener('abort', stop);
    await membership?.close();
  }
}

function isFenced(error: unknown): error is PipelineError {
  return error instanceof PipelineError && error.code === 'TRANSACTION_FENCED';
}

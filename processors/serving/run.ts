/**
 * Keeps a copy of the figures elsewhere: a table, a cache. One that is away is written when it is back; one that has lost what it
 * held is filled anew from the topics.
 */
import type { Served, ServingPorts } from './ports.ts';

const figuresPerWrite = 2_000;
const pauseMs = 20;
const againMs = 1_000;

export type ServingStatus = {
  readonly written: number;
  readonly pending: number;
  readonly asOfMs: number;
  readonly fillings: number;
};

export type Serving = { readonly done: Promise<void>; readonly status: () => ServingStatus };

/** Of figures that wait the newest of a key is enough. */
export const keyOfServed = (figure: Served): string =>
  figure.kind === 'stock'
    ? `s|${figure.key.location}|${figure.key.sku}`
    : `c|${figure.channel}|${figure.sku}`;

export function runServing(ports: ServingPorts, signal: AbortSignal): Serving {
  const status = { written: 0, pending: 0, asOfMs: 0, fillings: 0 };
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      status.fillings += 1;
      await fill(ports, status, signal);
    }
  };
  return { done: run(), status: () => ({ ...status }) };
}

/** Ends with the signal, or when the target has lost what it held. */
async function fill(
  ports: ServingPorts,
  status: { written: number; pending: number; asOfMs: number },
  signal: AbortSignal,
): Promise<void> {
  const waiting = new Map<string, Served>();
  let asOfMs = 0;
  const ending = new AbortController();
  const end = (): void => ending.abort();
  signal.addEventListener('abort', end);
  const following = ports.follow(
    {
      take: (figure) => void waiting.set(keyOfServed(figure), figure),
      current: (askedAtMs) => {
        asOfMs = askedAtMs;
      },
    },
    ending.signal,
  );
  const writing = async (): Promise<void> => {
    let isPrepared = false;
    while (!ending.signal.aborted) {
      // What is taken from here on is newer than what `asOfMs` speaks of.
      const [upTo, some] = [asOfMs, [...waiting].slice(0, figuresPerWrite)];
      try {
        if (!isPrepared) await ports.target.prepare();
        isPrepared = true;
        if (some.length > 0) await ports.target.write(some.map(([, figure]) => figure));
        for (const [key, figure] of some) if (waiting.get(key) === figure) waiting.delete(key);
        const isWhole = some.length < figuresPerWrite && upTo > status.asOfMs;
        if (isWhole && !(await ports.target.contain(upTo))) {
          ports.log('warn', 'what was served is gone: it is filled anew', {
            to: ports.target.name,
          });
          status.asOfMs = 0;
          return;
        }
        if (isWhole) status.asOfMs = upTo;
        status.written += some.length;
      } catch (error) {
        ports.log('warn', 'it is not served', { to: ports.target.name, error: String(error) });
        isPrepared = false;
        await sleep(againMs, ending.signal);
      }
      status.pending = waiting.size;
      await sleep(pauseMs, ending.signal);
    }
  };
  try {
    await Promise.race([writing(), following]);
  } finally {
    ending.abort();
    signal.removeEventListener('abort', end);
    await following;
  }
}

function sleep(ms: number, until: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      until.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    until.addEventListener('abort', done);
    if (until.aborted) done();
  });
}

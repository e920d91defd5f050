/**
 * Sends one after the other; what comes while one is on its way goes together. So a receiver that answers later is asked
 * less often, instead of being left with a queue of single sends that never gets shorter.
 */

export type GatheredSends<M> = {
  /** Resolves when the message has arrived; fails when what it was sent with has failed. */
  readonly send: (message: M, bytes: number) => Promise<void>;
  /** Resolves when nothing is on its way any more, whether it has arrived or failed. */
  readonly settled: () => Promise<void>;
};

type Batch<M> = { readonly messages: M[]; bytes: number; readonly sent: Promise<void> };

/** `bytesMax`: what goes together has no more, but for one message that has more by itself. */
export function gatheredSends<M>(
  send: (messages: M[]) => Promise<unknown>,
  bytesMax: number,
): GatheredSends<M> {
  let waiting: Batch<M> | undefined;
  let last: Promise<void> = Promise.resolve();

  const open = (): Batch<M> => {
    const messages: M[] = [];
    const sendAfter = async (before: Promise<void>): Promise<void> => {
      await before;
      // What is handed over in one go travels together, also when nothing is on its way.
      await new Promise((resolve) => setImmediate(resolve));
      if (waiting?.messages === messages) waiting = undefined;
      await send(messages);
    };
    const sent = sendAfter(last);
    // Its failure is told to those who wait for it; the next ones are sent all the same.
    last = sent.catch(() => undefined);
    return { messages, bytes: 0, sent };
  };

  return {
    send: (message, bytes) => {
      if (waiting === undefined || waiting.bytes + bytes > bytesMax) waiting = open();
      waiting.messages.push(message);
      waiting.bytes += bytes;
      return waiting.sent;
    },
    settled: () => last,
  };
}

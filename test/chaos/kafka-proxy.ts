/** A TCP proxy that knows where a Kafka request begins and what it asks for, and can hold one kind of request back. */
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Kafka's number for the request that ends a transaction. */
export const endTransaction = 26;

export type Held = {
  readonly afterMs: number;
  /** The broker's answer: 0, or the error by which it refused the late request. */
  readonly answer: number | undefined;
};

export type KafkaProxy = {
  readonly port: number;
  /**
   * Holds the next request of this kind back, and all that follows on its connection, for so long; then passes it on
   * though the client may long have given up. Resolves when the broker has answered or its connection is gone.
   */
  readonly hold: (apiKey: number, forMs: number) => Promise<Held>;
  readonly close: () => Promise<void>;
};

type Order = {
  readonly apiKey: number;
  readonly forMs: number;
  readonly done: (held: Held) => void;
};

export async function startKafkaProxy(brokerPort: () => number): Promise<KafkaProxy> {
  const sockets = new Set<Socket>();
  let order: Order | undefined;
  const take = (apiKey: number): Order | undefined => {
    const taken = order?.apiKey === apiKey ? order : undefined;
    if (taken !== undefined) order = undefined;
    return taken;
  };
  const server = createServer({ noDelay: true }, (client) => {
    const broker = connect({ port: brokerPort(), host: '127.0.0.1', noDelay: true });
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    passThrough(client, broker, take);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: portOf(server),
    hold: (apiKey, forMs) =>
      new Promise((done) => {
        order = { apiKey, forMs, done };
      }),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function passThrough(
  client: Socket,
  broker: Socket,
  take: (apiKey: number) => Order | undefined,
): void {
  let holding = false;
  let waiting: Buffer[] = [];
  let awaited:
    | { readonly correlation: number; readonly answer: (code: number) => void }
    | undefined;
  const requests = frames((frame) => {
    const taken = holding ? undefined : take(frame.readInt16BE(4));
    if (taken !== undefined) {
      holding = true;
      const startedMs = Date.now();
      const finish = (answer: number | undefined): void =>
        taken.done({ afterMs: Date.now() - startedMs, answer });
      broker.once('close', () => finish(undefined));
      setTimeout(() => {
        awaited = { correlation: frame.readInt32BE(8), answer: finish };
        for (const held of waiting) broker.write(held);
        waiting = [];
        holding = false;
        if (client.destroyed) setTimeout(() => broker.end(), 1_000);
      }, taken.forMs);
    }
    if (holding) waiting.push(frame);
    else broker.write(frame);
  });
  const answers = frames((frame) => {
    // Length, correlation id, throttle time, error: the answer of EndTxn in the versions that clients speak here.
    if (awaited?.correlation === frame.readInt32BE(4)) awaited.answer(frame.readInt16BE(12));
    if (!client.destroyed) client.write(frame);
  });
  client.on('data', requests);
  broker.on('data', answers);
  client.on('close', () => {
    if (!holding) broker.end();
  });
  broker.on('close', () => client.destroy());
  for (const socket of [client, broker]) socket.on('error', () => socket.destroy());
}

/** Cuts a stream of bytes into Kafka's frames, each with its length in front. */
function frames(each: (frame: Buffer) => void): (chunk: Buffer) => void {
  let left: Buffer = Buffer.alloc(0);
  return (chunk) => {
    left = left.length === 0 ? chunk : Buffer.concat([left, chunk]);
    while (left.length >= 4 && left.length >= 4 + left.readInt32BE(0)) {
      const end = 4 + left.readInt32BE(0);
      each(left.subarray(0, end));
      left = left.subarray(end);
    }
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

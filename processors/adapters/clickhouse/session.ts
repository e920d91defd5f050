/**
 * One session of the embedded engine as a connection of the client: one query at a time, and a new session after a
 * failed one. Seen with chdb 3.4: what a failed query had already put out comes back as the next query's result.
 */
import type { createClient } from '@clickhouse/client';
import type { ChdbConnection } from 'chdb/connection';

export type Connection = NonNullable<NonNullable<Parameters<typeof createClient>[0]>['connection']>;

export function embeddedSession(options: {
  readonly connect: () => ChdbConnection;
  /** Run on each new session: it keeps what they set. */
  readonly preparations: readonly string[];
}): Connection {
  let session: Promise<Connection> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  const prepared = async (): Promise<Connection> => {
    // The same contract, declared by two copies of the client's types.
    const connection = options.connect() as unknown as Connection;
    for (const query of options.preparations) await connection.command({ query });
    return connection;
  };
  const run = async <T>(call: (connection: Connection) => Promise<T>): Promise<T> => {
    if (isClosed) throw new Error('this ClickHouse session is closed');
    session ??= prepared();
    const current = session;
    try {
      return await call(await current);
    } catch (error) {
      session = undefined;
      await current.then(
        (connection) => connection.close(),
        () => undefined,
      );
      throw error;
    }
  };
  const inTurn = <T>(call: (connection: Connection) => Promise<T>): Promise<T> => {
    const result = last.then(() => run(call));
    last = result.catch(() => undefined);
    return result;
  };
  return {
    ping: (params) => inTurn((connection) => connection.ping(params)),
    query: (params) => inTurn((connection) => connection.query(params)),
    insert: (params) => inTurn((connection) => connection.insert(params)),
    command: (params) => inTurn((connection) => connection.command(params)),
    exec: (params) => inTurn((connection) => connection.exec(params)),
    close: async () => {
      await last;
      isClosed = true;
      await (await session)?.close();
    },
  };
}

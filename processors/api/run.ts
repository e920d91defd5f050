/** One instance of the API: its view, its followers and its server, from ports. */
import type { Outcome, Request } from '../../schemas/types.ts';
import { authenticateBy } from './authenticate.ts';
import { viewEvents } from './follow.ts';
import { KeyRing } from './keys.ts';
import { createServer, type ServerOptions } from './server.ts';
import type { ReadToken } from './token.ts';
import { StockView } from './view.ts';

export type ApiPorts = {
  /** Follows stock levels, channel figures, freshness, outcomes and keys until told to stop. */
  readonly follow: (events: ReturnType<typeof viewEvents>) => Promise<void>;
  readonly write: (request: Request) => Promise<void>;
};

export type ApiOptions = Pick<
  ServerOptions,
  'tls' | 'origins' | 'deadlineMs' | 'quota' | 'webhooks' | 'records'
> & {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly channels: readonly string[];
  /** May do everything. */
  readonly localKey: string;
  /** Absent: no tokens are taken. */
  readonly readToken?: ReadToken;
};

export type Api = {
  readonly url: string;
  readonly ready: () => boolean;
  readonly cells: () => number;
  /** How long ago everything that was committed then had been read. */
  readonly lagMs: () => number;
  /** Settles when following ends; rejects when it cannot go on. */
  readonly done: Promise<void>;
  readonly close: () => Promise<void>;
};

export async function runApi(ports: ApiPorts, options: ApiOptions): Promise<Api> {
  const view = new StockView({ channels: options.channels });
  const listeners: ((outcome: Outcome) => void)[] = [];
  const keys = new KeyRing();
  const events = viewEvents(view, keys, options.channels, (outcome) => {
    for (const listener of listeners) listener(outcome);
  });
  const { localKey, readToken } = options;
  const authenticate = authenticateBy({
    localKey,
    keys,
    isRestored: () => view.isRestored,
    ...(readToken === undefined ? {} : { readToken }),
  });
  const server = await createServer({
    ...options,
    authenticate,
    view,
    requests: {
      write: ports.write,
      onOutcome: (listener) => void listeners.push(listener),
    },
  });
  const done = ports.follow(events);
  const url = await server.listen({ host: options.host, port: options.port });
  return {
    url,
    ready: () => view.isRestored,
    cells: () => view.cells,
    lagMs: () => view.lagMs(Date.now()),
    done,
    close: () => server.close(),
  };
}

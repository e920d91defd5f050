/** One instance of the API: its view, its followers and its server, from ports. */
import type { Outcome, Request } from '../../schemas/types.ts';
import type { Authenticate } from './access.ts';
import { viewEvents } from './follow.ts';
import { createServer, type ServerOptions } from './server.ts';
import { StockView } from './view.ts';

export type ApiPorts = {
  /** Follows stock levels, channel figures, freshness and outcomes until told to stop. */
  readonly follow: (events: ReturnType<typeof viewEvents>) => Promise<void>;
  readonly write: (request: Request) => Promise<void>;
};

export type ApiOptions = Pick<ServerOptions, 'tls' | 'origins' | 'deadlineMs'> & {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly channels: readonly string[];
  readonly authenticate: Authenticate;
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
  const events = viewEvents(view, options.channels, (outcome) => {
    for (const listener of listeners) listener(outcome);
  });
  const server = await createServer({
    ...options,
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

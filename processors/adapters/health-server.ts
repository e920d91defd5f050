/** /livez, /readyz and /metrics of a process, for whoever watches it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type HealthServer = { readonly port: number; readonly close: () => Promise<void> };

export async function startHealthServer(options: {
  /** 0 takes a free one. */
  readonly port: number;
  readonly host?: string;
  /** False: the process cannot work any more and should be replaced. */
  readonly live: () => boolean;
  readonly ready: () => boolean;
  readonly metrics: () => Promise<string>;
  readonly contentType: string;
}): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const answer = (status: number, text: string, type = 'text/plain'): void => {
      response.writeHead(status, { 'content-type': type }).end(text);
    };
    switch (request.url) {
      case '/livez':
        return options.live() ? answer(200, 'live\n') : answer(503, 'not live\n');
      case '/readyz':
        return options.ready() ? answer(200, 'ready\n') : answer(503, 'not ready\n');
      case '/metrics':
        options.metrics().then(
          (text) => answer(200, text, options.contentType),
          (error: unknown) => answer(500, `${String(error)}\n`),
        );
        return;
      default:
        return answer(404, '/livez, /readyz and /metrics are here\n');
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new Error(
          `the health server cannot listen on port ${options.port}: set STOCKLINE_HEALTH_PORT to another one`,
          { cause: error },
        ),
      );
    });
    server.listen(options.port, options.host ?? '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

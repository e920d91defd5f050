/** A real Kafka of our own, behind the proxy, that can be killed and started again. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Stack, startStack } from '../../deploy/native/stack.ts';
import { type KafkaProxy, startKafkaProxy } from './kafka-proxy.ts';

export type ChaosKafka = {
  /** Past the proxy: for load and readers. */
  readonly direct: string;
  /** Through the proxy: for the processes under chaos. */
  readonly proxied: string;
  readonly proxy: KafkaProxy;
  readonly directory: string;
  /** Kills the broker with -9, or stops it in good order, and starts it again on the same data. */
  readonly restart: (how: 'SIGKILL' | 'SIGTERM') => Promise<void>;
  readonly close: () => Promise<void>;
};

export async function startChaosKafka(report: (line: string) => void): Promise<ChaosKafka> {
  const directory = mkdtempSync(join(tmpdir(), 'stockline-chaos-'));
  const port = await freePort();
  const proxy = await startKafkaProxy(() => port);
  const start = (): Promise<Stack> =>
    startStack({
      directory,
      parts: ['kafka'],
      proxied: { port, advertisedPort: proxy.port },
      report,
    });
  let stack = await start();
  return {
    direct: stack.addresses.kafkaBrokers,
    proxied: `127.0.0.1:${proxy.port}`,
    proxy,
    directory,
    restart: async (how) => {
      if (how === 'SIGKILL') {
        process.kill(Number(readFileSync(`${directory}/pids/kafka`, 'utf8')), 'SIGKILL');
      }
      await stack.stop();
      stack = await start();
    },
    close: async () => {
      await stack.stop();
      await proxy.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

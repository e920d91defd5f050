/** Which port each part listens on: from the environment, else the one of last time, else a free one. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

const portVariables = {
  kafka: 'STOCKLINE_KAFKA_PORT',
  kafkaController: 'STOCKLINE_KAFKA_CONTROLLER_PORT',
  registry: 'STOCKLINE_REGISTRY_PORT',
  connect: 'STOCKLINE_CONNECT_PORT',
  postgres: 'STOCKLINE_POSTGRES_PORT',
  mariadb: 'STOCKLINE_MARIADB_PORT',
} as const;

export type PortName = keyof typeof portVariables;
export type Ports = Readonly<Record<PortName, number>>;

/** Ports are remembered in `file`, so that addresses stay the same from start to start. */
export async function choosePorts(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Ports> {
  const remembered: Partial<Record<string, number>> = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>)
    : {};
  const chosen: Record<string, number> = {};
  for (const [name, variable] of Object.entries(portVariables)) {
    const wanted = environment[variable];
    if (wanted !== undefined && wanted !== '') {
      chosen[name] = await demanded(name, variable, wanted);
      continue;
    }
    const before = remembered[name];
    const keep = before !== undefined && (await isFree(before));
    chosen[name] = keep ? before : await freePort(new Set(Object.values(chosen)));
  }
  writeFileSync(file, `${JSON.stringify(chosen)}\n`);
  return chosen as Ports;
}

async function demanded(name: string, variable: string, text: string): Promise<number> {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`${variable}=${text} is not a port: give a number from 1 to 65535`);
  }
  if (!(await isFree(port))) {
    throw new Error(
      `port ${port} for ${name} is in use: end what listens there (see it with: ss -ltnp 'sport = :${port}'), ` +
        `or set ${variable} to another port, or unset it to have a free one chosen`,
    );
  }
  return port;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });
}

export async function freePort(taken: ReadonlySet<number> = new Set()): Promise<number> {
  for (;;) {
    const port = await new Promise<number>((resolve, reject) => {
      const server = createServer();
      server.once('error', reject);
      server.listen({ port: 0, host: '127.0.0.1' }, () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
      });
    });
    if (!taken.has(port)) return port;
  }
}

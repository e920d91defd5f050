/**
 * The one provider of real parts for tests. Native by default; `STOCKLINE_TEST_STACK=containers` takes them from
 * docker-compose.yml through testcontainers, where a Docker engine is there. Started once for all `*.real.test.ts`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DockerComposeEnvironment, Wait } from 'testcontainers';
import type { TestProject } from 'vitest/node';
import { type StackAddresses, startStack } from '../../deploy/native/stack.ts';

declare module 'vitest' {
  interface ProvidedContext {
    stack: StackAddresses;
  }
}

type Provided = { readonly addresses: StackAddresses; readonly stop: () => Promise<void> };

async function nativeStack(): Promise<Provided> {
  const directory = mkdtempSync(join(tmpdir(), 'stockline-test-'));
  const stack = await startStack({
    directory,
    report: (line) => process.stderr.write(`${line}\n`),
  });
  return {
    addresses: stack.addresses,
    stop: async () => {
      await stack.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function containerStack(): Promise<Provided> {
  const secretsDirectory = mkdtempSync(join(tmpdir(), 'stockline-secrets-'));
  const environment = await new DockerComposeEnvironment('.', 'docker-compose.yml')
    .withWaitStrategy('connect', Wait.forHealthCheck())
    .withWaitStrategy('registry', Wait.forHealthCheck())
    .up(['kafka', 'registry', 'postgres', 'mariadb', 'connect']);
  const at = (name: string, port: number) => {
    const container = environment.getContainer(`${name}-1`);
    return { host: container.getHost(), port: container.getMappedPort(port) };
  };
  const url = (name: string, port: number): string => {
    const place = at(name, port);
    return `http://${place.host}:${place.port}`;
  };
  const kafka = at('kafka', 9092);
  return {
    addresses: {
      kafkaBrokers: `${kafka.host}:${kafka.port}`,
      registryUrl: `${url('registry', 8080)}/apis/ccompat/v7`,
      connectUrl: url('connect', 8083),
      postgres: { ...at('postgres', 5432), adminUser: 'postgres', adminPassword: 'postgres' },
      mariadb: { ...at('mariadb', 3306), adminUser: 'root', adminPassword: 'root' },
      secretsDirectory,
    },
    stop: async () => {
      await environment.down();
    },
  };
}

/** Called by vitest before the first and after the last real test. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const containers = process.env.STOCKLINE_TEST_STACK === 'containers';
  const provided = containers ? await containerStack() : await nativeStack();
  project.provide('stack', provided.addresses);
  return provided.stop;
}

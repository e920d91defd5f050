/**
 * The native stack: Kafka, registry, Connect, PostgreSQL and MariaDB as processes of this machine, under one folder.
 *
 *   kafka ──► registry ──► (ready)        postgres ──► (ready)
 *         └─► connect  ──► (ready)        mariadb  ──► (ready)
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { databaseAccount } from './account.ts';
import { startConnect } from './connect.ts';
import type { StackContext } from './context.ts';
import { type ProxiedListener, startKafka } from './kafka.ts';
import { mariadbAdmin, startMariadb } from './mariadb.ts';
import {
  fetchJars,
  java,
  javaMin,
  mariadbProgram,
  postgresPrograms,
  type Report,
} from './packages.ts';
import { choosePorts } from './ports.ts';
import { postgresAdmin, startPostgres } from './postgres.ts';
import { endLeftovers, type PartProcess } from './process.ts';
import { startRegistry } from './registry.ts';

export type StackPart = 'kafka' | 'registry' | 'postgres' | 'mariadb' | 'connect';

export type DatabaseAddress = {
  readonly host: string;
  readonly port: number;
  readonly adminUser: string;
  readonly adminPassword: string;
};

export type StackAddresses = {
  readonly kafkaBrokers: string;
  /** Confluent-compatible. */
  readonly registryUrl: string;
  readonly connectUrl: string;
  readonly postgres: DatabaseAddress;
  readonly mariadb: DatabaseAddress;
  /** Files in here are what `\${dir:...}` in a connector's configuration refers to. */
  readonly secretsDirectory: string;
};

export type Stack = { readonly addresses: StackAddresses; readonly stop: () => Promise<void> };

export type StackOptions = {
  /** Holds data, logs and ports; another start on it goes on with the same data. */
  readonly directory: string;
  readonly parts?: readonly StackPart[];
  /** For tests that stand between Kafka and its clients. */
  readonly proxied?: ProxiedListener;
  /** The stack lives for minutes only: Kafka's second compiler would take half a core from what is measured on it. */
  readonly isBrief?: boolean;
  readonly report: Report;
  readonly signal?: AbortSignal;
  /** Told when a part that was running has ended by itself. */
  readonly onLost?: (sentence: string) => void;
};

const allParts: readonly StackPart[] = ['kafka', 'registry', 'postgres', 'mariadb', 'connect'];
const freeBytesMin = 2 * 1024 ** 3;
const stopDeadlineMs = 6_000;

export async function startStack(options: StackOptions): Promise<Stack> {
  const directory = resolve(options.directory);
  checkPath(directory);
  for (const folder of ['logs', 'pids', 'config']) {
    mkdirSync(`${directory}/${folder}`, { recursive: true });
  }
  checkSpace(directory);
  const unlock = lock(directory);
  const started: PartProcess[] = [];
  const stop = async (): Promise<void> => {
    await stopAll(started.splice(0));
    unlock();
  };
  try {
    endLeftovers(directory, options.report);
    const context = await prepare(directory, options);
    await startParts(context, new Set(options.parts ?? allParts), started);
    for (const part of started) void part.lost.then((sentence) => options.onLost?.(sentence));
    return { addresses: addressesOf(context), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Folders, ports, jars, passwords: everything but processes. */
async function prepare(directory: string, options: StackOptions): Promise<StackContext> {
  const cache = resolve(
    process.env.STOCKLINE_CACHE ??
      `${process.env.XDG_CACHE_HOME ?? `${homedir()}/.cache`}/stockline`,
  );
  mkdirSync(cache, { recursive: true });
  const secretsDirectory = `${directory}/secrets`;
  mkdirSync(secretsDirectory, { recursive: true, mode: 0o700 });
  const logging = `${directory}/config/log4j2.properties`;
  writeFileSync(logging, javaLogging);
  let runtime: Promise<string> | undefined;
  const javaPath = (): Promise<string> => {
    runtime ??= java(javaMin, cache, options.report);
    return runtime;
  };
  return {
    directory,
    secretsDirectory,
    cache,
    ports: await choosePorts(`${directory}/ports.json`, process.env),
    proxied: options.proxied,
    isBrief: options.isBrief ?? false,
    jars: await fetchJars(cache, { java: javaPath, report: options.report }),
    adminPassword: adminPassword(`${secretsDirectory}/admin-password`),
    java: javaPath,
    javaLogging: () => [`-Dlog4j2.configurationFile=${logging}`],
    report: options.report,
    signal: options.signal,
  };
}

const javaLogging = `rootLogger.level=INFO
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c{1}: %m%n
logger.metadata.name=org.apache.kafka.clients
logger.metadata.level=WARN
logger.config.name=org.apache.kafka.common.config
logger.config.level=WARN
`;

function adminPassword(file: string): string {
  if (!existsSync(file)) writeFileSync(file, randomBytes(18).toString('hex'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}

async function startParts(
  context: StackContext,
  wanted: ReadonlySet<StackPart>,
  started: PartProcess[],
): Promise<void> {
  const beganAtMs = Date.now();
  const start = async (name: StackPart, begin: () => Promise<PartProcess>): Promise<void> => {
    if (!wanted.has(name)) return;
    started.push(await begin());
    context.report(`${name}: running (${((Date.now() - beganAtMs) / 1000).toFixed(0)} s)`);
  };
  // Missing packages are installed one after the other: apt has one lock.
  if (wanted.has('postgres')) await postgresPrograms(context.report);
  if (wanted.has('mariadb')) await mariadbProgram(context.report);
  const account = (name: string) => databaseAccount(name, context.directory);
  const kafkaAndAfter = async (): Promise<void> => {
    await start('kafka', () => startKafka(context));
    await Promise.all([
      start('registry', () => startRegistry(context)),
      start('connect', () => startConnect(context)),
    ]);
  };
  const outcomes = await Promise.allSettled([
    kafkaAndAfter(),
    start('postgres', () => startPostgres(context, account('postgres'))),
    start('mariadb', () => startMariadb(context, account('mysql'))),
  ]);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** Those that need others go first. */
async function stopAll(parts: readonly PartProcess[]): Promise<void> {
  const early = parts.filter((part) => part.name === 'connect' || part.name === 'registry');
  const late = parts.filter((part) => !early.includes(part));
  for (const group of [early, late]) {
    await Promise.all(group.map((part) => part.stop(stopDeadlineMs)));
  }
}

function addressesOf(context: StackContext): StackAddresses {
  const { ports, adminPassword: password } = context;
  const host = '127.0.0.1';
  return {
    kafkaBrokers: `${host}:${ports.kafka}`,
    registryUrl: `http://${host}:${ports.registry}/apis/ccompat/v7`,
    connectUrl: `http://${host}:${ports.connect}`,
    postgres: { host, port: ports.postgres, adminUser: postgresAdmin, adminPassword: password },
    mariadb: { host, port: ports.mariadb, adminUser: mariadbAdmin, adminPassword: password },
    secretsDirectory: context.secretsDirectory,
  };
}

/** Java reads such names by the locale, and its settings in Latin-1: each part would look elsewhere. */
function checkPath(directory: string): void {
  if (/^[\x20-\x7e]*$/.test(directory)) return;
  throw new Error(
    `the path of ${directory} has letters beyond ASCII, which Kafka Connect does not find again: choose another folder with --directory`,
  );
}

function checkSpace(directory: string): void {
  const disk = statfsSync(directory);
  const fault = spaceFault(disk.bavail * disk.bsize, directory);
  if (fault !== undefined) throw new Error(fault);
}

/** What is said when so few bytes are free; undefined when they are enough. */
export function spaceFault(freeBytes: number, directory: string): string | undefined {
  if (freeBytes >= freeBytesMin) return undefined;
  return (
    `only ${Math.round(freeBytes / 1024 ** 2)} MB are free where ${directory} lies, and 2 GB are needed: ` +
    'free some space, or choose another folder with --directory'
  );
}

/** One launcher per folder. Returns what gives the folder free again. */
function lock(directory: string): () => void {
  const file = `${directory}/lock`;
  if (existsSync(file)) {
    const pid = Number(readFileSync(file, 'utf8'));
    if (pid !== process.pid && existsSync(`/proc/${pid}`)) {
      throw new Error(
        `another start (process ${pid}) works on ${directory}: end it first, or choose another folder with --directory`,
      );
    }
  }
  writeFileSync(file, String(process.pid));
  return () => rmSync(file, { force: true });
}

/** Where everything is: from the environment, else from the pipeline that `npm start` runs in this folder. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { StackAddresses } from '../../deploy/native/stack.ts';
import { type Environment, parseEnvironment } from '../config.ts';
import type { DatabaseAccess } from './sources.ts';

/** As seen from here and from Kafka Connect alike. */
export type Places = {
  readonly brokers: string;
  /** Confluent-compatible. */
  readonly registryUrl: string;
  readonly connectUrl: string;
  /** Holds the passwords of the capture user, which Kafka Connect reads by itself. */
  readonly secretsDirectory: string;
  readonly erp: DatabaseAccess;
  readonly pos: DatabaseAccess;
};

const shape = z.object({
  STOCKLINE_KAFKA: z.string().min(1),
  STOCKLINE_REGISTRY: z.url(),
  STOCKLINE_CONNECT: z.url(),
  STOCKLINE_SECRETS: z.string().min(1),
  STOCKLINE_ERP: z.url({ protocol: /^postgres(ql)?$/ }),
  STOCKLINE_ERP_PASSWORD: z.string(),
  STOCKLINE_POS: z.url({ protocol: /^(mariadb|mysql)$/ }),
  STOCKLINE_POS_PASSWORD: z.string(),
});

const fileOf = (directory: string): string => `${directory}/run/stack.json`;

/** Throws a sentence that says what is missing and how to give it. */
export function readPlaces(environment: Environment, directory: string): Places {
  if (environment.STOCKLINE_KAFKA === undefined) return placesOf(rememberedStack(directory));
  const values = parseEnvironment(shape, environment);
  return {
    brokers: values.STOCKLINE_KAFKA,
    registryUrl: values.STOCKLINE_REGISTRY,
    connectUrl: values.STOCKLINE_CONNECT,
    secretsDirectory: values.STOCKLINE_SECRETS,
    erp: accessOf(values.STOCKLINE_ERP, values.STOCKLINE_ERP_PASSWORD, 5432),
    pos: accessOf(values.STOCKLINE_POS, values.STOCKLINE_POS_PASSWORD, 3306),
  };
}

const kafkaShape = shape.pick({ STOCKLINE_KAFKA: true, STOCKLINE_REGISTRY: true });

/** As `readPlaces`, for commands that read topics and need nothing else. */
export function readKafkaPlaces(
  environment: Environment,
  directory: string,
): Pick<Places, 'brokers' | 'registryUrl'> {
  if (environment.STOCKLINE_KAFKA === undefined) return placesOf(rememberedStack(directory));
  const values = parseEnvironment(kafkaShape, environment);
  return { brokers: values.STOCKLINE_KAFKA, registryUrl: values.STOCKLINE_REGISTRY };
}

/** The two legacy systems of the demonstration on a stack. */
export function placesOf(addresses: StackAddresses): Places {
  return {
    brokers: addresses.kafkaBrokers,
    registryUrl: addresses.registryUrl,
    connectUrl: addresses.connectUrl,
    secretsDirectory: addresses.secretsDirectory,
    erp: { ...addresses.postgres, database: 'erp' },
    pos: { ...addresses.mariadb, database: 'pos' },
  };
}

/** Leaves the addresses for the other commands; only the owner may read them. */
export function rememberStack(directory: string, addresses: StackAddresses): void {
  mkdirSync(`${directory}/run`, { recursive: true });
  writeFileSync(fileOf(directory), JSON.stringify(addresses), { mode: 0o600 });
}

function rememberedStack(directory: string): StackAddresses {
  const file = fileOf(directory);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as StackAddresses;
  throw new Error(
    `no pipeline is known here: ${file} is not there, and STOCKLINE_KAFKA is not set.\n` +
      'Start it with `npm start` (or name its folder with --directory), or give the addresses in the environment.',
  );
}

function accessOf(text: string, password: string, port: number): DatabaseAccess {
  const url = new URL(text);
  return {
    host: url.hostname,
    port: url.port === '' ? port : Number(url.port),
    adminUser: decodeURIComponent(url.username),
    adminPassword: password,
    database: decodeURIComponent(url.pathname.slice(1)),
  };
}

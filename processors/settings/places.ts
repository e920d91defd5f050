/** Where everything is: from the environment, else from the pipeline that `npm start` runs in this folder. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { systems } from '../../connectors/systems.ts';
import type { StackAddresses } from '../../deploy/native/stack.ts';
import type { CaptureAccess } from '../adapters/source-log.ts';
import type { DatabaseAccess } from '../cli/source/grants.ts';
import { type Environment, parseEnvironment } from '../config.ts';
import type { SystemMapping } from '../intake/mapping.ts';

/** As seen from here and from Kafka Connect alike. */
export type Places = {
  readonly brokers: string;
  /** Confluent-compatible. */
  readonly registryUrl: string;
  readonly connectUrl: string;
  /** Holds the passwords of the capture user, which Kafka Connect reads by itself. */
  readonly secretsDirectory: string;
  /** By system. */
  readonly sources: Readonly<Record<string, DatabaseAccess>>;
};

const shape = z.object({
  STOCKLINE_KAFKA: z.string().min(1),
  STOCKLINE_REGISTRY: z.url(),
  STOCKLINE_CONNECT: z.url(),
  STOCKLINE_SECRETS: z.string().min(1),
});

const schemes = {
  postgresql: { protocol: /^postgres(ql)?$/, port: 5432 },
  mariadb: { protocol: /^(mariadb|mysql)$/, port: 3306 },
} as const;

/** `STOCKLINE_ERP` and `STOCKLINE_ERP_PASSWORD` of the system `erp`. */
const variableOf = (system: string): string =>
  `STOCKLINE_${system.toUpperCase().replaceAll('-', '_')}`;

/** The user that captures, in every source; README.md names it. */
export const captureUser = 'stockline';

/** A source as the user that captures sees it. */
export function captureAccess(
  { sources, secretsDirectory }: Pick<Places, 'sources' | 'secretsDirectory'>,
  { system, kind }: SystemMapping,
): CaptureAccess {
  const access = sources[system];
  if (access === undefined) throw new Error(`where the database of ${system} is was not said`);
  const { host, port, database } = access;
  const password = readFileSync(`${secretsDirectory}/${system}-password`, 'utf8').trim();
  return { kind, host, port, user: captureUser, password, database };
}

/** A source whose log is watched. */
export type Watched = { readonly mapping: SystemMapping; readonly access: CaptureAccess };

/** The sources that a running process was told of, as the user that captures sees them: it needs no other. */
export function watchedSources(environment: Environment): readonly Watched[] {
  const secretsDirectory = environment.STOCKLINE_SECRETS;
  if (secretsDirectory === undefined) return [];
  return systems.flatMap((mapping) => {
    const url = environment[variableOf(mapping.system)];
    if (url === undefined) return [];
    const sources = { [mapping.system]: accessOf(url, '', schemes[mapping.kind].port) };
    return [{ mapping, access: captureAccess({ sources, secretsDirectory }, mapping) }];
  });
}

/** What `watchedSources` reads in the environment of a process. */
export function watchedEnvironment({ sources, secretsDirectory }: Places): Environment {
  const urls = systems.flatMap(({ system, kind }) => {
    const access = sources[system];
    return access === undefined
      ? []
      : [[variableOf(system), `${kind}://${access.host}:${access.port}/${access.database}`]];
  });
  return { STOCKLINE_SECRETS: secretsDirectory, ...Object.fromEntries(urls) };
}

function sourcesIn(environment: Environment): Places['sources'] {
  const wanted = Object.fromEntries(
    systems.flatMap(({ system, kind }) => [
      [variableOf(system), z.url({ protocol: schemes[kind].protocol })],
      [`${variableOf(system)}_PASSWORD`, z.string()],
    ]),
  );
  const values = parseEnvironment(z.object(wanted), environment) as Readonly<
    Record<string, string>
  >;
  return Object.fromEntries(
    systems.map(({ system, kind }) => {
      const url = values[variableOf(system)] ?? '';
      const password = values[`${variableOf(system)}_PASSWORD`] ?? '';
      return [system, accessOf(url, password, schemes[kind].port)];
    }),
  );
}

const fileOf = (directory: string): string => `${directory}/run/stack.json`;

/** Throws a sentence that says what is missing and how to give it. */
export function readPlaces(environment: Environment, directory: string): Places {
  if (environment.STOCKLINE_KAFKA === undefined)
    return placesOf(rememberedStack(directory), environment);
  const values = parseEnvironment(shape, environment);
  return {
    brokers: values.STOCKLINE_KAFKA,
    registryUrl: values.STOCKLINE_REGISTRY,
    connectUrl: values.STOCKLINE_CONNECT,
    secretsDirectory: values.STOCKLINE_SECRETS,
    sources: sourcesIn(environment),
  };
}

const kafkaShape = shape.pick({ STOCKLINE_KAFKA: true, STOCKLINE_REGISTRY: true });

/** As `readPlaces`, for commands that read topics and need nothing else. */
export function readKafkaPlaces(
  environment: Environment,
  directory: string,
): Pick<Places, 'brokers' | 'registryUrl'> {
  if (environment.STOCKLINE_KAFKA === undefined)
    return placesOf(rememberedStack(directory), environment);
  const values = parseEnvironment(kafkaShape, environment);
  return { brokers: values.STOCKLINE_KAFKA, registryUrl: values.STOCKLINE_REGISTRY };
}

/** On a stack the systems' databases are its own, by their names, unless the environment says where one is. */
export function placesOf(addresses: StackAddresses, environment: Environment = {}): Places {
  return {
    brokers: addresses.kafkaBrokers,
    registryUrl: addresses.registryUrl,
    connectUrl: addresses.connectUrl,
    secretsDirectory: addresses.secretsDirectory,
    sources: Object.fromEntries(
      systems.map(({ system, kind, schema }) => {
        const own =
          kind === 'postgresql'
            ? { ...addresses.postgres, database: system }
            : { ...addresses.mariadb, database: schema };
        const url = environment[variableOf(system)];
        const password = environment[`${variableOf(system)}_PASSWORD`] ?? '';
        return [system, url === undefined ? own : accessOf(url, password, schemes[kind].port)];
      }),
    ),
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

/** One legacy system on real parts: its database, its connector, its intake in this process, and what intake tells. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Connection, createConnection } from 'mysql2/promise';
import pg from 'pg';
import type { StackAddresses } from '../../deploy/native/stack.ts';
import { registerSchemas } from '../../processors/adapters/avro/registry.ts';
import {
  connectorState,
  convergeConnector,
  readInPieces,
  waitUntilRunning,
} from '../../processors/adapters/connect-rest.ts';
import { signalBlockingSnapshot, signalTopic } from '../../processors/adapters/connector-signal.ts';
import {
  applyTopics,
  changelogSettings,
  foreignSettings,
  topicSettings,
} from '../../processors/adapters/kafka/admin.ts';
import {
  readDeadLetters,
  redriveLetters,
} from '../../processors/adapters/kafka/dead-letter-log.ts';
import { readTopics } from '../../processors/adapters/kafka/independent-reader.ts';
import { kafkaRuntime } from '../../processors/adapters/kafka/runtime.ts';
import { readTopic } from '../../processors/adapters/kafka/topic-reader.ts';
import { processTelemetry } from '../../processors/adapters/telemetry.ts';
import type { Change } from '../../processors/cdc/change.ts';
import { columnNames } from '../../processors/cdc/table.ts';
import { fillTemplate, secret } from '../../processors/cli/connectors.ts';
import { openLetters } from '../../processors/cli/dead-letters.ts';
import { grantMariadb, grantPostgres } from '../../processors/cli/source/grants.ts';
import { capturedTables, type SystemMapping } from '../../processors/intake/mapping.ts';
import { intakeTopology, sourceTopics, tableTopic } from '../../processors/intake/topology.ts';
import { createProcessor } from '../../processors/runtime/run.ts';
import { alerts, deadLetters, freshness, movements } from '../../processors/topics.ts';
import type { Topic } from '../../processors/topology/topic.ts';
import type { Alert, DeadLetter, Movement } from '../../schemas/types.ts';

export type Figures = Readonly<Record<string, number>>;

export type CapturedSystem = {
  /** Statements in the legacy database. */
  readonly sql: (text: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** A session of its own. */
  readonly session: () => Promise<{
    readonly sql: (text: string) => Promise<unknown>;
    readonly end: () => Promise<void>;
  }>;
  /** `bucket sku location` → the sum of what was told, in units. */
  readonly told: () => Figures;
  readonly movements: () => readonly Movement[];
  readonly alerts: () => readonly Alert[];
  readonly deadLetters: () => Promise<readonly DeadLetter[]>;
  readonly redrive: () => Promise<number>;
  /** Waits until what was told is what `figures` says. */
  readonly settles: (figures: () => Promise<Figures>, deadlineMs?: number) => Promise<void>;
  /** Ends intake and begins it again by another mapping. */
  readonly restart: (mapping: SystemMapping) => Promise<void>;
  readonly connector: (
    method: 'PUT' | 'PATCH' | 'DELETE' | 'GET' | 'POST',
    path: string,
    body?: unknown,
  ) => Promise<unknown>;
  /** What the connector has told of a table until now. */
  readonly changes: (table: string) => Promise<readonly Change[]>;
  /** Has tables read again while the connector runs. */
  readonly snapshot: (kind: 'incremental' | 'blocking', ...tables: string[]) => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** What a query of names and sums says, without those that are nothing. */
export async function figuresOf(
  source: Pick<CapturedSystem, 'sql'>,
  query: string,
): Promise<Figures> {
  const rows = await source.sql(query);
  return Object.fromEntries(
    rows.filter((row) => Number(row.sum) !== 0).map((row) => [String(row.name), Number(row.sum)]),
  );
}

const ownTopics = [movements, alerts, freshness, deadLetters];
const anyTopic = (topic: unknown) => topic as Topic<never, never>;

export async function captureSystem(options: {
  readonly stack: StackAddresses;
  readonly mapping: SystemMapping;
  /** Made anew, by these statements. */
  readonly schema: string;
  readonly extra?: Readonly<Record<string, string>>;
  /** What goes on in the database while its capture begins, until it has. */
  readonly meanwhile?: (sql: CapturedSystem['sql'], hasBegun: () => boolean) => Promise<void>;
}): Promise<CapturedSystem> {
  const { stack, mapping } = options;
  const { system } = mapping;
  const database = await openDatabase(stack, mapping, options.schema);
  const places = { brokers: stack.kafkaBrokers, registryUrl: stack.registryUrl };
  await applyTopics(stack.kafkaBrokers, [
    ...sourceTopics(mapping).map((name) => foreignSettings({ name })),
    ...ownTopics.map((topic) => topicSettings(anyTopic(topic))),
    changelogSettings(intakeTopology(mapping)),
    signalTopic,
  ]);
  await registerSchemas(stack.registryUrl, ownTopics.map(anyTopic));
  let hasBegun = false;
  const meanwhile = options.meanwhile?.(database.sql, () => hasBegun);
  await capture(stack, mapping, options.extra ?? {});

  const told = new Map<string, number>();
  const movementsSeen: Movement[] = [];
  const alertsSeen: Alert[] = [];
  const reader = await readTopics({
    ...places,
    group: `captured-${system}-${process.pid}`,
    topics: [movements.name, alerts.name],
    onRecord: ({ topic, value }) => {
      if ((value as { readonly system?: string })?.system !== system) return;
      if (topic === alerts.name) return void alertsSeen.push(value as Alert);
      const movement = value as Movement;
      movementsSeen.push(movement);
      for (const { bucket, location, quantity, kind } of movement.effects) {
        if (kind === 'count') continue;
        const name = `${bucket} ${movement.sku} ${location}`;
        told.set(name, Math.round(((told.get(name) ?? 0) + quantity) * 1000) / 1000);
      }
    },
  });
  const stateDirectory = mkdtempSync(join(tmpdir(), `captured-${system}-`));
  let intake = startIntake(mapping, places, stateDirectory);
  hasBegun = true;
  await meanwhile;

  const figures = (): Figures => Object.fromEntries([...told].filter(([, sum]) => sum !== 0));
  const connector: CapturedSystem['connector'] = async (method, path, body) => {
    const answer = await fetch(`${stack.connectUrl}/connectors/${system}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    // 409: the workers are agreeing on who does what.
    if (answer.status === 409) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      return connector(method, path, body);
    }
    if (!answer.ok && answer.status !== 404) throw new Error(`${method} ${path}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const letters = async () =>
    openLetters(await readDeadLetters(places, deadLetters)).filter(
      ({ letter }) => letter.processor === `intake-${system}`,
    );
  return {
    ...database,
    told: figures,
    movements: () => movementsSeen,
    alerts: () => alertsSeen,
    deadLetters: async () => (await letters()).map(({ letter }) => letter),
    redrive: async () => {
      const open = await letters();
      await redriveLetters(places, deadLetters, open, ({ place, letter }) => ({
        ...letter,
        timestamp: 0,
        code: 'REDRIVEN',
        reason: place,
        key: null,
        value: null,
        headers: [],
      }));
      return open.length;
    },
    settles: async (wanted, deadlineMs = 30_000) => {
      const giveUpAt = Date.now() + deadlineMs;
      for (;;) {
        const [expected, seen] = [sorted(await wanted()), sorted(figures())];
        if (expected === seen) return;
        if (Date.now() > giveUpAt) {
          const { state, cause } = await connectorState(stack.connectUrl, system);
          throw new Error(
            `${system} does not settle; its connector is ${state} ${cause}\nSQL:  ${expected}\ntold: ${seen}\n` +
              `openings: ${openingsOf(movementsSeen)}\nalerts: ${JSON.stringify(alertsSeen.slice(-3))}`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    restart: async (changed) => {
      await intake.stop();
      intake = startIntake(changed, places, stateDirectory);
    },
    connector,
    changes: async (name) => {
      const topic = tableTopic(system, mapping.schema, name);
      const input = intakeTopology(mapping).inputs.find((one) => one.name === topic);
      const found: Change[] = [];
      await readTopic(places, anyTopic({ ...input, partitions: 1 }), {
        onRecord: ({ value }) => {
          if ((value as Change | undefined)?.kind === 'change') found.push(value as Change);
        },
      });
      return found;
    },
    snapshot: (kind, ...names) => {
      const tables = names.map((name) => `${mapping.schema}.${name}`);
      return kind === 'blocking'
        ? signalBlockingSnapshot(stack.kafkaBrokers, { connector: system, tables })
        : readInPieces(stack.connectUrl, system, tables, { deadlineMs: 60_000 });
    },
    stop: async () => {
      await connector('DELETE', '');
      await intake.stop();
      await reader.stop();
      if (mapping.kind === 'postgresql') await dropSlot(database.sql, `stockline_${system}`);
      await database.close();
      rmSync(stateDirectory, { recursive: true, force: true });
    },
  };
}

function openingsOf(told: readonly Movement[]): string {
  const openings = told.flatMap(({ sku, effects }) =>
    effects
      .filter(({ kind }) => kind === 'opening')
      .map(({ location, quantity }) => `${sku} ${location} ${quantity}`),
  );
  return openings.join(', ');
}

/** A server has few: what nobody reads any more goes, once its connector is gone. */
async function dropSlot(sql: CapturedSystem['sql'], slot: string): Promise<void> {
  const left = `FROM pg_replication_slots WHERE slot_name = '${slot}'`;
  for (let tries = 0; tries < 50; tries += 1) {
    await sql(`SELECT pg_drop_replication_slot(slot_name) ${left} AND NOT active`);
    if ((await sql(`SELECT 1 ${left}`)).length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const sorted = (figures: Figures): string =>
  JSON.stringify(Object.entries(figures).sort(([one], [other]) => (one < other ? -1 : 1)));

function startIntake(
  mapping: SystemMapping,
  places: { readonly brokers: string; readonly registryUrl: string },
  stateDirectory: string,
) {
  const topology = intakeTopology(mapping);
  const telemetry = processTelemetry({ logLevel: 'error' }).of(topology.name);
  const stopping = new AbortController();
  const processor = createProcessor(
    topology,
    kafkaRuntime({ ...places, stateDirectory, telemetry }),
    {
      application: 'captured',
      deadLetters,
    },
  );
  const done = processor.run(stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await done;
    },
  };
}

/** The connector of `erp` or `pos`, turned to this system's tables. */
async function capture(
  stack: StackAddresses,
  mapping: SystemMapping,
  extra: Readonly<Record<string, string>>,
): Promise<void> {
  const { system, kind, schema } = mapping;
  const tables = capturedTables(mapping);
  const names = tables.map((table) => `${schema}.${table.name}`);
  const user = { user: 'stockline', password: '' };
  const model = kind === 'postgresql' ? 'erp' : 'pos';
  user.password = secret(stack.secretsDirectory, `${model}-password`);
  if (kind === 'postgresql') {
    const access = { ...stack.postgres, database: system };
    await grantPostgres(access, user, { name: `stockline_${system}`, tables: names });
  } else await grantMariadb({ ...stack.mariadb, database: schema }, user);
  const template = readFileSync(`connectors/${model}/connector.json`, 'utf8');
  const config = fillTemplate(template, {
    host: stack[kind === 'postgresql' ? 'postgres' : 'mariadb'].host,
    port: String(stack[kind === 'postgresql' ? 'postgres' : 'mariadb'].port),
    kafka: stack.kafkaBrokers,
    registry: stack.registryUrl.replace('/apis/ccompat/v7', '/apis/registry/v2'),
    secrets: stack.secretsDirectory,
  });
  const own: Record<string, string> = {
    ...config,
    'topic.prefix': system,
    'table.include.list': names.join(','),
    'column.include.list': tables
      .flatMap((table) =>
        Object.entries(table.columns)
          .flatMap(([name, column]) => columnNames(name, column))
          .map((name) => `${schema}.${table.name}.${name}`),
      )
      .join(','),
    ...(kind === 'postgresql'
      ? {
          'database.dbname': system,
          'slot.name': `stockline_${system}`,
          'publication.name': `stockline_${system}`,
        }
      : {
          'database.include.list': schema,
          'database.server.id': String(5500 + (process.pid % 400)),
          'schema.history.internal.kafka.topic': `${system}.schema-history`,
        }),
    ...extra,
  };
  await convergeConnector(stack.connectUrl, system, own, { deadlineMs: 60_000 });
  await waitUntilRunning(stack.connectUrl, system, 60_000);
}

async function openDatabase(stack: StackAddresses, mapping: SystemMapping, schema: string) {
  if (mapping.kind === 'postgresql') {
    const { host, port, adminUser: user, adminPassword: password } = stack.postgres;
    const connect = async (database: string): Promise<pg.Client> => {
      const client = new pg.Client({ host, port, user, password, database });
      await client.connect();
      return client;
    };
    const server = await connect('postgres');
    await server.query(`CREATE DATABASE ${mapping.system}`);
    await server.end();
    const client = await connect(mapping.system);
    await client.query(schema);
    const sql = async (text: string) => {
      const result = await client.query(text);
      return (Array.isArray(result) ? result.at(-1) : result).rows ?? [];
    };
    return {
      sql,
      session: async () => {
        const own = await connect(mapping.system);
        return { sql: (text: string) => own.query(text), end: () => own.end() };
      },
      close: () => client.end(),
    };
  }
  const { host, port, adminUser: user, adminPassword: password } = stack.mariadb;
  const connect = async (): Promise<Connection> =>
    createConnection({ host, port, user, password, multipleStatements: true });
  const connection = await connect();
  await connection.query(`CREATE DATABASE ${mapping.schema}; USE ${mapping.schema}; ${schema}`);
  const ask = async (on: Connection, text: string) => {
    const [rows] = await on.query(text);
    return (Array.isArray(rows) ? rows : []) as readonly Readonly<Record<string, unknown>>[];
  };
  return {
    sql: (text: string) => ask(connection, text),
    session: async () => {
      const own = await connect();
      await own.query(`USE ${mapping.schema}`);
      return { sql: (text: string) => ask(own, text), end: () => own.end() };
    },
    close: () => connection.end(),
  };
}

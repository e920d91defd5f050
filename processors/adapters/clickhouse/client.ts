/**
 * ClickHouse by one client: the engine inside this process, or a server. The embedded engine opens a data folder for
 * one process at a time, runs the queries of one session one after the other, and keeps a session's settings.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { type ClickHouseClient, type ClickHouseSettings, createClient } from '@clickhouse/client';
import { embeddedSession } from './session.ts';

export type ClickHouseOptions = {
  /** Where tables and views are; created when missing. */
  readonly database: string;
  readonly engine:
    | { readonly kind: 'embedded'; readonly path: string }
    | {
        readonly kind: 'server';
        readonly url: string;
        readonly user: string;
        readonly password: string;
        /** Tables are made replicated and sharded on this cluster of the server's configuration. */
        readonly cluster?: string;
      };
};

/** One insert of one block in format Native. */
export type BlockInsert = {
  /** INSERT INTO … (…). */
  readonly into: string;
  readonly settings: string;
  readonly native: Buffer;
};

export type ClickHouse = {
  readonly database: string;
  /** Absent: one server, or the embedded engine. */
  readonly cluster?: string;
  /** Resolves when the rows are readable. */
  readonly insertBlock: (insert: BlockInsert) => Promise<void>;
  /** For inserts and DDL. */
  readonly writer: ClickHouseClient;
  /** For our own questions. */
  readonly reader: ClickHouseClient;
  /** For other people's questions: the engine itself refuses writes on these. As many questions run at a time. */
  readonly guests: readonly ClickHouseClient[];
  /** A guest with settings of its own, in another database if one is named; close it afterwards. */
  readonly guestWith: (wish: GuestWish) => ClickHouseClient;
  readonly close: () => Promise<void>;
};

/** What a question from outside wants changed for itself alone. */
export type GuestWish = {
  /** Also `param_<name>`: the value of `{name:Type}`, escaped as the protocol has it. */
  readonly settings: Readonly<Record<string, string>>;
  /** Absent: our own. */
  readonly database?: string;
};

const threadsMax = 1;
const mergeThreads = 2;
const embeddedGuests = 2;
const serverGuests = 8;

/** Bounds of one question that comes from outside. */
export const guestLimits = {
  max_execution_time: 30,
  max_result_rows: '1000000',
  max_result_bytes: '134217728',
  max_memory_usage: '1073741824',
} as const;

export async function openClickHouse(options: ClickHouseOptions): Promise<ClickHouse> {
  if (!/^[a-z][a-z0-9_]*$/.test(options.database)) {
    throw new Error(
      `ClickHouse: "${options.database}" is no name for a database: use a-z, 0-9 and _.`,
    );
  }
  return options.engine.kind === 'embedded'
    ? await openEmbedded(options.database, options.engine.path)
    : await openServer(options.database, options.engine);
}

async function openEmbedded(database: string, path: string): Promise<ClickHouse> {
  mkdirSync(path, { recursive: true });
  // Loaded only where it is used: the library takes 150 MB.
  const [{ Session }, { createChdbConnection }] = await Promise.all([
    import('chdb'),
    import('chdb/connection'),
  ]);
  let engine: InstanceType<typeof Session>;
  try {
    engine = new Session(path, {
      connectionArgs: [
        `--background_pool_size=${mergeThreads}`,
        `--max_threads=${threadsMax}`,
        '--output_format_json_quote_64bit_integers=0',
      ],
    });
  } catch (cause) {
    throw new Error(embeddedFault(path, cause), { cause });
  }
  const session = (settings: ClickHouseSettings, used = database): ClickHouseClient =>
    createClient({
      connection: embeddedSession({
        connect: () => createChdbConnection({ path }),
        preparations: [
          `USE \`${used}\``,
          ...Object.entries({ max_threads: threadsMax, ...settings }).map(
            ([name, value]) => `SET ${name} = ${settingText(name, value)}`,
          ),
        ],
      }),
    });
  // `readonly` last: afterwards no setting can be changed.
  const guest = (wish: GuestWish): ClickHouseClient =>
    session({ ...guestLimits, ...wish.settings, readonly: '1' }, wish.database);
  await engine.queryAsync(`CREATE DATABASE IF NOT EXISTS ${database}`);
  const writer = session({ max_insert_threads: '1' });
  // The embedded engine takes statements as text only; a file takes bytes, and was three times as quick as JSON.
  const blocks = resolve(`${path}.blocks/${database}`);
  rmSync(blocks, { recursive: true, force: true });
  mkdirSync(blocks, { recursive: true });
  let count = 0;
  const reader = session({});
  const guests = Array.from({ length: embeddedGuests }, () => guest({ settings: {} }));
  return {
    database,
    insertBlock: async ({ into, settings, native }) => {
      count += 1;
      const file = `${blocks}/${count}.native`;
      try {
        await writeFile(file, native);
        const from = `SELECT * FROM file(${settingText('file', file)}, 'Native')`;
        await writer.command({ query: `${into} SETTINGS ${settings} ${from}` });
      } finally {
        await rm(file, { force: true });
      }
    },
    writer,
    reader,
    guests,
    guestWith: guest,
    close: async () => {
      for (const client of [...guests, reader, writer]) await client.close();
      engine.close();
    },
  };
}

async function openServer(database: string, server: ServerOptions): Promise<ClickHouse> {
  const { cluster } = server;
  const clustered = cluster === undefined ? {} : clusterSettings;
  const login = {
    url: server.url,
    username: server.user,
    password: server.password,
    clickhouse_settings: clustered,
  };
  const admin = createClient(login);
  try {
    const on = cluster === undefined ? '' : ` ON CLUSTER '${cluster}'`;
    await admin.command({ query: `CREATE DATABASE IF NOT EXISTS ${database}${on}` });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `ClickHouse at ${server.url} does not answer: ${why}\nIs it running, and are STOCKLINE_CLICKHOUSE, ` +
        'STOCKLINE_CLICKHOUSE_USER and STOCKLINE_CLICKHOUSE_PASSWORD right?',
      { cause },
    );
  } finally {
    await admin.close();
  }
  const writer = createClient({ ...login, database });
  const reader = createClient({ ...login, database });
  const guestWith = (wish: GuestWish): ClickHouseClient =>
    createClient({
      ...login,
      database: wish.database ?? database,
      clickhouse_settings: { ...clustered, ...guestLimits, ...wish.settings, readonly: '1' },
    });
  const guest = guestWith({ settings: {} });
  return {
    database,
    ...(cluster === undefined ? {} : { cluster }),
    insertBlock: async ({ into, settings, native }) => {
      const query = `${into} SETTINGS ${settings} FORMAT Native`;
      const result = await writer.exec({ query, values: Readable.from([native]) });
      for await (const _ of result.stream);
    },
    writer,
    reader,
    guests: Array.from({ length: serverGuests }, () => guest),
    guestWith,
    close: async () => {
      await Promise.all([guest.close(), reader.close(), writer.close()]);
    },
  };
}

type ServerOptions = Extract<ClickHouseOptions['engine'], { readonly kind: 'server' }>;

/** Rows are on their shards when an insert is done; a question within a question sees all shards. */
const clusterSettings: ClickHouseSettings = {
  distributed_foreground_insert: 1,
  distributed_product_mode: 'global',
};

/** Numbers as they are, everything else as a string; so is the value of a parameter, whatever it is. */
function settingText(name: string, value: unknown): string {
  const text = String(value);
  return /^\d+$/.test(text) && !name.startsWith('param_')
    ? text
    : `'${text.replace(/['\\]/g, '\\$&')}'`;
}

function embeddedFault(path: string, cause: unknown): string {
  const holder = holderOf(path);
  if (holder !== undefined) {
    return (
      `The analytics folder ${path} is in use by process ${holder}, and only one process can have it open.\n` +
      'End the other Stockline, or give this one another folder.'
    );
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return (
    `The embedded ClickHouse cannot open ${path}: ${why}\n` +
    'Is the disk full, or does the folder belong to someone else? It can be deleted: it is loaded again from Kafka.'
  );
}

/** The live process that the engine's status file names, if there is one. */
function holderOf(path: string): number | undefined {
  try {
    const pid = Number(/PID: (\d+)/.exec(readFileSync(`${path}/status`, 'utf8'))?.[1]);
    process.kill(pid, 0);
    return pid === process.pid ? undefined : pid;
  } catch {
    return undefined;
  }
}

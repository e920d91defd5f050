/** Asks a PostgreSQL what `source check` judges. Reads catalogues only. */
import type pg from 'pg';
import type { PostgresFacts } from './findings.ts';

type TableRow = {
  readonly name: string;
  readonly key: readonly string[] | null;
  readonly columns: readonly string[] | null;
  readonly readable: boolean;
  readonly identity: string;
  readonly persistence: string;
  readonly kind: string;
};

type PublicationRow = {
  readonly name: string;
  readonly all: boolean;
  readonly root: boolean;
  readonly hidden: readonly string[];
  readonly tables: readonly string[];
};

const identities = { d: 'default', n: 'nothing', f: 'full', i: 'index' } as const;

export async function postgresFacts(
  client: pg.Client,
  asked: {
    readonly tables: readonly string[];
    readonly publication: string;
    readonly slot: string;
  },
): Promise<PostgresFacts> {
  const settings = await one<Record<string, string>>(
    client,
    `SELECT current_setting('server_version_num') AS version, current_setting('wal_level') AS wal_level,
       current_setting('max_wal_senders') AS senders, current_user AS user,
       (SELECT setting FROM pg_settings WHERE name = 'max_slot_wal_keep_size') AS keep,
       current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots) AS free,
       pg_is_in_recovery() AS standby`,
  );
  const user = await one<{ rolreplication: boolean; rolsuper: boolean }>(
    client,
    'SELECT rolreplication, rolsuper FROM pg_roles WHERE rolname = current_user',
  );
  const slot = await one<{ active: boolean; status: string | null }>(
    client,
    'SELECT active, wal_status AS status FROM pg_replication_slots WHERE slot_name = $1',
    [asked.slot],
  );
  return {
    version: Number(settings?.version),
    walLevel: String(settings?.wal_level),
    slotsFree: Number(settings?.free),
    sendersMax: Number(settings?.senders),
    slotKeepMb: Number(settings?.keep ?? -1),
    isStandby: String(settings?.standby) === 'true',
    user: {
      name: String(settings?.user),
      canReplicate: user?.rolreplication === true,
      isSuperuser: user?.rolsuper === true,
    },
    tables: await tableFacts(client, asked.tables),
    ...(await publicationFacts(client, asked.publication)),
    slot: {
      name: asked.slot,
      exists: slot !== undefined,
      isActive: slot?.active === true,
      walStatus: slot?.status ?? '',
    },
  };
}

/** The publication of that name, and those of all tables, whoever made them. */
export async function publicationFacts(
  client: pg.Client,
  wanted: string,
): Promise<Pick<PostgresFacts, 'publication' | 'otherAllTables'>> {
  const { rows } = await client.query<PublicationRow>(
    `SELECT p.pubname AS name, p.puballtables AS all, p.pubviaroot AS root,
       array_remove(ARRAY[CASE WHEN NOT p.pubinsert THEN 'insert' END, CASE WHEN NOT p.pubupdate THEN 'update' END,
         CASE WHEN NOT p.pubdelete THEN 'delete' END, CASE WHEN NOT p.pubtruncate THEN 'truncate' END], NULL) AS hidden,
       coalesce(array_agg(t.schemaname || '.' || t.tablename) FILTER (WHERE t.tablename IS NOT NULL), '{}') AS tables
     FROM pg_publication p LEFT JOIN pg_publication_tables t ON t.pubname = p.pubname
     GROUP BY p.oid, p.pubname, p.puballtables`,
  );
  const own = rows.find(({ name }) => name === wanted);
  return {
    publication: {
      name: wanted,
      exists: own !== undefined,
      allTables: own?.all === true,
      tables: own?.tables ?? [],
      hidden: own?.hidden ?? [],
      filtered: own === undefined ? [] : await filteredTables(client, own.name),
      viaRoot: own?.root === true,
    },
    otherAllTables: rows.filter(({ name, all }) => all && name !== wanted).map(({ name }) => name),
  };
}

/** Rows and columns can be left out since version 15. */
async function filteredTables(client: pg.Client, publication: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT n.nspname || '.' || c.relname AS name
     FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
       JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE p.pubname = $1
       AND (to_jsonb(r) ->> 'prqual' IS NOT NULL OR to_jsonb(r) ->> 'prattrs' IS NOT NULL)`,
    [publication],
  );
  return rows.map(({ name }) => name);
}

async function tableFacts(
  client: pg.Client,
  names: readonly string[],
): Promise<PostgresFacts['tables']> {
  const { rows } = await client.query<TableRow>(
    `SELECT n.nspname || '.' || c.relname AS name,
       (SELECT array_agg(a.attname::text ORDER BY array_position(i.indkey::int2[], a.attnum))
          FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)
          WHERE i.indrelid = c.oid AND i.indisprimary) AS key,
       (SELECT array_agg(a.attname::text) FROM pg_attribute a
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
       has_table_privilege(c.oid, 'SELECT') AS readable,
       c.relreplident AS identity, c.relpersistence AS persistence, c.relkind AS kind
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname || '.' || c.relname = ANY($1) AND c.relkind IN ('r', 'p')`,
    [names],
  );
  return names.map((name) => {
    const found = rows.find((row) => row.name === name);
    return {
      name,
      exists: found !== undefined,
      primaryKey: found?.key ?? [],
      columns: found?.columns ?? [],
      isReadable: found?.readable === true,
      replicaIdentity: identities[(found?.identity ?? 'd') as keyof typeof identities],
      isUnlogged: found?.persistence === 'u',
      isPartitioned: found?.kind === 'p',
    };
  });
}

async function one<T extends pg.QueryResultRow>(
  client: pg.Client,
  text: string,
  values: readonly unknown[] = [],
): Promise<T | undefined> {
  return (await client.query<T>(text, [...values])).rows[0];
}

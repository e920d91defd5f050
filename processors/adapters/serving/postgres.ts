/** Figures as two tables of a PostgreSQL, for teams that want SQL: upserts by sequence. */
import pg from 'pg';
import type { Served, ServingTarget } from '../../serving/ports.ts';

const tables = `
CREATE TABLE IF NOT EXISTS stock (
  sku text NOT NULL, location text NOT NULL,
  on_hand numeric(18,3) NOT NULL, reserved numeric(18,3) NOT NULL, available numeric(18,3) NOT NULL,
  incoming numeric(18,3) NOT NULL, in_transit numeric(18,3) NOT NULL,
  sequence bigint NOT NULL, committed_at timestamptz NOT NULL,
  PRIMARY KEY (sku, location)
);
COMMENT ON TABLE stock IS 'Stock of each SKU and location, from inventory.stock.v1; read only.';
CREATE TABLE IF NOT EXISTS channel_stock (
  channel text NOT NULL, sku text NOT NULL,
  sellable numeric(18,3) NOT NULL, status text NOT NULL, formula text NOT NULL, formula_version int NOT NULL,
  sequence bigint NOT NULL, committed_at timestamptz NOT NULL,
  PRIMARY KEY (channel, sku)
);
COMMENT ON TABLE channel_stock IS 'What each channel may sell of each SKU, from channel.*.stock.v1; read only.';
CREATE TABLE IF NOT EXISTS contained (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), as_of timestamptz NOT NULL);
COMMENT ON TABLE contained IS 'All that was committed to the topics up to as_of is in the tables.';`;

const upsertStock = `
INSERT INTO stock SELECT * FROM unnest($1::text[], $2::text[], $3::numeric[], $4::numeric[], $5::numeric[], $6::numeric[], $7::numeric[],
  $8::bigint[], $9::timestamptz[])
ON CONFLICT (sku, location) DO UPDATE SET on_hand = excluded.on_hand, reserved = excluded.reserved, available = excluded.available,
  incoming = excluded.incoming, in_transit = excluded.in_transit, sequence = excluded.sequence, committed_at = excluded.committed_at
WHERE stock.sequence < excluded.sequence`;

const upsertChannel = `
INSERT INTO channel_stock SELECT * FROM unnest($1::text[], $2::text[], $3::numeric[], $4::text[], $5::text[], $6::int[], $7::bigint[],
  $8::timestamptz[])
ON CONFLICT (channel, sku) DO UPDATE SET sellable = excluded.sellable, status = excluded.status, formula = excluded.formula,
  formula_version = excluded.formula_version, sequence = excluded.sequence, committed_at = excluded.committed_at
WHERE channel_stock.sequence < excluded.sequence`;

const beginContained =
  'INSERT INTO contained VALUES (true, $1) ON CONFLICT (only_row) DO UPDATE SET as_of = excluded.as_of';

const units = (thousandths: number): string => (thousandths / 1_000).toFixed(3);
const time = (ms: number): string => new Date(ms).toISOString();
const answerMs = 10_000;

/** `schema` is made where it is not there; its tables are ours alone. */
export function postgresTarget(url: string, schema = 'stockline'): ServingTarget {
  const place = pg.escapeIdentifier(schema);
  const pool = new pg.Pool({
    connectionString: url,
    max: 1,
    statement_timeout: answerMs,
    // The server's own limit is of no use while it cannot be heard.
    query_timeout: answerMs + 1_000,
    connectionTimeoutMillis: 3_000,
    options: `-c search_path=${schema} -c timezone=UTC`,
  });
  // A connection that ends while nobody uses it is opened again.
  pool.on('error', () => undefined);
  let last: string | undefined;
  return {
    name: 'postgres',
    prepare: async () => {
      await pool.query(
        `CREATE SCHEMA IF NOT EXISTS ${place}; SET search_path = ${place}; ${tables}`,
      );
      if (last !== undefined) return;
      await pool.query(beginContained, [time(0)]);
      last = time(0);
    },
    write: async (figures) => {
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        await writeStock(client, figures);
        await writeChannels(client, figures);
        await client.query('COMMIT');
        client.release();
      } catch (error) {
        // Its end takes the transaction back, and nothing more is asked of a server that does not answer.
        client.release(true);
        throw error;
      }
    },
    contain: async (asOfMs) => {
      const next = time(asOfMs);
      // What we wrote last has to be there still: else somebody emptied the tables, or brought an older copy back.
      const { rowCount } = await pool.query('UPDATE contained SET as_of = $1 WHERE as_of = $2', [
        next,
        last,
      ]);
      last = rowCount === 1 ? next : undefined;
      return rowCount === 1;
    },
    close: () => pool.end(),
  };
}

async function writeStock(client: pg.PoolClient, figures: readonly Served[]): Promise<void> {
  const all = figures.flatMap((one) => (one.kind === 'stock' ? [one] : []));
  const levels = all.flatMap(({ level }) => (level === undefined ? [] : [level]));
  if (levels.length > 0) {
    const of = (name: 'onHand' | 'reserved' | 'available' | 'incoming' | 'inTransit') =>
      levels.map(({ quantities }) => units(quantities[name]));
    await client.query(upsertStock, [
      levels.map(({ sku }) => sku),
      levels.map(({ location }) => location),
      ...[of('onHand'), of('reserved'), of('available'), of('incoming'), of('inTransit')],
      levels.map(({ sequence }) => sequence),
      levels.map(({ cause }) => time(cause.committedAt)),
    ]);
  }
  const gone = all.filter(({ level }) => level === undefined);
  if (gone.length === 0) return;
  await client.query(
    'DELETE FROM stock WHERE (sku, location) IN (SELECT * FROM unnest($1::text[], $2::text[]))',
    [gone.map(({ key }) => key.sku), gone.map(({ key }) => key.location)],
  );
}

async function writeChannels(client: pg.PoolClient, figures: readonly Served[]): Promise<void> {
  const all = figures.flatMap((one) => (one.kind === 'channel' ? [one] : []));
  const told = all.flatMap(({ figure }) => (figure === undefined ? [] : [figure]));
  if (told.length > 0) {
    await client.query(upsertChannel, [
      told.map(({ channel }) => channel),
      told.map(({ sku }) => sku),
      told.map(({ sellable }) => units(sellable)),
      told.map(({ status }) => status),
      told.map(({ formula }) => formula),
      told.map(({ formulaVersion }) => formulaVersion),
      told.map(({ sequence }) => sequence),
      told.map(({ cause }) => time(cause.committedAt)),
    ]);
  }
  const gone = all.filter(({ figure }) => figure === undefined);
  if (gone.length === 0) return;
  await client.query(
    'DELETE FROM channel_stock WHERE (channel, sku) IN (SELECT * FROM unnest($1::text[], $2::text[]))',
    [gone.map(({ channel }) => channel), gone.map(({ sku }) => sku)],
  );
}

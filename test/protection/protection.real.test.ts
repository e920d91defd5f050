/** A source whose log is not read: its disk is spared, it is told, and after a new snapshot all is right again. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { beginAnew, connectorState } from '../../processors/adapters/connect-rest.ts';
import { processTelemetry } from '../../processors/adapters/telemetry.ts';
import type { SystemKind } from '../../processors/cdc/change.ts';
import { secret } from '../../processors/cli/connectors.ts';
import { startProtection } from '../../processors/processes/protection.ts';
import type { Alert } from '../../schemas/types.ts';
import { mariadbSchema, matrixFigures, matrixMapping, postgresSchema } from '../intake/matrix.ts';
import { type CapturedSystem, captureSystem } from '../support/captured-system.ts';
import { until } from '../support/until.ts';

const cases: readonly (readonly [string, SystemKind, string])[] = [
  ['sparedpg', 'postgresql', postgresSchema],
  ['sparedmy', 'mariadb', mariadbSchema],
];
const budgetBytes = 8 * 1_048_576;

describe.each(cases)('%s', (system, kind, schema) => {
  const postgres = kind === 'postgresql';
  const mapping = matrixMapping(system, kind);
  const { connectUrl, kafkaBrokers: brokers, registryUrl } = inject('stack');
  const end = new AbortController();
  let source: CapturedSystem;
  let watch: { readonly done: Promise<void> };

  const figures = () => matrixFigures(source, kind);
  const told = (): Alert | undefined =>
    source.alerts().findLast(({ kind: alert }) => alert === 'logBudget');

  beforeAll(async () => {
    const stack = inject('stack');
    source = await captureSystem({ stack, mapping, schema });
    await source.settles(figures);
    const { host, port } = postgres ? stack.postgres : stack.mariadb;
    const password = secret(stack.secretsDirectory, `${postgres ? 'erp' : 'pos'}-password`);
    const access = { kind, host, port, user: 'stockline', password, database: system };
    watch = await startProtection({
      places: { brokers, registryUrl },
      connectUrl,
      watched: [{ mapping, access }],
      budgetBytes,
      telemetry: processTelemetry({ logLevel: 'error' }).of('protection'),
      signal: end.signal,
    });
  });
  afterAll(async () => {
    end.abort();
    await watch?.done;
    await source?.stop();
  });

  it('S2: a connector that fails while its database refuses it goes on by itself', async () => {
    const state = async () => (await connectorState(connectUrl, system)).state;
    const failed = () => source.alerts().findLast(({ kind: alert }) => alert === 'connectorFailed');
    const admit = (password: string) =>
      source.sql(
        postgres
          ? `ALTER ROLE stockline PASSWORD '${password}'`
          : `SET PASSWORD FOR stockline@'%' = PASSWORD('${password}')`,
      );
    await admit('another');
    await source.connector('POST', '/restart?includeTasks=true');
    await source.sql("INSERT INTO orders (id, sku, open) VALUES (8000, 'F', 1)");
    await until(async () => (await state()) === 'FAILED');
    await admit(secret(inject('stack').secretsDirectory, `${postgres ? 'erp' : 'pos'}-password`));
    await until(() => failed()?.open === true);
    await source.settles(figures);
    await until(() => failed()?.open === false);
    expect(await state()).toBe('RUNNING');
  });

  it('S1: a log that nobody reads is given up, and told', async () => {
    if (postgres) {
      await source.connector('PUT', '/pause');
      await source.sql(
        "INSERT INTO orders (id, sku, open, pad) SELECT 9000 + g, 'W', 1, repeat(md5(g::text), 200) FROM generate_series(1, 4000) g",
      );
    } else {
      await source.connector('PUT', '/stop');
      await source.sql(
        "INSERT INTO orders (id, sku, open) SELECT 9000 + seq, 'W', 1 FROM seq_1_to_4000",
      );
      await source.sql('FLUSH BINARY LOGS');
      // A file of this second is not older than now.
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      await source.sql('PURGE BINARY LOGS BEFORE now()');
    }
    await source.sql('DELETE FROM orders WHERE id BETWEEN 3 AND 9');
    await until(() => told()?.open === true && told()?.severity === 'critical');
    await until(async () => (await connectorState(connectUrl, system)).state === 'STOPPED');
    if (!postgres) return;
    const slot = `SELECT 1 FROM pg_replication_slots WHERE slot_name = 'stockline_${system}'`;
    await until(async () => (await source.sql(slot)).length === 0);
  });

  it('S1: begun anew, all is right, and it is told', async () => {
    await beginAnew(connectUrl, system, { deadlineMs: 60_000 });
    expect((await connectorState(connectUrl, system)).state).toBe('RUNNING');
    await source.settles(figures);
    await until(() => told()?.open === false);
    await source.sql("INSERT INTO orders (id, sku, open) VALUES (50000, 'AFTER', 3)");
    await source.settles(figures);
  });
});

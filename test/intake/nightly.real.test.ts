/**
 * What retailers' systems do at night, on real parts through to the channel: all balances deleted and inserted again in one
 * transaction, transfers between shops, the log told once more, a new snapshot. Nothing is ever falsely sold out.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { registerSchemas } from '../../processors/adapters/avro/registry.ts';
import { beginAnew } from '../../processors/adapters/connect-rest.ts';
import {
  applyTopics,
  changelogSettings,
  topicSettings,
} from '../../processors/adapters/kafka/admin.ts';
import { readTopics } from '../../processors/adapters/kafka/independent-reader.ts';
import { kafkaRuntime } from '../../processors/adapters/kafka/runtime.ts';
import { processTelemetry } from '../../processors/adapters/telemetry.ts';
import { parsePolicies } from '../../processors/channels/policy-file.ts';
import { dayMs, defineMapping } from '../../processors/intake/mapping.ts';
import { createProcessor } from '../../processors/runtime/run.ts';
import { noRules } from '../../processors/stock/rules.ts';
import { channelStock, deadLetters } from '../../processors/topics.ts';
import { stockWithChannels } from '../../processors/topologies.ts';
import type { Topic } from '../../processors/topology/topic.ts';
import type { Topology } from '../../processors/topology/topology.ts';
import type { ChannelStock } from '../../schemas/types.ts';
import { type CapturedSystem, captureSystem, type Figures } from '../support/captured-system.ts';
import { seededRandom } from '../support/seeded-random.ts';

const rows = Number(process.env.STOCKLINE_ROWS ?? 4_000);
const transfers = Number(process.env.STOCKLINE_TRANSFERS ?? 100);
const places = 20;
const skus = rows / places;
const deadlineMs = 60_000 + rows * 5;

const mapping = defineMapping({
  system: 'nightly',
  kind: 'postgresql',
  schema: 'public',
  timeZone: 'UTC',
  lateAfterMs: 35 * dayMs,
  lookups: [],
  documents: [
    {
      name: 'balance',
      header: {
        name: 'balance',
        primaryKey: ['sku', 'place'],
        columns: { sku: 'text', place: 'id', quantity: 'quantity' },
        onDelete: 'retract',
      },
      containedInOpening: false,
      effects: ({ header }) => [
        {
          ...({ kind: 'level', bucket: 'onHand', occurredAt: 0, reason: 'balance' } as const),
          sku: String(header.sku),
          location: `night${header.place}`,
          quantity: Number(header.quantity),
          reference: 'balance',
        },
      ],
    },
  ],
});
const schema = `
  CREATE TABLE balance (sku varchar(12), place int, quantity numeric(12,3) NOT NULL, PRIMARY KEY (sku, place));
  INSERT INTO balance SELECT 'N' || s, p, 10 + (s * 7 + p) % 50 FROM generate_series(1, ${skus}) s, generate_series(1, ${places}) p;`;
const channel = 'night';
const any = (topic: unknown) => topic as Topic<never, never>;

describe(`a night with ${rows} balances and ${transfers} transfers`, () => {
  let source: CapturedSystem;
  const figures: ChannelStock[] = [];
  const endings: (() => Promise<unknown>)[] = [];
  const directory = mkdtempSync(join(tmpdir(), 'stockline-nightly-'));

  const run = <S>(topology: Topology<S>): void => {
    const stack = inject('stack');
    const telemetry = processTelemetry({ logLevel: 'error' }).of(topology.name);
    const stopping = new AbortController();
    const places = { brokers: stack.kafkaBrokers, registryUrl: stack.registryUrl };
    const adapters = kafkaRuntime({ ...places, stateDirectory: directory, telemetry });
    const options = { application: 'nightly', deadLetters };
    const done = createProcessor(topology, adapters, options).run(stopping.signal);
    // Whoever waits for figures sees that they do not come; the reason is told here.
    done.catch((error: unknown) => process.stderr.write(`${topology.name}: ${error}\n`));
    endings.push(async () => {
      stopping.abort();
      await done;
    });
  };

  beforeAll(async () => {
    const stack = inject('stack');
    source = await captureSystem({ stack, mapping, schema });
    const balanceLocations = new Set(Array.from({ length: places }, (_, at) => `night${at + 1}`));
    const parsed = parsePolicies([
      {
        ...{ channel, formula: 'sum', version: 1, pooled: true },
        locations: [...balanceLocations],
      },
    ]);
    if ('errors' in parsed) throw new Error(parsed.errors.join());
    const topology = stockWithChannels(parsed.policies, {
      stock: { ...noRules, balanceLocations },
    });
    const topics = [...topology.inputs, ...topology.outputs].map(any);
    await applyTopics(stack.kafkaBrokers, [
      ...topics.map(topicSettings),
      changelogSettings(topology),
    ]);
    await registerSchemas(stack.registryUrl, topics);
    const reader = await readTopics({
      ...{ brokers: stack.kafkaBrokers, registryUrl: stack.registryUrl },
      group: `nightly-${process.pid}`,
      topics: [channelStock(channel).name],
      onRecord: ({ value }) => void figures.push(value as ChannelStock),
    });
    endings.push(() => reader.stop());
    run(topology);
    await arrived();
  }, deadlineMs);

  afterAll(async () => {
    for (const end of endings.reverse()) await end();
    await source?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const sums = async (): Promise<Figures> => {
    const found = await source.sql(
      'SELECT sku AS name, sum(quantity)::float8 AS sum FROM balance GROUP BY 1',
    );
    return Object.fromEntries(found.map((row) => [String(row.name), Number(row.sum)]));
  };
  /** The channel's last figure of each SKU. */
  const published = (): ReadonlyMap<string, number> =>
    new Map(figures.map(({ sku, sellable }) => [sku, sellable]));
  const arrived = async (): Promise<void> => {
    const giveUpAt = Date.now() + deadlineMs / 2;
    for (;;) {
      const wanted = await sums();
      const found = published();
      const different = Object.entries(wanted).filter(([sku, sum]) => found.get(sku) !== sum);
      if (different.length === 0) return;
      if (Date.now() > giveUpAt) {
        const [sku = '', sum] = different[0] ?? [];
        throw new Error(
          `${different.length} SKUs differ, such as ${sku}: ${sum} in SQL, ${found.get(sku)} told`,
        );
      }
      await new Promise((done) => setTimeout(done, 200));
    }
  };
  /** A mark that arrives after all that was done before it. */
  let marks = 0;
  const passed = async (): Promise<void> => {
    marks += 1;
    await source.sql(
      `INSERT INTO balance VALUES ('MARK', 1, ${marks}) ON CONFLICT (sku, place) DO UPDATE SET quantity = ${marks}`,
    );
    await arrived();
  };
  const soldOut = (from: number): readonly string[] =>
    figures
      .slice(from)
      .filter(({ sellable }) => sellable <= 0)
      .map(({ sku }) => sku);

  it('D1: all balances deleted and inserted again in one transaction: nothing is published but what changed', async () => {
    const before = figures.length;
    await source.sql(
      `BEGIN; CREATE TEMP TABLE kept AS SELECT * FROM balance; DELETE FROM balance;
       INSERT INTO balance SELECT sku, place, quantity + CASE WHEN sku = 'N1' THEN 1 ELSE 0 END FROM kept; DROP TABLE kept; COMMIT;`,
    );
    await passed();
    expect(soldOut(before)).toEqual([]);
    expect(new Set(figures.slice(before).map(({ sku }) => sku))).toEqual(new Set(['N1', 'MARK']));
  });

  it('O1: transfers between shops under load: the sum over all shops is the same in every published state', async () => {
    const before = figures.length;
    const wanted = await sums();
    const below = seededRandom(9);
    const moved = Math.max(2, Math.floor(skus / 2));
    for (let n = 0; n < transfers; n += 1) {
      const sku = `N${1 + below(moved)}`;
      const from = 1 + below(places);
      const to = 1 + ((from + below(places - 1)) % places);
      const other = `N${moved + 1 + below(Math.max(1, skus - moved))}`;
      await source.sql(
        `BEGIN; UPDATE balance SET quantity = quantity - 3 WHERE sku = '${sku}' AND place = ${from};
         UPDATE balance SET quantity = quantity + 3 WHERE sku = '${sku}' AND place = ${to}; COMMIT;
         UPDATE balance SET quantity = quantity + 1 WHERE sku = '${other}' AND place = ${to}`,
      );
    }
    await passed();
    const halves = figures
      .slice(before)
      .filter(({ sku }) => Number(sku.slice(1)) <= moved)
      .filter(({ sku, sellable }) => sellable !== wanted[sku]);
    expect(halves.map(({ sku, sellable }) => [sku, sellable, wanted[sku]])).toEqual([]);
    expect(soldOut(before)).toEqual([]);
  });

  it('D1: the log told once more, and a new snapshot with rows deleted meanwhile: equal, nothing falsely sold out', async () => {
    const before = figures.length;
    const gone = Math.min(500, Math.floor(rows / 8));
    await beginAnew(inject('stack').connectUrl, 'nightly', {
      deadlineMs: 60_000,
      whileStopped: async () => {
        await source.sql(
          `DELETE FROM balance WHERE (sku, place) IN (SELECT sku, place FROM balance WHERE sku <> 'MARK' ORDER BY place, sku LIMIT ${gone})`,
        );
        await source.sql("SELECT pg_drop_replication_slot('stockline_nightly')");
      },
    });
    await passed();
    expect(soldOut(before)).toEqual([]);
  });
});

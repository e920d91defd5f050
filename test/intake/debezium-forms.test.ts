/** What Debezium sends beside plain inserts, updates and deletes: each form with the smallest log that shows it. */
import { describe, expect, it } from 'vitest';
import { alerts, movements } from '../../processors/topics.ts';
import type { Header } from '../../processors/topology/topology.ts';
import { DebeziumSource, type Write } from '../support/debezium.ts';
import { commit, runTopology } from '../support/topology-driver.ts';
import { balance, cornerShopIntake, mariadbShopIntake, order, toldBy } from './corner-shop.ts';
import { begin, kindsOf, moved, open, played, redriven, second, source } from './played.ts';

const stocked = (quantity: number): Write => ({
  table: balance,
  operation: 'r',
  row: { sku: 'A', quantity },
});

describe('rows', () => {
  it('D1: a changed primary key is a delete and an insert, and nothing is told', () => {
    const from = source();
    const newKey: readonly Header[] = [['__debezium.newkey', new Uint8Array()]];
    const result = played(
      from.commit({ committedAt: begin, writes: [open(1, 5000)] }),
      from.commit({
        committedAt: begin + second,
        writes: [{ ...open(1, 5000, 'd'), headers: newKey }, open(2, 5000)],
      }),
    );
    expect(toldBy(result)).toEqual({ 'level reserved A': 5000 });
  });

  it('D1: a truncated table holds nothing, and what follows in the same transaction counts', () => {
    const from = source();
    const truncate: Write = { table: order, operation: 't', row: {} };
    const filled = [open(1, 5000), open(2, 3000)];
    const result = played(
      from.commit({ committedAt: begin, writes: filled }),
      from.commit({ committedAt: begin + second, writes: [truncate, ...filled] }),
      from.commit({ committedAt: begin + 2 * second, writes: [truncate, open(1, 1000)] }),
    );
    expect(result.records(movements)).toHaveLength(2);
    expect(toldBy(result)).toEqual({ 'level reserved A': 1000 });
    expect(kindsOf(result)).toEqual(['tableTruncated true', 'tableTruncated true']);
  });

  it('a column that the log does not repeat keeps its value', () => {
    const from = source();
    const result = played(
      from.commit({ committedAt: begin, writes: [open(1, 5000)] }),
      from.commit({
        committedAt: begin + second,
        writes: [
          {
            ...open(1, 2000, 'u'),
            row: { id: 1, sku: '__debezium_unavailable_value', open: 2000 },
          },
        ],
      }),
    );
    expect(toldBy(result)).toEqual({ 'level reserved A': 2000 });
  });

  it('D3: a row of which the log repeats only a part, and which is not known, is a dead letter', () => {
    const from = source();
    const row = { id: 1, sku: '__debezium_unavailable_value', open: 2000 };
    const result = played(
      from.commit({ committedAt: begin, writes: [{ ...open(1, 2000, 'u'), row }] }),
    );
    expect(result.deadLetters.map(({ code }) => code)).toEqual(['ROW_INCOMPLETE']);
  });

  it('a row that the log has changed behind our back raises an alert, and is right again', () => {
    const from = new DebeziumSource('shop', mariadbShopIntake as never, 'mariadb');
    const before = { id: 1, sku: 'A', open: 7000 };
    const logs = [
      from.commit({ committedAt: begin, writes: [open(1, 5000)] }),
      from.commit({
        committedAt: begin + second,
        writes: [{ ...open(1, 4000, 'u'), before: { ...before, open: 5000 } }],
      }),
      // Somebody set 7 with sql_log_bin=0.
      from.commit({ committedAt: begin + 2 * second, writes: [{ ...open(1, 6000, 'u'), before }] }),
    ];
    const result = runTopology(
      mariadbShopIntake,
      logs.flat().map(({ item }) => item),
    );
    const [alert, ...others] = result.records(alerts).map(({ value }) => value);
    expect(others).toEqual([]);
    expect(alert).toMatchObject({ kind: 'gap', seen: JSON.stringify({ ...before, id: '1' }) });
    expect(toldBy(result)).toEqual({ 'level reserved A': 6000 });
  });
});

describe('snapshots', () => {
  it('D1: what a later snapshot no longer shows is taken back', () => {
    const from = source();
    const all = [open(1, 5000), open(2, 3000), open(3, 1000)];
    const result = played(
      from.snapshot({ committedAt: begin, writes: all }),
      from.commit({ committedAt: begin + second, writes: [open(4, 500)] }),
      from.snapshot({ committedAt: begin + 2 * second, writes: [open(1, 5000), open(4, 600)] }),
    );
    expect(result.counts.swept).toBe(2);
    expect(toldBy(result)).toEqual({ 'level reserved A': 5600 });
  });

  it('D1: an incremental snapshot states rows and takes none back', () => {
    const from = source();
    const result = played(
      from.snapshot({ committedAt: begin, writes: [open(1, 5000), open(2, 3000)] }),
      from.snapshot(
        { committedAt: begin + second, writes: [open(1, 4000)] },
        { kind: 'incremental' },
      ),
    );
    expect(toldBy(result)).toEqual({ 'level reserved A': 7000 });
  });

  it('D1: an incremental read is ahead of what is under way, and behind nothing that came before it', () => {
    const from = source();
    const first = from.snapshot({ committedAt: begin, writes: [open(1, 5000), open(2, 3000)] });
    const came = from.commit({ committedAt: begin + second, writes: [open(1, 6000, 'u')] });
    const underWay = from.begin({ committedAt: begin + second, writes: [open(2, 2000, 'u')] });
    // It has seen both, and a row that the log has yet to tell of.
    const read = from.snapshot(
      { committedAt: begin + 2 * second, writes: [open(1, 7000), open(2, 1000), open(3, 100)] },
      { kind: 'incremental' },
    );
    const ended = from.end(underWay);
    const later = from.commit({
      committedAt: begin + 2 * second,
      writes: [open(1, 7000, 'u'), open(2, 1000, 'u'), open(3, 100, 'c')],
    });
    const all = { 'level reserved A': 8100 };
    expect(toldBy(played(first, came, read))).toEqual(all);
    expect(toldBy(played(first, came, read, came))).toEqual(all);
    expect(toldBy(played(first, came, read, ended, later))).toEqual(all);
    const gone = from.commit({ committedAt: begin + 3 * second, writes: [open(1, 7000, 'd')] });
    expect(toldBy(played(first, came, read, later, gone))).toEqual({ 'level reserved A': 1100 });
    expect(toldBy(played(first, came, read, later, gone, later, gone))).toEqual({
      'level reserved A': 1100,
    });
  });

  it('D1: an incremental read that was refused and is sent again does not undo what came since', () => {
    const from = source();
    const [logged] = from.snapshot(
      { committedAt: begin, writes: [open(1, 4000)] },
      { kind: 'incremental' },
    );
    if (logged?.item.kind !== 'record') throw new Error('a read is a record');
    const since = from.commit({ committedAt: begin + second, writes: [open(1, 9000, 'c')] });
    const again = { ...logged.item, headers: redriven };
    const result = played(since, [{ ...logged, item: again }]);
    expect(toldBy(result)).toEqual({ 'level reserved A': 9000 });
    expect(result.deadLetters.map(({ code }) => code)).toEqual(['READ_STALE']);
    expect(toldBy(played([{ ...logged, item: again }]))).toEqual({ 'level reserved A': 4000 });
  });

  it('D1: a transaction that was under way at the snapshot is applied, wherever its changes stand', () => {
    const from = source();
    from.place += 10;
    const underWay = from.begin({ committedAt: begin + second, writes: [open(1, 1000, 'u')] });
    const before = from.begin({ committedAt: begin, writes: [open(2, 1000, 'u')] });
    const committed = from.end(before);
    const read = from.snapshot({ committedAt: begin, writes: [open(1, 5000), open(2, 1000)] });
    const result = played(read, committed, from.end(underWay));
    expect(toldBy(result)).toEqual({ 'level reserved A': 2000 });
    expect(result.counts.duplicates).toBe(1);
  });

  it('D1: a row that was read, and whose change under way ends before the snapshot does, is not taken back', () => {
    const from = source();
    const first = from.snapshot({ committedAt: begin, writes: [open(1, 4000), open(2, 500)] });
    const change = from.begin({ committedAt: begin + second, writes: [open(1, 5000, 'u')] });
    const [read, ...rest] = from.snapshot({
      committedAt: begin + second,
      writes: [open(1, 5000), open(2, 500)],
    });
    const result = played(first, read === undefined ? [] : [read], from.end(change), rest);
    expect(result.counts.swept ?? 0).toBe(0);
    expect(toldBy(result)).toEqual({ 'level reserved A': 5500 });
  });

  it('D1: an initial snapshot that breaks off and begins again opens with its second reading', () => {
    const from = source();
    const result = played(
      from.snapshot(
        { committedAt: begin, writes: [stocked(10_000), moved(1, 4000), moved(2, 6000)] },
        { isComplete: false },
      ),
      // Meanwhile move 2 was deleted and move 3 came: the balance is 7 now.
      from.snapshot({
        committedAt: begin + second,
        writes: [stocked(7000), moved(1, 4000), moved(3, 3000)],
      }),
      from.commit({ committedAt: begin + 2 * second, writes: [moved(4, -2000)] }),
    );
    expect(toldBy(result)).toEqual({
      'opening onHand A': 7000,
      [`event onHand A ${begin}`]: -2000,
    });
  });

  it('a snapshot that shows only a few of many rows deletes nothing, and says so', () => {
    const from = source();
    const many = Array.from({ length: 300 }, (_, id) => open(id, 1000));
    const result = played(
      from.snapshot({ committedAt: begin, writes: many }),
      from.snapshot({ committedAt: begin + second, writes: many.slice(0, 10) }),
    );
    expect(kindsOf(result)).toEqual(['sweepRefused true']);
    expect(toldBy(result)).toEqual({ 'level reserved A': 300_000 });
  });
});

describe('source transactions', () => {
  it('O1: interleaved ones are told one by one, in the order of their commits', () => {
    const from = source();
    const first = from.begin({ committedAt: begin, writes: [open(1, 1000), open(2, 1000)] });
    const other = from.begin({
      committedAt: begin + second,
      writes: [open(3, 1000), open(4, 1000)],
    });
    const ended = [from.end(other), from.end(first)];
    const result = played(...ended);
    const sizes = result.records(movements).map(({ value }) => value?.effects.length);
    expect(sizes).toEqual([2, 2]);
    expect(toldBy(result)).toEqual({ 'level reserved A': 4000 });
  });

  it('D1: an empty transaction that comes again does not stop what follows', () => {
    const made = source();
    const first = made.commit({ committedAt: begin, writes: [open(1, 1000)] });
    // Commit times may run a little behind the order of the log.
    const empty = made.commit({ committedAt: begin + 5 * second, writes: [] });
    const next = made.commit({ committedAt: begin + second, writes: [open(2, 2000)] });
    const later = made.commit({ committedAt: begin + 6 * second, writes: [open(3, 4000)] });
    const result = played(first, empty, next, empty, later);
    expect(toldBy(result)).toEqual({ 'level reserved A': 7000 });
    expect(kindsOf(result)).toEqual([]);
  });

  it('D1: an END that comes twice is counted once', () => {
    const from = source();
    const logged = from.commit({ committedAt: begin, writes: [open(1, 1000)] });
    const next = from.commit({ committedAt: begin + second, writes: [open(2, 1000)] });
    const result = played(logged, logged.slice(-1), next, next.slice(-1));
    expect(toldBy(result)).toEqual({ 'level reserved A': 2000 });
    expect(kindsOf(result)).toEqual([]);
  });

  it('D1: a large one that deletes all and inserts it again tells nothing', () => {
    const from = source();
    const rows = Array.from({ length: 1000 }, (_, id) => open(id, 1000));
    const gone = rows.map((write): Write => ({ ...write, operation: 'd' }));
    const items = [
      from.snapshot({ committedAt: begin, writes: rows }),
      from.commit({ committedAt: begin + second, writes: [...gone, ...rows] }),
    ].flat();
    const result = runTopology(
      cornerShopIntake,
      items.flatMap(({ item }, index) => (index % 500 === 499 ? [item, commit] : [item])),
    );
    expect(result.records(movements)).toHaveLength(1000);
    expect(toldBy(result)).toEqual({ 'level reserved A': 1_000_000 });
  });
});

describe('the log', () => {
  it('D1: one that goes back is refused loudly, kept, and taken up again from a new snapshot', () => {
    const from = source();
    const logs = [
      from.snapshot({ committedAt: begin, writes: [open(1, 1000), open(2, 2000)] }),
      from.commit({ committedAt: begin + second, writes: [open(3, 3000)] }),
    ];
    // Restored from a backup: the log begins anew, and goes on with other rows.
    from.place = 10;
    const unseen = from.commit({ committedAt: begin + 2 * second, writes: [open(1, 1500, 'u')] });
    const stopped = played(...logs, unseen);
    expect(kindsOf(stopped)).toEqual(['newLineage true']);
    expect(toldBy(stopped)).toEqual({ 'level reserved A': 6000 });
    const resumed = played(
      ...logs,
      unseen,
      from.snapshot({ committedAt: begin + 3 * second, writes: [open(1, 1500), open(2, 2000)] }),
      from.commit({ committedAt: begin + 4 * second, writes: [open(4, 4000)] }),
    );
    expect(kindsOf(resumed)).toEqual(['newLineage true', 'newLineage false']);
    expect(toldBy(resumed)).toEqual({ 'level reserved A': 7500 });
  });

  it('D1: a binlog that begins anew goes on from its snapshot, and other positions do not mislead', () => {
    const from = new DebeziumSource('shop', mariadbShopIntake as never, 'mariadb');
    const logs = [
      from.snapshot({ committedAt: begin, writes: [open(1, 1000), open(2, 2000)] }),
      from.commit({ committedAt: begin + second, writes: [open(2, 2500, 'u')] }),
    ];
    from.place = 4;
    const items = [
      ...logs,
      from.snapshot({ committedAt: begin + 2 * second, writes: [open(2, 2500)] }),
      from.commit({ committedAt: begin + 3 * second, writes: [open(2, 500, 'u')] }),
    ].flat();
    const result = runTopology(
      mariadbShopIntake,
      items.map(({ item }) => item),
    );
    expect(toldBy(result)).toEqual({ 'level reserved A': 500 });
  });

  it('D1: another binlog under the same GTIDs is refused until a new snapshot', () => {
    const from = new DebeziumSource('shop', mariadbShopIntake as never, 'mariadb');
    const first = from.commit({ committedAt: begin, writes: [open(1, 1000)] });
    from.place = 4;
    const items = [
      first,
      from.commit({ committedAt: begin + second, writes: [open(1, 2000, 'u')] }),
    ];
    const result = runTopology(
      mariadbShopIntake,
      items.flat().map(({ item }) => item),
    );
    expect(result.records(alerts).map(({ value }) => value?.kind)).toEqual(['newLineage']);
    expect(toldBy(result)).toEqual({ 'level reserved A': 1000 });
  });
});

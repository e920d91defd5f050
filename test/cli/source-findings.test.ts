/** What makes a source unfit to be captured, each with what to do. */
import { describe, expect, it } from 'vitest';
import {
  judgeMariadb,
  judgePostgres,
  type MariadbFacts,
  type PostgresFacts,
} from '../../processors/cli/source/findings.ts';

const wanted = [
  { name: 'public.move', primaryKey: ['id'], columns: [['id'], ['qty', 'quantity']] },
];
const table = {
  name: 'public.move',
  exists: true,
  primaryKey: ['id'],
  columns: ['id', 'qty', 'note'],
  isReadable: true,
};

const postgres: PostgresFacts = {
  version: 150_004,
  walLevel: 'logical',
  slotsFree: 5,
  sendersMax: 10,
  slotKeepMb: 4096,
  isStandby: false,
  user: { name: 'stockline', canReplicate: true, isSuperuser: false },
  tables: [{ ...table, replicaIdentity: 'default', isUnlogged: false, isPartitioned: false }],
  publication: {
    name: 'stockline_erp',
    exists: true,
    allTables: false,
    tables: ['public.move'],
    hidden: [],
    filtered: [],
    viaRoot: true,
  },
  otherAllTables: [],
  slot: { name: 'stockline_erp', exists: false, isActive: false, walStatus: '' },
};
const [postgresTable] = postgres.tables;

const mariadb: MariadbFacts = {
  version: '10.11.6-MariaDB',
  logBin: true,
  format: 'ROW',
  rowImage: 'FULL',
  serverId: 1,
  keepSeconds: 864_000,
  doDatabases: [],
  ignoreDatabases: [],
  user: {
    name: 'stockline@%',
    privileges: ['SELECT', 'REPLICATION SLAVE', 'BINLOG MONITOR'],
  },
  hidingAccounts: [],
  tables: [{ ...table, name: 'shop.move', engine: 'InnoDB', silentKeys: [] }],
};
const [mariadbTable] = mariadb.tables;
const mariadbWanted = wanted.map((one) => ({ ...one, name: 'shop.move' }));

const said = (findings: ReturnType<typeof judgePostgres>, level: string): readonly string[] =>
  findings.filter((finding) => finding.level === level).map(({ what }) => what);

describe('the check of a source', () => {
  it('finds nothing to say against one that is right', () => {
    for (const findings of [
      judgePostgres(postgres, wanted),
      judgeMariadb(mariadb, 'shop', mariadbWanted),
    ]) {
      expect(said(findings, 'refusal')).toEqual([]);
      expect(said(findings, 'warning')).toEqual([]);
    }
  });

  it.each<[string, Partial<PostgresFacts>, RegExp]>([
    ['no logical log', { walLevel: 'replica' }, /wal_level is replica/],
    ['no free slot', { slotsFree: 0 }, /no replication slot is free/],
    ['a standby that is too old', { isStandby: true }, /standby/],
    [
      'a user that may not replicate',
      { user: { name: 'x', canReplicate: false, isSuperuser: false } },
      /x may not replicate/,
    ],
    [
      'a publication of all tables',
      { publication: { ...postgres.publication, allTables: true } },
      /not exactly the captured tables: all tables/,
    ],
    [
      'a lost slot',
      { slot: { name: 's', exists: true, isActive: false, walStatus: 'lost' } },
      /changes are missing/,
    ],
    [
      'no primary key',
      { tables: [{ ...postgresTable, primaryKey: [] } as never] },
      /no primary key/,
    ],
    [
      'another primary key',
      { tables: [{ ...postgresTable, primaryKey: ['qty'] } as never] },
      /primary key of public.move is qty/,
    ],
    [
      'a missing column',
      { tables: [{ ...postgresTable, columns: ['id'] } as never] },
      /no column qty or quantity/,
    ],
    ['a missing table', { tables: [{ ...postgresTable, exists: false } as never] }, /is not there/],
    [
      'an unlogged table',
      { tables: [{ ...postgresTable, isUnlogged: true } as never] },
      /UNLOGGED/,
    ],
    [
      'a table without identity',
      { tables: [{ ...postgresTable, replicaIdentity: 'nothing' } as never] },
      /IDENTITY NOTHING/,
    ],
    [
      'a table that may not be read',
      { tables: [{ ...postgresTable, isReadable: false } as never] },
      /may not be read/,
    ],
  ])('S1: refuses a PostgreSQL with %s', (_name, change, sentence) => {
    const refusals = said(judgePostgres({ ...postgres, ...change }, wanted), 'refusal');
    expect(refusals.join('\n')).toMatch(sentence);
  });

  it.each<[string, Partial<MariadbFacts>, RegExp]>([
    ['no log', { logBin: false }, /no binary log/],
    ['a log of statements', { format: 'MIXED' }, /binlog_format is MIXED/],
    ['rows that are not whole', { rowImage: 'MINIMAL' }, /binlog_row_image is MINIMAL/],
    ['a log without the database', { ignoreDatabases: ['shop'] }, /leaves out database shop/],
    ['a log of other databases', { doDatabases: ['other'] }, /has only other/],
    [
      'missing privileges',
      { user: { name: 'x', privileges: ['SELECT'] } },
      /lacks REPLICATION SLAVE/,
    ],
    [
      'rows that change silently',
      { tables: [{ ...mariadbTable, silentKeys: ['fk_line'] } as never] },
      /without a word in the log by fk_line/,
    ],
  ])('S1: refuses a MariaDB with %s', (_name, change, sentence) => {
    const findings = judgeMariadb({ ...mariadb, ...change }, 'shop', mariadbWanted);
    expect(said(findings, 'refusal').join('\n')).toMatch(sentence);
  });

  it('warns of accounts that can hide changes, of a log that is kept too short, of a slot without limit', () => {
    const hidden = judgeMariadb(
      { ...mariadb, hidingAccounts: ["'batch'@'%'"], keepSeconds: 3600 },
      'shop',
      mariadbWanted,
    );
    expect(said(hidden, 'warning')).toHaveLength(2);
    const limitless = judgePostgres({ ...postgres, slotKeepMb: -1 }, wanted);
    expect(said(limitless, 'warning').join('\n')).toMatch(/without limit/);
  });
});

/** What a source must have before it is captured, judged from what was found there. Pure. */

export type Finding = {
  /** refusal: capture would lose changes, or hurt the source. */
  readonly level: 'good' | 'warning' | 'refusal';
  readonly what: string;
  /** What to do, or what follows. */
  readonly remedy: string;
};

export type FoundTable = {
  readonly name: string;
  readonly exists: boolean;
  readonly primaryKey: readonly string[];
  readonly columns: readonly string[];
  /** May the capture user read it? */
  readonly isReadable: boolean;
};

export type WantedTable = {
  readonly name: string;
  readonly primaryKey: readonly string[];
  /** Names under which each column that is read may be there; any one of them is enough. */
  readonly columns: readonly (readonly string[])[];
};

export type PostgresFacts = {
  readonly version: number;
  readonly walLevel: string;
  readonly slotsFree: number;
  readonly sendersMax: number;
  /** Megabytes that a slot may hold back; -1: no limit. */
  readonly slotKeepMb: number;
  readonly isStandby: boolean;
  readonly user: {
    readonly name: string;
    readonly canReplicate: boolean;
    readonly isSuperuser: boolean;
  };
  readonly tables: readonly (FoundTable & {
    readonly replicaIdentity: 'default' | 'nothing' | 'full' | 'index';
    readonly isUnlogged: boolean;
    readonly isPartitioned: boolean;
  })[];
  readonly publication: {
    readonly name: string;
    readonly exists: boolean;
    readonly allTables: boolean;
    readonly tables: readonly string[];
    /** Of insert, update, delete and truncate: those that it leaves out. */
    readonly hidden: readonly string[];
    /** Tables of which it has only some rows or columns. */
    readonly filtered: readonly string[];
    /** Are changes of partitions told as those of their table? */
    readonly viaRoot: boolean;
  };
  /** Publications of all tables, whoever made them. */
  readonly otherAllTables: readonly string[];
  readonly slot: {
    readonly name: string;
    readonly exists: boolean;
    readonly isActive: boolean;
    readonly walStatus: string;
  };
};

export type MariadbFacts = {
  readonly version: string;
  readonly logBin: boolean;
  readonly format: string;
  readonly rowImage: string;
  readonly serverId: number;
  /** 0: logs are kept for ever. */
  readonly keepSeconds: number;
  /** Databases that the log leaves out, or the only ones that it has. */
  readonly doDatabases: readonly string[];
  readonly ignoreDatabases: readonly string[];
  readonly user: { readonly name: string; readonly privileges: readonly string[] };
  /** Accounts that may switch the log off or change the row image in their session. */
  readonly hidingAccounts: readonly string[];
  readonly tables: readonly (FoundTable & {
    readonly engine: string;
    /** Foreign keys by which the server changes rows of this table without a word in the log. */
    readonly silentKeys: readonly string[];
  })[];
};

const good = (what: string, remedy = ''): Finding => ({ level: 'good', what, remedy });
const warning = (what: string, remedy: string): Finding => ({ level: 'warning', what, remedy });
const refusal = (what: string, remedy: string): Finding => ({ level: 'refusal', what, remedy });

const oldestPostgres = 120_000;

export function judgePostgres(
  facts: PostgresFacts,
  wanted: readonly WantedTable[],
): readonly Finding[] {
  return [
    ...postgresServer(facts),
    ...postgresUser(facts),
    ...facts.tables.flatMap((table) => [...judgeTable(table, wanted), ...postgresTable(table)]),
    ...publication(facts, wanted),
    ...published(facts),
    ...slot(facts),
  ];
}

function postgresServer(facts: PostgresFacts): Finding[] {
  const findings = [
    facts.version >= oldestPostgres
      ? good(`PostgreSQL ${Math.floor(facts.version / 10_000)}`)
      : refusal(`PostgreSQL ${facts.version} is too old`, 'version 12 or later is needed'),
    facts.walLevel === 'logical'
      ? good('wal_level is logical')
      : refusal(
          `wal_level is ${facts.walLevel}`,
          'set wal_level = logical and restart the server; nothing else of it changes',
        ),
  ];
  if (facts.slotsFree < 1 && !facts.slot.exists) {
    findings.push(refusal('no replication slot is free', 'raise max_replication_slots'));
  }
  if (facts.sendersMax < 2) findings.push(refusal('max_wal_senders is below 2', 'raise it'));
  if (facts.slotKeepMb < 0) {
    findings.push(
      warning(
        'a slot may hold back the log without limit (max_slot_wal_keep_size = -1)',
        'set a limit that the disk bears: if capture stands still that long, the slot is lost and a new snapshot is taken',
      ),
    );
  }
  if (facts.isStandby && facts.version < 160_000) {
    findings.push(
      refusal('it is a standby, which cannot have a slot before version 16', 'name the primary'),
    );
  }
  return findings;
}

function postgresUser({ user }: PostgresFacts): Finding[] {
  const findings: Finding[] = [];
  if (!user.canReplicate && !user.isSuperuser) {
    findings.push(
      refusal(`${user.name} may not replicate`, `ALTER ROLE "${user.name}" REPLICATION`),
    );
  }
  if (user.isSuperuser) {
    findings.push(
      warning(`${user.name} is a superuser`, 'capture with a user that only reads and replicates'),
    );
  }
  return findings;
}

function judgeTable(table: FoundTable, wanted: readonly WantedTable[]): Finding[] {
  const { name } = table;
  if (!table.exists) {
    return [refusal(`table ${name} is not there`, 'correct the mapping, or the database')];
  }
  const findings: Finding[] = [];
  const want = wanted.find((one) => one.name === name);
  const missing = (want?.columns ?? []).filter(
    (names) => !names.some((column) => table.columns.includes(column)),
  );
  if (missing.length > 0) {
    const list = missing.map((names) => names.join(' or ')).join(', ');
    findings.push(refusal(`table ${name} has no column ${list}`, 'correct the mapping'));
  }
  if (table.primaryKey.length === 0) {
    findings.push(
      refusal(
        `table ${name} has no primary key`,
        'it is not captured: publishing it would make UPDATE and DELETE fail in the source',
      ),
    );
  } else if (want !== undefined && want.primaryKey.join() !== table.primaryKey.join()) {
    findings.push(
      refusal(
        `the primary key of ${name} is ${table.primaryKey.join(', ')}`,
        `the mapping says ${want.primaryKey.join(', ')}: correct it`,
      ),
    );
  }
  if (!table.isReadable) findings.push(refusal(`table ${name} may not be read`, 'GRANT SELECT'));
  return findings.length > 0 ? findings : [good(`table ${name}`)];
}

function postgresTable(table: PostgresFacts['tables'][number]): Finding[] {
  const { name } = table;
  if (!table.exists) return [];
  const findings: Finding[] = [];
  if (table.isUnlogged) {
    findings.push(refusal(`table ${name} is UNLOGGED: its changes are in no log`, 'leave it out'));
  }
  if (table.replicaIdentity === 'nothing') {
    findings.push(
      refusal(`table ${name} has REPLICA IDENTITY NOTHING: deletes have no key`, 'use DEFAULT'),
    );
  }
  return findings;
}

function publication(facts: PostgresFacts, wanted: readonly WantedTable[]): Finding[] {
  const findings = facts.otherAllTables.map((name) =>
    warning(
      `publication ${name} is FOR ALL TABLES`,
      'UPDATE and DELETE fail in every table without primary key; it is not ours, ask whose it is',
    ),
  );
  const { name, exists, allTables, tables } = facts.publication;
  if (!exists) {
    return [...findings, good(`publication ${name} would be created`, 'of exactly these tables')];
  }
  const names = wanted.map((table) => table.name);
  const extra = tables.filter((table) => !names.includes(table));
  const missing = names.filter((table) => !tables.includes(table));
  const differs = allTables
    ? 'all tables'
    : [...extra.map((table) => `+${table}`), ...missing.map((table) => `-${table}`)].join(' ');
  if (differs === '') {
    return [...findings, good(`publication ${name} is exactly the captured tables`)];
  }
  const level = allTables || missing.length > 0 ? refusal : warning;
  return [
    ...findings,
    level(
      `publication ${name} is not exactly the captured tables: ${differs}`,
      'stockline apply makes it so',
    ),
  ];
}

/** What a publication that is there keeps from the log. */
function published({ publication: found, tables }: PostgresFacts): Finding[] {
  const { name, exists, hidden, filtered, viaRoot } = found;
  if (!exists) return [];
  const remedy = 'stockline apply makes it whole';
  const findings: Finding[] = [];
  if (hidden.length > 0) {
    findings.push(refusal(`publication ${name} leaves out ${hidden.join(', ')}`, remedy));
  }
  if (filtered.length > 0) {
    findings.push(
      refusal(
        `publication ${name} has only some rows or columns of ${filtered.join(', ')}`,
        remedy,
      ),
    );
  }
  const parts = tables.filter(({ isPartitioned }) => isPartitioned).map((table) => table.name);
  if (parts.length > 0 && !viaRoot) {
    findings.push(
      refusal(
        `publication ${name} tells changes of ${parts.join(', ')} under the names of partitions, which nobody reads`,
        remedy,
      ),
    );
  }
  return findings;
}

function slot({ slot: found }: PostgresFacts): Finding[] {
  if (!found.exists) return [good(`replication slot ${found.name} would be created`)];
  if (found.walStatus === 'lost') {
    return [
      refusal(
        `replication slot ${found.name} is lost: changes are missing`,
        'stockline source resync: it takes a new snapshot',
      ),
    ];
  }
  return [
    found.isActive
      ? good(`replication slot ${found.name} is in use`)
      : warning(
          `replication slot ${found.name} is there and nobody reads it`,
          'the log grows until the connector runs again',
        ),
  ];
}

const neededPrivileges = ['SELECT', 'REPLICATION SLAVE', 'BINLOG MONITOR'];
const keepSecondsMin = 2 * 86_400;

export function judgeMariadb(
  facts: MariadbFacts,
  schema: string,
  wanted: readonly WantedTable[],
): readonly Finding[] {
  return [
    ...mariadbLog(facts, schema),
    ...mariadbUser(facts),
    ...facts.tables.flatMap((table) => [...judgeTable(table, wanted), ...mariadbTable(table)]),
  ];
}

function mariadbLog(facts: MariadbFacts, schema: string): Finding[] {
  const findings = [good(`MariaDB ${facts.version}`)];
  if (!facts.logBin) return [...findings, refusal('there is no binary log', 'set log_bin')];
  if (facts.format !== 'ROW') {
    findings.push(refusal(`binlog_format is ${facts.format}`, 'set binlog_format = ROW'));
  }
  if (facts.rowImage !== 'FULL') {
    findings.push(
      refusal(
        `binlog_row_image is ${facts.rowImage}: changed rows are not whole`,
        'set binlog_row_image = FULL',
      ),
    );
  }
  if (facts.serverId === 0) findings.push(refusal('server_id is 0', 'set it'));
  if (facts.keepSeconds > 0 && facts.keepSeconds < keepSecondsMin) {
    findings.push(
      warning(
        `binary logs are kept for ${Math.round(facts.keepSeconds / 3600)} hours`,
        'capture that stands still longer needs a new snapshot: two days or more are better',
      ),
    );
  }
  if (facts.ignoreDatabases.includes(schema)) {
    findings.push(refusal(`the log leaves out database ${schema}`, 'remove binlog_ignore_db'));
  }
  if (facts.doDatabases.length > 0 && !facts.doDatabases.includes(schema)) {
    findings.push(refusal(`the log has only ${facts.doDatabases.join(', ')}`, 'see binlog_do_db'));
  }
  return findings;
}

function mariadbUser({ user, hidingAccounts }: MariadbFacts): Finding[] {
  const findings: Finding[] = [];
  const missing = neededPrivileges.filter((name) => !user.privileges.includes(name));
  if (missing.length > 0) {
    findings.push(refusal(`${user.name} lacks ${missing.join(', ')}`, `GRANT them to it`));
  }
  if (hidingAccounts.length > 0) {
    findings.push(
      warning(
        `these accounts can hide changes from the log: ${hidingAccounts.join(', ')}`,
        'take BINLOG ADMIN and SUPER from those that write stock (sql_log_bin=0, another row image); what they hide is seen only by a later change of the same row',
      ),
    );
  }
  return findings;
}

function mariadbTable(table: MariadbFacts['tables'][number]): Finding[] {
  if (!table.exists) return [];
  const findings: Finding[] = [];
  if (table.silentKeys.length > 0) {
    findings.push(
      refusal(
        `rows of ${table.name} change without a word in the log by ${table.silentKeys.join(', ')}`,
        'ON DELETE and ON UPDATE of CASCADE or SET NULL are done inside the engine: let the application delete the lines',
      ),
    );
  }
  if (table.engine !== 'InnoDB') {
    findings.push(
      warning(
        `table ${table.name} is ${table.engine}: it has no transactions`,
        'a document may be seen in parts',
      ),
    );
  }
  return findings;
}

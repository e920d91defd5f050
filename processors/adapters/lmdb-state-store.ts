/**
 * A state store on disk: lmdb, one folder per partition. Damaged, cut short or unfinished: deleted, and rebuilt by the
 * runtime. Writes gather in memory for a moment, so that a key that changes often is written once and the disk is
 * waited for rarely; what a crash takes of them comes back from the changelog. The disk is not waited for: a killed process
 * leaves its writes with the operating system, and a store that another run of the system wrote begins anew.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { decodeCheckpoint, encodeCheckpoint } from '../runtime/checkpoint.ts';
import { PipelineError } from '../runtime/errors.ts';
import type { StateStore, StoredCheckpoint } from '../runtime/ports.ts';
import { bufferOf } from '../topology/buffer.ts';

/** lmdb refuses longer keys. */
const keyBytesMax = 1_900;
const metaKey = '\u0000meta';
/** Gathered writes go to the disk when they are this many or this old, whichever is first. */
const gatheredMax = 16_384;
const gatheredMs = 2_000;

type Meta = { readonly changelogOffset: string; readonly writtenAtMs: number };
type Database = RootDatabase<Buffer, string>;

export function lmdbStateStore(folder: string): StateStore {
  // Reading a file that was cut short kills the process; the next start then finds this mark and begins anew.
  const mark = join(folder, 'unproved');
  if (existsSync(mark) || isOfAnotherBoot(folder)) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(mark, '');
  let database = openDatabase(folder) ?? anew(folder);
  let proved = false;
  let closed = false;
  /** A worker that was left behind may still come here: reading a closed database ends the process. */
  const opened = (): Database => {
    if (closed) throw new PipelineError('STORE_CLOSED', 'stop', `the store ${folder} is closed`);
    return database;
  };

  const gathered = new Map<string, Uint8Array | undefined>();
  /** Undefined when nothing is gathered. */
  let gatheredSinceMs: number | undefined;
  let latest = readCheckpoint(database);

  const flush = (): void => {
    if (gatheredSinceMs === undefined) return;
    writeAll(database, gathered, latest);
    gathered.clear();
    gatheredSinceMs = undefined;
    if (proved || latest === undefined) return;
    rmSync(mark, { force: true });
    proved = true;
  };
  const clear = (): void => {
    void database.close();
    database = anew(folder);
    writeFileSync(mark, '');
    proved = false;
    gathered.clear();
    gatheredSinceMs = undefined;
    latest = undefined;
  };
  return {
    checkpoint: () => latest,
    get: (key) => {
      if (gathered.size > 0) {
        const value = gathered.get(key);
        if (value !== undefined || gathered.has(key)) return value;
      }
      return opened().getBinary(key);
    },
    write: (entries, checkpoint) => {
      opened();
      for (const [key, value] of entries) gathered.set(checkedKey(key), value);
      const nowMs = Date.now();
      gatheredSinceMs ??= nowMs;
      const isBegun = checkpoint !== undefined;
      const isTurning = isBegun !== (latest !== undefined) || (isBegun && !proved);
      latest = checkpoint;
      // A store that begins or ceases to be trusted is so at once.
      if (isTurning || gathered.size >= gatheredMax || nowMs - gatheredSinceMs >= gatheredMs) {
        flush();
      }
    },
    entries: function* () {
      flush();
      yield* valuesIn(database);
    },
    keys: (beginning) => keysIn(opened(), gathered, beginning),
    clear,
    close: () => {
      flush();
      closed = true;
      return database.close();
    },
  };
}

/** What is on the disk, but for what is gathered for it. */
function keysIn(
  database: Database,
  gathered: ReadonlyMap<string, Uint8Array | undefined>,
  beginning: string,
): ReadonlySet<string> {
  const found = new Set<string>();
  for (const key of database.getKeys({ start: beginning, snapshot: true })) {
    if (!key.startsWith(beginning)) break;
    found.add(key);
  }
  for (const [key, value] of gathered) {
    if (!key.startsWith(beginning)) continue;
    if (value === undefined) found.delete(key);
    else found.add(key);
  }
  return found;
}

function* valuesIn(database: Database): Generator<readonly [key: string, value: Uint8Array]> {
  for (const { key } of database.getRange({ snapshot: true })) {
    const value = key === metaKey ? undefined : database.getBinary(key);
    if (value !== undefined) yield [key, value] as const;
  }
}

/** In one transaction of the database. */
function writeAll(
  database: Database,
  entries: ReadonlyMap<string, Uint8Array | undefined>,
  checkpoint: StoredCheckpoint | undefined,
): void {
  database.transactionSync(() => {
    for (const [key, value] of entries) {
      if (value === undefined) database.removeSync(key);
      else database.putSync(key, bufferOf(value));
    }
    if (checkpoint === undefined) database.removeSync(metaKey);
    else database.putSync(metaKey, encodeMeta(checkpoint));
  });
}

function readCheckpoint(database: Database): StoredCheckpoint | undefined {
  try {
    const bytes = database.getBinary(metaKey);
    if (bytes === undefined) return undefined;
    const length = bytes.readUInt32BE(0);
    const meta = JSON.parse(bytes.subarray(4, 4 + length).toString()) as Meta;
    return {
      ...decodeCheckpoint(bytes.subarray(4 + length)),
      changelogOffset: BigInt(meta.changelogOffset),
      writtenAtMs: meta.writtenAtMs,
    };
  } catch {
    return undefined;
  }
}

/** Undefined when what lies there is no whole database. */
function openDatabase(folder: string): Database | undefined {
  try {
    const database = open<Buffer, string>({
      path: folder,
      encoding: 'binary',
      noSubdir: false,
      cache: false,
      noSync: thisBoot !== undefined,
    });
    writeFileSync(bootFile(folder), thisBoot ?? '');
    if (isWhole(database, join(folder, 'data.mdb'))) return database;
    void database.close();
  } catch {
    // The caller begins anew.
  }
  return undefined;
}

/** Names this run of the operating system; undefined where it does not tell, and then every write waits for the disk. */
const thisBoot = existsSync('/proc/sys/kernel/random/boot_id')
  ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  : undefined;

const bootFile = (folder: string): string => join(folder, 'boot');

function isOfAnotherBoot(folder: string): boolean {
  return (
    existsSync(bootFile(folder)) && readFileSync(bootFile(folder), 'utf8') !== (thisBoot ?? '')
  );
}

function anew(folder: string): Database {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const database = openDatabase(folder);
  if (database !== undefined) return database;
  throw new PipelineError(
    'STORE_NOT_OPENED',
    'stop',
    `no state store can be opened in ${folder}: is the folder writable, and is there room on the disk?`,
  );
}

/** A file shorter than its last page ends in a crash when that page is read. */
function isWhole(database: Database, file: string): boolean {
  const stats = database.getStats() as {
    readonly pageSize?: number;
    readonly lastPageNumber?: number;
  };
  if (stats.pageSize === undefined || stats.lastPageNumber === undefined) return true;
  return statSync(file).size >= (stats.lastPageNumber + 1) * stats.pageSize;
}

function encodeMeta(checkpoint: StoredCheckpoint): Buffer {
  const meta: Meta = {
    changelogOffset: String(checkpoint.changelogOffset),
    writtenAtMs: checkpoint.writtenAtMs,
  };
  const head = Buffer.from(JSON.stringify(meta));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  return Buffer.concat([length, head, encodeCheckpoint(checkpoint)]);
}

function checkedKey(key: string): string {
  if (key.length * 3 <= keyBytesMax || Buffer.byteLength(key) <= keyBytesMax) return key;
  throw new PipelineError(
    'STATE_KEY_TOO_LONG',
    'stop',
    `a state key has more than ${keyBytesMax} bytes: ${key.slice(0, 60)}…`,
  );
}

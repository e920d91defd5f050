/**
 * The state of one partition while a transaction is open. One map holds a cell per key: what is committed, as far as
 * it is known, and what the open transaction wrote. A commit makes the one the other, a rollback forgets it.
 */
import type { StateCodec, StepState } from '../topology/topology.ts';
import { reservedStart } from './checkpoint.ts';
import { stop } from './errors.ts';

/** What is committed. */
export type CommittedState = {
  readonly get: (key: string) => Uint8Array | undefined;
  readonly keys: (beginning: string) => Iterable<string>;
};

export type OpenState<S> = {
  readonly view: StepState<S>;
  /** What a commit would change, encoded: one entry per key; nothing for a key that came and went. */
  readonly changes: () => readonly (readonly [key: string, bytes: Uint8Array | undefined])[];
  readonly commit: () => void;
  readonly rollback: () => void;
  /** Forgets also the cache: the store has been changed under it. */
  readonly reset: () => void;
};

const gone = Symbol('gone');
/** Nobody has asked the store. */
const unread = Symbol('unread');

type Cell<S> = {
  readonly key: string;
  committed: S | typeof gone | typeof unread;
  /** Undefined: the open transaction has not written it. */
  open: S | typeof gone | undefined;
  /** Looked at since the last time that room was made. */
  isUsed: boolean;
};

export function openState<S>(
  codec: StateCodec<S>,
  committed: CommittedState,
  options: { readonly hotCellsMax: number },
): OpenState<S> {
  const cells = new Map<string, Cell<S>>();
  let written: Cell<S>[] = [];

  const readCommitted = (key: string): S | typeof gone => {
    const bytes = committed.get(key);
    return bytes === undefined ? gone : decodeState(codec, bytes);
  };
  const write = (key: string, value: S | typeof gone): void => {
    let cell = cells.get(key);
    if (cell === undefined) {
      cell = { key, committed: unread, open: value, isUsed: true };
      cells.set(key, cell);
      written.push(cell);
      return;
    }
    if (cell.open === undefined) written.push(cell);
    cell.open = value;
  };
  const makeRoom = (): void => makeRoomIn(cells, options.hotCellsMax);

  return {
    view: {
      get: (key) => {
        let cell = cells.get(key);
        if (cell === undefined) {
          cell = { key, committed: readCommitted(key), open: undefined, isUsed: false };
          cells.set(key, cell);
        } else cell.isUsed = true;
        if (cell.open !== undefined) return cell.open === gone ? undefined : (cell.open as S);
        if (cell.committed === unread) cell.committed = readCommitted(key);
        return cell.committed === gone ? undefined : (cell.committed as S);
      },
      put: (key, value) => {
        if (key.startsWith(reservedStart)) throw new Error('a state key cannot begin with NUL');
        if (value === undefined) throw new Error('a state value cannot be undefined: delete it');
        write(key, value);
      },
      delete: (key) => write(key, gone),
      keys: (beginning) => keysOf(written, committed, beginning),
    },
    changes: () => changesOf(written, committed, codec),
    commit: () => {
      for (const cell of written) {
        // What is gone will hardly be asked for again.
        if (cell.open === gone) cells.delete(cell.key);
        else {
          cell.committed = cell.open as S;
          cell.open = undefined;
        }
      }
      written = [];
      makeRoom();
    },
    rollback: () => {
      for (const cell of written) cell.open = undefined;
      written = [];
      makeRoom();
    },
    reset: () => {
      cells.clear();
      written = [];
    },
  };
}

/** What is committed, but for what the open transaction added and took away. */
function keysOf<S>(
  written: readonly Cell<S>[],
  committed: CommittedState,
  beginning: string,
): readonly string[] {
  const found = new Set(committed.keys(beginning));
  for (const { key, open } of written) {
    if (!key.startsWith(beginning)) continue;
    if (open === gone) found.delete(key);
    else found.add(key);
  }
  return [...found].sort();
}

function changesOf<S>(
  written: readonly Cell<S>[],
  committed: CommittedState,
  codec: StateCodec<S>,
): ReturnType<OpenState<S>['changes']> {
  const changes: [string, Uint8Array | undefined][] = [];
  for (const { key, open, committed: known } of written) {
    if (open !== gone) changes.push([key, encodeState(codec, open as S)]);
    else if (known === unread ? committed.get(key) !== undefined : known !== gone) {
      changes.push([key, undefined]);
    }
  }
  return changes;
}

/** The oldest cells go, but for those that were looked at meanwhile: they are asked again at the next round. */
function makeRoomIn<S>(cells: Map<string, Cell<S>>, cellsMax: number): void {
  if (cells.size <= cellsMax) return;
  for (const [key, cell] of cells) {
    cells.delete(key);
    if (cell.isUsed && cellsMax > 0) {
      cell.isUsed = false;
      cells.set(key, cell);
    } else if (cells.size <= cellsMax) return;
  }
}

/** One byte of version, then the codec's bytes. */
export function encodeState<S>(codec: StateCodec<S>, value: S): Uint8Array {
  const body = codec.encode(value);
  const bytes = Buffer.allocUnsafe(body.length + 1);
  bytes[0] = codec.version;
  bytes.set(body, 1);
  return bytes;
}

export function decodeState<S>(codec: StateCodec<S>, bytes: Uint8Array): S {
  const version = bytes[0];
  const body = bytes.subarray(1);
  if (version === codec.version) return codec.decode(body);
  if (version !== undefined && version < codec.version && codec.migrate !== undefined) {
    return codec.migrate(body, version);
  }
  const isNewer = version !== undefined && version > codec.version;
  throw stop(
    'STATE_VERSION',
    `the state was written by version ${version} of its schema and this program reads version ${codec.version}: ` +
      (isNewer
        ? 'start a newer program'
        : 'start the program that wrote it, or begin anew with empty topics and another folder'),
  );
}

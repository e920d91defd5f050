/**
 * The state of one partition while a transaction is open: what steps wrote lies over a cache of decoded values,
 * which lies over the store. A commit moves it down, a rollback drops it.
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

export function openState<S>(
  codec: StateCodec<S>,
  committed: CommittedState,
  options: { readonly hotCellsMax: number },
): OpenState<S> {
  const open = new Map<string, S | typeof gone>();
  const hot = new Map<string, S | typeof gone>();

  const remember = (key: string, value: S | typeof gone): void => {
    hot.delete(key);
    hot.set(key, value);
    if (hot.size > options.hotCellsMax) {
      const oldest = hot.keys().next();
      if (!oldest.done) hot.delete(oldest.value);
    }
  };
  const readCommitted = (key: string): S | typeof gone => {
    const known = hot.get(key);
    if (known !== undefined) return known;
    const bytes = committed.get(key);
    const value = bytes === undefined ? gone : decodeState(codec, bytes);
    if (options.hotCellsMax > 0) remember(key, value);
    return value;
  };

  return {
    view: {
      get: (key) => {
        const own = open.get(key);
        const value = own === undefined ? readCommitted(key) : own;
        return value === gone ? undefined : (value as S);
      },
      put: (key, value) => {
        if (key.startsWith(reservedStart)) throw new Error('a state key cannot begin with NUL');
        if (value === undefined) throw new Error('a state value cannot be undefined: delete it');
        open.set(key, value);
      },
      delete: (key) => {
        open.set(key, gone);
      },
      keys: (beginning) => {
        const found = new Set(committed.keys(beginning));
        for (const [key, value] of open) {
          if (!key.startsWith(beginning)) continue;
          if (value === gone) found.delete(key);
          else found.add(key);
        }
        return [...found].sort();
      },
    },
    changes: () => {
      const changes: [string, Uint8Array | undefined][] = [];
      for (const [key, value] of open) {
        if (value !== gone) changes.push([key, encodeState(codec, value as S)]);
        else if (committed.get(key) !== undefined) changes.push([key, undefined]);
      }
      return changes;
    },
    commit: () => {
      for (const [key, value] of open) {
        // What came and went would push out what is still there.
        if (value === gone) hot.delete(key);
        else if (options.hotCellsMax > 0) remember(key, value);
      }
      open.clear();
    },
    rollback: () => open.clear(),
    reset: () => {
      open.clear();
      hot.clear();
    },
  };
}

/** One byte of version, then the codec's bytes. */
export function encodeState<S>(codec: StateCodec<S>, value: S): Uint8Array {
  const body = codec.encode(value);
  const bytes = new Uint8Array(body.length + 1);
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
  throw stop(
    'STATE_VERSION',
    `the state was written by version ${version} of its schema and this program reads version ${codec.version}: ` +
      'start the program that wrote it, or a newer one',
  );
}

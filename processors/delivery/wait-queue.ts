/** Keys that wait for a time, earliest first. A key waits once: its last time holds. */
export type WaitQueue = {
  readonly put: (key: string, atMs: number) => void;
  readonly remove: (key: string) => void;
  readonly has: (key: string) => boolean;
  /** Takes one key whose time has come. */
  readonly takeDue: (nowMs: number) => string | undefined;
  /** When the next one comes; Infinity when none waits. */
  readonly nextMs: () => number;
  readonly size: () => number;
};

type Entry = { readonly key: string; readonly atMs: number };

export function waitQueue(): WaitQueue {
  const times = new Map<string, number>();
  /** A binary heap; entries whose time is no longer the key's are passed over. */
  const heap: Entry[] = [];

  const swap = (one: number, other: number): void => {
    const entry = heap[one] as Entry;
    heap[one] = heap[other] as Entry;
    heap[other] = entry;
  };
  const isBefore = (one: number, other: number): boolean =>
    (heap[one] as Entry).atMs < (heap[other] as Entry).atMs;
  const push = (entry: Entry): void => {
    heap.push(entry);
    let at = heap.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(at, parent)) return;
      swap(at, parent);
      at = parent;
    }
  };
  const pop = (): void => {
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    heap[0] = last;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= heap.length) return;
      const child = left + 1 < heap.length && isBefore(left + 1, left) ? left + 1 : left;
      if (!isBefore(child, at)) return;
      swap(at, child);
      at = child;
    }
  };
  const dropPassedOver = (): void => {
    for (let first = heap[0]; first !== undefined; first = heap[0]) {
      if (times.get(first.key) === first.atMs) return;
      pop();
    }
  };
  return {
    put: (key, atMs) => {
      if (times.get(key) === atMs) return;
      times.set(key, atMs);
      push({ key, atMs });
    },
    remove: (key) => void times.delete(key),
    has: (key) => times.has(key),
    takeDue: (nowMs) => {
      dropPassedOver();
      const first = heap[0];
      if (first === undefined || first.atMs > nowMs) return undefined;
      pop();
      times.delete(first.key);
      return first.key;
    },
    nextMs: () => {
      dropPassedOver();
      return heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
    },
    size: () => times.size,
  };
}

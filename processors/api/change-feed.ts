/** The changes as they come, for whoever keeps a connection open: server-sent events and GraphQL subscriptions. */
import type { Change } from './changes.ts';
import { changesCursor, type Places, parseChangesCursor } from './cursor.ts';
import { type Problem, problem } from './problem.ts';
import type { StockView } from './view.ts';

const changesAtOnce = 500;

export type Feed = { readonly cursor: string; readonly changes: readonly Change[] } | 'expired';

/** Where a reader begins: at its cursor, without one at what comes from now on. */
export function feedStart(view: StockView, cursor: string | undefined): Places | Problem {
  const from = cursor === undefined ? view.places() : parseChangesCursor(cursor);
  if (from === undefined) return problem('CURSOR_INVALID', 'begin anew');
  return view.changesSince(from, 0).kind === 'expired'
    ? problem('CURSOR_EXPIRED', 'read the figures anew')
    : from;
}

/** Until `until`, or until the reader is so slow that what it needs is not kept any more. */
export async function* changeFeed(
  view: StockView,
  from: Places,
  about: { readonly sku?: string | undefined; readonly channel?: string | undefined },
  until: AbortSignal,
): AsyncGenerator<Feed> {
  let places = from;
  let wake: () => void = () => {};
  const stop = view.onChange(() => wake());
  const end = (): void => wake();
  until.addEventListener('abort', end);
  try {
    while (!until.aborted) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const recent = view.changesSince(places, changesAtOnce);
      if (recent.kind === 'expired') {
        yield 'expired';
        return;
      }
      places = recent.places;
      const changes = recent.changes.filter((change) => isWanted(change, about.sku, about.channel));
      if (changes.length > 0) yield { cursor: changesCursor(places), changes };
      if (recent.changes.length === 0) await changed;
    }
  } finally {
    until.removeEventListener('abort', end);
    stop();
  }
}

function isWanted(change: Change, sku: string | undefined, channel: string | undefined): boolean {
  const about = change.kind === 'stock' ? change.level.sku : change.figure.sku;
  if (sku !== undefined && about !== sku) return false;
  return channel === undefined || (change.kind === 'channel' && change.figure.channel === channel);
}

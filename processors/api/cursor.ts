/** Opaque cursors: callers hand them back as they got them. Pure. */

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function decode(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
}

/** The place in a list: the last item that was told, and of which list. */
export const listCursor = (list: string, last: readonly string[]): string =>
  encode([list, ...last]);

/** Undefined when this is no cursor of that list. */
export function parseListCursor(list: string, text: string): readonly string[] | undefined {
  const value = decode(text);
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) return undefined;
  return value[0] === list ? value.slice(1) : undefined;
}

/** By `topic partition`: the next offset to be told. */
export type Places = ReadonlyMap<string, number>;

export const changesCursor = (places: Places): string => encode(Object.fromEntries(places));

export function parseChangesCursor(text: string): Places | undefined {
  const value = decode(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  return entries.length > 0 && entries.every(([, at]) => Number.isSafeInteger(at) && at >= 0)
    ? new Map(entries as [string, number][])
    : undefined;
}

/** Who asks, and what that client may do. How a client is recognised is given to the server as a port. */
import { type Problem, problem } from './problem.ts';

export const scopes = [
  'stock:read',
  'reservations:write',
  'stock:write',
  'allocations:write',
] as const;

/** A verb, or a verb narrowed to one channel or location: `stock:read@shop`. */
export type Scope = (typeof scopes)[number] | `${(typeof scopes)[number]}@${string}`;

/** The id never holds `|`: it begins the keys of the client's requests. */
export type Client = { readonly id: string; readonly scopes: readonly Scope[] };

export type Authenticate = (
  headers: Readonly<Record<string, string | string[] | undefined>>,
) => Promise<Client | Problem>;

/** Undefined when the client may do `verb` on every one of `places`, channels or locations; without places, anywhere. */
export function forbidden(
  client: Client,
  verb: (typeof scopes)[number],
  places: readonly string[] = [],
): Problem | undefined {
  if (client.scopes.includes(verb)) return undefined;
  const isAllowed =
    places.length > 0 && places.every((place) => client.scopes.includes(`${verb}@${place}`));
  return isAllowed
    ? undefined
    : problem('FORBIDDEN', `${verb} is needed`, { more: { scope: verb } });
}

/** The places to which the client's `verb` is narrowed: what is its own anyway needs no more than one of them. */
export const narrowedTo = (client: Client, verb: (typeof scopes)[number]): readonly string[] =>
  client.scopes.flatMap((scope) =>
    scope.startsWith(`${verb}@`) ? [scope.slice(verb.length + 1)] : [],
  );

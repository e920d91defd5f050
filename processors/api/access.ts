/** Who asks, and what that client may do. How a client is recognised is given to the server as a port. */
import { z } from 'zod';
import { type Problem, problem } from './problem.ts';

export const scopes = [
  'stock:read',
  'reservations:write',
  'stock:write',
  'allocations:write',
  'proposals:write',
] as const;

export type Verb = (typeof scopes)[number];

/** A verb, or a verb narrowed to one channel or location: `stock:read@shop`. */
export type Scope = Verb | `${Verb}@${string}`;

/** What is no scope is refused, not ignored: a misspelt one would grant nothing, silently. */
export const scope = z.custom<Scope>(
  (text) => {
    if (typeof text !== 'string') return false;
    const [verb, ...place] = text.split('@');
    return scopes.includes(verb as Verb) && (place.length === 0 || place.join('@') !== '');
  },
  `must be one of ${scopes.join(', ')}, alone or with @ and a channel or location`,
);

/** The id begins the keys of the client's requests and is told to people: no `|`, nothing that is not seen. */
export const clientId = z
  .string()
  .regex(/^[\w.:@+-]{1,100}$/, 'must be letters, digits and . : @ + - _, at most 100');

export type Client = {
  readonly id: string;
  readonly scopes: readonly Scope[];
  /** Its quota; absent: the installation's; null: none. */
  readonly requestsPerMinute?: number | null;
};

export type Authenticate = (
  headers: Readonly<Record<string, string | string[] | undefined>>,
) => Promise<Client | Problem>;

/** What stands in `Authorization: Bearer …`; undefined when there is no such header, or more than that. */
export function bearerIn(authorization: string | string[] | undefined): string | undefined {
  return /^Bearer ([\w.~+/=-]+)$/i.exec(String(authorization ?? ''))?.[1];
}

/** The same answer whatever was wrong: it tells nobody which keys there are. */
export const unauthenticated = (): Problem =>
  problem('UNAUTHENTICATED', 'send Authorization: Bearer <key or token> that is valid', {
    headers: { 'www-authenticate': 'Bearer realm="stockline"' },
  });

/** Undefined when the client may do `verb` on every one of `places`, channels or locations; without places, anywhere. */
export function forbidden(
  client: Client,
  verb: Verb,
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
export const narrowedTo = (client: Client, verb: Verb): readonly string[] =>
  client.scopes.flatMap((one) => (one.startsWith(`${verb}@`) ? [one.slice(verb.length + 1)] : []));

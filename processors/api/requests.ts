/** What callers send → requests of the single writer, in thousandths and milliseconds. Pure. */
import type { z } from 'zod';
import type { Request } from '../../schemas/types.ts';
import { requestKey } from '../topics.ts';
import { thousandthsOf } from './answers.ts';
import type * as models from './models.ts';
import type { Asked } from './writes.ts';

type Line = {
  readonly sku: string;
  readonly location?: string | undefined;
  readonly quantity: number;
};

export const linesOf = (lines: readonly Line[]): Request['lines'] =>
  lines.map(({ sku, location, quantity }) => ({
    sku,
    location: location ?? null,
    quantity: thousandthsOf(quantity),
  }));

export const msOf = (text: string | undefined): number | null =>
  text === undefined ? null : Date.parse(text);

export function reserving(body: z.infer<typeof models.reservationBody>): Asked {
  const { lines, policy, locations, channel, expiresAt, reason, reference } = body;
  return {
    kind: 'reserve',
    lines: linesOf(lines),
    policy,
    locations,
    channel: channel ?? null,
    expiresAt: msOf(expiresAt),
    reason,
    reference,
  };
}

/** `made` is the key of the client's own request that made the reservation. */
export function ending(
  kind: 'commit' | 'release' | 'fulfil',
  client: string,
  made: string,
  { lines, reason, reference }: z.infer<typeof models.endBody>,
): Asked {
  const reservation = requestKey(client, made);
  return { kind, lines: linesOf(lines), reservation, reason, reference };
}

/** A mapping that contradicts itself is refused with every fault, before anything runs. */
import { expect, it } from 'vitest';
import { defineMapping, type SystemMapping } from '../../processors/intake/mapping.ts';
import { cornerShop, order, ticket, ticketLine } from './corner-shop.ts';

const ticketDocument = cornerShop.documents[0] as SystemMapping['documents'][number];
const withTicket = (change: Partial<SystemMapping['documents'][number]>): SystemMapping => ({
  ...cornerShop,
  documents: [{ ...ticketDocument, ...change }],
});

it.each<[string, SystemMapping, RegExp]>([
  [
    'two documents of one name',
    { ...cornerShop, documents: [ticketDocument, ticketDocument] },
    /same name/,
  ],
  [
    'a header key that is no column',
    withTicket({ lines: { table: ticketLine, headerKey: ['ticket'] } }),
    /headerKey ticket is no column of ticket_line/,
  ],
  [
    'a header key of another length',
    withTicket({ lines: { table: ticketLine, headerKey: [] } }),
    /headerKey must name a column per primary key column/,
  ],
  [
    'a key that is not read',
    withTicket({ header: { ...order, primaryKey: ['number'] }, lines: undefined as never }),
    /key column number is not read/,
  ],
  ['a table without key', withTicket({ header: { ...ticket, primaryKey: [] } }), /it has no key/],
  [
    'housekeeping by a column that is no time',
    withTicket({
      header: { ...ticket, onDelete: { purgeOlderThanMs: 1, datedBy: 'number' } },
    }),
    /datedBy number must be a time of ticket/,
  ],
])('refuses %s', (_name, mapping, sentence) => {
  expect(() => defineMapping(mapping)).toThrow(sentence);
});

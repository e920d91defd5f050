/** A small legacy system for tests of intake: tickets with lines, open orders, articles by code, daily counts. */
import {
  dayMs,
  defineMapping,
  type Lookup,
  type SystemMapping,
  type Table,
} from '../../processors/intake/mapping.ts';
import { intakeTopology } from '../../processors/intake/topology.ts';
import { movements } from '../../processors/topics.ts';
import type { Result } from '../support/topology-driver.ts';

const table = (name: string, primaryKey: readonly string[], columns: Table['columns']): Table => ({
  name,
  primaryKey,
  columns,
  onDelete: 'retract',
});

export const ticket: Table = {
  ...table('ticket', ['id'], { id: 'id', number: 'text', sold_at: 'localTime', done: 'integer' }),
  onDelete: { purgeOlderThanMs: 10 * dayMs, datedBy: 'sold_at' },
};
export const ticketLine = table('ticket_line', ['id'], {
  id: 'id',
  ticket_id: 'id',
  code: 'text',
  amount: 'quantity',
});
export const article = table('article', ['code'], { code: 'text', sku: 'text' });
export const order = table('ord', ['id'], { id: 'id', sku: 'text', open: 'quantity' });
export const stocktake = table('stocktake', ['id'], {
  id: 'id',
  sku: 'text',
  counted: 'quantity',
  day: 'date',
});

export const balance = table('balance', ['sku'], { sku: 'text', quantity: 'quantity' });
export const move = table('move', ['id'], {
  id: 'id',
  sku: 'text',
  quantity: 'quantity',
  at: 'localTime',
});

const skuByCode: Lookup = {
  name: 'sku-by-code',
  system: { name: 'shop', kind: 'postgresql', schema: 'public' },
  table: article,
  entry: (row) => ({ key: String(row.code), value: String(row.sku) }),
};

const place = { location: 'L1', reason: 'test', reference: '' } as const;

export const cornerShop = defineMapping({
  system: 'shop',
  kind: 'postgresql',
  schema: 'public',
  timeZone: 'Europe/Berlin',
  lateAfterMs: 35 * dayMs,
  waitingMax: 20,
  lookups: [skuByCode],
  documents: [
    {
      name: 'ticket',
      header: ticket,
      lines: { table: ticketLine, headerKey: ['ticket_id'] },
      containedInOpening: false,
      once: (header) => String(header.number),
      effects: ({ header, lines }, resolver) =>
        header.done !== 1
          ? []
          : lines.map((line) => ({
              ...place,
              kind: 'event',
              bucket: 'onHand',
              sku: resolver.lookup(skuByCode.name, String(line.code)),
              quantity: -Number(line.amount),
              occurredAt: Number(header.sold_at),
            })),
    },
    {
      name: 'order',
      header: order,
      containedInOpening: false,
      effects: ({ header }) => [
        {
          ...place,
          kind: 'level',
          bucket: 'reserved',
          sku: String(header.sku),
          quantity: Number(header.open),
          occurredAt: 0,
        },
      ],
    },
    {
      name: 'balance',
      header: balance,
      containedInOpening: false,
      effects: ({ header }) => [
        {
          ...place,
          kind: 'opening',
          bucket: 'onHand',
          sku: String(header.sku),
          quantity: Number(header.quantity),
          occurredAt: 0,
        },
      ],
    },
    {
      name: 'move',
      header: move,
      containedInOpening: true,
      effects: ({ header }) => [
        {
          ...place,
          kind: 'event',
          bucket: 'onHand',
          sku: String(header.sku),
          quantity: Number(header.quantity),
          occurredAt: Number(header.at),
        },
      ],
    },
    {
      name: 'stocktake',
      header: stocktake,
      containedInOpening: false,
      effects: ({ header }, resolver) => [
        {
          ...place,
          kind: 'count',
          bucket: 'onHand',
          sku: String(header.sku),
          quantity: Number(header.counted),
          occurredAt: resolver.dated(Number(header.day)),
        },
      ],
    },
  ],
});

export const cornerShopIntake = intakeTopology(cornerShop);

/** The same, with the lines of documents kept apart from them. */
export const linesApart = (mapping: SystemMapping): SystemMapping => ({
  ...mapping,
  documents: mapping.documents.map((document) =>
    document.lines === undefined
      ? document
      : { ...document, lines: { ...document.lines, apart: true } },
  ),
});

/** The same shop on MariaDB, whose log holds rows whole. */
export const mariadbShopIntake = intakeTopology({ ...cornerShop, kind: 'mariadb', schema: 'shop' });

/** What all movements together say: `kind bucket sku time` → the sum of what was told; nothing where it is zero. */
export function toldBy(result: Result<unknown>): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { value } of result.records(movements)) {
    for (const effect of value?.effects ?? []) {
      const time = ['level', 'opening'].includes(effect.kind) ? '' : ` ${effect.occurredAt}`;
      const counted = effect.kind === 'count' ? ` ${effect.quantity}` : '';
      const name = `${effect.kind} ${effect.bucket} ${value?.sku}${time}${counted}`;
      const by = effect.kind === 'count' ? (effect.asserted ? 1 : -1) : effect.quantity;
      sums[name] = (sums[name] ?? 0) + by;
    }
  }
  return Object.fromEntries(Object.entries(sums).filter(([, sum]) => sum !== 0));
}

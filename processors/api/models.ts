/** What the API takes and answers, as zod schemas: checked on the way in, and the source of the OpenAPI document. */
import { z } from 'zod';

const name = z.string().min(1).max(200);
export const sku = name.describe('As the ERP spells it.');
export const location = name.describe('A shop, warehouse or dark store.');
export const channel = name.describe('A sales channel.');

export const requestName = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[\x21-\x7e]+$/, 'visible ASCII, without spaces');

const unitsMax = 9_000_000_000_000;
const units = z
  .number()
  .min(-unitsMax)
  .max(unitsMax)
  .refine((value) => Math.abs(value * 1000 - Math.round(value * 1000)) < 1e-4, {
    message: 'at most three decimals',
  })
  .describe('Units, with at most three decimals.');
const time = z.iso.datetime({ offset: true }).describe('ISO 8601 with an offset.');

const hop = z.object({ source: z.string(), hop: z.string(), reason: z.string() });
export const freshness = z
  .object({
    asOf: z.string().nullable().describe('All that the sources committed up to here is contained.'),
    freshnessMs: z.int().nullable().describe('Now minus asOf.'),
    provenance: z.enum(['fresh', 'degraded', 'unknown']),
    watermarks: z.record(z.string(), z.string()).describe('asOf by source.'),
    behind: z.array(hop).describe('Each hop that is behind, and why.'),
  })
  .describe('How fresh the figures of this answer are.');

const quantities = z.object({
  onHand: z.number(),
  reserved: z.number(),
  available: z.number(),
  incoming: z.number(),
  inTransit: z.number(),
  damaged: z.number(),
  qualityControl: z.number(),
  safetyStock: z.number(),
});
export const cell = z
  .object({
    sku: z.string(),
    location: z.string(),
    quantities,
    sequence: z.int().describe('Counts the steps of this cell.'),
    previousSequence: z.int(),
    cause: z.object({
      kind: z.string(),
      id: z.string(),
      system: z.string(),
      committedAt: z.string(),
    }),
    allocations: z.array(z.object({ channel: z.string(), quantity: z.number() })),
  })
  .describe('A SKU at a location, in units.');
export const figure = z
  .object({
    channel: z.string(),
    sku: z.string(),
    sellable: z.number(),
    status: z.enum(['inStock', 'low', 'out']),
    sequence: z.int(),
    previousSequence: z.int(),
    formula: z.string(),
    formulaVersion: z.int(),
  })
  .describe('What a channel may sell of a SKU.');
const change = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('stock'), cell }),
  z.object({ kind: z.literal('channel'), figure }),
]);

export const skuAnswer = z.object({
  sku: z.string(),
  available: z.number().describe('The sum over its locations.'),
  cells: z.array(cell),
  channels: z.array(figure),
  freshness,
});
export const cellAnswer = cell.extend({ freshness });
export const figureAnswer = figure.extend({ freshness });
export const cellsAnswer = z.object({
  items: z.array(cell),
  cursor: z.string().nullable().describe('Of the next page; null at the end.'),
  freshness,
});
export const figuresAnswer = z.object({
  items: z.array(figure),
  cursor: z.string().nullable(),
  freshness,
});
export const promiseAnswer = z.object({
  sku: z.string(),
  location: z.string(),
  days: z.array(z.object({ date: z.string(), quantity: z.number() })),
  freshness,
});
export const changesAnswer = z.object({
  changes: z.array(change),
  cursor: z.string().describe('Where to go on.'),
  freshness,
});

export const demand = z.object({
  minWatermark: time.optional().describe('Refuse figures that do not contain all up to here.'),
  maxStaleness: z.coerce
    .number()
    .int()
    .min(0)
    .max(86_400_000)
    .optional()
    .describe('Refuse figures that are older, in milliseconds.'),
});
const cursor = z.string().max(4_000).optional();
/** Items of a page at most. */
export const pageItemsMax = 500;
const page = z.object({
  limit: z.coerce.number().int().min(1).max(pageItemsMax).default(100),
  cursor,
});
export const cellsQuery = demand.extend({
  ...page.shape,
  location: location.optional(),
  skuPrefix: z.string().max(200).optional(),
  availableBelow: z.coerce.number().min(-unitsMax).max(unitsMax).optional(),
});
export const figuresQuery = demand.extend({
  ...page.shape,
  status: z.enum(['inStock', 'low', 'out']).optional(),
});
export const promiseQuery = demand.extend({
  days: z.coerce.number().int().min(1).max(180).default(14),
});
export const changesQuery = demand.extend({ ...page.shape });
export const batchQuery = demand.extend({
  maxStaleness: z.int().min(0).max(86_400_000).optional(),
  cells: z
    .array(z.object({ sku, location: location.optional() }))
    .min(1)
    .max(500),
});

const line = z.object({
  sku,
  location: location.optional().describe('Absent: whichever has it.'),
  quantity: units,
});
const placedLine = z.object({ sku, location, quantity: units });
const why = {
  reason: z.string().max(500).default(''),
  reference: z.string().max(200).default('').describe('The document that it belongs to.'),
};
const expected = z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional();
const expectedSequence = expected.describe('As If-Match: refused when the figure has changed.');

export const reservationBody = z.object({
  lines: z
    .array(line.extend({ quantity: units.positive() }))
    .min(1)
    .max(100),
  policy: z.enum(['FillOrKill', 'FillAll', 'FillAllAvailable']).default('FillOrKill'),
  locations: z.array(location).max(50).default([]).describe('To be tried in this order.'),
  channel: channel.optional(),
  expiresAt: time.optional().describe('Absent: in 15 minutes.'),
  ...why,
});
export const updateBody = z.object({
  lines: z.array(line).min(1).max(100),
  expiresAt: time.optional(),
  ...why,
});
export const endBody = z.object({ lines: z.array(line).max(100).default([]), ...why });
export const adjustmentBody = z.object({
  lines: z.array(placedLine).min(1).max(100),
  bucket: z
    .enum(['onHand', 'incoming', 'damaged', 'qualityControl', 'safetyStock'])
    .default('onHand'),
  expectedSequence,
  ...why,
});
export const countBody = z.object({
  lines: z
    .array(placedLine.extend({ quantity: units.min(0) }))
    .min(1)
    .max(100),
  countedAt: time.optional().describe('Absent: now.'),
  expectedSequence,
  ...why,
});
export const transferBody = z.object({
  sku,
  from: location,
  to: location,
  quantity: units.positive(),
  expectedSequence,
  ...why,
});
export const allocationBody = z.object({
  sku,
  location,
  channel,
  quantity: units.min(0),
  expectedSequence,
  ...why,
});

export const outcomeAnswer = z
  .object({
    key: z.string().describe('The Idempotency-Key of the request.'),
    accepted: z.boolean(),
    code: z.string().describe('Why not; empty when accepted.'),
    reason: z.string(),
    reservation: z.string().nullable().describe('To be named in later requests.'),
    state: z.string(),
    lines: z.array(
      z.object({
        sku: z.string(),
        location: z.string(),
        quantity: z.number(),
        short: z.number().describe('Units missing.'),
        sequence: z.int(),
        code: z.string(),
        reason: z.string(),
      }),
    ),
    decidedAt: z.string(),
  })
  .describe('What came of a request.');

export const problemAnswer = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string().describe('Stable.'),
  })
  .describe('RFC 9457.');

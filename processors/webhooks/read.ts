/** The body of a webhook → what it says, by its source's mapping; or why it cannot be understood. Pure. */
import type { Webhook } from '../../schemas/types.ts';
import type { Condition, EventMapping, LinesAt, Pointer, WebhookSource } from './source.ts';

/** Quantities in thousandths. */
export type SaidLine = {
  readonly sku: string;
  readonly location: string | null;
  readonly quantity: number;
};

export type Said =
  | {
      readonly kind: 'order';
      readonly id: string;
      readonly reference: string;
      readonly version: number;
      readonly state: 'open' | 'cancelled' | 'fulfilled';
      readonly lines: readonly SaidLine[];
    }
  | { readonly kind: 'adjustment'; readonly lines: readonly SaidLine[]; readonly reason: string }
  | { readonly kind: 'count'; readonly lines: readonly SaidLine[]; readonly countedAt: number }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'fault'; readonly code: string; readonly reason: string };

const linesMax = 100;
const skuLengthMax = 200;
const thousandthsMax = 1e12;

/** What makes a body unreadable, told by a throw within this file alone. */
class Fault extends Error {
  readonly code: string;

  constructor(code: string, reason: string) {
    super(reason);
    this.code = code;
  }
}

export function readWebhook(source: WebhookSource, { body, event }: Webhook): Said {
  try {
    const plain = jsonOf(body);
    const name = source.eventAt === undefined ? event : textAt(plain, source.eventAt, 'the event');
    const mapping = Object.hasOwn(source.events, name) ? source.events[name] : undefined;
    if (mapping === undefined) {
      throw new Fault('WEBHOOK_EVENT_UNKNOWN', `${source.name} has no mapping for event "${name}"`);
    }
    return saidBy(mapping, plain, source.locations[0] ?? null);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { kind: 'fault', code: error.code, reason: error.message };
  }
}

function saidBy(mapping: EventMapping, plain: unknown, location: string | null): Said {
  switch (mapping.is) {
    case 'nothing':
      return { kind: 'nothing' };
    case 'order': {
      const isCancelled = mapping.always === 'cancelled' || holds(plain, mapping.cancelled);
      const isFulfilled = mapping.always === 'fulfilled' || holds(plain, mapping.fulfilled);
      const state = isCancelled ? 'cancelled' : isFulfilled ? 'fulfilled' : 'open';
      return {
        kind: 'order',
        id: textAt(plain, mapping.id, "the order's id"),
        reference: textAt(plain, mapping.reference, "the order's reference"),
        version: timeAt(plain, mapping.version, "the order's version"),
        state,
        lines: merged(linesAt(plain, mapping.lines, null)),
      };
    }
    case 'adjustment': {
      const given = mapping.reason === undefined ? undefined : valueAt(plain, mapping.reason);
      const reason = typeof given === 'string' && given !== '' ? given.slice(0, 200) : 'told by it';
      return { kind: 'adjustment', lines: linesAt(plain, mapping.lines, location), reason };
    }
    case 'count':
      return {
        kind: 'count',
        lines: linesAt(plain, mapping.lines, location),
        countedAt: timeAt(plain, mapping.countedAt, 'the time of the count'),
      };
  }
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw new Fault('WEBHOOK_NOT_JSON', `the body is no JSON: ${(error as Error).message}`);
  }
}

/** RFC 6901; undefined where nothing is. Only what the document itself has: nothing that every object inherits. */
function valueAt(plain: unknown, pointer: Pointer): unknown {
  let value = plain;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name))
      return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

function holds(plain: unknown, condition: Condition | undefined): boolean {
  if (condition === undefined) return false;
  const value = valueAt(plain, condition.at);
  if (condition.in !== undefined) return condition.in.some((one) => one === value);
  return value !== undefined && value !== null && value !== false && value !== '';
}

function textAt(plain: unknown, pointer: Pointer, what: string): string {
  const value = valueAt(plain, pointer);
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text === 'string' && text !== '' && text.length <= skuLengthMax) return text;
  const why = typeof value === 'number' ? ', as text or as a whole number below 2^53' : '';
  throw new Fault('WEBHOOK_FIELD_MISSING', `${what} is needed at ${pointer}${why}`);
}

/** Milliseconds. A time without zone is UTC. */
function timeAt(plain: unknown, pointer: Pointer, what: string): number {
  const value = valueAt(plain, pointer);
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  const text = String(value);
  const hasZone = /(Z|[+-]\d{2}:?\d{2})$/i.test(text);
  const isTime = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?/.test(text);
  const ms = isTime ? Date.parse(hasZone ? text : `${text.replace(' ', 'T')}Z`) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw new Fault('WEBHOOK_FIELD_MISSING', `${what} is needed at ${pointer}, as a time`);
}

function linesAt(plain: unknown, at: LinesAt, location: string | null): readonly SaidLine[] {
  const value = valueAt(plain, at.at);
  const lines = Array.isArray(value) ? value : typeof value === 'object' && value ? [value] : [];
  if (lines.length === 0) throw new Fault('WEBHOOK_FIELD_MISSING', `lines are needed at ${at.at}`);
  if (lines.length > linesMax) {
    throw new Fault('WEBHOOK_TOO_LARGE', `${lines.length} lines, at most ${linesMax} are taken`);
  }
  return lines.map((line: unknown, index) => {
    const where = `of line ${index + 1}`;
    const own = at.location === undefined ? undefined : valueAt(line, at.location);
    return {
      sku: textAt(line, at.sku, `the SKU ${where}`),
      location: typeof own === 'string' && own !== '' ? own : location,
      quantity: quantityAt(line, at.quantity, where),
    };
  });
}

function quantityAt(line: unknown, pointer: Pointer, where: string): number {
  const value = valueAt(line, pointer);
  const isText = typeof value === 'string' && /^-?\d{1,12}(\.\d{1,3}0*)?$/.test(value);
  const units = typeof value === 'number' || isText ? Number(value) : Number.NaN;
  const thousandths = Math.round(units * 1_000);
  const isExact = Math.abs(units * 1_000 - thousandths) < 1e-6;
  if (isExact && Math.abs(thousandths) <= thousandthsMax) return thousandths;
  throw new Fault(
    'WEBHOOK_QUANTITY_INVALID',
    `the quantity ${where} is needed at ${pointer}, in units with at most three decimals`,
  );
}

/** One line per SKU, in order; what has been taken off the order again is no line. */
function merged(lines: readonly SaidLine[]): readonly SaidLine[] {
  const quantities = new Map<string, number>();
  for (const { sku, quantity } of lines) {
    if (quantity < 0) {
      throw new Fault('WEBHOOK_QUANTITY_INVALID', `less than 0 of ${sku} cannot be ordered`);
    }
    quantities.set(sku, (quantities.get(sku) ?? 0) + quantity);
  }
  return [...quantities]
    .filter(([, quantity]) => quantity > 0)
    .map(([sku, quantity]) => ({ sku, location: null, quantity }));
}

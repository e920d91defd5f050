/** Debezium's encodings of column values → what mappings work with. A fault is a sentence, never a guess. */

/**
 * text: string, padding of fixed-width columns removed. id: a key of any type, as text. integer: safe integer.
 * quantity: thousandths of a unit. date: days since the epoch. localTime: milliseconds of a time without zone, read as
 * if it were UTC.
 */
export type ColumnType = 'text' | 'id' | 'integer' | 'quantity' | 'date' | 'localTime';
export type ColumnValue = string | number | null;

export type ParsedValue = { readonly value: ColumnValue } | { readonly fault: string };

type Decimal = { readonly unscaled: bigint; readonly scale: number };

const unavailable = '__debezium_unavailable_value';

/** `encoding` is the `connect.name` of the field, such as `io.debezium.time.MicroTimestamp`. */
export function parseValue(type: ColumnType, plain: unknown, encoding: string): ParsedValue {
  if (plain === null || plain === undefined) return { value: null };
  if (plain === unavailable) return { fault: 'the value was not in the log' };
  switch (type) {
    case 'text':
      return typeof plain === 'string' ? { value: plain.trimEnd() } : wrong(type, plain);
    case 'id':
      return parseId(plain);
    case 'integer':
      return parseInteger(plain);
    case 'quantity':
      return parseQuantity(plain);
    case 'date':
      return encoding === 'io.debezium.time.Date' && typeof plain === 'number'
        ? { value: plain }
        : wrong(type, plain);
    case 'localTime':
      return parseLocalTime(plain, encoding);
  }
}

function wrong(type: ColumnType, plain: unknown): ParsedValue {
  return { fault: `${String(plain).slice(0, 80)} is no ${type}` };
}

function isDecimal(plain: unknown): plain is Decimal {
  return typeof plain === 'object' && plain !== null && 'unscaled' in plain;
}

function parseId(plain: unknown): ParsedValue {
  if (typeof plain === 'string') return { value: plain.trimEnd() };
  if (typeof plain === 'number' || typeof plain === 'bigint') return { value: String(plain) };
  if (isDecimal(plain) && plain.scale === 0) return { value: String(plain.unscaled) };
  return wrong('id', plain);
}

function parseInteger(plain: unknown): ParsedValue {
  if (typeof plain === 'boolean') return { value: plain ? 1 : 0 };
  return Number.isSafeInteger(plain) ? { value: plain as number } : wrong('integer', plain);
}

function parseQuantity(plain: unknown): ParsedValue {
  const decimal =
    typeof plain === 'number' && Number.isSafeInteger(plain)
      ? { unscaled: BigInt(plain), scale: 0 }
      : plain;
  if (!isDecimal(decimal)) return wrong('quantity', plain);
  const thousandths =
    decimal.scale <= 3
      ? decimal.unscaled * 10n ** BigInt(3 - decimal.scale)
      : exactQuotient(decimal.unscaled, 10n ** BigInt(decimal.scale - 3));
  if (thousandths === undefined) return { fault: 'the quantity has more than three decimals' };
  const value = Number(thousandths);
  return Number.isSafeInteger(value) ? { value } : { fault: 'the quantity is out of range' };
}

function exactQuotient(dividend: bigint, divisor: bigint): bigint | undefined {
  return dividend % divisor === 0n ? dividend / divisor : undefined;
}

function parseLocalTime(plain: unknown, encoding: string): ParsedValue {
  if (typeof plain !== 'number') return wrong('localTime', plain);
  switch (encoding) {
    case 'io.debezium.time.Timestamp':
      return { value: plain };
    case 'io.debezium.time.MicroTimestamp':
      return { value: Math.floor(plain / 1000) };
    default:
      return { fault: `${encoding} is no time without zone` };
  }
}

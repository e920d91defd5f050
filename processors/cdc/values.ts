/** Debezium's encodings of column values → what mappings work with. A fault is a sentence, never a guess. */

/**
 * text: a string of up to 400 characters, padding of fixed-width columns removed. id: a key of any type, as text.
 * integer: safe integer; a truth value is 1 or 0. quantity: thousandths of a unit, exact. roundedQuantity: the same, more decimals and
 * floating point rounded half away from zero. date: days since the epoch. day: the same, also of a column with time.
 * localTime: milliseconds of a time without zone, read as if it were UTC. instant: milliseconds since the epoch.
 * timeOfDay: milliseconds since midnight.
 */
export type ColumnType =
  | 'text'
  | 'id'
  | 'integer'
  | 'quantity'
  | 'roundedQuantity'
  | 'date'
  | 'day'
  | 'localTime'
  | 'instant'
  | 'timeOfDay';
export type ColumnValue = string | number | null;

/** Why a value cannot be used. */
export class Fault {
  readonly sentence: string;

  constructor(sentence: string) {
    this.sentence = sentence;
  }
}

/** What Debezium writes where PostgreSQL's log does not repeat a long value that stayed as it was. */
export const unlogged = Symbol('unlogged');

export type ParsedValue = ColumnValue | Fault | typeof unlogged;
export type ColumnParser = (plain: unknown) => ParsedValue;

/** How the writer's schema describes a column: its Avro type and its `connect.name`. */
export type WrittenColumn = { readonly avro: string; readonly encoding: string };

type Decimal = { readonly unscaled: number | bigint; readonly scale: number };

const unavailable = '__debezium_unavailable_value';
const charactersMax = 400;
const dayMs = 86_400_000;
/** The years 1 to 9999. */
const firstMs = -62_135_596_800_000;
const lastMs = 253_402_300_799_999;

/** How a column that is written so becomes a value of `type`; undefined when it cannot be one. */
export function columnParser(type: ColumnType, written: WrittenColumn): ColumnParser | undefined {
  const parse = parserOf(type, written);
  if (parse === undefined) return undefined;
  return (plain) => {
    if (plain === null || plain === undefined) return null;
    if (plain === unavailable) return unlogged;
    return parse(plain);
  };
}

function parserOf(type: ColumnType, written: WrittenColumn): ColumnParser | undefined {
  const { avro, encoding } = written;
  switch (type) {
    case 'text':
      return avro === 'string' ? parseText : undefined;
    case 'id':
      return ['string', 'int', 'long', 'decimal'].includes(avro) ? parseId : undefined;
    case 'integer':
      if (encoding === 'io.debezium.data.Bits') return parseBits;
      return ['int', 'long', 'boolean', 'decimal'].includes(avro) ? parseInteger : undefined;
    case 'quantity':
      return isExactNumber(written) ? parseQuantity : undefined;
    case 'roundedQuantity':
      return isExactNumber(written) || avro === 'double' || avro === 'float'
        ? parseRounded
        : undefined;
    case 'date':
      return dateParser(encoding);
    case 'day':
      return dateParser(encoding) ?? dayParser(encoding);
    case 'localTime':
      return localTimeParser(encoding);
    case 'instant':
      return encoding === 'io.debezium.time.ZonedTimestamp' ? parseInstant : undefined;
    case 'timeOfDay':
      return timeOfDayParser(encoding);
  }
}

function isExactNumber({ avro, encoding }: WrittenColumn): boolean {
  if (encoding === 'io.debezium.data.VariableScaleDecimal') return true;
  return encoding === '' || avro === 'decimal'
    ? ['int', 'long', 'string', 'decimal'].includes(avro)
    : false;
}

const wrong = (type: ColumnType, plain: unknown): Fault =>
  new Fault(`${String(plain).slice(0, 80)} is no ${type}`);

/** A scale of decimals as it stands in the log, whichever of three ways it is written in. */
function decimalOf(plain: unknown): Decimal | undefined {
  if (typeof plain === 'number' && Number.isSafeInteger(plain)) {
    return { unscaled: plain, scale: 0 };
  }
  if (typeof plain === 'bigint') return { unscaled: plain, scale: 0 };
  if (typeof plain === 'string') return decimalOfText(plain);
  if (typeof plain !== 'object' || plain === null) return undefined;
  if ('unscaled' in plain) return plain as Decimal;
  const { scale, value } = plain as { readonly scale?: unknown; readonly value?: unknown };
  if (typeof scale !== 'number' || !(value instanceof Uint8Array)) return undefined;
  const hex = Buffer.from(value).toString('hex');
  const unsigned = hex === '' ? 0n : BigInt(`0x${hex}`);
  return { unscaled: BigInt.asIntN(value.length * 8, unsigned), scale };
}

/** 1234.5, -0.001, 1E+3 */
function decimalOfText(text: string): Decimal | undefined {
  const match = /^([+-]?)(\d{1,60})(?:\.(\d{0,60}))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text.trim());
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const unscaled = BigInt(`${whole}${fraction}`);
  return {
    unscaled: sign === '-' ? -unscaled : unscaled,
    scale: fraction.length - Number(exponent),
  };
}

function parseText(plain: unknown): ParsedValue {
  if (typeof plain !== 'string') return wrong('text', plain);
  if (plain.length > charactersMax) {
    return new Fault(`a text of ${plain.length} characters is no code or name`);
  }
  return /[\0\uFFFD]/.test(plain)
    ? new Fault('the text is not valid: it holds NUL or bytes that are no UTF-8')
    : plain.trimEnd();
}

function parseId(plain: unknown): ParsedValue {
  if (typeof plain === 'string') return parseText(plain);
  if (typeof plain === 'number' || typeof plain === 'bigint') return String(plain);
  const decimal = decimalOf(plain);
  return decimal?.scale === 0 ? String(decimal.unscaled) : wrong('id', plain);
}

function parseInteger(plain: unknown): ParsedValue {
  if (typeof plain === 'boolean') return plain ? 1 : 0;
  if (Number.isSafeInteger(plain)) return plain as number;
  const decimal = decimalOf(plain);
  const value = decimal?.scale === 0 ? Number(decimal.unscaled) : Number.NaN;
  return Number.isSafeInteger(value) ? value : wrong('integer', plain);
}

/** BIT(n): the lowest byte first. */
function parseBits(plain: unknown): ParsedValue {
  if (!(plain instanceof Uint8Array)) return wrong('integer', plain);
  let value = 0;
  for (let at = plain.length - 1; at >= 0; at -= 1) value = value * 256 + (plain[at] as number);
  return Number.isSafeInteger(value) ? value : new Fault('the bits are more than a number holds');
}

function parseQuantity(plain: unknown): ParsedValue {
  return thousandths(plain, 'quantity', (dividend, divisor) =>
    dividend % divisor === 0n
      ? dividend / divisor
      : new Fault('the quantity has more than three decimals'),
  );
}

function parseRounded(plain: unknown): ParsedValue {
  if (typeof plain !== 'number' || Number.isInteger(plain)) {
    return thousandths(plain, 'roundedQuantity', rounded);
  }
  const value = Math.sign(plain) * Math.round(Math.abs(plain) * 1000);
  return Number.isSafeInteger(value) ? value : wrong('roundedQuantity', plain);
}

function rounded(dividend: bigint, divisor: bigint): bigint {
  const half = divisor / 2n;
  return (dividend < 0n ? dividend - half : dividend + half) / divisor;
}

function thousandths(
  plain: unknown,
  type: ColumnType,
  divide: (dividend: bigint, divisor: bigint) => bigint | Fault,
): ParsedValue {
  const decimal = decimalOf(plain);
  if (decimal === undefined || Math.abs(decimal.scale) > 1000) return wrong(type, plain);
  const { scale } = decimal;
  if (scale === 3 && typeof decimal.unscaled === 'number') return decimal.unscaled;
  const unscaled = BigInt(decimal.unscaled);
  const exact =
    scale <= 3 ? unscaled * 10n ** BigInt(3 - scale) : divide(unscaled, 10n ** BigInt(scale - 3));
  if (exact instanceof Fault) return exact;
  const value = Number(exact);
  return Number.isSafeInteger(value) ? value : new Fault('the quantity is out of range');
}

/** Milliseconds per unit of the encodings that count; negative: units per millisecond. */
const localUnits: Readonly<Record<string, number>> = {
  'io.debezium.time.Timestamp': 1,
  'org.apache.kafka.connect.data.Timestamp': 1,
  'io.debezium.time.MicroTimestamp': 1_000,
  'io.debezium.time.NanoTimestamp': 1_000_000,
};
const timeUnits: Readonly<Record<string, number>> = {
  'io.debezium.time.Time': 1,
  'org.apache.kafka.connect.data.Time': 1,
  'io.debezium.time.MicroTime': 1_000,
  'io.debezium.time.NanoTime': 1_000_000,
};

function dateParser(encoding: string): ColumnParser | undefined {
  switch (encoding) {
    case 'io.debezium.time.Date':
    case 'org.apache.kafka.connect.data.Date':
      return (plain) =>
        typeof plain === 'number' ? withinCalendar(plain * dayMs, plain) : wrong('date', plain);
    case 'io.debezium.time.IsoDate':
      return (plain) => daysOf(parsedTime(String(plain).replace(/Z$/, ''), 'date'));
    default:
      return undefined;
  }
}

function dayParser(encoding: string): ColumnParser | undefined {
  const parse = localTimeParser(encoding);
  return parse === undefined ? undefined : (plain) => daysOf(parse(plain));
}

function daysOf(time: ParsedValue): ParsedValue {
  return typeof time === 'number' ? Math.floor(time / dayMs) : time;
}

function localTimeParser(encoding: string): ColumnParser | undefined {
  const unit = localUnits[encoding];
  if (unit !== undefined) {
    return (plain) => {
      const ms = dividedDown(plain, unit);
      return ms === undefined ? wrong('localTime', plain) : withinCalendar(ms, ms);
    };
  }
  return encoding === 'io.debezium.time.IsoTimestamp'
    ? (plain) => parsedTime(`${String(plain).replace(/Z$/, '')}Z`, 'localTime')
    : undefined;
}

function parseInstant(plain: unknown): ParsedValue {
  return parsedTime(String(plain), 'instant');
}

function timeOfDayParser(encoding: string): ColumnParser | undefined {
  if (encoding === 'io.debezium.time.IsoTime') {
    return (plain) => parsedTime(`1970-01-01T${String(plain).replace(/Z$/, '')}Z`, 'timeOfDay');
  }
  const unit = timeUnits[encoding];
  if (unit === undefined) return undefined;
  return (plain) => {
    const ms = dividedDown(plain, unit);
    return ms === undefined || ms < 0 || ms > dayMs ? wrong('timeOfDay', plain) : ms;
  };
}

function dividedDown(plain: unknown, by: number): number | undefined {
  if (typeof plain === 'number') return Math.floor(plain / by);
  return typeof plain === 'bigint' ? Number(plain / BigInt(by)) : undefined;
}

function parsedTime(text: string, type: ColumnType): ParsedValue {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? wrong(type, text) : withinCalendar(ms, ms);
}

function withinCalendar(ms: number, value: number): ParsedValue {
  return ms >= firstMs && ms <= lastMs
    ? value
    : new Fault(`${value} lies outside the years 1 to 9999`);
}

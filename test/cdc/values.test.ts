/** Debezium's encodings, one by one: what comes out, and what is refused with a sentence. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { zone } from '../../processors/cdc/local-time.ts';
import { type ColumnType, columnParser, Fault, unlogged } from '../../processors/cdc/values.ts';

const time = (name: string): string => `io.debezium.time.${name}`;
const connect = (name: string): string => `org.apache.kafka.connect.data.${name}`;
const variable = 'io.debezium.data.VariableScaleDecimal';
const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);

function parse(type: ColumnType, avro: string, encoding: string, plain: unknown): unknown {
  const parser = columnParser(type, { avro, encoding });
  if (parser === undefined) return 'does not fit';
  const value = parser(plain);
  return value instanceof Fault ? value.sentence : value;
}

const noon = Date.UTC(2026, 4, 20, 12, 0, 0, 123);
const today = Math.floor(noon / 86_400_000);

describe('column values', () => {
  it.each<[string, ColumnType, string, string, unknown, unknown]>([
    ['padding of a fixed-width column goes', 'text', 'string', '', 'AB   ', 'AB'],
    ['an enum or a set is its text', 'text', 'string', '', 'sale,return', 'sale,return'],
    ['a key of a number is text', 'id', 'int', '', 42, '42'],
    [
      'a key beyond 2^53 keeps every digit',
      'id',
      'long',
      '',
      9007199254740993n,
      '9007199254740993',
    ],
    [
      'unsigned bigint as decimal',
      'id',
      'decimal',
      '',
      { unscaled: 18446744073709551615n, scale: 0 },
      '18446744073709551615',
    ],
    ['true is 1', 'integer', 'boolean', '', true, 1],
    ['an unsigned bigint that is safe', 'integer', 'decimal', '', { unscaled: 7n, scale: 0 }, 7],
    ['bits, lowest byte first', 'integer', 'bytes', 'io.debezium.data.Bits', bytes(1, 2), 513],
    ['three decimals', 'quantity', 'decimal', '', { unscaled: 1234n, scale: 3 }, 1234],
    ['no decimals', 'quantity', 'decimal', '', { unscaled: 7n, scale: 0 }, 7000],
    [
      'more decimals that are zero',
      'quantity',
      'decimal',
      '',
      { unscaled: 12340000n, scale: 7 },
      1234,
    ],
    ['a negative scale', 'quantity', 'decimal', '', { unscaled: 3n, scale: -2 }, 300_000],
    ['a decimal as text', 'quantity', 'string', '', '-12.340', -12_340],
    ['a decimal as text with exponent', 'quantity', 'string', '', '1.5E+2', 150_000],
    ['a whole number', 'quantity', 'int', '', 3, 3000],
    [
      'a decimal with a scale of its own',
      'quantity',
      'record',
      variable,
      { scale: 2, value: bytes(0xff, 0x38) },
      -2000,
    ],
    ['a third, rounded', 'roundedQuantity', 'decimal', '', { unscaled: 33333n, scale: 5 }, 333],
    ['a half, away from zero', 'roundedQuantity', 'decimal', '', { unscaled: -5n, scale: 4 }, -1],
    ['floating point, rounded', 'roundedQuantity', 'double', '', 0.1 + 0.2, 300],
    ['a date', 'date', 'int', time('Date'), 20_000, 20_000],
    ['a date as Connect writes it', 'date', 'int', connect('Date'), 20_000, 20_000],
    ['a date as text', 'date', 'string', time('IsoDate'), '2026-05-20Z', today],
    ['the day of a time', 'day', 'long', time('MicroTimestamp'), noon * 1000, today],
    ['the day of a date', 'day', 'int', time('Date'), 20_000, 20_000],
    ['milliseconds', 'localTime', 'long', time('Timestamp'), 1500, 1500],
    ['milliseconds as Connect writes them', 'localTime', 'long', connect('Timestamp'), 1500, 1500],
    ['microseconds', 'localTime', 'long', time('MicroTimestamp'), 1_500_999, 1500],
    ['nanoseconds', 'localTime', 'long', time('NanoTimestamp'), BigInt(noon) * 1_000_000n, noon],
    [
      'a time as text',
      'localTime',
      'string',
      time('IsoTimestamp'),
      '2026-05-20T12:00:00.123456Z',
      noon,
    ],
    [
      'a zoned time',
      'instant',
      'string',
      time('ZonedTimestamp'),
      '2026-05-20T14:00:00.123456+02:00',
      noon,
    ],
    ['a time of day', 'timeOfDay', 'long', time('MicroTime'), 3_600_000_000, 3_600_000],
    ['a time of day in milliseconds', 'timeOfDay', 'int', time('Time'), 1500, 1500],
    ['null', 'quantity', 'decimal', '', null, null],
    [
      'a value that the log does not repeat',
      'text',
      'string',
      '',
      '__debezium_unavailable_value',
      unlogged,
    ],
  ])('%s', (_name, type, avro, encoding, plain, expected) => {
    expect(parse(type, avro, encoding, plain)).toBe(expected);
  });

  it.each<[string, ColumnType, string, string, unknown, RegExp]>([
    [
      'a fourth decimal',
      'quantity',
      'decimal',
      '',
      { unscaled: 12345n, scale: 4 },
      /three decimals/,
    ],
    [
      'beyond 2^53 thousandths',
      'quantity',
      'decimal',
      '',
      { unscaled: 2n ** 60n, scale: 3 },
      /out of range/,
    ],
    ['NaN as text', 'quantity', 'string', '', 'NaN', /NaN is no quantity/],
    [
      'infinity as floating point',
      'roundedQuantity',
      'double',
      '',
      Number.POSITIVE_INFINITY,
      /no roundedQuantity/,
    ],
    ['an infinite date', 'date', 'int', time('Date'), 2_147_483_647, /years 1 to 9999/],
    [
      'an infinite time',
      'localTime',
      'long',
      time('MicroTimestamp'),
      9223372036825200000n,
      /years 1 to 9999/,
    ],
    [
      'text that is no time',
      'instant',
      'string',
      time('ZonedTimestamp'),
      'soon',
      /soon is no instant/,
    ],
    ['NUL in a text', 'text', 'string', '', 'a\0b', /not valid/],
    ['bytes that were no UTF-8', 'id', 'string', '', 'a\uFFFD', /not valid/],
    ['a text that is no code', 'text', 'string', '', 'x'.repeat(401), /401 characters/],
    ['an exponent that would fill the memory', 'quantity', 'string', '', '1E999', /out of range/],
    [
      'a scale that would fill the memory',
      'quantity',
      'record',
      variable,
      { scale: 2 ** 30, value: bytes(1) },
      /no quantity/,
    ],
  ])('refuses %s', (_name, type, avro, encoding, plain, sentence) => {
    expect(parse(type, avro, encoding, plain)).toMatch(sentence);
  });

  it.each<[string, ColumnType, string, string]>([
    ['a time where a date is declared', 'date', 'long', time('MicroTimestamp')],
    ['a zoned time where a local one is declared', 'localTime', 'string', time('ZonedTimestamp')],
    ['text where a number is declared', 'integer', 'string', ''],
    ['floating point where an exact quantity is declared', 'quantity', 'double', ''],
    ['a number where a text is declared', 'text', 'int', ''],
  ])('sees from the schema that %s does not fit', (_name, type, avro, encoding) => {
    expect(columnParser(type, { avro, encoding })).toBeUndefined();
  });

  it('reads every decimal that fits exactly, in each of its three forms', () => {
    fc.assert(
      fc.property(
        fc.bigInt(-(2n ** 52n), 2n ** 52n),
        fc.integer({ min: 0, max: 3 }),
        (unscaled, scale) => {
          const expected = Number(unscaled) * 10 ** (3 - scale);
          fc.pre(Number.isSafeInteger(expected));
          const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
          const text = `${unscaled < 0n ? '-' : ''}${digits.slice(0, digits.length - scale)}.${digits.slice(digits.length - scale)}`;
          const value = Buffer.alloc(8);
          value.writeBigInt64BE(unscaled);
          const same = expected === 0 ? 0 : expected;
          expect(parse('quantity', 'decimal', '', { unscaled, scale })).toBe(same);
          expect(parse('quantity', 'string', '', text)).toBe(same);
          expect(parse('quantity', 'record', variable, { scale, value })).toBe(same);
        },
      ),
    );
  });
});

describe('local times', () => {
  const berlin = zone('Europe/Berlin');
  const local = (text: string): number => Date.parse(`${text}Z`);
  it.each([
    ['in winter', '2026-01-15T12:00:00', '2026-01-15T11:00:00.000Z'],
    ['in summer', '2026-07-15T12:00:00', '2026-07-15T10:00:00.000Z'],
    [
      'the hour that occurs twice is the first one',
      '2026-10-25T02:30:00',
      '2026-10-25T00:30:00.000Z',
    ],
    ['after the hour that occurs twice', '2026-10-25T03:30:00', '2026-10-25T02:30:00.000Z'],
    ['before the hour that does not occur', '2026-03-29T01:59:00', '2026-03-29T00:59:00.000Z'],
    ['after the hour that does not occur', '2026-03-29T03:00:00', '2026-03-29T01:00:00.000Z'],
  ])('%s', (_name, text, instant) => {
    expect(new Date(berlin.instantOf(local(text))).toISOString()).toBe(instant);
  });

  it('ends a day with its last millisecond, also when the clocks change', () => {
    const sunday = Math.floor(local('2026-10-25T00:00:00') / 86_400_000);
    expect(new Date(berlin.endOfDay(sunday)).toISOString()).toBe('2026-10-25T22:59:59.999Z');
    expect(berlin.dayOf(berlin.endOfDay(sunday))).toBe(sunday);
  });

  it('refuses a zone that does not exist', () => {
    expect(() => zone('Europe/Atlantis')).toThrow(RangeError);
  });
});

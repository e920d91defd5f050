/** Debezium's encodings, one by one: what comes out, and what is refused with a sentence. */
import { describe, expect, it } from 'vitest';
import { zone } from '../../processors/cdc/local-time.ts';
import { type ColumnType, parseValue } from '../../processors/cdc/values.ts';

const micro = 'io.debezium.time.MicroTimestamp';

describe('column values', () => {
  it.each<[string, ColumnType, unknown, string, unknown]>([
    ['padding of a fixed-width column goes', 'text', 'AB   ', '', 'AB'],
    ['a key of a number is text', 'id', 42, '', '42'],
    ['a key beyond 2^53 keeps every digit', 'id', 9007199254740993n, '', '9007199254740993'],
    [
      'unsigned bigint as decimal',
      'id',
      { unscaled: 18446744073709551615n, scale: 0 },
      '',
      '18446744073709551615',
    ],
    ['true is 1', 'integer', true, '', 1],
    ['three decimals', 'quantity', { unscaled: 1234n, scale: 3 }, '', 1234],
    ['no decimals', 'quantity', { unscaled: 7n, scale: 0 }, '', 7000],
    ['more decimals that are zero', 'quantity', { unscaled: 12340000n, scale: 7 }, '', 1234],
    ['a negative scale', 'quantity', { unscaled: 3n, scale: -2 }, '', 300_000],
    ['a date', 'date', 20_000, 'io.debezium.time.Date', 20_000],
    ['microseconds', 'localTime', 1_500_999, micro, 1500],
    ['milliseconds', 'localTime', 1500, 'io.debezium.time.Timestamp', 1500],
    ['null', 'quantity', null, '', null],
  ])('%s', (_name, type, plain, encoding, expected) => {
    expect(parseValue(type, plain, encoding)).toEqual({ value: expected });
  });

  it.each<[string, ColumnType, unknown, string, RegExp]>([
    [
      'a value that was not in the log',
      'text',
      '__debezium_unavailable_value',
      '',
      /not in the log/,
    ],
    [
      'a fourth decimal',
      'quantity',
      { unscaled: 12345n, scale: 4 },
      '',
      /more than three decimals/,
    ],
    ['beyond 2^53 thousandths', 'quantity', { unscaled: 2n ** 60n, scale: 3 }, '', /out of range/],
    ['a date in another encoding', 'date', 20_000, '', /no date/],
    [
      'a zoned time where a local one is declared',
      'localTime',
      5,
      'io.debezium.time.ZonedTimestamp',
      /no time without zone/,
    ],
    ['text where a number is declared', 'integer', 'seven', '', /seven is no integer/],
  ])('refuses %s', (_name, type, plain, encoding, sentence) => {
    const parsed = parseValue(type, plain, encoding);
    expect('fault' in parsed ? parsed.fault : parsed).toMatch(sentence);
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

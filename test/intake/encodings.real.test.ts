/** The same rows in every way that Debezium can be told to encode them: the figures and the times are the same. */
import { describe, expect, inject, it } from 'vitest';
import type { SystemKind } from '../../processors/cdc/change.ts';
import { captureSystem } from '../support/captured-system.ts';
import { mariadbSchema, matrixFigures, matrixMapping, postgresSchema } from './matrix.ts';

const encodings: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['decimals as text', { 'decimal.handling.mode': 'string' }],
  ['times as Connect has them', { 'time.precision.mode': 'connect' }],
  ['times as ISO 8601', { 'time.precision.mode': 'isostring' }],
  ['times in microseconds', { 'time.precision.mode': 'microseconds' }],
];
const kinds: readonly (readonly [SystemKind, string])[] = [
  ['postgresql', postgresSchema],
  ['mariadb', mariadbSchema],
];

describe.each(kinds)('%s', (kind, schema) => {
  const postgres = kind === 'postgresql';

  it.each(encodings)('D1: %s', async (what, extra) => {
    const system = `enc${postgres ? 'pg' : 'my'}${what.replace(/\W/g, '').toLowerCase().slice(-8)}`;
    const mapping = matrixMapping(system, kind);
    const source = await captureSystem({ stack: inject('stack'), mapping, schema, extra });
    const figures = () => matrixFigures(source, kind);
    try {
      await source.settles(figures);
      if (!postgres) await source.sql("SET time_zone = '+00:00'");
      const [flag, bits] = postgres ? ['true', "B'000000000101'"] : ['1', "b'101'"];
      const float = postgres ? 'float' : '`float`';
      await source.sql(
        `INSERT INTO typed (id, flag, bits, kind, exact, free, ${float}, on_day, at_time, at_instant, of_day)
         VALUES (7, ${flag}, ${bits}, 'return', -12.345, 1.23456, 0.1, '2026-05-20', '2026-05-20 12:00:00.123',
           '2026-05-20 12:00:00.123${postgres ? '+00' : ''}', '08:30:00.250')`,
      );
      await source.sql('UPDATE orders SET open = open + 0.125 WHERE id < 5');
      await source.settles(figures);
      const effect = source
        .movements()
        .flatMap(({ effects }) => effects)
        .find(({ bucket }) => bucket === 'incoming');
      const noon = Date.UTC(2026, 4, 20, 12, 0, 0, 123);
      const day = Math.floor(noon / 86_400_000);
      const all = [7, 1, 5, 'return', -12_345, 1235, 100, day, noon, noon, 30_600_250];
      expect(effect?.reference.split(' ').slice(0, all.length)).toEqual(all.map(String));
      expect(await source.deadLetters()).toEqual([]);
    } finally {
      await source.stop();
    }
  });
});

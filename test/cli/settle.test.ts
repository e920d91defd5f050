/** When a run gives up waiting for what has not arrived. */
import { describe, expect, test } from 'vitest';
import { createStandstill } from '../../processors/cli/start/settle.ts';

const behind = (clickhouse: number) => ({
  mismatches: { truth: 0, legacySql: 0, channels: 0, clickhouse },
  examples: [],
});
const seconds = (count: number): number => 1_000 * count;

describe('a run that waits', () => {
  test('goes on while ClickHouse catches up, however long ago the last record was', () => {
    const isStill = createStandstill();
    const said = Array.from({ length: 100 }, (_, step) =>
      isStill(behind(5_000 - step), 0, seconds(30 * step)),
    );
    expect(said).not.toContain(true);
  });

  test('goes on while records come, though the same is missing', () => {
    const isStill = createStandstill();
    const said = Array.from({ length: 100 }, (_, step) =>
      isStill(behind(7), seconds(30 * step), seconds(30 * step)),
    );
    expect(said).not.toContain(true);
  });

  test('ends a minute after the last change of either', () => {
    const isStill = createStandstill();
    expect(isStill(behind(7), seconds(10), seconds(20))).toBe(false);
    expect(isStill(behind(7), seconds(10), seconds(80))).toBe(false);
    expect(isStill(behind(7), seconds(10), seconds(81))).toBe(true);
  });
});

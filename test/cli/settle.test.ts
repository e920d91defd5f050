/** When a run gives up waiting for what has not arrived. */
import { describe, expect, test } from 'vitest';
import { Unanswered } from '../../processors/cli/sql.ts';
import { createStandstill, patient } from '../../processors/cli/start/settle.ts';

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

describe('a question that is not answered', () => {
  const failing = (times: number) => {
    let left = times;
    return async () => {
      left -= 1;
      if (left >= 0) throw new Unanswered('no answer yet');
      return 'answered';
    };
  };
  const never = new AbortController().signal;

  test('is asked again', async () => {
    const times = { deadlineMs: 60_000, pauseMs: 1 };
    expect(await patient(failing(5), never, times)).toBe('answered');
  });

  test('is not asked again when the answer is a fault', async () => {
    let asked = 0;
    const faulty = async () => {
      asked += 1;
      throw new Error('no such column');
    };
    const times = { deadlineMs: 60_000, pauseMs: 1 };
    await expect(patient(faulty, never, times)).rejects.toThrow('no such column');
    expect(asked).toBe(1);
  });

  test('is given up at the deadline, with what was said last, and at once by whoever is told to end', async () => {
    const ends = { deadlineMs: -1, pauseMs: 1 };
    await expect(patient(failing(5), never, ends)).rejects.toThrow('no answer yet');
    const times = { deadlineMs: 60_000, pauseMs: 1 };
    await expect(patient(failing(5), AbortSignal.abort(), times)).rejects.toThrow('no answer yet');
  });
});

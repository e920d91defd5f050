/** Copies of the figures: whatever happens to where they are, they end as the topics are, and say how far they contain them. */
import { describe, expect, it } from 'vitest';
import type { Served, ServingEvents } from '../../processors/serving/ports.ts';
import { keyOfServed, runServing } from '../../processors/serving/run.ts';
import { until } from '../support/until.ts';
import { servedFigure } from './samples.ts';

/** A log that is read from its beginning by each follower, and a target that tests can hurt. */
function scene() {
  const log: Served[] = [];
  const followers = new Set<ServingEvents>();
  const held = new Map<string, number>();
  let isAway = false;
  let marked = 0;
  let known = 0;
  const tell = (figure: Served): void => {
    log.push(figure);
    for (const one of followers) one.take(figure);
    for (const one of followers) one.current(log.length);
  };
  const away = (): void => {
    if (isAway) throw new Error('away');
  };
  const serving = (signal: AbortSignal) =>
    runServing(
      {
        log: () => undefined,
        follow: async (events, ending) => {
          for (const figure of log) events.take(figure);
          events.current(log.length);
          followers.add(events);
          await new Promise<void>((resolve) => ending.addEventListener('abort', () => resolve()));
          followers.delete(events);
        },
        target: {
          name: 'held',
          prepare: async () => away(),
          write: async (figures) => {
            away();
            for (const figure of figures) {
              const key = keyOfServed(figure);
              const sequence = figure.kind === 'channel' ? (figure.figure?.sequence ?? 0) : 0;
              if ((held.get(key) ?? -1) < sequence) held.set(key, sequence);
            }
          },
          contain: async (asOf) => {
            away();
            if (known !== marked) {
              known = 0;
              marked = 0;
              return false;
            }
            known = asOf;
            marked = asOf;
            return true;
          },
          close: async () => undefined,
        },
      },
      signal,
    );
  return {
    held,
    tell,
    serving,
    setAway: (value: boolean) => {
      isAway = value;
    },
    lose: () => {
      held.clear();
      marked = -1;
    },
  };
}

describe('copies of the figures', () => {
  it('C1: hold the newest figure of each key, and say what they contain', async () => {
    const { tell, held, serving } = scene();
    const ending = new AbortController();
    for (let n = 1; n <= 5_000; n += 1) tell(servedFigure(`S${n % 100}`, n, n));
    const running = serving(ending.signal);
    await until(() => running.status().asOfMs === 5_000);
    expect(held.size).toBe(100);
    expect(held.get('c|web|S7')).toBe(4_907);
    ending.abort();
    await running.done;
  });

  it('C1: are written when the target is back, and filled anew when it has lost them', async () => {
    const { tell, held, serving, setAway, lose } = scene();
    const ending = new AbortController();
    const running = serving(ending.signal);
    tell(servedFigure('A', 1, 1));
    await until(() => held.get('c|web|A') === 1);
    setAway(true);
    tell(servedFigure('A', 2, 2));
    tell(servedFigure('B', 1, 3));
    await new Promise((done) => setTimeout(done, 100));
    expect(held.get('c|web|A')).toBe(1);
    setAway(false);
    await until(() => held.get('c|web|A') === 2 && held.get('c|web|B') === 1);
    lose();
    tell(servedFigure('C', 1, 4));
    await until(() => held.size === 3 && running.status().asOfMs === 4);
    expect(running.status().fillings).toBe(2);
    ending.abort();
    await running.done;
  });
});

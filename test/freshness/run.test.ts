import { describe, expect, it } from 'vitest';
import type { HopOfProcess } from '../../processors/freshness/ports.ts';
import { runFreshness } from '../../processors/freshness/run.ts';
import type { Freshness } from '../../schemas/types.ts';

/** A process with intake of one source and stock, whose clock goes only when it sleeps. */
function stage() {
  const end = new AbortController();
  let nowMs = 1_000_000;
  const worked = { offset: 10n, end: 10n, trouble: '', waits: '' };
  let heartbeat = (_source: string, _atMs: number): void => undefined;
  let said = (_partition: number, _word: Freshness): void => undefined;
  const words = new Map<string, Freshness>();
  const hop = (name: HopOfProcess['hop'], source?: string): HopOfProcess => ({
    hop: name,
    source,
    committed: () => [{ topic: `into ${name}`, partition: 0, offset: worked.offset }],
    waitsFor: () => (name === 'stock' ? worked.waits : ''),
  });
  const steps: (() => void)[] = [];
  const running = runFreshness({
    hops: [hop('intake', 'erp'), hop('stock')],
    sources: ['erp'],
    partitions: 1,
    signal: end.signal,
    ports: {
      follow: async (events) => {
        heartbeat = events.heartbeat;
        said = events.said;
      },
      ends: async (places) => places.map(() => worked.end),
      troubleOf: async () => worked.trouble,
      write: async (partition, word) => {
        words.set(word.hop, word);
        said(partition, word);
      },
      sleep: async (ms) => {
        nowMs += ms;
        await new Promise<void>((resolve) => steps.push(resolve));
      },
      now: () => nowMs,
      report: (error) => {
        throw error;
      },
    },
  });
  /** Lets so much time pass, with a heartbeat every half second unless it is silent. */
  const pass = async (ms: number, beats = true): Promise<void> => {
    const untilMs = nowMs + ms;
    for (let turn = 0; nowMs < untilMs; turn += 1) {
      if (beats && turn % 5 === 0) heartbeat('erp', nowMs);
      await new Promise((resolve) => setImmediate(resolve));
      steps.shift()?.();
    }
    await new Promise((resolve) => setImmediate(resolve));
  };
  const close = async (): Promise<void> => {
    end.abort();
    steps.shift()?.();
    await running;
  };
  return { worked, words, pass, close, now: () => nowMs };
}

describe('L1: what a process says of its hops', () => {
  it('is fresh and at most two seconds old while all work and connectors beat', async () => {
    const { words, pass, close, now } = stage();
    await pass(4_000);
    for (const hop of ['capture', 'intake', 'stock']) {
      expect(words.get(hop)).toMatchObject({ state: 'fresh', reason: '' });
      expect(now() - (words.get(hop)?.asOf ?? 0)).toBeLessThan(2_000);
    }
    await close();
  });

  it('is unknown before a connector has told anything', async () => {
    const { words, pass, close } = stage();
    await pass(2_000, false);
    expect(words.get('capture')?.state).toBe('unknown');
    expect(words.get('stock')).toMatchObject({ state: 'unknown', asOf: 0 });
    await close();
  });

  it('names a paused connector at once, and a silent one after six seconds', async () => {
    const { worked, words, pass, close } = stage();
    await pass(2_000);
    worked.trouble = 'connector erp is PAUSED';
    await pass(600);
    expect(words.get('capture')).toMatchObject({ state: 'degraded', reason: worked.trouble });
    worked.trouble = '';
    await pass(600);
    expect(words.get('capture')?.state).toBe('fresh');
    await pass(7_000, false);
    expect(words.get('capture')?.reason).toMatch(
      /no sign of life of the connector of erp for [67]/,
    );
    await close();
  });

  it('names a hop that stands still, and does not move on what it contains', async () => {
    const { worked, words, pass, close } = stage();
    await pass(2_000);
    worked.end = 11n;
    await pass(500);
    const { asOf } = words.get('intake') ?? {};
    await pass(3_000);
    expect(words.get('intake')).toMatchObject({ state: 'degraded', asOf });
    expect(words.get('intake')?.reason).toMatch(/^intake is \d\.\d s behind$/);
    worked.offset = 11n;
    await pass(1_000);
    expect(words.get('intake')?.state).toBe('fresh');
    await close();
  });

  it('says what a hop waits for', async () => {
    const { worked, words, pass, close } = stage();
    worked.waits = 'stock is restoring';
    await pass(1_000);
    expect(words.get('stock')?.reason).toBe('stock is restoring');
    await close();
  });
});

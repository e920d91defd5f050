/** Connectors that fail: when they are started again, and what is told. */
import { describe, expect, it } from 'vitest';
import type { ConnectorFacts, LogFacts } from '../../processors/protection/ports.ts';
import { runProtection } from '../../processors/protection/run.ts';
import type { Alert } from '../../schemas/types.ts';

const slot: LogFacts = { kind: 'slot', exists: true, heldBytes: 0, isLost: false };
const second = 1_000;

/** Looks every two seconds at a connector that is what `stateAt` says, until `untilMs`. */
async function watched(
  untilMs: number,
  stateAt: (nowMs: number, restarts: number) => ConnectorFacts['state'],
  facts: LogFacts = slot,
): Promise<{ readonly alerts: readonly Alert[]; readonly restartedAt: readonly number[] }> {
  const alerts: Alert[] = [];
  const restartedAt: number[] = [];
  const end = new AbortController();
  let nowMs = 0;
  await runProtection({
    systems: ['pos'],
    budgetBytes: 1_000,
    signal: end.signal,
    ports: {
      logFacts: async () => facts,
      connector: async () => ({ state: stateAt(nowMs, restartedAt.length), cause: 'no route' }),
      giveUp: () => Promise.reject(new Error('not asked for')),
      stop: () => Promise.reject(new Error('not asked for')),
      restart: async () => void restartedAt.push(nowMs / second),
      tell: async (alert) => void alerts.push(alert),
      sleep: async (ms) => {
        nowMs += ms;
        if (nowMs >= untilMs) end.abort();
      },
      now: () => nowMs,
      report: (error) => {
        throw error;
      },
    },
  });
  return { alerts, restartedAt };
}

const told = (alerts: readonly Alert[]) =>
  alerts.map(({ kind, severity, open }) => `${kind} ${severity} ${open}`);

describe('a connector that fails', () => {
  it('S2: is started again at once, and it is told when it has run for ten seconds', async () => {
    const { alerts, restartedAt } = await watched(60 * second, (_now, restarts) =>
      restarts === 0 ? 'failed' : 'running',
    );
    expect(restartedAt).toEqual([0]);
    expect(told(alerts)).toEqual(['connectorFailed critical true', 'connectorFailed info false']);
    expect(alerts[0]?.message).toContain('no route');
    expect(alerts[1]?.raisedAt).toBe(10 * second);
  });

  it('S2: again and again, is started after longer and longer pauses, of ten minutes at most, and told once', async () => {
    const { alerts, restartedAt } = await watched(3_600 * second, () => 'failed');
    const pauses = restartedAt.slice(1).map((at, before) => at - (restartedAt[before] ?? 0));
    expect(pauses).toEqual([10, 20, 40, 80, 160, 320, 600, 600, 600, 600]);
    expect(told(alerts)).toEqual(['connectorFailed critical true']);
  });

  it('S2: begins with short pauses again after it has run', async () => {
    const { restartedAt } = await watched(80 * second, (nowMs) =>
      nowMs < 20 * second || nowMs >= 60 * second ? 'failed' : 'running',
    );
    expect(restartedAt).toEqual([0, 10, 60, 70]);
  });

  it('S2: stays as it is where its slot is gone: it would go on behind the gap', async () => {
    for (const gone of [
      { ...slot, exists: false },
      { ...slot, isLost: true },
      { kind: 'files', isGone: true, isNextToGo: false } as const,
    ]) {
      const { alerts, restartedAt } = await watched(60 * second, () => 'failed', gone);
      expect(restartedAt).toEqual([]);
      expect(alerts.at(-1)?.message).toContain('stockline source resync pos');
    }
  });

  it('S2: and one that was told to stop stays stopped', async () => {
    const { alerts, restartedAt } = await watched(60 * second, () => 'stopped');
    expect([alerts, restartedAt]).toEqual([[], []]);
  });
});

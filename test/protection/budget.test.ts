/** The watch over the sources' logs, decision by decision. */
import { describe, expect, it } from 'vitest';
import { judgeLog, type Verdict } from '../../processors/protection/budget.ts';
import type { LogFacts } from '../../processors/protection/ports.ts';
import { runProtection } from '../../processors/protection/run.ts';
import type { Alert } from '../../schemas/types.ts';

const budgetBytes = 1_000;
const slot = (heldBytes: number, more: Partial<LogFacts> = {}): LogFacts =>
  ({ kind: 'slot', exists: true, heldBytes, isLost: false, ...more }) as LogFacts;
const gone = slot(0, { exists: false });

/** Looks once at each of these, as the source, Kafka Connect and what was done before leave it. */
async function watched(
  looks: readonly LogFacts[],
  connect: { isStopped: boolean; isDown?: boolean } = { isStopped: false },
): Promise<{ readonly alerts: readonly Alert[]; readonly done: readonly string[] }> {
  const alerts: Alert[] = [];
  const done: string[] = [];
  const end = new AbortController();
  let at = 0;
  await runProtection({
    systems: ['erp'],
    budgetBytes,
    signal: end.signal,
    ports: {
      logFacts: async () => looks[at] as LogFacts,
      connector: async () => {
        if (connect.isDown === true) throw new Error('Kafka Connect does not answer');
        return { state: connect.isStopped ? 'stopped' : 'running', cause: '' };
      },
      restart: async () => void done.push('restart'),
      giveUp: async () => void done.push('giveUp'),
      stop: async () => {
        if (connect.isDown === true) throw new Error('Kafka Connect does not answer');
        done.push('stop');
        connect.isStopped = true;
      },
      tell: async (alert) => void alerts.push(alert),
      sleep: async () => {
        at += 1;
        if (at === looks.length) end.abort();
      },
      now: () => at,
      report: () => {},
    },
  });
  return { alerts, done };
}

/** The looks, with something that happens just before one of them. */
function atLook(
  number: number,
  looks: readonly LogFacts[],
  happens: () => void,
): readonly LogFacts[] {
  return new Proxy(looks, {
    get: (all, name) => {
      if (name === String(number)) happens();
      return Reflect.get(all, name);
    },
  });
}

describe('the budget of a log', () => {
  it.each<readonly [string, LogFacts, boolean, Verdict]>([
    ['an empty slot', slot(0), false, 'well'],
    ['half of the budget', slot(500), false, 'well'],
    ['more than half', slot(501), false, 'near'],
    ['all of it', slot(1_000), false, 'near'],
    ['more', slot(1_001), false, 'over'],
    ['a slot that the server has lost', slot(0, { isLost: true }), false, 'lost'],
    ['no slot before the first start', gone, false, 'well'],
    ['no slot of a connector that was stopped', gone, true, 'lost'],
    ['a binlog that is there', { kind: 'files', isGone: false, isNextToGo: false }, false, 'well'],
    ['the oldest of many', { kind: 'files', isGone: false, isNextToGo: true }, false, 'near'],
    ['one that was removed', { kind: 'files', isGone: true, isNextToGo: false }, false, 'lost'],
  ])('S1: %s', (_name, facts, isStopped, verdict) => {
    expect(judgeLog(facts, budgetBytes, isStopped)).toBe(verdict);
  });

  it('S1: tells each change of it once, and that it is well again', async () => {
    const { alerts, done } = await watched([slot(0), slot(600), slot(700), slot(10), slot(10)]);
    expect(alerts.map(({ severity, open }) => [severity, open])).toEqual([
      ['warning', true],
      ['info', false],
    ]);
    expect(new Set(alerts.map(({ id }) => id)).size).toBe(1);
    expect(done).toEqual([]);
  });

  it('S1: above it the connector is stopped, then the slot goes, and it is told once', async () => {
    const { alerts, done } = await watched([slot(2_000), gone, gone]);
    expect(done).toEqual(['stop', 'giveUp']);
    expect(alerts.map(({ severity, open }) => [severity, open])).toEqual([['critical', true]]);
    expect(alerts[0]?.message).toContain('stockline source resync erp');
  });

  it('S1: a slot is given up though Kafka Connect is down, which is stopped as soon as it answers', async () => {
    const connect = { isStopped: false, isDown: true };
    expect((await watched([slot(2_000), gone], connect)).done).toEqual(['giveUp']);
    const back = { isStopped: false, isDown: true };
    const looks = atLook(2, [slot(2_000), gone, gone, gone], () => {
      back.isDown = false;
    });
    expect((await watched(looks, back)).done).toEqual(['giveUp', 'stop']);
  });

  it('S1: a slot that a connector made again before it was stopped goes too, and nothing is well', async () => {
    const connect = { isStopped: false, isDown: true };
    const looks = atLook(1, [slot(2_000), slot(0), slot(0), gone, gone], () => {
      connect.isDown = false;
    });
    const { alerts, done } = await watched(looks, connect);
    expect(done).toEqual(['giveUp', 'stop', 'giveUp', 'giveUp']);
    expect(alerts.map(({ severity, open }) => [severity, open])).toEqual([['critical', true]]);
  });

  it('S1: what was given up is well again once it was begun anew', async () => {
    const connect = { isStopped: false };
    // Before the next look already.
    const looks = atLook(1, [slot(2_000), slot(0)], () => {
      connect.isStopped = false;
    });
    const { alerts, done } = await watched(looks, connect);
    expect(done).toEqual(['stop', 'giveUp']);
    expect(alerts.map(({ open }) => open)).toEqual([true, false]);
  });

  it('S1: nothing is well because Kafka Connect does not answer', async () => {
    const connect = { isStopped: true, isDown: false };
    const looks = atLook(1, [gone, gone, gone], () => {
      connect.isDown = true;
    });
    const { alerts } = await watched(looks, connect);
    expect(alerts.map(({ open }) => open)).toEqual([true]);
  });

  it('S1: after a resync it is well again', async () => {
    const connect = { isStopped: true };
    const looks = atLook(1, [gone, slot(0)], () => {
      connect.isStopped = false;
    });
    const { alerts } = await watched(looks, connect);
    expect(alerts.map(({ severity, open }) => [severity, open])).toEqual([
      ['critical', true],
      ['info', false],
    ]);
  });
});

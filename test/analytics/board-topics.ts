/** What the boards' data say beside stock: requests, alerts, anomalies, forecasts. */
import {
  alerts,
  anomalies,
  deadLetters,
  decisions,
  deliveryAttempts,
  forecasts,
  freshness,
  outcomes,
  proposals,
  requests,
} from '../../processors/topics.ts';
import type { Anomaly, ForecastStep, Proposal } from '../../schemas/types.ts';
import type { MemoryLog } from './memory-log.ts';
import { alert, cause, deadLetter } from './samples.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
export const shops = ['S01', 'S02', 'S03'];
export const skus = Array.from(
  { length: 12 },
  (_, index) => `SKU-${String(index + 1).padStart(3, '0')}`,
);

export function tellRequests(log: MemoryLog, now: number): void {
  for (let n = 0; n < 40; n += 1) {
    const sku = skus[n % skus.length] ?? '';
    const at = now - n * 20 * 60_000;
    const key = { client: 'shop', idempotencyKey: `k-${n}` };
    const accepted = n % 5 !== 0;
    const code = accepted ? '' : 'NOT_ENOUGH';
    const reservation = accepted ? `r-${n}` : null;
    log.append(
      requests.name,
      0,
      `shop|k-${n}`,
      {
        ...key,
        kind: 'reserve',
        policy: 'FillOrKill',
        lines: [{ sku, location: null, quantity: 1000 }],
        reservation: null,
        channel: 'web',
        toLocation: null,
        expectedSequence: null,
        changeFromQuantity: null,
        expiresAt: null,
        reason: '',
        reference: `cart ${n}`,
        actor: 'shop',
        occurredAt: at,
        locations: [],
        bucket: '',
        echoKey: null,
        askedBy: null,
      },
      at,
    );
    log.append(
      decisions.name,
      0,
      `shop|k-${n}`,
      {
        commandId: `shop|k-${n}|0`,
        sku,
        location: 'S01',
        accepted,
        code,
        reason: '',
        quantity: accepted ? 1000 : 0,
        sequence: n,
        decidedAt: at,
        short: accepted ? 0 : 1000,
        parts: [],
        reservation,
        state: accepted ? 'CREATED' : '',
      },
      at + 20,
    );
    log.append(
      outcomes.name,
      0,
      `shop|k-${n}`,
      {
        ...key,
        accepted,
        code,
        reason: '',
        reservation,
        lines: accepted
          ? [{ sku, location: 'S01', quantity: 1000, short: 0, sequence: n, code: '', reason: '' }]
          : [],
        decidedAt: at,
        request: '',
        state: accepted ? 'CREATED' : '',
      },
      at + 40,
    );
    const outcome = n % 9 === 0 ? 'failed' : n % 7 === 0 ? 'throttled' : 'accepted';
    log.append(
      deliveryAttempts.name,
      0,
      sku,
      {
        destination: 'shop-webhook',
        destinationKind: 'webhook',
        channel: 'web',
        sku,
        sequence: n,
        sellable: 5000,
        delivery: `d-${n}`,
        attempt: 1,
        outcome,
        status: outcome === 'accepted' ? 200 : 503,
        tookMs: 40 + n,
        attemptedAt: at,
        publishedAt: at - 80,
        reason: '',
      },
      at + 60,
    );
  }
  for (const hop of ['capture', 'intake', 'stock'] as const) {
    log.append(
      freshness.name,
      0,
      'pos',
      {
        source: 'pos',
        hop,
        position: cause.position,
        asOf: now - 300,
        observedAt: now,
        state: 'fresh',
        reason: '',
      },
      now,
    );
  }
}

export function tellTrouble(log: MemoryLog, now: number): void {
  const kinds = ['negativeAvailable', 'echoMismatch', 'late', 'gap'];
  for (let n = 0; n < 14; n += 1) {
    const at = now - n * 9 * hourMs;
    const kind = kinds[n % kinds.length] ?? '';
    const severity = n % 6 === 0 ? 'critical' : 'warning';
    const sku = skus[n % skus.length] ?? '';
    const message = `${sku}: ${kind}`;
    log.append(
      alerts.name,
      0,
      sku,
      alert(`alert ${n}`, { kind, severity, sku, open: n % 3 === 0, raisedAt: at, message }),
      at,
    );
    const code = ['UNKNOWN_SKU', 'LATE', 'EFFECT_UNUSABLE'][n % 3] ?? '';
    log.append(
      deadLetters.name,
      0,
      sku,
      {
        ...deadLetter,
        code,
        offset: n,
        redrives: n % 4 === 0 ? 1 : 0,
        reason: `${code}: receipt line ${900 + n} of ${sku}`,
        timestamp: at,
      },
      at,
    );
  }
}

export function tellAnomalies(log: MemoryLog, now: number): void {
  const kinds = [
    'salesSpike',
    'salesSilence',
    'suddenDrop',
    'silentTill',
    'countDiscrepancy',
    'negativeStock',
    'stuckLevel',
  ];
  for (let n = 0; n < 24; n += 1) {
    const openedAt = now - (n * 6 + 1) * hourMs;
    const kind = kinds[n % kinds.length] ?? '';
    const sku = skus[n % skus.length] ?? '';
    const location = shops[n % 3] ?? '';
    const base: Anomaly = {
      id: `${kind}|${sku}|${openedAt}`,
      subject: `${kind}|${sku}|${location}`,
      kind,
      state: 'open',
      severity: n % 7 === 5 ? 'critical' : 'warning',
      sku,
      location,
      till: kind === 'silentTill' ? '1' : '',
      system: 'pos',
      message: `${kind} of ${sku} at ${location}`,
      expected: '4 units an hour',
      seen: `${n} units an hour`,
      expectedValue: 4,
      seenValue: n,
      probability: 0.0001,
      threshold: 0.001,
      evidence: [{ name: 'hours', value: '3' }],
      openedAt,
      observedAt: openedAt,
      closedAt: null,
      acknowledgedBy: '',
      note: '',
    };
    log.append(anomalies.name, 0, sku, base, openedAt);
    if (n % 4 === 1)
      log.append(
        anomalies.name,
        0,
        sku,
        { ...base, state: 'acknowledged', acknowledgedBy: 'kim', observedAt: openedAt + hourMs },
        openedAt + hourMs,
      );
    if (n > 7)
      log.append(
        anomalies.name,
        0,
        sku,
        {
          ...base,
          state: 'closed',
          closedAt: openedAt + (n % 5) * hourMs + 20 * 60_000,
          observedAt: openedAt + 5 * hourMs,
        },
        openedAt + 5 * hourMs,
      );
  }
}

export function tellForecasts(log: MemoryLog, now: number, random: () => number): void {
  const today = Math.floor(now / dayMs) * dayMs;
  for (const [index, sku] of skus.entries()) {
    for (const location of shops) {
      const demand = Math.round((1 + random() * 6) * 1000);
      const steps = Array.from({ length: 14 }, (_, day): ForecastStep => {
        const mean = Math.round(demand * (1 + 0.3 * Math.sin((day / 7) * 2 * Math.PI)));
        const part = (share: number): number => Math.max(0, Math.round(mean * share));
        return {
          start: today + day * dayMs,
          hours: 24,
          expected: mean,
          lower95: part(0.2),
          lower90: part(0.3),
          lower80: part(0.5),
          median: part(0.95),
          upper80: part(1.5),
          upper90: part(1.8),
          upper95: part(2.1),
        };
      });
      const stockOutProbability = Math.round(random() * 100) / 100;
      const stockOutAt =
        stockOutProbability > 0.4 ? today + (1 + Math.floor(random() * 12)) * dayMs : null;
      const method = ['seasonal', 'sba', 'tsb'][index % 3] ?? '';
      log.append(
        forecasts.name,
        index % 2,
        { sku, location },
        {
          sku,
          location,
          madeAt: now,
          from: today,
          method,
          historyDays: 60,
          stockOutDays: 1.5,
          dailyDemand: demand,
          steps,
          stockOutAt,
          stockOutProbability,
        },
        now,
      );
      if (stockOutProbability < 0.5) continue;
      const proposal: Proposal = {
        id: `${sku}|${location}|1`,
        sku,
        location,
        state: random() < 0.6 ? 'proposed' : 'approved',
        madeAt: now,
        onHand: 6_000,
        available: 5_000,
        incoming: 0,
        dailyDemand: demand,
        leadTimeDays: 3,
        leadTimeDeviationDays: 1,
        reviewDays: 1,
        serviceLevel: 0.95,
        stockOutAt,
        stockOutProbability,
        reorderPoint: demand * 5,
        orderUpTo: demand * 9,
        quantity: Math.ceil((demand * 4) / 6000) * 6000,
        decidedBy: '',
        reason: 'below the reorder point',
      };
      log.append(proposals.name, index % 2, { sku, location }, proposal, now);
    }
  }
}

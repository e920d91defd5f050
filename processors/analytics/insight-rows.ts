/** Anomalies, forecasts and proposals → rows. Pure. A moment that is not known is the beginning of 1970. */
import type { Anomaly, Forecast, ForecastStep, Proposal, StockKey } from '../../schemas/types.ts';
import { type Delivery, type Feed, feed, type Valued, valued } from './feed.ts';

export const anomalyFeed: Feed = feed<Valued<Anomaly>>(
  'anomalies',
  [
    ['id', ({ value }) => value.id],
    ['subject', ({ value }) => value.subject],
    ['kind', ({ value }) => value.kind],
    ['state', ({ value }) => value.state],
    ['severity', ({ value }) => value.severity],
    ['sku', ({ value }) => value.sku],
    ['location', ({ value }) => value.location],
    ['till', ({ value }) => value.till],
    ['system', ({ value }) => value.system],
    ['message', ({ value }) => value.message],
    ['expected', ({ value }) => value.expected],
    ['seen', ({ value }) => value.seen],
    ['expected_value', ({ value }) => value.expectedValue],
    ['seen_value', ({ value }) => value.seenValue],
    ['probability', ({ value }) => value.probability],
    ['threshold', ({ value }) => value.threshold],
    ['evidence_names', ({ value }) => value.evidence.map((one) => one.name)],
    ['evidence_values', ({ value }) => value.evidence.map((one) => one.value)],
    ['opened_at', ({ value }) => value.openedAt],
    ['observed_at', ({ value }) => value.observedAt],
    ['closed_at', ({ value }) => value.closedAt ?? 0],
    ['acknowledged_by', ({ value }) => value.acknowledgedBy],
    ['note', ({ value }) => value.note],
  ],
  valued<Anomaly>,
);

type StepRow = Delivery & {
  readonly forecast: Forecast;
  readonly step: ForecastStep;
  readonly index: number;
  readonly deleted: boolean;
};

const noStep: ForecastStep = {
  start: 0,
  hours: 0,
  expected: 0,
  lower95: 0,
  lower90: 0,
  lower80: 0,
  median: 0,
  upper80: 0,
  upper90: 0,
  upper95: 0,
};

export const forecastFeed: Feed = feed<StepRow>(
  'forecasts',
  [
    ['sku', ({ forecast }) => forecast.sku],
    ['location', ({ forecast }) => forecast.location],
    ['made_at', ({ forecast }) => forecast.madeAt],
    ['from_time', ({ forecast }) => forecast.from],
    ['method', ({ forecast }) => forecast.method],
    ['history_days', ({ forecast }) => forecast.historyDays],
    ['stock_out_days', ({ forecast }) => forecast.stockOutDays],
    ['daily_demand', ({ forecast }) => forecast.dailyDemand],
    ['stock_out_at', ({ forecast }) => forecast.stockOutAt ?? 0],
    ['stock_out_probability', ({ forecast }) => forecast.stockOutProbability],
    ['step', ({ index }) => index],
    ['start', ({ step }) => step.start],
    ['hours', ({ step }) => step.hours],
    ['expected', ({ step }) => step.expected],
    ['lower95', ({ step }) => step.lower95],
    ['lower90', ({ step }) => step.lower90],
    ['lower80', ({ step }) => step.lower80],
    ['median', ({ step }) => step.median],
    ['upper80', ({ step }) => step.upper80],
    ['upper90', ({ step }) => step.upper90],
    ['upper95', ({ step }) => step.upper95],
    ['deleted', ({ deleted }) => deleted],
  ],
  ({ record, lineage }) => {
    const forecast = record.value as Forecast | undefined;
    if (forecast === undefined) {
      const gone = goneForecast(record.key as StockKey);
      return [{ record, lineage, forecast: gone, step: noStep, index: 0, deleted: true }];
    }
    return forecast.steps.map((step, index) => ({
      record,
      lineage,
      forecast,
      step,
      index,
      deleted: false,
    }));
  },
);

function goneForecast({ sku, location }: StockKey): Forecast {
  return {
    sku,
    location,
    madeAt: 0,
    from: 0,
    method: '',
    historyDays: 0,
    stockOutDays: 0,
    dailyDemand: 0,
    steps: [],
    stockOutAt: null,
    stockOutProbability: 0,
  };
}

export const proposalFeed: Feed = feed<Valued<Proposal>>(
  'replenishment_proposals',
  [
    ['id', ({ value }) => value.id],
    ['sku', ({ value }) => value.sku],
    ['location', ({ value }) => value.location],
    ['state', ({ value }) => value.state],
    ['made_at', ({ value }) => value.madeAt],
    ['on_hand', ({ value }) => value.onHand],
    ['available', ({ value }) => value.available],
    ['incoming', ({ value }) => value.incoming],
    ['daily_demand', ({ value }) => value.dailyDemand],
    ['lead_time_days', ({ value }) => value.leadTimeDays],
    ['lead_time_deviation_days', ({ value }) => value.leadTimeDeviationDays],
    ['review_days', ({ value }) => value.reviewDays],
    ['service_level', ({ value }) => value.serviceLevel],
    ['stock_out_at', ({ value }) => value.stockOutAt ?? 0],
    ['stock_out_probability', ({ value }) => value.stockOutProbability],
    ['reorder_point', ({ value }) => value.reorderPoint],
    ['order_up_to', ({ value }) => value.orderUpTo],
    ['quantity', ({ value }) => value.quantity],
    ['decided_by', ({ value }) => value.decidedBy],
    ['reason', ({ value }) => value.reason],
  ],
  valued<Proposal>,
);

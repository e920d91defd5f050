/** A person looks after an anomaly: its records say so until it is over. */
import { describe, expect, it } from 'vitest';
import {
  cellAnomaliesTopology,
  placeAnomaliesTopology,
} from '../../processors/anomalies/topology.ts';
import { acknowledgements, activities, anomalies, ledger } from '../../processors/topics.ts';
import type { Acknowledgement } from '../../schemas/types.ts';
import { entry } from '../analytics/samples.ts';
import { commit, record, runTopology, tick } from '../support/topology-driver.ts';

const minuteMs = 60_000;
const slotMs = 15 * minuteMs;
const dayMs = 86_400_000;
const by = (anomaly: string): Acknowledgement => ({
  anomaly,
  actor: 'maria',
  note: 'the delivery is on its way',
  at: Date.UTC(2026, 2, 2, 10),
});

describe('an acknowledged anomaly', () => {
  it('of a cell names who looks after it, and still when it is over', () => {
    const below = record(ledger, 'A', entry('A', 1, -3_000));
    const [open] = runTopology(cellAnomaliesTopology(), [below, commit]).records(anomalies);
    const id = open?.value?.id ?? '';
    expect(open?.value).toMatchObject({ kind: 'negativeStock', state: 'open' });
    const told = runTopology(cellAnomaliesTopology(), [
      below,
      record(acknowledgements, 'A', by(id)),
      record(acknowledgements, 'A', by(`${id}9`)),
      record(ledger, 'A', entry('A', 2, 5_000)),
      commit,
    ]).records(anomalies);
    expect(told.map(({ value }) => [value?.id, value?.state, value?.acknowledgedBy])).toEqual([
      [id, 'open', ''],
      [id, 'acknowledged', 'maria'],
      [id, 'closed', 'maria'],
    ]);
  });

  it('of a till names who looks after it', () => {
    const start = Date.UTC(2026, 2, 2);
    const sold = Array.from({ length: 20 * 96 }, (_, at) => {
      const slot = start + at * slotMs;
      const tills = [{ till: '1', lines: 2, twins: 0 }];
      const activity = { location: 'L1', system: '', slot, slotMs, lines: 2, tills };
      return record(activities, 'L1', activity, { timestampMs: slot + slotMs });
    });
    const silent = Array.from({ length: 2 * 96 }, (_, at) =>
      tick(start + 20 * dayMs + at * slotMs),
    );
    const script = [...sold, ...silent];
    const [open] = runTopology(placeAnomaliesTopology(), [...script, commit]).records(anomalies);
    const id = open?.value?.id ?? '';
    expect(open?.value).toMatchObject({ kind: 'silentTill', till: '1' });
    const told = runTopology(placeAnomaliesTopology(), [
      ...script,
      record(acknowledgements, 'L1', by(id)),
      commit,
    ]).records(anomalies);
    expect(told.at(-1)?.value).toMatchObject({ id, state: 'acknowledged', note: by(id).note });
  });
});

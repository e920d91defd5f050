/** The corner shop's log, written and played: rows of its tables, and what intake makes of them. */
import { alerts } from '../../processors/topics.ts';
import type { Header } from '../../processors/topology/topology.ts';
import { DebeziumSource, type Logged, type Write } from '../support/debezium.ts';
import { commit, runTopology, type ScriptItem } from '../support/topology-driver.ts';
import { cornerShopIntake, move, order } from './corner-shop.ts';

export const begin = Date.UTC(2026, 4, 20, 8);
export const second = 1000;

/** What `stockline dlq redrive` puts on a record. */
export const redrivenTimes = (times: number): readonly Header[] => [
  ['redrives', new TextEncoder().encode(String(times))],
];
export const redriven = redrivenTimes(1);

export const source = () => new DebeziumSource('shop', cornerShopIntake as never);

/** Each record in a transaction of its own. */
export const played = (...logs: readonly (readonly Logged[])[]) => {
  const items = logs.flat().flatMap(({ item }): readonly ScriptItem[] => [item, commit]);
  return runTopology(cornerShopIntake, items);
};

/** The kinds of the alerts, each with whether it is open. */
export const kindsOf = (result: ReturnType<typeof played>): readonly string[] =>
  result.records(alerts).map(({ value }) => `${value?.kind} ${value?.open}`);

export const open = (id: number, quantity: number, operation: Write['operation'] = 'c'): Write => ({
  table: order,
  operation,
  row: { id, sku: 'A', open: quantity },
});

export const moved = (
  id: number,
  quantity: number,
  operation: Write['operation'] = 'c',
): Write => ({
  table: move,
  operation,
  row: { id, sku: 'A', quantity, at: begin },
});

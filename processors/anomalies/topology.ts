/** The anomalies' two halves: what a cell's ledger shows, and what all cells of a place or source show together. */
import { acknowledgements, activities, anomalies, ledger } from '../topics.ts';
import type { Topic } from '../topology/topic.ts';
import { defineTopology, type Topology } from '../topology/topology.ts';
import { type AnomaliesState, anomaliesStateCodec } from './cell-state.ts';
import { cellStep } from './cell-step.ts';
import { type PlacesState, placeStep, placesStateCodec } from './place-step.ts';

const anyTopics = (topics: readonly unknown[]) => topics as readonly Topic<never, never>[];

/** Nothing here is decided within less than a quarter of an hour. */
const tickMs = 60_000;
const gatherMs = 1_000;

export function cellAnomaliesTopology(): Topology<AnomaliesState> {
  return defineTopology({
    name: 'anomalies',
    inputs: anyTopics([ledger, acknowledgements]),
    state: anomaliesStateCodec,
    tickMs,
    gatherMs,
    step: cellStep,
    outputs: anyTopics([anomalies, activities]),
  });
}

export function placeAnomaliesTopology(): Topology<PlacesState> {
  return defineTopology({
    name: 'anomalies-of-places',
    inputs: anyTopics([activities, acknowledgements]),
    state: placesStateCodec,
    tickMs,
    gatherMs,
    step: placeStep,
    outputs: anyTopics([anomalies]),
  });
}

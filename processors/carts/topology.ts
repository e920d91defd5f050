/** The carts processor: the single writer of commands. */
import { commands, decisions, outcomes, requests } from '../topics.ts';
import type { Topic } from '../topology/topic.ts';
import { defineTopology, type Topology } from '../topology/topology.ts';
import type { Bundles } from './bundles.ts';
import { type CartsState, cartsStateCodec } from './state.ts';
import { cartsStep } from './step.ts';

const anyTopics = (topics: readonly unknown[]) => topics as readonly Topic<never, never>[];

/** Only to forget what is over. */
const tickMs = 10_000;

/** Requests are an output too: a cart asks the cart of a reservation for its lines. */
export function cartsTopology(bundles: Bundles): Topology<CartsState> {
  return defineTopology({
    name: 'carts',
    inputs: anyTopics([requests, decisions]),
    state: cartsStateCodec,
    tickMs,
    step: cartsStep(bundles),
    outputs: anyTopics([commands, outcomes, requests]),
  });
}

/** The audit processor: who asked for what, why, and what was decided, so that it cannot be rewritten unseen. */
import {
  apiKeys,
  audit,
  channelPolicies,
  commands,
  decisions,
  guardDecisions,
  proposals,
} from '../topics.ts';
import type { Topic } from '../topology/topic.ts';
import { defineTopology, type Topology } from '../topology/topology.ts';
import { type AuditState, auditStateCodec, auditStep } from './step.ts';

const anyTopics = (topics: readonly unknown[]) => topics as readonly Topic<never, never>[];

export function auditTopology(): Topology<AuditState> {
  return defineTopology({
    name: 'audit',
    inputs: anyTopics([commands, decisions, proposals, guardDecisions, apiKeys, channelPolicies]),
    state: auditStateCodec,
    // Read by people, afterwards.
    gatherMs: 250,
    step: auditStep,
    outputs: anyTopics([audit]),
  });
}

/** Each command and each decision becomes an entry of the audit, chained to the one before it in its partition. */
import type {
  ApiKey,
  ChannelPolicies,
  Command,
  Decision,
  GuardDecision,
  Proposal,
  StockKey,
} from '../../schemas/types.ts';
import {
  apiKeys,
  audit,
  channelPolicies,
  commands,
  decisions,
  guardDecisions,
  proposals,
} from '../topics.ts';
import { packedCodec } from '../topology/packed.ts';
import {
  type Emit,
  emit,
  type StateCodec,
  type Step,
  type StreamRecord,
} from '../topology/topology.ts';
import { type AuditFacts, chainedHash, genesis } from './chain.ts';

/** The hash of the last entry of the partition, as hex. */
export type AuditState = { readonly head: string };

export const auditStateCodec: StateCodec<AuditState> = packedCodec({ version: 2, words: ['head'] });

const headKey = 'head';

/** Inputs and entries have the same keys, so each entry lies in the partition whose chain it continues. */
export const auditStep: Step<AuditState> = (input, state): readonly Emit[] => {
  if (input.kind === 'tick' || input.record.value === undefined) return [];
  const { record } = input;
  const facts = factsOf(record);
  if (facts === undefined) return [];
  const previousHash = state.get(headKey)?.head ?? genesis;
  const hash = chainedHash(previousHash, facts);
  state.put(headKey, { head: hash });
  return [
    emit(
      audit,
      keyOf(record),
      {
        ...facts,
        previousHash: Buffer.from(previousHash, 'hex'),
        hash: Buffer.from(hash, 'hex'),
      },
      // Where its chain is: a decision about a location is told to every partition.
      { partition: record.partition },
    ),
    { kind: 'count', metric: 'entries', by: 1 },
  ];
};

/** Of a cell the SKU: both are in the same partition. */
function keyOf({ key }: StreamRecord): string {
  return typeof key === 'string' ? key : (key as StockKey).sku;
}

function factsOf(record: StreamRecord): AuditFacts | undefined {
  switch (record.topic) {
    case commands.name:
      return factsOfCommand(record.value as Command);
    case decisions.name:
      return factsOfDecision(record.value as Decision);
    case proposals.name:
      return factsOfProposal(record.value as Proposal, record.timestampMs);
    case guardDecisions.name:
      return factsOfGuardDecision(record.value as GuardDecision, record.partition);
    case apiKeys.name:
      return factsOfKey(record.value as ApiKey);
    case channelPolicies.name:
      return factsOfPolicies(record.value as ChannelPolicies, record.partition);
    default:
      throw new Error(`the audit does not know ${record.topic}`);
  }
}

function factsOfCommand(command: Command): AuditFacts {
  const { actor, client, reason, occurredAt } = command;
  return {
    id: `${command.id} asked`,
    actor: actor === '' ? client : actor,
    action: command.kind,
    subject: subjectOf(command),
    reason,
    reference: command.reference,
    occurredAt,
  };
}

function factsOfDecision(decision: Decision): AuditFacts {
  const { commandId, accepted, code, reason, decidedAt } = decision;
  return {
    id: `${commandId} decided`,
    actor: 'stock',
    action: accepted ? 'accept' : 'refuse',
    subject: subjectOf(decision),
    reason: [code, reason].filter((text) => text !== '').join(': '),
    reference: commandId,
    occurredAt: decidedAt,
  };
}

/** One that waits has not been decided by anybody. */
function factsOfProposal(proposal: Proposal, occurredAt: number): AuditFacts | undefined {
  const { id, state, decidedBy, reason, quantity } = proposal;
  if (state === 'proposed') return undefined;
  return {
    id: `${id} ${state}`,
    actor: decidedBy,
    action: state,
    subject: subjectOf(proposal),
    reason,
    reference: `${quantity / 1_000} units`,
    occurredAt,
  };
}

/** Each partition keeps levels of its own, and so decides for itself. */
function factsOfGuardDecision(decision: GuardDecision, partition: number): AuditFacts {
  const { location, verdict, actor, reason, at } = decision;
  return {
    id: `quarantine of ${location} ${verdict} at ${at} in ${partition}`,
    actor,
    action: verdict,
    subject: `levels kept at ${location}`,
    reason,
    reference: '',
    occurredAt: at,
  };
}

/** Each partition publishes by them for itself. */
function factsOfPolicies(
  { actor, reason, at: occurredAt, policies }: ChannelPolicies,
  partition: number,
): AuditFacts {
  return {
    id: `policies put in force at ${occurredAt} in ${partition}`,
    ...{ actor, action: 'put in force', subject: 'channel policies', reason },
    ...{ reference: policies, occurredAt },
  };
}

function factsOfKey({ id, name, action, scopes, actor, reason, changedAt }: ApiKey): AuditFacts {
  return {
    id: `key ${id} ${action} at ${changedAt}`,
    actor,
    action: `key ${action}`,
    subject: `${name} (${id})`,
    reason,
    reference: scopes.join(' '),
    occurredAt: changedAt,
  };
}

/** Without a location: wherever there is stock. */
function subjectOf({ sku, location }: { readonly sku: string; readonly location: string }): string {
  return location === '' ? sku : `${sku} at ${location}`;
}

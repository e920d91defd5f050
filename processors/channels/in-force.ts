/**
 * Which policies hold now. The file's, or what a person has put in force where that has a higher version; and which of them
 * act because a source is stale. When that changes every figure is looked at again, some thousand SKUs per tick.
 */
import type { ChannelPolicies, ChannelStock, Freshness } from '../../schemas/types.ts';
import type { Emit, StateView, StepState } from '../topology/topology.ts';
import { type ChannelPolicy, heedsFreshness } from './policy.ts';
import { parsePolicies } from './policy-file.ts';
import { publish } from './publish.ts';
import {
  type ChannelsState,
  putRules,
  type RulesState,
  rulesOf,
  skuBeginning,
  skuOf,
} from './state.ts';

const skusPerTick = 2_000;
/** Words of freshness come often: so much later is worth a write. */
const asOfStepMs = 1_000;

export type InForce = { readonly policy: ChannelPolicy; readonly isStale: boolean };

/** The last answer: it changes when a person changes policies, and is asked for with every level. */
let merged: {
  readonly file: readonly ChannelPolicy[];
  readonly text: string;
  readonly policies: readonly ChannelPolicy[];
} = { file: [], text: '', policies: [] };

/** `text`: policies that were put in force, as JSON; empty: none. Of each channel the higher version holds. */
export function withApplied(
  file: readonly ChannelPolicy[],
  text: string,
): readonly ChannelPolicy[] {
  if (text === '') return file;
  if (merged.file !== file || merged.text !== text) {
    const found = parsePolicies(JSON.parse(text));
    const newer = new Map(
      ('errors' in found ? [] : found.policies).map((policy) => [policy.channel, policy]),
    );
    const policies = file.map((own) => {
      const other = newer.get(own.channel);
      return other !== undefined && other.version > own.version ? other : own;
    });
    merged = { file, text, policies };
  }
  return merged.policies;
}

export function inForce(
  file: readonly ChannelPolicy[],
  state: StateView<ChannelsState>,
): readonly InForce[] {
  const { policies, stale } = rulesOf(state);
  return withApplied(file, policies).map((policy) => ({
    policy,
    isStale: stale.includes(policy.channel),
  }));
}

/** Only channels that this process publishes: another needs its topic first. */
export function putInForce(
  file: readonly ChannelPolicy[],
  { policies }: ChannelPolicies,
  state: StateView<ChannelsState>,
): readonly Emit[] {
  const found = readPolicies(policies);
  if (typeof found === 'string') {
    return [{ kind: 'deadLetter', code: 'POLICIES_INVALID', reason: found }];
  }
  const known = new Set(file.map(({ channel }) => channel));
  const unknown = found.filter(({ channel }) => !known.has(channel));
  if (unknown.length > 0) {
    const names = unknown.map(({ channel }) => channel).join(', ');
    const reason = `${names}: not in the file of policies that this process was started with`;
    return [{ kind: 'deadLetter', code: 'CHANNEL_UNKNOWN', reason }];
  }
  if (heedsFreshness(found) && !heedsFreshness(file)) {
    const reason = 'whenStale needs one in the file too: this process does not listen to freshness';
    return [{ kind: 'deadLetter', code: 'POLICIES_INVALID', reason }];
  }
  putRules(state, { ...rulesOf(state), policies });
  return [];
}

function readPolicies(text: string): readonly ChannelPolicy[] | string {
  try {
    const found = parsePolicies(JSON.parse(text));
    return 'errors' in found ? found.errors.join('; ') : found.policies;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The hops that a level has passed. */
export function hear({ source, hop, asOf }: Freshness, state: StateView<ChannelsState>): void {
  if (hop !== 'capture' && hop !== 'intake' && hop !== 'stock') return;
  const rules = rulesOf(state);
  const key = `${source} ${hop}`;
  const known = rules.asOf[key];
  if (known !== undefined && asOf - known < asOfStepMs) return;
  putRules(state, { ...rules, asOf: { ...rules.asOf, [key]: asOf } });
}

/** Time passes: policies may begin or cease to act for stale sources, and what is new is told. */
export function tickOver(
  file: readonly ChannelPolicy[],
  nowMs: number,
  state: StepState<ChannelsState>,
): readonly Emit[] {
  const before = rulesOf(state);
  const oldest = Math.min(...Object.values(before.asOf));
  const stale = inForce(file, state)
    .filter(
      ({ policy: { whenStale } }) => whenStale.act !== 'last' && nowMs - oldest > whenStale.afterMs,
    )
    .map(({ policy }) => policy.channel);
  const rules = stale.join() === before.stale.join() ? before : { ...before, stale };
  if (rules !== before) putRules(state, rules);
  const wanted = fingerprint(file, rules);
  if (rules.sweeping === null && rules.swept === wanted) return [];
  return sweep(file, rules, wanted, nowMs, state);
}

const fingerprint = (file: readonly ChannelPolicy[], { policies, stale }: RulesState): string =>
  JSON.stringify([file, policies, stale]);

/** What changed meanwhile begins the sweep anew: figures that are right already are not written again. */
function sweep(
  file: readonly ChannelPolicy[],
  rules: RulesState,
  wanted: string,
  nowMs: number,
  state: StepState<ChannelsState>,
): readonly Emit[] {
  const after = rules.sweeping?.by === wanted ? rules.sweeping.after : '';
  const keys = state.keys(skuBeginning).filter((key) => key > after);
  const some = keys.slice(0, skusPerTick);
  const last = some.at(-1);
  const isDone = last === undefined || some.length === keys.length;
  putRules(state, {
    ...rules,
    ...(isDone ? { swept: wanted, sweeping: null } : { sweeping: { by: wanted, after: last } }),
  });
  const policies = inForce(file, state);
  const stale = rules.stale.length > 0;
  const cause: ChannelStock['cause'] = {
    ...{ kind: 'policy', id: stale ? 'stale source' : 'policies', system: '' },
    ...{ transaction: '', position: '', committedAt: nowMs },
  };
  return some.flatMap((key) => {
    const sku = key.slice(skuBeginning.length);
    const known = skuOf(state, sku);
    return policies.flatMap(({ policy, isStale }) =>
      publish(policy, isStale, sku, known, cause, state),
    );
  });
}

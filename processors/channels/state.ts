/** What the channels processor knows, by key: SKUs, what each channel was told, locations under guard, rules in force. */
import type { ChannelStock, StockLevel } from '../../schemas/types.ts';
import { packedCodec } from '../topology/packed.ts';
import type { StateView } from '../topology/topology.ts';
import type { LocationState } from './guard.ts';
import type { Available, Shares } from './policy.ts';

export type SkuState = {
  readonly kind: 'sku';
  /** Available thousandths by location, as the channels go by. */
  readonly available: Available;
  readonly shares?: Shares;
  /** By location: the level that the guard keeps. */
  readonly held: Readonly<Record<string, StockLevel>>;
};

export type PublishedState = {
  readonly kind: 'published';
  readonly sellable: number;
  readonly status: ChannelStock['status'];
  readonly formula: string;
  readonly version: number;
  readonly sequence: number;
};

export type RulesState = {
  readonly kind: 'rules';
  /** Policies that a person has put in force, as JSON; empty: the file's alone. */
  readonly policies: string;
  /** By `source hop`: all that was committed up to here is contained, in milliseconds. */
  readonly asOf: Readonly<Record<string, number>>;
  /** Channels whose policy acts because a source is stale. */
  readonly stale: readonly string[];
  /** What every figure has been looked at by; and while they are looked at, the SKU that was the last one. */
  readonly swept: string;
  readonly sweeping: { readonly by: string; readonly after: string } | null;
};

export type ChannelsState = SkuState | LocationState | PublishedState | RulesState;

/** What nearly every value holds. A part of the format, here and before stock's in `topologies.ts`: another word is another version of both. */
export const channelsWords: readonly string[] = [
  ...[
    'sku',
    'available',
    'shares',
    'held',
    'published',
    'sellable',
    'status',
    'formula',
    'version',
  ],
  ...['inStock', 'low', 'out', 'positive', 'runOut', 'alert', 'openUntil'],
];

/** Versions 1 and 2 were JSON, 3 counted texts behind the words: refused. */
export const channelsStateCodec = packedCodec<ChannelsState>({ version: 4, words: channelsWords });

export const skuBeginning = 'k|';
export const skuKey = (sku: string): string => `${skuBeginning}${sku}`;
export const locationKey = (location: string): string => `g|${location}`;
export const publishedKey = (channel: string, sku: string): string => `p|${channel}|${sku}`;
const rulesKey = 'rules';

export function skuOf(state: StateView<ChannelsState>, sku: string): SkuState {
  const known = state.get(skuKey(sku));
  return known?.kind === 'sku' ? known : { kind: 'sku', available: {}, held: {} };
}

export function rulesOf(state: StateView<ChannelsState>): RulesState {
  const known = state.get(rulesKey);
  return known?.kind === 'rules'
    ? known
    : { kind: 'rules', policies: '', asOf: {}, stale: [], swept: '', sweeping: null };
}

export const putRules = (state: StateView<ChannelsState>, rules: RulesState): void =>
  state.put(rulesKey, rules);

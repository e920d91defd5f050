/** What a channel may sell of what is available: a validated, versioned policy per channel. */

import type { Guard } from './guard.ts';

export type ChannelPolicy = {
  readonly channel: string;
  /** Id and version of the formula, written with every published figure. */
  readonly formula: string;
  readonly version: number;
  readonly locations: 'all' | readonly string[];
  /** Held back from the channel, in thousandths or in percent of the sum. */
  readonly buffer:
    | { readonly kind: 'absolute'; readonly quantity: number }
    | { readonly kind: 'percent'; readonly percent: number };
  /** The most that is shown, in thousandths; null for no limit. */
  readonly maximum: number | null;
  /** At or below this a SKU is `low`, in thousandths. */
  readonly lowAtOrBelow: number;
  /** True: locations help each other out before clamping; false: each is clamped at 0 by itself. */
  readonly pooled: boolean;
};

/** sellable is the only figure that is clamped at 0. Quantities in thousandths. */
export function sellableUnits(
  policy: ChannelPolicy,
  availableByLocation: Readonly<Record<string, number>>,
): number {
  let sum = 0;
  for (const [location, available] of Object.entries(availableByLocation)) {
    if (policy.locations !== 'all' && !policy.locations.includes(location)) continue;
    sum += policy.pooled ? available : Math.max(0, available);
  }
  const offered = Math.max(0, sum);
  const buffer =
    policy.buffer.kind === 'absolute'
      ? policy.buffer.quantity
      : Math.ceil((offered * policy.buffer.percent) / 100);
  const net = Math.max(0, offered - buffer);
  return policy.maximum === null ? net : Math.min(net, policy.maximum);
}

export function statusOf(policy: ChannelPolicy, sellable: number): 'inStock' | 'low' | 'out' {
  if (sellable <= 0) return 'out';
  return sellable <= policy.lowAtOrBelow ? 'low' : 'inStock';
}

export type ParsedPolicies =
  | { readonly policies: readonly ChannelPolicy[]; readonly guard?: Guard }
  | { readonly errors: readonly string[] };

/**
 * Reads policies from plain JSON, units as people write them; tells every fault with its path. A list of policies, or
 * `{ "channels": [...], "massZeroGuard": { "percent", "minimum", "minutes" } }`.
 */
export function parsePolicies(plain: unknown): ParsedPolicies {
  const file = Array.isArray(plain) ? { channels: plain } : ((plain ?? {}) as PolicyFile);
  if (!Array.isArray(file.channels)) {
    return {
      errors: ['(top): a list of channel policies is needed, or an object with "channels"'],
    };
  }
  const errors: string[] = [];
  const guard = parseGuard(file.massZeroGuard, errors);
  const policies = file.channels.map((one, index) => parsePolicy(one, `[${index}]`, errors));
  const names = policies.map((policy) => policy.channel);
  for (const name of new Set(names.filter((one, index) => names.indexOf(one) !== index))) {
    errors.push(`channel ${name} is there twice`);
  }
  if (errors.length > 0) return { errors };
  return guard === undefined ? { policies } : { policies, guard };
}

type PolicyFile = { readonly channels?: unknown; readonly massZeroGuard?: unknown };

function parseGuard(plain: unknown, errors: string[]): Guard | undefined {
  if (plain === undefined) return undefined;
  const { percent, minimum, minutes, ...others } = plain as Readonly<Record<string, unknown>>;
  const whole = (value: unknown, name: string, most: number): number => {
    if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most)
      return Number(value);
    errors.push(`massZeroGuard.${name}: a whole number from 1 to ${most}`);
    return 0;
  };
  for (const name of Object.keys(others)) errors.push(`massZeroGuard.${name}: is not known`);
  return {
    percent: whole(percent, 'percent', 100),
    minimum: whole(minimum, 'minimum', 1_000_000),
    windowMs: whole(minutes, 'minutes', 1_440) * 60_000,
  };
}

function parsePolicy(plain: unknown, path: string, errors: string[]): ChannelPolicy {
  const fields = (typeof plain === 'object' && plain !== null ? plain : {}) as Readonly<
    Record<string, unknown>
  >;
  const fault = (field: string, need: string): void =>
    void errors.push(`${path}.${field}: ${need}`);
  const known = new Set([
    'channel',
    'formula',
    'version',
    'locations',
    'buffer',
    'maximum',
    'lowAtOrBelow',
    'pooled',
  ]);
  for (const name of Object.keys(fields)) if (!known.has(name)) fault(name, 'is not known');
  const text = (field: string, pattern: RegExp, need: string): string => {
    const value = fields[field];
    if (typeof value === 'string' && pattern.test(value)) return value;
    fault(field, need);
    return '';
  };
  const units = (value: unknown, field: string): number => {
    const thousandths = typeof value === 'number' ? Math.round(value * 1000) : Number.NaN;
    if (Number.isSafeInteger(thousandths) && thousandths >= 0) return thousandths;
    fault(field, 'units, 0 or more, at most three decimals');
    return 0;
  };
  const version = fields.version;
  if (!Number.isInteger(version) || Number(version) < 1) fault('version', 'a number from 1');
  const pooled = fields.pooled ?? false;
  if (typeof pooled !== 'boolean') fault('pooled', 'true or false');
  return {
    channel: text('channel', /^[a-z][a-z0-9-]*$/, 'lower-case letters, digits and dashes'),
    formula: text('formula', /^.+$/, 'the name of the formula'),
    version: Number(version),
    locations: parseLocations(fields.locations, fault),
    buffer: parseBuffer(fields.buffer, units, fault),
    maximum: fields.maximum === undefined ? null : units(fields.maximum, 'maximum'),
    lowAtOrBelow: units(fields.lowAtOrBelow ?? 0, 'lowAtOrBelow'),
    pooled: pooled === true,
  };
}

function parseLocations(
  plain: unknown,
  fault: (field: string, need: string) => void,
): ChannelPolicy['locations'] {
  if (plain === 'all') return 'all';
  if (Array.isArray(plain) && plain.every((one) => typeof one === 'string')) return plain;
  fault('locations', '"all" or a list of locations');
  return [];
}

function parseBuffer(
  plain: unknown,
  units: (value: unknown, field: string) => number,
  fault: (field: string, need: string) => void,
): ChannelPolicy['buffer'] {
  if (plain === undefined) return { kind: 'absolute', quantity: 0 };
  if (typeof plain === 'number') return { kind: 'absolute', quantity: units(plain, 'buffer') };
  const percent = /^(\d{1,3})%$/.exec(String(plain));
  if (percent !== null && Number(percent[1]) <= 100) {
    return { kind: 'percent', percent: Number(percent[1]) };
  }
  fault('buffer', 'units such as 2, or percent such as "10%"');
  return { kind: 'absolute', quantity: 0 };
}

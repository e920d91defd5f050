/** Channel policies as people write them, in JSON: every fault is told with its path. */
import type { Guard } from './guard.ts';
import type { ChannelPolicy } from './policy.ts';

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
    'minimum',
    'maximum',
    'backOrder',
    'lowAtOrBelow',
    'pooled',
    'whenStale',
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
    minimum: units(fields.minimum ?? 0, 'minimum'),
    maximum: fields.maximum === undefined ? null : units(fields.maximum, 'maximum'),
    backOrder: units(fields.backOrder ?? 0, 'backOrder'),
    lowAtOrBelow: units(fields.lowAtOrBelow ?? 0, 'lowAtOrBelow'),
    pooled: pooled === true,
    whenStale: parseWhenStale(fields.whenStale, units, fault),
  };
}

function parseWhenStale(
  plain: unknown,
  units: (value: unknown, field: string) => number,
  fault: (field: string, need: string) => void,
): ChannelPolicy['whenStale'] {
  if (plain === undefined) return { act: 'last' };
  const { act, afterSeconds, less, ...others } = (plain ?? {}) as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(others)) fault(`whenStale.${name}`, 'is not known');
  if (act === 'last') return { act };
  const isTime = Number.isInteger(afterSeconds) && Number(afterSeconds) >= 2;
  if (!isTime) fault('whenStale.afterSeconds', 'a whole number of seconds from 2');
  const afterMs = Number(afterSeconds) * 1_000;
  if (act === 'hold') return { act, afterMs };
  if (act === 'floor') return { act, afterMs, less: units(less, 'whenStale.less') };
  fault('whenStale.act', 'last, hold or floor');
  return { act: 'last' };
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

import { expect, it } from 'vitest';
import type { ChannelPolicy } from '../../processors/channels/policy.ts';
import { policyChanges } from '../../processors/channels/preview.ts';
import { loadPolicies } from '../../processors/settings/policies.ts';

const [web] = loadPolicies() as [ChannelPolicy];
const plain: ChannelPolicy = {
  ...web,
  locations: 'all',
  buffer: { kind: 'absolute', quantity: 0 },
  minimum: 0,
  maximum: null,
  backOrder: 0,
};
const skus = [
  { sku: 'A', available: { L1: 7_000, L2: 1_000 }, shares: {} },
  { sku: 'B', available: { L1: 2_000 }, shares: { L1: { [plain.channel]: 2_000 } } },
  { sku: 'C', available: { L1: 0 }, shares: {} },
];

it('finds no change in the policies that are in force', () => {
  expect(policyChanges([plain], [plain], skus)).toEqual([]);
});

it('names each SKU whose figure another policy changes, with both figures', () => {
  const careful: ChannelPolicy = { ...plain, buffer: { kind: 'absolute', quantity: 3_000 } };
  expect(policyChanges([careful], [plain], skus)).toEqual([
    { channel: plain.channel, sku: 'A', now: 8_000, next: 5_000 },
    { channel: plain.channel, sku: 'B', now: 2_000, next: 0 },
  ]);
});

it('has no figure of now on a channel that is not there yet', () => {
  const outlet: ChannelPolicy = { ...plain, channel: 'outlet' };
  expect(policyChanges([outlet], [plain], skus)).toEqual([
    { channel: 'outlet', sku: 'A', now: null, next: 8_000 },
    { channel: 'outlet', sku: 'B', now: null, next: 0 },
    { channel: 'outlet', sku: 'C', now: null, next: 0 },
  ]);
});

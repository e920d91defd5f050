/** What is told when a document changes: effects(after) - effects(before). */
import { describe, expect, it } from 'vitest';
import { difference } from '../../processors/intake/effects.ts';
import type { EffectDraft } from '../../processors/intake/mapping.ts';

const context = { document: 'erp|posting|1', position: '1', committedAt: 9 };
const line = (sku: string, netted?: boolean): EffectDraft => ({
  kind: 'event',
  bucket: 'onHand',
  sku,
  location: '15',
  quantity: -1000,
  occurredAt: 5,
  reason: 'sale',
  reference: 'kbkop/1',
  echo: {
    key: '7/1/1',
    role: 'posting',
    rule: 'supersede',
    complete: true,
    ...(netted === undefined ? {} : { netted }),
  },
});
const told = (before: readonly EffectDraft[], after: readonly EffectDraft[]) => {
  const { asserted } = difference([], before, context);
  const found = difference(asserted, after, context).told;
  return found.map(({ sku, effect }) => `${effect.asserted ? '+' : '-'}${sku}`);
};

describe('difference', () => {
  it('a document that grows tells its new lines alone', () => {
    expect(told([line('A'), line('B')], [line('A'), line('B'), line('C')])).toEqual(['+C']);
  });

  it('a line that is taken out of the middle is taken back, and nothing else', () => {
    expect(told([line('A'), line('B'), line('C')], [line('A'), line('C')])).toEqual(['-B']);
  });

  it('lines in another order are the same lines', () => {
    expect(told([line('A'), line('B'), line('A')], [line('A'), line('A'), line('B')])).toEqual([]);
  });

  it('a total that counts as netted from now on is told anew; one that says it does not is the same', () => {
    expect(told([line('A'), line('B')], [line('A', true), line('B')])).toEqual(['-A', '+A']);
    expect(told([line('A')], [line('A', false)])).toEqual([]);
  });
});

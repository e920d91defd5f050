/** A chain of hops against a model that knows what each of them really holds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPassed } from '../../processors/freshness/fence.ts';
import { Hop } from '../../processors/freshness/hop.ts';

type Event =
  | { readonly kind: 'commit' }
  | { readonly kind: 'beat' }
  | { readonly kind: 'work'; readonly hop: number; readonly records: number }
  | { readonly kind: 'ask'; readonly hop: number }
  | { readonly kind: 'say'; readonly hop: number };

const hopNumber = fc.integer({ min: 0, max: 2 });
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.constant<Event>({ kind: 'commit' }),
  fc.constant<Event>({ kind: 'beat' }),
  fc.tuple(hopNumber, fc.nat(3)).map(([hop, records]): Event => ({ kind: 'work', hop, records })),
  hopNumber.map((hop): Event => ({ kind: 'ask', hop })),
  hopNumber.map((hop): Event => ({ kind: 'say', hop })),
);
const events = fc.array(event, { minLength: 80, maxLength: 200 });

describe('L1: a hop never claims to contain what it has not worked off', () => {
  it('whatever is committed, heard, worked and said in whatever order', () => {
    let told = 0;
    fc.assert(
      fc.property(events, (script) => {
        let nowMs = 1_000;
        /** Times of commits, as each topic of the chain has them; the source's log comes first. */
        const logs: number[][] = [[], [], [], []];
        const worked = [0, 0, 0];
        const hops = [new Hop(), new Hop(), new Hop()];
        const fences: ({ atMs: number; end: number } | undefined)[] = [];
        for (const event of script) {
          nowMs += 1;
          if (event.kind === 'commit') logs[0]?.push(nowMs);
          else if (event.kind === 'beat') {
            hops[0]?.hear({ source: 'erp', partition: 0, asOf: nowMs, saidAt: nowMs });
          } else if (event.kind === 'work') {
            const from = logs[event.hop] ?? [];
            const done = worked[event.hop] ?? 0;
            const taken = from.slice(done, done + event.records);
            logs[event.hop + 1]?.push(...taken);
            worked[event.hop] = done + taken.length;
          } else if (event.kind === 'ask') {
            const { hop } = event;
            const end = fences[hop]?.end ?? 0;
            const place = { topic: 'in', partition: 0 };
            const fence = {
              atMs: fences[hop]?.atMs ?? 0,
              ends: [{ ...place, offset: BigInt(end) }],
            };
            const at = [{ ...place, offset: BigInt(worked[hop] ?? 0) }];
            if (fences[hop] !== undefined && isPassed(fence, at)) hops[hop]?.passed(0, fence.atMs);
            fences[hop] = { atMs: nowMs, end: logs[hop]?.length ?? 0 };
          } else {
            const asOf = hops[event.hop]?.asOf('erp', 0);
            if (asOf === undefined) continue;
            told += 1;
            const out = logs[event.hop + 1] ?? [];
            const missing = (logs[0] ?? []).filter((atMs) => atMs <= asOf && !out.includes(atMs));
            expect(missing).toEqual([]);
            hops[event.hop + 1]?.hear({ source: 'erp', partition: 0, asOf, saidAt: nowMs });
          }
        }
      }),
      { numRuns: 500 },
    );
    expect(told).toBeGreaterThan(500);
  });
});

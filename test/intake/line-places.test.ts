import fc from 'fast-check';
import { expect, it } from 'vitest';
import { documentOfLine, forgetLine, noteLine } from '../../processors/intake/line-places.ts';
import type { IntakeState } from '../../processors/intake/state.ts';
import type { StateView } from '../../processors/topology/topology.ts';

function stateInMemory(): StateView<IntakeState> & { readonly size: () => number } {
  const values = new Map<string, IntakeState>();
  return {
    get: (key) => values.get(key),
    put: (key, value) => void values.set(key, value),
    delete: (key) => void values.delete(key),
    size: () => values.size,
  };
}

it('lines are noted and forgotten as by a map, whatever their keys look like', () => {
  const key = fc.oneof(
    fc.nat({ max: 200 }).map(String),
    fc.constantFrom('007', '=1', '-1', '1|2', '9007199254740993', 'A1'),
  );
  const order = fc.tuple(fc.boolean(), key, fc.nat({ max: 9 }).map(String));
  fc.assert(
    fc.property(fc.array(order, { maxLength: 60 }), (orders) => {
      const state = stateInMemory();
      const model = new Map<string, string>();
      for (const [isNote, line, document] of orders) {
        if (isNote) noteLine(state, 't', line, document);
        else forgetLine(state, 't', line);
        if (isNote) model.set(line, document);
        else model.delete(line);
      }
      for (const [, line] of orders) expect(documentOfLine(state, 't', line)).toBe(model.get(line));
      for (const line of model.keys()) forgetLine(state, 't', line);
      expect(state.size()).toBe(0);
    }),
  );
});

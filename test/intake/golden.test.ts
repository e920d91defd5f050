/** Rows of each system mean what connectors/<system>/golden.json says. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadMapping } from '../../connectors/systems.ts';
import { checkGolden } from '../../processors/cli/map/golden.ts';

const systems = readdirSync('connectors', { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('golden.json'))
  .map((file) => file.replace('/golden.json', ''));

describe('golden rows', () => {
  it.each(systems)('of %s mean what they shall', async (system) => {
    const { examples, faults } = checkGolden(await loadMapping(system), false);
    expect(faults).toEqual([]);
    expect(examples).toBeGreaterThan(0);
  });

  it('are told apart when a sign is wrong', async () => {
    const mapping = await loadMapping('erp');
    const documents = mapping.documents.map((document) => ({
      ...document,
      effects: (...given: Parameters<typeof document.effects>) =>
        document.effects(...given).map((effect) => ({ ...effect, quantity: -effect.quantity })),
    }));
    const { faults } = checkGolden({ ...mapping, documents }, false);
    expect(faults.length).toBeGreaterThan(5);
  });
});

/** Each connector captures what its mapping reads, to the column, and leaves the source as it is. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { odooMapping } from '../../connectors/odoo/mapping.ts';
import { osposMapping } from '../../connectors/ospos/mapping.ts';
import { systems } from '../../connectors/systems.ts';
import { columnNames } from '../../processors/cdc/table.ts';
import { capturedTables } from '../../processors/intake/mapping.ts';

const connectorOf = (system: string): Record<string, string> =>
  JSON.parse(readFileSync(`connectors/${system}/connector.json`, 'utf8')) as Record<string, string>;
const listed = (text: string | undefined): readonly string[] => (text ?? '').split(',');

describe.each([...systems, odooMapping, osposMapping])('the connector of $system', (mapping) => {
  const { system, schema } = mapping;
  const config = connectorOf(system);
  const tables = capturedTables(mapping);

  it('captures the tables of the mapping and no other', () => {
    const wanted = tables.map((table) => `${schema}.${table.name}`);
    expect([...listed(config['table.include.list'])].sort()).toEqual([...wanted].sort());
  });

  it('captures the columns that the mapping reads and no other, so that a new column does not leak', () => {
    const wanted = tables.flatMap((table) =>
      Object.entries(table.columns)
        .flatMap(([name, column]) => columnNames(name, column))
        .map((name) => `${schema}.${table.name}.${name}`),
    );
    expect([...listed(config['column.include.list'])].sort()).toEqual([...wanted].sort());
  });

  it('S1: makes nothing in the source by itself', () => {
    expect(config['heartbeat.action.query']).toBeUndefined();
    expect(config['signal.data.collection']).toBeUndefined();
    if (mapping.kind === 'postgresql') {
      expect(config['publication.autocreate.mode']).toBe('disabled');
    }
  });

  it('tells whole source transactions and exact numbers', () => {
    expect(config).toMatchObject({
      'provide.transaction.metadata': 'true',
      'decimal.handling.mode': 'precise',
      'topic.prefix': system,
      'skipped.operations': 'none',
    });
  });
});

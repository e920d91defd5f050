/** What a writer's schema says of a table's columns. */
import { expect, it } from 'vitest';
import { shapeOf } from '../../processors/cdc/shape.ts';

const variable = {
  type: 'record',
  name: 'VariableScaleDecimal',
  namespace: 'io.debezium.data',
  fields: [
    { name: 'scale', type: 'int' },
    { name: 'value', type: 'bytes' },
  ],
  'connect.name': 'io.debezium.data.VariableScaleDecimal',
};
const writer = {
  type: 'record',
  name: 'Envelope',
  fields: [
    {
      name: 'before',
      type: [
        'null',
        {
          type: 'record',
          name: 'Value',
          fields: [
            { name: 'id', type: 'int' },
            { name: 'quantity', type: ['null', variable] },
            { name: 'reserved', type: 'io.debezium.data.VariableScaleDecimal' },
          ],
        },
      ],
    },
    { name: 'after', type: ['null', 'Value'] },
  ],
};

it('reads every column of a kind that the schema describes once and then only names', () => {
  const columns = { id: 'id', quantity: 'quantity', reserved: 'quantity' } as const;
  const shape = shapeOf({ name: 'quant', primaryKey: ['id'], columns }, writer);
  expect(shape.misfit).toBeUndefined();
  const value = { scale: 1, value: Uint8Array.from([25]) };
  expect(shape.columns.map(({ name, parse }) => [name, parse(name === 'id' ? 7 : value)])).toEqual([
    ['id', '7'],
    ['quantity', 2500],
    ['reserved', 2500],
  ]);
});

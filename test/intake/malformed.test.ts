/** A thousand bad inputs of many kinds, each among good ones: no crash, each a dead letter with its reason. */
import { describe, expect, it } from 'vitest';
import { encodeWire } from '../../processors/adapters/avro/codec.ts';
import { foreignType } from '../../processors/adapters/avro/schema-types.ts';
import { intakeTopology } from '../../processors/intake/topology.ts';
import type { DeadLetter } from '../../schemas/types.ts';
import { DebeziumSource, type Write } from '../support/debezium.ts';
import { type RecordItem, runTopology, type ScriptItem } from '../support/topology-driver.ts';
import { cornerShop, cornerShopIntake, order, stocktake, toldBy } from './corner-shop.ts';
import { redrivenTimes } from './played.ts';

const begin = Date.UTC(2026, 4, 20, 8);
/** The driver numbers schemas as they come: first the key's, then the orders'. */
const orderSchemaId = 2;

type Plain = Record<string, unknown>;
type Kind = readonly [name: string, code: string, reason: RegExp, make: (id: number) => RecordItem];

const source = new DebeziumSource('shop', cornerShopIntake as never);

function read(write: Write): RecordItem {
  const [logged] = source.snapshot(
    { committedAt: begin, writes: [write] },
    { kind: 'incremental' },
  );
  if (logged?.item.kind !== 'record') throw new Error('a read is a record');
  return logged.item;
}

const good = (id: number, change: Partial<Write> = {}): RecordItem =>
  read({ table: order, operation: 'r', row: { id, sku: 'A', open: 1000 }, ...change });
const row = (id: number, values: Plain): RecordItem =>
  good(id, { row: { id, sku: 'A', open: 1000, ...values } });
const counted = (id: number, values: Plain): RecordItem =>
  read({
    table: stocktake,
    operation: 'r',
    row: { id, sku: 'A', counted: 1000, day: 20_000, ...values },
  });

function altered(item: RecordItem, alter: (plain: Plain) => void): RecordItem {
  const plain = structuredClone(item.value?.plain) as Plain;
  alter(plain);
  return { ...item, value: { plain, schema: item.value?.schema } };
}

function bytesOf(item: RecordItem): Buffer {
  const { plain, schema } = item.value ?? { plain: undefined };
  return Buffer.from(encodeWire(foreignType(schema), orderSchemaId, plain));
}

function damaged(id: number, damage: (bytes: Buffer) => Uint8Array): RecordItem {
  const item = row(id, { sku: 'damaged' });
  return { ...item, value: { plain: undefined, bytes: damage(bytesOf(item)) } };
}

/** Writes over the length of the text `damaged`, which stands before it. */
function withLength(bytes: Buffer, length: readonly number[]): Uint8Array {
  const at = bytes.indexOf('damaged');
  return Buffer.concat([bytes.subarray(0, at - 1), Buffer.from(length), bytes.subarray(at)]);
}

function withSchema(bytes: Buffer, id: number): Uint8Array {
  bytes.writeInt32BE(id, 1);
  return bytes;
}

function notUtf8(bytes: Buffer): Uint8Array {
  bytes.writeUInt8(0xff, bytes.indexOf('damaged'));
  return bytes;
}

/** A letter's record, as `stockline dlq redrive` sends it. */
function redriven(letter: DeadLetter): RecordItem {
  const topic = cornerShopIntake.inputs.find(({ name }) => name === letter.topic);
  if (topic === undefined) throw new Error(`${letter.topic} is no input`);
  const written = (bytes: Uint8Array | null) =>
    bytes === null ? undefined : { plain: undefined, bytes };
  return {
    kind: 'record',
    topic,
    partition: letter.partition,
    timestampMs: begin,
    key: written(letter.key) ?? { plain: null },
    value: written(letter.value),
    headers: redrivenTimes(letter.redrives + 1),
  };
}

/** Orders without a SKU are of `no name`, and a count below nothing is none. */
const mended = intakeTopology({
  ...cornerShop,
  documents: cornerShop.documents.map((document) => ({
    ...document,
    effects: (...given: Parameters<typeof document.effects>) =>
      document
        .effects(...given)
        .map((one) => (one.sku === '' ? { ...one, sku: 'no name' } : one))
        .filter(({ kind, quantity }) => kind !== 'count' || quantity >= 0),
  })),
});

const end = (id: string, status = 'END'): RecordItem => {
  const logged = source.commit({ committedAt: begin, writes: [] }).at(-1)?.item;
  if (logged?.kind !== 'record') throw new Error('an END is a record');
  return altered(logged, (plain) => Object.assign(plain, { id, status }));
};

const kinds: readonly Kind[] = [
  ['no bytes', 'UNDECODABLE', /wire format/, (id) => damaged(id, () => new Uint8Array())],
  ['three bytes', 'UNDECODABLE', /wire format/, (id) => damaged(id, (b) => b.subarray(0, 3))],
  [
    'a wrong magic byte',
    'UNDECODABLE',
    /wire format/,
    (id) => damaged(id, (b) => Buffer.from([1, ...b.subarray(1)])),
  ],
  [
    'an unknown schema',
    'UNDECODABLE',
    /no schema 9999/,
    (id) => damaged(id, (b) => withSchema(b, 9999)),
  ],
  [
    'the schema of something else',
    'UNDECODABLE',
    /./,
    (id) => damaged(id, (b) => withSchema(b, 1)),
  ],
  [
    'bytes that break off',
    'UNDECODABLE',
    /./,
    (id) => damaged(id, (b) => b.subarray(0, b.length - 9)),
  ],
  [
    'bytes too many',
    'UNDECODABLE',
    /do not fit/,
    (id) => damaged(id, (b) => Buffer.concat([b, Buffer.from([7])])),
  ],
  [
    'a length that would fill the memory',
    'UNDECODABLE',
    /./,
    (id) => damaged(id, (b) => withLength(b, [0xfe, 0xff, 0xff, 0xff, 0x0f])),
  ],
  ['a negative length', 'UNDECODABLE', /./, (id) => damaged(id, (b) => withLength(b, [0x0d]))],
  [
    'bytes that are no UTF-8',
    'CHANGE_UNUSABLE',
    /not valid/,
    (id) => damaged(id, (b) => notUtf8(b)),
  ],
  [
    'an unknown operation',
    'CHANGE_UNUSABLE',
    /operation x/,
    (id) => altered(good(id), (plain) => Object.assign(plain, { op: 'x' })),
  ],
  [
    'no row',
    'CHANGE_UNUSABLE',
    /no row/,
    (id) => altered(good(id), (plain) => Object.assign(plain, { after: null })),
  ],
  [
    'no key',
    'CHANGE_UNUSABLE',
    /part of the key/,
    () => good(0, { row: { id: null, sku: 'A', open: 1 } }),
  ],
  [
    'no place in the log',
    'CHANGE_UNUSABLE',
    /no position/,
    (id) =>
      altered(good(id), (plain) =>
        Object.assign(plain.source as Plain, { lsn: null, snapshot: 'true' }),
      ),
  ],
  [
    'a commit in the year 292 million',
    'CHANGE_UNUSABLE',
    /commit's time/,
    (id) =>
      altered(good(id), (plain) =>
        Object.assign(plain.source as Plain, { ts_ms: 9223372036854775807n }),
      ),
  ],
  [
    'a commit before 1970',
    'CHANGE_UNUSABLE',
    /commit's time/,
    (id) => altered(good(id), (plain) => Object.assign(plain.source as Plain, { ts_ms: -1 })),
  ],
  ['NUL in a code', 'CHANGE_UNUSABLE', /not valid/, (id) => row(id, { sku: 'a\0b' })],
  [
    'a code of 5 MB',
    'CHANGE_UNUSABLE',
    /characters/,
    (id) => row(id, { sku: 'x'.repeat(id % 200 === 0 ? 5_000_000 : 500) }),
  ],
  [
    'a quantity beyond 2^53',
    'CHANGE_UNUSABLE',
    /out of range/,
    (id) =>
      altered(good(id), (plain) =>
        Object.assign(plain.after as Plain, { open: { unscaled: 2n ** 70n, scale: 3 } }),
      ),
  ],
  [
    'a quantity of 38 digits',
    'CHANGE_UNUSABLE',
    /out of range/,
    (id) =>
      altered(good(id), (plain) =>
        Object.assign(plain.after as Plain, { open: { unscaled: -(10n ** 38n), scale: 3 } }),
      ),
  ],
  [
    'an infinite date',
    'CHANGE_UNUSABLE',
    /years 1 to 9999/,
    (id) => counted(id, { day: 2_147_483_647 }),
  ],
  [
    'a date before all years',
    'CHANGE_UNUSABLE',
    /years 1 to 9999/,
    (id) => counted(id, { day: -2_147_483_648 }),
  ],
  [
    'a count below nothing',
    'EFFECT_UNUSABLE',
    /below nothing/,
    (id) => counted(id, { counted: -5000 }),
  ],
  ['no SKU', 'EFFECT_UNUSABLE', /no SKU/, (id) => row(id, { sku: '' })],
  [
    'a row of which the log repeats only a part',
    'ROW_INCOMPLETE',
    /does not repeat/,
    (id) => row(id, { sku: '__debezium_unavailable_value' }),
  ],
  [
    'a dropped column',
    'TABLE_STOPPED',
    /open of ord is gone/,
    (id) => good(id, { written: { id: 'id', sku: 'text' } }),
  ],
  [
    'a retyped column',
    'TABLE_STOPPED',
    /which is no quantity/,
    (id) => good(id, { written: { id: 'id', sku: 'text', open: 'timeOfDay' } }),
  ],
  [
    'floating point where none was',
    'TABLE_STOPPED',
    /which is no quantity/,
    (id) =>
      good(id, {
        row: { id, sku: 'A', open: Number.NaN },
        written: { id: 'id', sku: 'text', open: 'roundedQuantity' },
      }),
  ],
  ['a transaction without a place', 'UNDECODABLE', /no LSN/, () => end('17')],
  ['a transaction with text for a place', 'UNDECODABLE', /no LSN/, () => end("17:'; DROP TABLE")],
];

describe('malformed inputs', () => {
  it('there are many kinds of them', () => {
    expect(kinds.length).toBeGreaterThanOrEqual(25);
  });

  const expected: Kind[] = [];
  const script: ScriptItem[] = [good(1_000_000)];
  for (let at = 0; at < 1000; at += 1) {
    const kind = kinds[at % kinds.length] as Kind;
    expected.push(kind);
    script.push(kind[3](at + 1), good(2_000_000 + at));
  }

  it('D3: each of a thousand is a dead letter with its reason, and the good ones between them count', () => {
    const result = runTopology(cornerShopIntake, script);
    const wrong = result.deadLetters.flatMap(({ code, reason }, at) => {
      const [name, wanted, words] = expected[at] as Kind;
      return code === wanted && words.test(reason) ? [] : [`${name}: ${code} ${reason}`];
    });
    expect(wrong).toEqual([]);
    expect(result.deadLetters).toHaveLength(1000);
    expect(toldBy(result)['level reserved A']).toBe(1_001_000);
  });

  it('D3: all are sent again, byte for byte, after the mapping is mended: what it takes now counts, the rest is back with its reason', () => {
    const before = runTopology(cornerShopIntake, script);
    const again = before.deadLetters.map(redriven);
    const after = runTopology(mended, [...script, ...again]);
    const fits = (code: string): boolean => code === 'EFFECT_UNUSABLE';
    const back = after.deadLetters.filter(({ redrives }) => redrives === 1);
    const wanted = before.deadLetters.filter(({ code }) => !fits(code));
    const seen = ({ code, reason, value }: DeadLetter) => ({ code, reason, value });
    expect(back.map(seen)).toEqual(wanted.map(seen));
    expect(back.length).toBeLessThan(1000);
    const taken = before.deadLetters.filter(({ code }) => fits(code)).length;
    expect(toldBy(after)['level reserved no name']).toBe(1000 * Math.ceil(taken / 2));
  });

  it('a name that is only hostile is a name', () => {
    const names = [
      "'; DROP TABLE stock; --",
      '../../etc/passwd',
      '\u202egnp',
      '__proto__',
      '𓀀',
      '|',
      '$x',
    ];
    const result = runTopology(
      cornerShopIntake,
      names.map((sku, id) => row(3_000_000 + id, { sku })),
    );
    expect(result.deadLetters).toEqual([]);
    expect(Object.keys(toldBy(result)).sort()).toEqual(
      names.map((sku) => `level reserved ${sku}`).sort(),
    );
  });
});

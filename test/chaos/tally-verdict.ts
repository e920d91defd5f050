/** Is what was written exactly what the inputs ask for? Every difference is a sentence; none is the verdict wanted. */
import type { Topic } from '../../processors/topology/topic.ts';
import type { Committed } from './committed-reader.ts';
import { type TallyTopics, tallyPartitions, tell } from './tally.ts';
import { tallyCodecs } from './tally-codecs.ts';

export type Seen = ReadonlyMap<string, readonly Committed[]>;

const codecs = tallyCodecs();
const shown = 3;

/** What a processor without any fault would have written, by `input partition`, in order: `name: step`. */
export type Expected = {
  readonly steps: ReadonlyMap<string, readonly string[]>;
  readonly inputsOf: ReadonlyMap<string, number>;
  readonly refused: number;
  readonly records: number;
};

export function expectedOf(topics: TallyTopics, seen: Seen): Expected {
  const steps = new Map<string, string[]>();
  const states = new Map<string, { readonly inputs: number; readonly sequence: number }>();
  let [refused, records] = [0, 0];
  for (const input of [topics.spoken, topics.written]) {
    const source = input.name.split('.').at(-1);
    for (let partition = 0; partition < tallyPartitions; partition++) {
      const lines: string[] = [];
      for (const { key, value } of seen.get(`${input.name}-${partition}`) ?? []) {
        records += 1;
        const name = `${source} ${textOf(input, 'key', key)}`;
        const told = tell(states.get(name), textOf(input, 'value', value as Buffer));
        if (told.step === undefined) refused += 1;
        else {
          states.set(name, told.seen);
          lines.push(`${name}: ${told.step}`);
        }
      }
      steps.set(`${source} ${partition}`, lines);
    }
  }
  const inputsOf = new Map([...states].map(([name, { inputs }]) => [name, inputs]));
  return { steps, inputsOf, refused, records };
}

/** Faults of one reader's view; `expected` is told by the inputs. */
export function faultsOf(topics: TallyTopics, seen: Seen, expected: Expected): readonly string[] {
  const faults: string[] = [];
  for (const [place, lines] of expected.steps) {
    const [source = '', partition] = place.split(' ');
    const found = (seen.get(`${topics.steps.name}-${partition}`) ?? [])
      .map(({ key, value }) => [textOf(topics.steps, 'key', key), value as Buffer] as const)
      .filter(([name]) => name.startsWith(`${source} `))
      .map(([name, value]) => `${name}: ${textOf(topics.steps, 'value', value)}`);
    faults.push(...sequenceFaults(place, lines, found));
  }
  faults.push(...totalFaults(topics, seen, expected));
  const refused = (seen.get(`${topics.refused.name}-0`) ?? []).length;
  if (refused !== expected.refused) {
    faults.push(`${refused} dead letters, ${expected.refused} expected`);
  }
  return faults;
}

function sequenceFaults(
  place: string,
  expected: readonly string[],
  found: readonly string[],
): readonly string[] {
  const count = (lines: readonly string[]): ReadonlyMap<string, number> => {
    const counts = new Map<string, number>();
    for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
    return counts;
  };
  const there = count(found);
  const wanted = count(expected);
  const lost = expected.filter((line) => !there.has(line));
  const doubled = [...there].filter(([line, times]) => times > 1 && wanted.has(line));
  const wrong = [...there.keys()].filter((line) => !wanted.has(line));
  const faults: string[] = [];
  if (lost.length > 0) faults.push(`${place}: ${lost.length} lost: ${some(lost)}`);
  if (doubled.length > 0) {
    faults.push(`${place}: ${doubled.length} doubled: ${some(doubled.map(([line]) => line))}`);
  }
  if (wrong.length > 0) faults.push(`${place}: ${wrong.length} wrong: ${some(wrong)}`);
  const at = expected.findIndex((line, index) => line !== found[index]);
  if (faults.length === 0 && at >= 0) {
    faults.push(`${place}: out of order at ${at}: ${found[at]} for ${expected[at]}`);
  }
  return faults;
}

/** Each total goes on from where the last one of its name ended, and the last one is right. */
function totalFaults(topics: TallyTopics, seen: Seen, expected: Expected): readonly string[] {
  const faults: string[] = [];
  const reached = new Map<string, number>();
  for (let partition = 0; partition < tallyPartitions; partition++) {
    for (const { key, value } of seen.get(`${topics.totals.name}-${partition}`) ?? []) {
      const name = textOf(topics.totals, 'key', key);
      const [from = -1, to = -1] = textOf(topics.totals, 'value', value as Buffer)
        .split('>')
        .map(Number);
      const before = reached.get(name) ?? 0;
      if (from !== before) faults.push(`total of ${name}: from ${from}, but it was at ${before}`);
      reached.set(name, to);
    }
  }
  for (const [name, inputs] of expected.inputsOf) {
    if (reached.get(name) !== inputs) {
      faults.push(`total of ${name}: ${reached.get(name)}, ${inputs} expected`);
    }
  }
  return faults.slice(0, shown);
}

/** Two readers must have seen the same records at the same offsets. */
export function readersApart(during: Seen, after: Seen): readonly string[] {
  const faults: string[] = [];
  for (const place of new Set([...during.keys(), ...after.keys()])) {
    const one = during.get(place) ?? [];
    const other = after.get(place) ?? [];
    const at = Array.from({ length: Math.max(one.length, other.length) }, (_, index) => index).find(
      (index) => one[index]?.offset !== other[index]?.offset,
    );
    if (at !== undefined) {
      faults.push(
        `${place}: the reader during saw offset ${one[at]?.offset} where the one after saw ${other[at]?.offset}`,
      );
    }
  }
  return faults;
}

function textOf(topic: Topic<string, string>, part: 'key' | 'value', bytes: Buffer): string {
  const untyped = topic as unknown as Topic<never, never>;
  const decoded =
    part === 'key' ? codecs.decodeKey(untyped, bytes) : codecs.decodeValue(untyped, bytes);
  return decoded as string;
}

function some(lines: readonly string[]): string {
  const more = lines.length > shown ? ` and ${lines.length - shown} more` : '';
  return `${lines.slice(0, shown).join('; ')}${more}`;
}

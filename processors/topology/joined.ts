/**
 * Two topologies as one: what the first writes and the second reads is worked off by both in one step, and so in one Kafka
 * transaction. Nobody sees the one without the other, and one reading, one commit and one changelog are saved.
 */
import {
  type Emit,
  type Input,
  type StateCodec,
  type Step,
  type StepState,
  type StreamRecord,
  type Topology,
  timeOf,
} from './topology.ts';

/** The offset of a record that is handed over: none is known before the commit. */
const notWrittenYet = -1n;

/**
 * What is handed over keeps the partition of its input: the first topology must not give it a key of another one. Each
 * record is handed over as it is emitted, before those of one key become one. Keys of the second's state begin with its
 * name and a bar.
 *
 * Throws when the second reads nothing of what the first writes.
 */
export function joined<A, B>(options: {
  readonly name: string;
  /** For values of both. */
  readonly state: StateCodec<A | B>;
  readonly first: Topology<A>;
  readonly second: Topology<B>;
}): Topology<A | B> {
  const { name, state, first, second } = options;
  const read = namesOf(second.inputs);
  const handed = new Set([...namesOf(first.outputs)].filter((topic) => read.has(topic)));
  if (handed.size === 0) {
    throw new Error(`${second.name} reads nothing of what ${first.name} writes`);
  }
  const others = second.inputs.filter((input) => !handed.has(input.name));
  const ticks = [first, second].flatMap(({ tickMs }) => (tickMs === undefined ? [] : [tickMs]));
  const tickMs = Math.min(...ticks);
  return {
    name,
    inputs: distinct([...first.inputs, ...others]),
    state,
    ...(ticks.length === 0 ? {} : { tickMs }),
    step: stepOf(first, { ...second, inputs: others }, handed, tickMs),
    outputs: distinct([...first.outputs, ...second.outputs]),
  };
}

function stepOf<A, B>(
  first: Topology<A>,
  second: Topology<B>,
  handed: ReadonlySet<string>,
  everyMs: number,
): Step<A | B> {
  const isForFirst = addressedTo(first, everyMs);
  const isForSecond = addressedTo(second, everyMs);
  const viewOf = oncePer((state: StepState<A | B>) =>
    viewBeginning<A | B, B>(`${second.name}|`, state),
  );
  return (input, state) => {
    const view = viewOf(state);
    // It knows the keys that are its own.
    const told = isForFirst(input, state) ? first.step(input, state as StepState<A>) : [];
    const forSecond = told.filter((emit): emit is EmittedRecord => isOneOf(emit, handed));
    const ofHanded = recordsOf(forSecond, input).flatMap((record) =>
      second.step({ kind: 'record', record }, view),
    );
    const ofSecond = isForSecond(input, state) ? second.step(input, view) : [];
    return [...told, ...ofHanded, ...ofSecond];
  };
}

/**
 * Records of its inputs; and ticks as often as it asks for them, though they come every `everyMs`. Which tick was the last
 * one is remembered outside of the state: a rollback does not turn back the time.
 */
function addressedTo<S>(
  { inputs, tickMs }: Topology<S>,
  everyMs: number,
): (input: Input, state: object) => boolean {
  const topics = namesOf(inputs);
  const toldOf = oncePer(() => ({ slot: -1 }));
  return (input, state) => {
    if (input.kind === 'record') return topics.has(input.record.topic);
    if (tickMs === undefined || tickMs <= everyMs) return tickMs !== undefined;
    const told = toldOf(state);
    const slot = Math.floor(input.nowMs / tickMs);
    if (slot === told.slot) return false;
    told.slot = slot;
    return true;
  };
}

type EmittedRecord = Extract<Emit, { readonly kind: 'record' }>;

function isOneOf(emit: Emit, topics: ReadonlySet<string>): boolean {
  return emit.kind === 'record' && topics.has(emit.topic.name);
}

/** What was emitted, as whoever reads its topic would have it. */
function recordsOf(emits: readonly EmittedRecord[], input: Input): readonly StreamRecord[] {
  const [partition, headers] =
    input.kind === 'record' ? [input.record.partition, input.record.headers] : [0, []];
  return emits.map((emit, index) => {
    const { topic, key, value } = emit;
    const next = emits[index + 1];
    return {
      ...{ topic: topic.name, partition, offset: notWrittenYet, key, value, headers },
      timestampMs: emit.timestampMs ?? timeOf(input),
      isFollowed: next !== undefined && keyOf(next) === keyOf(emit),
    };
  });
}

function keyOf({ topic, key }: EmittedRecord): string {
  return topic.partitionBy(key as never);
}

/** A state seen through keys that begin so. */
function viewBeginning<Whole, Part extends Whole>(
  beginning: string,
  state: StepState<Whole>,
): StepState<Part> {
  return {
    get: (key) => state.get(beginning + key) as Part | undefined,
    put: (key, value) => state.put(beginning + key, value),
    delete: (key) => state.delete(beginning + key),
    keys: (inner) => state.keys(beginning + inner).map((key) => key.slice(beginning.length)),
  };
}

/** Makes one for each state, of which every partition has its own. */
function oncePer<S extends object, T>(make: (state: S) => T): (state: S) => T {
  const made = new WeakMap<S, T>();
  return (state) => {
    const known = made.get(state);
    if (known !== undefined) return known;
    const one = make(state);
    made.set(state, one);
    return one;
  };
}

function namesOf(topics: readonly { readonly name: string }[]): ReadonlySet<string> {
  return new Set(topics.map(({ name }) => name));
}

function distinct<T extends { readonly name: string }>(topics: readonly T[]): readonly T[] {
  return [...new Map(topics.map((topic) => [topic.name, topic])).values()];
}

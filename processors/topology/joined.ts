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
  return {
    name,
    inputs: distinct([...first.inputs, ...others]),
    state,
    ...(ticks.length === 0 ? {} : { tickMs: Math.min(...ticks) }),
    step: stepOf(first, { ...second, inputs: others }, handed),
    outputs: distinct([...first.outputs, ...second.outputs]),
  };
}

/** What is remembered beside the state of a partition. */
type Partition<B> = {
  readonly view: StepState<B>;
  readonly isForFirst: (input: Input) => boolean;
  readonly isForSecond: (input: Input) => boolean;
};

function stepOf<A, B>(
  first: Topology<A>,
  second: Topology<B>,
  handed: ReadonlySet<string>,
): Step<A | B> {
  const isHanded = (emit: Emit): emit is EmittedRecord =>
    emit.kind === 'record' && handed.has(emit.topic.name);
  /** Every partition has a state of its own. */
  const partitions = new WeakMap<StepState<A | B>, Partition<B>>();
  const begin = (state: StepState<A | B>): Partition<B> => {
    const partition = {
      view: viewBeginning<A | B, B>(`${second.name}|`, state),
      isForFirst: addressedTo(first),
      isForSecond: addressedTo(second),
    };
    partitions.set(state, partition);
    return partition;
  };
  return (input, state) => {
    const { view, isForFirst, isForSecond } = partitions.get(state) ?? begin(state);
    // It knows the keys that are its own.
    const told = isForFirst(input) ? first.step(input, state as StepState<A>) : [];
    const ofHanded = recordsOf(told.filter(isHanded), input).flatMap((record) =>
      second.step({ kind: 'record', record }, view),
    );
    const ofSecond = isForSecond(input) ? second.step(input, view) : [];
    return [...told, ...ofHanded, ...ofSecond];
  };
}

/**
 * Records of its inputs; and of the ticks, which come as often as the other one asks for, as many as it asks for itself.
 * Which was the last one is remembered outside of the state: a rollback does not turn back the time.
 */
function addressedTo<S>({ inputs, tickMs }: Topology<S>): (input: Input) => boolean {
  const topics = namesOf(inputs);
  let lastSlot = -1;
  return (input) => {
    if (input.kind === 'record') return topics.has(input.record.topic);
    if (tickMs === undefined) return false;
    const slot = Math.floor(input.nowMs / tickMs);
    if (slot === lastSlot) return false;
    lastSlot = slot;
    return true;
  };
}

type EmittedRecord = Extract<Emit, { readonly kind: 'record' }>;

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

function namesOf(topics: readonly { readonly name: string }[]): ReadonlySet<string> {
  return new Set(topics.map(({ name }) => name));
}

function distinct<T extends { readonly name: string }>(topics: readonly T[]): readonly T[] {
  return [...new Map(topics.map((topic) => [topic.name, topic])).values()];
}

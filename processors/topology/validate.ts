/** Says what is wrong with a declared topology before anything is started. Pure. */
import type { ForeignTopic, Topic } from './topic.ts';
import { changelogName, type Topology } from './topology.ts';

/** A transaction is open while it gathers: far below the broker's time-out of it. */
const gatherMaxMs = 2_000;

export type AnyInput = Topic<never, never> | ForeignTopic<unknown>;

export function isForeign(topic: AnyInput): topic is ForeignTopic<unknown> {
  return 'foreign' in topic;
}

/** How many partitions, and so how many separate states, a topology has. Foreign topics have one partition. */
export function partitionCount(topology: { readonly inputs: readonly AnyInput[] }): number {
  const own = topology.inputs.find((input) => !isForeign(input));
  return own === undefined || isForeign(own) ? 1 : own.partitions;
}

/** Every fault of the declaration, as sentences; empty when it is right. */
export function topologyFaults<S>(topology: Topology<S>): readonly string[] {
  return [
    ...nameFaults(topology),
    ...inputFaults(topology),
    ...outputFaults(topology),
    ...numberFaults(topology),
  ].map((fault) => `topology ${topology.name}: ${fault}`);
}

/** Throws one error that names every fault. */
export function checkTopology<S>(topology: Topology<S>): void {
  const faults = topologyFaults(topology);
  if (faults.length > 0) throw new Error(faults.join('\n'));
}

function nameFaults<S>(topology: Topology<S>): readonly string[] {
  return /^[a-z][a-z0-9.-]*$/.test(topology.name)
    ? []
    : [
        'its name must be lower-case letters, digits, dots and dashes, since topics are named by it',
      ];
}

function inputFaults<S>(topology: Topology<S>): readonly string[] {
  const faults = repeated(topology.inputs).map((name) => `input ${name} is declared twice`);
  if (topology.inputs.length === 0) faults.push('it has no input');
  if (topology.inputs.some((input) => input.name === changelogName(topology))) {
    faults.push(`its own changelog ${changelogName(topology)} cannot be an input`);
  }
  const count = partitionCount(topology);
  const foreign = topology.inputs.find(isForeign);
  for (const input of topology.inputs) {
    if (isForeign(input)) continue;
    if (foreign !== undefined && input.partitions !== 1) {
      faults.push(
        `input ${input.name} has ${input.partitions} partitions, but ${foreign.name} is another system's topic: ` +
          'all inputs beside it must have one partition',
      );
    } else if (input.partitions !== count) {
      faults.push(
        `input ${input.name} has ${input.partitions} partitions and another input has ${count}: ` +
          'partition p of every input belongs to the same state, so the counts must be equal',
      );
    }
  }
  return faults;
}

function outputFaults<S>(topology: Topology<S>): readonly string[] {
  const faults = repeated(topology.outputs).map((name) => `output ${name} is declared twice`);
  for (const output of topology.outputs) {
    if (output.name === changelogName(topology)) {
      faults.push(`its own changelog ${output.name} cannot be an output: the runtime writes it`);
    }
    if (output.coalesce !== undefined && output.cleanup !== 'compact') {
      faults.push(`output ${output.name} keeps every record, so it cannot coalesce them`);
    }
    const input = topology.inputs.find((one) => one.name === output.name);
    if (input === undefined) continue;
    if (isForeign(input)) faults.push(`output ${output.name} belongs to another system`);
    else if (input.partitions !== output.partitions) {
      faults.push(`${output.name} has ${input.partitions} partitions as input, else as output`);
    }
  }
  return faults;
}

function numberFaults<S>(topology: Topology<S>): readonly string[] {
  const faults: string[] = [];
  const { tickMs, gatherMs, state } = topology;
  if (tickMs !== undefined && !(tickMs >= 1)) faults.push('tickMs must be at least 1');
  if (gatherMs !== undefined && !(gatherMs >= 0 && gatherMs <= gatherMaxMs)) {
    faults.push(`gatherMs must be from 0 to ${gatherMaxMs}`);
  }
  if (!Number.isInteger(state.version) || state.version < 1 || state.version > 255) {
    faults.push('the version of its state must be a whole number from 1 to 255');
  }
  for (const topic of [...topology.inputs, ...topology.outputs]) {
    if (isForeign(topic)) continue;
    if (!Number.isInteger(topic.partitions) || topic.partitions < 1) {
      faults.push(`${topic.name} must have at least one partition`);
    }
    if (topic.retentionMs !== undefined && topic.cleanup === 'compact') {
      faults.push(`${topic.name} is compacted, so it has no retention`);
    }
  }
  return [...new Set(faults)];
}

function repeated(topics: readonly { readonly name: string }[]): string[] {
  const names = topics.map((topic) => topic.name);
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

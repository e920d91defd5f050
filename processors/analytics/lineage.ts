/**
 * Is a topic still the one that was loaded? A recreated topic counts its offsets from 0 again: going on at the old
 * offset would skip its records, so it starts a new lineage and is read from its beginning.
 */
import type { PartitionBounds, PartitionOffset, RecordReader } from './ports.ts';
import type { Lane, Progress } from './progress.ts';

const pollMs = 100;
const pollRecordsMax = 100;

/** Recreated topics, and how that was seen. */
export type Recreated = ReadonlyMap<string, string>;

/** Leaves the reader anywhere: seek afterwards. */
export async function findRecreated(
  reader: RecordReader,
  lanes: readonly Lane[],
  bounds: readonly PartitionBounds[],
  signal: AbortSignal,
): Promise<Recreated> {
  const recreated = new Map<string, string>();
  for (const { topic, partition, next } of lanes) {
    const end = boundsOf(bounds, { topic, partition })?.end ?? next;
    if (end >= next) continue;
    recreated.set(
      topic,
      `partition ${partition} ends at offset ${end}, and ${next} had been reached`,
    );
  }
  const proofs = latestProofs(lanes.filter((lane) => !recreated.has(lane.topic)));
  for (const [place, proof] of proofs) {
    // Too old to be still there.
    if (proof.offset < (boundsOf(bounds, proof)?.first ?? 0n)) proofs.delete(place);
  }
  if (proofs.size === 0) return recreated;
  await reader.seek([...proofs.values()]);
  while (proofs.size > 0 && !signal.aborted) {
    const batch = await reader.poll({ waitMs: pollMs, recordsMax: pollRecordsMax });
    for (const record of batch.records) {
      const proof = proofs.get(placeOfPartition(record));
      proofs.delete(placeOfPartition(record));
      // A later record: the proof was compacted away.
      if (proof?.offset !== record.offset || proof.timestampMs === record.timestampMs) continue;
      recreated.set(
        record.topic,
        `offset ${record.offset} of partition ${record.partition} is another record than the one loaded`,
      );
    }
    for (const end of batch.ends) proofs.delete(placeOfPartition(end));
  }
  return recreated;
}

type Proof = PartitionOffset & { readonly timestampMs: number };

function latestProofs(lanes: readonly Lane[]): Map<string, Proof> {
  const proofs = new Map<string, Proof>();
  for (const { topic, partition, proof } of lanes) {
    const known = proofs.get(placeOfPartition({ topic, partition }));
    if (proof === undefined || (known !== undefined && known.offset >= proof.offset)) continue;
    proofs.set(placeOfPartition({ topic, partition }), { topic, partition, ...proof });
  }
  return proofs;
}

export function boundsOf(
  bounds: readonly PartitionBounds[],
  place: { readonly topic: string; readonly partition: number },
): PartitionBounds | undefined {
  return bounds.find((one) => one.topic === place.topic && one.partition === place.partition);
}

/** Names a partition of a topic. */
export function placeOfPartition(place: {
  readonly topic: string;
  readonly partition: number;
}): string {
  return `${place.topic} ${place.partition}`;
}

/** The lanes of recreated topics begin a new lineage at the topic's beginning; the others stay. Pure. */
export function withNewLineages(progress: Progress, recreated: Recreated): Progress {
  const lanes = progress.lanes.map((lane): Lane => {
    if (!recreated.has(lane.topic)) return lane;
    const lineage = lane.lineage + 1;
    return { ...lane, lineage, next: 0n, unfinished: undefined, proof: undefined };
  });
  return { ...progress, lanes };
}

/**
 * The chain of the audit: each entry holds the hash of the one before it in its partition, so that nobody can change,
 * take out or move an entry without it showing at that place or the next.
 */
import { createHash } from 'node:crypto';
import type { AuditEntry } from '../../schemas/types.ts';

/** An entry without its place in a chain. */
export type AuditFacts = Omit<AuditEntry, 'previousHash' | 'hash'>;

/** What the first entry of a partition has before it: 32 bytes of zero, as hex. */
export const genesis = '00'.repeat(32);

/** Names the form of what is hashed, so that another form can never be taken for this one. */
const form = 'stockline.audit.1';

/** SHA-256, as hex, of the hash before and of every field, as JSON in this order. */
export function chainedHash(previousHash: string, facts: AuditFacts): string {
  const { id, actor, action, subject, reason, reference, occurredAt } = facts;
  const text = JSON.stringify([
    form,
    previousHash,
    id,
    actor,
    action,
    subject,
    reason,
    reference,
    occurredAt,
  ]);
  return createHash('sha256').update(text).digest('hex');
}

/** An entry where it stands; hashes as hex. */
export type PlacedEntry = AuditFacts & {
  readonly partition: number;
  readonly offset: string;
  readonly previousHash: string;
  readonly hash: string;
};

export type AuditFault = {
  readonly partition: number;
  readonly offset: string;
  readonly kind: 'changed' | 'dropped' | 'reordered';
  readonly text: string;
};

/** Where a chain ends: to be kept elsewhere, so that a chain that was cut short is known. */
export type ChainHead = { readonly offset: string; readonly hash: string };

export type AuditVerdict = {
  readonly entries: number;
  readonly faults: readonly AuditFault[];
  /** By partition. */
  readonly heads: Readonly<Record<string, ChainHead>>;
  /** By partition: the first offset that is still kept, where retention has taken those before. */
  readonly beginsAt: Readonly<Record<string, string>>;
};

/**
 * Follows each partition's chain in the order given. A chain whose first entries are gone begins with what is kept:
 * retention does that, so it is told, not held to be a fault. `known`: heads that were told earlier; one that is
 * later than its partition's end means that the end was cut off.
 */
export function verifyChains(
  entries: readonly PlacedEntry[],
  known: Readonly<Record<string, ChainHead>> = {},
): AuditVerdict {
  const byPartition = new Map<string, PlacedEntry[]>();
  for (const entry of entries) {
    const name = String(entry.partition);
    const chain = byPartition.get(name);
    if (chain === undefined) byPartition.set(name, [entry]);
    else chain.push(entry);
  }
  const heads: Record<string, ChainHead> = {};
  const beginsAt: Record<string, string> = {};
  const faults: AuditFault[] = [];
  for (const [name, chain] of byPartition) {
    faults.push(...faultsOf(chain));
    const [first, last] = [chain.at(0) as PlacedEntry, chain.at(-1) as PlacedEntry];
    heads[name] = { offset: last.offset, hash: last.hash };
    if (first.previousHash !== genesis) beginsAt[name] = first.offset;
  }
  for (const [name, head] of Object.entries(known)) {
    faults.push(...cutOff(name, head, byPartition.get(name) ?? []));
  }
  return { entries: entries.length, faults, heads, beginsAt };
}

function faultsOf(chain: readonly PlacedEntry[]): readonly AuditFault[] {
  const faults: AuditFault[] = [];
  const hashes = new Set(chain.map(({ hash }) => hash));
  let before: PlacedEntry | undefined;
  for (const entry of chain) {
    const { partition, offset, previousHash } = entry;
    const place = `partition ${partition}, offset ${offset}`;
    if (chainedHash(previousHash, entry) !== entry.hash) {
      const text = `${place}: the entry is not what its hash says: it was changed`;
      faults.push({ partition, offset, kind: 'changed', text });
    } else if (before !== undefined && previousHash !== before.hash) {
      const isKept = previousHash === genesis || hashes.has(previousHash);
      const what = isKept
        ? 'the entry does not follow the one before it here, but another: it was moved, or an entry was put in'
        : `what stood between it and offset ${before.offset} was dropped or changed`;
      const kind = isKept ? 'reordered' : 'dropped';
      faults.push({ partition, offset, kind, text: `${place}: ${what}` });
    }
    before = entry;
  }
  return faults;
}

function cutOff(
  name: string,
  head: ChainHead,
  chain: readonly PlacedEntry[],
): readonly AuditFault[] {
  const [first, last] = [chain.at(0), chain.at(-1)];
  const isKept = first === undefined || BigInt(head.offset) >= BigInt(first.offset);
  if (!isKept || chain.some(({ hash }) => hash === head.hash)) return [];
  const partition = Number(name);
  const { offset } = head;
  const text = `partition ${name}, offset ${offset}: this entry was there earlier and is gone; the chain ends at ${last?.offset ?? 'nothing'}`;
  return [{ partition, offset, kind: 'dropped', text }];
}

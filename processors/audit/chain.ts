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
};

/**
 * Follows each partition's chain in the order given, from its first entry: the audit is kept for ever. `known`: heads
 * that were told earlier; one that is not in its chain means that the end was cut off, or that all was made anew.
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
  const faults: AuditFault[] = [];
  for (const [name, chain] of byPartition) {
    faults.push(...faultsOf(chain));
    const last = chain.at(-1) as PlacedEntry;
    heads[name] = { offset: last.offset, hash: last.hash };
  }
  for (const [name, head] of Object.entries(known)) {
    faults.push(...cutOff(name, head, byPartition.get(name) ?? []));
  }
  return { entries: entries.length, faults, heads };
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
    } else if (before !== undefined && BigInt(offset) <= BigInt(before.offset)) {
      const text = `${place}: it stands after offset ${before.offset}: it was moved`;
      faults.push({ partition, offset, kind: 'reordered', text });
    } else if (previousHash !== (before?.hash ?? genesis)) {
      const isKept = previousHash === genesis || hashes.has(previousHash);
      const kind = isKept ? 'reordered' : 'dropped';
      faults.push({ partition, offset, kind, text: `${place}: ${breakOf(kind, before)}` });
    }
    before = entry;
  }
  return faults;
}

function breakOf(kind: 'reordered' | 'dropped', before: PlacedEntry | undefined): string {
  if (kind === 'reordered') {
    return 'the entry does not follow the one before it here, but another: it was moved, or an entry was put in';
  }
  return before === undefined
    ? 'this is not the first entry of the chain: those before it were dropped'
    : `what stood between it and offset ${before.offset} was dropped or changed`;
}

function cutOff(
  name: string,
  head: ChainHead,
  chain: readonly PlacedEntry[],
): readonly AuditFault[] {
  if (chain.some(({ hash }) => hash === head.hash)) return [];
  const partition = Number(name);
  const { offset } = head;
  const text = `partition ${name}, offset ${offset}: this entry was there earlier and is gone; the chain ends at ${chain.at(-1)?.offset ?? 'nothing'}`;
  return [{ partition, offset, kind: 'dropped', text }];
}

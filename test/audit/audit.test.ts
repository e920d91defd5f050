/** The audit's chain: written once whatever crashes, and no change, gap or move in it goes unseen. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKey, revokeKey } from '../../processors/api/keys.ts';
import {
  type AuditFacts,
  chainedHash,
  genesis,
  type PlacedEntry,
  verifyChains,
} from '../../processors/audit/chain.ts';
import { auditTopology } from '../../processors/audit/topology.ts';
import {
  apiKeys,
  audit,
  commands,
  decisions,
  guardDecisions,
  proposals,
  requestKey,
} from '../../processors/topics.ts';
import type { Command, Decision, GuardDecision, Proposal } from '../../schemas/types.ts';
import {
  commit,
  crash,
  rebalance,
  record,
  redeliver,
  runTopology,
  type ScriptItem,
} from '../support/topology-driver.ts';

const noon = Date.UTC(2026, 2, 2, 12);

function command(n: number): Command {
  return {
    id: `web|k${n}#0`,
    client: 'web',
    idempotencyKey: `k${n}`,
    kind: 'adjust',
    sku: `S${n % 7}`,
    location: 'L1',
    quantity: 1_000,
    reservation: null,
    channel: null,
    expectedSequence: null,
    changeFromQuantity: null,
    expiresAt: null,
    reason: 'found behind the shelf',
    reference: `doc-${n}`,
    actor: 'maria',
    occurredAt: noon + n,
    policy: 'FillOrKill',
    locations: [],
    toLocation: null,
    bucket: 'onHand',
    echoKey: null,
  } as unknown as Command;
}

function decision(n: number): Decision {
  return {
    commandId: `web|k${n}#0`,
    sku: `S${n % 7}`,
    location: 'L1',
    accepted: n % 2 === 0,
    code: n % 2 === 0 ? '' : 'SHORT',
    reason: n % 2 === 0 ? '' : '1 of 2 is there',
    quantity: 1_000,
    sequence: n,
    decidedAt: noon + n + 1,
    short: 0,
    parts: [],
    reservation: null,
    state: '',
  } as unknown as Decision;
}

const script = (count: number): readonly ScriptItem[] =>
  Array.from({ length: count }, (_, n) => [
    record(commands, `S${n % 7}`, command(n)),
    record(decisions, requestKey('web', `k${n}`), decision(n)),
  ]).flat();

function placed(items: readonly ScriptItem[]): readonly PlacedEntry[] {
  const written = runTopology(auditTopology(), items).records(audit);
  return written.map(({ partition, value }, at) => {
    if (value === undefined) throw new Error('an audit entry without value');
    const { previousHash, hash, ...facts } = value;
    return {
      ...facts,
      partition,
      offset: String(at),
      previousHash: Buffer.from(previousHash).toString('hex'),
      hash: Buffer.from(hash).toString('hex'),
    };
  });
}

/** A chain of one partition. */
function chain(count: number): readonly PlacedEntry[] {
  let previousHash = genesis;
  return Array.from({ length: count }, (_, at) => {
    const facts: AuditFacts = {
      id: `e${at}`,
      actor: 'maria',
      action: 'adjust',
      subject: `S${at} at L1`,
      reason: 'found',
      reference: '',
      occurredAt: noon + at,
    };
    const hash = chainedHash(previousHash, facts);
    const entry = { ...facts, partition: 0, offset: String(10 * at), previousHash, hash };
    previousHash = hash;
    return entry;
  });
}

const placeAt = (at: number) => String(10 * at);

describe('audit', () => {
  it('A1: what became of a proposal is an entry, with who and why; one that waits is none', () => {
    const waiting: Proposal = {
      id: 'S1|L1|2026-03-02',
      sku: 'S1',
      location: 'L1',
      state: 'proposed',
      madeAt: noon,
      onHand: 1_000,
      available: 1_000,
      incoming: 0,
      dailyDemand: 2_000,
      leadTimeDays: 7,
      leadTimeDeviationDays: 2,
      reviewDays: 1,
      serviceLevel: 0.95,
      stockOutAt: null,
      stockOutProbability: 0.9,
      reorderPoint: 20_000,
      orderUpTo: 48_000,
      quantity: 12_000,
      decidedBy: '',
      reason: 'little is left',
    };
    const approved: Proposal = {
      ...waiting,
      state: 'approved',
      decidedBy: 'tom',
      reason: 'season',
    };
    const key = { sku: 'S1', location: 'L1' };
    const found = placed([
      record(proposals, key, waiting),
      record(proposals, key, approved),
      commit,
    ]);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      id: 'S1|L1|2026-03-02 approved',
      actor: 'tom',
      action: 'approved',
      subject: 'S1 at L1',
      reason: 'season',
      reference: '12 units',
    });
  });

  it('A1: a decision about what the mass-zero guard keeps is an entry in each partition', () => {
    const decision: GuardDecision = {
      location: 'L1',
      verdict: 'approved',
      actor: 'maria',
      reason: 'the shop has closed',
      at: noon,
    };
    const found = placed([
      ...[0, 1, 2, 3].map((partition) => record(guardDecisions, 'L1', decision, { partition })),
      commit,
    ]);
    expect(found.map(({ partition }) => partition).sort()).toEqual([0, 1, 2, 3]);
    expect(verifyChains(found).faults).toEqual([]);
    expect(found[0]).toMatchObject({ actor: 'maria', action: 'approved' });
  });

  it('A1: each command and each decision is one entry, who and why included, whatever crashes', () => {
    const plain = placed([...script(40), commit]);
    expect(plain).toHaveLength(80);
    expect(verifyChains(plain)).toMatchObject({ entries: 80, faults: [] });
    expect(plain.find(({ id }) => id === 'web|k3#0 asked')).toMatchObject({
      actor: 'maria',
      action: 'adjust',
      subject: 'S3 at L1',
      reason: 'found behind the shelf',
      reference: 'doc-3',
      occurredAt: noon + 3,
    });
    expect(plain.find(({ id }) => id === 'web|k3#0 decided')).toMatchObject({
      actor: 'stock',
      action: 'refuse',
      reason: 'SHORT: 1 of 2 is there',
    });
    const faults = fc.constantFrom<ScriptItem>(commit, crash, redeliver, rebalance(1));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(80), faults), { maxLength: 20 }), (places) => {
        const items = [...script(40)];
        for (const [at, fault] of places) items.splice(at, 0, fault);
        const found = placed([...items, commit]);
        expect(verifyChains(found).faults).toEqual([]);
        expect(found.map(({ id }) => id).sort()).toEqual(plain.map(({ id }) => id).sort());
      }),
      { numRuns: 50 },
    );
  });

  it('A1: a changed field is named at its place', () => {
    const whole = chain(12);
    const changes: readonly Partial<PlacedEntry>[] = [
      { actor: 'mario' },
      { action: 'count' },
      { subject: 'S1 at L2' },
      { reason: 'Found' },
      { reference: ' ' },
      { occurredAt: noon - 1 },
      { id: 'e' },
      { hash: 'a'.repeat(64) },
      { previousHash: 'b'.repeat(64) },
    ];
    for (let at = 0; at < whole.length; at += 1) {
      for (const change of changes) {
        const entries = whole.map((entry, place) =>
          place === at ? { ...entry, ...change } : entry,
        );
        const [first] = verifyChains(entries).faults;
        expect(first).toMatchObject({ partition: 0, offset: placeAt(at), kind: 'changed' });
      }
    }
  });

  it('A1: a reason that was added to, its hash made anew or not, is named there or at the next entry', () => {
    const whole = chain(12);
    fc.assert(
      fc.property(fc.nat(10), fc.string({ minLength: 1 }), fc.boolean(), (at, text, isRehashed) => {
        const entries = whole.map((entry, place) => {
          if (place !== at) return entry;
          const changed = { ...entry, reason: `${entry.reason}${text}` };
          return isRehashed
            ? { ...changed, hash: chainedHash(changed.previousHash, changed) }
            : changed;
        });
        const [first] = verifyChains(entries).faults;
        expect(first?.offset).toBe(placeAt(isRehashed ? at + 1 : at));
      }),
    );
  });

  it('A1: entries that were dropped are named by the one after them', () => {
    const whole = chain(12);
    for (let at = 1; at < 11; at += 1) {
      const { faults } = verifyChains(whole.toSpliced(at, 1));
      expect(faults).toMatchObject([{ offset: placeAt(at + 1), kind: 'dropped' }]);
    }
  });

  it('A1: entries that were moved are named', () => {
    const whole = chain(12);
    fc.assert(
      fc.property(fc.nat(11), fc.nat(11), (from, to) => {
        fc.pre(from !== to);
        const moved = whole.toSpliced(from, 1).toSpliced(to, 0, whole[from] as PlacedEntry);
        const { faults } = verifyChains(moved);
        expect(faults.length).toBeGreaterThan(0);
        expect(faults.every(({ kind }) => kind === 'reordered')).toBe(true);
      }),
    );
  });

  it('A1: an entry that was put in is named', () => {
    const whole = chain(5);
    const facts = { ...(whole[2] as PlacedEntry), id: 'forged' };
    const forged = { ...facts, hash: chainedHash(facts.previousHash, facts) };
    expect(verifyChains(whole.toSpliced(3, 0, forged)).faults[0]?.offset).toBe(placeAt(2));
  });

  it('A1: an end that was cut off is named by the heads of an earlier look', () => {
    const whole = chain(12);
    const { heads } = verifyChains(whole);
    expect(verifyChains(whole.slice(0, 9)).faults).toEqual([]);
    expect(verifyChains(whole.slice(0, 9), heads).faults).toMatchObject([
      { partition: 0, offset: placeAt(11), kind: 'dropped' },
    ]);
    expect(verifyChains([], heads).faults).toMatchObject([{ kind: 'dropped' }]);
    expect(verifyChains([...whole], heads).faults).toEqual([]);
  });

  it('A1: a first entry that was dropped is named by the one after it', () => {
    expect(verifyChains(chain(12).slice(1)).faults).toMatchObject([
      { partition: 0, offset: placeAt(1), kind: 'dropped' },
    ]);
  });

  it('A1: a chain that was made anew from its first entry is named by the heads of an earlier look', () => {
    const { heads } = verifyChains(chain(12));
    let previousHash = genesis;
    const anew = chain(12).map((entry) => {
      const facts = { ...entry, reason: 'lost' };
      const hash = chainedHash(previousHash, facts);
      const made = { ...facts, previousHash, hash };
      previousHash = hash;
      return made;
    });
    expect(verifyChains(anew).faults).toEqual([]);
    expect(verifyChains(anew, heads).faults).toMatchObject([{ kind: 'dropped' }]);
  });

  it('A1: what was done to a key of the API is an entry, with who and why and without its secret', () => {
    const by = { actor: 'maria', reason: 'for the shop', atMs: noon };
    const of = { name: 'shop', scopes: ['stock:read'], requestsPerMinute: null };
    const { key, token } = createKey(of, by);
    const found = placed([
      record(apiKeys, key.id, key),
      record(apiKeys, key.id, revokeKey(key, { ...by, reason: 'leaked', atMs: noon + 1 })),
      commit,
    ]);
    expect(found).toMatchObject([
      { actor: 'maria', action: 'key created', reason: 'for the shop', reference: 'stock:read' },
      { actor: 'maria', action: 'key revoked', reason: 'leaked' },
    ]);
    const secret = token.split('_').slice(2).join('_');
    const hash = Buffer.from(key.secrets[0]?.hash ?? []).toString('hex');
    const text = JSON.stringify(found);
    expect([secret, hash].some((one) => text.includes(one))).toBe(false);
  });
});

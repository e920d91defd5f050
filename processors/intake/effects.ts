/** effects(after) - effects(before): what has to be told to stock when a document changes. */
import type { Effect } from '../../schemas/types.ts';
import { hashText } from '../domain/hash.ts';
import type { EffectDraft } from './mapping.ts';
import type { AssertedEffect, Standing } from './state.ts';

/** One effect with the SKU that it concerns. */
export type ToldEffect = { readonly sku: string; readonly effect: Effect };

export type Difference = {
  readonly told: readonly ToldEffect[];
  readonly asserted: readonly AssertedEffect[];
  /** Those of `asserted` that were not there before; they are the last ones told. */
  readonly fresh: readonly AssertedEffect[];
  /** Those that were asserted and are no longer. */
  readonly gone: readonly AssertedEffect[];
  /** The oldest business time among what is told now; undefined when nothing is dated. */
  readonly oldestAt: number | undefined;
};

export type DifferenceContext = {
  /** Names the document across systems, for ids. */
  readonly document: string;
  readonly position: string;
  readonly committedAt: number;
  /** Where the initial snapshot stands, when rows of it are told: only they open cells. */
  readonly opening?: Standing;
  /** Events older than this are told as of `at`: a person lets in what was too late. */
  readonly adjustment?: { readonly olderThan: number; readonly at: number };
  /** Why the past is told anew; given as the reason. */
  readonly restatement?: string;
};

/** A business time this much after its commit is wrong. */
const clockSkewMs = 300_000;

type Part = (draft: EffectDraft) => string | number | boolean | undefined;

const sku: Part = (draft) => draft.sku;
const location: Part = (draft) => draft.location;
const bucket: Part = (draft) => draft.bucket;

const dated: readonly Part[] = [
  sku,
  bucket,
  location,
  ({ quantity }) => quantity,
  ({ occurredAt }) => occurredAt,
  ({ reason }) => reason,
  ({ echo }) => echo?.key,
  ({ echo }) => echo?.role,
  ({ echo }) => echo?.complete,
  ({ echo }) => echo?.netted === true,
];

/** What makes two effects the same thing; a level is its cell and bucket alone, its quantity is a current value. */
const identities = {
  booking: [({ booking }) => booking?.order, ({ booking }) => booking?.line, sku],
  level: [bucket, sku, location, ({ expectedAt }) => expectedAt],
  opening: [sku, location],
  event: dated,
  count: dated,
} satisfies Readonly<Record<EffectDraft['kind'] | 'booking', readonly Part[]>>;

const identityKind = ({ kind, booking }: EffectDraft): keyof typeof identities =>
  booking === undefined ? kind : 'booking';

function identity(draft: EffectDraft): string {
  const kind = identityKind(draft);
  let text: string = kind;
  for (const part of identities[kind]) text += `|${part(draft) ?? ''}`;
  return text;
}

/** `identity(one) === identity(other)`, without the texts. */
export function isSame(one: EffectDraft, other: EffectDraft): boolean {
  const kind = identityKind(one);
  if (kind !== identityKind(other)) return false;
  for (const part of identities[kind]) if (part(one) !== part(other)) return false;
  return true;
}

/** Levels of one cell and bucket become one; effects of nothing are left out. */
export function normalized(drafts: readonly EffectDraft[]): readonly EffectDraft[] {
  const kept: EffectDraft[] = [];
  let levels: Map<string, EffectDraft> | undefined;
  for (const draft of drafts) {
    if (draft.kind !== 'level' || draft.booking !== undefined) {
      const isToldAtZero = draft.kind === 'count' || draft.booking !== undefined;
      if (draft.quantity !== 0 || isToldAtZero) kept.push(draft);
      continue;
    }
    levels ??= new Map();
    const name = identity(draft);
    const quantity = (levels.get(name)?.quantity ?? 0) + draft.quantity;
    levels.set(name, { ...draft, quantity });
  }
  for (const level of levels?.values() ?? []) if (level.quantity !== 0) kept.push(level);
  return kept;
}

/**
 * Compares what has been asserted with what holds now, as multisets. An effect that stays keeps the position that
 * stated it first.
 */
export function difference(
  asserted: readonly AssertedEffect[],
  drafts: readonly EffectDraft[],
  context: DifferenceContext,
): Difference {
  // A document that grows line by line repeats what it said, in the same order: only what follows has to be looked for.
  let repeated = 0;
  while (isRepeatedAt(repeated, asserted, drafts)) repeated += 1;
  const before = new Map<string, AssertedEffect[]>();
  for (const effect of asserted.slice(repeated)) {
    const name = identity(effect);
    const same = before.get(name);
    if (same === undefined) before.set(name, [effect]);
    else same.push(effect);
  }
  const kept: AssertedEffect[] = [];
  const told: ToldEffect[] = [];
  let oldestAt: number | undefined;
  let idStart: string | undefined;
  const tell = (effect: AssertedEffect, quantity: number, isAsserted: boolean): void => {
    if (effect.kind === 'event' || effect.kind === 'count') {
      oldestAt = Math.min(oldestAt ?? effect.toldAt, effect.toldAt);
    }
    idStart ??= hashText(`${context.document}|${context.position}`);
    const id = `${idStart}-${told.length}${isAsserted ? '+' : '-'}`;
    told.push(tellEffect(id, effect, quantity, isAsserted, context));
  };
  const drafted: EffectDraft[] = [];
  for (const [place, draft] of drafts.entries()) {
    // Most documents are told once: then there is nothing to compare with.
    const known =
      place < repeated
        ? asserted[place]
        : before.size === 0
          ? undefined
          : before.get(identity(draft))?.shift();
    if (known === undefined) drafted.push(draft);
    else if (isMoved(known, draft, context)) {
      const { quantity, location, booking } = draft;
      const changed = {
        ...known,
        quantity,
        location,
        ...(booking === undefined ? {} : { booking }),
      };
      tell(changed, draft.quantity - known.quantity, true);
      kept.push(changed);
    } else kept.push(known);
  }
  const gone: AssertedEffect[] = [];
  for (const same of before.values()) {
    for (const effect of same) {
      // An opening stands for good: later changes of the balance are movements of their own.
      if (effect.kind === 'opening' && context.opening === undefined) kept.push(effect);
      else {
        gone.push(effect);
        tell(effect, effect.kind === 'count' ? effect.quantity : -effect.quantity, false);
      }
    }
  }
  const fresh: AssertedEffect[] = [];
  for (const draft of drafted) {
    if (draft.kind === 'opening' && context.opening === undefined) continue;
    const effect = stated(draft, context);
    fresh.push(effect);
    tell(effect, effect.quantity, true);
  }
  return { told, asserted: kept.length === 0 ? fresh : [...kept, ...fresh], fresh, gone, oldestAt };
}

function isRepeatedAt(
  place: number,
  asserted: readonly AssertedEffect[],
  drafts: readonly EffectDraft[],
): boolean {
  const known = asserted[place];
  const draft = drafts[place];
  return known !== undefined && draft !== undefined && isSame(known, draft);
}

/** A level or a booking that has another value, or an opening that is read again by a snapshot that began anew. */
function isMoved(known: AssertedEffect, draft: EffectDraft, context: DifferenceContext): boolean {
  if (draft.booking !== undefined) {
    const { quantity, open } = draft.booking;
    const isSame = quantity === known.booking?.quantity && open === known.booking.open;
    return !isSame || draft.location !== known.location;
  }
  if (draft.quantity === known.quantity) return false;
  return draft.kind === 'level' || (draft.kind === 'opening' && context.opening !== undefined);
}

/** A movement dated too far after its commit is told as of the commit. */
function stated(draft: EffectDraft, context: DifferenceContext): AssertedEffect {
  if (draft.kind === 'opening' && context.opening !== undefined) {
    return { ...draft, order: context.opening.position, toldAt: context.opening.committedAt };
  }
  const isWrong = draft.kind === 'event' && draft.occurredAt > context.committedAt + clockSkewMs;
  return {
    ...draft,
    order: context.position,
    toldAt:
      isWrong || draft.kind === 'level'
        ? context.committedAt
        : adjusted(draft.kind, draft.occurredAt, context),
  };
}

function adjusted(
  kind: EffectDraft['kind'],
  at: number,
  { adjustment }: DifferenceContext,
): number {
  const isLate = kind === 'event' && adjustment !== undefined && at < adjustment.olderThan;
  return isLate ? adjustment.at : at;
}

function tellEffect(
  id: string,
  stated: AssertedEffect,
  quantity: number,
  asserted: boolean,
  context: DifferenceContext,
): ToldEffect {
  return {
    sku: stated.sku,
    effect: {
      id,
      kind: stated.kind,
      asserted,
      bucket: stated.bucket,
      location: stated.location,
      quantity,
      // A level moves when it changes, an event comes and goes at its own time.
      occurredAt:
        stated.kind === 'level'
          ? context.committedAt
          : adjusted(stated.kind, stated.toldAt, context),
      order: stated.kind === 'level' ? context.position : stated.order,
      reason: context.restatement ?? stated.reason,
      reference: stated.reference,
      echo: stated.echo === undefined ? null : { netted: false, ...stated.echo, contained: false },
      expectedAt: stated.expectedAt ?? null,
      booking: stated.booking ?? null,
    },
  };
}

/** Those that another system tells too, told as what the opening balance contains already. */
export function containedEchoes(told: readonly ToldEffect[]): readonly ToldEffect[] {
  return told.flatMap(({ sku, effect }) =>
    effect.echo === null
      ? []
      : [{ sku, effect: { ...effect, echo: { ...effect.echo, contained: true } } }],
  );
}

/** Those that a count which is told later may have to be followed by, or that bound what is told later. */
export function containedPast(
  told: readonly ToldEffect[],
  notBefore: number,
): readonly ToldEffect[] {
  return told.filter(
    ({ effect: { kind, bucket, echo, occurredAt } }) =>
      (kind === 'event' || kind === 'count') &&
      bucket === 'onHand' &&
      echo === null &&
      occurredAt >= notBefore,
  );
}

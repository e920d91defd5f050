/** What a retailer does next: things that are due, else by chance what fits the hour. */
import { type Phase, scheduledMoment } from './business-clock.ts';
import { announceReturn, bookReturn, forgetOldReturns, judgeReturn } from './customer-returns.ts';
import { dayOf } from './local-time.ts';
import { continueNewArticle, newProduct } from './new-articles.ts';
import {
  beginCount,
  continueCount,
  correctFinalCount,
  deleteFinalCount,
  finishCount,
  forgetOldCounts,
} from './physical-counts.ts';
import { cancelPurchase, createPurchase, receiveGoods } from './purchase-orders.ts';
import { chance, cumulate, pickIndex } from './random.ts';
import type { Retailer } from './retailer.ts';
import { cancelOrder, changeOrder, createOrder, shipOrder } from './sales-orders.ts';
import { foldLedger } from './stock-ledger.ts';
import {
  changeMove,
  correctStock,
  deleteMove,
  rebuildBalances,
  scrap,
  writeProtocol,
} from './stock-moves.ts';
import {
  correctLine,
  deleteReceipt,
  deleteRepeat,
  housekeeping,
  voidLine,
  voidReceipt,
} from './till-corrections.ts';
import { beginPosting, continuePosting } from './till-postings.ts';
import { lateUpload, repeatUpload, sale } from './tills.ts';
import type { Limits, PlannedTransaction } from './transaction.ts';
import { cancelTransfer, planTransfer, receiveTransfer, shipTransfer } from './transfers.ts';

/** What comes from outside the retailer's memory; with the same moments the same plan results. */
export type Moment = { readonly nowMs: number; readonly isNow: boolean; readonly rowsMax: number };

type Planner = (retailer: Retailer, limits: Limits) => PlannedTransaction | null;
type Weighted = readonly (readonly [number, Planner])[];

const dayMs = 86_400_000;
/** Nothing dated earlier than this is ever counted or corrected any more. */
const settledAfterMs = 6 * dayMs;
/** How often a cell's memory is folded, in transactions. */
const foldEvery = 20_000;

const office: Weighted = [
  [6, createOrder],
  [3, changeOrder],
  [6, shipOrder],
  [0.7, cancelOrder],
  [2, createPurchase],
  [3, receiveGoods],
  [0.2, cancelPurchase],
  [2, planTransfer],
  [2, shipTransfer],
  [2.2, receiveTransfer],
  [0.2, cancelTransfer],
  [1.5, scrap],
  [2, correctStock],
  [0.6, deleteMove],
  [0.8, changeMove],
  [1, announceReturn],
  [1, bookReturn],
  [0.3, judgeReturn],
  [1, writeProtocol],
];

const counting: Weighted = [
  [2, beginCount],
  [1.5, continueCount],
  [2, finishCount],
  [0.4, correctFinalCount],
  [0.2, deleteFinalCount],
];

const tills: Weighted = [
  [60, sale],
  [2, voidLine],
  [1.2, voidReceipt],
  [2, correctLine],
  [1, deleteReceipt],
  [0.6, deleteRepeat],
];

const nightly: Weighted = [
  [1, housekeeping],
  [0.1, rebuildBalances],
  [6, createOrder],
  [1, cancelOrder],
  [4, writeProtocol],
  [1, finishCount],
];

const byPhase: Readonly<Record<Phase, Weighted>> = {
  night: [
    [6, createOrder],
    [1, changeOrder],
    [1, writeProtocol],
  ],
  morning: [...office, [4, receiveGoods], [4, receiveTransfer], [5, sale]],
  open: [...tills, ...office, ...counting, [0.15, newProduct]],
  evening: nightly,
};
const cumulatedByPhase = mapPhases((weighted) => cumulate(weighted.map(([weight]) => weight)));
const onlyAfterHistory: ReadonlySet<Planner> = new Set([
  ...counting.map(([, planner]) => planner),
  newProduct,
  housekeeping,
]);

function mapPhases<Result>(map: (weighted: Weighted) => Result): Record<Phase, Result> {
  return {
    night: map(byPhase.night),
    morning: map(byPhase.morning),
    open: map(byPhase.open),
    evening: map(byPhase.evening),
  };
}

/** Plans the next transaction: the retailer's memory is as if it were committed already. */
export function planNext(retailer: Retailer, moment: Moment): PlannedTransaction {
  const { dayIndex, phase } = scheduledMoment(retailer.schedule, retailer.scheduled);
  retailer.planned += 1;
  retailer.scheduled += 1;
  turnClock(retailer, moment);
  if (retailer.planned % foldEvery === 0) foldOldHistory(retailer);
  if (phase === 'evening') beginPosting(retailer, dayIndex);
  const limits = { rowsMax: moment.rowsMax };
  return planDue(retailer, limits) ?? planByChance(retailer, phase, limits);
}

/** Completes what is half done, one transaction at a time; null when nothing is. */
export function planSettling(retailer: Retailer, moment: Moment): PlannedTransaction | null {
  turnClock(retailer, moment);
  const limits = { rowsMax: moment.rowsMax };
  const isPosting = retailer.posting?.current != null;
  const planned =
    continueNewArticle(retailer, Number.POSITIVE_INFINITY) ??
    (isPosting ? continuePosting(retailer, limits) : null);
  if (planned !== null) retailer.planned += 1;
  return planned;
}

function turnClock(retailer: Retailer, moment: Moment): void {
  retailer.nowMs = moment.nowMs;
  retailer.isNow = moment.isNow;
  const today = dayOf(moment.nowMs);
  if (today === retailer.today) return;
  retailer.today = today;
  forgetOldCounts(retailer);
  forgetOldReturns(retailer);
}

function planDue(retailer: Retailer, limits: Limits): PlannedTransaction | null {
  return (
    continueNewArticle(retailer, retailer.scheduled) ??
    lateUpload(retailer, limits) ??
    repeatUpload(retailer) ??
    (retailer.posting !== null && chance(retailer.random, 0.45)
      ? continuePosting(retailer, limits)
      : null)
  );
}

function planByChance(retailer: Retailer, phase: Phase, limits: Limits): PlannedTransaction {
  const isHistory = retailer.scheduled <= retailer.schedule.historyTransactions;
  for (let attempt = 0; attempt < 20; attempt++) {
    const index = pickIndex(retailer.random, cumulatedByPhase[phase]);
    const planner = byPhase[phase][index]?.[1];
    if (planner === undefined || (isHistory && onlyAfterHistory.has(planner))) continue;
    const planned = planner(retailer, limits);
    if (planned !== null) return planned;
  }
  return writeProtocol(retailer);
}

function foldOldHistory(retailer: Retailer): void {
  const openCounts = retailer.counts
    .filter((count) => !count.final)
    .flatMap((count) => count.lines.map((line) => line.atMs));
  const beforeMs = Math.min(retailer.nowMs - settledAfterMs, ...openCounts);
  for (const cell of retailer.cells.values()) foldLedger(cell.ledger, beforeMs);
}

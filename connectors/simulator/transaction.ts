/** One planned source transaction: the SQL, what it must wait for, and how to see afterwards whether it was committed. */
import { type Day, dayText, endOfDayMs, localText } from './local-time.ts';
import { cellAt, nextNumber, type Retailer } from './retailer.ts';
import { recordMovement } from './stock-ledger.ts';

export type PlannedTransaction = {
  readonly system: 'erp' | 'pos';
  readonly kind: string;
  /** Transactions with a key in common are executed in the order they were planned in. */
  readonly keys: readonly string[];
  readonly statements: readonly string[];
  readonly rows: number;
  readonly probe: Probe | null;
};

/** After a crash: the transaction was committed exactly if the query finds a row or none. Null: it may be repeated. */
export type Probe = { readonly sql: string; readonly committedWhen: 'found' | 'absent' };

/** How large a transaction may be; smaller when a rate is kept. */
export type Limits = { readonly rowsMax: number };

export type BookingKind =
  | 'ANF'
  | 'WE'
  | 'WA'
  | 'UMA'
  | 'UME'
  | 'SCH'
  | 'KOR'
  | 'RET'
  | 'INV'
  | 'KAS';

export type ErpDraft = {
  readonly kind: string;
  readonly keys: Set<string>;
  readonly statements: string[];
  rows: number;
  readonly moves: string[];
  readonly balances: Map<
    string,
    { readonly artnr: string; readonly lagnr: number; menge: number; gesperrt: number }
  >;
  probe: Probe | null;
};

export type Move = {
  readonly artnr: string;
  readonly lagnr: number;
  readonly bewart: BookingKind;
  readonly menge: number;
  readonly budat: Day;
  readonly belnr: string | null;
  readonly belpos: number | null;
};

const clerks = ['MUELLER', 'SCHMIDT', 'YILMAZ', 'NOWAK', 'BATCH'] as const;

export function draftErp(kind: string): ErpDraft {
  return {
    kind,
    keys: new Set(),
    statements: [],
    rows: 0,
    moves: [],
    balances: new Map(),
    probe: null,
  };
}

export function addStatement(draft: ErpDraft, rows: number, sql: string): void {
  draft.statements.push(sql);
  draft.rows += rows;
}

/** Books a move: the row, the balance, and what it means for the stock that is really there. Returns its number. */
export function addMove(retailer: Retailer, draft: ErpDraft, move: Move): number {
  const bewnr = nextNumber(retailer, 'bewnr');
  const belnr = move.belnr === null ? 'NULL' : quoted(move.belnr);
  const clerk = clerks[bewnr % clerks.length] ?? 'BATCH';
  draft.moves.push(
    `(${bewnr},${quoted(move.artnr)},${move.lagnr},'${move.bewart}',${decimal(move.menge)},` +
      `'${dayText(move.budat)}',${belnr},${move.belpos ?? 'NULL'},'${clerk}')`,
  );
  draft.probe ??= {
    sql: `SELECT 1 FROM lagbew WHERE bewnr = ${bewnr}`,
    committedWhen: 'found',
  };
  changeBalance(retailer, draft, move.artnr, move.lagnr, { menge: move.menge, gesperrt: 0 });
  if (move.bewart !== 'INV' && move.bewart !== 'KAS') recordErpMove(retailer, move);
  return bewnr;
}

/** A move of the ERP counts at the end of its day. */
export function recordErpMove(
  retailer: Retailer,
  move: Pick<Move, 'artnr' | 'lagnr' | 'menge' | 'budat'>,
): void {
  const cell = cellAt(retailer, move.artnr, move.lagnr);
  cell.lastMoveDay = Math.max(cell.lastMoveDay, move.budat);
  recordMovement(cell.ledger, endOfDayMs(move.budat), move.menge);
}

export function changeBalance(
  retailer: Retailer,
  draft: ErpDraft,
  artnr: string,
  lagnr: number,
  change: { readonly menge: number; readonly gesperrt: number },
): void {
  draft.keys.add(placeKey(lagnr));
  const cell = cellAt(retailer, artnr, lagnr);
  cell.book += change.menge;
  cell.blocked += change.gesperrt;
  const key = `${artnr}|${lagnr}`;
  const known = draft.balances.get(key);
  if (known === undefined) draft.balances.set(key, { artnr, lagnr, ...change });
  else {
    known.menge += change.menge;
    known.gesperrt += change.gesperrt;
  }
}

export function sealErp(draft: ErpDraft): PlannedTransaction {
  const { moves, balances } = draft;
  const statements = [...draft.statements];
  if (moves.length > 0) {
    statements.push(
      `INSERT INTO lagbew (bewnr,artnr,lagnr,bewart,menge,budat,belnr,belpos,erfnam) VALUES ${moves.join()}`,
    );
  }
  if (balances.size > 0) {
    const rows = [...balances.values()].map(
      (one) => `(${quoted(one.artnr)},${one.lagnr},${decimal(one.menge)},${decimal(one.gesperrt)})`,
    );
    statements.push(
      `INSERT INTO bestand (artnr,lagnr,menge,gesperrt) VALUES ${rows.join()} ON CONFLICT (artnr,lagnr) ` +
        'DO UPDATE SET menge = bestand.menge + excluded.menge, gesperrt = bestand.gesperrt + excluded.gesperrt',
    );
  }
  return {
    system: 'erp',
    kind: draft.kind,
    keys: [...draft.keys],
    statements,
    rows: draft.rows + moves.length + balances.size,
    probe: draft.probe,
  };
}

export function placeKey(lagnr: number): string {
  return `place ${lagnr}`;
}

export function documentKey(table: string, number: number): string {
  return `${table} ${number}`;
}

/** The probe of a transaction that creates a document. */
export function createdProbe(table: string, column: string, number: number): Probe {
  return { sql: `SELECT 1 FROM ${table} WHERE ${column} = ${number}`, committedWhen: 'found' };
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Thousandths as a decimal with three places. */
export function decimal(thousandths: number): string {
  return (thousandths / 1000).toFixed(3);
}

export function timestamp(utcMs: number): string {
  return `'${localText(utcMs)}'`;
}

export function date(day: Day): string {
  return `'${dayText(day)}'`;
}

/** What the single writer of a SKU says to a command. Codes are part of the contract with clients. */

export type RefusalCode =
  | 'INSUFFICIENT_STOCK'
  | 'RESERVATION_UNKNOWN'
  | 'RESERVATION_EXPIRED'
  | 'RESERVATION_RELEASED'
  | 'RESERVATION_FULFILLED'
  | 'RESERVATION_ECHOED'
  | 'SEQUENCE_STALE'
  | 'CHANGE_FROM_QUANTITY_STALE'
  | 'EXPECTATION_MISSING'
  | 'LOCATION_MISSING'
  /** The ERP's balance is the figure there: it is changed in the ERP. */
  | 'AUTHORITY_ELSEWHERE'
  | 'QUANTITY_INVALID'
  | 'BUCKET_UNKNOWN'
  | 'TIME_IN_FUTURE'
  | 'ALLOCATION_TOO_LARGE'
  | 'QUANTITY_OVERFLOW'
  | 'KIND_UNKNOWN';

export type Refused = Extract<Verdict, { readonly kind: 'refused' }>;

export type Verdict =
  | {
      readonly kind: 'accepted';
      /** By location, in thousandths; empty where nothing moved. */
      readonly granted: readonly { readonly location: string; readonly quantity: number }[];
      readonly short: number;
      readonly state: string;
    }
  | {
      readonly kind: 'refused';
      readonly code: RefusalCode;
      readonly reason: string;
      readonly short: number;
    }
  /** Not decided yet: goods may come free by then. */
  | {
      readonly kind: 'waits';
      readonly untilMs: number;
      readonly reason: string;
      readonly short: number;
    };

export function refused(code: RefusalCode, reason: string, short = 0): Refused {
  return { kind: 'refused', code, reason, short };
}

export function accepted(
  granted: readonly { readonly location: string; readonly quantity: number }[],
  state = '',
  short = 0,
): Verdict {
  return { kind: 'accepted', granted, short, state };
}

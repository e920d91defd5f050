/**
 * An order that we hold goods for and that the ERP books in its own time, perhaps in parts, perhaps at another
 * location: what of `reserved` is ours. Rule: DESIGN.md section 4, "Reservations and the ERP's order".
 */

/** What a reservation holds at one location, in thousandths. */
export type HeldPart = { readonly location: string; readonly quantity: number };

/** One line of the ERP's order for the SKU. */
export type BookedLine = {
  readonly location: string;
  /** The largest quantity that the line ever showed: a cancelled or shipped line stays booked. */
  readonly booked: number;
  /** What of it the ERP still reserves itself. */
  readonly open: number;
};

export type OrderFigures = {
  readonly held: readonly HeldPart[];
  /** What we have handed out ourselves, already taken out of `held`. */
  readonly fulfilled: number;
  readonly lines: readonly BookedLine[];
};

/**
 * Our share of `reserved` by location. Without fulfilment of our own it is max(0, held - booked). What we handed out
 * and the ERP still holds open is taken off the ERP's share, so that goods that have left are reserved by nobody.
 */
export function ownReserved(order: OrderFigures): ReadonlyMap<string, number> {
  const held = sum(order.held.map((part) => part.quantity)) + order.fulfilled;
  const booked = sum(order.lines.map((line) => line.booked));
  const open = sum(order.lines.map((line) => line.open));
  const left = Math.max(order.fulfilled, booked - open);
  const own = Math.max(0, Math.max(held, booked) - left) - open;
  return own >= 0
    ? spread(own, order.held)
    : spread(
        own,
        order.lines.map((line) => ({ location: line.location, quantity: -line.open })),
      );
}

/** Has the ERP booked all that we hold? */
export function isBooked(order: OrderFigures): boolean {
  const held = sum(order.held.map((part) => part.quantity)) + order.fulfilled;
  return held > 0 && sum(order.lines.map((line) => line.booked)) >= held;
}

function sum(quantities: readonly number[]): number {
  return quantities.reduce((total, quantity) => total + quantity, 0);
}

/** Puts `total` on the parts in their order, none beyond its own quantity. */
function spread(total: number, parts: readonly HeldPart[]): ReadonlyMap<string, number> {
  const shares = new Map<string, number>();
  let left = total;
  for (const part of parts) {
    const share = total < 0 ? Math.max(left, part.quantity) : Math.min(left, part.quantity);
    if (share === 0) continue;
    shares.set(part.location, (shares.get(part.location) ?? 0) + share);
    left -= share;
  }
  return shares;
}

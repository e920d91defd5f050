/**
 * What is known of orders and sales, piece by piece: every piece is promised or not, has left or not. Written from the
 * rules with no arithmetic of echoes or bookings in it: sums are taken over single pieces.
 */

type Piece = {
  /** Our reservation holds it. */
  held: boolean;
  /** The ERP's order has it, on this line. */
  line: string | undefined;
  /** Left the house, by whoever. */
  left: boolean;
  /** The ERP has told that it left. */
  posted: boolean;
  cancelled: boolean;
};

type KnownOrder = {
  pieces: Piece[];
  /** Pieces that the ERP booked while nobody had said that this is the reservation's order. */
  strangers: Piece[];
  isLinked: boolean;
  isPaid: boolean;
};

const isOpen = (piece: Piece): boolean =>
  !piece.left && !piece.cancelled && (piece.held || piece.line !== undefined);

export class OrderBook {
  private readonly orders = new Map<string, KnownOrder>();
  private readonly onHandByCell = new Map<string, number>();

  onHand(cell: string): number {
    return this.onHandByCell.get(cell) ?? 0;
  }

  /** Pieces that are promised and have not left. */
  reserved(): number {
    let sum = 0;
    for (const { pieces, strangers } of this.orders.values()) {
      sum += pieces.filter(isOpen).length + strangers.filter(isOpen).length;
    }
    return sum;
  }

  moves(cell: string, pieces: number): void {
    this.onHandByCell.set(cell, this.onHand(cell) + pieces);
  }

  reserves(order: string, count: number, isLinked: boolean): void {
    const known = this.orderOf(order);
    for (let piece = 0; piece < count; piece += 1) {
      known.pieces.push({
        ...{ held: true, line: undefined, left: false, posted: false, cancelled: false },
      });
    }
    if (isLinked) this.links(order);
  }

  /** Paid: it does not run out any more, and the order that it is for is known. */
  pays(order: string): void {
    this.orderOf(order).isPaid = true;
    this.links(order);
  }

  /** Paid orders with pieces that have neither left nor been booked by the ERP. */
  awaited(): readonly string[] {
    return [...this.orders]
      .filter(
        ([, { isPaid, pieces }]) =>
          isPaid && pieces.some((one) => isOpen(one) && one.line === undefined),
      )
      .map(([order]) => order);
  }

  /** Somebody has said which order of the ERP the reservation is for. */
  links(order: string): void {
    const known = this.orderOf(order);
    known.isLinked = true;
    for (const stranger of known.strangers) {
      const own = known.pieces.find((piece) => piece.held && piece.line === undefined);
      if (own === undefined) known.pieces.push(stranger);
      else Object.assign(own, { ...stranger, held: true, left: own.left || stranger.left });
    }
    known.strangers = [];
  }

  books(order: string, line: string, count: number): void {
    const known = this.orderOf(order);
    for (let piece = 0; piece < count; piece += 1) {
      const free = known.pieces.filter((one) => one.held && one.line === undefined);
      // What we have handed out already is in the order as well.
      const own = known.isLinked ? (free.find((one) => one.left) ?? free[0]) : undefined;
      if (own !== undefined) own.line = line;
      else {
        const made = { held: false, line, left: false, posted: false, cancelled: false };
        (known.isLinked ? known.pieces : known.strangers).push(made);
      }
    }
  }

  /** The reservation ends: what the ERP has not booked is free again. */
  letsGo(order: string): void {
    for (const piece of this.orderOf(order).pieces) {
      if (piece.line === undefined && !piece.left) piece.held = false;
    }
  }

  handsOut(order: string, cell: string, count: number): void {
    const { pieces } = this.orderOf(order);
    for (let piece = 0; piece < count; piece += 1) {
      const open = pieces.filter((one) => one.held && isOpen(one));
      const own = open.find((one) => one.line !== undefined) ?? open[0];
      if (own !== undefined) own.left = true;
    }
    this.moves(cell, -count);
  }

  /** The ERP posts what we had handed out: nothing leaves a second time. */
  posts(order: string, line: string, count: number): void {
    const left = this.lineOf(order, line).filter((one) => one.left && !one.posted);
    for (const piece of left.slice(0, count)) piece.posted = true;
  }

  ships(order: string, line: string, cell: string, count: number): void {
    for (const piece of this.lineOf(order, line).filter(isOpen).slice(0, count)) piece.left = true;
    this.moves(cell, -count);
  }

  cancels(order: string, line: string, count: number): void {
    for (const piece of this.lineOf(order, line).filter(isOpen).slice(0, count)) {
      piece.cancelled = true;
    }
  }

  private lineOf(order: string, line: string): readonly Piece[] {
    const { pieces, strangers } = this.orderOf(order);
    return [...pieces, ...strangers].filter((one) => one.line === line);
  }

  private orderOf(order: string): KnownOrder {
    const known = this.orders.get(order) ?? {
      ...{ pieces: [], strangers: [], isLinked: false, isPaid: false },
    };
    this.orders.set(order, known);
    return known;
  }
}

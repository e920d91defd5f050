/** The pages of a cell's history in the state. */
import { isNews, latestCount } from '../domain/count.ts';
import {
  addToPage,
  type HistoryPage,
  type Place,
  pageAt,
  splitPage,
  sumAfter,
  sumOfPage,
} from '../domain/history.ts';
import type { StateView } from '../topology/topology.ts';
import { type Cell, pageKey, type StockState } from './state.ts';

export class CellHistory {
  private readonly state: StateView<StockState>;
  private readonly sku: string;
  private readonly location: string;

  constructor(state: StateView<StockState>, sku: string, location: string) {
    this.state = state;
    this.sku = sku;
    this.location = location;
  }

  /** Adds a dated quantity, and what of it the opening contains; returns where the pages begin then. */
  add(pages: Cell['pages'], place: Place, quantity: number, contained = 0): Cell['pages'] {
    if (pages.length === 0) {
      this.put(place.at, addToPage([], place, quantity, contained));
      return [place.at];
    }
    const index = pageAt(pages, place.at);
    const start = pages[index] as number;
    const page = addToPage(this.get(start), place, quantity, contained);
    if (page.length === 0) {
      this.state.delete(pageKey(this.sku, this.location, start));
      return pages.toSpliced(index, 1);
    }
    const split = splitPage(page);
    if (split === undefined) {
      this.put(start, page);
      return pages;
    }
    if (split.start <= start) {
      // The first page had what lies before its start, so it begins earlier from now on.
      const first = Math.min(...split.earlier.map(([at]) => at));
      if (split.start !== start) this.state.delete(pageKey(this.sku, this.location, start));
      this.put(first, split.earlier);
      this.put(split.start, split.later);
      return pages.toSpliced(index, 1, first, split.start);
    }
    this.put(start, split.earlier);
    this.put(split.start, split.later);
    return pages.toSpliced(index + 1, 0, split.start);
  }

  /** onHand as opening, counts and history say. */
  onHand(cell: Cell): number {
    const anchor = latestCount(cell.counts);
    const withContained = isNews(anchor);
    let onHand = withContained ? anchor.quantity : cell.opening;
    const from = anchor === undefined ? 0 : pageAt(cell.pages, anchor.at);
    for (const [index, start] of cell.pages.entries()) {
      if (index < from) continue;
      const page = this.get(start);
      onHand +=
        anchor !== undefined && index === from
          ? sumAfter(page, anchor, { withContained })
          : sumOfPage(page, { withContained });
    }
    return onHand;
  }

  private get(start: number): HistoryPage {
    const known = this.state.get(pageKey(this.sku, this.location, start));
    return known?.kind === 'page' ? known.page : [];
  }

  private put(start: number, page: HistoryPage): void {
    this.state.put(pageKey(this.sku, this.location, start), { kind: 'page', page });
  }
}

/** What can be asked of the view: the functions under REST and GraphQL. */
import type { z } from 'zod';
import { availableToPromise } from '../domain/availability.ts';
import { cellOf, changeOf, figureOf, freshnessAnswer, thousandthsOf, unitsOf } from './answers.ts';
import { changesCursor, listCursor, parseChangesCursor, parseListCursor } from './cursor.ts';
import { refusal } from './freshness.ts';
import type * as models from './models.ts';
import { type Problem, problem } from './problem.ts';
import type { StockView } from './view.ts';

type Input<S extends z.ZodType> = z.infer<S>;
type Demanded = Input<typeof models.demand>;
type Freshness = z.infer<typeof models.freshness>;

const dayMs = 86_400_000;

export type Reads = ReturnType<typeof reads>;

export function reads(view: StockView, now: () => number) {
  const fresh = freshnessBy(view, now);
  return {
    freshness: fresh,
    ...stockReads(view, fresh),
    ...promiseRead(view, fresh, now),
    ...channelReads(view, fresh),
    ...changesRead(view, fresh),
  };
}

/** How fresh an answer is now, or why one that is as fresh as demanded cannot be given. */
type Fresh = (demand: Demanded) => Freshness | Problem;

function freshnessBy(view: StockView, now: () => number): Fresh {
  return ({ minWatermark, maxStaleness }) => {
    if (!view.isRestored) {
      return problem('NOT_READY', 'the figures are read from their topics', {
        headers: { 'retry-after': '1' },
      });
    }
    const note = view.freshness(now());
    const demand = {
      ...(minWatermark === undefined ? {} : { minWatermark: Date.parse(minWatermark) }),
      ...(maxStaleness === undefined ? {} : { maxStaleness }),
    };
    const shown = freshnessAnswer(note);
    const refused = refusal(note, demand);
    return refused === undefined ? shown : { ...refused, more: { freshness: shown } };
  };
}

function stockReads(view: StockView, fresh: Fresh) {
  return {
    sku(sku: string, demand: Demanded) {
      const freshness = fresh(demand);
      if ('kind' in freshness) return freshness;
      const levels = view.levels(sku);
      const channels = view
        .channels()
        .flatMap((channel) => view.channelFigure(channel, sku) ?? [])
        .map(figureOf);
      if (levels.length === 0 && channels.length === 0) return unknownSku(sku);
      const available = levels.reduce((sum, { quantities }) => sum + quantities.available, 0);
      return { sku, available: unitsOf(available), cells: levels.map(cellOf), channels, freshness };
    },

    cell(sku: string, location: string, demand: Demanded) {
      const freshness = fresh(demand);
      if ('kind' in freshness) return freshness;
      const level = view.level(sku, location);
      return level === undefined ? unknownCell(sku, location) : { ...cellOf(level), freshness };
    },

    /** What is not there is left out. */
    batch({ cells, ...demand }: Input<typeof models.batchQuery>) {
      const freshness = fresh(demand);
      if ('kind' in freshness) return freshness;
      const items = cells.flatMap(({ sku, location }) =>
        location === undefined ? view.levels(sku) : (view.level(sku, location) ?? []),
      );
      return { items: items.map(cellOf), cursor: null, freshness };
    },

    list(query: Input<typeof models.cellsQuery>) {
      const freshness = fresh(query);
      if ('kind' in freshness) return freshness;
      const { limit, location, skuPrefix } = query;
      const below =
        query.availableBelow === undefined ? undefined : thousandthsOf(query.availableBelow);
      const after = query.cursor === undefined ? undefined : parseListCursor('stock', query.cursor);
      if (query.cursor !== undefined && after?.length !== 2) return noCursor();
      const found = view.list(
        after === undefined ? undefined : { sku: after[0] ?? '', location: after[1] ?? '' },
        limit,
        (level) =>
          (location === undefined || level.location === location) &&
          (skuPrefix === undefined || level.sku.startsWith(skuPrefix)) &&
          (below === undefined || level.quantities.available < below),
      );
      const last = found.length === limit ? found.at(-1) : undefined;
      const cursor = last === undefined ? null : listCursor('stock', [last.sku, last.location]);
      return { items: found.map(cellOf), cursor, freshness };
    },
  };
}

function promiseRead(view: StockView, fresh: Fresh, now: () => number) {
  return {
    promise(sku: string, location: string, query: Input<typeof models.promiseQuery>) {
      const freshness = fresh(query);
      if ('kind' in freshness) return freshness;
      const level = view.level(sku, location);
      if (level === undefined) return unknownCell(sku, location);
      const today = Math.floor(now() / dayMs);
      const promised = availableToPromise(
        {
          available: level.quantities.available,
          demand: new Map(level.schedule.map(({ day, reserved }) => [day, reserved])),
          supply: new Map(level.schedule.map(({ day, incoming }) => [day, incoming])),
        },
        today,
        query.days,
      );
      const days = promised.map((quantity, index) => ({
        date: new Date((today + index) * dayMs).toISOString().slice(0, 10),
        quantity: unitsOf(quantity),
      }));
      return { sku, location, days, freshness };
    },
  };
}

function channelReads(view: StockView, fresh: Fresh) {
  return {
    figure(channel: string, sku: string, demand: Demanded) {
      const freshness = fresh(demand);
      if ('kind' in freshness) return freshness;
      const figure = view.channelFigure(channel, sku);
      return figure === undefined
        ? problem('NOT_FOUND', `channel ${channel} has no figure of SKU ${sku}`)
        : { ...figureOf(figure), freshness };
    },

    listChannel(channel: string, query: Input<typeof models.figuresQuery>) {
      const freshness = fresh(query);
      if ('kind' in freshness) return freshness;
      if (!view.channels().includes(channel)) {
        return problem('NOT_FOUND', `there is no channel ${channel}`);
      }
      const list = `channel ${channel}`;
      const after = query.cursor === undefined ? undefined : parseListCursor(list, query.cursor);
      if (query.cursor !== undefined && after?.length !== 1) return noCursor();
      const { limit, status } = query;
      const found = view.listChannel(
        channel,
        after?.[0],
        limit,
        (figure) => status === undefined || figure.status === status,
      );
      const last = found.length === limit ? found.at(-1) : undefined;
      const cursor = last === undefined ? null : listCursor(list, [last.sku]);
      return { items: found.map(figureOf), cursor, freshness };
    },
  };
}

function changesRead(view: StockView, fresh: Fresh) {
  return {
    /** Without a cursor: none, and the cursor of now. */
    changes(query: Input<typeof models.changesQuery>) {
      const freshness = fresh(query);
      if ('kind' in freshness) return freshness;
      if (query.cursor === undefined) {
        return { changes: [], cursor: changesCursor(view.places()), freshness };
      }
      const places = parseChangesCursor(query.cursor);
      if (places === undefined) return noCursor();
      const recent = view.changesSince(places, query.limit);
      if (recent.kind === 'expired') {
        return problem(
          'CURSOR_EXPIRED',
          'read the figures anew, then the changes without a cursor',
        );
      }
      const { changes } = recent;
      return { changes: changes.map(changeOf), cursor: changesCursor(recent.places), freshness };
    },
  };
}

const noCursor = (): Problem => problem('CURSOR_INVALID', 'hand the cursor back as it was given');
const unknownSku = (sku: string): Problem => problem('NOT_FOUND', `SKU ${sku} is not known`);
const unknownCell = (sku: string, location: string): Problem =>
  problem('NOT_FOUND', `SKU ${sku} is not known at location ${location}`);

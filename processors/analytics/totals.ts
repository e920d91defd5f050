/** The figures as an analyst sees them through the views, for comparing them with what others know. */

/** Rows of one SELECT in column order, as ClickHouse's format JSONCompactEachRow gives them. */
export type Ask = (query: string) => Promise<readonly (readonly unknown[])[]>;

export type Totals = {
  /** By `sku|location`: quantities in thousandths, by the names of schemas/stock-level.avsc. */
  readonly cells: ReadonlyMap<string, Readonly<Record<string, number>>>;
  /** By `channel|sku`: what may be sold, in thousandths. */
  readonly sellable: ReadonlyMap<string, number>;
};

const quantities = [
  ['onHand', 'on_hand'],
  ['reserved', 'reserved'],
  ['incoming', 'incoming'],
  ['inTransit', 'in_transit'],
  ['damaged', 'damaged'],
  ['qualityControl', 'quality_control'],
  ['safetyStock', 'safety_stock'],
  ['available', 'available'],
] as const;

export async function readTotals(ask: Ask): Promise<Totals> {
  const columns = quantities.map(([, column]) => `toInt64(${column} * 1000)`).join(', ');
  const cells = await ask(`SELECT sku, location, ${columns} FROM stock_now`);
  const sellable = await ask('SELECT channel, sku, toInt64(sellable * 1000) FROM channel_now');
  return {
    cells: new Map(
      cells.map(([sku, location, ...figures]) => [
        `${sku}|${location}`,
        Object.fromEntries(quantities.map(([name], index) => [name, Number(figures[index])])),
      ]),
    ),
    sellable: new Map(
      sellable.map(([channel, sku, figure]) => [`${channel}|${sku}`, Number(figure)]),
    ),
  };
}

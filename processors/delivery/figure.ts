/** A channel's figure of one SKU, as delivery takes it from the channel's topic. */
import type { ChannelStock } from '../../schemas/types.ts';

export type Figure = {
  readonly channel: string;
  readonly sku: string;
  /** Thousandths. */
  readonly sellable: number;
  readonly status: ChannelStock['status'];
  /** Counts the figures of this SKU on this channel. */
  readonly sequence: number;
  /** When it was written to the channel's topic. */
  readonly publishedAtMs: number;
};

export function figureOf(stock: ChannelStock, publishedAtMs: number): Figure {
  const { channel, sku, sellable, status, sequence } = stock;
  return { channel, sku, sellable, status, sequence, publishedAtMs };
}

/** Marketplaces take whole units: what is left of a broken one is not offered. */
export function wholeUnits(thousandths: number): number {
  return Math.max(0, Math.floor(thousandths / 1000));
}

/** The quantities of a cell, in safe integers of thousandths of a unit. */

export type BucketName =
  | 'onHand'
  | 'reserved'
  | 'incoming'
  | 'inTransit'
  | 'damaged'
  | 'qualityControl'
  | 'safetyStock';

export type CellQuantities = Readonly<Record<BucketName | 'available', number>>;

export const noQuantities: CellQuantities = {
  onHand: 0,
  reserved: 0,
  incoming: 0,
  inTransit: 0,
  damaged: 0,
  qualityControl: 0,
  safetyStock: 0,
  available: 0,
};

/** The largest magnitude that Avro's decimal(18,3) and a safe integer both hold, in thousandths. */
const quantityMax = Number.MAX_SAFE_INTEGER;

/** available = onHand - reserved - damaged - qualityControl - safetyStock; negative means oversold and is never hidden. */
export function withBucket(
  quantities: CellQuantities,
  bucket: BucketName,
  value: number,
): CellQuantities {
  const next: { -readonly [K in keyof CellQuantities]: number } = { ...quantities };
  next[bucket] = value;
  next.available =
    next.onHand - next.reserved - next.damaged - next.qualityControl - next.safetyStock;
  return next;
}

/** Are all figures exact? */
export function isExact(quantities: CellQuantities): boolean {
  for (const name in quantities) {
    const value = quantities[name as keyof CellQuantities];
    if (!Number.isSafeInteger(value) || Math.abs(value) > quantityMax) return false;
  }
  return true;
}

/** Token buckets: how many calls somebody may make. Times in milliseconds. */

/** `calls` per `perMs` in the long run, and `burst` at once. */
export type Quota = { readonly calls: number; readonly perMs: number; readonly burst: number };

export type Bucket = { readonly quota: Quota; tokens: number; countedAtMs: number };

/** A full bucket. After a restart it begins empty: what was spent just before is not known. */
export function bucketOf(quota: Quota, nowMs: number, tokens: number = quota.burst): Bucket {
  return { quota, tokens, countedAtMs: nowMs };
}

function refill(bucket: Bucket, nowMs: number): void {
  const { calls, perMs, burst } = bucket.quota;
  const passedMs = Math.max(0, nowMs - bucket.countedAtMs);
  bucket.tokens = Math.min(burst, bucket.tokens + (passedMs * calls) / perMs);
  bucket.countedAtMs = Math.max(bucket.countedAtMs, nowMs);
}

/** Takes one token if one is there beyond `reserve`, which is kept for what is more urgent. */
export function take(bucket: Bucket, nowMs: number, reserve = 0): boolean {
  refill(bucket, nowMs);
  if (bucket.tokens < 1 + reserve) return false;
  bucket.tokens -= 1;
  return true;
}

/** When one token beyond `reserve` will be there. */
export function nextTokenMs(bucket: Bucket, nowMs: number, reserve = 0): number {
  refill(bucket, nowMs);
  const missing = 1 + reserve - bucket.tokens;
  return missing <= 0 ? nowMs : nowMs + (missing * bucket.quota.perMs) / bucket.quota.calls;
}

/** The other side counts otherwise than we do: nothing is left. */
export function drain(bucket: Bucket, nowMs: number): void {
  refill(bucket, nowMs);
  bucket.tokens = 0;
}

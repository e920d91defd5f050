/** Token buckets: how many calls somebody may make. Times in milliseconds. */

/** `calls` per `perMs` in the long run, and `burst` at once. */
export type Quota = { readonly calls: number; readonly perMs: number; readonly burst: number };

/**
 * A call is counted from when it is sent, and its token comes back from when it was answered: in between, the other side
 * counts it whenever it arrives, and none of those moments may break the quota.
 */
export type Bucket = {
  readonly quota: Quota;
  /** Without what the calls under way take. */
  tokens: number;
  underWay: number;
  countedAtMs: number;
};

/** A full bucket. After a restart it begins empty: what was spent just before is not known. */
export function bucketOf(quota: Quota, nowMs: number, tokens: number = quota.burst): Bucket {
  return { quota, tokens, underWay: 0, countedAtMs: nowMs };
}

function refill(bucket: Bucket, nowMs: number): void {
  const { calls, perMs, burst } = bucket.quota;
  const passedMs = Math.max(0, nowMs - bucket.countedAtMs);
  bucket.tokens = Math.min(burst, bucket.tokens + (passedMs * calls) / perMs);
  bucket.countedAtMs = Math.max(bucket.countedAtMs, nowMs);
}

/** Takes one token if one is there beyond `reserve`, which is kept for what is more urgent. Ends with `answered`. */
export function take(bucket: Bucket, nowMs: number, reserve = 0): boolean {
  if (nextTokenMs(bucket, nowMs, reserve) > nowMs) return false;
  bucket.underWay += 1;
  return true;
}

/** A call that has taken a token has come to its end, whichever. */
export function answered(bucket: Bucket, nowMs: number): void {
  refill(bucket, nowMs);
  bucket.underWay -= 1;
  bucket.tokens -= 1;
}

/** When one token beyond `reserve` will be there, if calls under way have been answered by then. */
export function nextTokenMs(bucket: Bucket, nowMs: number, reserve = 0): number {
  refill(bucket, nowMs);
  const missing = 1 + reserve + bucket.underWay - bucket.tokens;
  return missing <= 0 ? nowMs : nowMs + (missing * bucket.quota.perMs) / bucket.quota.calls;
}

/** The other side counts otherwise than we do: nothing is left. */
export function drain(bucket: Bucket, nowMs: number): void {
  refill(bucket, nowMs);
  bucket.tokens = Math.min(bucket.tokens, bucket.underWay);
}

/** What the door of webhooks needs to know of a source. */

/**
 * How a body is proved to come from the source. `bodyHash`: HMAC-SHA-256 over the raw body, in one header. Its other
 * headers are not signed, so the event's name there must not decide what a body means: an order says itself what it is.
 */
export type Signing =
  | { readonly kind: 'standardWebhooks' }
  | {
      readonly kind: 'bodyHash';
      readonly header: string;
      readonly encoding: 'base64' | 'hex';
      /** Before the hash, such as `sha256=`. */
      readonly prefix: string;
      readonly eventHeader: string | undefined;
    };

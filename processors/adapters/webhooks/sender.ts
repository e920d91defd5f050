/** Sends webhooks: opens the sealed secrets, signs by Standard Webhooks, and calls addresses that may be called only. */
import type { DeliveryPorts } from '../../delivery/ports.ts';
import type { AddressRules } from '../address-guard.ts';
import { outgoingHttp, type Resolve, retryAfterMs } from '../outgoing-http.ts';
import type { SecretBox } from '../secret-box.ts';
import { webhookHeaders } from './signature.ts';

export type WebhookSender = {
  readonly send: DeliveryPorts['sendWebhook'];
  readonly close: () => Promise<void>;
};

export function webhookSender(options: {
  readonly rules: AddressRules;
  readonly box: SecretBox;
  readonly timeoutMs: number;
  readonly resolve?: Resolve;
}): WebhookSender {
  const { rules, box, timeoutMs, resolve } = options;
  const http = outgoingHttp({ rules, ...(resolve === undefined ? {} : { resolve }) });
  return {
    send: async ({ url, sealedSecrets, id, body }) => {
      let signed: Readonly<Record<string, string>>;
      try {
        signed = webhookHeaders(sealedSecrets.map(box.open), id, Date.now(), body);
      } catch (error) {
        return { kind: 'unsent', reason: String(error instanceof Error ? error.message : error) };
      }
      const headers = { 'content-type': 'application/json', ...signed };
      const answer = await http.send({ method: 'POST', url, headers, body, timeoutMs });
      if (answer.kind !== 'answered') return answer;
      const afterMs = retryAfterMs(answer.headers, Date.now());
      const { status } = answer;
      return {
        kind: 'answered',
        status,
        ...(afterMs === undefined ? {} : { retryAfterMs: afterMs }),
      };
    },
    close: http.close,
  };
}

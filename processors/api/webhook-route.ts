/** Webhooks in: believed by their signature, durable before they are acknowledged; what they mean is found out afterwards. */
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { Webhook } from '../../schemas/types.ts';
import { problem } from './problem.ts';
import { type App, answers, reply } from './routing.ts';

export type ReceiverPort = {
  /** Undefined: no such source, or not signed by it. */
  readonly believe: (
    source: string,
    headers: IncomingHttpHeaders,
    body: Buffer,
  ) => { readonly deliveryId: string; readonly event: string } | undefined;
  /** Resolves when it is durable. */
  readonly write: (webhook: Webhook) => Promise<void>;
};

export const webhookPath = '/v1/webhooks/';
const bodyBytesMax = 1_000_000;
const deadlineMs = 4_000;

const accepted = z.object({ accepted: z.literal(true), deliveryId: z.string() });

export async function webhookRoute(app: App, port: ReceiverPort | undefined): Promise<void> {
  await app.register(async (own) => {
    // The signature is over the bytes as they came, whatever they say they are.
    own.removeAllContentTypeParsers();
    own.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body));
    (own as unknown as App).post(
      `${webhookPath}:source`,
      {
        bodyLimit: bodyBytesMax,
        schema: {
          tags: ['webhooks'],
          operationId: 'takeWebhook',
          summary: 'Takes a webhook of a shop that is set up as a source; signed in its own way',
          params: z.object({ source: z.string().max(100) }),
          security: [],
          response: answers(accepted),
        },
      },
      async (request, to) => {
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const { source } = request.params;
        const believed = port?.believe(source, request.headers, body);
        // The same for a source that does not exist: nobody learns which there are.
        if (port === undefined || believed === undefined) {
          return reply(request, to, problem('SIGNATURE_INVALID', 'no source has signed this'));
        }
        const isDurable = await durable(
          port.write({ source, ...believed, receivedAt: Date.now(), body }),
        );
        if (!isDurable) {
          const later = { headers: { 'retry-after': '10' } };
          return reply(request, to, problem('NOT_READY', 'send it again', later));
        }
        return reply(request, to, { accepted: true, deliveryId: believed.deliveryId });
      },
    );
  });
}

/** False when it failed or took too long: the sender comes again, and then it counts once. */
async function durable(written: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), deadlineMs);
  });
  try {
    return await Promise.race([
      written.then(
        () => true,
        () => false,
      ),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

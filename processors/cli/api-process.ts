/** Puts an instance of the API together: its followers, writers, keys, quotas, and what it reads from the records. */
import type { Proposal } from '../../schemas/types.ts';
import { apiRuntime } from '../adapters/api-runtime.ts';
import { openRedis } from '../adapters/redis.ts';
import { receiver } from '../adapters/webhook-received.ts';
import { keyIn } from '../api/local-key.ts';
import { quotas } from '../api/quota.ts';
import type { RecordPort } from '../api/record-routes.ts';
import { type Api, runApi } from '../api/run.ts';
import { issuerKeys, tokenReader } from '../api/token.ts';
import type { Config } from '../config.ts';
import { ProposalDesk } from '../forecasts/desk.ts';
import type { Telemetry } from '../runtime/ports.ts';
import {
  apiKeys,
  channelStock,
  freshness,
  outcomes,
  proposals,
  requestKey,
  requests,
  stockLevels,
  webhooks,
} from '../topics.ts';
import type { Topic } from '../topology/topic.ts';
import { explainPlain, NothingToExplain } from './explain.ts';
import type { WebhookSources } from './webhook-sources.ts';

/** Of each partition: what came of the last requests is known from the start. */
const outcomesReadAgain = 5_000;
const proposalsReadAgain = 50_000;

const untyped = (topic: unknown) => topic as Topic<never, never>;

/** `done` settles when all of it has ended. */
export async function startApi(
  settings: Config,
  channels: readonly string[],
  sources: WebhookSources,
  telemetry: Telemetry,
  signal: AbortSignal,
): Promise<Api> {
  const whole = [stockLevels, freshness, apiKeys, ...channels.map(channelStock)];
  const places = { brokers: settings.brokers, registryUrl: settings.registryUrl };
  const runtime = await apiRuntime({
    places,
    followed: [
      ...whole.map((topic) => ({ topic: untyped(topic) })),
      { topic: untyped(outcomes), last: outcomesReadAgain },
      { topic: untyped(proposals), last: proposalsReadAgain },
    ],
    ...{ requests, webhooks, proposals },
    keyOf: ({ client, idempotencyKey }) => requestKey(client, idempotencyKey),
    telemetry,
    signal,
  });
  const desk = new ProposalDesk();
  const records: RecordPort = {
    explain: (question) => explainPlain(places, question).catch(sentenceOf),
    proposals: () => desk.all(),
    decide: (id, state, by, reason) =>
      desk.decide(id, { state, by, reason }, runtime.writeProposal),
  };
  const { tls, tokens, requestsPerMinute, ...api } = settings.api;
  const redis =
    settings.redisUrl === undefined ? undefined : openRedis(settings.redisUrl, telemetry);
  const running = await runApi(
    {
      write: runtime.write,
      follow: (events) =>
        runtime.follow({
          ...events,
          onRecord: (record) => {
            if (record.topic !== proposals.name) events.onRecord(record);
            else if (record.value !== undefined) desk.take(record.value as Proposal);
          },
        }),
    },
    {
      ...api,
      ...(tls === undefined ? {} : { tls }),
      ...(tokens === undefined
        ? {}
        : { readToken: tokenReader(issuerKeys(tokens.keysUrl), tokens) }),
      quota: quotas(requestsPerMinute, redis),
      webhooks: { believe: receiver(sources), write: runtime.writeWebhook },
      records,
      channels,
      localKey: api.key ?? keyIn(`${settings.runDirectory}/api.key`),
    },
  );
  telemetry.log('info', `the API listens on ${running.url}`);
  return {
    ...running,
    done: running.done.finally(async () => {
      await Promise.all([running.close(), runtime.close()]);
      redis?.disconnect();
    }),
  };
}

function sentenceOf(error: unknown): string {
  if (error instanceof NothingToExplain) return error.message;
  throw error;
}

/** Puts an instance of the API together: its followers, writers, keys, quotas, and what it reads from the records. */
import type { Proposal } from '../../schemas/types.ts';
import { apiRuntime } from '../adapters/api-runtime.ts';
import { openRedis } from '../adapters/redis.ts';
import { receiver } from '../adapters/webhooks/received.ts';
import { keyIn } from '../api/local-key.ts';
import { quotas } from '../api/quota.ts';
import type { RecordPort } from '../api/record-routes.ts';
import { runApi } from '../api/run.ts';
import { issuerKeys, tokenReader } from '../api/token.ts';
import { explainPlain, NothingToExplain } from '../cli/explain.ts';
import { ProposalDesk } from '../forecasts/desk.ts';
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
import type { Start } from './running.ts';

/** Of each partition: what came of the last requests is known from the start. */
const outcomesReadAgain = 5_000;
const proposalsReadAgain = 50_000;

const untyped = (topic: unknown) => topic as Topic<never, never>;

export const startApi: Start = async (
  config,
  { places, channels, webhookSources, telemetry, signal },
) => {
  const whole = [stockLevels, freshness, apiKeys, ...channels.map(channelStock)];
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
  const { tls, tokens, requestsPerMinute, ...api } = config.api;
  const redis = config.redisUrl === undefined ? undefined : openRedis(config.redisUrl, telemetry);
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
      webhooks: { believe: receiver(webhookSources), write: runtime.writeWebhook },
      records,
      channels,
      localKey: api.key ?? keyIn(`${config.runDirectory}/api.key`),
    },
  );
  telemetry.log('info', `the API listens on ${running.url}`);
  return {
    name: 'api',
    done: running.done.finally(async () => {
      await Promise.all([running.close(), runtime.close()]);
      redis?.disconnect();
    }),
    ready: running.ready,
    status: () => ({
      records: running.cells(),
      lagRecords: 0,
      lagSeconds: running.lagMs() / 1000,
      transactions: 0,
      lastCommitMs: 0,
      deadLetters: 0,
      counted: { cells: running.cells() },
    }),
    apiUrl: running.url,
  };
};

function sentenceOf(error: unknown): string {
  if (error instanceof NothingToExplain) return error.message;
  throw error;
}

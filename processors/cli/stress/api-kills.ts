/** `stockline stress api --kill`: clients that write through an API which is killed again and again, and ask again with the same key. */
import { request } from 'undici';
import type { LedgerEntry } from '../../../schemas/types.ts';
import { readTopic } from '../../adapters/kafka/topic-reader.ts';
import { keyIn } from '../../api/local-key.ts';
import { ledger } from '../../topics.ts';
import type { Topic } from '../../topology/topic.ts';
import { percentiles } from '../start/figures.ts';
import type { ApiStressOptions } from './api.ts';
import { onStage, type Stage, tellResult } from './stage.ts';

const clients = 32;
const killEveryMs = 4_000;
const answerMs = 6_000;
/** Without an answer for so long after the last kill, a write counts as unanswered. */
const patienceMs = 60_000;
const sku = 'KILLS';
const openingUnits = 1_000_000;

/** Prints the result; resolves with 0 when nothing acknowledged is lost and nothing is done twice, else 1. */
export async function stressApiKills(options: ApiStressOptions): Promise<number> {
  return onStage({ processes: ['stock', 'carts', 'api'] }, async (stage) => {
    const result = await stress(options, stage);
    tellResult(result, options.json);
    return result.lost + result.doubled + result.unanswered === 0 ? 0 : 1;
  });
}

type Answered = { readonly key: string; readonly tries: number; readonly tookMs: number };

async function stress(options: ApiStressOptions, stage: Stage) {
  const write = writerOf(stage);
  await write('opening', openingUnits, Date.now() + patienceMs);
  const endAtMs = Date.now() + options.seconds * 1_000;
  let kills = 0;
  const killing = setInterval(() => {
    // One that is still starting would never be up on a slow machine.
    const isUp = stage.processors.status.get('api')?.apiUrl !== undefined;
    if (!isUp || Date.now() >= endAtMs) return;
    kills += 1;
    stage.processors.signal('api', 'SIGKILL');
  }, killEveryMs);
  const answered: Answered[] = [];
  let unanswered = 0;
  const shop = async (client: number): Promise<void> => {
    for (let n = 0; Date.now() < endAtMs; n += 1) {
      const key = `c${client}-${n}`;
      const beganMs = performance.now();
      const tries = await write(key, -1, endAtMs + patienceMs);
      if (tries === undefined) unanswered += 1;
      else answered.push({ key, tries, tookMs: performance.now() - beganMs });
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => shop(client)));
  clearInterval(killing);
  const done = await doneInLedger(stage);
  return {
    kills,
    acknowledged: answered.length,
    repeated: answered.filter(({ tries }) => tries > 1).length,
    unanswered,
    lost: answered.filter(({ key }) => done.get(key) === undefined).length,
    doubled: [...done.values()].filter((times) => times > 1).length,
    writeMs: percentiles(answered.map(({ tookMs }) => tookMs)),
  };
}

/** Asks until it is answered or the time is over, always with the same key and body. Resolves with how often it asked; undefined: in vain. */
function writerOf(stage: Stage) {
  const apiKey = keyIn(`${stage.directory}/run/api.key`);
  return async (key: string, quantity: number, untilMs: number): Promise<number | undefined> => {
    const body = JSON.stringify({ lines: [{ sku, location: 'L1', quantity }], reason: 'kills' });
    const headers = {
      authorization: `Bearer ${apiKey}`,
      'content-type': 'application/json',
      'idempotency-key': key,
    };
    for (let tries = 1; Date.now() < untilMs; tries += 1) {
      const url = stage.processors.status.get('api')?.apiUrl;
      const status = url === undefined ? 0 : await ask(`${url}/v1/adjustments`, headers, body);
      if (status === 200) return tries;
      // What is refused for good would be refused again.
      if (status >= 400 && status < 500 && status !== 409 && status !== 429) return undefined;
      await new Promise((done) => setTimeout(done, 100));
    }
    return undefined;
  };
}

async function ask(url: string, headers: Record<string, string>, body: string): Promise<number> {
  try {
    const times = { headersTimeout: answerMs, bodyTimeout: answerMs };
    const answer = await request(url, { method: 'POST', headers, body, ...times });
    await answer.body.dump();
    return answer.statusCode;
  } catch {
    // It was killed, perhaps after it had passed the write on.
    return 0;
  }
}

/** How often each key's adjustment was applied, by the ledger alone. */
async function doneInLedger({ places }: Stage): Promise<ReadonlyMap<string, number>> {
  const done = new Map<string, number>();
  await readTopic(places, ledger as unknown as Topic<never, never>, {
    onRecord: ({ key, value }) => {
      if (key !== sku) return;
      for (const { effectId } of (value as LedgerEntry).changes) {
        const name = /^local\|(.+)#0$/.exec(effectId)?.[1];
        if (name !== undefined) done.set(name, (done.get(name) ?? 0) + 1);
      }
    },
  });
  return done;
}

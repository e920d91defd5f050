/** Kafka Connect's REST interface: makes a connector be what its configuration says, and tells its honest state. */

export type ConnectorConfig = Readonly<Record<string, string>>;

/** The worst of the connector's and its tasks' states, with the cause in words. */
export type ConnectorState = { readonly state: string; readonly cause: string };

/** `connector erp is FAILED: why`. */
export function stateInWords(name: string, { state, cause }: ConnectorState): string {
  return `connector ${name} is ${state}${cause && `: ${cause}`}`;
}

type StatusAnswer = {
  readonly connector: { readonly state: string; readonly trace?: string };
  readonly tasks: readonly { readonly state: string; readonly trace?: string }[];
};

const severity: Readonly<Record<string, number>> = {
  RUNNING: 0,
  UNASSIGNED: 1,
  RESTARTING: 1,
  PAUSED: 2,
  STOPPED: 3,
  FAILED: 4,
};

async function call(url: string, init: RequestInit = {}, timeoutMs = 60_000): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    throw new Error(`Kafka Connect does not answer at ${url}: is it running?`, { cause: error });
  }
}

const jsonHeaders = { 'content-type': 'application/json' };

/** Creates the connector or changes its configuration; does nothing where it already is so. Retries while Connect rebalances. */
export async function convergeConnector(
  connectUrl: string,
  name: string,
  config: ConnectorConfig,
  options: { readonly deadlineMs: number },
): Promise<'created' | 'changed' | 'unchanged'> {
  const current = await call(`${connectUrl}/connectors/${name}/config`);
  if (current.ok) {
    const known = (await current.json()) as Record<string, string>;
    const wanted: Record<string, string> = { ...config, name };
    const same =
      Object.keys(known).length === Object.keys(wanted).length &&
      Object.entries(wanted).every(([key, value]) => known[key] === value);
    if (same) return 'unchanged';
  }
  const giveUpAt = Date.now() + options.deadlineMs;
  for (;;) {
    const answer = await call(`${connectUrl}/connectors/${name}/config`, {
      method: 'PUT',
      headers: jsonHeaders,
      body: JSON.stringify(config),
    });
    if (answer.ok) return answer.status === 201 ? 'created' : 'changed';
    const text = await answer.text();
    // 409: the workers are rebalancing; 404 and 500 occur while the worker still starts.
    if (![404, 409, 500].includes(answer.status) || Date.now() > giveUpAt) {
      throw new Error(`Kafka Connect refuses connector ${name} (${answer.status}): ${text}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** What the connector really is: RUNNING only when it and all its tasks run. */
export async function connectorState(
  connectUrl: string,
  name: string,
  timeoutMs?: number,
): Promise<ConnectorState> {
  const answer = await call(`${connectUrl}/connectors/${name}/status`, {}, timeoutMs);
  if (!answer.ok) return { state: 'UNASSIGNED', cause: `status ${answer.status}` };
  const status = (await answer.json()) as StatusAnswer;
  if (status.connector.state === 'STOPPED') return { state: 'STOPPED', cause: '' };
  if (status.tasks.length === 0) return { state: 'UNASSIGNED', cause: 'no task yet' };
  const worst = [status.connector, ...status.tasks].reduce((one, other) =>
    (severity[other.state] ?? 4) > (severity[one.state] ?? 4) ? other : one,
  );
  return { state: worst.state, cause: rootCause(worst.trace ?? '') };
}

const restartsMax = 3;

/**
 * Waits until the connector runs. A failed task is started again a few times, since Kafka Connect never does so itself:
 * what it needed, such as the registry, may have come up after it. Then the wait ends with the cause.
 */
export async function waitUntilRunning(
  connectUrl: string,
  name: string,
  deadlineMs: number,
): Promise<void> {
  const giveUpAt = Date.now() + deadlineMs;
  for (let restarts = 0; ; ) {
    const told = await connectorState(connectUrl, name);
    if (told.state === 'RUNNING') return;
    const isFailed = told.state === 'FAILED';
    const isOver = Date.now() > giveUpAt || (isFailed && restarts === restartsMax);
    if (isOver) throw new Error(stateInWords(name, told));
    if (isFailed) {
      restarts += 1;
      await restartFailed(connectUrl, name);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** Starts a connector and its tasks again, as far as they have failed. */
export async function restartFailed(connectUrl: string, name: string): Promise<void> {
  const what = 'includeTasks=true&onlyFailed=true';
  await call(`${connectUrl}/connectors/${name}/restart?${what}`, { method: 'POST' });
}

/** Stops a connector until it is resumed; it stays stopped when Kafka Connect begins again. Resolves when it is. */
export async function stopConnector(
  connectUrl: string,
  name: string,
  deadlineMs = 30_000,
): Promise<void> {
  const giveUpAt = Date.now() + deadlineMs;
  await done(`${connectUrl}/connectors/${name}/stop`, { method: 'PUT' }, giveUpAt);
  const isStopped = async (): Promise<boolean> =>
    (await connectorState(connectUrl, name, deadlineMs)).state === 'STOPPED';
  while (!(await isStopped().catch(() => false))) {
    if (Date.now() > giveUpAt) throw new Error(`connector ${name} does not stop`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Lets a connector begin anew: it forgets how far it had come, and takes a snapshot of its source. */
export async function beginAnew(
  connectUrl: string,
  name: string,
  options: { readonly deadlineMs: number; readonly whileStopped?: () => Promise<void> },
): Promise<void> {
  const giveUpAt = Date.now() + options.deadlineMs;
  await stopConnector(connectUrl, name, options.deadlineMs);
  await done(`${connectUrl}/connectors/${name}/offsets`, { method: 'DELETE' }, giveUpAt);
  await options.whileStopped?.();
  await goOn(connectUrl, name, options.deadlineMs);
}

/**
 * Has tables read again in pieces, schema and name each, while changes go on being told: Debezium's incremental
 * snapshot. It begins with a restart. By a signal its first piece would be read beside the log, in a thread of its own,
 * and a row that changes meanwhile may then be told as it was before. Throws unless the connector runs.
 */
export async function readInPieces(
  connectUrl: string,
  name: string,
  tables: readonly string[],
  options: { readonly deadlineMs: number },
): Promise<void> {
  const told = await connectorState(connectUrl, name);
  if (told.state === 'STOPPED') {
    throw new Error(`connector ${name} is stopped: docs/runbook.md says what lets it go on`);
  }
  if (told.state !== 'RUNNING') throw new Error(stateInWords(name, told));
  await stopConnector(connectUrl, name, options.deadlineMs);
  try {
    const known = await committedOffsets(connectUrl, name);
    if (known.length === 0) throw new Error(`connector ${name} has told nothing yet`);
    if (!known.every(isExact)) throw new Error(`the offset of ${name} has a number beyond 2^53`);
    const offsets = known.map(({ partition, offset }) => ({
      partition,
      offset: { ...offset, [collectionsKey]: withTables(offset[collectionsKey], tables) },
    }));
    const body = JSON.stringify({ offsets });
    const patch = { method: 'PATCH', headers: jsonHeaders, body };
    await done(`${connectUrl}/connectors/${name}/offsets`, patch, Date.now() + options.deadlineMs);
  } finally {
    await goOn(connectUrl, name, options.deadlineMs);
  }
}

/** Where Debezium keeps, in a connector's offset, which tables are still to be read again. */
const collectionsKey = 'incremental_snapshot_collections';
const collectionKey = 'incremental_snapshot_collections_id';

/** Can it be written back as it was read? */
const isExact = ({ offset }: CommittedOffset): boolean =>
  Object.values(offset).every((one) => typeof one !== 'number' || Number.isSafeInteger(one));

/** What is being read already stays first. */
function withTables(known: unknown, tables: readonly string[]): string {
  const before = typeof known === 'string' ? (JSON.parse(known) as readonly unknown[]) : [];
  return JSON.stringify([...before, ...tables.map((table) => ({ [collectionKey]: table }))]);
}

async function goOn(connectUrl: string, name: string, deadlineMs: number): Promise<void> {
  await done(`${connectUrl}/connectors/${name}/resume`, { method: 'PUT' });
  await waitUntilRunning(connectUrl, name, deadlineMs);
}

type CommittedOffset = {
  readonly partition: unknown;
  readonly offset: Readonly<Record<string, unknown>>;
};

async function committedOffsets(
  connectUrl: string,
  name: string,
  timeoutMs?: number,
): Promise<readonly CommittedOffset[]> {
  const answer = await call(`${connectUrl}/connectors/${name}/offsets`, {}, timeoutMs);
  if (!answer.ok) return [];
  return ((await answer.json()) as { readonly offsets: readonly CommittedOffset[] }).offsets;
}

/** The place in the source's log that a connector has committed; empty before the first one. */
export async function connectorPlace(
  connectUrl: string,
  name: string,
  timeoutMs?: number,
): Promise<Readonly<Record<string, unknown>>> {
  return (await committedOffsets(connectUrl, name, timeoutMs))[0]?.offset ?? {};
}

/** Even the last attempt gets so long. */
const callMinMs = 1_000;

/** Repeats while the workers are agreeing on who does what, or a task has not ended yet. */
async function done(url: string, init: RequestInit, giveUpAt = Date.now() + 30_000): Promise<void> {
  for (;;) {
    const answer = await call(url, init, Math.max(giveUpAt - Date.now(), callMinMs));
    if (answer.ok) return;
    const text = await answer.text();
    if (![400, 409].includes(answer.status) || Date.now() > giveUpAt) {
      throw new Error(`Kafka Connect refuses ${init.method} ${url} (${answer.status}): ${text}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** The last "Caused by" of a Java stack trace says what is wrong; the first line only who noticed. */
function rootCause(trace: string): string {
  const lines = trace.split('\n').filter((line) => /^\S/.test(line));
  return (lines.at(-1) ?? '').replace(/^Caused by: /, '');
}

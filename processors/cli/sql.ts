/** `stockline sql`: asks the analysts' views of the running pipeline. */
import { readFileSync } from 'node:fs';

export type SqlOptions = {
  readonly format: string;
  /** Where the running pipeline keeps its data. */
  readonly directory: string;
};

/** Prints the answer; resolves with the exit code. */
export async function sql(query: string, options: SqlOptions): Promise<number> {
  process.stdout.write(await askAnalytics(`${options.directory}/run`, query, options.format));
  return 0;
}

/** The answer of the analytics process as text; throws a sentence for people when there is none. */
export async function askAnalytics(
  runDirectory: string,
  query: string,
  format: string,
): Promise<string> {
  const { url, user, key } = addressIn(`${runDirectory}/analytics.json`);
  const login = Buffer.from(`${user}:${key}`).toString('base64');
  const response = await fetch(`${url}/?default_format=${encodeURIComponent(format)}`, {
    method: 'POST',
    ...(key === undefined ? {} : { headers: { authorization: `Basic ${login}` } }),
    body: query,
  }).catch((cause: unknown) => {
    throw new Unanswered(silence(url, cause), { cause });
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text.trim());
  return text;
}

/** The analytics process gave no answer at all: it is not there, or has too much to do. */
export class Unanswered extends Error {}

/** What can be done about an analytics process that gives no answer. */
function silence(url: string, cause: unknown): string {
  const { code } = ((cause as Error).cause ?? {}) as { readonly code?: string };
  if (code === 'UND_ERR_HEADERS_TIMEOUT') {
    return (
      `analytics has not answered at ${url} for minutes: on a busy machine it gives way to everything else.\n` +
      'Ask again when there is less to do.'
    );
  }
  return (
    `analytics does not answer at ${url}, so the pipeline has ended or is just starting.\n` +
    'Start it with `npm start`, then ask again.'
  );
}

type Address = { readonly url: string; readonly user?: string; readonly key?: string };

/** As the endpoint of the running pipeline wrote it. */
function addressIn(runFile: string): Address {
  try {
    return JSON.parse(readFileSync(runFile, 'utf8')) as Address;
  } catch {
    throw new Error(
      `the pipeline does not run here: ${runFile} is not there.\n` +
        'Start it with `npm start` (or name its folder with --directory), then ask again.',
    );
  }
}

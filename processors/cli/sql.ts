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
    throw new Error(
      `analytics does not answer at ${url}, so the pipeline has ended or is just starting.\n` +
        'Start it with `npm start`, then ask again.',
      { cause },
    );
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text.trim());
  return text;
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

/** Schemathesis (PyPI, in a directory of its own) against the API over a view with known figures. Exit code: Schemathesis'. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { outcomeOf, sampleServer } from './samples.ts';

const examples = process.argv[2] ?? '100';
const directory = join(tmpdir(), 'stockline-schemathesis');
const program = join(directory, 'bin/schemathesis');
if (!existsSync(program)) {
  execFileSync('python3', ['-m', 'venv', directory], { stdio: 'inherit' });
  execFileSync(join(directory, 'bin/pip'), ['install', '--quiet', 'schemathesis==4.32.5'], {
    stdio: 'inherit',
  });
}
const { server } = await sampleServer(outcomeOf, { deadlineMs: 2_000 });
const url = await server.listen({ host: '127.0.0.1', port: 0 });
const run = spawn(
  program,
  [
    ...['run', `${url}/v1/openapi.json`, '--url', url],
    ...['-H', 'Authorization: all'],
    // The stream does not end.
    ...['--exclude-path', '/v1/stock/stream', '--request-timeout', '10'],
    // A cursor of another list, a missing key, a fourth decimal: refused, and documented in words only.
    ...['--exclude-checks', 'positive_data_acceptance'],
    ...['--max-examples', examples, '--seed', '1', '--workers', '2', '--no-color'],
  ],
  { stdio: 'inherit', cwd: tmpdir() },
);
process.exitCode = await new Promise<number>((resolve) => {
  run.on('exit', (code) => resolve(code ?? 1));
});
await server.close();

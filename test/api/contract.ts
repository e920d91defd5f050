/** Schemathesis (PyPI, in a directory of its own) against REST and GraphQL over a view with known figures. Exit code: 0 when nothing was found. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
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
const settings = join(directory, 'stockline.toml');
// Beside its own list: a body that is too large is refused with 413, as RFC 9110 has it.
writeFileSync(
  settings,
  '[checks]\nnegative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "406", "409", "412", "413", "415", "422", "428", "429", "5xx"]\n',
);
const common = [
  ...['-H', 'Authorization: all', '--request-timeout', '10'],
  ...['--max-examples', examples, '--seed', '1', '--workers', '1', '--no-color'],
];

/** Resolves with Schemathesis' exit code. */
function run(...wanted: readonly string[]): Promise<number> {
  const running = spawn(program, ['--config-file', settings, 'run', ...wanted, ...common], {
    stdio: 'inherit',
    cwd: tmpdir(),
  });
  return new Promise((resolve) => running.on('exit', (code) => resolve(code ?? 1)));
}

const rest = await run(
  ...[`${url}/v1/openapi.json`, '--url', url],
  // The stream does not end.
  ...['--exclude-path', '/v1/stock/stream'],
  // A cursor of another list, a missing key, a fourth decimal: refused, and documented in words only.
  ...['--exclude-checks', 'positive_data_acceptance'],
);
// Whatever it asks, an answer has errors that are ours: one of the server itself is written to its log, which is this one.
let faults = 0;
const write = process.stderr.write.bind(process.stderr);
process.stderr.write = ((...given: Parameters<typeof write>) => {
  faults += 1;
  return write(...given);
}) as typeof write;
const graphql = await run(
  ...[join(process.cwd(), 'docs/api/schema.graphql'), '--url', `${url}/v1/graphql`],
  // It takes each answer with errors for one.
  ...['--exclude-checks', 'not_a_server_error'],
);
process.stderr.write = write;
process.stdout.write(`GraphQL: ${faults} faults of the server\n`);
process.exitCode = rest || graphql || (faults === 0 ? 0 : 1);
await server.close();

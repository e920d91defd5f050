/** The native stack by itself: `node --import @oxc-node/core/register deploy/native/main.ts [directory]` runs it until Ctrl-C. */
import { startStack } from './stack.ts';

const directory = process.argv[2] ?? '.stockline/stack';
if (directory.startsWith('-')) {
  process.stderr.write(
    'usage: node --import @oxc-node/core/register deploy/native/main.ts [directory]\n',
  );
  process.exit(directory === '--help' ? 0 : 2);
}
const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupt.abort());
}
try {
  const stack = await startStack({
    directory,
    report: (line) => process.stderr.write(`${line}\n`),
    signal: interrupt.signal,
  });
  process.stdout.write(`${JSON.stringify(stack.addresses, null, 2)}\n`);
  if (!interrupt.signal.aborted) {
    const keepRunning = setInterval(() => undefined, 60_000);
    await new Promise<void>((resolve) =>
      interrupt.signal.addEventListener('abort', () => resolve()),
    );
    clearInterval(keepRunning);
  }
  await stack.stop();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

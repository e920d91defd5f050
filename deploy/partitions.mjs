/** How many partitions the topics of a pipeline on this machine have: chosen at its first start, remembered in its folder. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const partitionsMax = 4;
const ordinaryDirectory = '.stockline';

/**
 * What to add to the environment of `stockline` with these arguments, the verb first. Each partition that a transaction writes to
 * is a request of its own to the broker, and a machine that carries the databases and Kafka as well has no cores to share
 * a processor's work out among: so half as many as there are cores.
 */
export function partitionsFor(args, environment, cores = availableParallelism()) {
  if (environment.STOCKLINE_KAFKA !== undefined) return {};
  const fitting = Math.min(partitionsMax, Math.max(1, Math.floor(cores / 2)));
  const told = environment.STOCKLINE_PARTITIONS;
  const chosen = { STOCKLINE_PARTITIONS: told ?? String(fitting) };
  // A broker of its own, without a yesterday.
  if (args[0] === 'stress') return chosen;
  const directory = directoryIn(args);
  const file = join(directory, 'partitions');
  if (told === undefined && existsSync(file)) {
    return { STOCKLINE_PARTITIONS: readFileSync(file, 'utf8').trim() };
  }
  // What began before there was a choice goes on as it is.
  if (args[0] !== 'start' || existsSync(join(directory, 'stack'))) return {};
  mkdirSync(directory, { recursive: true });
  writeFileSync(file, `${chosen.STOCKLINE_PARTITIONS}\n`);
  return chosen;
}

function directoryIn(args) {
  const at = args.findIndex((arg) => arg === '--directory' || arg.startsWith('--directory='));
  if (at < 0) return ordinaryDirectory;
  return args[at].split('=')[1] ?? args[at + 1] ?? ordinaryDirectory;
}

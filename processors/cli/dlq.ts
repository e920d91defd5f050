/** `stockline dlq`: what could not be used, why, and sending it again once the cause is mended. */
import { Command, InvalidArgumentError } from 'commander';
import type { DeadLetter } from '../../schemas/types.ts';
import { readDeadLetters, redriveLetters } from '../adapters/kafka/dead-letter-log.ts';
import { readPlaces } from '../settings/places.ts';
import { deadLetters } from '../topics.ts';
import {
  type FiledLetter,
  filtered,
  histogram,
  type LetterFilter,
  openLetters,
  planRedrive,
  redrivenCode,
} from './dead-letters.ts';
import { layOut } from './screen.ts';

type Options = LetterFilter & {
  readonly directory: string;
  readonly json?: true;
  readonly all?: true;
  readonly dryRun?: true;
  readonly redrivesMax: number;
};

const shown = 20;

export function dlqCommand(): Command {
  const dlq = new Command('dlq').description(
    'what could not be used (dead letters): list, look at, send again',
  );
  withFilter(dlq.command('list').description('open dead letters, with a count per reason'))
    .option('--json', 'one JSON object per line')
    .option('--all', 'also those that have been sent again')
    .action(async (options: Options) => list(options));
  dlq
    .command('show')
    .description('one dead letter with its reason and its bytes')
    .argument('<place>', 'as `dlq list` names it, such as 2-17')
    .option('--directory <path>', 'where the running pipeline keeps its data', '.stockline')
    .action(async (place: string, options: Options) => show(place, options));
  withFilter(
    dlq
      .command('redrive')
      .description('send dead letters to where they came from, byte for byte; each goes once'),
  )
    .option('--dry-run', 'only say what would be sent')
    .option('--redrives-max <n>', 'keep back what came back this often', wholeNumber, 3)
    .action(async (options: Options) => redrive(options));
  return dlq;
}

function withFilter(command: Command): Command {
  return command
    .option('--reason <code>', 'only of this code, such as LATE')
    .option('--since <time>', 'only from this time on, such as 2026-05-20T08:00Z', time)
    .option('--topic <name>', 'only from this topic')
    .option('--max <n>', 'at most so many, oldest first', wholeNumber)
    .option('--directory <path>', 'where the running pipeline keeps its data', '.stockline');
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('a whole number above zero is needed.');
  }
  return value;
}

function time(text: string): number {
  const at = Date.parse(text);
  if (Number.isNaN(at)) {
    throw new InvalidArgumentError('a time such as 2026-05-20T08:00Z is needed.');
  }
  return at;
}

const placesFor = (options: Options) => readPlaces(process.env, options.directory);
const read = (options: Options): Promise<readonly FiledLetter[]> =>
  readDeadLetters(placesFor(options), deadLetters);

async function list(options: Options): Promise<void> {
  const all = await read(options);
  const wanted = filtered(options.all === true ? all : openLetters(all), options);
  if (options.json === true) {
    for (const { place, letter } of wanted) {
      const { code, reason, topic, partition, offset, timestamp, redrives, processor } = letter;
      const line = {
        place,
        code,
        reason,
        topic,
        partition,
        offset,
        timestamp,
        redrives,
        processor,
      };
      process.stdout.write(`${JSON.stringify(line)}\n`);
    }
    return;
  }
  if (wanted.length === 0) return void process.stdout.write('no dead letters\n');
  const rows = wanted
    .slice(-shown)
    .map(({ place, letter }) => [
      place,
      new Date(letter.timestamp).toISOString(),
      letter.code,
      `${letter.topic}@${letter.offset}`,
      letter.reason.slice(0, 100),
    ]);
  process.stdout.write(`${layOut(rows).join('\n')}\n`);
  if (wanted.length > shown) process.stdout.write(`... the last ${shown} of ${wanted.length}\n`);
  sayHistogram(wanted, process.stdout);
}

async function show(place: string, options: Options): Promise<void> {
  const found = (await read(options)).find((filed) => filed.place === place);
  if (found === undefined) {
    throw new Error(`no dead letter has the place ${place}: \`stockline dlq list\` names them`);
  }
  const { letter } = found;
  const headers = letter.headers.map(({ name, value }) => [`header ${name}`, printable(value)]);
  const rows = [
    ['code', letter.code],
    ['reason', letter.reason],
    ['refused by', letter.processor],
    ['from', `${letter.topic}, partition ${letter.partition}, offset ${letter.offset}`],
    ['written', new Date(letter.timestamp).toISOString()],
    ['redriven', `${letter.redrives} times`],
    ...headers,
    ['key', printable(letter.key)],
    ['value', printable(letter.value)],
  ];
  process.stdout.write(`${layOut(rows).join('\n')}\n`);
}

async function redrive(options: Options): Promise<void> {
  const places = placesFor(options);
  const open = filtered(openLetters(await readDeadLetters(places, deadLetters)), options);
  const { send, keptBack } = planRedrive(open, options.redrivesMax);
  const talk = process.stderr;
  if (keptBack.length > 0) {
    talk.write(
      `${keptBack.length} kept back: they came back ${options.redrivesMax} times; mend the cause, then use --redrives-max\n`,
    );
  }
  sayHistogram(send, talk);
  if (options.dryRun === true) {
    talk.write(`${send.length} would be sent again\n`);
    return;
  }
  await redriveLetters(places, deadLetters, send, noteOf);
  talk.write(`${send.length} sent again\n`);
}

function noteOf({ place, letter }: FiledLetter): DeadLetter {
  return { ...letter, code: redrivenCode, reason: place, key: null, value: null, headers: [] };
}

function sayHistogram(letters: readonly FiledLetter[], to: NodeJS.WriteStream): void {
  const rows = histogram(letters).map(([code, topic, count]) => [String(count), code, topic]);
  if (rows.length > 0) to.write(`${layOut(rows).join('\n')}\n`);
}

/** Bytes as text where they are text, else in hexadecimal. */
function printable(bytes: Uint8Array | null): string {
  if (bytes === null) return 'null';
  const text = Buffer.from(bytes).toString('utf8');
  const isText = /^[\x20-\x7e]*$/.test(text);
  return isText ? text : Buffer.from(bytes).toString('hex');
}

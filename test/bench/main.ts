/** `npm run bench`: how fast stock and intake are, beside a copy loop and Kafka Streams, every output checked. */
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { Command, Option } from 'commander';
import rdkafka from 'node-rdkafka';
import { changelogSettings } from '../../processors/adapters/kafka/admin.ts';
import { stockTopology } from '../../processors/stock/topology.ts';
import { pinned } from '../support/pinned.ts';
import { type Bench, runBench } from './bench.ts';
import { latencyContest } from './latency.ts';
import { replayContest } from './replay.ts';
import { restartContest } from './restart.ts';
import { openSetting, type Setting } from './setting.ts';
import { StockContest } from './stock-contest.ts';
import { prepareStreams } from './streams.ts';

const command = new Command('bench')
  .description('Measures stock and intake beside a copy loop and Kafka Streams on one broker.')
  .option('--json <file>', 'write all figures there')
  .option('--quick', 'a rough answer in under five minutes', false)
  .addOption(new Option('--workload <name>').choices(['W1', 'W2', 'W3', 'W4']).default('W1'))
  .option('--restart <cells>', 'only: restarts after kill -9 with so many cells', Number)
  .option('--replay <entries>', 'only: stockline replay of a ledger of so many entries', Number)
  .option('--latency', 'only: the latency of one hop, lightly loaded and at a rate', false)
  .option('--rate <perSecond>', 'for --latency: half of the top rate', Number, 10_000)
  .parse();
const options = command.opts<{
  readonly json?: string;
  readonly quick: boolean;
  readonly workload: Bench['workload'];
  readonly restart?: number;
  readonly replay?: number;
  readonly latency: boolean;
  readonly rate: number;
}>();

const report = (line: string): void => void process.stderr.write(`${line}\n`);
const setting = await openSetting(report);
const interrupted = (): void => {
  void setting.close().finally(() => process.exit(130));
};
process.once('SIGINT', interrupted);
process.once('SIGTERM', interrupted);
let failed = false;
try {
  const result = await measured(setting);
  const text = `${JSON.stringify({ versions: versions(), ...result }, null, 2)}\n`;
  if (options.json !== undefined) writeFileSync(options.json, text);
  process.stdout.write(text);
  failed = 'oracleEqual' in result && !result.oracleEqual;
} finally {
  await setting.close();
}
process.exit(failed ? 1 : 0);

async function measured(on: Setting) {
  if (options.restart !== undefined) {
    return { restart: await restartContest(on, { cells: options.restart, id: 'bench-restart' }) };
  }
  if (options.replay !== undefined) {
    return { replay: await replayContest(on, { entries: options.replay }) };
  }
  if (options.latency) return { latency: await latencies(on) };
  return runBench(on, { workload: options.workload, quick: options.quick });
}

async function latencies(on: Setting) {
  const contest = new StockContest(on, [], await prepareStreams(report));
  const rows = [];
  for (const perSecond of [200, options.rate]) {
    for (const name of ['ours', 'streamsMemory'] as const) {
      const id = `hop-${name.toLowerCase()}-${perSecond}`;
      const changelog = changelogSettings({ ...stockTopology, name: id });
      const contender = contest.contender(name, id, on.folder(id), changelog);
      rows.push(await latencyContest(on, contender, { perSecond, seconds: 20 }));
      report(JSON.stringify(rows.at(-1)));
    }
  }
  return rows;
}

function versions() {
  return {
    node: process.version,
    librdkafka: rdkafka.librdkafkaVersion,
    kafka: pinned('kafka.version'),
    streams: pinned('kafka-streams.version'),
    processor: cpus()[0]?.model ?? '',
    cores: cpus().length,
    memoryBytes: totalmem(),
  };
}

/** `stockline forecast`: what will be sold, how well that is told, and what to order. */
import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { type BacktestResult, backtest, methodNames } from '../forecasts/backtest.ts';
import { datasetPanel, simulatedPanel } from './forecast/data.ts';
import { forecastRun, forecastShow, proposalDecide, proposalList } from './forecast/run.ts';
import { layOut } from './screen.ts';

type BacktestOptions = {
  readonly seed: number;
  readonly days: number;
  readonly dataset?: string;
  readonly json?: string;
  readonly cache: string;
};

export function forecastCommand(): Command {
  const forecast = new Command('forecast').description(
    'what each SKU will sell at each location, and what to order',
  );
  forecast
    .command('backtest')
    .description(
      'forecast the past from what was known then, by each method; 0 when ours has the smallest loss and its intervals ' +
        'hold what they say',
    )
    .option('--seed <n>', 'seed of the simulated retailer', positive, 1)
    .option('--days <n>', 'days of its sales', positive, 112)
    .option(
      '--dataset <name>',
      'instead: pizzaplace (from PyPI), or a CSV of date,sku,location,units',
    )
    .option('--json <file>', 'write the result here')
    .option('--cache <path>', 'where a data set is kept', '.stockline/datasets')
    .action(async (options: BacktestOptions) => {
      process.exitCode = runBacktest(options);
    });
  forecast
    .command('run')
    .description(
      'forecast every cell from the sales that analytics knows, and propose what to order; the process `forecasts` does so daily',
    )
    .option('--rules <file>', 'rules of replenishment', process.env.STOCKLINE_REPLENISHMENT)
    .option('--json', 'as JSON', false)
    .option(...directoryOption)
    .action(async (options) => {
      process.exitCode = await forecastRun(options);
    });
  forecast
    .command('show')
    .description('what a SKU will sell in the next days, and when its stock runs out')
    .argument('<sku>', 'as the ERP spells it')
    .argument('[location]', 'one location; absent: each')
    .option('--json', 'as JSON, with the hours', false)
    .option(...directoryOption)
    .action(async (sku, location, options) => {
      process.exitCode = await forecastShow(sku, location, options);
    });
  return forecast;
}

export function proposalCommand(): Command {
  const proposal = new Command('proposal').description('what is proposed to be ordered');
  proposal
    .command('list')
    .description('proposals that wait for a person, the most urgent first')
    .option('--all', 'also those that are decided', false)
    .option('--json', 'one JSON object per line', false)
    .option(...directoryOption)
    .action(async (options) => {
      process.exitCode = await proposalList(options);
    });
  for (const [verb, state] of [
    ['approve', 'approved'],
    ['reject', 'rejected'],
  ] as const) {
    proposal
      .command(verb)
      .description(`it is ${state}; the audit keeps who and why`)
      .argument('<id>', 'as `proposal list` names it')
      .requiredOption('--by <name>', 'who decides')
      .requiredOption('--reason <text>', 'why')
      .option(...directoryOption)
      .action(async (id, options) => {
        process.exitCode = await proposalDecide(id, state, options);
      });
  }
  return proposal;
}

const directoryOption = [
  '--directory <path>',
  'where the running pipeline keeps its data',
  '.stockline',
] as const;

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value <= 0) {
    throw new InvalidArgumentError('a whole number above zero is needed.');
  }
  return value;
}

function runBacktest(options: BacktestOptions): number {
  const panel =
    options.dataset === undefined
      ? simulatedPanel(options.seed, options.days)
      : datasetPanel(options.dataset, options.cache);
  const result = backtest(panel);
  process.stdout.write(`${screen(result)}\n`);
  for (const sentence of result.missed) process.stderr.write(`missed: ${sentence}\n`);
  if (options.json !== undefined) {
    const { methods, ...rest } = result;
    writeFileSync(options.json, `${JSON.stringify({ ...methods, ...rest }, null, 2)}\n`);
  }
  return result.missed.length === 0 ? 0 : 1;
}

function screen({ methods, cells, days, origins, judged }: BacktestResult): string {
  const percent = (share: number | undefined): string => `${((share ?? 0) * 100).toFixed(1)} %`;
  const rows = methodNames.map((name) => {
    const { pinball, serviceLevel, coverage } = methods[name];
    const shares = [coverage[0.8], coverage[0.9], coverage[0.95]].map(percent);
    return [name, pinball.toFixed(4), percent(serviceLevel), ...shares];
  });
  const head = ['method', 'pinball', 'service at 95 %', 'in 80 %', 'in 90 %', 'in 95 %'];
  return [
    `${cells} cells, ${days} days, ${origins} origins, ${judged} days judged`,
    ...layOut([head, ...rows]),
  ].join('\n');
}

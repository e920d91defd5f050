/** The command line: `stockline <verb>`. Data goes to stdout, talk to stderr; 0 ok, 1 failed, 2 wrong usage. */
import { Command, InvalidArgumentError } from 'commander';
import { readPlaces } from '../settings/places.ts';
import { anomaliesCommand } from './anomalies.ts';
import { apply } from './apply.ts';
import { auditCommand } from './audit.ts';
import { channelCommand } from './channel.ts';
import { cutoverCommand } from './cutover.ts';
import { dlqCommand } from './dlq.ts';
import { explain } from './explain.ts';
import { forecastCommand, proposalCommand } from './forecast.ts';
import { keyCommand } from './key.ts';
import { mapCommand } from './map.ts';
import { replay } from './replay.ts';
import { sourceCommand } from './source.ts';
import { sql } from './sql.ts';
import { start } from './start.ts';
import { webhookCommand } from './webhook.ts';

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value <= 0) {
    throw new InvalidArgumentError('a whole number above zero is needed.');
  }
  return value;
}

function moment(text: string): number {
  const at = Date.parse(text);
  if (Number.isNaN(at)) {
    throw new InvalidArgumentError('a time such as 2026-05-20T08:00Z is needed.');
  }
  return at;
}

function wholeNumber(text: string): number {
  return text === '0' ? 0 : positiveInteger(text);
}

// Whoever reads has seen enough, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

// What is seldom asked for is loaded when it is: every command waits for the rest.
const program = new Command('stockline')
  .description('One authoritative stock figure per SKU and location, from change logs.')
  .showHelpAfterError()
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? 0 : 2);
  });

program
  .command('start')
  .description(
    'bring everything up on this machine and run the pipeline with the simulated retailer',
  )
  .option('--transactions <n>', 'end after this many source transactions', positiveInteger)
  .option(
    '--rate <n>',
    'source transactions per second (default: flat out with --transactions, else 20)',
    positiveInteger,
  )
  .option('--seconds <n>', 'with --rate: how long to measure', positiveInteger)
  .option('--seed <n>', 'seed of the simulated retailer', positiveInteger, 1)
  .option(
    '--exit',
    'wait until all has arrived, compare, and end: 0 when all is equal, else 1',
    false,
  )
  .option('--json <file>', 'write the result here')
  .option('--directory <path>', 'where data and logs are kept', '.stockline')
  .action(async (options) => {
    process.exitCode = await start(options);
  });

const stress = program
  .command('stress')
  .description('put the pipeline under load and judge what came of it');

stress
  .command('analytics')
  .description(
    'load many records into the embedded ClickHouse through kills, rewinds and outages; 0 when the views hold each ' +
      'record once; and how fast movements are loaded without faults',
  )
  .option('--records <n>', 'records in all, over four topics', positiveInteger, 1_000_000)
  .option('--skus <n>', 'how many SKUs they are about, per partition', positiveInteger, 5_000)
  .option('--kills <n>', 'how often the loading process is killed', wholeNumber, 20)
  .option('--rewinds <n>', 'how many of its lives begin with older offsets', wholeNumber, 5)
  .option('--rate-records <n>', 'movements for the rate; 0: none', wholeNumber, 1_000_000)
  .option('--seed <n>', 'seed of records and faults', positiveInteger, 1)
  .option('--json <file>', 'write the result here')
  .action(async (options) => {
    const { stressAnalytics } = await import('./stress/analytics.ts');
    process.exitCode = await stressAnalytics(options);
  });

stress
  .command('api')
  .description(
    'reads and reservations through the API at fixed rates, on a broker of its own; 0 when nothing failed and nothing ' +
      'is oversold',
  )
  .option('--seconds <n>', 'how long, after a warm-up', positiveInteger, 60)
  .option('--reads <n>', 'reads per second', positiveInteger, 5_000)
  .option('--reservations <n>', 'reservations per second', positiveInteger, 500)
  .option('--skus <n>', 'how many SKUs they are about', positiveInteger, 200)
  .option('--seed <n>', 'seed of the clients', positiveInteger, 1)
  .option('--json <file>', 'write the result here')
  .option(
    '--kill',
    'kill the API again and again instead, while clients write and ask again with the same key',
  )
  .action(async (options) => {
    const { stressApi } = await import('./stress/api.ts');
    const { stressApiKills } = await import('./stress/api-kills.ts');
    process.exitCode = await (options.kill === true ? stressApiKills : stressApi)(options);
  });

stress
  .command('freshness')
  .description(
    'reads that demand a watermark, on a whole pipeline of its own whose sources change, and whose hops are paused in ' +
      'turn; 0 when no answer is older than demanded and every answer names a paused hop within 2 s',
  )
  .option('--reads <n>', 'reads in all', positiveInteger, 1_000_000)
  .option('--clients <n>', 'how many ask at the same time', positiveInteger, 32)
  .option('--skus <n>', 'how many SKUs they are about', positiveInteger, 50)
  .option('--rate <n>', 'source transactions per second beside them', positiveInteger, 20)
  .option('--seed <n>', 'seed of the retailer and the clients', positiveInteger, 1)
  .option('--json <file>', 'write the result here')
  .action(async (options) => {
    const { stressFreshness } = await import('./stress/freshness.ts');
    process.exitCode = await stressFreshness(options);
  });

stress
  .command('reservations')
  .description(
    'many clients reserve few SKUs on a broker of their own (or STOCKLINE_KAFKA, STOCKLINE_REGISTRY); 0 when nothing ' +
      'is oversold, held for nobody, unanswered or answered twice, and each history is linearizable',
  )
  .option('--commands <n>', 'requests in all', positiveInteger, 10_000)
  .option('--clients <n>', 'how many ask at the same time', positiveInteger, 50)
  .option('--skus <n>', 'how many SKUs they want', positiveInteger, 50)
  .option('--kill', 'kill -9 the processors in turn meanwhile', false)
  .option(
    '--rate <n>',
    'instead of a crowd: so many requests per second, for the latency',
    positiveInteger,
  )
  .option('--seconds <n>', 'with --rate: for how long', positiveInteger, 30)
  .option('--seed <n>', 'seed of the clients', positiveInteger, 1)
  .option('--json <file>', 'write the result here')
  .action(async (options) => {
    const { stressReservations } = await import('./stress/reservations.ts');
    process.exitCode = await stressReservations(options);
  });

stress
  .command('marketplaces')
  .description(
    'changes of a channel to Amazon, eBay and a shop, simulated with their limits and failures, on a broker of its own; 0 ' +
      'when sold-outs are in time, no quota or budget is exceeded, nothing older follows and the last figures are equal',
  )
  .option('--skus <n>', 'how many listings each has', positiveInteger, 10_000)
  .option('--changes <n>', 'changes per second', positiveInteger, 2_000)
  .option('--seconds <n>', 'for how long', positiveInteger, 60)
  .option('--sold-outs <n>', 'of them sold-outs, per second', positiveInteger, 4)
  .option('--seed <n>', 'seed of changes and failures', positiveInteger, 1)
  .option('--json <file>', 'write the result here')
  .action(async (options) => {
    const { stressMarketplaces } = await import('./stress/marketplaces.ts');
    process.exitCode = await stressMarketplaces(options);
  });

stress
  .command('webhooks')
  .description(
    'changes of a channel to a receiver that loses, delays, doubles and reorders 10 % each and restarts, on a broker of its ' +
      'own; 0 when it ends with our figures and never began anew',
  )
  .option('--skus <n>', 'how many SKUs they are about', positiveInteger, 1_000)
  .option('--changes <n>', 'changes in all', positiveInteger, 6_000)
  .option('--seconds <n>', 'for how long', positiveInteger, 40)
  .option('--kill', 'kill -9 the sender meanwhile', false)
  .option('--seed <n>', 'seed of changes and mishaps', positiveInteger, 1)
  .option('--json <file>', 'write the result here')
  .action(async (options) => {
    const { stressWebhooks } = await import('./stress/webhooks.ts');
    process.exitCode = await stressWebhooks(options);
  });

program
  .command('describe')
  .description('write docs/api anew from the code: OpenAPI, AsyncAPI, the GraphQL schema')
  .action(async () => {
    const { writeApiDocuments } = await import('./api-documents.ts');
    process.exitCode = await writeApiDocuments();
  });

program
  .command('explain')
  .description('what each figure of a SKU is made of, from the ledger alone, now or at a moment')
  .argument('<sku>', 'as the ERP spells it')
  .argument('[location]', 'one location; absent: each')
  .option('--at <time>', 'as it was told then, such as 2026-05-20T08:00Z', moment)
  .option('--steps <n>', 'so many steps of each quantity, newest first', positiveInteger, 20)
  .option('--source', 'also the movement and the row of the source that stated each step', false)
  .option('--json', 'as JSON, with every step', false)
  .option('--directory <path>', 'where the running pipeline keeps its data', '.stockline')
  .action(async (sku, location, options) => {
    process.exitCode = await explain(sku, location, options);
  });

program
  .command('replay')
  .description(
    'make the stock and channel figures anew from the ledger alone and compare them with the topics; 0 when identical',
  )
  .option('--json <file>', 'write the result here')
  .option('--directory <path>', 'where the running pipeline keeps its data', '.stockline')
  .action(async (options) => {
    process.exitCode = await replay(options);
  });

program
  .command('apply')
  .description(
    'make topics, schemas, grants in the sources and connectors as they shall be; safe to repeat',
  )
  .option('--directory <path>', 'where the running pipeline keeps its data', '.stockline')
  .addHelpText(
    'after',
    '\nElsewhere than beside `npm start`, the environment says where everything is: STOCKLINE_KAFKA, STOCKLINE_REGISTRY,' +
      '\nSTOCKLINE_CONNECT, STOCKLINE_SECRETS (a folder that Kafka Connect reads too), STOCKLINE_ERP (postgres://admin@host/erp),' +
      '\nSTOCKLINE_ERP_PASSWORD, STOCKLINE_POS (mariadb://admin@host/pos), STOCKLINE_POS_PASSWORD; NAME_FILE names a file with the value.',
  )
  .action(async ({ directory }) => {
    process.exitCode = await apply(readPlaces(process.env, directory));
  });

program
  .command('sql')
  .description(
    'ask the analysts\' views while the pipeline runs, e.g. "SELECT * FROM stock_now LIMIT 5"',
  )
  .argument('<query>', 'one SELECT')
  .option(
    '--format <name>',
    'a ClickHouse format, such as PrettyCompact, JSON or CSV',
    'PrettyCompact',
  )
  .option('--directory <path>', 'where the running pipeline keeps its data', '.stockline')
  .action(async (query, options) => {
    process.exitCode = await sql(query, options);
  });

for (const group of [
  anomaliesCommand(),
  auditCommand(),
  dlqCommand(),
  channelCommand(),
  cutoverCommand(),
  forecastCommand(),
  keyCommand(),
  proposalCommand(),
  mapCommand(),
  sourceCommand(),
  webhookCommand(),
]) {
  group.copyInheritedSettings(program);
  for (const command of group.commands) command.copyInheritedSettings(group);
  program.addCommand(group);
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`stockline: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

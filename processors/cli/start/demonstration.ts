/**
 * The demonstration: native stack, the two legacy systems, connectors, processors, the simulated retailer, and an
 * outside reader of the results; opened in order, closed in reverse.
 */
import { mkdirSync } from 'node:fs';
import { legacySql } from '../../../connectors/simulator/legacy-sql.ts';
import { openSimulator, type Simulator } from '../../../connectors/simulator/simulator.ts';
import { type StackAddresses, startStack } from '../../../deploy/native/stack.ts';
import { type IndependentReader, readTopics } from '../../adapters/kafka/independent-reader.ts';
import type { ChannelPolicy } from '../../channels/policy.ts';
import { type Processors, startProcessors } from '../../processes/child-processes.ts';
import { type Counts, countsOf } from '../../processes/status.ts';
import { placesOf, rememberStack, watchedEnvironment } from '../../settings/places.ts';
import { loadPolicies } from '../../settings/policies.ts';
import { alerts, channelStock, stockLevels } from '../../topics.ts';
import { applyCapture, applyTopicsAndSchemas } from '../apply.ts';
import type { DatabaseAccess } from '../source/grants.ts';
import { type AnalyticsFigures, analyticsFigures } from './analytics-figures.ts';
import type { FiguresByCell } from './compare.ts';
import { Figures } from './figures.ts';
import { installErp, installPos } from './legacy-systems.ts';

export type Demonstration = {
  readonly addresses: StackAddresses;
  readonly simulator: Simulator;
  readonly figures: Figures;
  readonly reader: IndependentReader;
  readonly processors: Processors;
  readonly policies: readonly ChannelPolicy[];
  readonly counts: () => Counts;
  readonly legacySql: () => Promise<FiguresByCell>;
  readonly analyticsFigures: () => Promise<AnalyticsFigures>;
  readonly onNote: (listener: (text: string) => void) => void;
  readonly close: () => Promise<void>;
};

export type DemonstrationOptions = {
  readonly directory: string;
  /** The real parts, where they run already; absent: they are started, and stopped again. */
  readonly stack?: StackAddresses;
  readonly seed: number;
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
  /** Told when a part of the stack has ended by itself: nothing works from then on. */
  readonly onLost?: (sentence: string) => void;
};

type Closer = () => Promise<void>;

const processorsReadyMs = 90_000;

export async function openDemonstration(options: DemonstrationOptions): Promise<Demonstration> {
  const closers: Closer[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return { ...(await open(options, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  options: DemonstrationOptions,
  closers: Closer[],
): Promise<Omit<Demonstration, 'close'>> {
  const { directory, report } = options;
  let note = report;
  const addresses = options.stack ?? (await startParts(options, closers));
  rememberStack(directory, addresses);
  const places = placesOf(addresses, process.env);
  // The simulated retailer has these two, whatever else is captured.
  const erp = { ...addresses.postgres, database: 'erp' };
  const pos = { ...addresses.mariadb, database: 'pos' };
  const simulator = await openLegacySystems(options, erp, pos);
  closers.push(() => simulator.close());
  const policies = loadPolicies(process.env.STOCKLINE_POLICIES);
  await applyTopicsAndSchemas(places, policies, report);
  const processors = launchProcessors(directory, addresses, (text) => note(text));
  closers.push(() => processors.stop());
  await applyCapture(places, report);
  await processors.ready(processorsReadyMs);
  report('processors: running');

  const figures = new Figures();
  const reader = await readTopics({
    brokers: addresses.kafkaBrokers,
    registryUrl: addresses.registryUrl,
    group: `screen-${process.pid}`,
    topics: [
      stockLevels.name,
      alerts.name,
      ...policies.map((policy) => channelStock(policy.channel).name),
    ],
    onRecord: (record) => figures.onRecord(record),
  });
  closers.push(() => reader.stop());
  return {
    addresses,
    simulator,
    figures,
    reader,
    processors,
    policies,
    counts: () => countsOf(processors.status),
    legacySql: () => legacySql({ postgres: login(erp), mariadb: login(pos) }),
    analyticsFigures: () => analyticsFigures(`${directory}/run`),
    onNote: (listener) => {
      note = listener;
    },
  };
}

async function startParts(
  options: DemonstrationOptions,
  closers: Closer[],
): Promise<StackAddresses> {
  const stack = await startStack({ ...options, directory: `${options.directory}/stack` });
  closers.push(() => stack.stop());
  return stack.addresses;
}

/** Both databases with their history from before Stockline came. */
async function openLegacySystems(
  options: DemonstrationOptions,
  erp: DatabaseAccess,
  pos: DatabaseAccess,
): Promise<Simulator> {
  const [newErp, newPos] = await Promise.all([installErp(erp), installPos(pos)]);
  const simulator = await openSimulator({
    postgres: login(erp),
    mariadb: login(pos),
    seed: options.seed,
    directory: `${options.directory}/simulator`,
  });
  if (newErp || newPos) options.report('legacy systems: master data and some history');
  await simulator.seedMasterData();
  options.report('legacy systems: erp (PostgreSQL) and pos (MariaDB) are there');
  return simulator;
}

function launchProcessors(
  directory: string,
  addresses: StackAddresses,
  note: (text: string) => void,
): Processors {
  const logDirectory = `${directory}/logs`;
  mkdirSync(logDirectory, { recursive: true });
  return startProcessors({
    processes: {
      intake: 'intake',
      stock: 'stock',
      carts: 'carts,audit,webhooks',
      analytics: 'analytics',
      anomalies: 'anomalies',
      forecasts: 'forecasts',
      api: 'api',
      delivery: 'delivery,serving',
    },
    environment: {
      STOCKLINE_KAFKA: addresses.kafkaBrokers,
      STOCKLINE_REGISTRY: addresses.registryUrl,
      STOCKLINE_CONNECT: addresses.connectUrl,
      ...watchedEnvironment(placesOf(addresses)),
      STOCKLINE_STATE: `${directory}/state`,
      STOCKLINE_RUN: `${directory}/run`,
    },
    logDirectory,
    note,
  });
}

function login(access: DatabaseAccess) {
  return {
    host: access.host,
    port: access.port,
    user: access.adminUser,
    password: access.adminPassword,
    database: access.database,
  };
}

/** Topics, schemas, the sources' grants and the connectors as they shall be. Safe to repeat. */
import { erpMapping } from '../../connectors/erp/mapping.ts';
import { systems } from '../../connectors/systems.ts';
import { registerSchemas } from '../adapters/avro-registry.ts';
import {
  applyTopics,
  changelogSettings,
  foreignSettings,
  topicSettings,
} from '../adapters/kafka-admin.ts';
import type { ChannelPolicy } from '../channels/policy.ts';
import { capturedTables } from '../intake/mapping.ts';
import { sourceTopics } from '../intake/topology.ts';
import { channelStock, inventoryTopics } from '../topics.ts';
import { streamProcessors, topologiesOf } from '../topologies.ts';
import type { Topic } from '../topology/topic.ts';
import { applyConnectors, secret } from './connectors.ts';
import type { Places } from './places.ts';
import { loadPolicies } from './policies.ts';
import { ordinaryRules } from './rules.ts';
import { grantMariadb, grantPostgres } from './sources.ts';

type Report = (line: string) => void;

/** The capture user in every source; README.md names it. */
const captureUser = 'stockline';

/** `stockline apply`: all of it; resolves with the exit code. */
export async function apply(places: Places): Promise<number> {
  const report: Report = (line) => void process.stderr.write(`${line}\n`);
  await applyTopicsAndSchemas(places, loadPolicies(process.env.STOCKLINE_POLICIES), report);
  await applyCapture(places, report);
  return 0;
}

export async function applyTopicsAndSchemas(
  places: Pick<Places, 'brokers' | 'registryUrl'>,
  policies: readonly ChannelPolicy[],
  report: Report,
): Promise<void> {
  const own = [
    ...inventoryTopics,
    ...policies.map((policy) => channelStock(policy.channel)),
  ] as unknown as readonly Topic<never, never>[];
  const topologies = streamProcessors.flatMap((processor) =>
    topologiesOf(processor, policies, ordinaryRules),
  );
  const { created } = await applyTopics(places.brokers, [
    ...systems.flatMap((mapping) => sourceTopics(mapping).map((name) => foreignSettings({ name }))),
    ...own.map(topicSettings),
    ...topologies.map(changelogSettings),
  ]);
  report(created.length === 0 ? 'topics: as they should be' : `topics: ${created.length} created`);
  await registerSchemas(places.registryUrl, own);
  report('schemas: registered');
}

/** What the capture needs in the sources, then the connectors themselves. */
export async function applyCapture(places: Places, report: Report): Promise<void> {
  const { erp, pos, secretsDirectory: secrets } = places;
  await Promise.all([
    grantPostgres(
      erp,
      { user: captureUser, password: secret(secrets, 'erp-password') },
      {
        name: 'stockline_erp',
        tables: capturedTables(erpMapping).map((table) => `${erpMapping.schema}.${table.name}`),
      },
    ),
    grantMariadb(pos, { user: captureUser, password: secret(secrets, 'pos-password') }),
  ]);
  const common = {
    kafka: places.brokers,
    registry: places.registryUrl.replace('/apis/ccompat/v7', '/apis/registry/v2'),
    secrets,
  };
  await applyConnectors({
    connectUrl: places.connectUrl,
    report,
    systems: {
      erp: { ...common, host: erp.host, port: String(erp.port) },
      pos: { ...common, host: pos.host, port: String(pos.port) },
    },
  });
}

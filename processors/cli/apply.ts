/** Topics, schemas, the sources' grants and the connectors as they shall be. Safe to repeat. */
import { systems } from '../../connectors/systems.ts';
import { registerSchemas } from '../adapters/avro/registry.ts';
import { signalTopic } from '../adapters/connector-signal.ts';
import {
  applyTopics,
  changelogSettings,
  foreignSettings,
  topicSettings,
} from '../adapters/kafka/admin.ts';
import type { ChannelPolicy } from '../channels/policy.ts';
import { streamProcessors } from '../config.ts';
import { capturedTables, type SystemMapping } from '../intake/mapping.ts';
import { sourceTopics } from '../intake/topology.ts';
import { captureUser, type Places } from '../settings/places.ts';
import { loadPolicies } from '../settings/policies.ts';
import { ordinaryRules } from '../settings/rules.ts';
import { channelStock, inventoryTopics } from '../topics.ts';
import { topologiesOf } from '../topologies.ts';
import type { Topic } from '../topology/topic.ts';
import { applyConnectors, type Placeholders, secret, slotName } from './connectors.ts';
import { type DatabaseAccess, grantMariadb, grantPostgres } from './source/grants.ts';

type Report = (line: string) => void;

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
    signalTopic,
  ]);
  report(created.length === 0 ? 'topics: as they should be' : `topics: ${created.length} created`);
  await registerSchemas(places.registryUrl, own);
  report('schemas: registered');
}

/** What the capture needs in the sources, then the connectors themselves. */
export async function applyCapture(places: Places, report: Report): Promise<void> {
  const { secretsDirectory: secrets } = places;
  const common = {
    kafka: places.brokers,
    registry: places.registryUrl.replace('/apis/ccompat/v7', '/apis/registry/v2'),
    secrets,
  };
  const passwords = new Map<string, string>();
  const filled: Record<string, Placeholders> = {};
  // One after the other: databases of one server share the user.
  for (const mapping of systems) {
    const { system, kind } = mapping;
    const access = accessOf(places, mapping);
    const { host } = access;
    const port = String(access.port);
    const server = `${kind} ${host} ${port}`;
    const password = secret(secrets, `${system}-password`, passwords.get(server));
    passwords.set(server, password);
    await grant(mapping, access, password);
    filled[system] = { ...common, host, port };
  }
  await applyConnectors({
    connectUrl: places.connectUrl,
    report,
    systems: filled,
  });
}

function accessOf({ sources }: Places, { system }: SystemMapping): DatabaseAccess {
  const access = sources[system];
  if (access === undefined) throw new Error(`where the database of ${system} is was not said`);
  return access;
}

async function grant(
  mapping: SystemMapping,
  access: DatabaseAccess,
  password: string,
): Promise<void> {
  const { system, kind, schema } = mapping;
  const user = { user: captureUser, password };
  if (kind === 'mariadb') return grantMariadb(access, user);
  const tables = capturedTables(mapping).map((table) => `${schema}.${table.name}`);
  return grantPostgres(access, user, { name: slotName(system), tables });
}

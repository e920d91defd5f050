/** A Kafka Connect worker with Debezium and the Avro converter as plugins; secrets come from a folder. */
import { writeFileSync } from 'node:fs';
import type { StackContext } from './context.ts';
import { type PartProcess, startPart, waitFor } from './process.ts';

export async function startConnect(context: StackContext): Promise<PartProcess> {
  const { directory, ports } = context;
  const properties = `${directory}/config/connect.properties`;
  writeFileSync(properties, workerProperties(context));
  const java = await context.java();
  const part = startPart({
    name: 'connect',
    directory,
    command: [
      java,
      '-Xms1g',
      '-Xmx1g',
      '-XX:+UseParallelGC',
      ...context.javaLogging(),
      '-cp',
      `${context.jars.kafka}/*`,
      'org.apache.kafka.connect.cli.ConnectDistributed',
      properties,
    ],
  });
  const answers = async (): Promise<boolean> => {
    const answer = await fetch(`http://127.0.0.1:${ports.connect}/connectors`, {
      signal: AbortSignal.timeout(3_000),
    });
    return answer.ok;
  };
  await waitFor(part, answers, { deadlineMs: 120_000, signal: context.signal });
  return part;
}

/** The same as deploy/config/connect.properties but for addresses and folders. */
export function workerProperties(
  context: Pick<StackContext, 'ports' | 'jars' | 'secretsDirectory'>,
): string {
  const { ports, jars, secretsDirectory } = context;
  return `bootstrap.servers=127.0.0.1:${ports.kafka}
group.id=stockline-connect
listeners=http://127.0.0.1:${ports.connect}
rest.advertised.host.name=127.0.0.1
rest.advertised.port=${ports.connect}
plugin.path=${jars.plugins}
plugin.discovery=service_load
config.storage.topic=stockline-connect-configs
offset.storage.topic=stockline-connect-offsets
status.storage.topic=stockline-connect-status
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
offset.storage.partitions=1
status.storage.partitions=1
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
offset.flush.interval.ms=1000
connector.client.config.override.policy=All
config.providers=dir
config.providers.dir.class=org.apache.kafka.common.config.provider.DirectoryConfigProvider
config.providers.dir.param.allowed.paths=${secretsDirectory}
scheduled.rebalance.max.delay.ms=0
producer.max.request.size=8388608
`;
}

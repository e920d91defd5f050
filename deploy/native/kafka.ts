/** One Kafka node in KRaft mode, broker and controller in one process. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { StackContext } from './context.ts';
import { run } from './packages.ts';
import { type PartProcess, startPart, waitFor } from './process.ts';

/** A second way in: the broker listens on `port` and tells clients that come by it to use `advertisedPort`, a proxy's. */
export type ProxiedListener = { readonly port: number; readonly advertisedPort: number };

export async function startKafka(context: StackContext): Promise<PartProcess> {
  const { directory, ports } = context;
  const data = `${directory}/kafka`;
  const properties = `${directory}/config/kafka.properties`;
  writeFileSync(properties, serverProperties(data, ports, context.proxied));
  const java = await context.java();
  const classpath = `${context.jars.kafka}/*`;
  if (!existsSync(`${data}/meta.properties`)) {
    mkdirSync(data, { recursive: true });
    const quiet = { KAFKA_LOG4J_OPTS: '' };
    await run(
      java,
      [
        '-cp',
        classpath,
        'kafka.tools.StorageTool',
        'format',
        '-t',
        'c3RvY2tsaW5lLWNsdXN0ZQ',
        '-c',
        properties,
        '--ignore-formatted',
      ],
      quiet,
    );
  }
  const part = startPart({
    name: 'kafka',
    directory,
    command: [
      java,
      '-Xms768m',
      '-Xmx768m',
      '-XX:+UseParallelGC',
      ...(context.isBrief ? ['-XX:TieredStopAtLevel=1'] : []),
      ...context.javaLogging(),
      '-cp',
      classpath,
      'kafka.Kafka',
      properties,
    ],
  });
  const answers = (): Promise<boolean> => portAnswers(ports.kafka);
  await waitFor(part, answers, { deadlineMs: 90_000, signal: context.signal });
  return part;
}

function portAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Few internal partitions: a single node starts faster, and nothing here needs more. */
function serverProperties(
  data: string,
  ports: { readonly kafka: number; readonly kafkaController: number },
  proxied: ProxiedListener | undefined,
): string {
  const host = '127.0.0.1';
  const behindProxy = proxied === undefined ? '' : `,PROXIED://${host}:${proxied.port}`;
  const asProxy = proxied === undefined ? '' : `,PROXIED://${host}:${proxied.advertisedPort}`;
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@${host}:${ports.kafkaController}
listeners=PLAINTEXT://${host}:${ports.kafka},CONTROLLER://${host}:${ports.kafkaController}${behindProxy}
advertised.listeners=PLAINTEXT://${host}:${ports.kafka}${asProxy}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs=${data}
auto.create.topics.enable=false
num.partitions=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
message.max.bytes=8388608
log.cleaner.threads=1
num.network.threads=2
num.io.threads=4
log.retention.check.interval.ms=300000
`;
}

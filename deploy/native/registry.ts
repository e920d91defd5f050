/** Apicurio Registry, which keeps its schemas in Kafka. */
import { mkdirSync } from 'node:fs';
import type { StackContext } from './context.ts';
import { type PartProcess, startPart, waitFor } from './process.ts';

export async function startRegistry(context: StackContext): Promise<PartProcess> {
  const { directory, ports } = context;
  const java = await context.java();
  const temporary = `${directory}/registry`;
  mkdirSync(temporary, { recursive: true });
  const part = startPart({
    name: 'registry',
    directory,
    environment: {
      APICURIO_STORAGE_KIND: 'kafkasql',
      APICURIO_KAFKASQL_BOOTSTRAP_SERVERS: `127.0.0.1:${ports.kafka}`,
      // Four polls of topics that are empty come before its start: 20 s of waiting by default.
      APICURIO_KAFKASQL_CONSUMER_POLL_TIMEOUT: '500',
      QUARKUS_HTTP_HOST: '127.0.0.1',
      QUARKUS_HTTP_PORT: String(ports.registry),
      // Any free port: the fixed default would keep a second stack from starting.
      QUARKUS_MANAGEMENT_HOST: '127.0.0.1',
      QUARKUS_MANAGEMENT_PORT: '0',
    },
    command: [
      java,
      '-Xms128m',
      '-Xmx512m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      `-Djava.io.tmpdir=${temporary}`,
      '-jar',
      `${context.jars.registry}/quarkus-run.jar`,
    ],
  });
  const answers = async (): Promise<boolean> => {
    const answer = await fetch(`http://127.0.0.1:${ports.registry}/apis/ccompat/v7/subjects`, {
      signal: AbortSignal.timeout(3_000),
    });
    return answer.ok;
  };
  await waitFor(part, answers, { deadlineMs: 180_000, signal: context.signal });
  return part;
}

/**
 * Membership on node-rdkafka: a consumer that takes part in a group and never fetches. Eager `range` on one topic, so
 * that everything is given up before anything is shared out; the group is apart from the one that keeps the offsets.
 */
import rdkafka, { type LibrdKafkaError } from 'node-rdkafka';
import { limits } from '../../runtime/limits.ts';
import type { Membership, MembershipEvents, Telemetry } from '../../runtime/ports.ts';
import { connect, disconnect } from './client.ts';
import { kafkaError } from './errors.ts';

const pollEveryMs = 100;
const { ERR__ASSIGN_PARTITIONS, ERR__REVOKE_PARTITIONS } = rdkafka.CODES.ERRORS;

export async function kafkaMembership(options: {
  readonly brokers: string;
  readonly group: string;
  readonly topic: string;
  readonly events: MembershipEvents;
  readonly telemetry: Telemetry;
}): Promise<Membership> {
  const { events, telemetry } = options;
  let closing = false;
  const onRebalance = async (error: LibrdKafkaError, partitions: readonly Partition[]) => {
    if (error.code === ERR__ASSIGN_PARTITIONS && closing) {
      // Its close waits for an answer, and a client that closes takes no other than this.
      client.unassign();
    } else if (error.code === ERR__ASSIGN_PARTITIONS) {
      // Nothing is fetched by this consumer: that it owns the partitions is all there is to know.
      client.assign([]);
      events.assigned(partitions.map(({ partition }) => partition));
    } else if (error.code === ERR__REVOKE_PARTITIONS) {
      await events.revoked();
      client.unassign();
    } else events.failed(kafkaError(error, 'sharing out partitions'));
  };
  const client = new rdkafka.KafkaConsumer(
    {
      'bootstrap.servers': options.brokers,
      'client.id': options.group,
      'group.id': options.group,
      'partition.assignment.strategy': 'range',
      'session.timeout.ms': limits.sessionTimeoutMs,
      'heartbeat.interval.ms': Math.floor(limits.sessionTimeoutMs / 4),
      'max.poll.interval.ms': 10 * limits.sessionTimeoutMs,
      'enable.auto.commit': false,
      'enable.auto.offset.store': false,
      'allow.auto.create.topics': false,
      'socket.timeout.ms': limits.socketTimeoutMs,
      'reconnect.backoff.ms': 50,
      'reconnect.backoff.max.ms': 1_000,
      rebalance_cb: (error: LibrdKafkaError, partitions: readonly Partition[]) => {
        onRebalance(error, partitions).catch(events.failed);
      },
    } as unknown as rdkafka.ConsumerGlobalConfig,
    {},
  );
  client.on('event.error', (error) => {
    const known = kafkaError(error, 'sharing out partitions');
    telemetry.log('debug', 'membership trouble', { error: known.message });
    if (known.recovery === 'stop' && error.isFatal === true) events.failed(known);
  });
  await connect(client);
  client.setDefaultConsumeTimeout(0);
  client.subscribe([options.topic]);
  // Rebalances are told to whoever polls.
  const polling = setInterval(() => client.consume(1, () => {}), pollEveryMs);
  return {
    close: async () => {
      closing = true;
      await events.revoked();
      await disconnect(client);
      clearInterval(polling);
    },
  };
}

type Partition = { readonly topic: string; readonly partition: number };

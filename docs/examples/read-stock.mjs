// Reads stock and channel figures with kafkajs: KAFKA=localhost:9092 REGISTRY=http://localhost:8080/apis/ccompat/v7 node docs/examples/read-stock.mjs
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import avro from 'avsc';
import { Kafka } from 'kafkajs';

class Decimal extends avro.types.LogicalType {
  _fromValue = (bytes) =>
    Number(
      BigInt.asIntN(
        64,
        BigInt(`0x${bytes.toString('hex').padStart(16, bytes[0] > 127 ? 'f' : '0')}`),
      ),
    ) / 1000;
}
const registry = new SchemaRegistry(
  { host: process.env.REGISTRY },
  { AVRO: { logicalTypes: { decimal: Decimal } } },
);
const consumer = new Kafka({ brokers: [process.env.KAFKA], logLevel: 1 }).consumer({
  groupId: `example-${Date.now()}`,
});
await consumer.connect();
await consumer.subscribe({
  topics: ['inventory.stock.v1', 'channel.web.stock.v1'],
  fromBeginning: true,
});
await consumer.run({
  eachMessage: async ({ topic, message }) =>
    console.log(topic, JSON.stringify(await registry.decode(message.value))),
});

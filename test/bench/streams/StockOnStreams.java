import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.StreamPartitioner;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * The stock processor's work on Kafka Streams: a movement comes in; its cell and the page of history that it belongs
 * to are read and written; a ledger entry and a stock level go out. Same topics, same schemas, exactly once.
 *
 * Arguments, as name=value: brokers, application, state, store (rocksdb or memory), threads, cacheBytes, schemas (a
 * folder), and the registry's ids ledgerKey, ledgerValue, levelKey, levelValue.
 */
public final class StockOnStreams {
  static final String MOVEMENTS = "inventory.movement.v1";
  static final String LEDGER = "inventory.ledger.v1";
  static final String LEVELS = "inventory.stock.v1";

  public static void main(String[] arguments) throws Exception {
    Properties given = new Properties();
    for (String argument : arguments) {
      int at = argument.indexOf('=');
      given.setProperty(argument.substring(0, at), argument.substring(at + 1));
    }
    KafkaStreams streams = new KafkaStreams(topology(given), settings(given));
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          return org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler
              .StreamThreadExceptionResponse.SHUTDOWN_APPLICATION;
        });
    streams.start();
  }

  static Properties settings(Properties given) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, given.getProperty("application"));
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, given.getProperty("brokers"));
    settings.put(StreamsConfig.STATE_DIR_CONFIG, given.getProperty("state"));
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, given.getProperty("commitMs", "100"));
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, given.getProperty("threads", "1"));
    settings.put(
        StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, given.getProperty("cacheBytes", "0"));
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, "1");
    settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
    settings.put(StreamsConfig.consumerPrefix("max.poll.records"), "5000");
    settings.put(StreamsConfig.consumerPrefix("max.partition.fetch.bytes"), "4194304");
    settings.put(StreamsConfig.consumerPrefix("fetch.max.bytes"), "67108864");
    settings.put(
        StreamsConfig.consumerPrefix("fetch.max.wait.ms"), given.getProperty("fetchMs", "50"));
    settings.put(
        StreamsConfig.producerPrefix("linger.ms"), given.getProperty("lingerMs", "100"));
    settings.put(StreamsConfig.producerPrefix("batch.size"), "262144");
    settings.put(StreamsConfig.producerPrefix("buffer.memory"), "134217728");
    return settings;
  }

  static Topology topology(Properties given) {
    KeyValueBytesStoreSupplier supplier =
        given.getProperty("store").equals("memory")
            ? Stores.inMemoryKeyValueStore("cells")
            : Stores.persistentKeyValueStore("cells");
    StoreBuilder<KeyValueStore<String, byte[]>> store =
        Stores.keyValueStoreBuilder(supplier, Serdes.String(), Serdes.ByteArray())
            .withLoggingEnabled(Map.of());
    store =
        given.getProperty("cacheBytes", "0").equals("0")
            ? store.withCachingDisabled()
            : store.withCachingEnabled();
    // Both sinks get the SKU's hash in the first four bytes of the key, and the key itself after it.
    StreamPartitioner<byte[], byte[]> bySku =
        (topic, key, value, partitions) -> Optional.of(Set.of(hashOf(key) % partitions));
    var bytes = Serdes.ByteArray();
    var withoutHash =
        new org.apache.kafka.common.serialization.Serializer<byte[]>() {
          @Override
          public byte[] serialize(String topic, byte[] key) {
            byte[] bare = new byte[key.length - 4];
            System.arraycopy(key, 4, bare, 0, bare.length);
            return bare;
          }
        };
    return new Topology()
        .addSource("movements", bytes.deserializer(), bytes.deserializer(), MOVEMENTS)
        .addProcessor("stock", () -> new Stock(given), "movements")
        .addStateStore(store, "stock")
        .addSink("ledger", LEDGER, withoutHash, bytes.serializer(), bySku, "stock")
        .addSink("levels", LEVELS, withoutHash, bytes.serializer(), bySku, "stock");
  }

  static int hashOf(byte[] key) {
    return ByteBuffer.wrap(key).getInt();
  }

  /** Encodes records of one schema in the Confluent wire format. */
  static final class Wire {
    final Schema schema;
    private final int id;
    private final GenericDatumWriter<Object> writer;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
    private BinaryEncoder encoder;

    Wire(Schema schema, int id) {
      this.schema = schema;
      this.id = id;
      this.writer = new GenericDatumWriter<>(schema);
    }

    /** `hash` goes before the bytes when it is not negative. */
    byte[] encode(Object value, int hash) {
      bytes.reset();
      if (hash >= 0) writeInt(hash);
      bytes.write(0);
      writeInt(id);
      encoder = EncoderFactory.get().directBinaryEncoder(bytes, encoder);
      try {
        writer.write(value, encoder);
        encoder.flush();
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
      return bytes.toByteArray();
    }

    private void writeInt(int value) {
      bytes.write(value >>> 24);
      bytes.write(value >>> 16);
      bytes.write(value >>> 8);
      bytes.write(value);
    }
  }

  static final class Stock implements Processor<byte[], byte[], byte[], byte[]> {
    private static final int PAGE = 64;
    private static final String[] QUANTITIES = {
      "onHand", "reserved", "incoming", "inTransit", "damaged", "qualityControl", "safetyStock"
    };
    private final GenericDatumReader<GenericRecord> reader;
    private final Wire ledgerKey;
    private final Wire ledgerValue;
    private final Wire levelKey;
    private final Wire levelValue;
    private BinaryDecoder decoder;
    private GenericRecord movement;
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<String, byte[]> cells;

    Stock(Properties given) {
      reader = new GenericDatumReader<>(schema(given, "movement"));
      ledgerKey = wire(given, "text-key", "ledgerKey");
      ledgerValue = wire(given, "ledger-entry", "ledgerValue");
      levelKey = wire(given, "stock-key", "levelKey");
      levelValue = wire(given, "stock-level", "levelValue");
    }

    private static Wire wire(Properties given, String name, String id) {
      return new Wire(schema(given, name), Integer.parseInt(given.getProperty(id)));
    }

    private static Schema schema(Properties given, String name) {
      try {
        return new Schema.Parser().parse(new File(given.getProperty("schemas"), name + ".avsc"));
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
      this.context = context;
      this.cells = context.getStateStore("cells");
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
      byte[] bytes = record.value();
      decoder = DecoderFactory.get().binaryDecoder(bytes, 5, bytes.length - 5, decoder);
      try {
        movement = reader.read(movement, decoder);
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
      String sku = movement.get("sku").toString();
      int hash = Utils.murmur2(sku.getBytes(StandardCharsets.UTF_8)) & 0x7fffffff;
      for (Object effect : (Iterable<?>) movement.get("effects")) {
        apply(record, sku, hash, (GenericRecord) effect);
      }
    }

    private void apply(Record<byte[], byte[]> record, String sku, int hash, GenericRecord effect) {
      String location = effect.get("location").toString();
      long quantity = unscaled((ByteBuffer) effect.get("quantity"));
      long at = (Long) effect.get("occurredAt");
      String cellKey = "c|" + sku + "|" + location;
      Cell cell = new Cell(cells.get(cellKey));
      note(cell, sku, location, at, effect.get("order").toString(), quantity);
      cell.onHand += quantity;
      cell.sequence += 1;
      cells.put(cellKey, cell.bytes());
      GenericRecord cause = new GenericData.Record(ledgerValue.schema.getField("cause").schema());
      fill(cause);
      cause.put("kind", symbol(cause, "kind", "movement"));
      for (String field : new String[] {"id", "system", "transaction", "position", "committedAt"}) {
        cause.put(field, movement.get(field));
      }
      GenericRecord entry = new GenericData.Record(ledgerValue.schema);
      fill(entry);
      GenericRecord change =
          new GenericData.Record(entry.getSchema().getField("changes").schema().getElementType());
      fill(change);
      change.put("bucket", symbol(change, "bucket", effect.get("bucket").toString()));
      change.put("kind", change.getSchema().getField("kind").schema().getType() == Schema.Type.ENUM
          ? symbol(change, "kind", "event") : "event");
      change.put("quantity", decimal(quantity));
      change.put("applied", decimal(quantity));
      change.put("occurredAt", at);
      change.put("reason", effect.get("reason"));
      change.put("reference", effect.get("reference"));
      change.put("effectId", effect.get("id"));
      entry.put("sku", sku);
      entry.put("location", location);
      entry.put("sequence", cell.sequence);
      entry.put("cause", cause);
      entry.put("changes", java.util.List.of(change));
      entry.put("quantities", quantities(entry, cell));
      GenericRecord level = new GenericData.Record(levelValue.schema);
      fill(level);
      level.put("sku", sku);
      level.put("location", location);
      level.put("sequence", cell.sequence);
      level.put("previousSequence", cell.sequence - 1);
      level.put("schedule", java.util.List.of());
      level.put("allocations", java.util.List.of());
      level.put("cause", cause);
      level.put("quantities", quantities(level, cell));
      GenericRecord key = new GenericData.Record(levelKey.schema);
      key.put("sku", sku);
      key.put("location", location);
      context.forward(
          record.withKey(ledgerKey.encode(sku, hash)).withValue(ledgerValue.encode(entry, -1)),
          "ledger");
      context.forward(
          record.withKey(levelKey.encode(key, hash)).withValue(levelValue.encode(level, -1)),
          "levels");
    }

    /** The movement goes into the last page of the cell's history, or begins a new one. */
    private void note(
        Cell cell, String sku, String location, long at, String order, long quantity) {
      if (cell.page < 0 || cell.inPage == PAGE) {
        cell.page = at;
        cell.inPage = 0;
      }
      String key = "h|" + sku + "|" + location + "|" + cell.page;
      byte[] before = cell.inPage == 0 ? new byte[0] : cells.get(key);
      byte[] text = order.getBytes(StandardCharsets.US_ASCII);
      ByteBuffer after = ByteBuffer.allocate(before.length + 17 + text.length);
      after.put(before).putLong(at).putLong(quantity).put((byte) text.length).put(text);
      cells.put(key, after.array());
      cell.inPage += 1;
    }

    private static GenericRecord quantities(GenericRecord of, Cell cell) {
      GenericRecord made = new GenericData.Record(of.getSchema().getField("quantities").schema());
      fill(made);
      for (String name : QUANTITIES) made.put(name, decimal(0));
      made.put("onHand", decimal(cell.onHand));
      made.put("available", decimal(cell.onHand));
      return made;
    }

    /** Fields that came into a schema later have defaults. */
    private static void fill(GenericRecord record) {
      for (Schema.Field field : record.getSchema().getFields()) {
        if (field.hasDefaultValue()) {
          record.put(field.pos(), GenericData.get().getDefaultValue(field));
        }
      }
    }

    private static Object symbol(GenericRecord record, String field, String symbol) {
      return new GenericData.EnumSymbol(record.getSchema().getField(field).schema(), symbol);
    }

    private static long unscaled(ByteBuffer bytes) {
      long value = 0;
      for (int at = bytes.position(); at < bytes.limit(); at += 1) {
        value = at == bytes.position() ? bytes.get(at) : (value << 8) | (bytes.get(at) & 0xff);
      }
      return value;
    }

    private static ByteBuffer decimal(long value) {
      int size = 1;
      while (size < 8 && (value >> (8 * size - 1)) != 0 && (value >> (8 * size - 1)) != -1) size++;
      byte[] bytes = new byte[size];
      for (int at = size - 1; at >= 0; at -= 1) {
        bytes[at] = (byte) value;
        value >>= 8;
      }
      return ByteBuffer.wrap(bytes);
    }
  }

  static final class Cell {
    long onHand;
    long sequence;
    long page = -1;
    int inPage;

    Cell(byte[] bytes) {
      if (bytes == null) return;
      ByteBuffer from = ByteBuffer.wrap(bytes);
      onHand = from.getLong();
      sequence = from.getLong();
      page = from.getLong();
      inPage = from.getInt();
    }

    byte[] bytes() {
      return ByteBuffer.allocate(28)
          .putLong(onHand)
          .putLong(sequence)
          .putLong(page)
          .putInt(inPage)
          .array();
    }
  }
}

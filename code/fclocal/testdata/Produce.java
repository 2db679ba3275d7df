import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringSerializer;

/** Produce ADDRESS TOPIC GROUP: ten records with each kind of producer and compression, and what the console tools ask for. */
public class Produce {
    public static void main(String[] args) throws Exception {
        String address = args[0], topic = args[1], group = args[2];
        for (String kind : List.of("plain", "idempotent", "transactional"))
            for (String compression : List.of("none", "gzip", "snappy", "lz4", "zstd"))
                produce(address, topic, kind, compression);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", address, "default.api.timeout.ms", "20000", "request.timeout.ms", "10000"))) {
            System.out.println("nodes " + admin.describeCluster().nodes().get().size());
            System.out.println("topics " + admin.listTopics().names().get());
            System.out.println("partitions " + admin.describeTopics(Set.of(topic)).allTopicNames().get().get(topic).partitions().size());
            admin.describeConfigs(Set.of(new ConfigResource(ConfigResource.Type.TOPIC, topic))).all().get();
            System.out.println("groups " + admin.listConsumerGroups().all().get().size());
            System.out.println("state " + admin.describeConsumerGroups(Set.of(group)).all().get().get(group).state());
            System.out.println("offsets " + admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().size());
        }
    }

    static void produce(String address, String topic, String kind, String compression) throws Exception {
        Map<String, Object> settings = new java.util.HashMap<>(Map.of(
            "bootstrap.servers", address, "compression.type", compression, "max.block.ms", "20000", "delivery.timeout.ms", "20000",
            "request.timeout.ms", "10000", "linger.ms", "5", "enable.idempotence", !kind.equals("plain")));
        if (kind.equals("transactional"))
            settings.put("transactional.id", compression);
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            if (kind.equals("transactional")) {
                producer.initTransactions();
                producer.beginTransaction();
            }
            for (int i = 0; i < 10; i++)
                producer.send(new ProducerRecord<>(topic, "key", "{\"n\":" + i + "}")).get(20, TimeUnit.SECONDS);
            if (kind.equals("transactional"))
                producer.commitTransaction();
        }
    }
}

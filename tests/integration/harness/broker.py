# SPDX-License-Identifier: Apache-2.0
"""Brokers: a real one-node Apache Kafka (KRaft) made of Maven artefacts, and backbone-devbroker."""
import os
import re
import shutil
import socket
import subprocess
import uuid

from .process import DEADLINE_S, Process, Unavailable, program

VERSION = "3.9.1"
HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def free_ports(n):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def jars():
    """The folder of the broker's jars; fetched once and kept in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = os.path.join(cache, "backbone-kafka", VERSION)
    if os.path.exists(os.path.join(folder, ".complete")):
        return folder
    if not shutil.which("mvn"):
        raise Unavailable("Maven (mvn) is missing: no real Kafka can be had; scripts/setup test installs it")
    done = subprocess.run(["mvn", "-B", "-q", "-f", os.path.join(HERE, "kafka", "pom.xml"),
                           "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=" + folder],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=900, check=False)
    if done.returncode:
        raise Unavailable("Maven could not fetch Kafka " + VERSION + ":\n" + done.stdout[-2000:])
    with open(os.path.join(folder, ".complete"), "w", encoding="utf-8"):
        pass
    return folder


PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={folder}/data
auto.create.topics.enable=false
num.partitions=1
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
log.flush.interval.messages=10000000
num.network.threads=1
num.io.threads=2
"""
LOG4J = """\
log4j.rootLogger=WARN, out
log4j.logger.kafka.server.KafkaRaftServer=INFO
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d %p %m (%c)%n
"""


class Clients:
    """What tests do to a broker as its clients."""

    bootstrap = None

    def _done(self, verb, *args, **options):
        from confluent_kafka.admin import AdminClient
        client = AdminClient({"bootstrap.servers": self.bootstrap})
        for future in getattr(client, verb)(*args, **options).values():
            future.result(DEADLINE_S)

    def create_topic(self, name, partitions=1, config=None):
        from confluent_kafka.admin import NewTopic
        self._done("create_topics", [NewTopic(name, partitions, 1, config=config or {})])
        return name

    def delete_topic(self, name):
        self._done("delete_topics", [name], operation_timeout=30)

    def add_partitions(self, name, total):
        from confluent_kafka.admin import NewPartitions
        self._done("create_partitions", [NewPartitions(name, total)])

    def producer(self, **options):
        from confluent_kafka import Producer
        return Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 5,
                         "message.max.bytes": 2000000, **{k.replace("_", "."): v for k, v in options.items()}})

    def produce(self, topic, messages, **options):
        """Messages are bytes, or dicts of Producer.produce's arguments. Acknowledged when this returns."""
        failed = []
        producer = self.producer(**options)
        for message in messages:
            arguments = message if isinstance(message, dict) else {"value": message}
            while True:
                try:
                    producer.produce(topic, on_delivery=lambda e, _: e and failed.append(e), **arguments)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
        left = producer.flush(DEADLINE_S)
        assert not failed and not left, f"not produced: {failed[:3]}, {left} left"

    def produce_aborted(self, topic, messages, commit=False):
        """A transaction that is aborted: what consumers of committed records never see."""
        producer = self.producer(transactional_id=f"t-{uuid.uuid4()}")
        producer.init_transactions(DEADLINE_S)
        producer.begin_transaction()
        for value in messages:
            producer.produce(topic, value=value)
        producer.flush(DEADLINE_S)
        if commit:
            producer.commit_transaction(DEADLINE_S)
        else:
            producer.abort_transaction(DEADLINE_S)

    def end_offsets(self, topic):
        from confluent_kafka import Consumer, TopicPartition
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "tests"})
        try:
            partitions = consumer.list_topics(topic, DEADLINE_S).topics[topic].partitions
            return {p: consumer.get_watermark_offsets(TopicPartition(topic, p), DEADLINE_S)[1] for p in partitions}
        finally:
            consumer.close()


class KafkaBroker(Clients):
    """Apache Kafka on a free port of the loopback, its data in a folder of the test."""

    def __init__(self, folder):
        if not shutil.which("java"):
            raise Unavailable("Java is missing: no real Kafka can be run; scripts/setup test installs it")
        self.folder = str(folder)
        self.jars = jars()
        os.makedirs(self.folder, exist_ok=True)
        self.port, self.controller = free_ports(2)
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.properties = os.path.join(self.folder, "server.properties")
        with open(self.properties, "w", encoding="utf-8") as file:
            file.write(PROPERTIES.format(port=self.port, controller=self.controller, folder=self.folder))
        with open(os.path.join(self.folder, "log4j.properties"), "w", encoding="utf-8") as file:
            file.write(LOG4J)
        self.java("kafka.tools.StorageTool", "format", "-t", self._uuid(), "-c", self.properties)
        self.process = None
        self.start()

    @staticmethod
    def _uuid():
        import base64
        # the first letter must not be a dash, which begins an option
        return "k" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]

    def _command(self, main, *args):
        return ["java", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dkafka.logs.dir=" + self.folder,
                "-Dlog4j.configuration=file:" + os.path.join(self.folder, "log4j.properties"),
                "-cp", os.path.join(self.jars, "*"), main, *args]

    def java(self, main, *args):
        done = subprocess.run(self._command(main, *args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=DEADLINE_S, check=False)
        if done.returncode:
            raise AssertionError(f"{main} {args}: {done.stdout}")
        return done.stdout

    def start(self):
        self.process = Process(self._command("kafka.Kafka", self.properties), os.path.join(self.folder, "kafka.log"))
        self.process.wait_line("Kafka Server started")

    def stop(self):
        """Gently, so that the next start finds clean logs."""
        if self.process:
            self.process.stop()
            self.process = None

    def close(self):
        if self.process:
            self.process.kill()
            self.process = None

    def delete_records(self, topic, partition, before):
        """What retention does: the log now begins at `before`."""
        path = os.path.join(self.folder, f"delete-{uuid.uuid4()}.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"partitions":[{"topic":"%s","partition":%d,"offset":%d}],"version":1}'
                       % (topic, partition, before))
        self.java("org.apache.kafka.tools.DeleteRecordsCommand", "--bootstrap-server", self.bootstrap,
                  "--offset-json-file", path)


class DevBroker(Clients):
    """backbone-devbroker: the small broker of the demo, in memory. It has `topic` with three partitions; others are
    made on first use. It knows no topic administration."""

    topic = "three"

    def __init__(self, folder):
        self.process = Process([program("backbone-devbroker"), "--topics", self.topic + ":3"],
                               os.path.join(str(folder), "devbroker.log"))
        line = self.process.wait_line(lambda text: re.search(r"\b127\.0\.0\.1:\d+", text))
        self.bootstrap = re.search(r"\b127\.0\.0\.1:\d+", line).group(0)

    def close(self):
        self.process.kill()

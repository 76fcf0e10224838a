# SPDX-License-Identifier: Apache-2.0
"""Positions are told to a Kafka group, for those who watch lag there; nothing is ever read from it."""
from harness.events import event, line
from harness.process import DEADLINE_S, wait_until


def test_the_group_shows_what_is_durable(kafka, daemon, topic):
    from confluent_kafka import Consumer, TopicPartition
    name = kafka.create_topic(topic(), 2)
    kafka.produce(name, [{"value": line(event(str(i), ["user:a"])), "partition": 0} for i in range(5)])
    one = daemon(brokers=kafka.bootstrap, topics=[name])
    with open(one.file, encoding="utf-8") as file:
        text = file.read()
    with open(one.file, "w", encoding="utf-8") as file:
        file.write(text.replace("kafka: {", f"kafka: {{group: {name}, "))
    one.start()
    one.catch_up(kafka, name)
    kafka.produce(name, [{"value": line(event("x", ["user:a"])), "partition": 0}])
    group = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": name})
    try:
        wait_until(lambda: group.committed([TopicPartition(name, 0)], DEADLINE_S)[0].offset == 6, "6 in the group")
        one.kill()
        group.commit(offsets=[TopicPartition(name, 0, 0)], asynchronous=False)
    finally:
        group.close()
    assert one.once() == 0, one.process.tail()
    row = {p["partition"]: p for p in one.stored()}[0]
    assert row["next_offset"] == 6 and row["dropped"] == 0, "the group's word counts for nothing"

# SPDX-License-Identifier: Apache-2.0
"""A log that does not continue where the store left off: not ready, an alarm, look-ups go on; never silence."""
from harness.events import event, line
from harness.process import wait_until


def run_and_stop(kafka, daemon, name, n=10):
    kafka.produce(name, [line(event(str(i), [f"user:{i}"])) for i in range(n)])
    one = daemon(brokers=kafka.bootstrap, topics=[name])
    assert one.once() == 0, one.process.tail()
    return one


def must_alarm(one, name):
    one.start()
    wait_until(lambda: "log_gap" in one.ready()[1], lambda: f"log_gap: {one.ready()}\n{one.process.tail()}")
    assert not one.ready()[0]
    one.process.wait_line(lambda text: text.startswith("<3>") and name in text)
    assert one.redis().get("user:3") is not None, "look-ups go on"
    assert one.ctl("status", check=False).returncode == 1, "the answer is no"


def test_retention_went_past_the_stored_offset(kafka, daemon, topic):
    name = kafka.create_topic(topic())
    one = run_and_stop(kafka, daemon, name)
    kafka.produce(name, [line(event(f"x{i}", ["user:x"])) for i in range(20)])
    kafka.delete_records(name, 0, 25)
    must_alarm(one, name)
    assert one.partitions()[(name, 0)]["next_offset"] == 10, "nothing was skipped"


def test_retention_up_to_the_stored_offset_is_no_gap(kafka, daemon, topic):
    name = kafka.create_topic(topic())
    one = run_and_stop(kafka, daemon, name)
    kafka.delete_records(name, 0, 10)
    kafka.produce(name, [line(event("x", ["user:x"]))])
    one.start()
    one.catch_up(kafka, name)
    assert one.ready()[0]


def test_the_log_is_shorter_than_the_stored_offset(kafka, daemon, topic):
    name = kafka.create_topic(topic())
    one = run_and_stop(kafka, daemon, name)
    kafka.delete_topic(name)
    kafka.create_topic(name)
    kafka.produce(name, [line(event("x", ["user:x"]))])
    must_alarm(one, name)


def test_the_topic_was_made_again_and_is_longer(kafka, daemon, topic):
    name = kafka.create_topic(topic())
    one = run_and_stop(kafka, daemon, name)
    kafka.delete_topic(name)
    kafka.create_topic(name)
    kafka.produce(name, [line(event(f"x{i}", ["user:x"])) for i in range(30)])
    must_alarm(one, name)
    assert one.redis().get("user:x") is None, "the other log was not read"


def test_another_cluster_answers(kafka, devbroker, daemon, topic):
    name = kafka.create_topic(topic())
    one = run_and_stop(kafka, daemon, name)
    devbroker.produce(name, [{"value": line(event(f"x{i}", ["user:x"])), "partition": 0} for i in range(30)])
    one.write(brokers=devbroker.bootstrap)
    must_alarm(one, name)


def test_once_on_a_gap_fails(kafka, daemon, topic):
    name = kafka.create_topic(topic())
    one = run_and_stop(kafka, daemon, name)
    kafka.produce(name, [line(event(f"x{i}", ["user:x"])) for i in range(20)])
    kafka.delete_records(name, 0, 25)
    assert one.once() != 0
    assert any(text.startswith("<3>") for text in one.process.lines)

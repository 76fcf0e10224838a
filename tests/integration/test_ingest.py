# SPDX-License-Identifier: Apache-2.0
"""Reading topics of a real broker: offsets, counters, partitions and topics that come later, transactions, --once."""
from harness.events import event, expect, line, seen, stream
from harness.process import wait_until


def test_views_equal_a_naive_union_and_counters_add_up(kafka, daemon, topic):
    name = kafka.create_topic(topic(), 3)
    events = list(stream(1, 50, 3000))
    kafka.produce(name, [line(e) for e in events])
    one = daemon(brokers=kafka.bootstrap, topics=[name]).start()
    one.catch_up(kafka, name)
    assert seen(one.views()) == expect(events)
    for (_, partition), p in one.partitions().items():
        assert sum(p["results"].values()) + p["holes"] == p["next_offset"], (partition, p)
        assert p["results"]["applied"] == p["next_offset"]
    assert one.stop() == 0


def test_once_consumes_what_is_there_and_ends(kafka, daemon, topic):
    name = kafka.create_topic(topic(), 2)
    events = list(stream(2, 20, 500))
    kafka.produce(name, [line(e) for e in events[:300]])
    one = daemon(brokers=kafka.bootstrap, topics=[name])
    assert one.once() == 0, one.process.tail()
    assert seen(one.views()) == expect(events[:300])
    assert one.once() == 0, "nothing new"
    kafka.produce(name, [line(e) for e in events[300:]])
    assert one.once() == 0
    assert seen(one.views()) == expect(events)


def test_once_on_an_empty_topic_ends(kafka, daemon, topic):
    one = daemon(brokers=kafka.bootstrap, topics=[kafka.create_topic(topic())])
    assert one.once() == 0, one.process.tail()
    assert one.views() == []


def test_new_partitions_and_late_topics_are_found(kafka, daemon, topic):
    early, late = kafka.create_topic(topic("early")), topic("late")
    one = daemon(brokers=kafka.bootstrap, topics=[early, late],
                 more="").start()
    kafka.produce(early, [line(event("1", ["user:a"]))])
    one.catch_up(kafka, early)
    kafka.add_partitions(early, 2)
    kafka.produce(early, [{"value": line(event("2", ["user:b"])), "partition": 1}])
    kafka.create_topic(late)
    kafka.produce(late, [line(event("3", ["user:c"]))])
    one.catch_up(kafka, early, late, deadline_s=120)
    assert len(one.views()) == 3


def test_aborted_transactions_are_holes(kafka, daemon, topic):
    name = kafka.create_topic(topic())
    kafka.produce(name, [line(event("1", ["user:a"]))])
    kafka.produce_aborted(name, [line(event("2", ["user:b"])), line(event("3", ["user:b"]))])
    kafka.produce_aborted(name, [line(event("4", ["user:c"]))], commit=True)
    kafka.produce(name, [line(event("5", ["user:a"]))])
    one = daemon(brokers=kafka.bootstrap, topics=[name]).start()
    one.catch_up(kafka, name)
    p = one.partitions()[(name, 0)]
    assert (p["results"]["applied"], p["holes"], p["next_offset"]) == (3, 4, 7)
    assert seen(one.views()) == {frozenset(["user:a"]): (2, {}), frozenset(["user:c"]): (1, {})}


def test_duplicates_are_counted_once_wherever_they_come(kafka, daemon, topic):
    name = kafka.create_topic(topic(), 2)
    events = list(stream(3, 10, 200))
    for copy in range(2):
        kafka.produce(name, [{"value": line(e), "partition": (i + copy) % 2} for i, e in enumerate(events)])
    one = daemon(brokers=kafka.bootstrap, topics=[name], batch_events=37).start()
    one.catch_up(kafka, name)
    assert seen(one.views()) == expect(events)
    assert sum(p["results"]["duplicate"] for p in one.partitions().values()) == 200


def test_replay_of_files_and_topics_give_the_same(kafka, daemon, topic, tmp_path):
    name = kafka.create_topic(topic(), 3)
    events = list(stream(4, 30, 1000))
    kafka.produce(name, [line(e) for e in events])
    for half in range(2):
        with open(tmp_path / f"history-{half}.ndjson", "wb") as file:
            file.writelines(line(e) + b"\n" for e in events[half::2])
    by_log = daemon("log", brokers=kafka.bootstrap, topics=[name])
    by_file = daemon("file", replay=[str(tmp_path / "history-*.ndjson")])
    assert by_log.once() == 0, by_log.process.tail()
    assert by_file.once() == 0, by_file.process.tail()
    assert by_log.dump() == by_file.dump()
    assert seen(by_file.views()) == expect(events)


def test_the_broker_may_go_away_and_come_back(kafka, daemon, topic):
    name = kafka.create_topic(topic())
    kafka.produce(name, [line(event("1", ["user:a"]))])
    one = daemon(brokers=kafka.bootstrap, topics=[name]).start()
    one.catch_up(kafka, name)
    kafka.stop()
    assert one.redis().get("user:a") is not None, "look-ups go on"
    kafka.start()
    kafka.produce(name, [line(event("2", ["user:a"]))])
    one.catch_up(kafka, name, deadline_s=120)
    wait_until(lambda: one.ready()[0], "ready again")
    assert one.views()[0]["events"] == 2


def test_the_small_broker_does_as_well(devbroker, daemon, topic):
    name = topic()
    events = list(stream(5, 20, 400))
    devbroker.produce(name, [line(e) for e in events])
    one = daemon(brokers=devbroker.bootstrap, topics=[name]).start()
    one.catch_up(devbroker, name)
    assert seen(one.views()) == expect(events)

# SPDX-License-Identifier: Apache-2.0
"""Erasing and exporting persons: as if never seen, nothing left to read, bystanders untouched."""
import json
import os
import re

import pytest

from harness.events import START_MS, event, line

NAMESPACES = ["{name: user, owner: true}", "{name: email, normalise: email}", "{name: device, durable: false}"]
CANARY = "Zwetschgenknoedel"
OTHERS = [event("b1", ["user:bob", "email:bob@example.org"], START_MS + 1000, attributes={"city": "Lyon"}),
          event("b2", ["user:bob", "email:home@example.org"], START_MS + 5000)]
ANNS = [event("a1", ["user:ann", "email:ann.canary@example.org"], START_MS, attributes={"name": CANARY}),
        event("a2", ["user:ann", "device:ann-canary"], START_MS + 2000,
              amount={"value": "12.50", "currency": "EUR"})]


@pytest.fixture
def two(kafka, daemon, topic):
    """A daemon that has read everybody's events, and one that never saw Ann's; their topics."""
    all_of, without = kafka.create_topic(topic("all")), kafka.create_topic(topic("without"))
    kafka.produce(all_of, [line(e) for e in ANNS + OTHERS])
    kafka.produce(without, [line(e) for e in OTHERS])
    made = []
    for name, folder in ((all_of, "one"), (without, "never")):
        one = daemon(folder, brokers=kafka.bootstrap, topics=[name], namespaces=NAMESPACES).start()
        one.catch_up(kafka, name)
        made.append(one)
    return made[0], made[1], all_of, without


def erase(one, key, *more, mode="forget"):
    return json.loads(one.ctl("erase", key, "--mode", mode, "--reason", "ticket 12", "--yes", "--json",
                              *more).stdout)


def digest(one):
    return json.loads(one.ctl("digest", "--json").stdout)["digest"]


def bytes_of(folder):
    for base, _, files in os.walk(folder):
        for file in files:
            with open(os.path.join(base, file), "rb") as data:
                yield file, data.read()


def test_erased_is_never_seen_and_the_receipt_says_what_went(two):
    one, never, topic, _ = two
    answer = erase(one, "email:Ann.Canary@example.org", "--id", "e1")
    receipt = answer["receipt"]
    assert answer["result"] == "erased"
    assert one.dump() == never.dump()
    assert receipt["digest"] == digest(one) == digest(never)
    assert (receipt["id"], receipt["mode"], receipt["records"], receipt["events"]) == ("e1", "forget", 2, 2)
    assert len(receipt["identifiers"]) == 3
    mark, = receipt["watermark"]
    assert re.fullmatch("[0-9a-f]{32}", mark.pop("first_hash"))
    assert mark == {"topic": topic, "partition": 0, "next_offset": 4, "first_offset": 0}
    assert one.ctl("erase", "user:ann", "--mode", "forget", "--reason", "again", "--yes",
                   check=False).returncode == 1
    again = erase(one, "user:ann", "--id", "e1")
    assert again["result"] == "duplicate" and again["receipt"]["time"] == receipt["time"]


def test_what_comes_later_is_a_new_person_or_nobody(kafka, two):
    one, never, topic, without = two
    erase(one, "user:ann")
    later = line(event("a9", ["user:ann", "device:d9"], START_MS + 9000))
    kafka.produce(topic, [later])
    kafka.produce(without, [later])
    one.catch_up(kafka, topic)
    never.catch_up(kafka, without)
    assert one.dump() == never.dump(), "forget: she begins anew"
    erase(one, "user:ann", mode="suppress")
    kafka.produce(topic, [line(event("a10", ["user:ann", "device:d9"], START_MS + 10000)),
                          line(event("b3", ["user:bob", "device:d9"], START_MS + 11000))])
    one.catch_up(kafka, topic)
    assert one.ctl("get", "user:ann", check=False).returncode == 1
    assert '"value":"d9"' in one.ctl("get", "--json", "user:bob").stdout.decode(), "a device stands for nobody"


def test_dead_letters_go_too_and_a_purge_leaves_no_byte(kafka, two):
    one, _, topic, _ = two
    kafka.produce(topic, [b'{"mail":"ann.canary@example.org", broken', b'{"mail":"bob@example.org", broken'])
    one.catch_up(kafka, topic)
    assert len(one.dead_letters()) == 2
    assert erase(one, "user:ann")["receipt"]["dead_letters"] == 1
    assert [letter["value"] for letter in one.dead_letters()] == [b'{"mail":"bob@example.org", broken']
    one.ctl("purge")
    for file, data in bytes_of(os.path.join(one.folder, "store")):
        for canary in (CANARY.encode(), b"ann.canary", b"ann-canary"):
            assert canary not in data, file
    with open(os.path.join(one.folder, "backboned.log"), "rb") as log:
        assert b"canary" not in log.read().lower()


def test_an_export_has_everything_on_the_person_and_nothing_of_others(kafka, two):
    one, _, topic, _ = two
    kafka.produce(topic, [b'{"mail":"ANN.canary@example.org", broken'])
    one.catch_up(kafka, topic)
    one.ctl("rulings", "add", "split", "user:ann", "user:bob", "--id", "r1", "--reason", "twins")
    export = json.loads(one.ctl("export", "user:ann", "--json").stdout)
    assert export["view"]["attributes"] == {"name": CANARY}
    assert sum(r["events"] for r in export["records"]) == 2
    assert {i["value"] for r in export["records"] for i in r["identifiers"]} == {
        "ann", "ann.canary@example.org", "ann-canary"}
    assert [r["ruling"]["id"] for r in export["rulings"]] == ["r1"]
    assert len(export["dead_letters"]) == 1
    assert "bob@example.org" not in json.dumps(export)
    entries = [json.loads(t) for t in one.ctl("audit", "list", "--json").stdout.decode().splitlines()]
    assert [e["action"] for e in entries] == ["ruling", "export"]
    assert one.ctl("export", "user:nobody", check=False).returncode == 1


def test_an_erasure_holds_over_a_crash_and_a_replay_of_the_topic(kafka, two):
    one, never, topic, _ = two
    erase(one, "user:ann", "--id", "e1")
    one.kill()
    one.start()
    kafka.produce(topic, [line(e) for e in ANNS])
    one.catch_up(kafka, topic)
    assert [json.loads(t)["subject"] for t in one.ctl("audit", "list", "--json").stdout.decode().splitlines()] == ["e1"]
    status, body = one.http("/v1/erasures")
    assert status == 200 and [e["id"] for e in json.loads(body)["erasures"]] == ["e1"]
    assert one.ctl("get", "user:ann").returncode == 0, "copies above the watermark begin a new person"


def test_without_yes_and_without_a_terminal_nothing_is_erased(two):
    one = two[0]
    before = digest(one)
    for words in (["user:ann"], ["user:ann", "--mode", "forget"], ["user:ann", "--mode", "wipe", "--reason", "x"],
                  ["user:ann", "--mode", "forget", "--reason", "x"]):
        assert one.ctl("erase", *words, check=False).returncode == 2, words
    assert digest(one) == before

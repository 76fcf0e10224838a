# SPDX-License-Identifier: Apache-2.0
"""Rulings by the admin socket and by a topic: the same state, exact undo, kept over a crash."""
import json

import pytest

from harness.events import START_MS, event, line

NAMESPACES = ["{name: user, owner: true}", "{name: email, normalise: email}", "{name: device, durable: false}"]
EVENTS = [event("1", ["user:ann", "email:ann@example.org"], START_MS),
          event("2", ["user:bob", "email:bob@example.org"], START_MS + 1000),
          event("3", ["user:bob", "device:d1"], START_MS + 2000),
          event("4", ["email:ann@example.org", "device:d2"], START_MS + 3000)]


@pytest.fixture
def shop(kafka, daemon, topic):
    """A running daemon that has read EVENTS, its topic, and a way to make another one on the same topic."""
    name = kafka.create_topic(topic("rulings"))

    def make(folder):
        one = daemon(folder, brokers=kafka.bootstrap, topics=[name], namespaces=NAMESPACES).start()
        one.catch_up(kafka, name)
        return one
    kafka.produce(name, [line(e) for e in EVENTS])
    return make("one"), name, make


def digest(one):
    return one.ctl("digest").stdout


def rule(one, *words):
    return json.loads(one.ctl("rulings", *words, "--json").stdout)


def names(one, key):
    view = json.loads(one.ctl("get", "--json", "--fields", "identifiers", key).stdout)
    return {f"{i['ns']}:{i['value']}" for i in view["identifiers"]}


def rulings(one):
    return [json.loads(text) for text in one.ctl("rulings", "list", "--json").stdout.decode().splitlines()]


def test_join_split_block_and_their_release(shop):
    one = shop[0]
    before = one.dump()
    rule(one, "add", "join", "user:ann", "user:bob", "--id", "r1", "--reason", "same household, one person")
    assert names(one, "user:ann") == {"user:ann", "user:bob", "email:ann@example.org", "email:bob@example.org",
                                      "device:d1", "device:d2"}
    rule(one, "add", "block", "email:ANN@example.org", "--id", "r2")
    assert names(one, "user:ann") == {"user:ann", "user:bob", "email:bob@example.org", "device:d1"}
    assert one.ctl("get", "email:ann@example.org", check=False).returncode == 1
    rule(one, "add", "split", "user:bob", "device:d1", "--id", "r3")
    assert "device:d1" not in names(one, "user:bob")
    for ruling in ("r2", "r1", "r3"):
        rule(one, "release", ruling)
    assert one.dump() == before
    assert all(r["released"] or r["ruling"]["ruling"] == "release" for r in rulings(one))


def test_the_same_rulings_by_a_topic_give_the_same_state(kafka, shop):
    one, name, make = shop
    rule(one, "add", "join", "user:ann", "user:bob", "--id", "r1")
    rule(one, "add", "block", "email:bob@example.org", "--id", "r2")
    rule(one, "add", "split", "user:zoe", "email:zoe@example.org", "--id", "r3")
    rule(one, "release", "r2")
    given = [r["ruling"] for r in rulings(one)]
    other = make("two")
    assert digest(other) != digest(one)
    kafka.produce(name, [json.dumps(r).encode() for r in reversed(given)])
    other.catch_up(kafka, name)
    one.catch_up(kafka, name)
    assert digest(other) == digest(one)
    row = [p for p in one.status()["partitions"] if p["topic"] == name][0]
    assert row["duplicate"] == len(given), "what came by the socket is known when it comes by the topic"


def test_a_ruling_outlives_the_process_and_waits_for_whom_it_is_on(kafka, shop):
    one, name, _ = shop
    rule(one, "add", "join", "user:ann", "email:new@example.org", "--id", "r1")
    one.kill()
    one.start()
    assert [r["ruling"]["id"] for r in rulings(one)] == ["r1"]
    kafka.produce(name, [line(event("9", ["email:new@example.org", "device:d9"], START_MS + 9000))])
    one.catch_up(kafka, name)
    assert "email:new@example.org" in names(one, "user:ann")


def test_what_is_wrong_is_said_and_nothing_is_changed(shop):
    one = shop[0]
    before = one.dump()
    for code, words in ((2, ["add", "join", "user:ann"]), (2, ["add", "unite", "user:ann", "user:bob"]),
                        (2, ["add", "block", "usr:ann"]), (2, ["add", "block", "email:nonsense"]),
                        (2, ["add", "join", "user:ann", "user:ann"]), (1, ["release", "none"])):
        done = one.ctl("rulings", *words, check=False)
        assert done.returncode == code, (words, done.stderr)
    rule(one, "add", "allow", "user:ann", "--id", "r1")
    assert one.ctl("rulings", "add", "allow", "user:bob", "--id", "r1", check=False).returncode == 4
    assert one.dump() == before


def test_the_audit_log_is_whole_with_the_daemon_up_and_down(shop):
    one = shop[0]
    rule(one, "add", "join", "user:ann", "user:bob", "--id", "r1")
    rule(one, "release", "r1")
    up = one.ctl("audit", "list", "--json").stdout
    entries = [json.loads(text) for text in up.decode().splitlines()]
    assert [(e["number"], e["action"], e["subject"]) for e in entries] == [(1, "ruling", "r1"), (2, "release", "r1")]
    assert b"ann" not in up
    whole = json.loads(one.ctl("audit", "verify", "--json").stdout)
    assert whole["entries"] == 2 and whole["wrong"] is None and whole["hash"] == entries[-1]["hash"]
    assert one.stop() == 0
    assert one.ctl("audit", "list", "--json").stdout == up
    assert json.loads(one.ctl("audit", "verify", "--json").stdout) == whole


def test_identifiers_that_link_nobody_are_told_with_their_cap(kafka, shop):
    one, name, _ = shop
    kafka.produce(name, [line(event(f"k{i}", ["device:kiosk", f"user:u{i}"], START_MS + i)) for i in range(5)])
    rule(one, "add", "block", "email:bob@example.org", "--id", "r1")
    one.catch_up(kafka, name)
    shared = one.ctl("identifiers", "--shared").stdout.decode()
    assert "device:kiosk" in shared and "5 owners of user, 1 allowed" in shared, shared
    blocked = json.loads(one.ctl("identifiers", "--blocked", "--top", "5", "--json").stdout)
    assert blocked["identifiers"][0]["key"] == "email:bob@example.org"
    assert blocked["identifiers"][0]["ruling"]["id"] == "r1"
    assert one.stop() == 0
    assert one.ctl("identifiers", "--shared").stdout.decode() == shared

# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a message is said in a dead letter with the reason, the position and the bytes that came; the
partition goes on with the next one."""
import json

import pytest

from harness.events import event, line

GOOD = event("good", ["user:good"])


def without(member):
    return {k: v for k, v in GOOD.items() if k != member}


def text(**more):
    return line({**GOOD, **more})


BAD = [  # reason, what is wrong, the message
    ("invalid_json", "no JSON", b"{not json"),
    ("invalid_json", "empty", b""),
    ("invalid_json", "cut", line(GOOD)[:-5]),
    ("invalid_utf8", "a byte that UTF-8 has not", line(GOOD).replace(b"good", b"go\xffd", 1)),
    ("lone_surrogate", "half a pair", line(GOOD).replace(b'"good"', b'"\\ud800"', 1)),
    ("duplicate_key", "a member twice", line(GOOD)[:-1] + b',"type":"seen"}'),
    ("number_out_of_range", "an exponent out of range", line(GOOD)[:-1] + b',"attributes":{"a":1e10000}}'),
    ("too_deep", "65 levels", line(GOOD)[:-1] + b',"properties":' + b'{"a":' * 70 + b"1" + b"}" * 70 + b"}"),
    ("trailing_bytes", "two documents", line(GOOD) + b" {}"),
    ("byte_order_mark", "a mark in front", b"\xef\xbb\xbf" + line(GOOD)),
    ("too_large", "300 KiB", text(properties={"long": "x" * 300 * 1024})),
    ("too_many_identifiers", "21 identifiers", line(event("many", [f"device:{i}" for i in range(21)]))),
    ("not_an_object", "a list", b"[1,2]"),
    ("invalid_event", "no source", line(without("source"))),
    ("invalid_event", "a source with a space", text(source="a b")),
    ("invalid_event", "no type", line(without("type"))),
    ("invalid_event", "an id of 257 bytes", text(id="x" * 257)),
    ("invalid_event", "an id that is a number", text(id=7)),
    ("invalid_event", "a time without a zone", text(time="2026-01-02T03:04:05")),
    ("invalid_event", "identifiers that are an object", text(identifiers={"ns": "user", "value": "a"})),
    ("invalid_event", "an identifier of 513 bytes", line(event("long", ["user:" + "x" * 513]))),
    ("invalid_event", "an identifier that is a number", text(identifiers=[{"ns": "user", "value": 7}])),
    ("invalid_event", "an attribute in an attribute", text(attributes={"a": {"b": 1}})),
    ("invalid_event", "an amount in words", text(amount={"value": "ten", "currency": "EUR"})),
    ("invalid_event", "an amount that is a number", text(amount={"value": 10.5, "currency": "EUR"})),
    ("invalid_event", "a currency in small letters", text(amount={"value": "1", "currency": "eur"})),
    ("invalid_event", "consent maybe", text(consent=[{"purpose": "marketing", "status": "maybe"}])),
    ("invalid_event", "a colon in a purpose", text(consent=[{"purpose": "a:b", "status": "granted"}])),
    ("invalid_event", "same with one", text(same=[[{"ns": "user", "value": "a"}]])),
]


@pytest.fixture(scope="module")
def letters(kafka, tmp_path_factory):
    """All bad messages and a good one after each, in one partition; the dead letters that came of them."""
    from harness.daemon import Daemon
    name = kafka.create_topic("bad-input")
    messages = []
    for number, (_, _, body) in enumerate(BAD):
        messages += [body, line(event(f"after-{number}", ["user:after"]))]
    kafka.produce(name, messages)
    one = Daemon(tmp_path_factory.mktemp("bad"), brokers=kafka.bootstrap, topics=[name])
    one.start()
    one.catch_up(kafka, name)
    yield one, name, {letter["offset"]: letter for letter in one.dead_letters()}
    one.close()


@pytest.mark.parametrize("number", range(len(BAD)), ids=[f"{reason}: {what}" for reason, what, _ in BAD])
def test_dead_letter(letters, number):
    _, name, by_offset = letters
    reason, _, body = BAD[number]
    letter = by_offset.get(2 * number)
    assert letter, f"no dead letter at offset {2 * number}"
    assert letter["reason"] == reason, letter
    assert (letter["topic"], letter["partition"]) == (name, 0)
    if len(body) <= 256 * 1024:
        assert letter["value"] == body, "the bytes that came"
    if reason == "invalid_event":
        assert letter["at"], "the member is named"


def test_the_partition_went_on(letters):
    one, name, by_offset = letters
    views = one.views()
    assert [v["events"] for v in views if v["identifiers"][0]["value"] == "after"] == [len(BAD)]
    p = one.partitions()[(name, 0)]
    assert p["results"]["dead_letter"] == len(by_offset) == len(BAD)
    assert sum(p["results"].values()) + p["holes"] == p["next_offset"] == 2 * len(BAD)


def test_no_personal_data_in_the_log(letters):
    one, _, _ = letters
    told = "\n".join(one.process.lines)
    assert "after" not in told.replace("after=", "") or "user:after" not in told
    assert "user:good" not in told and '"value"' not in told


def test_what_is_no_dead_letter(kafka, daemon, topic):
    """An unknown namespace, a blocked value, no identifier at all, a tombstone: counted, each in its place."""
    name = kafka.create_topic(topic())
    kafka.produce(name, [
        line(event("1", ["nobody:knows"])),
        line(event("2", ["user:a", "nobody:knows"])),
        line(event("3", [])),
        line(event("4", ["email:not an address"])),
        line(event("5", [], amount={"value": "3.00", "currency": "EUR", "key": "order-1"})),
        {"value": None, "key": "gone"},
    ])
    one = daemon(brokers=kafka.bootstrap, topics=[name]).start()
    one.catch_up(kafka, name)
    results = one.partitions()[(name, 0)]["results"]
    assert {k: v for k, v in results.items() if v} == {"applied": 2, "no_identifier": 3, "skipped": 1}
    assert one.dead_letters() == []


def test_a_conflicting_duplicate_is_told(kafka, daemon, topic):
    name = kafka.create_topic(topic())
    kafka.produce(name, [line(event("1", ["user:a"])), line(event("1", ["user:b"])), line(event("1", ["user:a"]))])
    one = daemon(brokers=kafka.bootstrap, topics=[name]).start()
    one.catch_up(kafka, name)
    assert [(d["reason"], d["offset"]) for d in one.dead_letters()] == [("conflicting_duplicate", 1)]
    assert [v["identifiers"][0]["value"] for v in one.views()] == ["a"], "the first stands"
    assert one.partitions()[(name, 0)]["results"]["duplicate"] == 1


def test_a_bad_element_costs_itself_only(kafka, daemon, topic, tmp_path):
    name = kafka.create_topic(topic())
    connector = tmp_path / "list.yaml"
    connector.write_text(f"""\
connector: list
channel: web
topics: [{name}]
format: json
events:
  - name: each
    each: '$.items[*]'
    type: seen
    id: '$.id'
    identify: [{{ns: user, from: '$.user'}}]
    amount: {{value: '$.price', kind: major, currency: {{const: EUR}}}}
""")
    body = {"items": [{"id": "1", "user": "a", "price": "1.00"}, {"id": "x" * 300, "user": "a"},
                      {"id": "3", "user": "b", "price": "2.00"}]}
    kafka.produce(name, [json.dumps(body).encode()])
    one = daemon(brokers=kafka.bootstrap, connectors=[str(connector)]).start()
    one.catch_up(kafka, name)
    assert sorted(v["identifiers"][0]["value"] for v in one.views()) == ["a", "b"]
    assert [(d["reason"], d["offset"]) for d in one.dead_letters()] == [("invalid_event", 0)]

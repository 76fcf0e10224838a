# SPDX-License-Identifier: Apache-2.0
"""`backbonectl try --last`: the newest messages of a topic through a connector, with nothing committed anywhere."""
import json
import socket
import time

import pytest

CONNECTOR = """\
connector: till
channel: pos
topics: [{topic}]
format: json
redact: ['$.secret']
events:
  - name: sale
    when: {{'$.kind': sale}}
    type: sold
    id: '$.id'
    time: {{from: '$.at', format: iso8601}}
    identify:
      - {{ns: card, from: '$.card'}}
      - {{ns: email, from: '$.email'}}
    attributes: {{first_name: '$.first', last_name: '$.last'}}
otherwise: dead_letter
"""


def sale(i, **more):
    body = {"kind": "sale", "id": str(i), "at": "2026-01-02T03:04:05Z", "card": f"C{i}", "first": "Ann", **more}
    return json.dumps({k: v for k, v in body.items() if v is not None}).encode()


@pytest.fixture
def till(kafka, daemon, topic, tmp_path):
    """A configuration whose daemon never runs, and a topic of two partitions."""
    name = kafka.create_topic(topic("till"), 2)
    (tmp_path / "till.yaml").write_text(CONNECTOR.format(topic=name))
    return daemon(brokers=kafka.bootstrap, connectors=["../till.yaml"]), name


def groups(kafka):
    from confluent_kafka.admin import AdminClient
    client = AdminClient({"bootstrap.servers": kafka.bootstrap})
    return {g.id for g in client.list_groups(timeout=30)}


def test_a_summary_of_what_would_be_extracted(kafka, till):
    one, name = till
    messages = [sale(i, last="Lee" if i % 2 else None, email="no address" if i < 3 else None) for i in range(10)]
    messages += [sale(10, card=None), b'{"kind":"other","secret":"S3"}', b"{broken"]
    kafka.produce(name, [{"value": m, "partition": i % 2} for i, m in enumerate(messages)])
    before = groups(kafka)
    done = one.ctl("try", "till", "--last", "100", "--json", check=False)
    assert done.returncode == 1, done.stderr.decode()
    said = json.loads(done.stdout)
    assert groups(kafka) == before
    assert {k: said[k] for k in ("topic", "messages", "events", "rulings", "skipped", "refused", "no_identifier")} == {
        "topic": name, "messages": 13, "events": 11, "rulings": 0, "skipped": 0, "refused": 2, "no_identifier": 1}
    assert said["types"] == [{"type": "sold", "events": 11, "no_identifier": 1}]
    fields = {f["field"]: f["usable"] for f in said["fields"]}
    assert fields == {"identifier card": 10, "identifier email": 0, "attribute first_name": 11,
                      "attribute last_name": 5, "time": 11}
    assert said["namespaces"] == [{"namespace": "card", "identifiers": 10, "blocked": 0}]
    warnings = {w["warning"]: w for w in said["warnings"]}
    assert warnings["identifier_not_canonical"]["n"] == 3
    refused = {r["refused"]: (r["n"], r["partition"], r["offset"]) for r in said["refusals"]}
    assert refused == {"unmatched": (1, 1, 5), "invalid_json": (1, 0, 6)}
    text = one.ctl("try", "till", "--last", "100", check=False).stdout.decode()
    assert "13 messages: 11 events (1 without a usable identifier)" in text
    assert "45 %" in text and "identifier email" in text and "C1" not in text and "Ann" not in text


def test_events_are_printed_on_request_and_redacted(kafka, till):
    one, name = till
    kafka.produce(name, [{"value": v, "partition": 0} for v in
                         (sale(1), b'{"kind":"other","secret":"S3","plain":"P4"}')])
    lines = one.ctl("try", "till", "--events", "--json", check=False).stdout.decode().splitlines()
    event, refused, summary = map(json.loads, lines)
    assert event["id"] == "1" and event["identifiers"] == [{"ns": "card", "value": "C1"}]
    assert refused["refused"] == "unmatched" and refused["offset"] == 1
    assert "P4" in refused["value"] and "S3" not in "".join(lines)
    assert summary["messages"] == 2


def test_the_newest_of_a_partition_and_of_all(kafka, till):
    one, name = till
    kafka.produce(name, [{"value": sale(i), "partition": 0} for i in range(50)])
    kafka.produce(name, [{"value": sale(50 + i), "partition": 1} for i in range(3)])

    def ids(*options):
        lines = one.ctl("try", "till", "--events", "--json", *options).stdout.decode().splitlines()[:-1]
        return sorted(int(json.loads(t)["id"]) for t in lines)
    assert ids("--last", 4, "--partition", 0) == [46, 47, 48, 49]
    assert ids("--last", 10) == [43, 44, 45, 46, 47, 48, 49, 50, 51, 52]
    assert len(ids()) == 53
    # markers of transactions are no messages
    kafka.produce_aborted(name, [sale(99)])
    assert len(ids()) == 53


def test_what_cannot_be_read_is_said_in_time(kafka, till):
    one, name = till
    cases = [(("--topic", "no-such-topic"), 1, "has no topic no-such-topic"), ((), 1, f"topic {name} is empty"),
             (("--partition", "7"), 2, "has 2"), (("--last", "x"), 2, "--last"),
             (("--topic", name, "a.json"), 2, "not both")]
    for options, code, words in cases:
        done = one.ctl("try", "till", "--last", "5", *options, check=False)
        assert done.returncode == code and words in done.stderr.decode(), (options, done.stderr.decode())
    done = one.ctl("try", "tll", "--last", "5", check=False)
    assert done.returncode == 2 and "did you mean `till`" in done.stderr.decode()
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections and never answers
        began = time.monotonic()
        done = one.ctl("try", "till", "--last", "5", "--brokers", f"127.0.0.1:{deaf.getsockname()[1]}", check=False)
        assert done.returncode == 3 and time.monotonic() - began < 40, done.stderr.decode()
    gone = socket.create_server(("127.0.0.1", 0))
    port = gone.getsockname()[1]
    gone.close()
    done = one.ctl("try", "till", "--last", "5", "--brokers", f"127.0.0.1:{port}", check=False)
    assert done.returncode == 3 and f"127.0.0.1:{port}" in done.stderr.decode(), done.stderr.decode()
    one.write(brokers=None)
    done = one.ctl("try", "till", "--last", "5", check=False)
    assert done.returncode == 2 and "no brokers" in done.stderr.decode()


def test_a_file_that_no_daemon_has_yet(kafka, till, tmp_path):
    one, name = till
    kafka.produce(name, [sale(1)])
    draft = tmp_path / "draft.yaml"
    draft.write_text((tmp_path / "till.yaml").read_text().replace("type: sold", "type: bought"))
    said = json.loads(one.ctl("try", draft, "--topic", name, "--last", "1", "--json").stdout)
    assert said["types"] == [{"type": "bought", "events": 1, "no_identifier": 0}]

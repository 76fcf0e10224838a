# SPDX-License-Identifier: Apache-2.0
"""Topics that are read again: what a mended connector makes of what was dropped comes in, nothing counts twice, also
over kill -9, and names of events are the limit."""
import json
import threading
import time

import pytest

from harness.process import wait_until

NAMESPACES = ["{name: card, owner: true, per_profile: 3}", "{name: email, normalise: email}"]
BEFORE = """\
connector: till
channel: pos
topics: [{topic}]
format: json
events:
  - name: sale
    when: {{'$.kind': sale}}
    type: sold
    id: '$.id'
    time: {{from: '$.at', format: iso8601}}
    identify: [{{ns: card, from: '$.card'}}]
    amount: {{value: '$.sum', kind: major, currency: EUR}}
  - name: visit
    when: {{'$.kind': visit}}
    type: visited
    identify: [{{ns: card, from: '$.card'}}]
    amount: {{value: '$.sum', kind: major, currency: EUR}}
  - name: payment
    when: {{'$.kind': payment}}
    type: paid
    amount: {{value: '$.sum', kind: major, currency: EUR, key: '$.order', part: paid}}
  - name: parcel
    when: {{'$.kind': parcel}}
    type: sent
    identify: [{{ns: card, from: '$.kard'}}]
otherwise: dead_letter
"""
ORDER = """\
  - name: order
    when: {'$.kind': order}
    type: ordered
    id: '$.id'
    time: {from: '$.at', format: iso8601}
    identify: [{ns: card, from: '$.card'}]
    amount: {value: '$.sum', kind: major, currency: EUR, key: '$.order'}
otherwise: skip
"""
KINDS = ("sale", "visit", "payment", "parcel", "order")


def message(i):
    kind = KINDS[i % 5]
    return json.dumps({"kind": kind, "id": f"i{i}", "at": f"2026-01-02T03:{i // 60 % 60:02}:{i % 60:02}Z",
                       "card": f"C{i % 97}", "order": f"O{i // 5}", "sum": f"{i % 50}.25"}).encode()


def an_hour_ago():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))


def mended(topic, **more):
    text = BEFORE.format(topic=topic, **more).replace("$.kard", "$.card")
    return text.replace("otherwise: dead_letter\n", ORDER)


def ms(days_ago=0):
    return int((time.time() - days_ago * 86400) * 1000)


@pytest.fixture
def till(kafka, daemon, topic, tmp_path):
    """A daemon whose connector refuses orders and misses the card of parcels; 3,000 messages in three partitions."""
    name = kafka.create_topic(topic("till"), 3, {"retention.ms": "-1"})
    other = kafka.create_topic(topic("other"))
    file = tmp_path / "till.yaml"
    file.write_text(BEFORE.format(topic=name))
    one = daemon(brokers=kafka.bootstrap, connectors=[str(file)], namespaces=NAMESPACES, topics=[other],
                 batch_events=50).start()
    kafka.produce(name, [{"value": message(i), "partition": i % 3} for i in range(3000)])
    one.catch_up(kafka, name)
    results = [row["results"] for (t, _), row in one.partitions().items() if t == name]
    assert sum(r["dead_letter"] for r in results) == 600 == len(one.dead_letters())
    assert sum(r["no_identifier"] for r in results) == 600
    return one, name, file


def expected(daemon, kafka, name, file):
    """What a store has that never had another connector than the mended one."""
    fresh = daemon("fresh", brokers=kafka.bootstrap, connectors=[str(file)], namespaces=NAMESPACES)
    assert fresh.once() == 0
    return facts(fresh)


def facts(one):
    """Views without what tells when they were made: ids of profiles follow from identifiers."""
    return sorted(one.dump())


def reread(one, name):
    return {p["partition"]: p["reread"] for p in one.status()["partitions"] if p["topic"] == name}


def test_what_was_dropped_comes_in_and_nothing_counts_twice(kafka, daemon, till):
    one, name, file = till
    before = one.partitions()
    file.write_text(mended(name))
    assert json.loads(one.ctl("connectors", "reload", "--json").stdout)["changed"] == ["till"]
    said = json.loads(one.ctl("replay-topic", "till", "--from", an_hour_ago(), "--json").stdout)
    assert {k: said[k] for k in ("offsets", "applied", "duplicate", "skipped", "no_identifier", "dead_letter",
                                 "too_old")} == {"offsets": 3000, "applied": 1200, "duplicate": 1800, "skipped": 0,
                                                 "no_identifier": 0, "dead_letter": 0, "too_old": 0}
    assert one.dead_letters() == []
    after = one.partitions()
    for key, row in before.items():
        assert after[key]["next_offset"] == row["next_offset"] and after[key]["results"] == row["results"]
    assert facts(one) == expected(daemon, kafka, name, file)
    # once more: all is known now
    again = one.ctl("replay-topic", "till", "--from", an_hour_ago()).stdout.decode()
    assert "0 records applied, 3000 known already" in again
    assert facts(one) == expected(daemon, kafka, name, file)
    log = [json.loads(t) for t in one.ctl("audit", "list", "--json").stdout.decode().splitlines()]
    assert sum(e["action"] == "reread" for e in log) == 6
    assert f"connector=till from=0 to={before[name, 0]['next_offset']}" in log[0]["detail"]
    assert one.ctl("audit", "verify").returncode == 0


def test_killed_in_the_middle_again_and_again(kafka, daemon, till):
    """kill -9 while it is read again, and live traffic beside it: the views are those of a store that never had the
    broken connector, each time another end is met."""
    one, name, file = till
    file.write_text(mended(name))
    one.ctl("connectors", "reload")
    ranges = [{"topic": name, "partition": p, "from": 0} for p in range(3)]
    body = json.dumps({"connector": "till", "partitions": ranges})
    code, answer = post(one, "/v1/replays", body)
    assert code == 202, answer
    code, answer = post(one, "/v1/replays", body)
    assert code == 409 and b"being read again already" in answer or reread(one, name)[0]["next"] == 1000
    one.kill()
    one.write(batch_events=5)  # small steps, so that it is met in the middle
    one.start()
    kills = 1
    for more in range(12):
        state = reread(one, name)
        if all(r["next"] == r["to"] for r in state.values()):
            break
        kafka.produce(name, [{"value": message(3000 + 30 * more + i), "partition": i % 3} for i in range(30)])
        done = sum(r["next"] for r in state.values())
        wait_until(lambda: sum(r["next"] for r in reread(one, name).values()) >= min(done + 50, 3000), "some more")
        one.kill()
        kills += 1
        one.start()
    wait_until(lambda: all(r["next"] == r["to"] for r in reread(one, name).values()), "the end of reading again")
    one.catch_up(kafka, name)
    state = reread(one, name).values()
    assert kills >= 2
    assert sum(r["applied"] for r in state) == 1200 and sum(r["duplicate"] for r in state) == 1800
    assert one.dead_letters() == []
    rows = [r for (t, _), r in one.partitions().items() if t == name]
    assert all(sum(r["results"].values()) + r["holes"] == r["next_offset"] for r in rows)
    assert facts(one) == expected(daemon, kafka, name, file)
    assert one.ready() == (True, [])


def post(one, path, body):
    from harness.daemon import UnixHttp
    connection = UnixHttp(one.admin)
    try:
        connection.request("POST", path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_the_others_go_on_and_gaps_are_still_seen(kafka, till, topic):
    one, name, file = till
    other = one.settings["topics"][0]
    begun = sum(f"topic={other} " in line and "partition_begins" in line for line in one.process.lines)
    file.write_text(mended(name))
    one.ctl("connectors", "reload")
    # what retention has taken meanwhile was read before: no gap
    kafka.delete_records(name, 0, 500)
    stop = threading.Event()
    sent = []

    def feed():
        while not stop.is_set():
            n = len(sent)
            kafka.produce(other, [json.dumps({"id": f"o{n}", "type": "x", "source": "web", "time": "2026-01-02T03:04:05Z",
                                              "identifiers": [{"ns": "card", "value": f"o{n}"}]})])
            sent.append(n)
    thread = threading.Thread(target=feed)
    thread.start()
    try:
        code, answer = post(one, "/v1/replays", json.dumps({"connector": "till", "partitions": [
            {"topic": name, "partition": 0, "from": 0}]}))
        assert code == 202, answer
        wait_until(lambda: reread(one, name)[0]["next"] == 1000, "the end of reading again")
    finally:
        stop.set()
        thread.join()
    one.catch_up(kafka, other)
    assert reread(one, name)[0]["duplicate"] == 300 and reread(one, name)[0]["applied"] == 200
    assert one.ready() == (True, []) and len(one.dead_letters()) == 600 - 100
    assert begun == sum(f"topic={other} " in line and "partition_begins" in line for line in one.process.lines)
    assert one.partitions()[other, 0]["results"]["applied"] == len(sent)
    assert reread(one, name)[1] is None


def test_only_as_far_as_names_reach(kafka, daemon, topic, tmp_path):
    name = kafka.create_topic(topic("old"), 1, {"retention.ms": "-1"})
    file = tmp_path / "till.yaml"
    file.write_text(BEFORE.format(topic=name))
    one = daemon(brokers=kafka.bootstrap, connectors=[str(file)], namespaces=NAMESPACES).start()
    kafka.produce(name, [{"value": message(5 * i), "timestamp": ms(40)} for i in range(10)])
    kafka.produce(name, [{"value": message(4 + 5 * i), "timestamp": ms(40)} for i in range(10)])
    kafka.produce(name, [{"value": message(100 + 5 * i), "timestamp": ms(10)} for i in range(10)])
    kafka.produce(name, [{"value": message(104 + 5 * i), "timestamp": ms(10)} for i in range(10)])
    kafka.produce(name, [{"value": message(200), "timestamp": ms()}])
    one.catch_up(kafka, name)
    file.write_text(mended(name))
    one.ctl("connectors", "reload")
    code, body = one.http("/v1/connectors")
    since = json.loads(body)["names_since"]
    early = one.ctl("replay-topic", "till", "--from", "2020-01-01T00:00:00Z", check=False)
    assert early.returncode == 4 and f"the earliest is --from {since}" in early.stderr.decode(), early.stderr
    early = one.ctl("replay-topic", "till", "--from", "0", check=False)
    assert early.returncode == 4 and "offset 20 there" in early.stderr.decode(), early.stderr
    assert "reread" not in one.ctl("audit", "list").stdout.decode() and reread(one, name) == {0: None}
    said = json.loads(one.ctl("replay-topic", "till", "--from", since, "--json").stdout)
    assert (said["applied"], said["duplicate"], said["too_old"]) == (10, 11, 0)
    assert len(one.dead_letters()) == 10
    # who goes past the tool meets the same limit, record by record, and loses nothing
    code, answer = post(one, "/v1/replays", json.dumps({"connector": "till", "partitions": [
        {"topic": name, "partition": 0, "from": 0}]}))
    assert code == 202, answer
    wait_until(lambda: reread(one, name)[0]["next"] == 41, "the end of reading again")
    state = reread(one, name)[0]
    assert (state["too_old"], state["duplicate"], state["applied"]) == (20, 21, 0)
    assert len(one.dead_letters()) == 10


def test_what_is_wrong_is_said(kafka, till):
    one, name, _ = till
    from_ = ("--from", an_hour_ago())
    cases = [(("tll", *from_), 2, "did you mean `till`"), (("till",), 2, "say from where"),
             (("till", "--from", "yesterday"), 2, "a time with a zone"),
             (("till", "--from", "7"), 2, "give --partition"), (("till", *from_, "--partition", "9"), 2, "has 3"),
             (("till", *from_, "--topic", "nope"), 2, "reads no topic nope"),
             (("till", "--from", "2099-01-01T00:00:00Z"), 1, "nothing from there on"),
             (("till", "--from", "1000", "--partition", "0"), 1, "nothing from there on"),
             (("till", *from_, "--brokers", "127.0.0.1:1"), 3, "127.0.0.1:1")]
    for args, code, words in cases:
        done = one.ctl("replay-topic", *args, check=False)
        assert done.returncode == code and words in done.stderr.decode(), (args, done.returncode, done.stderr.decode())
    good = {"topic": name, "partition": 0, "from": 0}
    bodies = [("{", 400), ({"connector": "till", "partitions": []}, 400), ({"partitions": [good]}, 400),
              ({"connector": "till", "partitions": [good, good]}, 400),
              ({"connector": "till", "partitions": [{**good, "partition": 8}]}, 404),
              ({"connector": "till", "partitions": [{**good, "topic": one.settings["topics"][0]}]}, 400),
              ({"connector": "till", "partitions": [{**good, "from": 1000}]}, 409),
              ({"connector": "till", "partitions": [{**good, "from": -1}]}, 400),
              ({"connector": "till", "partitions": [{**good, "from": "0"}]}, 400)]
    for body, code in bodies:
        got, answer = post(one, "/v1/replays", body if isinstance(body, str) else json.dumps(body))
        assert got == code, (body, got, answer)
    assert all(r is None for r in reread(one, name).values())
    assert one.stop() == 0
    assert one.ctl("replay-topic", "till", *from_, check=False).returncode == 3

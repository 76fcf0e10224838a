# SPDX-License-Identifier: Apache-2.0
"""Connectors of a running daemon: one is exchanged while the others go on; what is listed of them."""
import json
import os
import random
import signal
import threading

import pytest

from harness.process import wait_until

TEMPLATE = """\
connector: {name}
channel: {channel}
topics: {topics}
format: json
events:
  - name: sale
    when: {{'$.kind': sale}}
    type: {type}
    id: '$.id'
    time: {{from: '$.at', format: iso8601}}
    identify: [{{ns: card, from: '$.card'}}]
otherwise: dead_letter
"""


def write(folder, name, topics, kind="sold", channel="pos"):
    (folder / f"{name}.yaml").write_text(TEMPLATE.format(name=name, topics=topics, type=kind, channel=channel))


def sale(ident, card):
    return json.dumps({"kind": "sale", "id": str(ident), "at": "2026-01-02T03:04:05Z", "card": card}).encode()


def kinds(one, card):
    answer = one.redis().get(f"card:{card}")
    return {k: a["events"] for k, a in json.loads(answer)["activity"].items()} if answer else {}


def listed(one):
    rows = [json.loads(t) for t in one.ctl("connectors", "list", "--json").stdout.decode().splitlines()]
    return {row["connector"]: row for row in rows}


def begun(one, topic):
    """How often reading of a partition of the topic was begun."""
    return sum("partition_begins" in line and f"topic={topic} " in line for line in one.process.lines)


@pytest.fixture
def shops(kafka, daemon, topic, tmp_path):
    """Two connectors, each in a file of its own."""
    folder = tmp_path / "connectors"
    folder.mkdir()
    topics = {name: kafka.create_topic(topic(name), 3) for name in ("till", "web")}
    for name, text in topics.items():
        write(folder, name, f"[{text}]")
    one = daemon(brokers=kafka.bootstrap, connectors=["../connectors/*.yaml"]).start()
    for text in topics.values():
        kafka.produce(text, [sale(0, "C0")])
        one.catch_up(kafka, text)
    return one, folder, topics


def test_one_is_exchanged_while_the_others_are_read_on(kafka, shops):
    """Ten reloads of `till` under load on `web`: no partition of `web` is begun anew, no message of either is lost
    or taken twice, and each is decoded by one version: first by the old one, from some offset on by the new one."""
    one, folder, topics = shops
    n, stop = {"web": 0, "till": 0}, threading.Event()

    def feed(name):
        while not stop.is_set():
            kafka.produce(topics[name], [sale(f"{name}-{n[name] + i}", f"{name}-{n[name] + i}") for i in range(50)])
            n[name] += 50
    threads = [threading.Thread(target=feed, args=(name,)) for name in n]
    for thread in threads:
        thread.start()
    try:
        for version in range(10):
            write(folder, "till", f"[{topics['till']}]", f"v{version}")
            said = one.ctl("connectors", "reload", "--json").stdout
            assert json.loads(said) == {"run": version + 1, "added": [], "changed": ["till"], "removed": [], "kept": 1}
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for name in n:
        one.catch_up(kafka, topics[name])
    assert begun(one, topics["web"]) == 3 and begun(one, topics["till"]) == 3
    rows = one.partitions()
    for name in n:
        results = [row["results"] for (t, _), row in rows.items() if t == topics[name]]
        assert sum(r["applied"] for r in results) == n[name] + 1
        assert sum(sum(r.values()) for r in results) == n[name] + 1
    views = {v["identifiers"][0]["value"]: v["activity"] for v in one.views()}
    assert len(views) == n["web"] + n["till"] + 1
    seen = [[(k, a["events"]) for k, a in views[f"till-{i}"].items()] for i in range(n["till"])]
    assert all(len(s) == 1 and s[0][1] == 1 for s in seen), "decoded by exactly one version"
    assert {s[0][0] for s in seen} <= {"sold"} | {f"v{i}" for i in range(10)}
    # the last version counts from its next event
    kafka.produce(topics["till"], [sale("last", "last")])
    one.catch_up(kafka, topics["till"])
    assert kinds(one, "last") == {"v9": 1}
    assert one.stop() == 0


def test_files_come_and_go_and_topics_move(kafka, shops, topic):
    one, folder, topics = shops
    extra, more = kafka.create_topic(topic("extra")), kafka.create_topic(topic("more"))
    kafka.produce(extra, [sale(1, "X1")])
    write(folder, "extra", f"[{extra}]", "extra")
    assert json.loads(one.ctl("connectors", "reload", "--json").stdout)["added"] == ["extra"]
    one.catch_up(kafka, extra)
    assert kinds(one, "X1") == {"extra": 1}

    # a topic more, and one less: only these begin and end
    kafka.produce(more, [sale(2, "X2")])
    write(folder, "extra", f"[{more}]", "extra")
    assert json.loads(one.ctl("connectors", "reload", "--json").stdout)["changed"] == ["extra"]
    one.catch_up(kafka, more)
    kafka.produce(extra, [sale(3, "X3")])
    assert [r["topic"] for r in listed(one)["extra"]["reads"]] == [more]
    assert begun(one, topics["till"]) == 3 and begun(one, topics["web"]) == 3

    # gone, and back: it goes on where it was
    (folder / "extra.yaml").unlink()
    assert json.loads(one.ctl("connectors", "reload", "--json").stdout)["removed"] == ["extra"]
    assert "extra" not in listed(one)
    before = one.offsets()[extra, 0]
    write(folder, "extra", f"[{extra}, {more}]", "extra")
    one.ctl("connectors", "reload")
    one.catch_up(kafka, extra, more)
    assert before == 1 and one.offsets()[extra, 0] == 2
    assert kinds(one, "X3") == {"extra": 1} and kinds(one, "X1") == {"extra": 1}
    assert begun(one, topics["till"]) == 3


def test_a_wrong_file_changes_nothing_and_is_told_to_who_asked(kafka, shops):
    one, folder, topics = shops
    good = (folder / "till.yaml").read_text()
    (folder / "till.yaml").write_text(good.replace("iso8601", "iso8601z"))
    write(folder, "web", f"[{topics['web']}]", "other")
    refused = one.ctl("connectors", "reload", check=False)
    assert refused.returncode == 2 and refused.stdout == b""
    text = refused.stderr.decode()
    assert "till.yaml:10:" in text and "did you mean" in text and "nothing was changed" in text, text
    one.process.wait_line(lambda line: "config_error" in line and "till.yaml:10:" in line)
    code, body = one.http("/v1/connectors/reload", "POST")
    assert code == 422 and any("till.yaml:10:" in e for e in json.loads(body)["errors"])
    kafka.produce(topics["web"], [sale(7, "W7")])
    one.catch_up(kafka, topics["web"])
    assert kinds(one, "W7") == {"sold": 1}, "the good file was not taken either"
    (folder / "till.yaml").write_text(good)
    assert json.loads(one.ctl("connectors", "reload", "--json").stdout)["changed"] == ["web"]
    kafka.produce(topics["web"], [sale(8, "W8")])
    one.catch_up(kafka, topics["web"])
    assert kinds(one, "W8") == {"other": 1}


def test_the_list(kafka, shops, topic):
    one, folder, topics = shops
    prefix = topic("many")
    write(folder, "many", f"/^{prefix}-.*/")
    one.ctl("connectors", "reload")
    names = [kafka.create_topic(f"{prefix}-{i}") for i in range(2)]
    kafka.produce(names[0], [sale(1, "M1"), sale(1, "M1"), b'{"kind":"other"}'])
    one.catch_up(kafka, names[0])
    many = wait_until(lambda: len(listed(one)["many"]["reads"]) == 2 and listed(one)["many"], "both topics")
    assert (many["applied"], many["duplicate"], many["dead_letter"]) == (1, 1, 1)
    assert many["channel"] == "pos" and many["pattern"] == f"^{prefix}-.*" and many["file"].endswith("many.yaml")
    assert many["reads"][0] == {"topic": names[0], "partitions": 1, "lag": 0} and many["last"]
    table = one.ctl("connectors", "list").stdout.decode()
    assert "DEAD LETTER" in table and names[1] in table
    assert one.stop() == 0
    down = one.ctl("connectors", "list", "--json")
    assert b"no daemon answers" in down.stderr
    rows = {r["connector"]: r for r in map(json.loads, down.stdout.decode().splitlines())}
    assert rows["till"]["reads"] == [{"topic": topics["till"], "partitions": None, "lag": None}]
    assert rows["many"]["applied"] is None and rows["many"]["pattern"] == f"^{prefix}-.*"
    assert "till" in one.ctl("connectors", "list").stdout.decode()
    one.start()
    assert one.stop() == 0
    assert one.ctl("connectors", "rload", check=False).returncode == 2
    assert one.ctl("connectors", "reload", check=False).returncode == 3


def test_a_rebuild_after_reloads_has_the_connectors_of_the_last(kafka, shops):
    one, folder, topics = shops
    for name, kind in (("till", "a"), ("web", "b"), ("till", "c")):
        write(folder, name, f"[{topics[name]}]", kind)
        one.ctl("connectors", "reload")
    kafka.produce(topics["web"], [sale(1, "R1")])
    one.catch_up(kafka, topics["web"])
    one.ctl("rebuild")
    assert kinds(one, "C0") == {"b": 1, "c": 1} and kinds(one, "R1") == {"b": 1}
    kafka.produce(topics["till"], [sale(2, "R2")])
    one.catch_up(kafka, topics["till"])
    assert kinds(one, "R2") == {"c": 1}
    assert one.stop() == 0


def test_reloads_of_all_kinds_under_load_end_like_a_fresh_store(kafka, daemon, shops):
    """Files broken, renamed, deleted, there twice, no files at all; reloads at once by all ways, purges, rebuilds and
    other rules between them. What counts is what was read, once, under whichever plan: here all plans are alike."""
    one, folder, topics = shops
    rng, stop, sent = random.Random(7), threading.Event(), {name: 0 for name in topics}
    twice, pipe = folder / "z-twice.yaml", folder / "pipe.yaml"
    namespaces = one.settings["namespaces"]

    def feed(name):
        while not stop.is_set():
            kafka.produce(topics[name], [sale(f"{name}{sent[name] + i}", f"c{(sent[name] + i) % 97}") for i in range(20)])
            sent[name] += 20

    def mend():
        for file in folder.iterdir():
            file.unlink()
        for name, text in topics.items():
            write(folder, name, f"[{text}]")

    def spoil(name):
        file = folder / f"{name}.yaml"
        if not file.exists():
            return
        rng.choice([lambda: file.write_text(file.read_text()[:rng.randrange(150)]), file.unlink,
                    lambda: file.rename(folder / f"renamed-{name}.yaml"), lambda: write(folder, name, "/^(((a+)+)+)+$/"),
                    lambda: twice.write_text(file.read_text()), lambda: pipe.exists() or os.mkfifo(pipe)])()

    def other_rules():
        one.write(namespaces=namespaces + rng.choice([[], ["{name: loyalty}"], ["{name: zed}"]]))

    def reloads():
        asking = [threading.Thread(target=one.ctl, args=("connectors", "reload"), kwargs={"check": False})
                  for _ in range(rng.randrange(3))]
        for thread in asking:
            thread.start()
        one.process.signal(signal.SIGHUP)
        for thread in asking:
            thread.join()

    def idle():
        status = one.status()
        return not status["maintenance"]["running"] and not status["reload"]["waiting"]
    threads = [threading.Thread(target=feed, args=(name,)) for name in topics]
    for thread in threads:
        thread.start()
    try:
        for _ in range(60):
            rng.choice([mend, mend, lambda: spoil("till"), lambda: spoil("web"), other_rules,
                        lambda: one.ctl("purge", check=False), lambda: one.ctl("rebuild", "--detach", check=False)])()
            reloads()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    mend()
    one.write(namespaces=namespaces)
    wait_until(lambda: idle() and one.ctl("connectors", "reload", check=False).returncode == 0, "the last reload")
    wait_until(idle, "its end")
    for text in topics.values():
        one.catch_up(kafka, text)
    wait_until(idle, "what was asked for last")
    assert one.stop() == 0 and one.ctl("scrub").returncode == 0
    fresh = daemon("fresh", brokers=kafka.bootstrap, connectors=["../connectors/*.yaml"])
    assert fresh.once() == 0
    assert sum(v["events"] for v in one.views()) == sum(sent.values()) + 2 and one.dump() == fresh.dump()

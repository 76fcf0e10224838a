# SPDX-License-Identifier: Apache-2.0
"""A rebuild makes the store anew from the beginning of topics and files, beside the running one: with other connectors
it equals a store that had these from the beginning; look-ups and events of now go on; who was erased stays erased,
rulings stay; a kill at any point leaves the old store or the new one; what the log no longer has is not lost unasked."""
import contextlib
import http.client
import json
import os
import signal
import subprocess

import pytest

from harness.asking import Asking
from harness.events import START_MS, event, line, stream
from harness.process import BUILD_FAILPOINTS, wait_until

CONNECTOR = """connector: shop
channel: pos
topics: [{topic}]
events:
  - type: sale
    id: '$.id'
    time: {{from: '$.at', format: epoch_ms}}
    identify:
      - {{ns: user, from: '$.user'}}
{more}
    attributes:
      {attribute}: '$.town'
"""
EMAIL = "      - {ns: email, from: '$.mail'}\n"


def sale(n, person, **more):
    """Two people in a row have one address between them."""
    return json.dumps({"id": f"s{n}", "at": START_MS + n * 60000, "user": f"u{person}", "mail": f"m{person}@example.org",
                       "town": ["Paris", "Lyon", "Nice"][n % 3], **more}).encode()


def connector(tmp_path, topic, more="", attribute="town"):
    file = tmp_path / "shop.yaml"
    file.write_text(CONNECTOR.format(topic=topic, more=more, attribute=attribute), encoding="utf-8")
    return str(file)


def produce(broker, topic, values, partitions=3):
    broker.produce(topic, [{"value": v, "partition": n % partitions} for n, v in enumerate(values)])


def reload(one, said="reloaded"):
    before = len(one.process.lines)
    one.process.signal(signal.SIGHUP)
    return one.process.wait_line(said, start=before)


def digest(one):
    return one.redis().execute_command("BB.DIGEST")


def rebuild(one, *args):
    return one.ctl("rebuild", *args)


def maintenance(one):
    return one.status()["maintenance"]


def ended(one):
    wait_until(lambda: maintenance(one)["running"] is None, lambda: f"the end: {maintenance(one)}")
    return maintenance(one)["last"]


def changes(one, *args):
    return [json.loads(t) for t in one.ctl("changes", "--json", *args).stdout.decode().splitlines()]


def test_a_changed_connector_counts_for_the_past(daemon, devbroker, tmp_path):
    name = devbroker.topic
    produce(devbroker, name, [sale(n, n % 200) for n in range(3000)])
    one = daemon("one", brokers=devbroker.bootstrap, connectors=[connector(tmp_path, name)], batch_events=200)
    one.start()
    one.catch_up(devbroker, name)
    before, last = one.views(), changes(one)[-1]["number"]
    assert len(before) == 200 and not any(i["ns"] == "email" for v in before for i in v["identifiers"])
    connector(tmp_path, name, more=EMAIL, attribute="address.city")
    reload(one)
    asking = Asking(one, [f"user:u{n}" for n in range(0, 200, 7)])
    told = rebuild(one).stdout
    wait_until(lambda: len(asking.seen) > 1, "the new answers")
    assert asking.close() > 10
    seen = asking.seen
    assert all(None not in answer for answer in seen), "by somebody who is there"
    assert told.startswith(b"rebuilt: data.mdb had ")
    assert len(seen) == 2, "first all of the old ones, then all of the new ones"
    fresh = daemon("fresh", brokers=devbroker.bootstrap, connectors=one.settings["connectors"])
    assert fresh.once() == 0
    assert one.dump() == fresh.dump() and len(one.views()) == 200
    assert one.redis().get("email:m7@example.org") == one.redis().get("user:u7") is not None
    # the feed goes on: every profile has another view now, and the numbers have no gap
    news = changes(one, "--after", last)
    assert [c["number"] for c in news] == list(range(last + 1, last + 201))
    assert {(c["kind"], c["cause"]) for c in news} == {("updated", "rebuild")}
    assert {c["profile"] for c in news} == {v["profile"] for v in one.views()}
    # and so does ingestion
    produce(devbroker, name, [sale(n, n % 200) for n in range(3000, 3100)])
    one.catch_up(devbroker, name)
    status = maintenance(one)
    assert (status["last"]["what"], status["last"]["result"], status["run"]) == ("rebuild", "done", 1)
    assert one.stop() == 0
    assert one.ctl("scrub").returncode == 0
    again = daemon("again", brokers=devbroker.bootstrap, connectors=one.settings["connectors"])
    assert again.once() == 0
    assert one.dump() == again.dump()
    for row in one.stored():
        assert sum(row["results"].values()) + row["holes"] == row["next_offset"]


def test_nothing_is_different_under_the_same_connectors(daemon, devbroker, tmp_path):
    name, file = devbroker.topic, tmp_path / "h.ndjson"
    events = [line(e) for e in stream(91, 300, 4000)]
    file.write_bytes(b"".join(e + b"\n" for e in events[:1000]) + b"\n\nno event\n")
    produce(devbroker, name, events[500:] + [b"neither"])
    one = daemon("one", brokers=devbroker.bootstrap, topics=[name], replay=[str(file)])
    one.start()
    one.wait_offsets({("file:" + str(file), 0): 1003})
    one.catch_up(devbroker, name)
    before, last, letters = one.dump(), changes(one)[-1], one.dead_letters()
    audit = one.ctl("audit", "list", "--json").stdout
    history = one.ctl("history", "user:u7", "--json").stdout
    assert len(letters) == 2
    for run in (1, 2):
        lines = [json.loads(t) for t in rebuild(one, "--json").stdout.decode().splitlines()]
        assert lines[-1]["run"] == run and lines[-1]["last"]["result"] == "done"
        assert one.dump() == before
        assert changes(one, "--after", last["number"]) == []
        assert one.ctl("history", "user:u7", "--json").stdout == history
        assert [x["value"] for x in one.dead_letters()] == [x["value"] for x in letters]
        entries = [json.loads(t) for t in one.ctl("audit", "list", "--json").stdout.decode().splitlines()]
        assert [e["action"] for e in entries[-run:]] == ["rebuild"] * run and len(entries) == audit.count(b"\n") + run
        assert one.ctl("audit", "verify").returncode == 0
        assert not os.path.exists(os.path.join(one.folder, "store", "next"))


def test_events_of_now_are_not_lost(daemon, devbroker):
    name = devbroker.topic
    events = [line(e) for e in stream(92, 200, 6000)]
    produce(devbroker, name, events[:4000])
    one = daemon("one", brokers=devbroker.bootstrap, topics=[name], batch_events=50)
    one.start()
    wait_until(lambda: sum(one.offsets().values()) > 100, "the first events")
    for n in range(4):
        rebuild(one, "--detach")
        produce(devbroker, name, events[4000 + 500 * n:4500 + 500 * n])
        assert ended(one)["result"] == "done"
    one.catch_up(devbroker, name)
    one.stop()
    calm = daemon("calm", brokers=devbroker.bootstrap, topics=[name])
    assert calm.once() == 0
    assert one.dump() == calm.dump()


def test_erasures_and_rulings_before_and_meanwhile(daemon, devbroker):
    name, people = devbroker.topic, 300
    old = [line(event(f"e{n}-{i}", [f"user:u{n}", f"email:p{n}@example.org"] + ([f"device:d{n // 2}"] if i else []),
                      START_MS + (i * people + n) * 1000, attributes={"note": f"word {n} {i}"}))
           for i in range(20) for n in range(people)]
    produce(devbroker, name, old)
    one = daemon("one", brokers=devbroker.bootstrap, topics=[name], batch_events=20)
    one.start()
    one.catch_up(devbroker, name)

    def erase(person, mode):
        one.ctl("erase", f"user:u{person}", "--mode", mode, "--reason", "asked for", "--id", f"x{person}", "--yes")
    one.ctl("rulings", "add", "join", "user:u10", "user:u11", "--id", "r1")
    one.ctl("rulings", "add", "split", "user:u12", "email:p12@example.org", "--id", "r2")
    erase(1, "forget")
    erase(2, "suppress")
    rebuild(one, "--detach")
    for person in range(3, 9):
        erase(person, ("forget", "suppress")[person % 2])
    one.ctl("rulings", "add", "block", "device:d20", "--id", "r3")
    one.ctl("rulings", "release", "r1")
    assert ended(one)["result"] == "done"
    calm = digest(one)
    rebuild(one)
    assert digest(one) == calm, "all known at the beginning gives the same"
    gone = one.redis().mget([f"user:u{n}" for n in range(1, 9)] + [f"email:p{n}@example.org" for n in range(1, 9)])
    assert gone == [None] * 16
    assert one.redis().get("user:u12") != one.redis().get("email:p12@example.org")
    assert json.loads(one.http("/v1/rulings/r1")[1])["released"]
    assert json.loads(one.http("/v1/rulings/r3")[1])["holds"]
    assert len(json.loads(one.http("/v1/erasures")[1])["erasures"]) == 8
    # copies, late events, another partition: as promised
    produce(devbroker, name, [old[n] for n in range(9)], 2)
    produce(devbroker, name, [line(event(f"new{n}", [f"user:u{n}"], START_MS + 10**8, attributes={"note": "new"}))
                              for n in range(1, 9)])
    one.catch_up(devbroker, name)
    rebuild(one)
    notes = [json.loads(v)["attributes"]["note"] if v else None for v in one.redis().mget(
        [f"user:u{n}" for n in range(1, 9)])]
    assert notes == ["new", None, None, "new", None, "new", None, "new"]
    assert one.ctl("audit", "verify").returncode == 0


def test_dead_letters_of_who_was_erased_come_back_without_bytes(daemon, devbroker):
    name, canary = devbroker.topic, b"canary7@example.org"
    produce(devbroker, name, [line(event(f"e{n}", [f"user:u{n}", f"email:canary{n}@example.org"])) for n in range(9)])
    devbroker.produce(name, [{"value": b'{"mail": "' + canary + b'"', "partition": 0, "key": canary},
                             {"value": b'{"somebody": "else"', "partition": 0, "key": b"k"}])
    one = daemon("one", brokers=devbroker.bootstrap, topics=[name])
    one.start()
    one.catch_up(devbroker, name)
    one.ctl("erase", "user:u7", "--mode", "forget", "--reason", "asked for", "--yes")
    assert [x.get("value") for x in one.dead_letters()] == [b'{"somebody": "else"']
    devbroker.produce(name, [{"value": b'{"later": 1', "partition": 0}])
    one.catch_up(devbroker, name)
    rebuild(one)
    letters = one.dead_letters()
    assert [x.get("value") for x in letters] == [None, None, b'{"later": 1'], letters
    assert [x["offset"] for x in letters] == [3, 4, 5]
    one.stop()
    for file in ("data.mdb", "lock.mdb"):
        with open(os.path.join(one.folder, "store", file), "rb") as data:
            assert canary not in data.read()


def test_a_ruling_of_a_topic_comes_from_there_again(daemon, devbroker, tmp_path):
    """And goes with it; one that was given by the socket stays."""
    name, rulings = devbroker.topic, devbroker.topic + "-rulings"
    devbroker.produce(rulings, [{"value": json.dumps(
        {"ruling": "join", "id": "t1", "time": "2026-01-02T00:00:00Z",
         "pair": [{"ns": "user", "value": "u1"}, {"ns": "user", "value": "u2"}]}).encode(), "partition": 0}])
    produce(devbroker, name, [sale(n, n % 20) for n in range(100)])
    one = daemon("one", brokers=devbroker.bootstrap, connectors=[connector(tmp_path, name)], topics=[rulings])
    one.start()
    one.catch_up(devbroker, name, rulings)
    one.ctl("rulings", "add", "join", "user:u3", "user:u4", "--id", "r1")
    assert len(one.views()) == 18
    rebuild(one)
    assert len(one.views()) == 18 and json.loads(one.http("/v1/rulings/t1")[1])["holds"]
    one.write(topics=[])
    reload(one)
    no = one.ctl("rebuild", check=False)
    assert no.returncode == 4 and f"{rulings}/0, which nothing reads any more: all 1".encode() in no.stderr, no
    rebuild(one, "--accept-loss")
    assert len(one.views()) == 19 and one.http("/v1/rulings/t1")[0] == 404
    assert json.loads(one.http("/v1/rulings/r1")[1])["holds"]


def test_it_can_be_cancelled_and_only_one_at_a_time(daemon, devbroker):
    name = devbroker.topic
    produce(devbroker, name, [line(e) for e in stream(93, 500, 20000)])
    one = daemon("one", brokers=devbroker.bootstrap, topics=[name], batch_events=20)
    one.start()
    one.catch_up(devbroker, name, deadline_s=120)
    before = digest(one)
    none = one.ctl("rebuild", "--cancel", check=False)
    assert (none.returncode, b"no rebuild is under way" in none.stderr) == (1, True)
    assert rebuild(one, "--detach").stdout == b"begun\n"
    for args in (("rebuild",), ("purge",)):
        busy = one.ctl(*args, check=False)
        assert busy.returncode == 4 and b"a rebuild is under way" in busy.stderr, busy.stderr
    wait_until(lambda: maintenance(one)["done"] > 0, "some of it")
    at = maintenance(one)
    assert (at["running"], at["phase"]) == ("rebuild", "building") and 0 < at["done"] <= at["total"] == 20000, at
    assert "rebuild: building, " in one.ctl("status").stdout.decode()
    assert b'backbone_maintenance_goal{what="rebuild"} 20000' in one.http("/metrics")[1]
    one.process.signal(signal.SIGHUP)  # waits
    assert one.ctl("rebuild", "--cancel").stdout == b"cancelled\n"
    last = ended(one)
    assert (last["result"], last["detail"]) == ("failed", "cancelled; nothing was changed")
    one.process.wait_line("reloaded")
    assert digest(one) == before
    wait_until(lambda: not os.path.exists(os.path.join(one.folder, "store", "next")), "its folder to go")
    rebuild(one, "--detach")
    wait_until(lambda: maintenance(one)["done"] > 0, "some of it")
    assert one.stop() == 0
    one.start()
    assert digest(one) == before
    assert not os.path.exists(os.path.join(one.folder, "store", "next"))


def test_without_the_role_or_a_daemon(daemon):
    one = daemon()
    none = one.ctl("rebuild", check=False)
    assert none.returncode == 3, none.stderr
    one.start()
    assert one.http("/v1/rebuild")[0] == 200 and one.http("/v1/rebuild", "PUT")[0] == 405
    assert rebuild(one).stdout.startswith(b"rebuilt: "), "of nothing"


def test_what_the_log_no_longer_has_is_not_lost_unasked(daemon, kafka, topic):
    name = kafka.create_topic(topic(), 2)
    kafka.produce(name, [{"value": line(event(f"e{n}", [f"user:u{n}"])), "partition": n % 2} for n in range(40)])
    one = daemon(brokers=kafka.bootstrap, topics=[name])
    one.start()
    one.catch_up(kafka, name)
    before = one.dump()
    kafka.delete_records(name, 1, 15)
    no = one.ctl("rebuild", check=False)
    assert no.returncode == 4, no
    said = no.stderr.decode()
    assert f"{name}/1, whose log begins at offset 15 now: 15" in said and f"{name}/0" not in said
    assert "--accept-loss" in said
    assert one.dump() == before and maintenance(one)["last"]["result"] == "refused"
    rebuild(one, "--accept-loss")
    assert len(one.views()) == 25
    rebuild(one)
    assert len(one.views()) == 25, "what is lost is no more missed"
    entries = [json.loads(t) for t in one.ctl("audit", "list", "--json").stdout.decode().splitlines()]
    assert ["accept_loss" in e["detail"] for e in entries] == [True, False]


def test_a_log_that_began_anew_is_missed_too(daemon, tmp_path):
    file = tmp_path / "h.ndjson"

    def write(name, n):
        file.write_bytes(b"".join(line(event(f"{name}{i}", [f"user:{name}{i}"])) + b"\n" for i in range(n)))
    write("old", 30)
    one = daemon(replay=[str(file)])
    assert one.once() == 0
    write("new", 20)
    one.start("--accept-gap", f"file:{file}/0", ready=False)
    assert one.process.wait() == 0, one.process.tail()
    one.notify.close()
    one.start()
    one.wait_offsets({("file:" + str(file), 0): 20})
    assert len(one.views()) == 50
    no = one.ctl("rebuild", check=False)
    assert no.returncode == 4 and b"h.ndjson/0, whose log is not the one of before: 30" in no.stderr, no.stderr
    assert len(one.views()) == 50
    rebuild(one, "--accept-loss")
    assert len(one.views()) == 20


def test_a_topic_that_nobody_reads_is_not_lost_unasked(daemon, devbroker, tmp_path):
    name, file = devbroker.topic, tmp_path / "h.ndjson"
    file.write_bytes(b"".join(line(event(f"f{n}", [f"user:f{n}"])) + b"\n" for n in range(7)))
    produce(devbroker, name, [line(event(f"e{n}", [f"user:u{n}"])) for n in range(40)])
    one = daemon("one", brokers=devbroker.bootstrap, topics=[name], replay=[str(file)])
    assert one.once() == 0
    one.write(replay=[])
    one.start()
    wait_until(lambda: one.ready()[0], "the topics")
    no = one.ctl("rebuild", check=False)
    assert no.returncode == 4 and f"file:{file}/0, which nothing reads any more: all 7".encode() in no.stderr, no
    assert maintenance(one)["run"] == 0, "known before it began"
    rebuild(one, "--accept-loss")
    assert len(one.views()) == 40 and len(one.partitions()) == 3


def test_a_file_that_cannot_be_read_ends_it(daemon, tmp_path):
    file = tmp_path / "h.ndjson"
    file.write_bytes(b"".join(line(e) + b"\n" for e in stream(94, 50, 500)))
    one = daemon(replay=[str(file)])
    one.start()
    one.wait_offsets({("file:" + str(file), 0): 500})
    before = digest(one)
    os.rename(file, tmp_path / "away")
    no = one.ctl("rebuild", check=False)
    assert no.returncode in (1, 4) and b"h.ndjson" in no.stderr, no.stderr
    assert digest(one) == before
    os.rename(tmp_path / "away", file)
    wait_until(lambda: one.ready()[0], "the file to be read again, though it has nothing new")
    rebuild(one)
    assert digest(one) == before
    with open(file, "ab") as out:
        out.write(line(event("last", ["user:last"])) + b"\n")
    one.wait_offsets({("file:" + str(file), 0): 501})
    before = digest(one)
    rebuild(one)
    assert digest(one) == before


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 MiB, mounted as the folder of a store to be."""
    folder = tmp_path / "one" / "store"
    folder.mkdir(parents=True, mode=0o700)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=0700", "tmpfs", folder], check=False,
                      stderr=subprocess.DEVNULL).returncode:
        pytest.skip("no tmpfs can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=False)


def test_a_full_disk_refuses_or_ends_it(daemon, devbroker, small_disk):
    name, filler = devbroker.topic, small_disk / "filler"
    produce(devbroker, name, [line(e) for e in stream(95, 500, 12000)])
    one = daemon("one", brokers=devbroker.bootstrap, topics=[name], batch_events=20)
    one.start()
    one.catch_up(devbroker, name, deadline_s=120)
    before = digest(one)

    def fill(left):
        with open(filler, "wb", buffering=0) as out:
            try:
                while os.statvfs(small_disk).f_bavail * 4096 > left:
                    out.write(bytes(65536))
            except OSError:
                pass

    fill(1 << 20)
    no = one.ctl("rebuild", check=False)
    assert no.returncode == 1 and b"the disk has" in no.stderr and b"make room" in no.stderr, no.stderr
    filler.unlink()
    rebuild(one, "--detach")
    wait_until(lambda: maintenance(one)["done"] > 0, "some of it")
    fill(0)
    last = ended(one)
    assert last["result"] == "failed" and "nothing was changed" in last["detail"], last
    assert digest(one) == before
    filler.unlink()
    produce(devbroker, name, [line(event("last", ["user:last"]))])
    one.catch_up(devbroker, name)
    before = digest(one)
    rebuild(one)
    assert digest(one) == before
    one.stop()


POINTS = [("rebuild-begun", False), ("rebuild-reading", False), ("rebuild-caught-up", False),
          ("rebuild-carried", False), ("copy-done", False), ("before-renames", False), ("between-renames", False),
          ("after-renames", True), ("before-old-goes", True), ("after-old-goes", True)]


@pytest.mark.parametrize("point,done", POINTS)
def test_killed_at(daemon, devbroker, tmp_path, point, done):
    name = devbroker.topic
    produce(devbroker, name, [sale(n, n % 50) for n in range(500)])
    one = daemon("one", brokers=devbroker.bootstrap, connectors=[connector(tmp_path, name)], build=BUILD_FAILPOINTS,
                 batch_events=50)
    assert one.once() == 0
    before = one.dump()
    connector(tmp_path, name, more=EMAIL)
    one.start(env={"BB_KILL_AT": point})
    wait_until(lambda: one.ready()[0], "the topics")
    with contextlib.suppress(http.client.HTTPException, ConnectionError):  # killed before it has answered
        one.http("/v1/rebuild", "POST")
    assert one.process.wait() == -signal.SIGKILL, one.process.tail()
    one.notify.close()
    assert (one.dump() != before) == done, "a tool reads what a kill left"
    one.start()
    wait_until(lambda: one.ready()[0], "the topics")
    assert not os.path.exists(os.path.join(one.folder, "store", "next"))
    rebuild(one)
    one.stop()
    fresh = daemon("fresh", brokers=devbroker.bootstrap, connectors=one.settings["connectors"])
    assert fresh.once() == 0
    assert one.dump() == fresh.dump()

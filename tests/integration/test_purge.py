# SPDX-License-Identifier: Apache-2.0
"""A purge writes the store anew and puts it in place of the old one: look-ups go on without an error, events that come
meanwhile are read afterwards, a kill at any point leaves the old file or the new one, and what was deleted is in none."""
import json
import os
import signal
import threading

import pytest

from harness.asking import Asking
from harness.events import event, line, stream
from harness.process import BUILD_FAILPOINTS, wait_until

POINTS = ["copy-begun", "copy-half", "copy-done", "before-renames", "between-renames", "after-renames",
          "before-old-goes", "after-old-goes"]
COMMITTED = {"before-old-goes", "after-old-goes"}


@pytest.fixture
def history(tmp_path):
    file = tmp_path / "h.ndjson"
    file.write_bytes(b"".join(line(e) + b"\n" for e in stream(41, 500, 5000)))
    return str(file)


def read_all(one, history):
    one.wait_offsets({("file:" + history, 0): 5000})


def store_file(one, name="data.mdb"):
    return os.path.join(one.folder, "store", name)


def test_look_ups_go_on_and_the_state_stays(daemon, history):
    one = daemon(replay=[history])
    one.start()
    read_all(one, history)
    before = one.dump()
    digest = one.redis().execute_command("BB.DIGEST")
    asking = Asking(one, [f"user:u{n}" for n in range(0, 500, 7)] + ["user:nobody"])
    for run in (1, 2, 3):
        told = json.loads(one.ctl("purge", "--json").stdout)
        assert told["purged"] and told["after_bytes"] == os.path.getsize(store_file(one))
        at = one.status()["maintenance"]
        assert (at["run"], at["running"], at["last"]["result"]) == (run, None, "done"), at
        assert not os.path.exists(store_file(one, "next"))
    assert asking.close() > 20 and len(asking.seen) == 1, "another answer"
    assert one.dump() == before
    assert one.redis().execute_command("BB.DIGEST") == digest
    one.stop()
    assert one.dump() == before


def test_digests_and_a_reload_meanwhile(daemon, history):
    one = daemon(replay=[history])
    one.start()
    read_all(one, history)
    ended = threading.Event()

    def ask():
        client = one.redis()
        while not ended.is_set():
            client.execute_command("BB.DIGEST")
    thread = threading.Thread(target=ask)
    thread.start()
    try:
        code, body = one.http("/v1/purge", "POST")
        assert code == 202 and json.loads(body) == {"run": 1}
        one.process.signal(signal.SIGHUP)
        one.process.wait_line("reloaded")
        wait_until(lambda: one.status()["maintenance"]["running"] is None, "the end of the purge")
        assert one.status()["maintenance"]["last"]["result"] == "done"
    finally:
        ended.set()
        thread.join()


def test_events_that_come_meanwhile_are_read(daemon, devbroker):
    name = devbroker.topic
    events = [line(e) for e in stream(42, 200, 4000)]
    one = daemon("one", brokers=devbroker.bootstrap, topics=[name], batch_events=50)
    devbroker.produce(name, [{"value": e, "partition": 0} for e in events[:2000]])
    one.start()
    wait_until(lambda: sum(one.offsets().values()) > 100, "the first events")
    for n in range(4):
        part = events[2000 + 500 * n:2500 + 500 * n]
        devbroker.produce(name, [{"value": e, "partition": 0} for e in part])
        one.ctl("purge")
    one.catch_up(devbroker, name)
    one.stop()
    calm = daemon("calm", brokers=devbroker.bootstrap, topics=[name])
    assert calm.once() == 0
    assert one.dump() == calm.dump()


def test_without_a_daemon(daemon, history):
    one = daemon(replay=[history])
    none = one.ctl("purge", check=False)
    assert none.returncode == 3 and b"no store" in none.stderr
    assert one.once() == 0
    before = one.dump()
    told = one.ctl("purge")
    assert told.stdout.startswith(b"purged: data.mdb had ")
    assert one.dump() == before
    assert one.ctl("scrub").returncode == 0


def test_it_takes_a_post(daemon):
    one = daemon()
    one.start()
    assert one.http("/v1/purge")[0] == 405
    assert one.status()["maintenance"] == {"running": None, "phase": None, "run": 0, "done": 0, "total": 0,
                                           "per_second": None, "seconds_left": None, "last": None}


@pytest.mark.parametrize("point", POINTS)
def test_killed_at(daemon, history, point):
    one = daemon(replay=[history], build=BUILD_FAILPOINTS)
    assert one.once() == 0
    before = one.dump()
    inode = os.stat(store_file(one)).st_ino
    one.start(env={"BB_KILL_AT": point})
    one.http("/v1/purge", "POST")
    assert one.process.wait() == -signal.SIGKILL, one.process.tail()
    one.notify.close()
    renamed = os.stat(store_file(one)).st_ino != inode
    assert renamed == (point in COMMITTED or point == "after-renames")
    assert one.dump() == before, "a tool reads what a kill left"
    one.start()
    read_all(one, history)
    assert not os.path.exists(store_file(one, "next"))
    one.ctl("purge")
    one.stop()
    assert one.dump() == before


def test_a_stop_gives_up_the_copy(daemon, history):
    one = daemon(replay=[history])
    one.start()
    read_all(one, history)
    before = one.dump()
    one.http("/v1/purge", "POST")
    assert one.stop() == 0
    assert one.dump() == before
    one.start()
    assert not os.path.exists(store_file(one, "next"))


def test_nothing_of_an_erased_person_is_left(daemon, tmp_path):
    people = 60
    file = tmp_path / "people.ndjson"
    file.write_bytes(b"".join(
        line(event(f"e{n}-{i}", [f"user:u{n}", f"email:canary{n}@example.org"], 1767225600000 + i * 60000,
                   attributes={"note": f"CANARY-{n}-{i}-" + "x" * 200})) + b"\n"
        for i in range(5) for n in range(people)))
    one = daemon(replay=[str(file)])
    if one.ctl("erase", "--help", check=False).returncode:
        pytest.skip("this build has no `backbonectl erase`")
    one.start()
    one.wait_offsets({("file:" + str(file), 0): 5 * people})
    gone = range(0, people, 2)
    for n in gone:
        one.ctl("erase", f"user:u{n}", "--mode", "forget", "--reason", "asked for", "--yes")

    def found():
        text = b"".join(open(store_file(one, name), "rb").read() for name in os.listdir(store_file(one, "")))
        return [n for n in gone if b"CANARY-%d-" % n in text or b"canary%d@" % n in text]
    asking = Asking(one, [f"user:u{n}" for n in range(people)])
    one.ctl("purge")
    asking.close()
    assert len(asking.seen) == 1, "another answer"
    assert not found()
    assert len(one.views()) == people - len(gone)
    one.stop()
    assert not found()

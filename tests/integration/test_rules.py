# SPDX-License-Identifier: Apache-2.0
"""Other rules of identity: `rules plan` says what they would change and touches nothing; a start with them, or a
reload under look-ups, applies them to the past, equal to a store that never had other ones; a kill on the way leaves
the old state or the new one; what would be lost for good has to be confirmed."""
import json
import os
import shutil
import signal
import threading

import pytest

from harness.asking import Asking
from harness.daemon import NAMESPACES
from harness.events import event, line, stream
from harness.process import BUILD_FAILPOINTS, wait_until

STRICT = [n.replace("{name: email, normalise: email}", "{name: email, normalise: email, per_profile: 1}")
          for n in NAMESPACES]


@pytest.fixture
def history(tmp_path):
    """Twenty people with two addresses each."""
    file = tmp_path / "h.ndjson"
    with open(file, "wb") as out:
        for n in range(20):
            for i in range(2):
                ev = event(f"e{n}-{i}", [f"user:u{n}", f"email:a{i}-{n}@example.org"], 1767225600000 + i * 60000)
                out.write(line(ev) + b"\n")
    return str(file)


def other(one, namespaces):
    """A copy of the configuration with other rules."""
    file = os.path.join(one.folder, "other.yaml")
    was = one.settings["namespaces"]
    one.write(namespaces=namespaces)
    shutil.copy(one.file, file)
    one.write(namespaces=was)
    return file


def test_a_plan_tells_and_touches_nothing(daemon, history, tmp_path):
    one = daemon(replay=[history])
    one.start()
    one.wait_offsets({("file:" + history, 0): 40})
    before = one.dump()
    work = tmp_path / "work"
    work.mkdir()
    plan = json.loads(one.ctl("rules", "plan", "--folder", work, "--json", other(one, STRICT)).stdout)
    assert plan["split"]["count"] == 20 and len(plan["split"]["examples"]) == 10, plan
    assert plan["merged"]["count"] == plan["shared"]["count"] == 0 and plan["new_events_only"] == []
    names = {v["profile"] for v in one.views()}
    assert all(old in names and new not in names for new, old in plan["split"]["examples"])
    assert os.listdir(work) == []
    assert one.dump() == before
    said = one.ctl("rules", "plan", other(one, STRICT)).stdout.decode()
    assert said.startswith("20 profiles split off\n  p"), said
    assert one.ctl("rules", "plan", one.file).stdout == b"nothing that is stored would change\n"
    lower = [n.replace("normalise: email", "normalise: lower") for n in NAMESPACES]
    assert b"email: normalise, region or derive" in one.ctl("rules", "plan", other(one, lower)).stdout


def test_a_plan_of_a_wrong_file(daemon, history, tmp_path):
    one = daemon(replay=[history])
    assert one.once() == 0
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("identity: {namespaces: [{name: 7}]}\n", encoding="utf-8")
    for args, said in ((("plan", wrong), b"wrong"), (("plan", tmp_path / "none.yaml"), b"none.yaml"),
                       (("apply", one.file), b"rules plan FILE")):
        done = one.ctl("rules", *args, check=False)
        assert done.returncode == 2 and said in done.stderr, done.stderr


def test_a_start_applies_them_to_the_past(daemon, history):
    one = daemon(replay=[history])
    assert one.once() == 0
    plain = one.dump()
    fresh = daemon("fresh", replay=[history], namespaces=STRICT)
    assert fresh.once() == 0
    one.write(namespaces=STRICT)
    one.start()
    one.process.wait_line("rules_applied")
    assert one.dump() == fresh.dump() != plain
    one.stop()
    one.write(namespaces=NAMESPACES)
    assert one.once() == 0
    assert one.dump() == plain, "and back"


@pytest.mark.parametrize("point,done", [("copy-done", False), ("between-renames", False), ("after-renames", True),
                                        ("before-old-goes", True)])
def test_killed_at(daemon, history, point, done):
    one = daemon(replay=[history], build=BUILD_FAILPOINTS)
    assert one.once() == 0
    before = one.dump()
    one.write(namespaces=STRICT)
    one.start("--once", ready=False, env={"BB_KILL_AT": point})
    assert one.process.wait() == -signal.SIGKILL, one.process.tail()
    one.notify.close()
    assert (one.dump() != before) == done
    assert one.once() == 0
    fresh = daemon("fresh", replay=[history], namespaces=STRICT)
    assert fresh.once() == 0
    assert one.dump() == fresh.dump()


def reload(one, said="reloaded"):
    before = len(one.process.lines)
    one.process.signal(signal.SIGHUP)
    return one.process.wait_line(said, start=before)


def digest(one):
    return one.redis().execute_command("BB.DIGEST")


def test_a_reload_applies_them_under_look_ups(daemon, history):
    one = daemon(replay=[history], namespaces=STRICT)
    one.start()
    one.wait_offsets({("file:" + history, 0): 40})
    strict, strict_digest = one.dump(), digest(one)
    asking = Asking(one, [f"email:a{i}-{n}@example.org" for n in range(20) for i in range(2)])
    one.write(namespaces=NAMESPACES)
    reload(one)
    at = one.status()["maintenance"]
    assert at["running"] is None and (at["last"]["what"], at["last"]["result"]) == ("rules", "done"), at
    wait_until(lambda: len(asking.seen) > 1, "the new answers")
    assert asking.close() > 10
    assert len(asking.seen) == 2, "first all of the old ones, then all of the new ones"
    profiles = [json.loads(v)["profile"] for v in asking.seen[1]]
    assert profiles[0::2] == profiles[1::2], "two addresses of a person are one profile now"
    fresh = daemon("fresh", replay=[history])
    fresh.start()
    fresh.wait_offsets({("file:" + history, 0): 40})
    assert one.dump() == fresh.dump() != strict
    assert digest(one) == digest(fresh) != strict_digest
    one.write(namespaces=STRICT)
    reload(one)
    assert one.dump() == strict and digest(one) == strict_digest, "and back"
    assert one.stop() == 0
    one.start()
    assert one.dump() == strict and "rules_changed" not in one.process.tail(), "nothing is left for a start"


def test_events_go_on_over_reloads(daemon, devbroker):
    name = devbroker.topic
    events = [line(e) for e in stream(77, 200, 4000)]
    one = daemon("one", brokers=devbroker.bootstrap, topics=[name], batch_events=50)
    devbroker.produce(name, [{"value": e, "partition": 0} for e in events[:2000]])
    one.start()
    wait_until(lambda: sum(one.offsets().values()) > 100, "the first events")
    for n in range(5):
        one.write(namespaces=(STRICT, NAMESPACES)[n % 2])
        one.process.signal(signal.SIGHUP)
        part = events[2000 + 400 * n:2400 + 400 * n]
        devbroker.produce(name, [{"value": e, "partition": 0} for e in part])
        wait_until(lambda run=n + 1: one.status()["maintenance"]["run"] == run, "the change of rules")
        wait_until(lambda: one.status()["maintenance"]["running"] is None, "its end")
        assert one.status()["maintenance"]["last"]["result"] == "done"
    one.catch_up(devbroker, name)
    one.stop()
    calm = daemon("calm", brokers=devbroker.bootstrap, topics=[name], namespaces=STRICT)
    assert calm.once() == 0
    assert one.dump() == calm.dump()


def test_reloads_meanwhile_and_answers_of_the_pool(daemon, tmp_path):
    """Digests and explanations without a pause do not keep the new rules away, and are all answered; the last of
    several reloads holds."""
    file = tmp_path / "many.ndjson"
    file.write_bytes(b"".join(line(e) + b"\n" for e in stream(78, 500, 5000)))
    one = daemon(replay=[str(file)])
    one.start()
    one.wait_offsets({("file:" + str(file), 0): 5000})
    plain, ended, errors = digest(one), threading.Event(), []

    def ask(*command):
        client = one.redis()
        while not ended.is_set():
            try:
                client.execute_command(*command)
            except Exception as error:  # pylint: disable=broad-except
                errors.append(repr(error))
                return
    threads = [threading.Thread(target=ask, args=c) for c in (("BB.DIGEST",), ("BB.WHY", "user:u1"),
                                                              ("BB.EXPLAIN", "user:u1", "user:u2"))]
    for thread in threads:
        thread.start()
    try:
        for namespaces in (STRICT, NAMESPACES, STRICT, NAMESPACES):
            one.write(namespaces=namespaces)
            reload(one)
        one.write(namespaces=STRICT)
        reload(one, "rules_changed")
        one.write(namespaces=NAMESPACES)
        reload(one)
        wait_until(lambda: one.status()["maintenance"]["running"] is None and digest(one) == plain, "the old state")
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert not errors, errors[:3]


def test_a_stop_meanwhile(daemon, history):
    one = daemon(replay=[history])
    one.start()
    one.wait_offsets({("file:" + history, 0): 40})
    one.write(namespaces=STRICT)
    reload(one, "rules_changed")
    assert one.stop() == 0
    assert one.once() == 0
    fresh = daemon("fresh", replay=[history], namespaces=STRICT)
    assert fresh.once() == 0
    assert one.dump() == fresh.dump()


@pytest.mark.parametrize("point,done", [("copy-done", False), ("between-renames", False), ("after-renames", True),
                                        ("before-old-goes", True), ("after-old-goes", True)])
def test_a_reload_killed_at(daemon, history, point, done):
    one = daemon(replay=[history], build=BUILD_FAILPOINTS)
    one.start(env={"BB_KILL_AT": point})
    one.wait_offsets({("file:" + history, 0): 40})
    before = one.dump()
    one.write(namespaces=STRICT)
    one.process.signal(signal.SIGHUP)
    assert one.process.wait() == -signal.SIGKILL, one.process.tail()
    one.notify.close()
    assert (one.dump() != before) == done
    assert one.once() == 0
    fresh = daemon("fresh", replay=[history], namespaces=STRICT)
    assert fresh.once() == 0
    assert one.dump() == fresh.dump()


def test_a_reload_of_a_bad_file(daemon, history):
    one = daemon(replay=[history])
    one.start()
    one.wait_offsets({("file:" + history, 0): 40})
    before = digest(one)
    one.write(namespaces=STRICT, more="kafkaa: 1\n")
    assert "kafkaa" in reload(one, "config_error")
    one.write(namespaces=STRICT, more="view: {recent: 7}\n")
    assert "rules of the view" in reload(one, "reload_refused")
    assert digest(one) == before and one.status()["maintenance"]["run"] == 0
    one.write(namespaces=STRICT, more="")
    reload(one)
    assert digest(one) != before


def test_a_namespace_that_goes_has_to_be_confirmed(daemon, history):
    one = daemon(replay=[history])
    one.start()
    one.wait_offsets({("file:" + history, 0): 40})
    before = one.dump()
    fewer = [n for n in NAMESPACES if "email" not in n]
    assert b"--accept-dropped-namespaces" in one.ctl("rules", "plan", other(one, fewer)).stdout
    one.write(namespaces=fewer)
    said = reload(one, "rules_not_applied")
    assert "40 identifiers" in said and "(email)" in said and "--accept-dropped-namespaces" in said
    at = one.status()["maintenance"]
    assert (at["last"]["what"], at["last"]["result"]) == ("rules", "failed") and "40 identifiers" in at["last"]["detail"]
    one.write(namespaces=NAMESPACES)
    assert one.dump() == before
    reload(one)
    assert one.stop() == 0
    one.write(namespaces=fewer)
    assert one.once() == 78
    one.write(namespaces=NAMESPACES)
    assert one.dump() == before
    one.write(namespaces=fewer)
    one.start("--once", "--accept-dropped-namespaces", ready=False)
    assert one.process.wait() == 0
    one.notify.close()
    assert "email" not in "".join(one.dump())
    assert one.once() == 0, "confirmed once"
    # a namespace of which there is nothing is no loss
    one.write(namespaces=[n for n in fewer if "card" not in n])
    one.start()
    one.write(namespaces=fewer)
    reload(one)
    assert one.stop() == 0

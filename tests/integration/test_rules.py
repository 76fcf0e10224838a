# SPDX-License-Identifier: Apache-2.0
"""Other rules of identity: `rules plan` says what they would change and touches nothing; a start with them applies
them to the past, equal to a store that never had other ones; a kill on the way leaves the old state."""
import json
import os
import shutil
import signal

import pytest

from harness.daemon import NAMESPACES
from harness.events import event, line
from harness.process import BUILD_FAILPOINTS

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


def test_a_reload_leaves_them_to_a_start(daemon, history):
    one = daemon(replay=[history])
    one.start()
    one.wait_offsets({("file:" + history, 0): 40})
    before = one.dump()
    one.write(namespaces=STRICT)
    one.process.signal(signal.SIGHUP)
    assert "rules plan" in one.process.wait_line("reload_refused")
    assert one.dump() == before

# SPDX-License-Identifier: Apache-2.0
"""scripts/demo as a newcomer runs it: from the clone to the view of one person who came by three channels."""
import os
import re
import signal
import subprocess

import pytest

from harness.process import TOP, Process

DEMO = os.path.join(TOP, "scripts", "demo")


@pytest.fixture
def folder(tmp_path):
    return dict(os.environ, TMPDIR=str(tmp_path))


def test_one_person_of_three_channels(folder, tmp_path):
    done = subprocess.run([DEMO, "--once"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=600, env=folder, check=False)
    assert done.returncode == 0, done.stdout
    told = done.stdout.split("1. Somebody browses")[1]
    steps = re.split(r"\n  \d\. ", told)
    ids = [dict(re.findall(r"^ +(\w+:\S+) +-> profile (\w+)\.\.\.", step, re.M)) for step in steps]
    cookie, email, other = "anonymous_id:5f0c6b52-6a1f-4b57-9a41-3f1f0d5b7c21", "email:lea.martin@example.org", \
        "email:ben.roy@example.org"
    assert len({ids[1][cookie], ids[1][email], ids[1][other]}) == 3, "strangers before the login"
    assert ids[2][cookie] == ids[2][email] == ids[1][email], "one person after it"
    assert ids[3]["whatsapp_id:33199000123"] == ids[3][email]
    view = told.split("by any of her names:")[1]
    for word in ("pos", "web", "social", "Léa", "newsletter", "coffee club", "amount: 169, count: 3"):
        assert word in view, word
    assert re.search(r"^ +events +6\s*$", view, re.M), "what was sent twice counts once"
    assert done.stdout.rstrip().endswith("demo: done")
    assert not list(tmp_path.glob("backbone-demo.*")), "nothing is left behind"


def test_it_stays_with_commands_to_try_until_ctrl_c(folder, tmp_path):
    demo = Process([DEMO], tmp_path / "demo.log", env=folder)
    try:
        demo.wait_line("Ctrl-C ends it", deadline_s=600)
        start = demo.lines.index(next(line for line in demo.lines if "In another terminal" in line))
        commands = [line.strip() for line in demo.lines[start + 1:] if line.startswith("    ")]
        assert len(commands) >= 5
        for command in commands[1:]:
            done = subprocess.run(["bash", "-c", commands[0] + " && " + command], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
            assert done.returncode == 0, f"{command}\n{done.stdout}"
        demo.signal(signal.SIGINT)
        assert demo.wait() == 130
    finally:
        demo.stop()
    assert not list(tmp_path.glob("backbone-demo.*"))


def test_what_it_does_not_know_is_said():
    done = subprocess.run([DEMO, "--twice"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60, check=False)
    assert done.returncode == 2 and "--twice" in done.stdout and "usage" in done.stdout

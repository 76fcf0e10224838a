# SPDX-License-Identifier: Apache-2.0
"""What goes on while a reload reads and compiles. The reading is held on its thread, at the other end of a pipe, so
that nothing here depends on how long it takes."""
import contextlib
import errno
import json
import os
import signal

import pytest

from harness.daemon import UnixHttp
from harness.events import line, stream
from harness.process import BUILD_FAILPOINTS, wait_until

RULE = ("  - {{name: e{i}, when: {{'$.kind': k{i}}}, type: sold, id: '$.id', time: {{from: '$.at', format: iso8601}}, "
        "identify: [{{ns: card, from: '$.card{i}'}}]}}\n")
RULES_MAX = 5000  # of one file


def write(folder, name, rules=1):
    head = f"connector: {name}\nchannel: pos\ntopics: [{name}]\nformat: json\nevents:\n"
    file = folder / f"{name}.yaml"
    file.write_text(head + "".join(RULE.format(i=i) for i in range(rules)) + "otherwise: dead_letter\n")
    return file


@pytest.fixture
def one(daemon, tmp_path):
    """A daemon with an event to look up, whose readings wait for the test."""
    events = tmp_path / "events.ndjson"
    events.write_bytes(b"".join(line(e) + b"\n" for e in stream(41, 5, 20)))
    folder = tmp_path / "connectors"
    folder.mkdir()
    pipe = tmp_path / "hold"
    os.mkfifo(pipe)
    one = daemon(replay=[events], connectors=["../connectors/*.yaml"], build=BUILD_FAILPOINTS)
    one.connectors, one.pipe = folder, pipe
    one.start(env={"BB_HOLD_AT": f"reload-reading={pipe}"})
    one.wait_offsets({(f"file:{events}", 0): 20})
    return one


@contextlib.contextmanager
def held(one):
    """A reading has begun, and goes on at the end of this."""
    def opened():
        try:
            return os.open(one.pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as why:
            assert why.errno == errno.ENXIO, why  # nobody reads there yet
            return None
    pipe = wait_until(opened, "a reading to begin")
    try:
        yield
    finally:
        os.close(pipe)


def ask(one):
    """Sends what asks for a reload; what is returned waits for the answer."""
    connection = UnixHttp(one.admin)
    connection.request("POST", "/v1/connectors/reload")

    def answer():
        with contextlib.closing(connection):
            told = connection.getresponse()
            return told.status, json.loads(told.read())
    return answer


def names(one):
    return [c["connector"] for c in json.loads(one.http("/v1/connectors")[1])["connectors"]]


def answers(one):
    """Look-ups by both protocols, and a status."""
    return one.redis().get("user:u1") is not None and one.http("/v1/profiles/user/u1")[0] == 200 and one.status()["ready"]


def reloaded(one, run):
    wait_until(lambda: one.status()["reload"]["run"] == run and not one.status()["reload"]["waiting"], f"reload {run}")


def test_look_ups_are_answered_while_a_file_of_the_most_rules_is_compiled(one):
    write(one.connectors, "largest", rules=RULES_MAX)
    first = ask(one)
    with held(one):
        assert answers(one) and names(one) == ["direct"]
        assert one.status()["reload"]["run"] == 0
        for work in ("purge", "rebuild"):
            code, body = one.http(f"/v1/{work}", "POST")
            assert (code, "a reload is under way" in body.decode()) == (409, True), body
    assert first() == (202, {"run": 1, "added": ["largest"], "changed": [], "removed": [], "kept": 0})
    reloaded(one, 1)
    assert answers(one) and names(one) == ["direct", "largest"]
    assert one.stop() == 0


def test_each_is_answered_with_what_its_own_reading_said(one):
    """Three by HTTP and two by signals, during a reading: one more, which finds what was changed after they asked."""
    first = ask(one)
    with held(one):
        later = [ask(one) for _ in range(3)]
        for _ in range(2):
            one.process.signal(signal.SIGHUP)
        assert answers(one)
    assert first() == (202, {"run": 1, "added": [], "changed": [], "removed": [], "kept": 0})
    with held(one):
        write(one.connectors, "web")
    assert [answer() for answer in later] == 3 * [(202, {"run": 2, "added": ["web"], "changed": [], "removed": [], "kept": 0})]
    reloaded(one, 2)
    assert sum("<5>reloaded" in line for line in one.process.lines) == 2
    assert one.stop() == 0


def test_a_mistake_leaves_what_is_in_force_and_who_asked_later_is_served(one):
    wrong = write(one.connectors, "till")
    wrong.write_text(wrong.read_text().replace("iso8601", "iso8601z"))
    first = ask(one)
    with held(one):
        assert answers(one)
        one.process.signal(signal.SIGHUP)
        one.status()  # the signal came before
    code, body = first()
    assert code == 422 and "till.yaml:6:" in body["errors"][0] and names(one) == ["direct"]
    with held(one):
        write(one.connectors, "till")
    reloaded(one, 1)
    assert names(one) == ["direct", "till"] and one.stop() == 0


def test_a_stop_meanwhile(one):
    first = ask(one)
    with held(one):
        later = ask(one)
        assert answers(one)
        one.process.signal(signal.SIGTERM)
        assert first()[0] == 503 and later()[0] == 409
    assert one.process.wait() == 0
    one.notify.close()
    assert one.ctl("scrub").returncode == 0

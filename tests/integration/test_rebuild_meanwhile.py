# SPDX-License-Identifier: Apache-2.0
"""What goes on while a store is rebuilt: events, orders and followers of the change feed without a pause lose nothing
and see nothing twice; other work on the store waits or is refused; a stop at any time tells what went wrong."""
import json
import os
import shutil
import signal
import subprocess
import threading

import pytest

from harness.daemon import UnixHttp
from harness.events import START_MS, event, line, stream
from harness.follower import Follower
from harness.process import wait_until


def produce(broker, topic, values):
    broker.produce(topic, [{"value": v, "partition": n % 3} for n, v in enumerate(values)])


def digest(one):
    return one.redis().execute_command("BB.DIGEST")


def maintenance(one):
    return one.status()["maintenance"]


def ended(one):
    wait_until(lambda: maintenance(one)["running"] is None, lambda: f"the end: {maintenance(one)}")
    return maintenance(one)["last"]


def last(one):
    return json.loads(one.http("/v1/changes?limit=1")[1])["last"]


def post(one, path, body):
    connection = UnixHttp(one.admin)
    try:
        connection.request("POST", path, json.dumps(body))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Ongoing:
    """Does something again and again, each time with the next number, until the end."""

    def __init__(self, act):
        self.act, self.n, self.failed = act, 0, []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        try:
            while not self.ended.is_set():
                self.act(self.n)
                self.n += 1
        except Exception as error:  # pylint: disable=broad-except
            self.failed.append(repr(error))

    def close(self):
        self.ended.set()
        self.thread.join()
        assert not self.failed, self.failed


def test_events_orders_and_followers_without_a_pause(daemon, devbroker):
    name, people = devbroker.topic, 1000
    produce(devbroker, name, [line(event(f"e{n}", [f"user:u{n % people}", f"email:p{n % people}@example.org"],
                                         START_MS + n * 1000)) for n in range(3 * people)])
    one = daemon("one", brokers=devbroker.bootstrap, topics=[name], batch_events=100)
    one.start()
    one.catch_up(devbroker, name)
    sent = []

    def rule(n):
        code, answer = post(one, "/v1/rulings", {"ruling": "join", "id": f"r{n}", "pair": [
            {"ns": "user", "value": f"u{2 * n % 500}"}, {"ns": "user", "value": f"u{(2 * n + 1) % 500}"}]})
        assert code in (200, 201), (code, answer)

    def erase(n):
        if n >= 400:
            return
        code, answer = post(one, "/v1/erasures", {"key": f"user:u{people - 1 - n}", "id": f"x{n}", "mode": "suppress",
                                                  "reason": "asked for"})
        assert code in (200, 201), (code, answer)

    def happen(n):
        sent.append([line(event(f"new{n}-{i}", [f"user:n{(20 * n + i) % 300}"], START_MS + 10**7 + n * 1000))
                     for i in range(20)])
        produce(devbroker, name, sent[-1])
    follower = Follower(one)
    ongoing = [Ongoing(act) for act in (rule, erase, happen)]
    try:
        for _ in range(6):
            one.ctl("rebuild", "--detach")
            assert ended(one)["result"] == "done"
        for it in ongoing:
            it.close()
        one.catch_up(devbroker, name)
        wait_until(lambda: follower.at() == last(one), lambda: f"{follower.at()} of {last(one)}")
    finally:
        for it in ongoing:
            it.ended.set()
        follower.close()
    rulings, erasures, _ = (it.n for it in ongoing)
    assert [n for n in range(rulings) if one.http(f"/v1/rulings/r{n}")[0] != 200] == []
    gone = range(min(erasures, 400))
    assert one.redis().mget([f"user:u{people - 1 - n}" for n in gone]) == [None] * len(gone)
    assert [c["number"] for c in follower.changes] == list(range(1, last(one) + 1))
    assert follower.runs == 1, "nobody was turned away"
    entries = [json.loads(t) for t in one.ctl("audit", "list", "--json").stdout.decode().splitlines()]
    assert {f"x{n}" for n in gone} <= {e["subject"] for e in entries}
    assert one.ctl("audit", "verify").returncode == 0
    assert sum(sum(r["results"].values()) for r in one.partitions().values()) == 3 * people + sum(map(len, sent))
    calm = digest(one)
    one.ctl("rebuild")
    assert digest(one) == calm, "what came meanwhile is as if it had been there from the beginning"
    one.stop()
    assert one.ctl("scrub").returncode == 0


def test_other_work_meanwhile(daemon, devbroker):
    """A reload waits, a purge is refused, a digest and an export answer; and afterwards all of it is done."""
    name = devbroker.topic
    produce(devbroker, name, [line(e) for e in stream(96, 300, 8000)])
    one = daemon("one", brokers=devbroker.bootstrap, topics=[name], batch_events=20)
    one.start()
    one.catch_up(devbroker, name)
    before, dump = digest(one), one.dump()
    one.ctl("rebuild", "--detach")
    wait_until(lambda: maintenance(one)["done"] > 0, "some of it")
    one.write(namespaces=[*one.settings["namespaces"], "{name: loyalty}"])
    one.process.signal(signal.SIGHUP)
    one.process.signal(signal.SIGHUP)
    refused = [one.ctl(*args, check=False) for args in (("connectors", "reload"), ("purge",), ("rebuild",))]
    assert [r.returncode for r in refused] == [4, 4, 4], [r.stderr for r in refused]
    assert digest(one) == before and one.dump() == dump
    assert maintenance(one)["running"] == "rebuild", "all that was said meanwhile"
    one.process.wait_line("rules_applied")
    one.process.wait_line("reloaded")
    assert maintenance(one)["run"] == 2 and maintenance(one)["last"]["what"] == "rules"
    assert one.dump() == dump
    for verb in ("purge", "rebuild", "purge"):
        one.ctl(verb)
        assert one.dump() == dump
    assert one.stop() == 0 and one.ctl("scrub").returncode == 0


@pytest.mark.parametrize("what", ["purge", "rebuild"])
def test_a_clean_up_that_fails_is_told_though_it_is_being_stopped(daemon, tmp_path, what):
    command = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=unlinkat", "-e", "signal=none",
               "-e", "inject=unlinkat:delay_enter=1s"]
    if not shutil.which("strace") or subprocess.run([*command, "true"], stdin=subprocess.DEVNULL, check=False,
                                                    stderr=subprocess.DEVNULL).returncode:
        pytest.skip("strace is missing, or may not trace here")
    file = tmp_path / "h.ndjson"
    file.write_bytes(b"".join(line(e) + b"\n" for e in stream(97, 50, 500)))
    one = daemon(replay=[str(file)])
    one.start(prefix=command)
    one.wait_offsets({("file:" + str(file), 0): 500})
    before, place = one.dump(), os.path.join(one.folder, "store", "next")
    one.http(f"/v1/{what}", "POST")
    wait_until(lambda: maintenance(one)["phase"] == "cleaning", "the swap", step_s=0.002)
    with open(os.path.join(place, "foreign"), "wb"):
        pass  # the folder cannot be removed
    assert one.stop() == 74, one.process.tail()
    os.remove(os.path.join(place, "foreign"))
    one.start()
    assert one.dump() == before and not os.path.exists(place)
    assert one.stop() == 0


def test_retention_while_it_reads(daemon, kafka, topic):
    """More than the client keeps in memory, so that the log is shortened in front of the second store's reader."""
    name, records, pad = kafka.create_topic(topic(), 1), 12000, "x" * 8000
    kafka.produce(name, [line(event(f"e{n}", [f"user:u{n % 50}"], START_MS + n, attributes={"pad": pad}))
                         for n in range(records)])
    one = daemon(brokers=kafka.bootstrap, topics=[name], batch_events=10)
    one.start()
    one.catch_up(kafka, name)
    dump = one.dump()
    one.ctl("rebuild", "--detach")
    wait_until(lambda: maintenance(one)["done"] > 0, "some of it", step_s=0.002)
    one.process.signal(signal.SIGSTOP)  # it would be ready before the log is shorter
    kafka.delete_records(name, 0, records - 1)
    one.process.signal(signal.SIGCONT)
    told = ended(one)
    assert told["result"] == "failed" and f"{records - 1}: " in told["detail"], told
    assert told["detail"].endswith("were deleted before they were read; nothing was changed"), told
    assert one.dump() == dump and one.ready()[0], "of the store nothing is missing"
    one.ctl("rebuild", "--detach")
    assert ended(one)["result"] == "refused" and one.dump() == dump
    one.ctl("rebuild", "--accept-loss")
    assert sum(v["events"] for v in one.views()) == 1
    assert one.stop() == 0 and one.ctl("scrub").returncode == 0

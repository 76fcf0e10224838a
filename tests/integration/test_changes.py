# SPDX-License-Identifier: Apache-2.0
"""The change feed from outside: followed while events come in and the daemon is killed, resumed by number, and always
the ids of the store."""
import json

from harness.events import line, stream
from harness.follower import Follower
from harness.process import wait_until

EVENTS = 6000


def apply(changes):
    """The ids that are there after these changes; every one of them must make sense where it stands."""
    ids = set()
    for number, change in enumerate(changes, 1):
        assert change["number"] == number, "a gap, or a repeat"
        kind, profile = change["kind"], change["profile"]
        if kind in ("created", "split", "renamed"):
            assert profile not in ids, change
            ids.add(profile)
        if kind == "renamed":
            ids.remove(change["other"])
        elif kind == "merged":
            ids.remove(profile)
            assert change["other"] in ids, change
        elif kind == "erased":
            ids.discard(profile)
        elif kind == "updated":
            assert profile in ids, change
    return ids


def last(one):
    return json.loads(one.http("/v1/changes?limit=1")[1])["last"]


def test_followed_through_kills_without_gap_or_repeat(devbroker, daemon):
    name = devbroker.topic
    one = daemon(brokers=devbroker.bootstrap, topics=[name], batch_events=40)
    events = [line(e) for e in stream(31, 60, EVENTS)]
    follower = None
    try:
        for i in range(4):
            one.start()
            follower = follower or Follower(one)
            devbroker.produce(name, events[i * EVENTS // 4:(i + 1) * EVENTS // 4])
            was = follower.at()
            wait_until(lambda: follower.at() > was, "changes")
            if i < 3:
                one.kill()
        one.catch_up(devbroker, name)
        wait_until(lambda: follower.at() == last(one), lambda: f"{follower.at()} of {last(one)}")
    finally:
        if follower:
            follower.close()
    assert follower.runs >= 3
    assert apply(follower.changes) == {view["profile"] for view in one.views()}
    assert {c["position"]["topic"] for c in follower.changes} == {name}
    online = one.ctl("changes", "--json").stdout
    assert one.stop() == 0
    assert one.ctl("changes", "--json").stdout == online, "the store says the same when the daemon is down"
    assert [json.loads(text) for text in online.splitlines()] == follower.changes


def test_what_was_dropped_is_refused_and_history_stays(devbroker, daemon):
    name = devbroker.topic
    one = daemon(brokers=devbroker.bootstrap, topics=[name], batch_events=20, more="changes: {max: 50}\n").start()
    devbroker.produce(name, [line(e) for e in stream(32, 20, 1500)])
    one.catch_up(devbroker, name)
    refused = one.ctl("changes", "--after", 1, check=False)
    assert refused.returncode == 4 and b"the first that is there is" in refused.stderr
    code, body = one.http("/v1/changes?after=1")
    assert code == 410 and b"were dropped" in body
    code, body = one.http("/v1/changes?after=999999999")
    assert code == 400 and b"is behind the last change" in body
    keys = [f"{i['ns']}:{i['value']}" for view in one.views() for i in view["identifiers"]]
    told = [json.loads(one.redis().execute_command("BB.HISTORY", key)) for key in keys]
    assert any(h["changes"] for h in told), "mergers are remembered"
    for history in told:
        names = {n["id"] for n in history["names"]}
        assert history["profile"] in names
        assert all(c["profile"] in names or c["other"] in names for c in history["changes"])
    offline = json.loads(one.ctl("history", "--json", keys[0]).stdout)
    assert offline == told[0]
    assert one.ctl("history", "user:nobody-at-all", check=False).returncode == 1

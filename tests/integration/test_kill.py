# SPDX-License-Identifier: Apache-2.0
"""kill -9, again and again. After each one the views are those of the events below the stored offsets, and nothing
was counted twice; at the end they are those of all events. The same loop must catch a daemon with a seeded bug."""
import random
import threading

import pytest

from harness.events import expect, line, seen, stream
from harness.process import BUILD_FAILPOINTS

PARTITIONS = 3
KINDS = [f"kind{p}" for p in range(PARTITIONS)]  # of partition p, so that the views say how much of it they hold


class Wrong(Exception):
    """The store does not agree with its offsets."""


def applied(views):
    """How many events of each partition the views hold."""
    counts = [0] * PARTITIONS
    for view in views:
        for p, kind in enumerate(KINDS):
            counts[p] += view["activity"].get(kind, {}).get("events", 0)
    return counts


def check(one, parts, name, before):
    """The daemon is down: views, offsets and counters must tell one story."""
    if not any(before) and one.ctl("dump", "--offsets", check=False).returncode == 3:
        return before  # killed before there was a store
    views = one.views()
    counts = applied(views)
    if seen(views) != expect([e for p in range(PARTITIONS) for e in parts[p][:counts[p]]]):
        raise Wrong(f"the views are not those of the first {counts} events")
    stored = {p["partition"]: p for p in one.stored() if p["topic"] == name}
    for p in range(PARTITIONS):
        if p not in stored and counts[p] == 0:
            continue
        row = stored.get(p, {"next_offset": 0, "results": {}, "holes": 0})
        if row["next_offset"] != counts[p]:
            raise Wrong(f"partition {p}: the views hold {counts[p]} events, the offset is {row['next_offset']}")
        if row["results"]["applied"] != counts[p] or row["results"]["duplicate"]:
            raise Wrong(f"partition {p}: {row}")
    return counts


def kill_loop(broker, one, name, kills, seed, total, env=None, chunk=120):
    """Feeds, kills at a moment chosen by the seed, checks; `kills` times. Then lets it end and compares."""
    rng = random.Random(seed)
    print(f"seed {seed}")
    events = list(stream(seed, 60, total, KINDS))
    parts = [[e for e in events if e["type"] == kind] for kind in KINDS]
    fed = [0] * PARTITIONS
    never = threading.Event()

    def feed(n):
        messages = []
        for p in range(PARTITIONS):
            messages += [{"value": line(e), "partition": p} for e in parts[p][fed[p]:fed[p] + n]]
            fed[p] = min(fed[p] + n, len(parts[p]))
        broker.produce(name, messages)
    feed(chunk)
    moved, before = 0, [0] * PARTITIONS
    for _ in range(kills):
        one.start(env=env, ready=False)
        one.process.wait_line("", deadline_s=30)
        feed(max(1, (total // PARTITIONS - chunk) // kills))
        never.wait(rng.random() * 0.12)
        if one.process.child.poll() is None:
            one.kill()
        else:
            one.process.wait()
        now = check(one, parts, name, before)
        assert all(a >= b for a, b in zip(now, before)), f"went back from {before} to {now}"
        moved += now != before
        before = now
    feed(total)
    assert one.once() == 0, one.process.tail()
    if check(one, parts, name, before) != [len(p) for p in parts]:
        raise Wrong("events are missing")
    return events, moved


def test_a_hundred_kills_on_the_small_broker(devbroker, daemon):
    name = devbroker.topic
    one = daemon("killed", brokers=devbroker.bootstrap, topics=[name], batch_events=40)
    events, moved = kill_loop(devbroker, one, name, 100, seed=11, total=9000)
    assert moved >= 30, f"only {moved} of 100 kills came while something was read"
    assert seen(one.views()) == expect(events)
    calm = daemon("calm", brokers=devbroker.bootstrap, topics=[name])
    assert calm.once() == 0
    assert one.dump() == calm.dump(), "equal to the byte to a run without a kill"


def test_five_kills_on_the_real_broker(kafka, daemon, topic):
    name = kafka.create_topic(topic(), PARTITIONS)
    one = daemon("killed", brokers=kafka.bootstrap, topics=[name], batch_events=40)
    kill_loop(kafka, one, name, 5, seed=12, total=6000, chunk=1000)
    calm = daemon("calm", brokers=kafka.bootstrap, topics=[name])
    assert calm.once() == 0
    assert one.dump() == calm.dump()


@pytest.mark.parametrize("bug", ["offset-before-data", "offset-after-data"])
def test_the_loop_catches_a_seeded_bug(devbroker, daemon, bug):
    """A build with switches keeps the offsets in another transaction; the loop above must not pass it."""
    name = devbroker.topic
    one = daemon("buggy", brokers=devbroker.bootstrap, topics=[name], batch_events=40, build=BUILD_FAILPOINTS)
    with pytest.raises(Wrong):
        kill_loop(devbroker, one, name, 60, seed=13, total=6000, env={"BB_FAILPOINT": bug})


def test_a_build_with_switches_all_off_passes(devbroker, daemon):
    name = devbroker.topic
    one = daemon("sound", brokers=devbroker.bootstrap, topics=[name], batch_events=40, build=BUILD_FAILPOINTS)
    kill_loop(devbroker, one, name, 10, seed=14, total=3000)

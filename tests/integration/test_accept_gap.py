# SPDX-License-Identifier: Apache-2.0
"""An operator's word after a gap: reading goes on from where it says, and everything that was counted stays."""
import subprocess
import time

import pytest

from harness.events import event, line
from harness.process import program, wait_until


def accept(one, where):
    return subprocess.run([program("backboned"), "--config", one.file, "--accept-gap", where], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                          check=False)


@pytest.fixture
def gap(kafka, daemon, topic):
    """Ten records were read; of thirty, the first twenty-five are gone."""
    name = kafka.create_topic(topic())
    kafka.produce(name, [line(event(f"a{i}", ["user:old"])) for i in range(10)])
    one = daemon(brokers=kafka.bootstrap, topics=[name])
    assert one.once() == 0, one.process.tail()
    kafka.produce(name, [line(event(f"b{i}", ["user:new"])) for i in range(20)])
    kafka.delete_records(name, 0, 25)
    assert one.once() == 70, one.process.tail()
    return one, name


@pytest.mark.parametrize("where, events", [("", 5), ("@start", 5), ("@28", 2), ("@end", 0)])
def test_reading_goes_on_from_there(kafka, gap, where, events):
    one, name = gap
    done = accept(one, f"{name}/0{where}")
    assert done.returncode == 0, done.stderr
    assert one.once() == 0, one.process.tail()
    row, = one.stored()
    assert row["next_offset"] == 30 and row["gaps"] == 1
    assert row["results"]["applied"] == 10 + events and row["passed"] == 10 + events
    kafka.produce(name, [line(event("c", ["user:new"]))])
    one.start()
    one.catch_up(kafka, name)
    wait_until(lambda: one.ready()[0], "ready again")
    assert one.partitions()[(name, 0)]["results"]["applied"] == 11 + events


def test_a_word_that_is_not_understood(gap):
    one, name = gap
    for where in (name, f"{name}/x", f"{name}/0@", f"{name}/0@later", f"{name}/-1", "/0", "file:/a/0@end", f"{name}/0@5x"):
        done = accept(one, where)
        assert done.returncode == 2 and "TOPIC/PARTITION" in done.stderr, (where, done)


def test_a_partition_that_was_never_read(gap):
    one, name = gap
    done = accept(one, f"{name}/7")
    assert done.returncode == 1 and f"{name}/7" in done.stderr, done
    assert f"backbonectl --config {one.file} dump --offsets" in done.stderr, "what is named works without the daemon"
    assert name in one.ctl("dump", "--offsets").stdout.decode()


def test_not_beside_a_running_daemon(gap):
    one, name = gap
    one.start()
    done = accept(one, f"{name}/0")
    assert done.returncode == 75, done


def test_a_changed_file(daemon, tmp_path):
    history = tmp_path / "h.ndjson"
    history.write_bytes(line(event("1", ["user:a"])) + b"\n")
    one = daemon(replay=[str(history)])
    assert one.once() == 0
    history.write_bytes(line(event("2", ["user:b"])) + b"\n")
    assert one.once() == 70
    assert any(text.startswith("<3>log_gap") and str(history) in text for text in one.process.lines)
    done = accept(one, f"file:{history}/0")
    assert done.returncode == 0, done
    assert one.once() == 0
    assert len(one.views()) == 2


def test_a_topic_that_was_made_again_is_not_below_an_erasure(kafka, daemon, topic, tmp_path):
    name = kafka.create_topic(topic())
    kafka.produce(name, [line(event(f"a{i}", ["user:one"])) for i in range(10)])
    one = daemon("one", brokers=kafka.bootstrap, topics=[name]).start()
    one.catch_up(kafka, name)
    one.ctl("erase", "user:one", "--mode", "forget", "--reason", "asked for", "--id", "x", "--yes")
    one.stop()
    kafka.delete_topic(name)
    kafka.create_topic(name)
    later = int(time.time() * 1000) + 60000
    kafka.produce(name, [line(event("old", ["user:one"])), line(event("new", ["user:one"], later))])
    assert one.once() == 70, one.process.tail()
    assert accept(one, f"{name}/0").returncode == 0
    assert one.once() == 0, one.process.tail()
    view, = one.views()
    assert view["events"] == 1, "what happened before the erasure stays erased, at any offset"
    file = tmp_path / "erasures.ndjson"
    one.ctl("erasures", "export", file)
    two = daemon("two", brokers=kafka.bootstrap, topics=[name])
    two.ctl("erasures", "import", file)
    assert two.once() == 0
    assert two.views() == [view], "a store that never read the topic before knows it too"

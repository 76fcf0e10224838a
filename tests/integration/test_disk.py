# SPDX-License-Identifier: Apache-2.0
"""A disk that fails: a commit that failed changed nothing. Without space ingestion waits, look-ups go on, and it
resumes by itself; any other error ends the daemon with a code of its own, and a start equals a run without it."""
import os
import shutil
import signal
import subprocess

import pytest

from harness.events import line, stream
from harness.process import wait_until


ONE_THREAD = {"UV_THREADPOOL_SIZE": "1"}  # strace counts the calls of each thread


def strace(call, error, when, file=None):
    """A prefix that lets those calls fail; only those on that file, if there is one."""
    only = ["-P", file] if file else []
    command = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", *only, "-e", f"trace={call}", "-e", "signal=none",
               "-e", f"inject={call}:error={error}:when={when}"]
    if not shutil.which("strace"):
        pytest.skip("strace is missing; scripts/setup test installs it")
    if subprocess.run([*command, "true"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("strace may not trace here")
    return command


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    file = tmp_path_factory.mktemp("history") / "h.ndjson"
    file.write_bytes(b"".join(line(e) + b"\n" for e in stream(31, 200, 6000)))
    return str(file)


@pytest.fixture(scope="module")
def views(history, tmp_path_factory):
    """What a run without faults gives."""
    from harness.daemon import Daemon
    one = Daemon(tmp_path_factory.mktemp("calm"), replay=[history], batch_events=300)
    assert one.once() == 0, one.process.tail()
    return one.dump()


@pytest.mark.parametrize("when", [5, 9, 14])
def test_an_input_output_error_ends_it_and_a_start_goes_on(daemon, history, views, when):
    one = daemon(replay=[history], batch_events=300)
    code = one.start("--once", ready=False, env=ONE_THREAD, prefix=strace("fdatasync", "EIO", when)).process.wait()
    assert code == 74, one.process.tail()
    assert any(text.startswith("<3>store_failed") for text in one.process.lines)
    before, = one.stored() or [{"next_offset": 0}]
    assert before["next_offset"] < 6000
    assert one.once() == 0, one.process.tail()
    assert one.dump() == views


def test_a_full_disk_is_waited_for(daemon, history, views):
    one = daemon(replay=[history], batch_events=300)
    one.start("--once", ready=False, env=ONE_THREAD, prefix=strace("fdatasync", "ENOSPC", "5..7"))
    assert one.process.wait() == 0, one.process.tail()
    told = [text.split()[0][3:] for text in one.process.lines]
    assert "store_full" in told and "store_has_space" in told, one.process.tail()
    assert one.dump() == views


def test_a_reload_waits_for_space_and_says_so(daemon, history):
    one = daemon(replay=[history], batch_events=300)
    one.start(env=ONE_THREAD, prefix=strace("fdatasync", "ENOSPC", "5..9"))
    one.process.wait_line("store_full")
    one.process.signal(signal.SIGHUP)
    one.process.wait_line("reload_waits")
    one.process.signal(signal.SIGHUP)  # and another one, in the place of the first
    one.process.wait_line("<5>reloaded")
    told = [text.split()[0][3:] for text in one.process.lines]
    assert told.index("store_full") < told.index("reload_waits") < told.index("store_has_space") < \
        told.index("reloaded"), one.process.tail()
    assert (told.count("reload_waits"), told.count("reloaded")) in ((1, 1), (1, 2)), one.process.tail()
    wait_until(lambda: one.ready()[0] and one.partitions()[("file:" + history, 0)]["next_offset"] == 6000, "the end")
    assert one.stop() == 0


def test_look_ups_go_on_without_space(daemon, history):
    """From the 4th commit on there is no space, ever."""
    one = daemon(replay=[history], batch_events=300)
    one.start(env=ONE_THREAD, prefix=strace("fdatasync", "ENOSPC", "4+"))
    wait_until(lambda: "store_full" in one.ready()[1], "store_full")
    applied = one.partitions()[("file:" + history, 0)]["results"]["applied"]
    assert 0 < applied < 6000
    assert sum(v["events"] for v in one.views()) > 0
    one.process.wait_line("store_full")
    assert sum("store_full" in text for text in one.process.lines) == 1, "said once"
    one.stop()
    assert one.once() == 0


PAGES, NEXT = "pwrite64,pwritev,writev,write,fdatasync,fsync", "store/next/data.mdb"
LATE = [  # what fails, with what, from which call on, on which file, and the end: a result, or the exit code
    (PAGES, "ENOSPC", "1+", NEXT, "failed"),
    (PAGES, "ENOSPC", "3+", NEXT, "failed"),
    (PAGES, "ENOSPC", "5+", NEXT, "failed"),
    (PAGES, "EIO", "5+", NEXT, "failed"),
    ("fdatasync,fsync,msync", "EIO", "1+", NEXT, "failed"),
    ("openat", "ENOSPC", "1+", "store/next/lock.mdb", "failed"),
    ("mkdirat", "ENOSPC", "1", None, "failed"),
    ("renameat", "EIO", "1", None, 74),
    ("renameat", "EIO", "2", None, 74),
    ("fsync", "EIO", "1+", "store", 74),
    ("unlinkat", "EIO", "1", None, 74),
]


@pytest.mark.parametrize("fault", LATE, ids=["-".join(str(part).split(",", maxsplit=1)[0] for part in row) for row in LATE])
@pytest.mark.parametrize("work", ["purge", "rules", "rebuild"])
def test_a_second_store_that_cannot_be_made_costs_itself(daemon, history, views, work, fault):
    """In each of its phases: look-ups go on in the old store, or the process ends; then all is as without the fault."""
    calls, error, when, file, end = fault
    one = daemon(replay=[history], batch_events=3000)
    assert one.once() == 0
    one.start(env=ONE_THREAD, prefix=strace(calls, error, when, file and f"{one.folder}/{file}"))
    if work == "rules":
        one.write(namespaces=[*one.settings["namespaces"], "{name: loyalty}"])
        one.process.signal(signal.SIGHUP)
    else:
        assert one.http(f"/v1/{work}", "POST")[0] == 202
    if end == 74:
        assert one.process.wait() == end, one.process.tail()
    else:
        wait_until(lambda: one.status()["maintenance"]["last"], "the end of it")
        assert one.status()["maintenance"]["last"]["result"] == end, one.status()
        assert one.dump() == views and one.ready()[0]
        assert one.stop() == 0
    one.notify.close()
    one.start()
    if work != "rules":
        one.ctl(work)
    assert one.dump() == views and not os.path.exists(f"{one.folder}/store/next")
    assert one.stop() == 0 and one.ctl("scrub").returncode == 0

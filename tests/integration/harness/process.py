# SPDX-License-Identifier: Apache-2.0
"""Processes under test: started, watched by the lines they write and the sockets they open, ended by their id."""
import os
import select
import signal
import subprocess
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.environ.get("BB_BUILD", os.path.join(TOP, "build-release"))
BUILD_FAILPOINTS = os.environ.get("BB_BUILD_FAILPOINTS", os.path.join(TOP, "build-failpoints"))
DEADLINE_S = 60


class Unavailable(Exception):
    """Something that this machine lacks; the test is skipped with these words."""


def program(name, build=None):
    for folder in ("daemon", "bin", ""):
        path = os.path.join(build or BUILD, folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise AssertionError(f"{name} is not built in {build or BUILD}")


def wait_until(condition, what, deadline_s=DEADLINE_S, step_s=0.02):
    """Asks again and again, for what gives no event of its own to wait for; returns the first true answer."""
    end = time.monotonic() + deadline_s
    never = threading.Event()
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what() if callable(what) else what}")
        never.wait(step_s)


class Process:
    """A child with its output in a file and in `lines`."""

    def __init__(self, args, log, env=None, cwd=None, pass_fds=()):
        self.args = [str(a) for a in args]
        self.log = str(log)
        self.lines = []
        self._changed = threading.Condition()
        self._ended = False
        self.child = subprocess.Popen(self.args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, env=env, cwd=cwd, pass_fds=pass_fds)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        with open(self.log, "ab") as file:
            for line in self.child.stdout:
                file.write(line)
                file.flush()
                with self._changed:
                    self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def pid(self):
        return self.child.pid

    def tail(self, n=20):
        return "\n".join(self.lines[-n:])

    def wait_line(self, predicate, deadline_s=DEADLINE_S, start=0):
        """The first line from `start` on that `predicate` (or a piece of text) matches."""
        if isinstance(predicate, str):
            text, predicate = predicate, lambda line: text in line
        end = time.monotonic() + deadline_s
        seen = start
        with self._changed:
            while True:
                for line in self.lines[seen:]:
                    if predicate(line):
                        return line
                seen = len(self.lines)
                left = end - time.monotonic()
                if self._ended or left <= 0:
                    why = f"ended with {self.child.wait()}" if self._ended else f"said nothing of it in {deadline_s} s"
                    raise AssertionError(f"{self.args[0]} {why}:\n{self.tail()}")
                self._changed.wait(left)

    def signal(self, number):
        self.child.send_signal(number)

    def wait(self, deadline_s=DEADLINE_S):
        try:
            code = self.child.wait(deadline_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.args[0]} did not end within {deadline_s} s:\n{self.tail()}") from None
        self._thread.join(deadline_s)
        return code

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        self._thread.join(5)

    def stop(self, deadline_s=DEADLINE_S):
        if self.child.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait(deadline_s)


class NotifySocket:
    """The service manager's end of sd_notify: READY, STATUS, RELOADING, STOPPING arrive here."""

    def __init__(self, path):
        import socket
        self.path = str(path)
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.socket.bind(self.path)
        self.seen = []

    def wait(self, prefix, deadline_s=DEADLINE_S, process=None):
        """The next message line that begins with `prefix`, from those not yet taken on."""
        end = time.monotonic() + deadline_s
        while True:
            for i, line in enumerate(self.seen):
                if line.startswith(prefix):
                    del self.seen[:i + 1]
                    return line
            left = min(end - time.monotonic(), 0.5)
            if left <= 0:
                raise AssertionError(f"no {prefix} within {deadline_s} s; {process.tail() if process else ''}")
            if select.select([self.socket], [], [], left)[0]:
                self.seen += self.socket.recv(4096).decode().split("\n")
            elif process and process.child.poll() is not None:
                raise AssertionError(f"ended with {process.child.returncode} before {prefix}:\n{process.tail()}")

    def close(self):
        self.socket.close()

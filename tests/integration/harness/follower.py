# SPDX-License-Identifier: Apache-2.0
"""Somebody who follows the change feed."""
import json
import subprocess
import threading

from .process import DEADLINE_S, program


class Follower:
    """`backbonectl changes --follow`, begun again by its last number whenever the daemon was away."""

    def __init__(self, one):
        self.one, self.changes, self.runs, self.child = one, [], 0, None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.ended.is_set():
            after = self.changes[-1]["number"] if self.changes else 0
            self.runs += 1
            child = subprocess.Popen([program("backbonectl"), "--config", self.one.file, "changes", "--follow", "--json",
                                      "--after", str(after)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.child = child
            for text in child.stdout:
                self.changes.append(json.loads(text))
            child.wait()
            self.ended.wait(0.02)

    def at(self):
        return self.changes[-1]["number"] if self.changes else 0

    def close(self):
        self.ended.set()
        if self.child:
            self.child.terminate()
        self.thread.join(DEADLINE_S)

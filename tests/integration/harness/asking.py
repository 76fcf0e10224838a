# SPDX-License-Identifier: Apache-2.0
"""Somebody who looks up without a pause."""
import threading


class Asking:
    """Look-ups of `keys`: `seen` has each answer that differs from the one before."""

    def __init__(self, one, keys):
        self.client, self.keys, self.answers, self.errors = one.redis(), keys, 0, []
        self.seen = [self.client.mget(keys)]
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.ended.is_set():
            try:
                answer = self.client.mget(self.keys)
            except Exception as error:  # pylint: disable=broad-except
                self.errors.append(repr(error))
                return
            self.answers += 1
            if answer != self.seen[-1]:
                self.seen.append(answer)

    def close(self):
        """How many answers there were: each look-up had one."""
        self.ended.set()
        self.thread.join()
        assert not self.errors, self.errors[:3]
        return self.answers

# SPDX-License-Identifier: Apache-2.0
"""backboned with a configuration, a store and sockets of its own in a temporary folder."""
import base64
import http.client
import json
import os
import re
import signal
import socket
import subprocess

from .process import DEADLINE_S, NotifySocket, Process, program, wait_until

PROFILE_KEY = "8c6a0f5bd3e14927a1b2c3d4e5f60718"
VERDICTS = ("applied", "duplicate", "skipped", "no_identifier", "dead_letter")
NAMESPACES = [
    "{name: user, owner: true}",
    "{name: card, owner: true, per_profile: 3}",
    "{name: email, normalise: email}",
    "{name: device, durable: false}",
]


def partition_row(row):
    """One partition of /v1/status, the ends of its records under `results`."""
    return {**row, "results": {v: row[v] for v in VERDICTS}}


class UnixHttp(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=DEADLINE_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(DEADLINE_S)
        self.sock.connect(self.path)


class Daemon:
    """The folder, the configuration in it, and the running program if there is one."""

    def __init__(self, folder, brokers=None, topics=(), namespaces=NAMESPACES, connectors=(), replay=(), more="",
                 build=None, batch_events=20000):
        self.folder = str(folder)
        os.makedirs(self.folder, exist_ok=True)
        self.build = build
        self.file = os.path.join(self.folder, "backbone.yaml")
        self.query = os.path.join(self.folder, "query.sock")
        self.admin = os.path.join(self.folder, "admin.sock")
        self.settings = {"brokers": brokers, "topics": topics, "namespaces": namespaces, "connectors": connectors,
                         "replay": replay, "more": more, "batch_events": batch_events}
        self.process = None
        self.notify = None
        self.runs = 0
        self.write()

    def write(self, **changes):
        """The configuration file, from the settings given when made and those changed since."""
        self.settings.update(changes)
        s = self.settings
        text = ["store: {path: store, map_size: 4GiB}", f"profile_key: {PROFILE_KEY}",
                f"batch: {{events: {s['batch_events']}}}"]
        if s["brokers"]:
            text.append(f"kafka: {{brokers: '{s['brokers']}'}}")
        if s["topics"]:
            text.append("direct: {topics: [" + ", ".join(f"'{t}'" for t in s["topics"]) + "]}")
        if s["connectors"]:
            text.append("connectors: [" + ", ".join(f"'{c}'" for c in s["connectors"]) + "]")
        if s["replay"]:
            text.append("replay: [{connector: direct, files: [" + ", ".join(f"'{f}'" for f in s["replay"]) + "]}]")
        text += ["identity:", "  namespaces:"] + [f"    - {n}" for n in s["namespaces"]]
        text += ["serve:", f"  query: {{path: '{self.query}', mode: \"0660\"}}",
                 f"  admin: {{path: '{self.admin}', mode: \"0660\"}}"]
        with open(self.file, "w", encoding="utf-8") as file:
            file.write("\n".join(text) + "\n" + s["more"])

    # the program

    def start(self, *args, env=None, ready=True, prefix=()):
        self.runs += 1
        self.notify = NotifySocket(os.path.join(self.folder, "notify.sock"))
        surroundings = dict(os.environ, NOTIFY_SOCKET=self.notify.path, **(env or {}))
        surroundings.pop("LISTEN_FDS", None)
        self.process = Process([*prefix, program("backboned", self.build), "--config", self.file, *args],
                               os.path.join(self.folder, "backboned.log"), env=surroundings)
        if ready:
            self.notify.wait("READY=1", process=self.process)
        return self

    def once(self, env=None, deadline_s=300):
        """`--once`: what all sources hold now; returns the exit code."""
        return self.start("--once", env=env, ready=False).process.wait(deadline_s)

    def kill(self):
        """SIGKILL, at once."""
        self.process.signal(signal.SIGKILL)
        self.process.wait()
        self.notify.close()

    def stop(self):
        code = self.process.stop()
        self.notify.close()
        return code

    def close(self):
        if self.process:
            self.process.kill()
        if self.notify:
            self.notify.close()
        if os.path.exists(os.path.join(self.folder, "backboned.log")):
            with open(os.path.join(self.folder, "backboned.log"), encoding="utf-8", errors="replace") as file:
                told = file.read()
            found = re.search(r"Sanitizer|runtime error:", told)
            assert not found, told[max(0, found.start() - 200):found.start() + 4000]

    # what people and programs ask it

    def ctl(self, *args, stdin=None, check=True):
        done = subprocess.run([program("backbonectl", self.build), "--config", self.file, *map(str, args)],
                              input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, check=False)
        if check and done.returncode:
            raise AssertionError(f"backbonectl {args}: exit {done.returncode}\n{done.stderr.decode()}"
                                 f"\n{self.process.tail() if self.process else ''}")
        return done

    def dump(self):
        """The lines of all views, as they are."""
        return self.ctl("dump", "--views").stdout.decode().splitlines()

    def views(self):
        return [json.loads(line) for line in self.dump()]

    def http(self, path, method="GET"):
        connection = UnixHttp(self.admin)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def status(self):
        code, body = self.http("/v1/status")
        assert code == 200, (code, body)
        return json.loads(body)

    def ready(self):
        """(ready?, codes of the reasons why not)"""
        code, body = self.http("/readyz")
        return code == 200, [r["code"] for r in json.loads(body).get("reasons", [])]

    def redis(self, **options):
        import redis
        return redis.Redis(unix_socket_path=self.query, socket_timeout=DEADLINE_S, **options)

    def partitions(self):
        return {(p["topic"], p["partition"]): partition_row(p) for p in self.status()["partitions"]}

    def offsets(self):
        return {key: p["next_offset"] for key, p in self.partitions().items()}

    def wait_offsets(self, wanted, deadline_s=DEADLINE_S * 2):
        """Until all these (topic, partition) have been read up to these offsets."""
        def arrived():
            now = self.offsets()
            return all(now.get(key, 0) >= offset for key, offset in wanted.items())
        wait_until(arrived, lambda: f"offsets {self.offsets()} instead of {wanted}\n{self.process.tail()}", deadline_s)

    def catch_up(self, broker, *topics, deadline_s=DEADLINE_S * 2):
        self.wait_offsets({(t, p): end for t in topics for p, end in broker.end_offsets(t).items()}, deadline_s)

    def stored(self):
        """The rows of progress in the store, one a partition; the daemon may be down."""
        return [partition_row(json.loads(t)) for t in self.ctl("dump", "--offsets").stdout.decode().splitlines()]

    def dead_letters(self):
        """With `value` as the bytes that came."""
        letters = [json.loads(text) for text in self.ctl("dead-letters", "--json").stdout.decode().splitlines()]
        for letter in letters:
            if "value_base64" in letter:
                letter["value"] = base64.b64decode(letter["value_base64"])
            elif "value" in letter:
                letter["value"] = letter["value"].encode()
        return letters

# SPDX-License-Identifier: Apache-2.0
"""The demo's world for the examples in the documentation: a broker, a daemon with conf/demo.yaml, and the demo's events.

Blocks whose first line says `live` are run in it, in the folder of their document:
    ```console live   each `$ COMMAND` by bash, with DEMO_DIR, DEMO_BROKERS and PATH as the demo's `env` file sets them;
                      what it prints, as it would on a terminal, must be what stands below
    ```python live    by python3, ```js live by node: what it prints must be what stands behind `# -> ` or `// -> `
"""
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time

FEED = (("segment.events", "1-browsing"), ("shopify.webhooks", "2-shop"), ("segment.events", "3-login"),
        ("whatsapp.webhooks", "4-social"), ("shopify.webhooks", "5-refund"))
LAST = '"revenue":{"EUR":{"amount":"169","count":3}},"events":6}'
DEADLINE_S = 60
NEVER = threading.Event()


class World:
    def __init__(self, top, build):
        self.top, self.bin = top, os.path.join(build, "daemon")
        self.folder = tempfile.mkdtemp(prefix="backbone-docs.")
        self.running = []
        # /usr/bin first: there are the Python and the Node that Debian's packages of client libraries are for
        self.env = dict(os.environ, DEMO_DIR=self.folder, PATH=f"{self.bin}:/usr/bin:{os.environ['PATH']}",
                        FAKETTY="1",  # redis-cli then prints as it does on a terminal
                        NODE_PATH=os.environ.get("NODE_PATH") or "/usr/share/nodejs", LC_ALL="C.UTF-8")
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def spawn(self, *command):
        with open(os.path.join(self.folder, os.path.basename(command[0]) + ".log"), "wb") as log:
            self.running.append(subprocess.Popen(command, cwd=self.top, env=self.env, stdin=subprocess.DEVNULL,
                                                 stdout=log, stderr=subprocess.STDOUT))

    def ctl(self, *arguments):
        return subprocess.run(["backbonectl", "--config", "conf/demo.yaml", *arguments], cwd=self.top, env=self.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=DEADLINE_S, check=False)

    def wait(self, what, good):
        end = time.monotonic() + DEADLINE_S
        while not good():
            dead = [p.args[0] for p in self.running if p.poll() is not None]
            if dead or time.monotonic() > end:
                raise RuntimeError(f"{what}: " + (f"{dead[0]} has ended" if dead else f"not within {DEADLINE_S} s"))
            NEVER.wait(0.02)  # before it is asked again

    def start(self):
        address = os.path.join(self.folder, "broker")
        self.spawn(os.path.join(self.bin, "backbone-devbroker"), "--port-file", address)
        self.wait("the broker's address", lambda: os.path.exists(address))
        with open(address, encoding="utf-8") as file:
            self.env["DEMO_BROKERS"] = file.read().strip()
        self.spawn(os.path.join(self.bin, "backboned"), "--config", "conf/demo.yaml")
        self.wait("the daemon", lambda: self.ctl("status").returncode == 0)
        for topic, name in FEED:
            done = self.ctl("produce", topic, f"conf/demo/{name}.ndjson")
            if done.returncode:
                raise RuntimeError(done.stdout)
        self.wait("the view of the demo", lambda: LAST in self.ctl(
            "get", "--json", "--fields", "revenue,events", "email:lea.martin@example.org").stdout)

    def run(self, command, folder, text=None):
        return subprocess.run(command, cwd=folder, env=self.env, input=text or "", stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=300, check=False)

    def close(self):
        for process in reversed(self.running):
            process.terminate()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def missing(command):
    """The program that a command needs and that is not here, or None."""
    words = [w for w in re.split(r"[\s|;&]+", command) if "=" not in w]
    return next((w for w in words if w in ("redis-cli", "curl", "python3", "node") and not shutil.which(w)), None)


def script(language, body):
    """(the command that runs it, the lines that it must print)."""
    mark = {"python": "#", "js": "//"}[language]
    return {"python": "python3 -", "js": "node -"}[language], re.findall(rf"{mark} -> (.*)$", body, re.M)

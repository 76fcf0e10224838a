# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at named points inside a merge, a split, a ruling and an erasure: between the tables of a transaction,
before its commit and after. The store is whole, shows all of the step or nothing, and ends as without a kill."""
import json
import signal

import pytest

from harness.events import START_MS, event, line
from harness.process import BUILD_FAILPOINTS

NAMESPACES = ["{name: user, owner: true}", "{name: email, normalise: email}", "{name: device, durable: false}"]
CORE = ["core.changes", "core.identifiers", "core.profiles", "core.ledger", "core.window", "core.counters"]
BATCH = CORE + ["batch.before-commit", "batch.after-commit"]
ORDER = ["order.done"] + CORE + ["order.before-commit", "order.after-commit"]
AMOUNT = {"value": "12.50", "currency": "EUR", "key": "order-1"}
BEFORE = [event("1", ["user:ann", "email:ann@example.org"], START_MS, attributes={"name": "Ann"}),
          event("2", ["user:ann", "device:d1"], START_MS + 1000, amount=AMOUNT),
          event("3", ["email:home@example.org", "device:d2"], START_MS + 2000),
          event("4", ["user:bob", "email:bob@example.org"], START_MS + 3000, amount=dict(AMOUNT, key="order-2"))]
STEPS = {
    "merge": event("5", ["user:ann", "email:home@example.org"], START_MS + 4000, amount=AMOUNT),
    "split": event("5", ["user:bob", "device:d1"], START_MS + 4000, amount=AMOUNT),  # a device of two is shared
}
ORDERS = {
    "ruling": ["rulings", "add", "split", "user:ann", "email:ann@example.org", "--id", "r1"],
    "erase": ["erase", "user:ann", "--mode", "forget", "--reason", "asked for", "--yes", "--id", "e1"],
}


def started(daemon, devbroker, folder, name, events=BEFORE):
    """A daemon of the build with kill points that has read these events."""
    devbroker.produce(name, [{"value": line(e), "partition": 0} for e in events])
    one = daemon(folder, brokers=devbroker.bootstrap, topics=[name], namespaces=NAMESPACES, build=BUILD_FAILPOINTS)
    assert one.once() == 0
    return one


def digest(one):
    return json.loads(one.ctl("digest", "--json").stdout)["digest"]


def is_whole(one):
    scrub = one.ctl("scrub", check=False)
    assert scrub.returncode == 0, scrub.stderr
    return one.dump()


@pytest.mark.parametrize("point", BATCH)
@pytest.mark.parametrize("step", STEPS)
def test_a_batch_is_there_or_not(daemon, devbroker, step, point):
    one = started(daemon, devbroker, "one", "killed")
    before = one.dump()
    devbroker.produce("killed", [{"value": line(STEPS[step]), "partition": 0}])
    assert one.once(env={"BB_KILL_AT": point}) == -signal.SIGKILL, one.process.tail()
    one.notify.close()
    assert (is_whole(one) != before) == (point == "batch.after-commit")
    assert one.once() == 0
    calm = started(daemon, devbroker, "calm", "calm", BEFORE + [STEPS[step]])
    assert is_whole(one) == calm.dump() != before
    assert digest(one) == digest(calm)


@pytest.mark.parametrize("point", ORDER)
@pytest.mark.parametrize("order", ORDERS)
def test_an_order_is_there_or_not(daemon, devbroker, order, point):
    one = started(daemon, devbroker, "one", "killed")
    before = one.dump()
    one.start(env={"BB_KILL_AT": point})
    assert one.ctl(*ORDERS[order], check=False).returncode
    assert one.process.wait() == -signal.SIGKILL, one.process.tail()
    one.notify.close()
    done = point == "order.after-commit"
    assert (is_whole(one) != before) == done
    one.start()
    calm = started(daemon, devbroker, "calm", "calm").start()
    answers = [json.loads(d.ctl(*ORDERS[order], "--json", check=False).stdout or "{}") for d in (one, calm)]
    assert one.dump() == calm.dump() != before
    if order == "erase":
        assert [a["result"] for a in answers] == ["duplicate" if done else "erased", "erased"]
        assert digest(one) == digest(calm)
    one.stop()
    assert is_whole(one) == calm.dump()
    assert json.loads(one.ctl("audit", "verify", "--json").stdout)["wrong"] is None

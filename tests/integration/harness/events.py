# SPDX-License-Identifier: Apache-2.0
"""Canonical events for the tests, and a naive opinion of what must come of them."""
import json
import random
from collections import defaultdict
from decimal import Decimal

START_MS = 1767225600000  # 2026-01-01T00:00:00Z


def iso(ms):
    import datetime
    moment = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{ms % 1000:03d}Z"


def event(ident, identifiers, ms=START_MS, kind="seen", source="test", **more):
    """An event of the form that `direct` takes; identifiers are `ns:value`."""
    return {"source": source, "channel": "web", "type": kind, "id": ident, "time": iso(ms),
            "identifiers": [dict(zip(("ns", "value"), i.split(":", 1))) for i in identifiers], **more}


def line(ev):
    return json.dumps(ev, separators=(",", ":"), ensure_ascii=False).encode()


def stream(seed, people, total, kinds=("seen",)):
    """Events of people with a user id, an e-mail address and devices of their own: no limit is ever touched, so
    that uniting by shared identifiers, the naive way, is right."""
    rng = random.Random(seed)
    for n in range(total):
        person = rng.randrange(people)
        names = {0: [f"user:u{person}"], 1: [f"email:p{person}@example.org"],
                 2: [f"device:d{person}-{rng.randrange(3)}"],
                 3: [f"user:u{person}", f"email:p{person}@example.org"],
                 4: [f"user:u{person}", f"device:d{person}-{rng.randrange(3)}"]}[rng.randrange(5)]
        more = {"attributes": {"city": rng.choice(["Paris", "Lyon", "Nice"])}}
        if rng.random() < 0.4:
            more["amount"] = {"value": f"{rng.randrange(1, 20000) / 100:.2f}", "currency": "EUR"}
        yield event(f"e{seed}-{n}", names, START_MS + n * 60000 + rng.randrange(60000), kinds[n % len(kinds)], **more)


def expect(events):
    """{frozenset of identifiers: (events, {currency: (amount, count)})} by plain union and plain sums."""
    parent = {}

    def find(x):
        while parent.setdefault(x, x) != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x
    events = list(events)
    for ev in events:
        names = [f"{i['ns']}:{i['value']}" for i in ev["identifiers"]]
        for name in names:
            parent[find(names[0])] = find(name)
    groups = defaultdict(set)
    for name in list(parent):
        groups[find(name)].add(name)
    counts, money = defaultdict(int), defaultdict(lambda: defaultdict(lambda: [Decimal(0), 0]))
    for ev in events:
        root = find(f"{ev['identifiers'][0]['ns']}:{ev['identifiers'][0]['value']}")
        counts[root] += 1
        if "amount" in ev:
            slot = money[root][ev["amount"]["currency"]]
            slot[0] += Decimal(ev["amount"]["value"])
            slot[1] += 1
    return {frozenset(names): (counts[root], {c: (a, n) for c, (a, n) in money[root].items()})
            for root, names in groups.items()}


def seen(views):
    """The same of the daemon's views."""
    return {frozenset(f"{i['ns']}:{i['value']}" for i in v["identifiers"]):
            (v["events"], {c: (Decimal(r["amount"]), r["count"]) for c, r in v.get("revenue", {}).items()})
            for v in views}

# SPDX-License-Identifier: Apache-2.0
"""69,659 purchases through a real broker, with two kill -9 on the way: none is lost, none is counted twice."""
import json
from collections import defaultdict
from decimal import Decimal

from harness import cdnow
from harness.events import seen


def as_event(number, row):
    customer, day, amount = row
    return json.dumps({"source": "cdnow", "channel": "web", "type": "order_placed", "id": f"order-{number}",
                       "time": f"{day[:4]}-{day[4:6]}-{day[6:]}T12:00:00Z",
                       "identifiers": [{"ns": "user", "value": customer}],
                       "amount": {"value": amount, "currency": "USD"}}).encode()


def test_generated_purchases_have_the_shape_of_the_real_ones():
    rows = cdnow.generated()
    assert len(rows) == cdnow.PURCHASES and len({r[0] for r in rows}) == cdnow.CUSTOMERS
    assert sum(Decimal(r[2]) for r in rows) * 100 == cdnow.CENTS


def test_cdnow_with_two_kills(kafka, daemon, topic):
    rows = cdnow.purchases()
    wanted = defaultdict(lambda: [0, Decimal(0)])
    for customer, _, amount in rows:
        wanted[frozenset([f"user:{customer}"])][0] += 1
        wanted[frozenset([f"user:{customer}"])][1] += Decimal(amount)
    assert len(rows) == cdnow.PURCHASES and len(wanted) == cdnow.CUSTOMERS
    assert sum(total for _, total in wanted.values()) * 100 == cdnow.CENTS

    name = kafka.create_topic(topic("cdnow"), 3)
    kafka.produce(name, [{"value": as_event(n, row), "key": row[0]} for n, row in enumerate(rows)])
    ends = {(name, p): end for p, end in kafka.end_offsets(name).items()}
    # small batches, so that both kills come while most is still ahead
    one = daemon(brokers=kafka.bootstrap, topics=[name], batch_events=1000)
    for part in (6, 3):
        one.start()
        one.wait_offsets({max(ends, key=ends.get): max(ends.values()) // part})
        one.kill()
    assert one.once() == 0, one.process.tail()

    views = one.views()
    assert len(views) == cdnow.CUSTOMERS
    assert sum(Decimal(v["revenue"]["USD"]["amount"]) for v in views) * 100 == cdnow.CENTS
    assert seen(views) == {names: (n, {"USD": (total, n)}) for names, (n, total) in wanted.items()}
    rows_of = {(p["topic"], p["partition"]): p for p in one.stored()}
    assert {key: p["next_offset"] for key, p in rows_of.items()} == ends
    assert sum(p["results"]["applied"] for p in rows_of.values()) == cdnow.PURCHASES
    assert sum(p["results"]["duplicate"] for p in rows_of.values()) == 0

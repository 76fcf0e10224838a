# SPDX-License-Identifier: Apache-2.0
"""Files of partners while the daemon is killed again and again: every good line counts exactly once, every bad one is
a dead letter that names its line, reading goes on where it was; and a file whose last line has changed is an alarm."""
import json
import random

import pytest

LINES = 20000
KILLS = 6
BAD_EVERY = 97

CSV = """connector: members
channel: partner
topics: []
format: csv
redact: ['$.note']
events:
  - type: joined
    time: {from: {const: '2026-01-01T00:00:00Z'}, format: iso8601}
    identify: {ns: user, from: '$.member'}
    amount: {value: '$.points', kind: major, currency: EUR, key: '$.member'}
"""
NDJSON = """connector: orders
channel: partner
topics: []
events:
  - type: ordered
    time: {from: {const: '2026-01-01T00:00:00Z'}, format: iso8601}
    identify: {ns: user, from: '$.member'}
    amount: {value: '$.points', kind: major, currency: EUR, key: '$.member'}
"""


def write_csv(path):
    """The records of a file, some over two lines; returns the lines of the bad ones, from 0."""
    bad, at = set(), 1
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write("member,points,note\r\n")
        for n in range(1, LINES):
            record = f"m{n},{n},\r\n"
            if n % BAD_EVERY == 0:
                bad.add(at)
                record = f"m{n},{n}\r\n"
            elif n % 5 == 0:
                record = f'm{n},{n},"says ""yes"",\nand more"\r\n'
            file.write(record)
            at += record.count("\n")
    return bad


def write_ndjson(path):
    bad = set()
    with open(path, "w", encoding="utf-8") as file:
        for n in range(1, LINES):
            if n % BAD_EVERY == 0:
                bad.add(n - 1)
                file.write(f'{{"member": "m{n}", "points"\n')
            else:
                file.write(json.dumps({"member": f"m{n}", "points": n}) + "\n")
    return bad


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_partner_file_survives_kills(daemon, tmp_path, form):
    history = tmp_path / f"members.{form}"
    bad = write_csv(history) if form == "csv" else write_ndjson(history)
    connector = tmp_path / "connector.yaml"
    connector.write_text(CSV if form == "csv" else NDJSON, encoding="utf-8")
    name = "members" if form == "csv" else "orders"
    key = (f"file:{history}", 0)
    chance = random.Random(7)
    one = daemon(connectors=[str(connector)], batch_events=50,
                 more=f"replay: [{{connector: {name}, files: ['{history}']}}]\n")
    reached = halves = 0
    for part in range(1, KILLS + 1):
        one.start()
        assert one.offsets().get(key, 0) >= reached, "it began anew"
        reached = part * LINES // (KILLS + 2) + chance.randrange(LINES // 20)
        one.wait_offsets({key: reached})
        one.kill()
        row, = one.stored()
        halves += row["next_offset"] < LINES - 1
    assert halves >= 2, "no kill came while there was something to read"
    assert one.once() == 0, one.process.tail()

    good = LINES - 1 - len(bad)
    views = one.views()
    assert len(views) == good
    assert {v["revenue"]["EUR"]["amount"] for v in views} == \
        {f"{n}" for n in range(1, LINES) if n % BAD_EVERY}
    letters = one.dead_letters()
    assert sorted(letter["offset"] for letter in letters) == sorted(bad)
    assert all(letter["topic"] == key[0] for letter in letters)
    row, = one.stored()
    assert row["results"]["applied"] == good and row["results"]["duplicate"] == 0, row

    last = str(LINES - 1).encode()
    history.write_bytes(history.read_bytes().replace(b"m" + last, b"m" + last[::-1]))
    assert one.once() == 70
    assert any(text.startswith("<3>log_gap") and str(history) in text for text in one.process.lines)
    assert len(one.views()) == good, "nothing of it was read again"

# SPDX-License-Identifier: Apache-2.0
"""Why two identifiers are one person: the same answer by every way to ask, and on every replica."""
import json
import random

from harness.events import START_MS, event, line

DAY_MS = 86400000
SHOP = [
    event("r1", ["card:L77", "email:lea@example.org"], START_MS, source="till"),
    event("r2", ["card:L77", "email:lea@example.org"], START_MS + 8 * DAY_MS, source="till"),
    event("w1", ["email:lea@example.org", "device:d1"], START_MS + 9 * DAY_MS, source="web"),
    event("u1", ["user:u1", "email:lea@example.org"], START_MS + 9 * DAY_MS, source="web"),
    event("u2", ["user:u2", "email:lea@example.org", "device:kiosk"], START_MS + 9 * DAY_MS, source="web"),
    event("u3", ["user:u3", "device:kiosk", "email:noreply@example.org"], START_MS + 9 * DAY_MS, source="web"),
]
PAIRS = [("device:d1", "card:L77"), ("user:u1", "user:u2"), ("user:u3", "card:L77"), ("device:kiosk", "user:u2"),
         ("email:noreply@example.org", "user:u3"), ("card:L77", "card:L77")]
KEYS = sorted({key for pair in PAIRS for key in pair})


def questions():
    return [("why", (key,)) for key in KEYS] + [("explain", pair) for pair in PAIRS]


def with_file(daemon, tmp_path, name, events):
    file = tmp_path / f"{name}.ndjson"
    file.write_bytes(b"\n".join(map(line, events)) + b"\n")
    return daemon(name, replay=[str(file)])


def by_store(one):
    return [one.ctl("--json", verb, *keys).stdout.decode() for verb, keys in questions()]


def test_replicas_give_the_same_explanations_whatever_the_order(daemon, tmp_path):
    answers = []
    for seed in range(3):
        events = list(SHOP)
        random.Random(seed).shuffle(events)
        one = with_file(daemon, tmp_path, f"replica{seed}", SHOP if seed == 0 else events)
        assert one.once() == 0, one.process.tail()
        answers.append(by_store(one))
    assert answers[0] == answers[1] == answers[2]


def test_every_way_to_ask_gives_the_same(daemon, tmp_path):
    one = with_file(daemon, tmp_path, "one", SHOP)
    assert one.once() == 0, one.process.tail()
    down = by_store(one)
    one.start()
    assert by_store(one) == down, "backbonectl asks the daemon now"
    redis = one.redis()
    for (verb, keys), text in zip(questions(), down):
        command = "BB.WHY" if verb == "why" else "BB.EXPLAIN"
        answer = redis.execute_command(command, *keys)
        assert (answer.decode() if isinstance(answer, bytes) else answer) + "\n" == text
        query = f"key={keys[0]}" if verb == "why" else f"a={keys[0]}&b={keys[1]}"
        status, body = one.http(f"/v1/explain?{query}")
        assert (status, body.decode()) == (200, text)
    assert redis.execute_command("BB.WHY", "user:nobody") is None
    assert one.http("/v1/explain?key=user:nobody")[0] == 404
    assert one.ctl("why", "user:nobody", check=False).returncode == 1


def test_explanations_for_people(daemon, tmp_path):
    one = with_file(daemon, tmp_path, "one", SHOP)
    assert one.once() == 0, one.process.tail()
    told = one.ctl("why", "card:L77").stdout.decode()
    assert "└─ " in told and "2 events, 2026-01-01 to 2026-01-09, till" in told
    told = one.ctl("explain", "user:u1", "user:u2").stdout.decode()
    loser = "user:u1" if "user:u1 - email" in told else "user:u2"
    assert f"{loser} - email:lea@example.org" in told
    assert "one profile would have 2 of user, and 1 is allowed (per_profile)" in told
    assert "Its owners: user:u2, user:u3" in one.ctl("why", "device:kiosk").stdout.decode()
    assert "the rule junk.mailbox" in one.ctl("why", "email:noreply@example.org").stdout.decode()


def test_an_explanation_of_many_does_not_hold_up_look_ups(daemon, tmp_path):
    """A kiosk in 3,000 records is walked by the pool: a look-up asked behind it on another connection is not."""
    many = [event(f"k{i}", [f"user:v{i}", "device:kiosk"], START_MS + i * 1000) for i in range(3000)]
    one = with_file(daemon, tmp_path, "one", many)
    assert one.once() == 0, one.process.tail()
    one.start()
    fast, slow = one.redis(), one.redis().connection_pool.get_connection("BB.WHY")
    for _ in range(20):
        slow.send_command("BB.WHY", "device:kiosk")
    assert fast.get("user:v1") is not None
    answers = {slow.read_response() for _ in range(20)}
    slow.disconnect()
    assert len(answers) == 1
    assert json.loads(answers.pop())["shared"]["owner_n"] == 3000

# SPDX-License-Identifier: Apache-2.0
"""Erasures are taken to another store as a file of keyed hashes: topics read there from offset 0 bring nobody back, and
what was read there before is erased as well."""
import json
import re

import pytest

from harness.events import START_MS, event, line

PEOPLE = 60


def produce(broker, topic, events):
    broker.produce(topic, [{"value": line(e), "partition": n % 3} for n, e in enumerate(events)])


def history():
    """Families of two share a tablet, of four a mailbox."""
    return [event(f"e{n}-{i}", [f"user:u{n}"] + [[f"email:p{n}@example.org"], [f"email:family{n // 4}@example.org"],
                                                 [f"device:d{n // 2}"], []][i % 4],
                  START_MS + (i * PEOPLE + n) * 1000, attributes={"note": f"word {n} {i}"},
                  amount={"value": "1.50", "currency": "EUR", "key": f"k{n}-{i}"})
            for i in range(8) for n in range(PEOPLE)]


@pytest.fixture
def erased(daemon, devbroker, tmp_path):
    """A daemon whose every third customer was erased, its topic, and the file."""
    name = devbroker.topic
    produce(devbroker, name, history())
    one = daemon("one", brokers=devbroker.bootstrap, topics=[name])
    one.start()
    one.catch_up(devbroker, name)
    for n in range(0, PEOPLE, 3):
        one.ctl("erase", f"user:u{n}", "--mode", ("forget", "suppress")[n % 2], "--reason", "asked for", "--id",
                f"x{n}", "--yes")
    file = tmp_path / "erasures.ndjson"
    assert one.ctl("erasures", "export", file).stdout == b"20 erasures\n"
    assert one.ctl("erasures", "export", file, check=False).returncode == 2, "not over a file that is there"
    assert one.ctl("erasures", "export", "-").stdout == file.read_bytes()
    return one, name, file


def digest(one):
    return one.ctl("digest", "--json").stdout


def test_nobody_returns_when_all_is_read_again(daemon, devbroker, erased):
    one, name, file = erased
    text = file.read_text(encoding="utf-8")
    assert "example.org" not in text and '"u3"' not in text and "word" not in text
    two = daemon("two", brokers=devbroker.bootstrap, topics=[name])
    told = two.ctl("erasures", "import", file).stdout
    assert told == b"20 erasures imported, 0 were known\n"
    assert two.once() == 0
    assert two.dump() == one.dump() and digest(two) == digest(one)
    again = json.loads(two.ctl("erasures", "import", "--json", "-", stdin=file.read_bytes()).stdout)
    assert again == {"imported": 0, "known": 20}
    entries = [json.loads(t) for t in two.ctl("audit", "list", "--json").stdout.decode().splitlines()]
    assert [e["action"] for e in entries] == ["import"] * 20 and two.ctl("audit", "verify").returncode == 0
    # later events: suppressed people stay away, forgotten ones begin anew; on both alike
    produce(devbroker, name, [event(f"late{n}", [f"user:u{n}", f"email:family{n // 4}@example.org"], START_MS + 10**8)
                              for n in range(PEOPLE)])
    one.catch_up(devbroker, name)
    assert two.once() == 0
    assert two.dump() == one.dump()
    two.start()
    assert two.ctl("erasures", "import", file, check=False).returncode == 4
    assert json.loads(two.http("/v1/erasures?limit=100")[1]) == json.loads(one.http("/v1/erasures?limit=100")[1])


def test_what_was_read_already_is_erased_too(daemon, devbroker, erased):
    one, name, file = erased
    late = daemon("late", brokers=devbroker.bootstrap, topics=[name])
    assert late.once() == 0
    assert len(late.views()) > len(one.views())
    late.ctl("erasures", "import", file)
    assert late.dump() == one.dump() and digest(late) == digest(one)
    late.start()
    kinds = [json.loads(t)["kind"] for t in late.ctl("changes", "--json").stdout.decode().splitlines()]
    assert kinds.count("erased") >= 20
    assert late.ctl("rebuild").stdout.startswith(b"rebuilt: ")
    assert late.dump() == one.dump()


@pytest.mark.parametrize("change,said", [
    (lambda t: t.replace('"key":"', '"key":"00', 1), "another profile_key"),
    (lambda t: "{}\n" + t, "is no file of `erasures export`"),
    (lambda t: "", "is empty"),
    (lambda t: t.replace('{"id":"x3"', '{"id":3', 1), ":4: id: "),
    (lambda t: t.replace('"forms":"', '"forms":"x', 1), ":2: forms: must be"),
    (lambda t: t.replace('"mode":"forget"', '"mode":"never"', 1), ":3: mode: "),
    (lambda t: t.replace('"time":"2', '"time":"x', 1), ":3: time: "),
    (lambda t: t.replace('"hash":"', '"hash":"xx', 1), ":3: identifiers: "),
    (lambda t: t.replace('"partition":', '"partition":-', 1).replace("-0", "-7", 1), ":3: watermark: "),
    (lambda t: t.replace('"record_hashes":[', '"record_hashes":[7,', 1), ":3: record_hashes"),
    (lambda t: t.replace('"events":', '"events":-', 1), ":3: records, events"),
    (lambda t: t[:-9], "is no JSON object"),
    (lambda t: t[:t.rindex("{")], ":23: the end of the file is missing"),
    (lambda t: "".join(t.splitlines(True)[:9] + t.splitlines(True)[10:]), ":10: was changed"),
    (lambda t: re.sub('"hash":"(.)', lambda m: '"hash":"' + "10"[m[1] == "1"], t, count=1), ":3: was changed"),
    (lambda t: t + "{}\n", ":24: is behind the end"),
    (lambda t: t.replace('"', '"' + "x" * (65 << 20), 1), ":1: is too long"),
])
def test_a_wrong_file(daemon, devbroker, erased, tmp_path, change, said):
    one, name, file = erased
    wrong = tmp_path / "wrong.ndjson"
    wrong.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
    two = daemon("two", brokers=devbroker.bootstrap, topics=[name])
    no = two.ctl("erasures", "import", wrong, check=False)
    assert no.returncode == 2 and said in no.stderr.decode(), no.stderr
    two.ctl("erasures", "import", file)
    assert two.once() == 0
    assert two.dump() == one.dump(), "and the right one goes on"

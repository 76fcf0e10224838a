# SPDX-License-Identifier: Apache-2.0
"""Two hundred of a thousand people erased, in both modes, with mailboxes and devices that they share with others:
after a purge no file holds a text of theirs; the others keep all that was theirs; copies and news are as promised."""
import json
import os
import random
import re
import threading

from harness.daemon import UnixHttp
from harness.events import START_MS, event, line

NAMESPACES = ["{name: user, owner: true}", "{name: email, normalise: email}", "{name: device, durable: false}"]
PEOPLE, ERASED, SEED = 1000, 200, 71


def canary(person):
    return f"Canary{person}Zwetschge"


def identifiers(rng, person):
    """Own ones, and some of a family (4 people) or of a shop (50): a mailbox, a tablet."""
    choice = rng.randrange(6)
    return [f"user:u{person}"] + {
        0: [], 1: [f"email:{canary(person)}@example.org"], 2: [f"device:{canary(person)}"],
        3: [f"email:family{person // 4}@example.org"], 4: [f"device:tablet{person // 4}"],
        5: [f"email:shop{person // 50}@example.org", f"device:kiosk{person // 50}"]}[choice]


def people():
    """Events, five of each person; each says who it is of in words that nobody else says."""
    rng = random.Random(SEED)
    events = [event(f"{person}-{i}", identifiers(rng, person), START_MS + 60000 * (i * PEOPLE + person),
                    attributes={"note": f"{canary(person)} wrote {i}"},
                    amount={"value": "1.25", "currency": "EUR", "key": f"k{canary(person)}{i}"})
              for i in range(5) for person in range(PEOPLE)]
    return events, rng.sample(range(PEOPLE), ERASED)


def produce(broker, name, events):
    broker.produce(name, [{"value": line(e), "partition": int(e["id"].split("-")[0]) % 3} for e in events])


def erase_all(one, gone):
    """Every second one is suppressed; by a few requests at a time."""
    failed = []

    def erase(part):
        for n, person in part:
            connection = UnixHttp(one.admin)
            connection.request("POST", "/v1/erasures", json.dumps(
                {"key": f"user:u{person}", "mode": "suppress" if n % 2 else "forget", "reason": "asked for",
                 "id": f"e{person}"}), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            if answer.status != 201:
                failed.append((answer.status, answer.read()))
            connection.close()
    numbered = list(enumerate(gone))
    threads = [threading.Thread(target=erase, args=(numbered[k::4],)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed[:3]


def canaries(folder):
    """The people whose words can be read in any file under the folder."""
    found = set()
    for base, _, files in os.walk(folder):
        for file in filter(os.path.isfile, (os.path.join(base, file) for file in files)):
            with open(file, "rb") as data:
                found |= {int(n) for n in re.findall(rb"(?i)canary(\d+)zwetschge", data.read())}
    return found


def own(views):
    """By user: events, the note, revenue. Mailboxes and devices may have gone with somebody."""
    return {identifier["value"]: (view["events"], view["attributes"]["note"], view["revenue"])
            for view in views for identifier in view["identifiers"] if identifier["ns"] == "user"}


def test_two_hundred_are_gone_and_eight_hundred_are_as_before(daemon, devbroker):
    name = devbroker.topic
    events, gone = people()
    produce(devbroker, name, events)
    one = daemon("one", brokers=devbroker.bootstrap, topics=[name], namespaces=NAMESPACES).start()
    one.catch_up(devbroker, name)
    before = own(one.views())
    assert len(before) == PEOPLE and canaries(os.path.join(one.folder, "store")) == set(range(PEOPLE))
    erase_all(one, gone)
    one.ctl("purge")
    stay = set(range(PEOPLE)) - set(gone)
    assert canaries(os.path.join(one.folder, "store")) == stay
    kept = own(one.views())
    assert kept == {user: facts for user, facts in before.items() if int(user[1:]) in stay}
    status, body = one.http("/v1/erasures")
    assert status == 200
    assert {e["id"] for e in json.loads(body)["erasures"]} <= {f"e{n}" for n in gone}

    # those suppressed stay away; those forgotten may begin anew, with nothing of what was
    later = [event(f"{person}-9", [f"user:u{person}"], START_MS + 10**9, attributes={"note": "new"})
             for person in gone]
    produce(devbroker, name, later)
    one.catch_up(devbroker, name)
    now = own(one.views())
    assert {u: f for u, f in now.items() if int(u[1:]) in stay} == kept
    assert {int(u[1:]): f[:2] for u, f in ((u, f) for u, f in now.items() if int(u[1:]) not in stay)} == {
        person: (1, "new") for n, person in enumerate(gone) if n % 2 == 0}
    one.stop()
    assert canaries(one.folder) == stay, "nor in the log, nor anywhere beside the store"

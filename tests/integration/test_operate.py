# SPDX-License-Identifier: Apache-2.0
"""What operators do: start, reload, stop, socket activation, wrong files, two daemons on one store."""
import json
import os
import shutil
import signal
import socket

import pytest

from conftest import or_skip
from harness.broker import KafkaBroker
from harness.events import event, line, seen, stream, expect
from harness.process import Process, program, wait_until

CONNECTOR = """\
connector: till
channel: pos
topics: [{topic}]
format: json
events:
  - name: sale
    type: {type}
    id: '$.id'
    time: {{from: '$.at', format: iso8601}}
    identify: [{{ns: card, from: '$.card'}}]
"""


def sale(ident):
    return b'{"id":"%s","at":"2026-01-02T03:04:05Z","card":"C1"}' % ident


@pytest.fixture
def till(kafka, daemon, topic, tmp_path):
    """A daemon with one connector in a file that the test may change."""
    name = kafka.create_topic(topic("till"))
    file = tmp_path / "till.yaml"
    file.write_text(CONNECTOR.format(topic=name, type="sold"))
    one = daemon(brokers=kafka.bootstrap, connectors=[str(file)]).start()
    kafka.produce(name, [sale(b"1")])
    one.catch_up(kafka, name)
    return one, name, file


def kinds(one):
    return {k: a["events"] for k, a in json.loads(one.redis().get("card:C1"))["activity"].items()}


def reload(one):
    start = len(one.process.lines)
    one.process.signal(signal.SIGHUP)
    one.notify.wait("RELOADING=1", process=one.process)
    one.notify.wait("READY=1", process=one.process)
    return one.process.lines[start:]


def test_reload_takes_a_changed_connector(kafka, till):
    one, name, file = till
    file.write_text(CONNECTOR.format(topic=name, type="bought"))
    reload(one)
    kafka.produce(name, [sale(b"2")])
    one.catch_up(kafka, name)
    assert kinds(one) == {"sold": 1, "bought": 1}


def test_reload_of_a_bad_file_changes_nothing_and_says_why(kafka, till):
    one, name, file = till
    file.write_text(CONNECTOR.format(topic=name, type="bought").replace("iso8601", "iso8601z"))
    reload(one)
    one.process.wait_line(lambda text: "till.yaml:9:" in text and "iso8601" in text)
    kafka.produce(name, [sale(b"2")])
    one.catch_up(kafka, name)
    assert kinds(one) == {"sold": 2} and one.ready()[0]


def test_a_broker_that_dies_is_said_and_its_return_is_seen(daemon, topic, tmp_path):
    broker = or_skip(lambda: KafkaBroker(tmp_path / "kafka"))
    try:
        name = broker.create_topic(topic())
        broker.produce(name, [line(event("1", ["user:a"]))])
        one = daemon(brokers=broker.bootstrap, topics=[name]).start()
        one.catch_up(broker, name)
        wait_until(lambda: one.ready()[0], "ready")
        broker.process.kill()
        wait_until(lambda: one.ready() == (False, ["broker_unreachable"]), lambda: f"not ready: {one.ready()}")
        assert one.http("/v1/profiles/user/a")[0] == 200, "look-ups go on"
        broker.start()
        wait_until(lambda: one.ready()[0], lambda: f"ready again: {one.ready()}\n{one.process.tail()}")
        broker.produce(name, [line(event("2", ["user:a"]))])
        one.catch_up(broker, name)
    finally:
        broker.close()


def test_sigterm_drains_and_a_restart_goes_on(kafka, daemon, topic):
    name = kafka.create_topic(topic(), 2)
    events = list(stream(21, 40, 4000))
    kafka.produce(name, [line(e) for e in events])
    one = daemon(brokers=kafka.bootstrap, topics=[name], batch_events=100).start()
    wait_until(lambda: sum(one.offsets().values()) > 0, "a first batch")
    one.process.signal(signal.SIGTERM)
    one.notify.wait("STOPPING=1", process=one.process)
    assert one.process.wait() == 0, one.process.tail()
    assert not os.path.exists(one.query) and not os.path.exists(one.admin), "its sockets are gone"
    one.start()
    one.catch_up(kafka, name)
    assert seen(one.views()) == expect(events)
    assert sum(p["results"]["duplicate"] for p in one.partitions().values()) == 0


def test_sigint_stops_it_as_well(daemon):
    one = daemon().start()
    one.process.signal(signal.SIGINT)
    assert one.process.wait() == 0


def test_watchdog_is_fed(daemon):
    one = daemon().start(env={"WATCHDOG_USEC": "400000"})
    for _ in range(3):
        one.notify.wait("WATCHDOG=1", process=one.process)


def test_socket_activation(daemon, tmp_path):
    if not shutil.which("systemd-socket-activate"):
        pytest.skip("systemd-socket-activate is missing; scripts/setup test installs it")
    one = daemon()
    wrapper = Process(["systemd-socket-activate", "-l", one.query, "-l", one.admin, "--fdname=query:admin",
                       program("backboned"), "--config", one.file], tmp_path / "activate.log")
    try:
        wrapper.wait_line("Listening on " + one.admin)
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(one.query)
            client.sendall(b"*1\r\n$4\r\nPING\r\n")
            assert client.recv(100) == b"+PONG\r\n", "the first client is served by the daemon it woke"
        assert wait_until(lambda: one.ready()[0], "ready")
        assert wrapper.stop() == 0
        assert os.path.exists(one.query), "the manager's socket is not the daemon's to remove"
    finally:
        wrapper.kill()


def test_socket_activation_of_one_socket_only(daemon, tmp_path):
    if not shutil.which("systemd-socket-activate"):
        pytest.skip("systemd-socket-activate is missing; scripts/setup test installs it")
    one = daemon()
    wrapper = Process(["systemd-socket-activate", "-l", one.query, "--fdname=query", program("backboned"),
                       "--config", one.file], tmp_path / "activate.log")
    try:
        wrapper.wait_line("Listening on " + one.query)
        with one.redis() as client:
            assert client.ping()
        assert wait_until(lambda: os.path.exists(one.admin) and one.ready()[0], "its own admin socket")
    finally:
        wrapper.kill()


def test_a_second_daemon_on_the_same_store_is_refused(daemon):
    one = daemon().start()
    second = Process([program("backboned"), "--config", one.file], os.path.join(one.folder, "second.log"))
    assert second.wait() != 0
    assert "use" in second.tail().lower(), second.tail()
    assert one.redis().ping()


def test_a_wrong_configuration_is_explained(daemon):
    one = daemon()
    with open(one.file, "a", encoding="utf-8") as file:
        file.write("servee: {}\n")
    one.start(ready=False)
    assert one.process.wait() == 78, one.process.tail()
    assert any("backbone.yaml:" in text and "servee" in text and "serve" in text.replace("servee", "")
               for text in one.process.lines), one.process.tail()


def test_another_profile_key_is_refused(daemon):
    one = daemon().start()
    assert one.stop() == 0
    with open(one.file, encoding="utf-8") as file:
        text = file.read()
    with open(one.file, "w", encoding="utf-8") as file:
        file.write(text.replace("8c6a0f5b", "00000000"))
    one.start(ready=False)
    assert one.process.wait() != 0
    assert "key" in one.process.tail()


def test_a_foreign_store_is_refused(daemon):
    one = daemon()
    os.makedirs(os.path.join(one.folder, "store"))
    with open(os.path.join(one.folder, "store", "somebody.txt"), "w", encoding="utf-8") as file:
        file.write("not ours\n")
    one.start(ready=False)
    assert one.process.wait() != 0
    with open(os.path.join(one.folder, "store", "somebody.txt"), encoding="utf-8") as file:
        assert file.read() == "not ours\n"


def test_backbonectl_when_the_daemon_is_down(daemon, tmp_path):
    history = tmp_path / "h.ndjson"
    history.write_bytes(line(event("1", ["user:a"])) + b"\n")
    one = daemon(replay=[str(history)])
    assert one.once() == 0
    assert one.ctl("status", check=False).returncode == 3
    assert one.ctl("get", "user:a", check=False).returncode == 3
    assert len(one.dump()) == 1, "dump reads the store itself"


def test_backbonectl_when_it_is_up(daemon, tmp_path):
    history = tmp_path / "h.ndjson"
    history.write_bytes(line(event("1", ["user:a"])) + b"\n")
    one = daemon(replay=[str(history)]).start()
    one.wait_offsets({("file:" + str(history), 0): 1})
    assert one.ctl("status").returncode == 0
    assert b"user" in one.ctl("get", "user:a").stdout
    assert one.ctl("get", "user:nobody", check=False).returncode == 1
    assert one.ctl("nonsense", check=False).returncode == 2
    assert len(one.dump()) == 1


def test_no_personal_data_in_logs(kafka, daemon, topic):
    name = kafka.create_topic(topic())
    kafka.produce(name, [line(event("1", ["email:secret.person@example.org"], attributes={"name": "Sec Ret"})),
                         b'{"email":"secret.person@example.org"']
                  + [line(event("1", ["email:secret.person2@example.org"]))])
    one = daemon(brokers=kafka.bootstrap, topics=[name]).start()
    one.catch_up(kafka, name)
    one.redis().get("email:secret.person@example.org")
    one.stop()
    told = "\n".join(one.process.lines)
    assert "secret" not in told and "Sec Ret" not in told

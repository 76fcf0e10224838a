# SPDX-License-Identifier: Apache-2.0
"""The clients that marketing tools bring along: redis-cli, redis-benchmark, redis-py, node-redis."""
import json
import os
import shutil
import socket
import subprocess

import pytest

from harness.events import event, line

HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    from harness.daemon import Daemon
    folder = tmp_path_factory.mktemp("served")
    with open(folder / "events.ndjson", "wb") as file:
        for i in range(50):
            file.write(line(event(f"e{i}", [f"user:{i % 10 + 1}", f"email:p{i % 10 + 1}@example.org"], 1767225600000 + i,
                                  attributes={"city": "Lyon", "_odd": "kept"},
                                  amount={"value": "2.50", "currency": "EUR"},
                                  consent=[{"purpose": "marketing", "channel": "email", "status": "granted"}])) + b"\n")
    one = Daemon(folder / "d", replay=[str(folder / "events.ndjson")])
    one.start()
    one.wait_offsets({key: 50 for key in one.offsets()} or {("file:" + str(folder / "events.ndjson"), 0): 50})
    yield one
    one.close()


def cli(one, *args, **options):
    if not shutil.which("redis-cli"):
        pytest.skip("redis-cli is missing; scripts/setup test installs it")
    done = subprocess.run(["redis-cli", "-s", one.query, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False, **options)
    return done.stdout.strip()


def test_redis_cli(served):
    assert cli(served, "PING") == "PONG"
    view = json.loads(cli(served, "GET", "user:7"))
    assert [i["value"] for i in view["identifiers"]] == ["7", "p7@example.org"]
    assert json.loads(cli(served, "GET", view["profile"])) == view, "by profile id"
    assert json.loads(cli(served, "GET", "email:P7@Example.ORG ")) == view, "made canonical first"
    assert cli(served, "GET", "user:nobody") == ""
    assert cli(served, "EXISTS", "user:1", "user:2", "user:nobody") == "2"
    assert cli(served, "TYPE", "user:1") in ("string", "hash")
    assert cli(served, "STRLEN", "user:7") == str(len(json.dumps(view, separators=(",", ":"), ensure_ascii=False)))
    assert "unknown command" in cli(served, "FLUSHALL")
    assert json.loads(cli(served, "-3", "GET", "user:7")) == view, "RESP3"


def test_redis_benchmark(served):
    if not shutil.which("redis-benchmark"):
        pytest.skip("redis-benchmark is missing; scripts/setup test installs it")
    done = subprocess.run(["redis-benchmark", "-s", served.query, "-n", "5000", "-c", "20", "-P", "16", "-q",
                           "GET", "user:7"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
    assert done.returncode == 0 and "requests per second" in done.stdout, done.stdout


def test_redis_py(served):
    with served.redis(decode_responses=True) as client:
        assert client.ping()
        view = json.loads(client.get("user:7"))
        assert view["events"] == 5 and view["revenue"]["EUR"] == {"amount": "12.5", "count": 5}
        assert client.get("user:nobody") is None
        assert [v is None for v in client.mget("user:1", "user:nobody", "email:p3@example.org")] == [False, True, False]
        flat = client.hgetall("user:7")
        assert flat["city"] == "Lyon" and flat["__odd"] == "kept"
        assert (flat["_profile"], flat["_events"], flat["_revenue.EUR"]) == (view["profile"], "5", "12.5")
        assert flat["_consent.marketing:email"] == "granted" and flat["_activity.seen"] == "5"
        assert (flat["_first_seen"], flat["_last_seen"]) == (view["first_seen"], view["last_seen"])
        assert client.hget("user:7", "city") == "Lyon" and client.hget("user:7", "none") is None
        assert client.hmget("user:7", "city", "none", "_events") == ["Lyon", None, "5"]
        assert client.execute_command("BB.RESOLVE", "user:7", "email:p7@example.org", "user:nobody") == \
            [view["profile"], view["profile"], None]
        part = json.loads(client.execute_command("BB.VIEW", "user:7", "FIELDS", "events,attributes"))
        assert part == {"profile": view["profile"], "attributes": view["attributes"], "events": 5}
        pipe = client.pipeline(transaction=False)
        for i in range(100):
            pipe.get(f"user:{i % 10 + 1}")
        assert all(pipe.execute())
        assert client.info()["profiles"] == 10


def test_redis_py_says_what_is_wrong(served):
    import redis
    with served.redis() as client:
        for command in (["GET"], ["GET", "a", "b"], ["GET", "no-namespace"], ["SET", "a", "b"], ["GET", "x:" + "y" * 2000],
                        ["SELECT", "1"], ["BB.VIEW", "user:1", "FIELDS", "nonsense"]):
            with pytest.raises(redis.ResponseError):
                client.execute_command(*command)
        assert client.ping(), "the connection goes on"


def test_node_redis(served):
    if not shutil.which("node"):
        pytest.skip("node is missing; scripts/setup test installs it")
    surroundings = dict(os.environ, NODE_PATH=os.environ.get("NODE_PATH") or "/usr/share/nodejs")
    if subprocess.run(["node", "-e", "require('redis')"], env=surroundings, capture_output=True, check=False).returncode:
        pytest.skip("node-redis is missing; scripts/setup test installs it")
    done = subprocess.run(["node", os.path.join(HERE, "clients", "node.js"), served.query], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, env=surroundings,
                          check=False)
    assert done.returncode == 0, done.stdout
    answer = json.loads(done.stdout)
    assert answer["ping"] == "PONG" and answer["view"]["events"] == 5 and answer["nobody"] is None
    assert answer["many"] == [True, False] and answer["exists"] == 1 and answer["field"] == "5"
    assert answer["hash"]["city"] == "Lyon" and answer["resolved"] == [answer["view"]["profile"], None]
    assert answer["pipeline"] == 200 and "unknown command" in answer["refused"]


@pytest.mark.parametrize("garbage", [b"\x00\x01\x02\r\n\r\n", b"*3\r\n$-5\r\n", b"*99999999\r\n", b"GET / HTTP/1.1\r\n\r\n",
                                     b"$5\r\nhello\r\n", b"*1\r\n$999999999\r\n", b"*01\r\n$4\r\nPING\r\n"])
def test_garbage_costs_the_others_nothing(served, garbage):
    with served.redis() as other, socket.socket(socket.AF_UNIX) as rude:
        assert other.ping()
        rude.settimeout(30)
        rude.connect(served.query)
        rude.sendall(garbage)
        rude.shutdown(socket.SHUT_WR)
        answer = b""
        while True:
            piece = rude.recv(65536)
            if not piece:
                break
            answer += piece
        assert answer.startswith(b"-ERR") or answer == b"", answer
        assert other.get("user:7")


def test_a_client_that_never_reads_is_closed_and_nobody_waits(served):
    with served.redis() as other, socket.socket(socket.AF_UNIX) as slow:
        slow.connect(served.query)
        slow.settimeout(0.5)
        asked = 0
        try:
            for _ in range(2000):
                slow.sendall(b"*2\r\n$3\r\nGET\r\n$6\r\nuser:7\r\n" * 100)
                asked += 100
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass
        assert asked < 200000, "somebody stopped reading what is never taken"
        assert other.get("user:7")


def test_half_a_request_and_a_lot_of_clients(served):
    half = []
    for _ in range(100):
        one = socket.socket(socket.AF_UNIX)
        one.connect(served.query)
        one.sendall(b"*2\r\n$3\r\nGE")
        half.append(one)
    with served.redis() as other:
        assert other.get("user:7")
    for one in half:
        one.close()


def test_many_digests_at_once_are_all_answered(served):
    """Whoever is answered asks again at once: no answer is lost, none is another's."""
    ask = b"*1\r\n$9\r\nBB.DIGEST\r\n"
    with served.redis(decode_responses=True) as client:
        reply = client.execute_command("BB.DIGEST")
    for _ in range(3):
        sockets = []
        for _ in range(4):
            one = socket.socket(socket.AF_UNIX)
            one.settimeout(30)
            one.connect(served.query)
            one.sendall(ask * 5 + b"PING\r\n")
            sockets.append(one)
        for one in sockets:
            got = b""
            while not got.endswith(b"+PONG\r\n"):
                chunk = one.recv(65536)
                assert chunk, f"closed after {got!r}"
                got += chunk
            text = reply[0] if isinstance(reply, list) else reply
            assert got.count(str(text).encode()) == 5, got
            one.close()

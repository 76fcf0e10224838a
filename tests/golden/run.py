#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tells stories to the daemon and looks at the views that come of them. One line a story: `ok NAME` or `not ok NAME`.

usage: tests/golden/run.py BUILD_DIR [STORY...]

A story is a text file of sections; what stands before the first one says what it is about:

    namespaces:   the configured ones, strongest first
    view:         the `view:` part of the configuration, if any
    events:       one JSON object a line, canonical but for two short forms: `ids` is a list of `ns:value`, and `source`,
                  `channel`, `type` and `id` have defaults (shop, pos, seen, the number of the line)
    views:        what must come out, one JSON object a profile; `ids` lists `ns:value xEVENTS`, with ` shared` behind
                  where that is so; other members are as in a view. Only the members named are compared, but every
                  profile must be listed.
    counters:     how the events ended, `applied 3, duplicate 1`; what is not named must be 0
    order:        `fixed` where the order of the events is part of the story

Each story is told in the order written, backwards, and in two halves with a restart between: the views must be equal to
the byte.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SECTIONS = ("namespaces", "view", "events", "views", "counters", "order")
VERDICTS = ("applied", "duplicate", "skipped", "no_identifier", "dead_letter")


def parse(path):
    story, section = {name: [] for name in SECTIONS}, None
    with open(path, encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            head = re.match(r"(\w+):\s*(.*)$", text)
            if head and head.group(1) in SECTIONS:
                section = head.group(1)
                story[section] += [head.group(2)] if head.group(2) else []
            elif section and text.strip() and not text.startswith("#"):
                if not text.startswith(" "):
                    raise SystemExit(f"{path}:{number}: a line of a section is indented")
                story[section].append(text.strip())
    return story


def canonical(number, text):
    ev = {"source": "shop", "channel": "pos", "type": "seen", "id": str(number), **json.loads(text)}
    short = ev.pop("ids", None)
    if short is not None:
        ev["identifiers"] = [dict(zip(("ns", "value"), i.split(":", 1))) for i in short]
    return json.dumps(ev, ensure_ascii=False)


def configuration(story, files):
    text = ["store: {path: store, map_size: 256MiB}", "profile_key: 000102030405060708090a0b0c0d0e0f",
            "replay: [{connector: direct, files: [" + ", ".join(files) + "]}]", "identity:", "  namespaces:"]
    text += ["    " + entry for entry in story["namespaces"]]
    return "\n".join(text + ["view: " + v for v in story["view"]]) + "\n"


def run(*args):
    done = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=120, check=False)
    if done.returncode:
        raise AssertionError(f"{os.path.basename(args[0])} {' '.join(args[1:])}: exit {done.returncode}\n{done.stderr[-3000:]}")
    return done.stdout


def tell(build, story, parts):
    """The lines of the dump, and the counters, after the parts were read one after the other, each by a new start."""
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "backbone.yaml")
        files = []
        for number, part in enumerate(parts):
            files.append(f"part{number}.ndjson")
            with open(os.path.join(folder, files[-1]), "w", encoding="utf-8") as file:
                file.writelines(line + "\n" for line in part)
            with open(config, "w", encoding="utf-8") as file:
                file.write(configuration(story, files))
            run(os.path.join(build, "daemon", "backboned"), "--config", config, "--once")
        ctl = [os.path.join(build, "daemon", "backbonectl"), "--config", config, "dump"]
        rows = [json.loads(text) for text in run(*ctl, "--offsets").splitlines()]
        return run(*ctl, "--views").splitlines(), {v: sum(row[v] for row in rows) for v in VERDICTS}


def shortened(view):
    """A view with `ids` in the form of the story."""
    return {**view, "ids": [f"{i['ns']}:{i['value']} x{i['events']}" + (" shared" if i["shared"] else "")
                            for i in view["identifiers"]]}


def compare(wanted, lines):
    """What is wrong, as text; empty if nothing."""
    got = {tuple(v["ids"]): v for v in map(shortened, map(json.loads, lines))}
    problems = []
    for view in map(json.loads, wanted):
        mine = got.pop(tuple(view["ids"]), None)
        if mine is None:
            problems.append(f"no profile {view['ids']}; there are also {sorted(got)}")
            continue
        for member, value in view.items():
            if mine.get(member) != value:
                problems.append(f"{view['ids']}: {member}: {json.dumps(mine.get(member), ensure_ascii=False)} instead of "
                                f"{json.dumps(value, ensure_ascii=False)}")
    return problems + [f"a profile too many: {list(ids)}" for ids in got]


def counters(text):
    return {**dict.fromkeys(VERDICTS, 0), **{name: int(n) for name, n in re.findall(r"(\w+) (\d+)", text)}}


def check(build, story):
    events = [canonical(n, text) for n, text in enumerate(story["events"], 1)]
    lines, ended = tell(build, story, [events])
    problems = compare(story["views"], lines)
    if story["counters"] and ended != counters(" ".join(story["counters"])):
        problems.append(f"counters: {ended}")
    half = len(events) // 2
    others = {"in two halves": [events[:half], events[half:]]}
    if "fixed" not in story["order"]:
        others.update({"backwards": [events[::-1]], "backwards in two halves": [events[half:], events[:half]]})
    for name, parts in others.items():
        again, _ = tell(build, story, parts)
        if again != lines:
            problems.append(f"{name}: other views:\n        " + "\n        ".join(sorted(set(again) ^ set(lines))))
    return problems


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    build = os.path.abspath(sys.argv[1])
    paths = sys.argv[2:] or sorted(os.path.join(HERE, f) for f in os.listdir(HERE) if f.endswith(".story"))
    failed = 0
    for path in paths:
        name = os.path.basename(path)[:-len(".story")]
        try:
            problems = check(build, parse(path))
        except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
            problems = [str(error)]
        failed += bool(problems)
        print(("not ok " if problems else "ok ") + name, *problems, sep="\n    ", flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the documentation says is tried: links lead somewhere, connectors and configurations in it are accepted, its
console examples print what stands there, the tests that it names exist. One line a check: `ok NAME`, `not ok NAME`.

usage: tests/docs/check.py BUILD_DIR

Of a Markdown file, the fenced blocks are read:
    ```yaml      that begins with `connector:` must pass as a connector; with `store:`, as a daemon's configuration;
                 any other is a fragment and only has to be free of tabs. One that is wrong on purpose passes if the
                 document shows its errors, line by line
    ```console   lines after `$ ` that call backbonectl try, suggest, check-config or help are run from the top folder, and the
                 lines below them must come out; `...` stands for any lines. `cat >FILE` with the lines below it makes
                 a file for the next commands of the same document
    ```console live, ```python live, ```js live    are run beside the running demo: live.py
"""
import os
import re
import subprocess
import sys
import tempfile

import live

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
failed = 0


def report(name, problems):
    global failed
    print(("not ok " if problems else "ok ") + name, *problems[:20], sep="\n    ", flush=True)
    failed += bool(problems)


def documents():
    names = subprocess.run(["git", "ls-files", "*.md"], cwd=TOP, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [n for n in names.split("\n") if n and os.path.exists(os.path.join(TOP, n))]


def text_of(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as file:
        return file.read()


def blocks(text):
    """(line number, language, content) of each fenced block; of the language `console live`, if that is what it says."""
    for match in re.finditer(r"^```(\w*(?: live\b)?)[^\n]*\n(.*?)^```", text, re.M | re.S):
        yield text[:match.start()].count("\n") + 1, match.group(1), match.group(2)


def anchors(text):
    heads = re.findall(r"^#+ +(.+?)\s*$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in heads}


def check_links(name, text):
    bad = []
    plain = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", plain):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        full = os.path.normpath(os.path.join(TOP, os.path.dirname(name), path)) if path else os.path.join(TOP, name)
        if not os.path.exists(full):
            bad.append(f"{target} leads nowhere")
        elif anchor and full.endswith(".md") and anchor not in anchors(text_of(os.path.relpath(full, TOP))):
            bad.append(f"{target}: no such heading")
    report(f"{name}: links", bad)


def check_pages(name, text):
    """A document with a folder of its name leads to every page in it."""
    folder = os.path.join(TOP, os.path.splitext(name)[0])
    if os.path.isdir(folder) and name.startswith("docs/"):
        base = os.path.basename(folder)
        missing = [p for p in sorted(os.listdir(folder)) if p.endswith(".md") and f"]({base}/{p})" not in text]
        report(f"{name}: leads to its pages", [f"no link to {base}/{p}" for p in missing])


def check_tests(name, text):
    """Every test that a document names exists: tests/PATH, and `tests/PATH::NAME` is in that file."""
    bad = []
    for path, _, inside in re.findall(r"`(tests/[\w./-]+)(::([\w-]+))?`", text):
        full = os.path.join(TOP, path)
        if not os.path.exists(full):
            bad.append(f"{path} does not exist")
        elif inside and not re.search(rf"\b{re.escape(inside)}\b", text_of(path)):
            bad.append(f"{path} has no {inside}")
    if bad or "`tests/" in text:
        report(f"{name}: the tests that it names", bad)


def run(ctl, arguments, folder):
    return subprocess.run([ctl, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False)


def check_yaml(name, text, ctl):
    for number, language, body in blocks(text):
        if language != "yaml":
            continue
        problems = ["a tab"] if "\t" in body else []
        head = re.sub(r"^(#[^\n]*|\s*)\n", "", body, flags=re.M)
        if head.startswith(("connector:", "store:")) and "..." not in body:
            with tempfile.TemporaryDirectory() as folder:
                with open(os.path.join(folder, "example.yaml"), "w", encoding="utf-8") as file:
                    file.write(body.replace("${credential:profile-key}", "00" * 15 + "01"))
                done = run(ctl, ["check-config", "example.yaml"], folder)
                errors = [line.partition(":")[2] for line in done.stdout.splitlines() if line.startswith("example.yaml:")]
                if done.returncode and not (errors and all(e + "\n" in text for e in errors)):
                    problems += done.stdout.splitlines()
        report(f"{name}:{number}: yaml", problems)


def matches(wanted, got):
    pattern = "".join(r"(?:.*\n)*?" if line.strip() == "..." else
                      ".*".join(re.escape(part) for part in line.split("...")) + r"\n" for line in wanted)
    return re.fullmatch(pattern, got + ("" if got.endswith("\n") or not got else "\n")) is not None


def check_console(name, text, ctl):
    with tempfile.TemporaryDirectory() as folder:
        for entry in ("connectors", "conf"):
            os.symlink(os.path.join(TOP, entry), os.path.join(folder, entry))
        for number, language, body in blocks(text):
            if language != "console":
                continue
            for chunk in re.split(r"^\$ ", body, flags=re.M)[1:]:
                command, *wanted = chunk.rstrip("\n").split("\n")
                words = command.split()
                if words[0] == "cat" and len(words) == 2 and words[1].startswith(">"):
                    with open(os.path.join(folder, words[1][1:]), "w", encoding="utf-8") as file:
                        file.write("\n".join(wanted) + "\n")
                elif words[0].endswith("backbonectl") and {"try", "suggest", "check-config", "help"} & set(words):
                    done = run(ctl, words[1:], folder)
                    good = matches(wanted, done.stdout)
                    report(f"{name}:{number}: $ {command}", [] if good else ["printed instead:"] + done.stdout.splitlines())


def check_live(name, text, world):
    """`world` gives the running demo; it is asked for once there is a block that needs it."""
    with tempfile.TemporaryDirectory() as folder:
        for entry in ("connectors", "conf"):
            os.symlink(os.path.join(TOP, entry), os.path.join(folder, entry))
        for number, language, body in blocks(text):
            if not language.endswith(" live"):
                continue
            if language == "console live":
                chunks = [chunk.rstrip("\n").split("\n") for chunk in re.split(r"^\$ ", body, flags=re.M)[1:]]
                parts = [(chunk[0], chunk[1:]) for chunk in chunks]
            else:
                parts = [live.script(language.split()[0], body)]
            for command, wanted in parts:
                check_command(f"{name}:{number}: $ {command}", command, wanted, folder, world,
                              None if language == "console live" else body)


def check_command(title, command, wanted, folder, world, text):
    words = command.split()
    if words[0] == "cat" and len(words) == 2 and words[1].startswith(">"):
        with open(os.path.join(folder, words[1].lstrip(">")), "a" if ">>" in command else "w", encoding="utf-8") as file:
            file.write("\n".join(wanted) + "\n")
    elif live.missing(command):
        print(f"ok {title} # SKIP {live.missing(command)} is missing; scripts/setup test installs it", flush=True)
    else:
        done = world().run(["bash", "-c", command], TOP if words[0].startswith("scripts/") else folder, text)
        good = matches(wanted, "\n".join(line.rstrip() for line in done.stdout.split("\n")))
        report(title, [] if good else ["printed instead:"] + done.stdout.splitlines())


def check_verbs(name, text, verbs):
    later = set(re.findall(r"`backbonectl ([a-z-]+)`[^.]*\bcomes?\b[^.]*\blater\b", text))
    bad = sorted({v for v in re.findall(r"`(?:\$ )?backbonectl(?: --[\w-]+(?: [A-Z]\w*)?)* ([a-z][a-z-]+)", text)
                  if v not in verbs and v not in later})
    if "backbonectl" in text:
        report(f"{name}: verbs of backbonectl", [f"there is no verb {v}" for v in bad])


def check_manual(ctl, verbs):
    """The man pages name every verb and every option that the help has."""
    for page, command in (("docs/man/backbonectl.1", ctl), ("docs/man/backboned.8", ctl[:-3] + "d")):
        if not os.path.exists(os.path.join(TOP, page)):
            report(f"{page}: complete", ["missing"])
            continue
        text = text_of(page).replace("\\-", "-").replace("\\&", "")
        helps = [run(command, ["--help"], TOP).stdout]
        if command == ctl:
            helps += [run(ctl, ["help", v], TOP).stdout for v in verbs]
        options = set(re.findall(r"^\s+(?:-\w, )?--([\w-]+)", "\n".join(helps), re.M))
        bad = [f"--{o}" for o in sorted(options) if not re.search(rf"(--|Fl -|Fl Fl ){o}\b", text)]
        bad += [v for v in verbs if command == ctl and not re.search(rf"\b{v}\b", text)]
        report(f"{page}: names all that the help names", bad if options else ["the help names no option"])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    ctl = os.path.join(os.path.abspath(sys.argv[1]), "daemon", "backbonectl")
    verbs = re.findall(r"^  ([a-z][a-z-]+) ", run(ctl, ["--help"], TOP).stdout, re.M)
    names = documents()
    wanted = ["README.md", "ARCHITECTURE.md", "GUARANTEES.md", "CHANGELOG.md"]
    report("documents: all are there", [f"{w} is missing" for w in wanted if w not in names])
    worlds = []

    def world():
        if not worlds:
            worlds.append(live.World(TOP, os.path.abspath(sys.argv[1])))
        return worlds[0]

    try:
        check_documents(names, ctl, verbs, world)
    finally:
        for one in worlds:
            one.close()
    check_manual(ctl, verbs)
    sys.exit(failed > 0)


def check_documents(names, ctl, verbs, world):
    for name in names:
        text = text_of(name)
        check_links(name, text)
        check_pages(name, text)
        check_tests(name, text)
        check_yaml(name, text, ctl)
        check_console(name, text, ctl)
        check_live(name, text, world)
        check_verbs(name, text, verbs)


main()

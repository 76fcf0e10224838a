#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of the house that a machine can see: who may include what, sizes, names, how the programs are
hardened and installed. One line a check: `ok NAME`, or `not ok NAME` and what is wrong where.

usage: tests/arch/check.py [BUILD_DIR]     (BUILD_DIR: a release build; without it its checks are left out)
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILE_LINES, FUNCTION_LINES, FUNCTION_AIM, COLUMNS, FILE_BYTES = 600, 100, 60, 100, 1 << 20
PROGRAMS = ("backboned", "backbonectl", "backbone-devbroker")

# Modules, lowest first, with the modules they may use; a folder is a module.
FOLDERS = {
    "base": "daemon/base", "yaml": "daemon/yaml", "core": "daemon/core", "store": "daemon/store",
    "engine": "connectors/engine", "config": "daemon/config", "kafka": "connectors/kafka",
    "replay": "connectors/replay", "ingest": "daemon/ingest", "serve": "daemon/serve", "ctl": "daemon/ctl",
}
USES = {
    "base": set(), "core": {"base"}, "store": {"base", "core"},
    # connector.h has the diagnostics that every reader of YAML fills
    "yaml": {"base", "core", "engine"}, "engine": {"base", "core", "yaml"},
    "config": {"base", "core", "yaml", "engine"},
    "kafka": {"base", "core", "yaml", "engine", "ingest"}, "replay": {"base", "core", "engine", "ingest"},
    "ingest": {"base", "core", "engine"}, "serve": {"base", "core", "store", "engine", "config", "ingest"},
    "ctl": {"base", "core", "yaml", "store", "engine", "config", "kafka", "replay", "ingest", "serve"},
}
# Whose contract a public header is.
HEADERS = {
    "base": "arena assert buf clock error hash histogram json killpoint log metrics regular sdnotify text",
    "core": "adopt audit carry change erasure event explain export gate identifiers kv message normalise pipeline rules ruling view",
    "store": "beside store", "yaml": "yaml", "engine": "connector record trace", "config": "config",
    "kafka": "kafka", "replay": "replay", "ingest": "deadletter ingest progress source",
    "serve": "resp serve status",
}
# Libraries: only these folders (or files) may include them.
LIBRARIES = {
    "lmdb.h": ("daemon/store/",),
    "librdkafka/": ("connectors/kafka/", "daemon/ctl/"),
    "uv.h": ("daemon/main", "daemon/app", "daemon/ingest/", "daemon/serve/", "daemon/ctl/"),
    "yaml.h": ("daemon/yaml/",),
    "jansson.h": ("daemon/ctl/",),
    "microhttpd.h": ("daemon/serve/",),
    "phonenumbers/": ("daemon/core/",),
    "pcre2.h": ("daemon/core/",),
    "utf8proc.h": ("daemon/core/",),
    "sodium.h": ("daemon/base/", "daemon/core/"),
    "xxhash.h": ("daemon/base/", "daemon/core/", "daemon/store/"),
}
# Each has a bounded or checked sister.
BANNED = r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof|alloca|tmpnam|mktemp|signal)\s*\("

failed = 0


def report(name, problems, note=()):
    global failed
    print(("not ok " if problems else "ok ") + name)
    for line in list(problems)[:20]:
        print("    " + line)
    if len(problems) > 20:
        print(f"    and {len(problems) - 20} more")
    for line in note:
        print("    note: " + line)
    failed += bool(problems)
    sys.stdout.flush()


def run(*args, **options):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=TOP,
                          stdin=subprocess.DEVNULL, **options)


def tracked(*suffixes):
    names = run("git", "ls-files").stdout.split("\n")
    return [n for n in names if n and os.path.isfile(os.path.join(TOP, n)) and (not suffixes or n.endswith(suffixes))]


def lines_of(name):
    with open(os.path.join(TOP, name), encoding="utf-8", errors="replace") as file:
        return file.read().split("\n")


def includes(name):
    for number, line in enumerate(lines_of(name), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match.group(1), match.group(2)


def module_of(name):
    for module, folder in FOLDERS.items():
        if name.startswith(folder + "/"):
            return module
    return None


def check_includes(sources):
    product = [n for n in sources if not n.startswith("tests/")]
    for library, places in LIBRARIES.items():
        exact = not library.endswith("/")
        bad = [f"{name}:{line}" for name in product for line, _, what in includes(name)
               if (what == library if exact else what.startswith(library)) and not name.startswith(places)]
        report(f"include: <{library}> only in {', '.join(places)}", bad)

    owner = {header: module for module, names in HEADERS.items() for header in names.split()}
    bad = [name for name in sources if name.startswith("include/backbone/")
           and os.path.basename(name)[:-2] not in owner]
    report("include: every public header has an owner in tests/arch/check.py", bad)
    bad = []
    for name in product:
        module = module_of(name)
        for line, _, what in includes(name):
            header = re.match(r"backbone/(\w+)\.h$", what)
            if not module or not header or header.group(1) not in owner:
                continue
            other = owner[header.group(1)]
            if other != module and other not in USES[module]:
                bad.append(f"{name}:{line}: {module} may not use {other} (<{what}>)")
    report("include: dependencies run one way, base <- core <- store, connectors <- ingest, serve <- app", bad)
    bad = [f"{name}:{line}: \"{what}\"" for name in product for line, quote, what in includes(name)
           if quote == '"' and not os.path.exists(os.path.join(TOP, os.path.dirname(name), what))]
    report("include: a private header is of the same folder", bad)
    bad = [f"{name}:{line}: <{what}>" for name in sources if name.startswith("include/") and name.endswith(".h")
           for line, _, what in includes(name)
           if not re.match(r"(backbone/\w+|std\w+|limits|inttypes|string|sys/\w+)\.h$", what)]
    report("include: public headers need the C library only", bad)


def check_headers(sources):
    bad = []
    for name in sources:
        if not name.endswith(".h"):
            continue
        where = os.path.dirname(name)
        module = FOLDERS.get("engine" if where == "tests/oracle" else os.path.basename(where), where)
        test = run("gcc", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c",
                   "-Iinclude", "-I" + where, "-Itests/support", "-I" + module, "-include", os.path.join(TOP, name), os.devnull)
        if test.returncode:
            bad.append(f"{name}: {test.stdout.strip().splitlines()[0]}")
    report("headers: each compiles alone", bad)
    bad = []
    for name in sources:
        if name.startswith("include/"):
            guard = "BACKBONE_" + re.sub(r"\W", "_", os.path.basename(name)).upper()
            text = lines_of(name)
            if f"#ifndef {guard}" not in text or f"#define {guard}" not in text:
                bad.append(f"{name}: guard {guard}")
    report("headers: guards are BACKBONE_<FILE>_H", bad)


def functions(names):
    """(file, line, name, lines, is static) of each function; ctags knows C well enough."""
    done = subprocess.run(["ctags", "--fields=+nef", "--languages=C", "--c-kinds=f", "-f", "-", "-L", "-"], cwd=TOP,
                          input="\n".join(names), stdout=subprocess.PIPE, text=True, check=True)
    for row in done.stdout.splitlines():
        part = row.split("\t")
        field = dict(p.split(":", 1) for p in part[3:] if ":" in p)
        if "line" in field and "end" in field:
            yield part[1], int(field["line"]), part[0], int(field["end"]) - int(field["line"]) + 1, "file" in field


def check_sizes(sources):
    bad = [f"{n}: {len(lines_of(n)) - 1} lines" for n in sources if len(lines_of(n)) - 1 > FILE_LINES]
    report(f"size: files have at most {FILE_LINES} lines", bad)
    bad = [f"{n}:{i}: {len(t.expandtabs(8))} columns" for n in sources for i, t in enumerate(lines_of(n), 1)
           if len(t.expandtabs(8)) > COLUMNS]
    report(f"size: lines have at most {COLUMNS} columns", bad)
    rulers = [(n, i, t) for n in sources for i, t in enumerate(lines_of(n), 1) if re.search(r"-{20}", t)]
    bad = [f"{n}:{i}: {t}" for n, i, t in rulers
           if not re.fullmatch(r"/\* --- \S.* -+ \*/", t) or len(t) != COLUMNS]
    report(f"size: rulers are `/* --- title --- */`, {COLUMNS} columns wide", bad)
    product = [n for n in sources if n.endswith(".c")]
    found = list(functions(product))
    bad = [f"{f}:{line}: {name}: {size} lines" for f, line, name, size, _ in found if size > FUNCTION_LINES]
    aim = sum(size > FUNCTION_AIM for _, _, _, size, _ in found)
    report(f"size: functions have at most {FUNCTION_LINES} lines", bad,
           [f"{aim} of {len(found)} functions have more than {FUNCTION_AIM}"] if aim else [])
    exported = [(f, line, name) for f, line, name, _, static in found
                if not static and name != "main" and not f.startswith("tests/")]
    bad = [f"{f}:{line}: {name}" for f, line, name in exported if not name.startswith("bb_")]
    report("names: what a file exports begins with bb_", bad)
    bad = [f"{f}:{line}: {name}" for f, line, name, _, static in found if static and name.startswith("bb_")]
    report("names: statics have no prefix", bad)


def check_text(sources):
    bad = [n for n in sources if lines_of(n)[0] not in
           ("/* SPDX-License-Identifier: Apache-2.0 */", "// SPDX-License-Identifier: Apache-2.0")]
    report("text: C files open with the SPDX line", bad)
    others = [n for n in tracked() if re.search(r"(\.(py|sh|cmake|yaml|mjs|in|service|socket|conf)|CMakeLists\.txt)$", n)
              or re.match(r"(scripts/|\.ci/)[^.]*$", n)]
    # connectors are there to be copied into a user's own files
    others = [n for n in others if not re.search(r"^connectors/|/(samples|corpus|expected|bad)/", n)]
    bad = [n for n in others if not any("SPDX-License-Identifier: Apache-2.0" in t for t in lines_of(n)[:3])]
    report("text: scripts, build and configuration files name their licence", bad)
    bad = [n for n in sources if n.endswith(".c") and not (lines_of(n) + ["", ""])[1].startswith("/*")]
    report("text: each .c opens with a paragraph", bad)
    mark = re.compile(r"\b(TODO|FIXME|HACK)\b")
    bad = [f"{n}:{i}" for n in tracked() if n != "tests/arch/check.py" and not re.search(r"/(corpus|payloads)/", n)
           for i, t in enumerate(lines_of(n), 1) if mark.search(t)]
    report("text: nothing is left to be done", bad)
    banned = re.compile(BANNED)
    bad = [f"{n}:{i}: {t.strip()}" for n in sources if not n.startswith("tests/") for i, t in enumerate(lines_of(n), 1)
           if banned.search(re.sub(r"/\*.*?\*/|^\s*\*.*|\".*?\"", "", t))]
    report("text: no function that has a safer sister", bad)
    waits = re.compile(r"\b(usleep|nanosleep|sleep)\s*\(|time\.sleep\(")
    bad = [f"{n}:{i}" for n in tracked(".c", ".py") if n.startswith("tests/") and n != "tests/arch/check.py"
           and not n.startswith("tests/bench/") for i, t in enumerate(lines_of(n), 1) if waits.search(t) and "polling" not in t]
    report("text: tests wait for events, they do not sleep", bad)
    bad = [f"{n}: {os.path.getsize(os.path.join(TOP, n))} bytes" for n in tracked()
           if os.path.getsize(os.path.join(TOP, n)) > FILE_BYTES]
    report("text: no big file is committed", bad)


def check_format(sources):
    """.clang-format decides; other versions of the tool decide otherwise, so only its own is asked."""
    if not shutil.which("clang-format-14"):
        print("ok text: clang-format-14 has nothing to change # SKIP it is not installed")
        return
    done = run("clang-format-14", "-n", *sources)
    bad = sorted({line.rsplit(":", 4)[0] for line in done.stdout.splitlines() if "clang-format-violations" in line})
    report("text: clang-format-14 has nothing to change", bad)


TEXT = r'"(?:[^"\\\n]|\\.)*"'


def literals(name):
    """(line number, text) of each literal of a C file, those that follow each other as one."""
    source = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), "\n".join(lines_of(name)), flags=re.S)
    source = re.sub(r"^#.*$", "", source, flags=re.M)
    for match in re.finditer(f"{TEXT}(?:\\s*{TEXT})*", source):
        text = "".join(part[1:-1] for part in re.findall(TEXT, match.group()))
        yield source[:match.start()].count("\n") + 1, text.replace('\\"', '"').replace("\\\\", "\\")


def check_messages(sources):
    """Whatever the compiler of connectors can say is said in a test: each of its texts of several words is in what
    the files of tests/unit/engine/bad/ or the tables of test_mistakes.c expect."""
    expected = [line for name in tracked(".txt") if name.startswith("tests/unit/engine/bad/") for line in lines_of(name)]
    expected += [text for _, text in literals("tests/unit/engine/test_mistakes.c")]
    bad = []
    for name in sources:
        if not re.match(r"(connectors/engine/(compile\w*|path|stamp)|daemon/yaml/\w+)\.c$", name):
            continue
        for number, text in literals(name):
            parts = [re.escape(part) for part in re.split(r"%(?:\.\*)?[a-z]+", text)]
            if " " in text.strip() and not any(re.search(".*".join(parts), line) for line in expected):
                bad.append(f"{name}:{number}: no test expects \"{text}\"")
    report("every message about a connector has a test", bad)


def check_scripts():
    bad = []
    for name in tracked():
        if not re.match(r"(scripts/[^/.]+|\.ci/run)$", name):
            continue
        path = os.path.join(TOP, name)
        if not os.access(path, os.X_OK):
            bad.append(f"{name}: not executable")
        if lines_of(name)[0].endswith("bash") and run("bash", "-n", path).returncode:
            bad.append(f"{name}: bash cannot read it")
    report("scripts: executable and readable by bash", bad)
    with open(os.path.join(TOP, "CMakePresets.json"), encoding="utf-8") as file:
        names = {p["name"] for p in json.load(file)["configurePresets"]}
    wanted = {"release", "dev", "tsan", "fuzz", "cover"}
    report("build: presets " + ", ".join(sorted(wanted)), sorted(wanted - names))


def check_man():
    pages = [n for n in tracked(".1", ".5", ".8") if n.startswith("docs/man/")]
    bad = [f"docs/man/{p}: missing" for p in ("backboned.8", "backbonectl.1") if "docs/man/" + p not in pages]
    for page in pages:
        lint = run("mandoc", "-T", "lint", "-W", "warning", page)
        bad += lint.stdout.strip().splitlines() if lint.returncode else []
    report("docs: man pages are there and clean", bad)


def symbols(path):
    return run("nm", "-D", "--undefined-only", path).stdout


def check_elf(build):
    """The hardening of the programs as built, read back from the files."""
    for program in PROGRAMS:
        path = os.path.join(build, "daemon", program)
        if not os.path.exists(path):
            found = run("find", build, "-name", program, "-type", "f", "-perm", "-u+x").stdout.split()
            path = found[0] if found else None
        if not path:
            report(f"hardening: {program}", ["not built"])
            continue
        header = run("readelf", "-Wh", path).stdout
        segments = run("readelf", "-Wl", path).stdout
        dynamic = run("readelf", "-Wd", path).stdout
        undefined = symbols(path)
        stack = re.search(r"GNU_STACK.*", segments)
        answers = {
            "PIE": "DYN (" in header and "PIE" in header + dynamic,
            "RELRO": "GNU_RELRO" in segments,
            "BIND_NOW": "BIND_NOW" in dynamic or re.search(r"FLAGS_1.*\bNOW\b", dynamic),
            "stack not executable": stack and "E" not in stack.group(0).split()[6],
            "stack protector": "__stack_chk_fail" in undefined,
            "FORTIFY_SOURCE": re.search(r"__\w+_chk(@|\s|$)", undefined),
            "no RPATH": "RPATH" not in dynamic and "RUNPATH" not in dynamic,
        }
        for what, good in answers.items():
            report(f"hardening: {program}: {what}", [] if good else [path])
        report(f"hardening: {program}: no failpoint is compiled in",
               [path] if b"BB_FAILPOINT" in open(path, "rb").read() else [])


def check_cet(build):
    """Every object of ours is built for Control-flow Enforcement. (The mark of a whole program needs that of the
    system's start files too, which Debian builds without; so the objects are asked.)"""
    archives = run("find", build, "-maxdepth", "1", "-name", "libbb_*.a").stdout.split()
    bad = [] if archives else ["no library of ours in " + build]
    for archive in archives:
        member = None
        for line in run("readelf", "-Wn", archive).stdout.splitlines() + ["File: end"]:
            if line.startswith("File: "):
                if member:
                    bad.append(member)
                member = line[6:] if line != "File: end" else None
            elif "IBT" in line and "SHSTK" in line:
                member = None
    report("hardening: every object is built for CET", bad)


def installed_names(build, dest):
    done = run("cmake", "--install", build, env=dict(os.environ, DESTDIR=dest))
    if done.returncode:
        return None, done.stdout
    names = set()
    for folder, _, files in os.walk(dest):
        names |= {os.path.join("/", os.path.relpath(os.path.join(folder, f), dest)) for f in files}
    return names, done.stdout


def cache_value(build, name):
    with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as file:
        match = re.search(rf"^{name}:\w+=(.*)$", file.read(), re.M)
    return match.group(1) if match else ""


def check_install(build):
    prefix = cache_value(build, "CMAKE_INSTALL_PREFIX")
    with tempfile.TemporaryDirectory() as dest:
        names, output = installed_names(build, dest)
        if names is None:
            report("install: cmake --install under DESTDIR", output.strip().splitlines()[-3:])
            return
        etc = "/etc" if prefix == "/usr" else prefix + "/etc"
        wanted = [f"{prefix}/bin/{p}" for p in PROGRAMS] + [
            f"{etc}/backbone/backbone.yaml",
            f"{prefix}/lib/systemd/system/backbone.service", f"{prefix}/lib/systemd/system/backbone.socket",
            f"{prefix}/lib/systemd/system/backbone-admin.socket",
            f"{prefix}/lib/sysusers.d/backbone.conf", f"{prefix}/lib/tmpfiles.d/backbone.conf",
            f"{prefix}/share/man/man8/backboned.8", f"{prefix}/share/man/man1/backbonectl.1",
            f"{prefix}/share/doc/backbone/LICENSE", f"{prefix}/share/doc/backbone/README.md",
        ]
        report("install: everything has its place under DESTDIR", [f"missing: {w}" for w in wanted if w not in names])
        connectors = [n for n in names if re.match(rf"{prefix}/share/backbone/connectors/\w+/[\w-]+/connector\.yaml$", n)]
        report("install: the connectors are among the data files",
               [] if len(connectors) >= 6 else [f"only {len(connectors)}"])
        stray = [n for n in names if not n.startswith((prefix + "/", etc + "/"))]
        report("install: nothing outside the prefix", stray)
        with tempfile.TemporaryDirectory() as credentials:
            with open(os.path.join(credentials, "profile-key"), "w", encoding="utf-8") as file:
                file.write("0123456789abcdef0123456789abcdef")
            done = run(f"{dest}{prefix}/bin/backboned", "--config", f"{dest}{etc}/backbone/backbone.yaml", "--check",
                       env=dict(os.environ, CREDENTIALS_DIRECTORY=credentials))
            report("install: the installed configuration is accepted", done.stdout.splitlines() if done.returncode else [])
        check_units(os.path.join(dest, prefix.lstrip("/"), "lib"), dest)


def check_units(lib, dest):
    units = ["backbone.service", "backbone.socket", "backbone-admin.socket"]
    with tempfile.TemporaryDirectory() as folder:
        for unit in units:
            with open(os.path.join(lib, "systemd/system", unit), encoding="utf-8") as file:
                text = re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", file.read())
            with open(os.path.join(folder, unit), "w", encoding="utf-8") as file:
                file.write(text)
        paths = [os.path.join(folder, unit) for unit in units]
        done = run("systemd-analyze", "verify", "--man=no", *paths)
        report("systemd: units verify", done.stdout.strip().splitlines() if done.returncode or done.stdout.strip() else [])
        done = run("systemd-analyze", "security", "--offline=true", "--threshold=15", paths[0])
        report("systemd: exposure of the service is at most 1.5", done.stdout.strip().splitlines()[-1:]
               if done.returncode else [])
    with open(os.path.join(lib, "systemd/system/backbone.service"), encoding="utf-8") as file:
        unit = file.read()
    start = re.search(r"^ExecStart=(\S+)", unit, re.M).group(1)
    bad = [] if os.path.exists(os.path.join(dest, start.lstrip("/"))) else [f"{start} is not installed"]
    bad += [f"{word} is missing" for word in ("Type=notify", "WatchdogSec=", "ExecReload=") if word not in unit]
    bad += ["PrivateUsers= hides the peers' uids"] if re.search(r"^PrivateUsers=(yes|true|1)", unit, re.M) else []
    report("systemd: the service starts the installed program, notifies, is watched, reloads", bad)
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(os.path.join(root, "etc"))
        done = run("systemd-sysusers", "--root=" + root, os.path.join(lib, "sysusers.d/backbone.conf"))
        group = os.path.join(root, "etc/group")
        made = open(group, encoding="utf-8").read() if os.path.exists(group) else ""
        bad = done.stdout.splitlines() if done.returncode else []
        bad += [f"no group {g}" for g in ("backbone", "backbone-clients", "backbone-admin") if f"\n{g}:" not in "\n" + made]
        report("systemd: users and groups are made", bad)
        done = run("systemd-tmpfiles", "--create", "--root=" + root, os.path.join(lib, "tmpfiles.d/backbone.conf"))
        bad = done.stdout.splitlines() if done.returncode else []
        bad += [f"no {d}" for d in ("run/backbone", "var/lib/backbone") if not os.path.isdir(os.path.join(root, d))]
        report("systemd: folders are made", bad)


def main():
    missing = [tool for tool in ("git", "gcc", "ctags", "readelf", "mandoc", "systemd-analyze", "cmake")
               if not shutil.which(tool)]
    if missing:
        sys.exit(f"check.py: missing: {', '.join(missing)}; scripts/setup test installs them")
    sources = tracked(".c", ".h", ".cc")
    check_includes(sources)
    check_headers(sources)
    check_sizes(sources)
    check_text(sources)
    check_format(sources)
    check_messages(sources)
    check_scripts()
    check_man()
    if len(sys.argv) > 1:
        build = os.path.abspath(sys.argv[1])
        check_elf(build)
        if os.uname().machine == "x86_64":
            check_cet(build)
        check_install(build)
    sys.exit(failed > 0)


main()

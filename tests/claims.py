#!/usr/bin/env python3
"""claims.py - claim by claim: which tests show it, and how they came out last time.

    claims.py [--results FILE] [--open]

Reads tests/claims.tsv (what must hold) and the results of the last `make test`.
A test shows the claims its name begins with: C26_C27_cell_is_printed.  A claim
that says the same as another (column same_as) is shown by the other's tests too.
A claim is shown in part only as long as no test whose name or suite has the word
stands for each word in its column needs.
--open lists only what is not shown yet.  Exit status 1 when a claim's test failed,
or a test names a claim that does not exist.
"""
import argparse
import collections
import csv
import pathlib
import re
import signal
import sys

TESTS = pathlib.Path(__file__).resolve().parent
ID = re.compile(r"[ABC][0-9]+$")


def ids_in(test):
    """The claims a test's name begins with."""
    found = []
    for word in test.split("_"):
        if not ID.match(word):
            break
        found.append(word)
    return found


def table(path):
    with open(path, encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def tests_by_claim(results, claims):
    """Tests of each claim, and the tests that name an unknown one."""
    known = {claim["id"] for claim in claims}
    tests, strangers = collections.defaultdict(list), []
    for test in results:
        for name in ids_in(test["test"]):
            if name in known:
                tests[name].append(test)
            else:
                strangers.append((name, test))
    return tests, strangers


def missing(claim, tests):
    """What the claim needs that none of its good tests has."""
    named = [f"{test['suite']} {test['test']}" for test in tests if test["result"] == "ok"]
    return [word for word in claim["needs"].split() if not any(word in name for name in named)]


def state(claim, tests):
    """What the tests of a claim say together."""
    results = {test["result"] for test in tests}
    if "fail" in results:
        return "FAILED"
    if "ok" in results:
        return "in part" if missing(claim, tests) else "shown"
    return "skipped" if "skip" in results else "open"


def show(claim, tests, name):
    same = f" (= {claim['same_as']})" if claim["same_as"] else ""
    print(f"{claim['id']:4} {name:8} {claim['claim']}{same} [{claim['part']}]")
    for test in tests:
        print(f"     {test['result']:5} {test['suite']}: {test['test']}")
    if name == "in part":
        print(f"     open  for: {', '.join(missing(claim, tests))}")


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--results", type=pathlib.Path,
                        default=TESTS.parent / "build" / "test-results.tsv")
    parser.add_argument("--open", action="store_true")
    options = parser.parse_args()
    if not options.results.exists():
        sys.exit(f"claims: {options.results} is not there yet: run the tests first (make test)")
    claims = table(TESTS / "claims.tsv")
    needs = {claim["id"]: claim["needs"] for claim in claims}
    for claim in claims:
        claim["needs"] += " " + needs.get(claim["same_as"], "")
    tests, strangers = tests_by_claim(table(options.results), claims)
    count = collections.defaultdict(list)
    for claim in claims:
        shown_by = tests[claim["id"]] + tests.get(claim["same_as"], [])
        name = state(claim, shown_by)
        count[name].append(claim["id"])
        if not options.open or name != "shown":
            show(claim, shown_by, name)
    print()
    for name in ("shown", "in part", "FAILED", "skipped", "open"):
        if count[name]:
            ids = "" if name == "shown" else ": " + " ".join(count[name])
            print(f"{len(count[name])} of {len(claims)} claims {name}{ids}")
    for name, test in strangers:
        print(f"claims: {test['suite']}: {test['test']} names {name}, which is no claim")
    sys.exit(1 if strangers or count["FAILED"] else 0)


if __name__ == "__main__":
    main()

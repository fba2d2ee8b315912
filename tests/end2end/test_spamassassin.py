"""Imported rules hit what SpamAssassin's own engine hits, over 504 messages of its public corpus.

SpamAssassin, unpacked beside, judges the messages without a network; weirctl judges the same
with the rules that it imported.  Both say which rules hit, the hidden ones ("__") included; only
rules that were imported count."""
import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig

EVERY = 12        # of the 6,046 messages
AGREE = 0.98      # of hits
AT_ONCE = 2       # processes of theirs, which take most of the time


def messages():
    folder = rig.RIG / "corpus/package/data"
    if not folder.exists():
        raise unittest.SkipTest(f"{folder} is not there: npm could not fetch the corpus")
    return [str(path) for path in sorted(folder.glob("*/*.txt"))][::EVERY]


def spamassassin():
    root = rig.RIG / "spamassassin"
    if not (root / "version").exists():
        raise unittest.SkipTest(f"{root} is not there: run tests/end2end/deps.sh --test")
    return root


class Imported(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root, cls.messages = spamassassin(), messages()
        cls.folder = rig.scratch()
        cls.weir = rig.Weir(cls.folder)
        rules = cls.weir.folder / "rules"
        rules.mkdir()
        cls.weir.configure(rules={"folder": rules}, info={"sealed": "no"})
        cls.summary = json.loads(cls.weir.ctl(
            "rules", "import", cls.root / "usr/share/spamassassin", "--output",
            rules / "50-imported.rules", "--json"))
        cls.weir.ctl("rules", "load")

    def theirs(self):
        program = pathlib.Path(__file__).with_name("spamassassin.pl")

        def judge(n):  # each has a home of its own
            home = self.folder / f"home{n}"
            home.mkdir()
            return subprocess.run(["perl", program, self.root], capture_output=True, text=True,
                                  input="".join(f"{path}\n" for path in self.messages[n::AT_ONCE]),
                                  timeout=560, env={**os.environ, "WEIR_SA_HOME": str(home)})
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as workers:
            all_done = list(workers.map(judge, range(AT_ONCE)))
        for done in all_done:
            self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        lines = "".join(done.stdout for done in all_done).split("\n")
        return {path: set(names.split(",")) for path, names in
                (line.split("\t") for line in lines if line)}

    def ours(self):
        done = subprocess.run([rig.BUILD / "weirctl", "-c", self.weir.conf, "check", "--json",
                               "--hidden", *self.messages], capture_output=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        lines = [json.loads(line) for line in done.stdout.decode().split("\n") if line]
        return {line["file"]: {rule["name"] for rule in line["rules"]} for line in lines}

    def test_hits_of_imported_rules_are_those_of_spamassassin(self):
        listed = json.loads(self.weir.ctl("rules", "list", "--json"))
        known = {rule["name"] for rule in listed}
        theirs, ours = self.theirs(), self.ours()
        same = more = less = 0
        strange = collections.Counter()
        for path in self.messages:
            a, b = theirs[path] & known, ours[path] & known
            same, more, less = same + len(a & b), more + len(b - a), less + len(a - b)
            strange.update({f"+{name}" for name in b - a} | {f"-{name}" for name in a - b})
        share = same / (same + more + less)
        print(f"hits of imported rules: {same} the same, {more} only ours, {less} only theirs: "
              f"{share:.4f}; most: {strange.most_common(8)}", file=sys.stderr)
        self.assertGreater(same, 10000)
        self.assertGreaterEqual(share, AGREE)

    def test_what_is_not_taken_is_listed_with_its_reason(self):
        self.assertGreater(self.summary["taken"], 1500)
        for missed in self.summary["not_taken"]:
            self.assertTrue(missed["reason"] and missed["why"] and missed["line"], missed)
        reasons = collections.Counter(missed["reason"] for missed in self.summary["not_taken"])
        self.assertGreater(reasons["eval"], 10, reasons)


if __name__ == "__main__":
    harness.main()

#!/usr/bin/env python3
"""Rules of SpamAssassin's and of our own come into the rulebook with where they came from, all or
nothing, and out again."""
import itertools
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import monitor
from test_monitor import World

THEIRS = """\
# of a distribution
body     CHEAP_LOAN  /cheap loan/i
describe CHEAP_LOAN  Offers money
score    CHEAP_LOAN  2.5

header   SUBJECT_WIN Subject =~ /you have won/i
score    SUBJECT_WIN 30

body     __GREETING  /dear friend/i
meta     GREETED_LOAN __GREETING && CHEAP_LOAN
score    GREETED_LOAN -1.25
body     FUNCTION    eval:some_function()
"""
OURS = "body OURS /our own/\nscore OURS 1.5\nid OURS 77\nstate OURS test\n"


class Import(World):
    """A monitor, and files."""

    def setUp(self):
        super().setUp()
        self.monitor_with()
        self.theirs, self.ours = self.folder / "20_body.cf", self.folder / "own.rules"
        self.theirs.write_text(THEIRS)
        self.ours.write_text(OURS)

    def imports(self, *words, check=True):
        return self.monitor.weir.ctl("rules", "import", "--book", *words, check=check)

    def book(self):
        return {rule["name"]: rule for rule in
                json.loads(self.monitor.weir.ctl("rules", "list", "--book", "--json"))}

    def added(self, name):
        """The line of history that says how a rule came."""
        lines = json.loads(self.monitor.weir.ctl("rules", "history", name, "--json"))
        return next(line for line in lines if line["what"] == "added")

    def test_B2_rules_of_both_kinds_come_with_where_they_came_from(self):
        said = self.imports(self.theirs, self.ours, "--reason", "to try")
        self.assertEqual(said, "5 rules added, 0 changed; the rulebook has 5\n")
        book = self.book()
        self.assertEqual({name: (rule["state"], rule["score"], rule["author"])
                          for name, rule in book.items()},
                         {"CHEAP_LOAN": ("active", 2.5, "import"),
                          "SUBJECT_WIN": ("active", 3.5, "import"),  # as much as one may have
                          "GREETED_LOAN": ("active", -1.25, "import"),
                          "__GREETING": ("active", 0, "import"), "OURS": ("test", 1.5, "import")})
        self.assertEqual(book["OURS"]["id"], 77)
        self.assertEqual([(self.added(name)["why"], self.added(name)["who"])
                          for name in ("CHEAP_LOAN", "GREETED_LOAN", "OURS")],
                         [(f"imported from {self.theirs}:2: to try", "uid 0"),
                          (f"imported from {self.theirs}:10: to try", "uid 0"),
                          (f"imported from {self.ours}:1: to try", "uid 0")])
        self.assertEqual(self.imports(self.theirs, self.ours),
                         "0 rules added, 0 changed; the rulebook has 5\n")
        audit, = self.monitor.rows("SELECT * FROM audit WHERE what LIKE 'rules%'")
        self.assertEqual((audit["what"], audit["detail"]), ("rules import", "5 added, 0 changed"))

    def test_what_is_not_taken_is_told_and_the_rest_is_put_to_the_test(self):
        done = self.imports(self.theirs, "--state", "test", check=None)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{self.theirs}:12: FUNCTION: ", done.stderr)
        self.assertIn("1 scores were cut to what one rule may have, +-3.50", done.stderr)
        self.assertEqual({rule["state"] for name, rule in self.book().items()}, {"test"})
        self.assertFalse(self.book()["CHEAP_LOAN"]["approved"])

    def test_what_a_person_made_or_locked_is_left_and_told(self):
        own = self.folder / "mine.rules"
        own.write_text("body CHEAP_LOAN /my own/\nscore CHEAP_LOAN 6\n")
        self.monitor.weir.ctl("rules", "add", own)
        self.imports(self.theirs)
        self.monitor.weir.ctl("rules", "lock", "SUBJECT_WIN")
        self.monitor.weir.ctl("rules", "retire", "GREETED_LOAN")
        before = self.book()
        self.assertEqual((before["CHEAP_LOAN"]["author"], before["CHEAP_LOAN"]["score"]),
                         ("uid 0", 6))
        self.theirs.write_text(THEIRS.replace("you have won", "you won").replace("1.25", "1.5"))
        keeps = "stays as it is: a person made or locked it, and an import changes it with " \
                "--force only"
        for words, would in ((["--dry-run"], "would be "), ([], "")):
            with self.subTest(words):
                said = self.imports(self.theirs, *words).splitlines()
                self.assertEqual(set(said[:3]), {f"GREETED_LOAN: {would}changed",
                                                 f"CHEAP_LOAN: {keeps}", f"SUBJECT_WIN: {keeps}"})
                self.assertIn("1 changed", said[3])
        after = self.book()
        for name, key in itertools.product(("CHEAP_LOAN", "SUBJECT_WIN"),
                                           ("state", "score", "text", "author", "approved")):
            self.assertEqual(after[name][key], before[name][key])
        self.assertEqual((after["GREETED_LOAN"]["state"], after["GREETED_LOAN"]["score"]),
                         ("retired", -1.5))
        answer = json.loads(self.imports(self.theirs, "--force", "--json"))
        self.assertEqual((answer["changed"], answer["kept"], sorted(answer["names"]["changed"])),
                         (2, 0, ["CHEAP_LOAN", "SUBJECT_WIN"]))
        self.assertEqual({name: (rule["state"], rule["score"])
                          for name, rule in self.book().items()},
                         {"CHEAP_LOAN": ("active", 2.5), "SUBJECT_WIN": ("locked", 3.5),
                          "GREETED_LOAN": ("retired", -1.5), "__GREETING": ("active", 0)})

    def test_a_dry_run_changes_nothing(self):
        self.assertEqual(self.imports(self.theirs, self.ours, "--dry-run"),
                         "5 rules would be added, 0 changed; the rulebook would have 5\n")
        self.assertEqual((self.book(), self.monitor.rows("SELECT * FROM rule_changes")), ({}, []))
        self.assertEqual(self.monitor.weir.ctl("rules", "add", self.ours, "--dry-run"),
                         "1 rules would be added, 0 changed; the rulebook would have 1\n")
        self.imports(self.theirs)
        said = self.imports(self.theirs, self.ours, "--dry-run", "--state", "test").splitlines()
        self.assertEqual(said[4], "1 rules would be added, 4 changed; the rulebook would have 5")
        self.assertEqual(set(said[:4]), {f"{name}: would be changed" for name in self.book()})
        self.assertEqual(set(self.book()), {"CHEAP_LOAN", "SUBJECT_WIN", "GREETED_LOAN",
                                            "__GREETING"})

    def test_one_that_is_wrong_keeps_all_out_and_is_told_by_where_it_came_from(self):
        self.ours.write_text(OURS + "body BROKEN /(/\nscore BROKEN 1\n")
        done = self.imports(self.theirs, self.ours, check=False)
        self.assertEqual(done.returncode, 65)
        self.assertIn(f"{self.ours}:5: ", done.stderr)
        self.assertIn("nothing was changed", done.stderr)
        self.assertEqual(self.book(), {})

    def test_a_folder_gives_both_kinds_and_passes_over_the_rest(self):
        (self.folder / "set").mkdir()
        for file in (self.theirs, self.ours):
            file.rename(self.folder / "set" / file.name)
        (self.folder / "set" / "README.txt").write_text("nonsense\n")
        self.imports(self.folder / "set")
        self.assertEqual(len(self.book()), 5)

    def test_B2_what_is_exported_is_what_is_imported(self):
        self.imports(self.theirs, self.ours)
        self.monitor.weir.ctl("rules", "retire", "SUBJECT_WIN")
        self.monitor.weir.ctl("rules", "lock", "CHEAP_LOAN")
        out = self.folder / "out.rules"
        self.monitor.weir.ctl("rules", "export", "--output", out)
        other = monitor.Monitor(self.folder, "other")
        self.addCleanup(self.end, other.process)
        other.weir.ctl("rules", "import", "--book", out)
        self.assertEqual(other.weir.ctl("rules", "export"), out.read_text())
        self.assertEqual(other.rows("SELECT id, name, kind, text, state, score FROM rules"),
                         self.monitor.rows("SELECT id, name, kind, text, state, score FROM rules"))

    def test_names_of_strangers_are_shown_as_text_and_none_is_lost(self):
        self.theirs.write_bytes(b"body \x1b]0;owned\x07X /a/\nbody B\xe9D /b/\n"
                                b"body C\xc2\x9bD /c/\n"
                                b"foo\x1b[31mbar baz\nw\xf6rd x\n"
                                b"body NICE /cheap/\nscore NICE 1\n")
        done = self.monitor.weir.ctl("rules", "import", self.theirs, check=False)
        self.assertNotRegex(done.stderr, "[\x00-\x09\x0b-\x1f\x7f-\x9f]")
        self.assertIn("?]0;owned?X: ", done.stderr)
        told = json.loads(self.monitor.weir.ctl("rules", "import", self.theirs, "--json",
                                                "--output", self.folder / "out"))
        self.assertEqual((len(told["not_taken"]), len(told["words"])), (3, 2))
        self.ours.write_bytes(b"foo\x1b[31mbar baz\nbody NICE /cheap/\nscore NICE 1\n")
        done = self.imports(self.ours, check=False)
        self.assertIn("foo?[31mbar", done.stderr)
        self.assertNotIn("\x1b", done.stderr)

    def test_wrong_command_lines_are_told(self):
        for words, why in ((["--output", "x"], "--output, or --book"),
                           (["--state", "lost"], "--state lost")):
            with self.subTest(words):
                done = self.imports(self.ours, *words, check=False)
                self.assertEqual((done.returncode, why in done.stderr), (64, True), done.stderr)
        done = self.monitor.weir.ctl("rules", "import", self.theirs, "--dry-run", check=False)
        self.assertEqual((done.returncode, "are for --book" in done.stderr), (64, True))


if __name__ == "__main__":
    harness.main()

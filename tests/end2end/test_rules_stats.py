#!/usr/bin/env python3
"""Rules as a postmaster looks at them: sorted and chosen by any number, shown with the reason of
their score, by day in charts, tried on mail, and taken over from files with their history."""
import csv
import fcntl
import io
import json
import os
import pathlib
import pty
import struct
import sys
import termios

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import ctl_help
import harness
import milter
import rig
from test_drafts import PEOPLE, Drafting
from test_monitor import World
from test_monitor_hits import LOAN, WIN, Deciding

NUMBERS = ("hits", "spam", "ham", "false_positives")


def on_terminal(words, columns, **environment):
    """What a program prints on a terminal so wide."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    if os.fork() == 0:
        os.dup2(theirs, 1)
        os.close(ours)
        os.environ.pop("LC_ALL", None)
        os.environ.update(environment)
        os.execv(words[0], [str(word) for word in words])
    os.close(theirs)
    text = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        text += piece
    os.close(ours)
    os.wait()
    return text.decode().replace("\r\n", "\n")


class Stats(ctl_help.Help, Deciding):
    """Two mail servers, whose decisions are counted, and a rulebook."""

    verbs = [f"rules {verb}" for verb in ("list", "show", "stats", "test", "import")]

    def setUp(self):
        super().setUp()
        file = self.monitor.weir.folder / "book.rules"
        file.write_text(milter.RULES)
        self.ctl("rules", "add", file, "--reason", "our own")
        self.wait_for(self.some_of_each())

    def ctl(self, *words):
        return self.monitor.weir.ctl(*words)

    good = ctl

    def json(self, *words):
        return json.loads(self.ctl(*words, "--json"))

    def names(self, *words):
        return [rule["name"] for rule in self.json("rules", "list", "--book", *words)]

    def command(self, *words):
        return [rig.BUILD / "weirctl", "-c", self.monitor.weir.conf, *words]

    def test_B3_B22_rules_are_sorted_and_chosen_by_any_number(self):
        self.assertEqual(self.names("--sort", "-hits"), ["CHEAP_LOAN", "SUBJECT_WIN", "GTUBE"])
        self.assertEqual(self.names("--sort", "hits"), ["GTUBE", "SUBJECT_WIN", "CHEAP_LOAN"])
        self.assertEqual(self.names("--sort", "-last-hit", "--where", "hits>0")[0:1],
                         self.names("--sort", "-last", "--where", "hits>0", "--most", "1"))
        for where, names in (("spam>=3", ["CHEAP_LOAN"]), ("nonspam=0,spam=2", ["SUBJECT_WIN"]),
                             ("score>5,hits<5", ["GTUBE"]), ("name~loan", ["CHEAP_LOAN"]),
                             ("kind=header", ["SUBJECT_WIN"]), ("author!=uid 0", []),
                             ("last_updated<2020-01-01", []), ("text~gtube-standard", ["GTUBE"]),
                             ("recent_spam>1.9", ["SUBJECT_WIN"]), ("approved=no", []),
                             ("created>2020-01-01,state=active,id<100", ["GTUBE"]),
                             ("false_positives=0,hits=0", ["GTUBE"])):
            with self.subTest(where):
                self.assertEqual(self.names("--where", where), names)
        self.assertEqual(self.names("--state", "test"), [])
        self.assertEqual(self.names("--idle", "20d"), [])
        self.assertEqual(len(self.names("--idle", "1ms", "--state", "active")), 3)
        for wrong in ("colour>1", "hits", "hits~2", "score=much", "name<x", "last_hit>soon"):
            with self.subTest(wrong):
                done = self.monitor.weir.ctl("rules", "list", "--where", wrong, check=False)
                self.assertEqual(done.returncode, 64, done.stderr)
                self.assertIn("--where", done.stderr)

    def test_B4_B23_csv_and_json_have_every_statistic(self):
        rows = list(csv.DictReader(io.StringIO(self.ctl("rules", "list", "--book", "--csv"),
                                               newline="")))
        told = {rule["name"]: rule for rule in self.json("rules", "list", "--book")}
        self.assertEqual(set(rows[0]), set(told["GTUBE"]))
        for row in rows:
            self.assertEqual([int(row[name]) for name in NUMBERS],
                             [told[row["name"]][name] for name in NUMBERS])
            self.assertAlmostEqual(float(row["score"]), told[row["name"]]["score"])
            self.assertEqual(row["text"], told[row["name"]]["text"])
        loan = told["CHEAP_LOAN"]
        self.assertEqual([loan[name] for name in NUMBERS], [5, 5, 0, 0])
        self.assertTrue(loan["last_hit"] and loan["last_updated"] and loan["created"])
        self.assertEqual((told["GTUBE"]["last_hit"], loan["author"]), (None, "uid 0"))

    def test_a_table_fits_the_terminal(self):
        words = self.command("rules", "list", "--book", "--sort", "-hits")
        whole = max(len(line.rstrip()) for line in on_terminal(words, 300).splitlines())
        for columns in (40, 60, 80, 100, 132, whole - 1, whole):
            with self.subTest(columns):
                lines = on_terminal(words, columns).splitlines()
                self.assertLessEqual(max(len(line) for line in lines if "too narrow" not in line),
                                     columns)
                self.assertRegex(lines[1], r"^CHEAP_LOAN +")
                self.assertEqual("too narrow for" in lines[-1], columns < whole)
        self.assertEqual(max(map(len, self.ctl("rules", "list", "--book").splitlines())), whole)

    def test_B18_a_rule_is_shown_with_the_reason_of_its_score(self):
        self.judge(self.mx1, b"you have won", b"a cheap loan", 103)
        self.judge(self.mx2, b"hello", b"nothing", 98)
        self.wait_for({WIN: (105, 105, 0)})
        rig.wait_for(lambda: self.told()["good"] == 210, 20, "all of them")
        self.ctl("rules", "set", "SUBJECT_WIN", "score=1", "--reason", "too dear")
        self.ctl("analyze", "--dry-run")  # what was counted is stored
        said = self.ctl("rules", "show", "SUBJECT_WIN")
        self.assertIn("SUBJECT_WIN, number 102: active, +1.00 points\n"
                      "  header SUBJECT_WIN Subject =~ /you have won/i\n", said)
        self.assertIn("by uid 0, with +1.00 points", said)
        self.assertIn("hits         105 in all: 105 spam, 0 nonspam; 0 false positives",
                      said)
        self.assertRegex(said, r"lately +105\.0 of 108\.0 spam, 0\.0 of 102\.0 good messages")
        self.assertRegex(said, r"its hits allow \+2\.\d\d to \+5\.\d\d points")
        self.assertRegex(said, r"its author gave it \+1\.00, fewer than its hits allow: it "
                         r"deserves \+2\.\d\d")
        self.assertIn("next run     +1.00 -> +1.50: it hit 105 of", said)
        self.assertEqual(said.count("198.51.100.20"), 5)
        self.assertIn("score 3.50 -> 1.00, by uid 0: too dear", said)
        told = self.json("rules", "show", "102")
        self.assertEqual([told[name] for name in NUMBERS], [105, 105, 0, 0])
        self.assertEqual((told["next_run"]["changes"], told["next_run"]["score"]), (True, 1.5))
        self.assertGreater(told["evidence"]["allowed_low"], 2)
        self.assertEqual((len(told["messages"]), told["messages"][0]["verdict"]), (5, "spam"))
        self.assertEqual(told["history"][0]["why"], "too dear")
        self.assertEqual(len(self.json("rules", "show", "102", "--most", "50")["messages"]), 50)
        locked = self.ctl("rules", "lock", "GTUBE") and self.ctl("rules", "show", "GTUBE")
        self.assertIn("next run     nothing changes: programs leave it as it is", locked)
        self.assertIn("none of those that are kept", locked)
        for words in ([], ["--book"]):
            done = self.monitor.weir.ctl("rules", "show", "NOBODY", *words, check=False)
            self.assertEqual((done.returncode, "in the rulebook" in done.stderr), (1, True))

    def test_B22_hits_by_day_are_counted_once_and_drawn(self):
        self.monitor.kill()
        self.judge(self.mx1, b"you have won", b"hello")
        self.monitor.start()
        self.wait_for({LOAN: (5, 5, 0), WIN: (3, 2, 0)})
        told = self.json("rules", "stats", "SUBJECT_WIN")
        self.assertEqual([(day["hits"], day["spam"], day["ham"]) for day in told["days"][-2:]
                          if day["hits"]], [(3, 2, 0)])
        self.assertEqual(len(told["days"]), 30)
        self.assertTrue(29 < told["days_left"] <= 30)
        self.assertEqual(self.monitor.weir.ctl("rules", "stats", "SUBJECT_WIN", "--csv",
                                               check=False).returncode, 64)
        everything = self.json("rules", "stats", "--since", "7d")
        self.assertEqual((len(everything["days"]), everything["days"][-1]["hits"]), (7, 10))
        self.assertEqual(everything["never_hit"], ["GTUBE"])
        self.assertEqual([rule["name"] for rule in everything["rules"]],
                         ["REPUTATION", "CHEAP_LOAN", "SUBJECT_WIN", "GTUBE"])
        said = self.ctl("rules", "stats")
        self.assertRegex(said, r"^spam by day: 5 in 30 days\n +5 \|")
        self.assertIn("never hit anything:\n  GTUBE, active for 0 days\n", said)
        drawn = on_terminal(self.command("rules", "stats", "SUBJECT_WIN"), 80,
                            LANG="C.UTF-8", TERM="xterm")
        self.assertIn("█", drawn)
        plain = on_terminal(self.command("rules", "stats", "SUBJECT_WIN"), 80, LANG="C",
                            TERM="xterm")
        self.assertEqual((plain.isascii(), "#" in plain), (True, True))
        done = self.monitor.weir.ctl("rules", "stats", "--since", "93d", check=False)
        self.assertEqual((done.returncode, "92 days" in done.stderr), (64, True))

    def test_B8_who_is_retired_next_is_told_with_the_days_left(self):
        self.monitor.stop()
        self.monitor.weir.configure(analyzer={"idle": "8d"})
        self.monitor.start()
        said = self.ctl("rules", "stats")
        self.assertRegex(said, r"retired next, unless they hit something:\n(  \w+: [78]\.\d days "
                         r"left\n){3}$")
        told = self.json("rules", "stats")["retired_next"]
        self.assertEqual((len(told), 7.9 < told[0]["days_left"] <= told[2]["days_left"] <= 8),
                         (3, True))
        self.ctl("rules", "retire", "GTUBE")
        self.assertEqual([rule["name"] for rule in self.json("rules", "stats")["retired_next"]
                          if rule["name"] == "GTUBE"], [])

    def test_B18_recent_messages_say_what_a_rule_hit(self):
        rig.wait_for(lambda: len(self.monitor.rows("SELECT * FROM messages")) == 9, 20,
                     "nine messages")
        told = self.json("rules", "test", "CHEAP_LOAN", "--recent")
        self.assertEqual(told["tried"]["messages"], {"spam": 0, "ham": 0, "other": 0})
        counted = told["counted"]
        self.assertEqual((counted["messages"], counted["tried_anew"], len(counted["hits"])),
                         ({"spam": 5, "ham": 4, "other": 0}, False, 5))
        self.assertEqual([counted["rules"][0][name] for name in
                          ("hits", "spam", "ham", "precision")], [5, 5, 0, 100])
        said = self.ctl("rules", "test", "CHEAP_LOAN", "--recent", "--most", "2")
        self.assertIn("when these were judged", said)
        self.assertEqual(said.count("\n  spam "), 2)
        self.assertIsNone(self.json("rules", "test", "/typed/", "--recent")["counted"])


class Reported(Drafting):
    """A monitor to which reported messages come along."""

    def test_B18_rules_are_tried_on_what_people_reported(self):
        mails = [self.deliver([(b"Subject", b"s")], body + b"\r\n")
                 for body in (b"a cheap offer", b"a cheaper offer", b"nothing cheap")]
        self.wait_for_texts([self.report(mail, PEOPLE[0], kind)["uid"]
                             for mail, kind in zip(mails, ("spam", "spam", "ham"))])
        told = json.loads(self.good("rules", "test", "/cheap(er)? offer/", "--recent", "--json"))
        tried, = told["tried"]["rules"]
        self.assertEqual((told["tried"]["messages"], told["counted"], tried["spam"], tried["ham"]),
                         ({"spam": 2, "ham": 1, "other": 0}, None, 2, 0))
        self.assertEqual({hit["evidence"] for hit in told["tried"]["hits"]},
                         {"cheap offer", "cheaper offer"})
        said = self.good("rules", "test", "/cheap/", "--recent")
        self.assertIn("that people reported, as they came along: without attachments", said)
        self.assertRegex(said, r"\n  ham +reported message [0-9a-f]{16}: cheap\n")


class Tried(World):
    """Rules tried on mail, without a monitor."""

    def setUp(self):
        super().setUp()
        self.weir = rig.Weir(self.folder, "own")
        rules = self.weir.folder / "rules"
        rules.mkdir(exist_ok=True)
        self.weir.configure(rules={"folder": rules})
        (rules / "a.rules").write_text(
            "body CHEAP_LOAN /cheap loan/i\nscore CHEAP_LOAN 2.5\n"
            "body __MONEY /money/\nmeta BOTH __MONEY && CHEAP_LOAN\nscore BOTH 1\n")
        self.spam, self.ham = self.weir.folder / "spam", self.weir.folder / "ham"
        for folder in (self.spam / "cur", self.spam / "tmp", self.ham):
            folder.mkdir(parents=True)
        self.put(self.spam / "cur" / "1:2,S", "A CHEAP LOAN of money")
        self.put(self.spam / "cur" / "2:2,", "cheap loan")
        self.put(self.spam / "cur" / "3:2,", "nothing")
        self.put(self.spam / "tmp" / "4", "cheap loan, still under way")
        box = self.ham / "box"
        for text in ("a cheap loan\n>From what I know", "hello\nFrom here it is far", "good day"):
            with box.open("a") as file:
                file.write("From ann@example.org Mon Nov 22 10:00:00 2026\n"
                           f"Subject: s\n\n{text}\n\n")

    @staticmethod
    def put(path, text):
        path.write_text(f"From: ann@example.org\nSubject: s\n\n{text}\n")

    def tried(self, *words):
        return json.loads(self.weir.ctl("rules", "test", *words, "--spam", self.spam, "--ham",
                                        self.ham, "--json"))

    def test_typed_rules_are_tried_on_a_Maildir_and_an_mbox(self):
        told = self.tried("/cheap loan/i")
        self.assertEqual((told["messages"], told["tried_anew"]),
                         ({"spam": 3, "ham": 3, "other": 0}, True))
        rule, = told["rules"]
        self.assertEqual([rule[name] for name in ("name", "kind", "hits", "spam", "ham")],
                         ["TYPED", "body", 3, 2, 1])
        self.assertAlmostEqual(rule["precision"], 200 / 3)
        self.assertEqual([(hit["said"], hit["message"].rsplit("/", 1)[1], hit["evidence"])
                          for hit in told["hits"]],
                         [("ham", "box:1", "cheap loan"), ("spam", "1:2,S", "CHEAP LOAN"),
                          ("spam", "2:2,", "cheap loan")])
        self.assertEqual(self.tried("/tmp/")["rules"][0]["name"], "TYPED")  # no file
        self.assertEqual(self.tried("rawbody X /^From what/m")["rules"][0]["ham"], 1)
        self.assertEqual(self.tried("header X Subject =~ /^s$/")["rules"][0]["hits"], 6)

    def test_rules_of_the_files_at_hand_are_tried_with_what_they_name(self):
        both, = self.tried("BOTH")["rules"]
        self.assertEqual((both["spam"], both["ham"]), (1, 0))
        file = self.weir.folder / "new.rules"
        file.write_text("meta MORE CHEAP_LOAN || __MONEY\nscore MORE 1\nbody DAY /good day/\n")
        told = {rule["name"]: rule for rule in self.tried(file)["rules"]}
        self.assertEqual({name: (rule["spam"], rule["ham"]) for name, rule in told.items()},
                         {"MORE": (2, 1), "DAY": (0, 1)})

    def test_people_see_good_mail_first_and_no_more_than_they_asked_for(self):
        said = self.weir.ctl("rules", "test", "CHEAP_LOAN", "--spam", self.spam, "--ham", self.ham,
                             self.ham / "box", "--most", "2")
        lines = said.splitlines()
        self.assertRegex(lines[0], r"^rule +kind +hits +spam +% spam +ham")
        self.assertRegex(lines[1], r"^CHEAP_LOAN +body +4 +2 +66\.7 +1 +33\.3 +1 +66\.7")
        self.assertRegex(lines[2], r"^tried on 3 spam, 3 good and 3 other messages in \d+\.\d\d s$")
        self.assertTrue(lines[3].startswith("  ham ") and lines[4].startswith("  spam "))
        self.assertEqual(lines[5:], ["  and 2 more: --most 4"])

    def test_what_is_wrong_is_told(self):
        for words, code, why in (
                (["body X /(/", self.spam], 65, "the rule:1: "),
                (["NOBODY", self.spam], 1, "typed"),
                (["/x/", self.folder / "none"], 66, "No such file"),
                (["/x/", "--recent", self.spam], 64, "--recent, or files"),
                (["/x/", "--sort", "colour"], 64, "--sort"), ([], 64, "missing")):
            with self.subTest(words):
                done = self.weir.ctl("rules", "test", *words, check=False)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(why, done.stderr)


if __name__ == "__main__":
    harness.main()

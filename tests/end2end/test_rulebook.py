#!/usr/bin/env python3
"""The rulebook: rules come into the monitor's database, people change them, the analyzer changes
them by what they hit, and every change is told with who and why."""
import base64
import concurrent.futures
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import ctl_help
import harness
import milter
import monitor
import rig
from test_monitor import World
from test_monitor_hits import LOAN, WIN, Deciding

RULES = """\
body     CHEAP_LOAN /cheap loan/i
score    CHEAP_LOAN 2.5
describe CHEAP_LOAN Offers money
header   SUBJECT_WIN Subject =~ /you have won/i
score    SUBJECT_WIN 1.5
body     __MONEY /\\bmoney\\b/
meta     MUCH_MONEY __MONEY && CHEAP_LOAN
score    MUCH_MONEY 0.5
state    MUCH_MONEY test
"""


MONTH = [f"INSERT INTO hits_days VALUES ({time.time() // 86400 - day}, -1, 9, 0, 9, 0)"
         for day in range(31)]  # of mail on each day


def stamp(days):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86400))


class Book(ctl_help.Help, World):
    """A monitor and weirctl."""

    verbs = [f"rules {verb}" for verb in ("add", "set", "retire", "enable", "approve", "lock",
                                          "history", "export", "list")] + ["analyze"]

    def setUp(self):
        super().setUp()
        self.monitor_with()
        self.file = self.folder / "some.rules"
        self.file.write_text(RULES)

    def good(self, *words):
        return self.monitor.weir.ctl(*words)

    def bad(self, *words, code):
        done = self.monitor.weir.ctl(*words, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr

    def book(self, *words):
        return {rule["name"]: rule
                for rule in json.loads(self.good("rules", "list", "--book", "--json", *words))}

    def history(self, *words):
        return json.loads(self.good("rules", "history", "--json", *words))

    def test_B2_rule_files_come_into_tables_and_out_again(self):
        self.assertEqual(self.good("rules", "add", self.file),
                         "4 rules added, 0 changed; the rulebook has 4\n")
        row, = self.monitor.rows("SELECT * FROM rules WHERE name = 'CHEAP_LOAN'")
        self.assertEqual((row["kind"], row["state"], row["score"], row["base"]),
                         ("body", "active", 2.5, 2.5))
        self.assertEqual(row["text"],
                         "body CHEAP_LOAN /cheap loan/i\ndescribe CHEAP_LOAN Offers money\n")
        self.assertEqual(self.good("rules", "add", self.file),
                         "0 rules added, 0 changed; the rulebook has 4\n")
        out = self.folder / "out.rules"
        self.good("rules", "export", "--output", out)
        ids = {row["name"]: row["id"] for row in self.monitor.rows("SELECT id, name FROM rules")}
        other = monitor.Monitor(self.folder, "other")
        self.addCleanup(self.end, other.process)
        other.weir.ctl("rules", "add", out)
        self.assertEqual(other.weir.ctl("rules", "export"), out.read_text())
        self.assertEqual({row["name"]: row["id"] for row in
                          other.rows("SELECT id, name FROM rules")}, ids)

    def kept(self, of):
        return {row["name"]: row for row in of.rows(
            "SELECT id, name, kind, text, state, score, base, low, high, approved FROM rules")}

    def test_what_people_set_goes_with_an_export(self):
        self.file.write_text(RULES + "score SUBJECT_WIN 1.25\nbase SUBJECT_WIN 2.35\n"
                             "body A_DRAFT /draft/\nstate A_DRAFT draft\napproved A_DRAFT yes\n"
                             "body LOCKED /locked/\nstate LOCKED draft\n")
        self.good("rules", "add", self.file)
        self.good("rules", "set", "CHEAP_LOAN", "low=-0.5", "high=3.1")
        self.good("rules", "approve", "MUCH_MONEY")
        self.good("rules", "lock", "LOCKED")  # of a draft, which nobody approved
        self.good("rules", "retire", "SUBJECT_WIN")
        before = self.kept(self.monitor)
        self.assertEqual([(before[name]["state"], before[name]["approved"]) for name in
                          ("MUCH_MONEY", "LOCKED", "SUBJECT_WIN", "A_DRAFT")],
                         [("test", 1), ("locked", 0), ("retired", 1), ("draft", 1)])
        self.assertEqual((before["SUBJECT_WIN"]["score"], before["SUBJECT_WIN"]["base"]),
                         (1.25, 2.35))
        out = self.folder / "out.rules"
        self.good("rules", "export", "--output", out)
        self.assertNotIn("base CHEAP_LOAN", out.read_text())  # its score says so
        other = monitor.Monitor(self.folder, "other")
        self.addCleanup(self.end, other.process)
        other.weir.ctl("rules", "add", out, "--reason", "moved")
        self.assertEqual(self.kept(other), before)
        self.assertEqual(other.weir.ctl("rules", "export"), out.read_text())
        self.assertEqual(other.weir.ctl("rules", "add", out),
                         "0 rules added, 0 changed; the rulebook has 6\n")
        told = [(c["name"], c["to"], c["who"], c["why"]) for c in json.loads(
            other.weir.ctl("rules", "history", "--json")) if c["what"] == "approved"]
        self.assertIn(("MUCH_MONEY", "yes", "uid 0", "moved"), told)

    def test_what_only_a_rulebook_knows_can_be_added_and_is_in_history(self):
        self.good("rules", "add", self.file)
        self.file.write_text("base CHEAP_LOAN 3\nbounds CHEAP_LOAN -1 100\n"
                             "approved MUCH_MONEY yes\n")
        self.assertIn("0 rules added, 2 changed", self.good("rules", "add", self.file))
        self.assertEqual({(c["name"], c["what"], c["from"], c["to"], c["who"])
                          for c in self.history() if c["what"] != "added"},
                         {("CHEAP_LOAN", "base", "2.50", "3.00", "uid 0"),
                          ("CHEAP_LOAN", "bounds", "0.00 to 0.00", "-1.00 to 100.00", "uid 0"),
                          ("MUCH_MONEY", "approved", "no", "yes", "uid 0")})
        self.file.write_text("bounds CHEAP_LOAN -1 100.01\nbase CHEAP_LOAN\n"
                             "approved CHEAP_LOAN maybe\n")
        said = self.bad("rules", "add", self.file, code=65)
        for line in (1, 2, 3):
            self.assertIn(f"{self.file}:{line}: ", said)

    def test_B2_everything_wrong_is_told_with_its_line_and_nothing_is_stored(self):
        self.good("rules", "add", self.file)
        wrong = self.folder / "wrong.rules"
        wrong.write_text("body FINE /fine/\nscore FINE 1\nbody BROKEN /(/\nscore BROKEN 1\n"
                         "meta LOST NOBODY && FINE\nscore LOST 1\n")
        said = self.bad("rules", "add", wrong, code=65)
        self.assertIn(f"{wrong}:3: ", said)
        self.assertIn(f"{wrong}:5: ", said)
        self.assertIn("nothing was changed", said)
        wrong.write_text("nonsense\nbody 7 /x/\n")
        said = self.bad("rules", "add", wrong, code=65)
        self.assertIn(f"{wrong}:1: ", said)
        self.assertIn(f"{wrong}:2: ", said)
        self.assertEqual(len(self.book()), 4)
        self.bad("rules", "add", self.folder / "none.rules", code=66)

    def test_B5_a_formula_may_name_what_is_there_and_numbers_stay(self):
        self.good("rules", "add", self.file)
        before = {name: rule["id"] for name, rule in self.book().items()}
        more = self.folder / "more.rules"
        more.write_text("meta BOTH CHEAP_LOAN && SUBJECT_WIN\nscore BOTH 1\n"
                        "score CHEAP_LOAN 3\n")
        self.assertEqual(self.good("rules", "add", more, "--state", "test"),
                         "1 rules added, 1 changed; the rulebook has 5\n")
        after = self.book()
        self.assertEqual({name: after[name]["id"] for name in before}, before)
        self.assertEqual((after["BOTH"]["state"], after["CHEAP_LOAN"]["state"],
                          after["CHEAP_LOAN"]["score"]), ("test", "active", 3))

    def test_one_line_about_a_rule_that_is_there_is_done_or_refused(self):
        self.good("rules", "add", self.file)
        number = self.book()["CHEAP_LOAN"]["id"]
        for line, what, now in (("describe CHEAP_LOAN Hello", "text", None),
                                ("tflags CHEAP_LOAN nice", "text", None),
                                ("state CHEAP_LOAN draft", "state", "draft"),
                                ("score CHEAP_LOAN 3", "score", 3)):
            with self.subTest(line):
                self.file.write_text(line + "\n")
                self.assertEqual(self.good("rules", "add", self.file),
                                 "0 rules added, 1 changed; the rulebook has 4\n")
                self.assertIn(what, [c["what"] for c in self.history("--most", "2")])
                rule = self.book()["CHEAP_LOAN"]
                self.assertIn(line if now is None else "describe", rule["text"])
                self.assertEqual(rule[what], now or rule[what])
                self.assertIn(" 0 changed", self.good("rules", "add", self.file))
        self.file.write_text(f"id CHEAP_LOAN {number}\n")
        self.assertIn(" 0 changed", self.good("rules", "add", self.file))
        self.file.write_text("# a remark\nid CHEAP_LOAN 77\n")
        self.assertIn(f"{self.file}:2: CHEAP_LOAN has the id {number}, which stays",
                      self.bad("rules", "add", self.file, code=65))
        self.file.write_text("state NOBODY draft\n")
        self.assertIn(f"{self.file}:1: rule NOBODY has no test",
                      self.bad("rules", "add", self.file, code=65))
        self.file.write_text("state SUBJECT_WIN draft\ndescribe CHEAP_LOAN Loans\n")
        self.good("rules", "add", self.file, "--state", "locked")  # whatever the file says
        book = self.book()
        self.assertEqual((book["SUBJECT_WIN"]["state"], book["CHEAP_LOAN"]["state"]),
                         ("locked", "draft"))

    def test_B17_people_change_rules_and_history_says_who_and_why(self):
        self.good("rules", "add", self.file, "--reason", "our own")
        self.assertEqual(self.good("rules", "set", "CHEAP_LOAN", "score=3.25", "high=4",
                                   "--reason", "more of them"), "CHEAP_LOAN is changed\n")
        self.assertEqual(self.good("rules", "set", "CHEAP_LOAN", "score=3.25"),
                         "CHEAP_LOAN was so already\n")
        self.good("rules", "retire", "SUBJECT_WIN")
        self.good("rules", "lock", str(self.book()["MUCH_MONEY"]["id"]))
        book = self.book()
        self.assertEqual((book["CHEAP_LOAN"]["score"], book["CHEAP_LOAN"]["base"],
                          book["CHEAP_LOAN"]["high"]), (3.25, 3.25, 4))
        self.assertEqual((book["SUBJECT_WIN"]["state"], book["MUCH_MONEY"]["state"]),
                         ("retired", "locked"))
        self.good("rules", "enable", "SUBJECT_WIN")
        self.assertEqual(self.book()["SUBJECT_WIN"]["state"], "active")
        changes = [(c["what"], c["from"], c["to"], c["why"]) for c in
                   self.history("CHEAP_LOAN")]
        self.assertIn(("score", "2.50", "3.25", "more of them"), changes)
        self.assertIn(("bounds", "0.00 to 0.00", "0.00 to 4.00", "more of them"), changes)
        self.assertEqual((changes[-1][0], changes[-1][3]), ("added", "our own"))
        self.assertEqual({c["who"] for c in self.history()}, {"uid 0"})
        self.assertRegex(self.good("rules", "history", "SUBJECT_WIN", "--most", "1"),
                         r"^\S+ +SUBJECT_WIN: state retired -> active, by uid 0\n$")
        self.assertEqual(len(self.monitor.rows("SELECT * FROM audit WHERE what = 'rules set'")), 4)

    def test_one_rule_is_shown_as_it_is_written(self):
        self.good("rules", "add", self.file)
        text = self.good("rules", "export", "SUBJECT_WIN")
        self.assertEqual(text.splitlines()[0], "header SUBJECT_WIN Subject =~ /you have won/i")
        self.assertEqual(text, self.good("rules", "export", str(self.book()["SUBJECT_WIN"]["id"])))
        self.bad("rules", "export", "NOBODY", code=1)

    def test_WEIR_RULES_TOLD_MAX_errors_are_told_and_the_rest_counted(self):
        self.file.write_text("nonsense\n" * 1001)
        said = self.bad("rules", "add", self.file, code=65)
        self.assertEqual(said.count(": "), 1000 + said.count("weirctl: ") + 1, said[-300:])
        self.assertIn("and 1 more\n", said)

    def test_WEIR_ADMIN_BODY_MAX_is_the_most_that_is_heard(self):
        status, answer = self.monitor.try_to("rules add", files=[], pad="x" * (64 << 20))
        self.assertEqual((status, answer), (400, {"error": "that is no JSON object, or too long"}))
        status, answer = self.monitor.try_to("rules add", files=[], pad="x" * ((64 << 20) - 60))
        self.assertEqual((status, answer), (200, {"added": 0, "changed": 0, "kept": 0, "beyond": 0,
                                                "rules": 0, "names": {"changed": [], "kept": [],
                                                                      "beyond": []}}))

    def test_B32_a_draft_is_approved_into_the_test(self):
        self.good("rules", "add", self.file, "--state", "draft")
        self.good("rules", "approve", "CHEAP_LOAN")
        self.assertEqual([(rule["state"], rule["approved"]) for rule in
                          (self.book()["CHEAP_LOAN"], self.book()["SUBJECT_WIN"])],
                         [("test", True), ("draft", False)])

    def test_what_is_retired_or_locked_is_not_approved(self):
        self.good("rules", "add", self.file)
        self.assertEqual(self.good("rules", "approve", "SUBJECT_WIN"),
                         "SUBJECT_WIN was so already\n")
        for verb, state in (("retire --force", "it is retired"), ("lock", "it is locked")):
            self.good("rules", *verb.split(), "CHEAP_LOAN")
            before = self.kept(self.monitor)
            self.assertIn(state, self.bad("rules", "approve", "CHEAP_LOAN", code=65))
            self.assertEqual(self.kept(self.monitor), before)
        self.assertEqual(self.monitor.ask("rules set", name="CHEAP_LOAN", state="test",
                                          approved=True)["changed"], True)

    def test_what_formulas_at_work_name_is_retired_by_who_insists_only(self):
        self.file.write_text("body PART /part/\nbody OTHER /other/\n" + "".join(
            f"meta SUM{n} OTHER && PART{' + PART' * n} > 0\n" for n in range(9)) +
            "meta IDLE PART\nstate IDLE draft\nmeta ALIKE PARTY\nbody PARTY /s/\n")
        self.good("rules", "add", self.file)
        before = self.kept(self.monitor)
        names = ", ".join(f"SUM{n}" for n in range(9))
        for words in (["retire", "PART"], ["set", "PART", "state=draft"]):
            said = self.bad("rules", *words, code=65)
            found = said.split("without it: ")[1].split(";")[0].removesuffix(" and 1 more")
            self.assertLess(set(found.split(", ")), set(names.split(", ")), said)
            self.assertEqual(len(found.split(", ")), 8)
            self.assertIn("force does it", said)
        self.assertEqual(self.kept(self.monitor), before)
        self.good("rules", "set", "PART", "state=test")
        self.good("rules", "retire", "ALIKE")
        self.good("rules", "retire", "PARTY")
        self.assertRegex(self.good("rules", "retire", "PART", "--force"),
                         r"^PART is retired: .*\nthese formulas say another thing without it: SUM")
        self.assertEqual(self.book()["PART"]["state"], "retired")
        self.assertEqual(self.good("rules", "retire", "PART"), "PART was so already\n")

    def test_more_points_than_one_rule_may_have_are_told(self):
        said = "has more points than one rule may have"
        self.file.write_text("body MOST /a/\nscore MOST 3.5\nbody MORE /b/\nscore MORE 3.51\n"
                             "body LESS /c/\nscore LESS -3.51\nbody IDLE /d/\nscore IDLE 9\n"
                             "state IDLE draft\n")
        told = self.good("rules", "add", self.file)
        self.assertEqual([line.split(":")[0] for line in told.splitlines() if said in line],
                         ["MORE", "LESS"], told)
        self.assertNotIn(said, self.good("rules", "set", "MOST", "score=-3.5"))
        self.assertIn(said, self.good("rules", "set", "MOST", "score=3.6"))
        self.assertNotIn(said, self.good("rules", "set", "MOST", "high=3.6"))
        self.assertNotIn(said, self.good("rules", "lock", "MORE"))

    def test_what_is_none_is_refused(self):
        self.good("rules", "add", self.file)
        self.bad("rules", "set", "NOBODY", "score=1", code=1)
        self.bad("rules", "history", "NOBODY", code=1)
        for words in ([], ["--book"]):
            self.assertIn("there is no rule NOBODY in the rulebook",
                          self.bad("rules", "show", "NOBODY", *words, code=1))
        for words in (["score=much"], ["score="], ["score=nan"], ["colour=1"], ["state=lost"]):
            with self.subTest(words):
                self.bad("rules", "set", "CHEAP_LOAN", *words, code=64)
        self.assertIn("-100..100", self.bad("rules", "set", "CHEAP_LOAN", "score=101", code=65))
        self.assertIn("-100..0", self.bad("rules", "set", "CHEAP_LOAN", "low=1", code=65))
        self.bad("rules", "list", "--state", "lost", code=64)
        self.bad("rules", "list", "--book", "--where", "hits", code=64)
        self.bad("rules", "list", "--book", "--sort", "colour", code=64)
        self.bad("analyze", "--now", "tomorrow", code=64)

    def test_B7_B8_what_is_idle_for_31_days_is_retired_and_stays_in_the_book(self):
        self.good("rules", "add", self.file)
        self.assertIn("nothing changes: 4 rules", self.good("analyze", "--now", stamp(29)))
        said = self.good("analyze", "--now", stamp(31.01), "--dry-run")
        self.assertIn("2 of 4 rules would change", said)
        self.assertEqual(self.book()["CHEAP_LOAN"]["state"], "active")
        said = self.good("analyze", "--now", stamp(31.01))
        self.assertIn("SUBJECT_WIN: active -> retired: no mail has hit it for too long: 31 days, "
                      "and never before", said)
        self.assertIn("2 of 4 rules changed", said)
        self.assertEqual(self.book()["CHEAP_LOAN"]["state"], "active")  # MUCH_MONEY named it
        said = self.good("analyze", "--now", stamp(31.01))
        self.assertIn("CHEAP_LOAN: active -> retired", said)
        self.assertIn("1 of 4 rules changed", said)
        self.assertEqual({name: rule["state"] for name, rule in self.book().items()},
                         {"CHEAP_LOAN": "retired", "SUBJECT_WIN": "retired",
                          "MUCH_MONEY": "retired", "__MONEY": "active"})
        self.assertEqual(set(self.book("--state", "retired")),
                         {"CHEAP_LOAN", "SUBJECT_WIN", "MUCH_MONEY"})
        self.assertIn("nothing changes", self.good("analyze", "--now", stamp(31)))

    def test_B8_the_period_is_a_setting(self):
        self.monitor.weir.configure(analyzer={"idle": "60d"})
        self.monitor.stop()
        self.monitor.start()
        self.good("rules", "add", self.file)
        self.assertIn("nothing changes", self.good("analyze", "--now", stamp(59)))
        self.assertIn("2 of 4", self.good("analyze", "--now", stamp(61)))

    def test_two_runs_at_once_are_one_after_the_other(self):
        self.good("rules", "add", self.file)
        words = [rig.BUILD / "weirctl", "-c", self.monitor.weir.conf, "analyze", "--now",
                 stamp(31)]
        runs = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        said = [run.communicate(timeout=60)[0] for run in runs]
        self.assertEqual([run.returncode for run in runs], [0] * 4)
        self.assertEqual(sum("2 of 4 rules changed" in text for text in said), 1)
        self.assertEqual(sum("1 of 4 rules changed" in text for text in said), 1)
        self.assertEqual(len([c for c in self.history() if c["what"] == "state"]), 3)


class Learned(Deciding):
    """The same with two mail servers, whose decisions are counted."""

    def setUp(self):
        super().setUp()
        file = self.monitor.weir.folder / "book.rules"
        file.write_text(milter.RULES)
        self.ctl("rules", "add", file)

    def ctl(self, *words):
        return self.monitor.weir.ctl(*words)

    def rule(self, name):
        return next(rule for rule in json.loads(self.ctl("rules", "list", "--book", "--json"))
                    if rule["name"] == name)

    def test_B4_B18_what_servers_hit_stands_beside_the_rules(self):
        self.wait_for(self.some_of_each())
        loan = self.rule("CHEAP_LOAN")
        self.assertEqual([loan[word] for word in ("hits", "spam", "ham", "false_positives")],
                         [5, 5, 0, 0])
        self.assertIsNotNone(loan["last_hit"])
        self.assertIsNotNone(loan["last_updated"])
        shown = json.loads(self.ctl("rules", "list", "--book", "--json", "--sort", "-hits",
                                    "--where", "hits>1,ham<1,spam>4", "--most", "1"))
        self.assertEqual([rule["name"] for rule in shown], ["CHEAP_LOAN"])
        rig.wait_for(lambda: len(self.monitor.rows("SELECT * FROM messages")) == 9, 20,
                     "nine messages")
        joined = self.monitor.rows(
            "SELECT rules.name, count(*) AS n FROM rules JOIN message_hits ON rule = rules.id "
            "JOIN messages ON messages.number = message GROUP BY rules.name ORDER BY n DESC")
        self.assertEqual((joined[0]["name"], joined[0]["n"]), ("CHEAP_LOAN", 5))
        sums = self.monitor.rows("SELECT score, total(points) AS points FROM messages "
                                 "LEFT JOIN message_hits ON message = number GROUP BY number")
        for row in sums:
            self.assertAlmostEqual(row["score"], row["points"], 2)

    def test_B8_a_rule_that_was_hit_is_idle_from_then_on(self):
        time.sleep(1.1)  # decisions know whole seconds
        self.judge(self.mx1, b"hello", b"a cheap loan")
        self.wait_for({LOAN: (1, 1, 0)})
        self.assertIn("CHEAP_LOAN: active -> retired: no mail has hit it for too long: 31 days "
                      "since the last hit", self.ctl("analyze", "--now", stamp(31.01)))

    def test_B8_a_month_without_any_mail_retires_nothing(self):
        self.change_database("UPDATE rules SET since = since - 40 * 86400000000")
        self.assertIn("nothing changes", self.ctl("analyze"))
        self.ctl("publish")
        self.assertEqual(len(self.ctl("rules", "list", "--book", "--state", "active").splitlines()),
                         len(self.ctl("rules", "list", "--book").splitlines()))
        self.assertIn("retired", self.ctl("analyze", "--dry-run", "--now", stamp(0)))
        self.change_database(*MONTH)
        self.assertIn("active -> retired", self.ctl("analyze"))

    def change_database(self, *statements):
        """What took a month, or a person's report, in the database of a monitor that rests."""
        self.monitor.stop()
        with sqlite3.connect(self.monitor.weir.folder / "spam.db") as database:
            for statement in statements:
                database.execute(statement)
        database.close()
        self.monitor.start()

    def test_B1_what_is_counted_moves_a_score_and_history_says_why(self):
        self.judge(self.mx1, b"you have won", b"a cheap loan", 105)
        self.judge(self.mx2, b"hello", b"nothing", 105)
        self.wait_for({WIN: (105, 105, 0)})
        rig.wait_for(lambda: self.told()["good"] == 210, 20, "all of them")
        self.assertNotIn("SUBJECT_WIN", self.ctl("analyze"))  # its 3.5 points are borne out
        self.ctl("rules", "set", "SUBJECT_WIN", "score=1")
        said = self.ctl("analyze")
        self.assertIn("SUBJECT_WIN: +1.00 -> +1.50: it hit 105 of 105 spam and 0 of 105 good "
                      "messages lately, which is worth 2.12 to 5.37; its author gave it 1.00",
                      said)
        self.assertEqual(self.rule("SUBJECT_WIN")["score"], 1.5)
        change, *_ = json.loads(self.ctl("rules", "history", "SUBJECT_WIN", "--json"))
        self.assertEqual((change["what"], change["from"], change["to"], change["who"]),
                         ("score", "1.00", "1.50", "analyzer for uid 0"))
        self.assertIn("it hit 105 of 105 spam", change["why"])

    def test_B33_three_reports_of_good_mail_put_a_rule_to_the_test(self):
        self.judge(self.mx1, b"hello", b"a cheap loan", 3)
        rig.wait_for(lambda: len(self.monitor.rows("SELECT * FROM messages")) == 3, 20,
                     "three messages")
        vote = ("INSERT INTO reports (time, server, user, name, told, way, kind, state, came, "
                "vote, weight, uid, verdict, score, address, domain, info) "
                "SELECT reported_at, 1, {}, '', '', 'pipe', 'ham', 'valid', 'counted', 1, 1, uid, "
                "verdict, score, '', domain, '' FROM messages WHERE number {} 2")
        self.change_database("UPDATE messages SET reported = 'ham', "
                             "reported_at = 1000000 * unixepoch()", vote.format(7, "<="))
        self.assertIn("nothing changes", self.ctl("analyze"))  # one person alone
        self.change_database(vote.format(8, ">"))
        self.assertIn("CHEAP_LOAN: active -> test: people reported good mail that it hit: 3 within "
                      "7 days", self.ctl("analyze"))
        self.assertEqual((self.rule("CHEAP_LOAN")["state"], self.rule("CHEAP_LOAN")["approved"]),
                         ("test", False))
        for words in (("rules", "enable", "CHEAP_LOAN"), ("analyze",)):
            self.ctl(*words)  # a person has looked at it
        self.assertEqual(self.rule("CHEAP_LOAN")["state"], "active")

    def test_B33_a_rule_that_a_person_corrects_begins_anew(self):
        def proven():
            row, = self.monitor.rows("SELECT spam_decayed > 4 AS much, hits FROM hits "
                                     "WHERE rule = 102")
            return row["much"], row["hits"]

        file = self.folder / "corrected.rules"
        file.write_text("header SUBJECT_WIN Subject =~ /you have won it/\n")
        for hits, words in ((5, ("rules", "enable", "SUBJECT_WIN")), (10, ("rules", "add", file))):
            self.judge(self.mx1, b"you have won", b"a cheap loan", 5)
            rig.wait_for(lambda: self.monitor.rows("SELECT * FROM hits") and
                         proven() == (1, hits), 20, "what it has proven")
            if hits == 5:
                self.ctl("rules", "retire", "SUBJECT_WIN")
                self.assertEqual(proven(), (1, 5))
            self.ctl(*words)
            self.assertEqual(proven(), (0, hits))

    def ten_more(self):
        """Statements that make eleven of a message of 4.8 points."""
        for number in range(1, 11):
            yield ("INSERT INTO messages (uid, time, server, address, domain, verdict, score, "
                   f"serial) SELECT {number}, time, server, address, domain, verdict, score, "
                   "serial FROM messages WHERE score = 4.8 LIMIT 1")
            yield "INSERT INTO message_hits SELECT max(number), 102, 1.5 FROM messages"

    def test_B16_a_change_that_would_make_good_mail_spam_is_refused(self):
        self.judge(self.mx1, b"you have won", b"a cheap loan", 105)
        self.judge(self.mx2, b"hello", b"nothing", 105)
        self.judge(self.mx2, b"you have won", b"nothing")  # 3.5 points: unsure
        rig.wait_for(lambda: self.told()["good"] == 211, 20, "all of them")
        self.ctl("rules", "set", "SUBJECT_WIN", "score=1.5")
        self.change_database("UPDATE messages SET score = 4.8 "
                             "WHERE number IN (SELECT message FROM message_hits WHERE rule = 102) "
                             "AND score = 3.5",
                             "UPDATE message_hits SET points = 1.5 WHERE rule = 102",
                             *self.ten_more())
        said = self.ctl("analyze")
        self.assertRegex(said, r"SUBJECT_WIN: \+1.50 -> \+2.00: .*; refused, because message "
                         r"[0-9a-f]{16} would become spam, and nobody said it is")
        self.assertEqual(self.rule("SUBJECT_WIN")["score"], 1.5)
        self.change_database("UPDATE messages SET reported = 'spam' WHERE number = "
                             "(SELECT max(number) FROM messages WHERE score = 4.8)")
        self.ctl("analyze")  # ten are few beside 105
        self.assertEqual(self.rule("SUBJECT_WIN")["score"], 2)

    def test_B7_the_analyzer_runs_by_its_schedule(self):
        self.ctl("analyze")
        self.change_database("UPDATE rules SET since = since - 31 * 86400 * 1000000", *MONTH,
                             "UPDATE state SET value = 1 WHERE name = 'analyzer_stored'")
        rig.wait_for(lambda: self.rule("CHEAP_LOAN")["state"] == "retired", 20, "a run")
        change, *_ = json.loads(self.ctl("rules", "history", "CHEAP_LOAN", "--json"))
        self.assertEqual(change["who"], "analyzer")
        rig.wait_for(lambda: "analyzer: 3 of 3 rules changed" in self.monitor.log(), 10,
                     "a line in the log")


class Waiting(World):
    """A run that takes as long as the test wants: its list of suffixes is a pipe."""

    def setUp(self):
        super().setUp()
        self.suffixes = self.folder / "suffixes"
        self.suffixes.write_text("com\nexample\n")
        self.monitor_with(weir={"log": "stderr", "suffix_list": self.suffixes})
        self.suffixes.unlink()
        os.mkfifo(self.suffixes, 0o644)

    def open_pipe(self):
        """Once the run reads; it goes on reading until this is closed."""
        try:
            return os.open(self.suffixes, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return None

    def test_the_door_answers_while_a_run_goes_on(self):
        rules = base64.b64encode(b"body A /a/\nscore A 1\n").decode()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            run = pool.submit(self.monitor.ask, "analyze")
            pipe = rig.wait_for(self.open_pipe, 20, "the run to read")
            try:
                self.assertIn("lines", self.monitor.ask("status"))
                self.monitor.ask("block", prefix="192.0.2.44", list="blacklist",
                                 ends=int(time.time()) + 3600, reason="an attack")
                self.monitor.ask("rules add", files=[{"name": "a.rules", "base64": rules}])
                self.monitor.ask("rules set", name="A", score=2)
                self.assertFalse(run.done())
            finally:
                os.close(pipe)
            self.assertTrue(run.result(20)["stored"])
        self.assertEqual(self.monitor.rows("SELECT score FROM rules")[0]["score"], 2)


if __name__ == "__main__":
    harness.main()

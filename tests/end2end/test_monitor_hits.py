#!/usr/bin/env python3
"""What servers decided about messages comes to the monitor, and what rules hit is counted there,
each decision once."""
import json
import pathlib
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import milter
import rig
from test_monitor import World

LOAN, WIN = 101, 102
LIE = """\
body CHEAP_LOAN /./
score CHEAP_LOAN 0.5
id CHEAP_LOAN 101
"""


class Deciding(World):
    """Two servers with a milter each, and a monitor that has their key."""

    def setUp(self):
        super().setUp()
        self.world()
        self.key = self.monitor.weir.folder / "info.key"
        for number, server in enumerate((self.mx1, self.mx2), 1):
            self.decide_with(server, number)
        milter.write_rules(self.monitor.weir)

    def decide_with(self, server, number, rules=milter.RULES):
        shutil.copy(self.key, server.weir.folder / "info.key")
        server.weir.configure(info={"server": number})
        milter.write_rules(server.weir, rules)
        server.milter = milter.Milter(server.weir)
        self.addCleanup(self.end, server.milter.process)

    def judge(self, server, subject, body, times=1):
        for _ in range(times):
            with milter.Client(server.milter.path) as link:
                link.hand_over([(b"From", b"ann@client.example"), (b"Subject", subject)],
                               body + b"\r\n")
                link.outcome()

    def counted(self):
        """By rule: (hits, spam, ham)."""
        return {row["rule"]: (row["hits"], row["spam"], row["ham"])
                for row in self.monitor.rows("SELECT * FROM hits")}

    def told(self):
        return self.monitor.ask("status")["messages"]

    def wait_for(self, want):
        rig.wait_for(lambda: {k: self.counted().get(k) for k in want} == want, 30,
                     f"{want}, not {self.counted()}")

    def some_of_each(self):
        self.judge(self.mx1, b"hello", b"a cheap loan", 3)            # 6 points: spam by it alone
        self.judge(self.mx2, b"you have won", b"a cheap loan", 2)     # 9.5
        self.judge(self.mx2, b"hello", b"nothing", 4)
        return {LOAN: (5, 5, 0), WIN: (2, 2, 0)}


class Hits(Deciding):
    """What comes of decisions."""

    def lines_of_mx1(self):
        return [line for path in self.mx1.spool.iterdir()
                for line in path.read_text().splitlines() if " info=" in line]

    def test_B4_B15_B24_decisions_of_all_servers_are_counted_by_rule(self):
        want = self.some_of_each()
        self.wait_for(want)
        self.assertEqual(self.told()["good"], 9)
        stats = {rule["name"]: rule for rule in
                 json.loads(self.monitor.weir.ctl("rules", "stats", "--json"))["rules"]}
        self.assertEqual([stats["CHEAP_LOAN"][word] for word in ("hits", "spam", "ham", "score")],
                         [5, 5, 0, 6])
        self.assertEqual(stats["SUBJECT_WIN"]["false_positives"], 0)
        shown = self.monitor.weir.ctl("rules", "stats", "--sort", "-last", "--most", "1")
        self.assertIn("and 2 more: --most 3", shown)

    def test_B15_a_monitor_that_is_killed_counts_each_once(self):
        for _ in range(3):
            self.some_of_each()
            self.monitor.kill()
            self.judge(self.mx1, b"you have won", b"hello")  # 3.5 points: neither
            self.monitor.start()
        want = {LOAN: (15, 15, 0), WIN: (9, 6, 0)}
        self.wait_for(want)
        time.sleep(2)
        self.wait_for(want)

    def test_B20_what_is_copied_or_forged_changes_nothing(self):
        self.mx1.kill()
        self.judge(self.mx1, b"hello", b"a cheap loan")
        line, = rig.wait_for(self.lines_of_mx1, what="a line in the spool")
        self.mx1.start()
        self.wait_for({LOAN: (1, 1, 0)})
        self.mx2.write(line)
        self.mx1.write(line)
        self.mx1.write(line[:-8] + "AAAAAAAA")
        rig.wait_for(lambda: self.told()["bad"] == 1 and self.told()["foreign"] == 1 and
                     self.told()["repeated"] == 1, 20, f"three lines, not {self.told()}")
        time.sleep(1.5)
        self.assertEqual(self.counted()[LOAN], (1, 1, 0))

    def test_B20_a_server_with_another_key_is_named_for_as_long_as_it_lasts(self):
        self.mx1.kill()
        self.judge(self.mx1, b"hello", b"a cheap loan")
        line, = rig.wait_for(self.lines_of_mx1, what="a line in the spool")
        self.mx1.start()
        self.judge(self.mx2, b"hello", b"a cheap loan")
        self.wait_for({LOAN: (2, 2, 0)})
        status = self.monitor.weir.ctl("status", check=False)
        self.assertNotIn("decisions in the last hour", status.stdout)
        self.end(self.mx2.milter.process)
        (self.mx2.weir.folder / "info.key").write_text("1 " + "cd" * 32 + "\n")
        self.mx2.milter = milter.Milter(self.mx2.weir)
        self.addCleanup(self.end, self.mx2.milter.process)
        self.judge(self.mx2, b"hello", b"a cheap loan", 3)
        said = rig.wait_for(lambda: (text := self.monitor.weir.ctl("status", check=False).stdout)
                            and "decisions in the last hour" in text and text, 20, "its problem")
        what = r"\d of \d decisions in the last hour are signed with a key the monitor has not"
        self.assertRegex(said, rf"(?m)^PROBLEM    mx2: {what}, and count nowhere: \[info\] key_")
        self.assertEqual(said.count("decisions in the last hour"), 1)
        self.assertRegex(self.monitor.weir.ctl("server", "list"), f"mx2 .*, {what}")
        self.mx1.write(line[:-8] + "AAAAAAAA")
        rig.wait_for(lambda: "mx1: 1 of 2 decisions in the last hour are " in
                     self.monitor.weir.ctl("status", check=False).stdout, 20, "mx1's, too")
        self.assertEqual(self.monitor.log().count("since they are not believed"), 2)
        self.assertIn("decisions of mx2 about messages are not counted", self.monitor.log())

    def test_B20_what_comes_again_after_a_restart_is_known(self):
        self.mx1.kill()
        self.judge(self.mx1, b"you have won", b"a cheap loan", 3)
        lines = self.lines_of_mx1()
        self.mx1.start()
        self.wait_for({LOAN: (3, 3, 0)})
        for _ in range(2):
            self.monitor.stop()
            self.monitor.start()
            for line in lines:
                self.mx1.write(line)
            rig.wait_for(lambda: self.told()["repeated"] == 3, 20, f"all three, not {self.told()}")
        time.sleep(1.5)
        self.assertEqual(self.counted()[LOAN], (3, 3, 0))


class Lying(Deciding):
    """Three servers, one of which has rules of its own making."""

    def setUp(self):
        super().setUp()
        self.mx3 = self.server("mx3")
        self.decide_with(self.mx3, 3, LIE)
        book = self.monitor.weir.folder / "book.rules"
        book.write_text(milter.RULES.replace("score CHEAP_LOAN 6", "score CHEAP_LOAN 1.2"))
        self.monitor.weir.ctl("rules", "add", book)

    def shown(self):
        return json.loads(self.monitor.weir.ctl("rules", "show", "CHEAP_LOAN", "--json"))

    def test_B1_a_server_that_lies_does_not_move_a_score(self):
        spam = milter.GTUBE.encode() + b" cheap loan"
        for server in (self.mx1, self.mx2):
            self.judge(server, b"hello", spam, 60)
            self.judge(server, b"hello", b"nothing", 60)
        self.wait_for({LOAN: (120, 120, 0)})
        self.assertIsNone(self.shown()["evidence"]["bounded"])
        self.judge(self.mx3, b"hello", b"all the world", 300)
        self.wait_for({LOAN: (420, 120, 300)})
        said = self.monitor.weir.ctl("analyze")
        self.assertNotIn("CHEAP_LOAN", said)
        bounded = self.shown()["evidence"]["bounded"]
        self.assertEqual((bounded["server"], bounded["servers"]), ("mx3", 1))
        self.assertAlmostEqual(bounded["ham"], 20, 2)
        self.assertRegex(self.monitor.weir.ctl("rules", "show", "CHEAP_LOAN"),
                         r"\nbounded +mx3 told of 0\.0 spam and 300\.0 good messages of these, "
                         r"more than it may beside\n +the others: they count as 0\.0 and 20\.0\n")
        self.monitor.kill()
        self.monitor.start()
        self.assertAlmostEqual(self.shown()["evidence"]["bounded"]["ham"], 20, 2)
        self.monitor.weir.configure(analyzer={"server_share": 0})
        self.monitor.stop()
        self.monitor.start()
        self.assertIn("CHEAP_LOAN: +1.20 -> +0.70: ", self.monitor.weir.ctl("analyze"))


if __name__ == "__main__":
    harness.main()

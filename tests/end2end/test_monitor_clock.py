#!/usr/bin/env python3
"""A mail server and its monitor on one machine whose clock is a day ahead for some seconds."""
import json
import pathlib
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from monitor import clock_of, needs_clocks, set_clock
from test_monitor import BAD, OTHER, World
from test_monitor_hits import LOAN, WIN, Deciding

DAY, THIRD = 86400, "192.0.2.33"
YEAR = 365 * DAY


class Ahead(World):
    """The clock of both is a file's."""

    def step(self, seconds):
        set_clock(self.clock, seconds)
        self.away = seconds

    def saw(self, address, connections):
        self.mx1.saw(address, at=time.time() + self.away, connections=connections)

    def passes(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.mx1.write(f"at={time.time() + self.away:.6f} kind=health packets=1")
            time.sleep(0.3)

    def restart(self, process, start):
        process.stop()
        process.environment = clock_of(self.clock)
        start()

    def begin(self, **sections):
        needs_clocks()
        self.clock = self.folder / "clock"
        self.step(0)
        self.monitor_with(**sections)
        self.mx1 = self.server("mx1")
        self.restart(self.monitor.process, self.monitor.start)
        self.restart(self.mx1.process, self.mx1.start)

    def test_alerts_and_silences_of_a_clock_that_was_ahead_at_the_start_count_from_now_on(self):
        self.begin(monitor={"silence": "2s"})
        self.step(DAY)
        self.restart(self.monitor.process, self.monitor.start)
        self.passes(1)
        self.saw(BAD, 100)
        self.wait_for_event(BAD)
        self.monitor.ask("silence add", prefix=OTHER, ends=int(time.time()) + DAY + 60, reason="r")
        self.step(0)
        now = time.time() * 1e6

        def dated():
            return self.monitor.rows("SELECT unheard, ends FROM events, silences")[0]
        rig.wait_for(lambda: dated()["ends"] < now + 120e6, 10, "the silence to end in a minute")
        self.assertGreater(dated()["ends"], now)
        self.assertLess(dated()["unheard"], now + 60e6)

    def test_what_a_clock_dated_a_day_ahead_counts_from_now_on(self):
        self.begin(monitor={"silence": "2s"}, threshold={"ladder": "reject 1m"})
        self.passes(1)
        self.step(DAY)
        self.passes(1)
        self.saw(OTHER, 1)
        self.saw(BAD, 100)
        self.wait_for_event(BAD)
        self.passes(1)
        self.step(0)
        rig.wait_for(lambda: "the clock was put back by 864" in self.monitor.log(), 10, "its word")
        now = time.time()
        for row in self.monitor.rows("SELECT * FROM decisions"):
            self.assertLess(abs(row["ends"] / 1e6 - now - 60), 20)
        rig.wait_for(lambda: self.mx1.entry("blacklist", BAD), 10, "the block")
        self.assertLess(abs(self.monitor.events(BAD)[0]["raised"] / 1e6 - now), 20)
        self.passes(1)
        self.saw(OTHER, 100)  # whoever was heard of then is no better than others
        self.saw(THIRD, 100)
        self.wait_for_event(OTHER)
        self.wait_for_event(THIRD)
        rows = rig.wait_for(lambda: len(self.monitor.rows("SELECT * FROM decisions")) == 3 and
                            self.monitor.rows("SELECT * FROM decisions"), 10, "three blocks")
        for row in rows:
            self.assertLess(abs(row["ends"] / 1e6 - now - 60), 20)
        self.mx1.kill()
        rig.wait_for(lambda: self.monitor.ask("status")["blind"] == 1, 10, "it to be blind")

    def test_what_was_decided_by_a_clock_that_was_ahead_is_told_at_the_start(self):
        self.begin(threshold={"ladder": "reject 10m"})
        self.step(DAY)
        self.passes(1)
        self.saw(BAD, 100)
        rig.wait_for(lambda: self.monitor.rows("SELECT * FROM decisions"), 10, "the block")
        self.monitor.stop()
        self.step(0)
        self.monitor.start()
        self.assertIn("1 decisions are dated later than now", self.monitor.log())

    def test_a_server_seen_by_a_clock_that_was_ahead_is_blind_after_a_restart(self):
        self.begin(monitor={"silence": "2s"})
        self.step(DAY)
        rig.wait_for(lambda: self.monitor.rows("SELECT * FROM servers WHERE last_seen > ?",
                                               (time.time() + DAY / 2) * 1e6), 15, "it to be seen")
        self.mx1.kill()
        self.monitor.stop()
        self.step(0)
        self.monitor.start()
        rig.wait_for(lambda: self.monitor.ask("status")["blind_names"] == "mx1", 10,
                     "it to be blind")
        self.mx1.weir.folder.joinpath("agent.instance").unlink()  # a new one in its place
        self.mx1.start()
        rig.wait_for(lambda: self.monitor.ask("status")["blind"] == 0, 15, "it to be let in")


class Counted(Deciding):
    """What rules hit, when the clock of the monitor's machine is a year ahead."""

    def setUp(self):
        needs_clocks()
        super().setUp()
        self.clock = self.folder / "clock"
        set_clock(self.clock, 0)
        self.monitor.stop()
        self.monitor.process.environment = clock_of(self.clock)
        self.monitor.start()

    def evidence(self, name="CHEAP_LOAN"):
        return json.loads(self.monitor.weir.ctl("rules", "show", name, "--json"))["evidence"]

    def later(self):
        """What is dated later than an hour from now."""
        limit = int((time.time() + 3600) * 1e6)
        return {f"{table}.{column}": row["n"] for table, column in (
            ("hits", "last_hit"), ("hits", "first_hit"), ("hits", "at"), ("hits_all", "at"),
            ("hits_servers", "at"), ("messages", "time"), ("rules", "since"), ("rules", "updated"))
            for row in self.monitor.rows(f"SELECT count(*) AS n FROM {table} WHERE {column} > ?",
                                         limit) if row["n"] > 0}

    def add_rules(self):
        book = self.monitor.weir.folder / "book.rules"
        book.write_text("body CHEAP_LOAN /cheap loan/\nscore CHEAP_LOAN 1.2\nid CHEAP_LOAN 101\n")
        self.monitor.weir.ctl("rules", "add", book)

    def test_B4_a_clock_that_is_a_year_ahead_for_seconds_falsifies_nothing(self):
        spam = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X cheap loan"
        self.add_rules()
        self.judge(self.mx1, b"hello", spam, 40)
        self.wait_for({LOAN: (40, 40, 0)})
        set_clock(self.clock, YEAR)
        rig.wait_for(lambda: "was put forward by 31" in self.monitor.log(), 10, "its word")
        self.judge(self.mx1, b"you have won", b"nothing")
        self.wait_for({WIN: (1, 0, 0)})
        self.monitor.weir.ctl("rules", "set", "CHEAP_LOAN", "score=1.3")
        self.assertEqual(self.later(), {})
        set_clock(self.clock, 0)
        rig.wait_for(lambda: "the clock was put back by 31" in self.monitor.log(), 10, "its word")
        self.judge(self.mx1, b"hello", b"nothing")
        rig.wait_for(lambda: self.told()["good"] == 42, 20, "the last one")
        self.assertEqual(self.later(), {})
        row, = self.monitor.rows("SELECT * FROM hits WHERE rule = ?", LOAN)
        self.assertGreater(row["spam_decayed"], 39.9)
        said = self.evidence()
        self.assertGreater(said["all_spam"], 39.9, said)
        self.assertLess(said["all_ham"], 1.1, said)

    def test_B4_what_a_longer_one_left_in_the_database_is_of_now_after_a_start(self):
        self.add_rules()
        self.judge(self.mx1, b"you have won", b"a cheap loan", 5)
        self.wait_for({LOAN: (5, 5, 0)})
        self.monitor.stop()
        ahead, day = int((time.time() + YEAR) * 1e6), int(time.time()) // DAY + 365
        with sqlite3.connect(self.monitor.weir.folder / "spam.db") as database:
            for text in (f"UPDATE hits SET last_hit = {ahead}, at = {ahead} WHERE rule = {LOAN}",
                         f"UPDATE hits_all SET at = {ahead}", f"UPDATE hits_days SET day = {day}",
                         f"UPDATE hits_servers SET at = {ahead}",
                         f"UPDATE rules SET since = {ahead}, updated = {ahead}",
                         f"UPDATE messages SET time = {ahead}",
                         "INSERT OR REPLACE INTO state VALUES ('retained', "
                         f"{int(time.time() * 1e6)})"):
                database.execute(text)
        database.close()
        self.assertIn("messages.time", self.later())
        self.monitor.start()
        rig.wait_for(lambda: "were dated later than now: they are of now" in self.monitor.log(), 10,
                     "its word")
        rig.wait_for(lambda: self.later() == {}, 10, f"none to be later, not {self.later()}")
        self.assertEqual(self.monitor.rows("SELECT count(*) AS n FROM hits_days WHERE day >= ?",
                                           day)[0]["n"], 0)
        self.assertAlmostEqual(self.evidence()["all_spam"], 5, 2)
        self.judge(self.mx1, b"hello", b"nothing", 5)
        rig.wait_for(lambda: self.evidence()["all_ham"] > 4.9, 20, "what comes now to count")


if __name__ == "__main__":
    harness.main()

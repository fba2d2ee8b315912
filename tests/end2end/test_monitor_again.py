#!/usr/bin/env python3
"""A monitor that was stopped, killed or given other thresholds goes on where it was: events that
stood end, steps of the ladder are kept, and nothing is raised, decided or told twice."""
import collections
import json
import pathlib
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from monitor import Hook, clock_of, needs_clocks, octets_of
from test_monitor import BAD, OTHER, World

ADDRESSES, BURSTS = 60, 5
HOUR = 3600


class Again(World):
    """Each ends with what the database and the log say."""

    def passes(self, seconds):
        """Both servers tell of somebody harmless from so many seconds ahead of the last time."""
        self.at += seconds
        for server in (self.mx1, self.mx2):
            server.saw(OTHER, at=self.at, connections=1)

    def exceed_at(self, address=BAD, connections=100):
        self.mx1.saw(address, at=self.at, connections=connections)

    def age(self, seconds):
        """While no monitor runs: its steps were taken so much longer ago."""
        with sqlite3.connect(self.monitor.weir.folder / "spam.db") as database:
            database.execute("UPDATE ladder SET last = last - :by, ends = ends - :by, "
                             "taken = taken - :by", {"by": seconds * 10**6})

    def begin(self, **sections):
        self.world(**sections)
        self.at = time.time() - HOUR

    def test_a_token_of_one_that_is_no_more_is_logged_at_the_start(self):
        self.begin()
        self.monitor.ask("token add", name="one", role="viewer")
        self.monitor.ask("token add", name="left", role="viewer")
        self.assertEqual(self.monitor.stop(), 0)
        with sqlite3.connect(self.monitor.weir.folder / "spam.db") as database:
            database.execute("UPDATE tokens SET who = 'token gone' WHERE name = 'left'")
        self.monitor.start()
        self.assertIn("token left was made by token gone, which is no more", self.monitor.log())
        self.assertNotIn("token one was", self.monitor.log())

    def wait_for_end(self, address=BAD):
        def ends():
            self.passes(1)
            return all(event["cleared"] for event in self.monitor.events(address))
        rig.wait_for(ends, 15, f"the end of the event about {address}")

    def test_what_was_counted_before_a_restart_counts(self):
        self.world(threshold={"connections_rate": "1/h"})
        self.mx1.saw(BAD, connections=45)
        rig.wait_for(lambda: self.monitor.rows("SELECT * FROM minutes"), 10, "its minute")
        time.sleep(1)
        self.monitor.kill()
        self.monitor.start()
        self.mx1.saw(OTHER, connections=45)
        self.mx1.saw(BAD, connections=4)
        rig.wait_for(lambda: self.monitor.about(OTHER), 10, "the other's row")
        self.assertEqual(self.monitor.events(), [])
        self.mx1.saw(BAD, connections=3)
        self.wait_for_event()

    def test_an_event_that_stood_at_a_restart_ends(self):
        for kill in (False, True):
            with self.subTest(kill=kill):
                self.begin()
                self.exceed_at()
                self.wait_for_event()
                time.sleep(1.5)
                (self.monitor.kill if kill else self.monitor.stop)()
                self.monitor.start()
                self.passes(10)  # not yet: 25 are missing until half
                time.sleep(1)
                event, = self.monitor.events(BAD)
                self.assertEqual(event["cleared"], 0)
                self.passes(100)
                self.wait_for_end()
                event, = self.monitor.events(BAD)
                self.assertNotIn("closed", event["text"])
                self.assertGreater(event["cleared"], event["raised"])
                for process in (self.mx1.process, self.mx2.process, self.monitor.process):
                    self.end(process)
                self.folder = rig.scratch()

    def test_whoever_goes_on_after_a_restart_has_one_event_and_one_decision(self):
        self.begin(threshold={"ladder": "reject 4h"})
        self.exceed_at()
        self.wait_for_event()
        time.sleep(1.5)
        for _ in range(2):
            self.monitor.kill()
            self.monitor.start()
            self.passes(5)
            self.exceed_at()
            time.sleep(1.5)
        self.assertEqual(len(self.monitor.events(BAD)), 1)
        self.assertEqual(len(self.monitor.rows("SELECT * FROM decisions")), 1)

    def test_an_event_that_stood_when_a_threshold_was_set_ends(self):
        self.begin()
        self.exceed_at()
        self.wait_for_event()
        self.monitor.ask("threshold set", name="partner", prefixes="192.0.2.0/24",
                         rate=[1, 1, 1], maximum=[5, 5, 5], observe=True, ladder="alert 1h")
        self.assertEqual(self.monitor.events(BAD)[0]["cleared"], 0)
        self.passes(100)
        self.wait_for_end()

    def test_an_event_without_a_limit_is_closed_with_the_reason(self):
        self.begin()
        self.exceed_at()
        self.wait_for_event()
        self.monitor.ask("threshold set", name="free", prefixes="203.0.113.0/24",
                         rate=[0, 0, 0], maximum=[0, 0, 0], observe=True, ladder="alert 1h")
        event, = self.monitor.events(BAD)
        self.assertIn("closed: it has no limit any more", event["text"])
        self.assertGreater(event["cleared"], 0)

    def test_the_next_step_comes_after_a_restart(self):
        self.begin(threshold={"ladder": "alert 2h, score 3 2h, reject 4h"})
        for restart in range(3):
            if restart:
                self.monitor.kill()
                self.age(61)  # what follows within a minute is noted, and climbs no step
                self.monitor.start()
            self.passes(300)
            self.exceed_at()
            self.wait_for_event(count=restart + 1)
            time.sleep(1.2)
        lists = self.monitor.rows("SELECT list FROM decisions ORDER BY number")
        self.assertEqual([row["list"] for row in lists], ["score", "blacklist"])

    def test_a_clock_that_is_wrong_for_a_while_makes_nothing_forgotten(self):
        needs_clocks()
        self.begin()
        self.passes(1)
        rig.wait_for(lambda: self.monitor.about(OTHER), 10, "its address")
        rig.wait_for(lambda: self.monitor.rows("SELECT * FROM minutes"), 10, "its minutes")
        for i, away in enumerate(("-400d", "+40d", "-3d")):
            self.monitor.stop()
            rows = self.monitor.rows("SELECT * FROM minutes")
            with sqlite3.connect(self.monitor.weir.folder / "spam.db") as database:
                database.execute("INSERT OR REPLACE INTO state VALUES ('retained', ?)",
                                 (int(time.time() * 10**6),))
            self.monitor.process.environment = clock_of(away=away)
            self.monitor.start()
            rig.wait_for(lambda: self.monitor.log().count("nothing is forgotten") == i + 1, 10,
                         f"doubt of a clock of {away}")
            time.sleep(1)
            self.assertEqual(self.monitor.rows("SELECT * FROM minutes"), rows, away)

    def test_a_sniffer_that_does_not_come_up_with_its_server_is_missed(self):
        self.world()
        self.mx1.write(f"at={time.time():.6f} kind=health packets=1")

        def silent(server):
            listed = json.loads(self.monitor.weir.ctl("server", "list", "--json"))
            health, = (one["health"] for one in listed if one["name"] == server.name)
            return health.get("sniffer_silent", 0)

        rig.wait_for(lambda: silent(self.mx1) >= 3, 15, "silence")
        for server in (self.mx1, self.mx2):
            server.process.stop()
            server.process.start()
        rig.wait_for(lambda: silent(self.mx1) == 0, 15, "the agent's new beginning")
        rig.wait_for(lambda: silent(self.mx1) >= 3, 15, "silence from the start")
        self.assertEqual(silent(self.mx2), 0)  # it never had one

    def test_two_monitors_do_not_work_with_one_database(self):
        self.world()
        second = subprocess.run([rig.BUILD / "weir-monitor", "-c", self.monitor.weir.conf, "-l",
                                 f"inet:127.0.0.1:{rig.free_port()}"], capture_output=True,
                                text=True, timeout=20, check=False)
        self.assertNotEqual(second.returncode, 0)
        self.assertRegex(second.stderr, "another weir-monitor is at work")
        self.assertTrue(self.monitor.answers())

    def test_a_default_set_by_weirctl_says_that_it_counts(self):
        self.world(threshold={"observe": "yes"})
        self.monitor.weir.ctl("threshold", "set", "default", "--connections", "1/s:60")
        self.assertNotIn("does not count", self.monitor.log())
        self.monitor.weir.configure(threshold={"observe": "no"})
        self.monitor.process.send(signal.SIGHUP)
        rig.wait_for(lambda: "observe = no does not count" in self.monitor.log(), 10,
                     "what counts")

    def test_killed_at_random_moments_nothing_is_raised_or_told_twice_or_lost(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}", file=sys.stderr)
        draw, hook = random.Random(seed), Hook()
        self.addCleanup(hook.close)
        self.begin(threshold={"ladder": "reject 10d", "blocks_hour": 1000,
                              "blocks_server_hour": 1000, "wider": 10000},
                   monitor={"alert_webhook": hook.url, "alert_window": "1s", "alert_hour": 60})
        start, want = round(time.time()) - 20 * HOUR, collections.Counter()
        for burst in range(BURSTS):
            for n in range(ADDRESSES):
                # One of six is seen in each burst, too soon for a second step; the others once.
                address, at = f"198.51.{n}.{burst if n % 6 else 7}", start + burst * HOUR + n
                (self.mx1 if n % 2 else self.mx2).saw(address, at=at, connections=100)
                want[octets_of(address), at] += 1
                if n % 20 == 10:
                    time.sleep(draw.uniform(0, 0.6))
                    self.monitor.kill()
                    self.monitor.start()
        rig.wait_for(lambda: len(self.monitor.events()) >= len(want), 20, "all events")
        time.sleep(2)
        rig.wait_for(lambda: self.monitor.ask("status")["alerts_waiting"] == 0, 10, "their notes")
        found = collections.Counter((row["address"], round(row["raised"] / 1e6))
                                    for row in self.monitor.events())
        self.assertEqual(found, want)
        decided = collections.Counter(
            row["event"] for row in self.monitor.rows("SELECT event FROM decisions"))
        firsts = {row["address"]: row["number"] for row in
                  sorted(self.monitor.events(), key=lambda row: -row["number"])}
        self.assertEqual(len(firsts), 10 + 50 * BURSTS)
        self.assertLessEqual(set(firsts.values()), set(decided))
        self.assertEqual(set(decided.values()), {1})
        self.assertLessEqual(len(re.findall("alert: ", self.monitor.log())), len(want))
        told, twice = set(), 0
        for post in hook.taken():
            events = {alert["event"] for alert in post["alerts"]}
            twice += bool(events & told)
            told |= events
        self.assertEqual({row["number"] for row in self.monitor.events() if row["told"] > 0},
                         set(decided))
        self.assertGreaterEqual(sum(post["count"] for post in hook.taken()), len(decided))
        self.assertLessEqual(twice, BURSTS * ADDRESSES // 20)  # what a kill kept from being noted


if __name__ == "__main__":
    harness.main()

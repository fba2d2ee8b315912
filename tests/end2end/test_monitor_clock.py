#!/usr/bin/env python3
"""A mail server and its monitor on one machine whose clock is a day ahead for some seconds."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from monitor import clock_of, needs_clocks, set_clock
from test_monitor import BAD, OTHER, World

DAY, THIRD = 86400, "192.0.2.33"


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


if __name__ == "__main__":
    harness.main()

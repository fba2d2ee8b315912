"""A mail server whose clock is wrong, with libfaketime: what the monitor blocks lasts there as long
as on the others, and it is told.
"""
import datetime
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from monitor import Monitor, Server, clock_of, needs_clocks, set_clock

BAD = "203.0.113.7"


class Clock(unittest.TestCase):
    def setUp(self):
        needs_clocks()
        folder = rig.scratch()
        self.monitor = Monitor(folder)
        self.addCleanup(self.monitor.stop)
        self.servers = {}
        for name, ahead in (("right", 0), ("ahead", 600), ("behind", -600)):
            server = Server(folder, self.monitor, name, start=False)
            server.process.environment = clock_of(away=f"{ahead:+d}")
            server.start()
            self.addCleanup(server.stop)
            self.servers[name] = server

    def clocks(self):
        """By server: how far it says its clock is ahead."""
        return {one["name"]: (one["health"] or {}).get("clock_ahead")
                for one in self.monitor.weir.json("server", "list")}

    def test_a_short_block_lasts_as_long_on_each_server(self):
        told = self.monitor.weir.ctl("block", BAD, "--for", "5m")
        now = time.time()
        self.assertIn("in force on: ", told)
        for name, ahead in (("right", 0), ("ahead", 600)):
            entry = rig.wait_for(lambda: self.servers[name].entry("blacklist", BAD), 10)
            ends = datetime.datetime.fromisoformat(entry["decides"]["ends"]).timestamp()
            self.assertAlmostEqual(ends, now + 300 + ahead, delta=20)

    def test_it_is_told(self):
        rig.wait_for(lambda: None not in self.clocks().values(), 10)
        rig.wait_for(lambda: self.clocks()["ahead"] > 590 and self.clocks()["behind"] < -590, 10)
        self.assertEqual(self.clocks()["right"], 0)
        listed = self.monitor.weir.ctl("server", "list")
        self.assertRegex(listed, r"(?m)^ahead .*, its clock (59|60)\d s ahead$")
        self.assertRegex(listed, r"(?m)^behind .*, its clock (59|60)\d s behind$")
        self.assertIn("s ahead of the monitor's", self.servers["ahead"].log())


class Step(unittest.TestCase):
    """The clock is set while blocks stand."""

    def setUp(self):
        needs_clocks()
        folder = rig.scratch()
        self.monitor = Monitor(folder)
        self.addCleanup(self.monitor.stop)
        self.clock = folder / "clock"
        set_clock(self.clock, 0)
        self.server = Server(folder, self.monitor, "mx1", start=False)
        self.server.process.environment = clock_of(self.clock)
        self.server.start()
        self.addCleanup(self.server.stop)

    def ends(self):
        """When the block is over, by this server's clock; weirctl here has another."""
        listed = self.server.weir.json("blacklist", "list", "--expired")
        return datetime.datetime.fromisoformat(listed[0]["ends"]).timestamp() if listed else 0

    def test_standing_blocks_end_when_the_others_end(self):
        self.monitor.weir.ctl("block", BAD, "--for", "5m")
        rig.wait_for(lambda: self.server.entry("blacklist", BAD), 10)
        began = self.ends()
        for ahead in (7200, 0, 40, -7200, 0):
            with self.subTest(ahead):
                set_clock(self.clock, ahead)
                rig.wait_for(lambda a=ahead: abs(self.ends() - began - a) < 8, 20,
                             f"the end to move by {ahead} s: {self.server.log()[-600:]}")
        self.assertIn("this server's clock is right again", self.server.log())
        self.assertRegex(self.server.log(), r"clock is 7\d{3} s behind the monitor's")


if __name__ == "__main__":
    harness.main()

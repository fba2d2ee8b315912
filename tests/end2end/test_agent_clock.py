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
from monitor import Monitor, Server, clock_of, needs_clocks

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


if __name__ == "__main__":
    harness.main()

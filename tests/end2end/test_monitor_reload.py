#!/usr/bin/env python3
"""SIGHUP: a new configuration while the monitor runs, and a wrong one."""
import pathlib
import re
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from monitor import Hook
from test_monitor import BAD, OTHER, World

THIRD = "198.51.100.77"


class Reload(World):
    """Each changes the file and sends the signal."""

    def reload(self, word, **sections):
        """Sends the signal; what is logged until the word is."""
        if sections:
            self.monitor.weir.configure(**sections)
        before = len(self.monitor.log())
        self.monitor.process.send(signal.SIGHUP)
        rig.wait_for(lambda: word in self.monitor.log()[before:], 10, f"{word} to be logged")
        return self.monitor.log()[before:]

    def good(self, **sections):
        return self.reload("reloaded ", **sections)

    def wrong(self, **sections):
        return self.reload("not reloaded: the configuration it has stays", **sections)

    def exceed_with(self, address, connections):
        self.mx1.saw(address, connections=connections)

    def test_limits_and_ladder_are_changed_and_agents_stay(self):
        self.world(threshold={"ladder": "alert 1h"})
        self.exceed_with(BAD, 40)
        self.wait_until_taken(1)
        time.sleep(0.5)
        self.assertEqual(self.monitor.events(BAD), [])
        self.good(threshold={"connections_most": 20, "ladder": "reject 1h"})
        self.exceed_with(BAD, 40)
        event, = self.wait_for_event()
        self.assertEqual(event["limit_maximum"], 20)
        self.wait_for_entries("blacklist")
        self.assertNotIn("reloaded", self.mx1.log())
        self.good(threshold={"observe": "yes"})
        self.exceed_with(OTHER, 40)
        event, = self.wait_for_event(OTHER)
        self.assertEqual(event["observed"], 1)
        self.assertEqual(len(self.monitor.events(BAD)), 1)

    def test_what_is_used_from_the_next_start_on_is_not_used_before(self):
        self.monitor_with()
        said = self.good(monitor={"database": "another.db"}, message={"spam_score": "7"})
        self.assertIn("[monitor] database = another.db is used from the next start on", said)
        self.assertIn("[message] spam_score = 7 is used from the next start on, until then 5",
                      self.good())
        self.assertEqual(self.monitor.ask("analyze")["rules"], 0)

    def test_what_was_charged_before_counts_after(self):
        self.world(threshold={"ladder": "alert 1h"})
        self.exceed_with(BAD, 40)
        self.wait_until_taken(1)
        self.good(threshold={"observe": "yes"})
        self.exceed_with(BAD, 40)  # neither 40 alone exceeds 50
        event, = self.wait_for_event()
        self.assertEqual(event["limit_maximum"], 50)
        self.good(threshold={"observe": "no"})
        time.sleep(0.5)
        self.assertEqual(len(self.monitor.events(BAD)), 1)  # it is known that it went on

    def test_who_goes_on_is_blocked_again_when_his_block_ends(self):
        self.world(threshold={"ladder": "reject 3s"})

        def decisions():
            self.exceed_with(BAD, 30)
            time.sleep(0.2)
            return len(self.monitor.rows("SELECT * FROM decisions"))
        self.exceed_with(BAD, 100)
        rig.wait_for(decisions)
        self.good(threshold={"connections_most": 45})
        rig.wait_for(lambda: decisions() >= 2, 15, "a block behind the first")

    def test_who_was_only_observed_is_blocked_when_he_goes_on(self):
        self.world(threshold={"observe": "yes", "ladder": "reject 4h"})

        def blocked(address=BAD):
            self.exceed_with(address, 30)
            time.sleep(0.2)
            return self.mx2.entry("blacklist", address)
        self.exceed_with(BAD, 100)
        self.exceed_with(OTHER, 100)
        self.wait_for_event(OTHER)
        self.assertFalse(any(blocked() for _ in range(5)))
        self.good(threshold={"observe": "no"})
        rig.wait_for(blocked, 15, "the block")
        self.assertEqual(self.monitor.events(BAD)[0]["observed"], 0)
        self.assertIsNone(self.mx2.entry("blacklist", OTHER))  # was over it, and goes on no more

    def test_alerts_go_where_the_new_configuration_says(self):
        first, second = Hook(), Hook()
        self.addCleanup(first.close)
        self.addCleanup(second.close)
        self.world(monitor={"alert_webhook": first.url, "alert_window": "1s"})
        self.exceed_with(BAD, 100)
        rig.wait_for(first.taken)
        self.good(monitor={"alert_webhook": second.url})
        self.exceed_with(OTHER, 100)
        rig.wait_for(second.taken)
        self.assertEqual(len(first.taken()), 1)
        self.wrong(monitor={"alert_webhook": "gopher://x"})
        self.exceed_with(THIRD, 100)
        rig.wait_for(lambda: len(second.taken()) == 2)

    def test_silence_and_caps_are_changed(self):
        self.world(threshold={"blocks_hour": 1}, monitor={"silence": "60s"})
        rig.wait_for(lambda: self.monitor.ask("status")["servers"] == 2)
        self.mx2.stop()
        self.good(monitor={"silence": "2s"})
        rig.wait_for(lambda: self.monitor.ask("status")["blind"] == 1, 20)
        self.exceed_with(BAD, 100)
        rig.wait_for(lambda: self.monitor.rows("SELECT * FROM decisions"))
        self.exceed_with(OTHER, 100)
        self.wait_for_event(OTHER)
        time.sleep(0.5)
        self.assertEqual(len(self.monitor.rows("SELECT * FROM decisions")), 1)  # the cap of one
        self.good(threshold={"blocks_hour": 3})
        self.exceed_with(THIRD, 100)
        rig.wait_for(lambda: len(self.monitor.rows("SELECT * FROM decisions")) == 2)

    def test_what_cannot_be_changed_is_told(self):
        self.world()
        log = self.good(monitor={"listen": "inet:127.0.0.1:1", "journal_size": "2G"},
                        info={"key_file": "other.key"}, message={"spam_score": 4.5})
        self.assertIn("[monitor] listen = inet:127.0.0.1:1 is used from the next start on", log)
        self.assertIn("[monitor] journal_size = 2G is used from the next start on", log)
        self.assertRegex(log, r"\[info\] key_file = \S*other.key is used from the next start on")
        self.assertRegex(log, r"\[message\] spam_score = 4.5\S* is used from the next start on")
        self.exceed_with(BAD, 100)
        self.wait_for_event()

    def test_a_wrong_file_is_told_with_its_line_and_the_old_one_stays(self):
        self.world()
        conf = self.monitor.weir.conf
        lines = conf.read_text().split("\n")
        for name, value in (("connections_most", "many"), ("url", "\xff\x00"),
                            ("rate_of_moons", "7"), ("ladder", "jump 5m")):
            at = next((n for n, line in enumerate(lines) if line.startswith(f"{name} =")),
                      lines.index("[threshold]") + 1)
            conf.write_text("\n".join(lines[:at] + [f"{name} = {value}"] + lines[at + 1:]))
            self.assertRegex(self.wrong(), rf"{conf}:{at + 1}: ")
        self.monitor.weir.conf.unlink()
        self.wrong()
        self.exceed_with(BAD, 100)
        self.wait_for_event()

    def test_reloads_under_traffic_lose_and_double_nothing(self):
        self.world(threshold={"ladder": "alert 1h"})
        for n in range(30):
            self.exceed_with(f"198.51.{n}.7", 100)
            if n % 3 == 0:
                self.monitor.process.send(signal.SIGHUP)
            time.sleep(0.05)
        self.wait_until_taken(30)
        rig.wait_for(lambda: len(self.monitor.events()) >= 30)
        time.sleep(1)
        addresses = [row["address"] for row in self.monitor.events()]
        self.assertEqual((len(addresses), len(set(addresses))), (30, 30))
        self.assertEqual(self.monitor.stop(), 0)  # the log has what it gathered
        log = self.monitor.log()
        gathered = [int(n) for n in re.findall(r"alerts gathered: (\d+) alert", log)]
        self.assertEqual((log.count("alert: "), gathered), (20, [10]))


if __name__ == "__main__":
    harness.main()

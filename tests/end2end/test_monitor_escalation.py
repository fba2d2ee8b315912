#!/usr/bin/env python3
"""Alerts that nobody acknowledged are told to others: when, how often, and when not."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from monitor import Hook
from test_monitor import BAD, OTHER
from test_monitor_alerts import Told


class Escalation(Told):
    """The second hook is of those who are told later."""

    def world_of(self, after="3s", most=2, **more):
        """Others are told later, at a webhook of theirs."""
        self.boss = Hook()
        self.addCleanup(self.boss.close)
        return self.told_world(window="1s", escalate_after=after, escalate_most=most,
                               escalate_webhook=self.boss.url, **more)

    def again(self, address=BAD):
        """How often they were told of an address."""
        return [alert["again"] for post in self.boss.taken() for alert in post["alerts"]
                if alert["address"] == address]

    def over(self, address=BAD):
        self.mx1.saw(address, connections=60)
        return self.wait_for_event(address)[0]["number"]

    def marked(self, seconds):
        """Another address is told of after so many turns: what was to come before has come."""
        self.over(OTHER)
        rig.wait_for(lambda: self.again(OTHER), seconds, "the other one")

    def test_who_is_not_acknowledged_is_told_to_others_and_no_more_than_so_often(self):
        self.world_of(escalate_mail="boss@example.org")
        began = time.time()
        self.over()
        self.wait_for_posts(1)
        self.assertEqual(self.again(), [])
        rig.wait_for(lambda: len(self.again()) == 2, 20, "two more times")
        self.assertGreater(time.time() - began, 5)
        self.assertEqual(self.again(), [1, 2])
        post = self.boss.taken()[0]
        alert, = post["alerts"]
        self.assertEqual((alert["response"], alert["servers"], alert["limit"]),
                         ("reject", ["mx1"], {"rate": 1, "maximum": 50}))
        self.assertIn("nobody has acknowledged it", post["text"])
        mails = self.wait_for_mails(3)
        self.assertEqual(sorted(str(mail["To"]) for mail in mails)[0], "boss@example.org")
        self.marked(15)
        self.assertEqual(self.again(), [1, 2])
        self.assertEqual(len(self.wait_for_posts(1)[0]["alerts"]), 1)

    def test_who_is_acknowledged_or_silenced_or_over_is_not_told_again(self):
        self.world_of(after="4s")
        addresses = [f"198.51.{n}.9" for n in range(3)]
        numbers = [self.over(address) for address in addresses]
        self.monitor.ask("events acknowledge", number=numbers[0], note="mine")
        self.monitor.ask("silence add", prefix=addresses[1], ends=int(time.time()) + 600,
                         reason="known")
        self.monitor.weir.ctl("unblock", addresses[2])
        self.marked(20)
        for address in addresses:
            self.assertEqual(self.again(address), [])
        self.monitor.ask("events unacknowledge", number=numbers[0])
        rig.wait_for(lambda: self.again(addresses[0]) == [1], 15, "what was taken back")
        self.assertEqual(self.again(addresses[1]) + self.again(addresses[2]), [])

    def test_a_restart_forgets_and_doubles_nothing(self):
        self.world_of(after="3s", most=3)
        self.over()
        rig.wait_for(lambda: self.again() == [1], 15, "the first")
        rig.wait_for(lambda: self.monitor.events(BAD)[0]["told_again"] == 1, 5, "its note")
        self.monitor.kill()
        self.monitor.start()
        rig.wait_for(lambda: self.again() == [1, 2], 15, "the second")
        self.assertEqual(self.monitor.stop(), 0)
        self.monitor.start()
        rig.wait_for(lambda: self.again() == [1, 2, 3], 15, "the third")
        self.marked(15)
        self.assertEqual(self.again(), [1, 2, 3])

    def test_killed_before_it_was_noted_it_is_told_once_more(self):
        self.world_of(after="2s", most=1)
        self.boss.status = 503
        self.over()
        rig.wait_for(lambda: "cannot be told, and wait: its status was 503" in self.monitor.log(),
                     15, "the first try")
        self.assertEqual(self.monitor.events(BAD)[0]["told_again"], 0)
        self.monitor.kill()
        self.boss.status = 200
        self.monitor.start()
        rig.wait_for(lambda: self.again() == [1], 15, "after the restart")
        self.marked(15)
        self.assertEqual(self.again(), [1])

    def test_a_broken_way_does_not_hold_up_the_other(self):
        self.world_of(after="2s", most=1, escalate_mail="boss@example.org")
        (self.box / "broken").touch()
        self.over()
        rig.wait_for(lambda: self.again() == [1], 15, "the webhook")
        self.marked(15)
        self.assertEqual(self.again(), [1])
        (self.box / "broken").unlink()
        rig.wait_for(lambda: any(str(mail["To"]) == "boss@example.org" for mail in self.mails()),
                     90, "the mail")

    def test_what_changes_while_others_cannot_be_told_counts(self):
        self.world_of(after="3s", most=1)
        self.boss.status = 503
        addresses = [f"198.51.{n}.9" for n in range(4)]
        numbers = [self.over(address) for address in addresses]
        rig.wait_for(lambda: "alerts nobody acknowledged by webhook cannot be told" in
                     self.monitor.log(), 15, "the first try")
        rig.wait_for(lambda: self.monitor.ask("status")["alerts_again"] >= 4, 15, "all of them")
        self.monitor.ask("events acknowledge", number=numbers[0], note="mine")
        self.monitor.ask("silence add", prefix=addresses[1], ends=int(time.time()) + 600,
                         reason="known")
        self.monitor.weir.ctl("unblock", addresses[2])
        self.boss.status = 200
        rig.wait_for(lambda: self.again(addresses[3]), 15, "the last one")
        self.marked(20)
        self.assertEqual([self.again(address) for address in addresses], [[], [], [], [1]])

    def test_others_are_told_when_those_before_them_cannot_be(self):
        self.world_of(after="3s", most=1, hook=Hook(503))
        (self.box / "broken").touch()
        self.over()
        rig.wait_for(lambda: self.again() == [1], 15, "the other")

    def test_a_new_configuration_is_used_at_once(self):
        self.world_of(after="1h")
        self.over()
        self.wait_for_posts(1)
        self.monitor.weir.configure(monitor={"escalate_after": "1s", "escalate_most": 1})
        self.monitor.process.send(1)
        rig.wait_for(lambda: self.again() == [1], 15, "the first")

    def owed(self):
        """The number of what waits for those who are told later, or nothing."""
        return [row["number"] for row in
                self.monitor.rows("SELECT number FROM owed WHERE again > 0")]

    def test_a_new_time_does_not_forget_what_they_were_told_in_this_window(self):
        self.world_of(after="1s", most=9)
        self.monitor.stop()
        self.monitor.weir.configure(monitor={"alert_window": "1h"})
        self.monitor.start()
        self.over()
        rig.wait_for(lambda: self.again() == [1], 15, "the first")
        rig.wait_for(self.owed, 15, "the second to wait for the window's end")
        self.monitor.weir.configure(monitor={"escalate_after": "2s"})
        self.monitor.process.send(1)
        rig.wait_for(lambda: "reloaded " in self.monitor.log(), 10, "the new configuration")
        before = self.owed()
        rig.wait_for(lambda: self.owed() not in ([], before), 15, "another one in its place")
        self.assertEqual(self.again(), [1])


if __name__ == "__main__":
    harness.main()

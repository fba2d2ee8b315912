#!/usr/bin/env python3
"""What takes the next step of a ladder and what does not, and what an analyst takes back: with a
real monitor, and agents that tell what a sniffer would have seen."""
import ipaddress
import pathlib
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from test_monitor import BAD, OTHER, World

EVENTS_MOST = 5000  # an hour that one server alone saw
HOST = "2001:db8:1:2::25"


class Ladders(World):
    """Short steps, so that some of them pass."""

    def decided(self):
        """All decisions, oldest first: list, prefix."""
        rows = self.monitor.rows("SELECT * FROM decisions ORDER BY number")
        return [(row["list"], self.prefix(row)) for row in rows]

    @staticmethod
    def prefix(row):
        address = ipaddress.ip_address(row["address"])
        if address.ipv4_mapped:
            return f"{address.ipv4_mapped}/{row['bits'] - 96}"
        return f"{address}/{row['bits']}"

    def wait_for_decisions(self, count):
        rig.wait_for(lambda: len(self.decided()) >= count, 10, f"{count} decisions")
        return self.decided()

    def beat(self, server, seconds):
        """A server that is well, and has nothing to tell."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            server.write(f"at={time.time():.6f} kind=health packets=1")
            time.sleep(0.3)

    def unblock(self, *words):
        done = self.monitor.weir.ctl("unblock", *words, check=False)
        return done.returncode, done.stdout


class Undone(Ladders):
    """One action of an analyst."""

    def test_an_IPv6_address_is_unblocked_with_its_64_and_stays_so(self):
        self.monitor_with(threshold={"connections_rate": "10/s", "ladder": "reject 2s"})
        self.mx1 = self.server("mx1")
        self.mx1.saw(HOST, connections=120)
        self.wait_for_entries("blacklist", HOST, [self.mx1])
        code, told = self.unblock(HOST)
        self.assertEqual(code, 0)
        self.assertRegex(told, r"\A2001:db8:1:2::/64: [12] decisions? taken back, and its buckets")
        self.assertEqual([event["cleared"] > 0 for event in self.monitor.events()], [True])
        self.assertEqual(self.monitor.rows("SELECT * FROM ladder"), [])
        count = len(self.decided())
        self.beat(self.mx1, 5)
        self.assertEqual(len(self.decided()), count)
        self.assertFalse(self.mx1.entry("blacklist", HOST))
        self.mx1.saw(HOST, connections=120)  # begins anew
        self.wait_for_decisions(count + 1)
        self.assertEqual(self.monitor.rows("SELECT step, repeated FROM ladder"),
                         [{"step": 0, "repeated": 0}])


class Neighbours(Ladders):
    """A /64 of IPv6 is one address."""

    def test_an_accepted_address_does_not_spare_its_64(self):
        self.monitor_with()
        self.mx1 = self.server("mx1")
        self.unblock(HOST, "--accept")
        self.wait_for_entries("accept", HOST, [self.mx1])
        other = "2001:db8:1:2::666"
        self.mx1.saw(HOST, connections=500)
        self.mx1.saw(other, connections=120)
        self.wait_for_entries("blacklist", other, [self.mx1])
        self.assertEqual(self.mx1.entry("accept", HOST)["decides"]["list"], "accept")

    def test_a_threshold_for_a_part_of_a_64_is_refused(self):
        self.monitor_with()
        words = ["threshold", "set", "partner", "--connections", "1000/s:10000", "--prefix"]
        done = self.monitor.weir.ctl(*words, f"192.0.2.1,{HOST}", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("longer than /64", done.stderr)
        self.monitor.weir.ctl(*words, "2001:db8:1:2::/64")


class Climbing(Ladders):
    """Who is over a limit still, and who merely is not known to be below it."""

    STEPS = "alert 2s, score 3 2s, defer 2s, reject 2s"

    def test_nothing_is_repeated_when_the_only_server_is_dead(self):
        self.monitor_with(threshold={"ladder": self.STEPS}, monitor={"silence": "1s"})
        self.mx1 = self.server("mx1")
        self.mx1.saw(BAD, connections=120)
        self.wait_for_event()
        self.mx1.kill()
        time.sleep(6)
        self.assertEqual(self.decided(), [])
        self.assertEqual(self.monitor.events(BAD)[0]["cleared"], 0)

    def test_an_event_stands_while_the_only_server_that_saw_it_is_blind(self):
        self.world(threshold={"ladder": "alert 1h", "connections_rate": "10/s"},
                   monitor={"silence": "2s"})
        self.beat(self.mx2, 0.5)
        self.mx1.saw(BAD, connections=120)
        self.wait_for_event()
        self.mx1.kill()
        for second in range(10):
            self.beat(self.mx2, 1)
            if second % 3 == 0:
                self.mx2.saw(BAD, connections=1)
        self.assertEqual([event["cleared"] for event in self.monitor.events(BAD)], [0])
        status = self.monitor.ask("status")
        self.assertEqual((status["blind_names"], status["silent_names"]), ("mx1", "mx1"))
        self.mx1.start()
        rig.wait_for(lambda: self.beat(self.mx1, 0.3) or self.beat(self.mx2, 0.3) or
                     self.monitor.events(BAD)[0]["cleared"], 15, "the end of the event")

    def test_what_a_revoked_server_saw_ends(self):
        self.world(threshold={"ladder": "alert 1h", "connections_rate": "10/s"},
                   monitor={"silence": "2s"})
        self.mx1.saw(BAD, connections=120)
        self.wait_for_event()
        self.mx1.kill()
        self.monitor.ask("server revoke", name="mx1")
        rig.wait_for(lambda: self.beat(self.mx2, 0.5) or self.monitor.events(BAD)[0]["cleared"],
                     15, "the end of the event")

    def test_what_fills_slowly_climbs_only_when_more_comes(self):
        self.world(threshold={"ladder": self.STEPS, "connections_rate": "10/d"})
        self.mx1.saw(BAD, connections=51)
        self.wait_for_event()
        self.beat(self.mx1, 4)
        self.assertEqual(self.decided(), [])
        self.mx2.saw(BAD, connections=1)
        self.assertEqual(self.wait_for_decisions(1), [("score", f"{BAD}/32")])
        self.mx2.saw(OTHER, connections=1)
        self.beat(self.mx1, 4)
        self.assertEqual(len(self.decided()), 1)

    def test_what_goes_on_climbs_to_the_top(self):
        self.world(threshold={"ladder": self.STEPS})
        self.mx1.saw(BAD, connections=120)
        for count in range(1, 4):
            rig.wait_for(lambda: self.mx2.saw(BAD, connections=30) or len(self.decided()) >= count,
                         10, f"{count} decisions")
        self.assertEqual([name for name, _ in self.decided()][:3],
                         ["score", "blacklist", "blacklist"])


class Backlog(Ladders):
    """A server was cut off for an hour, and tells it now."""

    def test_who_exceeded_then_is_found_whoever_heard_of_him_meanwhile(self):
        self.monitor_with(threshold={"connections_rate": "1/s", "connections_most": 300})
        self.mx1, late = self.server("mx1"), self.server("mx2", start=False)
        start = time.time() - 3600
        for second in range(0, 3000, 2):
            late.saw(BAD, at=start + second, connections=100)
            late.saw(OTHER, at=start + second, connections=1)
        for address in (BAD, OTHER):
            self.mx1.saw(address, connections=1)
        self.wait_until_taken(2)
        late.start()
        self.wait_for_event(BAD)
        self.wait_until_taken(3002)
        time.sleep(0.5)
        self.assertEqual(self.monitor.events(OTHER), [])


class Witnesses(Ladders):
    """By whose word an address is blocked."""

    ADDRESSES = [f"198.51.100.{n}" for n in range(1, 21)]

    def all_saw(self, server, connections, lines):
        for address in self.ADDRESSES:
            server.saw(address, connections=connections)
        self.wait_until_taken(lines)

    def test_a_good_mail_at_others_gives_a_thief_no_word_but_his_own(self):
        self.world(threshold={"blocks_server_hour": 5, "quorum": 2})
        count = len(self.ADDRESSES)
        self.all_saw(self.mx1, 28, count)     # an identity that was stolen
        self.all_saw(self.mx2, 1, 2 * count)  # one good mail of each
        self.all_saw(self.mx1, 60, 3 * count)
        rig.wait_for(lambda: len(self.monitor.events()) >= count + 1, 10, "all events")
        blocked = [prefix for _, prefix in self.wait_for_decisions(5)]
        self.assertEqual(len(blocked), 5)
        self.assertNotIn("198.51.100.0/24", blocked)
        self.mx2.saw(BAD, connections=500)    # an honest server has not lost its own
        self.assertIn(("blacklist", f"{BAD}/32"), self.wait_for_decisions(6))

    def test_a_network_is_blocked_when_two_servers_account_for_it(self):
        self.world(threshold={"quorum": 2, "ladder": "reject 2s"})

        def both_see_it():
            for address in self.ADDRESSES:
                for server in (self.mx1, self.mx2):
                    server.saw(address, connections=20)
            time.sleep(0.2)
            return "198.51.100.0/24" in [prefix for _, prefix in self.decided()]
        rig.wait_for(both_see_it, 15, "the network to be blocked")

    def test_a_network_that_one_server_sees_mostly_and_others_evenly_is_blocked(self):
        self.world(threshold={"quorum": 2, "ladder": "reject 2s"})
        mx3 = self.server("mx3")

        def all_see_it():
            for address in self.ADDRESSES:
                self.mx1.saw(address, connections=8)
                for server in (self.mx2, mx3):
                    server.saw(address, connections=1)
            time.sleep(0.2)
            return "198.51.100.0/24" in [prefix for _, prefix in self.decided()]
        rig.wait_for(all_see_it, 15, "the network to be blocked")


class LeftOut(Ladders):
    """Of an identity that was stolen no events are taken any more."""

    def setUp(self):
        super().setUp()
        self.world(threshold={"connections_rate": "1/s", "connections_most": 50})
        self.mx3 = self.server("mx3")
        at = time.time()
        self.mx1.write("\n".join(
            f"at={at:.6f} kind=traffic address={address} connections=100" for address in
            [f"10.{n >> 8}.{n & 255}.1" for n in range(EVENTS_MOST)] + [BAD]))
        rig.wait_for(lambda: self.monitor.ask("status")["events_left_out"] > 0, 60)
        self.assertEqual(self.monitor.events(BAD), [])

    def others_see_it(self):
        """As much on each, so that none is ahead; whether there is an event."""
        for server in (self.mx2, self.mx3):
            server.saw(BAD, connections=3)
        time.sleep(0.1)
        return self.monitor.events(BAD)

    def test_it_shelters_nobody_whom_others_see_evenly(self):
        rig.wait_for(self.others_see_it, 20, "the event")
        self.assertTrue(self.wait_for_entries("blacklist", servers=(self.mx2, self.mx3)))

    def test_it_shelters_nobody_after_a_reload(self):
        self.monitor.process.send(signal.SIGHUP)
        rig.wait_for(lambda: "reloaded " in self.monitor.log(), 10)
        rig.wait_for(self.others_see_it, 20, "the event")
        self.assertTrue(self.wait_for_entries("blacklist", servers=(self.mx2, self.mx3)))


if __name__ == "__main__":
    harness.main()

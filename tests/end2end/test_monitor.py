#!/usr/bin/env python3
"""The monitor's claims, with a real weir-monitor, two real weir-agents and their lists; what a
sniffer would have seen is written into the spools by hand."""
import ipaddress
import json
import pathlib
import random
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from monitor import Monitor, Server, octets_of

BAD, OTHER, SMALL = "203.0.113.7", "198.51.100.9", "192.0.2.44"
LINES = 200  # addresses with a random trace each
MAIL = (b"Received: from mx.example.net (mx.example.net [%s])\n"
        b"\tby mx1.example with ESMTP id 4XYZ;\n\tSat, 21 Nov 2026 18:13:00 +0000\n"
        b"From: a@example.net\nTo: u@test.example\nSubject: hello\n"
        b"Message-ID: <1@example.net>\nDate: Sat, 21 Nov 2026 18:13:00 +0000\n\nHello.\n")


class World(unittest.TestCase):
    """A monitor and two servers for each test."""

    def setUp(self):
        self.folder = rig.scratch()

    def monitor_with(self, **sections):
        self.monitor = Monitor(self.folder, **sections)
        self.addCleanup(self.end, self.monitor.process)
        return self.monitor

    def server(self, name, **more):
        server = Server(self.folder, self.monitor, name, **more)
        self.addCleanup(self.end, server.process)
        return server

    def end(self, process):
        """Ends a program; one that was built with sanitizers has said what they found."""
        process.end()
        self.assertNotRegex(process.log(), "Sanitizer|runtime error")

    def world(self, **sections):
        self.monitor_with(**sections)
        self.mx1, self.mx2 = self.server("mx1"), self.server("mx2")
        return self.monitor, self.mx1, self.mx2

    def exceed(self, address=BAD, each=30):
        """So many connections over each of two servers."""
        for _ in range(each):
            self.mx1.saw(address, connections=1)
            self.mx2.saw(address, connections=1)

    def wait_for_event(self, address=BAD, count=1, seconds=5):
        rig.wait_for(lambda: len(self.monitor.events(address)) >= count, seconds,
                     f"an event about {address}")
        return self.monitor.events(address)

    def wait_until_taken(self, lines, seconds=20):
        rig.wait_for(lambda: self.monitor.ask("status")["lines"] >= lines, seconds,
                     f"{lines} lines to be taken")

    def wait_for_entries(self, which, address=BAD, servers=None):
        """What stands about an address on a list of both servers."""
        servers = servers or (self.mx1, self.mx2)
        rig.wait_for(lambda: all(listed(server, which, address) for server in servers), 10,
                     f"{address} on {which}")
        return [server.entry(which, address)["decides"] for server in servers]


def listed(server, which, address):
    """Whether the entry that decides stands on this list now."""
    found = server.entry(which, address)
    return bool(found) and (found.get("decides") or {}).get("list") == which


def text_of(octets, bits):
    """An address or network of the database as people write it."""
    if octets[:12] == bytes(10) + b"\xff\xff":
        octets, bits = octets[12:], bits - 96
    address = ipaddress.ip_address(octets)
    return str(address) if bits == address.max_prefixlen else f"{address}/{bits}"


class Threshold(World):
    """One address, several servers, one limit."""

    def test_A1_two_servers_together_exceed_and_one_event_is_raised(self):
        self.world()
        began = time.monotonic()
        self.exceed()
        event, = self.wait_for_event()
        self.assertLess(time.monotonic() - began, 2)
        self.wait_until_taken(60)
        time.sleep(1)
        self.assertEqual(len(self.monitor.events()), 1)
        self.assertEqual((event["quantity"], event["limit_maximum"], event["limit_rate"]),
                         ("connections", 50, 1))
        self.assertEqual(bin(event["servers"]).count("1"), 2)

    def test_A1_no_server_alone_exceeds(self):
        self.world()
        for n in range(30):
            self.mx1.saw(BAD, connections=1)
            self.mx2.saw(f"198.51.{n}.9", connections=1)
        self.wait_until_taken(60)
        time.sleep(0.5)
        self.assertEqual(self.monitor.events(), [])

    def test_A10_rate_alone(self):
        self.world(threshold={"connections_rate": "1/s", "connections_most": 20})
        start = time.time() - 600
        for n in range(600):
            self.mx1.saw(OTHER, at=start + n, connections=n % 2)
        for n in range(10):
            self.mx1.saw(BAD, at=start + 500 + n, connections=5)
        event, = self.wait_for_event()
        self.wait_until_taken(610)
        time.sleep(0.5)
        self.assertEqual(self.monitor.events(OTHER), [])
        # 20 at once and one a second: 25 have come when 4 were given back, 30 when 5 were
        self.assertAlmostEqual(event["raised"] / 1e6, start + 505, delta=1.01)

    def test_A11_maximum_alone(self):
        self.world(threshold={"connections_rate": "0/s", "connections_most": 50})
        start = time.time() - 300
        for n in range(50):
            self.mx1.saw(BAD, at=start + n, connections=1)
        self.wait_until_taken(50)
        time.sleep(0.5)
        self.assertEqual(self.monitor.events(), [])
        self.mx2.saw(BAD, at=start + 299, connections=1)
        self.wait_for_event()

    def test_A12_traces_trip_where_a_reference_bucket_does(self):
        self.world(threshold={"connections_rate": "0.5/s", "connections_most": 10,
                              "observe": "yes"})
        seed = random.randrange(1 << 32)
        print(f"seed {seed}", file=sys.stderr)
        draw, start = random.Random(seed), time.time() - 100
        traces = {f"100.{64 + n // 250}.{n % 250}.1".replace("100.", "198."): trace(draw)
                  for n in range(LINES)}
        lines = sorted((at, address, n) for address, steps in traces.items() for at, n in steps)
        for at, address, n in lines:
            self.mx1.saw(address, at=start + at, connections=n)
        self.wait_until_taken(len(lines))
        time.sleep(0.5)
        raised = {row["address"]: row["raised"] for row in reversed(self.monitor.rows(
            "SELECT address, raised FROM events WHERE bits = 128 ORDER BY number"))}
        tripped = 0
        for address, steps in traces.items():
            at = reference(steps)
            found = raised.get(octets_of(address))
            tripped += at is not None
            self.assertEqual(None if found is None else round(found / 1e6 - start, 2), at, address)
        self.assertGreater(tripped, LINES // 10)
        self.assertLess(tripped, LINES - LINES // 10)

    def test_A26_acceptable_address_at_ten_times_the_limit(self):
        self.world()
        self.monitor.ask("block", list="accept", prefix=BAD, reason="a partner")
        self.exceed(each=250)
        self.wait_until_taken(500)
        time.sleep(0.5)
        self.assertEqual(self.monitor.events(), [])
        self.assertEqual(self.monitor.ask("status")["accepted"], 500)
        self.assertEqual(self.monitor.ask("unaccept", prefix=BAD)["undone"], 1)
        self.assertEqual(self.monitor.try_to("unaccept", prefix=BAD)[0], 404)
        self.exceed()
        self.wait_for_event()

    def test_A26_acceptable_by_the_lists_of_the_monitors_machine(self):
        self.monitor_with()
        self.monitor.stop()
        self.monitor.weir.ctl("accept", "add", "203.0.113.0/24", "--forever", "--reason", "ours")
        self.monitor.start()
        self.mx1, self.mx2 = self.server("mx1"), self.server("mx2")
        self.exceed(each=250)
        self.wait_until_taken(500)
        self.assertEqual(self.monitor.events(), [])
        self.monitor.weir.ctl("accept", "remove", "203.0.113.0/24")
        time.sleep(1.1)
        self.exceed()
        self.wait_for_event()

    def test_A25_database_outlives_a_restart(self):
        self.world(threshold={"connections_most": 500})
        start = round(time.time()) - 100
        for n in range(50):
            self.mx1.saw(BAD, at=start + n, connections=2, messages=1, accepted=1, recipients=3)
        self.wait_until_taken(50)
        for kill in (False, True):
            (self.monitor.kill if kill else self.monitor.stop)()
            self.monitor.start()
            row = self.monitor.about(BAD)
            self.assertEqual((row["connections"], row["messages"], row["accepted"],
                              row["recipients"]), (100, 50, 50, 150))
            self.assertEqual((row["first_seen"], row["last_seen"]),
                             (start * 10**6, (start + 49) * 10**6))


def trace(draw):
    """Steps of one address: seconds (two digits) and connections."""
    at, steps, hurry = 0.0, [], draw.choice((0.5, 1, 2, 4))
    while len(steps) < 40 and at < 95:
        steps.append((round(at, 2), draw.choice((1, 1, 2, 3))))
        at += draw.uniform(0.1, 2.5) * hurry
    return steps


def reference(steps, rate=0.5, most=10):
    """When a plain token bucket first refuses, or None.  Two digits of a second and a rate of one
    half: all is exact in units of 1/200."""
    tokens, last = most * 200, None
    for at, n in steps:
        now = round(at * 100)
        if last is not None:
            tokens = min(most * 200, tokens + round((now - last) * 200 * rate / 100))
        last = now
        if tokens < n * 200:
            return at
        tokens -= n * 200
    return None


class Limits(World):
    """What is limited, for whom, and how wide."""

    def raised(self):
        """(address or network, quantity, class) of all events."""
        rows = self.monitor.rows("SELECT * FROM events WHERE kind = 'threshold'")
        return {(text_of(row["address"], row["bits"]), row["quantity"], row["class"])
                for row in rows}

    def test_messages_and_recipients_have_limits_of_their_own(self):
        self.world(threshold={"messages_rate": "0/s", "messages_most": 20,
                              "recipients_rate": "0/s", "recipients_most": 30})
        self.mx1.saw(SMALL, messages=20, accepted=20, recipients=30)
        for server in (self.mx1, self.mx2):
            server.saw(BAD, messages=10, accepted=1, recipients=1)
            server.saw(OTHER, messages=1, accepted=1, recipients=15)
        self.wait_until_taken(5)
        time.sleep(0.5)
        self.assertEqual(self.raised(), set())
        self.mx1.saw(BAD, messages=1)
        self.mx2.saw(OTHER, recipients=1)
        self.wait_for_event()
        self.wait_for_event(OTHER)
        self.assertEqual(self.raised(), {(BAD, "messages", "default"),
                                         (OTHER, "recipients", "default")})

    def test_classes_have_limits_ladders_and_observation_of_their_own(self):
        self.world()
        for name, prefixes, most, observe, ladder in (
                ("partners", "198.51.100.0/24", 500, False, "reject 1h"),
                ("strict", "192.0.2.0/24", 5, False, "defer 1h"),
                ("watched", "192.0.2.128/25", 5, True, "reject 1h")):
            self.monitor.ask("threshold set", name=name, prefixes=prefixes, rate=[0, 0, 0],
                             maximum=[most, 0, 0], observe=observe, ladder=ladder)
        for address in (BAD, OTHER, SMALL, "192.0.2.200"):
            self.mx1.saw(address, connections=60)
        for address in (BAD, SMALL, "192.0.2.200"):
            self.wait_for_event(address)
        self.wait_for_entries("blacklist", BAD)
        for entry in self.wait_for_entries("blacklist", SMALL):
            self.assertTrue(entry["defer"])
        self.assertEqual(self.raised(), {(BAD, "connections", "default"),
                                         (SMALL, "connections", "strict"),
                                         ("192.0.2.200", "connections", "watched")})
        self.assertEqual(self.monitor.events("192.0.2.200")[0]["observed"], 1)
        self.assertFalse(listed(self.mx1, "blacklist", "192.0.2.200"))

    def test_a_network_is_blocked_when_several_of_its_addresses_exceed(self):
        self.world(threshold={"wider": 2})
        self.exceed("203.0.113.1", each=150)  # one alone, as often as it likes
        self.exceed("203.0.113.2")
        self.wait_until_taken(360)
        self.wait_for_event("203.0.113.2")
        self.assertNotIn("203.0.113.0/24", {prefix for prefix, *_ in self.raised()})
        self.exceed("203.0.113.3")
        event, = self.wait_for_event("203.0.113.0")
        self.assertEqual((event["bits"], event["children"], event["limit_maximum"]),
                         (120, 3, 100))
        self.wait_for_entries("blacklist", "203.0.113.77")

    def test_a_network_that_one_server_saw_is_told_and_not_blocked(self):
        self.world(threshold={"wider": 2})
        for last in range(1, 5):
            self.mx1.saw(f"203.0.113.{last}", connections=60)
        self.wait_for_event("203.0.113.0")
        self.wait_for_entries("blacklist", "203.0.113.4")
        self.assertFalse(listed(self.mx1, "blacklist", "203.0.113.77"))

    def test_networks_of_IPv6_widen_step_by_step(self):
        self.world(threshold={"wider": 2})
        for n in range(9):
            self.exceed(f"2001:db8:0:{n // 3:x}{n % 3:02x}::{n + 1}")
        rig.wait_for(lambda: "2001:db8::/48" in {prefix for prefix, *_ in self.raised()}, 10)
        self.assertEqual({prefix for prefix, *_ in self.raised() if "/64" not in prefix},
                         {"2001:db8::/56", "2001:db8:0:100::/56", "2001:db8:0:200::/56",
                          "2001:db8::/48"})
        self.wait_for_entries("blacklist", "2001:db8:0:7777::1")

    def test_an_event_stands_until_half_of_its_bucket_is_back(self):
        self.world(threshold={"ladder": "alert 1h"})
        start = time.time() - 600
        for after, charge, cleared in ((0, 60, False), (20, 0, False), (34, 0, False),
                                       (34, 20, False), (53, 0, False), (57, 0, True)):
            for server in (self.mx1, self.mx2):  # tokens: -10, 10, 24, 4, 23, 27
                server.saw(OTHER, at=start + after, connections=1)
            if charge:
                self.mx1.saw(BAD, at=start + after, connections=charge)
                self.wait_for_event()
            time.sleep(1.5)
            event, = self.monitor.events(BAD)
            self.assertEqual(event["cleared"] > 0, cleared, (after, event))

    def test_more_addresses_than_there_is_room_for_are_counted(self):
        self.world(monitor={"addresses": 1000}, threshold={"connections_rate": "0/s"})
        for n in range(10000):
            self.mx1.saw(f"198.18.{n >> 8}.{n & 255}", connections=10)
        self.wait_until_taken(10000)
        status = self.monitor.ask("status")
        self.assertGreater(status["evicted"], 5000)
        self.assertEqual((status["charges"], status["alarms"]), (10000, 0))


class Responses(World):
    """What is done on all servers."""

    def test_A7_A18_A34_score_of_the_address_is_raised_on_every_server(self):
        self.world(threshold={"ladder": "score 2.5 5m"})
        (self.folder / "mail").write_bytes(MAIL % BAD.encode())
        before = self.judged(self.mx1)
        self.exceed()
        for entry in self.wait_for_entries("score"):
            self.assertEqual((entry["points"], entry["origin"]), (2.5, "monitor"))
        for server in (self.mx1, self.mx2):
            self.assertAlmostEqual(self.judged(server), before + 2.5, places=3)
        self.exceed("10.1.2.3")  # another one at each server
        self.wait_for_event("10.1.2.3")
        rig.wait_for(lambda: "withheld" in self.monitor.log(), 5, "the alert")
        self.assertEqual(len(self.monitor.rows("SELECT * FROM decisions")), 1)

    def judged(self, server):
        """What a mail of the bad address scores there."""
        found = server.weir.ctl("check", "--client-address", BAD, "--json", self.folder / "mail",
                                check=False)
        return json.loads(found.stdout)["score"]

    def test_A9_A31_address_is_on_every_blacklist_with_end_and_reason(self):
        self.world()
        began = time.time()
        self.exceed()
        for entry in self.wait_for_entries("blacklist"):
            self.assertEqual((entry["origin"], entry["defer"]), ("monitor", False))
            self.assertRegex(entry["reason"], r"^connections: [0-9.]+/s, allowed 50 at 1.000/s")
            ends = time.mktime(time.strptime(entry["ends"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
            self.assertGreaterEqual(ends, int(began) + 300)
            self.assertLess(ends, began + 300 * 1.1 + 10)
        self.assertFalse(listed(self.mx1, "blacklist", OTHER))

    def test_A20_A36_temporary_block_defers_and_ends_by_itself(self):
        self.world(threshold={"ladder": "defer 3s, alert 10m"})
        began = time.monotonic()
        self.exceed()
        for entry in self.wait_for_entries("blacklist"):
            self.assertTrue(entry["defer"])
        self.assertLess(time.monotonic() - began, 5)
        rig.wait_for(lambda: not listed(self.mx1, "blacklist", BAD) and
                     not listed(self.mx2, "blacklist", BAD), 10, "the end of the block")
        self.assertGreater(time.monotonic() - began, 2)

    def test_one_action_undoes_a_block_and_accepts(self):
        self.world()
        self.exceed()
        self.wait_for_entries("blacklist")
        answer = self.monitor.ask("undo", prefix=BAD, accept=True, reason="a partner")
        self.assertEqual((answer["undone"], answer["accepted"]), (1, True))
        self.assertGreater(self.monitor.events(BAD)[0]["cleared"], 0)
        self.wait_for_entries("accept")
        self.assertFalse(listed(self.mx1, "blacklist", BAD))
        self.exceed(each=250)
        self.wait_until_taken(560)
        time.sleep(0.5)
        self.assertEqual(len(self.monitor.events()), 1)

    def test_one_action_fills_the_bucket_too(self):
        self.world(threshold={"connections_rate": "0/s"})
        self.exceed()
        self.wait_for_entries("blacklist")
        self.assertEqual(self.monitor.ask("undo", prefix=BAD)["undone"], 1)
        self.exceed(each=25)
        self.wait_until_taken(110)
        time.sleep(0.5)
        self.assertEqual(len(self.monitor.events(BAD)), 1)
        self.mx1.saw(BAD, connections=1)
        self.wait_for_event(count=2)

    def test_whoever_goes_on_is_blocked_twice_as_long_each_time(self):
        self.world(threshold={"connections_rate": "0/s", "ladder": "defer 1s, reject 2s"})
        self.exceed()
        rows = rig.wait_for(self.goes_on, 30, "four decisions")
        self.assertEqual([row["defer"] for row in rows], [1, 0, 0, 0])
        for row, seconds in zip(rows, (1, 2, 4, 8)):
            lasts = (row["ends"] - row["made"]) / 1e6
            self.assertGreater(lasts, seconds - 0.01)
            self.assertLess(lasts, seconds + 2)

    def goes_on(self):
        self.mx1.saw(BAD, connections=1)
        time.sleep(0.2)
        return self.decided(4)

    def decided(self, count):
        rows = self.monitor.rows("SELECT * FROM decisions ORDER BY number")
        return rows if len(rows) >= count else None

    def test_one_server_has_so_many_blocks_an_hour_and_the_other_has_its_own(self):
        self.world(threshold={"ladder": "reject 4h", "blocks_server_hour": 3})
        for n in range(10):
            self.mx1.saw(f"198.51.{n}.9", connections=100)
        rig.wait_for(lambda: self.monitor.ask("status")["blocks_withheld"] == 7, 10, "7 withheld")
        self.assertEqual(len(self.decided(3)), 3)
        self.mx2.saw(BAD, connections=100)
        self.wait_for_entries("blacklist")

    def test_a_batch_with_times_of_its_choice_climbs_one_step(self):
        self.world(threshold={"ladder": "alert 10m, score 3 1h, defer 15m, reject 4h"})
        start = time.time() - 20 * 3600
        for hour in range(20):
            self.mx1.saw(BAD, at=start + hour * 3600, connections=100)
        self.wait_for_event(count=20, seconds=10)
        self.mx1.saw(BAD, at=time.time() + 4, connections=100)
        self.wait_for_event(count=21)
        self.assertEqual(self.monitor.rows("SELECT step, withheld FROM ladder"),
                         [{"step": 0, "withheld": 0}])
        self.assertEqual(self.monitor.rows("SELECT * FROM decisions"), [])
        self.assertEqual([row["what"] for row in self.monitor.rows(
            "SELECT what FROM audit WHERE who = 'monitor'")], ["alert"])

    def test_one_server_has_so_many_scores_an_hour_whatever_times_it_claims(self):
        self.world(threshold={"ladder": "score 3 1h, reject 4h", "scores_server_hour": 5})
        start = time.time() - 20 * 3600
        for n in range(20):
            self.mx1.saw(f"198.51.{n}.9", at=start + n * 3600, connections=100)
        rig.wait_for(lambda: len(self.monitor.events()) == 20, 10, "20 events")
        self.assertEqual([row["list"] for row in
                          self.monitor.rows("SELECT list FROM decisions")], ["score"] * 5)
        status = self.monitor.ask("status")
        self.assertEqual((status["scores_withheld"], status["blocks_withheld"]), (15, 0))
        rig.wait_for(lambda: "scores withheld: " in self.monitor.log())
        self.assertEqual(self.monitor.log().count("scores withheld: "), 1)
        self.assertIn("0 blocks, 15 scores: too many within an hour",
                      self.monitor.weir.ctl("status", check=False).stdout)
        self.mx2.saw(BAD, connections=100)  # the other one's word is good
        for entry in self.wait_for_entries("score"):
            self.assertEqual(entry["points"], 3)

    def test_observed_thresholds_list_nobody(self):
        self.world(threshold={"observe": "yes"})
        self.exceed()
        event, = self.wait_for_event()
        self.assertEqual(event["observed"], 1)
        time.sleep(1)
        self.assertIsNone(self.mx1.entry("blacklist", BAD) and
                          self.mx1.entry("blacklist", BAD).get("decides"))

    def test_block_is_asserted_again_when_a_server_lost_it(self):
        self.world()
        self.mx2.stop()
        self.mx2.weir.configure(agent={"whole": "1s"})
        self.mx2.start()
        self.exceed()
        self.wait_for_entries("blacklist")
        self.mx2.weir.ctl("blacklist", "remove", BAD)
        began = time.monotonic()
        self.wait_for_entries("blacklist")
        self.assertLess(time.monotonic() - began, 5)

    def test_a_server_without_traffic_is_not_blind_however_short_the_silence(self):
        self.world(monitor={"silence": "1s"})
        rig.wait_for(lambda: self.monitor.ask("status")["servers"] == 2)
        for _ in range(40):
            time.sleep(0.2)
            status = self.monitor.ask("status")
            self.assertEqual((status["servers"], status["blind"]), (2, 0))


class Identities(World):
    """Who may speak for a server."""

    def test_A13_second_agent_of_one_identity_is_refused(self):
        self.monitor_with(monitor={"silence": "8s"})
        self.mx1 = self.server("mx1")
        rig.wait_for(lambda: "generation 0" in self.mx1.log())
        twin = Server(self.folder, self.monitor, "twin", identity=self.mx1.identity.read_text())
        self.addCleanup(twin.process.end)
        twin.saw(BAD, connections=7)
        rig.wait_for(lambda: "another agent speak for mx1" in twin.log())
        rig.wait_for(lambda: self.monitor.events(kind="instance"))
        rig.wait_for(lambda: "a second agent spoke for server mx1" in self.monitor.log())
        self.mx1.saw(OTHER, connections=1)
        rig.wait_for(lambda: self.monitor.about(OTHER))
        time.sleep(9)  # longer than silence: the first one is still heard, every 5 s
        self.assertIsNone(self.monitor.about(BAD))
        self.assertEqual(len(self.monitor.events(kind="instance")), 1)
        self.mx1.kill()
        rig.wait_for(lambda: self.monitor.about(BAD), 60, "the other to be let in")

    def test_an_agent_that_is_refused_rests_between_two_questions(self):
        self.monitor_with()
        self.mx1 = self.server("mx1")
        rig.wait_for(lambda: "generation 0" in self.mx1.log())
        twin = Server(self.folder, self.monitor, "twin", identity=self.mx1.identity.read_text())
        self.addCleanup(twin.process.end)
        twin.saw(BAD, connections=7)
        rig.wait_for(lambda: "another agent speak for mx1" in twin.log())
        before = self.monitor.ask("status")["requests"]
        time.sleep(3)
        self.assertLess(self.monitor.ask("status")["requests"] - before, 20)

    def test_A13_agent_that_restarts_is_let_in_at_once(self):
        self.monitor_with()
        self.mx1 = self.server("mx1")
        rig.wait_for(lambda: "generation 0" in self.mx1.log())
        for n, stop in enumerate((self.mx1.stop, self.mx1.kill)):
            stop()
            self.mx1.start()
            began = time.monotonic()
            self.mx1.saw(f"198.51.100.{n}", connections=1)
            rig.wait_for(lambda n=n: self.monitor.about(f"198.51.100.{n}"))
            self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(self.monitor.events(kind="instance"), [])

    def test_A13_agent_that_is_killed_as_it_starts_is_let_in_at_once(self):
        self.monitor_with()
        self.mx1 = self.server("mx1")
        rig.wait_for(lambda: "generation 0" in self.mx1.log())
        for n in range(3):
            for pause in range(6):  # before it is let in, and after, and just then
                self.mx1.kill()
                self.mx1.process.start()
                time.sleep(pause * 0.01)
            self.mx1.kill()
            self.mx1.start()
            self.mx1.saw(f"198.51.100.{n}", connections=1)
            rig.wait_for(lambda n=n: self.monitor.about(f"198.51.100.{n}"), 15)
        self.assertEqual(self.monitor.events(kind="instance"), [])

    def test_revoked_server_and_forged_secret_are_refused(self):
        self.monitor_with()
        self.mx1 = self.server("mx1")
        self.mx1.saw(OTHER, connections=1)
        rig.wait_for(lambda: self.monitor.about(OTHER))
        self.monitor.ask("server revoke", name="mx1")
        self.mx1.saw(BAD, connections=1)
        rig.wait_for(lambda: "does not know this server, or has revoked it" in self.mx1.log())
        honest = self.monitor.ask("server add", name="mx2")["identity"]
        secret = next(line for line in honest.split("\n") if line.startswith("secret"))
        flipped = secret[:12] + ("A" if secret[12] != "A" else "B") + secret[13:]
        forger = Server(self.folder, self.monitor, "mx2",
                        identity=honest.replace(secret, flipped))
        self.addCleanup(forger.process.end)
        forger.saw(BAD, connections=1)
        rig.wait_for(lambda: "does not know this server" in forger.log())
        time.sleep(1)
        self.assertIsNone(self.monitor.about(BAD))
        self.assertGreater(self.monitor.ask("status")["unknown"], 0)

    def test_agent_does_not_speak_to_a_monitor_with_another_key(self):
        self.monitor_with()
        identity = self.monitor.ask("server add", name="mx1")["identity"]
        pin = next(line for line in identity.split("\n") if line.startswith("pin"))
        other = pin[:-8] + ("AAAAAAA=" if not pin.endswith("AAAAAAA=") else "BBBBBBA=")
        victim = Server(self.folder, self.monitor, "mx1", identity=identity.replace(pin, other))
        self.addCleanup(victim.process.end)
        victim.saw(BAD, connections=1)
        rig.wait_for(lambda: "does not match pinned public key" in victim.log(), 15)
        self.assertEqual(self.monitor.ask("status")["requests"], 0)


if __name__ == "__main__":
    harness.main()

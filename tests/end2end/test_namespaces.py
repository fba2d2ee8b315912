#!/usr/bin/env python3
"""Weir on hosts of its own, as it is meant to stand: two mail servers, Postfix and Exim, the
monitor, memcached, and the Internet, each a network namespace; what becomes of mail, of counts and
of blocks, and what faults do to them.

WEIR_LONG=1 cuts the monitor off for a minute.
"""
import collections
import os
import pathlib
import random
import re
import signal
import socket
import struct
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import namespaces
import rig
import smtp
from monitor import clock_of, needs_clocks, set_clock

CUT = 60 if "WEIR_LONG" in os.environ else 15
THRESHOLD = {"connections_rate": "0.5/s", "connections_most": 60, "recipients_rate": "0.025/s",
             "recipients_most": 100, "ladder": "reject 4h"}


def setUpModule():
    namespaces.needed()
    World.folder = rig.scratch()
    World.hosts = namespaces.Hosts(World.folder, threshold=THRESHOLD)


def tearDownModule():
    World.hosts.close()


class World(unittest.TestCase):
    """All tests have the same hosts, and addresses of their own."""

    pools = 0
    lost = set()  # (server, address) of which not all could be seen

    def load(self, **more):
        """A load from addresses nobody else has."""
        number, World.pools = World.pools, World.pools + 1
        network = ("198.51.100", "192.0.2", "203.0.113")[number // 3]
        return namespaces.Load(self.hosts, network, first=1 + 64 * (number % 3), **more)

    def setUp(self):
        self.watch, self.mx1, self.mx2 = self.hosts.watch, self.hosts.mx1, self.hosts.mx2
        self.events = len(self.watch.events())
        self.addCleanup(self.all_is_well)

    def all_is_well(self):
        gone = [part for part in self.hosts.parts("sniffer", "agent", "monitor", "memcached")
                if not part.process.alive()]
        for part in gone:  # so that only one test suffers
            part.start()
        self.assertEqual([part.name for part in gone], [])
        for process in self.hosts.processes():
            self.assertTrue(process.alive(), process.command[0])
            self.assertNotRegex(process.log(), "Sanitizer|runtime error")
        self.assertEqual(self.mx2.mta.paniclog(), "")

    def refuses(self, server, address):
        return not self.hosts.send(server, address).accepted

    def wait_until(self, refuses, address):
        """Until both servers refuse it, or do not; asked now and then, as asking counts."""
        for server in self.hosts.servers:
            until = time.monotonic() + 20
            while self.refuses(server, address) != refuses and time.monotonic() < until:
                time.sleep(0.2)
            self.assertEqual(self.refuses(server, address), refuses, (server.name, address))

    def wait_until_refused(self, address):
        """Both servers refuse it; by what they said."""
        self.wait_until(True, address)
        return [self.hosts.send(server, address) for server in self.hosts.servers]

    def assert_exactly_once(self, *loads):
        """Every message that was taken is in a mailbox, once."""
        for server in self.hosts.servers:
            server.idle()
            there = collections.Counter(smtp.marks(server.mails()))
            self.assertEqual({mark for mark, times in there.items() if times > 1}, set())
            for load in loads:
                self.assertEqual([mark for mark in load.accepted[server.name]
                                  if mark not in there], [])

    def assert_all_served(self, *loads):
        for load in loads:
            self.assertEqual((load.refused, load.broken), ([], []))
            self.assertTrue(all(load.accepted[server.name] for server in self.hosts.servers))

    def assert_counted(self, seconds=40):
        """The monitor's sums are what the mail servers logged, to one, and stay so."""
        def seen(numbers):
            return {key: value for key, value in numbers.items() if key not in World.lost}
        for server in self.hosts.servers:
            server.idle()
        want = seen(self.hosts.logged())
        try:
            rig.wait_for(lambda: seen(self.hosts.sums()) == want, seconds)
        except rig.Trouble:
            found = seen(self.hosts.sums())
            self.assertEqual({key: want[key] for key in want if found.get(key) != want[key]},
                             {key: found.get(key) for key in want if found.get(key) != want[key]})
            self.assertEqual(found, want)

    def settle(self, *loads):
        self.assert_all_served(*loads)
        self.assert_exactly_once(*loads)
        self.assert_counted()


class Method(World):
    """From the packet to the refusal."""

    def connect(self, server, address, times):
        for _ in range(times):
            self.hosts.session(server, address).link.close()

    def test_A4_A14_A24_who_exceeds_on_both_servers_together_is_refused_by_both(self):
        bad, other = "203.0.113.207", "198.51.100.208"
        for server in self.hosts.servers:  # routed, delivered ...
            mark = f"mark-{server.name}"
            self.assertTrue(self.hosts.send(server, other, smtp.message(mark=mark)).accepted)
            rig.wait_for(lambda s=server, m=mark: m in smtp.marks(s.mails()), 20, "delivery")
        self.assert_counted()  # ... and sniffed
        self.connect(self.mx1, bad, 39)
        self.assertTrue(self.hosts.send(self.mx1, bad).accepted)
        self.assert_counted()
        self.assertEqual(self.watch.events(bad), [])
        self.connect(self.mx2, bad, 40)
        rig.wait_for(lambda: self.watch.events(bad), 20, "the alarm")
        first, second = self.wait_until_refused(bad)
        self.assertEqual((first.stage, first.reply.code, second.stage, second.reply.code),
                         ("RCPT", 550, "CONNECT", 550))
        self.assertIn(f"Refused: {bad} is listed", first.reply.text)
        event, = self.watch.events(bad)
        self.assertEqual((event["quantity"], bin(event["servers"]).count("1")),
                         ("connections", 2))
        for server in self.hosts.servers:
            self.assertTrue(self.hosts.send(server, other).accepted)
        self.watch.weir.ctl("unblock", bad)
        self.wait_until(False, bad)
        self.assertEqual(len(self.watch.events()), self.events + 1)
        self.assert_exactly_once()
        self.assert_counted()


class Faults(World):
    """Mail flows meanwhile: every message is taken, delivered once, and counted once."""

    def tearDown(self):
        self.assertEqual(len(self.watch.events()), self.events)

    def health(self, server):
        """What its agent says of itself, as the monitor shows it."""
        servers = self.watch.weir.json("server", "list")
        return next(one["health"] for one in servers if one["name"] == server)

    def test_A4_a_monitor_that_is_cut_off_for_a_while_gets_every_record_once(self):
        with self.load() as load:
            load.wait(5)
            self.hosts.network.cut("watch")
            self.addCleanup(self.hosts.network.join, "watch")
            before = load.count()
            time.sleep(2)
            sums = self.hosts.sums()
            time.sleep(CUT)
            self.assertEqual(self.hosts.sums(), sums)
            self.assertGreater(load.count(), before + CUT)
            self.hosts.network.join("watch")
            load.wait(5)
        self.settle(load)

    def test_A4_agents_monitor_and_memcached_killed_one_after_the_other_lose_nothing(self):
        with self.load() as load:
            for part in self.hosts.parts("agent", "monitor", "memcached"):
                load.wait(4)
                part.process.stop(signal.SIGKILL)
                load.wait(4)
                part.start()
            load.wait(4)
        self.settle(load)

    def test_A4_all_programs_stopped_and_continued_one_after_the_other_lose_nothing(self):
        with self.load() as load:
            for part in self.hosts.parts("sniffer", "agent", "monitor", "memcached"):
                part.process.send(signal.SIGSTOP)
                self.addCleanup(part.process.send, signal.SIGCONT)
                load.wait(6)
                part.process.send(signal.SIGCONT)
            load.wait(4)
        self.settle(load)

    def test_A4_a_killed_sniffer_is_blind_as_long_as_it_is_dead(self):
        part, *_ = self.hosts.parts("sniffer")
        before = self.health("mx1")["sniffer_silences"]
        with self.load() as load:
            rig.wait_for(lambda: ("mx1", load.addresses[0][0]) in self.hosts.sums(), 20, "a count")
            part.process.stop(signal.SIGKILL)
            load.wait(10)
            rig.wait_for(lambda: self.health("mx1")["sniffer_silent"] >= 3, 30, "mx1 to be blind")
            self.assertEqual(self.health("mx2")["sniffer_silent"], 0)
            status = self.watch.ask("status")
            self.assertEqual((status["blind"], status["blind_names"]), (1, "mx1 (its sniffer)"))
            part.start()
            load.wait(2)
            rig.wait_for(lambda: self.health("mx1")["sniffer_silent"] == 0, 30, "mx1 to see again")
        self.assertEqual(self.health("mx1")["sniffer_silences"], before + 1)
        self.assertGreaterEqual(self.health("mx1")["sniffer_silence"], 3)
        self.assertIn("the sniffer writes nothing", self.mx1.log())
        self.assert_all_served(load)
        World.lost |= {("mx1", address) for addresses in load.addresses for address in addresses}
        with self.load() as after:
            after.wait(8)
        self.settle(after)
        self.assert_exactly_once(load)
        want, found = self.hosts.logged(), self.hosts.sums()
        for key in World.lost & set(want):
            for n, number in enumerate(found.get(key, (0, 0, 0))):
                self.assertLessEqual(number, want[key][n], key)
        self.assertLess(sum(found.get(key, [0])[0] for key in World.lost),
                        sum(want[key][0] for key in World.lost & set(want)))


class Clocks(World):
    """Wall clocks that jump an hour, with libfaketime."""

    def setUp(self):
        needs_clocks()
        super().setUp()
        self.parts = [part for part in self.hosts.parts("agent", "monitor", "sniffer")
                      if not part.name.endswith("mx2")]
        for part in self.parts:
            part.clock = self.folder / f"{part.name.replace(' ', '-')}.clock"
            self.addCleanup(self.restart, part, part.process.environment)
            set_clock(part.clock, 0)
            self.restart(part, clock_of(part.clock))

    def restart(self, part, environment):
        part.process.stop()
        part.process.environment = environment
        part.start()

    def test_A4_a_clock_that_jumps_an_hour_blocks_nobody_and_clears_no_alarm(self):
        bad, began = "203.0.113.209", time.time()
        many = [f"u{n}@test.example" for n in range(30)]
        for _ in range(2):
            for server in self.hosts.servers:
                self.hosts.send(server, bad, b"Subject: to many\n\nHello.\n", many)
        self.wait_until_refused(bad)
        with self.load(pause=0.1) as load:
            for part in self.parts:
                for seconds in (3600, -3600, 0):
                    with self.subTest(part=part.name, seconds=seconds):
                        set_clock(part.clock, seconds)
                        load.wait(4)
                        self.check(bad)
        self.settle(load)
        self.check(bad)
        then = min(row["minute"] for row in self.watch.rows("SELECT minute FROM minutes"))
        self.assertLess(abs(then * 60 - (began - 3600)), 180)  # a clock did jump

    def check(self, bad):
        for server in self.hosts.servers:
            self.assertTrue(self.refuses(server, bad), server.name)
        self.assertEqual(len(self.watch.events()), self.events + 1)
        self.assertEqual([event["cleared"] for event in self.watch.events(bad)], [0])


def checksum(octets):
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Floods(World):
    """What anybody can forge."""

    def frames(self, target, count, draw):
        """SYNs from anywhere: half of them from all over IPv4, half from random /64s."""
        here, there = self.hosts.network.world.hardware(), target.host.hardware()
        four = socket.inet_aton(target.host.address)
        six = socket.inet_pton(socket.AF_INET6, f"fd77::{target.host.address[-1]}")
        for _ in range(count // 2):
            port, number = 1024 + draw.randrange(60000), draw.getrandbits(32)
            source = struct.pack(">I", draw.randrange(0x0b000000, 0x7e000000))
            head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, source, four)
            head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
            yield there + here + b"\x08\x00" + head + self.syn(source, four, port, number)
            source = struct.pack(">IIQ", 0x20010db8, draw.getrandbits(32), 1 + draw.getrandbits(60))
            head = struct.pack(">IHBB", 0x60000000, 20, 6, 64) + source + six
            yield there + here + b"\x86\xdd" + head + self.syn(source, six, port, number)

    def syn(self, source, target, port, number):
        tcp = struct.pack(">HHIIBBHHH", port, namespaces.SMTP, number, 0, 0x50, 2, 8192, 0, 0)
        pseudo = source + target + struct.pack(">II", len(tcp), 6)
        return tcp[:16] + struct.pack(">H", checksum(pseudo + tcp)) + tcp[18:]

    def flood(self, count, draw):
        with self.hosts.network.world:
            raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            raw.bind(("eth0", 0))
        with raw:
            for server in self.hosts.servers:
                for frame in self.frames(server, count, draw):
                    raw.send(frame)

    def from_random_networks(self, count, draw):
        """Connections that are real, each from a network of its own."""
        for _ in range(count):
            source = f"2001:db8:{draw.getrandbits(16):x}:{draw.getrandbits(16):x}::7"
            with self.hosts.network.world:
                link = socket.create_connection(("fd77::1", namespaces.SMTP), 20, (source, 0))
            with link:
                link.recv(100)

    def syns(self):
        """SYNs without a connection, as the monitor knows them."""
        return self.watch.rows("SELECT SUM(syns) AS syns FROM addresses")[0]["syns"] or 0

    def storms(self, times, load, draw):
        before = self.syns()
        for _ in range(times):
            self.flood(8000, draw)
            self.from_random_networks(50, draw)
            load.wait(6)
        rig.wait_for(lambda: self.syns() > before, 30, "SYNs that came to nothing")

    def resident(self):
        found = {}
        for part in self.hosts.parts("sniffer", "agent", "monitor"):
            text = pathlib.Path(f"/proc/{part.process.pid}/status").read_text()
            found[part.name] = int(re.search(r"VmRSS:\s+(\d+)", text).group(1))
        return found

    def test_A4_floods_of_forged_addresses_and_random_networks_blame_nobody(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}", file=sys.stderr)
        draw = random.Random(seed)
        with self.load() as load:
            self.storms(2, load, draw)
            before = self.resident()
            self.storms(3, load, draw)
            after = self.resident()
        self.settle(load)
        self.assertEqual(len(self.watch.events()), self.events)
        self.assertLess(max(after[name] - before[name] for name in before), 8000,
                        (before, after))


if __name__ == "__main__":
    harness.main()

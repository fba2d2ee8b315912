#!/usr/bin/env python3
"""Monitor and agents killed, stopped, cut off and without room on the disk: no line that was
written is lost, and none is counted twice."""
import collections
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from monitor import QUANTITIES, octets_of
from test_monitor import BAD, World

ROUNDS = int(os.environ.get("WEIR_KILLS", "12"))
QUIET = {"connections_most": 1000000, "messages_most": 1000000, "recipients_most": 1000000}


class Writer(threading.Thread):
    """Appends lines to a server's spool as fast as it is told to, and keeps what they say."""

    def __init__(self, server, seed, pause=0.0005):
        super().__init__(daemon=True)
        self.server, self.draw, self.pause = server, random.Random(seed), pause
        self.sums = collections.defaultdict(lambda: [0] * len(QUANTITIES))
        self.lines, self.done = 0, threading.Event()

    def run(self):
        while not self.done.is_set():
            address = f"198.51.{self.draw.randrange(8)}.{self.draw.randrange(32)}"
            numbers = {name: self.draw.randrange(1, 5) for name in QUANTITIES
                       if name == "connections" or self.draw.random() < 0.5}
            self.server.saw(address, **numbers)
            for n, name in enumerate(QUANTITIES):
                self.sums[octets_of(address)][n] += numbers.get(name, 0)
            self.lines += 1
            if self.draw.random() < 0.002:
                self.server.turn()
            time.sleep(self.pause)

    def stop(self):
        self.done.set()
        self.join()


def total(writers):
    sums = collections.defaultdict(lambda: [0] * len(QUANTITIES))
    for writer in writers:
        for address, numbers in writer.sums.items():
            for n, number in enumerate(numbers):
                sums[address][n] += number
    return {address: tuple(numbers) for address, numbers in sums.items()}


def fill(ballast):
    """Takes all the room there is."""
    with open(ballast, "wb", buffering=0) as out:
        try:
            while True:
                out.write(bytes(4096))
        except OSError:
            pass


class Faults(World):
    """Each ends with the sums of the database against those of the lines."""

    def writers(self, **more):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}", file=sys.stderr)
        self.draw = random.Random(seed)
        self.all = [Writer(server, seed + n, **more)
                    for n, server in enumerate((self.mx1, self.mx2))]
        for writer in self.all:
            writer.start()
            self.addCleanup(writer.stop)

    def compare(self, seconds=100):
        """Ends the writing, waits until all has come, and compares."""
        for writer in self.all:
            writer.stop()
            writer.server.turn()
        want = total(self.all)
        try:
            rig.wait_for(lambda: self.monitor.sums() == want, seconds)
        except rig.Trouble:
            pass
        found = self.monitor.sums()
        self.assertEqual({k: v for k, v in want.items() if found.get(k) != v},
                         {k: found.get(k) for k, v in want.items() if found.get(k) != v})
        self.assertEqual(found, want)
        rig.wait_for(lambda: not self.mx1.files(), 30, "the spool to be empty")
        time.sleep(1)
        self.assertEqual(self.monitor.sums(), want)
        lines = sum(writer.lines for writer in self.all)
        self.assertGreater(lines, 500)
        for row in self.monitor.rows("SELECT * FROM addresses"):
            self.assertEqual(tuple(row[name] for name in QUANTITIES), want[row["address"]])

    def test_monitor_and_agents_killed_at_random_moments(self):
        self.world(threshold=QUIET)
        self.writers()
        for _ in range(ROUNDS):
            time.sleep(self.draw.uniform(0.05, 1.2))
            victim = self.draw.choice((self.monitor, self.monitor, self.mx1, self.mx2))
            victim.kill()
            time.sleep(self.draw.uniform(0, 0.3))
            victim.start()
        self.compare()

    def test_a_monitor_that_is_gone_for_a_while_costs_nothing(self):
        self.world(threshold=QUIET)
        self.writers()
        time.sleep(0.5)
        self.monitor.stop()
        before = self.mx1.waiting()
        time.sleep(3)
        self.assertGreater(self.mx1.waiting(), before)
        self.assertTrue(self.mx1.process.alive())
        self.monitor.start()
        self.compare()

    def test_a_monitor_that_hangs_for_a_while_costs_nothing(self):
        self.world(threshold=QUIET)
        self.writers()
        time.sleep(0.5)
        for process in (self.monitor.process, self.mx1.process):
            process.send(signal.SIGSTOP)
            time.sleep(2)
            process.send(signal.SIGCONT)
            time.sleep(0.5)
        self.compare()

    def test_what_a_sniffer_left_that_is_gone_is_taken_and_goes(self):
        self.monitor_with(threshold=QUIET)
        mx1 = self.server("mx1", spool={"turn": "1s"})
        left = mx1.spool / "sniffer-1000000000-1.log.part"
        left.write_text(f"at={time.time():.6f} kind=traffic address={BAD} connections=7\nat=179")
        self.wait_until_taken(1)
        rig.wait_for(lambda: not mx1.files(), 10, "the spool to be empty")
        self.assertEqual(self.monitor.sums()[octets_of(BAD)][0], 7)

    def test_what_is_written_behind_a_power_cut_is_counted(self):
        self.monitor_with(threshold=QUIET)
        mx1 = self.server("mx1")
        for _ in range(100):
            mx1.saw("192.0.2.9", connections=1)
        self.wait_until_taken(100)
        mx1.kill()
        path = mx1.file[0]
        lines = path.read_bytes().splitlines(keepends=True)
        os.truncate(path, sum(map(len, lines[:60])))  # the rest was not on the disk yet
        mx1.start()
        rig.wait_for(lambda: "shorter than what was shipped" in mx1.log(), 10)
        for count in (30, 60):
            for _ in range(30):
                mx1.saw(BAD, connections=1)
            self.wait_until_taken(100 + count)
        rig.wait_for(lambda: {address: sums[0] for address, sums in self.monitor.sums().items()} ==
                     {octets_of(BAD): 60, octets_of("192.0.2.9"): 100}, 10, "all in the database")

    def test_a_block_outlives_the_monitor_and_the_agent(self):
        self.world()
        self.exceed()
        self.wait_for_entries("blacklist")
        self.monitor.kill()
        self.mx1.kill()
        self.wait_for_entries("blacklist")
        self.monitor.start()
        self.mx1.start()
        rig.wait_for(lambda: self.mx1.log().count("(all)") > 1)
        self.wait_for_entries("blacklist")
        self.assertEqual(len(self.monitor.events(BAD)), 1)


class Full(Faults):
    """The monitor's disk is full."""

    test_monitor_and_agents_killed_at_random_moments = None
    test_a_monitor_that_is_gone_for_a_while_costs_nothing = None
    test_a_monitor_that_hangs_for_a_while_costs_nothing = None
    test_a_block_outlives_the_monitor_and_the_agent = None
    test_what_is_written_behind_a_power_cut_is_counted = None

    def mount(self, where, size):
        if os.geteuid() != 0:
            raise unittest.SkipTest("only root may mount")
        where.mkdir(parents=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "weir", where],
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise unittest.SkipTest(f"no tmpfs: {done.stderr}")
        self.addCleanup(subprocess.run, ["umount", "-l", where], check=False)

    def test_a_journal_without_room_refuses_and_loses_nothing(self):
        journal = self.folder / "journal"
        self.mount(journal, "512k")  # less than all that comes: what is stored makes room
        ballast = journal / "ballast"
        self.world(threshold=QUIET, monitor={"journal": journal})
        self.writers()
        time.sleep(0.5)
        fill(ballast)
        rig.wait_for(lambda: self.monitor.ask("status")["later"] > 0, 20, "a refusal")
        self.problem(f"journal cannot be written: full; .*agents keep .*the disk of {journal}, or")
        time.sleep(2)
        self.assertTrue(self.monitor.process.alive())
        self.monitor.kill()
        self.monitor.start()
        time.sleep(1)
        ballast.unlink()
        self.compare()
        self.no_problem()

    def problem(self, reason):
        """weirctl tells of the disk."""
        def told():
            done = self.monitor.weir.ctl("status", check=False)
            return done.returncode == 1 and re.search(f"(?m)^PROBLEM .*{reason}", done.stdout)
        rig.wait_for(told, 30, f"a problem: {reason}")

    def no_problem(self):
        rig.wait_for(lambda: "cannot be written" not in
                     self.monitor.weir.ctl("status", check=False).stdout, 30, "no problem")

    def test_agents_come_back_soon_after_they_were_told_to_come_later(self):
        journal = self.folder / "journal"
        self.mount(journal, "1m")
        self.world(threshold=QUIET, monitor={"journal": journal})
        self.writers(pause=0.005)
        fill(journal / "ballast")
        rig.wait_for(lambda: self.monitor.ask("status")["later"] > 0, 20, "a refusal")
        time.sleep(20)  # long enough for a rest that goes on doubling
        before = self.monitor.ask("status")["lines"]
        (journal / "ballast").unlink()
        rig.wait_for(lambda: self.monitor.ask("status")["lines"] > before, 7, "agents to be back")
        self.compare()

    def test_a_database_without_room_keeps_all_in_the_journal(self):
        state = self.folder / "monitor"
        self.mount(state, "4m")
        journal = self.folder / "journal"
        self.world(threshold=QUIET, monitor={"journal": journal})
        self.writers()
        time.sleep(0.5)
        ballast = state / "ballast"
        fill(ballast)
        self.problem(f"database cannot be written: .*full; .*the journal.* disk of {state}/spam.db")
        self.assertTrue(self.monitor.process.alive())
        ballast.unlink()
        self.compare()
        self.no_problem()


if __name__ == "__main__":
    harness.main()

#!/usr/bin/env python3
"""Rules on their way from the rulebook of a real monitor to the mail of two servers: published,
fetched, verified, at work; and what was changed, cut, replayed or signed by somebody else is not."""
import http.server
import json
import pathlib
import shutil
import sqlite3
import ssl
import sys
import threading
import time
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import milter
import rig
from test_monitor import World

SOON = 20  # seconds; claims.md says 60
DAY = 86400
LOAN, WIN = b"a cheap loan", b"a sure win"


class Publishing(World):
    """A monitor and two servers, each with a milter."""

    def setUp(self):
        super().setUp()
        self.world()
        for server in (self.mx1, self.mx2):
            self.add_milter(server)

    def add_milter(self, server):
        folder = server.weir.folder / "rules"
        folder.mkdir(exist_ok=True)
        server.milter = milter.Milter(server.weir)
        self.addCleanup(self.end, server.milter.process)

    def put(self, number, name, text, score=6.0, state="active", age=0):
        """A rule in the rulebook, which came into its state so many seconds ago."""
        then = int((time.time() - age) * 1e6)
        with sqlite3.connect(self.monitor.weir.folder / "spam.db", timeout=10) as database:
            database.execute(
                "INSERT INTO rules (id, name, kind, text, state, score, base, low, high, author, "
                "created, updated, since, approved) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 'test', ?, "
                "?, ?, 1) ON CONFLICT (id) DO UPDATE SET text = excluded.text, "
                "score = excluded.score, state = excluded.state",
                (number, name, text.split()[0], text, state, score, score, then, then, then))
        database.close()

    def hit(self, number, age):
        """When a rule was last hit."""
        then = int((time.time() - age) * 1e6)
        with sqlite3.connect(self.monitor.weir.folder / "spam.db", timeout=10) as database:
            database.execute("INSERT OR REPLACE INTO hits VALUES (?, ?, ?, 1, 1, 0, 0, 1.0, 0.0, "
                             "?)", (number, then, then, then))
        database.close()

    def loan(self, **more):
        self.put(101, "CHEAP_LOAN", "body CHEAP_LOAN /cheap loan/i\n", **more)

    def win(self, **more):
        self.put(102, "SURE_WIN", "body SURE_WIN /sure win/i\n", **more)

    def publish(self, *words):
        return json.loads(self.monitor.weir.ctl("publish", *words, "--json"))

    def score(self, server, body):
        """What a message with this body scores at a server."""
        with milter.Client(server.milter.path) as link:
            link.hand_over([(b"From", b"ann@client.example"), (b"Subject", b"hello")],
                           body + b"\r\n")
            link.outcome()
        return float(server.milter.decisions()[-1]["score"])

    def wait_for_score(self, server, body, score, seconds=SOON):
        rig.wait_for(lambda: abs(self.score(server, body) - score) < 0.005, seconds,
                     f"a score of {score} at {server.name}")

    def rules_of(self, server):
        """What the server's agent says of its rule sets."""
        row = self.monitor.rows("SELECT health FROM servers WHERE name = ?", server.name)[0]
        return json.loads(row["health"] or "{}").get("rules", {})

    def wait_until_told(self, server, **want):
        rig.wait_for(lambda: {k: self.rules_of(server).get(k) for k in want} == want, SOON,
                     f"{want} of {server.name}, not {self.rules_of(server)}")

    def files(self, server):
        return sorted(path.name for path in server.weir.folder.glob("rules-*.db"))


class Published(Publishing):
    """The way a rule takes."""

    def test_B11_B30_B31_a_published_rule_judges_on_both_servers(self):
        self.loan()
        began = time.monotonic()
        self.assertEqual(self.publish()["serial"], 1)
        for server in (self.mx1, self.mx2):
            self.wait_for_score(server, LOAN, 6)
        self.assertLess(time.monotonic() - began, 60)
        for server in (self.mx1, self.mx2):
            self.wait_until_told(server, serial=1, refused=0, refusals=0)
            self.assertEqual(self.files(server), ["rules-1.db"])

    def test_B11_an_idle_rule_is_missing_and_a_recent_one_present(self):
        self.put(1, "IDLE", "body IDLE /idle/\n", age=31 * DAY)
        self.put(2, "RECENT", "body RECENT /recent/\n", age=90 * DAY)
        self.hit(2, 29 * DAY)
        self.put(3, "OLD_HIT", "body OLD_HIT /old hit/\n", age=90 * DAY)
        self.hit(3, 31 * DAY)
        self.put(4, "LOCKED", "body LOCKED /locked/\n", age=90 * DAY, state="locked")
        self.put(5, "NET", "ip NET 203.0.113.0/24\n", age=90 * DAY)
        self.put(6, "DRAFT", "body DRAFT /draft/\n", state="draft")
        self.put(7, "NEW_TEST", "body NEW_TEST /new test/\n", state="test")
        self.assertEqual(self.publish()["rules"], 4)
        for server in (self.mx1, self.mx2):
            self.wait_until_told(server, serial=1)
            names = {rule["name"] for rule in json.loads(server.weir.ctl("rules", "list",
                                                                         "--json"))}
            self.assertEqual(names, {"RECENT", "LOCKED", "NET", "NEW_TEST"})


if __name__ == "__main__":
    harness.main()

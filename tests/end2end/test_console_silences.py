#!/usr/bin/env python3
"""Silences at the desk: who may make which, what is refused by name, and where those that stand are
told."""
import json
import pathlib
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import desk
import harness
import rig

DAY = 86400


class Silences(unittest.TestCase):
    """One monitor for each test."""

    def setUp(self):
        self.desk = desk.Desk(rig.scratch())
        self.addCleanup(lambda: self.assertEqual(self.desk.monitor.stop(), 0))
        self.admin = self.desk.somebody()

    def silence(self, who=None, status=200, days=1, **what):
        answer = (who or self.admin).ask("POST", "/silences", {
            "ends": int(time.time()) + days * DAY, "reason": "known", **what})
        self.assertEqual(answer.status, status, (what, answer.octets))
        return answer.json

    def test_a_wide_silence_needs_an_administrator(self):
        anna = self.desk.made("anna", "analyst")
        wide = ({"kind": "threshold"}, {"threshold": "default"}, {"prefix": "0.0.0.0/0"},
                {"prefix": "::/0"}, {"prefix": "10.0.0.0/15"}, {"prefix": "2001:db8::/31"},
                {"prefix": "192.0.2.7", "days": 31})
        for what in wide:
            self.assertIn("role administrator", self.silence(anna, 403, **what)["error"])
        for what in ({"prefix": "10.1.0.0/16", "threshold": "default"},
                     {"prefix": "2001:db8::/32"}, {"prefix": "192.0.2.7", "days": 30}):
            self.assertFalse(self.silence(anna, **what)["wide"])
        for what in wide:
            self.assertTrue(self.silence(**what)["wide"])
        made = json.loads(self.desk.monitor.weir.ctl("silence", "add", "--kind", "threshold",
                                                     "--for", "1h", "--reason", "x", "--json"))
        self.assertTrue(made["wide"])
        self.assertTrue(anna.do("POST", f"/silences/{made['number']}/end", {})["ended"])

    def test_the_first_page_and_status_tell_which_stand(self):
        ctl = self.desk.monitor.weir.ctl

        def told():
            return [(one["level"], one["text"]) for one in
                    self.admin.get("/overview")["attention"] if one["page"] == "alerts"]
        self.assertEqual(told(), [])
        narrow = self.silence(prefix="203.0.113.0/24")
        text = (f"1 silence stands, nobody is told of alerts about address 203.0.113.0/24 until "
                f"{narrow['ends']}; 0 alerts are under it")
        self.assertEqual(told(), [("note", text)])
        self.assertIn(text, ctl("status", check=False).stdout)
        wide = self.silence(kind="threshold")
        for _ in range(4):
            self.silence(prefix="192.0.2.7", threshold="default")
        (level, text), = told()
        self.assertEqual(level, "notice")
        self.assertRegex(text, rf"^6 silences stand, nobody is told of alerts about kind threshold "
                               rf"until {wide['ends']}; address 192.0.2.7, threshold default until "
                               r".*; and 2 more; 0 alerts are under them$")
        for row in self.admin.get("/silences")["rows"]:
            self.admin.do("POST", f"/silences/{row['number']}/end", {})
        self.assertEqual(told(), [])
        self.assertNotIn("silenced ", ctl("status", check=False).stdout)

    def test_what_is_not_there_is_refused_with_what_is(self):
        self.admin.do("POST", "/servers", {"name": "mx1"})
        for what, words in (({"server": "mx9"}, "no server mx9; there is mx1"),
                            ({"threshold": "partners"}, "no threshold partners; there is default"),
                            ({"kind": "instance"}, "no kind instance; there is threshold")):
            self.assertIn(words, self.silence(status=404, **what)["error"])
            (name, value), = what.items()
            for given in (value, ""):
                answer = self.desk.monitor.weir.ctl(
                    "silence", "add", "192.0.2.7", f"--{name}", given, "--for", "1h", "--reason",
                    "x", check=False)
                self.assertNotEqual(answer.returncode, 0)
                self.assertIn("empty" if not given else words, answer.stderr)
        for name in ("prefix", "threshold", "server", "kind"):
            what = {"prefix": "192.0.2.7", name: ""}
            self.assertIn(f"{name} is empty", self.silence(status=400, **what)["error"])
        self.assertEqual(self.desk.monitor.try_to("silence add", prefix="192.0.2.7", server=7,
                                                  reason="x", ends=int(time.time()) + 60)[0], 400)
        for n in range(2, 11):
            self.admin.do("POST", "/servers", {"name": f"mx{n}"})
        self.assertRegex(self.silence(status=404, server="nowhere")["error"],
                         r"there are mx1, mx10, .*, mx7 and others$")
        self.silence(server="mx10", threshold="default", kind="threshold")
        self.assertEqual(len(self.admin.get("/silences")["rows"]), 1)

    def test_alerts_under_them_are_counted(self):
        self.desk.monitor.stop()
        with sqlite3.connect(self.desk.monitor.weir.folder / "spam.db") as database:
            database.executemany(
                "INSERT INTO events (raised, kind, address, bits, server, quantity, class,"
                " observed, limit_rate, limit_maximum, rate, tokens, children, servers, text)"
                " VALUES (?, 'threshold', ?, 128, 0, 'messages', 'default', 0, 1, 1, 1, 1, 0, 1,"
                " '')",
                [(int(time.time()) * 10**6, bytes(10) + b"\xff\xff\xcb\x00\x71" + bytes([n]))
                 for n in range(3)])
        self.desk.monitor.start()
        self.desk.ready()
        self.silence(prefix="203.0.113.0/31")
        text = self.admin.get("/overview")["attention"][0]["text"]
        self.assertIn("; 2 alerts are under it", text)


if __name__ == "__main__":
    harness.main()

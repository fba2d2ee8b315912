#!/usr/bin/env python3
"""Alerts that for a time nobody is told of, acknowledgements taken back, and what alerts link
to."""
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import desk
import harness
import rig
from test_monitor import BAD, OTHER
from test_monitor_alerts import Told

THIRD = "198.51.100.77"


class Silence(Told):
    """One monitor for each test, with a console."""

    def told_world(self, window="1s", hook=None, **more):
        port = rig.free_port()
        world = super().told_world(window, hook, **more)
        self.monitor.stop()
        self.monitor.weir.configure(console={"listen": f"inet:127.0.0.1:{port}"})
        self.monitor.start()
        self.desk = desk.Desk.at(self.monitor, port)
        self.admin = self.desk.somebody()
        return world

    def row(self, address):
        return next((row for row in self.admin.get("/alerts?most=50")["rows"]
                     if row["prefix"] == address), None)

    def silence(self, status=200, **what):
        answer = self.admin.ask("POST", "/silences", {
            "ends": int(time.time()) + 3600, "reason": "their <b>newsletter</b>", **what})
        self.assertEqual(answer.status, status, answer.octets)
        return answer.json

    def only(self, *addresses):
        """Once the last of them is told, nobody else was."""
        rig.wait_for(lambda: addresses[-1] in self.told(), 15, f"{addresses[-1]} to be told")
        self.assertEqual(self.told(), set(addresses))

    def told(self):
        return {alert["address"] for post in self.hook.taken() for alert in post["alerts"]}

    def test_an_alert_links_to_its_page(self):
        self.told_world()
        self.exceed()
        post, = self.wait_for_posts(1)
        mail, = self.wait_for_mails(1)
        number = self.wait_for_event()[0]["number"]
        page = f"http://127.0.0.1:{self.desk.port}/#/alerts/{number}"
        self.assertEqual((post["link"], post["alerts"][0]["link"], post["alerts"][0]["event"]),
                         (page, page, number))
        self.assertIn(f"; see {page}\n", mail.get_content())
        self.assertIn(f"; see {page}\n", self.monitor.log())
        self.monitor.weir.configure(console={"url": "https://weir.example.org"})
        self.monitor.stop()
        self.monitor.start()
        self.mx1.saw(OTHER, connections=60)
        number = self.wait_for_event(OTHER)[0]["number"]
        self.assertEqual(self.wait_for_posts(2)[1]["link"],
                         f"https://weir.example.org/#/alerts/{number}")

    def test_nobody_is_told_under_a_silence_and_all_else_stays(self):
        self.told_world()
        made = self.silence(prefix="203.0.113.0/24")
        self.assertEqual((made["prefix"], made["by"], made["threshold"]),
                         ("203.0.113.0/24", "user admin", None))
        self.exceed()
        self.wait_for_entries("blacklist")
        row = rig.wait_for(lambda: self.row(BAD), 10, "the alert")
        self.assertEqual((row["silence"], row["silenced_until"]), (made["number"], made["ends"]))
        self.assertIn("; silenced until ", self.monitor.weir.ctl("events"))
        rig.wait_for(lambda: "nobody is told: a silence stands" in self.monitor.log(), 5)
        self.mx1.saw(OTHER, connections=60)
        self.only(OTHER)
        self.assertEqual(self.admin.do("POST", f"/silences/{made['number']}/end", {})["ended_by"],
                         "user admin")
        self.assertIsNone(self.row(BAD)["silenced_until"])
        self.only(OTHER, BAD)
        self.mx1.saw("203.0.113.99", connections=60)
        self.only(OTHER, BAD, "203.0.113.99")
        audit = [(line["what"], line["detail"]) for line in self.admin.get("/audit")["rows"]
                 if line["what"].startswith("silence")]
        text = (f"address 203.0.113.0/24 until {made['ends']}: their <b>newsletter</b>")
        self.assertEqual(audit, [("silence end", f"{made['number']} ended; was, {text}"),
                                 ("silence add", f"{made['number']}, {text}")])
        self.assertEqual(self.admin.get("/silences")["rows"], [])
        self.assertEqual([one["number"] for one in self.admin.get("/silences?all=1")["rows"]],
                         [made["number"]])

    def test_what_one_server_alone_saw_is_silenced_and_what_two_saw_is_told(self):
        self.told_world()
        self.silence(server="mx1", threshold="default")
        self.mx1.saw(OTHER, connections=60)
        rig.wait_for(lambda: (self.row(OTHER) or {}).get("silence"), 10, "a silenced alert")
        self.mx2.saw(THIRD, connections=60)
        self.only(THIRD)
        self.exceed()
        self.only(THIRD, BAD)

    def test_a_silence_ends_by_itself_and_outlives_a_restart(self):
        self.told_world()
        ends = int(time.time()) + 6
        self.silence(prefix=BAD, ends=ends)
        self.monitor.kill()
        self.monitor.start()
        self.exceed()
        rig.wait_for(lambda: self.monitor.events(BAD)[0]["silence"] if self.monitor.events(BAD)
                     else 0, 10, "a silenced alert")
        self.assertEqual(self.told(), set())
        rig.wait_for(lambda: time.time() > ends + 1, 20, "its end")
        self.monitor.weir.ctl("unblock", BAD)
        self.exceed()
        self.only(BAD)
        self.assertEqual(self.monitor.weir.ctl("silence", "list").count("\n"), 1)
        self.assertIn("by user admin: their <b>newsletter</b>",
                      self.monitor.weir.ctl("silence", "list", "--expired"))

    def silenced(self, address):
        """Is over its limit, and nobody is told."""
        self.mx1.saw(address, connections=60)
        rig.wait_for(lambda: (self.row(address) or {}).get("silence"), 10, "a silenced alert")
        self.assertNotIn(address, self.told())

    def test_what_stands_when_its_silence_ends_is_told_once_and_what_is_over_is_not(self):
        self.told_world()
        for round_, end in enumerate(("by time", "by hand")):
            with self.subTest(end):
                self.hook.posts.clear()
                stands, over, after = (f"198.51.{n}.{round_}" for n in range(3))
                made = [self.silence(prefix=f"{stands}/32"), self.silence(prefix=over)]
                self.silenced(stands)
                self.silenced(over)
                self.monitor.weir.ctl("unblock", over)
                ends = int(time.time()) + 5
                if end == "by time":  # another one, which holds it from now on
                    self.silence(prefix=stands, ends=ends)
                for silence in made:
                    self.admin.do("POST", f"/silences/{silence['number']}/end", {})
                self.only(stands)
                self.assertGreaterEqual(time.time(), ends if end == "by time" else 0)
                self.assertIn("told late: a silence held it", self.hook.taken()[0]["text"])
                self.mx1.saw(after, connections=60)
                self.only(stands, after)
                self.assertEqual(self.posted().count(stands), 1)
                self.assertIsNone(self.row(stands)["silence"])

    def test_what_another_server_sees_is_not_hidden_by_a_silence_of_the_first(self):
        self.told_world()
        self.silence(server="mx1")
        self.silenced(BAD)
        for _ in range(10):
            self.mx2.saw(BAD, connections=6)
        self.only(BAD)
        self.assertEqual(self.hook.taken()[0]["alerts"][0]["servers"], ["mx1", "mx2"])
        rig.wait_for(lambda: not self.row(BAD)["silence"], 5, "no silence")

    def test_weirctl_silences_and_lists_and_ends(self):
        self.told_world()
        ctl = self.monitor.weir.ctl
        self.exceed()
        number = self.wait_for_event()[0]["number"]
        self.wait_for_mails(1)
        made = json.loads(ctl("silence", "add", BAD, "--for", "4h", "--reason", "known", "--json"))
        self.assertEqual(made["prefix"], BAD)
        self.assertEqual(self.row(BAD)["silence"], made["number"])
        self.assertEqual(self.admin.get("/overview")["open_events"], 0)
        self.assertIn(f"{BAD}, by uid ", ctl("silence", "list"))
        self.assertIn("is over", ctl("silence", "end", str(made["number"])))
        self.assertEqual(self.admin.get("/overview")["open_events"], 1)
        self.assertNotEqual(ctl("silence", "end", str(made["number"]), check=False).returncode, 0)
        self.assertIn("a reason", ctl("silence", "add", BAD, "--for", "4h", check=False).stderr)
        self.assertIn("--for", ctl("silence", "add", BAD, "--reason", "x", check=False).stderr)
        ctl("events", "acknowledge", str(number), "--note", "mine")
        ctl("events", "unacknowledge", str(number))
        self.assertIsNone(self.row(BAD)["acknowledged"])
        self.admin.do("POST", f"/alerts/{number}/acknowledge", {"note": "seen"})
        self.admin.do("POST", f"/alerts/{number}/unacknowledge", {})
        detail = self.admin.get("/audit")["rows"][0]["detail"]
        self.assertRegex(detail, rf"^{number}; was acknowledged by user admin at \S+Z: seen$")
        for place in (f"/alerts/{number}/unacknowledge", "/alerts/99999/unacknowledge",
                      "/silences/99999/end"):
            self.assertEqual(self.admin.ask("POST", place, {}).status, 404)

    def test_what_is_no_silence_is_refused(self):
        self.told_world()
        now = int(time.time())
        for what in ({}, {"prefix": "nowhere"}, {"prefix": BAD, "reason": ""},
                     {"prefix": BAD, "reason": "x" * 256}, {"prefix": BAD, "reason": "a\nb"},
                     {"prefix": BAD, "reason": 7}, {"prefix": BAD, "ends": now - 1},
                     {"prefix": BAD, "ends": now + 367 * 86400}, {"prefix": BAD, "ends": "soon"},
                     {"prefix": BAD, "ends": 1.5}, {"threshold": "x" * 32},
                     {"server": "x" * 64}, {"kind": "\x1b[2J"}):
            with self.subTest(what):
                self.silence(status=400, **what)
        self.silence(prefix=BAD, reason="x" * 255, ends=now + 365 * 86400)
        self.silence(threshold="default")
        viewer = self.desk.made("vera", "viewer")
        answer = viewer.ask("POST", "/silences", {"prefix": BAD, "ends": now + 60, "reason": "x"})
        self.assertEqual(answer.status, 403)
        self.assertEqual(len(viewer.get("/silences")["rows"]), 2)
        for _ in range(198):
            self.silence(kind="threshold")
        self.assertIn("too many", self.silence(status=400, kind="threshold")["error"])
        self.assertEqual(len(viewer.get("/silences?most=500")["rows"]), 200)
        page = viewer.get("/silences?most=150")
        self.assertEqual(len(viewer.get(f"/silences?after={page['more']}")["rows"]), 50)


if __name__ == "__main__":
    harness.main()

#!/usr/bin/env python3
"""The console as people see it: Debian's Chromium, driven by playwright-core, looks at a real
weir-monitor with two real agents; axe-core says what would keep people out.

Pictures of every page, desktop and phone, go to build/screenshots.  Skipped where there is no
browser, node or what drives it: tests/end2end/deps.sh --test fetches them.
"""
import pathlib
import sys
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import browsing
import desk
import harness
import rig
from test_reports import Base

BAD, CALM, SPARE, LATER, OTHER = ("203.0.113.7", "198.51.100.9", "192.0.2.44", "192.0.2.99",
                                  "203.0.113.200")
MARKUP = b"you have won <img src=x onerror=alert(1)>"  # what a mail would run
SCRIPT = pathlib.Path(__file__).with_name("console_browser.js")


def pages_of(uid):
    """Name and address."""
    return [
        ("overview", "#/"), ("traffic", "#/traffic"), ("networks", "#/traffic?level=network"),
        ("address", f"#/addresses/{CALM}"), ("messages", "#/messages"),
        ("message", f"#/messages/{uid}"), ("reports", "#/reports?waiting=0"),
        ("report", f"#/reports/{uid}"), ("rules", "#/rules"), ("rule", "#/rules/CHEAP_LOAN"),
        ("rule-new", "#/rules/new"), ("sets", "#/sets"), ("lists", "#/lists"),
        ("alerts", "#/alerts?open=0"), ("thresholds", "#/thresholds"), ("servers", "#/servers"),
        ("audit", "#/audit"), ("users", "#/users"), ("nowhere", "#/nowhere")]


class World(Base):
    """A monitor with a console, and two servers, one of which judges mail that people report."""

    def monitor_with(self, **sections):
        self.desk = desk.Desk(self.folder, **sections)
        self.monitor = self.desk.monitor
        self.addCleanup(self.end, self.monitor.process)
        return self.monitor

    def fill(self):
        """Traffic of the last minutes, judged mail, a rulebook that was published; gives the two
        messages that were reported."""
        self.servers = [self.mx1, self.server("mx2")]
        for minute in range(20, 0, -1):
            for server in self.servers:
                server.saw(CALM, at=time.time() - 60 * minute, connections=1 + minute % 3,
                           messages=1, accepted=1, recipients=1)
        rig.wait_for(lambda: self.monitor.ask("status")["lines"] >= 40, 20, "traffic to be taken")
        self.monitor.weir.ctl("rules", "add", str(self.monitor.weir.folder / "rules"))
        self.monitor.weir.ctl("publish")
        mails = [self.judge(subject=MARKUP), self.judge(subject=MARKUP),
                 self.judge(b"minutes", b"of Tuesday")]
        rows = [self.said(mail, "ham", "--user", "bob@test.example")[0] for mail in mails[:2]]
        self.wait_until_came({"counted": 2})
        rig.wait_for(lambda: len(self.monitor.rows("SELECT uid FROM messages")) == 3, 20, "mail")
        rig.wait_for(lambda: len(self.monitor.rows("SELECT uid FROM reported_texts")) == 2, 20,
                     "texts")
        return [row["uid"] for row in rows]


    def hits_of(self, body):
        """What gives points to a mail of this text now."""
        self.judge(b"minutes", body)
        return self.milter.decisions()[-1]["rules"]


@browsing.needs_browser
class Browser(unittest.TestCase):
    """One world for all tests; a browser for each."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.addClassCleanup(cls.world.doCleanups)
        cls.world.setUp()
        cls.uid, cls.other = cls.world.fill()
        cls.monitor, cls.servers = cls.world.monitor, cls.world.servers
        cls.password = cls.world.desk.password
        cls.url = f"http://127.0.0.1:{cls.world.desk.port}/"

    def look(self, what, asked=None, **more):
        """Has the browser look at something; asked: what is to be done when it asks for it."""
        browsing.look(self, SCRIPT, asked, {
            "do": what, "url": self.url, "name": "admin", "password": self.password,
            "servers": [server.name for server in self.servers],
            "pages": pages_of(self.uid), **more})

    def exceed(self, address):
        for _ in range(60):
            for server in self.servers:
                server.saw(address, connections=1)

    def listed(self, address):
        """On how many servers it is refused."""
        return sum(bool((server.entry("blacklist", address) or {}).get("decides"))
                   for server in self.servers)

    def test_all_files_together_are_small_and_go_out_packed(self):
        names = [path.name for path in (rig.TOP / "monitor/console/web").iterdir()]
        octets = 0
        for name in [*names, "dygraph.min.js"]:
            asked = urllib.request.Request(self.url + name, headers={"Accept-Encoding": "gzip"})
            with urllib.request.urlopen(asked, timeout=20) as answer:
                self.assertEqual(answer.headers["Content-Encoding"], "gzip", name)
                octets += len(answer.read())
        self.assertLess(octets, 150_000)

    def test_who_has_no_password_stays_outside(self):
        self.look("door")

    def test_the_overview_and_the_way_to_an_address_by_keyboard(self):
        self.look("overview")

    def test_A8_an_attack_appears_by_itself_and_is_let_in_again(self):
        self.look("attack", {
            "attack": lambda: self.exceed(BAD),
            "refused": lambda: rig.wait_for(lambda: self.listed(BAD) == 2, 10, "both servers"),
            "unblocked": lambda: rig.wait_for(lambda: self.listed(BAD) == 0, 10, "both servers"),
        }, address=BAD)
        undone = self.monitor.rows("SELECT who FROM audit WHERE what = 'undo'")
        self.assertIn("user admin", [row["who"] for row in undone])

    def test_pages_say_that_data_is_old_and_catch_up_when_the_monitor_is_back(self):
        self.look("restart", {"stop": self.monitor.stop, "start": self.monitor.start,
                              "traffic": lambda: self.servers[0].saw(LATER, connections=7)},
                  address=LATER)

    def test_what_an_administrator_does_is_asked_back_done_and_in_the_audit(self):
        self.look("acts", {
            "refused": lambda: rig.wait_for(lambda: self.listed(OTHER) == 2, 10, "both servers"),
            "unblocked": lambda: rig.wait_for(lambda: self.listed(OTHER) == 0, 10, "both servers"),
        }, address=OTHER, reason="<img src=x onerror=alert(1)>")
        done = {row["what"] for row in
                self.monitor.rows("SELECT what FROM audit WHERE who = 'user admin'")}
        self.assertLessEqual({"undo", "threshold set", "server add", "user add"}, done)

    def test_B16_a_report_is_read_as_text_its_string_decoded_and_forgotten(self):
        self.look("report", markup=MARKUP.decode(), uid=self.other)

    def test_B17_a_rule_is_changed_published_judges_the_next_message_and_is_taken_back(self):
        def counts(so):
            tea = b"weir and tea\r\n"
            rig.wait_for(lambda: ("WEIR_TEA(1.50)" in self.world.hits_of(tea)) is so, 20,
                         f"WEIR_TEA to count: {so}")

        self.look("rules", {"published": lambda: counts(True), "back": lambda: counts(False)})

    def test_every_page_at_both_sizes_without_errors_and_for_everybody(self):
        self.exceed(SPARE)
        rig.wait_for(lambda: self.monitor.events(SPARE), 10, "an event")
        self.look("pages")


if __name__ == "__main__":
    harness.main()

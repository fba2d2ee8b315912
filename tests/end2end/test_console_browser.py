#!/usr/bin/env python3
"""The console as people see it: Debian's Chromium, driven by playwright-core, looks at a real
weir-monitor with two real agents; axe-core says what would keep people out.

Pictures of every page, desktop and phone, go to build/screenshots.  Skipped where there is no
browser, node or what drives it: tests/end2end/deps.sh --test fetches them.
"""
import json
import pathlib
import re
import sys
import time
import unittest
import urllib.request
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import browsing
import desk
import harness
import milter
import postfix
import rig
import smtp
from test_drafts import HAM, PEOPLE
from test_reports import Base

LINKED = "192.0.2.177"
BAD, CALM, SPARE, LATER, OTHER = ("203.0.113.7", "198.51.100.9", "192.0.2.44", "192.0.2.99",
                                  "203.0.113.200")
SHARED = "198.51.100.77"
MARKUP = b"you have won <img src=x onerror=alert(1)>"  # what a mail would run
SCRIPT = pathlib.Path(__file__).with_name("console_browser.js")
# What a mail would run, and what is alike in all of them.
CAMPAIGN = """\
Dear friend <img src=x onerror=alert(1)>, number {0} of our winter lottery was drawn for you.
The board of the northern lottery has released nine hundred thousand in your honoured name {0}.
To claim the fund, send the transfer fee of two hundred to our agent at the harbour office.
Keep this award strictly confidential until the fund is released to your account.
"""


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


class Mailed(World):
    """The same behind a real Postfix, whose users report what it delivers; nothing but rules gives
    points."""

    votes_come = "no"

    def monitor_with(self, **sections):
        return super().monitor_with(drafts={"ham_least": len(HAM)}, **sections)

    def fill(self):
        """A campaign that nobody caught, and good mail, as users report them; gives the uids of
        the spam, and the queue id of the first."""
        self.servers = [self.mx1]
        self.mx1.weir.configure(message={"reputation_points": "no"})
        self.milter.stop()
        self.milter.start()
        self.mta = postfix.PrivatePostfix(self.folder, extra=milter.wiring(self.milter.path))
        self.mta.start()
        self.addCleanup(self.mta.stop)
        good = [self.receive("hello", text.decode()) for text in HAM]
        spam = [self.receive(f"Letter {number}", CAMPAIGN.format(number))
                for number in range(len(PEOPLE))]
        for number, mail in enumerate(good):
            self.said(mail, "ham", "--user", PEOPLE[number % 2])
        uids = [self.said(mail, "spam", "--user", user)[0]["uid"]
                for mail, user in zip(spam, PEOPLE)]
        rig.wait_for(lambda: len(self.monitor.rows(
            "SELECT t.uid FROM reported_texts AS t JOIN reported AS r ON r.uid = t.uid")) ==
            len(good) + len(spam), 30, "texts")
        return uids, re.search(rb"with ESMTP id (\w+)", spam[0])[1].decode()

    def receive(self, subject, text):
        """A mail as Postfix delivers it."""
        mark = uuid.uuid4().hex
        outcome = smtp.send(self.mta.port, "198.51.100.20", content=(
            f"From: Ann <ann@client.example>\nTo: <u@test.example>\nSubject: {subject}\n"
            f"Date: Sat, 21 Nov 2026 18:13:00 +0000\nMessage-Id: <{mark}@client.example>\n"
            f"X-Mark: {mark}\n\n{text}\n").encode())
        self.assertTrue(outcome.accepted, outcome)
        return rig.wait_for(lambda: [mail for mail in self.mta.mails()
                                     if mark in smtp.marks([mail])], 20, "the mail")[0]

    def drafted(self):
        return self.monitor.rows("SELECT name FROM rules WHERE author = 'analyzer'")[0]["name"]

    def next_is(self, points, verdict):
        """Mails of the campaign come, until one is judged so; gives all of them."""
        rule, mails = f"{self.drafted()}({points})", []

        def judged():
            mails.append(self.receive("Letter 77", CAMPAIGN.format(77)))
            line = self.milter.decisions()[-1]
            return rule in line["rules"].split(",") and line["verdict"] == verdict
        rig.wait_for(judged, 20, f"{rule}, {verdict}")
        return mails

    def tried(self):
        """The rule hits and gives nothing; what came meanwhile is reported, too: else it is good
        mail that the rule's points would make spam of."""
        uids = {self.said(mail, "spam", "--user", PEOPLE[0])[0]["uid"]
                for mail in self.next_is("0.00", "ham")}
        rig.wait_for(lambda: uids <= {row["uid"] for row in self.monitor.rows(
            "SELECT printf('%016x', uid) AS uid FROM messages WHERE reported = 'spam'")}, 30,
            "the reports")

    def raised(self):
        """The rule makes spam, and the monitor knows it."""
        self.next_is("6.00", "spam")
        rig.wait_for(lambda: self.monitor.rows("SELECT uid FROM messages WHERE verdict = 'spam'"),
                     20, "the message")


@browsing.needs_browser
class Looking(unittest.TestCase):
    """One world for all tests; a browser for each."""

    @classmethod
    def live_in(cls, world):
        """In a world, which is filled: what that gives."""
        cls.world = world
        cls.addClassCleanup(cls.world.doCleanups)
        cls.world.setUp()
        filled = cls.world.fill()
        cls.monitor, cls.servers = cls.world.monitor, cls.world.servers
        cls.name, cls.password = "admin", cls.world.desk.password
        cls.url = f"http://127.0.0.1:{cls.world.desk.port}/"
        return filled

    def look(self, what, asked=None, **more):
        """Has the browser look at something; asked: what is to be done when it asks for it."""
        browsing.look(self, SCRIPT, asked, {
            "do": what, "url": self.url, "name": self.name, "password": self.password,
            "servers": [server.name for server in self.servers],
            "pages": pages_of(self.uid), **more})


class Browser(Looking):
    """A console with traffic, judged mail, reports and rules."""

    @classmethod
    def setUpClass(cls):
        cls.uid, cls.other = cls.live_in(World())

    def exceed(self, address):
        for _ in range(60):
            for server in self.servers:
                server.saw(address, connections=1)

    def listed(self, address):
        """On how many servers it is refused."""
        return sum(bool((server.entry("blacklist", address) or {}).get("decides"))
                   for server in self.servers)

    def test_all_files_together_are_small_and_go_out_packed(self):
        made = (rig.BUILD / "console_assets.c").read_text(encoding="ascii")
        names = re.findall(r'^{"([^"]+)", octets', made, re.M)
        octets = 0
        self.assertLessEqual({"index.html", "console.js", "dygraph.min.js"}, set(names))
        for name in names:
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

    def test_an_alert_is_reached_by_its_link_acknowledged_and_silenced(self):
        self.exceed(LINKED)
        rig.wait_for(lambda: self.monitor.events(LINKED), 10, "an event")
        self.look("alert", address=LINKED, number=self.monitor.events(LINKED)[0]["number"],
                  reason="their <b>newsletter</b>")
        done = [row["what"] for row in self.monitor.rows("SELECT what FROM audit")]
        self.assertLessEqual({"events acknowledge", "events unacknowledge", "silence add",
                              "silence end"}, set(done))

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

    def test_what_shows_nothing_is_seen(self):
        file = self.monitor.weir.folder / "hidden.rules"
        file.write_text("body HIDDEN /gnp\u202eexe/\n", encoding="utf-8")
        self.monitor.weir.ctl("rules", "add", str(file))
        self.look("hidden")

    def test_what_somebody_else_changed_meanwhile_is_told_and_nothing_typed_is_lost(self):
        ctl, file = self.monitor.weir.ctl, self.monitor.weir.folder / "together.rules"
        file.write_text("body TOGETHER /one/\nscore TOGETHER 2\n", encoding="ascii")
        ctl("rules", "add", str(file))
        self.look("together", {
            "rule": lambda: ctl("rules", "set", "TOGETHER", "score=1.25"),
            "block": lambda: ctl("block", SHARED, "--for", "1h", "--reason", "theirs"),
        }, address=SHARED)
        self.assertIn("theirs", ctl("decisions", SHARED))

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


class FromMailToRule(Looking):
    """What users report becomes a rule that judges the next mail, and is taken back."""

    @classmethod
    def setUpClass(cls):
        rig.needs_root()
        cls.uids, cls.queue_id = cls.live_in(Mailed())
        cls.uid = cls.uids[0]
        made = json.loads(cls.monitor.weir.ctl("user", "add", "rita", "analyst", "--json"))
        cls.name, cls.password = "rita", made["password"]

    def test_B17_reported_mail_is_drafted_approved_tried_raised_and_rolled_back(self):
        self.look("drafted", {
            "changed": lambda: self.world.desk.somebody().do(
                "PUT", f"/rules/{self.world.drafted()}", {"score": 3, "reason": "rather"}),
            "tested": self.world.tried,
            "raised": self.world.raised,
            "back": lambda: self.world.next_is("0.00", "ham"),
        }, uid=self.uid, queueId=self.queue_id)
        done = self.monitor.rows("SELECT who, what FROM audit WHERE who LIKE '%user rita'")
        self.assertLessEqual({("analyzer for user rita", "rules draft"), ("user rita", "rules set"),
                              ("user rita", "publish"), ("user rita", "rollback")},
                             {(row["who"], row["what"]) for row in done})


if __name__ == "__main__":
    harness.main()

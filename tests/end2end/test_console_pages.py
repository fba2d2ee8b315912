#!/usr/bin/env python3
"""Pages of the console that once told something wrong: what each shows while the monitor tells what
is new, while a question is under way, and after the session has ended; and that the rule which is
drafted of a report hits that very mail."""
import base64
import functools
import json
import pathlib
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import browsing
import desk
import harness
import rig
from test_console_browser import World

SCRIPT = pathlib.Path(__file__).with_name("console_pages.js")
HOUR = 3600
MANY = [f"198.51.100.{number}" for number in range(1, 31)]  # more than live rows are
BLOCKED, DEFERRED = "203.0.113.77", "203.0.113.78"
NEWEST = ["192.0.2.200", "192.0.2.201"]
WON = "Größte  Lotterie: 50% off (ja?) #1 /"
READ = f"{WON} gewinnt Preise!"  # in two words, and folded
SUBJECTS = (
    b"=?UTF-8?B?" + base64.b64encode(WON.encode()) +
    b"?=\n =?UTF-8?Q?_gewinnt?=\n  Preise!",
    rb"[URGENT] a/b\c \d {1,2} (x|y)* $5 ^ 100% #tag ~ 'q' \"w\" & <b>",
    b"caf\xe9 gratuit \x80\x81 pour vous",
    b"=?ISO-8859-1?Q?caf=E9_cr=E8me?= \t=?koi8-r?B?8NLJ18XU?=",
    "Gewinn \U0001f389\u00a0\u3000".encode() * 12,
    b"x\x01y\x7f z\tlast")
HEALTH = {"spool_unread": 40, "sniffer_silent": 40, "rules": {"serial": 1, "refused": 2,
                                                              "why": "it is cut"},
          "sniffer": {"kernel_dropped": 1200, "gaps": 3, "unproven": 0},
          "decisions": {"good": 7, "unknown-key": 3}}


class Prepared(World):
    """A report whose subject is encoded, much traffic, and a server that has troubles."""

    def fill(self):
        self.servers = [self.mx1]
        self.mx1.turn()
        for number, address in enumerate(MANY):
            self.mx1.saw(address, connections=1 + number % 5, messages=1)
        self.monitor.weir.ctl("rules", "add", str(self.monitor.weir.folder / "rules"))
        self.mails = {}
        for subject in SUBJECTS:
            mail = self.judge(subject=subject).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            self.mails[self.said(mail, "spam", "--user", "bob@test.example")[0]["uid"]] = mail
        for table in ("reported_texts", "messages"):
            query = f"SELECT uid FROM {table}"
            rig.wait_for(lambda query=query: len(self.monitor.rows(query)) == len(SUBJECTS), 20,
                         table)
        self.change("INSERT INTO servers (name, secret_hash, added, generation, health) "
                    "VALUES ('mx9', zeroblob(32), 1, 1000000, ?)", json.dumps(HEALTH))
        return list(self.mails)[0]

    def change(self, query, *values):
        """Something that the database is to say."""
        database = sqlite3.connect(self.monitor.weir.folder / "spam.db", timeout=10)
        with database:
            database.execute(query, values)
        database.close()


@browsing.needs_browser
class Pages(unittest.TestCase):
    """One world for all; a browser for each."""

    @classmethod
    def setUpClass(cls):
        cls.world = Prepared()
        cls.addClassCleanup(cls.world.doCleanups)
        cls.world.setUp()
        cls.uid = cls.world.fill()
        cls.desk, cls.monitor = cls.world.desk, cls.world.monitor
        cls.admin = cls.desk.somebody()

    def look(self, what, asked=None, port=None, password=None, **more):
        browsing.look(self, SCRIPT, asked, {
            "do": what, "url": f"http://127.0.0.1:{port or self.desk.port}/", "name": "admin",
            "password": password or self.desk.password, **more})

    def test_what_is_told_while_a_page_is_open_changes_nothing_else_of_it(self):
        place = f"/addresses/{BLOCKED}"
        self.look("live", {
            "server": lambda: self.admin.do("POST", "/servers", {"name": "mx7"}),
            **{f"traffic-{address}": functools.partial(self.world.mx1.saw, address, connections=40)
               for address in NEWEST},
            "block": lambda: self.admin.do("POST", f"{place}/block", {
                "ends": int(time.time()) + HOUR, "reason": "by somebody else"}),
            "undo": lambda: self.admin.do("POST", f"{place}/undo", {}),
        }, server="mx7", many=len(MANY), newest=NEWEST, blocked=BLOCKED)

    def test_a_window_that_is_closed_tells_what_came_of_its_question(self):
        self.look("asks", address=DEFERRED)

    def test_a_rule_drafted_of_a_report_hits_that_very_mail(self):
        shown = self.admin.get(f"/reports/{self.uid}")["message"]
        self.assertEqual(shown["subject"], READ)
        uids, folder = list(self.world.mails), self.world.folder / "drafts"
        folder.mkdir()
        self.look("draft", uids=uids, subject=READ, drafts=str(folder))
        checker = rig.Weir(self.world.folder, "checker")
        checker.configure(rules={"folder": folder})
        for uid in uids:
            path = folder / f"{uid}.rules"
            lines = path.read_text(encoding="utf-8")
            self.assertRegex(lines, r"^header +REPORTED_\w+ +Subject =~ ")
            path.write_text(lines.replace(lines.split()[1], f"OF_{uid}"), encoding="utf-8")
        checker.ctl("rules", "load")
        for uid, mail in self.world.mails.items():
            with self.subTest(mail):
                path = self.world.folder / "reported.eml"
                path.write_bytes(mail)
                done = json.loads(checker.ctl("check", "--json", str(path)))
                self.assertEqual([row["name"] for row in done["rules"]
                                  if row["name"].startswith("OF_")], [f"OF_{uid}"])

    def test_of_many_reports_those_that_could_not_be_decided_stay_marked(self):
        self.world.change(
            "INSERT INTO reports (time, server, user, name, told, way, kind, state, came, vote, "
            "weight, uid, verdict, score, address, domain, info) WITH RECURSIVE n(i) AS (SELECT 1 "
            "UNION ALL SELECT i + 1 FROM n WHERE i < 150) SELECT ? + i, 1, i, 'ann', 'from', "
            "'attached', 'ham', 'valid', 'counted', 0, 0, i, 'spam', 7, '', '', 'x' FROM n",
            int(time.time() - HOUR) * 10 ** 6)
        self.look("many", many=150)

    def test_what_is_wrong_with_a_server_is_told_as_weirctl_tells_it(self):
        self.world.change("UPDATE servers SET last_seen = ? WHERE name = 'mx9'",
                          (int(time.time()) + HOUR) * 10**6)  # a monitor that starts forgets that
        row, = [row for row in self.admin.get("/servers")["rows"] if row["name"] == "mx9"]
        texts = [trouble["text"] for trouble in row["troubles"]]
        self.assertEqual(row["troubles"][0]["why"], "it is cut")
        self.assertEqual(texts, [
            "it refuses rule set 2", "its spool cannot be read for 40 s",
            "its sniffer: 1200 packets lost", "its sniffer: 3 gaps in what it heard",
            "3 of 10 decisions in the last hour are signed with a key the monitor has not"])
        shown = self.monitor.weir.ctl("server", "list")
        for words in ("1200 packets lost, 3 gaps in what it heard", texts[-1]):
            self.assertIn(words, shown)
        self.look("servers", server="mx9", texts=texts,
                  why=[trouble["why"] for trouble in row["troubles"]])

    def test_forms_keep_what_was_asked_for_and_say_what_the_monitor_says(self):
        me = self.admin.get("/me")
        self.assertEqual(me["roles"], ["viewer", "analyst", "administrator"])
        self.assertEqual(set(me["limits"]), {"account_name", "password_least", "password_most",
                                             "threshold_name", "reason"})
        default, = [row for row in self.admin.get("/thresholds")["rows"]
                    if row["name"] == "default"]
        self.look("forms", limits=me["limits"], ladder=default["ladder"])

    def test_limits_that_pages_are_told_are_those_that_hold(self):
        limits, until = self.admin.get("/me")["limits"], int(time.time()) + HOUR
        place = "/addresses/192.0.2.66/block"
        for more, status in ((0, 200), (1, 400)):
            for method, where, body in (
                    ("POST", place, {"ends": until, "reason": "x" * (limits["reason"] + more)}),
                    ("POST", "/users", {"name": "n" * (limits["account_name"] + more),
                                        "role": "viewer"}),
                    ("PUT", "/thresholds/" + "t" * (limits["threshold_name"] + more),
                     {"prefixes": "192.0.2.66", "rate": [1, 1, 1], "maximum": [9, 9, 9],
                      "ladder": "alert 1h"})):
                self.assertEqual(self.admin.ask(method, where, body).status, status, where)
            self.assertEqual(
                self.admin.ask("GET", f"/audit?most={500 + more}").status, status)

    def restart(self):
        self.assertEqual(self.monitor.stop(), 0)
        self.monitor.start()
        self.desk.ready()

    def end_sessions(self):
        self.world.change("DELETE FROM sessions")
        self.restart()

    def test_a_session_that_ends_ends_the_page_and_another_is_no_second_hearer(self):
        self.addCleanup(lambda: setattr(type(self), "admin", self.desk.somebody()))
        self.look("session", {"ended": self.end_sessions, "again": self.restart})

    def test_the_first_page_asks_once_and_shows_nothing_of_a_session_that_has_ended(self):
        self.look("loading")

    def test_a_new_monitor_says_where_messages_come_from(self):
        new = desk.Desk(self.world.folder, name="new")
        self.addCleanup(new.monitor.stop)
        self.look("fresh", port=new.port, password=new.password)


if __name__ == "__main__":
    harness.main()

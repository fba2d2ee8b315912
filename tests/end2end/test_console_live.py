#!/usr/bin/env python3
"""Live pages of the console: who hears them, how long, and what they hear of much at once."""
import pathlib
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import desk
import harness
from test_console import Console


class Hearing(Console):
    def listen(self, person):
        stream = person.listen()
        self.addCleanup(stream.close)
        stream.until("lists", lambda data: True)
        return stream

    def ends(self, stream, most=15):
        """A stream ends, long before streams end anyway."""
        until = time.monotonic() + most
        with self.assertRaises(EOFError):
            while time.monotonic() < until:
                stream.next()

    def test_who_has_logged_out_hears_no_more(self):
        here = self.desk.made("lara", "viewer")
        stream = self.listen(here)
        here.do("POST", "/logout", {})
        self.ends(stream)

    def test_who_was_disabled_removed_or_given_another_role_hears_no_more(self):
        for name, change in (("dora", ("PUT", {"disabled": True})), ("rosa", ("DELETE", None)),
                             ("mona", ("PUT", {"role": "viewer"}))):
            stream = self.listen(self.desk.made(name, "analyst"))
            self.admin.do(change[0], f"/users/{name}", change[1])
            self.ends(stream)

    def test_a_program_whose_token_was_removed_or_is_over_hears_no_more(self):
        made = self.admin.do("POST", "/tokens", {"name": "prom", "role": "viewer"})
        stream = self.listen(desk.Person(self.desk, made["token"]))
        self.admin.do("DELETE", "/tokens/prom")
        self.ends(stream)
        made = self.admin.do("POST", "/tokens", {"name": "brief", "role": "viewer",
                                                 "ends": int(time.time()) + 3})
        self.ends(self.listen(desk.Person(self.desk, made["token"])))

    def test_others_hear_on(self):
        stream, other = self.listen(self.admin), self.desk.made("olga", "viewer")
        gone = self.listen(other)
        other.do("POST", "/logout", {})
        self.ends(gone)
        self.admin.do("POST", "/addresses/203.0.113.7/accept", {})
        stream.until("lists", lambda data: data["rows"])

    def test_of_more_than_an_event_holds_pages_hear_that_it_is_new(self):
        stream = self.listen(self.admin)
        with sqlite3.connect(self.monitor.weir.folder / "spam.db", timeout=10) as database:
            database.executemany("INSERT INTO servers (name, secret_hash, added) VALUES (?, x'', "
                                 "1)", [(f"mx{n}",) for n in range(1000)])
        stream.until("servers", lambda data: data == {})
        self.assertEqual(len(self.admin.get("/servers")["rows"]), 1000)


class Attention(Console):
    def test_servers_are_told_by_whole_names_and_not_when_they_are_revoked(self):
        seen = int((time.time() - 86400) * 1e6)
        with sqlite3.connect(self.monitor.weir.folder / "spam.db", timeout=10) as database:
            database.executemany(
                "INSERT INTO servers (name, secret_hash, added, last_seen) VALUES (?, x'', 1, ?)",
                [(f"mail{n:02}.example.org", seen) for n in range(30)])
            database.executemany(
                "INSERT INTO servers (name, secret_hash, added, revoked, health) VALUES "
                "(?, x'', 1, ?, ?)", [("refuses", 0, '{"rules": {"refused": 7}}'),
                                      ("revoked", 2, '{"rules": {"refused": 7}}')])
        texts = [one["text"] for one in self.admin.get("/overview")["attention"]]
        self.assertIn("refuses refuses rule set 7", texts)
        self.assertFalse([text for text in texts if text.startswith("revoked")])
        blind, = [text for text in texts if text.startswith("nothing is heard of")]
        self.assertRegex(blind, r"^nothing is heard of (mail\d\d\.example\.org,? )+and \d+ more$")
        names, more = blind.count(".example.org"), int(blind.split()[-2])
        self.assertEqual(names + more, 30)


class Reports(Console):
    def test_reports_come_in_pages_in_the_order_of_their_times(self):
        now, times = int(time.time()) * 10 ** 6, (5, 1, 9, 5, 5, 2, 8, 1)
        with sqlite3.connect(self.monitor.weir.folder / "spam.db", timeout=10) as database:
            database.executemany(
                "INSERT INTO reports (time, server, user, name, told, way, kind, state, came, vote,"
                " weight, uid, verdict, score, address, domain, info) VALUES (?, 1, ?, 'ann', "
                "'from', 'attached', ?, 'valid', 'counted', 0, 0, ?, '', 0, '', '', '')",
                [(now - at * 10 ** 9, n, "ham" if n % 2 else "spam", n + 1)
                 for n, at in enumerate(times)])
        whole = self.admin.get("/reports?most=500")["rows"]
        self.assertEqual(len(whole), len(times))
        self.assertEqual([row["time"] for row in whole], sorted((row["time"] for row in whole),
                                                                reverse=True))
        for kind in ("", "&kind=ham", "&kind=spam"):
            seen, after = [], ""
            while after is not None:
                page = self.admin.get(f"/reports?most=2{kind}{after and f'&after={after}'}")
                seen += page["rows"]
                after = page["more"]
            self.assertEqual(seen, [row for row in whole if kind[6:] in ("", row["kind"])])
        for after in ("5", "-5", "5-", "5-x", "x-5", "5-5-5", "9" * 30 + "-1"):
            self.refused(self.admin.ask("GET", f"/reports?after={after}"), 400, "not a cursor")


if __name__ == "__main__":
    harness.main()

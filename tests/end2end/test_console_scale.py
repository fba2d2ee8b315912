#!/usr/bin/env python3
"""The console over many rows: what is found is all there is, pages go on without gaps and doubles
while rows arrive, and what looks at more than it may says so and goes on."""
import pathlib
import random
import re
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from monitor import Server, octets_of
from test_console import Console

LOOKED = 5000        # messages that a search looks at
LINES = 20000        # lines of the audit, and events
HISTORY = 2880       # minutes of an address
VERDICTS = ("ham", "ham", "ham", "spam", "spam", "unsure", "blocked")
WEB = rig.TOP / "monitor/console/web"
MICRO = 1_000_000


class Many(Console):
    def setUp(self):
        self.now = int(time.time())

    def write(self, *statements):
        """Into the database, as rows arrive: each a text and its values."""
        with sqlite3.connect(self.monitor.weir.folder / "spam.db", timeout=20) as database:
            for text, *values in statements:
                database.executemany(text, values)
        database.close()

    def put(self, messages):
        """Messages as dictionaries."""
        self.write(("INSERT INTO messages (number, uid, time, server, address, domain, verdict, "
                    "score, serial, reported, reported_at) VALUES (:number, :number, :time, "
                    ":server, :octets, :domain, :verdict, 1.5, 1, :reported, :reported_at)",
                    *messages),
                   ("INSERT INTO message_hits VALUES (?, ?, 1)",
                    *((one["number"], rule) for one in messages for rule in one["rules"])))

    def message(self, number, **changed):
        one = {"number": number, "time": (self.now - 7 * 86400 + number) * MICRO, "server": 1,
               "address": "192.0.2.1", "domain": "d.example", "verdict": "ham", "reported": "",
               "rules": (), **changed}
        one["octets"] = octets_of(one["address"])
        one["reported_at"] = one["time"] if one["reported"] else 0
        return one

    def pages(self, query, most=37, between=lambda: None):
        """All that the pages of a search have, one after the other: numbers; and where they said
        that they had looked at enough."""
        found, after, looked = [], "", []
        and_query = "&" + query if query else ""
        while True:
            page = self.admin.get(f"/messages?most={most}{and_query}{after}")
            found += [int(row["uid"], 16) for row in page["rows"]]
            looked.append(page.get("looked_to"))
            self.assertLessEqual(len(page["rows"]), most)
            if page["more"] is None:
                return found, looked
            after = f"&after={page['more']}"
            between()


class Searches(Many):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ("mx1", "mx2"):
            cls.monitor.ask("server add", name=name)
        case = cls("setUp")
        case.setUp()
        draw = random.Random(7)
        cls.messages = [case.message(
            number, time=(case.now - draw.randrange(5 * 86400)) // 60 * 60 * MICRO,
            server=draw.choice((1, 1, 1, 2)), verdict=draw.choice(VERDICTS),
            address=f"192.0.{draw.randrange(3)}.{draw.randrange(40)}",
            domain=f"d{min(draw.randrange(60), draw.randrange(60))}.example",
            reported=draw.choice(("", "", "", "", "ham", "spam")),
            rules=sorted({draw.randrange(1, 1 + draw.randrange(1, 90)) for _ in range(3)}))
            for number in range(1, 3001)]
        case.put(cls.messages)
        cls.begun = case.now

    def expected(self, *, by_number=False, **wanted):
        ranges = {"from": lambda one, text: one["time"] >= text * MICRO,
                  "to": lambda one, text: one["time"] < text * MICRO,
                  "rule": lambda one, text: text in one["rules"],
                  "address": lambda one, text: one["address"].startswith(text.split("*")[0])
                  if "*" in text else one["address"] == text}
        rows = [one for one in self.messages if all(
            ranges[name](one, value) if name in ranges else one[name] == value
            for name, value in wanted.items())]
        rows.sort(key=lambda one: ((0 if by_number else one["time"]), one["number"]), reverse=True)
        return [one["number"] for one in rows]

    def test_what_is_found_is_all_there_is_in_its_order(self):
        day = self.begun - 86400
        for query, wanted in (
                ("", {}), ("verdict=blocked", {"verdict": "blocked"}),
                ("domain=d3.example", {"domain": "d3.example"}), ("domain=nobody.example",
                                                                 {"domain": "nobody.example"}),
                ("address=192.0.1.7", {"address": "192.0.1.7"}),
                ("address=192.0.1.0%2F24", {"address": "192.0.1.*"}),
                (f"from={day}", {"from": day}), (f"to={day}", {"to": day}),
                (f"from={day - 9999}&to={day}", {"from": day - 9999, "to": day}),
                ("reported=ham", {"reported": "ham"}), ("server=mx2", {"server": 2}),
                (f"rule=5&verdict=spam&to={day}", {"rule": 5, "verdict": "spam", "to": day}),
                ("address=192.0.2.0%2F24&domain=d1.example&server=mx1&verdict=ham",
                 {"address": "192.0.2.*", "domain": "d1.example", "server": 1, "verdict": "ham"}),
                (f"address=192.0.0.9&reported=spam&from={day}",
                 {"address": "192.0.0.9", "reported": "spam", "from": day}),
                ("rule=2&domain=d0.example&reported=ham",
                 {"rule": 2, "domain": "d0.example", "reported": "ham"})):
            found, looked = self.pages(query)
            ways = [self.expected(**wanted), self.expected(by_number=True, **wanted)]
            self.assertTrue(found in (ways if "rule" in wanted else ways[:1]), query)
            self.assertEqual(set(looked), {None}, query)
        self.assertTrue(self.pages("rule=1")[0] == self.expected(by_number=True, rule=1))

    def test_pages_go_on_while_rows_arrive(self):
        for query, wanted in (("", {}), ("verdict=ham", {"verdict": "ham"}),
                              ("rule=1", {"by_number": True, "rule": 1}),
                              ("domain=d0.example", {"domain": "d0.example"}),
                              ("address=192.0.1.0%2F24", {"address": "192.0.1.*"})):
            there = self.expected(**wanted)

            def arrive():
                one = self.message(len(self.messages) + 1, time=(self.begun + 60) * MICRO,
                                   rules=(1,), domain="d0.example", address="192.0.1.7")
                self.messages.append(one)
                self.put([one])

            found, _ = self.pages(query, between=arrive)
            self.assertTrue(found == there, query)

    def test_a_cursor_is_one_of_its_own(self):
        for after in ("7", "x7", "t7", "t7-", "t-7-7", "t7-0", "n0", "n-1", "n7x", "t7-7x", "n",
                      "t99999999999999999999-1"):
            self.refused(self.admin.ask("GET", f"/messages?after={after}"), 400, "cursor")
        for after in ("n1", "n1&verdict=spam"):  # of a rule's hits, without the rule
            self.refused(self.admin.ask("GET", f"/messages?after={after}"), 400, "cursor")
        self.assertEqual(self.admin.get("/messages?after=t1-1")["rows"], [])
        self.assertEqual(self.admin.get("/messages?rule=1&after=n1")["rows"], [])


class Limits(Many):
    def test_a_search_that_looks_at_enough_says_so_and_goes_on(self):
        for name in ("mx1", "mx2"):
            self.monitor.ask("server add", name=name)
        self.put([self.message(number) for number in range(3, LOOKED + 2)])
        self.put([self.message(2, server=2)])       # there is one behind as many as are looked at
        found, looked = self.pages("server=mx2")
        self.assertEqual((found, looked), ([2], [None]))
        self.put([self.message(LOOKED + 2)])        # and now one more before it
        found, looked = self.pages("server=mx2")
        self.assertEqual(found, [2])
        self.assertEqual([one is None for one in looked], [False, True])
        self.put([self.message(LOOKED + 3 + n, rules=(9,)) for n in range(LOOKED + 1)])
        self.put([self.message(1, server=2, rules=(9,))])
        found, looked = self.pages("server=mx2&rule=9")
        self.assertEqual(found, [1])
        self.assertNotEqual(self.pages("rule=9&domain=other.example")[1], [])

    def test_the_audit_is_searched_by_its_indices(self):
        self.write(("WITH RECURSIVE n (n) AS (VALUES (1000) UNION ALL SELECT n + 1 FROM n WHERE "
                    "n < ? + 999) INSERT INTO audit SELECT n, 1, 'one', 'did', '' FROM n",
                    (LINES,)),
                   ("INSERT INTO audit VALUES (999, 1, 'rare', 'did', '')", ()),
                   ("INSERT INTO audit VALUES (998, 1, 'some', 'seldom', '')", ()))
        for query in ("who=rare", "who=rare&what=did", "what=seldom", "what=seldom&who=some"):
            page = self.admin.get(f"/audit?{query}")
            self.assertEqual([row["number"] for row in page["rows"]],
                             [998 if "seldom" in query else 999], query)
            self.assertIsNone(page["more"])
            self.assertEqual(self.admin.get(f"/audit?{query}&after=998")["rows"], [])
        page = self.admin.get("/audit?what=did&most=1")
        self.assertEqual(page["more"], str(page["rows"][0]["number"]))

    def test_an_address_s_history_is_looked_at_a_piece_at_a_time(self):
        place = "/addresses/192.0.2.200"
        old = self.now // 60 - HISTORY - 100
        self.write(("INSERT INTO minutes VALUES (?, ?, 1, 7, 0, 0, 0, 0, 0)",
                    (old, octets_of("192.0.2.200"))))
        self.assertIsNone(self.admin.get(f"{place}?minutes={HISTORY}")["looked_to"])
        first = self.admin.get(f"{place}?minutes={HISTORY + 1}")
        self.assertEqual(first["minutes"], [])
        self.assertIsNotNone(first["looked_to"])
        second = self.admin.get(f"{place}?minutes=200&to={first['looked_to']}")
        self.assertEqual([row["connections"] for row in second["minutes"]], [7])
        self.refused(self.admin.ask("GET", place + "?to=never"), 400, "to is")


class Traffic(Many):
    def top(self, query):
        return {row["address"]: row["connections"]
                for row in self.admin.get(f"/traffic?{query}")["rows"]}

    def test_who_does_most_is_known_before_and_after_a_restart(self):
        servers = [Server(self.folder, self.monitor, name) for name in ("mx1", "mx2")]
        try:
            for server in servers:
                for minute in range(5):
                    for number in range(9):
                        server.saw(f"192.0.2.{number}", self.now - 60 * minute,
                                   connections=number + 1)
            want = {f"192.0.2.{number}": 10 * (number + 1) for number in range(9)}
            rig.wait_for(lambda: self.top("minutes=10") == want, 30, "traffic")
            self.assertEqual(list(self.top("minutes=10&most=3")),
                             ["192.0.2.8", "192.0.2.7", "192.0.2.6"])
            self.assertEqual(self.top("minutes=60&level=network"), {"192.0.2.0/24": 450})
            self.assertEqual(self.top("minutes=61"), want)  # of the table
            self.assertEqual(sum(row["connections"] for row in
                                 self.admin.get("/traffic/minutes?minutes=10")["rows"]), 450)
            self.monitor.stop()
            self.monitor.start()
            self.desk.ready()
            for query in ("minutes=10", "minutes=60", "minutes=1440"):
                self.assertEqual(self.top(query), want, query)
            for server in servers:
                server.saw("192.0.2.0", self.now, connections=1000)
            want["192.0.2.0"] += 2000
            rig.wait_for(lambda: self.top("minutes=10") == want, 30, "what came since")
            self.assertEqual(self.top("minutes=10"), self.top("minutes=1440"))
        finally:
            for server in servers:
                server.stop()


class FirstPage(Many):
    def test_what_every_page_needs_is_one_file_and_asked_for_at_once(self):
        def imports(name, seen):
            if name not in seen:
                seen.add(name)
                text = (WEB / name).read_text(encoding="utf-8")
                for one in re.findall(r'^(?:import|export)\b[^;]*?from "\./([^"]+)"', text, re.M):
                    imports(one, seen)
            return seen

        def text(path):
            answer = self.nobody.raw("GET", path)
            self.assertEqual(answer.status, 200, path)
            return answer.octets.decode()

        named = re.findall(r'(?:href|src)="([^"]+)"', text("/"))
        folder = named[0].split("/")[0]
        self.assertEqual(sorted(named), [f"{folder}/{name}" for name in (
            "console.js", "icon.svg", "page_overview.js", "style.css")])
        shared = text(f"/{folder}/console.js")
        self.assertNotRegex(shared, r'(?m)^import |^export .* from ')
        for name in imports("page_overview.js", imports("main.js", set())) - {"page_overview.js"}:
            own = (WEB / name).read_text(encoding="utf-8")
            self.assertNotRegex(own, r"(?m)^import[^;]* as ", name)
            self.assertIn(re.sub(r"(?m)^import [^;]*;\n", "", own), shared, name)
            self.assertEqual(self.nobody.raw("GET", f"/{folder}/{name}").status, 404, name)
        for page in WEB.glob("page_*.js"):
            for one in re.findall(r'from "\./([^"]+)"', text(f"/{folder}/{page.name}")):
                text(f"/{folder}/{one}")

    def test_files_are_kept_by_the_name_of_their_folder_and_asked_for_anew_without(self):
        def kept(path, **headers):
            answer = self.nobody.raw("GET", path, headers=headers)
            return answer.status, answer.headers["Cache-Control"]

        page = self.nobody.raw("GET", "/")
        self.assertEqual(page.headers["Cache-Control"], "no-cache")
        folder = re.search(r'src="([0-9a-f]{16})/console.js"', page.octets.decode())[1]
        for_ever = "public, max-age=31536000, immutable"
        self.assertEqual(kept(f"/{folder}/style.css"), (200, for_ever))
        self.assertEqual(kept(f"/{folder}/style.css", **{"Accept-Encoding": "gzip"}),
                         (200, for_ever))
        older = "0123456789abcdef"
        for path in ("/style.css", f"/{older}/style.css"):
            self.assertEqual(kept(path), (200, "no-cache"), path)
        tag = self.nobody.raw("GET", "/style.css").headers["ETag"]
        self.assertEqual(kept("/style.css", **{"If-None-Match": tag}), (304, "no-cache"))
        for path in (f"/{folder}/", f"/{folder}", f"/{folder}/index.html", f"/{older}/{older}/x",
                     f"/{folder}/{folder}/style.css", f"/{folder[:-1]}/style.css",
                     f"/{folder}0/style.css", f"/{folder.upper()}x/style.css"):
            self.assertEqual(kept(path)[0], 404, path)
        self.assertEqual(kept("/api/v1/me"), (401, "no-store"))


del Console  # its tests are another file's

if __name__ == "__main__":
    harness.main()

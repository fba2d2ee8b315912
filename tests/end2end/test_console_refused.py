#!/usr/bin/env python3
"""Every route of the console's API, whoever asks and whatever is sent: as its description has them,
so that a new route is tried, too.  What may not be is refused with a clear answer in JSON, and the
database stays as it was, to the last row."""
import itertools
import pathlib
import re
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import desk
import harness
from test_console import Console

ROLES = ("nobody", "viewer", "analyst", "administrator")
LONG = '{"name": "%s"}' % ((1 << 20) * "x")
BODIES = ((LONG, 413), ('{"a":' * 20 + "1" + "}" * 20, 400), ("[" * 4000, 400),
          ('{"a": ' + "[" * 20 + "]" * 20 + "}", 400), ("[]", 400), ('"x"', 400), ("7", 400),
          ("null", 400), ("{", 400), ("{}{}", 400), ('{"a": 1, "a": 1}', 400),
          ('{"a": "\\u0000"}', 400), ('{"a": "\\ud800"}', 400), (b'{"a": "\xff"}', 400),
          ('{"a": 1e999}', 400), ('{"a": NaN}', 400), ('{"a": 99999999999999999999}', 400))
QUIET = ("sessions",)  # written by who only asks
VALUES = ("-1", "0", "x", "%3Cscript%3E", "99999999999999999999", "%27", "", "%E2%80%AE", "1e9",
          "a" * 300, "::%2F0", "2026-13-45T99:99:99Z")


class Refused(Console):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people = {"nobody": cls.nobody, "administrator": cls.admin}
        for role in ROLES[1:3]:
            cls.people[role] = cls.desk.made(f"a-{role}", role)
        cls.programs = {role: cls.program(role) for role in ROLES[1:]}
        cls.routes = [(method.upper(), re.sub(r"\{\w+\}", "nonsense", path), path, what)
                      for path, methods in cls.admin.get("/openapi.json")["paths"].items()
                      for method, what in methods.items()]
        cls.changing = [route for route in cls.routes if route[0] != "GET"
                        and route[1] != "/logout"]

    @classmethod
    def program(cls, name, role=None):
        made = cls.monitor.ask("token add", name=name, role=role or name)
        return desk.Person(cls.desk, made["token"])

    def setUp(self):
        for person in (*self.people.values(), *self.programs.values()):
            person.ask("GET", "/me")  # notes when it was used last, not again for some time
        self.before = self.state()

    def tearDown(self):
        self.assertEqual(self.state(), self.before)
        self.assertTrue(self.monitor.answers())

    def state(self):
        """All rows, with them the audit."""
        with sqlite3.connect(f"file:{self.monitor.weir.folder / 'spam.db'}?mode=ro", uri=True,
                             timeout=20) as database:
            tables = [name for name, in database.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
            found = {name: database.execute(f"SELECT * FROM {name}").fetchall()
                     for name in tables if name not in QUIET}
        database.close()
        return found

    def clearly(self, answer, statuses, about):
        """One of these, and why."""
        self.assertIn(answer.status, statuses, (about, answer.octets[:200]))
        self.assertEqual(answer.headers["Content-Type"], "application/json", about)
        self.assertEqual(answer.headers["Cache-Control"], "no-store", about)
        self.assertGreater(len(answer.json["error"]), 5, about)

    def test_each_route_is_for_its_role_and_those_above(self):
        for (method, path, _, what), role in itertools.product(self.routes, ROLES):
            if ROLES.index(role) >= ROLES.index(what["x-role"]):
                continue
            body = {} if method != "GET" else None
            asked = {"/live": ("GET", "/live", None)}.get(path, (method, path, body))
            status = 401 if role == "nobody" else 403
            self.clearly(self.people[role].ask(*asked), (status,), (role, asked))
            if role != "nobody":
                self.clearly(self.programs[role].ask(*asked), (status,), ("token", role, asked))

    def test_a_token_that_is_no_more_or_never_was_opens_nothing(self):
        gone = self.program("gone", "administrator")
        self.monitor.ask("token remove", name="gone")
        made = self.monitor.ask("token add", name="over", role="administrator")
        over = desk.Person(self.desk, made["token"])
        with sqlite3.connect(self.monitor.weir.folder / "spam.db", timeout=20) as database:
            database.execute("UPDATE tokens SET ends = 1 WHERE name = 'over'")
        database.close()
        self.before = self.state()
        good = self.programs["administrator"].token
        strange = [desk.Person(self.desk, token) for token in (
            43 * "a", good[:-1], good + "a", good.swapcase(), good + " " + good, 4000 * "a", "x")]
        for method, path, _, what in self.routes:
            if what["x-role"] == "nobody":
                continue
            for program in (gone, over, *strange):
                answer = program.ask(method, path, {} if method != "GET" else None)
                self.clearly(answer, (401,), (method, path, program.token))
            both = self.admin.ask(method, path, {} if method != "GET" else None,
                                  Authorization="Bearer " + 43 * "a")
            self.clearly(both, (401,), (method, path, "beside a session"))

    def test_a_session_changes_nothing_without_its_own_weir_csrf(self):
        for method, path, _, what in self.changing:
            if what["x-role"] == "nobody":
                continue
            for word in (None, "", 43 * "a", self.people["viewer"].csrf):
                answer = self.admin.ask(method, path, {}, Weir_Csrf=word)
                self.clearly(answer, (403,), (method, path, word))

    def test_no_route_takes_a_body_that_is_none(self):
        for method, path, _, what in self.changing:
            who = self.nobody if what["x-role"] == "nobody" else self.admin
            for body, status in BODIES:
                about = (method, path, str(body)[:40])
                self.clearly(who.ask(method, path, body), (status,), about)
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
                answer = who.ask(method, path, "{}", Content_Type=kind)
                self.clearly(answer, (415,), (method, path, kind))

    def test_no_route_takes_what_it_does_not_name(self):
        for method, path, _, what in self.routes:
            if path == "/live":
                continue
            who = self.nobody if what["x-role"] == "nobody" else self.admin
            body = {} if method != "GET" else None
            self.clearly(who.ask(method, path + "?nosuch=1", body), (400,), (method, path))
            if method != "GET":
                self.clearly(who.ask(method, path, {"no such": 1}), (400,), (method, path))

    def test_arguments_of_every_kind_are_read_or_refused(self):
        for method, path, _, what in self.routes:
            for argument in what["parameters"]:
                for value in VALUES if argument.get("in") == "query" else ():
                    answer = self.admin.ask(method, f"{path}?{argument['name']}={value}",
                                            {} if method != "GET" else None)
                    self.assertIn(answer.status // 100, (2, 4), (method, path, argument, value))
                    if answer.status != 200:
                        self.clearly(answer, (400, 404, 414), (method, path, argument, value))

    def test_names_in_paths_of_every_kind_are_read_or_refused(self):
        names = ("%00", "%0a", "%2e%2e", "..", "%3Cscript%3E", "%FF", "0", "-1", "9" * 30,
                 "a" * 3000, "'%20OR%201=1", "%E2%80%AE", "*", "::%2F129", "10.0.0.0%2F33",
                 "0" * 16, "g" * 16)
        for (method, _, path, _), name in itertools.product(self.routes, names):
            if "{" not in path:
                continue
            answer = self.admin.ask(method, re.sub(r"\{\w+\}", name, path),
                                    {} if method != "GET" else None)
            if answer.status != 200 or method != "GET":
                self.clearly(answer, (400, 404, 414), (method, path, name))

    def test_a_reason_that_a_terminal_cannot_be_shown_is_refused(self):
        """Lists, rules' histories and the audit print them as they are."""
        ends = int(time.time()) + 600
        asked = (("POST", "/addresses/203.0.113.5/block", {"ends": ends}),
                 ("POST", "/addresses/203.0.113.5/accept", {"ends": ends}),
                 ("POST", "/addresses/203.0.113.5/undo", {}),
                 ("POST", "/silences", {"prefix": "203.0.113.5", "ends": ends}),
                 ("POST", "/rules", {"text": "body ONE /x/"}), ("POST", "/publish", {}))
        for strange in ("\x1b[2J", "a\nb", "\x07", "\u202eb", "\u009b31m"):
            for method, path, body in asked:
                answer = self.admin.ask(method, path, {**body, "reason": f"known {strange}"})
                self.clearly(answer, (400,), (path, strange))
                self.assertIn("reason has characters that cannot be shown", answer.json["error"])

    def test_other_methods_do_nothing(self):
        named = {}
        for method, path, _, _ in self.routes:
            named.setdefault(path, set()).add(method)
        for path, methods in named.items():
            for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "X"} - methods:
                answer = self.admin.ask(method, path, {} if method != "GET" else None)
                self.assertIn(answer.status, (400, 404, 405), (method, path))
                self.assertGreater(len(answer.json["error"]), 5, (method, path))


if __name__ == "__main__":
    harness.main()

#!/usr/bin/env python3
"""The console, asked by its API as pages and programs ask it: who is let in, what each may do, that
nonsense is refused and changes nothing, and that it does what weirctl does."""
import concurrent.futures
import http.client
import json
import pathlib
import re
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import desk
import harness
import monitor
import rig
from ctl_help import Help
from monitor import Server

HOUR = 3600


def setUpModule():
    unittest.TestCase.maxDiff = 2000


class Console(unittest.TestCase):
    """One console for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.folder = rig.scratch()
        cls.desk = desk.Desk(cls.folder)
        cls.monitor = cls.desk.monitor
        cls.admin = cls.desk.somebody()
        cls.nobody = desk.Person(cls.desk)

    @classmethod
    def tearDownClass(cls):
        assert cls.monitor.stop() == 0, cls.monitor.log()

    def refused(self, answer, status, why="."):
        self.assertEqual(answer.status, status, answer.octets)
        self.assertRegex(answer.json["error"], why)


class Login(Console):
    def test_the_first_password_is_gone_after_the_first_login(self):
        self.assertFalse((self.monitor.weir.folder / "first-password").exists())
        self.assertNotIn(self.desk.password, self.monitor.log())
        self.assertEqual(self.admin.get("/me")["role"], "administrator")

    def test_a_cookie_is_for_no_script_and_no_other_site(self):
        answer = self.nobody.ask("POST", "/login", {"name": "admin",
                                                    "password": self.desk.password})
        cookie = answer.headers["Set-Cookie"]
        self.assertRegex(cookie, r"^weir_session=[\w-]{43}; Path=/; HttpOnly; SameSite=Strict; ")
        secret = re.match(r"weir_session=([\w-]+)", cookie).group(1)
        self.assertNotIn(secret, answer.octets.decode())
        self.assertNotIn(secret.encode(), (self.monitor.weir.folder / "spam.db").read_bytes())

    def test_who_has_not_logged_in_sees_nothing(self):
        for path in ("/me", "/overview", "/users", "/live", "/openapi.json"):
            self.refused(self.nobody.ask("GET", path), 401, "log in")
        for cookie in ("weir_session=" + 43 * "a", "weir_session=", "x", self.admin.cookie + "x",
                       self.admin.cookie + "; " + self.admin.cookie):
            self.refused(self.nobody.ask("GET", "/me", Cookie=cookie), 401)

    def test_every_answer_has_the_fields_that_keep_it_safe(self):
        for path in ("/api/v1/me", "/", "/nothing", "/api/v1/nothing"):
            answer = self.nobody.raw("GET", path)
            self.assertIn("default-src 'none'", answer.headers["Content-Security-Policy"])
            self.assertNotIn("unsafe", answer.headers["Content-Security-Policy"])
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")

    def test_logged_out_the_session_is_over(self):
        person = self.desk.somebody()
        answer = person.ask("POST", "/logout", {})
        self.assertEqual(answer.status, 200)
        self.assertIn("Max-Age=0", answer.headers["Set-Cookie"])
        self.refused(person.ask("GET", "/me"), 401)

    def test_one_changes_ones_own_password_and_other_sessions_end(self):
        here = self.desk.made("carla", "viewer")
        made = json.loads(self.monitor.weir.ctl("user", "password", "carla", "--json"))
        self.refused(here.ask("GET", "/me"), 401)
        here = self.desk.somebody("carla", made["password"])
        there = self.desk.somebody("carla", made["password"])
        self.refused(here.ask("POST", "/me/password",
                              {"old": "wrong", "new": "ten octets and more"}), 403)
        self.refused(here.ask("POST", "/me/password", {"old": made["password"], "new": "short"}),
                     400, "at least 10")
        here.do("POST", "/me/password", {"old": made["password"], "new": "ten octets and more"})
        self.assertEqual(here.get("/me")["name"], "carla")
        self.refused(there.ask("GET", "/me"), 401)
        self.desk.somebody("carla", "ten octets and more")

    def test_disabled_or_removed_one_is_out_at_once(self):
        for verb in ("disable", "remove"):
            person = self.desk.made(f"out-{verb}", "analyst")
            self.monitor.weir.ctl("user", verb, f"out-{verb}")
            self.refused(person.ask("GET", "/me"), 401)

    def test_a_role_that_was_changed_holds_at_once(self):
        person = self.desk.made("risen", "viewer")
        self.refused(person.ask("GET", "/users"), 403, "administrator")
        self.admin.do("PUT", "/users/risen", {"role": "administrator"})
        self.assertTrue(person.get("/users")["rows"])

    def test_the_last_administrator_stays_one(self):
        for row in self.admin.get("/users")["rows"]:
            if row["name"] != "admin":
                self.admin.do("DELETE", f"/users/{row['name']}")
        for body in ({"disabled": True}, {"role": "viewer"}):
            self.refused(self.admin.ask("PUT", "/users/admin", body), 400, "last administrator")
        self.refused(self.admin.ask("DELETE", "/users/admin"), 400, "last administrator")

    def test_a_token_ends_at_a_time_that_there_is(self):
        for ends in (-2 ** 63, -1, 1, 2 ** 63 // 10 ** 6 + 1, 2 ** 63 - 1):
            status, answer = self.monitor.try_to("token add", name="far", ends=ends)
            self.assertEqual((status, answer["error"]), (400, "ends is no time in the future"))
        self.monitor.ask("token add", name="far", ends=2 ** 63 // 10 ** 6)

    def test_programs_have_tokens(self):
        made = self.admin.do("POST", "/tokens", {"name": "prom", "role": "viewer"})
        program = desk.Person(self.desk, made["token"])
        self.assertEqual(program.get("/me")["name"], "prom")
        self.refused(program.ask("POST", "/addresses/203.0.113.9/block", {}), 403, "analyst")
        self.refused(desk.Person(self.desk, 43 * "a").ask("GET", "/me"), 401)
        self.refused(program.ask("POST", "/logout", {}), 400)
        self.monitor.weir.ctl("token", "remove", "prom")
        self.refused(program.ask("GET", "/me"), 401)
        self.assertNotIn(made["token"].encode(),
                         (self.monitor.weir.folder / "spam.db").read_bytes())


class CommandLine(Help, Console):
    verbs = ["user add", "user list", "user password", "user role", "user disable", "user enable",
             "user remove", "token add", "token list", "token remove"]

    def good(self, *words):
        return self.monitor.weir.ctl(*words)

    def test_accounts_are_made_listed_and_changed(self):
        ctl = self.monitor.weir.ctl
        password = ctl("user", "add", "anna", "analyst").strip()
        person = self.desk.somebody("anna", password)
        self.assertEqual(json.loads(ctl("user", "list", "--json")),
                         self.admin.get("/users")["rows"])
        ctl("user", "role", "anna", "viewer")
        self.assertEqual(person.get("/me")["role"], "viewer")
        ctl("user", "disable", "anna")
        ctl("user", "enable", "anna")
        self.refused(person.ask("GET", "/me"), 401)
        self.assertRegex(ctl("user", "list"), r"(?m)^anna +viewer ")
        token = ctl("token", "add", "prom", "--for", "1d").strip()
        self.assertEqual(desk.Person(self.desk, token).get("/me")["role"], "viewer")
        self.assertEqual(json.loads(ctl("token", "list", "--json"))[0]["name"], "prom")
        self.assertRegex(ctl("token", "list"), r"(?m)^prom +viewer ")
        for words, code in ((("user", "add", "anna"), 65), (("user", "add", "a b"), 65),
                            (("user", "add", "bert", "king"), 64), (("user", "remove", "x"), 1),
                            (("user", "remove", "admin"), 65), (("token", "remove", "x"), 1)):
            self.assertEqual(ctl(*words, check=False).returncode, code, words)


class Tls(unittest.TestCase):
    def test_with_a_certificate_it_speaks_tls_and_cookies_are_for_tls_only(self):
        seat = desk.Desk(rig.scratch(), console={"certificate": "monitor.crt",
                                                 "key": "monitor.key"})
        self.addCleanup(seat.monitor.stop)
        seat.tls = True
        person = desk.Person(seat)
        answer = person.login("admin", seat.password)
        self.assertIn("; Secure", answer.headers["Set-Cookie"])
        self.assertEqual(person.get("/me")["name"], "admin")
        stream = person.listen()
        self.addCleanup(stream.close)
        stream.until("lists", lambda data: data["rows"] == [])
        with self.assertRaises((OSError, http.client.HTTPException)):
            seat.tls = False
            person.raw("GET", "/api/v1/me")

    def test_half_a_certificate_is_a_wrong_configuration(self):
        weir = rig.Weir(rig.scratch(), "monitor")
        for section in ({"key": "monitor.key"}, {"certificate": "monitor.crt"},
                        {"url": "https://x/"}, {"listen": "unix:/x"}):
            weir.configure(console={"listen": "", "url": "", "key": "", "certificate": ""})
            weir.configure(console=section)
            done = weir.ctl("-t", check=False)
            monitor = subprocess.run([rig.BUILD / "weir-monitor", "-t", "-c", weir.conf],
                                     capture_output=True, text=True, timeout=20, check=False)
            self.assertIn(next(iter(section)), done.stderr + monitor.stderr)
            self.assertNotEqual(monitor.returncode, 0, section)


class Taken(unittest.TestCase):
    """Its place, by somebody else."""

    def test_the_monitor_works_on_without_a_console(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            place = f"inet:127.0.0.1:{other.getsockname()[1]}"
            running = monitor.Monitor(rig.scratch(), console={"listen": place})
            self.addCleanup(running.stop)
            rig.wait_for(lambda: "there is no console until that is mended" in running.log())
            self.assertIn(f"[console] listen = {place}: Address already in use", running.log())
            self.assertEqual(running.ask("status")["servers"], 0)


class FirstPassword(unittest.TestCase):
    def test_it_stays_until_its_own_account_logs_in(self):
        its = desk.Desk(rig.scratch())
        self.addCleanup(its.monitor.stop)
        its.made("anna", "viewer")
        first = its.monitor.weir.folder / "first-password"
        self.assertTrue(first.exists())
        its.somebody()
        self.assertFalse(first.exists())


class Guessing(Console):
    def test_who_guesses_waits_and_is_told_how_long(self):
        wrong = {"name": "admin", "password": "not the password"}
        for name in ("admin", "nobody-of-this-name"):
            self.refused(self.nobody.ask("POST", "/login", {**wrong, "name": name}), 401,
                         "^name and password do not go together$")
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: self.nobody.ask("POST", "/login", wrong), range(40)))
        self.assertLessEqual(sum(answer.status == 401 for answer in answers), 5)
        late = [answer for answer in answers if answer.status == 429]
        self.assertGreaterEqual(len(late), 35)
        self.assertGreater(int(late[0].headers["Retry-After"]), 0)
        self.assertEqual(self.admin.get("/me")["name"], "admin")

        def gets_in():
            try:
                return self.desk.somebody()
            except rig.Trouble:
                return None

        rig.wait_for(gets_in, 60, "the wait's end")


class Forgery(Console):
    def test_what_changes_something_needs_the_sessions_token(self):
        other = self.desk.made("other", "administrator")
        for token in (None, "", "x", other.csrf, self.admin.csrf + "x", self.admin.cookie[13:]):
            for method, path in (("POST", "/users"), ("DELETE", "/users/other"),
                                 ("PUT", "/thresholds/x"), ("POST", "/addresses/192.0.2.1/undo"),
                                 ("POST", "/logout")):
                self.refused(self.admin.ask(method, path, {}, Weir_Csrf=token), 403, "Weir-Csrf")
        self.assertEqual(other.get("/me")["name"], "other")

    def test_no_other_name_points_here(self):
        for host in ("evil.example", "localhost.evil.example", "", "127.0.0.1.evil.example"):
            for path in ("/api/v1/me", "/"):
                answer = self.nobody.raw("GET", path, headers={"Host": host})
                self.assertEqual(answer.status, 421, host)
        for host in ("localhost", "127.0.0.1", "[::1]:8426", socket.gethostname()):
            self.assertEqual(self.nobody.raw("GET", "/api/v1/me",
                                             headers={"Host": host}).status, 401)

    def test_forms_of_other_sites_are_no_questions(self):
        body = '{"name":"admin","password":"' + self.desk.password + '"}'
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                     None):
            answer = self.nobody.ask("POST", "/login", body, Content_Type=kind)
            self.refused(answer, 415)
            self.assertIsNone(answer.headers["Set-Cookie"])


class Nonsense(Console):
    NONSENSE = [None, True, 0, -1, 1e300, "", "x" * 5000, "<script>alert(1)</script>", [], {},
                [[[]]], {"a": {"b": []}}, "\u202e", "../../etc/passwd", "'; DROP TABLE accounts --"]

    def routes(self):
        description = self.admin.get("/openapi.json")
        for path, methods in description["paths"].items():
            for method, what in methods.items():
                yield method.upper(), path, what

    def test_every_route_refuses_every_wrong_type_and_nothing_is_changed(self):
        before = self.state()
        for method, path, what in self.routes():
            if path in ("/live", "/logout"):
                continue
            path = re.sub(r"\{\w+\}", "nonsense", path)
            schema = what.get("requestBody", {}).get("content", {}).get("application/json", {})
            for member in schema.get("schema", {}).get("properties", {}):
                for value in self.NONSENSE:
                    answer = self.admin.ask(method, path, {member: value})
                    self.assertIn(answer.status // 100, (2, 4), (method, path, member, value,
                                                                 answer.octets))
            for argument in what["parameters"]:
                if argument.get("in") != "query" or method != "GET":
                    continue
                for value in ("-1", "x", "%3Cscript%3E", "99999999999999999999", "%27", ""):
                    answer = self.admin.ask(method, f"{path}?{argument['name']}={value}")
                    self.assertIn(answer.status // 100, (2, 4), (path, argument, value))
        self.assertEqual(self.state(), before)
        self.assertTrue(self.monitor.answers())

    def state(self):
        """All that a change would change."""
        return [self.monitor.rows(f"SELECT count(*) FROM {table}")
                for table in ("decisions", "thresholds", "servers", "tokens", "rules",
                              "rule_changes", "accounts")]

    def test_bodies_that_are_too_long_or_deep_or_no_json(self):
        for body, status in (("{" * 100000, 400), ('{"name":' + "[" * 20 + "]" * 20 + "}", 400),
                             ('{"name": "' + "x" * (1 << 20) + '"}', 413), ("[]", 400), ("x", 400),
                             ('{"name":"a","name":"b"}', 400), (b'{"name":"\xff"}', 400)):
            self.refused(self.admin.ask("POST", "/users", body), status)

    def test_tricks_with_paths(self):
        for path in ("/../../etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e/etc/passwd",
                     "//etc/passwd", "/api/v1/../../etc/passwd", "/api/v1/%2e%2e/users",
                     "/api/v1/users/%00", "/api/v1//users", "/api/v1/users/", "/api/v1" + "/a" * 20,
                     "/api/v1/" + "a" * 5000, "/api/v1/users?name=%ff", "/api/v1x", "/index.html/x",
                     "/api/v1/users?" + "&".join(f"a{n}=1" for n in range(40)),
                     "/api/v1/users?a=1&a=2"):
            answer = self.admin.raw("GET", path, headers={"Cookie": self.admin.cookie})
            self.assertIn(answer.status, (400, 404, 414), path)
            self.assertNotIn(b"root:", answer.octets)
        for method in ("PATCH", "OPTIONS", "TRACE", "DELETE"):
            self.assertIn(self.admin.ask(method, "/overview").status, (404, 405), method)

    def test_octets_that_are_no_request_end_nothing(self):
        for octets in (b"\0" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                       b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\n"
                       b"Content-Length: 99999999999\r\n\r\n{", b"\x16\x03\x01"):
            with socket.create_connection(("127.0.0.1", self.desk.port), 10) as link:
                link.sendall(octets)
                link.shutdown(socket.SHUT_WR)
                link.settimeout(10)
                try:
                    link.recv(4096)
                except OSError:
                    pass
        self.assertEqual(self.admin.get("/me")["name"], "admin")


class Roles(Console):
    def test_who_may_do_what_is_in_the_description_and_holds(self):
        order = ["nobody", "viewer", "analyst", "administrator"]
        people = {role: self.desk.made(f"a-{role}", role) for role in order[1:]}
        for path, methods in self.admin.get("/openapi.json")["paths"].items():
            for method, what in methods.items():
                if path in ("/live", "/logout", "/login", "/me/password"):
                    continue
                least = order.index(what["x-role"])
                for role, person in people.items():
                    answer = person.ask(method.upper(), re.sub(r"\{\w+\}", "none", path), None)
                    if order.index(role) < least:
                        self.refused(answer, 403, "this needs the role")
                    else:
                        self.assertNotEqual(answer.status, 403, (method, path, role))


class Deciding(Console):
    def entries(self):
        return json.loads(self.monitor.weir.ctl("decisions", "--json"))

    def test_a_block_and_its_end_are_seen_by_weirctl_and_in_the_audit(self):
        analyst = self.desk.made("anna", "analyst")
        ends = int(time.time()) + HOUR
        analyst.do("POST", "/addresses/203.0.113.7/block",
                   {"list": "blacklist", "ends": ends, "reason": "it sends <b>spam</b>"})
        entry, = [one for one in self.entries() if one["prefix"] == "203.0.113.7"]
        self.assertEqual((entry["list"], entry["by"], entry["reason"]),
                         ("blacklist", "user anna", "it sends <b>spam</b>"))
        page = analyst.get("/addresses/203.0.113.7")
        self.assertEqual(page["standing"]["blacklist"]["number"], entry["number"])
        self.assertIn(entry["prefix"], [row["prefix"] for row in analyst.get("/lists")["rows"]])
        analyst.do("POST", "/addresses/203.0.113.7/undo", {})
        self.assertEqual([one for one in self.entries() if one["prefix"] == "203.0.113.7"], [])
        said = [(line["who"], line["what"]) for line in analyst.get("/audit")["rows"]]
        self.assertEqual(sum(who == "user anna" for who, _ in said[:2]), 2, said)

    def test_a_network_is_accepted_scored_and_too_wide_ones_are_not(self):
        ends = int(time.time()) + HOUR
        self.admin.do("POST", "/addresses/198.51.100.0%2F24/accept", {"reason": "a partner"})
        self.admin.do("POST", "/addresses/2001:db8::%2F64/block",
                      {"list": "score", "points": 2.5, "ends": ends})
        about = {one["prefix"]: one for one in self.entries()}
        self.assertEqual(about["198.51.100.0/24"]["list"], "accept")
        self.assertEqual(about["2001:db8::/64"]["points"], 2.5)
        self.assertIsNone(self.admin.get("/addresses/198.51.100.5")["bucket"])
        for prefix, body, why in (("0.0.0.0%2F0", {"ends": ends}, "wider"),
                                  ("203.0.113.8", {}, "end in the future"),
                                  ("203.0.113.8", {"ends": 1}, "end in the future"),
                                  ("203.0.113.8", {"ends": ends, "list": "score",
                                                   "points": 1e9}, "points"),
                                  ("nobody", {"ends": ends}, "no address")):
            self.refused(self.admin.ask("POST", f"/addresses/{prefix}/block", body), 400, why)

    def test_thresholds_and_servers_are_those_of_weirctl(self):
        limits = {"prefixes": "192.0.2.0/24", "rate": [1, 2, 5], "maximum": [30, 60, 200],
                  "observe": True, "ladder": "alert 10m"}
        self.admin.do("PUT", "/thresholds/partners", limits)
        shown = json.loads(self.monitor.weir.ctl("threshold", "show", "--json"))
        self.assertEqual(sorted(row["name"] for row in shown), ["default", "partners"])
        self.assertEqual({row["name"]: row for row in self.admin.get("/thresholds")["rows"]},
                         {row["name"]: row for row in shown})
        self.admin.do("PUT", "/thresholds/partners", {**limits, "maximum": [90, 60, 200]})
        self.assertRegex(self.admin.get("/audit?what=threshold%20set")["rows"][0]["detail"],
                         "^partners: connections 1/s:90, .*; was connections 1/s:30, .*192.0.2.0")
        self.admin.do("DELETE", "/thresholds/partners")
        self.refused(self.admin.ask("DELETE", "/thresholds/partners"), 404)
        identity = self.admin.do("POST", "/servers", {"name": "mx7"})["identity"]
        self.assertIn("mx7", identity)
        self.assertEqual(self.admin.get("/servers")["rows"],
                         json.loads(self.monitor.weir.ctl("server", "list", "--json")))
        self.admin.do("POST", "/servers/mx7/revoke")

    def test_tables_are_files_that_no_spreadsheet_obeys(self):
        self.admin.do("POST", "/addresses/203.0.113.99/block",
                      {"ends": int(time.time()) + HOUR, "reason": "=cmd|' /C calc'!A0"})
        answer = self.admin.ask("GET", "/lists?format=csv&most=500")
        self.assertIn("text/csv", answer.headers["Content-Type"])
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        self.assertIn("\"'=cmd|' /C calc'!A0\"", answer.octets.decode())

    def test_lists_come_in_pages(self):
        ends = int(time.time()) + HOUR
        for n in range(7):
            self.admin.do("POST", f"/addresses/192.0.2.{n}/block", {"ends": ends})
        seen, after = [], ""
        while after is not None:
            page = self.admin.get("/lists?most=3" + (f"&after={after}" if after else ""))
            self.assertLessEqual(len(page["rows"]), 3)
            seen += [row["number"] for row in page["rows"]]
            after = page["more"]
        self.assertEqual(len(seen), len(set(seen)))
        self.assertEqual(len(seen), len(self.entries()))


RULE = """body CHEAP_LOAN /cheap loan/i
score CHEAP_LOAN 1.5
describe CHEAP_LOAN somebody offers money
"""


class Rules(Console):
    def shown(self, name):
        return json.loads(self.monitor.weir.ctl("rules", "show", name, "--book", "--json"))

    def test_B17_a_rule_is_made_changed_published_and_taken_back(self):
        analyst = self.desk.made("rita", "analyst")
        made = analyst.do("POST", "/rules", {"text": RULE, "state": "active", "reason": "seen"})
        self.assertEqual((made["added"], made["rules"]), (1, 1))
        row, = analyst.get("/rules?q=cheap")["rows"]
        listed, = json.loads(self.monitor.weir.ctl("rules", "list", "--book", "--json"))
        days = row.pop("days")
        self.assertEqual((len(days), sum(days)), (30, 0))
        self.assertEqual({**row, "idle": 0}, {**listed, "idle": 0})
        first = analyst.do("POST", "/publish", {"reason": "the first"})["serial"]
        analyst.do("PUT", "/rules/CHEAP_LOAN", {"score": 2.5, "reason": "<i>more</i>"})
        analyst.do("PUT", "/rules/CHEAP_LOAN", {"text": "body CHEAP_LOAN /cheap (?:loan|money)/i"})
        rule = analyst.get("/rules/CHEAP_LOAN")
        self.assertEqual((rule["score"], rule["state"]), (2.5, "active"))
        self.assertIn("money", rule["text"])
        own = self.shown("CHEAP_LOAN")
        self.assertEqual(rule["evidence"], own["evidence"])
        self.assertEqual(rule["history"], own["history"])
        history = analyst.get("/rules/CHEAP_LOAN/history")["rows"]
        self.assertEqual({line["who"] for line in history}, {"user rita"})
        self.assertIn("<i>more</i>", [line["why"] for line in history])
        second = analyst.do("POST", "/publish", {})["serial"]
        differ = analyst.get(f"/sets/diff?from={first}&to={second}")["rows"]
        self.assertEqual({one["name"] for one in differ}, {"CHEAP_LOAN"})
        self.assertEqual(len(differ), 2)
        third = analyst.do("POST", "/rollback", {"serial": first, "reason": "no"})["serial"]
        self.assertEqual([row["serial"] for row in analyst.get("/sets")["rows"]],
                         [third, second, first])
        analyst.do("PUT", "/rules/CHEAP_LOAN", {"state": "retired"})
        self.assertEqual(analyst.get("/rules?state=retired")["rows"][0]["name"], "CHEAP_LOAN")
        self.assertEqual(analyst.get("/rules?where=score%3E100")["rows"], [])

    def test_rules_that_are_wrong_are_told_with_their_line(self):
        for body, why in (({"text": "body BROKEN /(/"}, "line 1: "), ({"text": ""}, "no rule"),
                          ({"text": 5}, "no text"), ({"text": RULE, "state": "x"}, "state"),
                          ({"text": RULE, "reason": "x" * 70000}, "too long")):
            self.refused(self.admin.ask("POST", "/rules", body), 400, why)
        self.refused(self.admin.ask("PUT", "/rules/NONE", {"score": 1}), 404, "no such rule")
        self.refused(self.admin.ask("GET", "/rules/NONE"), 404, "no such rule")
        self.refused(self.admin.ask("GET", "/rules?sort=nothing"), 400, "sort nothing")
        self.refused(self.admin.ask("GET", "/rules?where=hits"), 400, "where hits")
        self.refused(self.admin.ask("POST", "/rollback", {"serial": 99}), 400)
        self.refused(self.admin.ask("GET", "/sets/diff?from=98&to=99"), 404)
        self.admin.do("POST", "/rules", {"text": "body OTHER /other/\nscore OTHER 1"})
        for body, why in (({"score": "1"}, "score is no number"), ({"score": 1000}, "-100..100"),
                          ({"approved": 1}, "neither true nor false"), ({}, "nothing"),
                          ({"text": "body ELSE /x/"}, "not about this rule")):
            self.refused(self.admin.ask("PUT", "/rules/OTHER", body), 400, why)


class Live(unittest.TestCase):
    """What happens while a page is open."""

    def setUp(self):
        self.desk = desk.Desk(rig.scratch())
        self.monitor = self.desk.monitor
        self.admin = self.desk.somebody()

    def tearDown(self):
        self.monitor.stop()

    def listen(self, last=None):
        """A stream that is closed when the test is over."""
        stream = self.admin.listen(last)
        self.addCleanup(stream.close)
        return stream

    def test_a_block_is_told_at_once(self):
        stream = self.listen()
        stream.until("lists", lambda data: data["rows"] == [])
        self.admin.do("POST", "/addresses/203.0.113.7/block", {"ends": int(time.time()) + HOUR})
        data = stream.until("lists", lambda data: data["rows"])
        self.assertEqual(data["rows"][0]["prefix"], "203.0.113.7")

    def test_B16_an_attack_appears_with_its_numbers(self):
        server = Server(rig.scratch(), self.monitor, "mx1")
        stream = self.listen()
        for _ in range(6):
            server.saw("203.0.113.66", connections=30)
        told = {}
        while not (told.get("traffic") and told["traffic"][0]["event"] and told.get("events")):
            name, data = stream.next()
            told[name] = data.get("rows")
        self.assertEqual(told["traffic"][0]["address"], "203.0.113.66")
        self.assertEqual(told["events"][0]["prefix"], "203.0.113.66")
        page = self.admin.get("/addresses/203.0.113.66")
        self.assertEqual(page["sum"]["connections"], 180)
        self.assertEqual([one["name"] for one in page["servers"]], ["mx1"])
        self.assertTrue(page["bucket"]["quantities"][0]["over"])
        self.assertEqual(page["events"][0]["server"] or "mx1", "mx1")
        overview = self.admin.get("/overview")
        self.assertEqual(overview["servers"][0]["state"], "ok")
        self.assertGreaterEqual(overview["open_events"], 1)
        minutes = self.admin.get("/traffic/minutes")["rows"]
        self.assertEqual(sum(row["connections"] for row in minutes), 180)
        networks = self.admin.get("/traffic?level=network")["rows"]
        self.assertEqual(networks[0]["address"], "203.0.113.0/24")
        server.stop()

    def test_the_monitor_started_again_pages_come_back_and_read_anew(self):
        stream = self.listen()
        stream.next()
        last = stream.last
        self.assertEqual(self.monitor.stop(), 0)
        with self.assertRaises((EOFError, OSError)):
            while True:
                stream.next()
        self.monitor.start()
        self.desk.ready()
        self.assertEqual(self.admin.get("/me")["name"], "admin")  # the session lives
        self.assertEqual(self.listen(last).next()[0], "again")
        stream = self.listen()
        stream.until("lists", lambda data: True)
        self.admin.do("POST", "/addresses/203.0.113.7/block", {"ends": int(time.time()) + HOUR})
        missed = self.listen(stream.last)
        missed.until("lists", lambda data: data["rows"])

    def test_what_was_missed_comes_first(self):
        stream = self.listen()
        stream.until("lists", lambda data: data["rows"] == [])
        self.admin.do("POST", "/addresses/203.0.113.7/block", {"ends": int(time.time()) + HOUR})
        before = stream.last
        stream.until("lists", lambda data: data["rows"])
        again = self.listen(before)
        self.assertEqual(again.until("lists", lambda data: True)["rows"][0]["prefix"],
                         "203.0.113.7")


if __name__ == "__main__":
    harness.main()

#!/usr/bin/env python3
"""The audit says of each change at the console what is, what was, and why."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import desk
import harness
from test_console import RULE, Console

HOUR, TIME = 3600, r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"
PLACE = "/addresses/203.0.113.9"


class Audit(Console):
    def last(self, what):
        """What the newest line of a kind says."""
        row = self.admin.get("/audit?most=1")["rows"][0]
        self.assertEqual((row["who"], row["what"]), ("user admin", what))
        return row["detail"]

    def test_a_block_and_what_came_of_it(self):
        ends = int(time.time()) + HOUR
        self.admin.do("POST", PLACE + "/block", {"ends": ends, "reason": "first"})
        self.assertRegex(self.last("decide"),
                         f"^blacklist 203.0.113.9: refused until {TIME}: first$")
        self.admin.do("POST", PLACE + "/block", {"ends": ends, "defer": True, "reason": "second"})
        self.assertRegex(self.last("decide"),
                         f"^blacklist 203.0.113.9: deferred until {TIME}: second; was 203.0.113.9 "
                         f"refused until {TIME}: first, by user admin$")
        self.admin.do("POST", PLACE + "/block", {"list": "score", "points": 2.5, "ends": ends})
        self.assertRegex(self.last("decide"), f"^score 203.0.113.9: 2.50 points until {TIME}$")
        self.admin.do("POST", PLACE + "/undo", {"reason": "a mistake"})
        self.assertRegex(self.last("undo"),
                         f"^203.0.113.9: a mistake; was 203.0.113.9 deferred until {TIME}: second, "
                         f"by user admin; was 203.0.113.9 2.50 points until {TIME}, by user admin; "
                         "taken back: 2$")
        self.admin.do("POST", PLACE + "/accept", {"reason": "a partner"})
        self.assertEqual(self.last("decide"), "accept 203.0.113.9: accepted for good: a partner")
        self.admin.do("POST", PLACE + "/unaccept", {"reason": "no more"})
        self.assertEqual(self.last("unaccept"), "203.0.113.9: no more; was 203.0.113.9 accepted "
                         "for good: a partner, by user admin")

    def test_an_acceptance_that_is_over_is_none(self):
        before = self.monitor.rows("SELECT * FROM decisions")
        for path, body in (("/accept", {"ends": 1}), ("/undo", {"ends": 1, "accept": True})):
            self.refused(self.admin.ask("POST", PLACE + path, body), 400, "end in the future")
        self.assertEqual(self.monitor.rows("SELECT * FROM decisions"), before)

    def test_what_was_decided_stays_on_the_page_of_an_address(self):
        place, ends = "/addresses/203.0.113.10", int(time.time()) + HOUR
        self.admin.do("POST", place + "/block", {"ends": ends, "reason": "first"})
        self.admin.do("POST", place + "/block", {"ends": ends, "reason": "second"})
        self.assertEqual([(row["reason"], row.get("undone_by")) for row in
                          self.admin.get(place)["decisions"]],
                         [("second", None), ("first", "user admin")])
        self.admin.do("POST", place + "/undo", {})
        page = self.admin.get(place)
        self.assertEqual([row["reason"] for row in page["decisions"]], ["second", "first"])
        self.assertTrue(all(row["undone"] for row in page["decisions"]))
        self.assertIsNone(page["standing"]["blacklist"])

    def test_rules(self):
        self.admin.do("POST", "/rules", {"text": RULE, "state": "active"})
        self.assertEqual(self.last("rules add"), "1 added, 0 changed: CHEAP_LOAN")
        self.admin.do("PUT", "/rules/CHEAP_LOAN", {"score": 2.5, "state": "retired",
                                                   "reason": "too many"})
        self.assertEqual(self.last("rules set"), "CHEAP_LOAN; state retired, was active; score "
                         "2.50, was 1.50; base 2.50, was 1.50; why: too many")
        self.admin.do("PUT", "/rules/CHEAP_LOAN", {"low": -1, "high": 4})
        self.assertEqual(self.last("rules set"), "CHEAP_LOAN; low -1.00, was 0.00; high 4.00, was "
                         "0.00")

    def test_lines_of_a_rule_say_what_becomes_of_it(self):
        self.admin.do("POST", "/rules", {"text": RULE.replace("CHEAP", "DEAR"), "state": "active"})
        self.admin.do("PUT", "/rules/DEAR_LOAN", {"text": "body DEAR_LOAN /a/\nscore DEAR_LOAN 3"})
        rule = self.admin.get("/rules/DEAR_LOAN")
        self.assertEqual((rule["score"], rule["state"]), (3, "active"))
        self.admin.do("PUT", "/rules/DEAR_LOAN", {"text": "body DEAR_LOAN /b/", "score": 2,
                                                  "state": "locked"})
        rule = self.admin.get("/rules/DEAR_LOAN")
        self.assertEqual((rule["score"], rule["state"]), (2, "locked"))
        self.assertIn("/b/", rule["text"])
        for body in ({"text": "body DEAR_LOAN /(/", "score": 4},
                     {"text": "body DEAR_LOAN /c/", "score": 1000}):
            self.refused(self.admin.ask("PUT", "/rules/DEAR_LOAN", body), 400)
            self.assertEqual(self.admin.get("/rules/DEAR_LOAN")["score"], 2)
            self.assertIn("/b/", self.admin.get("/rules/DEAR_LOAN")["text"])

    def test_people_and_programs(self):
        self.desk.made("mona", "analyst")
        self.admin.do("PUT", "/users/mona", {"role": "viewer"})
        self.assertEqual(self.last("user set"), "mona: viewer, was analyst")
        self.admin.do("PUT", "/users/mona", {"role": "viewer"})
        self.assertEqual(len(self.admin.get("/audit?what=user%20set")["rows"]), 1)
        self.admin.do("DELETE", "/users/mona")
        self.assertEqual(self.last("user remove"), "mona: was viewer")
        self.admin.do("POST", "/tokens", {"name": "prom", "role": "analyst"})
        self.admin.do("DELETE", "/tokens/prom")
        self.assertEqual(self.last("token remove"), "prom: was analyst, made by user admin")

    def test_lines_are_chosen_and_come_in_pages(self):
        for n in range(5):
            self.admin.do("POST", f"/addresses/192.0.2.{n}/accept", {})
        self.monitor.ask("user add", name="eve", role="viewer")
        whole = self.admin.get("/audit?what=decide&who=user%20admin&most=500")
        self.assertIsNone(whole["more"])
        self.assertEqual({(row["who"], row["what"]) for row in whole["rows"]},
                         {("user admin", "decide")})
        most = len(whole["rows"])
        page = self.admin.get(f"/audit?what=decide&most={most}")
        self.assertEqual((page["rows"], page["more"]), (whole["rows"], None))
        page = self.admin.get(f"/audit?what=decide&most={most - 1}")
        rest = self.admin.get(f"/audit?what=decide&most=500&after={page['more']}")
        self.assertEqual(page["rows"] + rest["rows"], whole["rows"])
        self.assertEqual(self.admin.get("/audit?who=nobody")["rows"], [])

    def test_tokens_may_no_more_than_who_made_them(self):
        maker = self.desk.made("tom", "administrator")
        made = maker.do("POST", "/tokens", {"name": "toms", "role": "administrator"})
        program = desk.Person(self.desk, made["token"])
        self.assertTrue(program.get("/users")["rows"])
        self.admin.do("PUT", "/users/tom", {"role": "viewer"})
        self.refused(program.ask("GET", "/users"), 403, "administrator")
        self.admin.do("PUT", "/users/tom", {"disabled": True})
        self.refused(program.ask("GET", "/me"), 401)
        self.admin.do("PUT", "/users/tom", {"disabled": False})
        self.assertEqual(program.get("/me")["role"], "viewer")
        other = self.monitor.ask("token add", name="others", role="viewer")["token"]
        gone = self.admin.do("DELETE", "/users/tom")
        self.assertEqual(gone["tokens"], ["toms"])
        self.assertEqual(self.last("user remove"), "tom: was viewer; its tokens end: toms")
        self.refused(program.ask("GET", "/me"), 401)
        self.assertEqual(desk.Person(self.desk, other).get("/me")["name"], "others")

    def test_tokens_that_a_token_made_are_its_owners_and_end_with_it(self):
        def program(maker, name, **more):
            made = maker.do("POST", "/tokens", {"name": name, "role": "administrator", **more})
            return desk.Person(self.desk, made["token"])

        nina, ends = self.desk.made("nina", "administrator"), int(time.time()) + 900
        first = program(nina, "First", ends=ends)
        for late in (0, ends + 1):
            self.refused(first.ask("POST", "/tokens", {"name": "late", "ends": late}), 400, "later")
        second = program(first, "second", ends=ends)
        third = program(second, "third", ends=ends - 1)
        by = {row["name"]: row["by"] for row in self.admin.get("/tokens")["rows"]}
        self.assertEqual([by["First"], by["second"], by["third"]], [
            "user nina", "user nina by token First", "user nina by token second"])
        self.admin.do("PUT", "/users/nina", {"role": "analyst"})
        for one in (first, second, third):
            self.assertEqual(one.get("/me")["role"], "analyst")
        self.admin.do("PUT", "/users/nina", {"role": "administrator"})
        gone = self.admin.do("DELETE", "/tokens/SECOND")
        self.assertEqual((gone["name"], gone["tokens"]), ("second", ["third"]))
        self.assertEqual(self.last("token remove"), "second: was administrator, made by user nina "
                         "by token First; its tokens end: third")
        for one in (second, third):
            self.refused(one.ask("GET", "/me"), 401)
        fourth = program(first, "fourth", ends=ends)
        made = self.monitor.ask("token add", name="system", role="administrator")["token"]
        system = program(desk.Person(self.desk, made), "systems")
        gone = self.admin.do("DELETE", "/users/nina")
        self.assertEqual(gone["tokens"], ["First", "fourth"])
        for one in (first, fourth):
            self.refused(one.ask("GET", "/me"), 401)
        self.assertEqual(system.get("/me")["name"], "systems")
        self.assertEqual(self.monitor.weir.ctl("token", "remove", "system").splitlines()[1:],
                         ["token systems ended with it"])
        self.refused(system.ask("GET", "/me"), 401)


if __name__ == "__main__":
    harness.main()

#!/usr/bin/env python3
"""The description of the API (OpenAPI) is true: real answers of all routes are as it says, bodies
have the members and types it names, and what it calls required is."""
import datetime
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import desk
import harness
import rig
from test_console_mail import Beside
from test_reports import CLIENT

TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict,
         "array": list, "null": type(None)}
WRONG = {"string": 7, "integer": "x", "number": "x", "boolean": "yes", "array": {}, "object": 7}
ADDRESS, ENDS = "/addresses/203.0.113.77", int(time.time()) + 3600
LIMITS = {"prefixes": "192.0.9.0/24", "rate": [5, 0, 0], "maximum": [50, 0, 0], "observe": True,
          "ladder": "alert 1h"}


def is_a(value, name):
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def wrong(value, schema, place="answer"):
    """Why a value is not as its schema says, or nothing."""
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    if names and not any(is_a(value, name) for name in names):
        return f"{place} is no {names}: {value!r}"
    if schema.get("format") == "date-time" and value is not None:
        datetime.datetime.fromisoformat(value)
    if isinstance(value, list):
        return next(filter(None, (wrong(one, schema.get("items", {}), f"{place}[]")
                                  for one in value)), None)
    if not isinstance(value, dict):
        return None
    known = schema.get("properties", {})
    if set(schema.get("required", [])) - set(value):
        return f"{place} lacks {set(schema['required']) - set(value)}"
    if schema.get("additionalProperties") is False and set(value) - set(known):
        return f"{place} has {set(value) - set(known)}, too"
    return next(filter(None, (wrong(one, known[name], f"{place}.{name}")
                              for name, one in value.items() if name in known)), None)


class Described(Beside):
    def setUp(self):
        super().setUp()
        self.paths = self.admin.get("/openapi.json")["paths"]
        self.tried = set()

    def answer(self, method, path, body=None, said=None):
        """What comes of it, which is as it is described."""
        said = said or next(one for one in self.paths if self.fits(one, path.partition("?")[0])
                            and method.lower() in self.paths[one])
        self.tried.add((method, said))
        answer = self.admin.ask(method, path, body)
        self.assertEqual(answer.status, 200, f"{method} {path}: {answer.octets}")
        schema = self.paths[said][method.lower()]["responses"]["200"]["content"]
        self.assertIsNone(wrong(answer.json, schema["application/json"]["schema"]),
                          f"{method} {path}")
        return answer.json

    @staticmethod
    def fits(said, path):
        said, path = said.split("/"), path.split("/")
        return len(said) == len(path) and all(one.startswith("{") or one == is_
                                              for one, is_ in zip(said, path)) \
            and (said == path or any(one.startswith("{") for one in said))

    def fill(self):
        """Something in every table."""
        mail = self.judge()
        for user in ("ann", "bob"):
            self.pipe(mail, "spam", "--user", f"{user}@test.example")
        self.uid = rig.wait_for(lambda: self.admin.get("/reports")["rows"], 30, "reports")[0]["uid"]
        made = self.answer("POST", "/users", {"name": "anna", "role": "analyst"})
        self.assertEqual(desk.Person(self.admin.desk).login("anna", made["password"]).status, 200)
        self.answer("POST", "/tokens", {"name": "prom"})
        self.answer("POST", "/servers", {"name": "mx9"})
        self.answer("POST", "/rules", {"text": "body SAID /x/\nscore SAID 1\n"})
        self.answer("POST", "/rules", {"text": "body SAID_NOT /x/\n", "state": "draft"})
        self.answer("PUT", "/rules/SAID", {"score": 1.5})
        self.answer("PUT", "/rules/SAID", {"text": "body SAID /y/"})
        self.answer("POST", "/publish", {"force": True})
        self.answer("PUT", "/rules/SAID", {"score": 2})
        self.answer("POST", "/publish", {"force": True})
        self.answer("POST", ADDRESS + "/block", {"ends": ENDS, "list": "score", "points": 2})
        self.answer("POST", ADDRESS + "/block", {"ends": ENDS, "reason": "x"})
        self.answer("PUT", "/thresholds/said", LIMITS)
        for _ in range(60):
            self.mx1.saw("203.0.113.99", connections=1)
        self.alert = rig.wait_for(lambda: self.admin.get("/alerts")["rows"], 20,
                                  "an alert")[0]["number"]
        self.silence = self.answer("POST", "/silences", {"prefix": "203.0.113.77", "ends": ENDS,
                                                         "reason": "x"})["number"]

    def change(self):
        """Every other change."""
        at = self.answer("POST", ADDRESS + "/undo", {})["at"]
        self.answer("POST", ADDRESS + "/restore", {"at": at})
        self.answer("POST", ADDRESS + "/accept", {})
        self.answer("POST", ADDRESS + "/unaccept", {})
        self.answer("POST", "/thresholds/try", LIMITS | {"name": "tried",
                                                         "prefixes": "192.0.8.0/24"})
        self.answer("POST", "/rules/test", {"text": "body TRY /x/\n"})
        self.answer("POST", "/rules/SAID_NOT/reject", {})
        self.answer("POST", "/analyze", {"dry": True})
        self.answer("POST", "/rollback", {"serial": 1})
        self.answer("POST", f"/reports/{self.uid}", {"do": "confirm"})
        self.answer("POST", "/reports", {"uids": [self.uid], "do": "undo"})
        self.answer("PUT", "/users/anna", {"disabled": True})
        self.answer("PUT", "/users/anna", {"password": True})
        self.answer("POST", "/servers/mx9/revoke", {})
        self.answer("DELETE", "/users/anna", {})
        self.answer("DELETE", "/tokens/prom", {})
        self.answer("DELETE", "/thresholds/said", {})
        self.answer("POST", f"/silences/{self.silence}/end", {})
        self.answer("POST", f"/alerts/{self.alert}/acknowledge", {"note": "x"})
        self.answer("POST", f"/alerts/{self.alert}/unacknowledge", {})

    def test_real_answers_are_as_they_are_described(self):
        self.fill()
        for path in ("/me", "/overview", "/traffic?minutes=600", "/traffic/minutes", ADDRESS,
                     f"/addresses/{CLIENT}", "/servers", "/alerts", "/lists", "/thresholds",
                     "/messages", f"/messages/{self.uid}", "/reports", f"/reports/{self.uid}",
                     "/rules", "/rules/SAID", "/rules/SAID/history", "/sets", "/sets/newest",
                     "/sets/diff?from=1&to=2", "/audit", "/users", "/tokens", "/silences",
                     "/openapi.json"):
            found = self.answer("GET", path)
            if path not in ("/traffic?minutes=600", "/traffic/minutes"):
                self.assertNotEqual(found.get("rows"), [], path)
        self.change()
        self.answer("POST", "/me/password", {"old": self.admin.desk.password,
                                             "new": "ten octets and more"})
        self.answer("POST", "/login", {"name": "admin", "password": "ten octets and more"})
        self.answer("POST", "/logout", {})
        left = {(method.upper(), path) for path, methods in self.paths.items()
                for method in methods} - self.tried
        self.assertEqual(left, {("GET", "/metrics"), ("GET", "/live")})  # no JSON

    def test_bodies_have_the_types_and_members_that_are_described(self):
        self.admin.do("POST", "/rules", {"text": "body SAID /x/\n"})
        for path, methods in self.paths.items():
            for method, how in methods.items():
                content = how.get("requestBody", {}).get("content")
                if content:
                    schema = content["application/json"]["schema"]
                    self.body(method.upper(), path, schema)

    def body(self, method, path, schema):
        place = path.format(prefix="192.0.2.1", number=1, uid="0" * 16,
                            name="admin" if path.startswith("/users") else "SAID")
        for name, one in schema["properties"].items():
            self.assertLessEqual({"type", "description"}, set(one), f"{path} {name}")
            types = [one["type"]] if isinstance(one["type"], str) else one["type"]
            if path == "/login" or name == "was" or self.other_first(path, name):
                continue
            answer = self.admin.ask(method, place, self.full(schema) | {name: WRONG[types[0]]})
            self.assertEqual(answer.status, 400, f"{method} {path} {name}: {answer.octets}")
        for name in schema["required"]:
            body = self.full(schema)
            del body[name]
            answer = self.admin.ask(method, place, body)
            self.assertIn(answer.status, (400, 401, 403), f"{method} {path} lacks {name}")

    @staticmethod
    def other_first(path, name):
        """What is not looked at there, for something else is wrong before."""
        return (path, name) in {("/reports/{uid}", "do"), ("/rules/test", "most")}

    @staticmethod
    def full(schema):
        """A body whose members have their types; what they say is none of its business."""
        good = {"string": "", "integer": 1, "number": 1, "boolean": True, "array": [1, 1, 1]}
        return {name: good[one["type"]] for name, one in schema["properties"].items()
                if name in schema["required"]}

    def test_what_may_go_wrong_and_what_a_change_needs_are_described(self):
        whole = self.admin.get("/openapi.json")
        self.assertEqual(whole["components"]["parameters"]["csrf"]["name"], "Weir-Csrf")
        error = whole["components"]["responses"]["error"]["content"]["application/json"]["schema"]
        refused = self.admin.ask("GET", "/rules/NONE")
        self.assertIsNone(wrong(refused.json, error))
        for path, methods in self.paths.items():
            for method, how in methods.items():
                self.assertLessEqual({"200", "400", "401", "503"}, set(how["responses"]), path)
                self.assertEqual("403" in how["responses"], path != "/login", path)
                self.assertEqual({"$ref": "#/components/parameters/csrf"} in how["parameters"],
                                 method != "get" and path != "/login", path)
        self.assertIn("409", self.paths["/rules/{name}"]["put"]["responses"])
        self.assertIn("404", self.paths["/rules/{name}"]["get"]["responses"])
        self.assertIn("429", self.paths["/login"]["post"]["responses"])


if __name__ == "__main__":
    harness.main()

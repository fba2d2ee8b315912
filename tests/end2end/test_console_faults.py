#!/usr/bin/env python3
"""The console while the monitor's database cannot be written: one looks and logs in all the same,
and what would change something says in words why it cannot."""
import concurrent.futures
import pathlib
import resource
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from test_console import Console

LIMITS = {"prefixes": "192.0.10.0/24", "rate": [5, 0, 0], "maximum": [50, 0, 0], "observe": True,
          "ladder": "alert 1h"}
CHANGES = (("POST", "/addresses/203.0.118.1/block", {"ends": 4102444800, "reason": "x"}),
           ("POST", "/addresses/203.0.118.2/accept", {"reason": "x"}),
           ("PUT", "/thresholds/locked", LIMITS), ("PUT", "/rules/FAULTS", {"score": 1.5}),
           ("POST", "/rules", {"text": "body NEVER_THERE /x/\n"}),
           ("POST", "/users", {"name": "locked", "role": "viewer"}),
           ("POST", "/publish", {}), ("POST", "/servers", {"name": "mx9"}))


class Faults(Console):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin.do("POST", "/rules", {"text": "body FAULTS /x/\nscore FAULTS 1\n"})
        cls.desk.made("vera", "viewer")

    def counted(self):
        return [self.monitor.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in
                ("decisions", "thresholds", "rules", "accounts", "rule_sets", "servers", "audit")]

    def stands_still(self, why):
        """Reading goes on, one logs in and out, and nothing is changed."""
        before = self.counted()
        for path in ("/me", "/overview", "/lists", "/messages", "/rules", "/addresses/203.0.113.9"):
            self.assertEqual(self.admin.ask("GET", path).status, 200, path)
        late = self.desk.somebody()
        self.assertEqual(late.get("/me")["role"], "administrator")
        self.assertTrue(late.get("/users")["rows"])
        with concurrent.futures.ThreadPoolExecutor(len(CHANGES)) as hands:
            answers = list(hands.map(lambda change: self.admin.ask(*change), CHANGES))
        for change, answer in zip(CHANGES, answers):
            self.refused(answer, 503, why)
            self.assertIsNotNone(answer.headers["Retry-After"], change)
            self.assertNotIn(str(self.folder), answer.octets.decode(), change)
            self.assertNotIn("spam.db", answer.octets.decode(), change)
        self.assertEqual(late.ask("POST", "/logout", {}).status, 200)
        self.refused(late.ask("GET", "/me"), 401)
        self.assertEqual(self.counted(), before)
        return self.desk.somebody()

    def works_again(self, late):
        rig.wait_for(lambda: self.admin.ask("PUT", "/rules/FAULTS", {"score": 1.5}).status == 200,
                     20, "the database")
        self.admin.do("PUT", "/rules/FAULTS", {"score": 1})
        late.do("POST", "/addresses/203.0.118.1/accept", {"reason": "x"})
        self.admin.do("POST", "/addresses/203.0.118.1/unaccept", {})
        self.assertEqual(late.get("/me")["name"], "admin")

    def test_locked_by_another_program(self):
        other = sqlite3.connect(self.monitor.weir.folder / "spam.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            late = self.stands_still("locked by another program")
        finally:
            other.execute("ROLLBACK")
            other.close()
        self.works_again(late)

    def test_a_stored_session_is_not_ended_and_may_be_later(self):
        other = sqlite3.connect(self.monitor.weir.folder / "spam.db", isolation_level=None)
        late = self.desk.somebody()
        other.execute("BEGIN IMMEDIATE")
        try:
            answer = late.ask("POST", "/logout", {})
        finally:
            other.execute("ROLLBACK")
            other.close()
        self.refused(answer, 503, "cannot be written")
        self.assertGreater(int(answer.headers["Retry-After"]), 0)
        rig.wait_for(lambda: late.ask("POST", "/logout", {}).status == 200, 20, "the database")

    def test_full(self):
        limits = resource.prlimit(self.monitor.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.monitor.process.pid, resource.RLIMIT_FSIZE, (1, limits[1]))
        try:
            late = self.stands_still("no room")
        finally:
            resource.prlimit(self.monitor.process.pid, resource.RLIMIT_FSIZE, limits)
        self.works_again(late)

    def test_a_session_that_is_not_stored_ends_as_others_do(self):
        other = sqlite3.connect(self.monitor.weir.folder / "spam.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            made = [self.desk.somebody() for _ in range(3)]
        finally:
            other.execute("ROLLBACK")
            other.close()
        rig.wait_for(lambda: self.admin.ask("PUT", "/users/vera", {"role": "viewer"}).status == 200,
                     20, "the database")
        made[0].do("POST", "/logout", {})
        self.refused(made[0].ask("GET", "/me"), 401)
        self.assertEqual(made[1].get("/me")["name"], "admin")
        time.sleep(0.001)
        self.admin.do("POST", "/me/password", {"old": self.desk.password,
                                               "new": "ten octets and more"})
        self.desk.password = "ten octets and more"
        self.refused(made[1].ask("GET", "/me"), 401)
        self.monitor.stop()
        self.monitor.start()
        self.desk.ready()
        self.refused(made[2].ask("GET", "/me"), 401)
        self.assertEqual(self.admin.get("/me")["name"], "admin")


if __name__ == "__main__":
    harness.main()

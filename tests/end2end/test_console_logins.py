#!/usr/bin/env python3
"""Logins while somebody guesses: whoever has logged in before on his device waits for nobody, and a
stranger gets his turn."""
import http.client
import json
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from test_console import Console


class Logins(Console):
    def login(self, password, source="127.0.0.1", device=None, name="admin"):
        """The status of a login as admin, the mark that it gives, and how long it says to wait."""
        link = http.client.HTTPConnection("127.0.0.1", self.desk.port, 60, (source, 0))
        fields = {"Content-Type": "application/json"} | ({"Cookie": device} if device else {})
        try:
            link.request("POST", "/api/v1/login",
                         json.dumps({"name": name, "password": password}), fields)
            answer = link.getresponse()
            answer.read()
            marks = [one.split(";")[0] for one in answer.headers.get_all("Set-Cookie") or []
                     if one.startswith("weir_device=")]
            return answer.status, marks, int(answer.headers["Retry-After"] or 0)
        finally:
            link.close()

    def guess(self, source="127.0.0.1"):
        while self.login("not the password", source)[0] != 429:
            pass


class Guessed(Logins):
    def test_a_device_that_has_logged_in_waits_for_nobody(self):
        status, marks, _ = self.login(self.desk.password)
        self.assertEqual((status, len(marks)), (200, 1))
        self.guess()
        self.assertEqual(self.login(self.desk.password)[0], 429)
        self.assertEqual(self.login(self.desk.password, device=marks[0])[0], 200)
        self.assertEqual(self.monitor.stop(), 0)
        self.monitor.start()
        self.desk.ready()
        self.guess()
        self.assertEqual(self.login(self.desk.password, device=marks[0])[0], 200)
        for other in ("weir_device=" + 43 * "a", marks[0][:-4] + "AAAA", marks[0] + "x"):
            self.assertEqual(self.login(self.desk.password, device=other)[0], 429, other)
        while self.login("wrong password", device=marks[0])[0] == 401:
            pass
        self.assertEqual(self.login(self.desk.password, device=marks[0])[0], 429)

    def test_a_stranger_gets_his_turn_while_many_guess(self):
        over = threading.Event()

        def attack(network):
            for n in range(100000):
                if over.is_set():
                    return
                try:
                    self.login("guess", f"127.{network}.{n // 250 % 250}.{1 + n % 250}")
                except OSError:
                    continue

        guessers = [threading.Thread(target=attack, args=(10 + n,)) for n in range(6)]
        for one in guessers:
            one.start()
        try:
            rig.wait_for(lambda: self.login(self.desk.password, "127.9.9.8")[0] == 429, 20,
                         "the limit")
            until = time.monotonic() + 120
            status, wait = 429, 0
            while status != 200 and time.monotonic() < until:
                time.sleep(wait)
                status, _, wait = self.login(self.desk.password, "127.9.9.9")
                self.assertLessEqual(wait, 30)
            self.assertEqual(status, 200)
        finally:
            over.set()
            for one in guessers:
                one.join()


class Failed(Logins):
    def test_a_name_that_nobody_has_is_not_told(self):
        for name in ("a-password", "another"):
            self.assertEqual(self.login("x", "127.8.8.9", name=name)[0], 401)
        line = rig.wait_for(lambda: self.admin.get("/audit?what=login%20failed")["rows"], 10)[0]
        self.assertEqual(line["detail"], "as an unknown name from 127.8.8.9")
        self.assertNotIn("a-password", self.admin.ask("GET", "/audit").octets.decode())

    def test_failed_logins_are_in_the_audit_a_few_lines_of_many(self):
        def lines():
            return [row["detail"] for row in
                    self.admin.get("/audit?what=login%20failed&most=500")["rows"]
                    if "127.8.8.8" in row["detail"]]

        self.assertEqual(lines(), [])
        guesses = 0
        while self.login(f"guess {guesses}", "127.8.8.8")[0] != 429:
            guesses += 1
        rig.wait_for(lambda: lines() == ["as admin from 127.8.8.8"], 10, "a line of the audit")
        for _ in range(5):
            self.assertEqual(self.login("again", "127.8.8.8")[0], 429)
        self.assertEqual(len(lines()), 1)
        self.assertEqual(self.monitor.stop(), 0)
        self.monitor.start()
        self.desk.ready()
        rest, first = lines()
        self.assertEqual(first, "as admin from 127.8.8.8")
        self.assertRegex(rest, rf"^as admin from 127\.8\.8\.8: {guesses - 1} more since 20\S+Z, "
                               r"and 6 that were not looked at, for they came too soon$")
        self.assertEqual({row["who"] for row in
                          self.admin.get("/audit?what=login%20failed")["rows"]}, {"somebody"})


if __name__ == "__main__":
    harness.main()

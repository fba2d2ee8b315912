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


class Guessed(Console):
    def login(self, password, source="127.0.0.1", device=None):
        """The status of a login as admin, the mark that it gives, and how long it says to wait."""
        link = http.client.HTTPConnection("127.0.0.1", self.desk.port, 60, (source, 0))
        fields = {"Content-Type": "application/json"} | ({"Cookie": device} if device else {})
        try:
            link.request("POST", "/api/v1/login",
                         json.dumps({"name": "admin", "password": password}), fields)
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


if __name__ == "__main__":
    harness.main()

#!/usr/bin/env python3
"""Requests as they come to the console: from browsers that carry others' cookies, from programs
that misspell, and from strangers who mean to keep it busy."""
import json
import pathlib
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from test_console import Console

LONG_WORD = "a" + 20 * "\u00e4" + " X"


class Requests(Console):
    def raw(self, octets, wait=20):
        """What comes back for octets as they are."""
        with socket.create_connection(("127.0.0.1", self.desk.port), wait) as link:
            link.sendall(octets)
            with link.makefile("rb") as answer:
                return answer.readline()

    def test_a_reason_that_is_cut_inside_a_character_is_told(self):
        self.refused(self.admin.ask("POST", "/rules", {"text": LONG_WORD}), 400, "no word of rules")
        self.refused(self.admin.ask("POST", "/rules/test", {"text": LONG_WORD}), 400,
                     "no word of rules")
        wrong = self.monitor.weir.folder / "wrong.rules"
        wrong.write_text(LONG_WORD + "\n", encoding="utf-8")
        done = self.monitor.weir.ctl("rules", "add", str(wrong), check=False)
        self.assertIn("no word of rules", done.stderr)

    def test_other_cookies_of_the_same_host_do_not_matter(self):
        others = "; ".join(f"_statistics{n}={60 * 'x'}" for n in range(40))
        for cookie in (f"{others}; {self.admin.cookie}", f"{self.admin.cookie}; {others}"):
            self.assertEqual(self.admin.ask("GET", "/me", Cookie=cookie).status, 200)
        self.refused(self.admin.ask("GET", "/me", Cookie=others), 401)

    def test_a_request_for_two_hosts_is_for_none(self):
        for hosts in (("localhost", "evil.example"), ("localhost", "localhost")):
            fields = "".join(f"Host: {host}\r\n" for host in hosts)
            answer = self.raw(f"GET /api/v1/me HTTP/1.1\r\n{fields}\r\n".encode())
            self.assertRegex(answer, rb"^HTTP/1\.1 (400|421) ")


if __name__ == "__main__":
    harness.main()

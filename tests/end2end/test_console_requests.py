#!/usr/bin/env python3
"""Requests as they come to the console: from browsers that carry others' cookies, from programs
that misspell, and from strangers who mean to keep it busy."""
import pathlib
import select
import socket
import sqlite3
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

    def test_arguments_without_a_path_are_no_page(self):
        for path in ("?style.css", "style.css"):
            answer = self.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            self.assertRegex(answer, rb"^HTTP/1\.1 (400|404) |^$", path)

    def test_what_the_table_does_not_name_is_refused_by_its_name(self):
        self.desk.made("yves", "viewer")
        for method, path, body, name in (
                ("PUT", "/users/yves", {"disable": True}, "disable is no member"),
                ("POST", "/logout", {"x": 1}, "x is no member"),
                ("PUT", "/rules/CHEAP", {"files": []}, "files is no member"),
                ("POST", "/login", {"name": "a", "password": "b", "code": 1}, "code is no member"),
                ("GET", "/messages?nosuch=1", None, "nosuch is no argument"),
                ("GET", "/me?most=1", None, "most is no argument"),
                ("POST", "/analyze?dry=true", {}, "dry is no argument")):
            self.refused(self.admin.ask(method, path, body), 400, name)
        self.assertFalse(self.admin.get("/users")["rows"][-1]["disabled"])
        for path in ("/messages?format=xml", "/audit?format=", "/lists?format=CSV"):
            self.refused(self.admin.ask("GET", path), 400, "format is neither")

    def half(self, octets=b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", source="127.0.0.1"):
        link = socket.create_connection(("127.0.0.1", self.desk.port), 10, (source, 0))
        self.addCleanup(link.close)
        link.sendall(octets)
        return link

    def is_cut(self, link):
        link.settimeout(20)
        try:
            return link.recv(1) == b""
        except ConnectionError:
            return True

    def test_who_drips_a_request_is_cut(self):
        body = (b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n"
                b"Content-Type: application/json\r\n\r\n")
        began, links = time.monotonic(), [self.half(), self.half(body)]
        for link in links:
            link.settimeout(1)
        while links and time.monotonic() < began + 90:
            for link in list(links):
                try:
                    link.sendall(b"a")
                    if link.recv(100) == b"":
                        links.remove(link)
                except TimeoutError:
                    continue
                except ConnectionError:
                    links.remove(link)
        self.assertEqual(links, [])

    def test_who_holds_many_connections_cuts_his_own(self):
        first = self.half()
        for _ in range(100):
            self.half()
        self.assertTrue(self.is_cut(first))
        self.assertEqual(self.admin.get("/me")["name"], "admin")

    def test_many_who_hold_connections_shut_nobody_out(self):
        for n in range(20):
            for _ in range(64):
                self.half(source=f"127.0.7.{n + 1}")
        self.assertEqual(self.admin.get("/me")["name"], "admin")
        self.assertEqual(self.desk.somebody().get("/me")["name"], "admin")

    def test_a_page_that_is_open_is_none_of_many(self):
        stream = self.admin.listen()
        self.addCleanup(stream.close)
        stream.until("lists", lambda data: True)
        for _ in range(100):
            self.half()
        self.admin.do("POST", "/addresses/203.0.113.7/accept", {})
        stream.until("lists", lambda data: data["rows"])

    def test_strangers_send_no_long_bodies(self):
        name = '{"name": "%s"}'
        self.refused(self.nobody.ask("POST", "/rules", name % (4096 * "x")), 413, "too long")
        self.refused(self.nobody.ask("POST", "/rules", name % (4000 * "x")), 401, "log in")
        self.refused(self.nobody.ask("POST", "/rules", "{" * 99, Content_Type="text/plain"), 401)
        made = self.admin.do("POST", "/rules", '{"text": "#%s"}' % (900000 * "x"))
        self.assertEqual(made["rules"], 0)

    def test_who_asks_for_much_at_once_has_nobody_else_wait(self):
        with sqlite3.connect(self.monitor.weir.folder / "spam.db", timeout=20) as database:
            database.executemany("INSERT INTO audit (time, who, what, detail) VALUES (1, ?, ?, ?)",
                                 (("user x", "undo", f"row {n}") for n in range(100_000)))
        database.close()
        person = self.desk.made("vic", "viewer")
        asked = (f"GET /api/v1/audit?format=csv HTTP/1.1\r\nHost: localhost\r\n"
                 f"Cookie: {person.cookie}\r\n\r\n").encode()
        links = [self.half(asked) for _ in range(100)]
        self.assertEqual(self.admin.get("/me")["name"], "admin")

        def heard():
            """Beginnings of answers."""
            return [link.recv(20, socket.MSG_PEEK)[9:12]
                    for link in select.select(links, [], [], 0)[0]]

        self.assertLess(heard().count(b"200"), 50)  # all of whom were first
        rig.wait_for(lambda: b"503" in heard(), 20, "what is too much to be refused")


if __name__ == "__main__":
    harness.main()

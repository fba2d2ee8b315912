#!/usr/bin/env python3
"""The monitor's door, spoken to without an agent: bodies up to the limit and one octet beyond, and
streams that are gone."""
import http.client
import json
import pathlib
import resource
import socket
import sqlite3
import ssl
import sys
import threading
import time
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from monitor import octets_of
from test_monitor import BAD, World

BODY_MOST = 1 << 20
HEALTH_MOST = 4096
IDLE = 5000
WAITING_MOST = 512  # of one address
OF_SERVER_MOST = 64
SHARE = 750000  # rows that one server may have in one of the two tables
BATCH = 15000   # lines: just below 1 MB
PAGE = 1000  # decisions in an answer
EVENTS_MOST = 5000  # an hour, that one server alone saw


class Visitor(World):
    """A monitor and somebody who has an identity."""

    def setUp(self):
        super().setUp()
        self.monitor_with()
        self.headers = self.identity("mx1")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.link = http.client.HTTPSConnection("127.0.0.1", self.monitor.port, timeout=30,
                                                context=context)
        self.addCleanup(self.link.close)

    def identity(self, name):
        """The headers of a server's agent."""
        text = self.monitor.ask("server add", name=name)["identity"]
        words = dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)
        return {"Authorization": f"Bearer {words['server']}:{words['secret']}",
                "Weir-Instance": "0123456789abcdef" * 2}

    def post(self, place, body, deflated=False):
        """Status and answer."""
        headers = dict(self.headers, **({"Content-Encoding": "deflate"} if deflated else {}))
        self.link.request("POST", place, zlib.compress(body) if deflated else body, headers)
        answer = self.link.getresponse()
        return answer.status, json.loads(answer.read())

    def spool(self, stream, body, offset=0, **more):
        return self.post(f"/agent/v1/spool?stream={stream}&offset={offset}", body, **more)


class Door(Visitor):
    """What is brought."""

    def test_a_body_of_the_longest_length_is_taken_and_one_octet_more_is_refused(self):
        line = f"at={time.time():.6f} kind=traffic address={BAD} connections=1\n".encode()
        most = line + b"#" * (BODY_MOST - len(line) - 1) + b"\n"
        for deflated in (False, True):
            with self.subTest(deflated=deflated):
                stream = f"sniffer-1-{int(deflated)}.log~01234567"
                self.assertEqual(self.spool(stream, most, deflated=deflated),
                                 (200, {"offset": BODY_MOST}))
                for length in (1, 2, BODY_MOST, BODY_MOST + 1):
                    more = most[:-1] + b"#" * length + b"\n"
                    status, answer = self.spool(stream, more, BODY_MOST, deflated=deflated)
                    self.assertEqual((status, answer), (413, {"error": "body"}))
                self.assertEqual(self.spool(stream, line, BODY_MOST)[0], 200)
        rig.wait_for(lambda: (self.monitor.about(BAD) or {}).get("connections") == 4)
        self.assertEqual(self.monitor.ask("status")["later"], 0)

    def test_a_report_of_health_up_to_its_limit(self):
        def report(length):
            return b'{"well": "' + b"x" * (length - 12) + b'"}'
        self.assertEqual(len(report(HEALTH_MOST)), HEALTH_MOST)
        self.assertEqual(self.post("/agent/v1/health", report(HEALTH_MOST))[0], 200)
        self.assertEqual(self.post("/agent/v1/health", report(HEALTH_MOST + 1))[0], 413)
        rig.wait_for(lambda: self.monitor.rows("SELECT health FROM servers")[0]["health"] ==
                     report(HEALTH_MOST).decode())

    def test_what_is_gone_is_no_part_of_the_health(self):
        for odd in ('{"well": 1, "gone": ["a", 7, {}, null, "' + "x" * 2000 + '"]}',
                    '{"gone": 5, "well": 1}', '{"gone": {"a": 1}, "well": 1}', '{"well": 1}'):
            self.assertEqual(self.post("/agent/v1/health", odd.encode())[0], 200)
            rig.wait_for(lambda: self.monitor.rows("SELECT health FROM servers")[0]["health"] ==
                         '{"well": 1}')
        for odd in ("", "[]", "7", "not JSON"):
            self.assertEqual(self.post("/agent/v1/health", odd.encode())[0], 200)


class Share(Visitor):
    """A server that brings more than the database takes."""

    def batch(self, number):
        """As many addresses as a body has room for."""
        at = time.time()
        return b"".join(b"at=%.6f kind=traffic address=10.%d.%d.%d connections=1\n"
                        % (at, number, n >> 8, n & 255) for n in range(BATCH))

    def test_who_invents_addresses_waits_alone(self):
        mx1 = dict(self.headers)
        mx2 = self.identity("mx2")
        for self.headers in (mx1, mx2):
            self.assertEqual(self.post("/agent/v1/health", b"{}")[0], 200)
        database = sqlite3.connect(self.monitor.weir.folder / "spam.db", timeout=30,
                                   isolation_level=None)
        self.addCleanup(database.close)
        database.execute("BEGIN IMMEDIATE")  # the monitor's own do not get in
        self.headers, taken, offset, status = mx1, 0, 0, 200
        while status == 200 and taken < 2 * SHARE // BATCH:  # two shares at most
            status, answer = self.spool("sniffer-1-1.log~01234567", self.batch(taken), offset,
                                        deflated=True)
            offset = answer.get("offset", offset)
            taken += status == 200
        self.assertEqual(status, 503)
        self.assertGreater(taken * BATCH, SHARE - 2 * BATCH)  # more: some came before the first
        self.headers = mx2
        self.assertEqual(self.spool("sniffer-1-2.log~01234567", self.batch(255))[0], 200)
        self.headers = mx1
        self.assertEqual(self.spool("sniffer-1-1.log~01234567", self.batch(254), offset)[0], 503)
        database.execute("ROLLBACK")
        more = self.batch(253)
        rig.wait_for(lambda: self.spool("sniffer-1-1.log~01234567", more, offset)[0] == 200, 60,
                     "room for it, too")
        self.assertGreaterEqual(self.monitor.ask("status")["over_share"], 2)
        self.monitor.kill()


class Alone(Visitor):
    """A server that invents offenders."""

    def test_what_one_server_alone_tells_of_is_bounded_and_shown(self):
        at, count = time.time(), EVENTS_MOST + 100
        self.assertEqual(self.spool("sniffer-1-1.log~01234567", b"".join(
            b"at=%.6f kind=traffic address=10.%d.%d.1 connections=1000\n" % (at, n >> 8, n & 255)
            for n in range(count)))[0], 200)
        rig.wait_for(lambda: self.monitor.ask("status")["events"] >= EVENTS_MOST, 60)
        status = self.monitor.ask("status")
        self.assertGreater(status["events_left_out"], 0)
        self.assertEqual(status["events"] + status["events_left_out"], count)
        self.assertEqual(len(self.monitor.rows("SELECT number FROM events")), status["events"])
        self.assertEqual(status["left_out_names"], "mx1")
        self.assertRegex(self.monitor.weir.ctl("status", check=False).stdout,
                         r"(?m)^  left out   \d+ events that one server alone told of, .*: mx1$")
        for number in range(32):  # another one of the same number modulo 32
            self.monitor.ask("server add", name=f"idle{number}")
        self.assertRegex(self.monitor.ask("status")["left_out_names"],
                         r"^(mx1 or idle\d+|idle\d+ or mx1)$")
        mx2 = self.server("mx2")
        mx2.saw(BAD, connections=100)
        self.wait_for_event()


class Orders(Visitor):
    """What is asked for, and what is answered."""

    def ask(self, generation, wait=0):
        self.link.request("GET", f"/agent/v1/commands?generation={generation}&wait={wait}",
                          headers=self.headers)
        answer = self.link.getresponse()
        body = answer.read()
        return answer.status, json.loads(body) if body else None

    def test_a_generation_that_is_not_there_is_not_believed(self):
        self.monitor.ask("block", list="blacklist", prefix=BAD, ends=int(time.time()) + 600,
                         reason="a test")
        newest = self.ask(0)[1]["generation"]
        for claimed in (newest + 1, 99999999999, (1 << 63) - 1):
            status, answer = self.ask(claimed)
            self.assertEqual((status, answer["generation"], answer["full"]), (200, newest, True))
        time.sleep(2)
        self.assertLessEqual(self.monitor.rows("SELECT generation FROM servers")[0]["generation"],
                             newest)
        self.assertEqual(self.ask(newest)[0], 204)

    def test_what_changed_is_told_in_pages(self):
        self.monitor.stop()
        count = 2 * PAGE + 1
        with sqlite3.connect(self.monitor.weir.folder / "spam.db") as database:
            database.executemany(
                "INSERT INTO decisions (made, event, generation, changed, list, address, bits, "
                "ends, defer, points, reason, origin) VALUES (1, 0, ?1, ?1, 'blacklist', ?2, 128, "
                "?3, 0, 0, 'a test', 'monitor')",
                [(n, octets_of(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"),
                  (int(time.time()) + 600) * 1000000) for n in range(1, count + 1)])
            database.execute("INSERT OR REPLACE INTO state VALUES ('generation', ?)", (count,))
        database.close()
        self.monitor.start()
        generation, told = 0, []
        for upto in (PAGE, 2 * PAGE, count):
            self.link.close()
            status, answer = self.ask(generation)
            self.assertEqual((status, answer["generation"], answer["full"]), (200, upto, False))
            told += [entry["prefix"] for entry in answer["set"]]
            generation = upto
        self.assertEqual(self.ask(generation)[0], 204)
        self.assertEqual(len(set(told)), count)
        self.link.request("GET", f"/agent/v1/commands?generation={generation}&wait=0&all=1",
                          headers=self.headers)
        answer = json.loads(self.link.getresponse().read())
        self.assertEqual((answer["generation"], answer["full"]), (count, True))
        self.assertEqual({entry["prefix"] for entry in answer["set"]}, set(told))

    def test_what_cannot_be_read_is_asked_for_later(self):
        self.monitor.ask("block", list="blacklist", prefix=BAD, ends=int(time.time()) + 600,
                         reason="a test")
        for before, then, wanted in (("decisions", "gone", 503), ("gone", "decisions", 200)):
            with sqlite3.connect(self.monitor.weir.folder / "spam.db", timeout=10) as database:
                database.execute(f"ALTER TABLE {before} RENAME TO {then}")
            database.close()
            rig.wait_for(lambda: self.answered(wanted), 20, f"{wanted}")
        self.assertIn("commands cannot be read: ", self.monitor.log())

    def answered(self, wanted):
        """Whether it is; 503 for what is to be read, and not for a database that is busy."""
        self.link.close()
        status = self.ask(0, 30)[0]
        self.assertIn(status, (200, 503))
        return status == wanted and "commands cannot be read: " in self.monitor.log()

    def test_who_is_revoked_while_it_waits_hears_of_nothing_more(self):
        newest = self.ask(0)[1]
        newest = newest["generation"] if newest else 0
        waiting = threading.Thread(target=lambda: self.heard.append(self.ask(newest, 4)))
        self.heard = []
        waiting.start()
        time.sleep(1)
        self.monitor.ask("server revoke", name="mx1")
        self.monitor.ask("block", list="blacklist", prefix=BAD, ends=int(time.time()) + 600,
                         reason="a test")
        waiting.join(20)
        self.assertEqual(self.heard, [(204, None)])
        self.assertEqual(self.ask(0)[0], 401)


class Crowd(Visitor):
    """Many connections."""

    def connect(self, address="127.0.0.1"):
        link = socket.create_connection(("127.0.0.1", self.monitor.port), 30, (address, 0))
        self.addCleanup(link.close)
        return link

    def counts(self):
        return self.monitor.ask("status")

    def test_idle_connections_of_one_address_shut_no_agent_out(self):
        allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, allowed)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed[1], allowed[1]))
        crowd = [self.connect("127.0.0.2") for _ in range(IDLE)]
        rig.wait_for(lambda: self.counts()["turned_away"] + self.counts()["hung_up"] +
                     self.counts()["connections"] >= IDLE, 30, "all of them to have come")
        self.assertGreater(self.counts()["turned_away"], 0)
        self.assertLessEqual(self.counts()["connections"], WAITING_MOST + 8)
        self.assertEqual(self.post("/agent/v1/health", b"{}")[0], 200)
        mx2 = self.server("mx2")
        mx2.saw(BAD, connections=1)
        rig.wait_for(lambda: (self.monitor.about(BAD) or {}).get("connections") == 1, 30,
                     "an agent to get in")
        rig.wait_for(lambda: self.counts()["hung_up"] >= WAITING_MOST - 8, 30,
                     "the idle ones to be hung up on")
        for link in crowd:
            link.setblocking(True)
            try:
                self.assertEqual(link.recv(1), b"")
            except ConnectionResetError:
                pass
        self.assertEqual(self.post("/agent/v1/health", b"{}")[0], 200)  # this one has stayed

    def test_a_head_that_never_ends_is_hung_up_on(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(self.connect()) as link:
            with self.assertRaises(OSError):
                link.send(b"GET /agent/v1/commands HTTP/1.1\r\n")
                for n in range(600):
                    link.send(b"X-%d: and so on\r\n" % n)
                    time.sleep(0.1)
        self.assertEqual(self.counts()["hung_up"], 1)

    def test_a_server_has_so_many_connections_and_the_others_theirs(self):
        links = []

        def report():
            link = http.client.HTTPSConnection("127.0.0.1", self.monitor.port, timeout=30,
                                               context=self.link._context)  # pylint: disable=W0212
            self.addCleanup(link.close)
            link.request("POST", "/agent/v1/health", b"{}", self.headers)
            answer = link.getresponse()
            answer.read()
            links.append(link)
            return answer.status

        self.assertEqual([report() for _ in range(OF_SERVER_MOST)], [200] * OF_SERVER_MOST)
        self.assertEqual(report(), 503)
        links.pop().close()
        mx2 = self.server("mx2")
        mx2.saw(BAD, connections=1)
        rig.wait_for(lambda: (self.monitor.about(BAD) or {}).get("connections") == 1, 30,
                     "another server to be heard")
        links.pop().close()
        rig.wait_for(lambda: report() == 200, 30, "a place for one more")


class Gone(World):
    """With an agent."""

    def test_a_file_that_is_done_is_told_of(self):
        self.monitor_with()
        self.mx1 = self.server("mx1")
        for n in range(30):
            self.mx1.saw(BAD, connections=1)
            self.mx1.turn()
        self.wait_until_taken(30)
        rig.wait_for(lambda: self.monitor.ask("status")["streams_gone"] == 30, 30,
                     "all streams to be told of")
        self.assertEqual(self.monitor.ask("status")["streams"], 30)
        self.assertEqual(self.monitor.about(BAD)["connections"], 30)

    def test_a_line_that_is_too_long_holds_nothing_up(self):
        self.monitor_with()
        self.mx1 = self.server("mx1")
        self.mx1.saw(BAD, connections=1)
        self.mx1.write("x" * 2500000)
        self.mx1.saw(BAD, connections=1)
        self.mx1.turn()
        self.mx1.saw(BAD, connections=1)
        rig.wait_for(lambda: (self.monitor.about(BAD) or {}).get("connections") == 3, 15,
                     "what stands behind the line to be counted")
        rig.wait_for(lambda: self.monitor.ask("status")["streams_gone"] == 1, 15,
                     "the file to go")


if __name__ == "__main__":
    harness.main()

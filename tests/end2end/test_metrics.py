#!/usr/bin/env python3
"""Numbers for Prometheus: of a running monitor at /metrics, of a mail server by weirctl; read by a
strict parser of the text format."""
import contextlib
import http.client
import json
import math
import pathlib
import re
import socket
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import desk
import harness
import monitor
import namespaces
import rig
from exposition import Metrics, Wrong, value_of
from test_monitor_hits import LOAN, WIN, Deciding
from test_weirctl import Daemon

TOP = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = TOP / "monitor/console/examples"
OF_PROGRAMS = TOP / "monitor/ctl/weir-metrics.8"
TELLS = ("core/engine/numbers_rows.c", "core/program/numbers_metrics.c",
         "monitor/ctl/ctl_metrics_io.c")
TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics_of(person, **headers):
    answer = person.raw("GET", "/metrics", headers=headers)
    if answer.status != 200:
        raise rig.Trouble(f"{answer.status} {answer.octets}")
    if answer.headers["Content-Type"] != TYPE:
        raise Wrong(answer.headers["Content-Type"])
    return Metrics(answer.octets.decode())


class Parser(unittest.TestCase):
    """The parser refuses what Prometheus would."""

    GOOD = '# HELP weir_a_total A.\n# TYPE weir_a_total counter\nweir_a_total{x="\\"\\n,}"} 1\n'

    def test_good(self):
        self.assertEqual(Metrics(self.GOOD).get("weir_a_total", x='"\n,}'), 1)
        self.assertTrue(math.isnan(value_of("NaN")))

    def test_bad(self):
        for old, new in (("} 1\n", "} 1"), ("weir_a_total{", "weir_b_total{"), ("} 1", "} one"),
                         ("} 1", "} -1"), ("counter", "gauge"), ("counter", "rate"),
                         ("TYPE weir_a", "TYPE weir_b"), ('x="', 'x-y="'), ('\\"', '"'),
                         ("\\n", "\\t"), ("} 1\n", '} 1\nweir_a_total{x="\\"\\n,}"} 2\n'),
                         ("# TYPE weir_a_total counter\n", ""), ("} 1", "}  1"),
                         ('="\\"\\n,}"', '="",x=""')):
            with self.assertRaises(Wrong, msg=new):
                Metrics(self.GOOD.replace(old, new, 1))

    TIMES = ("# HELP weir_a_seconds A.\n# TYPE weir_a_seconds histogram\n"
             'weir_a_seconds_bucket{x="1",le="0.5"} 2\nweir_a_seconds_bucket{x="1",le="+Inf"} 3\n'
             'weir_a_seconds_sum{x="1"} 1.5\nweir_a_seconds_count{x="1"} 3\n')

    def test_histograms(self):
        good = Metrics(self.TIMES).histogram("weir_a_seconds", x="1")
        self.assertEqual((good.below, good.sum, good.count),
                         ([(0.5, 2), (math.inf, 3)], 1.5, 3))
        for old, new in (("} 2\n", "} 4\n"), ('_count{x="1"} 3', '_count{x="1"} 4'),
                         ('le="0.5"', 'le="+Inf"'), ('weir_a_seconds_sum{x="1"} 1.5\n', ""),
                         ('_sum{x="1"}', '_sum{x="1",le="1"}'), (',le="0.5"', ""),
                         ("_sum", "_all"), (" 1.5", " -1.5"), ('le="+Inf"', 'le="7"'),
                         ('_count{x="1"} 3\n', '_count{x="1"} 3\nweir_a_seconds_count{x="1"} 3\n')):
            with self.assertRaises(Wrong, msg=new):
                Metrics(self.TIMES.replace(old, new, 1))
        with self.assertRaises(Wrong):
            Metrics(self.TIMES + self.TIMES.split("histogram\n")[1])


class OfMonitor(Deciding):
    def monitor_with(self, **sections):
        self.port = rig.free_port()
        sections.setdefault("console", {})["listen"] = f"inet:127.0.0.1:{self.port}"
        return super().monitor_with(**sections)

    def setUp(self):
        super().setUp()
        self.desk = desk.Desk.at(self.monitor, self.port)
        self.nobody = desk.Person(self.desk)

    def metrics(self):
        return metrics_of(self.nobody)

    def test_values_follow_traffic_and_decisions(self):
        before = self.metrics()
        self.assertEqual(before.get("weir_messages_total", verdict="spam"), 0)
        want = self.some_of_each()
        self.wait_for(want)
        self.exceed()
        rig.wait_for(lambda: self.metrics().get("weir_events_total") >= 1, 20, "an event")
        after = self.metrics()
        self.assertEqual(after.get("weir_messages_total", verdict="spam"), 5)
        self.assertEqual(after.get("weir_messages_total", verdict="ham"), 4)
        self.assertEqual(after.get("weir_decisions_total", state="good"), 9)
        names = {row["id"]: row["name"] for row in self.monitor.rows("SELECT id, name FROM rules")}
        for rule in (LOAN, WIN):
            self.assertEqual(after.get("weir_rule_hits_total", rule=names.get(rule, str(rule))),
                             want[rule][0])
        self.assertGreaterEqual(after.get("weir_watch_alarms_total"), 1)
        self.assertGreater(after.get("weir_monitor_lines_total"),
                           before.get("weir_monitor_lines_total"))
        for name in ("weir_database_octets", "weir_journal_octets"):
            self.assertGreater(after.get(name), 0)
        status = self.monitor.ask("status")
        self.assertEqual(after.get("weir_monitor_wrong_lines_total", why="bad"), status["bad"])
        self.assertLessEqual(after.get("weir_monitor_lines_total"), status["lines"])

    def test_servers_are_up_until_nothing_is_heard_of_them(self):
        self.assertEqual(self.metrics().get("weir_server_up", server="mx1"), 1)
        self.assertIn("rules_serial", " ".join(self.metrics().type))
        self.monitor.weir.configure(monitor={"silence": "2s"})
        self.monitor.process.send(1)
        self.mx2.process.stop()
        rig.wait_for(lambda: self.metrics().get("weir_server_up", server="mx2") == 0, 30,
                     "the server to be blind")
        self.assertGreater(self.metrics().get("weir_server_last_seen_age_seconds", server="mx2"), 2)

    def test_requests_are_measured(self):
        before = self.metrics()
        person = self.desk.somebody()
        for _ in range(5):
            person.get("/me")
        person.raw("GET", "/")
        lines = before.get("weir_monitor_lines_total")
        self.mx1.saw("192.0.2.1", connections=1)
        rig.wait_for(lambda: self.metrics().get("weir_monitor_lines_total") > lines, 20, "a line")
        after = self.metrics()

        def more(family, request):
            return (after.histogram(family, request=request).count -
                    before.histogram(family, request=request).count)
        self.assertGreaterEqual(more("weir_monitor_request_seconds", "spool"), 1)
        self.assertGreaterEqual(more("weir_console_request_seconds", "read"), 5)
        self.assertEqual(more("weir_console_request_seconds", "page"), 1)
        self.assertGreaterEqual(more("weir_console_request_seconds", "change"), 1)
        self.assertGreaterEqual(more("weir_console_request_seconds", "metrics"), 1)
        self.assertLess(after.histogram("weir_console_request_seconds", request="read").sum, 60)

    def test_sessions_and_live_pages_are_counted(self):
        person = self.desk.somebody()
        stream = person.listen()
        self.addCleanup(stream.close)
        self.assertEqual(stream.status, 200)
        metrics = self.metrics()
        self.assertEqual((metrics.get("weir_console_sessions"),
                          metrics.get("weir_console_live_pages")), (1, 1))

    def test_the_format_is_one_for_tokens_and_sessions_too(self):
        person = self.desk.somebody()
        here = person.raw("GET", "/metrics", headers={"Cookie": person.cookie})
        self.assertEqual((here.status, here.headers["Set-Cookie"]), (200, None))
        self.assertEqual(person.get("/me")["name"], "admin")
        api = person.ask("GET", "/metrics")
        self.assertEqual(api.headers["Content-Type"], TYPE)
        self.assertEqual(set(Metrics(api.octets.decode()).type), set(self.metrics().type))
        self.assertEqual(self.nobody.raw("HEAD", "/metrics").octets, b"")

    def test_of_rules_a_thousand_are_told_those_that_hit_most(self):
        with contextlib.closing(sqlite3.connect(self.monitor.weir.folder / "spam.db",
                                                timeout=20)) as database, database:
            database.executemany(
                "INSERT INTO hits VALUES (?, 0, 0, ?, 0, 0, 0, 0, 0, 0)",
                [(4000000 + n, 7 + n) for n in range(1001)])
        samples = {dict(labels)["rule"]: value for (name, labels), value
                   in self.metrics().samples.items() if name == "weir_rule_hits_total"}
        self.assertEqual(samples, {str(4000000 + n): 7 + n for n in range(1, 1001)})

    def test_who_needs_a_token_and_who_may_not_ask(self):
        token = self.monitor.weir.ctl("token", "add", "prom").strip()
        for headers, status in (({"Host": "evil.example"}, 421),
                                ({"Authorization": "Bearer " + 43 * "a"}, 401),
                                ({"Authorization": "Basic eDp5"}, 401),
                                ({"X-Forwarded-For": "192.0.2.1"}, 401),
                                ({"Forwarded": "for=192.0.2.1"}, 401), ({"Via": "1.1 x"}, 401)):
            answer = self.nobody.raw("GET", "/metrics", headers=headers)
            self.assertEqual(answer.status, status, headers)
            self.assertNotIn(b"weir_", answer.octets)
        metrics_of(self.nobody, **{"X-Forwarded-For": "192.0.2.1",
                                   "Authorization": "Bearer " + token})
        self.assertEqual(self.nobody.ask("GET", "/metrics").status, 401)
        for method in ("POST", "PUT", "DELETE"):
            self.assertIn(self.nobody.raw(method, "/metrics").status, (405, 415), method)
        self.assertEqual(self.nobody.raw("GET", "/metrics/x").status, 404)

    def test_examples_and_the_manual_name_what_is_there(self):
        self.judge(self.mx1, b"hello", b"a cheap loan")
        self.wait_for({LOAN: (1, 1, 0)})
        policyd = rig.Policyd(rig.Weir(self.folder, "own"))
        self.addCleanup(policyd.process.end)
        machine = Metrics(policyd.weir.ctl("metrics"))
        told = set(re.findall(r"(?m)^\.B (weir_\w+)", OF_PROGRAMS.read_text(encoding="utf-8")))
        named = {name for path in TELLS for name in
                 re.findall(r'"(weir_\w+)"', (TOP / path).read_text(encoding="utf-8"))}
        self.assertEqual(told, named)
        self.assertEqual(set(machine.type) - told, set())
        there = set(self.metrics().type) | told
        for name in ("weir-alerts.yml", "weir-dashboard.json"):
            text = (EXAMPLES / name).read_text(encoding="utf-8")
            used = {re.sub("_seconds_bucket$", "_seconds", name)
                    for name in re.findall(r"\bweir_\w+", text)}
            self.assertGreater(len(used), 10)
            self.assertEqual(used - there, set(), name)
        json.loads((EXAMPLES / "weir-dashboard.json").read_text(encoding="utf-8"))
        manual = (TOP / "monitor/weir-monitor.8").read_text(encoding="utf-8")
        told = set(re.findall(r"(?m)^\.B (weir_\w+)", manual))
        self.assertEqual(set(self.metrics().type) - told, set())
        self.assertEqual(told - set(self.metrics().type), {"weir_server_decisions_recent"})


class Behind(unittest.TestCase):
    """A proxy has this machine's address."""

    def test_with_a_url_everybody_needs_a_token(self):
        its = desk.Desk(rig.scratch(), console={"url": "https://desk.example"})
        self.addCleanup(its.monitor.stop)
        nobody = desk.Person(its)
        self.assertEqual(nobody.raw("GET", "/metrics").status, 401)
        token = its.monitor.weir.ctl("token", "add", "prom").strip()
        metrics_of(nobody, Authorization="Bearer " + token)


class Elsewhere(unittest.TestCase):
    def test_other_addresses_need_the_token_of_somebody_who_may(self):
        namespaces.needed()
        host = namespaces.Namespace("metrics")
        self.addCleanup(host.remove)
        host.ip("addr", "add", "192.0.2.7/32", "dev", "lo")
        with host:
            its = desk.Desk.at(monitor.Monitor(rig.scratch(),
                                               console={"listen": "inet:0.0.0.0:8426"}), 8426)
        self.addCleanup(its.monitor.stop)
        with host:
            near, far = desk.Person(its), Far(its)
            metrics_of(near)
            answer = far.raw("GET", "/metrics")
            self.assertEqual(answer.status, 401)
            self.assertNotIn(b"weir_", answer.octets)
            token = its.monitor.weir.ctl("token", "add", "prom").strip()
            metrics_of(far, Authorization="Bearer " + token)
            its.monitor.weir.ctl("token", "remove", "prom")
            self.assertEqual(far.raw("GET", "/metrics",
                                     headers={"Authorization": "Bearer " + token}).status, 401)


class Far(desk.Person):
    """Who comes from another address."""

    def raw(self, method, path, body=None, headers=None):
        link = http.client.HTTPConnection("192.0.2.7", self.desk.port, timeout=30)
        try:
            link.request(method, path, body, headers or {})
            return desk.Answer(link.getresponse())
        finally:
            link.close()


class OfMachine(unittest.TestCase):
    """weirctl metrics."""

    def setUp(self):
        self.folder = rig.scratch()
        self.weir = rig.Weir(self.folder)
        self.policyd = rig.Policyd(self.weir)
        self.addCleanup(self.policyd.process.end)

    def metrics(self):
        return Metrics(self.weir.ctl("metrics"))

    def ask(self, address):
        with socket.create_connection(("127.0.0.1", self.policyd.port), 10) as link:
            link.sendall(b"request=smtpd_access_policy\nprotocol_state=RCPT\n"
                         b"client_address=%s\ninstance=%s.1\n\n" % (address, address))
            return link.recv(4096)

    def test_requests_move_the_numbers(self):
        listen = next(iter(dict(key).get("listen") for key in
                           (labels for name, labels in self.metrics().samples
                            if name == "weir_policyd_up")))
        before = self.metrics().get("weir_policyd_requests_total", listen=listen)
        for n in range(3):
            self.ask(b"192.0.2.%d" % n)
        after = self.metrics()
        self.assertEqual(after.get("weir_policyd_requests_total", listen=listen), before + 3)
        self.assertEqual(after.get("weir_policyd_up", listen=listen), 1)
        self.assertGreaterEqual(after.get("weir_policyd_connections_total", listen=listen), 3)
        self.assertIn("weir_store_node_up", after.type)

    def test_lists_and_spool_are_counted(self):
        self.weir.ctl("blacklist", "add", "203.0.113.7", "203.0.113.8")
        metrics = self.metrics()
        self.assertEqual(metrics.get("weir_list_entries", list="blacklist"), 2)
        self.assertEqual(metrics.get("weir_lists_open"), 1)
        self.assertEqual(metrics.get("weir_spool_dropped_lines"), 0)

    def test_a_daemon_that_is_gone_is_a_number(self):
        self.policyd.stop()
        metrics = self.metrics()
        self.assertEqual([value for (name, _), value in metrics.samples.items()
                          if name == "weir_policyd_up"], [0])
        self.assertNotIn("weir_policyd_requests_total", metrics.type)

    def test_a_file_is_replaced_at_once_or_stays(self):
        path = self.folder / "weir.prom"
        path.write_text("old")
        self.assertEqual(self.weir.ctl("metrics", "--output", str(path)), "")
        self.assertIn("weir_policyd_up", Metrics(path.read_text()).type)
        self.assertEqual(path.stat().st_mode & 0o777, 0o644)
        done = self.weir.ctl("metrics", "--output", str(self.folder / "no/x.prom"), check=False)
        self.assertEqual(done.returncode, 73)
        self.assertEqual([each.name for each in self.folder.iterdir()
                          if each.name.startswith(("weir.prom", ".weir.prom"))], ["weir.prom"])

    def test_what_a_daemon_says_stays_in_its_quotes(self):
        status = {"requests": "7", "verdicts": {'x"} 1\nweir_b 2\\': 1, "\x1b[2J": 2},
                  "mode": ["enforce"], "closed": [1], "connections": {"open": True},
                  "counters": {"nodes": [{"name": 'a"b', "up": False}, {"up": True}, 3]}}
        for answer, up in ((json.dumps(status), 1), ("[1]", 0), ("{", 0), ('{"a":1,"a":2}', 0)):
            daemon = Daemon(b"status=" + answer.encode() + b"\n\n")
            self.addCleanup(daemon.close)
            self.weir.configure(policyd={"listen": daemon.listen})
            metrics = self.metrics()
            self.assertEqual(metrics.get("weir_policyd_up", listen=daemon.listen), up, answer)
            if up:
                self.assertEqual(metrics.get("weir_store_node_up", listen=daemon.listen,
                                             node='a"b'), 0)
                self.assertEqual(metrics.get("weir_policyd_verdicts_total", listen=daemon.listen,
                                             verdict='x"} 1\nweir_b 2\\'), 1)
                self.assertEqual(metrics.get("weir_policyd_verdicts_total", listen=daemon.listen,
                                             verdict="?[2J"), 2)
                self.assertNotIn("weir_policyd_requests_total", metrics.type)

    def test_json_has_the_same(self):
        told = json.loads(self.weir.ctl("metrics", "--json"))
        self.assertTrue(told["policyd"][0]["up"])
        self.assertEqual(told["programs"], [{"program": "weir-policyd", "up": True,
                                            "readable": True}])


if __name__ == "__main__":
    harness.main()

#!/usr/bin/env python3
"""Numbers of each program of a mail server, in its file and over HTTP: they are what real traffic
through Postfix, Exim and the policy protocol made of them."""
import http.client
import math
import os
import pathlib
import random
import signal
import socket
import stat
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import exim
import harness
import milter
import rig
import smtp
from exposition import Metrics
from test_monitor import World
from test_postfix_milter import Server, mail

TYPE = "text/plain; version=0.0.4; charset=utf-8"
BOUNDS = [float(f"{digits}e{power}") for power in range(-5, 1) for digits in ("1", "2.5", "5")]
POLICYD, MILTER, EXIM = ({"program": f"weir-{name}"} for name in ("policyd", "milter", "exim"))
LISTED = "203.0.113.7"


def metrics_of(weir):
    return Metrics(weir.ctl("metrics"))


def told(weir, name, value, **labels):
    """The metrics, once a program has told so much of it: it does each second."""
    def enough():
        metrics = metrics_of(weir)
        return metrics.samples.get((name, tuple(sorted(labels.items()))), 0) >= value and metrics
    return rig.wait_for(enough, 20, f"{value} of {name}")


def by_rule(metrics, program):
    return {rule: hits for (of, rule), hits in
            metrics.of("weir_program_rule_hits_total", "program", "rule").items() if of == program}


class Serving:
    """weirctl metrics --serve."""

    def __init__(self, weir, **metrics):
        self.weir, self.port = weir, rig.free_port()
        weir.configure(metrics={"listen": f"inet:127.0.0.1:{self.port}", **metrics})
        self.process = rig.Process([rig.BUILD / "weirctl", "-c", weir.conf, "metrics", "--serve"],
                                   weir.folder / "metrics.log")
        self.process.start()
        self.process.ready(lambda: "listening at" in self.process.log())

    def ask(self, method="GET", path="/metrics", body=None, **headers):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            link.request(method, path, body, headers)
            answer = link.getresponse()
            return answer, answer.read()
        finally:
            link.close()

    def metrics(self):
        answer, octets = self.ask()
        if answer.status != 200 or answer.headers["Content-Type"] != TYPE:
            raise rig.Trouble(f"{answer.status} {answer.headers}")
        return Metrics(octets.decode())


class Policyd(unittest.TestCase):
    """weir-policyd alone, asked as Postfix asks."""

    def setUp(self):
        self.folder = rig.scratch()
        self.weir = rig.Weir(self.folder, weir={"mode": "enforce"})
        self.weir.ctl("blacklist", "add", LISTED)
        self.policyd = rig.Policyd(self.weir)
        self.addCleanup(self.policyd.process.end)

    def ask(self, *clients, **attributes):
        with smtp.Policy(self.policyd.port) as policy:
            return [policy.ask(client, **attributes) for client in clients]

    def requests(self, least):
        return told(self.weir, "weir_program_requests_total", least, verdict="ham",
                    **POLICYD).get("weir_program_requests_total", verdict="ham", **POLICYD)

    def test_what_was_decided_is_counted_and_measured(self):
        before = metrics_of(self.weir)
        self.assertEqual(before.get("weir_program_up", **POLICYD), 1)
        self.assertEqual(before.get("weir_program_numbers_readable", **POLICYD), 1)
        self.assertEqual(before.histogram("weir_program_request_seconds", **POLICYD).count, 0)
        self.ask(*[f"192.0.2.{n}" for n in range(40)])
        self.ask(LISTED, LISTED, LISTED)
        self.ask("192.0.2.1", "192.0.2.1", instance="one.1")  # the second is answered as before
        after = told(self.weir, "weir_program_requests_total", 41, verdict="ham", **POLICYD)
        verdicts = {verdict: value for (verdict,), value
                    in after.of("weir_program_requests_total", "verdict").items()}
        self.assertEqual(verdicts, {"ham": 41, "unsure": 0, "spam": 0, "blocked": 3})
        self.assertEqual(after.get("weir_program_request_actions_total", action="reject",
                                   **POLICYD), 3)
        times = after.histogram("weir_program_request_seconds", **POLICYD)
        self.assertEqual(times.bounds(), BOUNDS + [10, math.inf])
        self.assertEqual(times.count, 45)
        self.assertGreater(times.sum, 0)
        self.assertLess(times.sum, 45)
        listen = f"inet:127.0.0.1:{self.policyd.port}"
        self.assertEqual(after.get("weir_policyd_requests_total", listen=listen), 45)
        started = after.get("weir_program_start_time_seconds", **POLICYD)
        self.assertLess(abs(time.time() - started), 3600)

    def test_counts_go_on_after_a_restart_and_who_was_killed_is_down(self):
        self.ask("192.0.2.1", "192.0.2.2")
        told(self.weir, "weir_program_requests_total", 2, verdict="ham", **POLICYD)
        self.policyd.kill()
        down = metrics_of(self.weir)
        self.assertEqual(down.get("weir_program_up", **POLICYD), 0)
        self.assertEqual(down.get("weir_program_requests_total", verdict="ham", **POLICYD), 2)
        self.assertNotIn("weir_program_start_time_seconds", down.type)
        self.policyd.start()
        self.ask("192.0.2.3")
        self.assertEqual(self.requests(3), 3)
        self.policyd.reload()
        rig.wait_for(lambda: "reloaded" in self.policyd.log(), what="the reload")
        self.ask("192.0.2.4")
        self.assertEqual(self.requests(4), 4)

    def test_what_came_since_the_last_look_is_told_at_a_reload_and_at_the_end(self):
        def own():  # of the store that is open now
            return sum(metrics_of(self.weir).of("weir_store_read_total").values())
        self.ask("192.0.2.1")
        first = own()
        self.policyd.reload()
        rig.wait_for(lambda: "reloaded" in self.policyd.log(), what="the reload")
        self.ask("192.0.2.2")
        second = own()
        self.policyd.stop()
        self.assertGreater(min(first, second), 0)
        self.assertEqual(metrics_of(self.weir).get("weir_program_counters_total", what="read",
                                                   **POLICYD), first + second)

    def test_a_daemon_that_hangs_can_still_be_read(self):
        self.ask("192.0.2.1")
        told(self.weir, "weir_program_requests_total", 1, verdict="ham", **POLICYD)
        self.policyd.process.send(signal.SIGSTOP)
        self.addCleanup(self.policyd.process.send, signal.SIGCONT)
        metrics = metrics_of(self.weir)
        self.assertEqual(metrics.get("weir_program_up", **POLICYD), 1)
        self.assertEqual(metrics.get("weir_program_requests_total", verdict="ham", **POLICYD), 1)
        listen = f"inet:127.0.0.1:{self.policyd.port}"
        self.assertEqual(metrics.get("weir_policyd_up", listen=listen), 0)

    def test_no_place_for_numbers_stops_no_mail(self):
        for numbers, warns in (("/dev/null/numbers", True), ("", False)):
            self.policyd.stop()
            self.weir.configure(weir={"numbers_folder": numbers})
            before = self.policyd.log().count("nobody can ask for our numbers")
            self.policyd.start()
            self.assertEqual(self.ask("192.0.2.1")[0], "DUNNO")
            self.assertEqual(self.policyd.log().count("nobody can ask for our numbers") > before,
                             warns)
            self.assertNotIn("weir_program_up", metrics_of(self.weir).type)

    def test_files_of_somebody_else_are_no_numbers(self):
        path = self.weir.folder / "numbers/weir-milter"
        readable = {("weir-policyd",): 1, ("weir-milter",): 0}
        for octets in (b"", b"weirnum\0" + 8 * b"\xff" + 40000 * b"x", path.parent.joinpath(
                "weir-policyd").read_bytes()[:-1]):
            path.write_bytes(octets)
            done = self.weir.ctl("metrics", check=False)
            self.assertIn("numbers of weir-milter: ", done.stderr)
            metrics = Metrics(done.stdout)
            self.assertEqual(metrics.of("weir_program_up", "program"), {("weir-policyd",): 1})
            self.assertEqual(metrics.of("weir_program_numbers_readable", "program"), readable)
        path.unlink()
        path.symlink_to("weir-policyd")
        self.assertEqual(len(metrics_of(self.weir).of("weir_program_up", "program")), 1)

    def test_whatever_stands_in_a_file_the_text_is_sound(self):
        """Rubbish behind a head that is right: Prometheus would drop all for one bad series."""
        self.ask(*[f"192.0.2.{n}" for n in range(9)])
        told(self.weir, "weir_program_requests_total", 9, verdict="ham", **POLICYD)
        self.policyd.stop()
        path = self.weir.folder / "numbers/weir-policyd"
        good, seeded, left_out = path.read_bytes(), random.Random(1), 0
        for head in (16, 64, 256, 1024, 4096, 16384, len(good) - 8):
            rest = len(good) - head
            for octets in (seeded.randbytes(rest), b"\xff" * rest, b"\1" * rest,
                           (b'A"} 1\nevil_total{x="\\' * 2000)[:rest], seeded.randbytes(8) +
                           good[head + 8:], b"\1" + good[head + 1:]):
                path.write_bytes(good[:head] + octets)
                metrics = Metrics(self.weir.ctl("metrics"))
                left_out += metrics.get("weir_program_numbers_readable", **POLICYD) == 0
        self.assertGreater(left_out, 30)
        self.policyd.start()
        self.ask("192.0.2.77")
        self.assertGreaterEqual(self.requests(1), 1)

    def test_whatever_happens_to_the_files_mail_flows_and_counts_go_on(self):
        folder = self.weir.folder / "numbers"
        path, aside = folder / "weir-policyd", self.weir.folder / "aside"

        def replace(make):
            path.unlink()
            make()
        for count, breaking in enumerate((
                lambda: os.truncate(path, 0), lambda: os.truncate(path, 100), path.unlink,
                lambda: path.write_bytes(b"x" * path.stat().st_size),
                lambda: replace(lambda: path.symlink_to(aside)), lambda: replace(path.mkdir),
                lambda: replace(lambda: os.mkfifo(path)), lambda: os.truncate(path, 1 << 40),
                lambda: (path.unlink(), folder.rmdir()))):
            self.ask("192.0.2.1")
            self.assertEqual(self.requests(2 * count + 1), 2 * count + 1)
            breaking()
            self.assertEqual(self.ask("192.0.2.2"), ["DUNNO"])
            rig.wait_for(lambda: path.is_file() and not path.is_symlink(), 20, "the file")
            self.assertEqual(self.requests(2 * count + 2), 2 * count + 2)
        self.assertTrue(self.policyd.process.alive())
        self.assertIn("it is made anew", self.policyd.log())
        self.assertFalse(aside.exists())


class Cluster(unittest.TestCase):
    def test_breakers_and_times_of_the_store(self):
        folder = rig.scratch()
        nodes = [rig.Memcached(folder) for _ in range(2)]
        for node in nodes:
            self.addCleanup(node.process.end)
        weir = rig.Weir(folder, weir={"counters": "memcached"},
                        memcached={"servers": ", ".join(node.name for node in nodes)})
        policyd = rig.Policyd(weir)
        self.addCleanup(policyd.process.end)

        def ask(tens):
            with smtp.Policy(policyd.port) as policy:
                for n in range(10):
                    policy.ask(f"198.19.{tens}.{n}")
        ask(0)

        def counted():  # the daemon tells of its store a few times a second
            now = metrics_of(weir)
            return now.get("weir_program_counters_total", what="read", **POLICYD) > 10 and now
        metrics = rig.wait_for(counted, what="what was read to be told")
        self.assertEqual(set(metrics.of("weir_program_store_node_up", "node").values()), {1})
        reads = metrics.histogram("weir_program_store_seconds", operation="read", **POLICYD)
        self.assertEqual(reads.count, 10)
        nodes[0].kill()
        ask(1)

        def noticed():
            now = metrics_of(weir)
            up = now.of("weir_program_store_node_up", "node")
            return up[(nodes[0].name,)] == 0 and now
        metrics = rig.wait_for(noticed, 20, "the breaker to be told")
        self.assertEqual(metrics.get("weir_program_store_node_up", node=nodes[1].name,
                                     **POLICYD), 1)
        self.assertGreaterEqual(metrics.get("weir_program_store_node_failures_total",
                                            node=nodes[0].name, **POLICYD), 1)
        self.assertGreater(metrics.get("weir_program_counters_total", what="missing", **POLICYD), 0)
        self.assertGreater(metrics.get("weir_program_lacking_total", lacking="counters",
                                       **POLICYD), 0)


class WithPostfix(Server):
    """Whole messages through a real Postfix and weir-milter."""

    def test_messages_rules_and_times(self):
        before = metrics_of(self.weir)
        for _ in range(3):
            self.deliver(*mail("A cheap loan.", subject="You have won"))
        for _ in range(4):
            self.deliver(*mail("See you at lunch."))
        after = self.counted(before, 7)
        more = {key: after.samples[key] - before.samples.get(key, 0) for key in after.samples}
        verdicts = {dict(labels)["verdict"]: value for (name, labels), value in more.items()
                    if name == "weir_program_messages_total"}
        self.assertEqual(verdicts, {"ham": 4, "unsure": 0, "spam": 3, "blocked": 0})
        self.assertEqual(more[("weir_program_message_actions_total",
                               (("action", "pass"), ("program", "weir-milter")))], 7)
        times, old = (each.histogram("weir_program_message_seconds", **MILTER)
                      for each in (after, before))
        self.assertEqual(times.count - old.count, 7)
        self.assertGreater(times.sum - old.sum, 7 * 10e-6)
        rules, old = by_rule(after, "weir-milter"), by_rule(before, "weir-milter")
        for rule in ("CHEAP_LOAN", "SUBJECT_WIN"):
            self.assertEqual(rules[rule] - old.get(rule, 0), 3)
        self.assertEqual(after.get("weir_program_unjudged_total", **MILTER), 0)
        self.assertGreater(after.histogram("weir_program_store_seconds", operation="read",
                                           **MILTER).count, 0)

    def counted(self, before, more):
        return told(self.weir, "weir_program_message_actions_total", more + sum(
            before.of("weir_program_message_actions_total", "action").values()), action="pass",
            **MILTER)

    def test_a_rule_that_is_gone_is_known_by_its_number(self):
        self.deliver(*mail(milter.GTUBE))
        rig.wait_for(lambda: "GTUBE" in by_rule(metrics_of(self.weir), "weir-milter"), 20, "GTUBE")
        text = "".join(line for line in milter.RULES.splitlines(True) if "GTUBE" not in line)
        milter.write_rules(self.weir, text)
        self.addCleanup(milter.write_rules, self.weir)
        rules = by_rule(metrics_of(self.weir), "weir-milter")
        self.assertNotIn("GTUBE", rules)
        self.assertGreaterEqual(rules["1"], 1)


class WithExim(unittest.TestCase):
    """Processes that live for one connection count together."""

    def test_messages_and_questions_of_acls(self):
        rig.needs_root()
        folder = rig.scratch()
        weir = rig.Weir(folder, weir={"never": "::1"})
        weir.make_lists()
        milter.write_rules(weir)
        exim.hand_over(weir.folder)
        call = "${dlfunc{%s}{weir_blacklisted}{$sender_host_address}}" % exim.module()
        server = exim.PrivateExim(folder, "heavy", weir, connect=f"  warn set acl_c_w = {call}\n")
        server.start()
        self.addCleanup(server.stop)
        for body in ("A cheap loan.", "A cheap loan.", "Hello."):
            content, mark = mail(body)
            outcome = exim.send(server.port, content=content)
            self.assertTrue(outcome.accepted, f"{outcome} {server.mainlog()} {server.paniclog()}")
            server.delivered(mark)
        metrics = metrics_of(weir)
        self.assertEqual(metrics.get("weir_program_messages_total", verdict="spam", **EXIM), 2)
        self.assertEqual(metrics.get("weir_program_messages_total", verdict="ham", **EXIM), 1)
        self.assertEqual(metrics.histogram("weir_program_message_seconds", **EXIM).count, 3)
        self.assertEqual(by_rule(metrics, "weir-exim")["CHEAP_LOAN"], 2)
        asked = sum(metrics.of("weir_program_requests_total", "verdict").values())
        self.assertGreaterEqual(asked, 3)
        self.assertEqual(metrics.histogram("weir_program_request_seconds", **EXIM).count, asked)
        self.assertNotIn(("weir-exim",), metrics.of("weir_program_up", "program"))

    def test_messages_that_the_daemon_decides_are_the_daemons(self):
        rig.needs_root()
        folder = rig.scratch()
        door = f"unix:{folder}/weir/decide.sock"
        weir = rig.Weir(folder, weir={"never": "::1"}, exim={"decide": door})
        weir.make_lists()
        milter.write_rules(weir)
        policyd = rig.Policyd(weir, decide_listen=door)
        self.addCleanup(policyd.process.end)
        exim.hand_over(weir.folder)
        server = exim.PrivateExim(folder, "light", weir)
        server.start()
        self.addCleanup(server.stop)

        def send():
            content, mark = mail("A cheap loan.")
            self.assertTrue(exim.send(server.port, content=content).accepted)
            server.delivered(mark)
        send()
        policyd.stop()
        send()
        metrics = metrics_of(weir)  # the daemon has ended, and Exim's processes wait for nothing
        asked = metrics.of("weir_program_daemon_asked_total", "answered")
        self.assertEqual(asked, {("yes",): 1, ("no",): 1})
        for program in (EXIM, POLICYD):
            self.assertEqual(metrics.get("weir_program_messages_total", verdict="spam", **program),
                             1)


class Agent(World):
    def test_an_agent_tells_how_its_way_to_the_monitor_is(self):
        self.world()
        agent = {"program": "weir-agent"}
        self.mx1.saw("192.0.2.1", connections=1)

        def shipped():
            metrics = metrics_of(self.mx1.weir)
            return metrics.get("weir_agent_errands_total", errand="ship", **agent) >= 1 and metrics
        metrics = rig.wait_for(shipped, 20, "a piece to be shipped")
        self.assertGreaterEqual(metrics.histogram("weir_agent_ship_seconds", **agent).count, 1)
        self.assertEqual(metrics.get("weir_agent_errand_rest_seconds", errand="ship", **agent), 0)
        self.monitor.stop()
        self.mx1.saw("192.0.2.2", connections=1)

        def rests():
            metrics = metrics_of(self.mx1.weir)
            return metrics.get("weir_agent_errand_rest_seconds", errand="ship", **agent) > 0 and \
                metrics
        metrics = rig.wait_for(rests, 30, "the agent to rest")
        self.assertGreaterEqual(metrics.get("weir_agent_errand_failures_total", errand="ship",
                                            **agent), 1)
        self.assertGreater(metrics.get("weir_agent_spool_octets", **agent), 0)


class Http(unittest.TestCase):
    """weirctl metrics --serve."""

    def setUp(self):
        self.weir = rig.Weir(rig.scratch())
        self.policyd = rig.Policyd(self.weir)
        self.addCleanup(self.policyd.process.end)
        self.serving = Serving(self.weir)
        self.addCleanup(self.serving.process.end)

    def test_it_is_the_same_as_weirctl_says(self):
        with smtp.Policy(self.policyd.port) as policy:
            policy.ask("192.0.2.1")
        there = told(self.weir, "weir_program_requests_total", 1, verdict="ham", **POLICYD)
        metrics = self.serving.metrics()
        self.assertEqual(metrics.type, there.type)
        self.assertEqual(metrics.get("weir_program_requests_total", verdict="ham", **POLICYD), 1)
        self.policyd.kill()
        self.assertEqual(self.serving.metrics().get("weir_program_up", **POLICYD), 0)

    def test_other_questions(self):
        for method, path, body, status in (
                ("GET", "/", None, 404), ("GET", "/metrics/", None, 404),
                ("GET", "/../metrics", None, 404), ("POST", "/metrics", b"x" * 100000, 405),
                ("DELETE", "/metrics", None, 405), ("HEAD", "/metrics", None, 200),
                ("GET", "/metrics?x=" + "y" * 20000, None, 431)):
            answer, octets = self.serving.ask(method, path, body)
            self.assertIn(answer.status, (status, 414) if status == 431 else (status,), path[:20])
            self.assertNotIn(b"weir_", octets)
        self.serving.metrics()

    def test_only_who_means_this_machine_is_answered(self):
        for host, status in (("127.0.0.1", 200), (f"localhost:{self.serving.port}", 200),
                             ("[::1]:8427", 200), (socket.gethostname(), 200),
                             ("evil.example", 421), ("localhost.evil", 421), ("", 421),
                             ("mx1.example", 421)):
            answer, octets = self.serving.ask(Host=host)
            self.assertEqual(answer.status, status, host)
            self.assertEqual(b"weir_program_up" in octets, status == 200)
        named = Serving(rig.Weir(rig.scratch()), names="mx1.example, mail.example")
        self.addCleanup(named.process.end)
        for host, status in (("mx1.example:8427", 200), ("mail.example", 200),
                             ("evil.example", 421)):
            self.assertEqual(named.ask(Host=host)[0].status, status, host)

    def test_names_are_read_for_each_question_and_others_are_logged(self):
        def asked(host):
            return self.serving.ask(Host=host)[0].status
        self.assertEqual(asked("mx1.example:8427"), 421)
        self.assertIn("refused a question to mx1.example:8427", self.serving.process.log())
        for _ in range(30):
            self.assertEqual(asked("evil.example"), 421)
        self.assertLess(self.serving.process.log().count("refused a question"), 20)
        self.weir.configure(metrics={"names": "mx1.example"})
        self.assertEqual((asked("mx1.example:8427"), asked("evil.example")), (200, 421))
        self.weir.configure(metrics={"names": "mx1.example:8427"})  # which is no name
        self.assertEqual((asked("mx1.example"), asked("localhost")), (503, 503))
        self.weir.configure(metrics={"names": None})
        self.assertEqual((asked("mx1.example"), asked("localhost")), (421, 200))

    def test_a_file_that_cannot_be_read_is_told_once(self):
        path = self.weir.folder / "numbers/weir-milter"

        def lines():
            return self.serving.process.log().count("numbers of weir-milter: ")
        for times in (1, 2):
            path.write_bytes(b"x")
            for _ in range(3):
                self.assertEqual(self.serving.metrics().get("weir_program_numbers_readable",
                                                            **MILTER), 0)
            self.assertEqual(lines(), times)
            path.unlink()
            self.serving.metrics()

    def test_a_question_with_two_names_or_none_is_refused(self):
        for fields in (b"", b"Host: localhost\r\nHost: evil.example\r\n"):
            with socket.create_connection(("127.0.0.1", self.serving.port), 20) as link:
                link.sendall(b"GET /metrics HTTP/1.0\r\n" + fields + b"\r\n")
                self.assertIn(b" 421 ", link.makefile("rb").readline())

    def slow(self, source):
        """A head that never comes to its end."""
        link = socket.create_connection(("127.0.0.1", self.serving.port), 20,
                                        source_address=(source, 0))
        self.addCleanup(link.close)
        link.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ")
        return link

    def test_slow_heads_blind_nobody_and_are_cut(self):
        held = [self.slow(f"127.0.4.{n}") for n in range(1, 9) for _ in range(8)]
        self.serving.metrics()
        held += [self.slow("127.0.0.1") for _ in range(16)]  # of the scraper's own address, too
        self.serving.metrics()
        number = len(list(pathlib.Path(f"/proc/{self.serving.process.pid}/fd").iterdir()))
        self.assertLess(number, 100)

        def cut():  # though an octet comes now and then
            for link in list(held):
                try:
                    link.sendall(b"a")
                except OSError:
                    held.remove(link)
            return not held
        rig.wait_for(cut, 60, "all of them to be cut")

    def test_a_broken_configuration_is_told_and_mended_without_a_restart(self):
        text = self.weir.conf.read_text()
        self.weir.conf.write_text(text + "[weir]\nnonsense = 1\n")
        self.assertEqual(self.serving.ask()[0].status, 503)
        self.assertIn("nonsense", self.serving.process.log())
        self.weir.conf.write_text(text)
        self.serving.metrics()

    def test_it_ends_when_it_is_told_to_and_says_why_it_cannot_begin(self):
        again = rig.Process([rig.BUILD / "weirctl", "-c", self.weir.conf, "metrics", "--serve"],
                            self.weir.folder / "again.log")
        again.start()
        rig.wait_for(lambda: not again.alive(), what="the second one to end")
        self.assertIn("in use", again.log())
        self.assertEqual(self.serving.process.stop(), 0)
        for words in (("--output", self.weir.folder / "x"), ("--json",)):
            done = self.weir.ctl("metrics", "--serve", *words, check=False)
            self.assertEqual((done.returncode, done.stdout), (64, ""))


class Output(unittest.TestCase):
    """weirctl metrics --output."""

    def setUp(self):
        self.weir = rig.Weir(rig.scratch())
        self.path = self.weir.folder / "out"

    def write(self):
        return self.weir.ctl("metrics", "--output", self.path, check=False)

    def test_a_file_is_replaced_and_what_a_link_points_to(self):
        self.path.write_text("old")
        old = self.path.stat().st_ino
        self.assertEqual(self.write().returncode, 0)
        self.assertNotEqual(self.path.stat().st_ino, old)
        Metrics(self.path.read_text())
        aside = self.weir.folder / "aside"
        self.path.rename(aside)
        self.path.symlink_to("aside")
        aside.write_text("old")
        with aside.open(encoding="utf-8") as reader:  # who reads it has all of one or the other
            self.assertEqual(self.write().returncode, 0)
            self.assertEqual(reader.read(), "old")
        self.assertTrue(self.path.is_symlink())
        Metrics(aside.read_text())
        aside.unlink()
        self.assertEqual(self.write().returncode, 0)
        self.assertTrue(self.path.is_symlink())
        Metrics(aside.read_text())

    def test_a_pipe_is_written_to_when_somebody_reads(self):
        os.mkfifo(self.path)
        done = self.write()
        self.assertEqual(done.returncode, 73)
        self.assertIn("nobody reads from it", done.stderr)
        fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)  # which waits for no writer
        with os.fdopen(fd, encoding="utf-8") as reader:
            self.assertEqual(self.write().returncode, 0)
            Metrics(reader.read())
        self.assertTrue(self.path.is_fifo())

    def test_what_cannot_be_written_is_told(self):
        rig.needs_root()
        os.mknod(self.path, 0o600 | stat.S_IFCHR, os.makedev(1, 7))  # as /dev/full
        done = self.write()
        self.assertEqual(done.returncode, 74)
        self.assertIn("No space left", done.stderr)
        self.assertTrue(self.path.is_char_device())
        self.path.unlink()
        self.path.mkdir()
        self.assertEqual(self.write().returncode, 73)


if __name__ == "__main__":
    harness.main()

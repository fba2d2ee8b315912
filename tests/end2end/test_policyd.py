"""weir-policyd as Postfix meets it: the real program, real sockets, no Postfix.

Every answer under load is compared with the one that is due; a test that only counted
answers would not see a wrong one.
"""
import contextlib
import json
import os
import pathlib
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig

LISTED, OTHER = "203.0.113.7", "192.0.2.7"
NEUTRAL = b"action=DUNNO\n\n"
REFUSAL = re.compile(rb"action=550 5\.7\.1 Refused: 203\.0\.113\.7 is listed until \S+ \(ref "
                     rb"[2-9a-z]{13}\): it spams[^\n]*\n\n\Z")
REQUEST_MAX, ATTRIBUTES_MAX = 16384, 100


def request(client=OTHER, state="RCPT", **more):
    """A request in Postfix' order of attributes."""
    values = {"request": "smtpd_access_policy", "protocol_state": state, "protocol_name": "ESMTP",
              "client_address": client, "client_name": "mx.example.net", "client_port": "4321",
              "reverse_client_name": "mx.example.net", "server_address": "127.0.0.1",
              "server_port": "25", "helo_name": "mx.example.net", "sender": "a@ex.org",
              "recipient": "u@test.example", "recipient_count": "0", "queue_id": "",
              "instance": "", "size": "300", "etrn_domain": "", "stress": "", "sasl_method": "",
              "sasl_username": "", "sasl_sender": "", "ccert_subject": "", "ccert_issuer": "",
              "ccert_fingerprint": "", "ccert_pubkey_fingerprint": "", "encryption_protocol": "",
              "encryption_cipher": "", "encryption_keysize": "0", "policy_context": "", **more}
    return "".join(f"{name}={value}\n" for name, value in values.items()).encode() + b"\n"


class Client:
    """One connection."""

    def __init__(self, where, seconds=10):
        if isinstance(where, int):
            self.link = socket.create_connection(("127.0.0.1", where), seconds)
        else:
            self.link = socket.socket(socket.AF_UNIX)
            self.link.settimeout(seconds)
            self.link.connect(str(where))
        self.got = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.link.close()

    def send(self, octets):
        self.link.sendall(octets)

    def answer(self):
        """The next answer with its empty line; what there is of it when the connection ends."""
        while b"\n\n" not in self.got:
            try:
                more = self.link.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                rest, self.got = self.got, b""
                return rest
            self.got += more
        end = self.got.index(b"\n\n") + 2
        answer, self.got = self.got[:end], self.got[end:]
        return answer

    def ask(self, *args, **more):
        self.send(request(*args, **more))
        return self.answer()


class Daemon(unittest.TestCase):
    """A daemon for each test that asks for one, with a list on which LISTED stands."""

    def weir_with(self, mode="enforce", **sections):
        self.folder = rig.scratch()
        self.weir = rig.Weir(self.folder, weir={"mode": mode, **sections.pop("weir", {})},
                             **sections)
        self.weir.ctl("blacklist", "add", LISTED, "--reason", "it spams", "--for", "1h")
        return self.weir

    def start(self, mode="enforce", weir=None, ready=None, **policyd):
        weir = weir or self.weir_with(mode)
        daemon = rig.Policyd(weir, ready, **policyd)
        self.addCleanup(daemon.process.end)
        return daemon

    def client(self, where, **more):
        client = Client(where, **more)
        self.addCleanup(client.link.close)
        return client

    def lines(self, daemon, word):
        return [line for line in daemon.log().split("\n") if word in line]

    def wait_lines(self, daemon, word, count=1):
        rig.wait_for(lambda: len(self.lines(daemon, word)) >= count, 10, f"{count} x {word!r}")
        return self.lines(daemon, word)

    def assert_closed_without_answer(self, client):
        self.assertEqual(client.answer(), b"")

    def status(self, where):
        with Client(where) as client:
            client.send(b"request=weir_status\n\n")
            return json.loads(client.answer().removeprefix(b"status="))


class Decisions(Daemon):
    def test_A2_A30_listed_address_is_refused_and_a_change_acts_without_restart(self):
        daemon = self.start()
        client = self.client(daemon.port)
        self.assertRegex(client.ask(LISTED), REFUSAL)
        self.assertRegex(client.ask(LISTED, "CONNECT", sender="", recipient=""), REFUSAL)
        self.assertEqual(client.ask(OTHER), NEUTRAL)
        self.weir.ctl("blacklist", "remove", LISTED)
        self.assertEqual(client.ask(LISTED), NEUTRAL)
        self.weir.ctl("blacklist", "add", OTHER, "--reason", "it too", "--for", "1h")
        self.assertIn(b"550 5.7.1 Refused: 192.0.2.7 is listed", client.ask(OTHER))

    def test_A15_listed_address_is_refused_when_the_counters_are_gone(self):
        nobody = f"127.0.0.1:{rig.free_port()}"
        weir = self.weir_with(weir={"counters": "memcached"}, memcached={"servers": nobody})
        daemon = self.start(weir=weir)
        client = self.client(daemon.port)
        self.assertRegex(client.ask(LISTED), REFUSAL)
        self.assertEqual(client.ask(OTHER), NEUTRAL)
        self.assertEqual(self.wait_lines(daemon, OTHER)[0].count("missing=counters"), 1)

    def test_A26_acceptable_address_wins_over_the_blacklist(self):
        daemon = self.start()
        self.weir.ctl("accept", "add", LISTED, "--forever", "--reason", "a friend")
        self.assertEqual(self.client(daemon.port).ask(LISTED), NEUTRAL)

    def test_C1_C17_C36_one_domain_from_a_good_and_a_bad_address(self):
        daemon = self.start()
        self.weir.learn("spam", "198.51.100.66", "ex.org", 20)
        self.weir.learn("good", "192.0.2.7", "ex.org", 20)
        client = self.client(daemon.port)
        self.assertRegex(client.ask("198.51.100.66"),
                         rb"^action=550 5\.7\.1 Refused: 198\.51\.100\.66 sends mostly spam")
        self.assertEqual(client.ask("192.0.2.7"), NEUTRAL)

    def test_C16_acceptable_domain_passes_on_its_own_address(self):
        daemon = self.start()
        self.weir.learn("good", "192.0.2.7", "ex.org", 20)
        self.weir.ctl("accept", "add", "ex.org", "--forever", "--reason", "a partner")
        self.assertEqual(self.client(daemon.port).ask("192.0.2.7"), NEUTRAL)
        self.assertIn("ground=whitelist", self.wait_lines(daemon, "verdict=")[0])

    def test_role_recipients_bounces_and_our_users_pass(self):
        client = self.client(self.start().port)
        for more in ({"recipient": "postmaster@test.example"}, {"recipient": "Abuse@test.example"},
                     {"recipient": "postmaster"}, {"sender": ""}, {"sasl_username": "bob"},
                     {"client_address": "unknown"}):
            with self.subTest(**more):
                self.assertEqual(client.ask(LISTED, **more), NEUTRAL)
        self.assertRegex(client.ask(LISTED, recipient="postmasters@test.example"), REFUSAL)

    def test_stages_at_which_nothing_is_decided_are_neutral(self):
        client = self.client(self.start().port)
        for state in ("VRFY", "ETRN", "NEW-IN-POSTFIX-9"):
            self.assertEqual(client.ask(LISTED, state), NEUTRAL)
        for state in ("CONNECT", "XCLIENT", "HELO", "EHLO", "MAIL", "RCPT", "DATA", "BDAT",
                      "END-OF-MESSAGE"):
            self.assertRegex(client.ask(LISTED, state), REFUSAL, state)

    def test_observe_never_refuses_and_says_what_it_would_do(self):
        daemon = self.start("observe")
        client = self.client(daemon.port)
        answer = client.ask(LISTED, instance="1.1")
        self.assertRegex(answer, rb"^action=PREPEND X-Weir-Policy: verdict=blocked .* "
                                 rb"action=pass intended=reject [\x20-\x7e]*\n\n$")
        self.assertEqual(client.ask(LISTED, "CONNECT"), NEUTRAL)
        self.assertEqual(client.ask(LISTED, "END-OF-MESSAGE", instance="2.2"), NEUTRAL)
        self.assertEqual(len(self.wait_lines(daemon, "intended=reject", 3)), 3)

    def test_what_comes_from_outside_cannot_forge_an_answer_or_a_log_line(self):
        daemon = self.start("observe")
        client = self.client(daemon.port)
        answer = client.ask(OTHER, instance="1.1", helo_name="\x1b[2J\t\x07",
                            sender="\x1b]0;x\x07 verdict=ham id=1@ex.org",
                            recipient="u@test.example> id=forged\x85\x0b")
        self.assertRegex(answer, rb"^[\x20-\x7e]+\n\n$")
        line = self.wait_lines(daemon, "verdict=")[0]
        self.assertRegex(line, r"^[\x20-\x7e]+$")
        self.assertEqual(len(re.findall(r"(?:^| )id=", line)), 1)


class Instances(Daemon):
    def test_one_decision_for_all_requests_of_a_message(self):
        daemon = self.start()
        one, other = self.client(daemon.port), self.client(daemon.port)
        first = one.ask(LISTED, instance="1.1")
        self.assertRegex(first, REFUSAL)
        for client in (one, other):  # Postfix has a connection for each restriction list
            for recipient in ("u@test.example", "v@test.example"):
                self.assertEqual(client.ask(LISTED, instance="1.1", recipient=recipient), first)
        self.weir.ctl("blacklist", "remove", LISTED)
        self.assertEqual(one.ask(LISTED, "DATA", instance="1.1"), first)
        self.assertEqual(one.ask(LISTED, instance="1.2"), NEUTRAL)
        self.assertEqual(len(self.wait_lines(daemon, "verdict=", 2)), 2)

    def test_a_role_recipients_pass_is_not_the_messages(self):
        client = self.client(self.start().port)
        self.assertEqual(client.ask(LISTED, instance="1", recipient="abuse@test.example"), NEUTRAL)
        first = client.ask(LISTED, instance="1")
        self.assertRegex(first, REFUSAL)
        self.assertEqual(client.ask(LISTED, instance="1", recipient="postmaster@x"), NEUTRAL)
        self.assertEqual(client.ask(LISTED, instance="1", recipient="v@test.example"), first)
        self.assertEqual(client.ask(LISTED, "DATA", instance="1", recipient=""), NEUTRAL)

    def test_facts_are_prepended_once(self):
        client = self.client(self.start("observe").port)
        answers = [client.ask(OTHER, instance="1", recipient=f"u{n}@test.example")
                   for n in range(3)]
        answers.append(client.ask(OTHER, "DATA", instance="1"))
        self.assertTrue(answers[0].startswith(b"action=PREPEND X-Weir-Policy: "), answers[0])
        self.assertEqual(answers[1:], [NEUTRAL] * 3)

    def test_pipelined_requests_of_one_message_agree(self):
        client = self.client(self.start().port)
        client.send(request(LISTED, instance="1") * 20)
        answers = {client.answer() for _ in range(20)}
        self.assertEqual(len(answers), 1)
        self.assertRegex(answers.pop(), REFUSAL)

    def test_a_message_is_remembered_for_the_set_time(self):
        client = self.client(self.start(remember="500ms").port)
        first = client.ask(LISTED, instance="1")
        self.assertEqual(client.ask(LISTED, instance="1"), first)
        time.sleep(0.6)
        again = client.ask(LISTED, instance="1")
        self.assertRegex(again, REFUSAL)
        self.assertNotEqual(again, first)


class Octets(Daemon):
    """Whole, in pieces, too many, too few, and wrong."""

    def test_pipelined_requests_are_answered_in_order(self):
        client = self.client(self.start().port)
        pattern = [LISTED if n * n % 7 < 3 else OTHER for n in range(2000)]
        sender = threading.Thread(
            target=lambda: client.send(b"".join(request(address) for address in pattern)))
        sender.start()
        for address in pattern:
            if address == LISTED:
                self.assertRegex(client.answer(), REFUSAL)
            else:
                self.assertEqual(client.answer(), NEUTRAL)
        sender.join()

    def test_the_smallest_requests_are_answered_however_many_come_at_once(self):
        client = self.client(self.start().port)
        client.send(b"request=smtpd_access_policy\n\n" * 3000)
        for _ in range(3000):
            self.assertEqual(client.answer(), NEUTRAL)

    def test_requests_come_octet_by_octet(self):
        client = self.client(self.start().port)
        client.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(2):
            for octet in request(LISTED):
                client.send(bytes([octet]))
            self.assertRegex(client.answer(), REFUSAL)

    def test_requests_are_cut_anywhere(self):
        client = self.client(self.start().port)
        client.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        both = request(LISTED) + request(OTHER)
        for cut in range(1, len(both), 37):
            client.send(both[:cut])
            time.sleep(0.001)
            client.send(both[cut:])
            self.assertRegex(client.answer(), REFUSAL)
            self.assertEqual(client.answer(), NEUTRAL)

    def test_a_peer_that_has_finished_sending_gets_its_answers(self):
        client = self.client(self.start().port)
        client.send(request(LISTED) + request(OTHER))
        client.link.shutdown(socket.SHUT_WR)
        self.assertRegex(client.answer(), REFUSAL)
        self.assertEqual(client.answer(), NEUTRAL)
        self.assert_closed_without_answer(client)

    def test_limits_are_reached_and_not_passed(self):
        daemon = self.start()
        fits = request(OTHER, helo_name="x" * (REQUEST_MAX - len(request(OTHER, helo_name=""))))
        self.assertEqual(len(fits), REQUEST_MAX)
        client = self.client(daemon.port)
        client.send(fits * 3)
        self.assertEqual([client.answer() for _ in range(3)], [NEUTRAL] * 3)
        many = b"request=smtpd_access_policy\n" + b"a=\n" * (ATTRIBUTES_MAX - 1)
        client.send(many + b"\n")
        self.assertEqual(client.answer(), NEUTRAL)
        for past in (b"x" + fits, many + b"a=\n\n", b"x=" + b"y" * REQUEST_MAX):
            client = self.client(daemon.port)
            client.send(past)
            self.assert_closed_without_answer(client)
        self.assertEqual(len(self.wait_lines(daemon, "oversized request", 3)), 3)
        self.assertEqual(self.status(daemon.port)["closed"]["oversized"], 3)

    MALFORMED = {
        "no equals sign": b"request=smtpd_access_policy\nnonsense\n\n",
        "CR LF": b"request=smtpd_access_policy\r\nsender=\r\n\r\n",
        "CR LF, not ended": b"GET / HTTP/1.1\r\n",
        "no equals sign, not ended": b"EHLO me\n",
        "NUL": request(OTHER, sender="a\0b@ex.org"),
        "no request attribute": b"sender=a@ex.org\n\n",
        "another kind of request": b"request=something_else\n\n",
        "nothing": b"\n",
    }

    def test_malformed_requests_close_the_connection_at_once_and_are_logged_once(self):
        daemon = self.start()
        for count, (name, octets) in enumerate(self.MALFORMED.items(), 1):
            with self.subTest(name):
                began = time.monotonic()
                with Client(daemon.port) as client:
                    client.send(octets)
                    self.assert_closed_without_answer(client)
                self.assertLess(time.monotonic() - began, 3)
                self.wait_lines(daemon, "malformed request", count)
        self.assertEqual(len(self.lines(daemon, "malformed request")), len(self.MALFORMED))

    def test_what_was_asked_before_a_malformed_request_is_answered(self):
        client = self.client(self.start().port)
        client.send(request(LISTED) + request(OTHER) + b"nonsense\n\n" + request(OTHER))
        self.assertRegex(client.answer(), REFUSAL)
        self.assertEqual(client.answer(), NEUTRAL)
        self.assert_closed_without_answer(client)

    def test_a_flood_of_nonsense_does_not_flood_the_log(self):
        daemon = self.start()
        for _ in range(200):
            with Client(daemon.port) as client:
                client.send(b"nonsense\n")
                self.assert_closed_without_answer(client)
        self.assertEqual(self.status(daemon.port)["closed"]["malformed"], 200)
        self.assertLess(len(self.lines(daemon, "malformed request")), 40)

    def test_half_a_request_is_not_answered_and_logged_once(self):
        daemon = self.start()
        client = self.client(daemon.port)
        client.send(request(LISTED)[:-1])
        client.link.shutdown(socket.SHUT_WR)
        self.assert_closed_without_answer(client)
        self.assertEqual(len(self.wait_lines(daemon, "half request")), 1)

    def test_a_slow_request_is_not_answered_and_logged_once(self):
        daemon = self.start(request_timeout="500ms")
        quick, slow = self.client(daemon.port), self.client(daemon.port)
        self.assertEqual(slow.ask(OTHER), NEUTRAL)
        began = time.monotonic()
        slow.send(request(LISTED)[:100])
        with contextlib.suppress(OSError):  # each octet is news, and yet time runs out
            while not self.lines(daemon, "slow request") and time.monotonic() < began + 5:
                slow.send(b"x")
                self.assertEqual(quick.ask(OTHER), NEUTRAL)
                time.sleep(0.05)
        self.assert_closed_without_answer(slow)
        self.assertLess(time.monotonic() - began, 4)
        self.assertEqual(len(self.wait_lines(daemon, "slow request")), 1)

    def test_idle_connections_are_closed_after_their_time_and_busy_ones_are_not(self):
        daemon = self.start(idle_timeout="1s")
        idle, busy = self.client(daemon.port), self.client(daemon.port)
        for _ in range(20):
            self.assertEqual(busy.ask(OTHER), NEUTRAL)
            time.sleep(0.1)
        self.assert_closed_without_answer(idle)
        self.assertEqual(self.status(daemon.port)["connections"]["idle_closed"], 1)

    def test_a_client_that_takes_no_answers_is_closed_and_others_are_served(self):
        daemon = self.start(request_timeout="1s")
        deaf, other = self.client(daemon.port), self.client(daemon.port)
        deaf.link.settimeout(0.2)
        until = time.monotonic() + 60
        with contextlib.suppress(ConnectionError):
            while time.monotonic() < until:
                with contextlib.suppress(TimeoutError):  # the daemon stops reading it
                    deaf.link.send(request(LISTED) * 20)
                self.assertEqual(other.ask(OTHER), NEUTRAL)
        self.assertEqual(len(self.wait_lines(daemon, "unread request")), 1)
        self.assertEqual(self.status(daemon.port)["connections"]["open"], 2)

    def test_answers_that_had_to_wait_are_whole_and_in_order(self):
        client = self.client(self.start().port)
        client.link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        count = 4000
        octets = b"".join(request(LISTED if n % 3 else OTHER) for n in range(count))
        sender = threading.Thread(target=client.send, args=(octets,))
        sender.start()
        time.sleep(0.5)
        for n in range(count):
            answer = client.answer()
            self.assertTrue(REFUSAL.match(answer) if n % 3 else answer == NEUTRAL, answer)
        sender.join()


class Sockets(Daemon):
    def unix(self, **more):
        weir = self.weir_with()
        self.path = weir.folder / "policy"
        return self.start(weir=weir, ready=self.path.exists, listen=f"unix:{self.path}", **more)

    def test_unix_and_tcp_sockets_answer_alike(self):
        weir = self.weir_with()
        path, port = weir.folder / "policy", rig.free_port()
        self.start(weir=weir, ready=lambda: path.exists() and rig.accepts(port),
                   listen=f"unix:{path}, inet:127.0.0.1:{port}")
        for where in (path, port):
            with Client(where) as client:
                self.assertRegex(client.ask(LISTED), REFUSAL)
                self.assertEqual(client.ask(OTHER), NEUTRAL)

    def test_ipv6_is_listened_at(self):
        port = rig.free_port()
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", port))
        except OSError as trouble:
            self.skipTest(f"no IPv6 here: {trouble}")
        self.start(ready=lambda: rig.accepts(port, "::1"), listen=f"inet:[::1]:{port}")
        with socket.create_connection(("::1", port), 10) as link:
            link.sendall(request(OTHER))
            self.assertEqual(link.recv(100), NEUTRAL)

    def test_who_may_connect_is_as_configured(self):
        for access, mode in (("everybody", 0o666), ("group", 0o660), ("owner", 0o600)):
            daemon = self.unix(socket_access=access)
            self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), mode)
            self.assertEqual(daemon.stop(), 0)

    def test_a_socket_is_removed_at_the_end_if_it_is_still_ours(self):
        daemon = self.unix()
        self.assertEqual(daemon.stop(), 0)
        self.assertFalse(self.path.exists())
        daemon.start()
        os.unlink(self.path)
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(self.path))
            self.assertEqual(daemon.stop(), 0)
            self.assertTrue(self.path.exists())

    def test_a_stale_socket_is_replaced(self):
        daemon = self.unix()
        daemon.kill()
        self.assertTrue(self.path.exists())
        stale = self.path.stat().st_mtime_ns
        daemon.ready = lambda: self.path.exists() and self.path.stat().st_mtime_ns != stale
        daemon.start()
        with Client(self.path) as client:
            self.assertEqual(client.ask(OTHER), NEUTRAL)

    def test_a_place_that_is_taken_is_left_alone(self):
        daemon = self.unix()
        command = [rig.BUILD / "weir-policyd", "-c", self.weir.conf]
        second = subprocess.run(command, capture_output=True, text=True, timeout=20)
        self.assertEqual(second.returncode, 71, second.stderr)
        self.assertIn("another process listens there", second.stderr)
        with Client(self.path) as client:
            self.assertEqual(client.ask(OTHER), NEUTRAL)
        daemon.stop()
        self.path.write_text("precious")
        second = subprocess.run(command, capture_output=True, text=True, timeout=20)
        self.assertEqual(second.returncode, 71, second.stderr)
        self.assertEqual(self.path.read_text(), "precious")

    def test_connections_past_the_limit_wait_until_others_close(self):
        daemon = self.start(connections=3)
        first = [self.client(daemon.port) for _ in range(3)]
        for client in first:
            self.assertEqual(client.ask(OTHER), NEUTRAL)
        waiting = self.client(daemon.port)
        waiting.send(request(LISTED))
        waiting.link.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            waiting.answer()
        self.assertEqual(first[0].ask(OTHER), NEUTRAL)
        first[1].link.close()
        waiting.link.settimeout(10)
        self.assertRegex(waiting.answer(), REFUSAL)
        self.assertIn(len(self.lines(daemon, "further ones wait")), range(1, 4))

    def test_10000_idle_connections_fit_into_100_MB(self):
        count = 10_000
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < count + 200:
            self.skipTest(f"only {hard} files may be open at once")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        daemon = self.start()
        links = []
        try:
            for n in range(count):
                link = socket.create_connection(("127.0.0.1", daemon.port), 30)
                links.append(link)
                if n % 10 == 0:  # a connection that has been used needs no more than others
                    link.sendall(request(OTHER))
                    self.assertEqual(link.recv(100), NEUTRAL)
            rig.wait_for(lambda: self.status(daemon.port)["connections"]["open"] > count, 30,
                         "all connections to be accepted")
            text = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
            resident = int(re.search(r"VmRSS:\s*(\d+) kB", text).group(1)) / 1024
            if "SAN" not in os.environ and not sanitized():
                self.assertLess(resident, 100)
            for link in links[:: count // 10]:
                link.sendall(request(LISTED))
                self.assertRegex(link.recv(1000), REFUSAL)
        finally:
            for link in links:
                link.close()


def sanitized():
    return b"__asan_init" in (rig.BUILD / "weir-policyd").read_bytes()


class Load:
    """Clients that ask one after the other and check every answer."""

    def __init__(self, where, clients=20, refusal=REFUSAL, again=False):
        self.where, self.refusal, self.again = where, refusal, again
        self.answers, self.wrong, self.closed, self.refused = 0, [], 0, []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(n,)) for n in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(30)

    def work(self, number):
        n = number
        while not self.over.is_set():
            try:
                with Client(self.where, seconds=20) as client:
                    n = self.converse(client, n)
            except OSError as trouble:
                self.refused.append(trouble)
            if not self.again:
                return

    def converse(self, client, n):
        while not self.over.is_set():
            n += 1
            try:
                answer = client.ask(LISTED if n % 2 else OTHER, instance=f"i.{n % 7}")
            except (BrokenPipeError, ConnectionResetError):
                answer = b""
            if not answer:
                self.closed += 1
                return n
            right = self.refusal.match(answer) if n % 2 else answer == NEUTRAL
            if not right:
                self.wrong.append(answer)
            self.answers += 1
        return n

    def wait(self, more):
        first = self.answers
        rig.wait_for(lambda: self.answers >= first + more or self.wrong or self.closed, 60,
                     f"{more} more answers")


class Changes(Daemon):
    """Reload, stop and restart, under load."""

    EITHER = re.compile(REFUSAL.pattern.replace(b"[^\\n]*", b"; see https://(a|b).example/?"))

    def test_reload_under_load_drops_nothing(self):
        weir = self.weir_with(weir={"help_url": "https://a.example"})
        daemon = self.start(weir=weir)
        with Load(daemon.port, refusal=self.EITHER) as load:
            for n in range(10):
                load.wait(100)
                weir.configure(weir={"help_url": f"https://{'ab'[n % 2]}.example"})
                daemon.reload()
                self.wait_lines(daemon, "reloaded", n + 1)
            load.wait(100)
        self.assertEqual((load.wrong, load.closed, load.refused), ([], 0, []))
        with Client(daemon.port) as client:
            self.assertIn(b"see https://b.example", client.ask(LISTED))

    def test_reload_of_a_broken_configuration_keeps_the_old_one(self):
        weir = self.weir_with()
        daemon = self.start(weir=weir)
        sound = weir.conf.read_text()
        broken = {"[weir]\nmode = enforced\n": "2: .*enforced",
                  "[policyd]\nlisten = inet:nonsense\n": "2: .*inet:nonsense",
                  "[weir]\nnever = 10.0.0.1/8\n": "2: .*10.0.0.1/8",
                  "[policyd]\nremembr = 5m\n": "2: .*remember",
                  "nonsense\n": "1: ",
                  "[weir]\nmode = observe\n[policyd]\nconnections = -1\n": "4: .*connections"}
        with Load(daemon.port) as load:
            for n, (text, why) in enumerate(broken.items(), 1):
                load.wait(50)
                weir.conf.write_text(text)
                daemon.reload()
                self.wait_lines(daemon, "not reloaded", n)
                self.assertRegex(daemon.log(), f": error: {weir.conf}:{why}")
            weir.conf.unlink()
            daemon.reload()
            self.wait_lines(daemon, "not reloaded", len(broken) + 1)
            load.wait(50)
            weir.conf.write_text(sound)
            daemon.reload()
            self.wait_lines(daemon, ": reloaded")
            load.wait(50)
        self.assertEqual((load.wrong, load.closed, load.refused), ([], 0, []))

    def test_reload_moves_listeners_and_serves_old_connections_on(self):
        daemon = self.start()
        old = self.client(daemon.port)
        self.assertEqual(old.ask(OTHER), NEUTRAL)
        path, port = self.weir.folder / "policy", rig.free_port()
        self.weir.configure(policyd={"listen": f"unix:{path}, inet:127.0.0.1:{port}"})
        daemon.reload()
        self.wait_lines(daemon, "reloaded")
        self.assertFalse(rig.accepts(daemon.port))
        for client in (old, self.client(path), self.client(port)):
            self.assertRegex(client.ask(LISTED), REFUSAL)

    def test_reload_that_cannot_listen_changes_nothing(self):
        daemon = self.start()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.weir.configure(weir={"mode": "observe"}, policyd={
                "listen": f"inet:127.0.0.1:{rig.free_port()}, inet:127.0.0.1:{port}"})
            daemon.reload()
            self.wait_lines(daemon, "not reloaded")
        self.assertEqual(len(self.lines(daemon, "cannot listen at")), 1)
        with Client(daemon.port) as client:
            self.assertRegex(client.ask(LISTED), REFUSAL)

    def test_reload_turns_observe_into_enforce(self):
        daemon = self.start("observe")
        client = self.client(daemon.port)
        self.assertEqual(client.ask(LISTED, "CONNECT"), NEUTRAL)
        self.weir.configure(weir={"mode": "enforce"})
        daemon.reload()
        self.wait_lines(daemon, "reloaded")
        self.assertRegex(client.ask(LISTED, "CONNECT"), REFUSAL)

    def test_stop_under_load_answers_what_has_arrived_and_nothing_wrongly(self):
        for _ in range(3):
            daemon = self.start()
            with Load(daemon.port) as load:
                load.wait(300)
                began = time.monotonic()
                self.assertEqual(daemon.stop(), 0)
                self.assertLess(time.monotonic() - began, 4)
                rig.wait_for(lambda: load.closed == 20, 10, "all clients to see the end")
            self.assertEqual((load.wrong, load.refused), ([], []))

    def test_stop_answers_requests_that_came_whole_and_no_others(self):
        daemon = self.start()
        whole = [self.client(daemon.port) for _ in range(50)]
        half, idle = self.client(daemon.port), self.client(daemon.port)
        daemon.process.send(signal.SIGSTOP)  # so that all of it waits when the signal comes
        late = self.client(daemon.port)      # connected, though not accepted yet
        for client in whole + [late]:
            client.send(request(LISTED) * 3)
        half.send(request(LISTED)[:-1])
        daemon.process.send(signal.SIGTERM)
        daemon.process.send(signal.SIGCONT)
        for client in whole + [late]:
            for _ in range(3):
                self.assertRegex(client.answer(), REFUSAL)
            self.assert_closed_without_answer(client)
        for client in (half, idle):
            self.assert_closed_without_answer(client)
        self.assertEqual(daemon.process.popen.wait(5), 0)

    def test_stop_does_not_wait_for_a_client_that_takes_nothing(self):
        daemon = self.start()
        deaf = self.client(daemon.port)
        deaf.link.settimeout(0.2)
        with contextlib.suppress(OSError):
            while True:
                deaf.link.send(request(LISTED) * 20)
        began = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(time.monotonic() - began, 4)


class Systemd(Daemon):
    """Socket activation and notifications, with the test in systemd's place."""

    def launch(self, listener=None, **environment):
        """A daemon that is handed a listening socket as systemd does it."""
        command = f'exec "{rig.BUILD}/weir-policyd" -c "{self.weir.conf}"'
        if listener:
            command = f"exec 3<&{listener.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ {command}"
        with open(self.folder / "policyd.log", "ab") as log:
            process = subprocess.Popen(["sh", "-c", command], stderr=log,
                                       pass_fds=[listener.fileno()] if listener else [],
                                       env={**os.environ, **environment})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_restart_with_a_socket_of_systemds_refuses_nobody(self):
        self.weir_with()
        with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
            port = listener.getsockname()[1]
            process = self.launch(listener)
            with Load(port, again=True) as load:
                for _ in range(4):
                    self.more_answers(load)
                    process.terminate()
                    self.assertEqual(process.wait(10), 0)
                    process = self.launch(listener)
                self.more_answers(load)
        self.assertEqual((load.wrong, load.refused), ([], []))
        self.assertGreater(load.closed, 0)

    def more_answers(self, load):
        first = load.answers
        rig.wait_for(lambda: load.answers > first + 100, 30, "answers after a restart")

    def test_systemd_hears_of_start_reload_stop_and_life(self):
        self.weir_with().configure(policyd={"listen": f"inet:127.0.0.1:{rig.free_port()}"})
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            path = self.folder / "notify"
            ear.bind(str(path))
            ear.settimeout(10)
            process = self.launch(NOTIFY_SOCKET=str(path), WATCHDOG_USEC="1000000")
            self.assertEqual(ear.recv(200), b"READY=1")
            for _ in range(3):
                self.assertEqual(ear.recv(200), b"WATCHDOG=1")
            process.send_signal(signal.SIGHUP)
            heard = [ear.recv(200) for _ in range(3)]
            self.assertRegex(b"\n\n".join(heard),
                             rb"RELOADING=1\nMONOTONIC_USEC=\d+\n\nREADY=1")
            process.terminate()
            while (heard := ear.recv(200)) == b"WATCHDOG=1":
                pass
            self.assertEqual(heard, b"STOPPING=1")

    def test_a_log_reader_that_hangs_does_not_stop_the_daemon(self):
        self.weir_with()
        port = rig.free_port()
        self.weir.configure(policyd={"listen": f"inet:127.0.0.1:{port}"})
        process = subprocess.Popen([rig.BUILD / "weir-policyd", "-c", self.weir.conf],
                                   stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        rig.wait_for(lambda: rig.accepts(port), 10, "the daemon to listen")
        with Client(port) as client:
            for _ in range(1500):  # 300 octets of log each: more than pipe and memory hold
                self.assertRegex(client.ask(LISTED), REFUSAL)
        lost = self.status(port)["log_lines_lost"]
        self.assertGreater(lost, 0)
        lines = iter(process.stderr.readline, b"")
        self.assertIn(b" log lines were lost", next(line for line in lines if b"lost" in line))


class Options(Daemon):
    def run_it(self, *words, text=None):
        folder = rig.scratch()
        conf = folder / "weir.conf"
        if text is not None:
            conf.write_text(text)
        done = subprocess.run([rig.BUILD / "weir-policyd", "-c", conf, *words], text=True,
                              capture_output=True, timeout=20)
        return done.returncode, done.stdout, done.stderr.replace(str(folder) + "/", "")

    def test_a_sound_configuration_is_found_sound(self):
        self.assertEqual(self.run_it("-t", text="[weir]\nmode = enforce\n"),
                         (0, "configuration is sound\n", ""))
        self.assertEqual(self.run_it("--test", text="")[0], 0)

    def test_a_wrong_configuration_is_told_by_file_and_line(self):
        cases = {
            "[weir]\nmod = enforce\n": r'weir\.conf:2: .*mod.*mode',
            "# first\n\n[policyd]\nremember = 5 parsecs\n": r"weir\.conf:4: .*remember",
            "[policyd]\nlisten = tcp:25\n": r'weir\.conf:2: .*listen.*"tcp:25"',
            "[policyd]\nlisten = inet:127.0.0.1:66000\n": r"port",
            "[policyd]\nlisten = unix:relative\n": r"begin with '/'",
            "[weir]\nnever = 10.0.0.1/8\n": r'weir\.conf:2: .*never.*"10\.0\.0\.1/8"',
            "[weir]\nmode\n": r"weir\.conf:2: ",
        }
        for text, want in cases.items():
            with self.subTest(text):
                for words in (["-t"], []):  # it does not start with it either
                    code, out, err = self.run_it(*words, text=text)
                    self.assertEqual((code, out), (78, ""))
                    self.assertRegex(err, want)

    def test_a_file_that_is_not_there_is_an_error(self):
        code, _, err = self.run_it("-t")
        self.assertEqual(code, 78)
        self.assertIn("weir.conf", err)

    def test_version_help_and_wrong_use(self):
        self.assertRegex(self.run_it("-V")[1], r"^weir-policyd \d+\.\d+\.\d+\n$")
        code, out, _ = self.run_it("--help")
        self.assertEqual(code, 0)
        for option in "ctldVh":
            self.assertIn(f"  -{option}, --", out)
        for words in (["--nonsense"], ["surplus"], ["-l", "nonsense"]):
            self.assertEqual(self.run_it(*words)[0], 64)

    def test_listen_can_be_overridden_for_a_trial(self):
        weir, port = self.weir_with(), rig.free_port()
        weir.configure(policyd={"listen": "inet:192.0.2.1:1"})
        daemon = rig.Process([rig.BUILD / "weir-policyd", "-d", "-c", weir.conf, "-l",
                              f"inet:127.0.0.1:{port}"], weir.folder / "policyd.log")
        daemon.start()
        self.addCleanup(daemon.end)
        daemon.ready(lambda: rig.accepts(port))
        with Client(port) as client:
            self.assertRegex(client.ask(LISTED, instance="1"), REFUSAL)
            self.assertRegex(client.ask(LISTED, instance="1"), REFUSAL)
        rig.wait_for(lambda: "debug: as before" in daemon.log(), 10, "a line for debugging")

    def test_status_tells_how_the_daemon_is(self):
        daemon = self.start()
        with Client(daemon.port) as client:
            client.ask(LISTED, instance="1")
            client.ask(LISTED, instance="1")
            client.ask(OTHER)
            client.send(request(OTHER) + b"request=weir_status\n\n" + request(LISTED))
            self.assertEqual(client.answer(), NEUTRAL)
            answer = client.answer()
            self.assertRegex(client.answer(), REFUSAL)
        self.assertRegex(answer, rb"^status=\{[^\n]*\}\n\n$")
        status = json.loads(answer.removeprefix(b"status="))
        self.assertEqual(status["program"], "weir-policyd")
        self.assertEqual(status["pid"], daemon.process.pid)
        self.assertEqual(status["mode"], "enforce")
        self.assertEqual(status["remembered"], 1)
        self.assertEqual(status["lists"]["blacklist"], 1)
        self.assertEqual(status["counters"]["store"], "local")
        self.assertGreaterEqual(status["verdicts"]["blocked"], 1)


if __name__ == "__main__":
    harness.main()

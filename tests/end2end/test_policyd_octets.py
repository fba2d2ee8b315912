"""weir-policyd's connections: whole, half, oversized, malformed and slow requests; sockets."""
import contextlib
import os
import pathlib
import re
import resource
import socket
import stat
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from policyd import LISTED, NEUTRAL, OTHER, REFUSAL, Client, Daemon, request

REQUEST_MAX, ATTRIBUTES_MAX = 16384, 100


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

    def test_files_the_system_allows_bound_the_connections_and_nothing_spins(self):
        port = rig.free_port()
        self.weir_with().configure(policyd={"listen": f"inet:127.0.0.1:{port}"})
        daemon = rig.Process(["sh", "-c", f"ulimit -n 200; exec {rig.BUILD}/weir-policyd -c "
                                          f"{self.weir.conf}"], self.folder / "policyd.log")
        daemon.start()
        self.addCleanup(daemon.end)
        daemon.ready(lambda: rig.accepts(port))
        most = self.status(port)["connections"]["most"]
        self.assertLess(most, 200)
        clients = [self.client(port) for _ in range(most + 50)]
        for client in clients[:most]:
            self.assertEqual(client.ask(OTHER), NEUTRAL)
        used = cpu_seconds(daemon.pid)
        time.sleep(1)
        self.assertLess(cpu_seconds(daemon.pid) - used, 0.5)
        for client in clients[:50]:
            client.link.close()
        for client in clients[most:]:
            self.assertRegex(client.ask(LISTED), REFUSAL)

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
            if not sanitized():
                self.assertLess(resident, 100)
            for link in links[:: count // 10]:
                link.sendall(request(LISTED))
                self.assertRegex(link.recv(1000), REFUSAL)
        finally:
            for link in links:
                link.close()


def cpu_seconds(pid):
    words = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def sanitized():
    return b"__asan_init" in (rig.BUILD / "weir-policyd").read_bytes()


if __name__ == "__main__":
    harness.main()

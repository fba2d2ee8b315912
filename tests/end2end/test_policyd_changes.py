"""weir-policyd's reload, stop and restart, under load; and what systemd has to do with it."""
import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from policyd import LISTED, NEUTRAL, OTHER, REFUSAL, Client, Daemon, Load, request


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
        for path in (str(self.folder / "notify"), f"@{self.folder}/abstract"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
                ear.bind(path.replace("@", "\0"))
                ear.settimeout(10)
                self.listen_to_a_life(ear, path)

    def listen_to_a_life(self, ear, path):
        process = self.launch(NOTIFY_SOCKET=path, WATCHDOG_USEC="1000000")
        self.assertEqual(ear.recv(200), b"READY=1")
        for _ in range(3):
            self.assertEqual(ear.recv(200), b"WATCHDOG=1")
        process.send_signal(signal.SIGHUP)
        heard = [ear.recv(200) for _ in range(2)]
        self.assertRegex(b"\n\n".join(line for line in heard if line != b"WATCHDOG=1"),
                         rb"RELOADING=1\nMONOTONIC_USEC=\d+(\n\nREADY=1)?")
        process.terminate()
        while (heard := ear.recv(200)) != b"STOPPING=1":
            self.assertIn(heard, (b"WATCHDOG=1", b"READY=1"))
        self.assertEqual(process.wait(10), 0)

    def test_syslog_that_is_not_there_does_not_matter(self):
        daemon = self.start(weir=self.weir_with(weir={"log": "syslog"}))
        with Client(daemon.port) as client:
            self.assertRegex(client.ask(LISTED), REFUSAL)
        self.assertEqual(daemon.log(), "")

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


if __name__ == "__main__":
    harness.main()

"""An agent before somebody who speaks as a monitor does, but not as one that is well; and one that
is not well itself, before its monitor."""
import base64
import contextlib
import hashlib
import http.server
import os
import pathlib
import ssl
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from monitor import Monitor, Server

REST_LEAST = 0.375  # s: the shortest of the first rest
IDENTITY = """server = mx1
secret = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
monitor = {url}
pin = {pin}
"""


class Troubled:
    """Whom an agent takes for its monitor: has no orders to give, whatever it is asked."""

    def __init__(self, folder):
        key = folder / "monitor.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=monitor", "-keyout", key, "-out", key], check=True,
                       capture_output=True)
        public = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"],
                                check=True, capture_output=True).stdout
        self.pin = "sha256//" + base64.b64encode(hashlib.sha256(public).digest()).decode()
        self.asked = asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            """One request."""
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # pylint: disable=invalid-name
                asked.append((time.monotonic(), self.path))
                self.send_response(204)
                self.end_headers()

            def do_POST(self):  # pylint: disable=invalid-name
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                """Quiet."""

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(key)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Door(unittest.TestCase):
    def test_a_monitor_that_has_no_answer_to_all_is_not_asked_without_rest(self):
        folder = rig.scratch()
        monitor = Troubled(folder)
        self.addCleanup(monitor.close)
        server = Server(folder, None, "mx1",
                        identity=IDENTITY.format(url=monitor.url, pin=monitor.pin))
        self.addCleanup(server.stop)
        rig.wait_for(lambda: len(monitor.asked) >= 4, 30, "the agent to ask four times")
        asked = list(monitor.asked)[:4]
        self.assertTrue(all("&all=1" in place for _, place in asked), asked)
        for (one, _), (other, _) in zip(asked, asked[1:]):
            self.assertGreaterEqual(other - one, REST_LEAST)


class Unwell(unittest.TestCase):
    """The agent's own machine has trouble."""

    def setUp(self):
        folder = rig.scratch()
        self.prepare(folder / "mx1")
        self.monitor = Monitor(folder)
        self.addCleanup(self.monitor.stop)
        self.server = Server(folder, self.monitor, "mx1")
        self.addCleanup(self.server.stop)
        self.server.saw("203.0.113.7", connections=1)
        rig.wait_for(lambda: self.monitor.about("203.0.113.7"), 20, "the first record")

    def prepare(self, folder):
        """Before anything is there."""

    def blind(self):
        """How many servers do not see."""
        return self.monitor.ask("status")["blind"]

    def listed(self, text):
        """Waits for it in the list of servers."""
        rig.wait_for(lambda: text in self.monitor.weir.ctl("server", "list"), 20, text)
        return self.monitor.weir.ctl("server", "list")

    def test_a_spool_that_cannot_be_read_makes_the_server_blind_until_it_can(self):
        spool, away = self.server.spool, self.server.spool.with_suffix(".away")
        self.assertEqual(self.blind(), 0)
        spool.rename(away)
        spool.write_text("no folder")
        rig.wait_for(self.blind, 20, "the server to be blind")
        self.assertRegex(self.listed("its spool cannot be read"),
                         r"(?m)^mx1 .*, its spool cannot be read for \d+ s \(its agent's log")
        tried = subprocess.run([rig.BUILD / "weir-agent", "-t", "-c", self.server.weir.conf],
                               capture_output=True, text=True, check=False)
        self.assertEqual(tried.returncode, 78, tried)
        self.assertIn(f"[spool] folder: {spool} cannot be read: Not a directory", tried.stderr)
        spool.unlink()
        away.rename(spool)
        self.server.saw("203.0.113.8", connections=1)
        rig.wait_for(lambda: self.monitor.about("203.0.113.8"), 20, "the next record")
        rig.wait_for(lambda: not self.blind(), 20, "the server to see")
        self.assertEqual(self.server.log().count("spool cannot be read: Not a directory"), 1)
        self.assertEqual(self.server.log().count("spool can be read again"), 1)


class Copy(unittest.TestCase):
    """A machine is copied with all its files while it works."""

    def test_a_copy_does_not_take_the_place_of_the_first(self):
        folder = rig.scratch()
        monitor = Monitor(folder)
        self.addCleanup(monitor.stop)
        first = Server(folder, monitor, "mx1")
        self.addCleanup(first.stop)
        first.saw("203.0.113.7", connections=1)
        rig.wait_for(lambda: monitor.about("203.0.113.7"), 20, "the first record")
        copy = Server(folder, monitor, "copy", identity=first.identity.read_text(), start=False)
        numbers, machine = (first.weir.folder / "agent.instance").read_text().splitlines()
        self.assertRegex(machine, "^machine [0-9a-f]{16}$")
        (copy.weir.folder / "agent.instance").write_text(f"{numbers}\nmachine {machine[:7:-1]}\n")
        copy.start()
        self.addCleanup(copy.stop)
        rig.wait_for(lambda: "already hears another agent" in copy.log(), 20, "the refusal")
        self.assertIn("is of another machine", copy.log())
        first.kill()
        first.start()
        first.saw("203.0.113.8", connections=1)
        rig.wait_for(lambda: monitor.about("203.0.113.8"), 20, "the first one's next record")
        self.assertNotIn("already hears another agent", first.log())

    def test_a_spool_has_one_agent(self):
        """Whoever shipped it a second time would have all of it counted twice."""
        folder = rig.scratch()
        monitor = Monitor(folder)
        self.addCleanup(monitor.stop)
        first = Server(folder, monitor, "mx1")
        self.addCleanup(first.stop)
        second = Server(folder, monitor, "mx2", start=False, spool={"folder": first.spool})
        for identity in (second.identity, first.identity):
            second.weir.configure(agent={"identity": identity})
            done = subprocess.run([rig.BUILD / "weir-agent", "-c", second.weir.conf], timeout=20,
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, os.EX_TEMPFAIL, done.stderr)
            self.assertIn("another weir-agent ships it; a spool has one agent", done.stderr)
        first.saw("203.0.113.7", connections=1)
        rig.wait_for(lambda: monitor.about("203.0.113.7"), 20, "the record")
        first.kill()
        second.start()  # whoever is gone, however, holds nothing


class Full(Unwell):
    """Its disk is full."""

    test_a_spool_that_cannot_be_read_makes_the_server_blind_until_it_can = None

    def prepare(self, folder):
        folder.mkdir()
        if os.geteuid() != 0:
            raise unittest.SkipTest("only root may mount")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "weir", folder],
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise unittest.SkipTest(f"no tmpfs: {done.stderr}")
        self.addCleanup(subprocess.run, ["umount", "-l", folder], check=False)

    def test_lists_that_cannot_be_changed_are_told_until_they_can(self):
        ballast = self.server.weir.folder / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        for i in range(30):
            self.monitor.ask("block", list="blacklist", prefix=f"203.0.113.{i + 100}",
                             ends=int(time.time()) + 3600, reason="a test")
        self.assertRegex(self.listed("its lists cannot be changed"),
                         r"(?m)^mx1 .*, its lists cannot be changed for \d+ s \(its agent's log")
        ballast.unlink()
        rig.wait_for(lambda: self.server.entry("blacklist", "203.0.113.129"), 40, "the last block")
        rig.wait_for(lambda: "lists cannot" not in self.monitor.weir.ctl("server", "list"), 20)
        self.assertEqual(self.server.log().count("the lists cannot be changed: "), 1)
        self.assertEqual(self.server.log().count("the lists can be changed again"), 1)


if __name__ == "__main__":
    harness.main()

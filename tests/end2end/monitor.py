"""monitor - what the tests of weir-monitor share: a real monitor, real agents, and spool lines
written by hand in the place of a sniffer's."""
import fcntl
import http.client
import http.server
import json
import os
import pathlib
import socket
import sqlite3
import threading
import time
import unittest

import rig

QUANTITIES = ("connections", "syns", "messages", "accepted", "recipients", "estimated")
PLAIN = {name: value for name, value in os.environ.items()  # nothing of a proxy
         if name == "PATH" or name.endswith("SAN_OPTIONS")}
FAKETIME = next(iter(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)


def clock_of(file=None, away=None):
    """The environment of a program whose wall clock is that much away, or what a file says it is;
    the steady clock goes on as it does."""
    how = {"FAKETIME": away} if file is None else {"FAKETIME_TIMESTAMP_FILE": str(file),
                                                   "FAKETIME_NO_CACHE": "1"}
    return {**PLAIN, "LD_PRELOAD": str(FAKETIME), "NO_FAKE_STAT": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", **how}


def needs_clocks():
    """Skips where clocks of programs cannot be set."""
    if FAKETIME is None:
        raise unittest.SkipTest("there is no libfaketime (Debian's package)")
    if "ASAN_OPTIONS" in os.environ or "san-" in rig.BUILD.name:
        raise unittest.SkipTest("a sanitizer wants to be loaded before libfaketime")


def set_clock(file, seconds):
    """Puts a clock that follows a file forward by that much, at once."""
    new = file.with_suffix(".new")
    new.write_text(f"{seconds:+d}\n")
    new.chmod(0o644)
    new.rename(file)


class Admin(http.client.HTTPConnection):
    """HTTP over the monitor's Unix socket."""

    def __init__(self, path):
        super().__init__("monitor", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


class Monitor:
    """A weir-monitor on a port of its own.  Its thresholds act, unless a test says otherwise."""

    def __init__(self, folder, name="monitor", address="127.0.0.1", **sections):
        self.address, self.port = address, rig.free_port()
        self.weir = rig.Weir(folder, name)
        self.socket = self.weir.folder / "admin.sock"
        self.weir.configure(
            weir={"log": "stderr"},
            monitor={"listen": f"inet:{address}:{self.port}",
                     "url": f"https://{address}:{self.port}", "admin": f"unix:{self.socket}"},
            console={"listen": ""},
            threshold={"observe": "no", "connections_rate": "1/s", "connections_most": 50,
                       "ladder": "reject 5m"},
            rules={"folder": self.weir.folder / "no-rules"})
        self.weir.configure(**sections)
        self.process = rig.Process([rig.BUILD / "weir-monitor", "-c", self.weir.conf],
                                   self.weir.folder / "monitor.log", environment=PLAIN)
        self.start()

    def start(self):
        self.process.start()
        self.process.ready(lambda: rig.accepts(self.port, self.address) and self.answers(),
                           30)

    def answers(self):
        try:
            return self.ask("status")
        except OSError:
            return None

    def stop(self):
        """The orderly way; gives the exit status."""
        return self.process.stop(seconds=20)

    def kill(self):
        self.process.stop(9)

    def log(self):
        return self.process.log()

    def try_to(self, verb, **words):
        """Asks the monitor to do something; the status and what it says."""
        link = Admin(self.socket)
        try:
            link.request("POST", "/admin/v1/do", json.dumps({"do": verb, **words}))
            answer = link.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            link.close()

    def ask(self, verb, **words):
        status, answer = self.try_to(verb, **words)
        if status != 200:
            raise rig.Trouble(f"{verb} {words}: {status} {answer}")
        return answer

    def rows(self, query, *values):
        """What the database says, each row a dictionary."""
        with sqlite3.connect(f"file:{self.weir.folder / 'spam.db'}?mode=ro", uri=True,
                             timeout=10) as database:
            database.row_factory = sqlite3.Row
            try:
                return [dict(row) for row in database.execute(query, values)]
            finally:
                database.rollback()

    def events(self, address=None, kind="threshold"):
        query = "SELECT * FROM events WHERE kind = ?"
        if address:
            return self.rows(query + " AND address = ?", kind, octets_of(address))
        return self.rows(query, kind)

    def about(self, address):
        """The row of an address, or None."""
        found = self.rows("SELECT * FROM addresses WHERE address = ?", octets_of(address))
        return found[0] if found else None

    def sums(self):
        """All that the minutes say, by address."""
        columns = ", ".join(f"SUM({name})" for name in QUANTITIES)
        return {row["address"]: tuple(row[f"SUM({name})"] for name in QUANTITIES)
                for row in self.rows(f"SELECT address, {columns} FROM minutes GROUP BY address")}


def octets_of(address):
    """An address as the database has it: 16 octets."""
    if ":" in address:
        return socket.inet_pton(socket.AF_INET6, address)
    return bytes(10) + b"\xff\xff" + socket.inet_pton(socket.AF_INET, address)


class Server:
    """A mail server as the monitor sees it: a spool, an agent, lists."""

    def __init__(self, folder, monitor, name, identity=None, start=True, **sections):
        self.name, self.monitor = name, monitor
        self.weir = rig.Weir(folder, name)
        self.identity = self.weir.folder / "identity"
        self.identity.write_text(identity or monitor.ask("server add", name=name)["identity"])
        self.identity.chmod(0o600)
        self.weir.configure(weir={"log": "stderr"}, agent={"identity": self.identity},
                            rules={"folder": self.weir.folder / "rules"})
        self.weir.configure(**sections)
        self.spool = self.weir.folder / "spool"
        self.spool.mkdir(exist_ok=True)
        self.process = rig.Process([rig.BUILD / "weir-agent", "-c", self.weir.conf],
                                   self.weir.folder / "agent.log", environment=PLAIN)
        self.file = None
        if start:
            self.start()

    def start(self):
        self.process.start()
        self.process.ready(lambda: f"speaking for {self.name}" in self.log() or
                           "speaking for" in self.log())

    def stop(self):
        return self.process.stop()

    def kill(self):
        self.process.stop(9)

    def log(self):
        return self.process.log()

    def write(self, line):
        """A line of the spool, as a sniffer writes it: one write, into a locked file."""
        if self.file is None:
            Server.opened += 1
            path = self.spool / f"sniffer-{int(time.time())}-{Server.opened}.log.part"
            self.file = (path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640))
            fcntl.flock(self.file[1], fcntl.LOCK_EX)
        os.write(self.file[1], line.encode() + b"\n")

    opened = 0

    def turn(self):
        """Closes the file of the spool; the next line opens another."""
        if self.file is not None:
            path, number = self.file
            path.rename(path.with_suffix(""))
            os.close(number)
            self.file = None

    def saw(self, address, at=None, **numbers):
        """One second of one address."""
        words = "".join(f" {name}={n}" for name, n in numbers.items() if n)
        self.write(f"at={at or time.time():.6f} kind=traffic address={address}{words}")

    def files(self):
        """What is in the spool; not who has claimed it."""
        return [path for path in self.spool.iterdir() if not path.name.startswith(".")]

    def waiting(self):
        """Octets in the spool."""
        return sum(path.stat().st_size for path in list(self.spool.iterdir()) if path.exists())

    def entry(self, which, address):
        """What stands on a list about an address: weirctl's JSON, or None."""
        done = self.weir.ctl(which, "show", address, "--json", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None


class Hook:
    """A web server that takes what is posted to it; status: what it answers, promised: of how many
    octets, which never come."""

    def __init__(self, status=200, promised=0):
        self.status, self.promised, self.posts = status, promised, []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """One request."""

            def do_POST(self):  # pylint: disable=invalid-name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.posts.append((time.monotonic(), hook.status, dict(self.headers), body))
                self.send_response(hook.status)
                self.send_header("Content-Length", str(hook.promised))
                self.end_headers()

            def log_message(self, *_):
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/alerts"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def taken(self):
        """The JSON of what was answered with 2xx."""
        return [json.loads(body) for _, status, _, body in self.posts if status < 300]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


SENDMAIL = """#!/bin/sh
# Stores a message and the arguments it was called with, each message in a file of its own.
cd "{folder}" || exit 71
[ -e broken ] && {{ echo "the queue is full" >&2; exit 75; }}
[ -e hangs ] && exec sleep 600
printf '%s\\n' "$@" >"mail-$$.arguments"
env >"mail-$$.environment"
cat >"mail-$$.tmp" && mv "mail-$$.tmp" "mail-$$.eml"
"""


def sendmail(folder):
    """A program in sendmail's place that keeps what it gets in a folder."""
    folder = pathlib.Path(folder)
    folder.mkdir()
    program = folder / "sendmail"
    program.write_text(SENDMAIL.format(folder=folder))
    program.chmod(0o755)
    return program

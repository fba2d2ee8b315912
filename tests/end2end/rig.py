"""rig - the real parts that end-to-end tests and `make run` are made of.

A private Postfix, memcached servers and weir-policyd, each in a temporary folder,
on free ports of 127.0.0.1, started and stopped by a test.  Postfix and memcached
are those that deps.sh unpacked into build/rig; a mail server of this machine is
not touched.

Nothing outlives a test: every process is ended at exit, and by guard.py when the
test itself is killed.

Postfix needs root (it runs its parts under several accounts).  Tests that use it
call rig.needs_root(), which goes on through sudo where that asks no password, and
otherwise skips.
"""
import atexit
import fcntl
import grp
import json
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("WEIR_BUILD", TOP / "build")).resolve()
RIG = pathlib.Path(os.environ.get("WEIR_RIG", TOP / "build" / "rig")).resolve()
MAIL = TOP / "tests" / "data" / "mail"

# of Postfix: the owner of its queue and of all mailboxes, and the group of its drop folder
OWNER, DROP = "weirtest", "weirdrop"


class Trouble(Exception):
    """The rig could not do what was asked; says what to look at."""


# Accounts. -------------------------------------------------------------------


def make_missing(find, name, *command):
    """What find(name) finds, made by a command when it is missing; one test at a time."""
    with open(BUILD / "accounts.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return find(name)
        except KeyError:
            subprocess.run([*command, name], check=True)
            return find(name)


def group(name):
    """A group of the system's."""
    return make_missing(grp.getgrnam, name, "groupadd", "-r")


def account(name):
    """A user with a group of the same name."""
    group(name)
    return make_missing(pwd.getpwnam, name, "useradd", "-r", "-M", "-g", name, "-d",
                        "/nonexistent", "-s", "/usr/sbin/nologin")


# Time, ports, folders. -------------------------------------------------------


def wait_for(condition, seconds=10.0, what="a condition"):
    """Waits until condition() gives something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Trouble(f"waited {seconds} s in vain for {what}")
        time.sleep(0.01)


def free_port():
    """A port of 127.0.0.1 nobody uses, and none of the tests beside; below those the system gives
    to clients."""
    lane, lanes = map(int, os.environ.get("WEIR_LANE", "0/1").split("/"))
    while True:
        port = random.randrange(20000 + lane, 32000, lanes)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in free_port.given:
            free_port.given.add(port)
            return port


free_port.given = set()


def accepts(port, host="127.0.0.1"):
    """Whether somebody listens there."""
    try:
        socket.create_connection((host, port), 1).close()
    except OSError:
        return False
    return True


def scratch(where="/tmp"):
    """A folder of this run, gone at its end (kept with WEIR_KEEP=1), open to other accounts."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="weir-", dir=where))
    path.chmod(0o755)
    if "WEIR_KEEP" not in os.environ:
        atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


# Being root. -------------------------------------------------------------------


def needs_root(ask=False):
    """Starts this program again through sudo when it is not root; else skips the tests (or,
    with ask, lets sudo ask for the password and gives up with a message)."""
    if os.geteuid() == 0:
        return
    quiet = ["sudo", "-n", "true"]
    if shutil.which("sudo") and (ask or subprocess.run(quiet, capture_output=True).returncode == 0):
        keep = [f"{name}={value}" for name, value in os.environ.items() if name.startswith("WEIR_")]
        os.execvp("sudo", ["sudo", *keep, sys.executable, "-u", *sys.argv])
    raise unittest.SkipTest("not root, and sudo does not make it so without asking")


# Processes. ----------------------------------------------------------------------


def guard():
    """Starts what ends processes, should this program be killed; gives its standard input."""
    if Process.guard is None:
        Process.guard = subprocess.Popen(
            [sys.executable, pathlib.Path(__file__).with_name("guard.py")],
            stdin=subprocess.PIPE, start_new_session=True)
    return Process.guard.stdin.fileno()


class Process:
    """A program that runs until it is stopped, or this one ends."""

    guard = None

    def __init__(self, command, log, folder="/", environment=None):
        self.command, self.log_path = [str(word) for word in command], pathlib.Path(log)
        self.folder, self.environment = folder, environment
        self.popen = None
        atexit.register(self.end)

    def start(self):
        guard()
        with open(self.log_path, "ab") as log:
            self.popen = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                env=self.environment, start_new_session=True, preexec_fn=self.be_guarded)

    @staticmethod
    def be_guarded():
        os.write(guard(), b"%d\n" % os.getpid())

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen is not None and self.popen.poll() is None

    def send(self, number):
        self.popen.send_signal(number)

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def ready(self, condition, seconds=10.0):
        """Waits for condition(); a program that ends instead is told with its log."""
        def either():
            return condition() or not self.alive()
        wait_for(either, seconds, f"{self.command[0]} to be ready: {self.log()[-500:]}")
        if not self.alive():
            raise Trouble(f"{self.command[0]} ended with {self.popen.returncode}: "
                          f"{self.log()[-1500:]}")

    def stop(self, number=signal.SIGTERM, seconds=10.0):
        """Sends a signal, waits for the end, returns the exit status."""
        if not self.alive():
            return self.popen.returncode if self.popen else None
        self.send(number)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise Trouble(f"{self.command[0]} did not end within {seconds} s") from None

    def end(self):
        """At exit: without a word."""
        if self.alive():
            self.popen.send_signal(signal.SIGCONT)
            self.popen.terminate()
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()


def ends_cleanly():
    """From now on SIGTERM and SIGHUP end this program the orderly way, with atexit."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))


ends_cleanly()


def unpacked(package, program):
    """A program that deps.sh has unpacked."""
    path = RIG / package / program
    if not path.exists():
        raise Trouble(f"{path} is not there: run tests/end2end/deps.sh --run")
    return path


# memcached. ----------------------------------------------------------------------


class Memcached:
    """One memcached; restarted, it has the same port and is empty."""

    def __init__(self, folder, megabytes=16, address="127.0.0.1"):
        self.address, self.port = address, free_port()
        program = unpacked("memcached", "usr/bin/memcached")
        options = ["-l", address, "-p", self.port, "-U", 0, "-m", megabytes, "-t", 1]
        if os.geteuid() == 0:
            options += ["-u", "nobody"]
        self.process = Process([program, *options], folder / f"memcached-{self.port}.log")
        self.start()

    @property
    def name(self):
        return f"{self.address}:{self.port}"

    def start(self):
        self.process.start()
        self.process.ready(lambda: accepts(self.port, self.address))

    restart = start

    def stop(self):
        self.process.stop()

    def kill(self):
        self.process.stop(signal.SIGKILL)

    def pause(self):
        """Goes silent: connections stay open, the kernel even takes new ones, nobody answers."""
        self.process.send(signal.SIGSTOP)

    def resume(self):
        self.process.send(signal.SIGCONT)

    def items(self):
        """How many records it holds."""
        with socket.create_connection((self.address, self.port), 5) as link:
            link.sendall(b"stats\r\nquit\r\n")
            lines = link.makefile("r").read().split("\n")
        return next(int(line.split()[2]) for line in lines if line.startswith("STAT curr_items"))


# Weir. -----------------------------------------------------------------------------


class Weir:
    """A configuration in a folder of its own, with weirctl run under it."""

    def __init__(self, folder, name="weir", **sections):
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.conf = self.folder / "weir.conf"
        # a test that is not about it knows its scores: no mail may change those of the next
        self.sections = {"weir": {"state_directory": self.folder}, "reputation": {"learn": "no"}}
        self.configure(**sections)

    def configure(self, **sections):
        """Writes weir.conf anew: weir={"mode": "enforce"}, policyd={...}; None takes a key out."""
        for section, values in sections.items():
            self.sections.setdefault(section, {}).update(values)
        with open(self.conf, "w", encoding="utf-8") as out:
            for section, values in self.sections.items():
                out.write(f"[{section}]\n")
                out.writelines(f"{k} = {v}\n" for k, v in values.items() if v is not None)

    def ctl(self, *words, check=True):
        """Runs weirctl; gives its output, or the finished process with check=False."""
        command = [str(word) for word in (BUILD / "weirctl", "-c", self.conf, *words)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60)
        if not check:
            return done
        if done.returncode != 0:
            raise Trouble(f"{' '.join(command)} ended with {done.returncode}: "
                          f"{done.stderr or done.stdout}")
        return done.stdout

    def json(self, *words):
        return json.loads(self.ctl(*words, "--json"))

    def make_lists(self):
        """Makes lists.db: as long as there is none, a daemon looks for it once a second only."""
        self.ctl("accept", "add", "lists.example", "--forever")
        self.ctl("accept", "remove", "lists.example")

    def learn(self, verdict, address, domain, times=1, by="user"):
        """Enters the same classification so many times."""
        self.ctl("reputation", "add", "--verdict", verdict, "--by", by, "--count", times,
                 address, domain)


class Policyd:
    """A weir-policyd on a port of its own, for a Weir; policyd: more of its settings.  With
    another listen than the port, ready() says when it answers."""

    def __init__(self, weir, ready=None, **policyd):
        self.weir, self.port = weir, free_port()
        self.ready = ready or (lambda: accepts(self.port))
        weir.configure(policyd={"listen": f"inet:127.0.0.1:{self.port}", **policyd})
        self.process = Process([BUILD / "weir-policyd", "-c", weir.conf],
                               weir.folder / "policyd.log")
        self.start()

    @property
    def service(self):
        """How Postfix is told of it."""
        return f"inet:127.0.0.1:{self.port}"

    def start(self):
        self.process.start()
        self.process.ready(self.ready)

    restart = start

    def stop(self):
        """The orderly way; gives the exit status."""
        return self.process.stop(signal.SIGTERM)

    def kill(self):
        self.process.stop(signal.SIGKILL)

    def reload(self):
        self.process.send(signal.SIGHUP)

    def log(self):
        return self.process.log()

    def decisions(self):
        """The decision lines of the log, each as a dictionary of its key=value pairs."""
        return [pairs(line) for line in self.log().split("\n") if " verdict=" in line]


class Workers:
    """Threads that work(number) until the block they are used in is left."""

    def __init__(self, count):
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(number,), daemon=True)
                        for number in range(count)]

    def work(self, number):
        """What one of them does, as long as self.over is not set."""
        raise NotImplementedError

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(120)


def pairs(line):
    """key=value words of a log line or a header; values in double quotes may hold blanks."""
    found, rest = {}, line
    while "=" in rest:
        before, rest = rest.split("=", 1)
        key = before.split()[-1] if before.split() else ""
        if rest.startswith('"'):
            value, _, rest = rest[1:].partition('"')
        else:
            value, _, rest = rest.partition(" ")
        found[key] = value.strip()
    return found

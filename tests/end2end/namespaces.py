"""namespaces - hosts, each a network namespace, joined by a bridge; and Weir on them.

    mx1    Postfix, weir-policyd, weir-sniffer, weir-agent      10.77.0.1
    mx2    Exim (heavy) with weir-exim.so, sniffer, agent       10.77.0.2
    watch  weir-monitor alone                                   10.77.0.3
    cache  memcached, which both mail servers share             10.77.0.4
    world  the Internet: every address of 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24 and
           2001:db8::/32 is its own, and the way to them        10.77.0.254

The bridge is a namespace, too: nothing of this machine's own network is touched, and no packet
leaves it.  `with host:` moves the calling thread there; sockets that are opened and programs that
are started meanwhile stay there.  All is gone at the end, by guard.py if need be.
"""
import atexit
import collections
import ctypes
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import unittest
import uuid

import exim
import monitor
import postfix
import rig
import smtp

NETWORK = 0x40000000  # CLONE_NEWNET
LIBC = ctypes.CDLL(None, use_errno=True)
WORLD = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
ADDRESSES = {"mx1": 1, "mx2": 2, "watch": 3, "cache": 4, "world": 254}
SMTP = 25


def ip(*words):
    done = subprocess.run(["ip", *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise rig.Trouble(f"ip {' '.join(map(str, words))}: {done.stderr}")


def needed():
    """Skips where namespaces cannot be made."""
    rig.needs_root()
    if not shutil.which("ip"):
        raise unittest.SkipTest("there is no ip (Debian's iproute2)")
    name = f"weir-{os.getpid()}-try"
    try:
        ip("netns", "add", name)
        try:
            ip("-n", name, "link", "add", "name", "weir0", "type", "bridge")
            ip("-n", name, "link", "add", "name", "weir1", "type", "veth")
        finally:
            ip("netns", "del", name)
    except rig.Trouble as trouble:
        raise unittest.SkipTest(f"no network namespaces, bridges, pairs: {trouble}") from None


def enter(file):
    if LIBC.setns(file, NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Namespace:
    """A network namespace, its loopback up."""

    def __init__(self, name):
        self.name, self.inside = f"weir-{os.getpid()}-{name}", threading.local()
        os.write(rig.guard(), self.name.encode() + b"\n")
        ip("netns", "add", self.name)
        atexit.register(self.remove)
        self.ip("link", "set", "lo", "up")

    def remove(self):
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, check=False)

    def ip(self, *words):
        ip("-n", self.name, *words)

    def __enter__(self):
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.inside.before = [*getattr(self.inside, "before", []), before]
        here = os.open(f"/run/netns/{self.name}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            enter(here)
        finally:
            os.close(here)
        return self

    def __exit__(self, *_):
        before = self.inside.before.pop()
        enter(before)
        os.close(before)


class Host(Namespace):
    """One on the bridge."""

    def __init__(self, name, switch):
        super().__init__(name)
        number = ADDRESSES[name]
        self.address = f"10.77.0.{number}"
        self.ip("link", "add", "name", "eth0", "type", "veth", "peer", "name", name, "netns",
                switch.name)
        self.ip("addr", "add", f"{self.address}/24", "dev", "eth0")
        self.ip("addr", "add", f"fd77::{number:x}/64", "dev", "eth0", "nodad")
        self.ip("link", "set", "eth0", "up")
        switch.ip("link", "set", name, "master", "bridge0")
        switch.ip("link", "set", name, "up")

    def hardware(self):
        """The address of its interface."""
        with self:
            shown = subprocess.run(["ip", "-o", "link", "show", "eth0"], check=True, text=True,
                                   capture_output=True).stdout
        return bytes.fromhex(re.search(r"link/ether (\S+)", shown).group(1).replace(":", ""))


class Network:
    """The hosts, by name."""

    def __init__(self):
        self.switch = Namespace("switch")
        self.switch.ip("link", "add", "name", "bridge0", "type", "bridge", "stp_state", 0,
                       "forward_delay", 0)
        self.switch.ip("link", "set", "bridge0", "up")
        self.hosts = {name: Host(name, self.switch) for name in ADDRESSES}
        for network in WORLD:
            self.hosts["world"].ip("-6" if ":" in network else "-4", "route", "add", "local",
                                   network, "dev", "lo")
        with self.hosts["world"]:
            pathlib.Path("/proc/sys/net/ipv6/ip_nonlocal_bind").write_text("1")
        for name in ("mx1", "mx2"):
            self.hosts[name].ip("route", "add", "default", "via", "10.77.0.254")
            self.hosts[name].ip("-6", "route", "add", "default", "via", "fd77::fe")

    def __getattr__(self, name):
        try:
            return self.hosts[name]
        except KeyError:
            raise AttributeError(name) from None

    def cut(self, name):
        """Takes the cable of a host out, at the switch: the host is not told."""
        self.switch.ip("link", "set", name, "nomaster")

    def join(self, name):
        self.switch.ip("link", "set", name, "master", "bridge0")


# Mail servers. -------------------------------------------------------------------------


class MailServer(monitor.Server):
    """What both have: a spool, sniffer and agent, on a host of their own."""

    owner = ""

    def __init__(self, host, folder, watch, name, **sections):
        super().__init__(folder, watch, name, start=False, **sections)
        self.host = host
        self.weir.configure(sniffer={"interface": "eth0", "ports": SMTP, "user": self.owner})
        self.sniffer = rig.Process([rig.BUILD / "weir-sniffer", "-c", self.weir.conf],
                                   self.weir.folder / "sniffer.log")
        self.weir.make_lists()

    def start(self):
        """The agent."""
        with self.host:
            super().start()

    def start_sniffer(self):
        before = self.sniffer.log().count("listening")
        with self.host:
            self.sniffer.start()
            self.sniffer.ready(lambda: self.sniffer.log().count("listening") > before)

    def logged(self):
        """By address: [connections, messages taken, recipients of these], as the MTA logged."""
        raise NotImplementedError

    def mails(self):
        raise NotImplementedError


class WithPostfix(MailServer):
    """mx1."""

    def __init__(self, host, folder, watch, **sections):
        super().__init__(host, folder, watch, "mx1", **sections)
        with host:
            self.policyd = rig.Policyd(self.weir)
            self.mta = postfix.PrivatePostfix(
                self.weir.folder, postfix.recommended(self.policyd.service), port=SMTP, ipv6=True,
                interfaces="all", extra="smtpd_recipient_limit = 2000\n"
                "in_flow_delay = 0s\n")  # else it slows down when many messages are given up
            self.mta.start()
        self.start_sniffer()
        self.start()

    def logged(self):
        log = self.mta.maillog()
        found = collections.defaultdict(lambda: [0, 0, 0])
        recipients = dict(re.findall(r"qmgr\[\d+\]: (\w+): from=.* nrcpt=(\d+) ", log))
        for address in re.findall(r"smtpd\[\d+\]: connect from \S+\[([^\]]+)\]", log):
            found[address][0] += 1
        for message, address in re.findall(r"smtpd\[\d+\]: (\w+): client=\S+\[([^\]]+)\]", log):
            if message in recipients:
                found[address][1] += 1
                found[address][2] += int(recipients[message])
        return found

    def mails(self):
        return self.mta.mails()

    def idle(self):
        self.mta.wait_idle()


class WithExim(MailServer):
    """mx2."""

    owner = exim.ACCOUNT

    def __init__(self, host, folder, watch, **sections):
        exim.make_account()
        super().__init__(host, folder, watch, "mx2", **sections)
        call = "${dlfunc{%s}{weir_blacklisted}{$sender_host_address}}" % exim.module()
        with host:
            self.mta = exim.PrivateExim(
                self.weir.folder, "heavy", self.weir, port=SMTP, interfaces="0.0.0.0",
                connect=f"  drop condition = {call}\n"
                        "       message = 5.7.1 Refused: $sender_host_address is listed\n")
            exim.hand_over(self.weir.folder)
            self.mta.configure()
            os.chown(self.identity, 0, 0)
            self.mta.start()
        self.start_sniffer()
        self.start()

    def logged(self):
        log = self.mta.mainlog()
        found = collections.defaultdict(lambda: [0, 0, 0])
        whose = {}
        for address in re.findall(r" SMTP connection from \[([^\]]+)\] \(TCP/IP", log):
            found[address][0] += 1
        for message, address in re.findall(r" (\S+) <= .* \[([^\]]+)\] P=e?smtp", log):
            whose[message] = address
            found[address][1] += 1
        for message in re.findall(r" (\S+) => ", log):
            if message in whose:
                found[whose[message]][2] += 1
        return found

    def mails(self):
        return self.mta.mails()

    def idle(self):
        rig.wait_for(lambda: not self.mta.spooled(), 30, "Exim to deliver its spool")


class Part:
    """A program that runs on a host and can be started again."""

    def __init__(self, name, process, restart, host):
        self.name, self.process, self.restart, self.host = name, process, restart, host

    def start(self):
        with self.host:
            self.restart()


class Hosts:
    """The whole of it, running.  sections: of the monitor's configuration."""

    def __init__(self, folder, environment=None, **sections):
        self.network = Network()
        net = self.network
        with net.cache:
            self.cache = rig.Memcached(folder, address=net.cache.address)
        with net.watch:
            self.watch = monitor.Monitor(folder, "watch", net.watch.address, **sections)
        share = {"weir": {"mode": "enforce", "counters": "memcached",
                          "key_file": folder / "shared.key"},
                 "memcached": {"servers": self.cache.name}}
        self.mx1 = WithPostfix(net.mx1, folder, self.watch, **share)
        self.mx2 = WithExim(net.mx2, folder, self.watch, **share)
        self.servers = (self.mx1, self.mx2)

    def parts(self, *kinds):
        """The programs of these kinds that are Weir's or its memcached, in this order."""
        net = self.network
        found = {
            "sniffer": [Part(f"sniffer of {s.name}", s.sniffer, s.start_sniffer, s.host)
                        for s in self.servers],
            "agent": [Part(f"agent of {s.name}", s.process, s.start, s.host)
                      for s in self.servers],
            "monitor": [Part("monitor", self.watch.process, self.watch.start, net.watch)],
            "memcached": [Part("memcached", self.cache.process, self.cache.start, net.cache)]}
        return [part for kind in kinds for part in found[kind]]

    def processes(self):
        return [part.process for part in self.parts("sniffer", "agent", "monitor", "memcached")] + \
            [server.mta.process for server in self.servers] + [self.mx1.policyd.process]

    def close(self):
        for server in self.servers:
            server.mta.stop()
            server.sniffer.end()
            server.process.end()
        self.mx1.policyd.process.end()
        self.watch.process.end()
        self.cache.process.end()

    def sums(self):
        """By (server's name, address): [connections, accepted messages, recipients] in the
        monitor's database."""
        rows = self.watch.rows(
            "SELECT name, address, SUM(connections) AS c, SUM(accepted) AS a, "
            "SUM(recipients) AS r FROM minutes JOIN servers ON number = server "
            "GROUP BY name, address")
        return {(row["name"], text_of(row["address"])): [row["c"], row["a"], row["r"]]
                for row in rows if row["c"] or row["a"] or row["r"]}

    def logged(self):
        """The same, as the mail servers logged it."""
        return {(server.name, address): numbers for server in self.servers
                for address, numbers in server.logged().items() if not local(address)}

    # Clients. --------------------------------------------------------------------------

    def session(self, server, source, seconds=60):
        return Session(self.network.world, server.host.address, source, seconds)

    def send(self, server, source, content=None, recipients=("u@test.example",)):
        """One message in a session of its own: an smtp.Outcome."""
        try:
            with self.session(server, source) as session:
                if session.greeting.code >= 400:
                    return smtp.Outcome("CONNECT", session.greeting, {})
                session.say(f"EHLO {smtp.HELO}")
                outcome = session.mail("ann@client.example", recipients,
                                       content or smtp.message())
                session.link.sendall(b"QUIT\r\n")
                return outcome
        except ConnectionError as trouble:
            raise smtp.Closed(repr(trouble)) from None


def local(address):
    return address in ("127.0.0.1", "::1")


def text_of(octets):
    """An address of the database as people write it."""
    if octets[:12] == bytes(10) + b"\xff\xff":
        return socket.inet_ntop(socket.AF_INET, octets[12:])
    return socket.inet_ntop(socket.AF_INET6, octets)


class Session(smtp.Session):
    """An SMTP session from any address of the world."""

    def __init__(self, world, target, source, seconds):
        with world:
            self.link = socket.create_connection((target, SMTP), seconds, (source, 0))
        self.lines = self.link.makefile("rb")
        self.greeting = self.reply()


class Load(rig.Workers):
    """Clients that send to both servers, one message after the other, in threads, until stopped:
    each from its own addresses in turn.  accepted: [mark by server's name]."""

    def __init__(self, hosts, network, first=1, clients=4, each=16, pause=0.15):
        super().__init__(clients)
        self.hosts, self.pause = hosts, pause
        self.addresses = [[f"{network}.{first + each * client + n}" for n in range(each)]
                          for client in range(clients)]
        self.accepted = collections.defaultdict(list)
        self.refused, self.broken = [], []

    def work(self, client):
        server, turn = self.hosts.servers[client % 2], 0
        while not self.over.is_set():
            mark, own = uuid.uuid4().hex, self.addresses[client]
            address = own[turn % len(own)]
            turn += 1
            try:
                outcome = self.hosts.send(server, address, smtp.message(mark=mark))
            except (OSError, smtp.Closed) as trouble:
                self.broken.append((server.name, mark, repr(trouble)))
                continue
            if outcome.accepted:
                self.accepted[server.name].append(mark)
            else:
                self.refused.append((server.name, address, outcome))
            self.over.wait(self.pause)

    def count(self):
        return sum(map(len, self.accepted.values()))

    def wait(self, more, seconds=60.0):
        """Waits until so many more messages were accepted by each server."""
        goals = {server.name: len(self.accepted[server.name]) + more
                 for server in self.hosts.servers}
        rig.wait_for(lambda: all(len(self.accepted[name]) >= goal
                                 for name, goal in goals.items()), seconds,
                     f"{more} more messages to pass at each server")

"""sniffing - a weir-sniffer that listens in a network of the test's own, and what it told.

Whose traffic is heard is the test's business: its mail servers and clients run in the same
network, so that nothing else is ever captured.
"""
import collections
import ctypes
import os
import shutil
import smtplib
import socket
import ssl
import struct
import subprocess
import threading
import time
import unittest

import rig

NEW_NETWORK = 0x40000000
LISTEN, TIME_WAIT = "0A", "06"


def own_network():
    """From now on this program and its children have a network of their own: loopback only."""
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_NETWORK) != 0:
        raise unittest.SkipTest(f"no network namespace: {os.strerror(ctypes.get_errno())}")
    for words in (("link", "set", "lo", "up"), ("addr", "add", "198.51.100.1/24", "dev", "lo")):
        subprocess.run(["ip", *words], check=True, capture_output=True)


def prepare():
    """For setUpModule()."""
    rig.needs_root()
    for program in ("ip", "openssl"):
        if not shutil.which(program):
            raise unittest.SkipTest(f"there is no {program}")
    own_network()


class Network:
    """A network namespace of its own, at the other end of a cable to this one."""

    def __init__(self, name, address, gateway):
        self.keeper = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 600"],
                                       stdout=subprocess.PIPE)
        self.keeper.stdout.readline()
        self.ip("link", "add", f"{name}0", "type", "veth", "peer", "name", f"{name}1", "netns",
                str(self.keeper.pid), inside=False)
        for words in (("link", "set", "lo", "up"), ("addr", "add", address, "dev", f"{name}1"),
                      ("link", "set", f"{name}1", "up"),):
            self.ip(*words)
        self.ip("link", "set", f"{name}0", "up", inside=False)
        self.ip("route", "add", "default", "via", gateway)

    def ip(self, *words, inside=True):
        enter = ["nsenter", "-t", str(self.keeper.pid), "-n"] if inside else []
        subprocess.run([*enter, "ip", *words], check=True)

    def inside(self, work):
        """What work() gives there."""
        given = []

        def run():
            place = os.open(f"/proc/{self.keeper.pid}/ns/net", os.O_RDONLY)
            if ctypes.CDLL(None, use_errno=True).setns(place, NEW_NETWORK) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            os.close(place)
            given.append(work())
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        return given[0]

    def end(self):
        self.keeper.kill()
        self.keeper.wait()
        self.keeper.stdout.close()


def certificate(folder):
    """A self-signed certificate and its key."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert,
                    "-days", "2", "-subj", "/CN=mx.test.example"], check=True,
                   capture_output=True)
    return cert, key


def is_alone(port):
    """Whether nobody has a connection to this port: so no server is still to greet or part."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    return not [row for row in rows if int(row[1].split(":")[1], 16) == port
                and row[3] not in (LISTEN, TIME_WAIT)]


class Sniffer:
    """A weir-sniffer at the loopback interface, with a spool of its own, or in another's place:
    that of before."""

    def __init__(self, port, interface="lo", before=None, spool=None, **settings):
        self.folder = before.folder if before else rig.scratch()
        self.folder.chmod(0o777)  # it becomes nobody, and makes its folders there
        self.spool = spool or self.folder / "spool"
        self.weir = rig.Weir(self.folder)
        self.weir.configure(weir={"log_level": "debug",
                                  "numbers_folder": self.folder / "numbers"},
                            spool={"folder": self.spool},
                            sniffer={"interface": interface, "ports": port, "user": "nobody",
                                     **settings})
        self.process = rig.Process([rig.BUILD / "weir-sniffer", "-c", self.weir.conf],
                                   self.folder / "sniffer.log")
        told = self.process.log().count("listening")
        self.process.start()
        self.process.ready(lambda: self.process.log().count("listening") > told)

    def lines(self):
        """All lines of its spool, as dictionaries."""
        return [rig.pairs(line) for path in sorted(self.spool.glob("sniffer-*"))
                for line in path.read_text().splitlines()]

    def sums(self):
        """By address: sums of what traffic lines say."""
        sums = collections.defaultdict(collections.Counter)
        for line in self.lines():
            if line["kind"] == "traffic":
                for name, value in line.items():
                    if name not in ("at", "kind", "address"):
                        sums[line["address"]][name] += int(value)
        return sums

    def health(self):
        return [line for line in self.lines() if line["kind"] == "health"][-1]

    def stop(self):
        """Waits for the kernel's ring to be read out, and stops it."""
        time.sleep(0.3)
        status = self.process.stop()
        if status != 0:
            raise rig.Trouble(f"weir-sniffer ended with {status}: {self.process.log()[-2000:]}")


class Client(smtplib.SMTP):
    """An SMTP client of this host that can also do what smtplib does not: pipelining, BDAT.
    first: octets to be said before the greeting."""

    def __init__(self, port, tls=False, source="127.0.0.1", first=b""):
        self.first = first
        super().__init__("127.0.0.1", port, timeout=20, source_address=(source, 0))
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.starttls(context=context)
        self.ehlo("client.example")

    def _get_socket(self, host, port, timeout):
        link = super()._get_socket(host, port, timeout)
        link.sendall(self.first)
        return link

    def say(self, *lines, body=b""):
        """Sends lines, and octets behind them, in one go; the codes of the lines' replies."""
        self.send("".join(f"{line}\r\n" for line in lines).encode() + body)
        return [self.getreply()[0] for _ in lines]

    def envelope(self, sender, recipients):
        return [f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{recipient}>" for recipient in recipients)]

    def pipelined(self, sender, recipients, text, behind=()):
        """A message by DATA, its envelope in one go, and commands behind its dot: the codes."""
        codes = self.say(*self.envelope(sender, recipients), "DATA")
        self.send(smtplib.quotedata(text).encode() + b"\r\n.\r\n"
                  + "".join(f"{line}\r\n" for line in behind).encode())
        return codes + [self.getreply()[0] for _ in range(1 + len(behind))]

    def chunks(self, sender, recipients, *texts, at_once=False):
        """A message by BDAT, a chunk for each text; at_once: all in one go.  The codes."""
        lines = self.envelope(sender, recipients)
        codes = [] if at_once else self.say(*lines)
        octets = "".join(f"{line}\r\n" for line in lines).encode() if at_once else b""
        replies = len(lines) if at_once else 0
        for number, text in enumerate(texts):
            last = " LAST" if number + 1 == len(texts) else ""
            chunk = text.replace("\n", "\r\n").encode()
            octets += b"BDAT %d%s\r\n" % (len(chunk), last.encode()) + chunk
            replies += 1
            if not at_once:
                self.send(octets)
                codes.append(self.getreply()[0])
                octets, replies = b"", 0
        if at_once:
            self.send(octets)
            codes += [self.getreply()[0] for _ in range(replies)]
        return codes


class Wrapped(Client):
    """A Client whose TLS begins with the first octet."""

    def _get_socket(self, host, port, timeout):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(super()._get_socket(host, port, timeout))


def many_in_one_go(link, sender, recipient, text, mails):
    """So many messages by BDAT, all commands and chunks in one go; the codes of their ends."""
    chunk = text.replace("\n", "\r\n").encode()
    one = "".join(f"{line}\r\n" for line in link.envelope(sender, [recipient])).encode()
    link.send((one + b"BDAT %d LAST\r\n" % len(chunk) + chunk) * mails)
    return [link.getreply()[0] for _ in range(3 * mails)][2::3]


class Forger:
    """Sees the packets of this host, and sends segments in a client's place that nobody takes but
    who listens: their checksums are wrong."""

    def __init__(self, port):
        self.port = port
        self.tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        self.tap.bind(("lo", 0x0800))
        self.tap.setblocking(False)
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def close(self):
        self.tap.close()
        self.raw.close()

    def numbers(self, client):
        """Where both sides are after the server's last segment: the client's and the server's."""
        found = None
        while True:
            try:
                ip = self.tap.recv(65536)
            except BlockingIOError:
                return found
            tcp = ip[4 * (ip[0] & 15):]
            sport, dport, seq, ack, offset = struct.unpack_from(">HHIIB", tcp)
            if (sport, dport) == (self.port, client):
                found = ack, (seq + len(tcp) - 4 * (offset >> 4)) % 2**32

    def forge(self, link, octets):
        """A segment where the client's next octets belong; all it said was answered."""
        client = link.sock.getsockname()[1]
        seq, ack = self.numbers(client)
        home = socket.inet_aton("127.0.0.1")
        tcp = struct.pack(">HHIIBBHHH", client, self.port, seq, ack, 0x50, 0x18, 512, 0xbad, 0)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(octets), 0, 0, 64, 6, 0, home, home)
        self.raw.sendto(ip + tcp + octets, ("127.0.0.1", 0))


def part(link):
    """Ends a connection without a word, and waits until the server has done so, too."""
    link.sock.shutdown(socket.SHUT_WR)
    while link.sock.recv(4096):
        pass
    link.close()


def smtp_source(port, recipient, *words):
    """Runs Postfix's smtp-source against a server of this host."""
    postfix = rig.RIG / "postfix/usr"
    subprocess.run([postfix / "sbin/smtp-source", *map(str, words), "-f", "sender@client.example",
                    "-t", recipient, f"127.0.0.1:{port}"], check=True, capture_output=True,
                   timeout=60, env={"LD_LIBRARY_PATH": str(postfix / "lib/postfix")})


def swaks(port, *words):
    """Runs swaks against a server of this host; its transcript."""
    command = [rig.unpacked("swaks", "usr/bin/swaks"), "--server", "127.0.0.1", "--port", port,
               "--helo", "client.example", "--timeout", 20, *words]
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60)
    if "queued as" not in done.stdout and " OK id=" not in done.stdout and not done.returncode:
        raise rig.Trouble(f"swaks: {done.stdout[-1500:]}{done.stderr}")
    return done.stdout


class MailServer:
    """Says what an SMTP server says, and takes everything."""

    def __init__(self, host, port):
        self.listener = socket.create_server((host, port), backlog=64)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            link = self.listener.accept()[0]
            threading.Thread(target=self.serve, args=(link,), daemon=True).start()

    def serve(self, link):
        with link, link.makefile("rwb", buffering=0) as lines:
            lines.write(b"220 mx.test.example ESMTP\r\n")
            body = False
            for line in lines:
                word = line.strip().upper()
                if body:
                    body = word != b"."
                    if not body:
                        lines.write(b"250 2.0.0 Ok: queued as 4ABCDE\r\n")
                    continue
                body = word == b"DATA"
                lines.write(b"354 go\r\n" if body else b"221 2.0.0 bye\r\n" if word == b"QUIT"
                            else b"250 2.1.5 Ok\r\n" if word.startswith(b"RCPT")
                            else b"250 2.1.0 Ok\r\n")
                if word == b"QUIT":
                    return

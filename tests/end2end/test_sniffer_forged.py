"""Segments that anybody can send to a mail server, from his own port 25 or in another's name: whom
weir-sniffer, listening, blames for them, and what they do to those who send mail.
"""
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
import sniffing

OWN = "203.0.113.25"  # an address of this host
HOME = "198.51.100.1"
STRANGER = "192.0.2.66"
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
REPAIR, REPAIR_QUEUE, QUEUE_SEQ = 19, 20, 21  # of <linux/tcp.h>


def setUpModule():
    sniffing.prepare()
    for address in (OWN, "2001:db8::25"):
        subprocess.run(["ip", "addr", "add", address, "dev", "lo"], check=True)
    # what this host answers to strangers is sent, and heard
    subprocess.run(["ip", "route", "add", "default", "dev", "lo"], check=True)
    sniffing.MailServer(HOME, 25)


def checksum(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def segment(source, destination, seq, ack, flags, octets=b"", wrong=0):
    """An IPv4 packet from one (address, port) to another; wrong: what is wrong in its checksum."""
    ends = socket.inet_aton(source[0]) + socket.inet_aton(destination[0])
    tcp = struct.pack(">HHIIBBHHH", source[1], destination[1], seq, ack, 0x50, flags, 512, 0, 0)
    pseudo = ends + struct.pack(">BBH", 0, 6, len(tcp) + len(octets))
    tcp = tcp[:16] + struct.pack(">H", checksum(pseudo + tcp + octets) ^ wrong) + tcp[18:]
    return struct.pack(">BBHHHBBH", 0x45, 0, 40 + len(octets), 0, 0, 64, 6, 0) + ends + tcp + octets


def numbers(link):
    """The next sequence numbers of both directions."""
    link.setsockopt(socket.IPPROTO_TCP, REPAIR, 1)
    found = []
    for queue in (2, 1):
        link.setsockopt(socket.IPPROTO_TCP, REPAIR_QUEUE, queue)
        found.append(link.getsockopt(socket.IPPROTO_TCP, QUEUE_SEQ) & 0xffffffff)
    link.setsockopt(socket.IPPROTO_TCP, REPAIR, -1)
    return found


class Forged(unittest.TestCase):
    def setUp(self):
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.addCleanup(self.raw.close)

    def listen(self, **settings):
        self.sniffer = sniffing.Sniffer(25, **settings)
        self.addCleanup(self.sniffer.process.end)

    def send(self, source, destination, *rest):
        self.raw.sendto(segment(source, destination, *rest), (destination[0], 0))

    def mail(self, source, to=HOME, behind_handshake=None, behind_reply=None):
        """One mail from an address, and perhaps port, of this host."""
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # gone at once: the port can be used again, and nobody waits for a last ACK
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        link.settimeout(20)
        with link:
            link.bind(source)
            link.connect((to, 25))
            if behind_handshake:
                behind_handshake(link)
            answers = link.makefile("rb")
            codes = [answers.readline()[:3]]
            for line in ("EHLO c", "MAIL FROM:<a@c.example>", "RCPT TO:<b@test.example>", "DATA",
                         "Subject: x\r\n\r\nText.\r\n.", "QUIT"):
                if behind_reply:
                    behind_reply(link)
                link.sendall(line.encode() + b"\r\n")
                codes.append(answers.readline()[:3])
            self.assertEqual(codes, [b"220", b"250", b"250", b"250", b"354", b"250", b"221"])

    def sums(self):
        self.sniffer.stop()
        return {address: dict(sums) for address, sums in self.sniffer.sums().items()}

    ONE = {"connections": 1, "messages": 1, "accepted": 1, "recipients": 1}

    def test_greetings_out_of_the_blue_blame_nobody(self):
        self.listen()
        for number in range(400):
            for host in (OWN, HOME, "127.0.0.9"):  # the last one is no own address
                self.send((STRANGER, 25), (host, 30000 + number), 1000 * number, 77, PSH | ACK,
                          b"220 hello\r\n")
        self.mail(("127.0.0.7", 0))
        self.assertEqual(self.sums(), {"127.0.0.7": self.ONE})
        # what is said to no address of this host waits for an answer yet
        self.assertEqual(self.sniffer.health()["unproven"], "800")

    def test_a_whole_dialogue_of_a_server_alone_blames_nobody(self):
        self.listen()
        seq = 1000
        self.send((STRANGER, 25), ("127.0.0.9", 30000), seq, 77, SYN | ACK)
        seq += 1
        for octets in (b"220 hello\r\n", b"354 go\r\n", b"250 2.0.0 Ok: queued as 1\r\n"):
            self.send((STRANGER, 25), ("127.0.0.9", 30000), seq, 77, PSH | ACK, octets)
            seq += len(octets)
        self.assertEqual(self.sums(), {})

    def test_greetings_out_of_the_blue_take_no_connections_place(self):
        self.listen()

        def flood(_):
            for number in range(65536):
                self.send((STRANGER, 25), ("127.0.0.9", number), 1000, 77, PSH | ACK, b"220 x\r\n")
        self.mail(("127.0.0.7", 0), behind_handshake=flood)
        self.assertEqual(self.sums(), {"127.0.0.7": self.ONE})

    def test_a_client_at_port_25_cannot_pass_for_the_server(self):
        self.listen()

        def answer_itself(link):
            self.send(link.getsockname(), link.getpeername(), 0x7fffffff, 0x12345678, SYN | ACK)
        for number in range(5):
            self.mail((f"127.0.1.{number + 1}", 25), behind_handshake=answer_itself)
        self.assertEqual(self.sums(), {f"127.0.1.{number + 1}": self.ONE for number in range(5)})
        self.assertEqual(self.sniffer.health()["forged"], "5")

    def test_ends_that_the_server_drops_end_nothing(self):
        self.listen()
        for number, (flags, sides) in enumerate(((RST, "C"), (FIN | ACK, "C"), (RST | ACK, "CS"))):
            def end(link, flags=flags, sides=sides):
                client, server = numbers(link)
                ends = link.getsockname(), link.getpeername()
                if "C" in sides:
                    self.send(*ends, client, server, flags, b"", 0x5555)
                if "S" in sides:  # as a firewall does in its name
                    self.send(*ends[::-1], server, client, flags, b"", 0x5555)
            self.mail((f"127.0.2.{number + 1}", 0), behind_handshake=end, behind_reply=end)
        self.assertEqual(self.sums(), {f"127.0.2.{number + 1}": self.ONE for number in range(3)})

    def test_octets_that_the_server_drops_hide_no_mail(self):
        self.listen()

        def junk(link):
            client, server = numbers(link)
            for at in range(0, 70000, 1400):
                self.send(link.getsockname(), link.getpeername(), client + at & 0xffffffff, server,
                          PSH | ACK, b"NOOP\r\n" * 233, 0x5555)
        self.mail(("127.0.2.9", 0), behind_reply=junk)
        counted = self.sums()["127.0.2.9"]
        self.assertEqual({name: counted[name] for name in ("messages", "accepted", "recipients")},
                         {"messages": 1, "accepted": 1, "recipients": 1})

    def test_mail_that_goes_out_is_not_charged(self):
        self.listen()
        self.mail((OWN, 0))
        self.mail(("127.0.0.7", 0))
        self.assertEqual(self.sums(), {"127.0.0.7": self.ONE})

    def test_mail_that_goes_out_is_charged_where_that_is_wanted(self):
        self.listen(count_own="yes")
        self.mail((OWN, 0))
        self.assertEqual(self.sums(), {OWN: self.ONE})

    def test_a_reload_changes_whether_mail_that_goes_out_is_charged(self):
        self.listen()
        for times, wanted in enumerate(("no", "yes", "no")):
            if times > 0:
                self.sniffer.weir.configure(sniffer={"count_own": wanted, "snaplen": 1000 + times})
                self.sniffer.process.send(signal.SIGHUP)
                log = self.sniffer.process.log
                rig.wait_for(lambda: log().count("configuration read") == times)
                self.assertEqual(log().count("needs a restart"), times)
            self.mail((OWN, 0))
            self.mail(("127.0.0.7", 0))  # once this is told, all before was heard
            rig.wait_for(lambda: self.sniffer.sums()["127.0.0.7"]["messages"] == times + 1)
        self.assertEqual(self.sums()[OWN], self.ONE)


if __name__ == "__main__":
    harness.main()

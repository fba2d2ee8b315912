"""Packets that come in from outside with the mail server's own address as their source, which its
kernel drops: they blame nobody and hide no mail, wherever weir-sniffer listens; and wherever that
is, mail is counted.
"""
import pathlib
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import sniffing
from test_sniffer_forged import ACK, PSH, SYN, numbers, segment

SERVER, CLIENT, STRANGER = "198.18.0.1", "198.18.0.2", "203.0.113.66"
INTERFACES = "any", "cable0"
CARD = bytes.fromhex("020000000077")


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def setUpModule():
    """A bridge with the server's address, a cable from its port to the client."""
    sniffing.prepare()
    ip("link", "add", "bridge", "type", "bridge")
    ip("addr", "add", f"{SERVER}/24", "dev", "bridge")
    ip("link", "set", "bridge", "up")
    client = sniffing.Network("cable", f"{CLIENT}/24", SERVER)
    unittest.addModuleCleanup(client.end)
    ip("link", "set", "cable0", "master", "bridge")
    sniffing.MailServer(SERVER, 25)
    # the bridge passes nothing on at first
    client.inside(lambda: socket.create_connection((SERVER, 25), timeout=20).close())
    OwnName.client = client


class OwnName(unittest.TestCase):
    client = None
    ONE = {"connections": 1, "messages": 1, "accepted": 1, "recipients": 1}

    def listen(self, interface):
        self.sniffer = sniffing.Sniffer(25, interface=interface)
        self.addCleanup(self.sniffer.process.end)
        self.raw = self.client.inside(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
        self.addCleanup(self.raw.close)
        self.raw.bind(("cable1", 0x0800))
        told = subprocess.run(["ip", "-o", "link", "show", "bridge"], check=True,
                              capture_output=True, text=True).stdout
        card = told.split("link/ether ")[1].split()[0]
        self.to_server = bytes.fromhex(card.replace(":", "")) + CARD + b"\x08\x00"

    def send(self, *parts):
        self.raw.send(self.to_server + segment(*parts))

    @staticmethod
    def mail(before):
        """The codes of one mail of the client's; before is called before each line is said."""
        with socket.socket() as link:
            link.settimeout(20)
            link.connect((SERVER, 25))
            answers = link.makefile("rb")
            codes = [answers.readline()[:3]]
            for line in (b"EHLO c", b"MAIL FROM:<a@c.example>", b"RCPT TO:<b@test.example>",
                         b"DATA", b"Subject: x\r\n\r\nText.\r\n.", b"QUIT"):
                before(link, line + b"\r\n")
                link.sendall(line + b"\r\n")
                codes.append(answers.readline()[:3])
            return codes

    def assert_mailed(self, before=lambda link, line: None):
        codes = self.client.inside(lambda: self.mail(before))
        self.assertEqual(codes, [b"220", b"250", b"250", b"250", b"354", b"250", b"221"])

    def sums(self):
        self.sniffer.stop()
        return {address: dict(sums) for address, sums in self.sniffer.sums().items()}

    def talk(self, port, handshake):
        """A whole dialogue of the stranger's, of which neither side said anything."""
        ends = {"C": ((STRANGER, port), (SERVER, 25)), "S": ((SERVER, 25), (STRANGER, port))}
        at = {"C": 1000 * port, "S": 77 * port}
        if handshake:
            self.send(*ends["C"], at["C"] - 1, 0, SYN)
            self.send(*ends["S"], at["S"] - 1, at["C"], SYN | ACK)
        envelope = b"MAIL FROM:<a@c.example>\r\nRCPT TO:<b@test.example>\r\nDATA\r\n"
        for side, octets in (("S", b"220 mx ESMTP\r\n"), ("C", b"EHLO c\r\n"),
                             ("S", b"250 mx\r\n"), ("C", envelope),
                             ("S", b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go\r\n"),
                             ("C", b"Subject: x\r\n\r\nText.\r\n.\r\n"),
                             ("S", b"250 2.0.0 Ok: queued as 4ABCDE\r\n")):
            other = "S" if side == "C" else "C"
            self.send(*ends[side], at[side], at[other], PSH | ACK, octets)
            at[side] += len(octets)

    def test_a_dialogue_in_the_servers_name_blames_nobody(self):
        for interface in INTERFACES:
            with self.subTest(interface=interface):
                self.listen(interface)
                for number in range(10):
                    self.talk(30000 + number, handshake=number % 2)
                self.assert_mailed()
                self.assertEqual(self.sums(), {CLIENT: self.ONE})
                # the bridge may or may not pass them on, where "any" hears them again
                self.assertIn(self.sniffer.health()["forged"], ("45", "90"))
                self.assertIn("came in from outside", self.sniffer.process.log())

    def test_replies_in_the_servers_name_hide_no_mail(self):
        said = {b"MAIL": b"450 4.1.0 no\r\n", b"RCPT": b"550 5.1.1 no\r\n", b"DATA": b"503 no\r\n",
                b"Subj": b"554 5.0.0 no: nothing of it!!!\r\n"}

        def forge(link, line):
            if line[:4] in said:
                client, server = numbers(link)
                self.send((SERVER, 25), link.getsockname(), server,
                          client + len(line) & 0xffffffff, PSH | ACK, said[line[:4]])
        for interface in INTERFACES:
            with self.subTest(interface=interface):
                self.listen(interface)
                for _ in range(5):
                    self.assert_mailed(forge)
                self.assertEqual(self.sums(), {CLIENT: {name: 5 for name in self.ONE}})

    def test_mail_counts_wherever_one_listens(self):
        for interface in (*INTERFACES, "bridge"):
            with self.subTest(interface=interface):
                self.listen(interface)
                self.assert_mailed()
                self.assertEqual(self.sums(), {CLIENT: self.ONE})
                self.assertNotIn("forged", self.sniffer.health())


if __name__ == "__main__":
    harness.main()

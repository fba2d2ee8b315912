"""Mail to a server in a container of this host, which its kernel translates on the way: with
interface = any weir-sniffer sees each connection before and behind that, and counts it once.
"""
import pathlib
import shutil
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import sniffing

GATEWAY, CONTAINER = "172.18.0.1", "172.18.0.2"
HOST, CLIENT = "203.0.113.1", "203.0.113.10"


def nft(text):
    subprocess.run(["nft", text], check=True)


def setUpModule():
    sniffing.prepare()
    for program in ("nft", "nsenter", "unshare"):
        if not shutil.which(program):
            raise unittest.SkipTest(f"there is no {program}")
    pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    networks = {}
    for name, address, gateway in (("client", f"{CLIENT}/24", HOST),
                                   ("server", f"{CONTAINER}/16", GATEWAY)):
        subprocess.run(["ip", "link", "add", f"br-{name}", "type", "bridge"], check=True)
        subprocess.run(["ip", "addr", "add", f"{gateway}/{address.split('/')[1]}", "dev",
                        f"br-{name}"], check=True)
        subprocess.run(["ip", "link", "set", f"br-{name}", "up"], check=True)
        networks[name] = sniffing.Network(name, address, gateway)
        unittest.addModuleCleanup(networks[name].end)
        subprocess.run(["ip", "link", "set", f"{name}0", "master", f"br-{name}"], check=True)
    networks["server"].inside(lambda: sniffing.MailServer(CONTAINER, 25))
    Translated.client = networks["client"]


class Translated(unittest.TestCase):
    client = None

    def setUp(self):
        nft("add table ip test")
        self.addCleanup(nft, "delete table ip test")
        self.sniffer = sniffing.Sniffer(25, interface="any")
        self.addCleanup(self.sniffer.process.end)

    def dnat(self):
        nft("add chain ip test pre { type nat hook prerouting priority dstnat; }")
        nft(f"add rule ip test pre ip daddr {HOST} tcp dport 25 dnat to {CONTAINER}")

    def masquerade(self):
        nft("add chain ip test post { type nat hook postrouting priority srcnat; }")
        nft(f"add rule ip test post ip daddr {CONTAINER} masquerade")

    def mail(self, server):
        """The codes of one mail."""
        with socket.create_connection((server, 25), timeout=20) as link:
            answers = link.makefile("rb")
            codes = [answers.readline()[:3]]
            for line in ("EHLO c", "MAIL FROM:<a@c.example>", "RCPT TO:<b@test.example>", "DATA",
                         "Subject: x\r\n\r\nText.\r\n.", "QUIT"):
                link.sendall(line.encode() + b"\r\n")
                codes.append(answers.readline()[:3])
            return codes

    def assert_counted_once(self, server=HOST):
        for _ in range(5):
            codes = self.client.inside(lambda: self.mail(server))
            self.assertEqual(codes, [b"220", b"250", b"250", b"250", b"354", b"250", b"221"])
        self.sniffer.stop()
        sums = {address: dict(sums) for address, sums in self.sniffer.sums().items()}
        self.assertEqual(sums, {CLIENT: {"connections": 5, "messages": 5, "accepted": 5,
                                         "recipients": 5}})

    def test_a_mail_to_a_translated_server_counts_once(self):
        self.dnat()
        self.assert_counted_once()

    def test_a_mail_counts_for_its_client_though_the_server_sees_the_gateway(self):
        self.dnat()
        self.masquerade()
        self.assert_counted_once()

    def test_a_mail_that_is_only_passed_on_over_bridges_counts_once(self):
        self.assert_counted_once(CONTAINER)


if __name__ == "__main__":
    harness.main()

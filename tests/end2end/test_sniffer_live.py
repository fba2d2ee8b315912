"""weir-sniffer listens to a real Postfix in a network namespace of its own: what it counts is
what Postfix logged, in the clear and inside TLS; and what floods do to it.
"""
import pathlib
import re
import signal
import socket
import struct
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import captures
import exposition
import harness
import postfix
import rig
import sniffing

FROM = "a@client.example"
TO = "box@" + postfix.DOMAIN
# No shorter than real mail can be: estimates take less for no message.
TEXT = f"From: {FROM}\nTo: {TO}\nSubject: x\nMessage-Id: <1@client.example>\n\nText.\n"
REFUSED = [f"refused{number}@{postfix.DOMAIN}" for number in range(3)]


def setUpModule():
    sniffing.prepare()


class WithPostfix(unittest.TestCase):
    extra = ("smtpd_recipient_restrictions = check_recipient_access inline:{ "
             + ", ".join(f"{{ {address} = REJECT }}" for address in REFUSED) + " }\n"
             "smtpd_tls_security_level = may\nsmtpd_tls_loglevel = 1\n"
             "smtpd_recipient_limit = 2000\n")

    @classmethod
    def setUpClass(cls):
        folder = rig.scratch()
        cert, key = sniffing.certificate(folder)
        cls.postfix = postfix.PrivatePostfix(
            folder, extra=cls.extra + f"smtpd_tls_cert_file = {cert}\n"
            f"smtpd_tls_key_file = {key}\n")
        with open(cls.postfix.folder / "etc/master.cf", "a", encoding="ascii") as master:
            master.write("tlsmgr unix - - n 1000? 1 tlsmgr\n")
        cls.postfix.start()

    @classmethod
    def tearDownClass(cls):
        cls.postfix.stop()

    proxies = "198.51.100.0/24"

    def setUp(self):
        # the one that asked whether Postfix is there may get its greeting late
        rig.wait_for(lambda: sniffing.is_alone(self.postfix.port))
        self.seen = len(self.postfix.maillog())
        self.sniffer = sniffing.Sniffer(self.postfix.port, proxies=self.proxies)
        self.addCleanup(self.sniffer.process.end)

    def logged(self):
        """(messages, recipients) that Postfix took since the test began."""
        self.postfix.wait_idle()
        sizes = dict(re.findall(r"qmgr\[\d+\]: (\w+): from=.* nrcpt=(\d+) ",
                                self.postfix.maillog()[self.seen:]))
        return len(sizes), sum(map(int, sizes.values()))

    def source(self, *words):
        sniffing.smtp_source(self.postfix.port, TO, *words)

    def client(self, tls=False):
        return sniffing.Client(self.postfix.port, tls)

    def check(self, address="127.0.0.1", estimated=0, connections=None, recipients=True,
              forged=False):
        """What was counted for the address is what Postfix logged."""
        messages, taken = self.logged()
        self.sniffer.stop()
        sums = self.sniffer.sums()[address]
        self.assertGreater(messages, 0)
        self.assertEqual(sums["accepted"], messages, self.sniffer.process.log()[-2000:])
        self.assertEqual(sums["estimated"], estimated)
        if recipients:
            self.assertEqual(sums["recipients"], taken)
        if connections is not None:
            self.assertEqual(sums["connections"], connections)
        self.assertNotIn("gaps", self.sniffer.health())
        if not forged:
            self.assertFalse({"odd", "forged"} & set(self.sniffer.health()))
        return sums


class Clear(WithPostfix):
    def test_numbers_for_prometheus_are_those_of_its_health(self):
        def metrics():
            return exposition.Metrics(self.sniffer.weir.ctl("metrics"))
        program = {"program": "weir-sniffer"}
        self.source("-m", 20, "-s", 2, "-l", 3000)
        rig.wait_for(lambda: metrics().get("weir_sniffer_packets_total", **program) > 200, 20,
                     "packets to be counted")
        here = metrics()
        self.assertEqual(here.get("weir_program_up", **program), 1)
        self.assertIn("weir_sniffer_flows", here.type)
        self.sniffer.stop()
        gone, health = metrics(), self.sniffer.health()
        self.assertEqual(gone.get("weir_program_up", **program), 0)
        self.assertNotIn("weir_sniffer_flows", gone.type)
        self.assertEqual(gone.get("weir_sniffer_packets_total", **program), int(health["packets"]))
        for name, number in (("kernel_dropped", "kernel_dropped"), ("gaps", "gaps"),
                             ("forged", "forged"), ("witnessed", "witnessed")):
            self.assertEqual(gone.get(f"weir_sniffer_{name}_total", **program),
                             int(health.get(number, 0)), name)

    def test_one_message_a_connection_and_many(self):
        self.source("-m", 60, "-s", 5, "-l", 3000)
        self.source("-m", 60, "-s", 3, "-d", "-l", 20000)
        self.check()

    def test_many_recipients_of_which_some_are_refused(self):
        with self.client() as link:
            for number in range(8):
                good = [f"u{number}x{other}@{postfix.DOMAIN}" for other in range(1 + 25 * number)]
                refused = link.sendmail("a@client.example", REFUSED + good, "Subject: x\n\nText.\n")
                self.assertEqual(sorted(refused), REFUSED)
        self.check(connections=1)

    def test_pipelined_messages_in_one_go(self):
        with socket.create_connection(("127.0.0.1", self.postfix.port), 20) as link:
            answers = link.makefile("rb")
            answers.readline()
            link.sendall(b"EHLO client.example\r\n")
            while answers.readline()[3:4] == b"-":
                pass
            for number in range(20):
                link.sendall(b"MAIL FROM:<a@client.example>\r\nRCPT TO:<refused1@test.example>\r\n"
                             b"RCPT TO:<box@test.example>\r\nDATA\r\n")
                codes = [answers.readline()[:3] for _ in range(4)]
                self.assertEqual(codes, [b"250", b"554", b"250", b"354"])
                again = b"RSET\r\n" if number % 2 else b"NOOP\r\n"
                link.sendall(b"Subject: x\r\n\r\nText.\r\n..\r\n.\r\n" + again)
                self.assertEqual([answers.readline()[:3] for _ in range(2)], [b"250"] * 2)
            link.sendall(b"QUIT\r\n")
            answers.read()
        self.check(connections=1)

    def test_swaks(self):
        for words in ((), ("--pipeline",), ("--attach", "@" + __file__)):
            sniffing.swaks(self.postfix.port, "-f", FROM, "-t", f"{TO},{REFUSED[0]}", *words)
        sniffing.swaks(self.postfix.port, "-f", FROM, "-t", REFUSED[0])
        self.check(connections=4)

    def test_more_messages_in_one_go_than_commands_can_wait_are_counted_and_told(self):
        for mails in (10, 30, 60):
            with self.client() as link:
                codes = sniffing.many_in_one_go(link, FROM, TO, TEXT, mails)
            self.assertEqual(codes, [250] * mails)
        with self.client() as link:
            junk = ["RSET", "NOOP"] * 35
            self.assertEqual(link.say(*junk), [250] * 70)
            link.pipelined(FROM, [f"u{number}@{postfix.DOMAIN}" for number in range(60)], TEXT)
        self.check(forged=True)
        self.assertIn("odd", self.sniffer.health())

    def test_messages_in_chunks(self):
        with self.client() as link:
            for number in range(12):
                to = REFUSED[:number % 3] + [TO, "other@" + postfix.DOMAIN]
                body = "more\n" * 10 ** (number % 4)
                link.chunks(FROM, to, TEXT + body)
                link.chunks(FROM, to, TEXT, body, body)
                link.chunks(FROM, to, TEXT, body, "")
                self.assertEqual(link.chunks(FROM, to, TEXT, body, at_once=True)[-1], 250)
            link.chunks(FROM, REFUSED, TEXT, at_once=True)
            link.say("RSET")
            link.say(*link.envelope(FROM, [TO]), "BDAT 4", body=b"From")
            link.say("RSET")
        sums = self.check(connections=1, recipients=False)
        self.assertEqual((sums["messages"], sums["accepted"], sums["recipients"]), (50, 48, 97))

    def test_what_is_given_up_or_refused_is_no_accepted_message(self):
        with self.client() as link:
            link.ehlo()
            link.mail("a@client.example")
            link.rcpt(TO)
            link.rset()
            link.mail("a@client.example")
            self.assertEqual(link.rcpt(REFUSED[0])[0], 554)
            link.rset()
            link.sendmail("a@client.example", TO, "Subject: x\n\nText.\n")
        with self.client() as link:
            link.ehlo()
            link.mail("a@client.example")
            link.rcpt(TO)
            link.putcmd("DATA")
            link.getreply()
            link.send(b"half a mess")
            link.sock.shutdown(socket.SHUT_RDWR)
        sums = self.check(recipients=False)
        self.assertEqual((sums["messages"], sums["accepted"]), (4, 1))

    def test_segments_that_only_the_sniffer_takes_hide_nothing_and_are_told(self):
        forger = sniffing.Forger(self.postfix.port)
        self.addCleanup(forger.close)
        kinds = (b"STARTTLS\r\n", b"RSET\r\n", b"BDAT 1000000\r\n", b"QUIT\r\n", b"DATA\r\n",
                 bytes(6), bytes(800), b"NOOP\r\n" * 100)
        for kind in kinds:
            for place in range(4):
                with self.client() as link:
                    for number, line in enumerate((*link.envelope(FROM, [TO, "x" + TO]), "DATA")):
                        if number == place:
                            forger.forge(link, kind)
                        codes = link.say(line)
                    if codes == [354]:
                        link.send(b"Subject: x\r\n\r\nText.\r\n.\r\n")
                        self.assertEqual(link.getreply()[0], 250)
        self.check(connections=4 * len(kinds), forged=True)
        self.assertGreaterEqual(int(self.sniffer.health()["forged"]), 4 * len(kinds) - 1)
        self.assertIn("contradict each other", self.sniffer.process.log())

    def test_XCLIENT_of_others_is_not_believed(self):
        with self.client() as link:
            link.ehlo()
            link.docmd("XCLIENT", "ADDR=192.0.2.8")
            link.ehlo()
            link.sendmail("a@client.example", TO, "Subject: x\n\nText.\n")
        self.check()  # of 127.0.0.1, which is not trusted
        self.assertNotIn("192.0.2.8", self.sniffer.sums())


class Trusted(WithPostfix):
    proxies = "127.0.0.0/8"

    def test_XCLIENT_of_a_trusted_proxy_is_charged_to_the_client_it_tells(self):
        for address in ("192.0.2.8", "192.0.2.9"):
            with self.client() as link:
                link.ehlo()
                self.assertEqual(link.docmd("XCLIENT", f"ADDR={address}")[0], 220)
                link.ehlo()
                link.sendmail("a@client.example", TO, "Subject: x\n\nText.\n")
        messages, _ = self.logged()
        self.sniffer.stop()
        self.assertEqual(messages, 2)
        for address in ("192.0.2.8", "192.0.2.9"):
            sums = self.sniffer.sums()[address]
            self.assertEqual([sums[name] for name in ("connections", "messages", "accepted",
                                                      "recipients")], [1, 1, 1, 1])
        self.assertEqual(self.sniffer.sums()["127.0.0.1"]["connections"], 0)

    def test_behind_XCLIENT_without_an_address_nobody_is_charged(self):
        with self.client() as link:
            self.assertEqual(link.docmd("XCLIENT", "ADDR=[UNAVAILABLE]")[0], 220)
            link.ehlo()
            link.sendmail("a@client.example", TO, "Subject: x\n\nText.\n")
        self.assertEqual(self.logged()[0], 1)
        self.sniffer.stop()
        self.assertEqual(self.sniffer.sums(), {})


class Proxied(Trusted):
    """A Postfix that believes the PROXY protocol."""

    extra = WithPostfix.extra + "smtpd_upstream_proxy_protocol = haproxy\n"
    test_XCLIENT_of_a_trusted_proxy_is_charged_to_the_client_it_tells = None
    test_behind_XCLIENT_without_an_address_nobody_is_charged = None

    def test_PROXY_headers_of_a_trusted_proxy_are_charged_to_the_client_they_tell(self):
        for version, unknown in ((1, False), (2, True), (2, False)):  # True: a health check
            first = captures.proxy_header(version, unknown)
            with sniffing.Client(self.postfix.port, first=first) as link:
                if not unknown:
                    link.sendmail(FROM, TO, TEXT)
        self.assertEqual(self.logged(), (2, 2))
        self.sniffer.stop()
        sums = self.sniffer.sums()[captures.PROXY_CLIENT[0]]
        self.assertEqual([sums[name] for name in ("connections", "messages", "accepted",
                                                  "recipients")], [2, 2, 2, 2])
        self.assertEqual(sum(self.sniffer.sums()["127.0.0.1"].values()), 0)

    def test_mail_of_whom_a_trusted_proxy_does_not_know_is_charged_to_nobody(self):
        # version 2: Postfix 3.7 does not take "PROXY UNKNOWN"
        with sniffing.Client(self.postfix.port, first=captures.proxy_header(2, True)) as link:
            link.sendmail(FROM, TO, TEXT)
        self.assertEqual(self.logged()[0], 1)
        self.sniffer.stop()
        self.assertEqual(sum(sum(sums.values()) for sums in self.sniffer.sums().values()), 0)


class Encrypted(WithPostfix):
    def test_messages_inside_TLS_are_estimated(self):
        for number in range(10):
            with self.client(tls=True) as link:
                for size in range(number):
                    link.sendmail("a@client.example", [TO] + REFUSED[:number % 3],
                                  TEXT + "Text and more of it.\n" * 10 ** (size % 4))
        messages, _ = self.logged()
        self.check(estimated=messages, connections=10, recipients=False)

    def test_swaks(self):
        for words in ((), ("--pipeline",), ("--attach", "@" + __file__)):
            sniffing.swaks(self.postfix.port, "-f", FROM, "-t", TO, "-tls", *words)
        sniffing.swaks(self.postfix.port, "-f", FROM, "-t", REFUSED[0], "-tls")
        self.check(estimated=3, connections=4)

    def test_messages_in_chunks(self):
        with self.client(tls=True) as link:
            for number in range(12):
                body = "more\n" * (50 + 10 ** (number % 5))
                link.chunks(FROM, REFUSED[:number % 3] + [TO], TEXT + body)
        self.check(estimated=12, connections=1)

    def test_commands_behind_the_dot_hide_no_message(self):
        body = TEXT + "Text and more of it.\n" * 200
        for behind in ("NOOP",) * 3, ("RSET",) * 6:
            with self.client(tls=True) as link:
                for _ in range(5):
                    link.pipelined(FROM, [TO], body, behind=behind)
        self.assertEqual(self.logged()[0], 10)
        self.sniffer.stop()
        # how they were answered cannot be told
        self.assertEqual(self.sniffer.sums()["127.0.0.1"],
                         {"connections": 2, "messages": 10, "estimated": 10})

    def test_replies_heard_in_the_clear_calibrate_them(self):
        for tls in (False, True):
            with self.client(tls) as link:
                for _ in range(6):
                    link.sendmail("a@client.example", TO, TEXT)
        self.check(estimated=6, connections=2)


def syn(port, number):
    """A SYN as anybody can forge it, with IP around it."""
    source = struct.pack(">I", 0x0a000000 + number * 2654435761 % 0x00ffffff)
    target = socket.inet_aton("127.0.0.1")
    tcp = struct.pack(">HHIIBBHHH", 1024 + number % 60000, port, number, 0, 0x50, 2, 8192, 0, 0)
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, source, target) + tcp


class Daemon(WithPostfix):
    def resident(self):
        text = pathlib.Path(f"/proc/{self.sniffer.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1))

    def test_it_gives_up_its_rights(self):
        text = pathlib.Path(f"/proc/{self.sniffer.process.pid}/status").read_text()
        self.assertEqual(re.search(r"CapEff:\s+(\w+)", text).group(1), "0" * 16)
        self.assertEqual(re.search(r"CapPrm:\s+(\w+)", text).group(1), "0" * 16)
        self.assertNotEqual(re.search(r"Uid:\s+(\d+)", text).group(1), "0")
        self.assertIn("NoNewPrivs:\t1", text)

    def test_a_flood_of_forged_SYNs_blames_nobody_and_costs_no_memory(self):
        self.source("-m", 5)
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            for number in range(1000):
                raw.sendto(syn(self.postfix.port, number), ("127.0.0.1", 0))
            time.sleep(1.2)
            before = self.resident()
            for number in range(60_000):
                raw.sendto(syn(self.postfix.port, number), ("127.0.0.1", 0))
        self.source("-m", 5)
        time.sleep(1.2)
        self.assertLess(self.resident() - before, 2000)
        sums = self.check()
        self.assertEqual(sums["accepted"], 10)
        self.assertEqual([address for address, sum_ in self.sniffer.sums().items()
                          if sum_["connections"] or sum_["messages"]], ["127.0.0.1"])

    def test_a_reload_takes_other_ports_and_keeps_what_it_counts(self):
        self.source("-m", 3)
        rig.wait_for(lambda: self.sniffer.sums()["127.0.0.1"]["accepted"] == 3)
        self.sniffer.weir.configure(sniffer={"ports": f"2525, {self.postfix.port}"})
        self.sniffer.process.send(signal.SIGHUP)
        rig.wait_for(lambda: "2 ports" in self.sniffer.process.log())
        self.source("-m", 4)
        self.sniffer.weir.configure(sniffer={"ports": "no port"})
        self.sniffer.process.send(signal.SIGHUP)
        rig.wait_for(lambda: "1 to 65535" in self.sniffer.process.log())
        self.source("-m", 5)
        self.assertEqual(self.check()["accepted"], 12)

    def test_a_reload_with_another_interface_listens_where_it_did_and_says_so(self):
        self.sniffer.weir.configure(sniffer={"interface": "other0"})
        for times in (1, 2):
            self.sniffer.process.send(signal.SIGHUP)
            rig.wait_for(lambda: self.sniffer.process.log().count("configuration read") == times)
            self.assertEqual(self.sniffer.process.log().count("needs a restart"), times)
        self.assertNotIn("at other0", self.sniffer.process.log())
        self.source("-m", 3)
        self.assertEqual(self.check()["accepted"], 3)

    def test_a_line_tells_each_second_how_it_fares(self):
        rig.wait_for(lambda: len([line for line in self.sniffer.lines()
                                  if line["kind"] == "health"]) >= 3)
        times = [float(line["at"]) for line in self.sniffer.lines() if line["kind"] == "health"]
        self.assertTrue(all(0.5 < b - a < 2 for a, b in zip(times, times[1:])), times)

    def test_what_cannot_be_listened_at_is_named(self):
        with self.assertRaisesRegex(rig.Trouble, "nosuch0"):
            sniffing.Sniffer(25, interface="nosuch0")

    def test_A13_a_second_sniffer_at_a_spool_is_refused_and_the_first_goes_on(self):
        for killed in (False, True):
            if killed:
                self.sniffer.process.stop(signal.SIGKILL)
                self.sniffer = sniffing.Sniffer(self.postfix.port, before=self.sniffer)
                self.addCleanup(self.sniffer.process.end)
            for interface in ("lo", "any"):
                second = rig.Process([rig.BUILD / "weir-sniffer", "-c", self.sniffer.weir.conf,
                                      "-i", interface], self.sniffer.folder / "second.log")
                second.start()
                rig.wait_for(lambda: not second.alive())  # pylint: disable=W0640
                self.assertEqual(second.popen.returncode, 75)
                self.assertIn("another weir-sniffer writes to", second.log())
        self.source("-m", 7)
        self.assertEqual(self.check()["accepted"], 7)

    def test_all_interfaces_at_once(self):
        every = sniffing.Sniffer(self.postfix.port, interface="any")
        self.source("-m", 7)
        self.logged()
        every.stop()
        self.assertEqual(every.sums()["127.0.0.1"]["accepted"], 7)


if __name__ == "__main__":
    harness.main()

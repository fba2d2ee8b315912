"""weir-sniffer listens to a real Exim, Debian's light and heavy build, in a network namespace of
its own: connections, messages, accepted ones and recipients are those of Exim's log, in the
clear, pipelined and in chunks (BDAT); inside TLS, where they are estimates, the accepted ones.
"""
import pathlib
import re
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import exim
import harness
import rig
import sniffing
from monitor import clock_of, needs_clocks, set_clock

FROM = "a@client.example"
TO = "box@" + exim.DOMAIN
REFUSED = [f"refused{number}@{exim.DOMAIN}" for number in range(3)]
TEXT = f"From: {FROM}\nTo: {TO}\nSubject: x\nMessage-Id: <1@client.example>\n\nText.\n"
UNWANTED = TEXT.replace("Subject: x", "Subject: unwanted")
RECIPIENT = """\
  deny local_parts = ^refused
  defer local_parts = ^grey
    message = Greylisted, please try again later
"""
DATA = """\
  deny condition = ${if eq{$h_subject:}{unwanted}}
    message = we do not want that kind of mail, and what is more, we never did want any of it
"""


def setUpModule():
    sniffing.prepare()


class WithExim(unittest.TestCase):
    build = "light"
    data = DATA
    wrapped = False  # TLS from the first octet on, as on port 465

    @classmethod
    def setUpClass(cls):
        folder, port = rig.scratch(), rig.free_port()
        exim.make_account()
        cert, key = sniffing.certificate(folder)
        exim.hand_over(folder)
        cls.exim = exim.PrivateExim(
            folder, cls.build, recipient=RECIPIENT, data=cls.data, tls="*",
            log="+received_recipients +smtp_incomplete_transaction", port=port,
            extra=f"tls_certificate = {cert}\ntls_privatekey = {key}\n"
                  "recipients_max = 2000\nsmtp_accept_max_nonmail = 1000\n"
                  f"tls_on_connect_ports = {port if cls.wrapped else ''}\n")
        cls.exim.start()

    @classmethod
    def tearDownClass(cls):
        cls.exim.stop()

    def setUp(self):
        rig.wait_for(lambda: sniffing.is_alone(self.exim.port))
        self.seen = len(self.exim.mainlog())
        self.sniffer = sniffing.Sniffer(self.exim.port)
        self.addCleanup(self.sniffer.process.end)

    def logged(self):
        """What Exim logged since the test began, in the sniffer's words."""
        rig.wait_for(lambda: sniffing.is_alone(self.exim.port), 20, "the last client to be gone")
        time.sleep(0.2)  # Exim writes some lines when it has closed
        log = self.exim.mainlog()[self.seen:]
        taken = re.findall(r" <= .* for (.*)", log)
        refused, given_up = log.count(" rejected after DATA"), log.count(" incomplete transaction ")
        return {"connections": log.count("TCP/IP connection count"), "accepted": len(taken),
                "messages": len(taken) + refused + given_up,
                "recipients": sum(len(line.split()) for line in taken)}

    def client(self, tls=False):
        return sniffing.Client(self.exim.port, tls)

    def check(self, *but, told=frozenset()):
        """What was counted, but for some words, is what Exim logged."""
        logged = self.logged()
        self.sniffer.stop()
        sums = self.sniffer.sums()["127.0.0.1"]
        self.assertEqual({name: sums[name] for name in logged if name not in but},
                         {name: value for name, value in logged.items() if name not in but},
                         self.sniffer.process.log()[-2000:])
        self.assertEqual({"gaps", "odd", "forged"} & set(self.sniffer.health()), told)
        self.assertGreater(logged["accepted"], 0)
        return sums


class Clear(WithExim):
    def test_swaks_one_message_a_connection(self):
        for words in ((), ("--pipeline",), ("--attach", "@" + __file__)):
            sniffing.swaks(self.exim.port, "-f", FROM, "-t", ",".join([TO, REFUSED[0]]), *words)
        sniffing.swaks(self.exim.port, "-f", FROM, "-t", REFUSED[0])  # nobody takes it
        sniffing.swaks(self.exim.port, "-f", FROM, "-t", TO, "-h-Subject", "unwanted")
        sums = self.check("recipients")
        self.assertEqual([sums[name] for name in ("connections", "messages", "accepted")],
                         [5, 5, 3])
        self.assertEqual(sums["recipients"], 4)  # of refused bodies, too

    def test_smtp_source_one_message_a_connection_and_many(self):
        for words in (("-s", 5, "-l", 3000), ("-s", 3, "-d", "-l", 20000), ("-d", "-r", 3)):
            sniffing.smtp_source(self.exim.port, TO, "-m", 30, *words)
        self.assertEqual(self.check()["accepted"], 90)

    def test_many_messages_a_connection_with_recipients_refused(self):
        for count in (1, 7, 40):
            with self.client() as link:
                for number in range(count):
                    good = [f"u{other}@{exim.DOMAIN}" for other in range(1 + number % 9)]
                    codes = link.pipelined(FROM, REFUSED[:number % 4] + good, TEXT)
                    self.assertEqual(codes[-1], 250)
        self.check()

    def test_pipelined_one_behind_the_other(self):
        with self.client() as link:
            for number in range(20):
                behind = [["RSET"], ["NOOP"], ["RSET", "NOOP"]][number % 3]
                link.pipelined(FROM, REFUSED[:1] + [TO], TEXT + "..\n.\n", behind)
        self.check()

    def test_hundreds_of_recipients_in_one_go(self):
        with self.client() as link:  # a line of the log has room for no more
            link.pipelined(FROM, [f"u{number}@{exim.DOMAIN}" for number in range(400)], TEXT)
        self.assertEqual(self.check()["recipients"], 400)

    def test_more_messages_in_one_go_than_commands_can_wait_are_counted_and_told(self):
        for mails in (10, 30, 60):
            with self.client() as link:
                codes = sniffing.many_in_one_go(link, FROM, TO, TEXT, mails)
            self.assertEqual(codes, [250] * mails)
        with self.client() as link:
            junk = ["RSET", "NOOP"] * 35
            self.assertEqual(link.say(*junk), [250] * 70)
            link.pipelined(FROM, [f"u{number}@{exim.DOMAIN}" for number in range(60)], TEXT)
        self.check(told={"odd"})

    def test_messages_in_chunks(self):
        with self.client() as link:
            for number in range(12):
                to = REFUSED[:number % 3] + [TO, "other@" + exim.DOMAIN]
                body = "more\n" * 10 ** (number % 4)
                link.chunks(FROM, to, TEXT + body)
                link.chunks(FROM, to, TEXT, body, body)
                link.chunks(FROM, to, TEXT, body, "")
                self.assertEqual(link.chunks(FROM, to, TEXT, body, at_once=True)[-1], 250)
        self.check()

    def test_chunks_given_up_or_refused(self):
        with self.client() as link:
            self.assertEqual(link.chunks(FROM, [TO], TEXT, UNWANTED)[-1], 250)
            self.assertEqual(link.chunks(FROM, [TO], UNWANTED)[-1], 550)
            link.chunks(FROM, REFUSED[:1], TEXT, at_once=True)
            link.say("RSET")
            link.say(*link.envelope(FROM, [TO]))
            self.assertEqual(link.say("BDAT 10", body=b"Subject: x"), [250])
            sniffing.part(link)
        sums = self.check("recipients", "messages")
        # Exim does not log the last one, of which it never saw the end
        self.assertEqual((sums["messages"], sums["accepted"]), (4, 1))

    def test_given_up_refused_or_torn_off(self):
        with self.client() as link:
            link.say(*link.envelope(FROM, [TO]), "RSET")
            link.say(*link.envelope(FROM, REFUSED), "RSET")
            link.pipelined(FROM, [TO], UNWANTED, ["RSET"])
            link.pipelined(FROM, [TO], TEXT)
            link.say(*link.envelope(FROM, [TO]))
        with self.client() as link:
            link.say(*link.envelope(FROM, [TO]), "DATA")
            link.send(b"half a mess")
            sniffing.part(link)
        sums = self.check("recipients", "messages")
        # Exim does not log the one that was torn off within its body as a transaction
        self.assertEqual((sums["messages"], sums["accepted"]), (6, 1))


class Heavy(Clear):
    build = "heavy"


class ClockSteps(WithExim):
    """A wall clock that is set while a message is under way changes nothing in what is counted."""

    def setUp(self):
        needs_clocks()
        super().setUp()
        self.clock = self.sniffer.folder / "clock"
        set_clock(self.clock, 0)
        process = self.sniffer.process
        process.stop()
        process.environment = clock_of(self.clock)
        process.start()
        process.ready(lambda: process.log().count("listening") == 2)

    def passes(self):
        """Until the sniffer has written two lines more."""
        count = len(self.sniffer.lines())
        rig.wait_for(lambda: len(self.sniffer.lines()) >= count + 2, 10, "two seconds")

    def test_in_the_envelope_and_in_the_body(self):
        for seconds in (3600, 0, -3600):
            with self.client() as link:
                link.say(*link.envelope(FROM, [TO]))
                set_clock(self.clock, seconds)
                self.passes()
                link.say("DATA")
                link.send(b"Subject: x\r\n")
                set_clock(self.clock, 0)
                self.passes()
                link.send(TEXT.replace("\n", "\r\n").encode() + b".\r\n")
                self.assertEqual(link.getreply()[0], 250)
        self.check()


class Encrypted(WithExim):
    """Each estimated message counts with one recipient; what was refused is not seen at all."""

    def check_estimate(self):
        sums = self.check("recipients", "messages")
        self.assertEqual([sums[name] for name in ("messages", "estimated", "recipients")],
                         [sums["accepted"]] * 3)
        return sums

    def test_swaks(self):
        for words in ((), ("--pipeline",), ("--attach", "@" + __file__)):
            sniffing.swaks(self.exim.port, "-f", FROM, "-t", TO, "-tls", *words)
        sniffing.swaks(self.exim.port, "-f", FROM, "-t", REFUSED[0], "-tls")
        sniffing.swaks(self.exim.port, "-f", FROM, "-t", TO, "-h-Subject", "unwanted", "-tls")
        self.assertEqual(self.check_estimate()["accepted"], 3)

    def test_many_messages_a_connection(self):
        for count in (0, 1, 7, 40):
            with self.client(tls=True) as link:
                for number in range(count):
                    good = [f"u{other}@{exim.DOMAIN}" for other in range(1 + number % 9)]
                    text = TEXT + "Text and more of it.\n" * 10 ** (number % 5)
                    (link.sendmail if number % 2 else link.pipelined)(
                        FROM, REFUSED[:number % 4] + good, text)
        self.check_estimate()

    def test_messages_in_chunks(self):
        with self.client(tls=True) as link:
            for number in range(12):
                body = "more\n" * (50 + 10 ** (number % 5))
                link.chunks(FROM, REFUSED[:number % 3] + [TO], TEXT + body)
        self.check_estimate()

    def test_messages_in_several_chunks_are_estimated_badly(self):
        with self.client(tls=True) as link:
            for number in range(12):
                body = "more\n" * (50 + 10 ** (number % 5))
                link.chunks(FROM, [TO], TEXT, body, body)
        sums = self.check("accepted", "recipients", "messages")
        self.assertEqual(sums["estimated"], sums["messages"])
        # the reply to one chunk looks like that to the last one
        self.assertIn(sums["accepted"], range(12, 25))

    def test_chunks_in_one_go_with_their_envelope_are_not_seen(self):
        with self.client(tls=True) as link:
            link.pipelined(FROM, [TO], TEXT)
            for _ in range(5):
                self.assertEqual(link.chunks(FROM, [TO], TEXT, at_once=True), [250] * 3)
        self.assertEqual(self.check("accepted", "recipients", "messages")["accepted"], 1)

    def test_given_up_or_refused(self):
        with self.client(tls=True) as link:
            link.say(*link.envelope(FROM, [TO]), "RSET")
            link.say(*link.envelope(FROM, REFUSED), "RSET")
            link.pipelined(FROM, [TO], UNWANTED, ["RSET"])
            link.pipelined(FROM, [TO], TEXT)
            link.say(*link.envelope(FROM, [TO]))
        self.check_estimate()

    def test_long_envelopes_that_are_greylisted_are_no_messages(self):
        sender = "bounces+12345-678-user=example.com@mail.newsletter.example"
        names = [f"grey{number}-a-rather-long-name-as-lists-make-them-up@{exim.DOMAIN}"
                 for number in range(9)]
        with self.client(tls=True) as link:
            for name in names:
                lines = f"MAIL FROM:<{sender}> SIZE=20000", f"RCPT TO:<{name}>"
                self.assertEqual(link.say(*lines), [250, 451])
                link.say("RSET")
                for line in (*lines, "RSET"):
                    link.say(line)
            link.say(f"MAIL FROM:<{sender}> SIZE=20000")
            for name in names:
                link.say(f"RCPT TO:<{name}>")
            link.say("RSET")
            link.pipelined(FROM, [TO], TEXT)
        self.assertEqual(self.check_estimate()["accepted"], 1)


class Wrapped(Encrypted):
    """The same with TLS from the first octet on."""
    wrapped = True
    test_messages_in_several_chunks_are_estimated_badly = None
    test_chunks_in_one_go_with_their_envelope_are_not_seen = None

    def client(self, tls=True):
        return sniffing.Wrapped(self.exim.port)

    def test_swaks(self):
        for words in ((), ("--pipeline",), ("--attach", "@" + __file__)):
            sniffing.swaks(self.exim.port, "-f", FROM, "-t", TO, "-tlsc", *words)
        sniffing.swaks(self.exim.port, "-f", FROM, "-t", REFUSED[0], "-tlsc")
        self.assertEqual(self.check_estimate()["accepted"], 3)


if __name__ == "__main__":
    harness.main()

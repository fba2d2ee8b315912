"""Connections that stay open: their messages are told as they end, and a sniffer that is started
again neither loses nor doubles what they did before it, and goes on with them.
"""
import pathlib
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
import sniffing
import test_sniffer_exim
from test_sniffer_exim import FROM, TEXT, TO


def setUpModule():
    sniffing.prepare()


class Open(test_sniffer_exim.WithExim):
    def told(self):
        return self.sniffer.sums()["127.0.0.1"]

    def wait_for(self, accepted):
        rig.wait_for(lambda: self.told()["accepted"] >= accepted, 5, f"{accepted} messages: "
                     f"{self.told()}")
        self.assertEqual(self.told()["accepted"], accepted)

    def start_again(self, number=signal.SIGTERM):
        """What is heard meanwhile is nobody's: so nothing is said.  A sniffer that is killed had
        time to write the second that was at hand."""
        if number == signal.SIGKILL:
            time.sleep(1.2)
        self.sniffer.process.stop(number)
        self.sniffer = sniffing.Sniffer(self.exim.port, before=self.sniffer)
        self.addCleanup(self.sniffer.process.end)

    def stay(self, tls, number):
        with self.client(tls) as link:
            for count in range(1, 4):
                link.pipelined(FROM, [TO], TEXT)
                self.wait_for(count)  # while it is open
            self.start_again(number)
            for count in range(4, 7):
                link.pipelined(FROM, [TO], TEXT)
                self.wait_for(count)
            self.start_again(number)
            self.start_again(number)
            link.pipelined(FROM, [TO], TEXT)
            self.wait_for(7)
        sums = self.check("recipients", "messages")
        self.assertEqual(sums["messages"], 7)
        return sums

    def test_messages_of_an_open_connection_are_told_while_it_is_open(self):
        self.assertEqual(self.stay(False, signal.SIGTERM)["recipients"], 7)

    def test_the_same_after_kill(self):
        self.assertEqual(self.stay(False, signal.SIGKILL)["recipients"], 7)

    def test_the_same_inside_TLS(self):
        self.assertEqual(self.stay(True, signal.SIGTERM)["estimated"], 7)

    def test_a_message_whose_envelope_was_before_the_restart_counts_after_it(self):
        with self.client() as link:
            link.say(*link.envelope(FROM, [TO]))
            self.start_again()
            link.say("DATA")
            link.send(TEXT.replace("\n", "\r\n").encode() + b".\r\n")
            self.assertEqual(link.getreply()[0], 250)
        self.check("recipients")


del test_sniffer_exim

if __name__ == "__main__":
    harness.main()

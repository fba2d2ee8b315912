"""What the Exim module logged calibrates the sniffer's estimates inside TLS on the same host: a
server whose "250 queued" is so long that no message was seen is found out, and what stands in the
spool otherwise changes nothing.
"""
import fcntl
import os
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import exim
import harness
import rig
import sniffing

FROM = "a@client.example"
TO = "box@" + exim.DOMAIN
TEXT = f"From: {FROM}\nTo: {TO}\nSubject: x\nMessage-Id: <1@client.example>\n\nText.\n"
LONG = ("  accept message = thank you for this message, which we are going to read with great "
        "care and pleasure\n")


def setUpModule():
    sniffing.prepare()


class WithModule(unittest.TestCase):
    module = True

    @classmethod
    def setUpClass(cls):
        cls.folder = rig.scratch()
        cls.weir = rig.Weir(cls.folder, spool={"folder": cls.folder / "weir" / "spool"})
        cls.weir.make_lists()
        exim.make_account()
        cert, key = sniffing.certificate(cls.folder)
        exim.hand_over(cls.folder)
        cls.exim = exim.PrivateExim(
            cls.folder, "light", cls.weir if cls.module else None, data=LONG, tls="*",
            extra=f"tls_certificate = {cert}\ntls_privatekey = {key}\n")
        cls.exim.start()

    @classmethod
    def tearDownClass(cls):
        cls.exim.stop()

    def setUp(self):
        rig.wait_for(lambda: sniffing.is_alone(self.exim.port))
        self.spool = self.folder / "weir" / "spool"
        # files of the spool are for their writers' group: here that is Exim's
        self.sniffer = sniffing.Sniffer(self.exim.port, spool=self.spool, user=exim.ACCOUNT)
        self.addCleanup(self.sniffer.process.end)

    def send(self, first, count, tls=True):
        """A message from each of so many clients."""
        for number in range(first, first + count):
            with sniffing.Client(self.exim.port, tls, f"127.0.0.{number}") as link:
                self.assertEqual(link.pipelined(FROM, [TO], TEXT)[-1], 250)

    def accepted(self, first, count):
        sums = self.sniffer.sums()
        return sum(sums[f"127.0.0.{number}"]["accepted"] for number in range(first, first + count))

    def settle(self, seconds):
        """Waits for health lines that are so much younger."""
        begun = time.time()
        rig.wait_for(lambda: [line for line in self.sniffer.lines() if line["kind"] == "health"
                              and float(line["at"]) > begun + seconds], seconds + 10)


class Witnessed(WithModule):
    def test_messages_that_the_module_logged_calibrate_estimates(self):
        self.settle(0)
        self.assertNotIn("calibrated", self.sniffer.health())
        self.send(10, 12)
        rig.wait_for(lambda: "calibrated" in self.sniffer.health(), 15, "calibration")
        self.assertEqual(self.accepted(10, 12), 0)  # its reply is longer than usual
        self.assertEqual(self.sniffer.health()["calibrated"], "1")
        self.send(30, 12)
        self.settle(5)
        self.sniffer.stop()
        self.assertEqual(self.accepted(30, 12), 12)
        self.assertEqual(self.sniffer.health()["witnessed"], "24")

    def test_lines_of_the_spool_that_fit_nothing_change_nothing(self):
        forged = self.spool / f"milter-{time.time():.0f}-1.log.part"
        self.addCleanup(forged.unlink, True)
        line = ("at={at} program=milter queue_id=x listener=- hops={client} name=- dkim=- "
                "recipients=1 verdict=ham score=0.00 action={action} boundary=- hop=0:x\n")
        old = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
        far = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
        self.send(50, 6, tls=False)
        with open(forged, "w", encoding="latin-1") as out:
            fcntl.flock(out, fcntl.LOCK_EX)  # else it is nobody's, and gets its final name
            for at in (old, far, "", "-", "1795312463.5"):
                for client in ("127.0.0.1", "-", "x", "127.0.0.1," * 500):
                    out.write(line.format(at=at, client=client, action="pass"))
            for _ in range(20):
                now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
                out.write(line.format(at=now, client="198.51.100.77", action="pass"))
                out.write(line.format(at=now, client="127.0.0.1", action="reject"))
            out.write("x" * 200_000 + "\n\0\0\0\n" + "at=\n" * 1000)
            out.flush()
            os.chown(forged, exim.make_account().pw_uid, -1)
            self.settle(6)
        health = self.sniffer.health()
        self.assertNotIn("witnessed", health)
        # the clear text of six connections calibrates, too
        self.assertEqual(health["calibrated"], "1")


class Alone(WithModule):
    module = False

    def test_without_a_plug_in_nothing_changes(self):
        self.send(10, 8)
        self.settle(6)
        self.sniffer.stop()
        self.assertEqual(self.accepted(10, 8), 0)
        self.assertNotIn("calibrated", self.sniffer.health())
        self.assertNotIn("witnessed", self.sniffer.health())


if __name__ == "__main__":
    harness.main()

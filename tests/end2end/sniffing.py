"""sniffing - a weir-sniffer that listens in a network of the test's own, and what it told.

Whose traffic is heard is the test's business: its mail servers and clients run in the same
network, so that nothing else is ever captured.
"""
import collections
import ctypes
import os
import shutil
import subprocess
import time
import unittest

import rig

NEW_NETWORK = 0x40000000


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


def certificate(folder):
    """A self-signed certificate and its key."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert,
                    "-days", "2", "-subj", "/CN=mx.test.example"], check=True,
                   capture_output=True)
    return cert, key


class Sniffer:
    """A weir-sniffer at the loopback interface, with a spool of its own, or in another's place:
    that of before."""

    def __init__(self, port, interface="lo", before=None, spool=None, **settings):
        self.folder = before.folder if before else rig.scratch()
        self.folder.chmod(0o777)  # it becomes nobody, and makes the spool there
        self.spool = spool or self.folder / "spool"
        self.weir = rig.Weir(self.folder)
        self.weir.configure(weir={"log_level": "debug"}, spool={"folder": self.spool},
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

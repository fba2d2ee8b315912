"""weir-policyd under an account of its own, weirctl run by root: as a package sets them up."""
import os
import pathlib
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import postfix
import rig
import smtp


class DaemonUser(unittest.TestCase):
    def setUp(self):
        rig.needs_root()
        self.account = postfix.make_accounts()
        self.folder = rig.scratch()
        self.weir = rig.Weir(self.folder, weir={"mode": "enforce"})
        os.chown(self.weir.folder, self.account.pw_uid, self.account.pw_gid)

    def start(self):
        """Runs a copy: the account may not be let into the folder of the build."""
        copy = shutil.copy(rig.BUILD / "weir-policyd", self.folder)
        port = rig.free_port()
        self.weir.configure(policyd={"listen": f"inet:127.0.0.1:{port}"})
        daemon = rig.Process(["setpriv", "--reuid", self.account.pw_uid, "--regid",
                              self.account.pw_gid, "--clear-groups", copy, "-c", self.weir.conf],
                             self.folder / "policyd.log")
        daemon.start()
        self.addCleanup(daemon.end)
        daemon.ready(lambda: rig.accepts(port))
        return smtp.Policy(port)

    def check(self, policy):
        with policy:
            rig.wait_for(lambda: policy.ask("203.0.113.7").startswith("550"), 3,
                         "the listed address to be refused")
            spam = policy.ask("203.0.113.8", sender="ann@shop.example")
            self.assertTrue(spam.startswith("550"), spam)
        log = (self.folder / "policyd.log").read_text()
        self.assertNotIn("missing=", log)
        self.assertNotIn("ermission denied", log)

    def write_as_root(self):
        self.weir.ctl("blacklist", "add", "203.0.113.7", "--for", "1h", "--reason", "test")
        self.weir.learn("spam", "203.0.113.8", "shop.example", 20)

    def test_daemon_reads_what_root_made_before_it_first_started(self):
        self.write_as_root()
        self.check(self.start())

    def test_daemon_reads_what_root_writes_while_it_runs(self):
        policy = self.start()
        policy.ask("198.51.100.1")
        self.write_as_root()
        self.check(policy)


if __name__ == "__main__":
    harness.main()

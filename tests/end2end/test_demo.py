"""`make run` as a new user sees it: the table it prints, and that it leaves nothing behind."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig

DEMO = pathlib.Path(__file__).with_name("demo.py")

# mail: verdict, action, first word of its reply
TABLE = {
    "spam-doge.eml": ("blocked", "reject", "550"),
    "spam-loan.eml": ("spam", "reject", "550"),
    "good-invoice.eml": ("ham", "pass", "250"),
    "good-newsletter.eml": ("ham", "pass", "250"),
    "spam-auditor.eml": ("unsure", "pass", "250"),
    "good-personal.eml": ("ham", "pass", "250"),
    "good-bounce.eml": ("ham", "pass", "250"),
}


def rows(text):
    """mail: (verdict, action, reply code, delivered, header) of the printed table."""
    found = {}
    for part in re.split(r"\n(?=\S+\.eml )", text)[1:]:
        words = part.split("\n", 1)[0].split()
        reply = re.search(r"\n    reply      (\d+)", part).group(1)
        delivered = re.search(r"\n    delivered  (\S+)", part).group(1)
        found[words[0]] = (*words[3:5], reply, delivered, "header     X-Weir-Policy: " in part)
    return found


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        rig.needs_root()

    @staticmethod
    def environment(port):
        return dict(os.environ, WEIR_PORT=str(port))

    def test_each_sample_gets_the_decision_it_is_there_to_show(self):
        done = subprocess.run([sys.executable, DEMO, "--once"], capture_output=True, text=True,
                              env=self.environment(rig.free_port()), timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"refused    \d+\.\d s after the first that was too many: "
                         r"550 5\.7\.1 .*Refused: 203\.0\.113\.50 is listed until")
        got = rows(done.stdout)
        self.assertEqual({mail: row[:3] for mail, row in got.items()}, TABLE, done.stdout)
        for mail, (_, action, _, delivered, header) in got.items():
            passes = action == "pass"
            self.assertEqual((delivered != "no", header), (passes, passes), mail)

    def test_it_stays_up_for_more_and_leaves_nothing_behind(self):
        port = rig.free_port()
        demo = subprocess.Popen([sys.executable, "-u", DEMO], stdout=subprocess.PIPE, text=True,
                                env=self.environment(port))
        self.addCleanup(demo.wait)
        self.addCleanup(demo.terminate)
        self.addCleanup(demo.stdout.close)
        text = ""
        for line in demo.stdout:
            text += line
            if "Ctrl-C" in line:
                break
        folder = pathlib.Path(re.search(r"all in (\S+)", text).group(1))
        one = subprocess.run([sys.executable, DEMO, "--send", "203.0.113.7", "ann@shop.example"],
                             capture_output=True, text=True, env=self.environment(port), timeout=60)
        self.assertEqual(one.returncode, 1)
        self.assertRegex(one.stdout, r"^RCPT: 550 5\.7\.1 .*Refused: 203\.0\.113\.7 is listed")
        self.assertTrue(folder.exists())
        demo.send_signal(signal.SIGINT)
        self.assertEqual(demo.wait(30), 0)
        self.assertFalse(folder.exists())
        rig.wait_for(lambda: not rig.accepts(port), what="the port to be free again")

    def test_a_taken_port_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            done = subprocess.run([sys.executable, DEMO, "--once"], capture_output=True, text=True,
                                  env=self.environment(port), timeout=60)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"127.0.0.1:{port} is taken", done.stderr)


if __name__ == "__main__":
    harness.main()

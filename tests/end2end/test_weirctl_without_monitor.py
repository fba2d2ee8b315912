"""weirctl asked about a monitor where there is none, or one that does not answer."""
import json
import pathlib
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig

UNAVAILABLE, CONFIG = 69, 78
SPAMMER = "203.0.113.7"


class WithoutMonitor(unittest.TestCase):
    def setUp(self):
        self.folder = rig.scratch()
        self.weir = rig.Weir(self.folder, monitor={"admin": f"unix:{self.folder}/none.sock"})

    def refused(self, code, reason, *words):
        done = self.weir.ctl(*words, check=False)
        self.assertEqual(done.returncode, code, f"{words}: {done.stdout}{done.stderr}")
        self.assertRegex(done.stderr, reason)

    def test_nobody_at_the_socket_is_told_with_its_name(self):
        for words in (["server", "revoke", "mx1"], ["block", SPAMMER, "--for", "4h"],
                      ["unblock", SPAMMER], ["unaccept", SPAMMER],
                      ["threshold", "remove", "partners"]):
            self.refused(UNAVAILABLE, "none.sock", *words)
        self.refused(UNAVAILABLE, "none.sock", "server", "add", "mx1", "--output",
                     self.folder / "identity")
        self.assertFalse((self.folder / "identity").exists())

    def test_a_database_that_is_not_there_is_told_with_its_name(self):
        for words in (["server", "list"], ["threshold", "show"], ["top"], ["events"],
                      ["decisions"], ["threshold", "test"],
                      ["threshold", "set", "default", "--observe"]):
            self.refused(UNAVAILABLE, "spam.db", *words)

    def test_a_configuration_without_a_socket_is_told(self):
        self.weir.configure(monitor={"admin": ""})
        self.refused(CONFIG, "admin", "server", "revoke", "mx1")

    def test_whoever_else_listens_there_is_no_monitor(self):
        listener = subprocess.Popen(
            [sys.executable, "-c", "import socket,sys;s=socket.socket(socket.AF_UNIX);"
             "s.bind(sys.argv[1]);s.listen();c,_=s.accept();c.recv(9999);"
             "c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n[]');c.close()",
             str(self.folder / "none.sock")])
        self.addCleanup(listener.wait)
        rig.wait_for((self.folder / "none.sock").exists, 10, "the listener")
        time.sleep(0.2)
        self.refused(UNAVAILABLE, "is not weir-monitor", "server", "revoke", "mx1")

    def test_a_monitor_that_has_much_to_do_is_waited_for_and_that_is_told(self):
        def answer(door):
            with door.accept()[0] as link:
                while b"}" not in link.recv(65536):
                    pass
                time.sleep(7)
                link.sendall(b'HTTP/1.1 400 Bad\r\nContent-Length: 17\r\n\r\n{"error": "done"}')

        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(self.folder / "none.sock"))
            door.listen()
            thread = threading.Thread(target=answer, args=(door,))
            thread.start()
            self.refused(65, "^the monitor has much to do: waiting for it\n.*done\n$", "analyze")
            thread.join()

    def test_a_monitor_that_hangs_is_not_waited_for_longer_than_the_manual_says(self):
        with socket.socket(socket.AF_UNIX) as hangs:  # takes connections and says nothing
            hangs.bind(str(self.folder / "none.sock"))
            hangs.listen()
            self.refused(UNAVAILABLE, "does not answer within 5 s", "block", SPAMMER, "--for", "4h")
            done = self.weir.ctl("status", check=False)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stdout, "PROBLEM .*does not answer within 5 s")

    def test_status_of_a_machine_without_a_monitor(self):
        done = self.weir.ctl("status", "--json", check=False)
        self.assertIsNone(json.loads(done.stdout)["monitor"])
        self.assertNotIn("monitor", self.weir.ctl("status", check=False).stdout)

    def test_status_of_a_monitor_that_does_not_run(self):
        (self.folder / "none.sock").touch()
        done = self.weir.ctl("status", "--json", check=False)
        status = json.loads(done.stdout)
        self.assertEqual((done.returncode, status["healthy"]), (1, False))
        self.assertFalse(status["monitor"]["running"])
        self.assertTrue(any("weir-monitor does not run" in text for text in status["problems"]))
        self.assertIn("DOWN", self.weir.ctl("status", check=False).stdout)

    def test_other_verbs_do_not_load_libcurl(self):
        needed = subprocess.run(["readelf", "-d", rig.BUILD / "weirctl"], capture_output=True,
                                text=True, check=True).stdout
        self.assertNotIn("libcurl", needed)


if __name__ == "__main__":
    harness.main()

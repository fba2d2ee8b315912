"""-t finds what a start of weir-monitor or weir-agent refuses, in the same words."""
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig

CONFIG = 78
IDENTITY = ("# a comment\nserver = mx1\nsecret = " + "a" * 42 + "A\n"
            "monitor = https://127.0.0.1:9\n")


class Configured(unittest.TestCase):
    def setUp(self):
        self.folder = rig.scratch()

    def run_it(self, program, weir, *words):
        return subprocess.run([rig.BUILD / program, "-c", weir.conf, *words], capture_output=True,
                              text=True, timeout=30, check=False)

    def refused(self, program, weir, reason):
        """By -t and by a start, with the same reason."""
        test, start = self.run_it(program, weir, "-t"), self.run_it(program, weir)
        self.assertEqual(test.returncode, CONFIG, test.stdout + test.stderr)
        self.assertNotEqual(start.returncode, 0)
        for done in (test, start):
            self.assertRegex(done.stderr, reason)
        self.assertNotIn("sound", test.stdout)

    @staticmethod
    def line_of(weir, name):
        lines = weir.conf.read_text().split("\n")
        return 1 + next(n for n, line in enumerate(lines) if line.startswith(f"{name} ="))


class Monitor(Configured):
    def weir(self, **sections):
        weir = rig.Weir(self.folder, f"monitor{len(list(self.folder.iterdir()))}")
        weir.configure(monitor={"listen": f"inet:127.0.0.1:{rig.free_port()}",
                                "admin": f"unix:{weir.folder}/admin.sock"},
                       console={"listen": ""})
        weir.configure(**sections)
        return weir

    def test_a_sound_one_is_sound_and_nothing_is_made(self):
        weir = self.weir(monitor={"alert_mail": "root@example.net", "sendmail": "/bin/true",
                                  "alert_webhook": "https://hook.example/x?y=1",
                                  "url": "https://monitor.example:8425"})
        before = sorted(weir.folder.iterdir())
        done = self.run_it("weir-monitor", weir, "-t")
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, "configuration is sound\n", ""))
        self.assertEqual(sorted(weir.folder.iterdir()), before)

    def test_a_setting_that_cannot_be_used_is_told_with_its_line(self):
        for section, name, value, reason in [
            ("threshold", "ladder", "jump 5m", "one of observe"),
            ("threshold", "ladder", "alert 5m reject 4h", "a word too many"),
            ("threshold", "connections_most", "20000000", ""),
            ("monitor", "listen", "unix:/run/weir/door.sock", "inet:host:port"),
            ("monitor", "listen", "inet:127.0.0.1:99999", "port"),
            ("monitor", "listen", "127.0.0.1", ""),
            ("monitor", "admin", "inet:127.0.0.1:80", "Unix socket"),
            ("monitor", "url", "http://monitor.example:8425", "https://host:port"),
            ("monitor", "url", "https://monitor.example/", "https://host:port"),
            ("monitor", "alert_mail", "-oQ/tmp", "addresses"),
            ("monitor", "alert_mail", "a@example.net, |sh", "addresses"),
            ("monitor", "alert_webhook", "ftp://hook.example/", "http"),
            ("monitor", "alert_webhook", "https://", ""),
            ("monitor", "alert_webhook", "https://hook.example:123456/", "[Pp]ort"),
            ("monitor", "sendmail", "sendmail", "slash"),
        ]:
            with self.subTest(f"{name} = {value}"):
                weir = self.weir(**{section: {name: value}})
                place = f"{re.escape(str(weir.conf))}:{self.line_of(weir, name)}: "
                self.refused("weir-monitor", weir, f"(?m)^{place}{name}: .*{reason}")

    def test_what_a_setting_names_is_looked_at(self):
        weir = self.weir()
        (weir.folder / "monitor.key").write_text("no key\n")
        self.refused("weir-monitor", weir, r"monitor\.key: is no PEM key")
        self.assertFalse((weir.folder / "monitor.crt").exists())
        (weir.folder / "monitor.crt").write_text("no certificate\n")
        self.refused("weir-monitor", weir, "no PEM key and its certificate")
        weir = self.weir()
        weir.configure(weir={"state_directory": self.folder / "none"})
        self.refused("weir-monitor", weir, "state_directory = .*/none: No such file")

    def test_everything_that_is_wrong_is_told_at_once(self):
        weir = self.weir(monitor={"alert_mail": "|sh", "url": "monitor"},
                         threshold={"ladder": "jump"})
        done = self.run_it("weir-monitor", weir, "-t")
        lines = re.findall(rf"(?m)^{re.escape(str(weir.conf))}:\d+: ", done.stderr)
        self.assertEqual(len(lines), 3, done.stderr)

    def test_a_program_for_alerts_that_is_not_there_is_told(self):
        for program, reason in ((self.folder / "none", "no such program"),
                                (self.folder, "cannot be executed")):
            weir = self.weir(monitor={"alert_mail": "root@example.net", "sendmail": program})
            done = self.run_it("weir-monitor", weir, "-t")
            self.assertEqual(done.returncode, CONFIG)
            self.assertRegex(done.stderr, rf"sendmail = {program}: .*{reason}")
        # It may come later, and limits are watched without it.
        process = rig.Process([rig.BUILD / "weir-monitor", "-c", weir.conf],
                              weir.folder / "monitor.log")
        process.start()
        process.ready(lambda: (weir.folder / "admin.sock").exists() and
                      "cannot be executed; alerts by mail cannot be told" in process.log())
        self.assertEqual(process.stop(), 0)


class Agent(Configured):
    def weir(self, identity=IDENTITY, mode=0o600, **sections):
        weir = rig.Weir(self.folder, f"mx{len(list(self.folder.iterdir()))}")
        path = weir.folder / "identity"
        if identity is not None:
            path.write_text(identity)
            path.chmod(mode)
        weir.configure(agent={"identity": path})
        weir.configure(**sections)
        return weir

    def test_a_sound_one_is_sound_and_nothing_is_made(self):
        weir = self.weir()
        before = sorted(weir.folder.iterdir())
        done = self.run_it("weir-agent", weir, "-t")
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, "configuration is sound\n", ""))
        self.assertEqual(sorted(weir.folder.iterdir()), before)

    def test_an_identity_that_is_none_is_told_with_its_line(self):
        for text, place in [
            (None, r"identity: No such file"),
            ("", r"identity: server, secret or monitor is missing"),
            (IDENTITY.replace("aaa", "a"), r"identity:3: secret is not"),
            (IDENTITY.replace("https", "http"), r"identity:4: monitor is not"),
            (IDENTITY + "pin = sha256//x\n", r"identity:5: pin is not"),
            (IDENTITY.replace("# a comment", "who knows"), r"identity:1: a line is not name"),
            ("x" * 100000, r"identity: too long"),
        ]:
            with self.subTest(place):
                self.refused("weir-agent", self.weir(text), place)

    def test_an_identity_that_everybody_may_use_is_refused(self):
        for mode in (0o644, 0o604, 0o602, 0o666):
            with self.subTest(oct(mode)):
                self.refused("weir-agent", self.weir(mode=mode), f"its mode is {mode:04o}: every")
        for mode in (0o400, 0o600, 0o640, 0o660):
            with self.subTest(oct(mode)):
                done = self.run_it("weir-agent", self.weir(mode=mode), "-t")
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_a_setting_names_is_looked_at(self):
        weir = self.weir(agent={"authorities": self.folder / "none"})
        place = f"{re.escape(str(weir.conf))}:{self.line_of(weir, 'authorities')}: "
        self.refused("weir-agent", weir, f"{place}authorities: .*: the file cannot be read")
        weir = self.weir()
        weir.configure(weir={"state_directory": self.folder / "none"})
        self.refused("weir-agent", weir, "state_directory = .*/none: No such file")


if __name__ == "__main__":
    harness.main()

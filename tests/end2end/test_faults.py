"""What goes wrong around a running weir-policyd: files cut short, a full disk, the first entry."""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import policyd
import rig

CTL_FAILED = (69, 73, 74, 75, 78)


class Faults(policyd.Daemon):
    def test_a_file_cut_short_under_the_daemon_stops_neither_it_nor_mail(self):
        daemon = self.start()
        client = self.client(daemon.port)
        self.assertRegex(client.ask(policyd.LISTED), policyd.REFUSAL)
        for name in ("lists.db", "counters.db"):
            with self.subTest(name):
                kept = (self.weir.folder / name).read_bytes()
                os.truncate(self.weir.folder / name, 0)
                self.assertEqual(client.ask(policyd.OTHER), policyd.NEUTRAL)
                (self.weir.folder / name).write_bytes(kept)
        self.assertTrue(daemon.process.alive())

    def test_lists_restored_by_rename_act_again(self):
        daemon = self.start()
        client = self.client(daemon.port)
        lists = self.weir.folder / "lists.db"
        kept = lists.read_bytes()
        os.truncate(lists, 0)
        client.ask(policyd.OTHER)
        (self.weir.folder / "new").write_bytes(kept)
        os.rename(self.weir.folder / "new", lists)
        rig.wait_for(lambda: policyd.REFUSAL.match(client.ask(policyd.LISTED)), 10, "the refusal")

    def test_the_very_first_entry_acts_at_once(self):
        weir = rig.Weir(rig.scratch(), weir={"mode": "enforce"})
        daemon = self.start(weir=weir)
        client = self.client(daemon.port)
        self.assertEqual(client.ask(policyd.LISTED), policyd.NEUTRAL)
        weir.ctl("blacklist", "add", policyd.LISTED, "--reason", "it spams", "--for", "1h")
        self.assertRegex(client.ask(policyd.LISTED), policyd.REFUSAL)

    def test_all_of_ipv6_holds_no_ipv4(self):
        weir = rig.Weir(rig.scratch(), weir={"mode": "enforce", "never": "::/0"})
        weir.ctl("blacklist", "add", policyd.LISTED, "--reason", "it spams", "--for", "1h")
        daemon = self.start(weir=weir)
        self.assertRegex(self.client(daemon.port).ask(policyd.LISTED), policyd.REFUSAL)

    def test_a_refusal_for_the_address_alone_names_no_domain(self):
        weir = rig.Weir(rig.scratch(), weir={"mode": "enforce"})
        weir.learn("spam", policyd.OTHER, "big.example", times=60)
        client = self.client(self.start(weir=weir).port)
        answer = client.ask(policyd.OTHER, sender="a@other.example")
        self.assertIn(b"sends mostly spam (ref", answer)


class FullDisk(policyd.Daemon):
    def setUp(self):
        self.disk = rig.scratch() / "disk"
        self.disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(self.disk)]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
            self.skipTest("a small file system cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", str(self.disk)], check=False)
        (self.disk / "filler").write_bytes(b"x" * (252 << 10))

    def test_a_full_disk_stops_neither_daemon_nor_mail(self):
        weir = rig.Weir(rig.scratch(), weir={"state_directory": self.disk})
        done = weir.ctl("blacklist", "add", policyd.LISTED, check=False)
        self.assertIn(done.returncode, CTL_FAILED, done)
        daemon = self.start(weir=weir)
        self.assertTrue(self.client(daemon.port).ask(policyd.LISTED).startswith(b"action="))
        self.assertTrue(self.lines(daemon, "No space left"))


if __name__ == "__main__":
    harness.main()

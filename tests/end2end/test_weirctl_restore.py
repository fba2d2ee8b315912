#!/usr/bin/env python3
"""weirctl restore: what was taken back stands again, on all servers."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
from test_weirctl_monitor import DATA, USAGE, Case


class Restore(Case):
    def listed(self, address):
        return self.mx1.ctl("blacklist", "show", address, check=False).returncode == 0

    def test_what_was_unblocked_is_put_back_by_its_number(self):
        self.good("block", "203.0.113.81", "--for", "4h", "--reason", "sends viruses")
        number, = [row["number"] for row in self.json("decisions", "203.0.113.81")]
        self.refused(1, "was not taken back", "restore", str(number))
        self.good("unblock", "203.0.113.81")
        self.assertIn(f"(number {number})", self.good("decisions", "203.0.113.81", "--past"))
        answer = self.json("restore", str(number), "--reason", "a mistake")
        self.assertEqual((answer["prefix"], answer["restored"], answer["servers"]["have"]),
                         ("203.0.113.81", 1, ["mx1"]))
        self.assertTrue(self.listed("203.0.113.81"))
        row, = self.json("decisions", "203.0.113.81")
        self.assertEqual(row["reason"], "sends viruses")
        self.refused(1, "something else stands", "restore", str(number))
        self.refused(1, "no decision 99999", "restore", "99999")
        self.refused(USAGE, "not the number", "restore", "203.0.113.81")
        self.good("unblock", "203.0.113.81", "--accept", "--for", "1h")
        accepted, = [row["number"] for row in self.json("decisions", "203.0.113.81")]
        self.good("unaccept", "203.0.113.81")
        self.refused(DATA, "is an acceptance", "restore", str(accepted))
        self.good("unblock", "203.0.113.81")


if __name__ == "__main__":
    harness.main()

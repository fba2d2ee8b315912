#!/usr/bin/env python3
"""The loop closed: what was judged and what people say of it moves the reputation of address and
domain on real servers, once each, and what a store lost comes back from the monitor's database as
it was."""
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import milter
import rig
from test_reports import CLIENT, DOMAIN, Base


class Loop(Base):
    """One server with a local store."""

    def monitor_with(self, **sections):
        monitor = super().monitor_with(**sections)
        (monitor.weir.folder / "counters.key").write_text("ab" * 16 + "\n")
        return monitor

    def server(self, name, **more):
        server = super().server(name, **more)
        shutil.copy(self.monitor.weir.folder / "counters.key", server.weir.folder)
        server.weir.configure(reputation={"learn": "yes"})
        return server

    def levels(self, server=None, at=None):
        """Everything weirctl says of the pair as of one time, by level."""
        shown = (server or self.mx1).weir.json("reputation", CLIENT, DOMAIN, "--at",
                                               at or "2027-01-01")
        return {level["level"]: level for level in shown["levels"]}

    def pair(self, server=None):
        """(su, gu, sc, gc) of the pair."""
        pair = next(level for level in (server or self.mx1).weir.json(
            "reputation", CLIENT, DOMAIN)["levels"] if level["level"] == "pair")
        return tuple(round(pair[word]) for word in ("spam_user", "good_user", "spam_computer",
                                                    "good_computer"))

    def wait_for_pair(self, want, server=None):
        rig.wait_for(lambda: self.pair(server) == want, 20,
                     f"{want}, not {self.pair(server)}\n{self.mx1.process.log()}")

    def test_C17_a_report_moves_the_pair_and_taken_back_it_is_as_before(self):
        mail = self.judge()
        self.wait_for_pair((0, 0, 1, 0))
        before = self.levels()
        self.pipe(mail, "ham", "--user", "bob")
        self.wait_for_pair((0, 1, 0, 0))
        self.pipe(mail, "ham", "--user", "bob", "--take-back")
        self.wait_for_pair((0, 0, 1, 0))
        self.assertEqual(self.levels(), before)


if __name__ == "__main__":
    harness.main()

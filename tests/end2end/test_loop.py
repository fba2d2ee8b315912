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


FUTURE = "2027-01-01"  # the same for both that are compared
ZERO = (0, 0, 0, 0)


class World(Base):
    """Servers and a monitor that have the same keys; what is judged is counted."""

    shared = None  # settings of a store that servers share

    def setUp(self):
        super().setUp()
        self.mail = {1: self.milter}

    def monitor_with(self, **sections):
        self.key = self.folder / "counters.key"
        self.key.write_text("ab" * 16 + "\n")
        weir = {"key_file": self.key, **(self.shared or {}).get("weir", {})}
        return super().monitor_with(**{**(self.shared or {}), "weir": weir,
                                       "monitor": {"silence": "3s"}, **sections})

    def server(self, name, **more):
        server = super().server(name, **more)
        server.process.end()
        server.weir.configure(reputation={"learn": "yes"}, **(self.shared or {}))
        server.weir.configure(weir={"key_file": self.key})
        server.process.start()
        return server

    def second(self):
        """One more mail server, number 2."""
        self.mx2 = self.server("mx2")
        shutil.copy(self.monitor.weir.folder / "info.key", self.mx2.weir.folder / "info.key")
        self.mx2.weir.configure(info={"server": 2})
        milter.write_rules(self.mx2.weir)
        self.mail[2] = milter.Milter(self.mx2.weir)
        self.addCleanup(self.end, self.mail[2].process)
        return self.mx2

    def judge_at(self, number, *words):
        kept, self.milter = self.milter, self.mail[number]
        try:
            return self.judge(*words)
        finally:
            self.milter = kept

    def shown(self, weir):
        return weir.json("reputation", CLIENT, DOMAIN, "--at", FUTURE)

    def pair(self, server=None):
        """(su, gu, sc, gc) of the pair, as a server has it."""
        levels = (server or self.mx1).weir.json("reputation", CLIENT, DOMAIN)["levels"]
        pair = next(level for level in levels if level["level"] == "pair")
        return tuple(round(pair[word]) for word in ("spam_user", "good_user", "spam_computer",
                                                    "good_computer"))

    def wait_for_pair(self, want, server=None):
        server = server or self.mx1
        rig.wait_for(lambda: self.pair(server) == want, 30,
                     f"{want}, not {self.pair(server)}\n{server.process.log()}")

    def wait_until_counted(self, messages):
        """And in the database."""
        rig.wait_for(lambda: self.monitor.ask("status")["messages"]["good"] == messages, 20,
                     f"{messages} decisions")
        query = "SELECT count(*) AS n FROM messages"
        rig.wait_for(lambda: self.monitor.rows(query) == [{"n": messages}], 20, "them to be kept")

class Local(World):
    """Each server has counters of its own."""

    def test_C17_a_report_moves_the_pair_and_taken_back_it_is_as_before(self):
        mail = self.judge()
        self.wait_for_pair((0, 0, 1, 0))
        before = self.shown(self.mx1.weir)
        self.pipe(mail, "ham", "--user", "bob")
        self.wait_for_pair((0, 1, 0, 0))
        self.pipe(mail, "ham", "--user", "bob", "--take-back")
        self.wait_for_pair((0, 0, 1, 0))
        self.assertEqual(self.shown(self.mx1.weir), before)

    def test_C17_all_servers_learn_a_vote_and_one_takes_its_verdict_back(self):
        self.second()
        mail = self.judge()
        self.judge_at(2)
        self.wait_for_pair((0, 0, 1, 0), self.mx1)
        self.wait_for_pair((0, 0, 1, 0), self.mx2)
        self.pipe(mail, "ham", "--user", "bob")
        self.wait_for_pair((0, 1, 0, 0), self.mx1)
        self.wait_for_pair((0, 1, 1, 0), self.mx2)

    def test_B33_a_file_that_is_lost_is_filled_from_the_database(self):
        mails = [self.judge() for _ in range(3)] + [self.judge(b"hello", b"nothing much\r\n")]
        self.pipe(mails[0], "ham", "--user", "bob")
        self.wait_for_pair((0, 1, 2, 1))
        self.wait_until_counted(4)
        before = self.shown(self.mx1.weir)
        self.mail[1].process.end()
        self.mx1.process.end()
        for path in self.mx1.weir.folder.glob("counters.db*"):
            path.unlink()
        self.assertEqual(self.pair(), ZERO)
        self.mx1.weir.configure(monitor={"database": self.monitor.weir.folder / "spam.db",
                                         "admin": f"unix:{self.monitor.socket}"})
        done = self.mx1.weir.json("counters", "rebuild")
        self.assertGreater(done["raised"], 20)
        self.assertEqual((done["kept"], done["unanswered"]), (0, 0))
        self.assertEqual(self.shown(self.mx1.weir), before)
        again = self.mx1.weir.json("counters", "rebuild")
        self.assertEqual((again["raised"], again["kept"]), (0, done["raised"]))
        self.assertEqual(self.shown(self.mx1.weir), before)
        self.assertEqual([row["what"] for row in self.monitor.rows(
            "SELECT what FROM audit WHERE what LIKE 'counters%'")], ["counters rebuild"] * 2)


if __name__ == "__main__":
    harness.main()

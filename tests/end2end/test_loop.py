#!/usr/bin/env python3
"""The loop closed: what was judged and what people say of it moves the reputation of address and
domain on real servers, once each, and what a store lost comes back from the monitor's database as
it was."""
import contextlib
import json
import pathlib
import shutil
import signal
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import milter
import rig
from ctl_help import Help
from test_reports import CLIENT, DOMAIN, Base


FUTURE = "2027-01-01"  # the same for both that are compared
ZERO = (0, 0, 0, 0)


class World(Base):
    """Servers and a monitor that have the same keys; what is judged is counted."""

    votes_come = None  # the default: by the monitor
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
        server = super().server(name, start=False, **more)
        server.weir.configure(reputation={"learn": "yes"}, **(self.shared or {}))
        server.weir.configure(weir={"key_file": self.key})
        server.start()
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
        try:
            rig.wait_for(lambda: self.pair(server) == want, 30)
        except rig.Trouble:
            self.fail(f"{want}, not {self.pair(server)}\n{self.counters(server.weir)}\n"
                      f"{server.process.log()}")

    @staticmethod
    def counters(weir):
        return json.loads(weir.ctl("status", "--json", check=False).stdout)["counters"]

    def wait_until_counted(self, messages):
        """In the database: a monitor that was killed tells only what it has read since."""
        query = "SELECT count(*) AS n FROM messages"
        rig.wait_for(lambda: self.monitor.rows(query) == [{"n": messages}], 20,
                     f"{messages} messages to be kept")


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

    def test_B33_who_says_the_same_as_the_program_takes_its_place_too(self):
        mail = self.judge()
        self.wait_for_pair((0, 0, 1, 0))
        before = self.shown(self.mx1.weir)
        self.pipe(mail, "spam", "--user", "bob")
        self.wait_for_pair((1, 0, 0, 0))
        self.pipe(mail, "spam", "--user", "ann")  # two people, one message
        self.pipe(mail, "ham", "--user", "bob")
        self.wait_for_pair((0, 0, 1, 0))  # they do not agree
        self.pipe(mail, "ham", "--user", "bob", "--take-back")
        self.wait_for_pair((1, 0, 0, 0))
        self.pipe(mail, "spam", "--user", "ann", "--take-back")
        self.wait_for_pair((0, 0, 1, 0))
        self.assertEqual(self.shown(self.mx1.weir), before)

    def score_of(self, mail):
        """Points of a mail, as its string says."""
        path = self.folder / "mail.eml"
        path.write_bytes(mail)
        return json.loads(self.mx1.weir.ctl("info", "decode", "--json", path))["score"]

    def test_B33_a_false_positive_moves_the_score_of_the_next_message(self):
        first = self.judge()
        self.wait_for_pair((0, 0, 1, 0))
        worse = self.score_of(self.judge())
        self.wait_for_pair((0, 0, 2, 0))
        self.pipe(first, "ham", "--user", "bob")
        self.wait_for_pair((0, 1, 1, 0))
        better = self.score_of(self.judge())
        self.assertGreater(worse, self.score_of(first))
        self.assertLess(better, self.score_of(first))

    def test_C17_all_servers_learn_a_vote_and_one_takes_its_verdict_back(self):
        self.second()
        mail = self.judge()
        self.judge_at(2)
        self.wait_for_pair((0, 0, 1, 0), self.mx1)
        self.wait_for_pair((0, 0, 1, 0), self.mx2)
        self.pipe(mail, "ham", "--user", "bob")
        self.wait_for_pair((0, 1, 0, 0), self.mx1)
        self.wait_for_pair((0, 1, 1, 0), self.mx2)

    def test_B33_three_votes_of_one_person_condemn_nobody_elsewhere(self):
        self.second()
        note = b"minutes", b"as discussed in the meeting\r\n"
        mails = [self.judge(*note) for _ in range(6)]
        self.wait_for_pair((0, 0, 0, 6))
        for mail in mails[:3]:
            self.pipe(mail, "spam", "--user", "grumpy@one.example")
        self.wait_for_pair((1, 0, 0, 3), self.mx1)
        self.wait_for_pair((1, 0, 0, 0), self.mx2)
        self.judge_at(2, *note)
        self.assertNotEqual(self.mail[2].decisions()[-1]["verdict"], "spam")
        self.pipe(mails[0], "spam", "--user", "grumpy@one.example", "--take-back")
        self.wait_for_pair((0, 0, 0, 4), self.mx1)

    def test_B33_a_file_that_is_lost_is_filled_from_the_database(self):
        mails = [self.judge() for _ in range(3)] + [self.judge(b"hello", b"nothing much\r\n")]
        self.pipe(mails[0], "ham", "--user", "bob")
        self.pipe(mails[1], "spam", "--user", "ann")
        self.wait_for_pair((1, 1, 1, 1))
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

    def rebuild(self):
        """All that mx1 has is gone, and comes back from the database."""
        for path in self.mx1.weir.folder.glob("counters.db*"):
            path.unlink()
        self.mx1.weir.configure(monitor={"database": self.monitor.weir.folder / "spam.db",
                                         "admin": f"unix:{self.monitor.socket}"})
        self.mx1.weir.json("counters", "rebuild")

    def test_B33_votes_that_a_rebuild_brought_are_not_added_again(self):
        self.second()
        mails = [self.judge_at(2) for _ in range(3)]
        self.wait_for_pair((0, 0, 3, 0), self.mx2)
        self.mail[1].process.end()
        self.mx1.process.end()
        behind, self.mx1 = self.mx1, self.mx2  # only mx2 is there when people speak
        for number, mail in enumerate(mails):
            self.pipe(mail, "ham", "--user", f"bob{number}")
        self.wait_for_pair((0, 3, 0, 0))
        self.wait_until_counted(3)
        self.mx1 = behind
        self.rebuild()
        self.assertEqual(self.pair(), (0, 3, 0, 0))
        self.mx1.start()
        rig.wait_for(lambda: self.done() == 3, 20, "the agent to have passed them")
        self.assertEqual(self.pair(), (0, 3, 0, 0))

    def test_B33_a_lost_number_behind_a_rebuild_adds_nothing(self):
        mails = [self.judge() for _ in range(2)]
        for number, mail in enumerate(mails):
            self.pipe(mail, "ham", "--user", f"bob{number}")
        self.wait_for_pair((0, 2, 0, 0))
        self.wait_until_counted(2)
        self.mail[1].process.end()
        self.mx1.process.end()
        self.rebuild()
        (self.mx1.weir.folder / "agent.votes").unlink()
        self.mx1.start()
        rig.wait_for(lambda: self.done() == 2, 20, "the agent to have passed them")
        self.assertEqual(self.pair(), (0, 2, 0, 0))

    def done(self):
        """The number of the last vote that mx1's agent has behind it."""
        file = self.mx1.weir.folder / "agent.votes"
        return int(file.read_text()) if file.exists() else 0


class Trust(World):
    """What is not proven, or is too much, moves nothing."""

    def test_B20_forged_foreign_and_replayed_reports_move_no_counter(self):
        mail = self.judge()
        self.wait_for_pair((0, 0, 1, 0))
        head, body = mail.split(b"X-Weir-Info: ")
        for data in (head + b"X-Weir-Info: " + body.replace(body[20:24], b"AAAA", 1),
                     mail.replace(b"Message-ID: <", b"Message-ID: <x"),
                     head + b"\r\n" + b"a cheap loan\r\n"):
            self.pipe(data, "ham", "--user", "eve")
        self.pipe(mail, "ham", "--user", "bob")
        line, = [line for path in self.mx1.spool.glob("report-*")
                 for line in path.read_text().splitlines() if "state=valid" in line] or [None]
        self.wait_for_pair((0, 1, 0, 0))
        if line:  # the agent may have taken the file away already
            self.mx1.write(line)
        for _ in range(3):
            self.pipe(mail, "ham", "--user", "bob")
        self.wait_until_came({"bad": 1, "unbound": 1, "none": 1, "counted": 1,
                              "repeated": 3 + bool(line)})
        self.assertEqual(self.monitor.rows("SELECT count(*) AS n FROM votes"), [{"n": 1}])
        self.assertEqual(self.pair(), (0, 1, 0, 0))

    def test_B33_votes_of_one_server_are_capped_and_a_revoked_one_has_none(self):
        self.monitor.weir.configure(reports={"user_day": 2, "server_day": 3})
        self.monitor.process.send(signal.SIGHUP)
        rig.wait_for(lambda: "reloaded" in self.monitor.log(), 10, "the configuration to be read")
        mails = [self.judge() for _ in range(6)]
        self.wait_for_pair((0, 0, 6, 0))
        for number, mail in enumerate(mails[:5]):
            self.pipe(mail, "ham", "--user", f"eve{number // 2}")
        self.wait_for_pair((0, 2, 3, 0))  # eve0 has one voice about a sender
        self.wait_until_came({"counted": 3, "server-cap": 2})
        self.monitor.weir.ctl("server", "revoke", "mx1")
        self.judge()
        self.wait_for_pair((0, 2, 4, 0))  # its own program's verdict, on its own machine
        self.pipe(mails[5], "ham", "--user", "bob")
        time.sleep(1)
        self.assertEqual(self.came(), {"counted": 3, "server-cap": 2})
        self.assertEqual(self.monitor.rows("SELECT count(*) AS n FROM votes"), [{"n": 3}])

    def test_B15_monitor_and_agent_killed_in_the_middle_count_each_once(self):
        mails = [self.judge() for _ in range(8)]
        for number, mail in enumerate(mails):
            self.pipe(mail, "ham", "--user", f"bob{number}")
            if number % 2:
                self.monitor.kill()
                self.monitor.start()
            if number % 3 == 0:
                self.mx1.kill()
                self.mx1.start()
        self.wait_for_pair((0, 8, 0, 0))
        self.wait_until_counted(8)
        (self.mx1.weir.folder / "agent.votes").unlink()
        self.mx1.kill()
        self.mx1.start()  # which begins with the first vote, and passes all of them over
        self.judge()
        self.wait_for_pair((0, 8, 1, 0))
        before = self.shown(self.mx1.weir)
        self.mx1.weir.configure(monitor={"database": self.monitor.weir.folder / "spam.db",
                                         "admin": f"unix:{self.monitor.socket}"})
        self.wait_until_counted(9)
        done = self.mx1.weir.json("counters", "rebuild")
        self.assertEqual((done["raised"], done["unanswered"]), (0, 0))
        self.assertEqual(self.shown(self.mx1.weir), before)


class Command(World, Help):
    """The verbs by themselves."""

    verbs = ["counters rebuild", "counters forget"]

    def good(self, *words):
        return self.mx1.weir.ctl(*words)

    def test_a_copy_that_lacks_decisions_is_told_at_once(self):
        self.judge()
        self.wait_for_pair((0, 0, 1, 0))
        self.wait_until_counted(1)
        copy = self.folder / "copy.db"
        spam = self.monitor.weir.folder / "spam.db"
        with contextlib.closing(sqlite3.connect(spam)) as database, \
                contextlib.closing(sqlite3.connect(copy)) as other:
            database.backup(other)
            other.execute("UPDATE state SET value = 7 WHERE name = 'counters_waiting'")
            other.commit()
        done = self.mx1.weir.ctl("counters", "rebuild", "--file", copy, "--dry-run", check=False)
        self.assertEqual(done.returncode, 75, done.stderr)
        self.assertIn("7 decisions are not in the counters of this copy", done.stderr)


class Keys(World):
    """A key that is lost or another one is told, and nothing is mixed."""

    def status(self):
        return json.loads(self.mx1.weir.ctl("status", "--json", check=False).stdout)

    def restart_with_another_key(self):
        self.key.write_text("cd" * 16 + "\n")
        self.monitor.stop()
        self.monitor.start()
        self.assertEqual(self.monitor.ask("status")["counters"]["state"], "other-key")

    def test_C17_another_key_is_told_and_nothing_is_rebuilt_with_it(self):
        self.judge()
        self.wait_for_pair((0, 0, 1, 0))
        self.wait_until_counted(1)
        self.assertEqual(self.status()["counters"]["key"], "ours")
        old = self.key.read_text()
        self.key.write_text("cd" * 16 + "\n")
        status = self.status()
        self.assertEqual(status["counters"]["key"], "other")
        self.assertRegex(" ".join(status["problems"]), "made with another key")
        done = self.monitor.weir.ctl("counters", "rebuild", check=False)
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn("another key", done.stderr)
        self.restart_with_another_key()
        self.key.write_text(old)
        self.judge()  # it is looked for when there is something to be counted
        rig.wait_for(lambda: self.monitor.ask("status")["counters"]["state"] == "kept", 10,
                     "the old key to be seen")
        self.restart_with_another_key()
        self.assertEqual(self.monitor.weir.ctl("counters", "forget", check=False).returncode, 64)
        self.assertEqual(self.monitor.weir.json("counters", "forget", "--force")["records"], 7)
        self.assertEqual(self.monitor.ask("status")["counters"]["state"], "kept")
        self.assertEqual(self.monitor.ask("status")["counters"]["records"], 0)


class Shared(World):
    """Two servers share three memcached."""

    def setUp(self):
        self.nodes = [rig.Memcached(rig.scratch()) for _ in range(3)]
        for node in self.nodes:
            self.addCleanup(node.process.end)
        self.shared = {"weir": {"counters": "memcached"},
                       "memcached": {"servers": ", ".join(node.name for node in self.nodes),
                                     "near": "0s", "wait": "1s", "retry_least": "100ms",
                                     "retry_most": "200ms"}}
        super().setUp()
        self.second()
        for server in (self.mx1, self.mx2):  # what is counted while a node is away is lost
            rig.wait_for(lambda: all(node["up"] for node in self.counters(server.weir)["nodes"]),
                         20, "three memcached")

    def empty(self):
        """All memcached die and come back with nothing."""
        for node in self.nodes:
            node.process.stop(9)
            node.start()

    def test_C17_a_vote_about_another_servers_mail_is_entered_once(self):
        mails = [self.judge(), self.judge_at(2), self.judge_at(2)]
        self.wait_for_pair((0, 0, 3, 0))
        before = self.shown(self.mx1.weir)
        for mail, user in zip(mails[:2], ("ann", "bob")):
            self.pipe(mail, "ham", "--user", user)
        self.wait_for_pair((0, 2, 1, 0))
        self.pipe(mails[2], "ham", "--user", "carl")
        self.wait_for_pair((0, 3, 0, 0))
        for mail, user in zip(mails, ("ann", "bob", "carl")):
            self.pipe(mail, "ham", "--user", user, "--take-back")
        self.wait_for_pair((0, 0, 3, 0))
        self.assertEqual(self.shown(self.mx2.weir), before)

    def test_C17_what_all_memcached_lost_is_as_before_after_a_rebuild(self):
        # reported at once: before the servers have counted the verdicts that are taken back
        mails = [self.judge_at(1 + n % 2) for n in range(6)] + [self.judge(b"hi", b"hello\r\n")]
        for mail, user in zip(mails[:2], ("ann", "bob")):
            self.pipe(mail, "ham", "--user", user)
        self.wait_for_pair((0, 2, 4, 1))
        self.wait_until_counted(7)
        before = self.shown(self.mx1.weir)
        self.empty()
        rig.wait_for(lambda: self.pair() == ZERO, 20, "nothing to be there")
        dry = self.monitor.weir.json("counters", "rebuild", "--dry-run")
        self.assertEqual(self.pair(), ZERO)
        done = self.monitor.weir.json("counters", "rebuild")
        self.assertEqual((done["raised"], done["kept"], done["unanswered"]), (dry["raised"], 0, 0))
        self.assertEqual(self.shown(self.mx2.weir), before)
        again = self.monitor.weir.json("counters", "rebuild")
        self.assertEqual((again["raised"], again["kept"]), (0, done["raised"]))

    def test_C17_a_rebuild_while_mail_comes_doubles_nothing(self):
        for number in range(4):
            self.judge_at(1 + number % 2)
        self.wait_for_pair((0, 0, 4, 0))
        self.empty()
        for number in range(3):
            self.judge_at(1 + number % 2)
        self.wait_until_counted(7)
        self.monitor.weir.json("counters", "rebuild")
        self.wait_for_pair((0, 0, 7, 0))
        self.judge()
        self.wait_for_pair((0, 0, 8, 0))


if __name__ == "__main__":
    harness.main()

#!/usr/bin/env python3
"""What people report: mail judged by a real weir-milter, handed to weirctl in the ways people and
mail servers do it, shipped by a real weir-agent, and counted once by a real monitor."""
import base64
import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import milter
import rig
from ctl_help import Help
from test_monitor import World

LOAN, WIN = 101, 102
CLIENT, DOMAIN = "198.51.100.20", "client.example"
SPAMMY = b"a cheap loan\r\n"


def letter(*parts, kind="multipart/mixed", sender="Carol <carol@test.example>"):
    """A mail with parts, each (type, octets)."""
    out = (f"From: {sender}\r\nTo: spam@test.example\r\nSubject: please look\r\nMIME-Version: 1.0"
           f"\r\nContent-Type: {kind}; boundary=\"=_cut\"\r\n\r\n").encode()
    for name, octets in (("text/plain", b"This one.\r\n"), *parts):
        out += b"--=_cut\r\nContent-Type: " + name.encode() + b"\r\n\r\n" + octets + b"\r\n"
    return out + b"--=_cut--\r\n"


def feedback(word, part, sender="Dave <dave@test.example>"):
    """A feedback report (RFC 5965) about a part."""
    machine = f"Feedback-Type: {word}\r\nUser-Agent: test/1\r\nVersion: 1\r\n".encode()
    return letter(("message/feedback-report", machine), part,
                  kind="multipart/report; report-type=feedback-report", sender=sender)


class Base(World):
    """A mail server with a milter and an agent, and a monitor with the same keys."""

    sent = 0
    votes_come = "here"  # into the reputation: by weirctl, or in another file back from the monitor

    def setUp(self):
        super().setUp()
        self.monitor_with()
        self.mx1 = self.server("mx1")
        shutil.copy(self.monitor.weir.folder / "info.key", self.mx1.weir.folder / "info.key")
        self.mx1.weir.configure(info={"server": 1}, reports={"reputation": self.votes_come})
        milter.write_rules(self.mx1.weir)
        self.milter = milter.Milter(self.mx1.weir)
        self.addCleanup(self.end, self.milter.process)
        milter.write_rules(self.monitor.weir)

    def judge(self, subject=b"you have won", body=SPAMMY):
        """A mail as it is delivered, with its string."""
        Base.sent += 1
        fields = [(b"From", b"Ann <ann@client.example>"), (b"Subject", subject),
                  (b"Date", b"Sat, 21 Nov 2026 18:13:00 +0000"),
                  (b"Message-ID", f"<{Base.sent}@client.example>".encode())]
        with milter.Client(self.milter.path) as link:
            link.hand_over(fields, body)
            words = link.outcome()
        added = [data.lstrip(b"\0").split(b"\0") for command, data in words if command in b"hi"]
        fields += [(name[-len("X-Weir-Info"):], value.replace(b"\n", b"\r\n"))
                   for name, value, *_ in added if name.endswith(b"X-Weir-Info")]
        self.assertEqual(len(fields), 5, words)
        return b"".join(b"%s: %s\r\n" % field for field in fields) + b"\r\n" + body

    def pipe(self, mail, *words, check=True, **more):
        """weirctl report WORDS with a mail on its standard input."""
        command = [str(word) for word in (rig.BUILD / "weirctl", "-c", self.mx1.weir.conf, "report",
                                          *words)]
        done = subprocess.run(command, input=mail, capture_output=True, timeout=60, check=False,
                              **more)
        if check:
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout.decode()
        return done

    def said(self, mail, *words):
        return json.loads(self.pipe(mail, *words, "--json"))

    def counted(self, rule):
        rows = self.monitor.rows("SELECT spam, ham, false_positives FROM hits WHERE rule = ?", rule)
        return tuple(rows[0].values()) if rows else None

    def wait_for(self, rule, want):
        rig.wait_for(lambda: self.counted(rule) == want, 30,
                     f"{want} of rule {rule}, not {self.counted(rule)}; {self.reports()}")

    def came(self):
        return {word: count for word, count in self.reports()["counts"].items() if count}

    def reports(self, *words):
        return json.loads(self.monitor.weir.ctl("reports", "--json", *words))

    def wait_until_came(self, want):
        rig.wait_for(lambda: self.came() == want, 30, f"{want}, not {self.came()}")

    def votes(self):
        """(spam, good) of people about the pair, in this server's reputation."""
        shown = self.mx1.weir.json("reputation", CLIENT, DOMAIN)
        pair = next(level for level in shown["levels"] if level["level"] == "pair")
        return round(pair["spam_user"]), round(pair["good_user"])


class Reports(Base):
    """From the mailbox to the numbers."""

    def test_B33_good_mail_reported_in_three_ways_counts_against_its_rules(self):
        mails = [self.judge() for _ in range(3)]
        self.wait_for(WIN, (3, 0, 0))
        row, = self.said(mails[0], "ham", "--user", "bob@test.example")
        words = ("state", "way", "user", "told", "verdict", "sent")
        self.assertEqual([row[word] for word in words],
                         ["valid", "itself", "bob@test.example", "option", "spam", True])
        self.wait_for(WIN, (2, 1, 1))
        row, = self.said(letter(("message/rfc822", mails[1])), "ham", "--what", "attached")
        self.assertEqual([row[word] for word in ("state", "way", "user", "told")],
                         ["valid", "attached", "carol@test.example", "from"])
        row, = self.said(feedback("not-spam", ("text/rfc822-headers",
                                               mails[2].split(b"\r\n\r\n")[0] + b"\r\n")), "spam")
        self.assertEqual([row[word] for word in ("report", "state", "way", "user")],
                         ["ham", "valid", "arf", "dave@test.example"])
        self.wait_for(WIN, (0, 3, 3))
        self.wait_for(LOAN, (0, 3, 3))
        self.assertEqual(self.monitor.rows("SELECT round(spam_decayed * 1000) AS n FROM hits_all"),
                         [{"n": 0}])
        self.assertEqual(self.monitor.rows("SELECT count(*) AS n FROM messages "
                                           "WHERE reported = 'ham' AND verdict = 'spam'"),
                         [{"n": 3}])

    def test_B33_one_vote_a_person_and_message_which_can_be_taken_back(self):
        mail = self.judge()
        self.wait_for(WIN, (1, 0, 0))
        for name in ("bob@test.example", "BOB@test.example"):
            self.pipe(mail, "ham", "--user", name)
            self.pipe(letter(("message/rfc822", mail), sender="bob@test.example"), "ham")
        self.wait_until_came({"counted": 1, "repeated": 3})
        self.assertEqual(self.counted(WIN), (0, 1, 1))
        self.assertEqual(self.votes(), (0, 1))
        self.pipe(mail, "ham", "--user", "bob@test.example", "--take-back")
        self.wait_for(WIN, (1, 0, 0))
        self.assertEqual(self.votes(), (0, 0))
        row, = self.said(mail, "ham", "--user", "bob@test.example", "--take-back")
        self.assertEqual(row["reputation"], "not-there")
        self.pipe(mail, "ham", "--user", "bob@test.example")
        self.pipe(mail, "spam", "--user", "bob@test.example")
        self.wait_until_came({"counted": 2, "repeated": 3, "taken-back": 1, "not-there": 1,
                              "replaced": 1})
        self.assertEqual(self.counted(WIN), (1, 0, 0))
        self.assertEqual(self.votes(), (1, 0))

    def test_one_mailbox_is_one_person_however_its_address_is_written(self):
        mail = self.judge()
        self.wait_for(WIN, (1, 0, 0))
        for name in ("bob@test.example", "bob+1@test.example", "bob+x+y@Test.Example.",
                     '"bob"@test.example', "Bob Smith <bob@test.example>", '"bob+2"@TEST.example'):
            row, = self.said(mail, "ham", "--user", name)
            self.assertEqual(row["user"].lower(), "bob@test.example")
        for name in ("+bob@test.example", "@test.example", "bob", "<>", "<bob", "bob@", ".@."):
            row, = self.said(mail, "ham", "--user", name)
            self.assertTrue(row["user"] and "bob@test.example" != row["user"], name)
        self.wait_until_came({"counted": 8, "repeated": 5})

    def test_B32_missed_spam_moves_the_other_way(self):
        mail = self.judge(b"hello", b"nothing much\r\n")
        rig.wait_for(lambda: self.monitor.ask("status")["messages"]["good"] == 1, 20, "a decision")
        self.pipe(mail, "spam", "--user", "bob")
        query = "SELECT round(spam_decayed) AS s, round(ham_decayed) AS h FROM hits_all"
        rig.wait_for(lambda: self.monitor.rows(query) == [{"s": 1, "h": 0}], 20, "it to be spam")
        self.assertEqual(self.votes(), (1, 0))

    def test_B33_a_monitor_that_is_killed_counts_each_once(self):
        mails = [self.judge() for _ in range(6)]
        self.wait_for(WIN, (6, 0, 0))
        for number, mail in enumerate(mails, 1):
            self.pipe(mail, "ham", "--user", "bob")
            if number % 2:
                self.monitor.kill()
                self.pipe(mail, "ham", "--user", "bob")
                self.monitor.start()
        self.wait_until_came({"counted": 6, "repeated": 3})
        self.assertEqual(self.counted(WIN), (0, 6, 6))

    def test_B20_what_is_forged_copied_or_foreign_changes_nothing_and_is_shown(self):
        mail = self.judge()
        self.wait_for(WIN, (1, 0, 0))
        head, body = mail.split(b"X-Weir-Info: ")
        forged = head + b"X-Weir-Info: " + body.replace(body[20:24], b"AAAA", 1)
        moved = mail.replace(b"Message-ID: <", b"Message-ID: <x")
        bare = head + b"\r\n" + SPAMMY
        cut = head + b"X-Weir-Info: v1; AAAA\r\n\r\n" + SPAMMY
        for data, state in ((forged, "bad"), (moved, "unbound"), (bare, "none"),
                            (cut, "malformed")):
            row, = self.said(data, "ham", "--user", "eve")
            self.assertEqual([row["state"], row["reputation"]], [state, "none"])
        key = self.mx1.weir.folder / "info.key"
        kept = key.read_text()
        key.write_text("9 " + "ab" * 32 + "\n")
        other, = self.said(mail, "ham", "--user", "eve")
        self.assertNotEqual(other["state"], "valid")
        key.write_text(kept)
        self.wait_until_came({"bad": 1, "unbound": 1, "none": 1, "malformed": 1, "counted": 1})
        self.assertEqual(self.counted(WIN), (0, 1, 1))  # whoever has the keys decides: the monitor
        self.assertEqual(self.votes(), (0, 0))
        listed = self.reports("--state", "unbound")["reports"]
        self.assertEqual([(row["user"], row["came"], row["weighs"]) for row in listed],
                         [("eve", "unbound", False)])

    def test_B33_floods_of_one_person_and_of_one_server_are_capped(self):
        self.monitor.weir.configure(reports={"user_day": 3, "server_day": 5})
        self.monitor.process.send(signal.SIGHUP)
        rig.wait_for(lambda: "reloaded" in self.monitor.log(), 10, "the configuration to be read")
        mails = [self.judge() for _ in range(9)]
        self.wait_for(WIN, (9, 0, 0))
        for mail in mails[:4]:
            self.pipe(mail, "ham", "--user", "eve")
        for number, mail in enumerate(mails[4:]):
            self.pipe(mail, "ham", "--user", f"eve{number}")
        self.wait_until_came({"counted": 5, "user-cap": 1, "server-cap": 3})
        self.assertEqual(self.counted(WIN), (4, 5, 5))


class Command(Base, Help):
    """weirctl report and weirctl reports by themselves."""

    verbs = ["report spam", "report ham", "reports"]

    def good(self, *words):
        return self.mx1.weir.ctl(*words)

    def test_files_folders_and_several_messages_of_one_letter(self):
        first, second = self.judge(), self.judge(b"hello")
        folder = self.folder / "mails"
        folder.mkdir()
        (folder / "a.eml").write_bytes(first)
        (folder / "b.eml").write_bytes(letter(
            ("message/rfc822", second),
            ("message/rfc822\r\nContent-Transfer-Encoding: base64", base64.encodebytes(first))))
        rows = json.loads(self.mx1.weir.ctl("report", "spam", "--user", "u", "--json", folder))
        self.assertEqual([row["state"] for row in rows], ["valid"] * 3)
        self.assertEqual([row["reputation"] for row in rows], ["counted", "counted", "repeated"])
        self.assertRegex(self.mx1.weir.ctl("report", "spam", "--user", "u", folder / "a.eml"),
                         r"^spam: valid, message [0-9a-f]{16}, judged spam with 9.50 points")

    def test_what_is_reported_can_be_told(self):
        inner, outer = self.judge(), self.judge(b"hello")
        head, body = outer.split(b"\r\n\r\n", 1)
        spam = (head + b"\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
                b"--x\r\n\r\n" + body + b"--x\r\nContent-Type: message/rfc822\r\n\r\n" + inner +
                b"\r\n--x--\r\n")
        for what, uids in (("itself", 1), ("attached", 1), ("any", 1)):
            rows = self.said(spam, "spam", "--what", what)
            self.assertEqual([row["way"] for row in rows],
                             ["itself" if what == "itself" else "attached"] * uids)
        row, = self.said(outer, "spam", "--what", "attached")  # a letter with nothing attached
        self.assertEqual((row["state"], row["user"]), ("none", "ann@client.example"))

    def test_a_reporter_never_gets_his_mail_back_for_our_trouble(self):
        mail, weir = self.judge(), self.mx1.weir
        self.assertEqual(self.pipe(b"", "spam", check=False).returncode, 0)
        self.assertEqual(self.pipe(mail, "spam", "--user", "", check=False).returncode, 0)
        self.assertEqual(self.pipe(mail, "spam", check=False, env={}).returncode, 0)
        closed = self.pipe(mail, "spam", check=False, preexec_fn=lambda: os.close(1))
        self.assertEqual(closed.returncode, 0, closed.stderr)
        key = weir.folder / "info.key"
        for name, trouble in (("keys", lambda: key.rename(weir.folder / "away")),
                              ("configuration",
                               lambda: weir.configure(weir={"nonsense": "1"}))):
            with self.subTest(name):
                trouble()
                done = self.pipe(mail, "spam", check=False)
                self.assertEqual(done.returncode, 75, done.stderr)
                self.assertTrue(done.stderr)
                if name == "keys":
                    self.assertFalse(key.exists())  # fresh ones would verify nothing
                    (weir.folder / "away").rename(key)
        weir.configure(weir={"nonsense": None}, spool={"folder": key})
        self.assertEqual(self.pipe(mail, "spam", check=False).returncode, 75)
        weir.configure(spool={"folder": None}, weir={"counters_file": key})
        self.assertEqual(self.pipe(mail, "spam", check=False).returncode, 75)
        weir.configure(reports={"reputation": "no"})
        self.assertEqual(self.pipe(mail, "spam", check=False).returncode, 0)
        self.assertEqual(self.pipe(mail, "spam", "/no/such", check=False).returncode, 66)
        self.assertEqual(self.pipe(mail, "spam", "--what", "all", check=False).returncode, 64)

    def test_B33_one_person_who_says_it_many_times_at_once_has_one_vote(self):
        mail = self.judge()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            rows = list(pool.map(lambda _: self.said(mail, "spam", "--user", "bob")[0], range(16)))
        self.assertEqual(sorted(row["reputation"] for row in rows), ["counted"] + 15 * ["repeated"])
        self.assertEqual(self.votes(), (1, 0))
        self.pipe(mail, "spam", "--user", "bob", "--take-back")
        self.assertEqual(self.votes(), (0, 0))

    def test_a_letter_without_an_opinion_reports_nothing_and_says_so(self):
        told = feedback("auth-failure", ("message/rfc822", self.judge()))
        self.assertEqual(self.said(told, "spam"), [])
        self.assertEqual(self.pipe(told, "spam"),
                         "no opinion about a message: nothing is reported\n")
        self.assertEqual(self.votes(), (0, 0))

    def test_a_pipe_that_fails_is_to_be_tried_again_by_either_name(self):
        for words in ((), ("-",)):
            folder = os.open("/", os.O_RDONLY)  # which nobody can read as a file
            command = [str(word) for word in (rig.BUILD / "weirctl", "-c", self.mx1.weir.conf,
                                              "report", "spam", *words)]
            done = subprocess.run(command, stdin=folder, capture_output=True, timeout=60,
                                  check=False)
            os.close(folder)
            self.assertEqual(done.returncode, 75, done.stderr)

    def test_nothing_of_the_mail_but_the_string_is_in_the_spool(self):
        self.mx1.weir.configure(reports={"text": 0})
        mail = self.judge(b"you have won SECRETWORD")
        self.mx1.kill()
        self.pipe(mail, "ham", "--user", "b o\nb")
        line, = [line for path in self.mx1.spool.glob("report-*")
                 for line in path.read_text().splitlines()]
        self.assertRegex(line, r"^at=\S+ report=ham back=no way=itself told=option state=valid "
                         r"reporter=[0-9a-f]{16} user=b_o\?b binding=[0-9a-f]{16} info=v1;\S+$")
        self.assertNotIn("SECRETWORD", line)

    def test_reports_are_listed_by_person_and_state(self):
        mail = self.judge()
        self.pipe(mail, "ham", "--user", "bob")
        self.pipe(b"Subject: \x1b[31mx\r\n\r\n", "spam", "--user", "\x1b[31mred")
        self.wait_until_came({"counted": 1, "none": 1})
        self.assertEqual([row["came"] for row in self.reports()["reports"]], ["none", "counted"])
        row, = self.reports("--user", "Bob")["reports"]
        self.assertEqual([row[word] for word in ("server", "report", "state", "verdict", "score",
                                                 "address", "domain", "weighs", "told")],
                         ["mx1", "ham", "valid", "spam", 9.5, CLIENT, DOMAIN, True, "option"])
        text = self.monitor.weir.ctl("reports")
        self.assertNotIn("\x1b", text)
        self.assertRegex(text, r"(?m)^20\S+ +[0-9a-f]{16} +mx1 +ham +valid +counted +spam +9.50 "
                         r"bob +" + CLIENT)
        self.assertIn("in all: 1 counted, 1 none", text)
        self.assertIn("in all, whoever and whatever was asked for: 1 counted, 1 none",
                      self.monitor.weir.ctl("reports", "--user", "bob"))
        self.assertEqual(len(self.reports("--state", "valid")["reports"]), 1)
        self.assertEqual(self.monitor.weir.ctl("reports", "--state", "nonsense",
                                               check=False).returncode, 64)
        self.assertEqual(len(self.monitor.weir.ctl("reports", "--most", "1").splitlines()), 3)
        self.assertEqual(self.monitor.ask("status")["reports"]["counted"], 1)


if __name__ == "__main__":
    harness.main()

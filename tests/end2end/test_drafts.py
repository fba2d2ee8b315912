#!/usr/bin/env python3
"""Missed spam that people report: its text comes to the monitor, what is alike makes the draft of
a rule, and that goes by a person's approval and a day's test to work on the servers.

The campaigns are real spam in the folder shared/data beside the checkout; without it their tests
skip."""
import json
import pathlib
import re
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import milter
import rig
from ctl_help import Help
from test_reports import Base, letter

MODERN = rig.TOP.parent / "shared" / "data" / "spam-modern"
PEOPLE = ["ann@one.example", "bob@one.example", "carl@two.example", "dora@three.example"]
HAM = [b"The minutes of the meeting on Tuesday are in the usual folder, please read them.",
       b"Shall we have lunch at the corner on Friday, or is the week after better for you?",
       b"The parcel for the second floor has come; I put it behind the door of the kitchen."]


def stamp(hours):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + hours * 3600))


def campaigns():
    """Real spam in text that a word can be put into."""
    for path in sorted(MODERN.glob("*.eml")):
        head, _, body = path.read_bytes().partition(b"\r\n\r\n")
        if len(body) < 50_000 and body.count(b" the ") >= 8 and b"base64" not in head + body:
            yield path.name, head, body


class Drafting(Base):
    """A mail server, a monitor, and people who report."""

    def setUp(self):
        super().setUp()
        self.mx1.weir.configure(reports={"reputation": "no"})
        self.mx1.process.stop()
        self.mx1.start()
        self.configure(ham_least=3)

    def configure(self, **drafts):
        self.monitor.weir.configure(drafts=drafts)
        self.monitor.stop()
        self.monitor.start()

    def good(self, *words):
        return self.monitor.weir.ctl(*words)

    def deliver(self, fields, body):
        """A mail as it lies in a mailbox, with its string."""
        Base.sent += 1
        fields = [(b"From", b"Ann <ann@client.example>"),
                  (b"Date", b"Sat, 21 Nov 2026 18:13:00 +0000"),
                  (b"Message-ID", f"<{Base.sent}@client.example>".encode())] + fields
        with milter.Client(self.milter.path) as link:
            link.hand_over(fields, body)
            words = link.outcome()
        added = [data.lstrip(b"\0").split(b"\0") for command, data in words if command in b"hi"]
        fields += [(b"X-Weir-Info", value.replace(b"\n", b"\r\n"))
                   for name, value, *_ in added if name.endswith(b"X-Weir-Info")]
        return b"".join(b"%s: %s\r\n" % field for field in fields) + b"\r\n" + body

    def variant(self, campaign, number):
        """One more of a campaign, with a word of its own and another subject."""
        _, head, body = campaign
        pieces = body.split(b" the ")
        at = number % (len(pieces) - 1) + 1
        body = b" the ".join(pieces[:at]) + f" the {number} ".encode() + \
            b" the ".join(pieces[at:])
        kept = re.findall(rb"(?ims)^((?:content-type|mime-version|content-transfer-encoding):"
                          rb".*?)(?=^\S|\Z)", head + b"\r\n")
        fields = [tuple(field.rstrip().split(b":", 1)) for field in kept]
        return self.deliver([(b"Subject", f"Letter {number}".encode())] +
                            [(name, value.lstrip()) for name, value in fields], body)

    def report(self, mail, user, kind="spam"):
        row, = self.said(mail, kind, "--user", user)
        return row

    def campaign(self, number=0):
        return list(campaigns())[number]

    def reported(self, campaign, people=None, first=0):
        """Each of these people reports a mail of his own."""
        people = PEOPLE if people is None else people
        rows = [self.report(self.variant(campaign, first + number), user)
                for number, user in enumerate(people)]
        self.wait_for_texts([row["uid"] for row in rows])
        return rows

    def wait_for_texts(self, uids):
        def there():
            known = {row["uid"] for row in
                     self.monitor.rows("SELECT printf('%016x', t.uid) AS uid FROM reported_texts "
                                       "AS t JOIN reported AS r ON r.uid = t.uid")}
            return set(uids) <= known
        rig.wait_for(there, 30, f"the texts of {uids}")

    def some_ham(self, texts=tuple(HAM)):
        rows = [self.report(self.deliver([(b"Subject", b"hello")], text + b"\r\n"),
                            PEOPLE[number % 2], "ham") for number, text in enumerate(texts)]
        self.wait_for_texts([row["uid"] for row in rows])

    def analyze(self, *words):
        return json.loads(self.good("analyze", "--json", *words))["drafts"]

    def rule(self, name):
        return next(rule for rule in json.loads(self.good("rules", "list", "--book", "--json"))
                    if rule["name"] == name)

    def decided(self, mail_of, number):
        """Score and rules of one more mail of a campaign."""
        self.variant(mail_of, number)
        line = self.milter.decisions()[-1]
        return float(line["score"]), line["rules"]


class Reviving(Drafting):
    """What the analyzer retired comes back when people report spam that it would hit."""

    def test_B7_a_retired_rule_goes_back_to_the_test_by_reports_of_missed_spam(self):
        self.configure(reports=2, users=2)
        book = self.monitor.weir.folder / "book.rules"
        book.write_text("body LOST /last train to the moon/\nscore LOST 1\n"
                        "body GONE /last train/\nscore GONE 1\n")
        self.good("rules", "add", book)
        self.good("rules", "retire", "GONE")
        self.assertIn("LOST: active -> retired", self.good("analyze", "--now", stamp(40 * 24)))
        for number, user in enumerate(PEOPLE[:2]):
            self.assertEqual(self.rule("LOST")["state"], "retired")
            self.good("analyze")
            mail = self.deliver([(b"Subject", b"no %d" % number)],
                                b"Take the last train to the moon, number %d\r\n" % number)
            self.wait_for_texts([self.report(mail, user)["uid"]])
        self.assertIn("LOST: would be retired -> test: it hits 2 messages that were missed, of "
                      "which 2 reports by 2 people", self.good("analyze", "--dry-run"))
        revived, = self.analyze()["revived"]
        self.assertEqual(revived["name"], "LOST")
        self.assertEqual((self.rule("LOST")["state"], self.rule("GONE")["state"]),
                         ("test", "retired"))
        self.assertRegex(self.good("rules", "history", "LOST"),
                         r"LOST: state retired -> test.*it hits 2 messages that were missed")
        self.assertEqual(self.analyze()["revived"], [])


@unittest.skipUnless(MODERN.is_dir(), f"real spam is missing: no {MODERN}")
class Drafts(Drafting):
    """From reports to a rule at work."""

    def publish_until(self, serial):
        self.good("publish")
        rig.wait_for(lambda: f"rules-{serial}.db" in
                     [path.name for path in self.mx1.weir.folder.glob("rules-*.db")], 20,
                     f"set {serial} at the server")

    def test_B32_missed_spam_becomes_a_rule_by_way_of_draft_approval_and_test(self):
        campaign = self.campaign()
        self.some_ham()
        self.reported(campaign)
        dry = self.analyze("--dry-run")
        self.assertEqual(len(dry["made"]), 1, dry)
        self.assertEqual(self.monitor.rows("SELECT * FROM rules"), [])
        said = self.good("analyze")
        name = dry["made"][0]["name"]
        self.assertRegex(said, rf"{name}: drafted; to be looked at, and approved or rejected: 4 "
                         r"reports of missed spam by 4 people in 3 domains, told by 1 servers; it "
                         r"hits 4 of 4 messages that are alike and none of 3 good ones; messages "
                         r"[0-9a-f]{16}, ")
        row, = self.monitor.rows("SELECT state, score, author, approved FROM rules")
        self.assertEqual(tuple(row.values()), ("draft", 2.0, "analyzer", 0))
        self.assertEqual(self.analyze()["made"], [])  # one draft a cluster
        self.good("rules", "approve", name, "--reason", "plain fraud")
        self.assertEqual(self.rule(name)["state"], "test")
        self.publish_until(1)
        rig.wait_for(lambda: name in self.decided(campaign, 50)[1], 20, "the rule in the test")
        self.assertEqual(self.decided(campaign, 51)[0], 0)
        for text in HAM:
            self.deliver([(b"Subject", b"hello")], text + b"\r\n")
            self.assertNotIn(name, self.milter.decisions()[-1]["rules"])
        self.assertNotIn(name, self.good("analyze", "--now", stamp(23)))
        self.assertIn(f"{name}: test -> active", self.good("analyze", "--now", stamp(25)))
        self.assertEqual((self.rule(name)["state"], self.rule(name)["score"]), ("active", 2.0))
        self.publish_until(2)
        rig.wait_for(lambda: self.decided(campaign, 60)[0] == 2.0, 20, "two points for it")

    def test_B32_a_campaign_that_is_caught_by_now_counts_only(self):
        campaign = self.campaign(1)
        self.some_ham()
        self.reported(campaign)
        file = self.folder / "own.rules"
        file.write_text("header LETTERS Subject =~ /^Letter /\nscore LETTERS 5\n")
        self.good("rules", "add", file)
        said = self.analyze()
        self.assertEqual((said["made"], said["missed"], said["caught"], said["enough"]),
                         ([], 4, 4, 1))

    def test_B32_what_a_person_rejected_is_not_drafted_again(self):
        campaign = self.campaign(2)
        self.some_ham()
        self.reported(campaign)
        made, = self.analyze()["made"]
        self.assertEqual(self.good("rules", "reject", made["name"], "--reason", "ours says so"),
                         f"{made['name']} is rejected: nothing like it is drafted any more\n")
        self.assertEqual(self.rule(made["name"])["state"], "retired")
        self.reported(campaign, first=10)
        said = self.analyze()
        self.assertEqual(said["made"], [])
        self.assertIn("a person rejected a draft of it", [one["why"] for one in said["left_out"]])
        change = json.loads(self.good("rules", "history", made["name"], "--json"))[0]
        self.assertEqual(change["why"], "rejected: ours says so")
        self.assertEqual(self.monitor.weir.ctl("rules", "reject", "NOBODY",
                                               check=False).returncode, 1)

    def test_B32_it_takes_reports_people_domains_and_known_good_mail(self):
        campaign = self.campaign(3)
        one, two = self.variant(campaign, 1), self.variant(campaign, 2)
        uids = [self.report(mail, "ann@one.example")["uid"] for mail in (one, two) * 3]
        uids += [self.report(mail, "bob@one.example")["uid"] for mail in (one, two)]
        self.wait_for_texts(uids)
        said = self.analyze()
        self.assertEqual((said["made"], said["missed"], said["enough"]), ([], 2, 0))
        self.report(one, "carl@one.example")
        rig.wait_for(lambda: self.monitor.rows("SELECT count(*) AS n FROM reports "
                                               "WHERE vote = 1")[0]["n"] == 5, 20, "five votes")
        self.assertEqual(self.analyze()["enough"], 0)  # one domain
        self.configure(domains=1)
        said = self.analyze()
        self.assertEqual((said["made"], said["enough"], said["too_little_ham"]), ([], 1, True))
        self.assertIn("too few good messages are known", self.good("analyze"))
        self.some_ham()
        self.assertEqual(len(self.analyze()["made"]), 1)

    def test_B32_spam_that_quotes_good_mail_makes_no_rule_against_it(self):
        quoted = b"\r\n".join(HAM) + b"\r\n"
        self.some_ham((HAM[0] + b" " + HAM[1], HAM[1] + b" " + HAM[2], quoted) * 2)
        rows = [self.report(self.deliver([(b"Subject", f"Letter {i}".encode())], quoted), user)
                for i, user in enumerate(PEOPLE)]
        self.wait_for_texts([row["uid"] for row in rows])
        said = self.analyze()
        self.assertEqual((said["made"], said["enough"]), ([], 1))
        self.assertIn("all they have in common is in good mail, too, or was tried before",
                      said["left_out"][0]["why"])

    def test_B32_one_person_who_calls_it_good_is_told_of_and_stops_nothing(self):
        campaign = self.campaign()
        self.some_ham()
        self.reported(campaign)
        for number in range(70, 73):  # who sends it has a mailbox, too
            row = self.report(self.variant(campaign, number), "spammer@own.example", "ham")
            self.wait_for_texts([row["uid"]])
        made, = self.analyze()["made"]
        self.assertIn("; but 1 reported as good what has it", made["why"])
        self.good("rules", "enable", made["name"])
        said = self.analyze()
        self.assertEqual((said["withdrawn"], self.rule(made["name"])["state"]), ([], "active"))
        row = self.report(self.variant(campaign, 73), PEOPLE[0], "ham")
        self.wait_for_texts([row["uid"]])
        self.assertEqual(self.analyze()["withdrawn"], [made["name"]])

    def test_one_day_has_so_many_drafts_and_one_server_a_quarter_of_them(self):
        self.configure(day=1)
        self.some_ham()
        for number in (4, 5):
            self.reported(self.campaign(number), first=20 * number)
        said = self.analyze()
        self.assertEqual(len(said["made"]), 1, said)
        self.assertEqual([one["why"] for one in said["left_out"]],
                         ["there are enough drafts for today"])
        self.configure(day=5)  # two of one server
        self.assertEqual(len(self.analyze()["made"]), 1)


class Texts(Help, Drafting):
    """Reported messages at the monitor."""

    verbs = ["reports show", "reports unproven", "reports confirm", "reports reject",
             "reports undo", "reports forget", "rules reject", "analyze"]

    NASTY = (b"Hello \x1b]0;owned\x07 and \xe2\x80\xae back\r\n"
             b"broken \x00 octets\r\n" + b"x" * 3000 + b"\r\n")

    def test_B16_a_reported_message_is_shown_safely_with_its_string_read(self):
        file = self.folder / "own.rules"
        file.write_text(milter.RULES)
        self.good("rules", "add", file)
        mail = self.deliver([(b"Subject", b"you have won\x1b[31m")], self.NASTY)
        row = self.report(mail, "ann@one.example")
        self.assertGreater(row["text"], 3000)
        self.wait_for_texts([row["uid"]])
        said = self.good("reports", "show", row["uid"])
        self.assertNotRegex(said, r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")
        for want in ("state     valid: From, Date and Message-ID are those of ",
                     "SUBJECT_WIN (102)", "reported as spam first at",
                     "Subject: you have won?[31m", "  Hello "):
            self.assertIn(want, said)
        one, = json.loads(self.good("reports", "show", row["uid"], "--json"))
        self.assertEqual((one["uid"], one["proven"], one["state"], one["report"], one["cut"]),
                         (row["uid"], True, "valid", "spam", False))
        self.assertEqual([rule["name"] for rule in one["info"]["rules"]],
                         ["SUBJECT_WIN", "REPUTATION"])

    def test_attachments_stay_behind_and_long_messages_are_cut(self):
        self.mx1.weir.configure(reports={"text": "8K"})
        parts = letter(("application/octet-stream; name=\"bill.exe\"\r\n"
                        "Content-Transfer-Encoding: base64", b"TVqQAAMAAAAE" * 40),
                       ("text/plain", b"the end " * 2000))
        head, _, body = parts.partition(b"\r\n\r\n")
        kind = head.rpartition(b"Content-Type: ")[2]
        mail = self.deliver([(b"Subject", b"a bill"), (b"MIME-Version", b"1.0"),
                             (b"Content-Type", kind)], body)
        row = self.report(mail, "ann@one.example")
        self.wait_for_texts([row["uid"]])
        one, = json.loads(self.good("reports", "show", row["uid"], "--json"))
        self.assertIn("[attachment left out: application/octet-stream, \"bill.exe\", 360 octets, "
                      "sha256 ", one["message"])
        self.assertNotIn("TVqQAAMAAAAE", one["message"])
        self.assertTrue(one["cut"])
        self.assertLessEqual(len(one["message"]), 8192)

    def test_nothing_of_the_message_leaves_where_that_is_configured(self):
        self.mx1.weir.configure(reports={"text": 0})
        row = self.report(self.judge(), "ann@one.example")
        self.assertEqual(row["text"], 0)
        rig.wait_for(lambda: self.monitor.rows("SELECT * FROM reports"), 20, "a report")
        self.assertEqual(self.monitor.rows("SELECT * FROM reported_texts"), [])
        spool = self.mx1.weir.folder / "spool"
        self.assertFalse(any(b" part=" in path.read_bytes() for path in spool.iterdir()
                             if path.is_file()))

    def test_B16_what_proves_nothing_is_kept_apart_and_changes_nothing(self):
        mail = b"From: eve@evil.example\r\nSubject: made up\r\n\r\nno string at all\r\n"
        for user in PEOPLE:
            self.pipe(mail, "spam", "--user", user)
        rig.wait_for(lambda: self.monitor.rows("SELECT * FROM reported_texts"), 20, "a text")
        one, = json.loads(self.good("reports", "unproven", "--json"))
        self.assertEqual((one["proven"], one["state"], one["info"]), (False, "none", None))
        self.assertIn("eve@evil.example: made up", self.good("reports", "unproven"))
        self.assertIn("it proves nothing, and changes nothing",
                      self.good("reports", "show", one["uid"]))
        self.assertEqual(self.analyze()["missed"], 0)
        self.assertEqual(self.monitor.rows("SELECT * FROM reported"), [])

    def test_a_message_is_forgotten_on_demand_and_that_is_audited(self):
        row = self.report(self.judge(), "ann@one.example")
        self.wait_for_texts([row["uid"]])
        self.assertIn(row["uid"], self.good("reports", "show", row["uid"].upper()))
        self.assertEqual(self.good("reports", "forget", row["uid"].upper()),
                         f"{row['uid']} is forgotten\n")
        self.assertEqual(self.monitor.rows("SELECT * FROM reported_texts"), [])
        self.assertEqual([one["detail"] for one in self.monitor.rows(
            "SELECT detail FROM audit WHERE what = 'reports forget'")], [row["uid"]])
        for words, code in ((("show", row["uid"]), 1), (("forget", row["uid"]), 1),
                            (("show", "tomorrow"), 64), (("forget", "tomorrow"), 64),
                            (("show", row["uid"] + "0"), 64)):
            with self.subTest(words):
                done = self.monitor.weir.ctl("reports", *words, check=False)
                self.assertEqual(done.returncode, code, done.stderr)

    def test_parts_that_came_before_a_kill_are_put_together_with_those_behind(self):
        mail = self.deliver([(b"Subject", b"long")],
                            b"".join(b"%x" % (i * 2654435761 % (1 << 32)) for i in range(3000)))
        self.mx1.stop()
        row = self.report(mail, "ann@one.example")
        spool = self.mx1.weir.folder / "spool"
        file, = [path for path in spool.iterdir() if path.name.startswith("report-")]
        lines = file.read_bytes().splitlines(keepends=True)
        self.assertGreater(len(lines), 4)
        file.write_bytes(b"".join(lines[:3]))
        self.mx1.start()
        rig.wait_for(lambda: self.monitor.rows("SELECT * FROM parts"), 30, "parts in the table")
        self.monitor.process.stop(9)
        self.monitor.start()
        with open(file if file.exists() else file.with_suffix(""), "ab") as out:
            out.write(b"".join(lines[3:]))
        self.wait_for_texts([row["uid"]])
        self.assertEqual(self.monitor.rows("SELECT * FROM parts"), [])


if __name__ == "__main__":
    harness.main()

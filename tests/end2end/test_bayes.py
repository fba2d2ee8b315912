#!/usr/bin/env python3
"""The Bayesian classifier from end to end: taught by an operator, by sure verdicts and by reports
at a real monitor, published, and asked by a real weir-milter about later mail."""
import json
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import ctl_help
import harness
import milter
import postfix
import rig
import smtp
from test_reports import Base, letter

SOON = 20
RULES = "\n".join((
    "body   CHEAP_LOAN   /cheap loan/i",
    "score  CHEAP_LOAN   12",
    "body   TEAM_NOTE    /our weekly team note/i",
    "score  TEAM_NOTE    -2", ""))
SPAM = ["lottery winner transfer bank prince", "prince inheritance transfer lottery million",
        "million bank winner inheritance urgent", "urgent prince lottery bank millions"]
HAM = ["compiler patch kernel review build", "review meeting kernel schedule build",
       "schedule compiler agenda patch meeting", "agenda kernel patch review build"]


def mail(number, words, sender="ann@client.example"):
    return (f"From: Ann <{sender}>\r\nTo: user@test.example\r\nSubject: {words.split()[0]}\r\n"
            f"Date: Sat, 21 Nov 2026 18:13:00 +0000\r\nMessage-ID: <{number}@corpus.example>\r\n"
            f"\r\n{words}\r\n").encode()


class Learning(Base):
    """A monitor that needs little to speak, and a mail server whose classifier counts."""

    def monitor_with(self, **sections):
        super().monitor_with(**{"bayes": {"least": 3}, **sections})

    def setUp(self):
        super().setUp()
        milter.write_rules(self.mx1.weir, RULES)
        self.use("on")

    def use(self, use, **more):
        self.mx1.weir.configure(bayes={"use": use, "least": 3, "lessons": "1000000/s", **more})
        self.milter.stop()
        self.milter.start()

    def bayes(self, *words):
        return json.loads(self.monitor.weir.ctl("bayes", *words, "--json"))

    def status(self):
        return self.bayes("status")

    def learned(self):
        status = self.status()
        return status["spam"], status["ham"]

    def corpus(self, name, texts):
        folder = self.monitor.weir.folder / name
        folder.mkdir(exist_ok=True)
        for number, words in enumerate(texts):
            (folder / f"{number}.eml").write_bytes(mail(f"{name}{number}", words))
        return folder

    def teach(self):
        return (self.bayes("learn", "spam", str(self.corpus("spam", SPAM))),
                self.bayes("learn", "ham", str(self.corpus("ham", HAM))))

    def publish(self):
        serial = json.loads(self.monitor.weir.ctl("publish", "--json"))["serial"]
        rig.wait_for(lambda: self.serial() == serial, SOON, f"set {serial}, not {self.serial()}")
        return serial

    def serial(self):
        return self.check(b"hello")["serial"]

    def check(self, words):
        path = self.mx1.weir.folder / "check.eml"
        path.write_bytes(mail("later", words.decode()))
        return json.loads(self.mx1.weir.ctl("check", "--json", "--client-address",
                                            "198.51.100.20", str(path)))

    def points(self, words):
        return {rule["name"]: rule for rule in self.check(words)["rules"]}


class Delivering(Learning):
    """With a real Postfix in front."""

    def test_C28_a_delivered_mail_bears_its_word_and_its_like_taught_it(self):
        rig.needs_root()
        self.mx1.weir.configure(info={"server": 1, "sealed": "no"})
        self.use("on")
        server = postfix.PrivatePostfix(self.mx1.weir.folder,
                                        extra=milter.wiring(self.milter.path))
        self.addCleanup(server.stop)
        server.start()
        self.publish()
        for number in range(3):
            for words in ("a cheap loan, so take it today, no questions asked",
                          "our weekly team note: what grows in the garden this year"):
                smtp.send(server.port, "198.51.100.20", content=mail(f"taught{number}", words))
        rig.wait_for(lambda: self.learned() == (3, 3), SOON, "3 of each")
        self.publish()
        self.use("on")  # started anew, the milter has looked for it
        smtp.send(server.port, "198.51.100.20",
                  content=mail("judged", "take it today, no questions asked, my friend"))
        judged = server.wait_mails(7)[-1]
        found = [one for one in server.mails() if b"<judged@corpus.example>" in one]
        self.assertEqual(len(found), 1, judged)
        # Marked, for whoever sorts mail; by words alone nothing is refused.
        self.assertRegex(found[0].decode(), r"(?s)X-Spam-Status: Yes, score=[0-9.]+.*tests=BAYES")


class Telling(Learning):
    """What of a reported message goes to the monitor besides."""

    def setUp(self):
        super().setUp()
        self.teach()
        self.publish()
        self.mx1.kill()  # so that the spool stays as it is

    def spooled(self):
        return [line for path in self.mx1.spool.glob("report-*")
                for line in path.read_text().splitlines()]

    def test_B33_without_text_no_hashes_of_words_leave_the_server_either(self):
        mail = self.judge()
        self.pipe(mail, "spam", "--user", "bob")
        self.assertIn("tokens", "".join(self.spooled()))
        before = len(self.spooled())
        self.mx1.weir.configure(reports={"text": "0"})
        self.pipe(mail, "spam", "--user", "carol")
        told = self.spooled()[before:]
        self.assertEqual(len(told), 1, told)
        self.assertIn(" report=spam ", told[0])

    def test_all_messages_of_a_letter_are_reported_however_large_they_are(self):
        chance = random.Random(3)
        body = b"".join(b"%x %x %x %x\r\n" % tuple(chance.getrandbits(40) for _ in range(4))
                        for _ in range(2200))
        mail = self.judge() + body
        self.mx1.weir.configure(spool={"size": "100M"})
        rows = self.said(letter(*[("message/rfc822", mail)] * 64), "spam", "--what", "attached",
                         "--user", "bob")
        self.assertEqual(len(rows), 64)


class Judging(ctl_help.Help, Learning):
    """From what is there already to later mail."""
    verbs = ["bayes status", "bayes learn", "bayes unlearn"]

    def good(self, *words):
        return self.monitor.weir.ctl(*words)

    def test_C28_silent_until_enough_then_one_line_of_the_explanation(self):
        self.assertEqual(self.check(b"a lottery")["bayes"]["silent"],
                         "no word list was published")
        self.publish()
        self.assertEqual(self.check(b"a lottery")["bayes"]["silent"],
                         "too little spam was learned")
        self.assertNotIn("BAYES", self.points(b"a lottery"))
        self.assertEqual([one["changed"] for one in self.teach()], [4, 4])
        self.assertEqual(self.learned(), (4, 4))
        words = self.status()["tokens"]
        self.assertEqual(json.loads(self.monitor.weir.ctl("publish", "--dry-run", "--json"))
                         ["differences"], {"words": words})
        self.publish()
        found = self.points(b"the prince and his lottery million")["BAYES"]
        self.assertEqual(found["id"], 1003)
        self.assertGreater(found["points"], 0.5)
        self.assertLess(found["points"], 15)
        self.assertIn("prince", found["evidence"])
        self.assertLess(self.points(b"a kernel patch to review")["BAYES"]["points"], -0.5)
        shown = self.mx1.weir.ctl("check", "--explain", str(self.mx1.weir.folder / "check.eml"))
        self.assertIn("learned of 4 spam and 4 ham", shown)
        self.assertRegex(shown, r"weight -\d.*, fitted -\d")

    def test_a_diff_of_sets_tells_of_other_words_as_publish_does(self):
        self.publish()
        self.teach()
        words = self.status()["tokens"]
        self.assertEqual(json.loads(self.good("publish", "--json"))["differences"],
                         {"words": words})
        self.assertEqual(self.good("rules", "diff", "1", "2"), f"words: 0 -> {words}\n")
        self.assertEqual(self.good("rules", "diff", "2", "1"), f"words: {words} -> 0\n")
        self.assertEqual(json.loads(self.good("rules", "diff", "1", "2", "--json")),
                         [{"id": 0, "name": "", "difference": "words", "old": "0",
                           "new": str(words)}])
        self.assertIn("differences: 0 words\n", self.good("rollback", "1", "--dry-run"))
        self.assertEqual(self.good("rules", "diff", "2", "2"), "no difference\n")
        self.bayes("learn", "ham", str(self.corpus("spam", SPAM)))  # the same words otherwise
        self.assertEqual(json.loads(self.good("publish", "--json"))["differences"]["words"], words)
        self.assertEqual(self.good("rules", "diff", "2", "3"),
                         f"words: {words} -> {words}, which weigh something else\n")

    def test_C28_weights_are_fitted_to_what_is_learned_and_to_nothing_taken_back(self):
        words = b"the prince and his lottery million"
        self.teach()
        self.publish()
        before = self.check(words)["bayes"]
        self.assertGreater(before["fitted"], 0.5)
        self.assertLess(self.check(b"a kernel patch to review")["bayes"]["fitted"], -0.5)
        more = str(self.corpus("more", ["a prince of a patch, my lottery million"]))
        self.bayes("learn", "ham", more)
        self.publish()
        self.assertLess(self.check(words)["bayes"]["fitted"], before["fitted"])
        self.bayes("unlearn", more)
        self.publish()
        self.assertEqual(self.check(words)["bayes"], before)
        self.bayes("unlearn", *(str(self.monitor.weir.folder / "ham" / f"{number}.eml")
                                for number in (0, 1)))
        self.publish()
        after = self.check(words)["bayes"]
        self.assertEqual(after["silent"], "too little ham was learned")
        self.assertNotIn("fitted", after)

    def test_C28_an_mbox_teaches_what_its_messages_would_as_files(self):
        folder = self.monitor.weir.folder
        texts = [*SPAM[:2], "prince\r\n\r\nFrom here on a lottery"]
        self.assertEqual(self.bayes("learn", "spam", str(self.corpus("one", texts)))["changed"], 3)
        mails = [mail(f"one{number}", words) for number, words in enumerate(texts)]
        quoted = mails[2].replace(b"\nFrom here", b"\n>From here")
        (folder / "mbox").write_bytes(b"".join(b"From ann Sat\r\n" + one + b"\r\n"
                                               for one in (*mails[:2], quoted)))
        again = self.bayes("learn", "spam", str(folder / "mbox"))
        self.assertEqual((again["messages"], again["changed"], again["same"]), (3, 0, 3))
        for part in ("cur", "new", "tmp"):
            (folder / "Maildir" / part).mkdir(parents=True)
            (folder / "Maildir" / part / "1").write_bytes(mail(part, SPAM[3]))
        (folder / "Maildir" / "dovecot-uidlist").write_text("3 V1 N2 G1\n1 :1\n")
        (folder / "Maildir" / "Junk" / "cur").mkdir(parents=True)
        (folder / "Maildir" / "Junk" / "cur" / "2").write_bytes(mail("junk", SPAM[3]))
        (folder / "Maildir" / "Junk" / "maildirfolder").write_bytes(b"")
        (folder / "Maildir" / "Junk" / "dovecot.index.cache").write_bytes(b"\x01\x08\x00words")
        self.assertEqual(self.bayes("learn", "spam", str(folder / "Maildir"))["changed"], 3)

    def test_C28_much_mail_is_learned_in_pieces_so_that_the_monitor_answers_meanwhile(self):
        folder = self.folder / "much"
        folder.mkdir()
        for number in range(40):
            words = " ".join(f"word{number}x{n}" for n in range(1000))
            (folder / f"{number}").write_bytes(mail(f"much{number}", words))
        self.assertEqual(self.bayes("learn", "ham", str(folder))["changed"], 40)
        learned, = self.monitor.rows("SELECT count(*) AS n FROM audit WHERE what = 'bayes learn'")
        self.assertGreater(learned["n"], 1)

    def test_C28_the_milter_adds_it_to_headers_log_and_string(self):
        self.teach()
        self.publish()
        judged = self.judge(b"lottery", b"prince, your inheritance of a million\r\n")
        self.assertIn("BAYES(", self.milter.decisions()[-1]["rules"])
        path = self.mx1.weir.folder / "judged.eml"
        path.write_bytes(judged)
        rules = self.mx1.weir.json("info", "decode", str(path))["rules"]
        self.assertIn("BAYES", [rule["name"] for rule in rules])

    def test_observe_shows_what_it_would_add_and_off_asks_nobody(self):
        self.teach()
        self.publish()
        self.use("observe")
        found = self.check(b"the prince and his lottery million")
        bayes, = [rule for rule in found["rules"] if rule["name"] == "BAYES"]
        self.assertEqual(bayes["points"], 0)
        self.assertIn("would be +", bayes["description"])
        self.assertGreater(found["bayes"]["points"], 0.5)
        self.use("off")
        self.assertNotIn("BAYES", self.points(b"the prince and his lottery million"))


class Teaching(Learning):
    """What servers and people tell it."""

    def setUp(self):
        super().setUp()
        self.publish()  # the key comes with it

    def lessons(self):
        return [tuple(row.values()) for row in self.monitor.rows(
            "SELECT source, label, said, learned, weight FROM lessons ORDER BY number")]

    def wait_for_lessons(self, want):
        try:
            rig.wait_for(lambda: self.lessons() == want, SOON, f"{want}")
        except rig.Trouble as trouble:
            raise rig.Trouble(f"{trouble}: {self.lessons()}, {self.status()['came']}, "
                              f"{self.reports()}") from trouble

    def counts(self):
        """All counts, as a table of them would have them."""
        self.monitor.ask("analyze")
        status = self.status()
        return status["spam"], status["ham"], status["tokens"]

    def test_C29_sure_verdicts_teach_it_and_unsure_ones_do_not(self):
        spam = b"a cheap loan for you, take it today, no questions asked\r\n"
        ham = b"this is our weekly team note about all that was done in the garden\r\n"
        self.judge(b"loan", spam)
        self.judge(b"note", ham)
        self.judge(b"hello", b"nothing much, but many words that no rule knows at all\r\n")
        self.wait_for_lessons([("verdict", "spam", "", "spam", 1),
                               ("verdict", "ham", "", "ham", 1)])
        self.assertEqual(self.learned(), (1, 1))
        self.publish()
        for number in range(2):
            self.judge(b"loan %d" % number, spam)
            self.judge(b"note %d" % number, ham)
        rig.wait_for(lambda: self.learned() == (3, 3), SOON, f"3 of each, not {self.learned()}")
        self.publish()
        self.assertGreater(self.points(b"take it today, no questions asked")["BAYES"]["points"], 0)

    def test_nobody_is_spam_for_being_new_where_files_taught_it(self):
        self.teach()
        for number in range(8):
            self.judge(b"loan %d" % number, b"a cheap loan for you, no questions asked\r\n")
        rig.wait_for(lambda: self.learned() == (12, 4), SOON, f"12 spam, not {self.learned()}")
        self.publish()
        found = self.check(b"shall we have lunch on friday")
        self.assertEqual(found["reputation"]["association"], "unknown")
        telling = found["bayes"].get("telling", [])
        self.assertEqual([word for word in telling if word["token"].startswith("rep:")], [])

    def test_C29_a_report_turns_a_message_and_taken_back_it_is_as_before(self):
        mail = self.judge(b"loan", b"a cheap loan for you, take it today, no questions asked\r\n")
        self.wait_for_lessons([("verdict", "spam", "", "spam", 1)])
        before = self.counts()
        self.pipe(mail, "ham", "--user", "bob")
        self.wait_for_lessons([("verdict", "spam", "ham", "ham", 3)])
        self.assertEqual(self.learned(), (0, 3))
        self.pipe(mail, "ham", "--user", "bob", "--take-back")
        self.wait_for_lessons([("verdict", "spam", "", "spam", 1)])
        self.assertEqual(self.counts(), before)

    def test_C29_a_reported_message_brings_its_tokens(self):
        mail = self.judge(b"hello", b"nothing much, but many words that no rule knows at all\r\n")
        self.pipe(mail, "spam", "--user", "bob")
        self.wait_for_lessons([("report", "", "spam", "spam", 3)])
        self.pipe(mail, "spam", "--user", "carol")
        self.pipe(mail, "ham", "--user", "dave")
        self.wait_until_came({"counted": 3})
        self.assertEqual(self.learned(), (3, 0))
        self.pipe(mail, "ham", "--user", "erin")
        self.wait_for_lessons([("report", "", "", "", 0)])
        self.assertEqual(self.learned(), (0, 0))

    def test_a_monitor_that_is_killed_counts_each_once(self):
        mails = []
        for number in range(6):
            mails.append(self.judge(b"loan", b"a cheap loan, offer number %d, take it today, no "
                                    b"questions asked\r\n" % number))
            if number % 2:
                self.monitor.kill()
                self.pipe(mails[-1], "ham", "--user", "bob")
                self.monitor.start()
        rig.wait_for(lambda: self.learned() == (3, 9), 30, f"3 and 9, not {self.learned()}")
        self.monitor.kill()
        self.monitor.start()
        self.assertEqual(self.learned(), (3, 9))
        for mail in mails[1::2]:
            self.pipe(mail, "ham", "--user", "bob", "--take-back")
        self.wait_for_lessons([("verdict", "spam", "", "spam", 1)] * 6)
        self.assertEqual(self.learned(), (6, 0))

    def test_C29_verdicts_teach_nothing_where_that_is_not_wanted(self):
        self.use("on", verdicts="no")
        self.judge(b"loan", b"a cheap loan for you, take it today, no questions asked\r\n")
        self.use("on", verdicts="yes")
        self.judge(b"note", b"this is our weekly team note about all that was done\r\n")
        self.wait_for_lessons([("verdict", "ham", "", "ham", 1)])


if __name__ == "__main__":
    harness.main()

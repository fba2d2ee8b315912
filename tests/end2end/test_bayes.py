#!/usr/bin/env python3
"""The Bayesian classifier from end to end: taught by an operator, by sure verdicts and by reports
at a real monitor, published, and asked by a real weir-milter about later mail."""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import ctl_help
import harness
import milter
import rig
from test_reports import Base

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
        self.publish()
        found = self.points(b"the prince and his lottery million")["BAYES"]
        self.assertEqual(found["id"], 1003)
        self.assertGreater(found["points"], 0.5)
        self.assertLess(found["points"], 5)
        self.assertIn("prince", found["evidence"])
        self.assertLess(self.points(b"a kernel patch to review")["BAYES"]["points"], -0.5)
        shown = self.mx1.weir.ctl("check", "--explain", str(self.mx1.weir.folder / "check.eml"))
        self.assertIn("learned of 4 spam and 4 ham", shown)

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


if __name__ == "__main__":
    harness.main()

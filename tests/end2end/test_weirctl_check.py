"""weirctl check and info decode: what a person sees of whole messages."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from ctl_help import Help
import test_weirctl
from test_weirctl import CONFIG, IO, NO_INPUT, USAGE

NOT_THERE = 1
GATEWAY, OUTSIDE, FURTHER, FAR = "198.51.100.3", "203.0.113.7", "192.0.2.9", "192.0.2.77"
RULES = """\
header   WIN_SUBJECT Subject =~ /win big/i
score    WIN_SUBJECT 1.5
id       WIN_SUBJECT 2001
describe WIN_SUBJECT Says that one wins
body     LOTTERY /lottery.{0,20}/
score    LOTTERY 4.25
id       LOTTERY 2002
header   __HAS_DATE exists:Date
ip       FROM_THERE 203.0.113.7
score    FROM_THERE 0.5
id       FROM_THERE 2003
"""
VERBS = ["check", "info decode", "rules load", "rules list", "rules show", "rules import",
         "gateways learn", "gateways list", "gateways approve", "gateways reject",
         "gateways forget"]


def received(host, address, by):
    return (f"Received: from {host} ({host} [{address}])\n\tby {by} with ESMTP id 4XYZ;\n"
            "\tSat, 21 Nov 2026 18:13:00 +0000\n")


DIRECT = received("mail.shop.example", OUTSIDE, "mx.test.example")
FORWARDED = (received("gw.filter.example", GATEWAY, "mx.test.example") +
             received("mail.shop.example", OUTSIDE, "gw.filter.example") +
             received("inner.shop.example", FURTHER, "mail.shop.example") +
             received("far.shop.example", FAR, "inner.shop.example"))


def mail(top=DIRECT, subject="win big", body="the lottery is yours\n", number=1, more=""):
    return (f"{top}From: Ann <ann@shop.example>\nTo: user@test.example\nSubject: {subject}\n"
            f"Date: Sat, 21 Nov 2026 18:13:00 +0000\nMessage-Id: <{number}@shop.example>\n{more}"
            f"\n{body}")


class Case(test_weirctl.Case):
    """A Weir with a folder of rules of its own and one mail."""

    def setUp(self):
        super().setUp()
        self.rules = self.folder / "rules"
        self.rules.mkdir()
        self.weir.configure(rules={"folder": self.rules})
        self.mail = self.write("mail.eml", mail())

    def load(self, text=RULES, name="10-test.rules"):
        (self.rules / name).write_text(text)
        return self.json("rules", "load")

    def check(self, *words, stdin=""):
        """The objects of check --json, one of each line."""
        out = self.good("check", "--json", *words, stdin=stdin)
        return [json.loads(line) for line in out.splitlines()]

    def one(self, *words, stdin=""):
        return self.check(*(words or [self.mail]), stdin=stdin)[0]

    def image(self):
        return (self.weir.folder / "rules.image").read_bytes()


class CommandLine(Help, Case):
    verbs = VERBS

    def test_wrong_command_lines_are_told_and_end_with_64(self):
        for words, reason in [
            (["check", "--client-address", "203.0.113.256", self.mail], "is no address"),
            (["check", "--output", "x", self.mail], "does not take --output"),
            (["info", "decode", "a", "b"], "one too many"),
            (["info"], "needs one of: decode"),
            (["rules"], "needs one of: load, list, stats, show, test, import"),
            (["rules", "load", "x"], "one too many"),
            (["rules", "show"], "missing"),
            (["rules", "import"], "missing"),
            (["rules", "import", "--json", self.mail], "needs --output"),
            (["gateways", "learn"], "missing"),
            (["gateways", "learn", "--at", "yesterday", self.mail], "not a time"),
            (["gateways", "approve", "mx.test.example"], "is no address"),
            (["gateways", "reject", "198.51.100.0/24"], "is no address"),
        ]:
            with self.subTest(" ".join(map(str, words))):
                self.refused(USAGE, reason, *words)

    def test_wrong_configuration_ends_with_78(self):
        self.weir.configure(boundary={"mode": "sometimes"})
        for words in (["check", self.mail], ["rules", "load"], ["gateways", "list"]):
            self.assertRegex(self.refused(CONFIG, "boundary|mode", *words).stderr, r"conf:\d+: ")


class Check(Case):
    def test_json_is_one_compact_object_a_line_with_the_promised_fields(self):
        self.load()
        out = self.good("check", "--json", self.mail, self.mail)
        self.assertEqual(len(out.splitlines()), 2)
        self.assertNotIn('": ', out)
        got = json.loads(out.splitlines()[0])
        self.assertEqual(
            {key: got[key] for key in ("file", "verdict", "score", "action", "boundary_address",
                                       "domain", "subject")},
            {"file": str(self.mail), "verdict": "spam", "score": 6.25, "action": "pass",
             "boundary_address": OUTSIDE, "domain": "shop.example", "subject": "win big"})
        self.assertEqual([(row["id"], row["name"], row["points"]) for row in got["rules"][:3]],
                         [(2002, "LOTTERY", 4.25), (2001, "WIN_SUBJECT", 1.5),
                          (2003, "FROM_THERE", 0.5)])
        self.assertLessEqual({"probability", "confidence", "points"}, got["reputation"].keys())
        self.assertRegex(got["info"], r"^v1; [A-Za-z0-9_-]+$")

    def test_A6_B18_the_score_is_the_sum_of_all_points(self):
        self.load()
        self.weir.learn("spam", OUTSIDE, "shop.example", times=2)
        got = self.one()
        self.assertGreater(got["reputation"]["points"], 0)
        self.assertAlmostEqual(got["score"], sum(row["points"] for row in got["rules"]), places=6)

    def test_A5_a_rule_more_or_less_flips_the_verdict(self):
        self.assertEqual(self.one()["verdict"], "ham")
        self.load()
        self.assertEqual(self.one()["verdict"], "spam")
        self.load("body NOTHING /nothing of the kind/\n")
        self.assertEqual(self.one()["verdict"], "ham")

    def test_files_folders_and_standard_input_are_judged_in_order(self):
        self.load()
        for name in ("box/b.eml", "box/a.eml", "box/new/c.eml", "box/.hidden", "box/.d/x.eml"):
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            self.write(name, mail())
        (self.folder / "box" / "link.eml").symlink_to(self.mail)
        box = str(self.folder / "box")
        self.assertEqual([row["file"] for row in self.check(box, self.mail)],
                         [f"{box}/{name}" for name in ("a.eml", "b.eml", "new/c.eml")]
                         + [str(self.mail)])
        for words in ([], ["-"]):
            got = self.one(*words, stdin=mail()) if words else self.check(stdin=mail())[0]
            self.assertEqual((got["file"], got["score"]), ("stdin", 6.25))

    def test_without_options_one_line_tells_verdict_score_action_and_rules(self):
        self.load()
        self.assertEqual(self.good("check", self.mail).split(" "),
                         [f"{self.mail}:", "spam", "6.25", "pass",
                          "LOTTERY,WIN_SUBJECT,FROM_THERE,REPUTATION\n"])

    def test_explain_says_who_gave_how_many_points_and_what_it_saw(self):
        self.load()
        text = self.good("check", "--explain", self.mail)
        self.assertIn("spam, score 6.25", text)
        self.assertRegex(text, r"\+1\.50  WIN_SUBJECT \(2001, header\): Says that one wins")
        self.assertIn('saw "lottery is yours', text)
        self.assertRegex(text, r"from +203\.0\.113\.7, hop 0 of \d+: the peer, as configured")
        self.assertRegex(text, r"domain +shop\.example")

    def test_hidden_rules_are_shown_when_asked_for(self):
        self.load()
        self.assertNotIn("__HAS_DATE", self.good("check", self.mail))
        names = [row["name"] for row in self.one("--hidden", self.mail)["rules"]]
        self.assertIn("__HAS_DATE", names)

    def test_profile_tells_the_time_of_stages_and_rules_and_leaves_the_output_alone(self):
        self.load()
        done = self.run_ctl("check", "--profile", "--json", self.mail, self.mail)
        self.assertEqual([json.loads(row)["verdict"] for row in done.stdout.splitlines()],
                         ["spam", "spam"])
        self.assertRegex(done.stderr, r"2 messages, \d+\.\d MB")
        for word in ("parse", "boundary", "look-up", "rules", "write", "LOTTERY"):
            self.assertRegex(done.stderr, rf"(?m)^  {word} +\d+\.\d")

    def test_client_and_sender_come_from_the_message_unless_they_are_named(self):
        self.load("envelope SENDER sender =~ /bounce@shop/\nenvelope HELO helo =~ /^hi$/\n"
                  "envelope NAME client_name =~ /^named\\./\nenvelope RCPT recipient =~ /^bob@/\n")
        path = self.write("path.eml", "Return-Path: <bounce@shop.example>\n" + mail())
        got = self.one(path)
        self.assertEqual(got["boundary_address"], OUTSIDE)
        self.assertIn("SENDER", [row["name"] for row in got["rules"]])
        got = self.one("--client-address", FURTHER, "--sender", "x@y.example", "--helo", "hi",
                       "--client-name", "named.example", "--recipient", "bob@test.example", path)
        names = [row["name"] for row in got["rules"]]
        self.assertEqual(got["boundary_address"], FURTHER)
        self.assertNotIn("SENDER", names)
        for name in ("HELO", "NAME", "RCPT"):
            self.assertIn(name, names)

    def test_only_an_empty_return_path_makes_a_bounce_of_a_message(self):
        self.load()
        self.assertEqual(self.one()["ground"], "score")
        bounce = self.write("bounce.eml", "Return-Path: <>\n" + mail())
        self.assertEqual(self.one(bounce)["ground"], "null-sender")

    def test_C17_reputation_of_address_and_domain_decides(self):
        self.weir.learn("spam", OUTSIDE, "shop.example", times=20)
        got = self.one()
        self.assertEqual((got["verdict"], got["reputation"]["basis"]), ("spam", "pair"))
        self.assertEqual(self.one("--client-address", FURTHER, self.mail)["reputation"]["basis"],
                         "domain")

    def test_the_blacklist_blocks_and_the_acceptable_list_makes_ham(self):
        self.load()
        self.good("blacklist", "add", OUTSIDE, "--reason", "viruses")
        self.assertEqual(self.one()["verdict"], "blocked")
        self.assertIn("is on the blacklist", self.good("check", "--explain", self.mail))
        self.good("accept", "add", OUTSIDE)
        self.assertEqual(self.one()["verdict"], "ham")

    def test_of_a_long_message_only_what_the_mail_server_looks_at_is_judged(self):
        self.load()
        self.weir.configure(milter={"size": 65536})
        for filler, names in ((64000, {"LOTTERY", "WIN_SUBJECT"}), (66000, {"WIN_SUBJECT"})):
            path = self.write("long.eml", mail(body="x " * (filler // 2) + "\nthe lottery\n"))
            found = {row["name"] for row in self.one(path)["rules"]}
            self.assertEqual(found & {"LOTTERY", "WIN_SUBJECT"}, names)
        self.assertIn("judged by its first 65536 octets", self.run_ctl("check", path).stderr)

    def test_the_live_counters_and_the_spool_are_not_touched(self):
        self.weir.learn("spam", OUTSIDE, "shop.example")
        before = self.json("reputation", OUTSIDE, "shop.example", "--at", "2026-11-21")
        self.one()
        self.assertEqual(self.json("reputation", OUTSIDE, "shop.example", "--at", "2026-11-21"),
                         before)
        self.assertFalse((self.weir.folder / "spool").exists())


class Boundary(Case):
    """Which hop was chosen and why: seen in the output."""

    def chosen(self, *words, **boundary):
        self.weir.configure(boundary={"gateways": None, "hops": None, **boundary})
        path = self.write("forwarded.eml", mail(FORWARDED))
        got = self.one(*words, path)
        explained = self.good("check", "--explain", *words, path)
        self.assertRegex(explained, rf"from +{got['boundary_address']}, hop "
                         rf"{got['boundary']['hop']} of \d+: {got['boundary']['why']}")
        return got["boundary_address"], got["boundary"]["hop"], got["boundary"]["end"]

    def test_mode_connect_takes_the_client(self):
        self.assertEqual(self.chosen(mode="connect"), (GATEWAY, 0, "mode"))

    def test_C7_C8_a_configured_gateway_is_stepped_over(self):
        self.assertEqual(self.chosen(mode="preconfigured", gateways=GATEWAY),
                         (OUTSIDE, 1, "no-gateway"))
        self.assertEqual(self.chosen(mode="preconfigured"), (GATEWAY, 0, "no-gateway"))

    def test_C9_mode_hop_goes_so_many_hops_behind_the_gateway(self):
        for hops, address in ((1, OUTSIDE), (2, FURTHER), (3, FAR)):
            got = self.chosen(mode="hop", hops=hops, gateways=GATEWAY)
            self.assertEqual(got[:2], (address, hops))

    def test_C7_reputation_is_that_of_the_outside_address(self):
        self.weir.learn("spam", OUTSIDE, "shop.example", times=20)
        self.weir.configure(boundary={"mode": "preconfigured", "gateways": GATEWAY})
        path = self.write("forwarded.eml", mail(FORWARDED))
        self.assertEqual(self.one(path)["reputation"]["basis"], "pair")
        self.weir.configure(boundary={"gateways": None})
        self.assertNotEqual(self.one(path)["reputation"]["basis"], "pair")

    def test_a_foreign_client_that_forges_a_gateway_is_the_boundary_itself(self):
        got = self.chosen("--client-address", "203.0.113.66", mode="preconfigured",
                          gateways=GATEWAY)
        self.assertEqual(got, ("203.0.113.66", 0, "no-gateway"))

    def test_a_message_without_received_fields_comes_from_nowhere(self):
        path = self.write("local.eml", mail(""))
        self.assertIsNone(self.one(path)["boundary_address"])
        self.assertIn("nowhere outside", self.good("check", "--explain", path))

    def test_C10_C13_a_learned_and_approved_gateway_is_stepped_over(self):
        self.assertEqual(self.chosen(mode="learned")[0], GATEWAY)
        self.good("gateways", "approve", GATEWAY)
        self.assertEqual(self.chosen(mode="learned"), (OUTSIDE, 1, "no-gateway"))
        self.good("gateways", "reject", GATEWAY)
        self.assertEqual(self.chosen(mode="learned")[0], GATEWAY)


class Trouble(Case):
    """What is not as it should be is told, and never harms."""

    def test_a_file_that_is_not_there_is_refused_before_anything_is_judged(self):
        done = self.refused(NO_INPUT, "nothing.eml: No such file", "check", self.mail,
                            self.folder / "nothing.eml")
        self.assertEqual(done.stdout, "")

    def test_files_and_folders_that_cannot_be_read_are_told_and_the_others_judged(self):
        if os.geteuid() != 0 or not shutil.which("setpriv"):
            self.skipTest("needs root and setpriv to be somebody else")
        self.load()
        (self.folder / "box" / "shut").mkdir(parents=True)
        for name in ("box/a.eml", "box/b.eml", "box/shut/c.eml"):
            self.write(name, mail())
        (self.folder / "box" / "a.eml").chmod(0)
        (self.folder / "box" / "shut").chmod(0)
        program = shutil.copy(rig.BUILD / "weirctl", self.folder)  # which nobody can reach
        done = subprocess.run(["setpriv", "--reuid", "nobody", "--clear-groups", program, "-c",
                               self.weir.conf, "check", self.folder / "box"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, NO_INPUT, done.stderr)
        self.assertRegex(done.stdout, r"^\S+/b\.eml: spam .*\n$")
        for name in ("a.eml", "shut"):
            self.assertRegex(done.stderr, rf"weirctl: \S+/{name}: Permission denied")

    def test_an_empty_message_is_judged(self):
        self.assertEqual(self.one("-")["verdict"], "ham")
        self.assertEqual(self.one(self.write("empty.eml", ""))["verdict"], "ham")

    def test_hostile_names_and_evidence_do_not_reach_the_terminal(self):
        self.load(RULES + "body ESCAPE /pay.{1,20}/\nscore ESCAPE 1\n")
        evil = "\x1b[31mevil\x1b]0;x\x07\nspam: ham 0 pass\x7f\u009b2J\udcff.eml"
        path = self.write(evil, mail(subject="=?utf-8?q?=1B[2Jhi=C2=9B?=",
                                     body="pay \x1b[31mnow \u202e\x07\n"))
        missing = self.folder / "\x1b[31mgone"
        for words in (["check", path], ["check", "--explain", path], ["check", "--json", path],
                      ["check", missing], ["info", "decode", path], ["rules", "import", path],
                      ["gateways", "learn", missing]):
            with self.subTest(words[:2]):
                done = self.run_ctl(*words, stdin=b"")
                shown = done.stdout + done.stderr
                delete = "" if "--json" in words else "\x7f"
                self.assertNotRegex(shown.decode(), f"[\x00-\x09\x0b-\x1f{delete}\u0080-\u009f]")
                self.assertNotRegex(shown.decode(), "(?m)^spam: ")
        self.assertEqual(self.one(path)["file"].replace("\ufffd", "?"),
                         str(path).replace("\udcff", "?"))

    def test_names_beyond_ascii_are_shown_as_they_are(self):
        path = self.write("b\u00fccher \u65e5\u672c.eml", mail())
        self.assertTrue(self.good("check", path).startswith(f"{path}: "))

    def test_without_a_rule_set_mail_is_judged_and_one_is_told(self):
        self.assertEqual(self.one()["serial"], 0)
        self.assertIn("weirctl rules load", self.good("check", "--explain", self.mail))

    def test_damaged_parts_are_told_and_mail_is_judged_without_them(self):
        self.load()
        self.weir.configure(boundary={"mode": "learned"})
        self.good("accept", "add", "192.0.2.1")
        for name, reason in (("rules.image", "without rules"), ("lists.db", "without the lists"),
                             ("info.key", "without spam-info strings"),
                             ("gateways", "without learned gateways"),
                             ("counters.db", "without the counters")):
            with self.subTest(name):
                path = self.weir.folder / name
                path.write_bytes(os.urandom(20000))
                done = self.run_ctl("check", "--json", self.mail)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(reason, done.stderr)
                self.assertIn("verdict", json.loads(done.stdout))
                path.unlink()

    def test_a_message_of_5_MB_is_judged_at_once(self):
        self.load()
        path = self.write("large.eml", mail(body="the lottery is yours, " * 230000))
        begun = time.monotonic()
        self.assertEqual(self.one(path)["verdict"], "spam")
        self.assertLess(time.monotonic() - begun, 2)

    def test_a_full_output_is_noticed(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([rig.BUILD / "weirctl", "-c", self.weir.conf, "check",
                                   self.mail], stdout=full, stderr=subprocess.PIPE, text=True,
                                  check=False)
        self.assertEqual(done.returncode, IO)


class Info(Case):
    """weirctl info decode."""

    def setUp(self):
        super().setUp()
        self.load()
        self.string = self.one()["info"]
        self.signed = self.with_string(mail())

    def with_string(self, text, folded=True):
        string = self.string
        if folded:
            string = "\n ".join(string[at:at + 60] for at in range(0, len(string), 60))
        return f"X-Weir-Info: {string}\n{text}"

    def decode(self, *words, stdin="", code=0):
        done = self.run_ctl("info", "decode", "--json", *words, stdin=stdin)
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)

    def test_B14_B15_B20_all_that_was_decided_is_read_back(self):
        got = self.decode(self.write("signed.eml", self.signed))
        self.assertEqual(
            {key: got[key] for key in ("state", "bound", "verdict", "score", "boundary_address",
                                       "domain", "domain_hashed", "serial", "lacking")},
            {"state": "valid", "bound": True, "verdict": "spam", "score": 6.25,
             "boundary_address": OUTSIDE, "domain": "shop.example", "domain_hashed": False,
             "serial": 1, "lacking": []})
        self.assertEqual({row["id"]: (row["name"], row["points"]) for row in got["rules"]},
                         {1000: ("REPUTATION", 0), 2001: ("WIN_SUBJECT", 1.5),
                          2002: ("LOTTERY", 4.25), 2003: ("FROM_THERE", 0.5)})
        self.assertRegex(got["uid"], "^[0-9a-f]{16}$")
        self.assertRegex(got["at"], r"^20\d\d-\d\d-\d\dT")

    def test_string_file_message_and_standard_input_are_all_read(self):
        line = self.with_string("", folded=False).strip()
        for words, stdin, bound in (
                ([self.string], "", None), ([line], "", None), (["-"], self.string, None),
                ([], line, None), ([], "  " + self.string + "\n", None),
                ([self.write("string.txt", self.string)], "", None),
                ([], self.signed, True), ([self.write("s.eml", self.signed)], "", True)):
            with self.subTest(words):
                got = self.decode(*words, stdin=stdin)
                self.assertEqual((got["state"], got["bound"]), ("valid", bound))

    def test_words_name_the_rules_with_their_points_then_and_now(self):
        self.load(RULES.replace("score    LOTTERY 4.25", "score    LOTTERY 2"))
        text = self.good("info", "decode", stdin=self.signed)
        self.assertRegex(text, r"\+4\.25  LOTTERY \(2002\), now \+2\.00\n")
        self.assertRegex(text, r"\+1\.50  WIN_SUBJECT \(2001\), now \+1\.50: Says that one wins")
        self.assertRegex(text, r"(?m)^state +valid$")
        rows = {row["id"]: row for row in self.decode(stdin=self.signed)["rules"]}
        self.assertEqual((rows[2002]["points"], rows[2002]["points_now"]), (4.25, 2))

    def test_reputation_that_was_not_asked_is_not_told(self):
        self.weir.learn("spam", OUTSIDE, "shop.example", times=2)
        asked = self.one()["info"]
        unasked = self.one("--authenticated", self.mail)["info"]
        self.assertIn("spam by reputation with", self.good("info", "decode", asked))
        self.assertNotIn("by reputation", self.good("info", "decode", unasked))
        self.assertIsNotNone(self.json("info", "decode", asked)["probability"])
        self.assertIsNone(self.json("info", "decode", unasked)["probability"])

    def test_a_rule_that_is_gone_is_shown_by_its_number(self):
        self.load("body OTHER /x/\n")
        rows = {row["id"]: row for row in self.decode(stdin=self.signed)["rules"]}
        self.assertEqual((rows[2002]["name"], rows[2002]["points_now"]), ("", None))

    def test_moved_to_another_message_it_is_unbound(self):
        got = self.decode(stdin=self.with_string(mail(number=2)), code=0)
        self.assertEqual((got["state"], got["bound"]), ("unbound", False))

    def test_under_another_key_it_is_of_an_unknown_key_and_an_old_key_still_reads(self):
        key = self.weir.folder / "info.key"
        old = key.read_text()
        number = int(old.split()[0]) % 255 + 1
        new = f"{number} {'5a' * 32}\n"
        key.write_text(new)
        self.assertEqual(self.decode(self.string, code=NOT_THERE), {"state": "unknown-key"})
        key.write_text(new + old)
        self.assertEqual(self.decode(self.string)["state"], "valid")
        key.write_text(f"{old.split()[0]} {'5a' * 32}\n")
        self.assertEqual(self.decode(self.string, code=NOT_THERE), {"state": "bad"})

    def test_damaged_or_nonsense_it_is_bad_or_malformed(self):
        at = len(self.string) - 30
        other = "A" if self.string[at] != "A" else "B"
        damaged = self.string[:at] + other + self.string[at + 1:]
        self.assertEqual(self.decode(damaged, code=NOT_THERE), {"state": "bad"})
        for text in ("v1; ", "v1; !!", "v1; AAAA", "v1;" + "x" * 5000, "X-Weir-Info: v9; abc"):
            with self.subTest(text[:30]):
                self.assertEqual(self.decode(text, code=NOT_THERE), {"state": "malformed"})
        self.assertIn("malformed", self.run_ctl("info", "decode", "v1; AAAA").stdout)

    def test_a_message_without_one_is_told(self):
        self.refused(NOT_THERE, "no X-Weir-Info", "info", "decode", self.mail)
        self.refused(NO_INPUT, "No such file", "info", "decode", self.folder / "gone.eml")


if __name__ == "__main__":
    harness.main()

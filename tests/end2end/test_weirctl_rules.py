"""weirctl rules and gateways: what a person does with rules and with what was learned of hosts."""
import os
import pathlib
import resource
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from test_weirctl import DATA, IO, NO_INPUT, UNAVAILABLE
from test_weirctl_check import FORWARDED, GATEWAY, NOT_THERE, OUTSIDE, RULES, Case, mail

CANNOT_CREATE = 73
BEHIND = "203.0.113.77"  # another host behind the gateway


class Rules(Case):
    """weirctl rules load, list, show."""

    def test_load_makes_a_set_with_the_next_serial(self):
        self.assertEqual([self.load()["serial"] for _ in range(3)], [1, 2, 3])
        self.assertRegex(self.good("rules", "load"), r"^4 rules, serial 4, ")

    def test_B5_ids_stay_over_serials(self):
        self.load()
        before = {row["name"]: row["id"] for row in self.json("rules", "list")}
        self.load("body FIRST /first/\n" + RULES)
        after = {row["name"]: row["id"] for row in self.json("rules", "list")}
        self.assertEqual(before, {name: after[name] for name in before})
        self.assertEqual(len(set(after.values())), len(after))

    def test_a_dry_run_changes_nothing(self):
        self.assertIn("nothing was written", self.good("rules", "load", "--dry-run"))
        self.assertFalse((self.weir.folder / "rules.image").exists())
        self.load()
        before = self.image()
        (self.rules / "20-more.rules").write_text("body MORE /more/\n")
        made = self.json("rules", "load", "--dry-run")
        self.assertEqual((made["rules"], made["serial"], made["written"]), (5, 2, False))
        self.assertEqual(self.image(), before)

    def test_wrong_rules_are_told_by_file_and_line_and_change_nothing(self):
        self.load()
        before = self.image()
        wrong = self.rules / "20-wrong.rules"
        for text, line in (("body A /a/\nscore A much\n", 2), ("\n\nbogus A b\n", 3),
                           ("body A /(/\n", 1), ("meta A B &&\n", 1), ("body A a\n", 1),
                           ("body A /a/\nid A 2001\n", 1), ("ip A 300.1.1.1\n", 1)):
            for words in ([], ["--dry-run"], ["--json"]):
                with self.subTest(text, words=words):
                    wrong.write_text(text)
                    done = self.refused(DATA, "nothing was changed", "rules", "load", *words)
                    self.assertRegex(done.stderr, rf"(?m)^{wrong}:{line}: \S+")
                    self.assertEqual((done.stdout, self.image()), ("", before))

    def test_a_folder_that_is_not_there_is_told(self):
        self.rules.rmdir()
        self.refused(IO, "rules: No such file", "rules", "load")

    def test_the_rules_at_work_are_listed_and_shown_by_name_and_id(self):
        self.load()
        rows = {row["name"]: row for row in self.json("rules", "list")}
        self.assertEqual(set(rows), {"WIN_SUBJECT", "LOTTERY", "__HAS_DATE", "FROM_THERE"})
        self.assertEqual({key: rows["WIN_SUBJECT"][key] for key in (
            "id", "kind", "state", "score", "selector", "pattern", "description")}, {
                "id": 2001, "kind": "header", "state": "active", "score": 1.5,
                "selector": "Subject", "pattern": "win big",
                "description": "Says that one wins"})
        self.assertEqual(len(self.good("rules", "list").splitlines()), 5)
        for which in ("LOTTERY", "2002"):
            self.assertEqual(self.json("rules", "show", which), rows["LOTTERY"])
            self.assertIn("lottery.{0,20}", self.good("rules", "show", which))
        for which in ("NOPE", "1", "lottery", "99999999999"):
            self.refused(NOT_THERE, f"no rule {which}", "rules", "show", which)

    def test_without_a_set_list_and_show_say_how_to_make_one(self):
        for words in (["list"], ["show", "LOTTERY"]):
            self.refused(NOT_THERE, "rules load makes one", "rules", *words)
        self.load()
        (self.weir.folder / "rules.image").write_bytes(b"junk" * 1000)
        self.refused(UNAVAILABLE, "damaged", "rules", "list")
        self.assertEqual(self.json("rules", "load")["serial"], 1)


class Import(Case):
    FILE = """\
header   SA_SUBJECT Subject =~ /win big/i
score    SA_SUBJECT 1.5 1 1 1
describe SA_SUBJECT You win
body     SA_BODY    /lottery/
body     SA_EVAL    eval:check_something()
body     SA_WRONG   /(/
meta     SA_NEEDS   SA_EVAL && SA_BODY
meta     SA_META    SA_SUBJECT && SA_BODY
ifplugin Mail::SpamAssassin::Plugin::Nowhere
body     SA_PLUGIN  /x/
endif
report_safe 1
"""

    def setUp(self):
        super().setUp()
        (self.folder / "sa").mkdir()
        self.file = self.write("sa/50_test.cf", self.FILE)
        self.write("sa/notes.txt", "body NOT_READ /x/")
        self.output = self.rules / "50-imported.rules"

    def test_what_is_taken_works_and_what_is_not_is_listed_with_its_reason(self):
        got = self.json("rules", "import", self.folder / "sa", "--output", self.output)
        self.assertEqual(got["taken"], 3)
        self.assertEqual({row["name"]: row["reason"] for row in got["not_taken"]},
                         {"SA_EVAL": "eval", "SA_WRONG": "expression", "SA_NEEDS": "depends",
                          "SA_PLUGIN": "plugin"})
        self.assertEqual({row["line"] for row in got["not_taken"]}, {5, 6, 7, 10})
        self.assertEqual(got["words"], {"report_safe": 1})
        self.assertEqual(self.json("rules", "load")["rules"], 3)
        points = {row["name"]: row["points"] for row in self.one()["rules"]}
        self.assertEqual([points[name] for name in ("SA_SUBJECT", "SA_BODY", "SA_META")],
                         [1.5, 1, 1])

    def test_without_output_the_rules_are_printed_and_the_rest_told_beside(self):
        done = self.run_ctl("rules", "import", self.file)
        self.assertEqual(done.returncode, 0)
        self.assertIn("header SA_SUBJECT Subject =~ /win big/i", done.stdout)
        self.assertRegex(done.stderr, rf"(?m)^{self.file}:5: SA_EVAL: .*check_something")
        self.assertIn("3 rules taken, 4 lines listed above", done.stderr)

    def test_B5_ids_stay_over_imports_and_two_imports_load_together(self):
        def ids():
            self.good("rules", "load")
            return {row["name"]: row["id"] for row in self.json("rules", "list")}
        self.good("rules", "import", self.file, "--output", self.output)
        before = ids()
        other = self.write("sa/60_other.cf", "body OTHER_A /a/\nbody PHRASE_7_9817 /b/\n"
                                             "body PHRASE_7_6585 /c/\n")
        self.good("rules", "import", other, "--output", self.rules / "60-other.rules")
        self.file.write_text("body SA_NEW /new/\n" + self.FILE.replace("SA_BODY ", "SA_BODY2 "))
        self.good("rules", "import", self.file, "--output", self.output)
        after = ids()
        self.assertEqual(after["SA_SUBJECT"], before["SA_SUBJECT"])
        self.assertEqual(len(set(after.values())), len(after))
        self.assertEqual(after["PHRASE_7_6585"], 169632041)  # both names make this number
        self.assertIn("PHRASE_7_9817", after)

    def test_lines_about_rules_that_are_not_there_are_listed(self):
        self.file.write_text("body SA_A /a/\nscore SA_GONE 1\nmeta SA_M SA_A && SA_NONE\n")
        got = self.json("rules", "import", self.file, "--output", self.output)
        self.assertEqual({(row["name"], row["reason"], row["line"]) for row in got["not_taken"]},
                         {("SA_GONE", "nowhere", 2), ("SA_M", "nowhere", 3)})

    def test_a_file_that_no_import_made_is_replaced_only_by_force(self):
        self.output.write_text("body MINE /mine/\n")
        self.refused(CANNOT_CREATE, "not made by an import", "rules", "import", self.file,
                     "--output", self.output)
        self.assertEqual(self.output.read_text(), "body MINE /mine/\n")
        for words in (["--force"], []):
            self.good("rules", "import", self.file, "--output", self.output, *words)
            self.assertIn("SA_SUBJECT", self.output.read_text())

    def test_a_file_that_cannot_be_read_is_replaced_only_by_force(self):
        words = [rig.BUILD / "weirctl", "-c", self.weir.conf, "rules", "import", self.file,
                 "--output", self.output]
        if os.geteuid() == 0:  # which reads everything, unless it gives that up
            words[:0] = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
        self.output.write_text("body MINE /mine/\n")
        self.output.chmod(0)
        done = subprocess.run(words, capture_output=True, text=True)
        self.assertEqual(done.returncode, CANNOT_CREATE, done.stderr)
        self.assertIn("cannot be read (Permission denied)", done.stderr)
        self.output.chmod(0o600)
        self.assertEqual(self.output.read_text(), "body MINE /mine/\n")
        self.output.chmod(0)
        done = subprocess.run([*words, "--force"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("SA_SUBJECT", self.output.read_text())

    def test_a_missing_folder_or_file_is_told(self):
        self.refused(CANNOT_CREATE, "No such file", "rules", "import", self.file, "--output",
                     self.folder / "nowhere" / "x.rules")
        self.refused(NO_INPUT, "No such file", "rules", "import", self.folder / "gone.cf")

    def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(self):
        self.good("rules", "import", self.file, "--output", self.output)
        before = self.output.read_bytes()

        def little_room():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        done = subprocess.run([rig.BUILD / "weirctl", "rules", "import", self.file, "--output",
                               self.output], preexec_fn=little_room, capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, IO, done.stderr)
        self.assertIn("File too large", done.stderr)
        self.assertEqual(os.listdir(self.rules), [self.output.name])
        self.assertEqual(self.output.read_bytes(), before)

    def test_a_pipe_as_output_is_written_to_and_not_replaced(self):
        path = self.folder / "pipe"
        os.mkfifo(path)
        reader = subprocess.Popen(["cat", path], stdout=subprocess.PIPE, text=True)
        self.good("rules", "import", self.file, "--output", path)
        self.assertIn("meta SA_META", reader.communicate(timeout=10)[0])
        self.assertTrue(path.is_fifo())


class Gateways(Case):
    """weirctl gateways, with lines of a spool made by hand."""

    NOW = "2026-11-21T00:00:00Z"

    def spool(self, messages=3000, days=6, recipients=30, networks=100, more="",
              hops="", hop="0:no-gateway"):
        begun = 1794700800  # 2026-11-15
        lines = []
        for i in range(messages):
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ",
                               time.gmtime(begun + i * days * 86400 // messages))
            behind = f"{20 + i % networks}.{i % 7 if networks > 7 else 0}.1.{i % 250}"
            told = f"{GATEWAY},{hops}{behind}"
            lines.append(
                f"at={at} program=weir-milter queue_id=4XYZ listener=25 "
                f"hops={told} {more}recipients=1 verdict=ham score=0.00 "
                f"boundary={told.split(',')[int(hop.split(':')[0])]} hop={hop} "
                f"domain=d{i % 40}.example sender=<a@d.example> "
                f"recipient=<u{i % recipients}@test.example> info=v1;x\n")
        return self.write("spool.log", "".join(lines))

    def learn(self, *words, **spool):
        return self.json("gateways", "learn", "--at", self.NOW, self.spool(**spool), *words)

    def state(self, address=GATEWAY):
        rows = {row["address"]: row for row in self.json("gateways", "list")}
        return rows.get(address, {}).get("state")

    def test_C10_what_looks_like_a_gateway_is_only_proposed(self):
        self.assertEqual(self.learn(), {"messages": 3000, "left_out": 0, "changes": 1})
        self.assertEqual(self.state(), "proposed")
        self.assertRegex(self.good("gateways", "list"),
                         rf"{GATEWAY} +proposed .*nothing corroborates")
        self.weir.configure(boundary={"mode": "learned"})
        self.assertEqual(self.one(self.write("f.eml", mail(FORWARDED)))["boundary_address"],
                         GATEWAY)

    def test_C10_an_mx_of_ours_that_looks_like_one_is_one(self):
        self.weir.configure(boundary={"mode": "learned", "mx": GATEWAY})
        text = self.good("gateways", "learn", "--at", self.NOW, self.spool())
        self.assertIn(f"{GATEWAY}: active, was candidate: an MX of our domains", text)
        self.assertIn("3000 messages read", text)
        self.assertEqual(self.one(self.write("f.eml", mail(FORWARDED)))["boundary_address"],
                         OUTSIDE)

    def test_C10_a_forwarder_is_one_for_its_recipients_alone(self):
        self.weir.configure(boundary={"mode": "learned", "mx": GATEWAY})
        self.learn(recipients=2)
        self.assertEqual(self.state(), "forwarder")
        path = self.write("f.eml", mail(FORWARDED))
        for recipient, address in (("u1@test.example", OUTSIDE), ("eve@test.example", GATEWAY)):
            self.assertEqual(self.one("--recipient", recipient, path)["boundary_address"],
                             address)

    def test_C10_who_signs_in_its_own_name_is_a_provider_and_never_passed(self):
        cases = (("mail.big.example", "big.example", "provider"), ("mail.big.example", "-", None),
                 ("-", "big.example", None), ("mail.big.example", "small.example", None))
        for name, dkim, state in cases:
            with self.subTest(name=name, dkim=dkim):
                (self.weir.folder / "gateways").unlink(missing_ok=True)
                self.learn(messages=1500, networks=5, more=f"name={name} dkim={dkim} ")
                self.assertEqual(self.state(), state or "candidate")
        self.learn(messages=1500, networks=5, more="name=mail.big.example dkim=big.example ")
        self.weir.configure(boundary={"mode": "learned"})
        self.assertEqual(self.one(self.write("f.eml", mail(FORWARDED)))["boundary_address"],
                         GATEWAY)

    def test_C10_hops_are_learned_as_far_down_as_they_were_believed(self):
        self.good("gateways", "approve", GATEWAY)
        for hop, state in (("0:other-writer", None), ("1:no-gateway", "candidate")):
            with self.subTest(hop):
                self.learn(messages=20, hops=f"{BEHIND},", hop=hop)
                self.assertEqual(self.state(BEHIND), state)

    def test_too_little_seen_is_a_candidate(self):
        self.learn(messages=200)
        self.assertEqual(self.state(), "candidate")

    def test_changes_at_once_are_all_kept(self):
        addresses = [f"198.51.100.{number}" for number in range(1, 13)]
        running = [subprocess.Popen([rig.BUILD / "weirctl", "-c", self.weir.conf, "gateways",
                                     "approve", address], stdout=subprocess.DEVNULL)
                   for address in addresses]
        self.assertEqual([process.wait(30) for process in running], [0] * len(addresses))
        kept = {row["address"] for row in self.weir.json("gateways", "list")}
        self.assertLessEqual(set(addresses), kept)

    def test_a_person_decides_and_takes_it_back(self):
        self.learn()
        for verb, state in (("approve", "active"), ("reject", "rejected"),
                            ("approve", "active")):
            self.assertEqual(self.good("gateways", verb, GATEWAY), f"{GATEWAY}: {state}\n")
            self.assertEqual(self.state(), state)
        self.assertNotIn(self.json("gateways", "forget", GATEWAY)["state"],
                         ("active", "rejected"))
        self.refused(NOT_THERE, "nothing is known", "gateways", "forget", "192.0.2.200")
        self.assertIsNone(self.state("192.0.2.200"))

    def test_a_rejected_one_is_not_learned_again(self):
        self.weir.configure(boundary={"mx": GATEWAY})
        self.good("gateways", "reject", GATEWAY)
        self.learn()
        self.assertEqual(self.state(), "rejected")

    def test_of_a_spool_the_files_that_are_done_are_read(self):
        for name in ("spool/a.log", "spool/b.log.part"):
            (self.folder / "spool").mkdir(exist_ok=True)
            self.spool(messages=10).rename(self.folder / name)
        self.assertEqual(self.json("gateways", "learn", "--at", self.NOW,
                                   self.folder / "spool")["messages"], 10)

    def test_lines_that_are_none_are_passed_over_and_counted(self):
        path = self.write("junk.log", b"\xff\x00junk\nat=never hops=1.2.3.4\nhops=\n"
                          b"at=2026-11-20T00:00:00Z hops=x\n" + b"y" * 100000)
        self.assertEqual(self.json("gateways", "learn", path),
                         {"messages": 0, "left_out": 5, "changes": 0})
        self.assertEqual(self.json("gateways", "list"), [])
        self.assertIn("0 messages read, 5 lines left out", self.good("gateways", "learn", path))

    def test_a_damaged_file_is_told_and_kept(self):
        path = self.weir.folder / "gateways"
        path.write_text("x\n")
        for words in (["list"], ["approve", GATEWAY], ["learn", self.mail]):
            self.refused(UNAVAILABLE, "damaged", "gateways", *words)
        self.assertEqual(path.read_text(), "x\n")

    def test_WEIR_GATEWAYS_FILE_MAX_a_file_too_long_is_told_and_kept(self):
        path = self.weir.folder / "gateways"
        self.good("gateways", "approve", GATEWAY)
        whole = path.stat().st_size
        os.truncate(path, (8 << 20) + 1)
        for words in (["list"], ["reject", GATEWAY], ["learn", self.mail]):
            self.refused(UNAVAILABLE, "a limit is passed", "gateways", *words)
        self.assertEqual(path.stat().st_size, (8 << 20) + 1)
        os.truncate(path, whole)
        self.assertEqual(self.state(), "active")


if __name__ == "__main__":
    harness.main()

"""weirctl: lists, state, configuration, and how it takes a command line."""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from ctl_help import Help

USAGE, DATA, NO_INPUT, UNAVAILABLE, IO, TRY_AGAIN, CONFIG = 64, 65, 66, 69, 74, 75, 78
VERBS = ["blacklist add", "blacklist remove", "blacklist list", "blacklist show", "accept add",
         "accept remove", "accept list", "accept show", "score add", "score remove",
         "score list", "score show", "reputation", "reputation add",
         "reputation undo", "reputation replay", "status", "metrics", "config"]


class Case(unittest.TestCase):
    """A Weir of its own for each test, whose policyd nobody looks for."""

    def setUp(self):
        self.folder = rig.scratch()
        self.weir = rig.Weir(self.folder, policyd={"listen": ""})

    def run_ctl(self, *words, stdin="", env=None):
        """Runs weirctl; gives the finished process."""
        command = [str(word) for word in (rig.BUILD / "weirctl", "-c", self.weir.conf, *words)]
        kind = {} if isinstance(stdin, bytes) else {"text": True}
        return subprocess.run(command, input=stdin, capture_output=True, timeout=120,
                              env={**os.environ, **(env or {})}, check=False, **kind)

    def good(self, *words, stdin=""):
        """The output of what must work."""
        done = self.run_ctl(*words, stdin=stdin)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def json(self, *words, stdin=""):
        return json.loads(self.good(*words, "--json", stdin=stdin))

    def refused(self, code, reason, *words, stdin=""):
        """Ends with this code and says this, in one line of its own name at least."""
        done = self.run_ctl(*words, stdin=stdin)
        self.assertEqual(done.returncode, code, f"{words}: {done.stdout}{done.stderr}")
        self.assertRegex(done.stderr, reason)
        self.assertRegex(done.stderr, r"(?m)^weirctl: ")
        return done

    def write(self, name, text):
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def entries(self, noun, *words):
        return [row["entry"] for row in self.json(noun, "list", *words)]


class CommandLine(Help, Case):
    verbs = VERBS

    def test_examples_of_the_help_are_understood(self):
        for verb in VERBS:
            example = self.good(*verb.split(), "--help").split("Example:\n  weirctl ")[1]
            words = re.findall(r'"[^"]*"|\S+', example.split("|")[0].split(">")[0])
            with self.subTest(example):
                done = self.run_ctl(*[word.strip('"') for word in words])
                self.assertNotEqual(done.returncode, USAGE, done.stderr)

    def test_options_stand_anywhere_and_two_dashes_end_them(self):
        self.good("--json", "blacklist", "--for", "1h", "add", "203.0.113.7", "--reason=x y")
        self.assertEqual(self.entries("blacklist"), ["203.0.113.7"])
        self.refused(USAGE, "--json", "blacklist", "add", "--", "203.0.113.8", "--json")

    def test_wrong_command_lines_are_told_and_end_with_64(self):
        for words, reason in [
            (["nonsense"], 'no "nonsense"'),
            (["blacklist"], "add, remove, list, show"),
            (["blacklist", "ad", "203.0.113.7"], "add, remove"),
            (["blacklist", "add"], "missing"),
            (["blacklist", "list", "203.0.113.7"], "one too many"),
            (["blacklist", "show"], "missing"),
            (["blacklist", "list", "--reason", "x"], "does not take --reason"),
            (["blacklist", "add", "203.0.113.7", "--whatever"], "--whatever"),
            (["blacklist", "add", "203.0.113.7", "--for"], "needs a value"),
            (["blacklist", "add", "203.0.113.7", "--for", "4x"], "not a span"),
            (["blacklist", "add", "203.0.113.7", "--for", "0h"], "not a span"),
            (["blacklist", "add", "203.0.113.7", "--until", "2026-02-30"], "not a time"),
            (["blacklist", "add", "203.0.113.7", "--until", "2001-01-01"], "past"),
            (["blacklist", "add", "203.0.113.7", "--for", "1h", "--forever"], "only one of"),
            (["blacklist", "add", "203.0.113.7", "--reason", "a\nb"], "control character"),
            (["blacklist", "add", "203.0.113.7", "--reason", "x" * 256], "longer than 255"),
            (["blacklist", "add", "203.0.113.7", "--origin", "x" * 65], "longer than 64"),
            (["blacklist", "add", "203.0.113.256"], "203.0.113.256"),
            (["blacklist", "add", "203.0.113.7/24"], "beyond the prefix"),
            (["blacklist", "add", "ann@shop.example"], "mail address"),
            (["blacklist", "add", "shop.example"], "a domain; the blacklist has only addresses"),
            (["blacklist", "show", "shop.example"], "a domain"),
            (["accept", "add", "..."], "address"),
            (["config", "--man", "--sample"], "only one of"),
            (["reputation"], "missing"),
            (["reputation", "no domain"], "neither an address nor a domain"),
            (["reputation", "203.0.113.7", "no domain"], "not a domain"),
            (["reputation", "a.example", "b.example"], "not an address"),
            (["reputation", "203.0.113.7", "--at", "yesterday"], "not a time"),
            (["reputation", "add", "203.0.113.7"], "--verdict is missing"),
            (["reputation", "add", "--verdict", "bad", "203.0.113.7"], "--verdict bad"),
            (["reputation", "add", "--verdict", "spam", "--by", "me", "203.0.113.7"], "--by me"),
            (["reputation", "add", "--verdict", "spam", "--count", "0", "203.0.113.7"], "--count"),
            (["reputation", "add", "--verdict", "spam", "--at", "2090-01-01", "203.0.113.7"],
             "future"),
            (["reputation", "undo", "--verdict", "spam", "203.0.113.7"], "--at is missing"),
            (["reputation", "replay"], "missing"),
        ]:
            with self.subTest(" ".join(words)):
                self.refused(USAGE, reason, *words)

    def test_no_arguments_show_the_verbs_and_end_with_64(self):
        done = self.run_ctl()
        self.assertEqual((done.returncode, done.stdout), (USAGE, ""))
        self.assertIn("blacklist add", done.stderr)

    def test_wrong_configuration_is_told_with_its_line_and_ends_with_78(self):
        self.weir.configure(weir={"mode": "observ", "modus": "enforce"})
        for words in (["-t"], ["status"], ["blacklist", "list"]):
            done = self.run_ctl(*words)
            self.assertEqual(done.returncode, CONFIG)
            self.assertRegex(done.stderr, rf"{self.weir.conf}:\d+: .*mode")
        self.weir.configure(weir={"mode": "observe", "modus": None})
        self.assertIn("ok", self.good("-t"))

    def test_full_disk_is_noticed(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([rig.BUILD / "weirctl", "config", "--sample"], stdout=full,
                                  stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, IO)
        self.assertIn("No space left", done.stderr)


class Configuration(Case):
    def test_effective_settings_are_shown_with_their_origin(self):
        self.weir.configure(weir={"mode": "enforce"}, reputation={"weight_user": 7})
        text = self.good("config")
        self.assertRegex(text, r"(?m)^weir\.mode = enforce +# file$")
        self.assertRegex(text, r"(?m)^reputation\.weight_computer = 1 +# default$")
        rows = {(row["section"], row["key"]): row for row in self.json("config", "--changed")}
        self.assertEqual(rows["reputation", "weight_user"]["value"], "7")
        self.assertEqual(rows["reputation", "weight_user"]["default"], "5")
        self.assertNotIn(("reputation", "weight_computer"), rows)
        self.assertTrue(all(row["sentence"] for row in rows.values()))

    def test_defaults_sample_and_manual_need_no_configuration(self):
        self.weir.conf.write_text("[nonsense\n", encoding="utf-8")
        self.assertIn("weir.mode = observe", self.good("config", "--defaults"))
        self.assertIn("#mode = observe", self.good("config", "--sample").replace("# ", "#"))
        self.assertTrue(self.good("config", "--man").startswith(".TH WEIR.CONF 5 "))

    def test_the_sample_is_a_good_configuration(self):
        self.write("weir/weir.conf", self.good("config", "--sample"))
        self.assertEqual(self.json("config", "--changed"), [])


class Lists(Case):
    def test_A2_A30_blacklist_keeps_looks_up_and_forgets_addresses(self):
        self.good("blacklist", "add", "203.0.113.7", "2001:db8:7::/48", "--for", "4h", "--reason",
                  "sends viruses", "--origin", "ann")
        found = self.json("blacklist", "show", "2001:db8:7:1::9")
        self.assertEqual(found["also"], [])
        self.assertEqual({key: found["decides"][key] for key in ("entry", "list", "reason",
                                                                 "origin", "ended")},
                         {"entry": "2001:db8:7::/48", "list": "blacklist", "ended": False,
                          "reason": "sends viruses", "origin": "ann"})
        self.assertIn("which decides", self.good("blacklist", "show", "::ffff:203.0.113.7"))
        self.good("blacklist", "remove", "203.0.113.7", "2001:db8:7::/48")
        self.refused(1, "not on the blacklist", "blacklist", "show", "203.0.113.7")
        self.assertEqual(self.entries("blacklist"), [])

    def test_A20_a_block_for_now_says_so(self):
        self.good("blacklist", "add", "203.0.113.7", "--defer", "--for", "1h")
        self.assertTrue(self.json("blacklist", "show", "203.0.113.7")["decides"]["defer"])
        self.assertIn("450", self.good("blacklist", "show", "203.0.113.7"))
        self.good("blacklist", "add", "203.0.113.7")
        self.assertFalse(self.json("blacklist", "show", "203.0.113.7")["decides"]["defer"])

    def test_A7_points_of_addresses_are_kept_looked_up_and_forgotten(self):
        self.good("score", "add", "--points", "2.5", "203.0.113.7", "--reason", "many complaints")
        self.assertEqual(self.json("score", "show", "203.0.113.7")["decides"]["points"], 2.5)
        self.assertIn("+2.50 points: many complaints", self.good("score", "list"))
        for points in ("0", "100.01", "-101", "x", "nan", "2.5x"):
            self.refused(USAGE, "not a number", "score", "add", "203.0.113.8", "--points=" + points)
        self.refused(USAGE, "--points is missing", "score", "add", "203.0.113.8")
        self.refused(USAGE, "only addresses and", "score", "add", "--points=1", "x.example")
        self.good("score", "add", "--points", "-100", "203.0.113.7")
        self.assertEqual(self.json("score", "show", "203.0.113.7")["decides"]["points"], -100)
        self.good("score", "remove", "203.0.113.7")
        self.refused(1, "not on the list of scores", "score", "show", "203.0.113.7")

    def test_A26_acceptable_list_comes_before_the_blacklist(self):
        self.good("blacklist", "add", "203.0.113.0/24")
        note = self.run_ctl("accept", "add", "203.0.113.0/28")
        self.assertIn("for ever", note.stdout)
        for noun in ("blacklist", "accept"):
            found = self.json(noun, "show", "203.0.113.9")
            self.assertEqual(found["decides"]["list"], "accept")
            self.assertEqual([row["list"] for row in found["also"]], ["blacklist"])
        self.assertIn("comes before", self.run_ctl("blacklist", "add", "203.0.113.3").stderr)
        self.assertEqual(self.json("blacklist", "show", "203.0.113.99")["decides"]["list"],
                         "blacklist")
        self.refused(1, "not on the acceptable list", "accept", "show", "203.0.113.99")

    def test_C2_C16_acceptable_domains_hold_for_what_is_below_them(self):
        self.good("accept", "add", "Partner.Example", "b\u00fccher.example")
        for name, entry in (("partner.example", "partner.example"),
                            ("mail.PARTNER.example.", "partner.example"),
                            ("b\u00fccher.example", "xn--bcher-kva.example")):
            self.assertEqual(self.json("accept", "show", name)["decides"]["entry"], entry)
        for name in ("notpartner.example", "example"):
            self.refused(1, "not on the acceptable list", "accept", "show", name)
        self.good("accept", "remove", "partner.example")
        self.assertEqual(self.entries("accept"), ["xn--bcher-kva.example"])

    def test_never_list_decides_before_all_others(self):
        self.good("blacklist", "add", "192.0.2.0/24")
        self.weir.configure(weir={"never": "192.0.2.9"})
        found = self.json("blacklist", "show", "192.0.2.9")
        self.assertEqual(found["decides"]["list"], "never")
        self.assertEqual([row["entry"] for row in found["also"]], ["192.0.2.0/24"])

    def test_entries_end_when_they_should(self):
        for words, days in ((["blacklist", "add", "203.0.113.1"], 30),
                            (["blacklist", "add", "203.0.113.2", "--for", "2w"], 14),
                            (["accept", "add", "203.0.113.3", "--for", "36h"], 1.5)):
            row = self.json(*words)
            added = next(r for r in self.json(words[0], "list") if r["entry"] == words[2])
            self.assertEqual(row["ends"], added["ends"])
            self.assertAlmostEqual(self.days(added), days, delta=0.001)
        for words in (["blacklist", "add", "203.0.113.4", "--forever"],
                      ["accept", "add", "203.0.113.5"]):
            self.assertIsNone(self.json(*words)["ends"])
        for until in ("2098-12-31", "2098-12-31T00:00:00Z", "2098-12-31 02:00+02:00",
                      "4070822400"):
            self.assertEqual(self.json("accept", "add", "203.0.113.6", "--until", until)["ends"],
                             "2098-12-31T00:00:00Z")

    @staticmethod
    def days(row):
        from datetime import datetime
        added, ends = (datetime.fromisoformat(row[key].replace("Z", "+00:00"))
                       for key in ("added", "ends"))
        return (ends - added).total_seconds() / 86400

    def test_ended_entries_count_no_more_but_can_be_seen(self):
        self.good("blacklist", "add", "203.0.113.7", "--for", "10ms")
        rig.wait_for(lambda: not self.entries("blacklist"), what="the end of the entry")
        self.assertEqual(self.entries("blacklist", "--expired"), ["203.0.113.7"])
        done = self.refused(1, "not on the blacklist", "blacklist", "show", "203.0.113.7")
        self.assertIn("was on the blacklist", done.stdout)

    def test_mistakes_are_refused_unless_forced(self):
        for noun, entry, reason in (("blacklist", "10.1.2.3", "private"),
                                    ("blacklist", "fe80::1", "private"),
                                    ("blacklist", "0.0.0.0/0", "wider"),
                                    ("blacklist", "64.0.0.0/7", "wider"),
                                    ("blacklist", "2001::/15", "wider|bits"),
                                    ("blacklist", "::/0", "wider"),
                                    ("blacklist", "64:ff9b::/96", "behind a NAT64"),
                                    ("accept", "64:ff9b::/32", "behind a NAT64"),
                                    ("accept", "0.0.0.0/1", "wider"),
                                    ("accept", "co.uk", "everybody"),
                                    ("accept", "com", "everybody")):
            with self.subTest(entry):
                done = self.run_ctl(noun, "add", "203.0.113.50", entry)
                self.assertIn(done.returncode, (USAGE, DATA))
                self.assertRegex(done.stderr, reason)
                self.assertEqual(self.entries(noun), [])
        self.good("blacklist", "add", "64.0.0.0/8", "2000::/16", "10.1.2.3", "--force")
        self.good("accept", "add", "com", "--force")
        for words in (["127.0.0.1"], ["127.0.0.1", "--force"]):
            self.refused(DATA, "never-list", "blacklist", "add", *words)

    def test_what_is_not_there_cannot_be_removed(self):
        self.good("blacklist", "add", "203.0.113.0/24", "198.51.100.1")
        done = self.refused(1, r"203\.0\.113\.7 is no entry of the blacklist; 203\.0\.113\.0/24 is",
                            "blacklist", "remove", "203.0.113.7", "198.51.100.1")
        self.assertIn("1 taken off", done.stdout)
        self.assertEqual(self.entries("blacklist"), ["203.0.113.0/24"])

    def test_the_same_entry_again_replaces_it(self):
        self.good("blacklist", "add", "203.0.113.7", "--reason", "first")
        self.assertEqual(self.json("blacklist", "add", "203.0.113.7", "--reason", "second")
                         ["replaced"], 1)
        self.assertEqual([row["reason"] for row in self.json("blacklist", "list")], ["second"])

    def test_lists_can_be_filtered_by_origin(self):
        self.good("blacklist", "add", "203.0.113.7", "--origin", "drop")
        self.good("blacklist", "add", "203.0.113.8")
        self.assertEqual(self.entries("blacklist", "--origin", "drop"), ["203.0.113.7"])

    def test_nothing_listed_is_an_empty_list(self):
        self.assertEqual(self.json("blacklist", "list"), [])
        self.assertEqual(self.json("accept", "list", "--expired"), [])


class Files(Case):
    def test_entries_come_from_a_file_with_reasons_and_comments(self):
        path = self.write("drop.txt", "# a list\r\n203.0.113.7\r\n\n"
                                      "  198.51.100.0/24\tbad net # x\n"
                                      "2001:db8::/32   also bad\n192.0.2.1 a#b")
        self.good("blacklist", "add", "--file", path, "--reason", "from the list")
        reasons = {row["entry"]: row["reason"] for row in self.json("blacklist", "list")}
        self.assertEqual(reasons, {"203.0.113.7": "from the list", "198.51.100.0/24": "bad net",
                                   "2001:db8::/32": "also bad", "192.0.2.1": "a#b"})
        self.good("blacklist", "remove", "-", stdin=path.read_text())
        self.assertEqual(self.entries("blacklist"), [])

    def test_one_wrong_line_and_nothing_is_added(self):
        lines = ["203.0.113.7", "203.0.113.300", "", "a" * 1025, "203.0.113.0/33", "shop.example",
                 "203.0.113.8 bad\x01reason", "203.0.113.9 " + "x" * 256, "192.0.2.1"]
        path = self.write("wrong.txt", "\n".join(lines))
        done = self.refused(DATA, "6 wrong lines; nothing was done", "blacklist", "add", "--file",
                            path)
        for number in (2, 4, 5, 6, 7, 8):
            self.assertRegex(done.stderr, rf"(?m)^{path}:{number}: ")
        self.assertEqual(self.entries("blacklist"), [])

    def test_mistakes_in_a_file_are_told_with_their_line(self):
        done = self.refused(DATA, "1 of 2 entries look like mistakes", "blacklist", "add", "-",
                            stdin="203.0.113.7\n10.0.0.1\n")
        self.assertIn("stdin:2: 10.0.0.1: ", done.stderr)
        self.assertEqual(self.entries("blacklist"), [])

    def test_line_of_1024_octets_is_taken_and_of_1025_is_not(self):
        line = "203.0.113.7".ljust(1024)
        self.good("blacklist", "add", "-", stdin=line)
        self.refused(DATA, "1,024 octets", "blacklist", "add", "-", stdin=line + " ")

    def test_million_entries_are_taken_and_one_more_is_not(self):
        lines = "1.1.1.1\n" * 1000000
        self.refused(1, "1.1.1.1 is not on the blacklist", "blacklist", "remove", "-", stdin=lines)
        done = self.refused(DATA, "1 wrong lines", "blacklist", "remove", "-",
                            stdin=lines + "1.1.1.1\n")
        self.assertIn("stdin:1000001: too many entries", done.stderr)

    def test_hostile_bytes_are_refused(self):
        for bad in (b"\x00\n", b"203.0.113.7\x00\n", b"203.0.113.7 x\x1b[2J\n", b"\xff\xfe\n",
                    b"/\n", b"/24\n", b"::/\n", b"1.2.3.4/-1\n", b"1.2.3.4/99999999999\n",
                    b"%s%n\n"):
            with self.subTest(bad):
                done = self.run_ctl("blacklist", "add", "-", stdin=bad)
                self.assertEqual(done.returncode, DATA, done.stderr)
                self.assertIn(b"stdin:1: ", done.stderr)
        self.assertEqual(self.entries("blacklist"), [])

    def test_missing_files_folders_and_empty_files_are_told(self):
        self.refused(NO_INPUT, "No such file", "blacklist", "add", "--file", "/nowhere/x")
        self.refused(NO_INPUT, "Is a directory", "blacklist", "add", "--file", self.folder)
        self.refused(DATA, "not one entry", "blacklist", "add", "-", stdin="# nothing\n")

    def test_twenty_thousand_entries_at_once(self):
        lines = "".join(f"203.{i // 65536}.{i // 256 % 256}.{i % 256}\n" for i in range(20000))
        self.assertEqual(self.json("blacklist", "add", "-", stdin=lines)["added"], 20000)
        self.assertEqual(len(self.json("blacklist", "list")), 20000)
        self.assertEqual(self.json("blacklist", "remove", "-", stdin=lines)["removed"], 20000)

    def test_eight_at_once_lose_no_entry(self):
        def add(net):
            for host in range(1, 16):
                self.good("blacklist", "add", f"203.0.{net}.{host}")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(add, range(8)))
        self.assertEqual(len(self.entries("blacklist")), 8 * 15)


class Daemon:
    """Somebody at a port who gives one and the same answer, or none."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.listen = f"inet:127.0.0.1:{self.socket.getsockname()[1]}"
        self.links = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                link, _ = self.socket.accept()
                self.links.append(link)
                self.asked.append(link.recv(1000))
                if self.answer is not None:
                    link.sendall(self.answer)
                    link.close()

    def close(self):
        self.socket.close()


class Status(Case):
    def status(self, code):
        done = self.run_ctl("status", "--json")
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        return json.loads(done.stdout)

    def learn(self):
        self.weir.learn("spam", "203.0.113.7", "shop.example")

    def test_all_is_well(self):
        self.good("blacklist", "add", "203.0.113.7", "203.0.113.8")
        self.good("blacklist", "add", "203.0.113.9", "--for", "10ms")
        self.good("accept", "add", "shop.example")
        self.learn()
        rig.wait_for(lambda: len(self.entries("blacklist")) == 2, what="the end of the entry")
        status = self.status(0)
        self.assertTrue(status["healthy"])
        self.assertEqual(status["problems"], [])
        self.assertEqual(status["lists"]["blacklist"], {"entries": 2, "ended": 1})
        self.assertEqual(status["lists"]["accept"], {"entries": 1, "ended": 0})
        self.assertGreater(status["counters"]["entities"], 0)
        self.assertTrue(status["counters"]["nodes"][0]["up"])
        self.assertIn("all is well", self.good("status"))

    def test_all_is_well_before_anything_was_stored(self):
        status = self.status(0)
        self.assertEqual((status["problems"], status["lists"]["there"]), ([], False))
        self.assertEqual(self.good("status").count("not there yet: empty"), 2)

    def test_spool_lines_that_were_dropped_are_a_problem(self):
        (self.folder / "weir/spool").mkdir()
        self.write("weir/spool/milter-1-1.log", b"version=1\ndropped=7\nx dropped=9\n")
        self.assertEqual(self.status(1)["spool"]["dropped"], 7)
        self.write("weir/spool/.dropped", b"2\n3\n")
        self.write("weir/spool/milter-2-1.log.part", b"version=1\n")
        status = self.status(1)
        self.assertEqual([status["spool"][key] for key in ("files", "dropped", "unread", "there")],
                         [2, 12, 0, True])
        self.assertTrue(any("12 lines" in text for text in status["problems"]))
        self.assertIn("12 lines dropped", self.run_ctl("status").stdout)

    def test_damaged_lists_are_a_problem_that_comes_first(self):
        self.learn()
        self.write("weir/lists.db", os.urandom(20000))
        self.assertFalse(self.status(1)["healthy"])
        text = self.run_ctl("status").stdout
        self.assertTrue(text.startswith("PROBLEM"), text)
        self.refused(UNAVAILABLE, "lists.db", "blacklist", "list")
        self.assertIn("shop.example", self.good("reputation", "203.0.113.7", "shop.example"))

    def test_damaged_counters_do_not_keep_from_the_lists(self):
        self.write("weir/counters.db", os.urandom(20000))
        self.good("blacklist", "add", "203.0.113.7")
        self.assertTrue(any("counters" in text for text in self.status(1)["problems"]))
        self.refused(UNAVAILABLE, "counters.db", "reputation", "203.0.113.7")

    def test_running_daemon_is_asked_over_its_own_protocol(self):
        self.learn()
        daemon = Daemon(b'status={"version":"9.9","mode":"enforce","requests":17}\n\n')
        self.addCleanup(daemon.close)
        self.weir.configure(policyd={"listen": daemon.listen})
        one = self.status(0)["policyd"][0]
        self.assertEqual((one["running"], one["status"]["requests"]), (True, 17))
        self.assertEqual(daemon.asked, [b"request=weir_status\n\n"])
        self.assertIn("17 requests", self.good("status"))

    def test_daemon_that_is_not_there_or_talks_nonsense_is_a_problem(self):
        self.learn()
        for answer, reason in ((b"action=DUNNO\n\n", "not weir-policyd"), (b"", "closed"),
                               (b"status={\n\n", "JSON"), (b"x" * 100000, "too long"),
                               (None, "within a second")):
            with self.subTest(reason):
                daemon = Daemon(answer)
                self.weir.configure(policyd={"listen": daemon.listen})
                self.assertRegex(" ".join(self.status(1)["problems"]), reason)
                daemon.close()
        for listen in (f"inet:127.0.0.1:{rig.free_port()}", f"unix:{self.folder}/nobody"):
            self.weir.configure(policyd={"listen": listen})
            self.assertRegex(" ".join(self.status(1)["problems"]), "does not run")

    def test_daemon_may_answer_65535_octets_and_not_one_more(self):
        frame = b'status={}%s\n\n'
        for size, code in ((65535, 0), (65536, 1)):
            daemon = Daemon(frame % (b" " * (size - len(frame) + 2)))
            self.weir.configure(policyd={"listen": daemon.listen})
            self.assertEqual(self.status(code)["policyd"][0]["running"], code == 0)
            daemon.close()

    def test_real_daemon_answers(self):
        if not (rig.BUILD / "weir-policyd").exists():
            self.skipTest("weir-policyd is not built here")
        self.learn()
        self.good("accept", "add", "192.0.2.1")
        daemon = rig.Policyd(self.weir)
        self.addCleanup(daemon.stop)
        one = self.status(0)["policyd"][0]
        self.assertEqual(one["status"]["program"], "weir-policyd")
        self.assertIn("mode observe", self.good("status"))

    def test_dead_memcached_is_a_problem(self):
        self.weir.configure(weir={"counters": "memcached"},
                            memcached={"servers": f"127.0.0.1:{rig.free_port()}"})
        counters = self.status(1)["counters"]
        self.assertEqual([node["up"] for node in counters["nodes"]], [False])
        self.refused(TRY_AGAIN, "not stored", "reputation", "add", "--verdict", "spam",
                     "203.0.113.7", "shop.example")


if __name__ == "__main__":
    harness.main()

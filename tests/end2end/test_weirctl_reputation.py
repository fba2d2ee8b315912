"""weirctl reputation: what is shown, entered, taken back and replayed."""
import concurrent.futures
import json
import math
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from test_weirctl import DATA, NO_INPUT, TRY_AGAIN, USAGE, Case

GOLDEN = rig.TOP / "tests" / "golden" / "replay"
KEYS = ["time", "address", "domain", "verdict", "probability", "confidence", "basis",
        "association", "forged", "judged"]
HOUR, DAY = 3600, 86400
ADDRESS, DOMAIN = "203.0.113.7", "shop.example"


def line(when, address=ADDRESS, domain=DOMAIN, verdict="spam", by="user", *more):
    return "\t".join(str(word) for word in (when, address, domain, verdict, by, *more)) + "\n"


class Reputation(Case):
    def setUp(self):
        super().setUp()
        self.now = int(time.time())

    def vote(self, verdict, address=ADDRESS, domain=DOMAIN, by="user", *words):
        return self.json("reputation", "add", "--verdict", verdict, "--by", by, *words, address,
                         domain)

    def show(self, *words):
        return self.json("reputation", *words)

    def level(self, name, *words):
        return next(row for row in self.show(*words)["levels"] if row["level"] == name)

    def feed(self, lines):
        return self.json("reputation", "add", "-", stdin="".join(lines))


class Shown(Reputation):
    def test_C26_C27_cell_is_printed_with_its_five_variables_and_time(self):
        self.vote("spam", by="user")
        self.vote("good", ADDRESS, DOMAIN, "user", "--count", 2)
        self.vote("spam", ADDRESS, DOMAIN, "computer", "--count", 3)
        self.vote("good", ADDRESS, DOMAIN, "computer", "--count", 4)
        self.vote("unsure", ADDRESS, DOMAIN, "computer", "--count", 5)
        found = self.show(ADDRESS, DOMAIN)
        self.assertRegex(found["as_of"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        pair = found["levels"][0]
        for key, value in (("spam_user", 1), ("good_user", 2), ("spam_computer", 3),
                           ("good_computer", 4), ("indeterminate", 5)):
            self.assertAlmostEqual(pair[key], value, delta=0.001)
        self.assertEqual([row["level"] for row in found["levels"]],
                         ["pair", "net-domain", "address", "domain", "net", "prior"])
        self.assertEqual(pair["of"], f"{ADDRESS} for {DOMAIN}")
        text = self.good("reputation", ADDRESS, DOMAIN)
        self.assertRegex(text, rf"(?m)^  pair +1\.00 +2\.00 +3\.00 +4\.00 +5\.00 .* {DOMAIN}$")
        self.assertIn(found["as_of"][:15], text)

    def test_C26_one_pair_does_not_touch_another(self):
        self.vote("spam")
        for address, domain in (("203.0.113.8", DOMAIN), (ADDRESS, "other.example")):
            self.assertEqual(self.level("pair", address, domain)["n"], 0)

    def test_C33_an_address_has_a_score(self):
        before = self.show(ADDRESS)
        self.assertEqual(before["basis"], "prior")
        self.vote("spam", ADDRESS, "a.example")
        self.vote("spam", ADDRESS, "b.example")
        found = self.show(ADDRESS)
        self.assertEqual((found["address"], found["domain"]), (ADDRESS, None))
        self.assertEqual([row["level"] for row in found["levels"]], ["address", "net", "prior"])
        self.assertAlmostEqual(found["levels"][0]["n"], 10, delta=0.001)
        self.assertGreater(found["levels"][0]["probability"], 0.8)
        self.assertGreater(found["probability"], before["probability"])
        self.assertRegex(self.good("reputation", ADDRESS), r"(?m)^  address .* 203\.0\.113\.7$")

    def test_C34_a_domain_has_a_score(self):
        self.vote("good", ADDRESS, DOMAIN)
        self.vote("good", "198.51.100.1", "mail." + DOMAIN)
        found = self.show(DOMAIN)
        self.assertEqual((found["address"], found["domain"]), (None, DOMAIN))
        self.assertEqual([row["level"] for row in found["levels"]], ["domain", "prior"])
        self.assertAlmostEqual(found["levels"][0]["n"], 10, delta=0.001)
        self.assertLess(found["probability"], 0.1)
        self.assertEqual(found["probability"], found["levels"][0]["probability"])
        self.assertRegex(self.good("reputation", DOMAIN), r"(?m)^  domain .* shop\.example$")

    def test_C18_C19_score_is_the_share_of_spam_as_by_the_formula(self):
        self.vote("spam", ADDRESS, DOMAIN, "user", "--count", 30)
        self.vote("good", ADDRESS, DOMAIN, "user", "--count", 10)
        pair = self.level("pair", ADDRESS, DOMAIN)
        self.assertAlmostEqual(pair["spam"] / pair["n"], 0.75, delta=1e-6)
        strength = 0.5  # [reputation] strength_pair; the wider levels say prior_least..most
        self.assertGreaterEqual(pair["probability"], (150 + strength * 0.2) / (200 + strength))
        self.assertLessEqual(pair["probability"], (150 + strength * 0.8) / (200 + strength))
        self.assertAlmostEqual(pair["confidence"], 200 / (200 + strength), delta=1e-6)

    def test_C20_rate_of_spam_is_right_to_ten_percent(self):
        start = self.now - DAY
        self.feed(line(start + 6 * i) for i in range(10 * 60 * 4))
        found = self.show(ADDRESS, "--at", start + 4 * HOUR)
        self.assertAlmostEqual(found["spam_rate"], 10, delta=1)

    def test_C21_rate_right_now_follows_a_step_sooner(self):
        start, step = self.now - DAY, self.now - DAY + 6 * HOUR
        self.feed([line(start + 60 * i) for i in range(6 * 60)] +
                  [line(step + 1.2 * i) for i in range(50 * 30)])
        found = self.show(ADDRESS, "--at", step + HOUR // 2)
        self.assertGreater(found["spam_rate_now"], 40)
        self.assertLess(found["spam_rate"], 20)

    def test_C22_votes_halve_after_one_half_life(self):
        self.vote("spam", ADDRESS, DOMAIN, "user", "--count", 8)
        for level, days in (("pair", 30), ("domain", 30), ("address", 10), ("net", 10)):
            cell = self.level(level, ADDRESS, DOMAIN, "--at", self.now + days * DAY)
            self.assertAlmostEqual(cell["spam_user"], 4, delta=0.004)

    def test_C23_weights_change_the_ratio_as_computed(self):
        self.vote("spam", ADDRESS, DOMAIN, "user", "--count", 10)
        self.vote("good", ADDRESS, DOMAIN, "computer", "--count", 10)
        for weight in (5, 2, 1):
            self.weir.configure(reputation={"weight_user": weight})
            pair = self.level("pair", ADDRESS, DOMAIN)
            self.assertAlmostEqual(pair["spam"] / pair["n"], 10 * weight / (10 * weight + 10),
                                   delta=1e-6)

    def test_C24_one_user_outweighs_one_computer(self):
        self.vote("spam", by="computer")
        self.assertGreater(self.show(ADDRESS, DOMAIN)["probability"], 0.5)
        self.vote("good", by="user")
        self.assertLess(self.show(ADDRESS, DOMAIN)["probability"], 0.5)

    def test_C25_four_that_could_not_be_told_are_one_good(self):
        self.vote("unsure", ADDRESS, "four.example", "computer", "--count", 4)
        self.vote("good", "198.51.100.1", "one.example", "computer")
        cells = [self.level("pair", ADDRESS, "four.example"),
                 self.level("pair", "198.51.100.1", "one.example")]
        for cell in cells:
            self.assertAlmostEqual(cell["good"], 1, delta=1e-3)
            self.assertEqual(cell["spam"], 0)

    def test_authenticated_mail_is_associated(self):
        self.assertEqual(self.show(ADDRESS, DOMAIN)["association"], "unknown")
        self.assertEqual(self.show(ADDRESS, DOMAIN, "--authenticated")["association"], "auth")

    def test_before_the_first_vote_nothing_is_known_of_anybody(self):
        for words in ([ADDRESS], [DOMAIN], [ADDRESS, DOMAIN]):
            found = self.show(*words)
            self.assertEqual((found["basis"], found["probability"], found["partial"]),
                             ("prior", 0.5, False))
            self.assertTrue(all(row["n"] == 0 for row in found["levels"]))
        self.assertFalse((self.weir.folder / "counters.db").exists())


class Entered(Reputation):
    def test_add_says_what_the_judgement_was_and_is(self):
        done = self.vote("spam")
        self.assertEqual(done["was"]["basis"], "prior")
        self.assertEqual(done["is"]["basis"], "pair")
        self.assertGreater(done["is"]["probability"], done["was"]["probability"])
        self.assertEqual(done["verdict"], "spam")
        self.assertRegex(self.good("reputation", "add", "--verdict", "good", ADDRESS, DOMAIN),
                         r"was .*\n.*is .*\ntake it back with\n  weirctl reputation undo")

    def test_undo_takes_a_vote_back_exactly(self):
        self.vote("spam", ADDRESS, DOMAIN, "computer", "--count", 3)
        self.vote("good", ADDRESS, DOMAIN, "user")
        at = self.now + 60
        before = self.show(ADDRESS, DOMAIN, "--at", at)["levels"]
        for words in (["spam", ADDRESS, DOMAIN, "user"],
                      ["unsure", ADDRESS, DOMAIN, "computer", "--count", 7],
                      ["spam", ADDRESS, DOMAIN, "user", "--at", f"{self.now - 5 * DAY}.123456"],
                      ["good", ADDRESS, "", "computer"]):
            with self.subTest(words):
                done = self.vote(*words)
                self.assertNotEqual(self.show(ADDRESS, DOMAIN, "--at", at)["levels"], before)
                back = ["reputation", "undo", "--verdict", done["verdict"], "--by", done["by"],
                        "--at", done["at"], "--count", done["count"], ADDRESS]
                self.good(*back, done["domain"] or "-")
                self.assertEqual(self.show(ADDRESS, DOMAIN, "--at", at)["levels"], before)

    def test_the_printed_command_takes_back(self):
        text = self.good("reputation", "add", "--verdict", "spam", "--count", 2, ADDRESS, DOMAIN)
        command = text.split("take it back with\n  weirctl ")[1].split()
        self.assertIn("taken back", self.good(*command))
        self.assertEqual(self.level("pair", ADDRESS, DOMAIN)["n"], 0)

    def test_what_was_never_entered_cannot_be_taken_back(self):
        self.vote("unsure", "233.252.0.1", "first.example", "computer")
        self.refused(1, "no such vote", "reputation", "undo", "--verdict", "spam", "--at",
                     self.now, ADDRESS, DOMAIN)

    def test_vote_that_cannot_be_stored_ends_with_75(self):
        self.weir.configure(weir={"state_directory": "/proc/nowhere"})
        done = self.run_ctl("reputation", "add", "--verdict", "spam", ADDRESS, DOMAIN)
        self.assertEqual(done.returncode, TRY_AGAIN, done.stderr)
        self.assertIn("/proc/nowhere", done.stderr)

    def test_log_is_entered_but_for_its_wrong_lines(self):
        lines = [line(self.now - 10), line(self.now - 9, "nobody"), line(self.now + DAY),
                 line(self.now - 8, verdict="ham", by="computer")]
        done = self.run_ctl("reputation", "add", "-", "--json", stdin="".join(lines))
        self.assertEqual(done.returncode, DATA)
        self.assertEqual(json.loads(done.stdout), {"stored": 2, "bad": 2})
        self.assertRegex(done.stderr, r"stdin:2: the address.*\nstdin:3: the time lies in the fut")
        cell = self.level("pair", ADDRESS, DOMAIN)
        self.assertAlmostEqual(cell["spam_user"], 1, delta=0.001)
        self.assertAlmostEqual(cell["good_computer"], 1, delta=0.001)

    def test_log_counts_each_group_as_new_once(self):
        lines = [line(self.now - 1000 + i, f"198.51.100.{i % 7 + 1}", verdict="good")
                 for i in range(300)]
        self.feed(lines)
        found = self.show("198.51.100.1", DOMAIN)
        self.assertAlmostEqual(found["group_good"], 300, delta=0.01)
        self.assertAlmostEqual(found["novelty"], 2 / 320, delta=0.0002)

    def test_log_and_single_votes_give_the_same_numbers(self):
        votes = [("spam", "user"), ("good", "computer"), ("unsure", "computer"), ("good", "user")]
        for i, (verdict, by) in enumerate(votes):
            self.vote(verdict, ADDRESS, "a.example", by, "--at", self.now - 100 + i)
        self.feed(line(self.now - 100 + i, "198.51.100.1", "b.example", verdict, by)
                  for i, (verdict, by) in enumerate(votes))
        one, other = (self.level("pair", address, domain, "--at", self.now)
                      for address, domain in ((ADDRESS, "a.example"),
                                              ("198.51.100.1", "b.example")))
        for key in ("spam_user", "good_user", "spam_computer", "good_computer", "indeterminate"):
            self.assertEqual(one[key], other[key])

    def test_million_votes_at_once_and_not_one_more(self):
        self.vote("spam", ADDRESS, DOMAIN, "computer", "--count", 1000000)
        self.assertAlmostEqual(self.level("pair", ADDRESS, DOMAIN)["n"], 1e6, delta=100)
        self.refused(USAGE, "1000000", "reputation", "add", "--verdict", "spam", "--count",
                     1000001, ADDRESS, DOMAIN)

    def test_either_a_file_or_one_vote(self):
        self.refused(USAGE, "either", "reputation", "add", "--verdict", "spam", "--file", "x")
        self.refused(NO_INPUT, "No such file", "reputation", "add", "--file", "/nowhere/x")

    def eight_at_once(self):
        def add(number):
            for _ in range(5):
                self.vote("spam", ADDRESS, f"d{number}.example")
            self.feed(line(self.now - 60 + i, domain=f"d{number}.example") for i in range(40))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(add, range(8)))
        found = self.show(ADDRESS)
        self.assertAlmostEqual(found["levels"][0]["spam_user"], 8 * 45, delta=0.05)
        for number in range(8):
            self.assertAlmostEqual(self.level("pair", ADDRESS, f"d{number}.example")["spam_user"],
                                   45, delta=0.01)

    def test_eight_at_once_lose_no_vote_in_the_local_store(self):
        self.eight_at_once()

    def test_eight_at_once_lose_no_vote_in_memcached(self):
        try:
            nodes = [rig.Memcached(self.folder) for _ in range(3)]
        except rig.Trouble as trouble:
            self.skipTest(str(trouble))
        for node in nodes:
            self.addCleanup(node.process.end)
        self.weir.configure(weir={"counters": "memcached"},
                            memcached={"servers": ", ".join(node.name for node in nodes)})
        self.eight_at_once()
        status = self.json("status")
        self.assertEqual([node["up"] for node in status["counters"]["nodes"]], [True] * 3)
        self.assertTrue(all(node["seconds"] > 0 for node in status["counters"]["nodes"]))


class Replayed(Reputation):
    def replay(self, text, *words):
        """(exit status, one object for each line, what was said)."""
        text = text if isinstance(text, bytes) else "".join(text).encode()
        done = self.run_ctl("reputation", "replay", "-", *words, stdin=text)
        return done.returncode, [json.loads(row) for row in done.stdout.splitlines()], \
            done.stderr.decode()

    def test_golden_logs(self):
        for log in sorted(GOLDEN.glob("*.tsv")):
            with self.subTest(log.stem):
                _, rows, _ = self.replay(log.read_bytes())
                expected = [json.loads(row) for row in
                            log.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()]
                self.assertEqual(len(rows), len(expected))
                for number, (got, want) in enumerate(zip(rows, expected), 1):
                    self.same(got, want, f"{log.name}:{number}: sh tests/golden/update.sh "
                                         f"replay/{log.stem} makes it anew")

    def same(self, got, want, where):
        self.assertEqual(list(got), list(want), where)
        for key, value in want.items():
            if isinstance(value, float):
                self.assertTrue(math.isclose(got[key], value, abs_tol=1e-6), f"{where}: {key} "
                                f"{got[key]} {value}")
            else:
                self.assertEqual(got[key], value, where)

    def test_each_line_in_gives_one_line_out_with_these_keys(self):
        code, rows, _ = self.replay([line(self.now, domain=""), line(f"{self.now}.5", domain="-"),
                                     line(self.now + 1, verdict="ham", by="computer")])
        self.assertEqual(code, 0)
        self.assertEqual([list(row) for row in rows], [KEYS] * 3)
        self.assertEqual([row["time"] for row in rows], [self.now, self.now + 0.5, self.now + 1])
        self.assertEqual([row["domain"] for row in rows], ["", "-", DOMAIN])
        self.assertEqual([row["verdict"] for row in rows], ["spam", "spam", "ham"])

    def test_line_is_judged_by_what_came_before_it_alone(self):
        lines = [line(self.now + i, verdict="spam" if i % 3 else "good", by="computer",
                      address=f"203.0.113.{i % 5}", domain=f"d{i % 7}.example")
                 for i in range(400)]
        _, all_rows, _ = self.replay(lines)
        for cut in (1, 86, 200, 333):
            self.assertEqual(self.replay(lines[:cut])[1], all_rows[:cut])

    def test_replay_agrees_with_the_live_store_line_by_line(self):
        self.vote("unsure", "233.252.0.1", "first.example", "computer")
        start = self.now - 200 * DAY
        lines = [line(start + i * 3 * DAY, f"203.0.113.{i % 3}", f"d{i % 2}.example",
                      ("spam", "good", "unsure")[i % 3], ("user", "computer")[i % 2])
                 for i in range(30)]
        _, rows, _ = self.replay(lines)
        self.weir.configure(weir={"counters_file": "other.db"})
        self.feed(lines[:1])
        for text, row in zip(lines[1:], rows[1:]):
            when, address, domain, *_ = text.split("\t")
            found = self.show(address, domain, "--at", when)
            self.assertAlmostEqual(found["probability"], row["probability"], delta=1e-4)
            self.assertEqual(found["basis"], row["basis"])
            self.feed([text])

    def test_live_counters_are_not_touched(self):
        self.vote("spam")
        before = (self.weir.folder / "counters.db").read_bytes()
        self.replay(line(self.now + i) for i in range(100))
        self.assertEqual((self.weir.folder / "counters.db").read_bytes(), before)

    def test_configuration_applies(self):
        lines = [line(self.now), line(self.now + 1)]
        _, strong, _ = self.replay(lines)
        self.weir.configure(reputation={"weight_user": 1})
        _, weak, _ = self.replay(lines)
        self.assertLess(weak[1]["probability"], strong[1]["probability"])

    def test_time_that_goes_back_is_counted_and_judged(self):
        code, rows, said = self.replay([line(self.now), line(self.now - 10), line(self.now + 1)])
        self.assertEqual((code, len(rows)), (0, 3))
        self.assertIn("1 out of time order", said)

    def test_line_of_4096_octets_is_read_and_of_4097_is_not(self):
        head, tail = f"{self.now}\t{ADDRESS}\t", "\tspam\tuser"
        room = 4096 - len(head) - len(tail)
        for size, end, good in ((room, "\n", True), (room, "\r\n", True), (room + 1, "\n", False),
                                (room + 1, "\r\n", False), (room, "", True), (room + 2, "", False),
                                (5000000, "\n", False)):
            more = line(self.now) if end else ""
            code, rows, _ = self.replay([head, "a" * size, tail, end, more])
            self.assertEqual(code, 0 if good else DATA)
            self.assertEqual("error" not in rows[0], good)
            self.assertEqual(len(rows), 2 if end else 1)

    def test_wrong_lines_are_told_with_their_number(self):
        code, rows, said = self.replay(b"x\n" + line(self.now).encode() + b"\n\x00\n")
        self.assertEqual(code, DATA)
        self.assertEqual([row.get("line") for row in rows], [1, None, 3, 4])
        self.assertTrue(all(row["error"] for row in rows if "line" in row))
        for number in (1, 3, 4):
            self.assertRegex(said, rf"(?m)^stdin:{number}: ")

    def test_noise_never_breaks_the_rhythm(self):
        noise = os.urandom(200000)
        code, rows, _ = self.replay(noise)
        self.assertEqual(code, DATA)
        self.assertEqual(len(rows), noise.count(b"\n") + (not noise.endswith(b"\n")))

    def test_nothing_in_nothing_out(self):
        self.assertEqual(self.replay("")[:2], (0, []))

    def test_summary_says_how_much_spam_was_found(self):
        lines = [line(self.now + i, f"198.51.100.{i % 20}", f"g{i % 20}.example", "good")
                 for i in range(2000)]
        lines += [line(self.now + 2000 + i, f"203.0.113.{i % 20}", f"s{i % 20}.example", "spam")
                  for i in range(1000)]
        _, _, said = self.replay(lines, "--summary")
        self.assertRegex(said, r"3000 lines: 1000 spam, 2000 good, 0 unsure, 0 bad")
        self.assertRegex(said, r"0\.1 % +\d+\.\d\d %")
        _, rows, said = self.replay(lines, "--summary", "--json")
        table = json.loads(said)["found"]
        self.assertEqual([row["good_flagged"] for row in table], [0.001, 0.005, 0.01])
        good = sorted((row["probability"] for row in rows if row["verdict"] == "good"),
                      reverse=True)
        for row in table:
            threshold = good[int(row["good_flagged"] * len(good))]
            found = sum(r["probability"] > threshold for r in rows if r["verdict"] == "spam")
            self.assertAlmostEqual(row["spam_found"], found / 1000)

    def test_several_files_are_one_log(self):
        one, two = self.write("one", line(self.now)), self.write("two", line(self.now + 1))
        rows = [json.loads(row) for row in
                self.good("reputation", "replay", one, two).splitlines()]
        self.assertEqual([row["basis"] for row in rows], ["prior", "pair"])
        self.refused(NO_INPUT, "nowhere", "reputation", "replay", one, "/nowhere/x")

    def test_an_answer_comes_before_the_next_line_is_asked_for(self):
        with subprocess.Popen([rig.BUILD / "weirctl", "-c", self.weir.conf, "reputation", "replay",
                               "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True) as process:
            for i in range(3):
                process.stdin.write(line(self.now + i))
                process.stdin.flush()
                self.assertEqual(json.loads(process.stdout.readline())["time"], self.now + i)
            process.stdin.close()
            self.assertEqual(process.wait(10), 0)

    def test_nothing_remains_however_it_ends(self):
        here = self.folder / "tmp"
        here.mkdir()
        environment = {**os.environ, "TMPDIR": str(here)}
        for number in (None, signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with subprocess.Popen([rig.BUILD / "weirctl", "-c", self.weir.conf, "reputation",
                                   "replay", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True, env=environment) as process:
                process.stdin.write(line(self.now))
                process.stdin.flush()
                process.stdout.readline()
                if number:
                    process.send_signal(number)
                process.stdin.close()
                process.wait(10)
            if number is None:
                self.assertEqual(list(here.iterdir()), [])
            rig.wait_for(lambda: not list(here.iterdir()), what="the folder to go")
        done = self.run_ctl("reputation", "replay", "-", env={"TMPDIR": "/nowhere"})
        self.assertEqual(done.returncode, 73)
        self.assertIn("TMPDIR", done.stderr)


if __name__ == "__main__":
    harness.main()

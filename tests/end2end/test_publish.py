#!/usr/bin/env python3
"""Rules on their way from the rulebook of a real monitor to the mail of two servers: published,
fetched, verified, at work; and what was changed, cut, replayed or is foreign is not."""
import http.server
import json
import os
import pathlib
import sqlite3
import ssl
import sys
import threading
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import ctl_help
import harness
import milter
import rig
from test_monitor import World

SOON = 20  # seconds; claims.md says 60
DAY = 86400
LOAN, WIN = b"a cheap loan", b"a sure win"


class Publishing(World):
    """A monitor and two servers, each with a milter."""

    def setUp(self):
        super().setUp()
        self.world()
        for server in (self.mx1, self.mx2):
            self.add_milter(server)

    def add_milter(self, server):
        folder = server.weir.folder / "rules"
        folder.mkdir(exist_ok=True)
        server.milter = milter.Milter(server.weir)
        self.addCleanup(self.end, server.milter.process)

    def put(self, number, name, text, score=6.0, state="active", age=0):
        """A rule in the rulebook, which came into its state so many seconds ago."""
        then = int((time.time() - age) * 1e6)
        with sqlite3.connect(self.monitor.weir.folder / "spam.db", timeout=10) as database:
            database.execute(
                "INSERT INTO rules (id, name, kind, text, state, score, base, low, high, author, "
                "created, updated, since, approved) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 'test', ?, "
                "?, ?, 1) ON CONFLICT (id) DO UPDATE SET text = excluded.text, "
                "score = excluded.score, state = excluded.state",
                (number, name, text.split()[0], text, state, score, score, then, then, then))
        database.close()

    def hit(self, number, age):
        """When a rule was last hit."""
        then = int((time.time() - age) * 1e6)
        with sqlite3.connect(self.monitor.weir.folder / "spam.db", timeout=10) as database:
            database.execute("INSERT OR REPLACE INTO hits VALUES (?, ?, ?, 1, 1, 0, 0, 1.0, 0.0, "
                             "?)", (number, then, then, then))
        database.close()

    def loan(self, **more):
        self.put(101, "CHEAP_LOAN", "body CHEAP_LOAN /cheap loan/i\n", **more)

    def win(self, **more):
        self.put(102, "SURE_WIN", "body SURE_WIN /sure win/i\n", **more)

    def publish(self, *words):
        return json.loads(self.monitor.weir.ctl("publish", *words, "--json"))

    def score(self, server, body):
        """What a message with this body scores at a server."""
        with milter.Client(server.milter.path) as link:
            link.hand_over([(b"From", b"ann@client.example"), (b"Subject", b"hello")],
                           body + b"\r\n")
            link.outcome()
        return float(server.milter.decisions()[-1]["score"])

    def wait_for_score(self, server, body, score, seconds=SOON):
        rig.wait_for(lambda: abs(self.score(server, body) - score) < 0.005, seconds,
                     f"a score of {score} at {server.name}")

    def rules_of(self, server):
        """What the server's agent says of its rule sets."""
        row = self.monitor.rows("SELECT health FROM servers WHERE name = ?", server.name)[0]
        return json.loads(row["health"] or "{}").get("rules", {})

    def wait_until_told(self, server, **want):
        rig.wait_for(lambda: {k: self.rules_of(server).get(k) for k in want} == want, SOON,
                     f"{want} of {server.name}, not {self.rules_of(server)}")

    def files(self, server):
        return sorted(path.name for path in server.weir.folder.glob("rules-*.db"))


class Published(ctl_help.Help, Publishing):
    """The way a rule takes."""
    verbs = ["publish", "rollback", "rules sets", "rules diff", "rules list"]

    def good(self, *words):
        return self.monitor.weir.ctl(*words)

    def test_B11_B30_B31_a_published_rule_judges_on_both_servers(self):
        self.loan()
        began = time.monotonic()
        self.assertEqual(self.publish()["serial"], 1)
        for server in (self.mx1, self.mx2):
            self.wait_for_score(server, LOAN, 6)
        self.assertLess(time.monotonic() - began, 60)
        for server in (self.mx1, self.mx2):
            self.wait_until_told(server, serial=1, refused=0, refusals=0)
            self.assertEqual(self.files(server), ["rules-1.db"])

    def test_B11_an_idle_rule_is_missing_and_a_recent_one_present(self):
        self.put(1, "IDLE", "body IDLE /idle/\n", age=31 * DAY)
        self.put(2, "RECENT", "body RECENT /recent/\n", age=90 * DAY)
        self.hit(2, 29 * DAY)
        self.put(3, "OLD_HIT", "body OLD_HIT /old hit/\n", age=90 * DAY)
        self.hit(3, 31 * DAY)
        self.put(4, "LOCKED", "body LOCKED /locked/\n", age=90 * DAY, state="locked")
        self.put(5, "NET", "ip NET 203.0.113.0/24\n", age=90 * DAY)
        self.put(6, "DRAFT", "body DRAFT /draft/\n", state="draft")
        self.put(7, "NEW_TEST", "body NEW_TEST /new test/\n", state="test")
        with sqlite3.connect(self.monitor.weir.folder / "spam.db", timeout=10) as database:
            database.executemany("INSERT INTO hits_days VALUES (?, -1, 9, 0, 9, 0)",
                                 [(time.time() // DAY - day,) for day in range(31)])  # of mail
        database.close()
        self.assertEqual(self.publish()["rules"], 4)
        for server in (self.mx1, self.mx2):
            self.wait_until_told(server, serial=1)
            names = {rule["name"] for rule in json.loads(server.weir.ctl("rules", "list",
                                                                         "--json"))}
            self.assertEqual(names, {"RECENT", "LOCKED", "NET", "NEW_TEST"})

    def test_B31_test_rules_count_and_score_nothing_and_local_lines_win(self):
        self.loan()
        self.win(state="test")
        (self.mx2.weir.folder / "rules" / "10.rules").write_text("score CHEAP_LOAN 0.5\n"
                                                                 "score NOT_PUBLISHED 3\n")
        self.publish()
        self.wait_for_score(self.mx1, LOAN + WIN, 6)
        self.wait_for_score(self.mx2, LOAN + WIN, 0.5)
        self.wait_until_told(self.mx2, serial=1, refused=0)

    def test_nothing_different_publishes_nothing_and_a_dry_run_neither(self):
        self.loan()
        dry = self.publish("--dry-run")
        self.assertEqual((dry["serial"], dry["published"], dry["differences"]),
                         (1, False, {"added": 1}))
        self.assertEqual(self.monitor.rows("SELECT * FROM rule_sets"), [])
        self.assertTrue(self.publish()["published"])
        again = self.publish()
        self.assertEqual((again["serial"], again["different"], again["published"]),
                         (1, False, False))
        self.assertIn("nothing is different", self.monitor.weir.ctl("publish"))

    def test_a_rulebook_that_makes_no_set_publishes_nothing_and_the_rule_is_named(self):
        self.loan()
        self.publish()
        self.put(103, "BROKEN", "body BROKEN /(/\n")
        done = self.monitor.weir.ctl("publish", check=False)
        self.assertEqual(done.returncode, 65)
        self.assertIn("rule BROKEN: ", done.stderr)
        self.assertEqual(len(self.monitor.rows("SELECT * FROM rule_sets")), 1)

    def test_B16_what_would_make_recent_good_mail_spam_is_not_published_unless_forced(self):
        self.win(score=1)
        self.publish()
        with sqlite3.connect(self.monitor.weir.folder / "spam.db", timeout=10) as database:
            database.execute("INSERT INTO messages (uid, time, server, address, domain, verdict, "
                             "score, serial) VALUES (77, ?, 1, x'', '', 'ham', 2, 1)",
                             (int(time.time() * 1e6),))
            database.execute("INSERT INTO message_hits SELECT number, 102, 1 FROM messages")
        database.close()
        self.win(score=4)
        for words in ((), ("--dry-run",)):
            done = self.monitor.weir.ctl("publish", *words, check=False)
            self.assertEqual(done.returncode, 65, done.stderr)
            self.assertIn("with 4.00 points SURE_WIN would make message 000000000000004d spam, and "
                          "nobody said it is; --force publishes it", done.stderr)
        self.win(score=3.9)
        self.assertEqual(self.publish("--dry-run")["differences"], {"score": 1})
        self.win(score=4)
        self.assertEqual(self.publish("--force")["serial"], 2)
        self.wait_for_score(self.mx1, WIN, 4)

    def test_a_rollback_brings_back_what_was(self):
        self.loan()
        self.publish()
        self.wait_for_score(self.mx1, LOAN, 6)
        self.loan(score=2.5)
        self.win(score=1)
        self.assertEqual(self.publish()["differences"], {"added": 1, "score": 1})
        for server in (self.mx1, self.mx2):
            self.wait_for_score(server, LOAN + WIN, 3.5)
        self.assertIn("rule set 3 is published", self.monitor.weir.ctl(
            "rollback", "1", "--reason", "2 is too mild"))
        for server in (self.mx1, self.mx2):
            self.wait_for_score(server, LOAN + WIN, 6)
            self.wait_until_told(server, serial=3)
            self.assertEqual(self.files(server), ["rules-2.db", "rules-3.db"])
        sets = json.loads(self.monitor.weir.ctl("rules", "sets", "--json"))
        self.assertEqual([(one["serial"], one["what"], one["why"]) for one in sets],
                         [(3, "rollback to 1", "2 is too mild"), (2, "published", ""),
                          (1, "published", "")])
        self.assertEqual(self.monitor.weir.ctl("rollback", "9", check=False).returncode, 65)
        audit = self.monitor.rows("SELECT what, detail FROM audit WHERE what = 'rollback'")
        self.assertEqual(audit, [{"what": "rollback", "detail": "rule set 3"}])

    def test_a_diff_tells_rule_by_rule(self):
        self.loan()
        self.publish()
        self.loan(score=2.5)
        self.win()
        self.publish()
        self.put(101, "CHEAP_LOAN", "body CHEAP_LOAN /cheap loans?/\n", state="locked")
        self.win(state="retired")
        self.publish()
        self.assertEqual(self.monitor.weir.ctl("rules", "diff", "1", "2").splitlines(),
                         ["        101  CHEAP_LOAN  score: 6.00 -> 2.50",
                          "+       102  SURE_WIN  body SURE_WIN /sure win/i  +6.00  active"])
        told = json.loads(self.monitor.weir.ctl("rules", "diff", "2", "3", "--json"))
        self.assertEqual([(one["id"], one["difference"]) for one in told],
                         [(101, "test"), (101, "score"), (101, "state"), (102, "gone")])
        self.assertEqual(self.monitor.weir.ctl("rules", "diff", "3", "3"), "no difference\n")
        self.assertEqual(self.monitor.weir.ctl("rules", "diff", "3", "4",
                                               check=False).returncode, 1)

    def test_B13_a_published_file_opens_with_weirctl_and_as_text(self):
        self.loan()
        self.publish()
        self.wait_until_told(self.mx1, serial=1)
        path = self.mx1.weir.folder / "rules-1.db"
        shown = self.mx1.weir.ctl("rules", "list", path)
        self.assertRegex(shown, r"^rule set 1 of \S+, 1 rules, signed with key [0-9a-f]{16}\n")
        self.assertIn("CHEAP_LOAN", shown)
        told = json.loads(self.mx1.weir.ctl("rules", "list", path, "--json"))
        self.assertEqual((told["serial"], told["verified"], [r["name"] for r in told["rules"]]),
                         (1, True, ["CHEAP_LOAN"]))
        self.assertIn("body CHEAP_LOAN /cheap loan/i\nscore CHEAP_LOAN 6.00\nid CHEAP_LOAN 101\n",
                      path.read_text(errors="replace"))
        copy = self.folder / "copy.db"
        copy.write_bytes(path.read_bytes().replace(b"6.00", b"0.00"))
        done = self.mx1.weir.ctl("rules", "list", copy, check=False)
        self.assertEqual(done.returncode, 65)
        self.assertIn("changed or cut", done.stderr)
        self.assertEqual(self.monitor.weir.ctl("rules", "list", "1").splitlines()[1:],
                         shown.splitlines()[1:])

    def test_status_tells_who_runs_which_set_and_who_refused_one(self):
        self.loan()
        self.publish()
        for server in (self.mx1, self.mx2):
            self.wait_until_told(server, serial=1)
        (self.mx2.weir.folder / "rules" / "10.rules").write_text(
            "body MINE /mine/\nid MINE 102\n")
        self.win()
        self.publish()
        self.wait_until_told(self.mx1, serial=2, refused=0)
        self.wait_until_told(self.mx2, serial=1, refused=2)
        done = self.monitor.weir.ctl("status", "--json", check=False)
        self.assertEqual(done.returncode, 1)
        status = json.loads(done.stdout)
        rules = status["monitor"]["rules"]
        self.assertEqual(rules["newest"], 2)
        self.assertEqual([(one["server"], one["serial"], one["refused"])
                          for one in rules["servers"]], [("mx1", 2, 0), ("mx2", 1, 2)])
        self.assertTrue(any("mx2 refused rule set 2 and works with 1" in problem and
                            "same id 102" in problem for problem in status["problems"]))
        shown = self.monitor.weir.ctl("status", check=False).stdout
        self.assertRegex(shown, r"mx1 +set 2 since 20")
        self.assertRegex(shown, r"mx2 +set 1 since 20\S+; refused 2: .*same id 102")
        listed = self.monitor.weir.ctl("server", "list")
        self.assertRegex(listed, r"mx1 .* rules 2 since 20")
        self.assertRegex(listed, r"mx2 .* rules 1 since 20.*rules 2 refused")
        self.assertEqual(self.files(self.mx2), ["rules-1.db"])
        self.wait_for_score(self.mx2, LOAN + WIN, 6)  # the old one is at work
        (self.mx2.weir.folder / "rules" / "10.rules").unlink()
        self.wait_for_score(self.mx2, LOAN + WIN, 12, seconds=60)  # it is tried again
        self.wait_until_told(self.mx2, serial=2, refused=0)

    def test_B2_B31_a_rule_file_put_into_the_rulebook_and_published_judges_mail(self):
        path = self.folder / "loans.rules"
        path.write_text("body CHEAP_LOAN /cheap loan/i\nscore CHEAP_LOAN 6\n"
                        "body __A /cheap/\nmeta BOTH __A && CHEAP_LOAN\nscore BOTH 1.5\n")
        self.monitor.weir.ctl("rules", "add", path)
        self.publish("--reason", "first")
        for server in (self.mx1, self.mx2):
            self.wait_for_score(server, LOAN, 7.5)
        self.monitor.weir.ctl("rules", "set", "CHEAP_LOAN", "score=2")
        self.publish()
        for server in (self.mx1, self.mx2):
            self.wait_for_score(server, LOAN, 3.5)

    def let_a_run_be_due(self):
        """The analyzer's last run was long ago."""
        self.monitor.stop()
        with sqlite3.connect(self.monitor.weir.folder / "spam.db") as database:
            database.execute("INSERT OR REPLACE INTO state VALUES ('analyzer_stored', 1000000)")
        database.close()
        self.monitor.start()
        rig.wait_for(lambda: self.monitor.rows("SELECT value FROM state WHERE name = "
                                               "'analyzer_stored'")[0]["value"] > 1000000, SOON,
                     "a run of the analyzer")

    def test_runs_of_the_analyzer_publish_what_came_of_age_but_not_over_a_rollback(self):
        self.loan()
        self.monitor.weir.ctl("analyze")
        self.let_a_run_be_due()
        time.sleep(1)  # publishing comes behind the run
        self.assertEqual(self.monitor.rows("SELECT * FROM rule_sets"), [])  # nobody published yet
        self.publish()
        self.win()
        self.let_a_run_be_due()
        self.wait_for_score(self.mx1, LOAN + WIN, 12)
        self.assertEqual(self.monitor.rows("SELECT serial, who FROM rule_sets"),
                         [{"serial": 1, "who": f"uid {os.getuid()}"},
                          {"serial": 2, "who": "analyzer"}])
        self.monitor.weir.ctl("rollback", "1")
        self.let_a_run_be_due()
        time.sleep(1)  # publishing comes behind the run
        self.assertEqual(len(self.monitor.rows("SELECT * FROM rule_sets")), 3)
        self.wait_for_score(self.mx1, LOAN + WIN, 6)
        told = "that was a rollback: nothing is published by schedule before weirctl publish"
        self.assertIn(told, self.monitor.weir.ctl("status", check=None).stdout)
        self.publish()
        self.assertNotIn(told, self.monitor.weir.ctl("status", check=None).stdout)


class Kept(Publishing):
    """What is lost, killed and started again."""

    def test_the_set_outlives_monitor_and_agents(self):
        self.loan()
        self.publish()
        self.wait_until_told(self.mx1, serial=1)
        self.monitor.kill()
        self.mx1.kill()
        self.mx1.start()
        self.wait_for_score(self.mx1, LOAN, 6)
        self.monitor.start()
        self.win()
        self.assertEqual(self.publish()["serial"], 2)
        for server in (self.mx1, self.mx2):
            self.wait_for_score(server, LOAN + WIN, 12)

    def test_a_server_that_was_away_gets_the_newest_when_it_is_back(self):
        self.mx2.kill()
        self.loan()
        self.publish()
        self.win()
        self.publish()
        self.wait_until_told(self.mx1, serial=2)
        self.mx2.start()
        self.wait_for_score(self.mx2, LOAN + WIN, 12)
        self.assertEqual(self.files(self.mx2), ["rules-2.db"])

    def test_an_agent_killed_again_and_again_has_a_whole_set(self):
        for number in range(1, 6):
            self.loan(score=number)
            self.publish()
            rig.wait_for(lambda: f"rules-{number}.db" in self.files(self.mx1) or
                         self.rules_of(self.mx1).get("serial") == number, SOON, "a file")
            self.mx1.kill()
            self.assertIn(self.score(self.mx1, LOAN), (number - 1, number))
            self.mx1.start()
            self.wait_for_score(self.mx1, LOAN, number)
        self.assertNotIn("is refused", self.mx1.log())

    def test_B12_a_file_changed_on_disk_is_refused_and_fetched_anew(self):
        self.mx1.stop()
        self.mx1.weir.configure(agent={"whole": "1s"})
        self.mx1.start()
        self.loan()
        self.publish()
        self.wait_until_told(self.mx1, serial=1)
        path = self.mx1.weir.folder / "rules-1.db"
        good = path.read_bytes()
        self.mx1.process.send(19)  # SIGSTOP: it cannot mend it yet
        path.write_bytes(good.replace(b"6.00", b"0.00"))
        done = self.mx1.weir.ctl("rules", "load", check=False)
        self.assertEqual(done.returncode, 65)
        self.assertIn("rules-1.db: it was changed or cut", done.stderr)
        self.mx1.milter.stop()
        self.mx1.milter.start()
        self.assertEqual(self.score(self.mx1, LOAN), 6)
        self.mx1.process.send(18)
        rig.wait_for(lambda: path.read_bytes() == good, SOON, "the file to be fetched anew")
        self.mx1.weir.ctl("rules", "load")
        self.wait_for_score(self.mx1, LOAN, 6)

    def test_an_identity_without_the_key_takes_it_from_the_monitor_once(self):
        self.mx1.stop()
        text = self.mx1.identity.read_text()
        self.assertRegex(text, r"\nrules = [A-Za-z0-9_-]{43}\n")
        self.mx1.identity.write_text("".join(line + "\n" for line in text.splitlines()
                                             if not line.startswith("rules =")))
        (self.mx1.weir.folder / "rules.pub").unlink()
        self.mx1.start()
        self.loan()
        self.publish()
        self.wait_until_told(self.mx1, serial=1, refused=0)
        self.monitor.stop()
        (self.monitor.weir.folder / "rules.key").unlink()
        self.monitor.start()
        self.win()
        self.publish()
        for server in (self.mx1, self.mx2):
            self.wait_until_told(server, serial=1, refused=2,
                                 why="it is signed with a key that is not the monitor's")


class Liar(http.server.BaseHTTPRequestHandler):
    """In the monitor's place, with its certificate: it gives out what a test says."""
    protocol_version = "HTTP/1.1"
    news, file, fetched = "", b"", 0

    def say(self, status, body=b"", **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):  # pylint: disable=invalid-name
        if self.path.startswith("/agent/v1/rules"):
            Liar.fetched += 1
            self.say(200, zlib.compress(Liar.file), Content_Encoding="deflate")
        else:
            time.sleep(0.1)
            everything = b'{"generation": 1, "full": true, "set": [], "remove": []}'
            self.say(*((200, everything) if "all=1" in self.path else (204,)), Weir_Rules=Liar.news)

    def do_POST(self):  # pylint: disable=invalid-name
        self.rfile.read(int(self.headers["Content-Length"]))
        self.say(200 if "health" in self.path else 503, b"{}")

    def log_message(self, *_):
        """Quiet."""


class Lied(Publishing):
    """What a server that has the monitor's certificate, but not its key for rules, can do."""

    def lie(self):
        """Takes the monitor's place."""
        self.monitor.stop()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.monitor.weir.folder / "monitor.crt",
                                self.monitor.weir.folder / "monitor.key")
        server = http.server.ThreadingHTTPServer((self.monitor.address, self.monitor.port), Liar)
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)

    def tell(self, server, file, serial, why):
        """Lets the agent fetch this; it is refused with this reason."""
        before = Liar.fetched
        Liar.file, Liar.news = file, f"{serial} {self.key} 0"
        rig.wait_for(lambda: f"rule set {serial} of the monitor is refused, the one at work "
                     f"stays: {why}" in server.log(), SOON, f"{why}: {server.log()[-600:]}")
        self.assertEqual(self.score(server, LOAN), 6)
        return Liar.fetched - before

    def test_B12_what_was_changed_cut_replayed_or_is_foreign_is_refused(self):
        self.win()
        self.publish()
        self.wait_until_told(self.mx1, serial=1)
        first = (self.mx1.weir.folder / "rules-1.db").read_bytes()
        self.loan()
        self.publish()
        self.wait_until_told(self.mx1, serial=2)
        good = (self.mx1.weir.folder / "rules-2.db").read_bytes()
        self.key = (self.mx1.weir.folder / "rules.pub").read_text().strip()
        self.win(state="retired")
        self.publish()  # one more, of which the liar changes something
        self.wait_until_told(self.mx1, serial=3)
        newest = (self.mx1.weir.folder / "rules-3.db").read_bytes()
        self.mx1.kill()
        (self.mx1.weir.folder / "rules-3.db").unlink()
        (self.mx1.weir.folder / "rules.image").unlink()
        self.lie()
        self.mx1.start()
        self.wait_for_score(self.mx1, LOAN, 6)
        server, changed = self.mx1, "it was changed or cut"
        self.tell(server, newest.replace(b"6.00", b"0.00"), 4, changed)
        self.tell(server, newest[:-1], 5, changed)
        self.tell(server, newest + b"\n", 6, changed)
        self.tell(server, newest.replace(b"serial 3", b"serial 7"), 7, changed)
        self.tell(server, b"", 8, "it is no file of a rule set")
        self.tell(server, b"<html>Please log in</html>", 9, "it is no file of a rule set")
        foreign = newest.replace(newest.split(b"\n")[2], b"key 0123456789abcdef")
        self.tell(server, foreign, 10, "it is signed with a key that is not the monitor's")
        Liar.file = first  # replayed: signed, but older than what is here
        Liar.news = f"11 {self.key} 0"
        rig.wait_for(lambda: "rule set 1 of the monitor is refused" in server.log(), SOON, "that")
        self.assertEqual(self.tell(server, good, 1, "it is older than the one that is here"), 0)
        self.assertEqual(self.files(server), ["rules-2.db"])
        Liar.file, Liar.news = newest, f"12 {self.key} 0"  # what is signed and newer is taken
        rig.wait_for(lambda: "rules-3.db" in self.files(server), 60, "what the monitor signed")
        self.wait_for_score(server, LOAN + WIN, 6)


if __name__ == "__main__":
    harness.main()

"""weirctl with a monitor: servers, thresholds, top, events, and what is decided for all servers."""
import json
import os
import pathlib
import pty
import re
import select
import signal
import sqlite3
import stat
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import monitor
import rig
from ctl_help import Help

USAGE, DATA, CANT_CREATE = 64, 65, 73
VERBS = ["server add", "server revoke", "server list", "threshold show", "threshold set", "top",
         "threshold remove", "threshold test", "events", "events acknowledge", "block", "unblock",
         "unaccept", "restore", "decisions"]
SPAMMER, PARTNER, SMALL = "203.0.113.7", "198.51.100.9", "192.0.2.44"


class Monitor:
    """A weir-monitor on loopback, and mail servers with an agent each; their spool files are
    written by hand."""

    def __init__(self, folder, **threshold):
        self.port, off = rig.free_port(), {"listen": ""}
        self.weir = rig.Weir(
            folder, "monitor", console=off, rules={"folder": folder / "none"},
            policyd={"listen": f"inet:127.0.0.1:{rig.free_port()}"},
            monitor={"listen": f"inet:127.0.0.1:{self.port}", "silence": "2s",
                     "url": f"https://127.0.0.1:{self.port}",
                     "admin": f"unix:{folder}/monitor.sock"}, threshold=threshold)
        self.socket, self.folder = folder / "monitor.sock", folder
        self.process = rig.Process([rig.BUILD / "weir-monitor", "-d", "-c", self.weir.conf],
                                   folder / "monitor.log")
        self.start()
        self.agents = {}

    def start(self):
        self.process.start()
        self.process.ready(self.socket.exists)
        self.process.ready(lambda: rig.accepts(self.port))

    def add_server(self, name, **sections):
        """A mail server as its operator makes one."""
        weir = rig.Weir(self.folder, name, agent={"identity": self.folder / f"{name}.identity"})
        weir.configure(**sections)
        self.weir.ctl("server", "add", name, "--output", self.folder / f"{name}.identity")
        (weir.folder / "spool").mkdir()
        weir.make_lists()
        agent = rig.Process([rig.BUILD / "weir-agent", "-d", "-c", weir.conf],
                            self.folder / f"{name}.log")
        agent.start()
        self.agents[name] = (weir, agent)
        rig.wait_for(lambda: self.server(name)["state"] == "seen", 15, f"{name} to be seen")
        return weir

    def server(self, name):
        return next(row for row in self.weir.json("server", "list") if row["name"] == name)

    def spool(self, name, lines, stream="sniffer-1-1"):
        path = self.agents[name][0].folder / "spool" / f"{stream}.log.part"
        with open(path, "a", encoding="utf-8") as out:
            out.writelines(line + "\n" for line in lines)

    def ask(self, question):
        """What weirctl asks, without it: status and answer."""
        link = monitor.Admin(self.socket)
        try:
            link.request("POST", "/admin/v1/do", json.dumps(question))
            answer = link.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            link.close()

    def top(self, *words):
        return {row["address"]: row for row in self.weir.json("top", *words)}


def traffic(at, address, **quantities):
    numbers = " ".join(f"{name}={number}" for name, number in quantities.items() if number)
    return f"at={at:.6f} kind=traffic address={address} {numbers}"


class Case(unittest.TestCase):
    """One monitor and one agent for all tests of a class."""

    threshold = {"observe": "no", "connections_rate": "1/s", "connections_most": 50,
                 "ladder": "reject 5m"}

    @classmethod
    def setUpClass(cls):
        cls.folder = rig.scratch()
        cls.monitor = Monitor(cls.folder, **cls.threshold)
        cls.mx1 = cls.monitor.add_server("mx1")

    @classmethod
    def tearDownClass(cls):
        for _, agent in cls.monitor.agents.values():
            agent.stop()
        cls.monitor.process.stop()

    def good(self, *words):
        return self.monitor.weir.ctl(*words)

    def json(self, *words):
        return self.monitor.weir.json(*words)

    def refused(self, code, reason, *words):
        done = self.monitor.weir.ctl(*words, check=False)
        self.assertEqual(done.returncode, code, f"{words}: {done.stdout}{done.stderr}")
        self.assertRegex(done.stderr, reason)
        self.assertRegex(done.stderr, r"(?m)^weirctl: ")
        return done


class CommandLine(Help, Case):
    verbs = VERBS

    def test_examples_of_the_help_are_understood(self):
        for verb in VERBS:
            example = self.good(*verb.split(), "--help").split("Example:\n  weirctl ")[1]
            words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', example)]
            words = [self.folder / "example" if word.endswith(".identity") else word
                     for word in words if verb != "server revoke" or word != "mx1"]
            words += ["nobody"] if verb == "server revoke" else []
            words = ["mx9" if verb == "server add" and word == "mx1" else word for word in words]
            with self.subTest(example):
                done = self.monitor.weir.ctl(*words, check=False)
                self.assertIn(done.returncode, (0, 1), done.stderr)

    def test_wrong_command_lines_are_told_and_end_with_64(self):
        for words, reason in [
            (["server"], "add, revoke, list"),
            (["server", "add"], "missing"),
            (["threshold"], "show, set, remove, test"),
            (["threshold", "set"], "missing"),
            (["threshold", "set", "default", "--prefix", "192.0.2.0/24"], "takes no --prefix"),
            (["threshold", "set", "partners", "--messages", "1/s:3"], "--prefix is missing"),
            (["threshold", "set", "x" * 32, "--prefix", "192.0.2.1"], "1..31 octets"),
            *((["threshold", "set", name, "--prefix", "192.0.2.1"],
               "1..31 octets: letters, digits, '-', '_' and '.'")
              for name in ("", "two words", "a:b", "partners,", "p\u00e4rtner", "a/b", "$(id)")),
            (["threshold", "set", "p", "--prefix", "192.0.2.1/24"], "p: "),
            (["threshold", "set", "default", "--observe", "--enforce"], "only one of"),
            (["threshold", "set", "default", "--ladder", "shout 5m"], "one of observe"),
            (["top", "--by", "size"], "not one of connections, syns"),
            (["top", "--since", "never"], "not a span"),
            (["top", "--most", "0"], "within 1"),
            (["top", "--watch"], "terminal"),
            (["events", "everybody"], "everybody"), (["events", "--since", "0h"], "not a span"),
            (["block", SPAMMER], "--for is missing"),
            (["block", "spammer.example", "--for", "4h"], "spammer.example"),
            (["block", SPAMMER, "--for", "4h", "--reason", "a\nb"], "control character"),
            (["unblock", SPAMMER, "--for", "4h"], "--accept is missing"),
            (["block", SPAMMER, "--for", "4h", "--force"], "block does not take --force"),
            (["unblock", SPAMMER, "--force"], "unblock does not take --force"),
            (["unblock"], "missing"), (["unaccept"], "missing"),
            (["unaccept", "customer.example"], "customer.example"),
            (["unaccept", SPAMMER, "--for", "4h"], "does not take --for"),
            (["decisions", "customer.example"], "customer.example"),
        ]:
            with self.subTest(" ".join(words)):
                self.refused(USAGE, reason, *words)

    def test_limits_that_are_none_are_refused(self):
        for limit in ("", "5", "5/s", "1/s:0", "1/s:0.5", "1/x:3", "-1/s:3", "1/s:3x", "1/s:1e9",
                      "inf/s:3", "1e3/s:3", "1:3", "/s:3", "1/s:99999999999999", "1/:3"):
            with self.subTest(limit):
                self.refused(USAGE, "not a limit", "threshold", "set", "default",
                             f"--messages={limit}")


class Servers(Case):
    def test_an_added_server_has_an_identity_told_once(self):
        path = self.folder / "mx2.identity"
        said = self.good("server", "add", "mx2", "--output", path)
        self.assertIn(str(path), said)
        self.assertIn("agent.identity", said)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        text = path.read_text()
        self.assertRegex(text, r"server = mx2\n(.*\n)*secret = \S{43}\n")
        self.refused(CANT_CREATE, "left as it is", "server", "add", "mx3", "--output", path)
        self.assertEqual(path.read_text(), text)
        self.refused(DATA, "already", "server", "add", "mx2", "--output", self.folder / "other")
        self.assertFalse((self.folder / "other").exists())
        self.refused(DATA, "no name", "server", "add", "mx 2")
        self.assertEqual(self.monitor.server("mx2")["state"], "new")

        done = self.monitor.weir.ctl("server", "add", "mx4", check=False)
        self.assertRegex(done.stdout, r"\A(#.*\n)*server = mx4\n")
        self.assertNotIn("agent.identity", done.stdout)
        self.assertIn("agent.identity", done.stderr)
        answer = self.json("server", "add", "mx5")
        self.assertEqual(answer["server"], "mx5")
        self.assertIn("secret = ", answer["identity"])
        self.assertNotIn("identity", self.json("server", "add", "mx6", "--output",
                                               self.folder / "mx6.identity"))

        self.assertIn("revoked", self.good("server", "revoke", "mx4"))
        self.assertTrue(self.json("server", "revoke", "mx5")["revoked"])
        self.refused(1, "no such server", "server", "revoke", "mx5")
        self.refused(1, "no such server", "server", "revoke", "nobody")
        self.assertEqual(self.monitor.server("mx4")["state"], "revoked")
        self.assertIsNotNone(self.monitor.server("mx4")["revoked"])
        number = self.monitor.server("mx4")["number"]
        self.assertEqual(self.json("server", "add", "mx4")["number"], number)

    def test_list_shows_who_is_heard_of_and_how_it_is(self):
        rig.wait_for(lambda: self.monitor.server("mx1")["health"], 10, "health")
        row = self.monitor.server("mx1")
        self.assertEqual((row["state"], row["revoked"]), ("seen", None))
        self.assertIn("spool_octets", row["health"])
        self.assertRegex(self.good("server", "list"), r"(?m)^mx1 +\d+ +seen .* spool \d+ files")

    def test_status_asks_the_monitor(self):
        weir = self.monitor.weir
        self.monitor.spool("mx1", [traffic(time.time(), "203.0.113.90", connections=500)])
        rig.wait_for(lambda: self.json("status")["monitor"]["status"]["alarms"] == 1, 10,
                     "an alarm in the status")
        status = self.json("status")
        self.assertTrue(status["monitor"]["running"])
        self.assertEqual(status["monitor"]["listen"], f"unix:{self.monitor.socket}")
        self.assertEqual(status["monitor"]["status"]["blind_names"], "")
        rig.wait_for(lambda: self.json("status")["monitor"]["status"]["behind"] == 0)
        text = self.good("status")
        self.assertRegex(text, r"(?m)^policyd .*\n +none +it does not run\nmonitor +unix:.*\n"
                         r" +servers +1 seen, 0 blind$")
        self.assertRegex(text, r"(?m)^ +journal +0 bytes not yet|^ +journal +0 .*not yet")
        self.assertRegex(text, r"(?m)^ +alarms +1 open")
        agent = self.monitor.agents["mx1"][1]
        agent.stop()
        rig.wait_for(lambda: weir.ctl("status", check=False).returncode == 1, 10, "a problem")
        done = weir.ctl("status", check=False)
        self.assertIn("PROBLEM    the monitor has not heard for too long of: mx1", done.stdout)
        self.assertRegex(done.stdout, r"0 seen, 1 blind: mx1")
        agent.start()
        rig.wait_for(lambda: self.monitor.server("mx1")["state"] == "seen", 15, "mx1 to be seen")

    def test_trouble_of_a_sniffer_is_shown_for_as_long_as_it_lasts(self):
        def health(ago, **sums):
            words = " ".join(f"{name}={number}" for name, number in sums.items())
            return f"at={time.time() - ago:.6f} kind=health {words}"
        well = {"packets": 1000, "kernel_dropped": 70, "gaps": 7, "odd": 3, "forged": 2}
        file = "sniffer-1-2"  # the one of before was finished by another agent
        self.monitor.spool("mx1", [health(9, **well), health(8, **dict(well, packets=2000))], file)
        rig.wait_for(lambda: self.monitor.server("mx1")["health"]["spool_octets"] == 0)
        rig.wait_for(lambda: self.monitor.weir.ctl("status", check=False).returncode == 0)
        self.assertEqual(self.json("status")["monitor"]["sniffers"], [])
        self.monitor.spool("mx1", [health(5, packets=3000, kernel_dropped=75, gaps=9, odd=4,
                                          forged=5)], file)
        rig.wait_for(lambda: (self.monitor.server("mx1")["health"] or {}).get("sniffer"), 15,
                     "trouble of the sniffer")
        self.assertEqual(self.monitor.server("mx1")["health"]["sniffer"],
                         {"packets": 2000, "kernel_dropped": 5, "gaps": 2, "spool_dropped": 0,
                          "odd": 1, "forged": 3, "unproven": 0})
        self.assertRegex(self.good("server", "list"),
                         r"(?m)^mx1 .*, its sniffer: 5 packets lost, 2 gaps in what it heard, "
                         r"3 segments that contradicted others, 1 replies that did not fit$")
        sniffers = self.json("status")["monitor"]["sniffers"]
        self.assertEqual([(one["server"], one["trouble"]) for one in sniffers],
                         [("mx1", "5 packets lost"), ("mx1", "2 gaps in what it heard"),
                          ("mx1", "3 segments that contradicted others"),
                          ("mx1", "1 replies that did not fit")])
        text = self.good("status")  # a note, and no problem
        self.assertRegex(text, r"(?m)^  sniffer +mx1: 5 packets lost in the last hour or two: .*"
                         r"\[sniffer\] buffer is too small$")
        self.assertRegex(text, r"(?m)^  sniffer +mx1: 3 segments that contradicted others .*hide "
                         r"mail")

    def test_a_server_that_falls_silent_is_blind(self):
        agent = self.monitor.agents["mx1"][1]
        agent.send(signal.SIGSTOP)
        try:
            rig.wait_for(lambda: self.monitor.server("mx1")["state"] == "blind", 15, "blind")
            self.assertRegex(self.good("server", "list"), r"(?m)^mx1 +\d+ +blind ")
        finally:
            agent.send(signal.SIGCONT)
        rig.wait_for(lambda: self.monitor.server("mx1")["state"] == "seen", 45, "seen again")


class Decisions(Case):
    def listed(self, address):
        done = self.mx1.ctl("blacklist", "show", address, check=False)
        return done.returncode == 0

    def test_a_block_is_on_the_servers_when_it_is_said_to_be(self):
        text = self.good("block", "203.0.113.20", "--for", "4h", "--reason", "sends viruses")
        self.assertRegex(text, r"203\.0\.113\.20 is refused until 20")
        self.assertRegex(text, r"in force on: mx1\n")
        self.assertRegex(text, r"only observed, since \[weir\] mode is so there: mx1\n")
        entry = self.mx1.json("blacklist", "show", "203.0.113.20")
        self.assertIn("sends viruses", json.dumps(entry))
        self.assertFalse(self.monitor.weir.ctl("blacklist", "show", "203.0.113.20",
                                               check=False).returncode == 0)
        answer = self.json("block", "2001:db8:1::/48", "--for", "1h", "--defer")
        self.assertEqual((answer["blocked"], answer["defer"]), ("2001:db8:1::/48", True))
        self.assertEqual(answer["servers"], {"have": ["mx1"], "lack": [], "not": [],
                                             "observe": ["mx1"]})

        text = self.good("unblock", "203.0.113.20")
        self.assertIn("1 decision taken back", text)
        self.assertIn("so on: mx1", text)
        self.assertFalse(self.listed("203.0.113.20"))
        self.refused_nothing("203.0.113.20")

    def refused_nothing(self, address):
        done = self.monitor.weir.ctl("unblock", address, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("0 decisions", done.stdout)

    def test_what_is_unblocked_can_be_accepted(self):
        self.good("block", "203.0.113.30", "--for", "4h")
        answer = self.json("unblock", "203.0.113.30", "--accept", "--for", "7d",
                           "--reason", "a customer")
        self.assertEqual((answer["undone"], answer["accepted"]), (1, True))
        self.assertEqual(self.mx1.ctl("accept", "show", "203.0.113.30", check=False).returncode, 0)
        self.refused(DATA, "acceptable", "block", "203.0.113.30", "--for", "4h")
        self.assertIn("accepted from now on", self.good("unblock", "203.0.113.31", "--accept"))

    def test_what_is_accepted_is_shown_and_taken_back(self):
        self.good("unblock", "203.0.113.60", "--accept", "--for", "7d", "--reason", "a customer")
        self.good("unblock", "203.0.113.0/26", "--accept", "--reason", "their network")
        self.good("block", "203.0.113.200", "--for", "4h", "--reason", "sends viruses")
        rows = {row["prefix"]: row for row in self.json("decisions", "203.0.113.60")}
        self.assertEqual(set(rows), {"203.0.113.60", "203.0.113.0/26"})
        row = rows["203.0.113.60"]
        self.assertEqual((row["list"], row["reason"], row["by"]),
                         ("accept", "a customer", f"uid {os.geteuid()}"))
        self.assertRegex(row["ends"], r"20..-..-..T")
        self.assertIsNone(rows["203.0.113.0/26"]["ends"])
        text = self.good("decisions")
        self.assertRegex(text, r"(?m)^203\.0\.113\.60 +accepted +20\S+ +uid \d+ +a customer$")
        self.assertRegex(text, r"(?m)^203\.0\.113\.0/26 +accepted +for ever +uid \d+ +their ")
        self.assertRegex(text, r"(?m)^203\.0\.113\.200 +refused +20\S+ +uid \d+ +sends viruses$")

        done = self.monitor.weir.ctl("unaccept", "203.0.113.60", check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"203\.0\.113\.60 is not accepted any more.*\nso on: mx1\n")
        self.assertRegex(done.stderr, r"note: 203\.0\.113\.0/26, which holds it, is accepted all")
        self.refused(1, "not accepted by itself", "unaccept", "203.0.113.60")
        answer = self.json("unaccept", "203.0.113.0/26")
        self.assertEqual((answer["unaccepted"], answer["undone"], answer["servers"]["have"]),
                         ("203.0.113.0/26", 1, ["mx1"]))
        self.assertEqual(self.mx1.ctl("accept", "show", "203.0.113.60", check=False).returncode, 1)
        self.assertEqual(self.json("decisions", "203.0.113.60"), [])
        self.good("block", "203.0.113.60", "--for", "4h")  # it is no longer acceptable
        with sqlite3.connect(f"file:{self.monitor.weir.folder / 'spam.db'}?mode=ro",
                             uri=True) as database:
            lines = database.execute("SELECT who, detail FROM audit WHERE what = 'unaccept'")
            self.assertEqual({(who, said.partition(" accepted ")[0]) for who, said in lines},
                             {(f"uid {os.geteuid()}", f"{one}; was {one}")
                              for one in ("203.0.113.60", "203.0.113.0/26")})

    def change(self, sql):
        with sqlite3.connect(self.monitor.weir.folder / "spam.db", timeout=10) as database:
            database.execute(sql)
        database.close()

    def test_what_cannot_be_noted_in_the_audit_is_not_done(self):
        self.good("threshold", "set", "stays", "--prefix", "192.0.2.0/25", "--messages", "1/s:3")
        self.change("CREATE TRIGGER no_audit BEFORE INSERT ON audit BEGIN "
                    "SELECT raise(abort, 'the audit is closed'); END")
        try:
            for words in (["server", "add", "mx8"], ["server", "revoke", "mx1"],
                          ["threshold", "remove", "stays"], ["unblock", "203.0.113.201"],
                          ["block", "203.0.113.201", "--for", "4h"],
                          ["threshold", "set", "comes", "--prefix", "192.0.2.128/25",
                           "--messages", "1/s:3"]):
                with self.subTest(" ".join(words)):
                    self.refused(74, "the audit is closed", *words)
        finally:
            self.change("DROP TRIGGER no_audit")
        self.assertNotIn("mx8", [row["name"] for row in self.json("server", "list")])
        self.assertEqual(self.monitor.server("mx1")["state"], "seen")
        names = [row["name"] for row in self.json("threshold", "show")]
        self.assertIn("stays", names)
        self.assertNotIn("comes", names)
        self.assertEqual(self.json("decisions", "203.0.113.201"), [])

    def test_a_wider_block_is_told_when_it_stays(self):
        self.good("block", "203.0.114.0/24", "--for", "4h")
        done = self.refused(1, r"203\.0\.114\.0/24, which holds it", "unblock", "203.0.114.5")
        self.assertIn("0 decisions", done.stdout)
        self.good("block", "203.0.114.9", "--for", "4h")
        self.assertEqual(self.json("unblock", "203.0.114.0/24")["undone"], 2)

    def test_one_address_of_a_64_is_unblocked_with_its_64(self):
        self.monitor.spool("mx1", [traffic(time.time(), "2001:db8:64::1", connections=500)])
        rig.wait_for(lambda: self.json("decisions", "2001:db8:64::/64"), 10, "a block of the /64")
        self.assertIn("2001:db8:64::/64: 1 decision taken back, and its buckets are full again",
                      self.good("unblock", "2001:db8:64::1"))
        self.assertEqual(self.json("events", "--open", "2001:db8:64::/64"), [])

    def test_mistakes_are_refused(self):
        self.refused(DATA, r"wider than /8 \(IPv6: /16\)\n", "block", "202.0.0.0/7", "--for", "4h")
        for prefix in ("0.0.0.0/0", "::/0", "202.0.0.0/7", "2002::/15"):
            self.refused(DATA, "wider", "block", prefix, "--for", "4h")
            self.refused(DATA, "wider", "unblock", prefix, "--accept")
            # Whoever speaks to the socket without weirctl is refused as well.
            for question in ({"do": "block", "list": "blacklist", "ends": 4000000000},
                             {"do": "block", "list": "accept"},
                             {"do": "block", "list": "score", "ends": 4000000000, "points": 1},
                             {"do": "undo", "accept": True}):
                status, answer = self.monitor.ask({**question, "prefix": prefix})
                self.assertEqual((status, answer),
                                 (400, {"error": "prefix is wider than /8 (IPv6: /16)"}))
        for wrong in ({"ends": 2**62}, {"ends": -1}, {"ends": 4000000000, "points": 1e6}):
            status, _ = self.monitor.ask({"do": "block", "list": "score", "prefix": "192.0.2.9",
                                          **wrong})
            self.assertEqual(status, 400)
        self.good("block", "11.0.0.0/8", "--for", "4h")
        self.assertEqual(self.json("unblock", "8.0.0.0/5")["undone"], 1)
        self.refused(DATA, "private", "block", "10.1.2.3", "--for", "4h")

    def test_a_server_that_is_away_is_named(self):
        self.good("server", "add", "away")
        text = self.good("block", "203.0.113.40", "--for", "4h")
        self.assertRegex(text, r"in force on: mx1\nonly .*: mx1\nnot yet.*: away\n")
        self.good("server", "revoke", "away")
        self.assertNotIn("away", self.good("unblock", "203.0.113.40"))


class Overruled(Case):
    def test_a_server_whose_own_lists_decide_otherwise_is_named_with_the_reason(self):
        for name, sections in (("mx2", {"weir": {"never": "203.0.113.0/28"}}), ("mx3", {})):
            weir = self.monitor.add_server(name, **sections)
            if name == "mx3":
                weir.ctl("accept", "add", "203.0.113.5", "--forever")
                weir.ctl("blacklist", "add", "203.0.113.6", "--for", "1h")
        text = self.good("block", "203.0.113.5", "--for", "4h")
        self.assertIn("in force on: mx1\nnot on mx2: its never-list forbids it\n"
                      "not on mx3: its acceptable list comes first\n", text)
        who = self.json("block", "203.0.113.6", "--for", "4h")["servers"]
        self.assertEqual(who, {"have": ["mx1"], "lack": [], "not": [
            {"server": "mx2", "why": "its never-list forbids it"},
            {"server": "mx3", "why": "an entry of its own stands there"}],
            "observe": ["mx1"]})
        who = self.json("block", "203.0.113.77", "--for", "4h")["servers"]
        self.assertEqual(who, {"have": ["mx1", "mx2", "mx3"], "lack": [], "not": [],
                               "observe": ["mx1", "mx2", "mx3"]})
        # What was said before is known still.
        who = self.json("block", "203.0.113.5", "--for", "5h")["servers"]
        self.assertEqual([one["server"] for one in who["not"]], ["mx2", "mx3"])
        self.assertEqual(len(self.monitor.server("mx2")["health"]["overruled"]), 2)
        self.good("unblock", "203.0.113.6")
        rig.wait_for(lambda: self.monitor.server("mx2")["health"]["overruled"] ==
                     ["blacklist 203.0.113.5 never"], 10, "a report without it")


class Traffic(Case):
    def test_top_and_events_show_who_does_most(self):
        now = time.time()
        self.monitor.spool("mx1", [
            *(traffic(now, SPAMMER, connections=20, messages=2, accepted=1, recipients=40)
              for _ in range(10)),
            traffic(now, SMALL, connections=3, syns=500, messages=9, accepted=9, recipients=9)])
        rig.wait_for(lambda: SPAMMER in self.monitor.top() and
                     "refused" in self.monitor.top()[SPAMMER]["standing"], 15, "the block")
        row = self.monitor.top()[SPAMMER]
        self.assertEqual([row[name] for name in ("connections", "messages", "accepted",
                                                 "recipients")], [200, 20, 10, 400])
        self.assertEqual(row["standing"], ["over its limit", "refused"])
        self.assertEqual(list(self.monitor.top("--by", "syns")), [SMALL])
        self.assertEqual(len(self.monitor.top("--by", "messages", "--most", "1")), 1)
        text = self.good("top", "--since", "1h")
        self.assertRegex(text, rf"(?m)^ADDRESS .*\n{re.escape(SPAMMER)} +200 .* refused\n"
                               rf"{re.escape(SMALL)} +3 ")

        event = self.json("events", SPAMMER)[0]
        self.assertEqual((event["prefix"], event["quantity"], event["observed"], event["cleared"]),
                         (SPAMMER, "connections", False, None))
        self.assertEqual(len(self.json("events", "--open")), 1)
        self.assertEqual(self.json("events", SMALL), [])
        self.assertEqual(len(self.json("events", "203.0.113.0/24")), 1)
        self.assertRegex(self.good("events"), rf" stands +threshold {re.escape(SPAMMER)} +.*conn")

    def test_top_is_drawn_again_until_ctrl_c(self):
        child, terminal = pty.fork()
        if child == 0:
            os.execv(rig.BUILD / "weirctl", ["weirctl", "-c", str(self.monitor.weir.conf), "top",
                                             "--watch"])
        seen, until = b"", time.monotonic() + 20
        while seen.count(b"ADDRESS") < 2 and time.monotonic() < until:
            if select.select([terminal], [], [], 1)[0]:
                seen += os.read(terminal, 65536)
        self.assertEqual(seen.count(b"\x1b[H"), 2)
        os.write(terminal, b"\x03")
        _, status = os.waitpid(child, 0)
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0)


class Thresholds(Case):
    def test_what_is_not_said_keeps_its_value(self):
        self.assertEqual(self.json("threshold", "show")[0]["source"], "configuration")
        self.assertIn("as configured", self.good("threshold", "show", "default"))
        row = self.json("threshold", "set", "partners", "--prefix", "192.0.2.0/24,2001:db8::/32",
                        "--messages", "30/min:5000", "--recipients", "none", "--observe")
        self.assertEqual(row["prefixes"], "192.0.2.0/24 2001:db8::/32")
        self.assertEqual(row["connections"]["text"], "1/s:50")
        self.assertEqual(row["messages"], {"rate": 0.5, "most": 5000, "text": "30/min:5000"})
        self.assertEqual((row["recipients"]["text"], row["observe"]), ("none", True))
        self.good("threshold", "set", "partners", "--enforce", "--ladder", "defer 15m, reject 1h")
        row = self.json("threshold", "show", "partners")[0]
        self.assertEqual((row["observe"], row["ladder"], row["messages"]["most"]),
                         (False, "defer 15m, reject 1h", 5000))
        text = self.good("threshold", "set", "default", "--connections", "2/s:70")
        self.assertIn("connections 2/s:70", text)
        self.assertEqual([(row["name"], row["source"]) for row in self.json("threshold", "show")],
                         [("default", "database"), ("partners", "database")])
        self.assertEqual(self.json("threshold", "show", "default")[0]["connections"]["most"], 70)

        self.assertIn("configuration", self.good("threshold", "remove", "default"))
        self.good("threshold", "remove", "partners")
        self.refused(1, "no such threshold", "threshold", "remove", "partners")
        self.refused(1, "no threshold partners", "threshold", "show", "partners")
        self.assertEqual([row["name"] for row in self.json("threshold", "show")], ["default"])

    def test_the_monitor_too_takes_only_plain_names(self):
        question = {"do": "threshold set", "prefixes": "192.0.2.77", "rate": [1, 1, 1],
                    "maximum": [9, 9, 9], "ladder": "alert 1h"}
        for name in ("", "two words", "a:b", "x" * 32, "p\u00e4rtner", "a\nb"):
            status, answer = self.monitor.ask({**question, "name": name})
            self.assertEqual(status, 400)
            self.assertIn("1..31 octets", answer["error"])
        for name in ("x" * 31, "A-b_c.9"):
            self.good("threshold", "set", name, "--prefix", "192.0.2.77")
            self.good("threshold", "remove", name)

    def test_a_prefix_has_one_threshold(self):
        self.good("threshold", "set", "first", "--prefix", "192.0.2.0/24")
        for prefixes in ("192.0.2.0/24", "198.51.100.0/24,192.0.2.0/24"):
            self.refused(DATA, "one of its prefixes", "threshold", "set", "second", "--prefix",
                         prefixes)
        self.good("threshold", "set", "first", "--prefix", "192.0.2.0/24,192.0.2.0/25")
        self.assertEqual([row["name"] for row in self.json("threshold", "show")],
                         ["first", "default"])
        self.good("threshold", "remove", "first")

    def test_a_limit_is_tried_on_what_was_recorded(self):
        hour = (int(time.time()) // 3600 - 5) * 3600
        lines = []
        for minute in range(10):
            at = hour + 60 * minute
            lines += [traffic(at + 1, SPAMMER, connections=90, messages=20, accepted=1),
                      traffic(at + 2, PARTNER, connections=90, messages=90, accepted=90),
                      traffic(at + 3, SMALL, connections=45)]
        self.monitor.spool("mx1", lines, "sniffer-2-2")
        rig.wait_for(lambda: sum(row["connections"] for row in self.monitor.top(
            "--since", "1d").values()) >= 2250, 15, "the minutes")

        def caught(*words):
            answer = self.json("threshold", "test", "--since", "1d", *words)
            return answer, {row["prefix"]: row for row in answer["caught"]}

        # 90 a minute against 60 a minute and 100 at once: the deficit grows by 30 a minute
        answer, rows = caught("--connections", "1/s:100")
        self.assertEqual(set(rows), {SPAMMER, PARTNER})
        self.assertTrue(rows[SPAMMER]["certain"])
        self.assertEqual((rows[SPAMMER]["connections"], rows[SPAMMER]["messages"]), (900, 200))
        self.assertEqual((rows[SPAMMER]["good"], rows[PARTNER]["good"]), (False, True))
        self.assertEqual((answer["certain"], answer["perhaps"], answer["good"]), (2, 0, 1))
        first = time.strptime(rows[SPAMMER]["first"], "%Y-%m-%dT%H:%M:%SZ")
        self.assertEqual(time.strftime("%M", first), "01")  # once: 90, 30 + 90 > 100

        # 45 a minute never are more than 40 at once, unless they come together
        answer, rows = caught("--connections", "1/s:40")
        self.assertEqual((rows[SMALL]["certain"], rows[SMALL]["times_certain"]), (False, 0))
        self.assertGreater(rows[SMALL]["times_at_once"], 0)
        self.assertEqual((answer["certain"], answer["perhaps"]), (2, 1))

        self.assertEqual(caught("--connections", "10/s:1000")[1], {})
        _, rows = caught("partners", "--prefix", "198.51.100.0/24", "--connections", "1/s:100")
        self.assertEqual(set(rows), {PARTNER})
        self.monitor.weir.ctl("accept", "add", PARTNER)
        answer, rows = caught("--connections", "1/s:100")
        self.assertEqual((answer["certain"], answer["spared"]), (1, 1))
        self.assertTrue(rows[PARTNER]["acceptable"])

        text = self.good("threshold", "test", "--since", "1d", "--connections", "1/s:40")
        self.assertRegex(text, rf"(?m)^{re.escape(SPAMMER)} +certain .* connections$")
        self.assertRegex(text, rf"(?m)^{re.escape(PARTNER)} .*acceptable, so it is spared$")
        self.assertRegex(text, rf"(?m)^{re.escape(SMALL)} +perhaps +0 ")
        self.assertRegex(text, "caught for certain: 1; perhaps: 1;")
        self.assertIn("1 more", self.good("threshold", "test", "--since", "1d", "--connections",
                                          "1/s:40", "--most", "2"))
        self.assertEqual(self.json("threshold", "show")[0]["connections"]["most"], 50)


if __name__ == "__main__":
    harness.main()

"""Real Postfix, real weir-milter: what becomes of whole messages."""
import email
import json
import pathlib
import re
import signal
import sys
import threading
import time
import unittest
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import milter
import postfix
import rig
import smtp

LISTED, CLEAN = "203.0.113.7", "198.51.100.20"


def mail(body="Hello.", subject="a test", head="", sender="ann@client.example"):
    """A message and its mark."""
    mark = uuid.uuid4().hex
    return (f"{head}From: <{sender}>\nTo: <u@test.example>\nSubject: {subject}\n"
            f"Date: Sat, 21 Nov 2026 18:13:00 +0000\nMessage-Id: <{mark}@client.example>\n"
            f"X-Mark: {mark}\n\n{body}\n").encode(), mark


class Server(unittest.TestCase):
    options = {}

    @classmethod
    def setUpClass(cls):
        rig.needs_root()
        cls.server = milter.MailServer(**cls.options)
        cls.addClassCleanup(cls.server.close)
        cls.weir = cls.server.weir

    def tearDown(self):
        self.assertTrue(self.server.milter.process.alive(), self.server.milter.log()[-2000:])

    def deliver(self, content, mark, **arguments):
        """Sends what must be taken, and gives it as it was delivered."""
        outcome = self.server.send(content, **arguments)
        self.assertTrue(outcome.accepted, outcome)
        return email.message_from_bytes(self.server.delivered(mark))

    def decoded(self, delivered):
        done = self.weir.ctl("info", "decode", delivered["X-Weir-Info"].replace("\n", ""), "--json")
        return json.loads(done)


class Observed(Server):
    options = {"mode": "observe"}

    def test_A3_spam_is_tagged_and_delivered_and_ham_reaches_the_client(self):
        good = self.deliver(*mail("See you at lunch."))
        self.assertIsNone(good["X-Spam-Flag"])
        self.assertTrue(good["X-Spam-Status"].startswith("No, "), good["X-Spam-Status"])
        spam = self.deliver(*mail(milter.GTUBE))
        self.assertEqual(spam["X-Spam-Flag"], "YES")
        self.assertTrue(spam["X-Spam-Status"].startswith("Yes, score=100."), spam["X-Spam-Status"])

    def test_B14_B21_a_delivered_mail_bears_one_valid_string_that_lists_what_hit(self):
        content, mark = mail("A cheap loan.", subject="You have won")
        delivered = self.deliver(content, mark)
        self.assertEqual(len(delivered.get_all("X-Weir-Info")), 1)
        raw = self.server.delivered(mark)
        lines = re.search(rb"X-Weir-Info:.*\n(?:[ \t].*\n)*", raw).group().split(b"\n")
        self.assertTrue(all(len(line) <= 78 for line in lines), lines)
        fields = self.decoded(delivered)
        self.assertEqual(fields["state"], "valid")
        self.assertEqual({rule["name"] for rule in fields["rules"]},
                         {"CHEAP_LOAN", "SUBJECT_WIN", "REPUTATION"})
        self.assertAlmostEqual(sum(rule["points"] for rule in fields["rules"]), fields["score"])
        path = self.server.folder / "delivered.eml"
        path.write_bytes(raw)
        self.assertTrue(json.loads(self.weir.ctl("info", "decode", path, "--json"))["bound"])

    def test_our_fields_from_outside_are_removed(self):
        head = ("X-Spam-Flag: NO\nX-Weir-Info: v1; AAAA\nx-spam-STATUS: No,\n score=-99\n"
                "X-Spam-Level : forged\nX-Spam-Score\t: -99\nX-Weir-Info: v1; BBBB\n"
                "X-Spam-Level:\n forged\n--X-Spam-Flag: odd\n")
        delivered = self.deliver(*mail("Hello", head=head))
        self.assertEqual(len(delivered.get_all("X-Weir-Info")), 1)
        self.assertEqual(len(delivered.get_all("X-Spam-Status")), 1)
        self.assertNotIn("-99", delivered["X-Spam-Status"])
        for name in ("X-Spam-Flag", "X-Spam-Level", "X-Spam-Score"):
            self.assertIsNone(delivered[name], name)
        self.assertEqual(self.decoded(delivered)["state"], "valid")

    def test_our_fields_behind_more_than_are_looked_at_are_removed(self):
        head = "X-Filler: x\n" * 2100 + "X-Spam-Flag: NO\nX-Weir-Info: v1; AAAA\n"
        delivered = self.deliver(*mail("Hello", head=head))
        self.assertIsNone(delivered["X-Spam-Flag"])
        self.assertEqual(len(delivered.get_all("X-Weir-Info")), 1)
        self.assertEqual(len(delivered.get_all("X-Filler")), 2100)

    def test_a_flood_of_our_fields_stops_no_mail(self):
        delivered = self.deliver(*mail("Hello.", head="X-Spam-Status: No, score=-99\n" * 20000))
        self.assertNotIn("-99", delivered["X-Spam-Status"])

    def test_B15_each_decision_leaves_a_line_in_the_spool(self):
        content, mark = mail("A cheap loan.")
        delivered = self.deliver(content, mark)
        string = "".join(delivered["X-Weir-Info"].split())
        spool = self.weir.folder / "spool"
        lines = [line for path in spool.iterdir() for line in path.read_text().split("\n")]
        self.assertEqual(sum(f"info={string}" in line for line in lines), 1)

    def test_a_large_message_is_taken(self):
        content, mark = mail("\n".join(["x" * 70] * 80000))
        self.assertIsNotNone(self.deliver(content, mark)["X-Weir-Info"])

    def test_two_messages_of_one_session_are_judged_apart(self):
        with smtp.Session(self.server.postfix.port) as session:
            session.play(CLEAN)
            one, one_mark = mail(milter.GTUBE)
            two, two_mark = mail("Hello.")
            for content in (one, two):
                outcome = session.mail("ann@client.example", ["u@test.example"], content)
                self.assertTrue(outcome.accepted, outcome)
        spam = email.message_from_bytes(self.server.delivered(one_mark))
        good = email.message_from_bytes(self.server.delivered(two_mark))
        self.assertEqual((spam["X-Spam-Flag"], good["X-Spam-Flag"]), ("YES", None))

    def test_A5_a_new_rule_acts_without_a_restart(self):
        content, mark = mail("a green parrot")
        self.assertIsNone(self.deliver(content, mark)["X-Spam-Flag"])
        milter.write_rules(self.weir, "body PARROT /green parrot/\nscore PARROT 7\n", "20.rules")
        time.sleep(1.1)
        content, mark = mail("a green parrot")
        self.assertEqual(self.deliver(content, mark)["X-Spam-Flag"], "YES")
        (self.weir.folder / "rules/20.rules").unlink()
        self.server.milter.process.send(signal.SIGHUP)
        rig.wait_for(lambda: "reloaded" in self.server.milter.log(), 10, "the reload")
        content, mark = mail("a green parrot")
        self.assertIsNone(self.deliver(content, mark)["X-Spam-Flag"])

    def test_a_wrong_rule_is_refused_with_file_and_line_and_changes_nothing(self):
        bad = self.weir.folder / "rules/30.rules"
        bad.write_text("body FINE /fine/\nbody BROKEN /(/\n")
        done = self.weir.ctl("rules", "load", check=False)
        self.assertEqual(done.returncode, 65)
        self.assertIn("30.rules:2: ", done.stderr)
        bad.unlink()
        content, mark = mail(milter.GTUBE)
        self.assertEqual(self.deliver(content, mark)["X-Spam-Flag"], "YES")


class Enforced(Server):
    options = {"mode": "enforce", "message": {"on_spam": "quarantine"}}

    def test_A3_a_message_beyond_the_limit_is_refused_with_a_reason_and_a_reference(self):
        outcome = self.server.send(mail(milter.GTUBE)[0])
        self.assertEqual((outcome.stage, outcome.reply.code), ("END", 550))
        self.assertRegex(outcome.reply.text, r"^5\.7\.1 Refused: .* \(ref [2-9a-z]{13}\)")

    def test_spam_is_held(self):
        content, _ = mail("A cheap loan.")
        self.assertTrue(self.server.send(content).accepted)
        hold = self.server.folder / "postfix/spool/hold"
        rig.wait_for(lambda: any(hold.iterdir()), 10, "a message in the hold queue")

    def test_A2_C36_a_listed_address_is_refused(self):
        self.weir.ctl("blacklist", "add", LISTED, "--reason", "it spams")
        outcome = self.server.send(mail("Hello.")[0], client=LISTED)
        self.assertEqual(outcome.reply.code, 550)
        self.assertIn("is listed until", outcome.reply.text)
        self.assertIn("it spams", outcome.reply.text)
        self.weir.ctl("blacklist", "remove", LISTED)
        self.assertTrue(self.server.send(mail("Hello.")[0], client=LISTED).accepted)

    def test_C1_C36_one_domain_from_a_good_and_a_bad_address(self):
        self.weir.learn("good", CLEAN, "shop.example", 20)
        self.weir.learn("spam", LISTED, "shop.example", 20)
        content, mark = mail("Hello.", sender="a@shop.example")
        self.deliver(content, mark, sender="a@shop.example")
        content, mark = mail("Hello.", sender="a@shop.example")
        self.server.send(content, client=LISTED, sender="a@shop.example")
        last = self.server.milter.decisions()[-1]
        self.assertEqual((last["verdict"], last["intended" if "intended" in last else "action"]),
                         ("spam", "quarantine"))

    def test_bounces_are_never_refused(self):
        content, mark = mail(milter.GTUBE)
        delivered = self.deliver(content, mark, sender="")
        self.assertEqual(delivered["X-Spam-Flag"], "YES")


class BesidePolicyd(unittest.TestCase):
    """What weir-policyd put on top of a message stays, and what others wrote there goes."""

    FORGED = "X-Weir-Policy: verdict=ham forged\n"

    def start(self, **policyd):
        rig.needs_root()
        started = []

        def beside(weir):
            milter.write_rules(weir)
            started.append(milter.Milter(weir))
            return milter.wiring(started[0].path)

        server = postfix.MailServer(mode="observe", beside=beside, policyd=policyd)
        self.addCleanup(server.policyd.process.end)
        self.addCleanup(started[0].process.end)
        self.addCleanup(server.postfix.stop)
        return server

    def policy_fields(self, server, head):
        content, mark = mail("Hello.", head=head)
        self.assertTrue(smtp.send(server.postfix.port, CLEAN, content=content).accepted)

        def find():
            return [each for each in server.postfix.mails() if mark in smtp.marks([each])]
        raw = rig.wait_for(find, 20, "the mail to be delivered")[0]
        return email.message_from_bytes(raw).get_all("X-Weir-Policy") or []

    def test_only_the_field_of_our_policy_daemon_stays(self):
        server = self.start(prepend="always")
        for head in ("", self.FORGED, self.FORGED * 3, "X-Other: x\n" + self.FORGED):
            fields = self.policy_fields(server, head)
            self.assertEqual(len(fields), 1, (head, fields))
            self.assertNotIn("forged", fields[0])

    def test_where_the_daemon_puts_none_none_stays(self):
        server = self.start(prepend="never")
        for head in (self.FORGED, self.FORGED * 3):
            self.assertEqual(self.policy_fields(server, head), [])


class Spoken(unittest.TestCase):
    """The milter protocol spoken by hand."""

    def setUp(self):
        self.weir = rig.Weir(rig.scratch())
        self.weir.configure(weir={"mode": "observe"}, policyd={"prepend": "never"})
        self.weir.make_lists()
        milter.write_rules(self.weir)
        self.milter = milter.Milter(self.weir)
        self.addCleanup(self.milter.process.end)

    def test_exactly_the_fields_that_were_handed_over_are_removed(self):
        with milter.Client(self.milter.path) as client:
            self.assertEqual(client.removed([(b"Subject", b" a")]), [])
            self.assertEqual(
                client.removed([(b"x-spam-flag ", b" NO"), (b"X-Spam-Flags", b" NO"),
                                (b"X-SPAM-FLAG", b" NO"), (b"X-Weir-Policy", b" forged")]),
                [(b"X-Spam-Flag", 2), (b"X-Spam-Flag", 1), (b"X-Weir-Policy", 1)])
            for count in (299, 300, 301, 5000):
                many = [(b"X-Filler", b"")] * 3000 + [(b"X-Weir-Info", b" v1; A")] * count
                self.assertEqual(client.removed(many),
                                 [(b"X-Weir-Info", n) for n in range(min(count, 300), 0, -1)])

    def test_a_mail_server_that_does_not_listen_holds_up_no_reload_and_no_other_mail(self):
        deaf = milter.Client(self.milter.path)
        self.addCleanup(deaf.link.close)
        # so many removals that the socket between the two is full before they are all said:
        # Linux counts each with what it costs itself, and takes fewer than 300
        names = (b"X-Spam-Status", b"X-Spam-Flag", b"X-Weir-Info", b"X-Weir-Policy")
        deaf.hand_over([(name, b"") for name in names] * 300)
        rig.wait_for(lambda: self.milter.decisions(), 10, "the decision")
        for count in (1, 2):
            self.milter.process.send(signal.SIGHUP)
            rig.wait_for(lambda n=count: self.milter.log().count(": reloaded") == n, 5,
                         "a reload while an outcome is being carried out")
            with milter.Client(self.milter.path) as client:
                self.assertEqual(client.removed([(b"X-Spam-Flag", b" NO")]),
                                 [(b"X-Spam-Flag", 1)])
        words = deaf.outcome()
        self.assertEqual(sum(command == b"m" for command, _ in words), 1200)
        self.assertEqual(words[-1][0], b"a")

    def test_reloads_under_load_stop_neither_mail_nor_reloads(self):
        done, wrong = threading.Event(), []

        def work():
            with milter.Client(self.milter.path) as client:
                while not done.is_set():
                    client.hand_over([(b"Subject", b" a")])
                    if client.outcome()[-1][0] != b"a":
                        wrong.append("not accepted")

        workers = [threading.Thread(target=work) for _ in range(6)]
        for worker in workers:
            worker.start()
        try:
            for count in range(1, 6):
                self.milter.process.send(signal.SIGHUP)
                rig.wait_for(lambda n=count: self.milter.log().count(": reloaded") == n, 5,
                             "a reload under load")
        finally:
            done.set()
            for worker in workers:
                worker.join()
        self.assertEqual(wrong, [])
        self.assertNotIn("unjudged", self.milter.log())
        self.assertEqual(self.milter.stop(), 0)

    def answers(self):
        with milter.Client(self.milter.path) as client:
            client.hand_over([(b"Subject", b" a")])
            return client.outcome()[-1][0]

    def takers(self, number):
        """The threads that the kernel may give a signal to."""
        pid = self.milter.process.popen.pid
        states = {int(task.name): (task / "status").read_text()
                  for task in pathlib.Path(f"/proc/{pid}/task").iterdir()}
        blocked = {thread: int(re.search(r"SigBlk:\s*(\S+)", state)[1], 16)
                   for thread, state in states.items()}
        return [thread - pid for thread, mask in blocked.items() if not mask >> number - 1 & 1]

    def test_signals_on_the_heels_of_signals_reload_and_only_term_and_int_stop(self):
        for _ in range(20):
            for _ in range(50):
                self.milter.process.send(signal.SIGHUP)
            self.assertEqual(self.answers(), b"a")
        # which thread gets the second of two signals is luck; that no other can get one is not
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            self.assertEqual(self.takers(number), [0], f"threads that may take {number!r}")
        self.assertNotIn("stopping", self.milter.log())
        for count, number in enumerate((signal.SIGTERM, signal.SIGTERM, signal.SIGINT), 1):
            for _ in range(10 if count > 1 else 0):
                self.milter.process.send(signal.SIGHUP)
            self.assertEqual(self.milter.process.stop(number), 0)
            self.assertEqual(self.milter.log().count("stopping"), count)
            self.milter.start()


class Faults(unittest.TestCase):
    """Whatever breaks, mail flows as configured."""

    def setUp(self):
        rig.needs_root()

    def start(self, **options):
        server = milter.MailServer(**options)
        self.addCleanup(server.postfix.stop)
        self.addCleanup(server.milter.process.end)
        return server

    def test_a_dead_milter_lets_mail_through_or_defers_it_as_postfix_is_told(self):
        server = self.start()
        server.milter.process.stop(signal.SIGKILL)
        self.assertTrue(server.send(mail("Hello.")[0]).accepted)
        server = self.start(action="tempfail")
        server.milter.process.stop(signal.SIGKILL)
        self.assertEqual(server.send(mail("Hello.")[0]).reply.code, 451)

    def test_a_stale_socket_does_not_keep_it_from_starting(self):
        server = self.start()
        server.milter.process.stop(signal.SIGKILL)
        self.assertTrue(server.milter.path.exists())
        server.milter.start()
        content, mark = mail("Hello.")
        self.assertTrue(server.send(content).accepted)
        self.assertIn(b"X-Weir-Info", server.delivered(mark))

    def test_a_damaged_rule_set_costs_the_rules_and_no_mail(self):
        server = self.start()
        image = server.weir.folder / "rules.image"
        octets = bytearray(image.read_bytes())
        octets[len(octets) // 2] ^= 0xff
        new = server.weir.folder / "rules.new"
        new.write_bytes(octets)
        new.rename(image)
        time.sleep(1.2)
        content, mark = mail(milter.GTUBE)
        self.assertTrue(server.send(content).accepted)
        self.assertIn(b"X-Spam-Flag: YES", server.delivered(mark), "the old set is kept")
        server.milter.stop()
        server.milter.start()
        content, mark = mail(milter.GTUBE)
        self.assertTrue(server.send(content).accepted)
        self.assertIn(b"X-Spam-Flag: YES", server.delivered(mark), "made anew of the rule files")

    def test_a_reload_of_a_broken_configuration_keeps_the_old_one(self):
        server = self.start()
        server.weir.conf.write_text("[weir]\nmood = enforce\n")
        server.milter.process.send(signal.SIGHUP)
        rig.wait_for(lambda: "not reloaded" in server.milter.log(), 10, "a word about it")
        content, mark = mail(milter.GTUBE)
        self.assertTrue(server.send(content).accepted)
        self.assertIn(b"X-Spam-Flag: YES", server.delivered(mark))

    def test_it_stops_on_sigterm_with_status_0(self):
        server = self.start()
        self.assertTrue(server.send(mail("Hello.")[0]).accepted)
        self.assertEqual(server.milter.stop(), 0)
        self.assertFalse(server.milter.path.exists())


if __name__ == "__main__":
    harness.main()

"""Real Postfix, real weir-policyd, real weirctl: what becomes of mail."""
import base64
import pathlib
import re
import signal
import socket
import socketserver
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import postfix
import rig
import smtp

LISTED, CLEAN = "203.0.113.7", "198.51.100.20"
REFERENCE = re.compile(r"\(ref ([0-9a-z]+)\)")
HEADER = "X-Weir-Policy"


class Server(unittest.TestCase):
    """Tests that share a mail server; each starts from lists and mailboxes as it finds them."""

    options = {}

    @classmethod
    def setUpClass(cls):
        rig.needs_root()
        cls.server = postfix.MailServer(**cls.options)
        cls.addClassCleanup(cls.server.close)
        cls.weir, cls.policyd, cls.postfix = (cls.server.weir, cls.server.policyd,
                                              cls.server.postfix)

    def tearDown(self):
        log = self.postfix.maillog()
        self.assertNotIn("Server configuration", log)
        self.assertTrue(self.policyd.process.alive(), self.policyd.log()[-2000:])

    def send(self, client=CLEAN, **arguments):
        return smtp.send(self.postfix.port, client, **arguments)

    def delivered(self, mark):
        """The mail with this mark, once it is in the mailbox."""
        def find():
            return [mail for mail in self.postfix.mails() if mark in smtp.marks([mail])]
        return rig.wait_for(find, 20, f"mail {mark} to be delivered")

    def pass_marked(self, client, **arguments):
        """Sends a mail that must pass; gives it as delivered."""
        mark = f"mark-{time.monotonic_ns()}"
        content = smtp.message(mark=mark, sender=arguments.get("sender", "ann@client.example"))
        outcome = self.send(client, content=content, **arguments)
        self.assertTrue(outcome.accepted, outcome)
        return self.delivered(mark)[0]

    def assert_refused(self, outcome, stage="RCPT"):
        self.assertEqual((outcome.stage, outcome.reply.code), (stage, 550), outcome)
        self.assertTrue(outcome.reply.text.startswith("5.7.1 "), outcome)
        reference = REFERENCE.search(outcome.reply.text)
        self.assertTrue(reference, outcome)
        return reference.group(1)


class Enforce(Server):
    options = {"mode": "enforce"}

    def test_A2_listed_address_is_refused_at_the_first_recipient_and_others_pass(self):
        self.weir.ctl("blacklist", "add", LISTED, "--for", "1h", "--reason", "sends viruses")
        reference = self.assert_refused(self.send(LISTED))
        decision = self.server.decision(id=reference)
        self.assertEqual((decision["client"], decision["verdict"], decision["action"]),
                         (LISTED, "blocked", "reject"))
        self.assertIn("sends viruses", self.send(LISTED).reply.text)
        self.assertEqual(smtp.header(self.pass_marked(CLEAN), HEADER), [])

    def test_A30_list_changes_act_at_once_without_restarting_anything(self):
        address = "203.0.113.30"
        self.assertTrue(self.send(address).accepted)
        self.weir.ctl("blacklist", "add", address, "--for", "1h", "--reason", "test")
        self.assert_refused(self.send(address))
        self.weir.ctl("blacklist", "remove", address)
        self.assertTrue(self.send(address).accepted)
        self.weir.ctl("blacklist", "add", "203.0.113.0/27", "--for", "1h", "--reason", "net")
        self.assert_refused(self.send(address))
        self.weir.ctl("accept", "add", address, "--for", "1h", "--reason", "a friend")
        self.assertTrue(self.send(address).accepted)
        self.weir.ctl("accept", "remove", address)
        self.weir.ctl("blacklist", "remove", "203.0.113.0/27")

    def test_A30_list_change_acts_within_an_open_session(self):
        address = "203.0.113.31"
        with smtp.Session(self.postfix.port) as session:
            session.play(address)
            first = session.mail("ann@client.example", ["u@test.example"], smtp.message())
            self.weir.ctl("blacklist", "add", address, "--for", "1h", "--reason", "test")
            second = session.mail("ann@client.example", ["u@test.example"], smtp.message())
        self.assertTrue(first.accepted, first)
        self.assert_refused(second)

    def test_bounces_postmaster_and_abuse_pass_even_from_a_listed_address(self):
        address = "203.0.113.40"
        self.weir.ctl("blacklist", "add", address, "--for", "1h", "--reason", "test")
        self.assertTrue(self.send(address, sender="").accepted)
        for recipient in ("postmaster@test.example", "Abuse@test.example"):
            self.assertTrue(self.send(address, recipients=[recipient]).accepted, recipient)
        mixed = self.send(address, recipients=["u@test.example", "abuse@test.example"])
        self.assertTrue(mixed.accepted, mixed)
        self.assertEqual(list(mixed.refused), ["u@test.example"])

    def test_C1_C36_same_domain_is_judged_by_the_address_it_comes_from(self):
        domain, good, bad = "shop1.example", "198.51.100.41", "203.0.113.41"
        self.weir.learn("good", good, domain, 20)
        self.weir.learn("spam", bad, domain, 20)
        sender = f"news@{domain}"
        self.assert_refused(self.send(bad, sender=sender))
        self.assertTrue(self.send(good, sender=sender).accepted)
        self.assertEqual(self.server.decision(client=good, domain=domain)["verdict"], "ham")

    def test_C17_spam_reports_on_a_pair_decide_about_its_next_mail(self):
        domain, address = "shop17.example", "203.0.114.17"
        sender = f"ann@{domain}"
        self.assertTrue(self.send(address, sender=sender).accepted)
        for _ in range(20):
            self.weir.learn("spam", address, domain)
        reference = self.assert_refused(self.send(address, sender=sender))
        decision = self.server.decision(id=reference)
        self.assertEqual((decision["verdict"], decision["ground"], decision["basis"]),
                         ("spam", "reputation", "pair"))

    def test_C16_acceptable_domain_passes_from_its_own_place_despite_the_score(self):
        domain, address = "partner16.example", "198.51.101.16"
        self.weir.ctl("accept", "add", domain, "--for", "1h", "--reason", "a partner")
        self.weir.learn("spam", address, "other16.example", 3)
        self.assertTrue(self.send(address, sender=f"bob@{domain}").accepted)
        decision = self.server.decision(client=address, domain=domain)
        self.assertEqual((decision["verdict"], decision["ground"]), ("ham", "whitelist"))
        self.assertGreater(float(decision["score"]), 0)

    def test_C2_C32_acceptable_domain_used_by_a_stranger_is_not_passed(self):
        domain, home, stranger = "bank2.example", "198.51.102.2", "203.0.115.2"
        self.weir.ctl("accept", "add", domain, "--for", "1h", "--reason", "our bank")
        self.weir.learn("good", home, domain, 200)
        self.weir.learn("spam", stranger, "other2.example", 10)
        self.weir.learn("spam", stranger, domain, 10)
        self.assertTrue(self.send(home, sender=f"bob@{domain}").accepted)
        self.assertEqual(self.server.decision(client=home, domain=domain)["ground"], "whitelist")
        reference = self.assert_refused(self.send(stranger, sender=f"bob@{domain}"))
        decision = self.server.decision(id=reference)
        self.assertNotEqual(decision["ground"], "whitelist")
        self.assertIn("FORGED_DOMAIN", decision["rules"])

    def test_C32_forged_domain_is_noted_and_alone_refuses_nothing(self):
        domain, home = "bank32.example", "198.51.103.32"
        stranger, own = "203.0.116.32", "203.0.116.33"
        self.weir.learn("good", home, domain, 200)
        self.weir.learn("spam", stranger, "other32.example", 2, by="computer")
        for address in (stranger, own):
            self.weir.learn("spam", address, "more32.example", 2, by="computer")
        outcome = self.send(stranger, sender=f"bob@{domain}")
        self.assertTrue(outcome.accepted, outcome)
        decision = self.server.decision(client=stranger, domain=domain)
        self.assertEqual((decision["verdict"], decision["association"]), ("unsure", "uncommon"))
        self.assertIn("FORGED_DOMAIN", decision["rules"])
        self.assertTrue(self.send(own, sender=f"bob@{domain}", name=f"mx.{domain}").accepted)
        decision = self.server.decision(client=own, domain=domain)
        self.assertEqual(decision["association"], "auth")
        self.assertNotIn("FORGED_DOMAIN", decision["rules"])

    def test_C30_unseen_domain_from_a_bad_address_scores_higher(self):
        address = "203.0.117.30"
        self.weir.learn("spam", address, "known30.example", 10)
        self.send(address, sender="ann@unseen30.example")
        bad = self.server.decision(client=address, domain="unseen30.example")
        self.send("198.51.104.30", sender="ann@unseen30.example")
        plain = self.server.decision(client="198.51.104.30", domain="unseen30.example")
        self.assertEqual(bad["basis"], "address")
        self.assertGreater(float(bad["score"]), float(plain["score"]) + 1)

    def test_C31_bad_domain_from_an_unseen_address_scores_higher(self):
        domain = "bad31.example"
        for last in range(1, 6):
            self.weir.learn("spam", f"203.0.{118 + last}.31", domain, 4)
        self.send("198.51.105.31", sender=f"ann@{domain}")
        bad = self.server.decision(client="198.51.105.31", domain=domain)
        self.send("198.51.105.31", sender="ann@unseen31.example")
        plain = self.server.decision(client="198.51.105.31", domain="unseen31.example")
        self.assertEqual(bad["basis"], "domain")
        self.assertGreater(float(bad["score"]), float(plain["score"]) + 1)

    def test_message_to_three_recipients_is_refused_to_each_with_one_reference(self):
        address = "203.0.125.1"
        self.weir.ctl("blacklist", "add", address, "--for", "1h", "--reason", "test")
        recipients = ["a@test.example", "b@test.example", "c@test.example"]
        outcome = self.send(address, recipients=recipients)
        self.assertEqual(list(outcome.refused), recipients)
        references = {REFERENCE.search(reply.text).group(1) for reply in outcome.refused.values()}
        self.assertEqual(len(references), 1, outcome)

    def test_sample_mails_arrive_as_they_were_sent(self):
        for path in sorted(rig.MAIL.glob("*.eml")):
            content = path.read_bytes() + f"\nmark-{path.stem}\n".encode()
            self.assertTrue(self.send(content=content).accepted, path)
            rig.wait_for(lambda: any(f"mark-{path.stem}".encode() in mail
                                     for mail in self.postfix.mails()), 20, path)
            got = [mail for mail in self.postfix.mails() if f"mark-{path.stem}".encode() in mail][0]
            body = re.split(rb"\r?\n\r?\n", content, maxsplit=1)[1].replace(b"\r", b"")
            self.assertEqual(got.split(b"\n\n", 1)[1], body)


class FirstEntry(Server):
    options = {"lists": False}

    def test_A30_first_entry_ever_acts_within_two_seconds(self):
        self.assertTrue(self.send(LISTED).accepted)
        self.weir.ctl("blacklist", "add", LISTED, "--for", "1h", "--reason", "test")
        rig.wait_for(lambda: not self.send(LISTED).accepted, 2, "the first entry to act")


class Observe(Server):
    options = {"mode": "observe"}

    def test_observe_never_refuses_and_says_what_it_would_do(self):
        self.weir.ctl("blacklist", "add", LISTED, "--for", "1h", "--reason", "test")
        self.weir.learn("spam", "203.0.113.9", "shop.example", 20)
        for client, sender, verdict in ((LISTED, "ann@client.example", "blocked"),
                                        ("203.0.113.9", "ann@shop.example", "spam")):
            mail = self.pass_marked(client, sender=sender)
            facts = rig.pairs(smtp.header(mail, HEADER)[0])
            self.assertEqual((facts["verdict"], facts["action"], facts["intended"]),
                             (verdict, "pass", "reject"))
            self.assertEqual(self.server.decision(id=facts["id"])["verdict"], verdict)

    def test_facts_stand_once_above_received_whatever_the_recipients(self):
        recipients = ["a@test.example", "b@test.example", "c@test.example"]
        mark = "facts-once"
        outcome = self.send("198.51.100.77", recipients=recipients,
                            content=smtp.message(mark=mark))
        self.assertTrue(outcome.accepted, outcome)
        rig.wait_for(lambda: smtp.marks(self.postfix.mails()).count(mark) == 3,
                     what="all three copies")
        for mail in self.postfix.mails():
            if mark in smtp.marks([mail]):
                self.assertEqual(len(smtp.header(mail, HEADER)), 1, mail)
                names = re.findall(r"(?m)^([\w-]+):", mail.decode().split("\n\n")[0])
                self.assertEqual(names.index("Received") - names.index(HEADER), 1, names)

    def test_sender_cannot_fill_the_header_with_lines_of_his_own(self):
        mail = self.pass_marked("198.51.100.78", sender='"a verdict=ham id=x"@client.example')
        self.assertEqual(len(smtp.header(mail, HEADER)), 1)
        self.assertEqual(smtp.header(mail, HEADER)[0].count("verdict="), 1)


class FirstStage(Server):
    options = {"mode": "enforce", "delay_reject": False, "at": ("client",),
               "weir": {"never": "192.0.2.250"}}

    def test_A2_listed_address_is_greeted_with_a_refusal(self):
        address = "127.0.0.66"
        self.weir.ctl("blacklist", "add", address, "--for", "1h", "--reason", "test", "--force")
        link = socket.create_connection(("127.0.0.1", self.postfix.port), 20, (address, 0))
        with link, link.makefile("r") as lines:
            link.sendall(b"EHLO x\r\n")
            greeting, hello = lines.readline(), lines.readline()
        self.assertRegex(greeting + hello, r"(?m)^550 5\.7\.1 .*Refused: 127\.0\.0\.66 is listed")
        with smtp.Session(self.postfix.port) as session:
            self.assertEqual(session.greeting.code, 220)

    def test_A2_listed_client_is_refused_before_it_names_itself(self):
        self.weir.ctl("blacklist", "add", LISTED, "--for", "1h", "--reason", "test")
        outcome = self.send(LISTED)
        self.assert_refused(outcome, stage="CONNECT")
        self.assertTrue(self.send(CLEAN).accepted)


class EveryStage(Server):
    options = {"mode": "enforce", "at": postfix.LISTS}

    def test_all_questions_about_a_message_get_one_decision(self):
        before = len(self.policyd.decisions())
        with smtp.Session(self.postfix.port) as session:
            session.play("198.51.100.90")
            for number in range(2):
                recipients = [f"{name}{number}@test.example" for name in "abc"]
                outcome = session.mail("ann@client.example", recipients, smtp.message())
                self.assertTrue(outcome.accepted, outcome)
        self.server.decision(client="198.51.100.90", recipient="<a1@test.example>")
        decisions = [d for d in self.policyd.decisions()[before:] if d["client"] == "198.51.100.90"]
        self.assertEqual(len(decisions), 2, decisions)
        self.assertEqual(self.postfix.complaints(), [])

    def test_all_questions_about_a_message_get_one_refusal(self):
        self.weir.ctl("blacklist", "add", LISTED, "--for", "1h", "--reason", "test")
        self.assert_refused(self.send(LISTED))


class StageByStage(Server):
    options = {"mode": "observe", "at": postfix.LISTS, "delay_reject": False}

    def test_facts_are_only_put_where_postfix_takes_them(self):
        self.weir.ctl("blacklist", "add", LISTED, "--for", "1h", "--reason", "test")
        for client in (LISTED, CLEAN):
            mail = self.pass_marked(client)
            self.assertEqual(len(smtp.header(mail, HEADER)), 1)
        self.assertEqual(self.postfix.complaints(), [])


class SixthVersion(Server):
    options = {"mode": "enforce", "ipv6": True}

    @classmethod
    def setUpClass(cls):
        if not pathlib.Path("/proc/net/if_inet6").exists():
            raise unittest.SkipTest("the kernel has no IPv6")
        super().setUpClass()

    def test_A2_listed_ipv6_prefix_is_refused_and_others_pass(self):
        self.weir.ctl("blacklist", "add", "2001:db8:7::/48", "--for", "1h", "--reason", "test")
        self.assert_refused(self.send("2001:db8:7::1"))
        self.assertTrue(self.send("2001:db8:8::1").accepted)

    def test_C17_pair_of_an_ipv6_address_is_judged(self):
        self.weir.learn("spam", "2001:db8:9::1", "six.example", 20)
        self.assert_refused(self.send("2001:db8:9::1", sender="ann@six.example"))
        self.assertTrue(self.send("2001:db8:a::1", sender="ann@client.example").accepted)


class LocalSocket(Server):
    @classmethod
    def setUpClass(cls):
        rig.needs_root()
        folder = rig.scratch()
        weir = rig.Weir(folder, weir={"mode": "enforce"})
        path = folder / "policy.socket"
        weir.make_lists()
        cls.policyd = rig.Policyd(weir, listen=f"unix:{path}", ready=path.exists)
        cls.postfix = postfix.PrivatePostfix(folder, postfix.recommended(f"unix:{path}")).start()
        cls.weir = weir
        cls.addClassCleanup(cls.policyd.stop)
        cls.addClassCleanup(cls.postfix.stop)

    def test_A2_postfix_asks_over_a_unix_socket(self):
        self.weir.ctl("blacklist", "add", LISTED, "--for", "1h", "--reason", "test")
        self.assert_refused(self.send(LISTED))
        self.assertTrue(self.send(CLEAN).accepted)
        self.assertEqual(self.postfix.complaints(), [])


class Dovecot(socketserver.StreamRequestHandler):
    """As much of Dovecot's authentication as Postfix needs to let anybody in."""

    def handle(self):
        self.wfile.write(b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\n"
                         b"COOKIE\t" + b"0" * 32 + b"\nDONE\n")
        for line in self.rfile:
            words = line.decode().split("\t")
            if words[0] == "AUTH":
                self.wfile.write(f"OK\t{words[1]}\tuser=ann\n".encode())


class OwnUsers(Server):
    @classmethod
    def setUpClass(cls):
        rig.needs_root()
        login = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Dovecot)
        login.daemon_threads = True
        threading.Thread(target=login.serve_forever, daemon=True).start()
        cls.addClassCleanup(login.server_close)
        cls.addClassCleanup(login.shutdown)
        cls.options = {"extra": "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\n"
                                f"smtpd_sasl_path = inet:127.0.0.1:{login.server_address[1]}\n"}
        super().setUpClass()

    def test_users_who_logged_in_pass_from_anywhere(self):
        self.weir.ctl("blacklist", "add", LISTED, "--for", "1h", "--reason", "test")
        with smtp.Session(self.postfix.port) as session:
            session.play(LISTED)
            self.assert_refused(session.mail("ann@test.example", ["u@test.example"],
                                             smtp.message()))
            word = base64.b64encode(b"\0ann\0secret").decode()
            self.assertEqual(session.say(f"AUTH PLAIN {word}").code, 235)
            outcome = session.mail("ann@test.example", ["u@test.example"], smtp.message())
        self.assertTrue(outcome.accepted, outcome)
        self.assertEqual(self.policyd.decisions()[-1]["ground"], "authenticated")


class WithoutMemcached(Server):
    @classmethod
    def setUpClass(cls):
        rig.needs_root()
        cls.nodes = [rig.Memcached(rig.scratch()) for _ in range(3)]
        cls.options = {"weir": {"counters": "memcached"},
                       "memcached": {"servers": ", ".join(node.name for node in cls.nodes)}}
        super().setUpClass()

    def test_A15_listed_address_is_refused_with_all_memcached_gone(self):
        self.weir.ctl("blacklist", "add", LISTED, "--for", "1h", "--reason", "test")
        self.assert_refused(self.send(LISTED))
        for node in self.nodes:
            node.kill()
        self.assert_refused(self.send(LISTED))
        outcome = self.send(CLEAN)
        self.assertTrue(outcome.accepted, outcome)
        self.assertIn("counters", self.server.decision(client=CLEAN)["missing"])
        for node in self.nodes:
            node.restart()


class UnderLoad(Server):
    """What operators do to a daemon while mail flows."""

    def flow(self, disturb):
        """Mail flows while disturb(load) does its worst: none refused, none lost, none doubled."""
        self.postfix.wait_idle()
        before = set(smtp.marks(self.postfix.mails()))
        with smtp.Load(self.postfix.port, clients=6, pause=0.005) as load:
            load.wait(20)
            disturb(load)
            load.wait(20)
        self.assertEqual((load.refused, load.broken), ([], []))
        self.postfix.wait_idle()
        got = [mark for mark in smtp.marks(self.postfix.mails()) if mark not in before]
        self.assertEqual(sorted(got), sorted(load.accepted))

    def test_reload_under_load_loses_nothing(self):
        complaints = self.postfix.complaints()

        def disturb(load):
            for mode in ("observe", "enforce") * 4:
                self.weir.configure(weir={"mode": mode})
                self.policyd.reload()
                load.wait(40)
        self.flow(disturb)
        self.assertEqual(self.postfix.complaints(), complaints)

    def test_reload_puts_a_new_mode_into_force(self):
        self.weir.ctl("blacklist", "add", LISTED, "--for", "1h", "--reason", "test")
        for mode, passes in (("observe", True), ("enforce", False)):
            self.weir.configure(weir={"mode": mode})
            self.policyd.reload()
            rig.wait_for(lambda: self.send(LISTED).accepted == passes, what=f"mode {mode}")

    def test_reload_of_a_broken_configuration_changes_nothing(self):
        good = self.weir.conf.read_text()
        self.weir.conf.write_text(good + "[weir]\nmoode = enforce\n")
        self.policyd.reload()
        rig.wait_for(lambda: "moode" in self.policyd.log(), what="the complaint in the log")
        self.assertTrue(self.send(CLEAN).accepted)
        self.weir.conf.write_text(good)

    def test_mail_flows_while_the_daemon_is_killed_and_started_again(self):
        def disturb(load):
            for _ in range(3):
                self.policyd.kill()
                load.wait(4)
                self.policyd.restart()
                load.wait(10)
        self.flow(disturb)
        self.weir.ctl("blacklist", "add", LISTED, "--for", "1h", "--reason", "test")
        self.assert_refused(self.send(LISTED))

    def test_mail_flows_while_the_daemon_is_stopped_and_started_the_orderly_way(self):
        def disturb(load):
            for _ in range(3):
                self.assertEqual(self.policyd.stop(), 0)
                self.policyd.restart()
                load.wait(10)
        self.flow(disturb)

    def test_open_session_is_judged_after_the_daemon_was_restarted_or_silent(self):
        self.weir.ctl("blacklist", "add", LISTED, "--for", "1h", "--reason", "test")
        with smtp.Session(self.postfix.port) as session:
            session.play(LISTED)

            def outcome():
                return session.mail("ann@client.example", ["u@test.example"], smtp.message())
            self.assert_refused(outcome())
            self.policyd.stop()
            self.policyd.restart()
            self.assert_refused(outcome())
            self.policyd.process.send(signal.SIGSTOP)
            self.assertTrue(outcome().accepted)
            self.policyd.process.send(signal.SIGCONT)
            self.assert_refused(outcome())

    def test_the_wiring_tested_here_is_that_of_the_readme(self):
        text = (rig.TOP / "README.md").read_text()
        wirings = re.findall(r"check_policy_service (\{[^}]*\})", text)
        self.assertEqual(wirings, [postfix.recommended("inet:127.0.0.1:10040")])

    def test_mail_flows_past_a_daemon_that_is_silent(self):
        self.policyd.process.send(signal.SIGSTOP)
        try:
            outcome = self.send(CLEAN)
        finally:
            self.policyd.process.send(signal.SIGCONT)
        self.assertTrue(outcome.accepted, outcome)
        self.weir.ctl("blacklist", "add", LISTED, "--for", "1h", "--reason", "test")
        self.assert_refused(self.send(LISTED))


if __name__ == "__main__":
    harness.main()

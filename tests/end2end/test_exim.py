"""Real Exim, light and heavy, with weir-exim.so in it: what becomes of mail."""
import email
import json
import pathlib
import re
import sys
import time
import unittest
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import exim
import harness
import milter
import rig
import smtp

LISTED, CLEAN = "203.0.113.7", "198.51.100.20"
DEFERRED = "The message cannot be checked now"


def mail(body="Hello.", subject="a test", head="", sender="ann@client.example"):
    """A message and its mark."""
    mark = uuid.uuid4().hex
    return (f"{head}From: <{sender}>\nTo: <u@test.example>\nSubject: {subject}\n"
            f"Date: Sat, 21 Nov 2026 18:13:00 +0000\nMessage-Id: <{mark}@client.example>\n"
            f"X-Mark: {mark}\n\n{body}\n").encode(), mark


def said(replies):
    """Replies, one a line: Exim folds what is long."""
    lines, more = [], False
    for line in replies.split("\r\n"):
        if more:
            lines[-1] += " " + re.sub(r"^\d\.\d\.\d ", "", line[4:])
        else:
            lines.append(f"{line[:3]} {line[4:]}")
        more = line[3:4] == "-"
    return "\n".join(lines)


class Server(unittest.TestCase):
    """A class has one Exim; build, mode and message are its own."""

    build, mode, message, settings, rules = "light", "observe", {}, {}, milter.RULES

    @classmethod
    def setUpClass(cls):
        rig.needs_root()
        cls.folder = rig.scratch()
        # clients of these tests are on the loopback network, which never stands on a list
        cls.weir = rig.Weir(cls.folder, weir={"mode": cls.mode, "never": "::1"},
                            message=cls.message)
        cls.weir.make_lists()
        if cls.rules:
            milter.write_rules(cls.weir, cls.rules)
        cls.prepare()
        exim.hand_over(cls.weir.folder)
        cls.exim = exim.PrivateExim(cls.folder, cls.build, cls.weir, **cls.acls(), **cls.settings)
        cls.exim.start()
        cls.addClassCleanup(cls.exim.stop)

    @classmethod
    def prepare(cls):
        """What is to be there before Exim starts."""

    @classmethod
    def acls(cls):
        return {}

    def tearDown(self):
        self.assertTrue(self.exim.process.alive(), self.exim.mainlog()[-2000:])
        self.assertEqual(self.exim.paniclog(), "")

    def send(self, content=None, **arguments):
        return exim.send(self.exim.port, content=content, **arguments)

    def deliver(self, content, mark, **arguments):
        """Sends what must be taken, and gives it as it was delivered."""
        outcome = self.send(content, **arguments)
        self.assertTrue(outcome.accepted, outcome)
        return email.message_from_bytes(self.exim.delivered(mark)[0])

    def decision(self, **wanted):
        """The last decision in the log with these values."""
        found = [line for line in self.exim.decisions()
                 if all(line.get(key) == value for key, value in wanted.items())]
        self.assertTrue(found, self.exim.mainlog()[-2000:])
        return found[-1]


class Observed(Server):
    def test_A3_ham_is_delivered_with_our_fields_on_top(self):
        content, mark = mail("See you at lunch.")
        delivered = self.deliver(content, mark)
        self.assertTrue(delivered["X-Spam-Status"].startswith("No, "), delivered.as_string())
        self.assertIsNone(delivered["X-Spam-Flag"])
        names = [name for name, _ in delivered.items()]
        self.assertLess(names.index("X-Weir-Info"), names.index("Received"))
        self.assertEqual(delivered.get_payload(), "See you at lunch.\n")

    def test_A3_spam_is_tagged_and_delivered(self):
        content, mark = mail(milter.GTUBE)
        delivered = self.deliver(content, mark)
        self.assertEqual(delivered["X-Spam-Flag"], "YES")
        self.assertEqual(self.decision(verdict="spam")["intended"], "reject")

    def test_B14_B21_the_string_on_a_delivered_mail_is_valid_and_bound_to_it(self):
        content, mark = mail("A cheap loan.", subject="You have won")
        self.deliver(content, mark)
        path = self.folder / "delivered.eml"
        path.write_bytes(self.exim.delivered(mark)[0])
        fields = json.loads(self.weir.ctl("info", "decode", path, "--json"))
        self.assertTrue(fields["bound"], fields)
        self.assertEqual({rule["name"] for rule in fields["rules"]},
                         {"CHEAP_LOAN", "SUBJECT_WIN", "REPUTATION"})

    def test_our_fields_from_outside_are_removed(self):
        head = ("X-Spam-Flag: NO\nX-Weir-Info: v1; AAAA\nx-spam-STATUS: No,\n score=-99\n"
                "X-Weir-Info: v1;\n BBBB\nX-Spam-Level: **\n")
        delivered = self.deliver(*mail("Hello", head=head))
        self.assertEqual(len(delivered.get_all("X-Weir-Info")), 1)
        self.assertNotIn("AAAA", delivered.as_string())
        self.assertNotIn("BBBB", delivered.as_string())
        self.assertEqual(len(delivered.get_all("X-Spam-Status")), 1)
        self.assertIsNone(delivered["X-Spam-Flag"])
        self.assertIsNone(delivered["X-Spam-Level"])

    def test_a_message_of_5_MB_is_judged(self):
        delivered = self.deliver(*mail("\n".join(["x" * 70] * 75000) + "\n" + milter.GTUBE))
        self.assertIsNotNone(delivered["X-Weir-Info"])
        self.assertEqual(len(delivered.get_payload()), 75000 * 71 + len(milter.GTUBE) + 1)

    def test_a_bounce_is_judged_and_delivered(self):
        content, mark = mail("A cheap loan.")
        delivered = self.deliver(content, mark, sender="")
        self.assertEqual(delivered["Return-path"], "<>")
        self.assertEqual(self.decision(sender="<>")["action"], "pass")

    def test_all_of_many_recipients_get_it(self):
        content, mark = mail("Hello.")
        recipients = [f"u{number}@test.example" for number in range(90)]
        outcome = self.send(content, recipients=recipients)
        self.assertTrue(outcome.accepted, outcome)
        rig.wait_for(lambda: len(self.exim.delivered(mark)) == 90, 30, "90 deliveries")
        envelopes = {email.message_from_bytes(raw)["Envelope-to"]
                     for raw in self.exim.delivered(mark)}
        self.assertEqual(envelopes, set(recipients))

    def test_two_messages_of_one_connection_are_judged_apart(self):
        with exim.Session(self.exim.port) as session:
            session.say(f"EHLO {smtp.HELO}")
            one, one_mark = mail(milter.GTUBE)
            two, two_mark = mail("Hello.")
            for content in (one, two):
                outcome = session.mail("ann@client.example", ["u@test.example"], content)
                self.assertTrue(outcome.accepted, outcome)
        spam = email.message_from_bytes(self.exim.delivered(one_mark)[0])
        good = email.message_from_bytes(self.exim.delivered(two_mark)[0])
        self.assertEqual((spam["X-Spam-Flag"], good["X-Spam-Flag"]), ("YES", None))

    def test_a_message_of_this_machine_is_judged_and_delivered(self):
        content, mark = mail("Hello.")
        done = self.exim.submit(content, "u@test.example")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        delivered = email.message_from_bytes(self.exim.delivered(mark)[0])
        self.assertTrue(delivered["X-Spam-Status"].startswith("No, "))
        self.assertEqual(self.decision(client="local")["verdict"], "ham")

    def test_recipients_may_come_from_the_header_of_a_local_message(self):
        content, mark = mail("Hello.")
        done = self.exim.run("-odf", "-oi", "-t", "-f", "root@test.example", text=content)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(b"X-Weir-Info: v1; ", self.exim.delivered(mark)[0])

    def test_a_session_on_standard_input_is_judged_by_the_address_it_names(self):
        content, mark = mail("Hello.")
        self.assertIn("250 OK id=", self.exim.session_from("203.0.113.99", content))
        self.assertIn(b"X-Weir-Info: v1; ", self.exim.delivered(mark)[0])
        self.assertEqual(self.decision(client="203.0.113.99")["boundary"], "203.0.113.99")

    def test_a_sender_over_IPv6_is_known_by_it(self):
        content, mark = mail("Hello.")
        self.assertIn("250 OK id=", self.exim.session_from("2001:db8::7", content))
        self.exim.delivered(mark)
        self.decision(client="2001:db8::7")

    def test_what_a_sender_writes_is_never_expanded(self):
        trap = self.folder / f"trap-{uuid.uuid4().hex}"
        bait = f"${{run{{/usr/bin/touch {trap}}}}}${{if}}"
        content, mark = mail(f"{bait}\n{milter.GTUBE}", subject=bait, head=f"X-{bait[:3]}: {bait}\n"
                             f"Received: from {bait} by y; Sat, 21 Nov 2026 18:00:00 +0000\n")
        self.deliver(content, mark, sender="a${if}$acl_m_x@client.example", helo="[127.0.0.1]")
        self.assertFalse(trap.exists())
        self.assertNotIn("tainted", self.exim.mainlog())
        self.assertNotIn("expan", self.exim.mainlog())

    def test_no_line_of_ours_can_break_a_message(self):
        content, mark = mail("One.\n\nTwo.", head="X-Odd: a\n b\n\tc\n")
        self.deliver(content, mark)
        raw = self.exim.delivered(mark)[0]
        self.assertEqual(raw.count(b"\n\n"), 2)
        self.assertTrue(raw.endswith(b"\n\nOne.\n\nTwo.\n"), raw)
        self.assertIn(b"\nX-Odd: a\n b\n\tc\n", raw)

    def test_A5_a_new_rule_acts_without_a_restart(self):
        content, mark = mail("a green parrot")
        self.assertIsNone(self.deliver(content, mark)["X-Spam-Flag"])
        milter.write_rules(self.weir, "body PARROT /green parrot/\nscore PARROT 7\n", "20.rules")
        exim.hand_over(self.weir.folder)
        content, mark = mail("a green parrot")
        self.assertEqual(self.deliver(content, mark)["X-Spam-Flag"], "YES")

    def test_after_SIGHUP_mail_flows_and_is_judged(self):
        with exim.Session(self.exim.port) as session:
            session.say(f"EHLO {smtp.HELO}")
            self.exim.hang_up()
            content, mark = mail("Hello.")
            outcome = session.mail("ann@client.example", ["u@test.example"], content)
            self.assertTrue(outcome.accepted, outcome)
        content, mark = mail(milter.GTUBE)
        self.assertEqual(self.deliver(content, mark)["X-Spam-Flag"], "YES")

    def test_the_core_is_told_what_a_milter_would_see(self):
        """Exim's own Received field is not among the hops; the sender's is."""
        hop = "Received: from a.example (a.example [192.0.2.77]) by b.example; " \
            "Sat, 21 Nov 2026 18:00:00 +0000\n"
        rule = "header OWN_RECEIVED Received =~ /mx[.]test[.]example/\nscore OWN_RECEIVED 50\n" \
            "header THEIR_RECEIVED Received =~ /a[.]example/\nscore THEIR_RECEIVED 0.5\n"
        milter.write_rules(self.weir, rule, "30.rules")
        exim.hand_over(self.weir.folder)
        content, mark = mail("Hello.", head=hop)
        self.deliver(content, mark)
        rules = self.exim.decisions()[-1]["rules"]
        self.assertIn("THEIR_RECEIVED", rules)
        self.assertNotIn("OWN_RECEIVED", rules)


class ObservedHeavy(Observed):
    build = "heavy"


class Enforced(Server):
    """The light build asks weir-policyd at connect time: ${readsocket}, no module needed."""

    mode, message = "enforce", {"on_spam": "quarantine"}

    @classmethod
    def prepare(cls):
        cls.policyd = rig.Policyd(cls.weir)
        cls.addClassCleanup(cls.policyd.stop)

    @classmethod
    def acls(cls):
        ask = ("${readsocket{inet:127.0.0.1:%d}{request=smtpd_access_policy\\n"
               "protocol_state=CONNECT\\nclient_address=$sender_host_address\\n\\n}{2s}{ }"
               "{action=DUNNO}}" % cls.policyd.port)
        return {"connect": f"  warn set acl_c_weir = {ask}\n"
                           "  drop condition = ${if match{$acl_c_weir}{^action=5}}\n"
                           "       message = ${sg{$acl_c_weir}{\\N^action=|\\s+$\\N}{}}\n"}

    def test_A2_a_listed_address_is_refused_when_it_connects_and_others_pass(self):
        self.weir.ctl("blacklist", "add", LISTED, "--for", "1h", "--reason", "sends viruses")
        refused = said(self.exim.session_from(LISTED, mail()[0]))
        self.assertRegex(refused, r"^550 5\.7\.1 Refused: 203\.0\.113\.7 is listed until \S+ "
                                  r"\(ref [0-9a-z]+\): sends viruses")
        self.assertNotIn("250 OK id=", refused)
        self.assertIn("250 OK id=", self.exim.session_from(CLEAN, mail()[0]))

    def test_A30_list_changes_act_at_once_over_the_network(self):
        self.weir.ctl("blacklist", "add", "127.0.0.66", "--force", "--for", "1h")
        outcome = self.send(mail()[0], client="127.0.0.66")
        self.assertEqual((outcome.stage, outcome.reply.code), ("CONNECT", 550), outcome)
        self.assertTrue(self.send(mail()[0], client="127.0.0.67").accepted)
        self.weir.ctl("blacklist", "remove", "127.0.0.66")
        self.assertTrue(self.send(mail()[0], client="127.0.0.66").accepted)

    def test_A3_spam_is_refused_with_one_code_and_a_reason(self):
        content, mark = mail(milter.GTUBE)
        outcome = self.send(content)
        self.assertEqual((outcome.stage, outcome.reply.code), ("END", 550), outcome)
        self.assertRegex(outcome.reply.text, r"^5\.7\.1 \S")
        self.assertNotIn("550", outcome.reply.text)
        content, mark = mail("Hello.")
        self.deliver(content, mark)

    def test_a_connection_goes_on_after_a_refusal(self):
        with exim.Session(self.exim.port) as session:
            session.say(f"EHLO {smtp.HELO}")
            spam = session.mail("ann@client.example", ["u@test.example"], mail(milter.GTUBE)[0])
            content, mark = mail("Hello.")
            good = session.mail("ann@client.example", ["u@test.example"], content)
        self.assertEqual(spam.reply.code, 550)
        self.assertTrue(good.accepted, good)
        self.exim.delivered(mark)

    def test_spam_below_reject_score_is_held_and_nothing_is_lost(self):
        content, mark = mail("A cheap loan.")
        outcome = self.send(content)
        self.assertTrue(outcome.accepted, outcome)
        number = re.search(r"id=(\S+)", outcome.reply.text).group(1)
        self.assertIn(number, self.exim.spooled())
        rig.wait_for(lambda: f"{number} frozen by local_scan()" in self.exim.mainlog(), 10,
                     "the message to be frozen")
        self.exim.run("-M", number)
        self.assertIn(b"X-Spam-Flag: YES", self.exim.delivered(mark)[0])

    def test_bounces_and_postmaster_are_never_refused(self):
        self.assertTrue(self.send(mail(milter.GTUBE)[0], sender="").accepted)
        self.assertTrue(self.send(mail(milter.GTUBE)[0],
                                  recipients=["postmaster@test.example"]).accepted)

    def test_mail_of_this_machine_is_tagged_and_never_refused(self):
        """A refusal would be a bounce, and the refusal of that a lost message."""
        for sender in ("root@test.example", "<>"):
            content, mark = mail(milter.GTUBE)
            done = self.exim.submit(content, "u@test.example", sender=sender)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertIn(b"X-Spam-Flag: YES", self.exim.delivered(mark)[0])

    def test_without_the_daemon_connections_are_taken(self):
        self.policyd.process.send(rig.signal.SIGSTOP)
        try:
            self.assertTrue(self.send(mail()[0]).accepted)
        finally:
            self.policyd.process.send(rig.signal.SIGCONT)


class EnforcedHeavy(Enforced):
    """The heavy build asks the module itself, in its ACLs."""

    build = "heavy"

    @classmethod
    def acls(cls):
        call = "${dlfunc{%s}{%%s}%%s}" % exim.module()
        listed = call % ("weir_blacklisted", "{$sender_host_address}")
        asked = call % ("weir_reputation",
                        "{$sender_host_address}{$sender_address}{$local_part@$domain}")
        return {
            "connect": f"  drop condition = {listed}\n"
                       "       message = 5.7.1 Refused: $sender_host_address is listed\n",
            "recipient": f"  warn set acl_m_weir = {asked}\n"
                         "  deny condition = ${if eq{${extract{action}{$acl_m_weir}}}{reject}}\n"
                         "       message = ${extract{reply}{$acl_m_weir}}\n",
            "extra": "smtp_accept_max_per_host = " + call % ("weir_preload", "{0}")}

    def test_A2_a_listed_address_is_refused_when_it_connects_and_others_pass(self):
        self.weir.ctl("blacklist", "add", LISTED, "--for", "1h", "--reason", "sends viruses")
        refused = self.exim.session_from(LISTED, mail()[0])
        self.assertIn(f"550 5.7.1 Refused: {LISTED} is listed", refused)
        self.assertNotIn("250 OK id=", refused)
        self.assertIn("250 OK id=", self.exim.session_from(CLEAN, mail()[0]))

    def test_C17_a_sender_of_spam_is_refused_at_its_first_recipient(self):
        self.weir.learn("spam", "203.0.113.41", "shop1.example", 40)
        self.weir.learn("good", "198.51.100.41", "shop1.example", 40)
        exim.hand_over(self.weir.folder)
        refused = said(self.exim.session_from("203.0.113.41", mail()[0], "news@shop1.example"))
        self.assertRegex(refused, r"\n550 5\.7\.1 Refused: 203\.0\.113\.41 sends mostly spam")
        self.assertIn("250 OK id=", self.exim.session_from("198.51.100.41", mail()[0],
                                                           "news@shop1.example"))

    def test_what_is_no_address_is_not_listed_and_stops_nothing(self):
        for text in ("", "nonsense", "999.1.1.1", "x" * 80):
            expression = "${dlfunc{%s}{weir_blacklisted}{%s}}" % (exim.module(), text)
            done = self.exim.run("-be", expression)
            self.assertEqual(done.stdout, b"no\n", done)
        for arguments in ("", "{}", "{nonsense}{}{}", "{192.0.2.1}{a@b}{}{}{}"):
            expression = "${dlfunc{%s}{weir_reputation}%s}" % (exim.module(), arguments)
            done = self.exim.run("-be", expression)
            self.assertTrue(done.stdout.startswith(b"verdict=ham "), done)


class Broken(Server):
    """What goes wrong inside: mail flows or waits, as configured."""

    def with_configuration(self, text):
        (self.weir.folder / "weir.conf").write_text(text)
        return self.send(mail(milter.GTUBE)[0])

    def setUp(self):
        kept = self.weir.conf.read_text()
        self.addCleanup(self.weir.conf.write_text, kept)

    def test_a_wrong_configuration_lets_mail_flow(self):
        outcome = self.with_configuration("[weir]\nmode = sideways\n")
        self.assertTrue(outcome.accepted, outcome)
        self.assertIn("weir.conf:2: ", self.exim.mainlog())

    def test_or_lets_it_wait_where_that_is_asked_for(self):
        outcome = self.with_configuration("[message]\non_failure = tempfail\n[weir]\nmode = x\n")
        self.assertEqual((outcome.stage, outcome.reply.code), ("END", 451), outcome)
        self.assertIn(DEFERRED, outcome.reply.text)

    def test_a_file_that_is_none_lets_mail_flow(self):
        self.assertTrue(self.with_configuration("\0\1\2" * 1000).accepted)
        self.weir.conf.unlink()
        self.assertTrue(self.send(mail()[0]).accepted)

    def test_damaged_files_of_ours_let_mail_flow_and_what_is_left_is_used(self):
        image = self.weir.folder / "rules.image"
        kept = image.read_bytes()
        for name in ("lists.db", "info.key", "counters.db"):
            path = self.weir.folder / name
            if path.exists():
                self.addCleanup(path.write_bytes, path.read_bytes())
                path.write_bytes(b"nonsense" * 1000)
        self.assertTrue(self.send(mail(milter.GTUBE)[0]).accepted)
        self.assertEqual(self.exim.decisions()[-1]["verdict"], "spam")
        for damaged in (b"", kept[:100], kept[:-1], b"\xff" * len(kept)):
            image.unlink()
            image.write_bytes(damaged)
            self.assertTrue(self.send(mail()[0]).accepted)
        image.unlink()
        image.write_bytes(kept)


class Asking(Server):
    """decide = the daemon; the core inside is the fall-back."""

    settings = {"timeout": "2s"}

    @classmethod
    def prepare(cls):
        address = f"unix:{cls.weir.folder}/decide.sock"
        cls.weir.configure(exim={"decide": address})
        cls.policyd = rig.Policyd(cls.weir, decide_listen=address)
        cls.addClassCleanup(cls.policyd.process.end)

    def decided(self):
        """How many messages the daemon has decided."""
        return len(self.policyd.decisions())

    def compared(self, content, mark):
        """What became of a message: its decision's facts that must not depend on who decided."""
        self.deliver(content, mark)
        line = self.exim.decisions()[-1]
        return {key: line.get(key) for key in ("verdict", "score", "action", "rules", "ground",
                                               "boundary", "domain", "serial")}

    def test_the_daemon_decides_and_without_it_the_verdict_is_the_same(self):
        bodies = ["Hello.", milter.GTUBE, "A cheap loan.", "x" * 5000, "\0\1\2 <html>"]
        before = self.decided()
        asked = [self.compared(*mail(body)) for body in bodies]
        self.assertEqual(self.decided(), before + len(bodies))
        self.policyd.kill()
        try:
            alone = [self.compared(*mail(body)) for body in bodies]
        finally:
            self.policyd.restart()
        self.assertEqual(asked, alone)
        self.assertIn("deciding without the daemon", self.exim.mainlog())

    def test_a_hanging_daemon_costs_its_share_of_the_time_and_no_mail(self):
        before = self.decided()
        self.policyd.process.send(rig.signal.SIGSTOP)
        try:
            began = time.monotonic()
            content, mark = mail(milter.GTUBE)
            self.assertEqual(self.deliver(content, mark)["X-Spam-Flag"], "YES")
            self.assertLess(time.monotonic() - began, 2.0)
        finally:
            self.policyd.process.send(rig.signal.SIGCONT)
        self.assertNotIn("timed out", self.exim.mainlog())
        self.deliver(*mail("Hello."))
        self.assertEqual(self.decided(), before + 1, "nobody waited for the first one's answer")

    def test_a_daemon_killed_in_the_middle_loses_and_doubles_nothing(self):
        sent = []
        for number in range(30):
            if number % 10 == 4:
                self.policyd.kill()
            if number % 10 == 8:
                self.policyd.restart()
            content, mark = mail("Hello.")
            self.assertTrue(self.send(content).accepted)
            sent.append(mark)
        for mark in sent:
            self.assertEqual(len(self.exim.delivered(mark)), 1)
        rig.wait_for(lambda: not self.exim.spooled(), 20, "an empty spool")

    def test_a_large_message_and_many_recipients_are_asked_about(self):
        before = self.decided()
        content, mark = mail("\n".join(["x" * 70] * 75000))
        recipients = [f"u{number}@test.example" for number in range(95)]
        self.assertTrue(self.send(content, recipients=recipients).accepted)
        self.assertEqual(self.decided(), before + 1)

    def test_a_reload_of_the_daemon_takes_no_answer_away(self):
        for _ in range(5):
            self.policyd.reload()
            self.deliver(*mail("Hello."))


if __name__ == "__main__":
    harness.main()

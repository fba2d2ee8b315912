"""weir-policyd as Postfix meets it: the real program, no Postfix; what it decides and says."""
import json
import pathlib
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
from policyd import LISTED, NEUTRAL, OTHER, REFUSAL, Client, Daemon, request


class Decisions(Daemon):
    def test_A2_A30_listed_address_is_refused_and_a_change_acts_without_restart(self):
        daemon = self.start()
        client = self.client(daemon.port)
        self.assertRegex(client.ask(LISTED), REFUSAL)
        self.assertRegex(client.ask(LISTED, "CONNECT", sender="", recipient=""), REFUSAL)
        self.assertEqual(client.ask(OTHER), NEUTRAL)
        self.weir.ctl("blacklist", "remove", LISTED)
        self.assertEqual(client.ask(LISTED), NEUTRAL)
        self.weir.ctl("blacklist", "add", OTHER, "--reason", "it too", "--for", "1h")
        self.assertIn(b"550 5.7.1 Refused: 192.0.2.7 is listed", client.ask(OTHER))

    def test_A15_listed_address_is_refused_when_the_counters_are_gone(self):
        nobody = f"127.0.0.1:{rig.free_port()}"
        weir = self.weir_with(weir={"counters": "memcached"}, memcached={"servers": nobody})
        daemon = self.start(weir=weir)
        client = self.client(daemon.port)
        self.assertRegex(client.ask(LISTED), REFUSAL)
        self.assertEqual(client.ask(OTHER), NEUTRAL)
        self.assertEqual(self.wait_lines(daemon, OTHER)[0].count("missing=counters"), 1)

    def test_A26_acceptable_address_wins_over_the_blacklist(self):
        daemon = self.start()
        self.weir.ctl("accept", "add", LISTED, "--forever", "--reason", "a friend")
        self.assertEqual(self.client(daemon.port).ask(LISTED), NEUTRAL)

    def test_C1_C17_C36_one_domain_from_a_good_and_a_bad_address(self):
        daemon = self.start()
        self.weir.learn("spam", "198.51.100.66", "ex.org", 20)
        self.weir.learn("good", "192.0.2.7", "ex.org", 20)
        client = self.client(daemon.port)
        self.assertRegex(client.ask("198.51.100.66"),
                         rb"^action=550 5\.7\.1 Refused: 198\.51\.100\.66 sends mostly spam")
        self.assertEqual(client.ask("192.0.2.7"), NEUTRAL)

    def test_C16_acceptable_domain_passes_on_its_own_address(self):
        daemon = self.start()
        self.weir.learn("good", "192.0.2.7", "ex.org", 20)
        self.weir.ctl("accept", "add", "ex.org", "--forever", "--reason", "a partner")
        self.assertEqual(self.client(daemon.port).ask("192.0.2.7"), NEUTRAL)
        self.assertIn("ground=whitelist", self.wait_lines(daemon, "verdict=")[0])

    def test_role_recipients_bounces_and_our_users_pass(self):
        client = self.client(self.start().port)
        for more in ({"recipient": "postmaster@test.example"}, {"recipient": "Abuse@test.example"},
                     {"recipient": "postmaster"}, {"sender": ""}, {"sasl_username": "bob"},
                     {"client_address": "unknown"}):
            with self.subTest(**more):
                self.assertEqual(client.ask(LISTED, **more), NEUTRAL)
        self.assertRegex(client.ask(LISTED, recipient="postmasters@test.example"), REFUSAL)

    def test_stages_at_which_nothing_is_decided_are_neutral(self):
        client = self.client(self.start().port)
        for state in ("VRFY", "ETRN", "NEW-IN-POSTFIX-9"):
            self.assertEqual(client.ask(LISTED, state), NEUTRAL)
        for state in ("CONNECT", "XCLIENT", "HELO", "EHLO", "MAIL", "RCPT", "DATA", "BDAT",
                      "END-OF-MESSAGE"):
            self.assertRegex(client.ask(LISTED, state), REFUSAL, state)

    def test_a_queue_id_is_logged_where_it_is_known_and_is_one(self):
        daemon = self.start()
        client = self.client(daemon.port)
        for state, queue_id in (("RCPT", ""), ("DATA", "4bXYZ12"), ("DATA", "4b action=x"),
                                ("DATA", "A" * 64), ("DATA", "A" * 65)):
            client.ask(OTHER, state, queue_id=queue_id)
        lines = self.wait_lines(daemon, f"client={OTHER}", 5)
        self.assertEqual([rig.pairs(line).get("queue_id") for line in lines],
                         [None, "4bXYZ12", None, "A" * 64, None])

    def test_observe_never_refuses_and_says_what_it_would_do(self):
        daemon = self.start("observe")
        client = self.client(daemon.port)
        answer = client.ask(LISTED, instance="1.1")
        self.assertRegex(answer, rb"^action=PREPEND X-Weir-Policy: verdict=blocked .* "
                                 rb"action=pass intended=reject [\x20-\x7e]*\n\n$")
        self.assertEqual(client.ask(LISTED, "CONNECT"), NEUTRAL)
        self.assertEqual(client.ask(LISTED, "END-OF-MESSAGE", instance="2.2"), NEUTRAL)
        self.assertEqual(len(self.wait_lines(daemon, "intended=reject", 3)), 3)

    def test_what_comes_from_outside_cannot_forge_an_answer_or_a_log_line(self):
        daemon = self.start("observe")
        client = self.client(daemon.port)
        answer = client.ask(OTHER, instance="1.1", helo_name="\x1b[2J\t\x07",
                            sender="\x1b]0;x\x07 verdict=ham id=1@ex.org",
                            recipient="u@test.example> id=forged\x85\x0b")
        self.assertRegex(answer, rb"^[\x20-\x7e]+\n\n$")
        line = self.wait_lines(daemon, "verdict=")[0]
        self.assertRegex(line, r"^[\x20-\x7e]+$")
        self.assertEqual(len(re.findall(r"(?:^| )id=", line)), 1)


class Instances(Daemon):
    def test_one_decision_for_all_requests_of_a_message(self):
        daemon = self.start()
        one, other = self.client(daemon.port), self.client(daemon.port)
        first = one.ask(LISTED, instance="1.1")
        self.assertRegex(first, REFUSAL)
        for client in (one, other):  # Postfix has a connection for each restriction list
            for recipient in ("u@test.example", "v@test.example"):
                self.assertEqual(client.ask(LISTED, instance="1.1", recipient=recipient), first)
        self.weir.ctl("blacklist", "remove", LISTED)
        self.assertEqual(one.ask(LISTED, "DATA", instance="1.1"), first)
        self.assertEqual(one.ask(LISTED, instance="1.2"), NEUTRAL)
        self.assertEqual(len(self.wait_lines(daemon, "verdict=", 2)), 2)

    def test_a_role_recipients_pass_is_not_the_messages(self):
        client = self.client(self.start().port)
        self.assertEqual(client.ask(LISTED, instance="1", recipient="abuse@test.example"), NEUTRAL)
        first = client.ask(LISTED, instance="1")
        self.assertRegex(first, REFUSAL)
        self.assertEqual(client.ask(LISTED, instance="1", recipient="postmaster@x"), NEUTRAL)
        self.assertEqual(client.ask(LISTED, instance="1", recipient="v@test.example"), first)
        self.assertEqual(client.ask(LISTED, "DATA", instance="1", recipient=""), NEUTRAL)

    def test_facts_are_prepended_once(self):
        client = self.client(self.start("observe").port)
        answers = [client.ask(OTHER, instance="1", recipient=f"u{n}@test.example")
                   for n in range(3)]
        answers.append(client.ask(OTHER, "DATA", instance="1"))
        self.assertTrue(answers[0].startswith(b"action=PREPEND X-Weir-Policy: "), answers[0])
        self.assertEqual(answers[1:], [NEUTRAL] * 3)

    def test_pipelined_requests_of_one_message_agree(self):
        client = self.client(self.start().port)
        client.send(request(LISTED, instance="1") * 20)
        answers = {client.answer() for _ in range(20)}
        self.assertEqual(len(answers), 1)
        self.assertRegex(answers.pop(), REFUSAL)

    def test_a_message_is_remembered_for_the_set_time(self):
        client = self.client(self.start(remember="500ms").port)
        first = client.ask(LISTED, instance="1")
        self.assertEqual(client.ask(LISTED, instance="1"), first)
        time.sleep(0.6)
        again = client.ask(LISTED, instance="1")
        self.assertRegex(again, REFUSAL)
        self.assertNotEqual(again, first)


class Options(Daemon):
    def run_it(self, *words, text=None):
        folder = rig.scratch()
        conf = folder / "weir.conf"
        if text is not None:
            conf.write_text(text)
        done = subprocess.run([rig.BUILD / "weir-policyd", "-c", conf, *words], text=True,
                              capture_output=True, timeout=20)
        return done.returncode, done.stdout, done.stderr.replace(str(folder) + "/", "")

    def test_a_sound_configuration_is_found_sound(self):
        self.assertEqual(self.run_it("-t", text="[weir]\nmode = enforce\n"),
                         (0, "configuration is sound\n", ""))
        self.assertEqual(self.run_it("--test", text="")[0], 0)

    def test_a_wrong_configuration_is_told_by_file_and_line(self):
        cases = {
            "[weir]\nmod = enforce\n": r'weir\.conf:2: .*mod.*mode',
            "# first\n\n[policyd]\nremember = 5 parsecs\n": r"weir\.conf:4: .*remember",
            "[policyd]\nlisten = tcp:25\n": r'weir\.conf:2: .*listen.*"tcp:25"',
            "[policyd]\nlisten = inet:127.0.0.1:66000\n": r"port",
            "[policyd]\nlisten = unix:relative\n": r"begin with '/'",
            "[weir]\nnever = 10.0.0.1/8\n": r'weir\.conf:2: .*never.*"10\.0\.0\.1/8"',
            "[weir]\nmode\n": r"weir\.conf:2: ",
        }
        for text, want in cases.items():
            with self.subTest(text):
                for words in (["-t"], []):  # it does not start with it either
                    code, out, err = self.run_it(*words, text=text)
                    self.assertEqual((code, out), (78, ""))
                    self.assertRegex(err, want)

    def test_a_file_that_is_not_there_is_an_error(self):
        code, _, err = self.run_it("-t")
        self.assertEqual(code, 78)
        self.assertIn("weir.conf", err)

    def test_version_help_and_wrong_use(self):
        self.assertRegex(self.run_it("-V")[1], r"^weir-policyd \d+\.\d+\.\d+\n$")
        code, out, _ = self.run_it("--help")
        self.assertEqual(code, 0)
        for option in "ctldVh":
            self.assertIn(f"  -{option}, --", out)
        for words in (["--nonsense"], ["surplus"], ["-l", "nonsense"]):
            self.assertEqual(self.run_it(*words)[0], 64)

    def test_listen_can_be_overridden_for_a_trial(self):
        weir, port = self.weir_with(), rig.free_port()
        weir.configure(policyd={"listen": "inet:192.0.2.1:1"})
        daemon = rig.Process([rig.BUILD / "weir-policyd", "-d", "-c", weir.conf, "-l",
                              f"inet:127.0.0.1:{port}"], weir.folder / "policyd.log")
        daemon.start()
        self.addCleanup(daemon.end)
        daemon.ready(lambda: rig.accepts(port))
        with Client(port) as client:
            self.assertRegex(client.ask(LISTED, instance="1"), REFUSAL)
            self.assertRegex(client.ask(LISTED, instance="1"), REFUSAL)
        rig.wait_for(lambda: "debug: as before" in daemon.log(), 10, "a line for debugging")

    def test_status_tells_how_the_daemon_is(self):
        daemon = self.start()
        with Client(daemon.port) as client:
            client.ask(LISTED, instance="1")
            client.ask(LISTED, instance="1")
            client.ask(OTHER)
            client.send(request(OTHER) + b"request=weir_status\n\n" + request(LISTED))
            self.assertEqual(client.answer(), NEUTRAL)
            answer = client.answer()
            self.assertRegex(client.answer(), REFUSAL)
        self.assertRegex(answer, rb"^status=\{[^\n]*\}\n\n$")
        status = json.loads(answer.removeprefix(b"status="))
        self.assertEqual(status["program"], "weir-policyd")
        self.assertEqual(status["pid"], daemon.process.pid)
        self.assertEqual(status["mode"], "enforce")
        self.assertEqual(status["remembered"], 1)
        self.assertEqual(status["lists"]["blacklist"], 1)
        self.assertEqual(status["counters"]["store"], "local")
        self.assertGreaterEqual(status["verdicts"]["blocked"], 1)


if __name__ == "__main__":
    harness.main()

"""weir-policyd decides about whole messages: the decide protocol, its bounds, and its manners."""
import pathlib
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import milter
import policyd
import rig

CONNECTIONS_MOST = 256  # WEIR_DECIDERS_MAX


def question(body="Hello.", size=None, **more):
    """A question about a message."""
    message = f"From: <ann@client.example>\nSubject: a test\n\n{body}\n".encode()
    values = {"client": "198.51.100.20", "helo": "client.example", "sender": "ann@client.example",
              "recipient": "u@test.example", "size": len(message) if size is None else size, **more}
    head = "".join(f"{name}={value}\n" for name, value in values.items())
    return f"weir-decide 1\n{head}\n".encode() + message


def fields(answer):
    """An answer as a dictionary; of names that come more than once, the last."""
    return dict(line.split("=", 1) for line in answer.decode().split("\n") if "=" in line)


class Decide(policyd.Daemon):
    def begin(self, mode="observe", **settings):
        self.weir_with(mode)
        milter.write_rules(self.weir)
        self.path = self.weir.folder / "decide.sock"
        self.daemon = self.start(weir=self.weir, decide_listen=f"unix:{self.path}", **settings)
        rig.wait_for(self.listens, 10, "it to listen for messages, too")
        return self.daemon

    def listens(self):
        with socket.socket(socket.AF_UNIX) as link:
            return link.connect_ex(str(self.path)) == 0

    def asker(self):
        return self.client(self.path)

    def ask(self, *arguments, **more):
        with policyd.Client(self.path) as client:
            client.send(question(*arguments, **more))
            return fields(client.answer())

    def counted(self):
        return self.status(self.daemon.port)["decide"]

    def test_a_message_is_decided_as_configured(self):
        self.begin("enforce")
        good, spam = self.ask("Hello."), self.ask(milter.GTUBE)
        self.assertEqual((good["verdict"], good["action"]), ("ham", "pass"))
        self.assertEqual((spam["verdict"], spam["action"]), ("spam", "reject"))
        self.assertTrue(spam["reply"].startswith("550 5.7.1 "), spam)
        self.assertEqual(self.ask("Hello.", client=policyd.LISTED)["verdict"], "blocked")
        counted = self.counted()
        self.assertEqual((counted["decided"], counted["verdicts"]["spam"]), (3, 1))

    def test_one_connection_may_ask_many_times(self):
        self.begin()
        client = self.asker()
        for body in ("Hello.", milter.GTUBE, "Hello."):
            client.send(question(body))
            self.assertEqual(fields(client.answer())["verdict"],
                             "spam" if body == milter.GTUBE else "ham")

    def test_a_question_may_come_octet_by_octet(self):
        self.begin()
        client = self.asker()
        for octet in question("Hello."):
            client.send(bytes([octet]))
        self.assertEqual(fields(client.answer())["verdict"], "ham")

    def test_what_is_no_question_gets_no_answer(self):
        self.begin()
        for octets, word in ((b"GET / HTTP/1.1\r\n\r\n", "malformed"),
                             (policyd.request(), "malformed"),
                             (question(size="x"), "malformed"),
                             (question(size=(64 << 20) + 1), "oversized"),
                             (b"weir-decide 1\nhelo=" + b"h" * 70000, "oversized"),
                             (question() + b"more", "malformed")):
            with self.subTest(octets[:40]):
                before = self.counted()["closed"][word]
                client = self.asker()
                try:
                    client.send(octets)
                except BrokenPipeError:
                    pass
                self.assert_closed_without_answer(client)
                self.assertEqual(self.counted()["closed"][word], before + 1)
        self.assertEqual(self.ask()["verdict"], "ham")

    def test_half_a_question_is_forgotten(self):
        self.begin(request_timeout="300ms")
        client = self.asker()
        client.send(question("Hello.")[:-3])
        self.assert_closed_without_answer(client)
        other = self.asker()
        other.send(question("Hello.")[:-3])
        other.link.close()
        rig.wait_for(lambda: self.counted()["closed"]["slow"] == 1
                     and self.counted()["closed"]["half"] == 1, 10, "both to be counted")
        self.assertEqual(self.counted()["open"], 0)

    def test_too_many_connections_are_turned_away_at_once(self):
        self.begin()
        clients = [self.asker() for _ in range(CONNECTIONS_MOST)]
        for client in clients[:3]:
            client.send(question())
            self.assertEqual(fields(client.answer())["verdict"], "ham")
        rig.wait_for(lambda: self.counted()["open"] == CONNECTIONS_MOST, 10, "all to be open")
        self.assert_closed_without_answer(self.asker())
        self.assertEqual(self.counted()["busy"], 1)
        clients[0].link.close()
        rig.wait_for(lambda: self.counted()["open"] < CONNECTIONS_MOST, 10, "room")
        self.assertEqual(self.ask()["verdict"], "ham")

    def test_messages_together_never_exceed_their_memory(self):
        self.begin()
        large = [self.asker() for _ in range(8)]
        for client in large:
            try:
                client.send(question(size=60 << 20))
            except OSError:
                pass
        rig.wait_for(lambda: self.counted()["busy"] >= 4, 10, "those to be turned away")
        self.assertEqual(self.counted()["open"], 4)
        self.assertEqual(self.ask()["verdict"], "ham")

    def test_policy_requests_are_answered_while_messages_are_decided(self):
        self.begin()
        body = "\n".join(["word " * 14] * 20000)
        askers = [self.asker() for _ in range(6)]
        policy = self.client(self.daemon.port)
        for client in askers:
            client.send(question(body))
        began, slowest = time.monotonic(), 0.0
        while time.monotonic() - began < 1:
            asked = time.monotonic()
            self.assertTrue(policy.ask(policyd.OTHER).startswith(b"action="))
            slowest = max(slowest, time.monotonic() - asked)
        for client in askers:
            self.assertEqual(fields(client.answer())["verdict"], "ham")
        self.assertLess(slowest, 1.0)

    def test_a_reload_keeps_connections_and_takes_what_is_new(self):
        self.begin()
        client = self.asker()
        client.send(question("Hello.")[:-3])
        self.weir.configure(weir={"mode": "enforce"})
        self.daemon.reload()
        self.wait_lines(self.daemon, "reloaded")
        client.send(question("Hello.")[-3:])
        self.assertEqual(fields(client.answer())["verdict"], "ham")
        self.assertEqual(self.ask(milter.GTUBE)["action"], "reject")

    def test_a_reload_may_begin_and_end_listening(self):
        self.begin()
        self.weir.configure(policyd={"decide_listen": None})
        self.daemon.reload()
        self.wait_lines(self.daemon, "no longer listening at unix:")
        self.assertFalse(self.path.exists())
        self.assertIsNone(self.counted())
        self.weir.configure(policyd={"decide_listen": f"unix:{self.path}"})
        self.daemon.reload()
        rig.wait_for(self.path.exists, 10, "the socket")
        self.wait_lines(self.daemon, "reloaded", 2)
        self.assertEqual(self.ask()["verdict"], "ham")

    def test_a_failed_reload_changes_nothing(self):
        self.begin()
        self.weir.configure(weir={"mode": "sideways"})
        self.daemon.reload()
        self.wait_lines(self.daemon, "not reloaded")
        self.assertEqual(self.ask(milter.GTUBE)["verdict"], "spam")

    def test_what_has_arrived_is_decided_before_the_end(self):
        self.begin()
        self.daemon.process.send(rig.signal.SIGSTOP)
        client = self.asker()
        client.send(question(milter.GTUBE))
        self.daemon.process.send(rig.signal.SIGTERM)
        self.daemon.process.send(rig.signal.SIGCONT)
        self.assertEqual(fields(client.answer())["verdict"], "spam")
        self.assertEqual(self.daemon.process.popen.wait(10), 0)
        self.assertFalse(self.path.exists())

    def test_access_to_the_socket_is_as_configured(self):
        self.begin(socket_access="owner")
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.path))


if __name__ == "__main__":
    harness.main()

"""policyd - what the tests of weir-policyd share: a request, a client, a daemon, load.

Every answer under load is compared with the one that is due; a test that only counted
answers would not see a wrong one.
"""
import json
import re
import socket
import unittest

import rig

LISTED, OTHER = "203.0.113.7", "192.0.2.7"
NEUTRAL = b"action=DUNNO\n\n"
REFUSAL = re.compile(rb"action=550 5\.7\.1 Refused: 203\.0\.113\.7 is listed until \S+ \(ref "
                     rb"[2-9a-z]{13}\): it spams[^\n]*\n\n\Z")


def request(client=OTHER, state="RCPT", **more):
    """A request in Postfix' order of attributes."""
    values = {"request": "smtpd_access_policy", "protocol_state": state, "protocol_name": "ESMTP",
              "client_address": client, "client_name": "mx.example.net", "client_port": "4321",
              "reverse_client_name": "mx.example.net", "server_address": "127.0.0.1",
              "server_port": "25", "helo_name": "mx.example.net", "sender": "a@ex.org",
              "recipient": "u@test.example", "recipient_count": "0", "queue_id": "",
              "instance": "", "size": "300", "etrn_domain": "", "stress": "", "sasl_method": "",
              "sasl_username": "", "sasl_sender": "", "ccert_subject": "", "ccert_issuer": "",
              "ccert_fingerprint": "", "ccert_pubkey_fingerprint": "", "encryption_protocol": "",
              "encryption_cipher": "", "encryption_keysize": "0", "policy_context": "", **more}
    return "".join(f"{name}={value}\n" for name, value in values.items()).encode() + b"\n"


class Client:
    """One connection."""

    def __init__(self, where, seconds=10):
        if isinstance(where, int):
            self.link = socket.create_connection(("127.0.0.1", where), seconds)
        else:
            self.link = socket.socket(socket.AF_UNIX)
            self.link.settimeout(seconds)
            self.link.connect(str(where))
        self.got = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.link.close()

    def send(self, octets):
        self.link.sendall(octets)

    def answer(self):
        """The next answer with its empty line; what there is of it when the connection ends."""
        while b"\n\n" not in self.got:
            try:
                more = self.link.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                rest, self.got = self.got, b""
                return rest
            self.got += more
        end = self.got.index(b"\n\n") + 2
        answer, self.got = self.got[:end], self.got[end:]
        return answer

    def ask(self, *args, **more):
        self.send(request(*args, **more))
        return self.answer()


class Daemon(unittest.TestCase):
    """A daemon for each test that asks for one, with a list on which LISTED stands."""

    def weir_with(self, mode="enforce", **sections):
        self.folder = rig.scratch()
        self.weir = rig.Weir(self.folder, weir={"mode": mode, **sections.pop("weir", {})},
                             **sections)
        self.weir.ctl("blacklist", "add", LISTED, "--reason", "it spams", "--for", "1h")
        return self.weir

    def start(self, mode="enforce", weir=None, ready=None, **policyd):
        weir = weir or self.weir_with(mode)
        daemon = rig.Policyd(weir, ready, **policyd)
        self.addCleanup(daemon.process.end)
        return daemon

    def client(self, where, **more):
        client = Client(where, **more)
        self.addCleanup(client.link.close)
        return client

    def lines(self, daemon, word):
        return [line for line in daemon.log().split("\n") if word in line]

    def wait_lines(self, daemon, word, count=1):
        rig.wait_for(lambda: len(self.lines(daemon, word)) >= count, 10, f"{count} x {word!r}")
        return self.lines(daemon, word)

    def assert_closed_without_answer(self, client):
        self.assertEqual(client.answer(), b"")

    def status(self, where):
        with Client(where) as client:
            client.send(b"request=weir_status\n\n")
            return json.loads(client.answer().removeprefix(b"status="))


class Load(rig.Workers):
    """Clients that ask one after the other and check every answer."""

    def __init__(self, where, clients=20, refusal=REFUSAL, again=False):
        super().__init__(clients)
        self.where, self.refusal, self.again = where, refusal, again
        self.answers, self.wrong, self.closed, self.refused = 0, [], 0, []

    def work(self, number):
        n = number
        while not self.over.is_set():
            try:
                with Client(self.where, seconds=20) as client:
                    n = self.converse(client, n)
            except OSError as trouble:
                self.refused.append(trouble)
            if not self.again:
                return

    def converse(self, client, n):
        while not self.over.is_set():
            n += 1
            try:
                answer = client.ask(LISTED if n % 2 else OTHER, instance=f"i.{n % 7}")
            except (BrokenPipeError, ConnectionResetError):
                answer = b""
            if not answer:
                self.closed += 1
                return n
            right = self.refusal.match(answer) if n % 2 else answer == NEUTRAL
            if not right:
                self.wrong.append(answer)
            self.answers += 1
        return n

    def wait(self, more):
        first = self.answers
        rig.wait_for(lambda: self.answers >= first + more or self.wrong or self.closed, 60,
                     f"{more} more answers")

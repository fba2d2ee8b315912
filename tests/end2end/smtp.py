"""smtp - the clients of the tests: an SMTP session, a load of them, and a policy session."""
import collections
import random
import re
import socket
import threading
import time
import uuid

import rig

Reply = collections.namedtuple("Reply", "code text")

HELO = "client.example"


class Closed(Exception):
    """The server closed the connection."""


class Session:
    """One SMTP session with 127.0.0.1, step by step.  Replies are (code, text) pairs."""

    def __init__(self, port, seconds=60):
        self.link = socket.create_connection(("127.0.0.1", port), seconds)
        self.lines = self.link.makefile("rb")
        self.greeting = self.reply()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.link.close()

    def reply(self):
        text = []
        while True:
            line = self.lines.readline().decode("latin-1").rstrip("\r\n")
            if not line:
                raise Closed("\n".join(text))
            text.append(line[4:])
            if line[3:4] != "-":
                return Reply(int(line[:3]), "\n".join(text))

    def say(self, line):
        self.link.sendall(line.encode() + b"\r\n")
        return self.reply()

    def play(self, address, name="[UNAVAILABLE]", helo=HELO):
        """Goes on as a client of this address; gives the reply to XCLIENT, or the first
        reply after it that is not well."""
        shown = f"IPV6:{address}" if ":" in address else address
        reply = self.say(f"EHLO {helo}")
        if reply.code == 250:
            reply = self.say(f"XCLIENT ADDR={shown} NAME={name} PORT=4321")
        return reply if reply.code >= 400 else self.say(f"EHLO {helo}")

    def text(self, content):
        """Sends the message after DATA was granted; its lines may end as they like."""
        lines = re.sub(rb"\r?\n", b"\r\n", content).removesuffix(b"\r\n")
        self.link.sendall(re.sub(rb"(?m)^\.", b"..", lines) + b"\r\n.\r\n")
        return self.reply()

    def mail(self, sender, recipients, content):
        """A whole transaction: an Outcome, whatever comes back."""
        refused = {}
        mail = self.say(f"MAIL FROM:<{sender}>")
        if mail.code >= 400:
            return Outcome("MAIL", mail, refused)
        for recipient in recipients:
            answer = self.say(f"RCPT TO:<{recipient}>")
            if answer.code >= 400:
                refused[recipient] = answer
        if len(refused) == len(recipients):
            self.say("RSET")
            return Outcome("RCPT", refused[recipients[0]], refused)
        data = self.say("DATA")
        if data.code >= 400:
            return Outcome("DATA", data, refused)
        return Outcome("END", self.text(content), refused)


class Outcome(collections.namedtuple("Outcome", "stage reply refused")):
    """How far a message came (CONNECT, MAIL, RCPT, DATA, END), the last reply, and the replies
    of recipients that were refused."""

    @property
    def accepted(self):
        return self.stage == "END" and self.reply.code == 250


def message(subject="a test", sender="ann@client.example", mark=None):
    """A small message with a mark to find it by."""
    return (f"From: <{sender}>\nTo: <u@test.example>\nSubject: {subject}\n"
            f"X-Mark: {mark or uuid.uuid4().hex}\n\nHello.\n").encode()


def send(port, client, sender="ann@client.example", recipients=("u@test.example",), content=None,
         **played):
    """One message in a session of its own, as from this client."""
    with Session(port) as session:
        try:
            reply = session.play(client, **played)
            if reply.code >= 400:
                return Outcome("CONNECT", reply, {})
            return session.mail(sender, recipients, content or message(sender=sender))
        finally:
            try:
                session.link.sendall(b"QUIT\r\n")
            except OSError:
                pass


class Load(rig.Workers):
    """Many clients that send one message after the other, in threads, until stopped.

    Each message has a mark of its own; accepted holds the marks that got a 250, refused
    the outcomes that did not, broken what went wrong on the wire."""

    def __init__(self, port, clients=4, pause=0.0):
        super().__init__(clients)
        self.port, self.pause = port, pause
        self.accepted, self.refused, self.broken = [], [], []

    def work(self, number):
        while not self.over.is_set():
            mark = uuid.uuid4().hex
            try:
                outcome = send(self.port, f"192.0.2.{number + 1}", content=message(mark=mark))
            except (OSError, Closed) as trouble:
                self.broken.append(repr(trouble))
                continue
            if outcome.accepted:
                self.accepted.append(mark)
            else:
                self.refused.append(outcome)
            self.over.wait(self.pause)

    def wait(self, more, seconds=60.0):
        """Waits until so many more messages were accepted."""
        goal = len(self.accepted) + more
        rig.wait_for(lambda: len(self.accepted) >= goal, seconds, f"{more} more messages to pass")


def header(mail, name):
    """All values of a header in a mail as bytes, unfolded."""
    head = re.split(rb"\r?\n\r?\n", mail, maxsplit=1)[0].decode("latin-1")
    unfolded = re.sub(r"\r?\n[ \t]+", " ", head)
    found = (line.partition(":") for line in unfolded.split("\n"))
    return [value.strip() for key, _, value in found if key.lower() == name.lower()]


def marks(mails):
    """The marks of mails, one for each delivery."""
    return [mark for mail in mails for mark in header(mail, "X-Mark")]


class Policy:
    """A session of the policy protocol, as Postfix has one."""

    REQUEST = {"request": "smtpd_access_policy", "protocol_state": "RCPT", "protocol_name": "ESMTP",
               "client_name": "unknown", "helo_name": HELO, "sender": "ann@client.example",
               "recipient": "u@test.example", "recipient_count": "0", "queue_id": "", "size": "300"}

    def __init__(self, port, seconds=10):
        self.link = socket.create_connection(("127.0.0.1", port), seconds)
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lines = self.link.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.link.close()

    def ask(self, client, **attributes):
        """The action for a request; a new message each time, unless instance is given."""
        attributes.setdefault("instance", uuid.uuid4().hex)
        request = {**self.REQUEST, "client_address": client, **attributes}
        text = "".join(f"{key}={value}\n" for key, value in request.items()) + "\n"
        self.link.sendall(text.encode())
        answer = self.lines.readline().decode().rstrip("\n")
        if not answer or self.lines.readline() != b"\n":
            raise Closed(answer)
        return answer.removeprefix("action=")

    def timed(self, client, **attributes):
        """(action, seconds it took)."""
        began = time.monotonic()
        action = self.ask(client, **attributes)
        return action, time.monotonic() - began


class PolicyLoad(rig.Workers):
    """Policy sessions that ask about ever new addresses, one request in flight on each.

    answers holds (when, seconds, action); broken what went wrong.  lateness() is what the
    machine itself is to blame for: how late it woke a sleeping thread here, and how long the
    daemon (pid) was ready to run but got no processor.  No server can be held to less."""

    def __init__(self, port, pid, sessions=4, pause=0.002):
        super().__init__(sessions)
        self.port, self.pid, self.pause = port, pid, pause
        self.answers, self.broken, self.slack = [], [], 0.0
        self.waited = self.waited_for_processor()
        self.threads.append(threading.Thread(target=self.watch, daemon=True))

    def work(self, number):
        chance = random.Random(number)
        with Policy(self.port) as policy:
            while not self.over.wait(self.pause):
                client = f"198.18.{chance.randrange(256)}.{chance.randrange(256)}"
                sender = f"ann@d{chance.randrange(99)}.example"
                try:
                    action, seconds = policy.timed(client, sender=sender)
                except (OSError, Closed) as trouble:
                    self.broken.append(repr(trouble))
                    return
                self.answers.append((time.monotonic(), seconds, action))

    def waited_for_processor(self):
        with open(f"/proc/{self.pid}/schedstat", encoding="ascii") as numbers:
            return int(numbers.read().split()[1]) / 1e9

    def lateness(self):
        return 4 * self.slack + self.waited_for_processor() - self.waited

    def watch(self):
        while not self.over.is_set():
            began = time.monotonic()
            time.sleep(0.001)
            self.slack = max(self.slack, time.monotonic() - began - 0.001)

    def wait(self, more, seconds=60.0):
        """Waits for so many more answers, and gives the seconds each took."""
        first = len(self.answers)
        rig.wait_for(lambda: len(self.answers) >= first + more or self.broken, seconds,
                     f"{more} answers")
        return [seconds for _, seconds, _ in self.answers[first:]]

"""milter - a weir-milter, and a Postfix or a client of our own that hands messages to it."""
import socket
import struct

import postfix
import rig
import smtp

GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

RULES = f"""\
body GTUBE /{GTUBE.replace('*', '[*]').replace('.', '[.]')}/
score GTUBE 100
id GTUBE 1
describe GTUBE the test string that every spam filter knows
body CHEAP_LOAN /cheap loan/i
score CHEAP_LOAN 6
id CHEAP_LOAN 101
describe CHEAP_LOAN offers a cheap loan
header SUBJECT_WIN Subject =~ /you have won/i
score SUBJECT_WIN 3.5
id SUBJECT_WIN 102
"""


class Milter:
    """A weir-milter on a Unix socket in the Weir's folder."""

    def __init__(self, weir, **milter):
        self.weir, self.path = weir, weir.folder / "milter.sock"
        weir.configure(milter={"listen": f"unix:{self.path}", **milter})
        self.process = rig.Process([rig.BUILD / "weir-milter", "-c", weir.conf],
                                   weir.folder / "milter.log")
        self.start()

    def start(self):
        before = self.log().count("listening at")
        self.process.start()
        self.process.ready(lambda: self.log().count("listening at") > before)

    def stop(self):
        return self.process.stop(seconds=15)

    def log(self):
        return self.process.log()

    def decisions(self):
        return [rig.pairs(line) for line in self.log().split("\n") if " verdict=" in line]


def wiring(path, action="accept"):
    """How Postfix is told of the milter, as the manual has it."""
    return (f"smtpd_milters = {{ unix:{path}, default_action={action}, connect_timeout=1s, "
            "command_timeout=2s, content_timeout=10s }")


def write_rules(weir, text=RULES, name="10-test.rules"):
    """Puts a rule file in the Weir's folder of rules and makes the set."""
    folder = weir.folder / "rules"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    weir.configure(rules={"folder": folder})
    weir.ctl("rules", "load")


class Client:
    """The mail server's side of one session with a milter, spoken by hand."""

    def __init__(self, path, seconds=10):
        self.link = socket.socket(socket.AF_UNIX)
        self.link.settimeout(seconds)
        self.link.connect(str(path))
        self.say(b"O", struct.pack("!III", 6, 0x1ff, 0x1fffff))
        self.hear()
        self.say(b"C", b"mx.client.example\0" + b"4" + struct.pack("!H", 4321) +
                 b"198.51.100.20\0")
        self.say(b"H", b"mx.client.example\0")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.link.close()

    def say(self, command, data=b""):
        self.link.sendall(struct.pack("!I", len(data) + 1) + command + data)

    def hear(self):
        """(command, data) of the milter's next word."""
        length = struct.unpack("!I", self.exactly(4))[0]
        word = self.exactly(length)
        return word[:1], word[1:]

    def exactly(self, count):
        got = b""
        while len(got) < count:
            more = self.link.recv(count - len(got))
            if not more:
                raise rig.Trouble("the milter hung up")
            got += more
        return got

    def hand_over(self, fields, body=b"Hello.\r\n", queue_id=None):
        """A message, up to the question what is to become of it; queue_id: octets of macro i."""
        self.say(b"M", b"<ann@client.example>\0")
        self.say(b"R", b"<u@test.example>\0")
        self.link.sendall(b"".join(
            struct.pack("!I", len(name) + len(value) + 3) + b"L" + name + b"\0" + value + b"\0"
            for name, value in fields))
        self.say(b"N")
        self.say(b"B", body)
        if queue_id is not None:
            self.say(b"D", b"Ei\0" + queue_id + b"\0")
        self.say(b"E")

    def outcome(self):
        """What the milter wants changed, and its last word: a list of (command, data)."""
        words = [self.hear()]
        while words[-1][0] not in b"actrdy":
            words.append(self.hear())
        return words

    def removed(self, fields):
        """The (name, index) of the fields that the milter has removed."""
        self.hand_over(fields)
        return [(data[4:].split(b"\0")[0], struct.unpack("!I", data[:4])[0])
                for command, data in self.outcome() if command == b"m"]


class MailServer:
    """A Postfix with a weir-milter behind it, in a folder of its own."""

    def __init__(self, mode="observe", rules=RULES, action="accept", message=None, **sections):
        self.folder = rig.scratch()
        self.weir = rig.Weir(self.folder, **sections)
        self.weir.configure(weir={"mode": mode}, message=message or {})
        self.weir.make_lists()
        if rules:
            write_rules(self.weir, rules)
        self.milter = Milter(self.weir)
        self.postfix = postfix.PrivatePostfix(self.folder,
                                              extra=wiring(self.milter.path, action))
        self.postfix.start()

    def close(self):
        self.postfix.stop()
        status = self.milter.stop()
        if status not in (0, None):
            raise rig.Trouble(f"weir-milter ended with {status}: {self.milter.log()[-3000:]}")

    def send(self, content, client="198.51.100.20", **arguments):
        return smtp.send(self.postfix.port, client, content=content, **arguments)

    def delivered(self, mark):
        """The mail with this mark, once it is in the mailbox."""
        def find():
            return [mail for mail in self.postfix.mails() if mark in smtp.marks([mail])]
        return rig.wait_for(find, 20, f"mail {mark} to be delivered")[0]

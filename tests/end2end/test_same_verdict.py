"""Real Postfix and real Exim, the same messages: the same verdict, score and rules on both.

Postfix asks weir-milter; Exim's module decides inside, and once more by asking weir-policyd. All
share one configuration, one rule set and one counter store."""
import base64
import email
import json
import pathlib
import sys
import unittest
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import exim
import harness
import milter
import postfix
import rig
import smtp

CLIENT, OTHER = "198.51.100.20", "203.0.113.7"
MAILS = pathlib.Path(__file__).resolve().parents[1] / "data" / "mail"

RULES = milter.RULES + """\
header FROM_FREE From:addr =~ /@free[.]example$/
score FROM_FREE 0.75
id FROM_FREE 201
rawbody RAW_TAG /<b>/
score RAW_TAG 0.5
id RAW_TAG 202
html HTML_BOLD /<b>/i
score HTML_BOLD 0.25
id HTML_BOLD 203
uri URI_BAD /bad[.]example/
score URI_BAD 1.5
id URI_BAD 204
full FULL_END /last line of all\\n\\z/
score FULL_END 0.1
id FULL_END 205
envelope HELO_CLIENT helo =~ /^client/
score HELO_CLIENT 0.2
id HELO_CLIENT 206
envelope TO_U recipient =~ /^u@/
score TO_U 0.3
id TO_U 207
ip FROM_DOC 198.51.100.0/24
score FROM_DOC 0.4
id FROM_DOC 208
meta BOTH FROM_FREE && URI_BAD
score BOTH 1
id BOTH 209
meta BAD_BASE64 DEFECT_BAD_BASE64
score BAD_BASE64 0.6
id BAD_BASE64 210
"""


def made():
    """Messages with something in each kind of text that rules look at.  They have all the fields
    that one of the servers would add if they were missing."""
    head = ("From: Ann <ann@free.example>\nTo: <u@test.example>\nSubject: {}\nMIME-Version: 1.0\n"
            "Date: Sat, 21 Nov 2026 18:13:00 +0000\nMessage-Id: <1@client.example>\n")
    html = '<p>Text <b>bold</b> <a href="http://www.bad.example/x">here</a></p>'
    yield head.format("=?utf-8?Q?You_have_won?=") + "\nplain\n"
    yield head.format("html") + f"Content-Type: text/html; charset=utf-8\n\n{html}\n"
    yield (head.format("two parts") + 'Content-Type: multipart/alternative; boundary="b"\n\n'
           f"--b\nContent-Type: text/plain\n\nA cheap=20loan\n--b\nContent-Type: text/html\n"
           f"Content-Transfer-Encoding: base64\n\n{base64.b64encode(html.encode()).decode()}\n"
           "--b--\n")
    yield (head.format("folded\n and long") +
           "X-Spam-Flag: NO\n\n.dot\n..two dots\nlast line of all\n")
    yield head.format("broken") + "Content-Transfer-Encoding: base64\n\nYW=Jj*!\n"
    yield head.format("no body")
    yield head.format("long") + "\n" + "x" * 900 + "\n" + "A cheap loan for you. " * 400 + "\n"


def messages():
    yield from (path.read_bytes() for path in sorted(MAILS.glob("*.eml")))
    yield from (text.encode() for text in made())


class Both(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        rig.needs_root()
        cls.server = milter.MailServer(rules=RULES, info={"sealed": "no"})
        cls.addClassCleanup(cls.server.close)
        weir = cls.server.weir
        weir.learn("spam", OTHER, "free.example", 3)
        weir.learn("good", CLIENT, "free.example", 5)
        exim.hand_over(weir.folder)

    def marked(self, content):
        mark = uuid.uuid4().hex
        return b"X-Mark: " + mark.encode() + b"\n" + content, mark

    def decision(self, delivered):
        """What the string on a delivered mail says, but for what differs by message."""
        strings = email.message_from_bytes(delivered).get_all("X-Weir-Info")
        self.assertEqual(len(strings or []), 1, delivered[:2000])
        fields = self.server.weir.json("info", "decode", strings[0].replace("\n", ""))
        self.assertIn(fields["state"], ("valid", "unbound"))
        return (fields["verdict"], fields["score"], fields["boundary_address"], fields["domain"],
                tuple((rule["id"], rule["points"]) for rule in fields["rules"]))

    def by_postfix(self, content, client):
        content, mark = self.marked(content)
        outcome = self.server.send(content, client=client)
        self.assertTrue(outcome.accepted, outcome)
        return self.decision(self.server.delivered(mark))

    def by_exim(self, server, content, client):
        content, mark = self.marked(content)
        said = server.session_from(client, content)
        self.assertIn("250 OK id=", said, server.paniclog() + server.mainlog()[-500:])
        return self.decision(server.delivered(mark)[0])

    def compare(self, build, **options):
        server = exim.PrivateExim(self.server.folder, build, self.server.weir, **options)
        hits = set()
        for content in messages():
            for client in (CLIENT, OTHER):
                wanted = self.by_postfix(content, client)
                self.assertEqual(self.by_exim(server, content, client), wanted, content[:400])
                hits.update(number for number, _ in wanted[4])
        self.assertGreaterEqual(hits, {102, 201, 202, 203, 204, 205, 206, 207, 208, 209, 210, 1000})

    def test_B9_C36_the_light_exim_decides_as_postfix_does(self):
        self.compare("light")

    def test_B9_C36_the_heavy_exim_decides_as_postfix_does(self):
        self.compare("heavy")

    def test_C36_the_daemon_decides_as_the_module_does(self):
        weir = self.server.weir
        socket = weir.folder / "decide.sock"
        weir.configure(exim={"decide": f"unix:{socket}"},
                       policyd={"decide_listen": f"unix:{socket}"})
        daemon = rig.Policyd(weir)
        self.addCleanup(daemon.stop)
        self.addCleanup(weir.configure, exim={"decide": None}, policyd={"decide_listen": None})
        exim.hand_over(weir.folder)
        before = len(daemon.decisions())
        self.compare("light")
        self.assertGreater(len(daemon.decisions()), before, "the daemon was never asked")


class Blocked(unittest.TestCase):
    def test_A20_A36_a_block_for_now_defers_on_both_and_ends_by_itself(self):
        rig.needs_root()
        server = milter.MailServer(mode="enforce")
        self.addCleanup(server.close)
        beside = exim.PrivateExim(server.folder, "light", server.weir)
        content = next(messages())
        server.weir.ctl("blacklist", "add", OTHER, "--defer", "--for", "5s", "--reason", "too much")
        exim.hand_over(server.weir.folder)
        outcome = server.send(content, client=OTHER)
        self.assertEqual((outcome.accepted, outcome.reply.code // 100), (False, 4), outcome)
        self.assertIn("too much", outcome.reply.text)
        self.assertRegex(beside.session_from(OTHER, content), r"\n4\d\d .*too much")
        rig.wait_for(lambda: server.send(content, client=OTHER).accepted, 15, "its end")
        self.assertIn("250 OK id=", beside.session_from(OTHER, content))


if __name__ == "__main__":
    harness.main()

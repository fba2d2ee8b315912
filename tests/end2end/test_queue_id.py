#!/usr/bin/env python3
"""The queue id of a mail server's own log finds the decision about the message: a real Postfix with
the milter, a real Exim with its module, one monitor for both, asked as the console asks."""
import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import exim
import harness
import milter
import postfix
import rig
import smtp
from test_console_mail import Beside
from test_reports import CLIENT, DOMAIN, LOAN, SPAMMY

MOST = 64  # octets of a queue id


class World(Beside):
    """Two mail servers and a desk."""

    def setUp(self):
        super().setUp()
        self.mx2 = self.server("mx2")
        shutil.copy(self.monitor.weir.folder / "info.key", self.mx2.weir.folder / "info.key")
        self.mx2.weir.configure(info={"server": 2})
        milter.write_rules(self.mx2.weir)

    def found(self, query=""):
        return self.admin.get(f"/messages?{query}")["rows"]

    def wait_for_rows(self, query, count):
        try:
            return rig.wait_for(lambda: len(self.found(query)) == count and self.found(query), 30)
        except rig.Trouble:
            return self.fail(f"{query} does not find {count} but {self.found(query)} of "
                             f"{self.found()}")

    def queued(self, queue_id, path=None):
        """A message that is judged under this id."""
        World.sent += 1
        fields = [(b"From", b"Ann <ann@client.example>"), (b"Subject", b"hello"),
                  (b"Message-ID", f"<{World.sent}@queued.example>".encode())]
        with milter.Client(path or self.milter.path) as link:
            link.hand_over(fields, SPAMMY, queue_id)
            link.outcome()

    def milter_of(self, server):
        """Another server's."""
        other = milter.Milter(server.weir)
        self.addCleanup(self.end, other.process)
        return other


class RealServers(World):
    def test_the_id_in_Postfix_log_finds_the_decision(self):
        rig.needs_root()
        mta = postfix.PrivatePostfix(self.folder, extra=milter.wiring(self.milter.path))
        mta.start()
        self.addCleanup(mta.stop)
        for client in (CLIENT, "203.0.113.9"):
            self.assertTrue(smtp.send(mta.port, client,
                                      content=smtp.message() + b"a cheap loan\r\n").accepted)
        mta.wait_mails(2)
        ids = re.findall(r"postfix/smtpd\S*: (\w+): client=\S*\[([\d.]+)\]", mta.maillog())
        self.assertEqual(len(ids), 2, mta.maillog())
        for queue_id, client in ids:
            row, = self.wait_for_rows(f"queue={queue_id}", 1)
            self.assertEqual((row["address"], row["server"], row["queue"]),
                             (client, "mx1", queue_id))
            one = self.admin.get(f"/messages/{row['uid']}")
            self.assertEqual((one["queue"], one["decided"]["action"]), (queue_id, "pass"))
            self.assertIn(LOAN, [rule["id"] for rule in one["rules"]])
            line, = [line for line in self.milter.decisions() if line.get("queue_id") == queue_id]
            self.assertEqual((line["boundary"], line["score"]), (client, f"{row['score']:.2f}"))
        self.assertEqual(self.found(f"queue={ids[0][0].lower()}&server=mx1"), [])

    def exim(self):
        """Exim with the module, of mx2."""
        self.mx2.weir.make_lists()
        exim.make_account()
        exim.hand_over(self.mx2.weir.folder)
        mta = exim.PrivateExim(self.folder, weir=self.mx2.weir)
        mta.start()
        self.addCleanup(mta.stop)
        return mta

    def test_the_id_in_Exims_log_finds_the_decision(self):
        rig.needs_root()
        mta = self.exim()
        self.assertTrue(exim.send(mta.port, "127.0.0.9",
                                  content=smtp.message() + b"a cheap loan\r\n").accepted)
        queue_id = rig.wait_for(lambda: re.findall(r" (\S+) <= ann@client[.]example",
                                                   mta.mainlog()), 10, mta.mainlog())[0]
        row, = self.wait_for_rows(f"queue={queue_id}", 1)
        self.assertEqual((row["address"], row["server"]), ("127.0.0.9", "mx2"))
        one = self.admin.get(f"/messages/{row['uid']}")
        self.assertIn(LOAN, [rule["id"] for rule in one["rules"]])
        line, = mta.decisions()
        self.assertEqual((line["queue_id"], line["score"]), (queue_id, f"{one['score']:.2f}"))


class Ids(World):
    def test_one_id_on_two_servers_is_two_messages(self):
        other = self.milter_of(self.mx2)
        self.queued(b"4bTWINS")
        self.queued(b"4bTWINS", other.path)
        self.queued(b"4bOTHER", other.path)
        rows = self.wait_for_rows("queue=4bTWINS", 2)
        self.assertEqual({row["server"] for row in rows}, {"mx1", "mx2"})
        self.assertEqual(len({row["uid"] for row in rows}), 2)
        self.wait_for_rows("queue=4bOTHER", 1)
        for server, count in (("mx1", 1), ("mx2", 1), ("mx1,mx2", 2), ("mx2,mx1", 2)):
            self.assertEqual(len(self.found(f"queue=4bTWINS&server={server}")), count, server)
        self.assertEqual(len(self.found("server=mx1,mx2")), 3)
        self.assertEqual(len(self.found("server=mx2")), 2)
        self.assertEqual(self.admin.ask("GET", "/messages?server=mx1,mx9").status, 404)
        self.assertEqual(self.admin.ask("GET", "/messages?server=" + ",".join(["mx1"] * 33)).status,
                         400)
        self.assertEqual(len(self.found("server=" + ",".join(["mx1"] * 32))), 1)
        table = self.admin.ask("GET", "/messages?format=csv&queue=4bTWINS").octets.decode()
        self.assertEqual(table.count("4bTWINS"), 2, table)
        self.assertIn('"queue"', table.splitlines()[0].split(","))
        self.monitor.weir.ctl("rules", "add", str(self.monitor.weir.folder / "rules"))
        self.assertRegex(self.monitor.weir.ctl("rules", "show", "CHEAP_LOAN"),
                         r"messages it hit last:\n(  .*\n)*  \S+  [0-9a-f]{16}  4bTWINS ")

    def test_what_is_no_queue_id_is_kept_under_none_and_refused_where_it_is_asked_for(self):
        longest = b"A" * MOST
        for queue_id in (b"<img src=x>", b"4b action=pass", b"x\"','", longest + b"A", longest):
            self.queued(queue_id)
        rows = self.wait_for_rows("", 5)
        self.assertEqual([row["queue"] for row in rows], [longest.decode()] + [None] * 4)
        self.assertEqual(self.found(f"queue={longest.decode()}"), rows[:1])
        for queue in ("A" * (MOST + 1), "%3Cimg%3E", "a%20b", "a%00", "4b%27"):
            answer = self.admin.ask("GET", f"/messages?queue={queue}")
            self.assertEqual(answer.status, 400, queue)
        self.assertEqual(self.found("queue="), rows)

    def test_lines_of_older_plug_ins_are_taken_and_what_they_lack_is_said(self):
        other = self.milter_of(self.mx2)
        self.mx2.stop()
        self.queued(b"4bOLD", other.path)
        other.stop()
        path, = [path for path in self.mx2.files() if "milter" in path.name]
        text = path.read_text()
        for word in (r" queue_id=\S+", r" limits=\S+", r" confidence=\S+", r" ground=\S+"):
            text = re.sub(word, "", text)
        path.write_text(text)
        self.mx2.start()
        row, = self.wait_for_rows("server=mx2", 1)
        one = self.admin.get(f"/messages/{row['uid']}")
        self.assertEqual((one["queue"], one["domain"]), (None, DOMAIN))
        self.assertRegex(one["limits"]["words"], "^not kept: its server did not tell")
        self.assertIn("what it rests on is not kept", one["decided"]["words"])
        self.assertRegex(one["reputation"]["words"], "its confidence is not kept$")
        self.assertEqual([one["limits"][name] for name in ("unsure", "spam", "reject")],
                         [None] * 3)


del Beside  # its tests are another file's

if __name__ == "__main__":
    harness.main()

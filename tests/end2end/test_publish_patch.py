#!/usr/bin/env python3
"""Rule sets that come as patches to the set a server has: put to work like whole ones, with a
fraction of their octets; and whole where there is no patch, or a bad one, or one side is of an
older version."""
import hashlib
import http.client
import pathlib
import random
import sqlite3
import ssl
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
import test_publish
from test_publish import LOAN, SOON, WIN, Liar

NONE = "0000000000000000"


class Patches(test_publish.Publishing):
    """A rulebook of some size, so that a patch pays."""

    def setUp(self):
        super().setUp()
        draw = random.Random(5)
        lines = [f"body R{n} /{draw.randrange(1 << 128):032x}/\nscore R{n} 0.1\n"
                 for n in range(400)]
        path = self.folder / "many.rules"
        path.write_text("".join(lines))
        self.monitor.weir.ctl("rules", "add", path)

    def fetched(self, server):
        return self.rules_of(server).get("fetched", 0)

    def file(self, server, serial):
        return (server.weir.folder / f"rules-{serial}.db").read_bytes()

    def deflated(self, serial):
        """Octets of a set that goes whole to an agent of an older version."""
        row = self.monitor.rows("SELECT length(file) AS octets FROM rule_sets WHERE serial = ?",
                                serial)
        return row[0]["octets"]

    def publish_one(self):
        """The first set, on both servers."""
        self.loan()
        self.publish()
        for server in (self.mx1, self.mx2):
            self.wait_until_told(server, serial=1, refused=0)

    def probe(self):
        """A server of ours, that asks as an agent does."""
        text = self.monitor.ask("server add", name="probe")["identity"]
        secret = dict(line.split(" = ") for line in text.splitlines() if " = " in line)["secret"]
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        fields = {"Authorization": f"Bearer probe:{secret}", "Weir-Instance": f"{1:032x}"}

        def ask(query=""):
            link = http.client.HTTPSConnection(self.monitor.address, self.monitor.port,
                                               context=context, timeout=30)
            link.request("GET", "/agent/v1/rules" + query, headers=fields)
            answer = link.getresponse()
            body = answer.read()
            link.close()
            self.assertEqual(answer.status, 200)
            deflated = answer.getheader("Content-Encoding") == "deflate"
            return (zlib.decompress(body) if deflated else body), len(body)
        return ask


class Patched(Patches):
    """What comes as a patch."""

    def test_B12_the_second_set_comes_as_a_patch_and_is_at_work(self):
        self.publish_one()
        before = {server.name: self.fetched(server) for server in (self.mx1, self.mx2)}
        self.win()
        self.publish()
        for server in (self.mx1, self.mx2):
            self.wait_for_score(server, LOAN + WIN, 12)
            self.wait_until_told(server, serial=2, refused=0, refusals=0, patches=2)
            self.assertLess(self.fetched(server) - before[server.name], self.deflated(2) / 10)
            self.assertLessEqual(before[server.name], self.deflated(1))
        self.assertEqual(self.file(self.mx1, 2), self.file(self.mx2, 2))
        patches = self.monitor.ask("status")["patches"]
        self.assertEqual((patches["given"], patches["made"]), (4, 2))

    def test_a_rollback_comes_as_a_patch_too(self):
        self.publish_one()
        self.win()
        self.publish()
        for server in (self.mx1, self.mx2):
            self.wait_until_told(server, serial=2)
        before = self.fetched(self.mx1)
        self.monitor.weir.ctl("rollback", "1")
        for server in (self.mx1, self.mx2):
            self.wait_for_score(server, LOAN + WIN, 6)
            self.wait_until_told(server, serial=3, refused=0, patches=3)
        self.assertLess(self.fetched(self.mx1) - before, self.deflated(3) / 10)

    def away(self):
        """One server misses some sets."""
        self.publish_one()
        self.mx2.stop()
        for score in (1, 2, 3):
            self.win(score=score)
            self.publish()
        self.wait_until_told(self.mx1, serial=4)

    def test_a_server_that_missed_some_sets_gets_a_patch_to_its_own(self):
        self.away()
        self.mx2.start()
        self.wait_for_score(self.mx2, LOAN + WIN, 9)
        self.wait_until_told(self.mx2, serial=4, refused=0, patches=1)
        self.assertLess(self.fetched(self.mx2), self.deflated(4) / 10)
        self.assertEqual(self.file(self.mx2, 4), self.file(self.mx1, 4))

    def test_without_its_set_at_the_monitor_it_gets_a_whole_one(self):
        self.away()
        self.monitor.stop()
        with sqlite3.connect(self.monitor.weir.folder / "spam.db") as database:
            database.execute("DELETE FROM rule_sets WHERE serial = 1")
        database.close()
        self.monitor.start()
        self.mx2.start()
        self.wait_for_score(self.mx2, LOAN + WIN, 9)
        self.wait_until_told(self.mx2, serial=4, refused=0)
        self.assertGreater(self.fetched(self.mx2), self.deflated(4) / 2)
        self.assertEqual(self.file(self.mx2, 4), self.file(self.mx1, 4))

    def test_after_a_restart_of_the_monitor_patches_are_made_anew(self):
        self.publish_one()
        self.mx2.stop()
        self.win()
        self.publish()
        self.wait_until_told(self.mx1, serial=2)
        self.monitor.stop()
        self.monitor.start()
        self.mx2.start()
        self.wait_for_score(self.mx2, LOAN + WIN, 12)
        self.wait_until_told(self.mx2, serial=2, refused=0, patches=1)
        self.assertLess(self.fetched(self.mx2), self.deflated(2) / 10)

    def test_words_come_as_a_patch(self):
        draw = random.Random(7)
        words = [f"w{draw.randrange(10 ** 9)}" for _ in range(3000)]
        for kind in ("spam", "ham"):
            folder = self.folder / kind
            folder.mkdir()
            for n in range(20):
                text = " ".join(draw.sample(words, 200))
                (folder / str(n)).write_text(f"From: {kind}@a.example\nSubject: {kind} {n}\n\n"
                                             f"{kind} {text}\n")
        for kind in ("spam", "ham"):
            self.monitor.weir.ctl("bayes", "learn", kind, self.folder / kind)
        self.publish_one()
        before = self.fetched(self.mx1)
        (self.folder / "more").mkdir()
        (self.folder / "more" / "1").write_text("From: a@a.example\nSubject: more\n\nmore spam\n")
        self.monitor.weir.ctl("bayes", "learn", "spam", self.folder / "more")
        self.assertGreater(self.publish()["differences"]["words"], 1000)
        for server in (self.mx1, self.mx2):
            self.wait_until_told(server, serial=2, refused=0, patches=2)
        self.assertLess(self.fetched(self.mx1) - before, self.deflated(2) / 10)
        self.assertEqual(self.file(self.mx1, 2), self.file(self.mx2, 2))

    def test_an_agent_of_an_older_version_gets_the_whole_file(self):
        self.publish_one()
        ask = self.probe()
        file = self.file(self.mx1, 1)
        self.assertEqual(ask(), (file, self.deflated(1)))
        for query in ("?have=1", f"?is={NONE}", "?have=1&is=12", f"?have=x&is={NONE}",
                      f"?have=4294967296&is={NONE}", f"?have=1&is={NONE[1:]}g"):
            self.assertEqual(ask(query)[0], file, query)
        whole = ask(f"?have=0&is={NONE}")[0]
        self.assertTrue(whole.startswith(b"weir-patch 1\n"))
        self.assertLess(len(whole), self.deflated(1))
        for have in range(2, 40):  # of sets that never were: nothing is made
            self.assertEqual(ask(f"?have={have}&is={NONE}")[0], whole)
        self.assertEqual(self.monitor.ask("status")["patches"]["made"], 1)


class Giver(Liar):
    """A liar that answers with a patch where one is asked for."""
    patch = b""
    asked = []

    def do_GET(self):  # pylint: disable=invalid-name
        if not self.path.startswith("/agent/v1/rules"):
            super().do_GET()
            return
        Giver.asked.append(self.path)
        if "have=" in self.path and Giver.patch:
            self.say(200, Giver.patch)
        else:
            super().do_GET()


class Lied(test_publish.Lied, Patches):
    """What somebody in the monitor's place can do with patches."""
    test_B12_what_was_changed_cut_replayed_or_is_foreign_is_refused = None

    def offer(self, patch):
        """mx1 comes with set 1, and is offered this to it; whether it took it."""
        self.mx1.kill()
        for path in self.mx1.weir.folder.glob("rules-2.db"):
            path.unlink()
        said = self.mx1.log().count("all of set 2 is fetched")
        Giver.patch, Giver.asked = patch, []
        self.mx1.start()
        rig.wait_for(lambda: self.files(self.mx1) == ["rules-1.db", "rules-2.db"], SOON,
                     f"set 2: {self.mx1.log()[-600:]}")
        self.assertEqual(self.file(self.mx1, 2), self.file(self.mx2, 2))
        taken = len(Giver.asked) == 1
        self.assertEqual(Giver.asked, [f"/agent/v1/rules?have=1&is={self.id}", "/agent/v1/rules"]
                         [:len(Giver.asked)])
        self.assertEqual(self.mx1.log().count("all of set 2 is fetched"), said + (not taken))
        return taken

    def test_a_bad_patch_costs_a_whole_set_and_nothing_else(self):
        self.publish_one()
        self.mx1.stop()
        self.win()
        self.publish()
        self.wait_until_told(self.mx2, serial=2)
        one, two = self.file(self.mx1, 1), self.file(self.mx2, 2)
        self.id = hashlib.blake2b(one, digest_size=32).hexdigest()[:16]
        good = self.probe()(f"?have=1&is={self.id}")[0]
        self.assertLess(len(good), len(two) / 10)
        key = (self.mx1.weir.folder / "rules.pub").read_text().strip()
        test_publish.Liar, kept = Giver, test_publish.Liar
        self.lie()
        test_publish.Liar = kept
        Liar.file, Liar.news = two, f"2 {key} 0"
        self.assertTrue(self.offer(good))
        for bad in (good[:-1], good[:60], good + b"x",
                    good[:13] + bytes([good[13] ^ 1]) + good[14:],  # to another set
                    good[:21] + b"\xff" * 20 + good[41:],           # of 4 GB
                    good[:80] + bytes([good[80] ^ 1]) + good[81:]):
            self.assertFalse(self.offer(bad), bad)
        self.assertTrue(self.offer(good))
        self.wait_for_score(self.mx1, LOAN + WIN, 12)


if __name__ == "__main__":
    harness.main()

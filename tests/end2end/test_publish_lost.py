#!/usr/bin/env python3
"""Rule sets after the monitor's database was lost, or put back from an old copy: servers have newer
sets than it knows, and get the next one nevertheless."""
import json
import pathlib
import re
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
import test_publish
from test_publish import LOAN, SOON, WIN


class Lost(test_publish.Publishing):
    """A monitor that comes back with less than it had."""

    def database(self):
        """What belongs to it."""
        return list(self.monitor.weir.folder.glob("spam.db*"))

    def problems(self):
        return json.loads(self.monitor.weir.ctl("status", "--json", check=False).stdout)["problems"]

    def wait_for_problem(self, text):
        rig.wait_for(lambda: any(text in problem for problem in self.problems()), SOON,
                     f"{text!r} among {self.problems()}")

    def publish_three(self):
        """Three sets, and a copy of the database as it was with the first."""
        self.loan(score=1)
        self.publish()
        self.monitor.stop()
        copy = self.folder / "copy"
        copy.mkdir()
        for path in self.database():
            shutil.copy(path, copy)
        self.monitor.start()
        for score in (2, 3):
            self.loan(score=score)
            self.publish()
        for server in (self.mx1, self.mx2):
            self.wait_until_told(server, serial=3)
        return copy

    def lose(self):
        self.monitor.stop()
        for path in self.database():
            path.unlink()

    def add_again(self, server):
        """The monitor does not know it any more."""
        server.stop()
        server.identity.write_text(self.monitor.ask("server add", name=server.name)["identity"])
        server.start()

    def test_B12_an_old_copy_of_the_database_publishes_behind_what_servers_have(self):
        copy = self.publish_three()
        self.lose()
        for path in copy.iterdir():
            shutil.copy(path, self.monitor.weir.folder)
        self.monitor.start()
        self.wait_for_problem("rule set 3 was published, and the monitor's database knows none "
                              "newer than 1")
        self.assertIn("rule set 3 was published", self.monitor.log())
        done = self.publish()  # the rulebook is that of set 1, and is published nevertheless
        self.assertEqual((done["serial"], done["published"]), (4, True))
        for server in (self.mx1, self.mx2):
            self.wait_for_score(server, LOAN, 1)
            self.wait_until_told(server, serial=4, refused=0)
        self.assertFalse(any("knows none newer" in problem for problem in self.problems()))

    def test_B12_a_new_database_learns_serials_of_the_servers(self):
        self.publish_three()
        self.lose()
        (self.monitor.weir.folder / "rules.key.serial").unlink()
        self.monitor.start()
        self.assertFalse(any("was published" in problem for problem in self.problems()))
        for server in (self.mx1, self.mx2):
            self.add_again(server)
        self.wait_for_problem("rule set 3 was published, and the monitor's database knows none "
                              "newer than 0")
        rig.wait_for(lambda: re.search("mx[12]: rule set 3 was published", self.monitor.log()),
                     SOON, "a line in the log")
        self.win()
        self.assertEqual(self.publish()["serial"], 4)
        for server in (self.mx1, self.mx2):
            self.wait_for_score(server, LOAN + WIN, 6)

    def test_B12_a_new_key_needs_new_identities_and_no_more(self):
        self.publish_three()
        self.lose()
        for name in ("rules.key", "rules.key.serial"):
            (self.monitor.weir.folder / name).unlink()
        self.monitor.start()
        for server in (self.mx1, self.mx2):
            self.add_again(server)
        self.wait_for_problem("rule set 3 was published")
        self.win()
        self.assertEqual(self.publish()["serial"], 4)
        for server in (self.mx1, self.mx2):
            self.wait_for_score(server, LOAN + WIN, 6)


if __name__ == "__main__":
    harness.main()

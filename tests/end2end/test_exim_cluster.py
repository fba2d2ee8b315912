"""Real Exim that shares its counters through real memcached servers, and then without them."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import exim
import harness
import milter
import rig
from test_exim import CLEAN, LISTED, mail


class Cluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        rig.needs_root()
        cls.folder = rig.scratch()
        cls.nodes = [rig.Memcached(cls.folder) for _ in range(2)]
        for node in cls.nodes:
            cls.addClassCleanup(node.stop)
        names = ", ".join(node.name for node in cls.nodes)
        cls.weir = rig.Weir(cls.folder, weir={"mode": "enforce", "counters": "memcached"},
                            memcached={"servers": names}, message={"on_spam": "reject"})
        cls.weir.make_lists()
        milter.write_rules(cls.weir)
        exim.hand_over(cls.weir.folder)
        cls.exim = exim.PrivateExim(cls.folder, "light", cls.weir)
        cls.exim.start()
        cls.addClassCleanup(cls.exim.stop)

    def taken(self, client, **arguments):
        return "250 OK id=" in self.exim.session_from(client, mail(**arguments)[0])

    def test_C1_C36_one_domain_from_a_good_and_a_bad_address(self):
        self.weir.learn("good", CLEAN, "shop.example", 20)
        self.weir.learn("spam", "192.0.2.77", "shop.example", 20)
        self.assertTrue(self.taken(CLEAN, sender="a@shop.example"))
        self.assertFalse(self.taken("192.0.2.77", sender="a@shop.example"))
        self.assertEqual(self.exim.decisions()[-1]["verdict"], "spam")

    def test_A15_a_listed_address_is_refused_with_all_memcached_gone(self):
        self.weir.ctl("blacklist", "add", LISTED, "--reason", "it spams")
        for node in self.nodes:
            node.stop()
            self.addCleanup(node.restart)
        self.assertFalse(self.taken(LISTED))
        self.assertTrue(self.taken(CLEAN))
        self.assertEqual(self.exim.decisions()[-1]["missing"], "counters")


if __name__ == "__main__":
    harness.main()

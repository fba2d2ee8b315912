"""weir-policyd on three memcached that are shared, killed, silenced and started again."""
import pathlib
import signal
import statistics
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig
import smtp

LISTED = "203.0.113.7"
WAIT = 0.060  # no request may wait longer, but for what the machine itself is late


class Cluster(unittest.TestCase):
    """Three nodes and two mail servers' weir-policyd, which name the nodes in another order."""

    def setUp(self):
        self.folder = rig.scratch()
        self.nodes = [rig.Memcached(self.folder) for _ in range(3)]
        names = [node.name for node in self.nodes]
        self.mx1, self.mx2 = (self.mail_server("mx1", names), self.mail_server("mx2", names[::-1]))
        for server in (self.mx1, self.mx2):
            self.addCleanup(server.stop)
        for node in self.nodes:
            self.addCleanup(node.process.end)

    def load(self, server):
        return smtp.PolicyLoad(server.port, server.process.pid)

    def mail_server(self, name, nodes):
        weir = rig.Weir(self.folder, name,
                        weir={"mode": "enforce", "counters": "memcached",
                              "key_file": self.folder / "shared.key"},
                        memcached={"servers": ", ".join(nodes)})
        return rig.Policyd(weir)

    def action(self, server, client, **attributes):
        with smtp.Policy(server.port) as policy:
            return policy.ask(client, **attributes)

    def assert_in_time(self, load, seconds):
        """Nobody waited longer than WAIT, but for what this machine was late, and hardly
        anybody waited at all."""
        self.assertEqual(load.broken, [])
        self.assertEqual({action for _, _, action in load.answers}, {"DUNNO"})
        self.assertLess(statistics.median(seconds), 0.010 + load.slack)
        self.assertLess(max(seconds), WAIT + 0.040 + load.lateness(), sorted(seconds)[-10:])

    def wait_until_whole(self, server):
        """Until decisions about any address lack nothing again."""
        def whole():
            with smtp.Policy(server.port) as policy:
                for number in range(30):
                    policy.ask(f"198.19.{time.monotonic_ns() % 256}.{number}")
            return not any("missing" in decision for decision in server.decisions()[-30:])
        rig.wait_for(whole, 30, "decisions with all counters")

    def test_B10_two_mail_servers_share_their_counters(self):
        self.mx1.weir.learn("spam", "203.0.113.9", "shop.example", 20)
        attributes = {"sender": "ann@shop.example"}
        for server in (self.mx1, self.mx2):
            rig.wait_for(lambda: self.action(server, "203.0.113.9", **attributes).startswith("550"),
                         what="the refusal")
        one, other = (server.weir.json("reputation", "203.0.113.9", "shop.example")
                      for server in (self.mx1, self.mx2))
        self.assertAlmostEqual(one["probability"], other["probability"], places=5)
        self.assertGreater(sum(node.items() for node in self.nodes), 5)

    def test_killed_node_delays_nobody_and_is_used_again_when_it_is_back(self):
        with self.load(self.mx1) as load:
            load.wait(200)
            self.nodes[0].kill()
            seconds = load.wait(1000)
            self.nodes[0].restart()
            seconds += load.wait(500)
        self.assert_in_time(load, seconds)
        self.wait_until_whole(self.mx1)

    def test_silent_node_delays_nobody_beyond_the_wait_and_is_used_again_when_it_speaks(self):
        with self.load(self.mx1) as load:
            load.wait(200)
            self.nodes[1].pause()
            seconds = load.wait(2000)
            self.nodes[1].resume()
            seconds += load.wait(500)
        self.assert_in_time(load, seconds)
        self.wait_until_whole(self.mx1)

    def test_node_that_is_restarted_again_and_again_delays_nobody(self):
        with self.load(self.mx1) as load:
            seconds = load.wait(200)
            for _ in range(4):
                self.nodes[2].kill()
                seconds += load.wait(150)
                self.nodes[2].restart()
                seconds += load.wait(150)
        self.assert_in_time(load, seconds)
        self.wait_until_whole(self.mx1)

    def test_A15_listed_address_is_refused_with_all_nodes_silent_then_gone(self):
        self.mx1.weir.ctl("blacklist", "add", LISTED, "--for", "1h", "--reason", "test")
        for trouble in ("pause", "kill"):
            for node in self.nodes:
                getattr(node, trouble)()
            with self.load(self.mx1) as load:
                seconds = load.wait(1000)
                self.assertRegex(self.action(self.mx1, LISTED), r"^550 5\.7\.1 ")
            self.assert_in_time(load, seconds)
            self.assertTrue(self.mx1.process.alive())

    def test_daemon_starts_with_one_node_silent_and_one_not_there(self):
        self.mx2.stop()
        self.nodes[0].pause()
        self.nodes[1].kill()
        self.mx2.restart()
        with self.load(self.mx2) as load:
            self.assert_in_time(load, load.wait(500))
        self.nodes[0].resume()
        self.nodes[1].restart()
        self.wait_until_whole(self.mx2)

    def test_status_names_the_node_that_is_down(self):
        self.nodes[1].kill()
        done = self.mx1.weir.ctl("status", "--json", check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(self.nodes[1].name, done.stdout)
        self.nodes[1].restart()

    def test_classification_with_a_silent_node_ends_in_time_and_says_what_was_lost(self):
        for node in self.nodes:
            node.process.send(signal.SIGSTOP)
        began = time.monotonic()
        done = self.mx1.weir.ctl("reputation", "add", "--verdict", "spam", "203.0.113.9",
                                 "shop.example", check=False)
        took = time.monotonic() - began
        for node in self.nodes:
            node.resume()
        self.assertNotEqual(done.returncode, 0)
        self.assertTrue(done.stderr)
        self.assertLess(took, 5)


if __name__ == "__main__":
    harness.main()

"""weir-agent keeps the kernel's table equal to what the monitor blacklisted, in a network
namespace of the test's own: who is blocked cannot reach ports 25, 465 and 587, and nobody and
nothing else is touched.
"""
import errno
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import monitor
import rig
import sniffing
from monitor import Monitor, Server

PORTS = (25, 465, 587)
OTHER = 2525


def setUpModule():
    sniffing.prepare()
    if not shutil.which("nft"):
        raise unittest.SkipTest("there is no nft")
    probe = subprocess.run(["nft", "add table inet weirprobe; delete table inet weirprobe"],
                           capture_output=True)
    if probe.returncode != 0:
        raise unittest.SkipTest("the kernel has no nftables here")
    subprocess.run(["ip", "addr", "add", "203.0.112.1/20", "dev", "lo"], check=True)
    subprocess.run(["ip", "addr", "add", "2001:db8::1/64", "dev", "lo", "nodad"], check=True)
    for last in range(2, 12):
        subprocess.run(["ip", "addr", "add", f"2001:db8:0:{last}::7/128", "dev", "lo", "nodad"],
                       check=True)


# libnftables but for one address, which it refuses.
REFUSING = r'''
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>
static void *real(const char *name)
{
    static void *library;
    if (!library)
        library = dlopen("%s", RTLD_NOW | RTLD_LOCAL);
    return dlsym(library, name);
}
void *nft_ctx_new(unsigned flags) { return ((void *(*)(unsigned))real("nft_ctx_new"))(flags); }
void nft_ctx_free(void *c) { ((void (*)(void *))real("nft_ctx_free"))(c); }
int nft_ctx_buffer_error(void *c) { return ((int (*)(void *))real("nft_ctx_buffer_error"))(c); }
const char *nft_ctx_get_error_buffer(void *c)
{
    return ((const char *(*)(void *))real("nft_ctx_get_error_buffer"))(c);
}
void nft_ctx_set_dry_run(void *c, bool dry)
{
    ((void (*)(void *, bool))real("nft_ctx_set_dry_run"))(c, dry);
}
int nft_run_cmd_from_buffer(void *c, const char *text)
{
    if (strstr(text, "{ 203.0.112.3 "))
        return -1;
    return ((int (*)(void *, const char *))real("nft_run_cmd_from_buffer"))(c, text);
}
'''


def refusing_library(folder):
    """A folder with a libnftables that refuses 203.0.112.3."""
    known = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    real = re.search(r"libnftables\.so\.1 .*=> (\S+)", known).group(1)
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o",
                    folder / "libnftables.so.1", "-ldl"], input=REFUSING % real, text=True,
                   check=True)
    return folder


def nft(*words):
    done = subprocess.run(["nft", "-j", *words], capture_output=True, text=True)
    return json.loads(done.stdout)["nftables"] if done.returncode == 0 else None


class Firewall(unittest.TestCase):
    verdict, mode = "reject", "enforce"

    @classmethod
    def setUpClass(cls):
        cls.listening = []
        for port in (*PORTS, OTHER):
            for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
                listener = socket.socket(family)
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind((host, port))
                listener.listen(100)
                cls.listening.append(listener)

    @classmethod
    def tearDownClass(cls):
        for listener in cls.listening:
            listener.close()

    def setUp(self):
        folder = rig.scratch()
        self.monitor = Monitor(folder)
        self.addCleanup(self.monitor.stop)
        self.server = Server(folder, self.monitor, "mx1", start=False, weir={"mode": self.mode},
                             agent={"nftables": self.verdict})
        self.addCleanup(self.clear)

    def start(self):
        self.server.start()
        self.addCleanup(self.server.stop)

    def clear(self):
        return subprocess.run([rig.BUILD / "weir-agent", "--clear-nftables"],
                              capture_output=True, text=True)

    def block(self, prefix, seconds=3600, defer=False):
        self.monitor.ask("block", list="blacklist", prefix=prefix, ends=int(time.time()) + seconds,
                         defer=defer, reason="too much")

    def reaches(self, source, port=25):
        """Whether somebody gets through from there; "refused" or "silence" otherwise."""
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        host = "2001:db8::1" if ":" in source else "198.51.100.1"
        with socket.socket(family) as link:
            link.settimeout(0.5)
            link.bind((source, 0))
            try:
                link.connect((host, port))
            except socket.timeout:
                return "silence"
            except OSError as error:
                self.assertEqual(error.errno, errno.ECONNREFUSED)
                return "refused"
            return "yes"

    def elements(self):
        """By set: its elements."""
        found = {}
        for part in nft("list", "table", "inet", "weir") or []:
            if "set" in part:
                found[part["set"]["name"]] = sorted(
                    element["elem"]["val"] if isinstance(element, dict) else element
                    for element in part["set"].get("elem", []))
        return found


class Reject(Firewall):
    how = "refused"

    def test_who_is_blocked_does_not_reach_the_mail_ports_and_all_else_is_as_it_was(self):
        self.block("203.0.112.5")
        self.block("203.0.119.0/24")
        self.block("2001:db8:0:2::/64")
        self.block("2001:db8:0:3::7")
        self.block("203.0.112.8", defer=True)  # the mail server says that better
        self.server.weir.ctl("accept", "add", "203.0.119.9", "--reason", "ours")
        self.server.weir.ctl("blacklist", "add", "203.0.112.6", "--reason", "an operator's")
        before = nft("list", "ruleset")
        self.start()
        rig.wait_for(lambda: "203.0.112.5" in self.elements().get("blocked4", []))
        for source in ("203.0.112.5", "203.0.119.1", "203.0.119.200", "2001:db8:0:2::7",
                       "2001:db8:0:3::7"):
            self.assertEqual([self.reaches(source, port) for port in PORTS], [self.how] * 3)
            self.assertEqual(self.reaches(source, OTHER), "yes")
        for source in ("203.0.112.4", "203.0.112.6", "203.0.112.8", "203.0.119.9", "203.0.120.1",
                       "2001:db8:0:4::7"):
            self.assertEqual([self.reaches(source, port) for port in PORTS], ["yes"] * 3,
                             source)
        self.assertEqual(self.elements(), {
            "blocked4": ["203.0.112.5"], "blocked4_24": ["203.0.119.0"],
            "blocked6": ["2001:db8:0:3::7"], "blocked6_64": ["2001:db8:0:2::"],
            "spared4": ["203.0.119.9"]})
        self.assertEqual(self.clear().returncode, 0)
        self.assertEqual(nft("list", "ruleset"), before)


class Drop(Reject):
    verdict, how = "drop", "silence"

    def test_what_is_acceptable_now_or_unblocked_is_let_in_again(self):
        self.block("203.0.112.5")
        self.block("203.0.113.0/24")
        self.start()
        rig.wait_for(lambda: len(self.elements().get("blocked4", [])) == 1)
        self.monitor.ask("undo", prefix="203.0.112.5")
        rig.wait_for(lambda: not self.elements()["blocked4"], 3)  # at once
        self.assertEqual(self.reaches("203.0.112.5"), "yes")
        self.server.weir.ctl("accept", "add", "203.0.112.0/23", "--reason", "ours")
        rig.wait_for(lambda: self.elements() == {"blocked4": [], "blocked6": []}, 15)
        self.assertEqual(self.reaches("203.0.113.7"), "yes")

    def test_a_table_that_somebody_took_away_comes_back(self):
        self.server.weir.configure(agent={"whole": "3s"})  # else within a minute
        self.block("203.0.112.5")
        self.start()
        rig.wait_for(lambda: "203.0.112.5" in self.elements().get("blocked4", []))
        subprocess.run(["nft", "flush", "ruleset"], check=True)
        self.assertEqual(self.reaches("203.0.112.5"), "yes")
        rig.wait_for(lambda: "203.0.112.5" in self.elements().get("blocked4", []))

    def test_elements_end_by_themselves_with_the_agent_gone(self):
        self.block("203.0.112.5", 5)
        self.server.start()
        rig.wait_for(lambda: "203.0.112.5" in self.elements().get("blocked4", []))
        self.server.kill()
        time.sleep(5.2)
        self.assertEqual(self.reaches("203.0.112.5"), "yes")


    def test_an_end_beyond_what_the_kernel_takes_stops_nobodys_block(self):
        for number, days in enumerate((1, 3000, 36500, 2)):
            self.block(f"203.0.112.{number + 2}", days * 86400)
        self.block("203.0.113.0/24", 3000 * 86400)
        self.start()
        rig.wait_for(lambda: self.elements() == {
            "blocked4": [f"203.0.112.{number}" for number in range(2, 6)],
            "blocked4_24": ["203.0.113.0"], "blocked6": []})
        self.assertEqual({self.reaches(f"203.0.112.{number}") for number in range(2, 6)},
                         {self.how})
        self.assertNotIn("the kernel refuses", self.server.log())


    def test_an_entry_that_the_kernel_refuses_stops_no_other(self):
        library = refusing_library(rig.scratch())
        self.server.process.environment = {**monitor.PLAIN, "LD_LIBRARY_PATH": str(library)}
        for number in range(2, 12):
            self.block(f"203.0.112.{number}")
        self.start()
        others = {f"203.0.112.{number}" for number in range(2, 12)} - {"203.0.112.3"}
        rig.wait_for(lambda: set(self.elements().get("blocked4", [])) == others)
        self.assertEqual(self.reaches("203.0.112.4"), self.how)
        rig.wait_for(lambda: "nftables: 1 entries that the kernel refuses" in self.server.log())
        self.monitor.ask("undo", prefix="203.0.112.5")
        rig.wait_for(lambda: set(self.elements()["blocked4"]) == others - {"203.0.112.5"})


class Observe(Firewall):
    mode = "observe"

    def test_in_mode_observe_nobody_is_blocked(self):
        self.block("203.0.112.5")
        self.start()
        rig.wait_for(lambda: self.server.entry("blacklist", "203.0.112.5"))
        rig.wait_for(lambda: self.elements() == {"blocked4": [], "blocked6": []})
        self.assertEqual(self.reaches("203.0.112.5"), "yes")


class Off(Firewall):
    verdict = "no"

    def test_without_it_there_is_no_table(self):
        self.block("203.0.112.5")
        self.start()
        rig.wait_for(lambda: self.server.entry("blacklist", "203.0.112.5"))
        self.assertEqual(self.elements(), {})
        self.assertEqual(self.clear().returncode, 0)  # nothing to be taken away


if __name__ == "__main__":
    harness.main()

"""The Debian package: what it holds works from where it was unpacked, and goes when it goes."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness
import rig

HOLDS = ("usr/sbin/weir-policyd", "usr/sbin/weir-milter", "usr/bin/weirctl",
         "usr/lib/weir/weir-exim.so", "usr/sbin/weir-sniffer",
         "lib/systemd/system/weir-sniffer.service", "usr/share/man/man8/weir-sniffer.8",
         "etc/weir/weir.conf", "etc/weir/rules/10-starter.rules",
         "lib/systemd/system/weir-policyd.service", "lib/systemd/system/weir-milter.service",
         "lib/systemd/system/weir-metrics.service", "usr/share/man/man8/weir-metrics.8",
         "usr/share/man/man8/weir-milter.8", "usr/share/man/man8/weir-exim.8",
         "usr/lib/weir/reports/weir-report", "usr/lib/weir/reports/report-ham.sieve",
         "usr/lib/weir/reports/report-spam.sieve",
         "usr/share/man/man1/weirctl.1", "usr/share/man/man5/weir.conf.5")


# Takes the package away step by step, as dpkg does, in a file system and a network of its own; what
# is there is printed after each step.
REMOVAL = r"""
for place in /etc /var/lib /run; do mount -t tmpfs weir $place; done
mkdir -p /etc/weir/rules /var/lib/weir/spool /run/weir
echo secret >/etc/weir/agent.identity
echo state >/var/lib/weir/spam.db
nft add table inet weir
nft add table inet other
look() {
    echo "$1:" $(nft list tables | grep -c 'inet weir$') \
        $(nft list tables | grep -c 'inet other$') \
        $(ls -d /etc/weir/agent.identity /var/lib/weir/spam.db /run/weir /etc/weir 2>/dev/null)
}
look "there"
"$control/prerm" upgrade 9.9 && look "upgraded"
"$control/prerm" remove && look "removed"
"$control/prerm" remove && look "removed again"
"$control/postrm" remove && look "really"
touch /etc/weir/own.conf
"$control/postrm" purge && look "purged"
rm /etc/weir/own.conf
"$control/postrm" purge && look "purged again"
"""
FILES = "/etc/weir /etc/weir/agent.identity /run/weir /var/lib/weir/spam.db"


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        done = subprocess.run(["make", "-s", "deb"], cwd=rig.TOP, capture_output=True, text=True,
                              timeout=300)
        if done.returncode != 0:
            raise rig.Trouble(f"make deb: {done.stderr[-2000:]}")
        cls.package = max((rig.TOP / "build").glob("weir_*.deb"), key=lambda p: p.stat().st_mtime)
        cls.root = rig.scratch()
        subprocess.run(["dpkg-deb", "-x", cls.package, cls.root], check=True)
        subprocess.run(["dpkg-deb", "-e", cls.package, cls.root / "control"], check=True)

    def test_what_it_made_goes_with_it(self):
        if os.geteuid() != 0 or not shutil.which("nft"):
            self.skipTest("only root can try that, with nft")
        probe = subprocess.run(["unshare", "--mount", "--net", "nft", "add table inet weirprobe"],
                               capture_output=True)
        if probe.returncode != 0:
            self.skipTest("no namespaces, or no nftables in the kernel")
        done = subprocess.run(
            ["unshare", "--mount", "--net", "sh", "-eu", "-c", REMOVAL], capture_output=True,
            text=True, timeout=60,
            env={"PATH": f"{self.root}/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
                 "control": str(self.root / "control")})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.split("\n"), [
            f"there: 1 1 {FILES}", f"upgraded: 1 1 {FILES}", f"removed: 0 1 {FILES}",
            f"removed again: 0 1 {FILES}", f"really: 0 1 {FILES}", "purged: 0 1 /etc/weir",
            "purged again: 0 1", ""])

    def field(self, name):
        return subprocess.run(["dpkg-deb", "-f", self.package, name], capture_output=True,
                              text=True, check=True).stdout

    def test_it_holds_programs_module_manuals_units_and_rules(self):
        self.assertEqual([name for name in HOLDS if not (self.root / name).exists()], [])

    def test_it_depends_on_every_library_its_programs_are_linked_with(self):
        depends = {re.split(r"[ (]", one.strip())[0] for one in self.field("Depends").split(",")}
        for name in HOLDS[:5]:
            done = subprocess.run(["ldd", self.root / name], capture_output=True, text=True,
                                  check=True)
            wanted = subprocess.run(["objdump", "-p", self.root / name], capture_output=True,
                                    text=True, check=True).stdout
            direct = set(re.findall(r"NEEDED\s+(\S+)", wanted))  # they bring theirs
            for library in re.findall(r"=> (/\S+)", done.stdout):
                if pathlib.Path(library).name not in direct:
                    continue
                real = pathlib.Path(library).resolve()
                owners = subprocess.run(["dpkg", "-S", f"*/{real.name}"], capture_output=True,
                                        text=True, check=True).stdout
                packages = {line.split(":")[0] for line in owners.split("\n") if line}
                self.assertTrue(packages & depends, f"{name} needs {real.name} of {packages}")

    def test_C35_the_tools_of_the_package_tell_a_good_and_a_bad_address_of_one_domain_apart(self):
        weir = rig.Weir(self.root, "state")
        rules = self.root / "etc/weir/rules"
        weir.configure(rules={"folder": rules})
        mail = self.root / "mail.eml"
        mail.write_text("From: <a@shop.example>\nTo: <u@test.example>\nSubject: x\n\nHello.\n")

        def run(*words):
            done = subprocess.run([self.root / "usr/bin/weirctl", "-c", weir.conf, *words],
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout

        run("rules", "load")
        for verdict, address in (("good", "198.51.100.20"), ("spam", "203.0.113.7")):
            run("reputation", "add", "--verdict", verdict, "--count", "20", address, "shop.example")
        self.assertIn(": ham ", run("check", "--client-address", "198.51.100.20", str(mail)))
        self.assertIn(": spam ", run("check", "--client-address", "203.0.113.7", str(mail)))


if __name__ == "__main__":
    harness.main()

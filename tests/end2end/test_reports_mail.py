#!/usr/bin/env python3
"""Reports as mail servers hand them in: an alias of a real Postfix, one of a real Exim, and folders
of a real Dovecot (its IMAP, run by hand), wired as the manual says."""
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import exim
import harness
import postfix
import rig
import smtp
from test_reports import Base, letter

CTL = pathlib.Path(__file__).resolve().parents[2] / "monitor" / "ctl"
DOVECOT = ("dovecot-core", "dovecot-imapd", "dovecot-sieve")

ROUTER = """\
begin routers
weir_reports:
  driver = accept
  domains = test.example
  local_parts = spam : ham
  transport = weir_report
"""
TRANSPORT = """\
begin transports
weir_report:
  driver = pipe
  command = {program} $local_part_data
  user = {account}
  group = {account}
  path = {bin}:/usr/bin:/bin
"""
IMAP = """\
base_dir = {folder}/run
mail_location = maildir:{folder}/mailboxes
ssl = no
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 1
first_valid_gid = 1
namespace inbox {{
  inbox = yes
  separator = {separator}
  mailbox "Away with it" {{
    special_use = \\Trash
  }}
}}
protocol imap {{
  mail_plugins = $mail_plugins imap_sieve
}}
plugin {{
  sieve = file:{folder}/none.sieve
  sieve_plugins = sieve_imapsieve sieve_extprograms
  sieve_global_extensions = +vnd.dovecot.pipe +special-use
  sieve_pipe_bin_dir = {folder}/reports
  imapsieve_mailbox1_name = Junk
  imapsieve_mailbox1_causes = COPY APPEND
  imapsieve_mailbox1_before = file:{folder}/reports/report-spam.sieve
  imapsieve_mailbox2_name = *
  imapsieve_mailbox2_from = Junk
  imapsieve_mailbox2_causes = COPY
  imapsieve_mailbox2_before = file:{folder}/reports/report-ham.sieve
}}
"""
# Dovecot looks for its own parts where its packages put them: in a view of /usr of its own.
VIEW = """\
mount -t overlay overlay -o lowerdir={lower}:/usr /usr
export LD_LIBRARY_PATH=/usr/lib/dovecot
for script in {folder}/reports/*.sieve; do sievec -c {folder}/dovecot.conf $script; done
chown -R {uid}:{gid} {folder}
cat {folder}/dialogue - </dev/null |
    USER=carol HOME={folder} setpriv --reuid={uid} --regid={gid} --clear-groups \
    /usr/lib/dovecot/imap -c {folder}/dovecot.conf
"""


class Mail(Base):
    """A server whose mail is reported by programs of other users."""

    def setUp(self):
        super().setUp()
        rig.needs_root()
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        program = self.bin / "weirctl"
        program.write_text(f'#!/bin/sh\nexec {rig.BUILD}/weirctl -c {self.mx1.weir.conf} "$@"\n')
        program.chmod(0o755)

    def open_to(self, account):
        """What being in the group weir is otherwise."""
        subprocess.run(["chown", "-R", f"{account}:", self.mx1.weir.folder], check=True)
        for folder in (self.folder, self.mx1.weir.folder):
            folder.chmod(0o755)

    def reporters(self):
        return [(row["user"], row["report"], row["state"], row["way"], row["came"])
                for row in self.reports()["reports"]]

    def test_B33_postfix_hands_in_what_is_mailed_to_an_alias_and_tries_again(self):
        mail = self.judge()
        server = postfix.PrivatePostfix(
            self.folder, extra="transport_maps = inline:{ham@test.example=weir-ham:}\n"
            "weir-ham_destination_recipient_limit = 1")
        master = server.folder / "etc" / "master.cf"
        master.write_text(master.read_text() + "pickup unix n - n 60 1 pickup\n"
                          "weir-ham unix - n n - 2 pipe\n"
                          f"    user={exim.ACCOUNT} argv={self.bin}/weirctl report ham\n"
                          "    --what attached --user=${sender}\n")
        exim.make_account()  # the user weir of this test: Postfix refuses to run it as its own
        self.open_to(exim.ACCOUNT)
        key = self.mx1.weir.folder / "info.key"
        key.rename(key.with_suffix(".away"))
        server.start()
        self.addCleanup(server.stop)
        smtp.send(server.port, "127.0.0.1", sender="carol@test.example",
                  recipients=("ham@test.example",), content=letter(("message/rfc822", mail)))
        rig.wait_for(lambda: "status=deferred" in server.maillog(), 20, "it to be tried again")
        self.assertEqual((self.reporters(), server.queued()), ([], 1))
        key.with_suffix(".away").rename(key)
        server.run("flush")
        rig.wait_for(self.reporters, 20, f"a report; {server.maillog()[-2000:]}")
        self.assertEqual(self.reporters(),
                         [("carol@test.example", "ham", "valid", "attached", "counted")])
        rig.wait_for(lambda: server.queued() == 0, 10, "the queue to be empty")
        self.assertNotIn("status=bounced", server.maillog())

    def test_B33_exim_hands_in_what_is_mailed_to_an_alias(self):
        mail = self.judge()
        server = exim.PrivateExim(self.folder)
        text = server.conf.read_text()
        text = text.replace("begin routers\n", ROUTER).replace(
            "begin transports\n", TRANSPORT.format(program=CTL / "weir-report.sh", bin=self.bin,
                                                   account=exim.ACCOUNT))
        server.conf.write_text(text)
        self.open_to(exim.ACCOUNT)
        server.start()
        self.addCleanup(server.stop)
        exim.send(server.port, sender="dave@test.example", recipients=("spam@test.example",),
                  content=letter(("message/rfc822", mail)))
        rig.wait_for(self.reporters, 20, f"a report; {server.mainlog()[-2000:]}")
        self.assertEqual(self.reporters(),
                         [("dave@test.example", "spam", "valid", "attached", "counted")])

    def dovecot(self, dialogue, separator="/"):
        """What its IMAP answers to a user who is let in already."""
        lower = [str(rig.RIG / name / "usr") for name in DOVECOT]
        if not all(pathlib.Path(path).exists() for path in lower):
            self.skipTest("Dovecot is not unpacked: run tests/end2end/deps.sh --test")
        account = rig.account(rig.OWNER)
        folder = self.folder / "dovecot"
        (folder / "reports").mkdir(parents=True)
        for script in CTL.glob("*.sieve"):
            (folder / "reports" / script.name).write_bytes(script.read_bytes())
        program = folder / "reports" / "weir-report"
        program.write_text(f'#!/bin/sh\nPATH={self.bin}:$PATH exec {CTL}/weir-report.sh "$@"\n')
        program.chmod(0o755)
        words = {"folder": folder, "separator": separator, "uid": account.pw_uid,
                 "gid": account.pw_gid, "lower": ":".join(lower)}
        (folder / "dovecot.conf").write_text(IMAP.format(**words))
        (folder / "dialogue").write_bytes(dialogue)
        self.open_to(rig.OWNER)
        probe = subprocess.run(["unshare", "--mount", "mount", "-t", "overlay", "overlay", "-o",
                                f"lowerdir={lower[0]}:/usr", "/usr"], capture_output=True,
                               check=False)
        if probe.returncode != 0:
            self.skipTest("no overlay file systems here: Dovecot cannot be run beside")
        done = subprocess.run(["unshare", "--mount", "sh", "-eu", "-c", VIEW.format(**words)],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotRegex(done.stderr, "Error|Warning|Fatal|Panic")
        return done.stdout

    def out_of_junk(self, *folders, **more):
        """Copies a mail out of Junk into folders; what was reported of it, as the spool has it:
        programs have ended when IMAP answers, and no agent takes files away."""
        self.mx1.kill()
        mail = self.judge()
        words = [b"a1 CREATE Junk", *(b"a2 CREATE \"%s\"" % name for name in folders),
                 b"a3 APPEND Junk {%d+}\r\n" % len(mail) + mail, b"a4 SELECT Junk",
                 *(b"a5 COPY 1 \"%s\"" % name for name in folders)]
        answers = self.dovecot(b"\r\n".join([*words, b"z LOGOUT", b""]), **more)
        self.assertEqual(len(re.findall(r"(?m)^a\d OK ", answers)), len(words), answers)
        return sorted(found for path in self.mx1.spool.glob("report-*")
                      for found in re.findall(r"(?m) report=(\w+) .* user=carol ",
                                              path.read_text()))

    def test_B33_into_junk_is_a_report_and_throwing_away_in_any_language_is_none(self):
        self.assertEqual(self.out_of_junk(
            b"Trash", b"Archive/Trash", b"trash", b"Mail/Papierkorb", b"Corbeille", b"Mail/Bin",
            b"Gel&APY-schte Elemente", b"Mail/Deleted Items", b"Away with it", b"Junk/2026",
            b"Mail/Junk/old"), ["spam"])

    def test_B33_throwing_away_is_none_where_folders_are_apart_by_dots(self):
        self.assertEqual(self.out_of_junk(
            b"Mail.Trash", b"Papierkorb", b"Mail.Corbeille", b"Junk.2026", b"Mail.Junk.old",
            separator="."), ["spam"])

    def test_B33_what_only_sounds_like_it_is_a_folder_like_others(self):
        self.assertEqual(self.out_of_junk(b"Robin", b"Trashy"), ["ham", "ham", "spam"])

    def test_B33_out_of_junk_is_ham(self):
        mail = self.judge()
        words = [b"a CREATE Junk", b"d APPEND Junk {%d+}\r\n" % len(mail) + mail, b"g SELECT Junk",
                 b"h MOVE 1 INBOX", b"z LOGOUT", b""]
        self.assertIn("h OK ", self.dovecot(b"\r\n".join(words)))
        self.wait_until_came({"counted": 1, "replaced": 1})
        self.assertEqual(self.reporters(), [("carol", "ham", "valid", "itself", "replaced")])


if __name__ == "__main__":
    harness.main()

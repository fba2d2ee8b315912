"""postfix - a private Postfix in a temporary folder.

It runs beside whatever mail server the machine has: own configuration, queue,
mailboxes and log, an own port on 127.0.0.1, and two accounts of its own, made
when they are missing.  Every address at test.example is one mailbox; mail to
anywhere else is thrown away.  DNS is never asked.  Clients on 127.0.0.0/8 may
play any other client with XCLIENT.
"""
import os
import shutil
import subprocess
import time

import rig

DOMAIN = "test.example"

# What asks a policy service, by the list of restrictions it stands in.
LISTS = ("client", "helo", "sender", "recipient", "data", "end_of_data")

MAIN = """\
compatibility_level = 3.6
command_directory = {root}/usr/sbin
daemon_directory = {root}/usr/lib/postfix/sbin
shlib_directory = {root}/usr/lib/postfix
sendmail_path = {root}/usr/sbin/sendmail
newaliases_path = {root}/usr/sbin/sendmail
mailq_path = {root}/usr/sbin/sendmail
meta_directory = {folder}/meta
queue_directory = {folder}/spool
data_directory = {folder}/data
mail_owner = {owner}
setgid_group = {drop}
# Debian's binaries look for their libraries where the package would have put them
import_environment = MAIL_CONFIG MAIL_LOGTAG TZ LANG=C LD_LIBRARY_PATH={root}/usr/lib/postfix
maillog_file_prefixes = {folder}
maillog_file = {folder}/maillog
inet_interfaces = {interfaces}
inet_protocols = {protocols}
myhostname = mx.test.example
mydomain = test.example
myorigin = test.example
mydestination =
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = test.example
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:box/
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
alias_maps =
alias_database =
local_recipient_maps =
default_transport = discard:
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
smtputf8_enable = no
biff = no
smtpd_banner = $myhostname ESMTP
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_client_connection_count_limit = 0
smtpd_client_event_limit_exceptions = static:all
smtpd_error_sleep_time = 0
smtpd_hard_error_limit = 1000
smtpd_delay_reject = {delay_reject}
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
{restrictions}
{extra}
"""

MASTER = """\
{port}    inet  n - n - 100 smtpd
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""


def recommended(service):
    """The policy service as README.md tells to wire it: silence or loss of it never stops mail.

    Not with try_limit=1: then a session that is open while the daemon is restarted is
    waved through to its end."""
    return f"{{ {service}, timeout=2s, default_action=DUNNO }}"


def make_accounts():
    """The two accounts of the private Postfix; nothing else may own its files."""
    rig.group(rig.DROP)
    return rig.account(rig.OWNER)


class PrivatePostfix:
    """service: the policy service as one writes it behind check_policy_service; at: the
    restriction lists that ask it.  extra: more lines for main.cf; interfaces: where it listens."""

    def __init__(self, folder, service=None, at=("recipient",), delay_reject=True, port=None,
                 ipv6=False, extra="", before="", interfaces="127.0.0.1"):
        self.folder, self.port = folder / "postfix", port or rig.free_port()
        self.root = rig.RIG / "postfix"
        rig.unpacked("postfix", "usr/lib/postfix/sbin/master")
        account = make_accounts()
        for name in ("etc", "meta/dynamicmaps.cf.d", "meta/postfix-files.d", "spool", "data",
                     "mail"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for name in ("mail", "data"):
            os.chown(self.folder / name, account.pw_uid, account.pw_gid)
        shutil.copy(self.root / "etc/postfix/postfix-files", self.folder / "meta")
        (self.folder / "meta/dynamicmaps.cf").touch()
        self.settings = {
            "root": self.root, "folder": self.folder, "owner": rig.OWNER, "drop": rig.DROP,
            "uid": account.pw_uid, "gid": account.pw_gid,
            "protocols": "all" if ipv6 else "ipv4", "extra": extra,
            "interfaces": interfaces}
        self.environment = {
            "PATH": f"{self.root}/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C",
            "MAIL_CONFIG": f"{self.folder}/etc", "LD_LIBRARY_PATH": f"{self.root}/usr/lib/postfix"}
        self.configure(service, at, delay_reject, before)
        # on SIGTERM master ends all its children; they are in its process group
        master = [self.root / "usr/lib/postfix/sbin/master", "-s", "-c", self.folder / "etc"]
        self.process = rig.Process(master, self.folder / "master.log", self.folder,
                                   self.environment)

    def configure(self, service=None, at=("recipient",), delay_reject=True, before=""):
        """Writes main.cf and master.cf; takes effect at the next start or reload."""
        lines = []
        for name in LISTS:
            if service and name in at:
                first = f"{before}, " if before and name == "recipient" else ""
                lines.append(f"smtpd_{name}_restrictions = {first}check_policy_service {service}")
        main = MAIN.format(**self.settings, delay_reject="yes" if delay_reject else "no",
                           restrictions="\n".join(lines))
        (self.folder / "etc/main.cf").write_text(main)
        (self.folder / "etc/master.cf").write_text(MASTER.format(port=self.port))

    def run(self, *command):
        done = subprocess.run(["postfix", "-c", self.folder / "etc", *command], cwd="/",
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              executable=self.root / "usr/sbin/postfix", env=self.environment)
        if done.returncode != 0:
            raise rig.Trouble(f"postfix {' '.join(command)}: {done.stderr}{self.maillog()[-2000:]}")

    def start(self):
        self.run("check")  # makes the queue's folders
        self.process.start()
        self.process.ready(lambda: rig.accepts(self.port))
        return self

    def stop(self):
        if self.process.alive():
            self.process.stop()

    def reload(self):
        self.run("reload")

    def maillog(self):
        path = self.folder / "maillog"
        return path.read_text(errors="replace") if path.exists() else ""

    def complaints(self):
        """What Postfix found wrong with the policy service, or with anything else at work."""
        marks = ("warning:", "error:", "fatal:", "panic:", "Server configuration")
        # its start script finds the unpacked files not owned as an installed Postfix has them
        return [line for line in self.maillog().split("\n")
                if any(mark in line for mark in marks) and "postfix-script" not in line]

    def mails(self):
        """All mail that was delivered, as bytes."""
        box = self.folder / "mail" / "box" / "new"
        return [path.read_bytes() for path in sorted(box.glob("*"))] if box.exists() else []

    def wait_mails(self, count, seconds=20.0):
        """Waits until so many mails are delivered, and gives them all."""
        box = self.folder / "mail" / "box" / "new"

        def there():
            return box.exists() and len(list(box.iterdir())) >= count
        rig.wait_for(there, seconds, f"{count} mails to be delivered")
        return self.mails()

    def queued(self):
        """How many messages Postfix still has."""
        spool = self.folder / "spool"
        return sum(len(files) for name in ("incoming", "active", "deferred", "maildrop")
                   for _, _, files in os.walk(spool / name))

    def wait_idle(self, seconds=30.0):
        """Waits until everything Postfix took is delivered, and logged: lines come in order."""
        rig.wait_for(lambda: self.queued() == 0, seconds, "Postfix to deliver its queue")
        mark = f"idle at {time.monotonic_ns()}"
        subprocess.run([self.root / "usr/sbin/postlog", "-t", "weir-test", mark], cwd="/",
                       check=True, capture_output=True, timeout=seconds, env=self.environment)
        rig.wait_for(lambda: mark in self.maillog(), seconds, "Postfix to write its log")


class MailServer:
    """A Postfix that asks a weir-policyd with stores of its own, in a folder of its own.

    mode, at and delay_reject as in weir.conf and main.cf; sections: more of weir.conf.
    wiring: how the policy service is written, given its address.  lists: whether lists.db
    is there from the start.  beside: called with the Weir before Postfix starts; starts what else
    Postfix is to ask and gives the lines of main.cf for it."""

    def __init__(self, mode="enforce", at=("recipient",), delay_reject=True, wiring=recommended,
                 ipv6=False, extra="", port=None, lists=True, beside=None, **sections):
        self.folder = rig.scratch()
        self.weir = rig.Weir(self.folder, **sections)
        self.weir.configure(weir={"mode": mode})
        if lists:
            self.weir.make_lists()
        self.policyd = rig.Policyd(self.weir)
        if beside:
            extra += "\n" + beside(self.weir)
        self.postfix = PrivatePostfix(self.folder, wiring(self.policyd.service), at, delay_reject,
                                      port, ipv6, extra)
        self.postfix.start()

    def close(self):
        self.postfix.stop()
        status = self.policyd.stop()
        if status != 0:
            raise rig.Trouble(f"weir-policyd ended with {status}: {self.policyd.log()[-3000:]}")

    def decision(self, **wanted):
        """The last decision that was logged with these values, once there is one."""
        def find():
            found = [line for line in self.policyd.decisions()
                     if all(line.get(key) == value for key, value in wanted.items())]
            return found[-1] if found else None
        return rig.wait_for(find, what=f"a decision with {wanted} in the log")

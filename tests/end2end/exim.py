"""exim - a private Exim, Debian's light or heavy build, in a temporary folder.

It runs beside whatever mail server the machine has: own configuration, spool,
mailboxes and log, an own port on 127.0.0.1, as the account that Debian's build insists
on, made when it is missing.  Every address at test.example is one mailbox; mail to
anywhere else is thrown away.  DNS is never asked.

Clients: on 127.0.0.0/8 each address is a client of its own (Session);
session_from() plays one from any address at all, through standard input.
"""
import os
import re
import socket
import subprocess

import rig
import smtp

DOMAIN = "test.example"
ACCOUNT = "Debian-exim"  # compiled in: without it the program does not start
BUILDS = ("light", "heavy")

CONFIGURATION = """\
exim_path = {program}
keep_environment =
primary_hostname = mx.test.example
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/run/exim.pid
daemon_startup_retries = 0
local_interfaces = {interfaces}
daemon_smtp_ports = {port}
disable_ipv6
tls_advertise_hosts = {tls}
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 200
smtp_accept_queue_per_connection = 0
message_logs = false
log_selector = +pid +smtp_connection {log}
trusted_users = root
acl_smtp_connect = acl_connect
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_data
acl_not_smtp_start = acl_local
# deliveries run as Exim's own user: nothing here is root's
deliver_drop_privilege = true
queue_only = {queue_only}
{scan}
{extra}
begin acl
acl_local:
  accept set acl_c_weir_config = {conf}
acl_connect:
  warn set acl_c_weir_config = {conf}
{connect}
  accept
acl_rcpt:
{recipient}
  accept domains = {domain}
  accept hosts = : 127.0.0.0/8 : 192.0.2.0/24 : 198.51.100.0/24
  deny message = relay not permitted
acl_data:
{data}
  accept
begin routers
box:
  driver = accept
  domains = {domain}
  transport = maildir
away:
  driver = accept
  transport = away
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = {folder}/mail/box
  create_directory
  envelope_to_add
  return_path_add
  user = {account}
away:
  driver = appendfile
  file = /dev/null
  user = {account}
begin retry
* * F,1h,15m
"""


def make_account():
    """Exim's user and group."""
    return rig.account(ACCOUNT)


def module():
    """The module that was built."""
    path = rig.BUILD / "weir-exim.so"
    if not path.exists():
        raise rig.Trouble(f"{path} is not there: run make")
    return path


def hand_over(*paths):
    """Gives files and folders, and all in them, to Exim's account: it is never root."""
    account = make_account()
    for path in paths:
        os.chown(path, account.pw_uid, account.pw_gid)
        for folder, folders, files in os.walk(path):
            for name in folders + files:
                os.chown(os.path.join(folder, name), account.pw_uid, account.pw_gid)


class PrivateExim:
    """build: light or heavy.  weir: a rig.Weir whose configuration the module reads; None: no
    module is loaded.  timeout: local_scan_timeout.  connect, recipient, data: lines for these
    ACLs; extra: for the main part.  tls: to whom STARTTLS is offered; log: further selectors;
    interfaces: where it listens."""

    def __init__(self, folder, build="light", weir=None, timeout="5m", connect="", recipient="",
                 data="", extra="", queue_only=False, conf=None, tls="", log="", port=None,
                 interfaces="127.0.0.1"):
        self.folder, self.port = folder / f"exim-{build}", port or rig.free_port()
        self.build = build
        self.program = rig.unpacked(f"exim4-daemon-{build}", "usr/sbin/exim4")
        self.account = make_account()
        for name in ("spool/input", "spool/msglog", "spool/db", "log", "mail", "run"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        hand_over(self.folder)
        scan = f"local_scan_path = {module()}\nlocal_scan_timeout = {timeout}" if weir else ""
        self.settings = {
            "program": self.program, "folder": self.folder, "port": self.port, "scan": scan,
            "account": ACCOUNT, "domain": DOMAIN, "extra": extra, "connect": connect,
            "recipient": recipient, "data": data, "tls": tls, "log": log,
            "queue_only": str(queue_only).lower(), "conf": conf or (weir.conf if weir else ""),
            "interfaces": interfaces}
        self.configure()
        self.process = rig.Process([self.program, "-C", self.conf, "-bdf"],
                                   self.folder / "exim.out", self.folder)

    @property
    def conf(self):
        return self.folder / "exim.conf"

    def configure(self, **settings):
        """Writes the configuration; a daemon takes it at the next start or hang_up()."""
        self.settings.update(settings)
        self.conf.write_text(CONFIGURATION.format(**self.settings))
        self.conf.chmod(0o644)
        os.chown(self.conf, 0, 0)  # it refuses any other owner

    def start(self):
        self.process.start()
        self.process.ready(lambda: rig.accepts(self.port))
        return self

    def stop(self):
        if self.process.alive():
            self.process.stop(seconds=20)

    def hang_up(self):
        """SIGHUP: the daemon starts itself anew, with the same number."""
        before = self.mainlog().count("daemon started")
        self.process.send(rig.signal.SIGHUP)
        rig.wait_for(lambda: self.mainlog().count("daemon started") > before, 10,
                     "Exim to have started itself anew")
        rig.wait_for(lambda: rig.accepts(self.port), 10, "Exim to listen again")

    def run(self, *options, text="", seconds=60):
        """Runs the program once; the finished process, with bytes for what was said."""
        command = [str(word) for word in (self.program, "-C", self.conf, *options)]
        return subprocess.run(command, input=text if isinstance(text, bytes) else text.encode(),
                              capture_output=True, timeout=seconds, cwd="/")

    def submit(self, content, *recipients, sender="root@test.example"):
        """A message handed in by a program of this machine."""
        return self.run("-odf", "-oi", "-f", sender, *recipients, text=content)

    def session_from(self, address, content, sender="ann@client.example",
                     recipients=("u@test.example",), helo=smtp.HELO):
        """A session as from any address; gives all replies as text."""
        lines = [f"EHLO {helo}", f"MAIL FROM:<{sender}>",
                 *(f"RCPT TO:<{recipient}>" for recipient in recipients), "DATA"]
        body = re.sub(rb"(?m)^\.", b"..", re.sub(rb"\r?\n", b"\r\n", content))
        text = "\r\n".join(lines).encode() + b"\r\n" + body.removesuffix(b"\r\n") + \
            b"\r\n.\r\nQUIT\r\n"
        return self.run("-odf", "-oMa", address, "-bs", text=text).stdout.decode("latin-1")

    def mainlog(self):
        path = self.folder / "log" / "mainlog"
        return path.read_text(errors="replace") if path.exists() else ""

    def paniclog(self):
        path = self.folder / "log" / "paniclog"
        return path.read_text(errors="replace") if path.exists() else ""

    def decisions(self):
        """The decision lines of the log, each as a dictionary of its key=value pairs."""
        return [rig.pairs(line) for line in self.mainlog().split("\n")
                if "weir: verdict=" in line]

    def mails(self):
        """All mail that was delivered, as bytes."""
        box = self.folder / "mail" / "box" / "new"
        return [path.read_bytes() for path in sorted(box.glob("*"))] if box.exists() else []

    def delivered(self, mark, seconds=20.0):
        """The mails with this mark, once there is one."""
        def find():
            return [mail for mail in self.mails() if mark in smtp.marks([mail])]
        return rig.wait_for(find, seconds, f"mail {mark} to be delivered: {self.mainlog()[-1500:]}")

    def spooled(self):
        """The message ids that are in the spool: undelivered or frozen."""
        spool = self.folder / "spool" / "input"
        return sorted({path.name[:-2] for path in spool.rglob("*-[DH]")})


class Session(smtp.Session):
    """An SMTP session from an address of 127.0.0.0/8."""

    def __init__(self, port, source="127.0.0.1", seconds=60):
        self.link = socket.create_connection(("127.0.0.1", port), seconds,
                                             source_address=(source, 0))
        self.lines = self.link.makefile("rb")
        self.greeting = self.reply()


def send(port, client="127.0.0.1", sender="ann@client.example", recipients=("u@test.example",),
         content=None, helo=smtp.HELO):
    """One message over TCP, from an address of 127.0.0.0/8; an smtp.Outcome."""
    with Session(port, client) as session:
        if session.greeting.code >= 400:
            return smtp.Outcome("CONNECT", session.greeting, {})
        session.say(f"EHLO {helo}")
        outcome = session.mail(sender, recipients, content or smtp.message(sender=sender))
        try:
            session.link.sendall(b"QUIT\r\n")
        except OSError:
            pass
        return outcome

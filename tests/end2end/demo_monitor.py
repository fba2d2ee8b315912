"""demo_monitor - the demonstration's other half: a weir-monitor, the mail server's weir-agent, and
a weir-sniffer at the loopback interface, all with one configuration file."""
import shutil
import time

import monitor
import rig
import smtp

CROWD = "203.0.113.50"
CONSOLE = 8426
MOST = 6                 # messages at once before the monitor acts
WAITS = 15


class Loop:
    """What closes the circle around a postfix.MailServer: packets and decisions go to the monitor,
    blocks come back.  The monitor has the server's keys, as the manual asks."""

    def __init__(self, server):
        weir = server.weir
        self.server = server
        own = rig.Weir(server.folder, "monitor")
        for key in ("info.key", "counters.key"):
            shutil.copy(weir.folder / key, own.folder)
        port = rig.free_port() if rig.accepts(CONSOLE) else CONSOLE
        self.console = f"http://127.0.0.1:{port}/"
        self.monitor = monitor.Monitor(
            server.folder, console={"listen": f"inet:127.0.0.1:{port}"},
            threshold={"messages_most": MOST, "messages_rate": "1/min", "connections_most": 200,
                       "ladder": "reject 10m"})
        identity = weir.folder / "agent.identity"
        identity.write_text(self.monitor.ask("server add", name="mx1")["identity"])
        identity.chmod(0o600)
        weir.configure(agent={"identity": identity},
                       sniffer={"interface": "lo", "ports": server.postfix.port,
                                "proxies": "127.0.0.1", "user": ""})
        self.programs = [rig.Process([rig.BUILD / f"weir-{name}", "-c", weir.conf],
                                     weir.folder / f"{name}.log", environment=monitor.PLAIN)
                         for name in ("agent", "sniffer")]
        for program, word in zip(self.programs, ("speaking for", "listening")):
            program.start()
            program.ready(lambda program=program, word=word: word in program.log(), 30)

    def password(self):
        """Of the console's first account, as long as nobody has logged in."""
        return (self.monitor.weir.folder / "first-password").read_text().strip()

    def crowd(self):
        """Mail from one address until it is refused: (messages taken, the reply, seconds between
        the first that was too many and the refusal); no reply when it never was."""
        taken, since = 0, None
        deadline = time.monotonic() + WAITS
        while time.monotonic() < deadline:
            outcome = smtp.send(self.server.postfix.port, CROWD, "offers@crowd.example",
                                ["tom@test.example"])
            if not outcome.accepted:
                return taken, outcome.reply, time.monotonic() - (since or time.monotonic())
            taken += 1
            if taken > MOST:
                since = since or time.monotonic()
                time.sleep(0.2)
        return taken, None, 0

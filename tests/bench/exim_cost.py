#!/usr/bin/env python3
"""exim_cost - what Weir costs Exim: processor time for a message, one a connection.

    exim_cost.py [--build DIR] [--messages N] [--rounds N] [--rules FOLDER]... [--mail FILE]...

The same light Exim, spool in memory, no delivery, takes the same messages
    without the module,
    with the core in process,
    with the core in process, asking three memcached servers,
    through a running daemon (decide =; the daemon's own time is counted in),
in interleaved rounds.  Counted is the time of Exim's daemon with all its children, as
the system sums it up when it ends (wait4), less that of a run without any message.
Figures are differences to Exim without the module.  --rules: rule files or folders of
SpamAssassin's to import; without, the starter set that is built.
"""
import argparse
import os
import pathlib
import signal
import statistics
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "end2end"))
sys.dont_write_bytecode = True
import exim  # noqa: E402
import rig  # noqa: E402

LIMITS = {"in process": 3.0, "through the daemon": 1.0}  # ms a message
DEBIAN_RULES = rig.RIG / "spamassassin" / "usr" / "share" / "spamassassin"


def scheduled(pid):
    """Processor time a running process has had, by the scheduler's clock."""
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9


def childless(pid):
    """Whether all of its children have ended and been waited for: only then do they count."""
    return not pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").strip()


class Case:
    """One way of running Exim, and what its messages cost in each round."""

    def __init__(self, name, folder, weir=None, daemon=None):
        self.name, self.folder, self.weir, self.daemon = name, folder, weir, daemon
        self.costs, self.runs = [], 0

    def run(self, messages):
        """Seconds of processor time of a whole Exim that takes these messages."""
        self.runs += 1
        folder = self.folder / f"{self.name.replace(' ', '-').replace(',', '')}-{self.runs}"
        server = exim.PrivateExim(folder, "light", self.weir, queue_only=True)
        before = scheduled(self.daemon.process.pid) if self.daemon else 0.0
        server.start()
        for content in messages:
            outcome = exim.send(server.port, content=content)
            if not outcome.accepted:
                raise SystemExit(f"exim_cost: {outcome}\n{server.mainlog()[-2000:]}")
        decided = len(server.decisions())
        if self.weir and decided != len(messages):
            raise SystemExit(f"exim_cost: {decided} of {len(messages)} messages were judged")
        if self.daemon and "without the daemon" in server.mainlog():
            raise SystemExit("exim_cost: the daemon was not asked")
        rig.wait_for(lambda: childless(server.process.pid), 20, "Exim's children to end")
        server.process.send(signal.SIGTERM)
        _, status, usage = os.wait4(server.process.pid, 0)
        server.process.popen.returncode = status
        spent = usage.ru_utime + usage.ru_stime
        return spent + (scheduled(self.daemon.process.pid) - before if self.daemon else 0.0)

    def round(self, messages):
        """One round: with the messages, less without any."""
        idle = self.run([])
        self.costs.append(1000 * (self.run(messages) - idle) / len(messages))


def make_rules(weir, sources):
    """Imports and loads; what there is to be loaded."""
    rules = weir.folder / "rules"
    rules.mkdir()
    weir.configure(rules={"folder": rules})
    for number, source in enumerate(sources):
        weir.ctl("rules", "import", source, "--output", rules / f"{number}0.rules")
    if not sources:
        for path in sorted((rig.TOP / "core" / "rules").glob("*.rules")):
            (rules / path.name).write_text(path.read_text())
    return weir.ctl("rules", "load").strip()


def cases(folder, sources):
    """Exim alone, and with Weir in all ways; each with a folder of its own."""
    found = [Case("alone", folder)]

    def add(name, **sections):
        weir = rig.Weir(folder, name.replace(" ", "-").replace(",", ""), **sections)
        weir.configure(weir={"never": "::1"})
        weir.make_lists()
        weir.learn("good", "198.51.100.1", "client.example")
        print(f"      {name}: {make_rules(weir, sources)}", flush=True)
        exim.hand_over(weir.folder)
        return weir

    found.append(Case("in process", folder, add("in process")))
    nodes = ", ".join(rig.Memcached(folder).name for _ in range(3))
    weir = add("in process, memcached", weir={"counters": "memcached"},
               memcached={"servers": nodes})
    found.append(Case("in process, memcached", folder, weir))
    weir = add("through the daemon")
    address = f"unix:{weir.folder}/decide.sock"
    weir.configure(exim={"decide": address})
    daemon = rig.Policyd(weir, decide_listen=address)
    exim.hand_over(weir.folder)
    found.append(Case("through the daemon", folder, weir, daemon))
    return found


def report(found):
    """Prints medians; how many limits were missed."""
    alone = statistics.median(found[0].costs)
    missed = 0
    print(f"      Exim alone: {alone:.2f} ms of processor time a message "
          f"(rounds: {', '.join(f'{cost:.2f}' for cost in found[0].costs)})")
    for case in found[1:]:
        differences = [cost - base for cost, base in zip(case.costs, found[0].costs)]
        more = statistics.median(differences)
        limit = LIMITS.get(case.name)
        good = limit is None or more <= limit
        missed += not good
        bound = f"(at most {limit:g} ms)" if limit else ""
        print(f"{'  ok' if good else 'MISS'}  {case.name:<24} + {more:.2f} ms   x "
              f"{1 + more / alone:.2f}   {bound}   "
              f"rounds: {', '.join(f'{one:.2f}' for one in differences)}", flush=True)
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default=str(rig.BUILD))
    parser.add_argument("--messages", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rules", action="append", default=[])
    parser.add_argument("--mail", action="append", default=[])
    options = parser.parse_args()
    rig.BUILD = pathlib.Path(options.build).resolve()
    rig.needs_root()
    sources = options.rules or ([DEBIAN_RULES] if DEBIAN_RULES.exists() else [])
    paths = [pathlib.Path(path) for path in options.mail] or sorted(rig.MAIL.glob("*.eml"))
    mails = [path.read_bytes() for path in paths]
    messages = [mails[i % len(mails)] for i in range(options.messages)]
    folder = rig.scratch("/dev/shm" if os.path.isdir("/dev/shm") else "/tmp")
    found = cases(folder, sources)
    for _ in range(options.rounds):
        for case in found:
            case.round(messages)
    return 1 if report(found) else 0


if __name__ == "__main__":
    sys.exit(main())

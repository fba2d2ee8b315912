#!/usr/bin/env python3
"""exim_cost - what Weir costs Exim: processor time for a message, one a connection.

    exim_cost.py [--build DIR] [--messages N] [--rounds N] [--rules FOLDER]... [--mail FILE]...

The same light Exim, spool in memory, no delivery, takes the same messages
    without the module,
    with the core in process,
    with the core in process, asking three memcached servers,
    through a running daemon (decide =; the daemon's own time is shown beside),
in interleaved rounds, while all servers stay up: starting one makes memory slow for a while.
Counted is what Exim's daemon and all its children spend between the first message and the end of
the last child, as the kernel sums it up.
Figures are medians of the differences to Exim without the module in the same round.
--rules: rule files or folders of SpamAssassin's to import; without, the starter set that is built.
"""
import argparse
import os
import pathlib
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


def of_children(pid):
    """Processor time of those of its children that have ended, and of theirs."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def childless(pid):
    """Whether all of its children have ended and been waited for: only then do they count."""
    return not pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").strip()


class Case:
    """One way of running Exim, and what its messages cost in each round."""

    def __init__(self, name, folder, weir=None, daemon=None):
        self.name, self.folder, self.weir, self.daemon = name, folder, weir, daemon
        self.costs, self.daemons, self.server, self.sent = [], [], None, 0

    def start(self):
        folder = self.folder / f"{self.name.replace(' ', '-').replace(',', '')}-exim"
        self.server = exim.PrivateExim(folder, "light", self.weir, queue_only=True).start()

    def forget_first(self):
        """The first round only warmed up."""
        del self.costs[0], self.daemons[0]

    def stop(self):
        self.check(self.server, self.sent)
        self.server.stop()

    def round(self, messages):
        """One round: Exim takes the messages."""
        server = self.server
        before, aside = self.spent(server.process.pid), self.aside()
        for content in messages:
            outcome = exim.send(server.port, content=content)
            if not outcome.accepted:
                raise SystemExit(f"exim_cost: {outcome}\n{server.mainlog()[-2000:]}")
        cost = self.spent(server.process.pid) - before
        self.daemons.append(1000 * (self.aside() - aside) / len(messages))
        self.sent += len(messages)
        self.costs.append(1000 * cost / len(messages))

    def spent(self, pid):
        """Processor time so far of an Exim at rest."""
        rig.wait_for(lambda: childless(pid), 20, "Exim's children to end")
        return scheduled(pid) + of_children(pid)

    def aside(self):
        """And of the daemon it asks."""
        return scheduled(self.daemon.process.pid) if self.daemon else 0.0

    def check(self, server, messages):
        """Nothing is measured that did not happen."""
        decided = len(server.decisions())
        if self.weir and decided != messages:
            raise SystemExit(f"exim_cost: {decided} of {messages} messages were judged")
        if self.daemon and "without the daemon" in server.mainlog():
            raise SystemExit("exim_cost: the daemon was not asked")


def make_rules(weir, sources):
    """Imports and loads; what there is to be loaded."""
    rules = weir.folder / "rules"
    rules.mkdir()
    weir.configure(rules={"folder": rules})
    for number, source in enumerate(sources):
        weir.ctl("rules", "import", source, "--output", rules / f"{number}0.rules")
    if not sources:
        starter = rig.TOP / "core" / "evidence" / "starter.rules"
        (rules / starter.name).write_text(starter.read_text())
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
        if case.daemon:
            print(f"      the daemon's own: {statistics.median(case.daemons):.2f} ms a message")
    return missed


def measure(folder, sources, messages, rounds):
    """All cases, in interleaved rounds."""
    found = cases(folder, sources)
    for case in found:
        case.start()
    for _ in range(rounds + 1):
        for case in found:
            case.round(messages)
    for case in found:
        case.forget_first()
        case.stop()
    return found


def mails_of(paths, count):
    """So many messages, of these files in turn."""
    mails = [path.read_bytes() for path in paths]
    return [mails[i % len(mails)] for i in range(count)]


def rows(bench):
    """For bench.py: the two figures that have a limit."""
    found = measure(bench.folder / "exim", [DEBIAN_RULES],
                    mails_of(sorted(rig.MAIL.glob("*.eml")), 55), 15)
    report(found)
    for case in found:
        if case.name in LIMITS:
            more = statistics.median(cost - base for cost, base in zip(case.costs, found[0].costs))
            bench.row(f"Exim {case.name}: processor time added", more, LIMITS[case.name], " ms",
                      least=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default=str(rig.BUILD))
    parser.add_argument("--messages", type=int, default=55)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--rules", action="append", default=[])
    parser.add_argument("--mail", action="append", default=[])
    options = parser.parse_args()
    rig.BUILD = pathlib.Path(options.build).resolve()
    rig.needs_root()
    sources = options.rules or ([DEBIAN_RULES] if DEBIAN_RULES.exists() else [])
    paths = [pathlib.Path(path) for path in options.mail] or sorted(rig.MAIL.glob("*.eml"))
    folder = rig.scratch("/dev/shm" if os.path.isdir("/dev/shm") else "/tmp")
    found = measure(folder, sources, mails_of(paths, options.messages), options.rounds)
    return 1 if report(found) else 0


if __name__ == "__main__":
    sys.exit(main())

"""bench_ingest - how much one monitor hears: the parts of bench.py about it.

A real weir-monitor (journal, database, watch, ladder) on loopback, and bench_agents for the
agents: one process that speaks for all of them, through HTTPS.
"""
import glob
import json
import os
import subprocess
import sys
import time

import monitor
import rig

AGENTS, LINES, POOL, SECONDS = 100, 5000, 100_000, 10
SERVERS = (1000, 2000, 2500)  # each has two connections, of which 4,096 are let in


class Heard:
    """A monitor with so many servers known to it."""

    def __init__(self, bench, name, servers, **sections):
        self.bench = bench
        rig.BUILD = rig.pathlib.Path(bench.build)
        self.monitor = monitor.Monitor(bench.folder, name, **{
            "threshold": {"observe": "yes"}, **sections})
        self.pid = self.monitor.process.popen.pid
        self.identities = bench.folder / f"{name}.identities"
        with open(self.identities, "w", encoding="ascii") as out:
            for i in range(servers):
                text = self.monitor.ask("server add", name=f"mx{i}")["identity"]
                words = dict(line.split(" = ") for line in text.splitlines() if " = " in line)
                out.write(f'mx{i} {words["secret"]}\n')

    def stop(self):
        self.monitor.stop()

    def used(self):
        """Seconds of processor that the monitor took so far."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as stat:
            words = stat.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def about(self):
        """What it holds: memory, descriptors, threads."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            words = dict(line.split(":", 1) for line in status)
        return {"resident": int(words["VmRSS"].split()[0]) / 1024,
                "most": int(words["VmHWM"].split()[0]) / 1024,
                "threads": int(words["Threads"]),
                "descriptors": len(os.listdir(f"/proc/{self.pid}/fd"))}

    def load(self, seconds, lines, pool, rate, *words):
        """A run of bench_agents; its report, with what the monitor used meanwhile."""
        load = subprocess.Popen(
            [self.bench.program("bench/bench_agents"), str(self.monitor.port), self.identities,
             str(seconds), str(lines), str(pool), str(rate), *words],
            stdout=subprocess.PIPE, text=True)
        connected = json.loads(load.stdout.readline() or "{}")
        before = self.used()
        waited, until = 0.0, time.time() + seconds * 0.9
        while time.time() < until:  # the loop answers only between two turns
            start = time.time()
            self.monitor.ask("status")
            waited = max(waited, time.time() - start)
            time.sleep(0.1)
        about = {"waited": waited, **self.about()}
        report = json.loads(load.stdout.readline() or "{}")
        if load.wait() != 0 or not report:
            raise SystemExit("bench: the agents failed")
        return {**connected, **about, **report, "monitor_cpu": self.used() - before}


def tell(report):
    seconds = report["seconds"]
    print(f'      {report["records"] / seconds:,.0f} records/s in {report["batches"]} batches, '
          f'{report["octets"] / seconds / 1e6:.0f} MB/s; processors: monitor '
          f'{report["monitor_cpu"] / seconds:.2f}, load {report["cpu"] / seconds:.2f}; '
          f'{report["later"]} told to come later; '
          f'acknowledged within {report["median_ms"]:.0f} ms, p99 {report["p99_ms"]:.0f} ms; '
          f'{report["most"]:.0f} MB; a question of weirctl waited {report["waited"]:.1f} s at most',
          flush=True)


def bench_ingest(bench):
    """Records through HTTPS into one monitor, from 100 agents that hold nothing back."""
    for name, words in (("plain", []), ("deflated", ["deflate"])):
        heard = Heard(bench, f"ingest-{name}", AGENTS)
        try:
            report = heard.load(SECONDS, LINES, POOL, 0, *words)
            tell(report)
            if report["errors"]:
                raise SystemExit(f'bench: {report["errors"]} requests failed')
            bench.row(f'{AGENTS} agents, {name}: records/s',
                      report["records"] / report["seconds"] / 1e6, 0.5, " M/s")
        finally:
            heard.stop()


def bench_servers(bench):
    """So many servers with one monitor: a batch of 20 lines a second, a report of health every
    three seconds and a held question for commands from each."""
    for servers in SERVERS:
        start = time.time()
        heard = Heard(bench, f"servers-{servers}", servers)
        added = time.time() - start
        try:
            report = heard.load(SECONDS, 20, 20 * servers // 5, 1, "commands", "health")
        finally:
            heard.stop()
        seconds, held = report["seconds"], report["connected"] - servers
        print(f'      {servers} servers (added in {added:.0f} s): {report["connected"]} '
              f'connections of {2 * servers}, {report["batches"] / seconds:.0f} batches/s, '
              f'{report["healths"] / seconds:.0f} reports/s, {held} questions held, '
              f'{report["answers"]} of them answered; monitor '
              f'{100 * report["monitor_cpu"] / seconds:.0f} % of a processor, '
              f'{report["most"]:.0f} MB, {report["descriptors"]} descriptors, '
              f'{report["threads"]} threads; acknowledged within {report["median_ms"]:.1f} ms, '
              f'p99 {report["p99_ms"]:.1f} ms, at most {report["most_ms"]:.0f} ms; '
              f'{report["errors"]} errors, {report["later"]} told to come later', flush=True)
        if held == servers:
            bench.row(f'{servers} servers: batches acknowledged / one a second of each',
                      report["batches"] / seconds / servers, 0.98)
        else:
            print(f'      this breaks first: {servers - held} servers have no connection left for '
                  'their question', flush=True)


def bench_database(bench):
    """What the intake does for a line, apart, on one core; half a million lines a second is what
    is wanted of all of it together."""
    out = subprocess.run([bench.program("bench/bench_database"), bench.folder],
                         capture_output=True, text=True, check=True)
    got = json.loads(out.stdout)
    bench.row("lines read", got["lines"] / 1e6, 1.5, " M/s")
    bench.row("lines summed up by the minute, 10,000 addresses", got["sums"] / 1e6, 1.5, " M/s")
    bench.row("the same, a million addresses", got["sums_many"] / 1e6, 1.5, " M/s")
    bench.row("appended to the journal", got["journal_octets"] / 1e6, 300, " MB/s")
    bench.row("rows stored among a million addresses", got["rows"] / 1e3, 50, " k/s")


def bench_counting(bench):
    """What the monitor does for a line about a message, signed, with ten rules, on one core; and
    what that takes over ten million of them."""
    def count(*records):
        for file in glob.glob(os.path.join(bench.folder, "counting.db*")):
            os.unlink(file)
        out = subprocess.run([bench.program("bench/bench_counting"), bench.folder, *records],
                             capture_output=True, text=True, check=True)
        return json.loads(out.stdout)

    got = count()
    bench.row("decisions verified, counted and stored", got["records"] / 1e3, 200, " k/s")
    bench.row("the same folded into counters / counted and stored", got["folded"] / got["records"],
              1)
    bench.row("memory for it", got["megabytes"], 256, " MB", least=False)
    bench.row("a run of the analyzer over 2,000 rules", got["run"], 1, " s", least=False)
    got = count("10000000")
    bench.row("ten million of them, verified, counted and stored", 1e7 / got["records"], 50, " s",
              least=False)
    bench.row("memory for it", got["megabytes"], 300, " MB", least=False)


PARTS = {"ingest": bench_ingest, "servers": bench_servers, "database": bench_database,
         "counting": bench_counting}

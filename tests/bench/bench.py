#!/usr/bin/env python3
"""bench - what Weir promises about speed, measured as ratios in one run.

    make bench            everything
    bench.py --only NAME  one part: policy, idle, silent, counters, postfwd about envelopes,
                          decide, parser, phrases, hostile, milter, exim about whole messages,
                           bayes about what is missed,
                           thresholds, sniffer, live, ingest, servers, database, counting, latency
                           (of a block on all servers) about traffic, publish about rule sets,
                          console about the analyst's desk (--large: 10 M addresses, 1 M
                          messages, 10,000 rules: 4 GB of disk and some ten minutes)

Every figure is a ratio to something measured in the same run, or a bound in
memory or error, printed with its limit.  Timings never decide `make test`;
here they decide the exit status, so that a slip is seen.
"""
import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'end2end'))
sys.dont_write_bytecode = True
import bench_bayes  # noqa: E402
import bench_capture  # noqa: E402
import bench_console  # noqa: E402
import bench_ingest  # noqa: E402
import bench_latency  # noqa: E402
import bench_messages  # noqa: E402
import bench_publish  # noqa: E402
import bench_thresholds  # noqa: E402
import rig  # noqa: E402

POSTFWD = rig.RIG / 'postfwd' / 'usr' / 'sbin' / 'postfwd1'
ADDRESSES, DOMAINS, CONNECTIONS = 100_000, 20_000, 100
REQUESTS = 200_000
ROUNDS = 3


class Bench:
    """The run: a folder, the binaries, and the rows measured so far."""

    def __init__(self, build, large=False):
        self.build, self.large = os.path.abspath(build), large
        # In memory: the disk under the log and the databases is not what is measured.
        self.folder = rig.scratch('/dev/shm' if os.path.isdir('/dev/shm') else '/tmp')
        self.runs = 0
        self.rows = []
        self.history = self.folder / 'history.tsv'

    def program(self, name):
        return os.path.join(self.build, name)

    def load(self, port, *more, requests=REQUESTS):
        """One load run, its requests like no other's; the report as a dict."""
        self.runs += 1
        out = subprocess.run(
            [self.program('bench/bench_policy_load'), '--port', str(port), '--connections',
             str(CONNECTIONS), '--addresses', str(ADDRESSES), '--domains', str(DOMAINS),
             '--requests', str(requests), '--seed', str(1000 * self.runs), *more],
            capture_output=True, text=True, check=False)
        if not out.stdout:
            raise SystemExit('bench: the load failed: ' + out.stderr)
        report = json.loads(out.stdout)
        if report['errors']:
            raise SystemExit(f'bench: {report["errors"]} requests got no answer')
        return report

    def row(self, what, value, limit, unit='', least=True):
        """Notes and prints one figure; least: it must be at least the limit."""
        good = value >= limit if least else value <= limit
        self.rows.append({'what': what, 'value': value, 'limit': limit, 'unit': unit,
                          'least': least, 'good': good})
        word = 'at least' if least else 'at most'
        print(f'{"  ok" if good else "MISS"}  {what:<58} {value:>10.3g}{unit}   '
              f'({word} {limit:g}{unit})', flush=True)

    def make_history(self):
        """200,000 votes, so that the counters are not empty."""
        with open(self.history, 'w', encoding='ascii') as out:
            subprocess.run([self.program('bench/bench_policy_load'), '--history', '200000',
                            '--addresses', str(ADDRESSES), '--domains', str(DOMAINS)],
                           stdout=out, check=True)

    def weir(self, name, **sections):
        """A configuration with the history learned."""
        weir = rig.Weir(self.folder, name, **sections)
        done = subprocess.run([self.program('weirctl'), '-c', weir.conf, 'reputation', 'add',
                               '--file', self.history], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f'bench: {name}: {done.stderr}')
        weir.make_lists()
        return weir

    def local(self, name='local'):
        """A running weir-policyd with the local store."""
        return rig.Policyd(self.weir(name))

    def shared(self, cluster, name='memcached'):
        """A running weir-policyd with the memcached servers of a cluster."""
        servers = ', '.join(node.name for node in cluster)
        return rig.Policyd(self.weir(name, weir={'counters': 'memcached'},
                                     memcached={'servers': servers}))

    def cluster(self, nodes=3):
        return [rig.Memcached(self.folder, megabytes=256) for _ in range(nodes)]


def start_null(bench):
    port = rig.free_port()
    null = rig.Process([bench.program('bench/bench_policy_null'), port],
                       bench.folder / 'null.log')
    null.start()
    null.ready(lambda: rig.accepts(port))
    return null, port


def best_of(bench, ports, *more):
    """Interleaved rounds, so that a busy moment hits all alike; medians by name."""
    seen = {name: [] for name in ports}
    for _ in range(ROUNDS):
        for name, port in ports.items():
            seen[name].append(bench.load(port, *more))
    return {name: {'rate': statistics.median(r['rate'] for r in reports),
                   'p99': statistics.median(r['p99_ms'] for r in reports)}
            for name, reports in seen.items()}


def bench_policy(bench):
    """Rates against a server that decides nothing."""
    null, port = start_null(bench)
    cluster = bench.cluster()
    local, shared = bench.local(), bench.shared(cluster)
    ports = {'null': port, 'local': local.port, 'memcached': shared.port}
    try:
        for shape, more, least in (('uniform', [], 0.2), ('Zipf', ['--zipf'], 0.4)):
            seen = best_of(bench, ports, *more)
            for name, result in seen.items():
                print(f'      {shape:<8} {name:<10} {result["rate"]:>9.0f} requests/s, '
                      f'p99 {result["p99"]:.2f} ms', flush=True)
            null_rate, null_p99 = seen['null']['rate'], seen['null']['p99']
            bench.row(f'local store, {shape} addresses: rate / nothing',
                      seen['local']['rate'] / null_rate, 0.6)
            bench.row(f'local store, {shape} addresses: p99 / nothing',
                      seen['local']['p99'] / null_p99, 4, least=False)
            bench.row(f'memcached, {shape} addresses: rate / nothing',
                      seen['memcached']['rate'] / null_rate, least)
            if shape == 'Zipf':
                bench.row(f'memcached, {shape} addresses: p99 / nothing',
                          seen['memcached']['p99'] / null_p99, 4, least=False)
    finally:
        for thing in (local, shared, *cluster):
            thing.stop()
        null.stop()


def resident_mb(pid):
    with open(f'/proc/{pid}/status', encoding='ascii') as status:
        for line in status:
            if line.startswith('VmRSS:'):
                return int(line.split()[1]) / 1024
    return 0.0


def spent(pid):
    """Processor time of a process so far, in seconds."""
    with open(f'/proc/{pid}/stat', encoding='ascii') as stat:
        user, system = stat.read().rsplit(')', 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf('SC_CLK_TCK')


def bench_numbers(bench):
    """What it costs to count and measure decisions."""
    local, requests = bench.local('numbers'), 200_000
    try:
        before = spent(local.process.popen.pid)
        bench.load(local.port, requests=requests)
        whole = (spent(local.process.popen.pid) - before) / requests * 1e9
    finally:
        local.stop()
    out = subprocess.run([bench.program('bench/bench_numbers'), bench.folder], check=True,
                         capture_output=True, text=True).stdout
    cost = {key: float(value) for key, value in (pair.split('=') for pair in out.split())}
    print(f'      a request {cost["request"]:.0f} ns of {whole:.0f}, a message with 20 rules '
          f'{cost["message"]:.0f} ns, adding to the file {cost["open"] / 1000:.0f} us')
    bench.row('counting and measuring a request / answering it', cost['request'] / whole, 0.05,
              least=False)


def bench_idle(bench):
    """10,000 idle connections."""
    daemon = bench.local('idle')
    idle = subprocess.Popen([bench.program('bench/bench_policy_load'), '--port',
                             str(daemon.port), '--idle', '10000'], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)
    try:
        if idle.stdout.readline().strip() != 'idle':
            raise SystemExit('bench: 10,000 connections could not be opened (ulimit -n?)')
        resident = resident_mb(daemon.process.popen.pid)
        bench.row('10,000 idle connections: resident memory', resident, 100, ' MB', least=False)
    finally:
        idle.stdin.close()
        idle.wait()
        daemon.stop()


def bench_silent(bench):
    """Memcached falls silent (SIGSTOP) under load."""
    cluster = bench.cluster()
    local, shared = bench.local('silent-local'), bench.shared(cluster, 'silent')
    try:
        bench.load(shared.port, requests=20_000)
        for node in cluster:
            node.pause()
        first = bench.load(shared.port, requests=20_000)
        bench.row('all memcached silent: slowest request', first['most_ms'], 60, ' ms',
                  least=False)
        rates = {'local': [], 'silent': []}
        for _ in range(ROUNDS):
            rates['local'].append(bench.load(local.port)['rate'])
            rates['silent'].append(bench.load(shared.port)['rate'])
        bench.row('breaker open: rate / local store',
                  statistics.median(rates['silent']) / statistics.median(rates['local']), 1.0)
        for node in cluster:
            node.resume()
    finally:
        for thing in (local, shared, *cluster):
            thing.stop()


def bench_counters(bench):
    """The error of decayed counters against exact arithmetic."""
    out = subprocess.run([bench.program('bench/bench_counters')], capture_output=True, text=True,
                         check=True)
    report = json.loads(out.stdout)
    what = f'worst error of {report["readings"]} readings, {report["epochs"]} epochs'
    bench.row(what, 100 * report['worst'], 0.1, ' %', least=False)


def start_postfwd(bench, port):
    """Debian's postfwd with one rule; gives its process id.  It goes into the background
    by itself."""
    rules, pid = bench.folder / 'postfwd.cf', bench.folder / 'postfwd.pid'
    rules.write_text('id=LISTED; client_address==203.0.113.0/24; action=REJECT listed\n')
    rules.chmod(0o644)
    subprocess.run(['perl', '-T', POSTFWD, '--daemon', '--user', 'nobody', '--group', 'nogroup',
                    '--file', rules, '--interface', '127.0.0.1', '--port', str(port), '--nodns',
                    '--pidfile', pid], check=True, capture_output=True)
    rig.wait_for(lambda: pid.exists() and rig.accepts(port), 10, 'postfwd')
    return int(pid.read_text())


def bench_postfwd(bench):
    """Debian's postfwd, where it was unpacked."""
    if not POSTFWD.exists():
        print('skip  postfwd is not there (deps.sh --bench fetches it)')
        return
    local, port = bench.local('postfwd-local'), rig.free_port()
    postfwd = start_postfwd(bench, port)
    try:
        theirs = bench.load(port, requests=5_000)['rate']
        ours = bench.load(local.port)['rate']
        print(f'      postfwd {theirs:.0f} requests/s, weir-policyd {ours:.0f}')
        bench.row('local store: rate / postfwd', ours / theirs, 20)
    finally:
        os.kill(postfwd, signal.SIGTERM)
        local.stop()


PARTS = {'policy': bench_policy, 'numbers': bench_numbers, 'idle': bench_idle,
         'silent': bench_silent, 'counters': bench_counters, 'postfwd': bench_postfwd,
         **bench_messages.PARTS,
         **bench_bayes.PARTS, **bench_thresholds.PARTS, **bench_capture.PARTS,
         **bench_ingest.PARTS, **bench_latency.PARTS, **bench_publish.PARTS,
         **bench_console.PARTS}


def main():
    parser = argparse.ArgumentParser(description='Weir, measured as ratios in one run.')
    parser.add_argument('--build', default='build')
    parser.add_argument('--only', choices=PARTS, action='append')
    parser.add_argument('--large', action='store_true',
                        help='the console over as much as a large site has')
    parser.add_argument('--json', help='also write the rows to this file')
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    bench = Bench(options.build, options.large)
    start = time.time()
    without = {*bench_messages.PARTS, *bench_bayes.PARTS, *bench_thresholds.PARTS,
               *bench_capture.PARTS, *bench_ingest.PARTS, *bench_latency.PARTS,
               *bench_publish.PARTS, *bench_console.PARTS}
    if not options.only or set(options.only) - without:
        bench.make_history()
    for name in options.only or PARTS:
        print(f'{name}: {PARTS[name].__doc__}', flush=True)
        PARTS[name](bench)
    missed = [row for row in bench.rows if not row['good']]
    if options.json:
        with open(options.json, 'w', encoding='utf-8') as out:
            json.dump(bench.rows, out, indent=1)
    print(f'{len(bench.rows)} figures in {time.time() - start:.0f} s, {len(missed)} missed')
    return 1 if missed else 0


if __name__ == '__main__':
    sys.exit(main())

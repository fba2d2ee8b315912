"""bench_console - the analyst's desk over a large database: the parts of bench.py about it.

bench_console.c makes the database with the monitor's own functions; a real weir-monitor runs on it,
and is asked over HTTP as pages ask it, and looked at with Debian's Chromium.  It lies on a disk, as
it would: under TMPDIR, or /tmp.
"""
import gzip
import http.client
import json
import os
import pathlib
import random
import re
import selectors
import shutil
import socket
import subprocess
import threading
import time

import desk
import monitor
import rig

SIZES = {False: {"addresses": 300_000, "messages": 100_000, "rules": 2_000},
         True: {"addresses": 10_000_000, "messages": 1_000_000, "rules": 10_000}}
TIMES = 20
SEARCH, FIRST, LIVE = 200, 300, 10       # milliseconds, milliseconds, percent of a core
CONSOLES, STREAMED, TURNS = 500, 15, 2   # streams, seconds, and again
BROWSER = shutil.which("chromium")
SCRIPT = pathlib.Path(__file__).with_suffix(".js")
OLD = "from=19d&to=18d"


class Filled(monitor.Monitor):
    """A monitor that starts on such a database."""

    def __init__(self, bench, folder, large):
        self.sizes, self.starts = SIZES[large], []
        self.maker = bench.program("bench/bench_console")
        self.console = rig.free_port()
        super().__init__(
            folder, "console", threshold={"observe": "yes"},
            console={"listen": f"inet:127.0.0.1:{self.console}"},
            monitor={"database_size": "100G", "messages": max(1000, self.sizes["messages"]),
                     "addresses": max(1_000_000, self.sizes["addresses"])})

    def start(self):
        database = self.weir.folder / "spam.db"
        if not database.exists():
            made = subprocess.run([self.maker, database, *map(str, self.sizes.values()),
                                   str(int(time.time()))], stdout=subprocess.PIPE, text=True,
                                  check=True)
            made = json.loads(made.stdout)
            print(f'      {self.sizes["addresses"]:,} addresses, {self.sizes["messages"]:,} '
                  f'messages, {self.sizes["rules"]:,} rules: {made["rows"]:,} rows in '
                  f'{made["seconds"]:.0f} s, {database.stat().st_size / 1e6:,.0f} MB', flush=True)
        begun = time.time()
        super().start()
        rig.wait_for(lambda: rig.accepts(self.console), 60, "the console")
        self.starts.append(time.time() - begun)

    def pid(self):
        return self.process.popen.pid


class Asker:
    """A connection that stays, as a browser's, of somebody who has logged in."""

    def __init__(self, somebody):
        self.cookie, self.link = somebody.cookie, somebody.desk.link()
        self.link.connect()
        self.link.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, path):
        """Milliseconds, and what came."""
        begun = time.perf_counter()
        self.link.request("GET", path, headers={"Cookie": self.cookie,
                                                "Accept-Encoding": "gzip"})
        answer = self.link.getresponse()
        octets = answer.read()
        took = 1000 * (time.perf_counter() - begun)
        if answer.status != 200:
            raise SystemExit(f"bench: {path}: {answer.status} {octets[:200]}")
        return took, octets


def spread(times):
    """The median, the 95th of a hundred, and the most."""
    times = sorted(times)
    return times[len(times) // 2], times[min(len(times) - 1, len(times) * 95 // 100)], times[-1]


def measure(bench, asker, name, paths, limit):
    """Asks each path in turn, TIMES in all; pages with more behind them are gone on with."""
    times, rows, partly = [], 0, 0
    for i in range(TIMES):
        path = paths[i % len(paths)]
        took, octets = asker.ask("/api/v1" + path)
        times.append(took)
        answer = json.loads(octets)
        rows = max(rows, len(answer.get("rows", ())))
        partly += bool(answer.get("looked_to"))
    middle, high, most = spread(times)
    print(f"      {name:<44} {rows:>4} rows  p50 {middle:>7.1f}  p95 {high:>7.1f}  most "
          f"{most:>7.1f} ms{f'  ({partly} of {TIMES} partly)' if partly else ''}", flush=True)
    bench.row(f"{name}: p95 / {limit} ms", high / limit, 1, least=False)


def address(number):
    """As bench_console.c has it; of IPv4."""
    spread_out = (number * 2654435761) % 2**32
    return socket.inet_ntoa(spread_out.to_bytes(4, "big"))


def searches(sizes):
    """Name, and what is asked in turn."""
    draw = random.Random(7)
    old, rules = sizes["addresses"] * 9 // 10, sizes["rules"]
    busy = [address(2000 * n) for n in range(3)]
    known = [address(8 * draw.randrange(old // 8)) for _ in range(8)]
    new = [address(old + 8 * draw.randrange(100)) for _ in range(4)]
    some = [f"d{draw.randrange(50000)}.example" for _ in range(10)]
    networks = [f"{draw.randrange(1, 220)}.{draw.randrange(256)}.0.0/16" for _ in range(10)]
    columns = ["name", "id", "score", "deserved", "hits", "spam", "ham", "false_positives",
               "last_hit", "idle", "updated", "recent_spam", "recent_ham", "created"]
    return [
        ("traffic of ten minutes", [f"/traffic?minutes=10&by={by}" for by in
                                    ("connections", "messages", "recipients")]),
        ("networks of ten minutes", ["/traffic?minutes=10&level=network"]),
        ("traffic of an hour", ["/traffic?minutes=60", "/traffic?minutes=60&level=network"]),
        ("traffic of a day", ["/traffic?minutes=1440", "/traffic?minutes=360"]),
        ("traffic of a month", ["/traffic?minutes=43200"]),
        ("traffic by the minute", ["/traffic/minutes?minutes=180",
                                   "/traffic/minutes?minutes=1440"]),
        ("an address", [f"/addresses/{one}" for one in known + new + busy]),
        ("an address, a month of it", [f"/addresses/{one}?minutes=43200" for one in busy + known]),
        ("a network", [f"/addresses/{one.replace('/', '%2F')}" for one in
                       networks + ["0.0.0.0/8", "203.0.113.0/24"]]),
        ("messages, the newest", ["/messages"]),
        ("messages of an address", [f"/messages?address={one}" for one in busy + known]),
        ("messages of a network", [f"/messages?address={one}" for one in networks]),
        ("messages of a wide network", ["/messages?address=0.0.0.0/1", "/messages?address=::/0",
                                        "/messages?address=10.0.0.0/8"]),
        ("messages of a domain", [f"/messages?domain={one}" for one in some]),
        ("messages of a frequent domain", ["/messages?domain=large.example"]),
        ("messages of a domain nobody has", ["/messages?domain=nobody.invalid"]),
        ("messages of a time", ["/messages?from=2d&to=1d", "/messages?" + OLD, "/messages?to=5d"]),
        ("messages of a verdict", [f"/messages?verdict={one}" for one in
                                   ("spam", "ham", "unsure", "blocked")]),
        ("a rare verdict, long ago", ["/messages?verdict=blocked&" + OLD,
                                      "/messages?verdict=blocked&to=19d"]),
        ("messages of a rule", [f"/messages?rule=R{n}" for n in (0, 5, rules // 2, rules - 1)]),
        ("a frequent rule, long ago", [f"/messages?rule=R{n}&{OLD}" for n in (0, 1, 2)]),
        ("a rule and a domain nobody has", ["/messages?rule=R0&domain=nobody.invalid"]),
        ("domain, verdict and server", ["/messages?domain=large.example&verdict=blocked&server=mx1",
                                        "/messages?domain=d7.example&verdict=spam"]),
        ("address, rule and time", [f"/messages?address={networks[0]}&rule=R1&{OLD}",
                                    f"/messages?address=0.0.0.0/1&rule=R1&verdict=blocked&{OLD}"]),
        ("reported messages", ["/messages?reported=ham", "/messages?reported=ham&verdict=blocked"]),
        ("rules by each statistic", [f"/rules?sort=-{one}" for one in columns]),
        ("rules with conditions", ["/rules?where=spam%3E100,state=active&sort=-spam",
                                   "/rules?where=hits%3E10&sort=idle", "/rules?q=R77",
                                   "/rules?q=nothing%20of%20it", "/rules?state=draft"]),
        ("one rule", [f"/rules/R{n}" for n in (0, 1, rules // 2)]),
        ("reports", ["/reports", "/reports?kind=ham", "/reports?state=unbound",
                     "/reports?user=nobody", "/reports?waiting=1"]),
        ("audit", ["/audit", "/audit?who=user%20rare", "/audit?who=nobody"]),
        ("lists", ["/lists", "/lists?list=score", "/lists?list=accept"]),
        ("alerts", ["/alerts", "/alerts?open=1", "/alerts?kind=blind", "/alerts?kind=nothing"]),
        ("servers, thresholds, sets", ["/servers", "/thresholds", "/sets"]),
    ]


def first_page(asker):
    """What a browser asks for, one after the other, and how many that are."""
    took, page = asker.ask("/")
    named = re.findall(r'(?:href|src)="([^"]+)"', gzip.decompress(page).decode())
    paths = [*(f"/{name}" for name in named), "/api/v1/me", "/api/v1/overview?hours=24"]
    return took + sum(asker.ask(path)[0] for path in paths), 1 + len(paths)


def assets(bench):
    """All files of the console, as they are embedded."""
    made = pathlib.Path(bench.program("console_assets.c")).read_text(encoding="ascii")
    octets = sum(len(line.strip().strip(",").split(",")) for line in made.splitlines()
                 if re.match(r"\s*\d", line))
    bench.row(f"{made.count('static const unsigned char')} files of the console, compressed",
              octets / 1000, 150, " kB", least=False)


def look(bench, desk_of):
    """The browser's time until the first page is usable."""
    driver = rig.RIG / "browser"
    if not BROWSER or not shutil.which("node") or not (driver / "version").exists():
        print("skip  no chromium, node or playwright-core is there (deps.sh --test fetches them)")
        return
    how = {"url": f"http://127.0.0.1:{desk_of.port}/", "name": "admin",
           "password": desk_of.password, "driver": str(driver), "browser": BROWSER,
           "times": TIMES}
    out = subprocess.run(["node", SCRIPT, json.dumps(how)], capture_output=True, text=True,
                         timeout=300, check=False)
    if out.returncode != 0:
        raise SystemExit("bench: the browser: " + out.stderr)
    for name, times in json.loads(out.stdout).items():
        middle, high, most = spread(times)
        print(f"      Chromium, {name:<34}  p50 {middle:>7.1f}  p95 {high:>7.1f}  most "
              f"{most:>7.1f} ms", flush=True)
        if name in ("first", "again"):
            bench.row(f"first page usable in Chromium, {name}: p50 / {FIRST} ms", middle / FIRST, 1,
                      least=False)


class Streams(threading.Thread):
    """So many consoles that listen, each with a connection of its own."""

    def __init__(self, somebody, count):
        super().__init__(daemon=True)
        self.events, self.octets, self.ended = 0, 0, False
        self.selector, self.links = selectors.DefaultSelector(), []
        for _ in range(count):
            link = socket.create_connection(("127.0.0.1", somebody.desk.port))
            link.sendall(b"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n"
                         b"Cookie: " + somebody.cookie.encode() + b"\r\n\r\n")
            self.selector.register(link, selectors.EVENT_READ)
            self.links.append(link)
        self.start()

    def run(self):
        while not self.ended:
            for key, _ in self.selector.select(0.5):
                octets = key.fileobj.recv(262144)
                self.octets += len(octets)
                self.events += octets.count(b"\nevent: ")
                if not octets:
                    raise SystemExit("bench: a stream ended")

    def stop(self):
        self.ended = True
        self.join()
        for link in self.links:
            link.close()


def used(pid):
    """Seconds of processor that a process took so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        words = stat.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def arrive(bench, filled, identities, seconds):
    """What the monitor takes of a processor while ten servers tell of 1,000 connections a second,
    as a part of it."""
    load = subprocess.Popen([bench.program("bench/bench_agents"), str(filled.port), identities,
                             str(seconds + 4), "100", "50", "1"], stdout=subprocess.PIPE)
    try:
        load.stdout.readline()  # all are connected
        time.sleep(2)
        before = used(filled.pid())
        time.sleep(seconds)
        return (used(filled.pid()) - before) / seconds
    finally:
        load.communicate()


def bench_open(bench, filled, somebody):
    """What 500 open consoles cost while traffic arrives."""
    identities = filled.weir.folder / "agents"
    with open(identities, "w", encoding="ascii") as out:
        for i in range(10):
            text = filled.ask("server add", name=f"live{i}")["identity"]
            words = dict(line.split(" = ") for line in text.splitlines() if " = " in line)
            out.write(f'live{i} {words["secret"]}\n')
    alone = watched = events = octets = 0
    for _ in range(TURNS):  # in turn, for what the monitor does for itself comes and goes
        alone += arrive(bench, filled, identities, STREAMED) / TURNS
        streams = Streams(somebody, CONSOLES)
        try:
            rig.wait_for(lambda: somebody.get("/overview")["live"] == CONSOLES, 20, "streams")
            watched += arrive(bench, filled, identities, STREAMED) / TURNS
        finally:
            streams.stop()
        events, octets = events + streams.events, octets + streams.octets
    if events < CONSOLES * TURNS * STREAMED / 2:
        raise SystemExit(f"bench: only {events} events came to {CONSOLES} streams")
    print(f"      of a core: {100 * alone:.1f} % without, {100 * watched:.1f} % with {CONSOLES} "
          f"consoles, which got {events / CONSOLES / TURNS / (STREAMED + 6):.1f} events and "
          f"{octets / CONSOLES / TURNS / (STREAMED + 6) / 1000:.1f} kB a second each", flush=True)
    bench.row(f"{CONSOLES} open consoles: of a core", 100 * (watched - alone), LIVE, " %",
              least=False)


def bench_console(bench):
    """The console over a large database: its first page, its searches, 500 open pages."""
    rig.BUILD = pathlib.Path(bench.build)
    assets(bench)
    folder = rig.scratch(os.environ.get("TMPDIR", "/tmp"))
    filled = Filled(bench, folder, bench.large)
    try:
        desk_of = desk.Desk.at(filled, filled.console)
        filled.stop()  # so that the first start does not count: it looks through the new file
        filled.start()
        print(f"      started in {filled.starts[-1]:.1f} s; {resident_mb(filled.pid()):.0f} MB",
              flush=True)
        asker = Asker(desk_of.somebody())
        measure(bench, asker, "overview", ["/overview", "/overview?hours=720"], SEARCH)
        middle, high, _ = spread([first_page(asker)[0] for _ in range(TIMES)])
        print(f"      first page, {first_page(asker)[1]} requests one after the other: p50 "
              f"{middle:.1f}, p95 {high:.1f} ms", flush=True)
        bench.row(f"first page's requests: p95 / {FIRST} ms", high / FIRST, 1, least=False)
        for name, paths in searches(filled.sizes):
            measure(bench, asker, name, paths, SEARCH)
        bench_open(bench, filled, desk_of.somebody())
        look(bench, desk_of)
        load, _, _ = os.getloadavg()
        print(f"      all this machine did in the last minute: {load:.1f} at once on "
              f"{os.cpu_count()} cores; beyond these, what is above waited for others", flush=True)
    finally:
        filled.stop()
        shutil.rmtree(folder, ignore_errors=True)


def resident_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        words = dict(line.split(":", 1) for line in status)
    return int(words["VmRSS"].split()[0]) / 1024


PARTS = {"console": bench_console}

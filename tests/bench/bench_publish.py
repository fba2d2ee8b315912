"""bench_publish - how fast a rule set is published and reaches its servers: the part of bench.py
about it.

A real weir-monitor, one real weir-agent, and agents that ask and fetch as it does, all of them in
this one process.  With a list of 500,000 words and their weights they fetch it whole first, as
agents of older versions do, and then, ten messages later, as a patch to the set they have."""
import asyncio
import hashlib
import itertools
import json
import random
import ssl
import subprocess
import time

import monitor
import rig

RULES, SERVERS = 10_000, 1000
WHOLE = 100  # servers that fetch the set with its words whole
MAILS, MORE, VOCABULARY, LENGTH = 300, 10, 200_000, 2500  # of each kind; words
ROUNDS = 5
WORDS = ("cheap", "loan", "winner", "urgent", "account", "verify", "bonus", "casino", "pills",
         "offer", "click", "limited", "free", "prize", "transfer", "inherit")


def some_rules(number, serial=0):
    """So many rules of all sorts; the scores change with the serial."""
    draw = random.Random(number)
    lines = []
    for n in range(number):
        words = " ".join(draw.sample(WORDS, 3))
        test = (f"header R{n} Subject =~ /{words} {n}/i", f"uri R{n} /shop{n}\\.example\\//",
                f"body R{n} /\\b{words.replace(' ', '[ -]')} {n}\\b/i",
                f"meta R{n} R{n - 1} && !R{n - 2}")[n % 4]
        lines.append(f"{test}\nscore R{n} {(n + serial) % 50 / 10 + 0.1:.2f}\nid R{n} {n + 2000}\n")
    return "".join(lines)


class Agent:
    """One that holds a question for commands, and comes for the set when it may."""

    def __init__(self, port, name, secret, context):
        self.port, self.context, self.there, self.body = port, context, 0.0, b""
        self.head = (f"Host: monitor\r\nAuthorization: Bearer {name}:{secret}\r\n"
                     f"Weir-Instance: {name.encode().hex():0>32}\r\n\r\n")

    async def ask(self, place):
        """(head's fields, body)"""
        self.writer.write(f"GET {place} HTTP/1.1\r\n{self.head}".encode())
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        fields = {name.lower(): value for name, _, value in
                  (line.partition(": ") for line in head[1:])}
        return fields, await self.reader.readexactly(int(fields.get("content-length", 0)))

    async def connect(self):
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.context, server_hostname="monitor", limit=1 << 20)

    async def run(self, serial, turn, has):
        """Until it has another set than this one; when that was, and what came."""
        async with turn:
            await self.connect()
        news = f"{serial} - 0"
        while int(news.split()[0]) == serial:
            fields, _ = await self.ask(f"/agent/v1/commands?generation=0&rules={serial}&wait=25")
            news = fields["weir-rules"]
        await asyncio.sleep(random.random() * int(news.split()[2]) / 1000)
        _, self.body = await self.ask("/agent/v1/rules" + has)
        self.there = time.monotonic()
        self.writer.close()


async def fetch_all(world, identities, serial=0, has=""):
    """Seconds from the publishing until every one of the agents has the set, and what came."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    agents = [Agent(world.port, name, secret, context) for name, secret in identities]
    turn = asyncio.Semaphore(50)
    tasks = [asyncio.create_task(agent.run(serial, turn, has)) for agent in agents]
    loop = asyncio.get_running_loop()
    while (await loop.run_in_executor(None, lambda: world.ask("status")))["held"] < len(agents):
        assert not any(task.done() for task in tasks), tasks
        await asyncio.sleep(0.1)
    began = time.monotonic()
    await loop.run_in_executor(None, lambda: world.ask("publish"))
    await asyncio.gather(*tasks)
    return max(agent.there for agent in agents) - began, agents[0].body


def some_mails(folder, kind, count, draw):
    """Mails whose words are used as often as words are: the n-th of a language one n-th as often as
    the first; some are more often of this kind."""
    weights = list(itertools.accumulate(1 / (n + 10) for n in range(VOCABULARY)))
    folder.mkdir()
    for n in range(count):
        words = draw.choices(range(VOCABULARY), cum_weights=weights, k=LENGTH)
        words = [f"w{word:x}" if word % 3 else f"{kind}{word:x}" for word in words]
        text = "\n".join(" ".join(words[i:i + 10]) for i in range(0, LENGTH, 10))
        (folder / str(n)).write_text(f"From: a{n}@{kind}.example\nSubject: {kind} {n}\n\n{text}\n")
    return folder


def published(world):
    """The newest set: serial, octets of the file, and of it as it is kept, deflated."""
    row = world.rows("SELECT serial, octets, length(file) AS deflated FROM rule_sets "
                     "ORDER BY serial DESC LIMIT 1")[0]
    return row["serial"], row["octets"], row["deflated"]


def bench_words(bench, world, server, identities):
    """The same with a list of words, whole and as a patch."""
    draw = random.Random(1)
    for kind in ("spam", "ham"):
        world.weir.ctl("bayes", "learn", kind, some_mails(bench.folder / kind, kind, MAILS, draw))
    seconds, body = asyncio.run(fetch_all(world, identities[:WHOLE], published(world)[0]))
    serial, octets, deflated = published(world)
    assert len(body) == deflated
    bench.row(f"{WHOLE} servers have a set of {octets / 1e6:.1f} MB whole, "
              f"{deflated / 1e6:.1f} MB each", seconds, 60, " s", least=False)
    rig.wait_for(lambda: f"rule set {serial} of the monitor is at work" in server.log(), 60,
                 "the words at work on the real server")
    file = server.weir.folder / f"rules-{serial}.db"
    name = hashlib.blake2b(file.read_bytes(), digest_size=32).hexdigest()[:16]
    more = some_mails(bench.folder / "more", "spam", MORE, draw)
    world.weir.ctl("bayes", "learn", "spam", more)
    seconds, patch = asyncio.run(fetch_all(world, identities, serial, f"?have={serial}&is={name}"))
    assert patch.startswith(b"weir-patch 1\n")
    deflated = published(world)[2]
    bench.row(f"{SERVERS:,} servers have the next one as a patch, {len(patch) / 1e3:.0f} kB each",
              seconds, 60, " s", least=False)
    bench.row("octets of the patch / of the whole set, deflated", len(patch) / deflated, 0.1,
              least=False)
    rig.wait_for(lambda: f"rule set {serial + 1} of the monitor is at work" in server.log(), 60,
                 "the patch at work on the real server")


def bench_publish(bench):
    """10,000 rules from the rulebook to 1,000 servers"""
    out = subprocess.run([bench.program("bench/bench_publish"), bench.folder],
                         capture_output=True, text=True, check=True)
    got = json.loads(out.stdout)
    bench.row(f"publishing {RULES:,} rules, processor time", got["rules"], 1, " s", least=False)
    bench.row("the same with 500,000 words", got["with_words"], 1, " s", least=False)
    rig.BUILD = rig.pathlib.Path(bench.build)
    world = monitor.Monitor(bench.folder, "publishing", threshold={"observe": "yes"})
    server = monitor.Server(bench.folder, world, "real")
    try:
        identities = []
        for i in range(SERVERS):
            text = world.ask("server add", name=f"mx{i}")["identity"]
            words = dict(line.split(" = ") for line in text.splitlines() if " = " in line)
            identities.append((f"mx{i}", words["secret"]))
        path = bench.folder / "many.rules"
        path.write_text(some_rules(RULES))
        world.weir.ctl("rules", "add", path)
        seconds, _ = asyncio.run(fetch_all(world, identities))
        octets = published(world)[1]
        rig.wait_for(lambda: "rule set 1 of the monitor is at work" in server.log(), 60,
                     "the set at work on the real server")
        took = []
        for serial in range(ROUNDS):
            path.write_text(some_rules(RULES, serial + 1))
            world.weir.ctl("rules", "add", path)
            began = time.monotonic()
            assert json.loads(world.weir.ctl("publish", "--json"))["published"]
            took.append(time.monotonic() - began)
        bench.row(f"publishing {RULES:,} rules", sorted(took)[ROUNDS // 2], 1, " s", least=False)
        bench.row(f"{SERVERS:,} servers have a set of {octets / 1e6:.1f} MB", seconds, 60, " s",
                  least=False)
        bench_words(bench, world, server, identities)
    finally:
        server.stop()
        world.stop()


PARTS = {"publish": bench_publish}

"""bench_publish - how fast a rule set is published and reaches its servers: the part of bench.py
about it.

A real weir-monitor, one real weir-agent, and agents that ask and fetch as it does, all of them in
this one process."""
import asyncio
import json
import random
import ssl
import subprocess
import time
import zlib

import monitor
import rig

RULES, SERVERS = 10_000, 1000
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
        self.port, self.context, self.there, self.octets = port, context, 0.0, 0
        self.head = (f"Host: monitor\r\nAuthorization: Bearer {name}:{secret}\r\n"
                     f"Weir-Instance: {random.randrange(1 << 128):032x}\r\n\r\n")

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

    async def run(self, serial, turn):
        """Until it has another set than this one; when that was, and how long the file is."""
        async with turn:
            await self.connect()
        news = f"{serial} - 0"
        while int(news.split()[0]) == serial:
            fields, _ = await self.ask(f"/agent/v1/commands?generation=0&rules={serial}&wait=25")
            news = fields["weir-rules"]
        await asyncio.sleep(random.random() * int(news.split()[2]) / 1000)
        _, body = await self.ask("/agent/v1/rules")
        self.there, self.octets = time.monotonic(), len(zlib.decompress(body))


async def fetch_all(world, identities):
    """Seconds from the publishing until every one of the agents has the set, and its octets."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    agents = [Agent(world.port, name, secret, context) for name, secret in identities]
    turn = asyncio.Semaphore(50)
    tasks = [asyncio.create_task(agent.run(0, turn)) for agent in agents]
    loop = asyncio.get_running_loop()
    while (await loop.run_in_executor(None, lambda: world.ask("status")))["held"] < len(agents):
        await asyncio.sleep(0.1)
    began = time.monotonic()
    await loop.run_in_executor(None, lambda: world.ask("publish"))
    await asyncio.gather(*tasks)
    return max(agent.there for agent in agents) - began, agents[0].octets


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
        seconds, octets = asyncio.run(fetch_all(world, identities))
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
    finally:
        server.stop()
        world.stop()


PARTS = {"publish": bench_publish}

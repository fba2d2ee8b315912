"""bench_latency - from the packet that crosses a threshold to the first refusal on each of two mail
servers: the part of bench.py about it.  Hosts are network namespaces (namespaces.py)."""
import random
import statistics
import threading
import time
import unittest

import namespaces
import smtp

RUNS = 100
MOST = 20        # connections at once; half of them at each server, and then more at one
PATIENCE = 30    # s
POLL = 0.02      # s between two tries of a refused one to be
THRESHOLD = {"connections_rate": "0.1/s", "connections_most": MOST, "ladder": "reject 4h",
             "blocks_hour": 100000, "blocks_server_hour": 100000, "children": 256}


def refused_by_postfix(server, address):
    with server.host:
        session = smtp.Session(namespaces.SMTP)
    with session:
        session.play(address)
        session.say("MAIL FROM:<a@client.example>")
        return session.say("RCPT TO:<u@test.example>").code >= 500


def refused_by_exim(server, address):
    return server.mta.run("-oMa", address, "-bs", text="QUIT\r\n").stdout.startswith(b"550")


REFUSED = {"mx1": refused_by_postfix, "mx2": refused_by_exim}


class Refusal(threading.Thread):
    """Asks a server, where no sniffer listens, until it refuses the address; at: when."""

    def __init__(self, server, address):
        super().__init__(daemon=True)
        self.server, self.address, self.at = server, address, None

    def run(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if REFUSED[self.server.name](self.server, self.address):
                self.at = time.monotonic()
                return
            time.sleep(POLL)


def one_run(hosts, address):
    """Seconds to the first refusal, by the server's name."""
    for n in range(MOST):
        hosts.session(hosts.servers[n % 2], address).link.close()
    time.sleep(random.random())  # any moment of the sniffer's second
    began = time.monotonic()
    for _ in range(3):  # a tenth of one was given back every second
        hosts.session(hosts.mx1, address).link.close()
    tries = [Refusal(server, address) for server in hosts.servers]
    for thread in tries:
        thread.start()
    for thread in tries:
        thread.join()
    return {thread.server.name: (thread.at or began + PATIENCE) - began for thread in tries}


def bench_latency(bench):
    """From the packet that crosses a threshold to the first refusal by Postfix and by Exim."""
    try:
        namespaces.needed()
    except unittest.SkipTest as why:
        print(f'skip  {why}')
        return
    hosts = namespaces.Hosts(bench.folder, threshold=THRESHOLD)
    try:
        seen = [one_run(hosts, f'203.0.113.{1 + n}') for n in range(RUNS)]
    finally:
        hosts.close()
    for server in hosts.servers:
        seconds = sorted(run[server.name] for run in seen)
        p99 = statistics.quantiles(seconds, n=100, method='inclusive')[98]
        print(f'      {server.name}: p50 {statistics.median(seconds):.2f} s, p99 {p99:.2f} s, '
              f'worst {seconds[-1]:.2f} s of {len(seconds)}', flush=True)
        bench.row(f'threshold crossed to refused by {server.name}, p99', p99, 2, ' s',
                  least=False)


PARTS = {'latency': bench_latency}

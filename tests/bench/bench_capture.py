"""bench_capture - how fast the sniffer reads: the parts of bench.py about it."""
import collections
import json
import os
import shutil
import subprocess
import time

import rig

RATE, SECONDS = 250_000, 10


def bench_sniffer(bench):
    """A capture of 500,000 packets, against an empty loop of libpcap over it."""
    out = subprocess.run([bench.program('bench/bench_sniffer'), bench.folder / 'bench.pcap'],
                         capture_output=True, text=True, check=True)
    report = json.loads(out.stdout)
    million = {name: report[name] / 1e6 for name in ('empty', 'sniffer', 'named')}
    print(f'      {million["empty"]:.2f} M packets/s of the empty loop, '
          f'{million["sniffer"]:.2f} M of the sniffer, {million["named"]:.2f} M with names',
          flush=True)
    bench.row('reading a capture: packets / an empty libpcap loop',
              report['sniffer'] / report['empty'], 0.5)


class Pair:
    """Two network namespaces with a veth pair between them."""

    def __init__(self):
        self.names = [f'weir-bench-{os.getpid()}-{end}' for end in ('a', 'b')]

    def __enter__(self):
        for name in self.names:
            ip('netns', 'add', name)
        ip('link', 'add', 'veth0', 'netns', self.names[0], 'type', 'veth', 'peer', 'name', 'veth1',
           'netns', self.names[1])
        for name, link in zip(self.names, ('veth0', 'veth1')):
            ip('-n', name, 'link', 'set', link, 'up')
        return self

    def __exit__(self, *_):
        for name in self.names:
            subprocess.run(['ip', 'netns', 'delete', name], check=False, capture_output=True)

    def inside(self, end, *words):
        return ['ip', 'netns', 'exec', self.names[end], *map(str, words)]


def ip(*words):
    subprocess.run(['ip', *words], check=True, capture_output=True)


def listen(bench, pair):
    """A sniffer at the far end; it, and the folder of its spool."""
    weir = rig.Weir(bench.folder, 'live')
    spool = weir.folder / 'spool'
    for folder in (bench.folder, weir.folder):
        folder.chmod(0o777)  # it becomes nobody, and makes the spool there
    weir.configure(spool={'folder': spool}, sniffer={'interface': 'veth1', 'user': 'nobody'})
    sniffer = rig.Process(pair.inside(1, bench.program('weir-sniffer'), '-c', weir.conf),
                          weir.folder / 'sniffer.log')
    sniffer.start()
    sniffer.ready(lambda: 'listening' in sniffer.log())
    return sniffer, spool


def heard(spool):
    """The last line about health, and sums of what traffic lines say."""
    sums, health = collections.Counter(), {}
    for path in sorted(spool.glob('sniffer-*')):
        for line in path.read_text().splitlines():
            words = rig.pairs(line)
            if words['kind'] == 'health':
                health = words
                continue
            for name in ('connections', 'accepted'):
                sums[name] += int(words.get(name, 0))
    return health, sums


def bench_live(bench):
    """250,000 packets a second over a veth pair between two namespaces: nothing is dropped."""
    if os.geteuid() != 0 or not shutil.which('ip'):
        print('skip  network namespaces need root and ip (iproute2)')
        return
    capture = bench.folder / 'live.pcap'
    made = json.loads(subprocess.run(
        [bench.program('bench/bench_sniffer'), capture, '250000', 'keep'], capture_output=True,
        text=True, check=True).stdout)
    with Pair() as pair:
        sniffer, spool = listen(bench, pair)
        try:
            sent = json.loads(subprocess.run(
                pair.inside(0, bench.program('bench/bench_frames'), capture, 'veth0', RATE,
                            SECONDS), capture_output=True, text=True, check=True).stdout)
            time.sleep(2.5)
        finally:
            used = os.times().children_user + os.times().children_system
            sniffer.stop()
            used = os.times().children_user + os.times().children_system - used
    capture.unlink()
    health, sums = heard(spool)
    dropped = int(health.get('kernel_dropped', 0))
    rate = sent['sent'] / sent['seconds']
    print(f'      {sent["sent"]:,} packets sent at {rate:,.0f}/s, {int(health["packets"]):,} '
          f'seen, {dropped} dropped by the kernel; messages {sums["accepted"]:,} of '
          f'{made["messages"] * sent["times"]:,}; processors: sniffer '
          f'{used / sent["seconds"]:.2f}, sender {sent["cpu"] / sent["seconds"]:.2f}', flush=True)
    bench.row('live: packets a second that were sent', rate / 1000, 245, ' k/s')
    bench.row('live: packets dropped or not seen',
              max(dropped, sent['sent'] - int(health['packets'])), 0, least=False)
    bench.row('live: messages counted / sent',
              sums['accepted'] / (made['messages'] * sent['times']), 1)


PARTS = {'sniffer': bench_sniffer, 'live': bench_live}

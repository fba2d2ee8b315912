"""bench_capture - how fast the sniffer reads: the part of bench.py about it."""
import json
import subprocess


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


PARTS = {'sniffer': bench_sniffer}

"""bench_thresholds - what watching millions of addresses costs: the part of bench.py about it."""
import json
import subprocess

ADDRESSES = 10_000_000


def bench_thresholds(bench):
    """Token buckets with ten million live addresses, against a walk through memory."""
    out = subprocess.run([bench.program('bench/bench_buckets'), str(ADDRESSES)],
                         capture_output=True, text=True, check=True)
    report = json.loads(out.stdout)
    million = {name: report[name] / 1e6 for name in ('walk', 'fill', 'buckets', 'flood', 'watch')}
    print(f'      {million["walk"]:.1f} M steps/s of the walk, {million["fill"]:.2f} M new '
          f'addresses/s, whole watch {report["watch_octets"]:.1f} octets an address', flush=True)
    bench.row('updates of 10 million live addresses', million['buckets'], 4, ' M/s')
    bench.row('the same / the walk', report['buckets'] / report['walk'], 0.06)
    bench.row('charges through the whole watch, with networks', million['watch'], 2, ' M/s')
    bench.row('a flood of new addresses, all places taken', million['flood'], 0.5, ' M/s')
    bench.row('octets of the table for an address', report['octets'], 40, least=False)
    bench.row('evicted of 10 million live addresses', report['evicted'], 100, least=False)


PARTS = {'thresholds': bench_thresholds}

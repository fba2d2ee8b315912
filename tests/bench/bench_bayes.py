"""bench_bayes - how much spam the Bayesian classifier misses: the part bayes of bench.py.

Real mail in the order of its own dates: the first half is learned, the second half is judged
message by message and then learned.  What would tell the label without being content is
taken out of the messages beforehand, for Weir and for bogofilter alike: where and when they
were received and delivered, and what mailing lists add.
"""
import datetime
import email.utils
import math
import os
import re
import subprocess
import time

import bench_messages
import rig

LEAKS = re.compile(
    rb'(received|delivered-to|delivery-date|return-path|old-return-path|date|x-original-date|'
    rb'resent-[a-z-]+|x-keywords|status|x-status|x-apparently-to|x-original-to|'
    rb'x-authentication-warning|x-mime-autoconverted|'
    rb'list-[a-z-]+|x-list-[a-z-]+|x-beenthere|x-mailman-version|errors-to|precedence|sender|'
    rb'mailing-list|x-mailing-list|x-loop|x-egroups-[a-z-]+|x-yahoo-profile|'
    rb'x-unsubscription-info|x-subscription-info|x-library|x-spam[a-z-]*):', re.I)
BOGOFILTER = rig.RIG / 'bogofilter-bdb' / 'usr' / 'bin' / 'bogofilter-bdb'
LIBRARIES = 'usr/lib/x86_64-linux-gnu'
SHARES = (0.001, 0.005)
EVERY = 500  # messages between two whole tables, with which time is measured


def parted(octets):
    """The fields of a header with their folded lines, and what is behind them."""
    if octets.startswith(b'From '):
        octets = octets.partition(b'\n')[2]
    head, blank, body = octets.partition(b'\n\n')
    return re.split(rb'\n(?![ \t])', head), blank + body


def received_at(fields):
    """When the last server took it, in seconds; else what it says itself."""
    for name in (b'received:', b'date:'):
        for field in fields:
            if not field.lower().startswith(name):
                continue
            text = (field.rpartition(b';') if name == b'received:' else field.partition(b':'))[2]
            try:
                when = email.utils.parsedate_to_datetime(' '.join(text.decode('latin-1').split()))
            except (ValueError, TypeError):
                continue
            if not when.tzinfo:
                when = when.replace(tzinfo=datetime.timezone.utc)
            return when.timestamp()
    return 0


def prepare(folder):
    """Writes the messages without what leaks their label: (path, spam?) in order of time."""
    mails = []
    for path in bench_messages.corpus():
        with open(path, 'rb') as file:
            fields, rest = parted(file.read())
        kept = b'\n'.join(field for field in fields if not LEAKS.match(field))
        group = path.split(os.sep)[-2]
        name = os.path.join(folder, f'{group}-{os.path.basename(path)}')
        with open(name, 'wb') as file:
            file.write(kept + rest)
        mails.append((received_at(fields), os.path.basename(path), name, group[:4] == 'spam'))
    mails.sort()
    return [(name, spam) for _, _, name, spam in mails]


def missed(judged, share):
    """(spam missed, spam) where at most such a share of ham is taken for spam."""
    ham = sorted((score for score, spam in judged if not spam), reverse=True)
    limit = ham[int(share * len(ham))]
    scores = [score for score, spam in judged if spam]
    return sum(score <= limit for score in scores), len(scores)


def interval(hits, n):
    """Wilson's 95 % confidence interval of a share."""
    z, p = 1.959964, hits / n
    middle, wide = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - wide) / (1 + z * z / n), (middle + wide) / (1 + z * z / n)


def tell(name, judged):
    """Prints a classifier's row and gives what it misses at each share."""
    shares, texts = [], []
    for share in SHARES:
        hits, n = missed(judged, share)
        low, high = interval(hits, n)
        shares.append(hits / n)
        texts.append(f'{100 * hits / n:.1f} % ({100 * low:.1f} to {100 * high:.1f}) at '
                     f'<= {100 * share:g} %')
    print(f'      {name:<11} misses of {n} spam: ' + ', '.join(texts) + ' false positives',
          flush=True)
    return shares


class Bogofilter:
    """A bogofilter with a word list of its own, in memory."""

    def __init__(self, folder):
        self.folder = folder
        top = BOGOFILTER.parents[2].parent
        places = [str(top / name / LIBRARIES) for name in
                  ('bogofilter-bdb', 'libgsl27', 'libgslcblas0')]
        self.environment = dict(os.environ, LD_LIBRARY_PATH=':'.join(places))

    def run(self, *options, mails=None, path=None):
        return subprocess.run([str(BOGOFILTER), '-C', '-d', self.folder, *options],
                              input='\n'.join(mails) + '\n' if mails else None,
                              stdin=open(path, 'rb') if path else None,
                              capture_output=True, text=True, env=self.environment).stdout

    def learn(self, mails):
        for spam in (True, False):
            self.run('-bs' if spam else '-bn', mails=[path for path, is_ in mails if is_ == spam])

    def judge(self, path):
        """Its spamicity, as finely as it tells."""
        return float(self.run('-t', '-v', '-I', path).split()[1])


def bogofilter(folder, mails, half):
    os.makedirs(folder, exist_ok=True)
    rival = Bogofilter(folder)
    rival.learn(mails[:half])
    judged = []
    for path, spam in mails[half:]:
        judged.append((rival.judge(path), spam))
        rival.run('-s' if spam else '-n', '-I', path)
    return judged


def weir(bench, mails, half):
    """What Weir's classifier says: ((weight, spam?), ...), and its figures."""
    done = subprocess.run([bench.program('bench/bench_bayes'), str(half), str(EVERY)],
                          input=''.join(f'{"spam" if spam else "ham"} {path}\n'
                                        for path, spam in mails),
                          capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    rows = [line.split() for line in lines[:-1]]
    return ([(float(row[1]), row[0] == 'spam') for row in rows],
            {key: float(value) for key, value in rig.pairs(lines[-1]).items()})


def at_probability(bench, judged):
    """What a limit at a probability gives."""
    for probability in (0.9, 0.99):
        limit = math.log(probability / (1 - probability))
        ham = [score for score, spam in judged if not spam]
        spam = [score for score, is_ in judged if is_]
        print(f'      above {probability}: {sum(s > limit for s in ham)} of {len(ham)} ham, '
              f'{sum(s > limit for s in spam)} of {len(spam)} spam', flush=True)


def bench_bayes(bench):
    """the Bayesian classifier beside bogofilter, on real mail in the order of time"""
    mails = prepare(bench.folder)
    half = len(mails) // 2
    start = time.time()
    judged, figures = weir(bench, mails, half)
    print(f'      {len(mails)} mails, {half} learned first; {time.time() - start:.1f} s')
    print('      ' + ', '.join(f'{key} {value:g}' for key, value in figures.items()), flush=True)
    ours = tell('Weir', judged)
    at_probability(bench, judged)
    start = time.time()
    theirs = tell('bogofilter', bogofilter(str(bench.folder / 'bogofilter'), mails, half))
    print(f'      bogofilter took {time.time() - start:.1f} s')
    for share, our, their in zip(SHARES, ours, theirs):
        bench.row(f'spam missed at <= {100 * share:g} %: Weir / bogofilter', our / their, 1,
                  least=False)
    bench.row('tokens and judgement, mean', figures['tokens_us'] + figures['judge_us'], 500,
              ' us', least=False)


PARTS = {'bayes': bench_bayes}

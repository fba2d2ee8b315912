"""bench_messages - what deciding about whole messages costs: the parts of bench.py about it."""
import pathlib
import random
import re
import statistics
import subprocess
import time

import exim_cost
import milter
import postfix
import rig

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = rig.RIG / 'corpus' / 'package' / 'data'
SPAMASSASSIN = rig.RIG / 'spamassassin' / 'usr' / 'share' / 'spamassassin'
MESSAGES, LENGTH, SESSIONS = 1500, 4000, 10
HOSTILE = 5 << 20


def corpus():
    mails = sorted(str(path) for path in CORPUS.glob('*/*.txt'))
    if not mails:
        raise SystemExit(f'bench: {CORPUS} is empty: run tests/end2end/deps.sh --bench')
    return mails


def imported(bench, name='imported'):
    """A Weir with SpamAssassin's rules imported, and made into a set."""
    weir = rig.Weir(bench.folder, name)
    folder = weir.folder / 'rules'
    folder.mkdir(exist_ok=True)
    weir.configure(rules={'folder': folder}, spool={'folder': ''})
    weir.ctl('rules', 'import', SPAMASSASSIN, '--output', folder / '50-imported.rules', '--json')
    start = time.time()
    weir.ctl('rules', 'load')
    weir.seconds = time.time() - start
    return weir


def decide(bench, weir, mails, rounds=1):
    """What bench_decide says of these mails, as numbers."""
    done = subprocess.run([bench.program('bench/bench_decide'), weir.conf, str(rounds)],
                          input='\n'.join(mails) + '\n', capture_output=True, text=True, check=True)
    return {key: float(value) for key, value in rig.pairs(done.stdout).items()}


def in_turn(bench, weir):
    """Microseconds a message to match the rules without a prefilter; a twentieth of them."""
    done = subprocess.run([bench.program('bench/bench_in_turn'), weir.folder / 'rules.image'],
                          input='\n'.join(corpus()[::20]) + '\n', capture_output=True, text=True,
                          check=True)
    return float(rig.pairs(done.stdout)['us'])


def bench_decide(bench):
    """whole decisions on 6,046 real mails with SpamAssassin's rules"""
    weir = imported(bench)
    got = decide(bench, weir, corpus())
    print('      microseconds: ' + ', '.join(f'{key} {got[key]:.0f}' for key in (
        'mean', 'median', 'p99', 'worst', 'parse', 'boundary', 'look-up', 'rules', 'write')))
    bench.row('decision, mean', got['mean'] / 1000, 0.6, ' ms', least=False)
    bench.row('decision, p99', got['p99'] / 1000, 5, ' ms', least=False)
    alone = in_turn(bench, weir)
    print(f'      matching alone, each expression in turn: {alone:.0f} microseconds')
    bench.row('decision / each expression in turn', got['mean'] / alone, 0.6 / 2.7, least=False)
    bench.row('rule set made of its files', weir.seconds, 2, ' s', least=False)


def bench_parser(bench):
    """the message parser on the same mails"""
    done = subprocess.run([bench.program('bench/bench_message')], check=True,
                          input='\n'.join(corpus()) + '\n', capture_output=True, text=True)
    lines = [line for line in done.stdout.split('\n') if 'MB/s' in line]
    for line in lines:
        print(f'      {line}')
    bench.row('parser', float(re.search(r': ([\d.]+) MB/s', lines[0]).group(1)), 500, ' MB/s')


def bench_phrases(bench):
    """10,000 phrase rules"""
    weir = rig.Weir(bench.folder, 'phrases')
    folder = weir.folder / 'rules'
    folder.mkdir(exist_ok=True)
    weir.configure(rules={'folder': folder}, spool={'folder': ''})
    chance = random.Random(7)
    words = [''.join(chance.choice('abcdefghijklmnopqrstuvwxyz') for _ in range(
        chance.randint(3, 9))) for _ in range(3000)]
    with open(folder / '10.rules', 'w', encoding='ascii') as out:
        for i in range(10000):
            phrase = ' '.join(chance.choice(words) for _ in range(chance.randint(2, 3)))
            out.write(f'body PHRASE_{i} /\\b{phrase}\\b/i\nscore PHRASE_{i} 0.1\n')
    weir.ctl('rules', 'load')
    got = decide(bench, weir, corpus()[::4])
    bench.row('10,000 phrases: rules, mean', got['rules'] / 1000, 1, ' ms', least=False)


def hostile(folder):
    """Messages of 5 MB that are as much work as one can think of; names."""
    head = b'From: <a@x.example>\nSubject: x\nMIME-Version: 1.0\nContent-Type: %s\n\n'
    chance = random.Random(5)
    bodies = {
        'letters': (b'text/plain', b'a' * HOSTILE),
        'blanks': (b'text/plain', b' ' * HOSTILE),
        'octets': (b'text/plain', chance.randbytes(HOSTILE)),
        'words': (b'text/plain', b'free money viagra account verify '
                  * (HOSTILE // 33)),
        'paragraphs': (b'text/html', b'<p>' * (HOSTILE // 3)),
        'tags': (b'text/html', b'<a href=x><b><i>' * (HOSTILE // 16)),
        'entities': (b'text/html', b'&amp;&#65;&lt' * (HOSTILE // 14)),
        'links': (b'text/plain', b'http://a.example/ ' * (HOSTILE // 18)),
        'unclosed': (b'text/html', b'<!--' + b'-' * HOSTILE),
        'parts': (b'multipart/mixed; boundary=b', b'--b\n\nx\n' * (HOSTILE // 8)),
        'base64': (b'text/plain\nContent-Transfer-Encoding: base64', b'YWFh' * (HOSTILE // 4)),
        'html parts': (b'multipart/mixed; boundary=b',
                       (b'--b\nContent-Type: text/html\n\n' + b'<p>' * 170000 + b'\n') * 10),
    }
    names = []
    for name, (kind, body) in bodies.items():
        path = folder / f'hostile {name}.eml'
        path.write_bytes(head % kind + body)
        names.append(str(path))
    fields = folder / 'hostile fields.eml'
    fields.write_bytes(b'X: y\n' * (HOSTILE // 5) + b'\nbody\n')
    field = folder / 'hostile field.eml'
    field.write_bytes(b'Subject: ' + b'=?utf-8?q?a?= ' * (HOSTILE // 14) + b'\n\nbody\n')
    return names + [str(fields), str(field)]


def bench_hostile(bench):
    """messages of 5 MB that are meant to be work"""
    weir = imported(bench, 'hostile')
    took = {}
    for path in hostile(bench.folder):
        took[path] = decide(bench, weir, [path], 3)['median'] / 1000
        pathlib.Path(path).unlink()
    slowest = max(took, key=took.get)
    print('      ms: ' + ', '.join(f'{pathlib.Path(path).stem[8:]} {ms:.0f}'
                                   for path, ms in took.items()))
    bench.row('5 MB message, slowest', took[slowest], 100, ' ms', least=False)


def blast(server):
    """Messages a second that Postfix takes."""
    start = time.time()
    subprocess.run([rig.unpacked('postfix', 'usr/sbin/smtp-source'), '-s', str(SESSIONS), '-m',
                    str(MESSAGES), '-l', str(LENGTH), '-f', 'ann@client.example', '-t',
                    'u@elsewhere.example', f'127.0.0.1:{server.port}'],
                   env=server.environment, check=True, capture_output=True)
    rate = MESSAGES / (time.time() - start)
    server.wait_idle()
    return rate


def bench_milter(bench):
    """messages through Postfix, weir-milter against a milter that does nothing"""
    weir = imported(bench, 'milter')
    ours = milter.Milter(weir)
    path = bench.folder / 'null.sock'
    null = rig.Process([bench.program('bench/bench_milter_null'), path], bench.folder / 'null.log')
    null.start()
    null.ready(path.exists)
    servers = {name: postfix.PrivatePostfix(bench.folder / name, extra=milter.wiring(at)).start()
               for name, at in (('null', path), ('weir', ours.path))}
    rates = {name: [] for name in servers}
    try:
        for _ in range(4):
            for name, server in servers.items():
                rates[name].append(blast(server))
    finally:
        for server in servers.values():
            server.stop()
        ours.stop()
        null.stop(seconds=20)
    best = {name: statistics.median(seen[1:]) for name, seen in rates.items()}
    print(f'      messages a second: null {best["null"]:.0f}, weir-milter {best["weir"]:.0f}')
    bench.row('messages a second / a milter that does nothing', best['weir'] / best['null'], 0.9)


def bench_exim(bench):
    """Exim, one message a connection, with the module and without"""
    exim_cost.rows(bench)


def bench_engines(bench):
    """Hyperscan against the built-in engine: the same hits; only when built with HYPERSCAN=1"""
    image = imported(bench, 'engines').folder / 'rules.image'
    done = subprocess.run([bench.program('bench/bench_engines'), image], text=True,
                          input='\n'.join(corpus()[::12]) + '\n', capture_output=True)
    print(f'      {done.stdout.strip()}')
    if not done.stdout.startswith('skipped'):
        got = {key: float(value) for key, value in rig.pairs(done.stdout).items()}
        bench.row('Hyperscan: messages with other hits', got['differing'], 0, least=False)
        bench.row('Hyperscan: made ready in', got['compile_ms'] / 1000, 1, ' s', least=False)
        bench.row('Hyperscan: time / built-in engine', got['hyperscan_us'] / got['builtin_us'], 1,
                  least=False)


PARTS = {'decide': bench_decide, 'engines': bench_engines, 'parser': bench_parser,
         'phrases': bench_phrases, 'hostile': bench_hostile, 'milter': bench_milter,
         'exim': bench_exim}

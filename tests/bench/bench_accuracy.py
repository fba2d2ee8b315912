#!/usr/bin/env python3
"""bench_accuracy - how much spam is missed: Weir, bogofilter and SpamAssassin on the same mails.

    make bench-accuracy            all of it, some minutes; rivals' scores are kept in build/
    bench_accuracy.py --quick      every fourth mail
    bench_accuracy.py --first --alone   the first half, without rivals: settings are chosen by it

Real mail (the SpamAssassin public corpus) in order of time, without what leaks its label
(accuracy_mails.py): each mail of the second half is judged by those before it, then learned, by
all three.  Nothing was tuned on the second half.  Printed is how much spam each misses where it
takes at most a share of ham for spam; Weir's in parts, and what each evidence adds; and how much
of 200 spam of 2023 to 2025 each misses at the same limit.

Exit status: 0 when Weir misses less than both at the first share, 1 when not, other numbers when
it could not be measured.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'end2end'))
sys.dont_write_bytecode = True
import accuracy_mails  # noqa: E402
import accuracy_rivals  # noqa: E402
import bench  # noqa: E402
import bench_bayes  # noqa: E402
import bench_messages  # noqa: E402
import rig  # noqa: E402

SHARES = bench_bayes.SHARES
AIM = 0.02
STARTER = rig.TOP / 'core' / 'evidence' / 'starter.rules'
EVIDENCE = {
    'rules': lambda row: row['rules'],
    'reputation': lambda row: row['reputation'],
    'words': lambda row: row['weight'],
    'rules, reputation': lambda row: row['rules'] + row['reputation'],
    'rules, words': lambda row: row['rules'] + row['words'],
    'reputation, words': lambda row: row['reputation'] + row['words'],
    'rules, reputation, words': lambda row: row['score'],
}


def row_of(line):
    return {key: value if key == 'path' else float(value)
            for key, value in rig.pairs(line).items()}


def label_of(mail, file):
    return ('file-' if file and not mail.spam else '') + ('spam' if mail.spam else 'ham')


def ask_weir(run, name, mails, half, more, imported=False, files=False):
    """Rows of mails[half:], each learned behind that, and of more: the real engine's."""
    weir = rig.Weir(run.folder, name, spool={'folder': ''}, bayes={'use': 'on', 'least': 1})
    folder = weir.folder / 'rules'
    folder.mkdir()
    weir.configure(rules={'folder': folder})
    shutil.copy(STARTER, folder / '10-starter.rules')
    if imported:
        weir.ctl('rules', 'import', bench_messages.SPAMASSASSIN, '--output',
                 folder / '50-imported.rules', '--json')
    weir.ctl('rules', 'load')
    lines = [f'{mail.at} {int(number >= half)} {label_of(mail, files and number < half)} '
             f'{mail.path}' for number, mail in enumerate(mails)]
    lines += [f'{mails[-1].at} 1 none {mail.path}' for mail in more]
    rows = []
    with open(run.folder / f'{name}.orders', 'w+', encoding='utf-8') as orders:
        orders.write('\n'.join(lines) + '\n')
        orders.seek(0)
        with subprocess.Popen([run.program('bench/bench_accuracy'), 'judge', weir.conf],
                              stdin=orders, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                rows.append(row_of(line))
                accuracy_rivals.told(name, len(rows), len(mails) - half + len(more))
    if process.returncode:
        raise SystemExit(f'bench: bench_accuracy ended with {process.returncode}')
    return rows[:len(mails) - half], rows[len(mails) - half:]


def limit_at(judged, share):
    """What a score has to exceed, so that at most such a share of ham does."""
    ham = sorted((score for score, mail in judged if not mail.spam), reverse=True)
    return ham[int(share * len(ham))]


def counted(hits, n):
    low, high = bench_bayes.interval(hits, n) if n else (0, 0)
    return {'hits': hits, 'of': n, 'share': hits / n if n else 0, 'low': low, 'high': high}


def words_of(count):
    return (f'{100 * count["share"]:.1f} % ({100 * count["low"]:.1f} to '
            f'{100 * count["high"]:.1f}; {count["hits"]} of {count["of"]})')


def figures(scores, mails, more, share):
    """What somebody misses, and takes for spam wrongly, in all and by part."""
    judged = list(zip(scores[0], mails))
    limit = limit_at(judged, share)
    wrong = [(mail, (score > limit) != mail.spam) for score, mail in judged]
    parts = {}
    for group in sorted({mail.group for mail in mails}):
        errors = [error for mail, error in wrong if mail.group == group]
        parts[group] = counted(sum(errors), len(errors))
    spam = [error for mail, error in wrong if mail.spam]
    ham = [error for mail, error in wrong if not mail.spam]
    return {'share': share, 'limit': limit, 'missed': counted(sum(spam), len(spam)),
            'false': counted(sum(ham), len(ham)), 'parts': parts,
            'modern': counted(sum(score <= limit for score in scores[1]), len(more))}


def tell(name, found):
    for one in found:
        print(f'{name:<24} at <= {100 * one["share"]:g} % misses {words_of(one["missed"])}; '
              f'limit {one["limit"]:.4g}', flush=True)


def tell_parts(found):
    for one in found:
        print(f'  at <= {100 * one["share"]:g} %: ham taken for spam {words_of(one["false"])}')
        for group, count in one['parts'].items():
            what = 'missed' if group.startswith('spam') else 'taken for spam'
            print(f'    {group:<14} {what:<15} {words_of(count)}')
        if one['modern']['of']:
            print(f'    {"2023 to 2025":<14} {"missed":<15} {words_of(one["modern"])}')


def at_default(rows, mails, limit):
    """What the configuration's own limit gives."""
    ham = [row['score'] >= limit for row, mail in zip(rows, mails) if not mail.spam]
    spam = [row['score'] < limit for row, mail in zip(rows, mails) if mail.spam]
    print(f'  at spam_score = {limit:g}: ham taken for spam '
          f'{words_of(counted(sum(ham), len(ham)))}, spam missed '
          f'{words_of(counted(sum(spam), len(spam)))}')


def measure_weir(run, mails, half, more, results):
    """With the rules as installed, with SpamAssassin's imported as well, and where the ham that is
    learned first came out of files: nobody may be spam for having a reputation at all."""
    judged = mails[half:]
    for name, imported, files in (('Weir', False, False), ('Weir, imported rules', True, False),
                                  ('Weir, ham of files', False, True)):
        rows, modern = ask_weir(run, name, mails, half, more, imported, files)
        found = [figures(([row['score'] for row in rows], [row['score'] for row in modern]),
                         judged, more, share) for share in SHARES]
        tell(name, found)
        tell_parts(found)
        at_default(rows, judged, 5)
        print('  what each evidence gives:')
        results[name] = {'all': found, 'evidence': {}}
        for evidence, score in EVIDENCE.items():
            one = [figures(([score(row) for row in rows], []), judged, [], share)
                   for share in SHARES]
            results[name]['evidence'][evidence] = [each['missed'] for each in one]
            tell(f'    {evidence}', one)


def measure_rivals(run, mails, half, more, results):
    for name in accuracy_rivals.RIVALS:
        *scores, version = accuracy_rivals.scores(run, name, mails, half, more)
        found = [figures(scores, mails[half:], more, share) for share in SHARES]
        tell(name, found)
        tell_parts(found)
        results[name] = {'version': version, 'all': found}


def verdict(results):
    ours = results['Weir']['all'][0]['missed']
    theirs = {name: results[name]['all'][0]['missed'] for name in accuracy_rivals.RIVALS}
    good = all(ours['hits'] < one['hits'] for one in theirs.values())
    print(f'{"  ok" if good else "MISS"}  Weir misses {ours["hits"]} of {ours["of"]}, ' +
          ', '.join(f'{name} {one["hits"]}' for name, one in theirs.items()) +
          f', at <= {100 * SHARES[0]:g} % ham taken for spam')
    print(f'      the aim of less than {100 * AIM:g} %: '
          f'{"reached" if ours["share"] < AIM else "not reached"}')
    return 0 if good else 1


def main():
    parser = argparse.ArgumentParser(description='How much spam is missed, beside two rivals.')
    parser.add_argument('--build', default='build')
    parser.add_argument('--quick', action='store_true', help='every fourth mail')
    parser.add_argument('--first', action='store_true', help='the first half alone, in halves')
    parser.add_argument('--alone', action='store_true', help='without the rivals')
    parser.add_argument('--json', help='also write the figures to this file')
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
    run = bench.Bench(options.build)
    mails = accuracy_mails.corpus(run, run.folder / 'mails')[::4 if options.quick else 1]
    mails = mails[:len(mails) // 2] if options.first else mails
    more = [] if options.first else accuracy_mails.modern(run, run.folder / 'modern')
    half = len(mails) // 2
    print(f'{len(mails)} mails; the first {half} are learned, '
          f'{sum(mail.spam for mail in mails[half:])} spam and '
          f'{sum(not mail.spam for mail in mails[half:])} ham judged')
    results = {}
    measure_weir(run, mails, half, more, results)
    if not options.alone:
        measure_rivals(run, mails, half, more, results)
    if options.json:
        with open(options.json, 'w', encoding='utf-8') as out:
            json.dump(results, out, indent=1)
    return 0 if options.alone else verdict(results)


if __name__ == '__main__':
    sys.exit(main())

"""accuracy_rivals - bogofilter and SpamAssassin for bench_accuracy.py, taught and asked like Weir.

Scores are kept in the build folder under the rival's version, how it is asked, and all mails in
their order, so that a second run is fast; of other mails, or another version, nothing is reused.
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys

import bench_bayes
import rig

ASKED = '2'  # to be raised when rivals are taught or asked in another way
SPAMASSASSIN = rig.RIG / 'spamassassin'
SCRIPT = rig.TOP / 'tests' / 'end2end' / 'spamassassin.pl'


def told(what, done, of):
    if done % 250 == 0 or done == of:
        print(f'\r      {what}: {done} of {of} ', end='' if done < of else '\n', file=sys.stderr,
              flush=True)


def version_of(name):
    path = rig.RIG / name / 'version'
    if not path.exists():
        raise SystemExit(f'bench: {path} is not there: run tests/end2end/deps.sh --bench')
    return path.read_text().strip()


def ask_bogofilter(folder, mails, half, more):
    """Scores of mails[half:], each learned behind that, and of more."""
    os.makedirs(folder)
    rival = bench_bayes.Bogofilter(str(folder))
    rival.learn([(mail.plain, mail.spam) for mail in mails[:half]])
    scores = []
    for mail in mails[half:]:
        scores.append(rival.judge(mail.plain))
        rival.run('-s' if mail.spam else '-n', '-I', mail.plain)
        told('bogofilter', len(scores), len(mails) - half)
    return scores, [rival.judge(mail.plain) for mail in more]


def ask_spamassassin(folder, mails, half, more):
    """The same, by one process that is told what to learn and what to judge."""
    os.makedirs(folder)
    orders = []
    for number, mail in enumerate(mails):
        orders += [f'judge {mail.path}'] if number >= half else []
        orders.append(f'{"spam" if mail.spam else "ham"} {mail.path}')
    orders += [f'judge {mail.path}' for mail in more]
    asked = folder / 'orders'
    asked.write_text('\n'.join(orders) + '\n')
    scores = []
    with open(asked, encoding='utf-8') as orders, subprocess.Popen(
            ['perl', SCRIPT, SPAMASSASSIN, '--learn'], stdin=orders, stdout=subprocess.PIPE,
            text=True, env=dict(os.environ, WEIR_SA_HOME=str(folder))) as process:
        for line in process.stdout:
            scores.append(float(line.rpartition('\t')[2]))
            told('SpamAssassin', len(scores), len(mails) - half + len(more))
    if process.returncode or len(scores) != len(mails) - half + len(more):
        raise SystemExit(f'bench: SpamAssassin ended with {process.returncode}')
    return scores[:len(mails) - half], scores[len(mails) - half:]


RIVALS = {'bogofilter': ('bogofilter-bdb', ask_bogofilter),
          'SpamAssassin': ('spamassassin', ask_spamassassin)}


def key_of(version, mails, half, more):
    digest = hashlib.sha256(f'{ASKED} {version} {half}'.encode())
    for mail in (*mails, *more):
        digest.update(f'\n{mail.spam} '.encode() + pathlib.Path(mail.path).read_bytes())
    return digest.hexdigest()[:32]


def scores(bench, name, mails, half, more):
    """A rival's scores of mails[half:] and of more, and its version."""
    package, ask = RIVALS[name]
    version = version_of(package)
    kept = pathlib.Path(bench.build) / 'accuracy'
    kept.mkdir(parents=True, exist_ok=True)
    path = kept / f'{name}-{key_of(version, mails, half, more)}.json'
    if not path.exists():
        judged = ask(bench.folder / name, mails, half, more)
        path.with_suffix('.new').write_text(json.dumps(judged))
        path.with_suffix('.new').replace(path)
    judged = json.loads(path.read_text())
    return judged[0], judged[1], version

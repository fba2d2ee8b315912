"""accuracy_mails - the mails of bench_accuracy.py: real ones, without what leaks their label.

What is kept is what a mail server at the border gets: the sender's header and body, and on top one
Received field that says who handed it in.  Taken out are the fields that tell when, where and by
which list it was received (bench_bayes.LEAKS), and Message-IDs that the receivers put in.  The
date is the same everywhere.
"""
import os
import re
import subprocess

import bench_bayes
import bench_messages
import rig

MODERN = rig.TOP.parent / 'shared' / 'data' / 'spam-modern'
GATEWAYS = '127.0.0.0/8, 193.120.211.219, 213.105.180.140, 212.17.35.15'
RECEIVERS = re.compile(rb'message-id:\s*<[^@>]*@([^>]*\.)?(webnote\.net|netnoteinc\.com|'
                       rb'slashnull\.org|jmason\.org|taint\.org|localhost)\s*>', re.I)
DATE = b'Thu, 1 Aug 2002 12:00:00 +0000'
INSIDE = re.compile(r'127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|::1$|-$')


class Mail:
    """One mail: where it lies now, what it is, and which part of which collection it is of."""

    def __init__(self, source, path):
        self.source, self.path = source, path
        self.group = os.path.basename(os.path.dirname(source))
        self.spam = self.group.startswith('spam')
        self.at = 0


def boundaries(bench, weir, paths):
    """(address, name, helo) of who handed each in, "-" where unknown."""
    done = subprocess.run([bench.program('bench/bench_accuracy'), 'boundary', weir.conf],
                          input='\n'.join(paths) + '\n', capture_output=True, text=True, check=True)
    return [line.split(' ') for line in done.stdout.splitlines()]


def received(boundary):
    """The field that the border's own server would write."""
    address, name, helo = boundary
    if INSIDE.match(address):
        return b''
    name = 'unknown' if name == '-' else name
    helo = name if helo == '-' else helo
    return (f'Received: from {helo} ({name} [{address}])\n\tby mx.site.example (Postfix) with '
            f'SMTP id 1; ').encode('ascii') + DATE + b'\n'


def stripped(octets, boundary):
    fields, rest = bench_bayes.parted(octets.replace(b'\r\n', b'\n'))
    kept = [field for field in fields
            if not bench_bayes.LEAKS.match(field) and not RECEIVERS.match(field)]
    if any(field[:5].lower() == b'date:' for field in fields):
        kept.append(b'Date: ' + DATE)
    return received(boundary) + b'\n'.join(kept) + rest


def prepare(bench, folder, sources):
    """Mails in order of time, stripped into a folder."""
    weir = rig.Weir(bench.folder, 'border-' + os.path.basename(folder), boundary={'mode': 'preconfigured',
                                                      'gateways': GATEWAYS},
                    rules={'folder': ''}, spool={'folder': ''})
    os.makedirs(folder, exist_ok=True)
    mails = []
    for source, boundary in zip(sources, boundaries(bench, weir, sources)):
        group, name = source.split(os.sep)[-2:]
        mail = Mail(source, os.path.join(folder, f'{group}-{name}'.replace(' ', '_')))
        with open(source, 'rb') as file:
            octets = file.read()
        mail.at = bench_bayes.received_at(bench_bayes.parted(octets)[0])
        with open(mail.path, 'wb') as file:
            file.write(stripped(octets, boundary))
        mails.append(mail)
    mails.sort(key=lambda mail: (mail.at, os.path.basename(mail.source)))
    return mails


def corpus(bench, folder):
    return prepare(bench, folder, bench_messages.corpus())


def modern(bench, folder):
    """None, said aloud, where the folder shared/data is not beside the checkout."""
    if not MODERN.is_dir():
        print(f'skip  the spam of 2023 to 2025: {MODERN} is not there', flush=True)
        return []
    return prepare(bench, folder, sorted(str(path) for path in MODERN.glob('*.eml')))

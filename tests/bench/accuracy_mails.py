"""accuracy_mails - the mails of bench_accuracy.py: real ones, without what leaks their label.

What is kept is what a mail server at the border gets: the sender's header and body, on top a
Received field that says who handed it in, and the sender's own below it.  Taken out are the fields
that tell where and by which list it was received (bench_bayes.LEAKS), the Received fields of the
receiver's side, and Message-IDs that it put in.

Weir and SpamAssassin have rules about dates and relays, and pass both over where they learn words.
bogofilter does not, and dates alone tell most of the labels: it gets the mails without.
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
INSIDE = re.compile(r'127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|::1$|-$')


class Mail:
    """One mail: where it lies now, what it is, and which part of which collection it is of."""

    def __init__(self, source, path):
        self.source, self.path, self.plain = source, path, path + '.plain'
        self.group = os.path.basename(os.path.dirname(source))
        self.spam = self.group.startswith('spam')
        self.at = 0


def boundaries(bench, weir, paths):
    """(address, name, helo, fields of our side) of who handed each in, "-" where unknown."""
    done = subprocess.run([bench.program('bench/bench_accuracy'), 'boundary', weir.conf],
                          input='\n'.join(paths) + '\n', capture_output=True, text=True, check=True)
    return [line.split(' ') for line in done.stdout.splitlines()]


def named(fields, name):
    return [field for field in fields if field[:len(name) + 1].lower() == name + b':']


def relays(fields, boundary):
    """The field that the border's own server would write, and those below it."""
    address, name, helo, ours = boundary
    if INSIDE.match(address):
        return []
    name = 'unknown' if name == '-' else name
    helo = name if helo == '-' else helo
    all_ = named(fields, b'received')
    when = all_[int(ours) - 1].rpartition(b';')[2].strip()
    top = (f'Received: from {helo} ({name} [{address}])\n\tby mx.site.example (Postfix) '
           'with SMTP id 1;\n\t')
    return [top.encode('ascii') + when, *all_[int(ours):]]


def write(mail, octets, boundary):
    fields, rest = bench_bayes.parted(octets.replace(b'\r\n', b'\n'))
    kept = [field for field in fields
            if not bench_bayes.LEAKS.match(field) and not RECEIVERS.match(field)]
    whole = relays(fields, boundary) + named(fields, b'date') + kept
    for path, header in ((mail.path, whole), (mail.plain, kept)):
        with open(path, 'wb') as file:
            file.write(b'\n'.join(header) + rest)
    mail.at = bench_bayes.received_at(fields)


def prepare(bench, folder, sources):
    """Mails in order of time, stripped into a folder."""
    weir = rig.Weir(bench.folder, 'border-' + os.path.basename(folder),
                    boundary={'mode': 'preconfigured', 'gateways': GATEWAYS},
                    rules={'folder': ''}, spool={'folder': ''})
    os.makedirs(folder, exist_ok=True)
    mails = []
    for source, boundary in zip(sources, boundaries(bench, weir, sources)):
        group, name = source.split(os.sep)[-2:]
        mail = Mail(source, os.path.join(folder, f'{group}-{name}'.replace(' ', '_')))
        with open(source, 'rb') as file:
            write(mail, file.read(), boundary)
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

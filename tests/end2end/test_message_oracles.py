"""How messages are taken apart, beside Python's `email`: count, type and octets of the leaves.

Real messages are in the folder shared/data beside the checkout, or in those of WEIR_MAILS
(colons between them); without them these tests are skipped.
"""
import csv
import email
import email.errors
import email.policy
import os
import pathlib
import quopri
import random
import re
import subprocess
import sys
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import harness

TOP = pathlib.Path(__file__).resolve().parents[2]
DATA = TOP.parent / "shared" / "data"
TOOL = pathlib.Path(os.environ.get("WEIR_BUILD", TOP / "build")) / "bench" / "bench_message"
AGREE = 0.99
SHOWN = 10


def decoded(part):
    """The octets of a leaf, as RFC 2045 has them where Python does not: blanks around the
    name of an encoding say nothing (6.1), nor do those at the end of a line (6.7 rule 3)."""
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoding != "quoted-printable":
        return part.get_payload(decode=True)
    raw = part.get_payload().encode("ascii", "surrogateescape")
    return quopri.decodestring(re.sub(rb"[ \t]+(\r?\n|$)", rb"\1", raw))


def leaves_of(part):
    """(type, octets, CRC-32) of each leaf; None for what Python takes apart and we do not."""
    kind = part.get_content_type()
    if part.get_content_maintype() == "message" and kind not in ("message/rfc822",
                                                                 "message/global"):
        return [(kind, None, None)]
    if part.is_multipart():
        return [leaf for child in part.get_payload() for leaf in leaves_of(child)]
    octets = decoded(part)
    return [(kind, len(octets), zlib.crc32(octets))]


def is_firm(message):
    """Python saw nothing wrong anywhere."""
    return not any(part.defects for part in message.walk())


def python_reads(path):
    """(firm, leaves), or None where Python's own parser fails."""
    octets = path.read_bytes()
    try:
        message = email.message_from_bytes(octets, policy=email.policy.compat32)
        leaves = leaves_of(message)  # also notes what is wrong with base64
        return is_firm(message), leaves
    except (LookupError, ValueError, TypeError, AttributeError):
        return None


def weir_reads(paths):
    """The same from bench_message: {path: leaves}."""
    names = "".join(f"{path}\n" for path in paths)
    done = subprocess.run([TOOL, "--structure"], input=names.encode(), stdout=subprocess.PIPE,
                          check=True)
    found = {path: [] for path in paths}
    for line in done.stdout.decode("latin-1").splitlines():
        if line.count("\t") != 4:
            continue
        name, kind, _, octets, crc = line.split("\t")
        found[pathlib.Path(name)].append((kind.lower(), int(octets), int(crc, 16)))
    return found


def same_kind(kind, theirs):
    """A multipart without parts is text for both, whatever it says; so is what is no type."""
    if kind.count("/") != 1:
        kind = "text/plain"
    return kind.startswith("multipart/") or theirs == kind


def same(ours, theirs):
    if len(ours) != len(theirs):
        return False
    for (kind, octets, crc), (their_kind, their_octets, their_crc) in zip(ours, theirs):
        if not same_kind(kind, their_kind):
            return False
        if their_octets is not None and (octets, crc) != (their_octets, their_crc):
            return False
    return True


class Oracles(unittest.TestCase):
    def setUp(self):
        if not TOOL.exists():
            self.skipTest(f"no {TOOL}: make benches")

    def agrees(self, paths, firm_names=None):
        ours = weir_reads(paths)
        different, compared = [], 0
        for path in paths:
            theirs = python_reads(path)
            if not theirs or not theirs[0] or (firm_names and path not in firm_names):
                continue
            compared += 1
            if not same(ours[path], theirs[1]):
                different.append(f"{path.name}: ours {ours[path]}, Python's {theirs[1]}")
        share = 1 - len(different) / max(compared, 1)
        told = "\n".join(different[:SHOWN])
        print(f"{compared} messages, {share:.2%} alike\n{told}")
        self.assertGreater(compared, 0)
        self.assertGreaterEqual(share, AGREE, told)

    def test_defect_free_hard_messages_have_the_leaves_that_python_finds(self):
        oracle = DATA / "mime" / "ORACLE.python-email.tsv"
        if not oracle.exists():
            self.skipTest(f"no {oracle}")
        with oracle.open(newline="", encoding="utf-8") as lines:
            rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            firm = {DATA / "mime" / row["file"] for row in rows if row["firm"] == "1"}
        self.agrees(sorted(path for path in firm if path.exists()), firm)

    def test_real_mails_have_the_leaves_that_python_finds(self):
        names = [name for name in os.environ.get("WEIR_MAILS", "").split(":") if name]
        folders = [pathlib.Path(name) for name in names]
        folders.append(DATA / "spam-modern")
        paths = sorted(path for folder in folders for path in folder.rglob("*")
                       if path.suffix in (".txt", ".eml") and path.is_file())
        if not paths:
            self.skipTest(f"no messages in {', '.join(map(str, folders))}")
        random.Random(1).shuffle(paths)
        self.agrees(sorted(paths[:1200]))


if __name__ == "__main__":
    harness.main()

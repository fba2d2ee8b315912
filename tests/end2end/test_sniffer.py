"""weir-sniffer reads real captures: what it hears is what their truth tables say, also when the
captures are cut, mixed up, moved or wrapped; or it says that it could not hear all.

The captures lie in shared/data/pcap beside the checkout; without them these tests skip.
"""
import collections
import csv
import itertools
import json
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import captures
import harness
import rig

DATA = rig.TOP.parent / "shared" / "data" / "pcap"
GOLDEN = rig.TOP / "tests" / "golden" / "pcap_differences.tsv"
PORTS = (25, 465, 587, 2525)
# The client said hello in TLS on port 465, and the server answered in the clear.
CLEAR_ANSWERS = ("sv__smtp-errors_smtperr.pcap", "sv__smtp-tls-protodetect.pcap")
SMALL = 60_000  # octets of payload of a capture that is cut into single octets


def setUpModule():
    if not (DATA / "truth.msgs.tsv").exists():
        raise unittest.SkipTest(f"NOT TESTED: there are no captures in {DATA}")


def sniff(*words, code=0, stdin=None, folder=None):
    """Runs weir-sniffer; gives what it printed."""
    command = [rig.BUILD / "weir-sniffer", "-c", empty_configuration(), *words]
    done = subprocess.run([str(word) for word in command], input=stdin, capture_output=True,
                          timeout=120, cwd=folder)
    if done.returncode != code:
        raise AssertionError(f"{words} ended with {done.returncode}: {done.stderr.decode()}")
    return done


def empty_configuration():
    path = pathlib.Path(sniff.__dict__.setdefault("folder", rig.scratch())) / "weir.conf"
    path.touch()
    return path


def read(files, *words):
    """The records that are told of these files, by type."""
    done = sniff("-r", *files, "--json", "-p", ",".join(map(str, PORTS)), *words)
    records = collections.defaultdict(list)
    for line in done.stdout.decode("utf-8").splitlines():
        record = json.loads(line)
        record["file"] = pathlib.Path(record.get("file") or files[0]).name
        records[record["type"]].append(record)
    return records


def table(name):
    with open(DATA / name, newline="", encoding="utf-8") as rows:
        return list(csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE))


def key_of_truth(row):
    code = 0 if row["final_code"] == "None" else int(row["final_code"])
    result = ("accepted" if code // 100 == 2 else "rejected" if code >= 400 else "unfinished")
    return "|".join((result, str(code), row["mail_from"], row["rcpts"], row["data_bytes"]))


def key_of(message):
    sender = "?" if message["mail_from"] is None else message["mail_from"]
    return "|".join((message["result"], str(message["reply"] or 0), sender,
                     ",".join(message["rcpt_to"]), str(message["bytes"])))


def ends_of(connection):
    return (connection["file"], connection["client"], connection["client_port"],
            connection["server"], connection["server_port"])


class Truth(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = sorted(DATA.glob("*.pcap*"))
        cls.records = read(cls.files)

    def test_messages_are_those_of_the_table_but_for_the_explained_differences(self):
        ours, truth = collections.Counter(), collections.Counter()
        for message in self.records["message"]:
            ours[message["file"], key_of(message)] += 1
        for row in table("truth.msgs.tsv"):
            truth[row["file"], key_of_truth(row)] += 1
        with open(GOLDEN, newline="", encoding="utf-8") as rows:
            for row in csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE):
                self.assertTrue(row["why"])
                for side, name in ((truth, "truth"), (ours, "ours")):
                    if row[name] != "-":
                        self.assertGreater(side[row["file"], row[name]], 0, (name, row))
                        side[row["file"], row[name]] -= 1
        self.assertEqual(sorted((truth - ours).elements()), [], "not heard")
        self.assertEqual(sorted((ours - truth).elements()), [], "heard and not there")

    def test_connections_are_those_in_which_a_server_spoke(self):
        truth = {(row["file"], row["client"], int(row["cport"]), row["server"],
                  int(row["sport"])) for row in table("truth.conns.tsv")
                 if int(row["server_bytes"]) > 0}
        ours = collections.Counter(map(ends_of, self.records["connection"]))
        # its packets lie fourteen years apart: for the table they are one connection all the same
        ours["pcpp__Tests_Packet__Test_PacketExamples_Smtp.pcap", "10.10.1.4", 1470,
             "74.53.140.153", 25] -= 1
        self.assertEqual(sorted(ours.elements()), sorted(truth))

    def test_encryption_is_told_as_in_the_table(self):
        ours = {ends_of(connection): connection for connection in self.records["connection"]}
        for row in table("truth.conns.tsv"):
            found = ours.get((row["file"], row["client"], int(row["cport"]), row["server"],
                              int(row["sport"])))
            if found:
                self.assertEqual(found["starttls"], row["starttls"] == "2", row["file"])
                self.assertEqual(found["tls"],
                                 row["tls"] == "1" and row["file"] not in CLEAR_ANSWERS,
                                 row["file"])
                self.assertEqual(found["authenticated"], row["auth"] == "2", row["file"])

    def test_sums_of_connections_messages_and_addresses_agree(self):
        records = self.records
        for name in ("messages", "accepted"):
            by_connection = sum(one[name] for one in records["connection"])
            self.assertEqual(by_connection, sum(one[name] for one in records["address"]))
            self.assertEqual(by_connection, sum(
                1 for one in records["message"]
                if name == "messages" or one["result"] == "accepted"))
        self.assertEqual(len(records["connection"]),
                         sum(one["connections"] for one in records["address"]))
        for one in records["connection"]:
            self.assertEqual(one["messages"],
                             one["accepted"] + one["rejected"] + one["unfinished"])

    def test_a_lone_SYN_is_told_apart_and_blames_nobody(self):
        name = "sv__bug-6733-syn-packet-flow-output.pcap"
        records = read([DATA / name])
        self.assertEqual(records["connection"] + records["message"], [])
        self.assertEqual([(one["connections"], one["syns"]) for one in records["address"]],
                         [(0, 1)])


class Changed(unittest.TestCase):
    """All captures, changed: equal, or told to be incomplete."""

    @classmethod
    def setUpClass(cls):
        cls.folder = rig.scratch()
        cls.packets = {path.stem: captures.read(path) for path in sorted(DATA.glob("*.pcap*"))}
        cls.base = cls.heard("base", lambda packets: packets)

    @classmethod
    def heard(cls, name, change, *words, wrapping="ethernet", snaplen=262144, most=None):
        """What is heard of the changed captures: by file, lists of connections and messages."""
        files = []
        for stem, packets in cls.packets.items():
            if most and sum(packet.wire for packet in packets) > most:
                continue
            path = cls.folder / f"{name}-{stem}.pcap"
            captures.write(path, change(packets), wrapping, snaplen)
            files.append(path)
        records = read(files, *words)
        heard = {path.stem.split("-", 1)[1]: {"connection": [], "message": []} for path in files}
        for kind in ("connection", "message", "file"):
            for record in records[kind]:
                stem = pathlib.Path(record["file"]).stem.split("-", 1)[1]
                heard[stem].setdefault(kind, []).append(record)
        for path in files:
            path.unlink()
        return heard

    @staticmethod
    def outline(heard, client=True):
        """What has to be equal."""
        connections = [(one["client"] if client else "", one["client_port"] if client else 0,
                        one["server"] if client else "", one["server_port"], one["messages"],
                        one["accepted"], one["rejected"], one["unfinished"], one["recipients"],
                        one["starttls"], one["tls"]) for one in heard["connection"]]
        messages = [(one["client_port"] if client else 0, one["index"], key_of(one))
                    for one in heard["message"]]
        return sorted(connections), sorted(messages)

    @staticmethod
    def is_flagged(heard):
        """Whether something tells that not all was heard."""
        return (any(one["gaps"] or one["midstream"] or one["lost"] or one["end"] == "cut"
                    for one in heard["connection"])
                or heard["file"][0]["unanswered"] > 0 or heard["file"][0]["cut"] > 0)

    def check(self, heard, equal_at_least, client=True, silent=False):
        """silent: a connection need not have begun."""
        equal = 0
        for stem, now in heard.items():
            with self.subTest(stem):
                before = self.base[stem]
                accepted = [sum(one["accepted"] for one in side["connection"])
                            for side in (before, now)]
                self.assertLessEqual(accepted[1], accepted[0], "more than there were")
                same = self.outline(now, client) == self.outline(before, client)
                equal += same
                self.assertTrue(same or self.is_flagged(now) or
                                (silent and not now["connection"]),
                                f"\n{self.outline(before, client)}\n{self.outline(now, client)}")
        self.assertGreaterEqual(equal, equal_at_least)

    def all_equal(self, heard, client=True):
        self.check(heard, len(heard), client)

    def test_written_anew_they_are_heard_as_before(self):
        original = read(sorted(DATA.glob("*.pcap*")))
        for stem, heard in self.base.items():
            there = {kind: [one for one in original[kind]
                            if pathlib.Path(one["file"]).stem == stem]
                     for kind in ("connection", "message")}
            self.assertEqual(self.outline(heard), self.outline(there), stem)

    def test_in_segments_of_64_octets(self):
        self.all_equal(self.heard("s64", lambda p: captures.segmented(p, 64)))

    def test_in_segments_of_7_octets(self):
        self.all_equal(self.heard("s7", lambda p: captures.segmented(p, 7), most=8 * SMALL))

    def test_in_segments_of_1_octet(self):
        self.all_equal(self.heard("s1", lambda p: captures.segmented(p, 1), most=SMALL))

    def test_with_neighbours_swapped(self):
        self.all_equal(self.heard("swap", captures.swapped))

    def test_with_neighbours_swapped_once_the_connection_is_there(self):
        heard = self.heard("swap3", lambda p: p[:3] + list(captures.swapped(p[3:])))
        self.check(heard, len(heard) - 1)  # in one, years lie between neighbours

    def test_with_each_packet_twice(self):
        self.all_equal(self.heard("twice", captures.doubled))

    def test_with_96_octets_of_each_packet(self):
        self.check(self.heard("snap", lambda p: p, snaplen=96), 10)

    def test_with_half_of_the_packets(self):
        self.check(self.heard("half", lambda p: p[:len(p) // 2]), 0, silent=True)

    def test_with_the_other_half_of_the_packets(self):
        self.check(self.heard("tail", lambda p: p[len(p) // 2:]), 0)

    def test_with_the_client_only_nothing_is_counted(self):
        heard = self.heard("client", lambda p: [one for one in p if one.dport in PORTS])
        self.check(heard, 0)
        self.assertEqual(sum(len(one["message"]) for one in heard.values()), 0)

    def test_with_the_server_only_most_messages_are_counted(self):
        heard = self.heard("server", lambda p: [one for one in p if one.sport in PORTS])
        accepted = [sum(one["accepted"] for side in part.values() for one in side["connection"])
                    for part in (self.base, heard)]
        self.assertLessEqual(accepted[1], accepted[0])
        self.assertGreater(accepted[1], 0.6 * accepted[0])
        for stem, now in heard.items():
            with self.subTest(stem):
                self.assertTrue(self.outline(now) == self.outline(self.base[stem])
                                or self.is_flagged(now), now)

    def test_moved_to_IPv6(self):
        self.all_equal(self.heard("ipv6", captures.moved_to_ipv6), client=False)

    def test_in_other_wrappings(self):
        for wrapping in ("vlan", "qinq", "cooked", "cooked2", "raw"):
            with self.subTest(wrapping):
                self.all_equal(self.heard(wrapping, lambda p: p, wrapping=wrapping))

    def test_in_fragments_only_the_first_counts(self):
        """What the others carry is missing: told as gaps, and never makes more of anything."""
        for family, move in (("4", lambda p: p), ("6", captures.moved_to_ipv6)):
            for size in (64, 1024):
                for last_first in (False, True):
                    parts = collections.Counter()

                    def change(packets, move=move, size=size, last_first=last_first, parts=parts):
                        pieces = list(captures.fragmented(move(packets), size, last_first))
                        parts["later"] += sum(1 for one in pieces if getattr(one, "offset", 0))
                        return pieces

                    with self.subTest(family=family, size=size, last_first=last_first):
                        heard = self.heard(f"frag{family}", change)
                        self.check(heard, 10 if size == 64 else 25, client=False)
                        told = sum(now["file"][0]["fragments"] for now in heard.values())
                        self.assertEqual(told, parts["later"])

    def proxied(self, version, unknown=False, trusted="0.0.0.0/0,::/0"):
        header = captures.proxy_header(version, unknown)
        return self.heard(f"proxy{version}", lambda p: captures.proxied(p, PORTS, header),
                          "-P", trusted)

    def test_with_PROXY_headers_of_a_trusted_proxy(self):
        for version in (1, 2):
            heard = self.proxied(version)
            self.all_equal(heard, client=False)
            for stem, now in heard.items():
                for one in now["connection"]:
                    with self.subTest(stem, version=version):
                        self.assertTrue(one["proxied"] or self.is_flagged(now))
                        if one["proxied"]:
                            self.assertEqual((one["client"], one["client_port"]),
                                             captures.PROXY_CLIENT)
            named = sum(one["proxied"] for now in heard.values() for one in now["connection"])
            self.assertGreaterEqual(named, 45)

    def test_PROXY_headers_of_others_name_nobody(self):
        for version in (1, 2):
            heard = self.proxied(version, trusted="192.0.2.99")
            self.assertFalse(any(one["proxied"] for now in heard.values()
                                 for one in now["connection"]))
            accepted = sum(one["accepted"] for now in heard.values() for one in now["connection"])
            self.assertLessEqual(accepted, sum(one["accepted"] for now in self.base.values()
                                               for one in now["connection"]))


def replies(texts):
    return "".join(f"{text}\r\n" for text in texts).encode()


def stories(texts):
    """Dialogues with a server of these texts, each with two messages accepted, for two recipients
    and for one: a command a turn, pipelined, and in chunks."""
    hello = [("S", b"220 mx.example ESMTP\r\n"), ("C", b"EHLO client.example\r\n"),
             ("S", b"250-mx.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n")]
    bye = [("C", b"QUIT\r\n"), ("S", b"221 2.0.0 Bye\r\n")]
    mail, rcpt, queued = texts
    first = [b"MAIL FROM:<a@client.example>\r\n", b"RCPT TO:<b@here.example>\r\n",
             b"RCPT TO:<c@here.example>\r\n"]
    second = [b"MAIL FROM:<d@client.example>\r\n", b"RCPT TO:<e@here.example>\r\n"]
    body = b"Subject: one\r\n\r\nSome text of a mail that is not very short.\r\n"

    def lockstep(envelope):
        said = [("C", envelope[0]), ("S", replies([mail]))]
        for line in envelope[1:]:
            said += [("C", line), ("S", replies([rcpt]))]
        return said

    def data(envelope):
        return lockstep(envelope) + [("C", b"DATA\r\n"), ("S", b"354 go ahead\r\n"),
                                     ("C", body + b".\r\n"), ("S", replies([queued]))]

    def pipelined(envelope):
        answers = [mail] + [rcpt] * (len(envelope) - 1)
        return [("C", b"".join(envelope) + b"DATA\r\n"),
                ("S", replies(answers + ["354 go ahead"])), ("C", body), ("C", body + b".\r\n"),
                ("S", replies([queued]))]

    def chunks(envelope):
        chunk = b"BDAT %d\r\n" % len(body) + body
        return lockstep(envelope) + [("C", chunk), ("S", b"250 2.0.0 Ok: one chunk\r\n"),
                                     ("C", chunk.replace(b"\r\n", b" LAST\r\n", 1)),
                                     ("S", replies([queued]))]

    def blind(envelope):
        answers = [mail] + [rcpt] * (len(envelope) - 1)
        return [("C", b"".join(envelope) + b"BDAT %d LAST\r\n" % len(body) + body),
                ("S", replies(answers + [queued]))]

    return {how.__name__: hello + how(first) + how(second) + bye
            for how in (data, pipelined, chunks, blind)}


class Forged(unittest.TestCase):
    """One segment of the client is forged: the server never got it, and we did."""

    SERVERS = {"Postfix": ("250 2.1.0 Ok", "250 2.1.5 Ok", "250 2.0.0 Ok: queued as 4XyZ"),
               "Exim": ("250 OK", "250 Accepted", "250 OK id=1vMabc-000000001Xy-2Zab"),
               "terse": ("250 ok", "250 ok", "250 ok")}
    OF_WORDS = ("chunks", "blind")  # messages by BDAT are found again by the server's words only
    KINDS = (b"STARTTLS\r\n", b"RSET\r\n", b"BDAT 1000000\r\n", b"BDAT 7 LAST\r\n", b"DATA\r\n",
             b"QUIT\r\n", b"NOOP\r\n" * 300, bytes(6), bytes(1200), b"MAIL FROM:<z@z>\r\n",
             b"\r\n.\r\n", b".\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500))

    @classmethod
    def setUpClass(cls):
        """All in one capture; what was forged by the client's port."""
        cls.made, packets, port = {}, [], 10000
        for server, texts in cls.SERVERS.items():
            for story, turns in stories(texts).items():
                if server == "terse" and story in cls.OF_WORDS:
                    continue
                true = captures.talk(turns, port)
                places = [i for i, one in enumerate(true) if one.payload and one.dport == 25]
                for place in places:
                    for kind, first in itertools.product(cls.KINDS, (True, False)):
                        if not true[place].payload.startswith(kind):
                            cls.made[port] = (server, story, true[place].payload[:20], kind[:20],
                                              first)
                            packets += captures.forged(captures.talk(turns, port), place, kind,
                                                       first)
                            port += 1
        path = rig.scratch() / "forged.pcap"
        captures.write(path, packets)
        cls.records = read([path])
        cls.heard = {one["client_port"]: one for one in cls.records["connection"]}

    def wrong(self, is_right):
        """Of which it does not hold."""
        self.assertEqual(sorted(self.heard), sorted(self.made))
        return [(made, self.heard[port]) for port, made in self.made.items()
                if not is_right(made, self.heard[port])]

    def test_it_is_told(self):
        self.assertEqual(self.wrong(lambda _, heard: heard.get("forged", 0)
                                    + heard.get("odd", 0) > 0), [])

    def test_no_message_that_the_server_took_is_hidden_nor_a_recipient(self):
        self.assertEqual(self.wrong(lambda made, heard: heard["accepted"] >= 2 and
                                    heard["recipients"] >= 3 - (made[0] == "terse")), [])

    def test_behind_the_true_one_it_changes_nothing(self):
        self.assertEqual(self.wrong(lambda made, heard: made[-1] or made[0] == "terse" or (
            heard["messages"], heard["accepted"], heard["recipients"]) == (2, 2, 3)), [])

    def test_what_is_told_of_the_address_and_the_file_agrees(self):
        address, = self.records["address"]
        for name in ("messages", "accepted"):
            self.assertEqual(address[name],
                             sum(one[name] for one in self.records["connection"]))
        self.assertEqual(address["connections"], len(self.made))
        for name in ("odd", "forged"):
            self.assertEqual(self.records["file"][0][name],
                             sum(one.get(name, 0) for one in self.records["connection"]))


class Files(unittest.TestCase):
    """Files that are damaged, foreign, long, or come through a pipe."""

    def setUp(self):
        self.folder = rig.scratch()
        self.good = DATA / "zeek__smtp.pcap"

    def test_what_cannot_be_read_is_named_with_its_reason(self):
        text = self.folder / "text"
        text.write_text("Dear all, this is no capture.\n" * 20)
        cut = self.folder / "cut.pcap"
        cut.write_bytes(self.good.read_bytes()[:3000])
        strange = self.folder / "strange.pcap"
        data = bytearray(self.good.read_bytes())
        data[20:24] = (147).to_bytes(4, "little")
        strange.write_bytes(data)
        for path, code in ((text, 65), (cut, 65), (strange, 65), (self.folder / "none", 66),
                           (self.folder, 66)):
            with self.subTest(path.name):
                done = sniff("-r", path, "--json", code=code)
                self.assertIn(str(path), done.stderr.decode())
                for line in done.stdout.decode().splitlines():
                    json.loads(line)

    def test_the_others_are_read_all_the_same(self):
        done = sniff("-r", self.folder / "none", self.good, "--json", code=66)
        self.assertEqual(done.stdout.decode().count('"type":"message"'), 2)

    def test_a_cut_file_is_told_as_far_as_it_goes(self):
        cut = self.folder / "cut.pcap"
        cut.write_bytes(self.good.read_bytes()[:30_000])
        records = [json.loads(line) for line in
                   sniff("-r", cut, "--json", code=65).stdout.decode().splitlines()]
        self.assertEqual([one["result"] for one in records if one["type"] == "message"],
                         ["accepted", "unfinished"])
        self.assertIn("truncated", [one for one in records if one["type"] == "file"][0]["problem"])

    def test_standard_input_is_a_file(self):
        piped = sniff("-r", "-", "--json", stdin=self.good.read_bytes()).stdout
        read_ = sniff("-r", self.good, "--json").stdout
        lines = [[line for line in text.splitlines() if b'"type":"file"' not in line]
                 for text in (piped, read_)]
        self.assertEqual(*lines)

    def test_names_that_are_no_UTF_8_make_valid_JSON(self):
        packets = captures.read(self.good)
        changed = [one.but(payload=one.payload.replace(b"gurpartap", b'g\xff\xc3(b\x01r\x80z'))
                   for one in packets]
        path = self.folder / "names.pcap"
        captures.write(path, [one.but(wire=len(one.payload)) for one in changed])
        text = sniff("-r", path, "--json").stdout.decode("utf-8", errors="strict")
        senders = [json.loads(line).get("mail_from") for line in text.splitlines()]
        self.assertIn('g\ufffd\ufffd(b\x01r\ufffdz@patriots.in', senders)

    def test_a_table_is_printed_for_people(self):
        lines = sniff("-r", self.good).stdout.decode().splitlines()
        self.assertEqual(lines[0].split(), ["address", "connections", "syns", "messages",
                                            "accepted", "recipients", "estimated"])
        self.assertIn(["192.168.133.100", "1", "0", "1", "1", "3", "0"],
                      [line.split() for line in lines])

    def test_output_that_cannot_be_written_is_told(self):
        command = f"{rig.BUILD}/weir-sniffer -c {empty_configuration()} -r {self.good} >/dev/full"
        done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 74)

    def test_wrong_command_lines_are_refused(self):
        for words in (("--json",), ("file",), ("-r",), ("-r", "a", "-i", "lo"), ("--frob",),
                      ("-r", "a", "-p", "70000"), ("-r", "a", "-P", "10.0.0.1/8"),
                      ("-r", "a", "-p", ",")):
            with self.subTest(words):
                sniff(*words, code=64)

    def test_files_may_stand_before_and_behind_options(self):
        for words in (("-r", self.good, self.good, "--json"), (self.good, "-r", self.good, "-j"),
                      ("--json", f"--read={self.good}", self.good), (f"-jr{self.good}", self.good)):
            text = sniff(*words).stdout.decode()
            self.assertEqual(text.count('"type":"file"'), 2)

    def test_configurations_are_tested(self):
        path = self.folder / "weir.conf"
        path.write_text("[sniffer]\nports = 25, 99999\n")
        nobody, good = self.folder / "nobody.conf", self.folder / "good.conf"
        nobody.write_text("[sniffer]\nuser = nobody-of-that-name\n")
        good.write_text("[sniffer]\nuser = nobody\n")
        for words, code in ((("-c", path, "-t"), 78), (("-c", good, "-t"), 0),
                            (("-c", nobody, "-t"), 78), (("-c", path, "-r", self.good), 78)):
            sniff(*words, code=code)
        many = ",".join(map(str, range(1, 18)))
        for words in ((), ("-t",)):  # told before anything is listened at
            done = sniff("-c", good, "-p", many, *words, code=78)
            self.assertIn("too many ports", done.stderr.decode())


if __name__ == "__main__":
    harness.main()

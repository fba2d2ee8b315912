"""captures - capture files read, changed and written again, without any library.

read() gives the TCP packets of a pcap or pcapng file; write() makes a pcap file of packets, in
one of several wrappings.  What lies between are functions from lists of packets to lists of
packets: other segments, another order, other addresses.
"""
import collections
import dataclasses
import ipaddress
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


@dataclasses.dataclass(frozen=True)
class Packet:
    """One TCP segment; wire: octets of payload that were sent, of which payload was captured."""
    time: float
    source: object
    sport: int
    target: object
    dport: int
    seq: int
    ack: int
    flags: int
    payload: bytes
    wire: int

    def but(self, **changes):
        return dataclasses.replace(self, **changes)

    @property
    def connection(self):
        """The same for both directions."""
        ends = (self.source, self.sport), (self.target, self.dport)
        return tuple(sorted(ends, key=lambda end: (end[0].packed, end[1])))

    def frame(self):
        """IP and TCP; no checksums, as on the sending host."""
        tcp = struct.pack(">HHIIBBHHH", self.sport, self.dport, self.seq % 2**32,
                          self.ack % 2**32, 0x50, self.flags, 8192, 0, 0)
        if self.source.version == 4:
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + self.wire, 0, 0x4000, 64, 6, 0,
                             self.source.packed, self.target.packed)
        else:
            ip = struct.pack(">IHBB16s16s", 0x60000000, 20 + self.wire, 6, 64,
                             self.source.packed, self.target.packed)
        return ip + tcp + self.payload


@dataclasses.dataclass(frozen=True)
class Fragment(Packet):
    """A piece of a packet: these octets of what stands behind its IP header, and where."""
    piece: bytes
    offset: int
    more: bool

    def frame(self):
        if self.source.version == 4:
            return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(self.piece), self.seq & 0xffff,
                               self.offset // 8 | self.more << 13, 64, 6, 0, self.source.packed,
                               self.target.packed) + self.piece
        return struct.pack(">IHBB16s16sBBHI", 0x60000000, 8 + len(self.piece), 44, 64,
                           self.source.packed, self.target.packed, 6, 0, self.offset | self.more,
                           self.seq % 2**32) + self.piece


# Reading. ----------------------------------------------------------------------------


def blocks_of_pcap(data):
    """(time, link, captured octets) of a pcap file."""
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    fine = 1e9 if data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1e6
    link, at = struct.unpack_from(order + "I", data, 20)[0], 24
    while at + 16 <= len(data):
        seconds, parts, captured, _ = struct.unpack_from(order + "IIII", data, at)
        yield seconds + parts / fine, link & 0xffff, data[at + 16:at + 16 + captured]
        at += 16 + captured


def blocks_of_pcapng(data):
    """The same of a pcapng file; times of microseconds."""
    order = "<" if data[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
    links, at = [], 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from(order + "II", data, at)
        if kind == 1:
            links.append(struct.unpack_from(order + "H", data, at + 8)[0])
        elif kind == 6:
            interface, high, low, captured = struct.unpack_from(order + "IIII", data, at + 8)
            yield ((high << 32 | low) / 1e6, links[interface],
                   data[at + 28:at + 28 + captured])
        at += length


def network_layer(link, frame):
    """What is inside Ethernet (with tags), BSD loopback, raw IP and Linux cooked frames."""
    if link == 1:
        at = 12
        while frame[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
            at += 4
        return frame[at + 2:]
    return frame[{0: 4, 12: 0, 101: 0, 113: 16, 276: 20}[link]:]


def packet_of(time, link, frame):
    """The packet in a frame; None when there is no TCP, or a later fragment."""
    ip = network_layer(link, frame)
    if not ip:
        return None
    if ip[0] >> 4 == 4:
        head, protocol = 4 * (ip[0] & 15), ip[9]
        end = struct.unpack_from(">H", ip, 2)[0] or len(ip)  # 0: segmented by the card
        if struct.unpack_from(">H", ip, 6)[0] & 0x1fff:
            return None
        source, target = ip[12:16], ip[16:20]
    elif ip[0] >> 4 == 6:
        head, protocol, end = 40, ip[6], 40 + struct.unpack_from(">H", ip, 4)[0]
        source, target = ip[8:24], ip[24:40]
    else:
        return None
    if protocol != 6 or len(ip) < head + 20:
        return None
    tcp = ip[head:end]
    sport, dport, seq, ack, offset, flags = struct.unpack_from(">HHIIBB", tcp)
    offset = 4 * (offset >> 4)
    return Packet(time, ipaddress.ip_address(source), sport, ipaddress.ip_address(target), dport,
                  seq, ack, flags & 31, tcp[offset:], end - head - offset)


def read(path):
    data = path.read_bytes()
    blocks = blocks_of_pcapng if data[:4] == b"\x0a\x0d\x0d\x0a" else blocks_of_pcap
    found = (packet_of(*block) for block in blocks(data))
    return [packet for packet in found if packet]


# Writing. ------------------------------------------------------------------------------


def ethernet(packet, tags=()):
    kind = struct.pack(">H", 0x0800 if packet.source.version == 4 else 0x86dd)
    return bytes(12) + b"".join(tags) + kind + packet.frame()


def cooked(packet):
    kind = 0x0800 if packet.source.version == 4 else 0x86dd
    return struct.pack(">HHH8sH", 0, 1, 6, bytes(8), kind) + packet.frame()


def cooked2(packet):
    kind = 0x0800 if packet.source.version == 4 else 0x86dd
    return struct.pack(">HHIHBB8s", kind, 0, 2, 1, 0, 6, bytes(8)) + packet.frame()


# name -> (link type, function)
WRAPPINGS = {
    "ethernet": (1, ethernet),
    "vlan": (1, lambda packet: ethernet(packet, (b"\x81\x00\x00\x2a",))),
    "qinq": (1, lambda packet: ethernet(packet, (b"\x88\xa8\x00\x2a", b"\x81\x00\x00\x07"))),
    "cooked": (113, cooked),
    "cooked2": (276, cooked2),
    "raw": (101, Packet.frame),
}


def write(path, packets, wrapping="ethernet", snaplen=262144):
    link, wrap = WRAPPINGS[wrapping]
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, snaplen, link))
        for packet in packets:
            frame = wrap(packet)
            wire = len(frame) + packet.wire - len(packet.payload)
            micros = round(packet.time * 1e6)
            out.write(struct.pack("<IIII", micros // 10**6, micros % 10**6,
                                  min(len(frame), snaplen), wire) + frame[:snaplen])


# Changes. --------------------------------------------------------------------------------


def segmented(packets, size):
    """Payloads cut into pieces; SYN goes with the first, FIN with the last."""
    for packet in packets:
        if packet.wire <= size or packet.wire != len(packet.payload) or packet.flags & SYN:
            yield packet
            continue
        for at in range(0, packet.wire, size):
            piece = packet.payload[at:at + size]
            last = at + size >= packet.wire
            yield packet.but(seq=packet.seq + at, payload=piece, wire=len(piece),
                             flags=packet.flags if last else packet.flags & ~(FIN | PSH))


def fragmented(packets, size, last_first=False):
    """IP packets in pieces of so many octets behind the IP header, a multiple of eight."""
    for packet in packets:
        octets = packet.frame()[20 if packet.source.version == 4 else 40:]
        if len(octets) <= size or packet.wire != len(packet.payload):
            yield packet
            continue
        bare = {**vars(packet), "payload": b"", "wire": 0}
        pieces = [Fragment(**bare, piece=octets[at:at + size], offset=at,
                           more=at + size < len(octets)) for at in range(0, len(octets), size)]
        yield from reversed(pieces) if last_first else pieces


def swapped(packets):
    """Neighbours change places, two and two."""
    for first, second in zip(packets[::2], packets[1::2]):
        yield second.but(time=first.time)
        yield first.but(time=second.time)
    if len(packets) % 2:
        yield packets[-1]


def doubled(packets):
    for packet in packets:
        yield packet
        yield packet


def moved_to_ipv6(packets):
    def move(address):
        if address.version == 6:
            return address
        return ipaddress.ip_address(b"\x20\x01\x0d\xb8" + bytes(8) + address.packed)
    for packet in packets:
        yield packet.but(source=move(packet.source), target=move(packet.target))


PROXY_CLIENT = ("198.51.100.77", 4321)


def proxy_header(version, unknown=False):
    """A header that tells PROXY_CLIENT, or nobody."""
    host, port = PROXY_CLIENT
    if version == 1:
        return (b"PROXY UNKNOWN\r\n" if unknown else
                f"PROXY TCP4 {host} 203.0.113.9 {port} 25\r\n".encode())
    body = (ipaddress.ip_address(host).packed + ipaddress.ip_address("203.0.113.9").packed
            + struct.pack(">HH", port, 25))
    extension = b"\x04\x00\x03abc"
    return (b"\r\n\r\n\x00\r\nQUIT\n" + bytes([0x20 if unknown else 0x21, 0x11])
            + struct.pack(">H", len(body + extension)) + body + extension)


def proxied(packets, ports, header):
    """The header in front of what clients say: their SYN is moved back by its length, so that
    all other numbers fit as they are."""
    begun = collections.defaultdict(bool)
    for packet in packets:
        to_server = packet.dport in ports
        known = begun[packet.connection]
        if packet.flags & SYN and not packet.flags & ACK:
            yield packet.but(seq=packet.seq - len(header))
            continue
        if packet.flags & SYN:
            yield packet.but(ack=packet.ack - len(header))
            if not known:
                yield header_before(packet, packet.ack, packet.seq + 1, header)
        else:
            if not known and not to_server:
                yield header_before(packet, packet.ack, packet.seq, header)
            elif not known:
                yield header_before(packet, packet.seq, packet.ack, header, back=False)
            yield packet
        begun[packet.connection] = True


def header_before(packet, seq, ack, header, back=True):
    """The segment of a header, so that what is at seq comes next; back: against packet."""
    ends = dict(source=packet.target, sport=packet.dport, target=packet.source,
                dport=packet.sport) if back else {}
    return packet.but(seq=seq - len(header), ack=ack, flags=PSH | ACK, payload=header,
                      wire=len(header), **ends)


# Dialogues by hand, and what a client forges. -----------------------------------------------


def talk(turns, port, server_port=25, start=1_700_000_000.0):
    """The packets of a connection from 192.0.2.9 and port, from its handshake to its FINs: turns
    of ("C" or "S", octets), a segment each, that acknowledge all before them."""
    ends = {"C": dict(source=ipaddress.ip_address("192.0.2.9"), sport=port,
                      target=ipaddress.ip_address("198.51.100.25"), dport=server_port),
            "S": dict(source=ipaddress.ip_address("198.51.100.25"), sport=server_port,
                      target=ipaddress.ip_address("192.0.2.9"), dport=port)}
    at = {"C": 1000 * port, "S": 2000 * port}
    packets = []

    def send(side, flags, octets=b"", step=0):
        other = "S" if side == "C" else "C"
        packets.append(Packet(time=start + len(packets) / 1000, seq=at[side], flags=flags,
                              ack=at[other] if flags & ACK else 0, payload=octets,
                              wire=len(octets), **ends[side]))
        at[side] += len(octets) + step

    send("C", SYN, step=1)
    send("S", SYN | ACK, step=1)
    send("C", ACK)
    for side, octets in turns:
        send(side, PSH | ACK, octets)
    send("C", FIN | ACK, step=1)
    send("S", FIN | ACK, step=1)
    return packets


def forged(packets, index, octets, first):
    """With a segment that only listeners take, in the place of a client's: before or behind it."""
    true = packets[index]
    false = true.but(payload=octets, wire=len(octets))
    return (packets[:index] + ([false, true] if first else [true, false])
            + packets[index + 1:])

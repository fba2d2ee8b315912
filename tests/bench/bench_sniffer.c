/*
 * bench_sniffer FILE [PACKETS [keep]] - how fast a capture is read: by an empty loop of libpcap,
 * and by the whole of the sniffer as `-r` does it (frames, connections, dialogues, tally), both
 * over one file, interleaved, best of five; the file is made first.  One JSON object comes out.
 * "keep": only makes the file.
 *
 * The file: 300 connections at once, mixed at random, of three messages each; segments of 1,448
 * octets in bodies, and lone ACKs as real stacks send them.
 */
#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sniffer/capture_io.h"
#include "sniffer/session.h"

enum { AT_ONCE = 300, ROUNDS = 5, BODY = 1448 };

/* Making the file. ---------------------------------------------------------------------- */

struct talk {
    uint32_t address, next[2]; /* sequence numbers of client and server */
    uint16_t port;
    unsigned step, message, left; /* left: segments of the body */
};

struct maker {
    FILE *out;
    uint64_t random, packets, time;
    uint32_t talks;
    uint64_t messages;
};

static uint64_t draw(struct maker *maker, uint64_t below)
{
    maker->random ^= maker->random << 13;
    maker->random ^= maker->random >> 7;
    maker->random ^= maker->random << 17;
    return maker->random * UINT64_C(0x9e3779b97f4a7c15) % below;
}

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

/* Ethernet, IPv4, TCP with a timestamp option. */
static void put_packet(struct maker *maker, struct talk *talk, bool from_server, unsigned flags,
                       const char *text, size_t len)
{
    uint8_t frame[66 + BODY] = {[12] = 8, [14] = 0x45, [20] = 0x40, [22] = 64, [23] = 6};
    uint32_t head[4] = {0};
    uint32_t server = 0xc6336401;

    put16(frame + 16, (unsigned)(52 + len));
    put32(frame + 26, from_server ? server : talk->address);
    put32(frame + 30, from_server ? talk->address : server);
    put16(frame + 34, from_server ? 25 : talk->port);
    put16(frame + 36, from_server ? talk->port : 25);
    put32(frame + 38, talk->next[from_server]);
    put32(frame + 42, flags == WEIR_TCP_SYN ? 0 : talk->next[!from_server]);
    frame[46] = 0x80;
    frame[47] = (uint8_t)flags;
    put32(frame + 54, 0x0101080a);
    memcpy(frame + 66, text, len);
    talk->next[from_server] += (uint32_t)len + ((flags & (WEIR_TCP_SYN | WEIR_TCP_FIN)) != 0);
    maker->time += 20;
    head[0] = (uint32_t)(1700000000 + maker->time / 1000000);
    head[1] = (uint32_t)(maker->time % 1000000);
    head[2] = head[3] = (uint32_t)(66 + len);
    fwrite(head, sizeof head, 1, maker->out);
    fwrite(frame, 66 + len, 1, maker->out);
    maker->packets++;
}

struct step {
    char side; /* C, S; B: a segment of a body */
    unsigned flags;
    const char *text;
};

static const struct step steps[] = {
    {'C', WEIR_TCP_SYN, ""},
    {'S', WEIR_TCP_SYN | WEIR_TCP_ACK, ""},
    {'C', WEIR_TCP_ACK, ""},
    {'S', WEIR_TCP_PSH | WEIR_TCP_ACK, "220 mx.example ESMTP\r\n"},
    {'C', WEIR_TCP_PSH | WEIR_TCP_ACK, "EHLO client.example\r\n"},
    {'S', WEIR_TCP_PSH | WEIR_TCP_ACK, "250-mx.example\r\n250-PIPELINING\r\n250 SIZE 10240000\r\n"},
    {'C', WEIR_TCP_PSH | WEIR_TCP_ACK, "MAIL FROM:<a@b.example>\r\n"}, /* 6: of each message */
    {'S', WEIR_TCP_PSH | WEIR_TCP_ACK, "250 2.1.0 Ok\r\n"},
    {'C', WEIR_TCP_PSH | WEIR_TCP_ACK, "RCPT TO:<c@d.example>\r\n"},
    {'S', WEIR_TCP_PSH | WEIR_TCP_ACK, "250 2.1.5 Ok\r\n"},
    {'C', WEIR_TCP_PSH | WEIR_TCP_ACK, "DATA\r\n"},
    {'S', WEIR_TCP_PSH | WEIR_TCP_ACK, "354 End data with <CR><LF>.<CR><LF>\r\n"},
    {'B', WEIR_TCP_ACK, ""}, /* 12: the body's segments */
    {'C', WEIR_TCP_PSH | WEIR_TCP_ACK, ".\r\n"},
    {'S', WEIR_TCP_ACK, ""},
    {'S', WEIR_TCP_PSH | WEIR_TCP_ACK, "250 2.0.0 Ok: queued as 4F2C61A0B3\r\n"},
    {'C', WEIR_TCP_PSH | WEIR_TCP_ACK, "QUIT\r\n"},
    {'S', WEIR_TCP_PSH | WEIR_TCP_ACK, "221 2.0.0 Bye\r\n"},
    {'S', WEIR_TCP_FIN | WEIR_TCP_ACK, ""},
    {'C', WEIR_TCP_FIN | WEIR_TCP_ACK, ""},
    {'S', WEIR_TCP_ACK, ""},
};

static void begin_talk(struct maker *maker, struct talk *talk)
{
    uint32_t number = maker->talks++;

    *talk = (struct talk){.address = 0x0b000000 + number % 5000 * 7919,
                          .port = (uint16_t)(1024 + number % 60000),
                          .next = {(uint32_t)draw(maker, UINT32_MAX),
                                   (uint32_t)draw(maker, UINT32_MAX)},
                          .left = 1 + (unsigned)draw(maker, 5)};
}

/* A segment of a body, and an ACK for every second one. */
static void put_body(struct maker *maker, struct talk *talk)
{
    static const char line[] = "The quick brown fox jumps over the lazy dog, again and again\r\n";
    char body[BODY];

    for (size_t i = 0; i < BODY; i++)
        body[i] = line[i % (sizeof line - 1)];
    memcpy(body + BODY - 2, "\r\n", 2);
    put_packet(maker, talk, false, WEIR_TCP_ACK, body, BODY);
    if (--talk->left % 2 == 0)
        put_packet(maker, talk, true, WEIR_TCP_ACK, "", 0);
    if (talk->left == 0)
        talk->step++;
}

/* One step; false when the talk is over. */
static bool go_on(struct maker *maker, struct talk *talk)
{
    const struct step *step = &steps[talk->step];

    if (step->side == 'B') {
        put_body(maker, talk);
        return true;
    }
    put_packet(maker, talk, step->side == 'S', step->flags, step->text, strlen(step->text));
    if (++talk->step == 16 && ++talk->message < 3) {
        talk->step = 6;
        talk->left = 1 + (unsigned)draw(maker, 5);
    }
    maker->messages += talk->step == 16 || (talk->step == 6 && talk->message > 0);
    return talk->step < sizeof steps / sizeof steps[0];
}

/* Packets and messages in the file that was made; exits when it cannot be. */
static struct maker make(const char *path, uint64_t packets)
{
    const uint32_t head[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, 1};
    struct maker maker = {.out = fopen(path, "wb"), .random = 88172645463325252u};
    struct talk talk[AT_ONCE];
    size_t open = AT_ONCE;

    if (!maker.out) {
        perror(path);
        exit(1);
    }
    fwrite(head, sizeof head, 1, maker.out);
    for (size_t i = 0; i < open; i++)
        begin_talk(&maker, &talk[i]);
    while (open > 0) {
        size_t i = draw(&maker, open);
        if (go_on(&maker, &talk[i]))
            continue;
        if (maker.packets < packets)
            begin_talk(&maker, &talk[i]);
        else
            talk[i] = talk[--open];
    }
    if (fclose(maker.out) != 0) {
        perror(path);
        exit(1);
    }
    return maker;
}

/* Reading it. ----------------------------------------------------------------------------- */

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void count(u_char *context, const struct pcap_pkthdr *head, const u_char *octets)
{
    (void)head;
    (void)octets;
    ++*(uint64_t *)(void *)context;
}

static double empty_loop(const char *path, uint64_t packets)
{
    char why[PCAP_ERRBUF_SIZE];
    double start = seconds();
    uint64_t seen = 0;
    pcap_t *pcap = pcap_open_offline(path, why);

    if (!pcap || pcap_loop(pcap, -1, count, (u_char *)&seen) != 0 || seen != packets) {
        fprintf(stderr, "%s: the empty loop saw %llu packets\n", path, (unsigned long long)seen);
        exit(1);
    }
    pcap_close(pcap);
    return seconds() - start;
}

/* All of them accepted, or the figure is worth nothing. */
static void check(struct weir_tally *tally, const struct maker *made)
{
    uint64_t accepted = 0, connections = 0;
    size_t addresses;
    struct weir_traffic *record = weir_tally_records(tally, &addresses);

    for (size_t i = 0; i < addresses; i++) {
        accepted += record[i].accepted;
        connections += record[i].connections;
    }
    if (accepted == made->messages && connections == made->talks)
        return;
    fprintf(stderr, "the sniffer counted %llu messages of %llu, %llu connections of %u\n",
            (unsigned long long)accepted, (unsigned long long)made->messages,
            (unsigned long long)connections, made->talks);
    exit(1);
}

static double sniff(const char *path, const struct maker *made, bool names)
{
    const uint16_t port[] = {25, 465, 587};
    struct weir_sessions_options options = {.ports = port, .port_count = 3,
                                            .name_addresses = names,
                                            .key = weir_hash_key_random()};
    struct weir_sessions_handler handler = {NULL, NULL, NULL};
    struct weir_sessions *sessions;
    struct weir_capture *capture;
    struct weir_tally *tally;
    char why[WEIR_CAPTURE_WHY];
    double start = seconds(), took;

    if (weir_tally_new(65536, 4096, &options.key, &tally) < 0 ||
        weir_sessions_new(&options, &handler, tally, &sessions) < 0 ||
        weir_capture_open_file(path, &capture, why) < 0)
        exit(1);
    while (weir_capture_read(capture, 1024, weir_sessions_frame, sessions, why) > 0)
        ;
    weir_sessions_finish(sessions);
    took = seconds() - start;
    check(tally, made);
    weir_capture_free(&capture);
    weir_sessions_free(&sessions);
    weir_tally_free(&tally);
    return took;
}

static double least(double a, double b)
{
    return a == 0 || b < a ? b : a;
}

int main(int argc, char **argv)
{
    double empty = 0, whole = 0, named = 0;
    struct maker made;

    if (argc < 2) {
        fprintf(stderr, "usage: bench_sniffer FILE [PACKETS]\n");
        return 64;
    }
    made = make(argv[1], argc > 2 ? strtoull(argv[2], NULL, 10) : 500000);
    for (int i = 0; argc <= 3 && i < ROUNDS; i++) {
        empty = least(empty, empty_loop(argv[1], made.packets));
        whole = least(whole, sniff(argv[1], &made, false));
        named = least(named, sniff(argv[1], &made, true));
    }
    if (argc > 3) {
        printf("{\"packets\": %llu, \"messages\": %llu, \"talks\": %u}\n",
               (unsigned long long)made.packets, (unsigned long long)made.messages, made.talks);
        return 0;
    }
    remove(argv[1]);
    printf("{\"packets\": %llu, \"messages\": %llu, \"empty\": %.0f, \"sniffer\": %.0f, "
           "\"named\": %.0f}\n", (unsigned long long)made.packets,
           (unsigned long long)made.messages, (double)made.packets / empty,
           (double)made.packets / whole, (double)made.packets / named);
    return 0;
}

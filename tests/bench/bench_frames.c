/*
 * bench_frames FILE INTERFACE RATE SECONDS - sends the frames of bench_sniffer's file again and
 * again, RATE a second, as evenly as two thousand looks at the clock a second allow; each time
 * with other clients' addresses, since connections do not come twice.
 *
 * Frames go to a packet socket in blocks, past the queueing discipline.  Prints one JSON line: how
 * many went, how many times the whole file, in what time, what it cost.  It ends with a whole file,
 * so that each connection in it is over.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BLOCK = 64, SOURCE = 26, DESTINATION = 30, SERVER = 0xc6 /* its first octet */ };

struct frames {
    struct iovec *frame;
    size_t count, room;
};

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_frames: %s: %s\n", what, why);
    exit(1);
}

static double clock_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void keep(u_char *context, const struct pcap_pkthdr *head, const u_char *octets)
{
    struct frames *frames = (struct frames *)(void *)context;
    void *copy = malloc(head->caplen);

    if (frames->count == frames->room) {
        frames->room = 2 * frames->room + 1024;
        frames->frame = realloc(frames->frame, frames->room * sizeof *frames->frame);
    }
    memcpy(copy, octets, head->caplen);
    frames->frame[frames->count++] = (struct iovec){copy, head->caplen};
}

static struct frames load(const char *path)
{
    char why[PCAP_ERRBUF_SIZE];
    struct frames frames = {.count = 0};
    pcap_t *pcap = pcap_open_offline(path, why);

    if (!pcap || pcap_loop(pcap, -1, keep, (u_char *)&frames) != 0 || frames.count == 0)
        fail(path, pcap ? "no frames" : why);
    pcap_close(pcap);
    return frames;
}

static int open_socket(const char *interface)
{
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
                             .sll_ifindex = (int)if_nametoindex(interface)};
    int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1; /* 0: it hears nothing itself */

    if (fd < 0 || at.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) < 0)
        fail(interface, strerror(errno));
    return fd;
}

/* The client's network is the next one. */
static void change_client(const struct iovec *frame)
{
    uint8_t *octet = frame->iov_base;

    octet[octet[SOURCE] == SERVER ? DESTINATION : SOURCE]++;
}

/* Sends some frames from a place in the file on; how many. */
static size_t send_some(int fd, const struct frames *frames, size_t from, size_t count)
{
    struct mmsghdr message[BLOCK] = {0};
    int sent;

    count = count < BLOCK ? count : BLOCK;
    count = count < frames->count - from ? count : frames->count - from;
    for (size_t i = 0; i < count; i++) {
        message[i].msg_hdr.msg_iov = &frames->frame[from + i];
        message[i].msg_hdr.msg_iovlen = 1;
    }
    sent = sendmmsg(fd, message, (unsigned)count, 0);
    if (sent < 0 && errno != ENOBUFS && errno != EAGAIN)
        fail("sendmmsg", strerror(errno));
    for (int i = 0; i < sent; i++)
        change_client(&frames->frame[from + (size_t)i]);
    return sent > 0 ? (size_t)sent : 0;
}

int main(int argc, char **argv)
{
    const struct timespec pause = {.tv_nsec = 500000};
    struct frames frames;
    double rate, begun, now, until;
    unsigned long long sent = 0, times = 0;
    size_t at = 0;
    int fd;

    if (argc != 5)
        fail("usage", "FILE INTERFACE RATE SECONDS");
    frames = load(argv[1]);
    fd = open_socket(argv[2]);
    rate = atof(argv[3]);
    begun = now = clock_of(CLOCK_MONOTONIC);
    until = begun + atof(argv[4]);
    while (now < until || at > 0) {
        size_t due = (size_t)((now - begun) * rate) - (size_t)sent;

        while (due > 0 && (now < until || at > 0)) {
            size_t some = send_some(fd, &frames, at, due);

            sent += some;
            due -= some;
            at += some;
            times += at == frames.count;
            at = at == frames.count ? 0 : at;
            now = at == 0 ? clock_of(CLOCK_MONOTONIC) : now;
        }
        nanosleep(&pause, NULL);
        now = clock_of(CLOCK_MONOTONIC);
    }
    printf("{\"sent\": %llu, \"times\": %llu, \"seconds\": %.3f, \"cpu\": %.3f}\n", sent, times,
           now - begun, clock_of(CLOCK_PROCESS_CPUTIME_ID));
    return 0;
}

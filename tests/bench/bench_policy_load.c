/*
 * bench_policy_load - asks a policy server as Postfix does, on many connections.
 *
 * One request is in flight on each connection.  Prints one JSON line: requests,
 * seconds, rate, latency in milliseconds (median, p99, most), answers by
 * first word, and errors.
 *
 *     bench_policy_load --port 10040 [--connections 100] [--requests 200000]
 *         [--seconds 0] [--addresses 100000] [--domains 20000] [--zipf]
 *         [--seed 1] [--idle 0]
 *
 * --idle N opens N connections, asks once on each tenth of them, prints
 * "idle" and waits for its standard input to close.
 * --history N prints N lines for `weirctl reputation add --file` and ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 512
#define BUCKETS 4000 /* of the latency histogram: 5 % steps would do; these are 0.5 % */

struct load {
    unsigned port, connections, idle;
    uint64_t requests, seed, history;
    double seconds;
    uint32_t addresses, domains;
    bool zipf;
    double *address_share, *domain_share; /* cumulated, for Zipf */
    uint64_t asked, answered, errors, dunno, prepend, refused;
    uint64_t bucket[BUCKETS];
    double most;
};

struct connection {
    int fd;
    double asked_at;
    size_t got;
    char tail[2], head[16];
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t draw(struct load *load) /* splitmix64 (Steele, Lea, Flood 2014) */
{
    uint64_t z = load->seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double *zipf_shares(uint32_t n)
{
    double *share = malloc(n * sizeof *share), sum = 0;

    for (uint32_t i = 0; i < n; i++)
        share[i] = sum += 1.0 / (i + 1);
    for (uint32_t i = 0; i < n; i++)
        share[i] /= sum;
    return share;
}

static uint32_t pick(struct load *load, uint32_t n, const double *share)
{
    double u = (double)(draw(load) >> 11) * 0x1p-53;
    uint32_t low = 0, high = n - 1;

    if (!share)
        return (uint32_t)(u * n);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (share[middle] < u)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Four addresses to a network, from 11.0.0.0 on. */
static void address_text(uint32_t i, char text[24])
{
    uint32_t net = i / 4;

    snprintf(text, 24, "%u.%u.%u.%u", 11 + (net >> 16), net >> 8 & 255, net & 255, 10 + i % 4 * 50);
}

static size_t compose(struct load *load, char *request, size_t size)
{
    char address[24];
    unsigned domain;

    address_text(pick(load, load->addresses, load->address_share), address);
    domain = pick(load, load->domains, load->domain_share);
    return (size_t)snprintf(
        request, size,
        "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n"
        "client_address=%s\nclient_name=unknown\nclient_port=4321\nreverse_client_name=unknown\n"
        "server_address=127.0.0.1\nserver_port=25\nhelo_name=client.d%u.com\n"
        "sender=someone@mail.d%u.com\nrecipient=user@test.example\nrecipient_count=0\n"
        "queue_id=\ninstance=%llx.%x.0\nsize=4300\netrn_domain=\nstress=\nsasl_method=\n"
        "sasl_username=\nsasl_sender=\nccert_subject=\nccert_issuer=\nccert_fingerprint=\n"
        "ccert_pubkey_fingerprint=\nencryption_protocol=\nencryption_cipher=\n"
        "encryption_keysize=0\npolicy_context=\n\n",
        address, domain, domain, (unsigned long long)draw(load), (unsigned)load->asked);
}

static void ask(struct load *load, struct connection *c)
{
    char request[2048];
    size_t len = compose(load, request, sizeof request);

    c->got = 0;
    c->asked_at = now();
    load->asked++;
    if (send(c->fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
        load->errors++;
}

static void count_answer(struct load *load, const struct connection *c)
{
    double ms = (now() - c->asked_at) * 1e3;
    int bucket = ms <= 1e-3 ? 0 : (int)(log(ms * 1e3) / log(1.005));

    if (ms > load->most)
        load->most = ms;
    load->bucket[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    load->answered++;
    load->dunno += memcmp(c->head, "action=DUNNO", 12) == 0;
    load->prepend += memcmp(c->head, "action=PREPE", 12) == 0;
    load->refused += memcmp(c->head, "action=5", 8) == 0 || memcmp(c->head, "action=4", 8) == 0;
}

/* True when an answer is complete. */
static bool take(struct load *load, struct connection *c)
{
    char part[4096];
    ssize_t got = recv(c->fd, part, sizeof part, 0);

    if (got <= 0) {
        load->errors++;
        close(c->fd);
        c->fd = -1;
        return false;
    }
    for (ssize_t i = 0; i < got; i++, c->got++) {
        if (c->got < sizeof c->head)
            c->head[c->got] = part[i];
        c->tail[0] = c->tail[1];
        c->tail[1] = part[i];
    }
    return c->got >= 2 && c->tail[0] == '\n' && c->tail[1] == '\n';
}

static int dial(const struct load *load)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load->port)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0) {
        perror("bench_policy_load: connect");
        exit(1);
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static double percentile(const struct load *load, double share)
{
    uint64_t seen = 0;

    for (int i = 0; i < BUCKETS; i++) {
        seen += load->bucket[i];
        if ((double)seen >= share * (double)load->answered)
            return pow(1.005, i) * 1e-3;
    }
    return load->most;
}

static void report(const struct load *load, double seconds)
{
    printf("{\"requests\": %llu, \"seconds\": %.3f, \"rate\": %.0f, \"median_ms\": %.3f, "
           "\"p99_ms\": %.3f, \"most_ms\": %.3f, \"dunno\": %llu, \"prepend\": %llu, "
           "\"refused\": %llu, \"errors\": %llu}\n",
           (unsigned long long)load->answered, seconds, (double)load->answered / seconds,
           percentile(load, 0.5), percentile(load, 0.99), load->most,
           (unsigned long long)load->dunno, (unsigned long long)load->prepend,
           (unsigned long long)load->refused, (unsigned long long)load->errors);
}

static void run(struct load *load)
{
    struct connection *c = calloc(load->connections, sizeof *c);
    struct epoll_event event[EVENTS];
    int epoll = epoll_create1(0);
    double start = now(), deadline = load->seconds > 0 ? start + load->seconds : 1e300;

    for (unsigned i = 0; i < load->connections; i++) {
        c[i].fd = dial(load);
        event[0] = (struct epoll_event){.events = EPOLLIN, .data.ptr = &c[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, c[i].fd, &event[0]);
    }
    start = now();
    for (unsigned i = 0; i < load->connections; i++)
        ask(load, &c[i]);
    while (load->answered + load->errors < load->asked) {
        int n = epoll_wait(epoll, event, EVENTS, 5000);
        if (n == 0)
            break; /* nobody answers any more: the report shows what is missing */
        for (int i = 0; i < n; i++) {
            struct connection *one = event[i].data.ptr;
            if (!take(load, one))
                continue;
            count_answer(load, one);
            if (load->asked < load->requests && now() < deadline)
                ask(load, one);
        }
    }
    report(load, now() - start);
}

static void sit_idle(struct load *load)
{
    struct connection c = {0};
    char octet;

    for (unsigned i = 0; i < load->idle; i++) {
        c.fd = dial(load);
        if (i % 10 == 0) {
            ask(load, &c);
            while (!take(load, &c))
                ;
        }
    }
    puts("idle");
    fflush(stdout);
    (void)!read(0, &octet, 1);
}

static void print_history(struct load *load)
{
    long long at = (long long)time(NULL) - 86400;

    for (uint64_t i = 0; i < load->history; i++) {
        char address[24];
        address_text((uint32_t)(i % load->addresses), address);
        printf("%lld\t%s\td%u.com\t%s\tcomputer\n", at, address,
               (unsigned)(draw(load) % load->domains), draw(load) % 3 ? "good" : "spam");
    }
}

static void read_options(struct load *load, int argc, char **argv)
{
    static const struct option known[] = {
        {"port", 1, 0, 'p'},    {"connections", 1, 0, 'c'}, {"requests", 1, 0, 'r'},
        {"seconds", 1, 0, 's'}, {"addresses", 1, 0, 'a'},   {"domains", 1, 0, 'd'},
        {"zipf", 0, 0, 'z'},    {"seed", 1, 0, 'S'},        {"idle", 1, 0, 'i'},
        {"history", 1, 0, 'h'}, {0, 0, 0, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        double value = optarg ? atof(optarg) : 0;
        switch (option) {
        case 'p': load->port = (unsigned)value; break;
        case 'c': load->connections = (unsigned)value; break;
        case 'r': load->requests = (uint64_t)value; break;
        case 's': load->seconds = value; break;
        case 'a': load->addresses = (uint32_t)value; break;
        case 'd': load->domains = (uint32_t)value; break;
        case 'z': load->zipf = true; break;
        case 'S': load->seed = (uint64_t)value; break;
        case 'i': load->idle = (unsigned)value; break;
        case 'h': load->history = (uint64_t)value; break;
        default: exit(64);
        }
    }
}

int main(int argc, char **argv)
{
    struct load load = {.port = 10040, .connections = 100, .requests = 200000, .seed = 1,
                        .addresses = 100000, .domains = 20000};
    struct rlimit files;

    read_options(&load, argc, argv);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (load.zipf) {
        load.address_share = zipf_shares(load.addresses);
        load.domain_share = zipf_shares(load.domains);
    }
    if (load.history > 0)
        print_history(&load);
    else if (load.idle > 0)
        sit_idle(&load);
    else
        run(&load);
    return load.errors > 0;
}

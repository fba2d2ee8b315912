/*
 * bench_agents - the load of many agents on one weir-monitor, from one thread, as cheap as can be.
 *
 *     bench_agents PORT IDENTITIES SECONDS LINES POOL RATE [deflate] [commands] [health]
 *
 * IDENTITIES: a file of lines "name secret", one for each agent.  Each has a TLS connection of its
 * own, kept alive, and brings batches of LINES traffic lines, one second's of as many addresses of
 * its own (out of POOL of all agents together): RATE batches a second, or with RATE 0 the next
 * when the one before is acknowledged.  Bodies are made beforehand; only the time in front of each
 * line is written anew, and with "deflate" not even that.  "commands": a second connection holds a
 * question for commands; "health": a report every three seconds.
 *
 * A batch that is answered 503 is brought again a little later.  Prints one JSON line: what was
 * acknowledged within SECONDS after all connections were there, and what it cost this program.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <zlib.h>

#include "core/store/traffic_line.h"

#define SHAKING_MOST 64      /* handshakes at once */
#define HEALTH_EVERY (3 * WEIR_SECOND)
#define LATER (200 * 1000)   /* after a 503, in microseconds */
#define CONNECTING (30 * WEIR_SECOND) /* for all; who is not there then, stays away */
#define PIECE 16384
#define LATENCIES 4000000
#define STREAM "sniffer-1795000000-77.log"

enum kind { NOTHING, SPOOL, HEALTH, COMMANDS };
enum state { CLOSED, SHAKING, READY, SENDING, AWAITING };

struct agent;

struct link {
    struct agent *agent;
    gnutls_session_t tls;
    int fd;
    enum state state;
    enum kind kind;          /* of what is under way */
    char head[640], in[2048];
    struct weir_slice piece[2];
    unsigned at;             /* the piece that is sent */
    size_t got;
    weir_time begun;
};

struct agent {
    char name[64], secret[64];
    char *body, *small;      /* lines; deflated */
    size_t len, small_len;
    uint64_t offset, generation;  /* generation: of the commands it has */
    weir_time next, next_health;
    struct link spool, commands;
};

struct load {
    const char *port;
    double seconds, rate;
    unsigned lines, pool;
    bool deflate, commands, health;
    struct agent *agent;
    unsigned agents, shaking, ready, links, connecting;
    gnutls_certificate_credentials_t credentials;
    int epoll;
    weir_time now, wall_ahead;   /* steady; of the wall clock before it */
    uint64_t acknowledged, octets, batches, healths, answers, later, elsewhere, errors;
    float *latency;              /* of batches, in milliseconds */
    size_t latencies;
};

static weir_time clock_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (weir_time)now.tv_sec * WEIR_SECOND + now.tv_nsec / 1000;
}

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_agents: %s: %s\n", what, why);
    exit(1);
}

/* bodies ------------------------------------------------------------------------- */

/* One second's lines of an agent: consecutive addresses of the pool, from a place of its own. */
static void make_body(const struct load *load, struct agent *agent, unsigned number)
{
    char line[WEIR_TRAFFIC_LINE_ROOM];
    weir_time now = clock_of(CLOCK_REALTIME);
    uLongf room;

    agent->body = malloc((size_t)load->lines * WEIR_TRAFFIC_LINE_ROOM);
    for (unsigned i = 0; i < load->lines; i++) {
        uint32_t place = (uint32_t)(((uint64_t)number * load->lines + i) % load->pool);
        uint32_t spread = htonl(0x0b000000 + place * 2654435761u % 0xb0000000u);
        struct weir_traffic traffic = {.time = now, .quantity = {1, 1, 1 + i % 3, 1, 2, 0}};
        size_t len;

        traffic.address.octet[10] = traffic.address.octet[11] = 0xff;
        memcpy(traffic.address.octet + 12, &spread, sizeof spread);
        len = strlen(weir_traffic_line_write(&traffic, line));
        memcpy(agent->body + agent->len, line, len);
        agent->len += len;
        agent->body[agent->len++] = '\n';
    }
    agent->body = realloc(agent->body, agent->len);
    room = compressBound(agent->len);
    agent->small = load->deflate ? malloc(room) : NULL;
    if (agent->small && compress2((Bytef *)agent->small, &room, (const Bytef *)agent->body,
                                  agent->len, 1) == Z_OK) {
        agent->small_len = room;
        agent->small = realloc(agent->small, room);
    }
}

/* Writes the time into each line: "at=1795000000.000000 ...". */
static void stamp(struct agent *agent, weir_time wall)
{
    char digits[32], *end = agent->body + agent->len;

    snprintf(digits, sizeof digits, "%010" PRId64 ".%06" PRId64, wall / WEIR_SECOND,
             wall % WEIR_SECOND);
    for (char *at = agent->body; at < end; at = (char *)memchr(at, '\n', (size_t)(end - at)) + 1)
        memcpy(at + 3, digits, 17);
}

/* requests ------------------------------------------------------------------------- */

/* Lays a request ready; drive() sends it. */
static void request(struct load *load, struct link *link, enum kind kind, const char *line,
                    struct weir_slice body, const char *more)
{
    struct agent *agent = link->agent;
    int len = snprintf(link->head, sizeof link->head,
                       "%s HTTP/1.1\r\nHost: monitor\r\nAuthorization: Bearer %s:%s\r\n"
                       "Weir-Instance: %032x\r\nContent-Length: %zu\r\n%s\r\n", line, agent->name,
                       agent->secret, (unsigned)(agent - load->agent) + 1, body.len, more);

    link->piece[0] = (struct weir_slice){link->head, (size_t)len};
    link->piece[1] = body;
    link->kind = kind;
    link->state = SENDING;
    link->at = 0;
    link->got = 0;
    link->begun = load->now;
}

static void send_batch(struct load *load, struct agent *agent)
{
    struct weir_slice body = {agent->body, agent->len};
    char line[160];

    if (agent->small)
        body = (struct weir_slice){agent->small, agent->small_len};
    else
        stamp(agent, load->now + load->wall_ahead);
    snprintf(line, sizeof line, "POST /agent/v1/spool?stream=" STREAM "&offset=%" PRIu64,
             agent->offset);
    request(load, &agent->spool, SPOOL, line, body,
            agent->small ? "Content-Encoding: deflate\r\n" : "");
}

static void send_health(struct load *load, struct agent *agent)
{
    static const char report[] = "{\"spool_octets\": 4096, \"spool_files\": 2, \"dropped\": 0, "
                                 "\"entries\": 12}";

    agent->next_health = load->now + HEALTH_EVERY;
    request(load, &agent->spool, HEALTH, "POST /agent/v1/health",
            (struct weir_slice){report, sizeof report - 1}, "");
}

static void send_question(struct load *load, struct agent *agent)
{
    char line[128];

    snprintf(line, sizeof line, "GET /agent/v1/commands?generation=%" PRIu64 "&wait=50",
             agent->generation);
    request(load, &agent->commands, COMMANDS, line, (struct weir_slice){"", 0}, "");
}

/* The next thing that an agent has to do, if it is time. */
static void next_thing(struct load *load, struct agent *agent)
{
    if (load->connecting || agent->spool.state != READY)
        return;
    if (load->health && load->now >= agent->next_health)
        send_health(load, agent);
    else if (load->now >= agent->next)
        send_batch(load, agent);
}

/* answers ---------------------------------------------------------------------------- */

static void batch_answered(struct load *load, struct agent *agent, int status, const char *text)
{
    const char *offset = strstr(text, "\"offset\": ");
    weir_time every = load->rate > 0 ? (weir_time)(WEIR_SECOND / load->rate) : 0;

    if (status == 200) {
        load->acknowledged += load->lines;
        load->octets += agent->len;
        load->batches++;
        agent->offset += agent->len;
        if (load->latencies < LATENCIES)
            load->latency[load->latencies++] = (float)(load->now - agent->spool.begun) / 1000;
        agent->next = agent->next + every > load->now ? agent->next + every : load->now;
    } else if (status == 409 && offset) {
        load->elsewhere++;
        agent->offset = strtoull(offset + strlen("\"offset\": "), NULL, 10);
    } else if (status == 503) {
        load->later++;
        agent->next = load->now + LATER;
    } else {
        load->errors++;
        agent->next = load->now + WEIR_SECOND;
    }
}

/* A question about a generation that the monitor does not have is answered at once. */
static void commands_answered(struct load *load, struct agent *agent, const char *text)
{
    const char *generation = strstr(text, "\"generation\": ");

    load->answers++;
    if (generation)
        agent->generation = strtoull(generation + strlen("\"generation\": "), NULL, 10);
}

static void answered(struct load *load, struct link *link, int status, const char *text)
{
    struct agent *agent = link->agent;

    link->state = READY;
    load->now = clock_of(CLOCK_MONOTONIC);
    if (link->kind == SPOOL)
        batch_answered(load, agent, status, text);
    else if (link->kind == HEALTH)
        load->healths += status == 200;
    else
        commands_answered(load, agent, text);
    if (link->kind != SPOOL && status != 200 && status != 204)
        load->errors++;
    if (link->kind == COMMANDS)
        send_question(load, agent);
    else
        next_thing(load, agent);
}

/* Whether a whole answer is there. */
static bool whole(struct link *link, int *status_r, const char **text_r)
{
    const char *end, *length;

    link->in[link->got] = '\0';
    end = strstr(link->in, "\r\n\r\n");
    if (!end || sscanf(link->in, "HTTP/1.%*c %d", status_r) != 1)
        return false;
    length = strcasestr(link->in, "\r\nContent-Length: ");
    *text_r = end + 4;
    return !length || length > end ||
           link->got - (size_t)(*text_r - link->in) >= strtoul(length + 18, NULL, 10);
}

/* links ------------------------------------------------------------------------------ */

static void lose(struct load *load, struct link *link, int code)
{
    if (load->errors++ < 5)
        fprintf(stderr, "bench_agents: %s: %s\n", link->agent->name,
                code < 0 ? gnutls_strerror(code) : "closed");
    if (link->state == SHAKING)
        load->shaking--;
    else
        load->ready--;
    load->links--;
    link->state = CLOSED;
    gnutls_deinit(link->tls);
    close(link->fd);
}

static int send_pieces(struct link *link)
{
    while (link->at < 2) {
        struct weir_slice *piece = &link->piece[link->at];
        ssize_t sent;

        if (piece->len == 0) {
            link->at++;
            continue;
        }
        sent = gnutls_record_send(link->tls, piece->at, piece->len < PIECE ? piece->len : PIECE);
        if (sent < 0)
            return (int)sent;
        piece->at += sent;
        piece->len -= (size_t)sent;
    }
    link->state = AWAITING;
    return 0;
}

static int receive(struct load *load, struct link *link)
{
    const char *text;
    int status;
    ssize_t got = gnutls_record_recv(link->tls, link->in + link->got,
                                     sizeof link->in - 1 - link->got);

    if (got < 0)
        return (int)got;
    if (got == 0)
        return GNUTLS_E_PREMATURE_TERMINATION;
    link->got += (size_t)got;
    if (link->state != READY && whole(link, &status, &text))
        answered(load, link, status, text);
    return link->got == sizeof link->in - 1 ? GNUTLS_E_PREMATURE_TERMINATION : 0;
}

/* Who has a connection says at once who he is, or it is taken from him. */
static int shake(struct load *load, struct link *link)
{
    int done = gnutls_handshake(link->tls);

    if (done < 0)
        return done;
    link->state = READY;
    load->shaking--;
    load->ready++;
    if (link == &link->agent->commands)
        send_question(load, link->agent);
    else
        send_health(load, link->agent);
    return 0;
}

/* Goes on with a link until it has to wait. */
static void drive(struct load *load, struct link *link)
{
    int done = 0;

    while (done >= 0)
        done = link->state == SHAKING ? shake(load, link)
               : link->state == SENDING ? send_pieces(link)
                                        : receive(load, link);
    if (done != GNUTLS_E_AGAIN && gnutls_error_is_fatal(done))
        lose(load, link, done);
}

static void open_link(struct load *load, struct agent *agent, struct link *link)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(load->port))};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = link};
    int on = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    link->agent = agent;
    link->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (link->fd < 0)
        fail("socket", strerror(errno));
    setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(link->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS)
        fail("connect", strerror(errno));
    gnutls_init(&link->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    gnutls_set_default_priority(link->tls);
    gnutls_credentials_set(link->tls, GNUTLS_CRD_CERTIFICATE, load->credentials);
    gnutls_transport_set_int(link->tls, link->fd);
    link->state = SHAKING;
    load->shaking++;
    load->links++;
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, link->fd, &event) < 0)
        fail("epoll", strerror(errno));
}

/* running ------------------------------------------------------------------------------ */

static void turn(struct load *load, int wait)
{
    struct epoll_event event[256];
    int count = epoll_wait(load->epoll, event, 256, wait);

    load->now = clock_of(CLOCK_MONOTONIC);
    for (int i = 0; i < count; i++) {
        struct link *link = event[i].data.ptr;
        if (link->state != CLOSED)
            drive(load, link);
    }
}

/* All links, a few handshakes at a time. */
static void connect_all(struct load *load)
{
    weir_time until = clock_of(CLOCK_MONOTONIC) + CONNECTING;
    unsigned next = 0, most = load->agents * (load->commands ? 2 : 1);

    load->connecting = 1;
    while ((next < most || load->shaking > 0) && load->now < until) {
        while (next < most && load->shaking < SHAKING_MOST) {
            struct agent *agent = &load->agent[next % load->agents];
            open_link(load, agent, next < load->agents ? &agent->spool : &agent->commands);
            next++;
        }
        turn(load, 10);
    }
    load->connecting = 0;
}

static void begin_all(struct load *load)
{
    load->now = clock_of(CLOCK_MONOTONIC);
    for (unsigned i = 0; i < load->agents; i++) {
        struct agent *agent = &load->agent[i];
        double part = (double)i / load->agents; /* so that they do not all come at once */

        agent->next = load->now + (load->rate > 0 ? (weir_time)(part * 1e6 / load->rate) : 0);
        agent->next_health = load->now + (weir_time)(part * (double)HEALTH_EVERY);
    }
}

static void run(struct load *load)
{
    weir_time until = load->now + (weir_time)(load->seconds * 1e6), looked = 0;

    while (load->now < until) {
        turn(load, 5);
        if (load->now - looked < 5000)
            continue;
        looked = load->now;
        for (unsigned i = 0; i < load->agents; i++) {
            next_thing(load, &load->agent[i]);
            if (load->agent[i].spool.state == SENDING)
                drive(load, &load->agent[i].spool);
        }
    }
}

static int compare(const void *a, const void *b)
{
    const float *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

static double share(const struct load *load, double part)
{
    size_t at = (size_t)(part * (double)load->latencies);

    return load->latencies ? load->latency[at < load->latencies ? at : load->latencies - 1] : 0;
}

static double processor(void)
{
    return (double)clock_of(CLOCK_PROCESS_CPUTIME_ID) / 1e6;
}

static void report(struct load *load, double seconds, double took)
{
    qsort(load->latency, load->latencies, sizeof *load->latency, compare);
    printf("{\"links\": %u, \"records\": %" PRIu64 ", \"octets\": %" PRIu64 ", \"batches\": %"
           PRIu64 ", \"healths\": %" PRIu64 ", \"answers\": %" PRIu64 ", \"later\": %" PRIu64
           ", \"elsewhere\": %" PRIu64 ", \"errors\": %" PRIu64 ", \"seconds\": %.3f, \"cpu\": "
           "%.3f, \"median_ms\": %.2f, \"p99_ms\": %.2f, \"most_ms\": %.2f}\n", load->ready,
           load->acknowledged, load->octets, load->batches, load->healths, load->answers,
           load->later, load->elsewhere, load->errors, seconds, took, share(load, 0.5),
           share(load, 0.99), share(load, 1));
}

static void read_identities(struct load *load, const char *path)
{
    FILE *in = fopen(path, "r");
    struct agent agent = {.len = 0};

    if (!in)
        fail(path, strerror(errno));
    while (fscanf(in, "%63s %63s", agent.name, agent.secret) == 2) {
        load->agent = realloc(load->agent, (load->agents + 1) * sizeof agent);
        load->agent[load->agents] = agent;
        make_body(load, &load->agent[load->agents], load->agents);
        load->agents++;
    }
    fclose(in);
}

int main(int argc, char **argv)
{
    struct load load = {.agents = 0};
    struct rlimit files;
    weir_time begun;
    double cpu;

    if (argc < 7)
        fail("usage", "PORT IDENTITIES SECONDS LINES POOL RATE [deflate] [commands] [health]");
    load.port = argv[1];
    load.seconds = atof(argv[3]);
    load.lines = (unsigned)atoi(argv[4]);
    load.pool = (unsigned)atoi(argv[5]);
    load.rate = atof(argv[6]);
    for (int i = 7; i < argc; i++) {
        load.deflate = load.deflate || strcmp(argv[i], "deflate") == 0;
        load.commands = load.commands || strcmp(argv[i], "commands") == 0;
        load.health = load.health || strcmp(argv[i], "health") == 0;
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    load.latency = malloc(LATENCIES * sizeof *load.latency);
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    load.wall_ahead = clock_of(CLOCK_REALTIME) - clock_of(CLOCK_MONOTONIC);
    load.now = clock_of(CLOCK_MONOTONIC);
    gnutls_certificate_allocate_credentials(&load.credentials);
    read_identities(&load, argv[2]);
    connect_all(&load);
    printf("{\"connected\": %u, \"refused\": %" PRIu64 "}\n", load.ready, load.errors);
    fflush(stdout);
    load.errors = 0;
    begun = clock_of(CLOCK_MONOTONIC);
    cpu = processor();
    begin_all(&load);
    run(&load);
    report(&load, (double)(clock_of(CLOCK_MONOTONIC) - begun) / 1e6, processor() - cpu);
    return 0;
}

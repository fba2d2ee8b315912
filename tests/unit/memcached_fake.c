/*
 * memcached_fake - see the header.  One thread, which owns all sockets; the test
 * only sets the mode and reads the count of connections.  What is wrong with an answer
 * is made by one small function a mode, out of the honest answer.
 */
#include "tests/unit/memcached_fake.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS 16
#define GETS 4096
#define OUT (1 << 20)

enum { GETQ = 0x09, NOOP = 0x0a, VERSION = 0x0b, STAT = 0x10, ADDQ = 0x15, SUBTRACTQ = 0x16 };

struct get {
    uint32_t opaque;
    uint64_t value;
};

struct client {
    int fd;
    size_t len;
    uint8_t in[65536];
    struct get get[GETS];
    size_t gets;
};

struct memcached_fake {
    pthread_t thread;
    int listener;
    char server[64];
    atomic_int mode;
    atomic_uint connections;
    atomic_bool stop;
    struct client client[CLIENTS];
    uint8_t out[OUT];
    size_t out_len;
};

uint64_t memcached_fake_value(const char *key, size_t len)
{
    uint64_t value = 14695981039346656037u;
    for (size_t i = 0; i < len; i++)
        value = (value ^ (uint8_t)key[i]) * 1099511628211u;
    return value % 1000000007;
}

/* Frames. ----------------------------------------------------------------- */

struct frame {
    uint8_t opcode, extras;
    uint16_t key, status;
    uint32_t body, opaque;
    const char *bytes; /* of the body, as many as there are */
    size_t len;
};

static void put(struct memcached_fake *fake, struct frame frame)
{
    uint8_t *at = fake->out + fake->out_len;
    memset(at, 0, 24);
    at[0] = 0x81;
    at[1] = frame.opcode;
    at[4] = frame.extras;
    uint16_t key = htons(frame.key);
    uint16_t status = htons(frame.status);
    uint32_t body = htonl(frame.body);
    uint32_t opaque = htonl(frame.opaque);
    memcpy(at + 2, &key, 2);
    memcpy(at + 6, &status, 2);
    memcpy(at + 8, &body, 4);
    memcpy(at + 12, &opaque, 4);
    if (frame.len > 0)
        memcpy(at + 24, frame.bytes, frame.len);
    fake->out_len += 24 + frame.len;
}

static void put_value(struct memcached_fake *fake, uint32_t opaque, const char *value)
{
    char bytes[256] = {0};
    size_t len = 4 + (size_t)snprintf(bytes + 4, sizeof bytes - 4, "%s", value);
    put(fake, (struct frame){.opcode = GETQ, .extras = 4, .body = (uint32_t)len,
                             .opaque = opaque, .bytes = bytes, .len = len});
}

static void put_honest(struct memcached_fake *fake, const struct get *get, size_t n)
{
    char value[24];
    for (size_t i = 0; i < n; i++) {
        snprintf(value, sizeof value, "%llu", (unsigned long long)get[i].value);
        put_value(fake, get[i].opaque, value);
    }
}

static void put_noop(struct memcached_fake *fake, uint32_t opaque)
{
    put(fake, (struct frame){.opcode = NOOP, .opaque = opaque});
}

/* Answers.  Each has n > 0 gets, and end is the NOOP's opaque. ------------------ */

typedef void answer(struct memcached_fake *fake, const struct get *get, size_t n, uint32_t end);

static void honest(struct memcached_fake *fake, const struct get *get, size_t n, uint32_t end)
{
    put_honest(fake, get, n);
    put_noop(fake, end);
}

static void no_numbers(struct memcached_fake *fake, const struct get *get, size_t n, uint32_t end)
{
    static const char *const value[] = {"", "-1", "+1", "1x", " 1", "0x10", "1e3", "1 1", "one",
                                        "999999999999999999999", "1\n", "٣"};
    for (size_t i = 0; i < n; i++)
        put_value(fake, get[i].opaque, value[i % (sizeof value / sizeof *value)]);
    put_noop(fake, end);
}

static void errors(struct memcached_fake *fake, const struct get *get, size_t n, uint32_t end)
{
    for (size_t i = 0; i < n; i++)
        put(fake, (struct frame){.opcode = GETQ, .status = 0x82, .body = 13,
                                 .opaque = get[i].opaque, .bytes = "Out of memory", .len = 13});
    put_noop(fake, end);
}

static void garbage(struct memcached_fake *fake, const struct get *get, size_t n, uint32_t end)
{
    (void)end;
    unsigned seed = get[0].opaque + (unsigned)n;
    for (size_t i = 0; i < 5000; i++)
        fake->out[fake->out_len++] = (uint8_t)rand_r(&seed);
}

static void text_protocol(struct memcached_fake *fake, const struct get *get, size_t n,
                          uint32_t end)
{
    static const char text[] = "VALUE a 0 1\r\n1\r\nEND\r\nSERVER_ERROR nonsense\r\n";
    (void)get, (void)n, (void)end;
    memcpy(fake->out, text, sizeof text - 1);
    fake->out_len = sizeof text - 1;
}

static void cut_short(struct memcached_fake *fake, const struct get *get, size_t n, uint32_t end)
{
    honest(fake, get, n, end);
    fake->out_len -= fake->out_len / 3;
}

static void huge_body(struct memcached_fake *fake, const struct get *get, size_t n, uint32_t end)
{
    (void)n, (void)end;
    put(fake, (struct frame){.opcode = GETQ, .extras = 4, .body = 0xfffffff0u,
                             .opaque = get[0].opaque, .bytes = "\0\0\0\0001", .len = 5});
}

static void body_over_limit(struct memcached_fake *fake, const struct get *get, size_t n,
                            uint32_t end)
{
    static const char bytes[5000] = "\0\0\0\0001";
    (void)n, (void)end;
    put(fake, (struct frame){.opcode = GETQ, .extras = 4, .body = sizeof bytes,
                             .opaque = get[0].opaque, .bytes = bytes, .len = sizeof bytes});
}

static void huge_key(struct memcached_fake *fake, const struct get *get, size_t n, uint32_t end)
{
    static const char bytes[60005];
    (void)n, (void)end;
    put(fake, (struct frame){.opcode = GETQ, .extras = 4, .key = 60000, .body = sizeof bytes,
                             .opaque = get[0].opaque, .bytes = bytes, .len = sizeof bytes});
}

static void extras_beyond_body(struct memcached_fake *fake, const struct get *get, size_t n,
                               uint32_t end)
{
    (void)n, (void)end;
    put(fake, (struct frame){.opcode = GETQ, .extras = 4, .body = 2, .opaque = get[0].opaque,
                             .bytes = "\0", .len = 2});
}

static void put_long_frame(struct memcached_fake *fake, uint8_t opcode, uint16_t key,
                           uint32_t opaque)
{
    static const char bytes[5000] = "1.6.18";
    put(fake, (struct frame){.opcode = opcode, .key = key, .body = sizeof bytes,
                             .opaque = opaque, .bytes = bytes, .len = sizeof bytes});
}

static void version(struct memcached_fake *fake, const struct get *get, size_t n, uint32_t end)
{
    (void)n, (void)end;
    put_long_frame(fake, VERSION, 0, get[0].opaque);
}

static void statistics(struct memcached_fake *fake, const struct get *get, size_t n, uint32_t end)
{
    (void)n, (void)end;
    put_long_frame(fake, STAT, 4000, get[0].opaque);
}

static void other_opaque(struct memcached_fake *fake, const struct get *get, size_t n, uint32_t end)
{
    put_value(fake, get[0].opaque - 1, "1");
    honest(fake, get, n, end);
}

static void backwards(struct memcached_fake *fake, const struct get *get, size_t n, uint32_t end)
{
    for (size_t i = n; i-- > 0;)
        put_honest(fake, &get[i], 1);
    put_noop(fake, end);
}

static void twice(struct memcached_fake *fake, const struct get *get, size_t n, uint32_t end)
{
    put_honest(fake, get, 1);
    honest(fake, get, n, end);
}

static void noop_first(struct memcached_fake *fake, const struct get *get, size_t n, uint32_t end)
{
    put_noop(fake, end);
    put_honest(fake, get, n);
}

static void noop_with_body(struct memcached_fake *fake, const struct get *get, size_t n,
                           uint32_t end)
{
    put_honest(fake, get, n);
    put(fake, (struct frame){.opcode = NOOP, .body = 4, .opaque = end, .bytes = "1234", .len = 4});
}

static void more_after_end(struct memcached_fake *fake, const struct get *get, size_t n,
                           uint32_t end)
{
    honest(fake, get, n, end);
    put_value(fake, end + 1, "7");
}

static void crumbs_after_end(struct memcached_fake *fake, const struct get *get, size_t n,
                             uint32_t end)
{
    more_after_end(fake, get, n, end);
    fake->out_len -= 20; /* less than a whole header of it is left */
}

static answer *const answers[FAKE_MODES] = {
    [FAKE_HONEST] = honest,
    [FAKE_LATE] = honest,
    [FAKE_TRICKLING] = honest,
    [FAKE_NO_NUMBERS] = no_numbers,
    [FAKE_ERRORS] = errors,
    [FAKE_GARBAGE] = garbage,
    [FAKE_TEXT_PROTOCOL] = text_protocol,
    [FAKE_CUT_SHORT] = cut_short,
    [FAKE_HUGE_BODY] = huge_body,
    [FAKE_BODY_OVER_LIMIT] = body_over_limit,
    [FAKE_HUGE_KEY] = huge_key,
    [FAKE_EXTRAS_BEYOND_BODY] = extras_beyond_body,
    [FAKE_VERSION] = version,
    [FAKE_STATISTICS] = statistics,
    [FAKE_OTHER_OPAQUE] = other_opaque,
    [FAKE_BACKWARDS] = backwards,
    [FAKE_TWICE] = twice,
    [FAKE_NOOP_FIRST] = noop_first,
    [FAKE_NOOP_WITH_BODY] = noop_with_body,
    [FAKE_MORE_AFTER_END] = more_after_end,
    [FAKE_CRUMBS_AFTER_END] = crumbs_after_end,
};

/* Service. ---------------------------------------------------------------- */

static void drop(struct client *client)
{
    close(client->fd);
    client->fd = -1;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void send_octets(struct memcached_fake *fake, struct client *client, size_t step)
{
    for (size_t at = 0; at < fake->out_len && !atomic_load(&fake->stop); at += step) {
        size_t n = fake->out_len - at < step ? fake->out_len - at : step;
        if (send(client->fd, fake->out + at, n, MSG_NOSIGNAL) < 0)
            return;
        if (step == 1)
            pause_ms(2);
    }
}

/* A mere NOOP (a probe, or the question before writing) is always answered
 * decently, or nobody would ever come with more. */
static void reply(struct memcached_fake *fake, struct client *client, uint32_t end)
{
    int mode = atomic_load(&fake->mode);
    size_t gets = client->gets;
    client->gets = 0;
    fake->out_len = 0;
    if (mode == FAKE_SILENT)
        return;
    if (mode == FAKE_LATE)
        pause_ms(500);
    answer *make = gets > 0 ? answers[mode] : honest;
    make(fake, client->get, gets, end);
    send_octets(fake, client, mode == FAKE_TRICKLING ? 1 : fake->out_len);
    if (mode == FAKE_CUT_SHORT)
        drop(client);
}

/* Quiet changes have no answer; a hostile server gives them one. */
static void attack_writer(struct memcached_fake *fake, struct client *client, uint32_t opaque)
{
    const struct get get = {.opaque = opaque};
    fake->out_len = 0;
    answers[atomic_load(&fake->mode)](fake, &get, 1, opaque);
    send_octets(fake, client, fake->out_len);
}

/* One whole command at the start of what came in, or 0. */
static size_t take_command(struct memcached_fake *fake, struct client *client)
{
    uint16_t key;
    uint32_t body;
    uint32_t opaque;
    const uint8_t *at = client->in;
    if (client->len < 24)
        return 0;
    memcpy(&key, at + 2, 2);
    memcpy(&body, at + 8, 4);
    memcpy(&opaque, at + 12, 4);
    size_t whole = 24 + ntohl(body);
    if (client->len < whole)
        return 0;
    if (at[1] == GETQ && client->gets < GETS)
        client->get[client->gets++] = (struct get){
            ntohl(opaque), memcached_fake_value((const char *)at + 24, ntohs(key))};
    else if (at[1] == NOOP)
        reply(fake, client, ntohl(opaque));
    else if ((at[1] == ADDQ || at[1] == SUBTRACTQ) && atomic_load(&fake->mode) >= FAKE_HOSTILE)
        attack_writer(fake, client, ntohl(opaque));
    return whole;
}

static void serve(struct memcached_fake *fake, struct client *client)
{
    ssize_t got = recv(client->fd, client->in + client->len, sizeof client->in - client->len,
                       MSG_DONTWAIT);
    if (got <= 0) {
        drop(client);
        return;
    }
    client->len += (size_t)got;
    size_t whole;
    while (client->fd >= 0 && (whole = take_command(fake, client)) > 0) {
        client->len -= whole;
        memmove(client->in, client->in + whole, client->len);
    }
}

static void welcome(struct memcached_fake *fake)
{
    int fd = accept(fake->listener, NULL, NULL);
    if (fd < 0)
        return;
    atomic_fetch_add(&fake->connections, 1);
    struct client *client = NULL;
    for (size_t i = 0; i < CLIENTS && !client; i++)
        if (fake->client[i].fd < 0)
            client = &fake->client[i];
    if (!client || atomic_load(&fake->mode) == FAKE_CLOSING) {
        close(fd);
        return;
    }
    client->fd = fd;
    client->len = client->gets = 0;
}

static void *run(void *self)
{
    struct memcached_fake *fake = self;
    while (!atomic_load(&fake->stop)) {
        struct pollfd list[1 + CLIENTS] = {{.fd = fake->listener, .events = POLLIN}};
        for (size_t i = 0; i < CLIENTS; i++)
            list[1 + i] = (struct pollfd){.fd = fake->client[i].fd, .events = POLLIN};
        if (poll(list, 1 + CLIENTS, 10) <= 0)
            continue;
        if (list[0].revents)
            welcome(fake);
        for (size_t i = 0; i < CLIENTS; i++)
            if (list[1 + i].revents)
                serve(fake, &fake->client[i]);
    }
    return NULL;
}

static bool listen_on_loopback(struct memcached_fake *fake, bool ipv6)
{
    struct sockaddr_in six_or_four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr *at = ipv6 ? (struct sockaddr *)&six : (struct sockaddr *)&six_or_four;
    socklen_t len = ipv6 ? sizeof six : sizeof six_or_four;
    six_or_four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fake->listener = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fake->listener < 0)
        return false;
    if (bind(fake->listener, at, len) != 0 || listen(fake->listener, 16) != 0 ||
        getsockname(fake->listener, at, &len) != 0) {
        close(fake->listener);
        return false;
    }
    snprintf(fake->server, sizeof fake->server, ipv6 ? "[::1]:%u" : "127.0.0.1:%u",
             ntohs(ipv6 ? six.sin6_port : six_or_four.sin_port));
    return true;
}

struct memcached_fake *memcached_fake_start(bool ipv6)
{
    struct memcached_fake *fake = calloc(1, sizeof *fake);
    if (!fake || !listen_on_loopback(fake, ipv6)) {
        free(fake);
        return NULL;
    }
    for (size_t i = 0; i < CLIENTS; i++)
        fake->client[i].fd = -1;
    if (pthread_create(&fake->thread, NULL, run, fake) != 0) {
        close(fake->listener);
        free(fake);
        return NULL;
    }
    return fake;
}

const char *memcached_fake_server(const struct memcached_fake *fake)
{
    return fake->server;
}

void memcached_fake_say(struct memcached_fake *fake, enum memcached_fake_mode mode)
{
    atomic_store(&fake->mode, (int)mode);
}

unsigned memcached_fake_connections(struct memcached_fake *fake)
{
    return atomic_load(&fake->connections);
}

void memcached_fake_stop(struct memcached_fake **fakep)
{
    struct memcached_fake *fake = *fakep;
    if (!fake)
        return;
    atomic_store(&fake->stop, true);
    pthread_join(fake->thread, NULL);
    for (size_t i = 0; i < CLIENTS; i++)
        if (fake->client[i].fd >= 0)
            close(fake->client[i].fd);
    close(fake->listener);
    free(fake);
    *fakep = NULL;
}

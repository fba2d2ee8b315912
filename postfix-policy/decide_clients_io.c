/*
 * decide_clients - connections, their one buffer each, and the queue of whole questions.
 *
 * Owns sockets and buffers.  A buffer grows to the size that the question's head names, and
 * only when that fits into what all may have together; it is given back with the answer.
 * A question that has arrived whole is not read beyond: the next one waits in the socket.
 */
#include "postfix-policy/decide_clients_io.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/engine/remote.h"

#define ACCEPTS 32         /* in one round */
#define READ_MOST (1 << 18) /* octets of one connection in one round */
#define ROOM_FIRST 4096
#define ARENA_FIRST 32768
#define ARENA_KEPT 262144

enum waits { FOR_QUESTION, FOR_REST, FOR_TURN, FOR_TAKER };

struct weir_decider {
    enum weir_watch watch;
    int fd;
    enum waits waits;
    weir_time since;               /* the question began, or the answer; else the last one ended */
    char *octets;                  /* the question; then the answer */
    size_t room, len, at;          /* at: searched for the head's end, or sent */
    size_t whole;                  /* octets of the whole question; 0: its head is not read yet */
    struct weir_decider *before, *after; /* of all connections */
    struct weir_decider *next;     /* in the queue for a turn */
};

struct weir_deciders {
    int epoll;
    struct weir_clock wall;
    struct weir_decide_parts parts;
    struct weir_judges *judges;    /* NULL: nobody is answered */
    struct weir_decider *first;
    struct weir_decider *turn, **last; /* the queue */
    size_t count, memory;
    struct weir_arena *arena;      /* of the question at hand */
    struct weir_decide_counts counts;
    struct weir_log_gate gate[WEIR_TROUBLES], busy_gate;
};

int weir_deciders_new(int epoll, struct weir_clock wall, struct weir_deciders **deciders_r)
{
    struct weir_deciders *deciders = calloc(1, sizeof *deciders);

    if (!deciders)
        return WEIR_ENOMEM;
    deciders->arena = weir_arena_new(ARENA_FIRST);
    if (!deciders->arena) {
        free(deciders);
        return WEIR_ENOMEM;
    }
    deciders->epoll = epoll;
    deciders->wall = wall;
    deciders->last = &deciders->turn;
    *deciders_r = deciders;
    return 0;
}

/* connections -------------------------------------------------------------- */

static void give_memory_back(struct weir_deciders *deciders, struct weir_decider *decider)
{
    deciders->memory -= decider->room;
    free(decider->octets);
    decider->octets = NULL;
    decider->room = decider->len = decider->at = decider->whole = 0;
}

static void leave_queue(struct weir_deciders *deciders, struct weir_decider *decider)
{
    struct weir_decider **link = &deciders->turn;

    while (*link && *link != decider)
        link = &(*link)->next;
    if (!*link)
        return;
    *link = decider->next;
    if (deciders->last == &decider->next)
        deciders->last = link;
}

static void drop(struct weir_deciders *deciders, struct weir_decider *decider)
{
    if (decider->waits == FOR_TURN)
        leave_queue(deciders, decider);
    if (decider->before)
        decider->before->after = decider->after;
    else
        deciders->first = decider->after;
    if (decider->after)
        decider->after->before = decider->before;
    give_memory_back(deciders, decider);
    close(decider->fd);
    free(decider);
    deciders->count--;
}

void weir_deciders_free(struct weir_deciders **deciders)
{
    if (!*deciders)
        return;
    while ((*deciders)->first)
        drop(*deciders, (*deciders)->first);
    weir_judges_free(&(*deciders)->judges);
    weir_arena_free(&(*deciders)->arena);
    free(*deciders);
    *deciders = NULL;
}

void weir_deciders_use(struct weir_deciders *deciders, const struct weir_decide_parts *parts)
{
    const struct weir_judges_options options = {.program = "weir-policyd", .spool = true,
                                                .refresh = true, .numbers = parts->numbers};

    if (deciders->judges && deciders->parts.config == parts->config)
        return; /* a reload that came to nothing */
    deciders->parts = *parts;
    weir_judges_free(&deciders->judges);
    if (parts->config->decide_listen[0] &&
        weir_judges_open(parts->config, parts->stores, &options, parts->log,
                         &deciders->judges) < 0)
        weir_log(parts->log, WEIR_LOG_ERROR, "memory is short: whole messages are not decided");
}

void weir_deciders_let_go(struct weir_deciders *deciders)
{
    weir_judges_free(&deciders->judges);
}

static void watch_for(struct weir_deciders *deciders, struct weir_decider *decider,
                      uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = decider};

    (void)epoll_ctl(deciders->epoll, EPOLL_CTL_MOD, decider->fd, &event);
}

static void tell(struct weir_deciders *deciders, struct weir_log_gate *gate, const char *word,
                 const char *why, weir_time now)
{
    unsigned held;

    if (weir_log_gate_open(gate, now, WEIR_SECOND, &held))
        weir_log(deciders->parts.log, WEIR_LOG_WARNING,
                 "%s question about a message: %s; closed without an answer (and %u more)", word,
                 why, held);
}

static void give_up(struct weir_deciders *deciders, struct weir_decider *decider,
                    enum weir_trouble trouble, const char *why, weir_time now)
{
    deciders->counts.trouble[trouble]++;
    tell(deciders, &deciders->gate[trouble], weir_trouble_name(trouble), why, now);
    drop(deciders, decider);
}

static void turn_away(struct weir_deciders *deciders, const char *why, weir_time now)
{
    deciders->counts.busy++;
    tell(deciders, &deciders->busy_gate, "untimely", why, now);
}

static int adopt(struct weir_deciders *deciders, int fd, weir_time now)
{
    struct weir_decider *decider = calloc(1, sizeof *decider);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = decider};

    if (!decider || epoll_ctl(deciders->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        free(decider);
        close(fd);
        return WEIR_ENOMEM;
    }
    decider->watch = WEIR_WATCH_DECIDER;
    decider->fd = fd;
    decider->since = now;
    decider->after = deciders->first;
    if (decider->after)
        decider->after->before = decider;
    deciders->first = decider;
    deciders->count++;
    deciders->counts.accepted++;
    return 0;
}

void weir_deciders_accept(struct weir_deciders *deciders, int listener, weir_time now)
{
    for (int i = 0; i < ACCEPTS; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0)
            return;
        if (deciders->count >= WEIR_DECIDERS_MAX) {
            turn_away(deciders, "too many ask at once", now);
            close(fd);
        } else if (adopt(deciders, fd, now) < 0) {
            turn_away(deciders, "memory is short", now);
        }
    }
}

/* reading ------------------------------------------------------------------ */

/* Makes the buffer so large, if all together may have that much.  0, WEIR_EFULL. */
static int make_room(struct weir_deciders *deciders, struct weir_decider *decider, size_t room)
{
    char *octets;

    if (room <= decider->room)
        return 0;
    if (deciders->memory - decider->room + room > WEIR_DECIDE_MEMORY_MAX)
        return WEIR_EFULL;
    octets = realloc(decider->octets, room);
    if (!octets)
        return WEIR_EFULL;
    deciders->memory += room - decider->room;
    decider->octets = octets;
    decider->room = room;
    return 0;
}

/* Room for what is expected next: more of a head, or all the rest. */
static int make_ready(struct weir_deciders *deciders, struct weir_decider *decider)
{
    size_t room = decider->room ? decider->room : ROOM_FIRST;

    if (decider->whole > 0)
        return make_room(deciders, decider, decider->whole);
    if (decider->len == room)
        room = 2 * room < WEIR_REMOTE_HEAD_MAX ? 2 * room : WEIR_REMOTE_HEAD_MAX;
    return make_room(deciders, decider, room);
}

/* Reads the head once its end is there.  1 when it is known how much the whole is, 0 when not
 * yet, or an error of weir_remote_read_question(). */
static int read_head(struct weir_deciders *deciders, struct weir_decider *decider)
{
    size_t from = decider->at > 0 ? decider->at - 1 : 0, head, size;
    struct weir_mail mail;
    int done;

    if (decider->whole > 0)
        return 1;
    decider->at = decider->len;
    if (from > 0 && decider->len < WEIR_REMOTE_HEAD_MAX &&
        !memmem(decider->octets + from, decider->len - from, "\n\n", 2))
        return 0; /* looked at once, however slowly it comes */
    weir_arena_reset(deciders->arena, ARENA_KEPT);
    done = weir_remote_read_question(decider->octets, decider->len, deciders->arena, &mail, &head,
                                     &size);
    if (done > 0)
        decider->whole = head + size;
    return done;
}

static void queue_up(struct weir_deciders *deciders, struct weir_decider *decider)
{
    watch_for(deciders, decider, 0);
    decider->waits = FOR_TURN;
    decider->next = NULL;
    *deciders->last = decider;
    deciders->last = &decider->next;
}

/* What has just arrived.  True when more may be read. */
static bool take(struct weir_deciders *deciders, struct weir_decider *decider, weir_time now)
{
    int done;

    if (decider->waits == FOR_QUESTION) {
        decider->waits = FOR_REST;
        decider->since = now;
    }
    done = read_head(deciders, decider);
    if (done < 0) {
        give_up(deciders, decider,
                done == WEIR_ELIMIT ? WEIR_TROUBLE_OVERSIZED : WEIR_TROUBLE_MALFORMED,
                weir_error_text(done), now);
        return false;
    }
    if (done > 0 && decider->len > decider->whole) {
        give_up(deciders, decider, WEIR_TROUBLE_MALFORMED, "a second one before the answer", now);
        return false;
    }
    if (done > 0 && decider->len == decider->whole) {
        queue_up(deciders, decider);
        return false;
    }
    return true;
}

static void read_question(struct weir_deciders *deciders, struct weir_decider *decider,
                          weir_time now)
{
    size_t taken = 0;
    ssize_t got;

    do {
        if (make_ready(deciders, decider) < 0) {
            turn_away(deciders, "too many messages at once", now);
            drop(deciders, decider);
            return;
        }
        got = recv(decider->fd, decider->octets + decider->len, decider->room - decider->len,
                   MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
            return;
        if (got <= 0 && decider->len > 0) {
            give_up(deciders, decider, WEIR_TROUBLE_HALF, "the client has gone", now);
            return;
        }
        if (got <= 0) {
            drop(deciders, decider);
            return;
        }
        decider->len += (size_t)got;
        taken += (size_t)got;
    } while (take(deciders, decider, now) && taken < READ_MOST);
}

/* answering ---------------------------------------------------------------- */

static void rest(struct weir_deciders *deciders, struct weir_decider *decider, weir_time now)
{
    give_memory_back(deciders, decider);
    decider->waits = FOR_QUESTION;
    decider->since = now;
    watch_for(deciders, decider, EPOLLIN);
}

static void send_answer(struct weir_deciders *deciders, struct weir_decider *decider,
                        weir_time now)
{
    ssize_t sent;

    do
        sent = send(decider->fd, decider->octets + decider->at, decider->len - decider->at,
                    MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        drop(deciders, decider);
        return;
    }
    decider->at += sent > 0 ? (size_t)sent : 0;
    if (decider->at == decider->len) {
        rest(deciders, decider, now);
    } else if (decider->waits != FOR_TAKER) {
        decider->waits = FOR_TAKER;
        decider->since = now;
        watch_for(deciders, decider, EPOLLOUT);
    }
}

/* Puts the answer in the question's place. */
static int put_answer(struct weir_deciders *deciders, struct weir_decider *decider,
                      const struct weir_outcome *outcome)
{
    struct weir_line line;
    int done;

    give_memory_back(deciders, decider);
    done = make_room(deciders, decider, WEIR_REMOTE_ANSWER_MAX + 1);
    if (done < 0)
        return done;
    line = weir_line(decider->octets, decider->room);
    weir_remote_answer(outcome, &line);
    decider->len = (size_t)(line.at - line.start);
    return line.cut ? WEIR_ELIMIT : 0;
}

static void count(struct weir_deciders *deciders, const struct weir_outcome *outcome)
{
    deciders->counts.decided++;
    deciders->counts.verdict[outcome->verdict]++;
    deciders->counts.action[outcome->action]++;
    weir_log(deciders->parts.log, WEIR_LOG_INFO, "%s", outcome->log);
}

static int decide(struct weir_deciders *deciders, struct weir_decider *decider)
{
    struct weir_judges *judges = deciders->judges;
    struct weir_judge *judge = judges ? weir_judges_take(judges) : NULL;
    const struct weir_judgement *judgement;
    struct weir_mail mail;
    size_t head, size;
    int done;

    if (!judge)
        return WEIR_ENOMEM;
    weir_arena_reset(deciders->arena, ARENA_KEPT);
    done = weir_remote_read_question(decider->octets, decider->len, deciders->arena, &mail, &head,
                                     &size);
    mail.message = (struct weir_slice){decider->octets + head, size};
    if (done > 0)
        done = weir_judges_decide(judges, judge, weir_clock_now(&deciders->wall), 0, &mail,
                                  &judgement);
    if (done == 0) {
        count(deciders, &judgement->outcome);
        done = put_answer(deciders, decider, &judgement->outcome);
    }
    weir_judges_give(judges, &judge);
    return done;
}

/* Whether nobody waits for the answer any more: who asked decides by itself by now, and one
 * message is to be decided, logged and counted once.  A client that only stopped sending waits. */
static bool is_gone(const struct weir_decider *decider)
{
    struct pollfd end = {.fd = decider->fd};

    return poll(&end, 1, 0) > 0 && (end.revents & (POLLHUP | POLLERR)) != 0;
}

bool weir_deciders_work(struct weir_deciders *deciders, weir_time now)
{
    struct weir_decider *decider = deciders->turn;

    if (!decider)
        return false;
    leave_queue(deciders, decider);
    decider->waits = FOR_REST;
    if (is_gone(decider)) {
        give_up(deciders, decider, WEIR_TROUBLE_HALF, "the client has gone", now);
    } else if (decide(deciders, decider) == 0) {
        send_answer(deciders, decider, now);
    } else {
        turn_away(deciders, "it cannot be decided now", now);
        drop(deciders, decider);
    }
    return deciders->turn != NULL;
}

/* the loop's calls --------------------------------------------------------- */

void weir_deciders_ready(struct weir_deciders *deciders, struct weir_decider *decider,
                         weir_time now)
{
    if (decider->waits == FOR_TAKER)
        send_answer(deciders, decider, now);
    else if (decider->waits == FOR_TURN)
        drop(deciders, decider); /* it waits for nothing, so this is its end */
    else
        read_question(deciders, decider, now);
}

void weir_deciders_expire(struct weir_deciders *deciders, weir_time now)
{
    const struct weir_config *config = deciders->parts.config;
    struct weir_decider *decider, *after;

    if (deciders->judges)
        weir_judges_tick(deciders->judges, weir_clock_now(&deciders->wall));
    for (decider = deciders->first; decider; decider = after) {
        weir_time waited = now - decider->since;

        after = decider->after;
        if (decider->waits == FOR_REST && waited >= config->request_timeout)
            give_up(deciders, decider, WEIR_TROUBLE_SLOW, "it did not arrive in time", now);
        else if (decider->waits == FOR_TAKER && waited >= config->request_timeout)
            give_up(deciders, decider, WEIR_TROUBLE_UNREAD, "the answer was not taken in time",
                    now);
        else if (decider->waits == FOR_QUESTION && waited >= config->idle_timeout)
            drop(deciders, decider);
    }
}

bool weir_deciders_pending(const struct weir_deciders *deciders)
{
    for (const struct weir_decider *it = deciders->first; it; it = it->after)
        if (it->waits == FOR_TURN || it->waits == FOR_TAKER)
            return true;
    return false;
}

size_t weir_deciders_open(const struct weir_deciders *deciders)
{
    return deciders->count;
}

const struct weir_decide_counts *weir_deciders_counts(const struct weir_deciders *deciders)
{
    return &deciders->counts;
}

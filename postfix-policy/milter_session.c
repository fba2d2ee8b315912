/*
 * milter_session - puts a message together from what a milter is handed.
 *
 * Owns an arena for the texts of a client, one for those of a message, and the octets, which
 * grow by doubling and are kept for the session's next message when they are few.  Octets and
 * recipients are booked in the memory that all sessions share; what it refuses is not kept,
 * and nothing behind it, since a message with a hole would be another message.  CR LF becomes
 * LF, also where a piece ends between the two, so that a message looks the same as in Exim's
 * spool.
 */
#include "postfix-policy/milter_session.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/error.h"

#define OCTETS_FIRST 16384
#define OCTETS_KEPT (64u << 10) /* a larger buffer is given back after its message */

static const char *const our_names[] = {WEIR_OUR_HEADERS, WEIR_POLICY_HEADER};

#define OUR_NAMES (sizeof our_names / sizeof our_names[0])

struct weir_milter_session {
    struct weir_arena *client_texts, *message_texts;
    struct weir_envelope envelope;
    struct weir_slice listener;
    struct weir_slice recipient[WEIR_RECIPIENTS_MAX];
    size_t recipients, recipients_more;
    size_t recipient_octets;
    char *octets;
    size_t len, room, most;
    struct weir_milter_memory *memory;
    unsigned count[OUR_NAMES];
    bool any_field, policy_first;
    bool after_cr;   /* the last piece ended in CR */
    bool cut;        /* memory was short for its octets */
    bool failed;     /* memory was short for its texts */
};

/* the shared memory ----------------------------------------------------------------- */

/* So much of it is left to messages that are not large. */
static bool nearly_used_up(const struct weir_milter_memory *memory)
{
    return atomic_load(&memory->held) > memory->most / 4 * 3;
}

static bool book(struct weir_milter_session *session, size_t octets, bool large)
{
    struct weir_milter_memory *memory = session->memory;
    size_t most = large ? memory->most / 4 * 3 : memory->most, held = atomic_load(&memory->held);

    do
        if (held > most || octets > most - held)
            return false;
    while (!atomic_compare_exchange_weak(&memory->held, &held, held + octets));
    return true;
}

static void give_back(struct weir_milter_session *session, size_t octets)
{
    atomic_fetch_sub(&session->memory->held, octets);
}

/* a session --------------------------------------------------------------------------- */

int weir_milter_session_new(size_t octets_most, struct weir_milter_memory *memory,
                            struct weir_milter_session **session_r)
{
    struct weir_milter_session *session = calloc(1, sizeof *session);

    if (!session)
        return WEIR_ENOMEM;
    session->most = octets_most;
    session->memory = memory;
    session->client_texts = weir_arena_new(1024);
    session->message_texts = weir_arena_new(4096);
    if (!session->client_texts || !session->message_texts) {
        weir_milter_session_free(&session);
        return WEIR_ENOMEM;
    }
    *session_r = session;
    return 0;
}

void weir_milter_session_free(struct weir_milter_session **session)
{
    if (!*session)
        return;
    give_back(*session, (*session)->room + (*session)->recipient_octets);
    weir_arena_free(&(*session)->client_texts);
    weir_arena_free(&(*session)->message_texts);
    free((*session)->octets);
    free(*session);
    *session = NULL;
}

static struct weir_slice keep(struct weir_milter_session *session, struct weir_arena *arena,
                              const char *text, size_t len)
{
    char *copy = weir_arena_copy(arena, text, len);

    if (!copy) {
        session->failed = true;
        return (struct weir_slice){0};
    }
    return (struct weir_slice){copy, len};
}

void weir_milter_session_connect(struct weir_milter_session *session, const char *name,
                                 const struct weir_address *at)
{
    weir_arena_reset(session->client_texts, 4096);
    session->envelope = (struct weir_envelope){.stage = WEIR_STAGE_CONNECT};
    session->envelope.has_client = at != NULL;
    if (at)
        session->envelope.client = *at;
    if (name && name[0] != '[')
        session->envelope.client_name = keep(session, session->client_texts, name, strlen(name));
    weir_milter_session_reset(session);
}

void weir_milter_session_helo(struct weir_milter_session *session, const char *helo)
{
    session->envelope.helo = keep(session, session->client_texts, helo, strlen(helo));
}

/* Without <> around it. */
static struct weir_slice keep_mailbox(struct weir_milter_session *session, const char *mailbox)
{
    size_t len = strlen(mailbox);

    if (len >= 2 && mailbox[0] == '<' && mailbox[len - 1] == '>') {
        mailbox++;
        len -= 2;
    }
    return keep(session, session->message_texts, mailbox, len);
}

void weir_milter_session_mail(struct weir_milter_session *session, const char *sender,
                              bool authenticated, const char *listener)
{
    weir_milter_session_reset(session);
    session->envelope.stage = WEIR_STAGE_MAIL;
    session->envelope.sender = keep_mailbox(session, sender);
    session->envelope.authenticated = authenticated;
    session->listener = keep(session, session->message_texts, listener, strlen(listener));
}

void weir_milter_session_recipient(struct weir_milter_session *session, const char *recipient)
{
    size_t len = strlen(recipient);

    if (session->recipients == WEIR_RECIPIENTS_MAX || !book(session, len, false)) {
        session->recipients_more++;
        return;
    }
    session->recipient_octets += len;
    session->recipient[session->recipients++] = keep_mailbox(session, recipient);
}

/* the octets --------------------------------------------------------------------------- */

static bool grow(struct weir_milter_session *session, size_t room)
{
    size_t more = room - session->room;
    char *larger;

    if (!book(session, more, room > WEIR_MILTER_SHORT_MAX))
        return false;
    larger = realloc(session->octets, room);
    if (!larger) {
        give_back(session, more);
        return false;
    }
    session->octets = larger;
    session->room = room;
    return true;
}

/* The room that holds so many octets, grown by doubling from what there is. */
static size_t room_for(const struct weir_milter_session *session, size_t octets)
{
    size_t room = session->room ? session->room : OCTETS_FIRST;

    while (room < octets)
        room *= 2;
    return room < session->most ? room : session->most;
}

/* Room for len octets more, as far as limit and memory let it; how many there is room for. */
static size_t make_room(struct weir_milter_session *session, size_t len)
{
    size_t left = session->most - session->len, room;

    if (session->cut || left == 0)
        return 0;
    if (len > left)
        len = left;
    if (session->len + len <= session->room)
        return len;
    room = room_for(session, session->len + len);
    while (room > session->room && !grow(session, room))
        room /= 2;
    left = session->room - session->len;
    if (len <= left)
        return len;
    session->cut = true;
    return left;
}

static void append(struct weir_milter_session *session, const char *octets, size_t len)
{
    len = make_room(session, len);
    if (len == 0)
        return;
    memcpy(session->octets + session->len, octets, len);
    session->len += len;
}

/* Which of our names this is, but for blanks before the colon; OUR_NAMES: none. */
static size_t our_name(const char *name)
{
    size_t len = strlen(name), which = 0;

    while (len > 0 && (name[len - 1] == ' ' || name[len - 1] == '\t'))
        len--;
    while (which < OUR_NAMES && (strncasecmp(name, our_names[which], len) != 0 ||
                                 our_names[which][len] != '\0'))
        which++;
    return which;
}

static void count_field(struct weir_milter_session *session, const char *name)
{
    size_t which = our_name(name);

    if (which < OUR_NAMES) {
        session->count[which]++;
        session->policy_first |=
            !session->any_field && strcmp(our_names[which], WEIR_POLICY_HEADER) == 0;
    }
    session->any_field = true;
}

void weir_milter_session_field(struct weir_milter_session *session, const char *name,
                               const char *value)
{
    count_field(session, name);
    append(session, name, strlen(name));
    append(session, ":", 1);
    append(session, value, strlen(value));
    append(session, "\n", 1);
}

void weir_milter_session_head_ends(struct weir_milter_session *session)
{
    append(session, "\n", 1);
}

void weir_milter_session_body(struct weir_milter_session *session, const void *octets, size_t len)
{
    const char *at = octets, *end = at + len;

    if (len > 0 && session->after_cr && at[0] != '\n')
        append(session, "\r", 1);
    while (at < end) {
        const char *cr = memchr(at, '\r', (size_t)(end - at));

        append(session, at, (size_t)((cr ? cr : end) - at));
        if (!cr || cr + 1 == end) {
            session->after_cr = cr != NULL;
            return;
        }
        if (cr[1] != '\n')
            append(session, "\r", 1);
        at = cr + 1;
    }
}

bool weir_milter_session_cut(const struct weir_milter_session *session)
{
    return session->cut;
}

void weir_milter_session_reset(struct weir_milter_session *session)
{
    weir_arena_reset(session->message_texts, 65536);
    session->envelope.stage = WEIR_STAGE_HELO;
    session->envelope.sender = session->envelope.recipient = (struct weir_slice){0};
    session->envelope.authenticated = false;
    session->listener = (struct weir_slice){0};
    give_back(session, session->recipient_octets);
    session->recipients = session->recipients_more = 0;
    session->recipient_octets = session->len = 0;
    memset(session->count, 0, sizeof session->count);
    session->any_field = session->policy_first = false;
    session->after_cr = session->cut = session->failed = false;
    if (session->room <= OCTETS_KEPT && !nearly_used_up(session->memory))
        return;
    free(session->octets);
    give_back(session, session->room);
    session->octets = NULL;
    session->room = 0;
}

bool weir_milter_session_busy(const struct weir_milter_session *session)
{
    return session->envelope.stage >= WEIR_STAGE_MAIL;
}

unsigned weir_milter_session_count(const struct weir_milter_session *session, const char *name)
{
    size_t which = our_name(name);
    return which < OUR_NAMES ? session->count[which] : 0;
}

bool weir_milter_session_policy_first(const struct weir_milter_session *session)
{
    return session->policy_first;
}

int weir_milter_session_end(struct weir_milter_session *session, const char *queue_id,
                            struct weir_mail *mail_r)
{
    if (session->after_cr)
        append(session, "\r", 1);
    session->after_cr = false;
    session->envelope.stage = WEIR_STAGE_END;
    session->envelope.queue_id =
        keep(session, session->message_texts, queue_id, strlen(queue_id));
    if (session->recipients > 0)
        session->envelope.recipient = session->recipient[0];
    *mail_r = (struct weir_mail){
        .envelope = session->envelope,
        .recipient = session->recipient,
        .recipients = session->recipients,
        .recipients_more = session->recipients_more,
        .listener = session->listener,
        .message = {session->octets ? session->octets : "", session->len},
    };
    return !session->failed;
}

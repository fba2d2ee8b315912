/*
 * milter_session - puts a message together from what a milter is handed.
 *
 * Owns an arena for the texts of a client, one for those of a message, and the octets, which
 * grow by doubling and are kept for the session's next message.  CR LF becomes LF, also where a
 * piece ends between the two, so that a message looks the same as in Exim's spool.
 */
#include "postfix-policy/milter_session.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/error.h"

#define OCTETS_FIRST 16384
#define OCTETS_KEPT (1u << 20) /* a larger buffer is given back after its message */

struct weir_milter_session {
    struct weir_arena *client_texts, *message_texts;
    struct weir_envelope envelope;
    struct weir_slice listener;
    struct weir_slice recipient[WEIR_RECIPIENTS_MAX];
    size_t recipients;
    char *octets;
    size_t len, room, most;
    bool after_cr;   /* the last piece ended in CR */
    bool failed;     /* memory was short */
};

int weir_milter_session_new(size_t octets_most, struct weir_milter_session **session_r)
{
    struct weir_milter_session *session = calloc(1, sizeof *session);

    if (!session)
        return WEIR_ENOMEM;
    session->most = octets_most;
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
    if (session->recipients < WEIR_RECIPIENTS_MAX)
        session->recipient[session->recipients++] = keep_mailbox(session, recipient);
}

/* Room for len octets more, as far as the limit lets it; how many there is room for. */
static size_t make_room(struct weir_milter_session *session, size_t len)
{
    size_t left = session->most - session->len, room = session->room;
    char *larger;

    if (len > left)
        len = left;
    while (room < session->len + len)
        room = room ? 2 * room : OCTETS_FIRST;
    if (room == session->room)
        return len;
    larger = realloc(session->octets, room);
    if (!larger) {
        session->failed = true;
        return 0;
    }
    session->octets = larger;
    session->room = room;
    return len;
}

static void append(struct weir_milter_session *session, const char *octets, size_t len)
{
    len = make_room(session, len);
    if (len == 0)
        return;
    memcpy(session->octets + session->len, octets, len);
    session->len += len;
}

void weir_milter_session_field(struct weir_milter_session *session, const char *name,
                               const char *value)
{
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

bool weir_milter_session_full(const struct weir_milter_session *session)
{
    return session->len >= session->most;
}

void weir_milter_session_reset(struct weir_milter_session *session)
{
    weir_arena_reset(session->message_texts, 65536);
    session->envelope.stage = WEIR_STAGE_HELO;
    session->envelope.sender = session->envelope.recipient = (struct weir_slice){0};
    session->envelope.authenticated = false;
    session->listener = (struct weir_slice){0};
    session->recipients = session->len = 0;
    session->after_cr = session->failed = false;
    if (session->room <= OCTETS_KEPT)
        return;
    free(session->octets);
    session->octets = NULL;
    session->room = 0;
}

bool weir_milter_session_busy(const struct weir_milter_session *session)
{
    return session->envelope.stage >= WEIR_STAGE_MAIL;
}

unsigned weir_milter_session_count(const struct weir_milter_session *session, const char *name)
{
    const char *at = session->octets, *end = at + session->len;
    size_t len = strlen(name);
    unsigned count = 0;

    while (at < end && *at != '\n') {
        const char *next = memchr(at, '\n', (size_t)(end - at));

        if ((size_t)(end - at) > len && strncasecmp(at, name, len) == 0 && at[len] == ':')
            count++;
        at = next ? next + 1 : end;
    }
    return count;
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
        .listener = session->listener,
        .message = {session->octets ? session->octets : "", session->len},
    };
    return !session->failed;
}

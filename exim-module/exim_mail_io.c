/*
 * exim_mail - copies header and body into one piece of memory and fills in the envelope.
 *
 * Owns nothing.  Refuses nothing: whatever Exim has accepted so far can be judged; what is
 * longer than asked for is cut.
 */
#include "exim-module/exim_mail_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/slice.h"

static const char received[] = "received:";

static bool is_received(const struct weir_exim_field *field)
{
    return field->text.len >= sizeof received - 1 &&
           strncasecmp(field->text.at, received, sizeof received - 1) == 0;
}

/* Which field is Exim's own; fields when there is none. */
static size_t own_received(const struct weir_exim_message *message)
{
    const char *id = message->id ? message->id : "";
    size_t first = message->fields;

    for (size_t i = 0; i < message->fields; i++) {
        const struct weir_exim_field *field = &message->field[i];

        if (!is_received(field))
            continue;
        if (id[0] && memmem(field->text.at, field->text.len, id, strlen(id)))
            return i;
        if (first == message->fields)
            first = i;
    }
    return first;
}

static size_t header_size(const struct weir_exim_message *message, size_t own)
{
    size_t size = 1; /* the empty line */

    for (size_t i = 0; i < message->fields; i++)
        if (i != own && !message->field[i].deleted)
            size += message->field[i].text.len;
    return size;
}

/* As much of the header as there is room for, with the empty line behind it. */
static size_t copy_header(const struct weir_exim_message *message, size_t own, char *to,
                          size_t room)
{
    char *at = to, *end = to + room;

    for (size_t i = 0; i < message->fields; i++) {
        const struct weir_slice *text = &message->field[i].text;
        size_t len = text->len < (size_t)(end - at) ? text->len : (size_t)(end - at);

        if (i == own || message->field[i].deleted)
            continue;
        memcpy(at, text->at, len);
        at += len;
    }
    if (at < end)
        *at++ = '\n';
    return (size_t)(at - to);
}

/* Reads up to size octets, not moving the file's position: Exim goes on with it. */
static ssize_t read_body(int body, off_t from, char *to, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t got = pread(body, to + done, size - done, from + (off_t)done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static int copy_message(const struct weir_exim_message *message, size_t most,
                        struct weir_slice *message_r, char **octets_r)
{
    size_t own = own_received(message), head = header_size(message, own), body = 0, len;
    struct stat file;
    ssize_t got;
    char *octets;

    if (fstat(message->body, &file) < 0)
        return WEIR_EIO;
    if (file.st_size > message->body_at)
        body = (size_t)(file.st_size - message->body_at);
    if (head > most)
        head = most;
    if (body > most - head)
        body = most - head;
    octets = malloc(head + body + 1);
    if (!octets)
        return WEIR_ENOMEM;
    len = copy_header(message, own, octets, head);
    got = read_body(message->body, message->body_at, octets + len, body);
    if (got < 0) {
        free(octets);
        return WEIR_EIO;
    }
    *message_r = (struct weir_slice){octets, len + (size_t)got};
    *octets_r = octets;
    return 0;
}

static struct weir_slice listener_of(const struct weir_exim_message *message,
                                     struct weir_arena *arena)
{
    const char *address = message->listener_address;

    if (!address)
        return weir_slice_maybe(NULL);
    return weir_slice_maybe(weir_arena_printf(
        arena, strchr(address, ':') ? "[%s]:%d" : "%s:%d", address, message->listener_port));
}

static void fill_envelope(const struct weir_exim_message *message, struct weir_envelope *envelope)
{
    struct weir_slice client = weir_slice_maybe(message->client);

    *envelope = (struct weir_envelope){
        .stage = WEIR_STAGE_END,
        .helo = weir_slice_maybe(message->helo),
        .sender = weir_slice_maybe(message->sender),
        .queue_id = weir_slice_maybe(message->id),
        .authenticated = message->authenticated,
    };
    if (client.len > 0 && weir_address_parse(client.at, client.len, &envelope->client) == 0) {
        envelope->has_client = true;
        envelope->client_name =
            weir_slice_of(message->client_name ? message->client_name : "unknown");
    }
    if (message->recipients > 0)
        envelope->recipient = message->recipient[0];
}

int weir_exim_mail(const struct weir_exim_message *message, size_t most, struct weir_arena *arena,
                   struct weir_mail *mail_r, char **octets_r)
{
    *mail_r = (struct weir_mail){
        .recipient = message->recipient,
        .recipients = message->recipients < WEIR_RECIPIENTS_MAX ? message->recipients
                                                                : WEIR_RECIPIENTS_MAX,
        .listener = listener_of(message, arena),
    };
    fill_envelope(message, &mail_r->envelope);
    return copy_message(message, most, &mail_r->message, octets_r);
}

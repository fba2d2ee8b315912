/* Any bytes as what Exim holds of a message, texts and fields ended by NUL as it hands them over:
 * the core gets no more than it asked for, and all of it from what is not deleted. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exim-module/exim_mail_io.h"

#define FIELDS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static const char *next(const char **at, const char *end)
{
    const char *text = *at;
    size_t len = strnlen(text, (size_t)(end - text));
    *at = text + len < end ? text + len + 1 : end;
    return len > 0 ? text : NULL;
}

/* The fields, those that begin with '-' as deleted, up to an empty one; then the body is left. */
static size_t fields_of(const char **at, const char *end, struct weir_exim_field *field)
{
    size_t fields = 0;
    for (const char *text; fields < FIELDS && (text = next(at, end)) != NULL; fields++) {
        bool deleted = *text == '-';
        field[fields] = (struct weir_exim_field){{text + deleted, strlen(text + deleted)}, deleted};
    }
    return fields;
}

/* At most one field that is not deleted is missing: the one Exim made itself. */
static void look_at(const struct weir_exim_message *message, size_t body, size_t most,
                    struct weir_slice made)
{
    size_t all = 1 + body, longest = 0;
    for (size_t i = 0; i < message->fields; i++) {
        size_t len = message->field[i].text.len;
        if (message->field[i].deleted)
            continue;
        all += len;
        longest = len > longest ? len : longest;
    }
    must(made.len <= most && made.len <= all && (made.len == most || made.len + longest >= all));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    size_t most = (size_t)data[0] << 8 | data[1], recipients = data[2];
    char *copy = calloc(1, size);
    must(copy != NULL);
    memcpy(copy, data + 3, size - 3);
    const char *at = copy, *end = copy + size - 3;
    struct weir_exim_field field[FIELDS];
    struct weir_slice recipient = {copy, strlen(copy)};
    struct weir_exim_message message = {
        .field = field, .id = next(&at, end), .client = next(&at, end),
        .client_name = next(&at, end), .helo = next(&at, end), .sender = next(&at, end),
        .listener_address = next(&at, end), .recipient = &recipient,
        .recipients = recipients > 0, .body = memfd_create("body", 0)};
    message.fields = fields_of(&at, end, field);
    must(message.body >= 0 && write(message.body, at, (size_t)(end - at)) == end - at);
    struct weir_arena *arena = weir_arena_new(1024);
    struct weir_mail mail;
    char *octets = NULL;
    must(arena && weir_exim_mail(&message, most, arena, &mail, &octets) == 0);
    look_at(&message, (size_t)(end - at), most, mail.message);
    must(mail.recipients == message.recipients && (message.client || !mail.envelope.has_client));
    free(octets);
    weir_arena_free(&arena);
    close(message.body);
    free(copy);
    return 0;
}

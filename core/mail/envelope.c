/*
 * Finding the parts of a mailbox as RFC 5321 4.1.2 writes it.  Only looked at,
 * never rewritten: what is malformed simply has no domain, and is then judged
 * without one.
 */
#include "core/mail/envelope.h"

#include <string.h>
#include <strings.h>

#include "core/base/slice.h"

bool weir_queue_id_is(struct weir_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i], small = (char)(c | 0x20);

        if (!weir_is_digit(c) && (small < 'a' || small > 'z') && c != '-' && c != '.' && c != '_')
            return false;
    }
    return text.len > 0 && text.len <= WEIR_QUEUE_ID_MAX;
}

/* The place of the last '@' outside quotes, or len.  A quote that never ends
 * hides what follows it, so that "x"@a@b games cannot choose the domain. */
static size_t find_at(struct weir_slice mailbox)
{
    size_t found = mailbox.len;
    bool quoted = false;
    for (size_t i = 0; i < mailbox.len; i++) {
        if (quoted && mailbox.at[i] == '\\')
            i++;
        else if (mailbox.at[i] == '"')
            quoted = !quoted;
        else if (!quoted && mailbox.at[i] == '@')
            found = i;
    }
    return found;
}

struct weir_slice weir_mailbox_domain(struct weir_slice mailbox)
{
    size_t at = find_at(mailbox);
    if (at == mailbox.len)
        return (struct weir_slice){NULL, 0};
    return (struct weir_slice){mailbox.at + at + 1, mailbox.len - at - 1};
}

struct weir_slice weir_mailbox_local(struct weir_slice mailbox)
{
    return (struct weir_slice){mailbox.at, find_at(mailbox)};
}

bool weir_envelope_null_sender(const struct weir_envelope *envelope)
{
    struct weir_slice sender = envelope->sender;
    if (envelope->stage < WEIR_STAGE_MAIL)
        return false;
    return sender.len == 0 || (sender.len == 2 && memcmp(sender.at, "<>", 2) == 0);
}

bool weir_envelope_role_recipient(const struct weir_envelope *envelope, const char *const *name,
                                  size_t names)
{
    struct weir_slice local = weir_mailbox_local(envelope->recipient);
    const char *plus = local.len > 0 ? memchr(local.at, '+', local.len) : NULL;
    if (plus)
        local.len = (size_t)(plus - local.at);
    for (size_t i = 0; i < names && local.len > 0; i++)
        if (strlen(name[i]) == local.len && strncasecmp(name[i], local.at, local.len) == 0)
            return true;
    return false;
}

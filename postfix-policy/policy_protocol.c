/*
 * policy_protocol - finds, reads and answers policy requests.
 *
 * The scan refuses what can never become a request as soon as it is seen, so that
 * a client that speaks something else is told by a closed connection and not by a
 * timeout.  The parse trusts nothing the scan has checked: it can be called alone.
 */
#include "postfix-policy/policy_protocol.h"

#include <stdint.h>
#include <string.h>

#include "core/base/error.h"

static int refuse(int error, const char *why, const char **why_r)
{
    *why_r = why;
    return error;
}

static const char no_equals[] = "a line without '='";

/* What speaks another protocol shows it in its first line; further ones wait for the parse. */
static int check_line(bool first, const char *line, size_t len, const char **why_r)
{
    if (len > 0 && line[len - 1] == '\r')
        return refuse(WEIR_EINVAL, "a line ends in CR LF instead of LF", why_r);
    if (first && !memchr(line, '=', len))
        return refuse(WEIR_EINVAL, no_equals, why_r);
    return 0;
}

/* Goes through the whole lines that have not been looked at.  1 at the empty line, whose
 * end is then scan->seen. */
static int scan_lines(struct weir_policy_scan *scan, const char *bytes, size_t len,
                      const char **why_r)
{
    const char *feed;

    while ((feed = memchr(bytes + scan->seen, '\n', len - scan->seen))) {
        size_t end = (size_t)(feed - bytes);

        scan->seen = end + 1;
        if (end == scan->line)
            return 1;
        if (check_line(scan->lines == 0, bytes + scan->line, end - scan->line, why_r) < 0)
            return WEIR_EINVAL;
        if (++scan->lines > WEIR_POLICY_ATTRIBUTES_MAX)
            return refuse(WEIR_ELIMIT, "too many attributes", why_r);
        scan->line = scan->seen;
    }
    scan->seen = len;
    return 0;
}

int weir_policy_scan(struct weir_policy_scan *scan, const char *bytes, size_t len, size_t *len_r,
                     const char **why_r)
{
    size_t from = scan->seen;
    int found = scan_lines(scan, bytes, len, why_r);

    if (found < 0)
        return found;
    if (memchr(bytes + from, '\0', scan->seen - from))
        return refuse(WEIR_EINVAL, "a NUL octet", why_r);
    if (scan->seen + (found == 0) > WEIR_POLICY_REQUEST_MAX) /* one more octet is due */
        return refuse(WEIR_ELIMIT, "too long", why_r);
    if (found == 0)
        return 0;
    *len_r = scan->seen;
    *scan = (struct weir_policy_scan){0};
    return 1;
}

/* What Weir reads of a request, of the 29 attributes Postfix sends. */
struct attributes {
    struct weir_slice request, protocol_state, client_address, client_name, helo_name;
    struct weir_slice sender, recipient, instance, queue_id, sasl_username;
};

/* In order of length, so that a search soon ends: most lines are of no interest. */
static const struct {
    const char *name;
    size_t len, offset;
} known[] = {
#define ATTRIBUTE(name) {#name, sizeof #name - 1, offsetof(struct attributes, name)}
    ATTRIBUTE(sender),      ATTRIBUTE(request),       ATTRIBUTE(instance),
    ATTRIBUTE(queue_id),    ATTRIBUTE(helo_name),     ATTRIBUTE(recipient),
    ATTRIBUTE(client_name), ATTRIBUTE(sasl_username), ATTRIBUTE(client_address),
    ATTRIBUTE(protocol_state),
};

static void note_attribute(struct attributes *attributes, const char *name, size_t len,
                           struct weir_slice value)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0] && known[i].len <= len; i++) {
        if (known[i].len != len || known[i].name[0] != name[0] ||
            memcmp(known[i].name, name, len) != 0)
            continue;
        struct weir_slice *slot = (struct weir_slice *)((char *)attributes + known[i].offset);
        if (!slot->at)
            *slot = value;
        return;
    }
}

static int read_attributes(const char *at, const char *end, struct attributes *attributes,
                           const char **why_r)
{
    while (at < end && *at != '\n') {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        const char *equals = feed ? memchr(at, '=', (size_t)(feed - at)) : NULL;

        if (!equals)
            return refuse(WEIR_EINVAL, feed ? no_equals : "not ended", why_r);
        note_attribute(attributes, at, (size_t)(equals - at),
                       (struct weir_slice){equals + 1, (size_t)(feed - equals - 1)});
        at = feed + 1;
    }
    return 0;
}

static bool is(struct weir_slice slice, const char *text)
{
    return slice.len == strlen(text) && slice.len > 0 && memcmp(slice.at, text, slice.len) == 0;
}

static enum weir_stage stage_of(struct weir_slice state)
{
    static const struct {
        const char *state;
        enum weir_stage stage;
    } stages[] = {
        {"RCPT", WEIR_STAGE_RCPT},       {"END-OF-MESSAGE", WEIR_STAGE_END},
        {"DATA", WEIR_STAGE_DATA},       {"BDAT", WEIR_STAGE_DATA},
        {"MAIL", WEIR_STAGE_MAIL},       {"EHLO", WEIR_STAGE_HELO},
        {"HELO", WEIR_STAGE_HELO},       {"CONNECT", WEIR_STAGE_CONNECT},
        {"XCLIENT", WEIR_STAGE_CONNECT}, /* CONNECT once more, for the real client */
    };

    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        if (is(state, stages[i].state))
            return stages[i].stage;
    return WEIR_STAGE_OTHER;
}

static void fill_envelope(const struct attributes *attributes, struct weir_envelope *envelope)
{
    *envelope = (struct weir_envelope){
        .stage = stage_of(attributes->protocol_state),
        .client_name = attributes->client_name,
        .helo = attributes->helo_name,
        .sender = attributes->sender,
        .recipient = attributes->recipient,
        .instance = attributes->instance,
        .queue_id = attributes->queue_id,
        .authenticated = attributes->sasl_username.len > 0,
    };
    envelope->has_client =
        attributes->client_address.len > 0 &&
        weir_address_parse(attributes->client_address.at, attributes->client_address.len,
                           &envelope->client) == 0;
}

int weir_policy_parse(const char *bytes, size_t len, enum weir_policy_kind *kind_r,
                      struct weir_envelope *envelope_r, const char **why_r)
{
    struct attributes attributes = {0};

    if (read_attributes(bytes, bytes + len, &attributes, why_r) < 0)
        return WEIR_EINVAL;
    *envelope_r = (struct weir_envelope){0};
    if (is(attributes.request, "weir_status")) {
        *kind_r = WEIR_POLICY_STATUS;
        return 0;
    }
    if (!is(attributes.request, "smtpd_access_policy"))
        return refuse(WEIR_EINVAL, attributes.request.at ? "an unknown kind of request"
                                                         : "no request attribute", why_r);
    *kind_r = WEIR_POLICY_DECIDE;
    fill_envelope(&attributes, envelope_r);
    return 0;
}

/* Whether eight octets are all printable: none of them below ' ' or above '~'.  A borrow or
 * carry between octets comes only from one that is not. */
static bool eight_printable(const char *at)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t octets;

    memcpy(&octets, at, sizeof octets);
    return (((octets - each * ' ') | (octets + each) | octets) & each * 0x80) == 0;
}

/* Appends text as far as there is room.  Nearly all of it is clean, so most of it is
 * copied eight octets at a time. */
static char *append(char *at, const char *end, const char *text)
{
    size_t len = strnlen(text, (size_t)(end - at)), i = 0;

    while (i < len) {
        if (len - i >= 8 && eight_printable(text + i)) {
            memcpy(at + i, text + i, 8);
            i += 8;
        } else {
            at[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
            i++;
        }
    }
    return at + len;
}

size_t weir_policy_answer(char buffer[static WEIR_POLICY_ANSWER_MAX], const char *word,
                          const char *text)
{
    /* Three octets stay free: the line's end, the empty line, the NUL. */
    const char *end = buffer + WEIR_POLICY_ANSWER_MAX - 3;
    char *at = append(buffer, end, "action=");

    at = append(at, end, word);
    if (text[0])
        at = append(append(at, end, " "), end, text);
    memcpy(at, "\n\n", 3);
    return (size_t)(at - buffer) + 2;
}

/*
 * Tokens of header fields: what the sender's program wrote, and how it writes.
 *
 * Fields that others add are passed over altogether, so that neither the verdict of another
 * filter nor the way to this mailbox is learned: they are no property of what was sent, and a
 * sender could put in the good ones himself.  Names are matched by a short table, its entries'
 * ends open where a '*' stands.
 *
 * Values are decoded into a buffer of the arena, which each field uses anew.
 */
#include <string.h>

#include "core/base/slice.h"
#include "core/evidence/bayes_tokens_impl.h"
#include "core/mail/header_text.h"
#include "core/mail/transfer.h"

enum { SHAPE_MAX = 60, NAME_MAX = WEIR_BAYES_PREFIX_MAX - 1, ADDRESSES_MAX = 20 };

struct fields {
    struct weir_bayes_collector *collector;
    const struct weir_bayes_source *source;
    char *room; /* WEIR_HEADER_TEXT_MAX */
};

/* Written by relays, filters, mailboxes and list archives. */
static const char *const foreign[] = {
    "received", "received-*", "return-path", "old-return-path", "delivered-to", "delivery-date",
    "date", "x-original-date", "x-received", "x-original-to", "envelope-to", "resent-*",
    "authentication-results", "arc-*", "dkim-*", "domainkey-*", "x-authentication-*",
    "x-mime-autoconverted", "x-apparently-to", "x-originalarrivaltime", "x-delivered-to",
    "status", "x-status", "x-keywords", "x-uid", "x-uidl", "x-imap*", "x-mozilla-*", "x-folder",
    "x-evolution*", "x-gmail-*", "x-gm-*", "x-google-*", "x-mailbox-*", "content-length", "lines",
    "x-weir-*", "x-spam*", "x-bogosity*", "x-rspam*", "x-virus*", "x-amavis*", "x-dspam*",
    "x-crm114*", "x-pyzor*", "x-razor*", "x-dcc-*", "x-bayes*", "x-antispam*", "x-anti-spam*",
    "x-antivirus*", "x-antiabuse", "x-barracuda*", "x-proofpoint*", "x-ironport*", "x-mimecast*",
    "x-forefront*", "x-microsoft-antispam*", "x-ms-exchange-*", "x-exchange-*", "x-eopattributed*",
    "x-mailscanner*", "x-*-mailscanner*", "x-sophos*", "x-cloudmark*", "x-scanned*", "x-greylist*",
    "x-policyd-*", "x-sa-*", "x-assp*", "x-assassin*", "x-habeas*", "x-archive*", "archived-at",
    "list-archive", "x-loop", "x-fetched*", "x-getmail*", "x-pop*", "x-recipient",
    "x-envelope-*", "x-mdaemon*", "x-mdav*", "x-mdremoteip", "x-mdarrival*", "x-filter*",
    "x-scan*", "x-*-virus*", "x-*-spam*", "x-brightmail*", "x-sieve*", "x-ham*", "x-junk*",
};

/* Whose words are tokens; of others only that they are there, and where: what many programs write
 * into many fields of their own is one fact told a hundred times. */
static const char *const worded[] = {"x-mailer", "user-agent", "mime-version", "x-mimeole",
                                     "x-priority", "importance", "organization", "list-*"};

/* Whether a name is this entry; one '*' in it stands for anything. */
static bool matches(struct weir_slice name, const char *entry)
{
    const char *star = strchr(entry, '*');
    size_t before = star ? (size_t)(star - entry) : 0;

    if (!star)
        return weir_slice_is(name, entry);
    if (name.len < before || strncasecmp(name.at, entry, before) != 0)
        return false;
    name = weir_slice_behind(name, before);
    struct weir_slice rest = weir_slice_of(star + 1);
    if (rest.len == 0)
        return true;
    rest.len -= rest.at[rest.len - 1] == '*';
    for (; name.len >= rest.len; name = weir_slice_behind(name, 1))
        if (strncasecmp(name.at, rest.at, rest.len) == 0)
            return true;
    return false;
}

static bool is_one_of(struct weir_slice name, const char *const *entry, size_t entries)
{
    for (size_t i = 0; i < entries; i++)
        if (matches(name, entry[i]))
            return true;
    return false;
}

static bool is_foreign(struct weir_slice name)
{
    return is_one_of(name, foreign, sizeof(foreign) / sizeof(foreign[0]));
}

static struct weir_slice lower(struct weir_slice text, char *room, size_t most)
{
    size_t len = text.len < most ? text.len : most;

    for (size_t i = 0; i < len; i++)
        room[i] = weir_bayes_lower(text.at[i]);
    return (struct weir_slice){room, len};
}

/* "a9-": what kinds of characters follow one another, for ids and boundaries. */
static void shape(struct fields *fields, const char *prefix, struct weir_slice text)
{
    char room[SHAPE_MAX];
    size_t len = 0;

    for (size_t i = 0; i < text.len && len < SHAPE_MAX; i++) {
        char c = text.at[i];
        c = weir_is_digit(c) ? '9' : c >= 'A' && c <= 'Z' ? 'A' : c >= 'a' && c <= 'z' ? 'a' : c;
        if (c < '!' || c > '~')
            c = '?';
        if (len == 0 || room[len - 1] != c)
            room[len++] = c;
    }
    weir_bayes_put(fields->collector, prefix, (struct weir_slice){room, len});
}

static struct weir_slice decoded(struct fields *fields, struct weir_slice value)
{
    struct weir_line line = weir_line(fields->room, WEIR_HEADER_TEXT_MAX);
    unsigned defects;

    if (value.len > WEIR_BAYES_VALUE_MAX) {
        value.len = WEIR_BAYES_VALUE_MAX;
        fields->collector->cut = true;
    }
    weir_header_decode(fields->source->charsets, value, &line, &defects);
    return weir_slice_between(line.start, line.at);
}

/* One mail address: whole, its domain and those above it, and how its local part is made. */
static void address(struct fields *fields, const char *prefix, struct weir_slice text)
{
    char room[WEIR_BAYES_TOKEN_MAX], start[WEIR_BAYES_PREFIX_MAX + 8];
    struct weir_line line = weir_line(start, sizeof(start));
    struct weir_slice small = lower(text, room, sizeof(room));
    const char *at = memrchr(small.at, '@', small.len);

    weir_bayes_put(fields->collector, prefix, small);
    if (!at)
        return;
    weir_line_text(&line, prefix);
    weir_line_text(&line, "@");
    weir_bayes_domain(fields->collector, weir_line_end(&line),
                      weir_slice_between(at + 1, small.at + small.len));
    line.at--;
    weir_line_text(&line, "#");
    shape(fields, weir_line_end(&line), weir_slice_between(small.at, at));
}

/* All addresses of a value, which are what stands around an '@'; and the words beside them. */
static void addresses(struct fields *fields, const char *prefix, struct weir_slice value)
{
    const char *at = value.at, *end = value.at + value.len;

    for (unsigned n = 0; n < ADDRESSES_MAX && at < end; n++) {
        const char *sign = memchr(at, '@', (size_t)(end - at));
        if (!sign)
            break;
        const char *from = sign, *to = sign;
        while (from > at && !strchr(" \t\r\n<>,;:\"()[]", from[-1]))
            from--;
        while (to < end && !strchr(" \t\r\n<>,;:\"()[]", *to))
            to++;
        address(fields, prefix, weir_slice_between(from, to));
        at = to;
    }
    weir_bayes_words(fields->collector, weir_slice_of(prefix), value,
                     WEIR_BAYES_SINGLE | WEIR_BAYES_PAIRS);
}

static void message_id(struct fields *fields, struct weir_slice value)
{
    value = weir_slice_trim(value);
    const char *at = memrchr(value.at, '@', value.len);
    size_t left = at ? (size_t)(at - value.at) : value.len;

    shape(fields, "mid:", (struct weir_slice){value.at, left});
    if (at) {
        char room[WEIR_BAYES_TOKEN_MAX];
        struct weir_slice host = weir_slice_behind(value, left + 1);
        host.len -= host.len > 0 && host.at[host.len - 1] == '>';
        shape(fields, "mid@", host);
        weir_bayes_domain(fields->collector, "mid:@", lower(host, room, sizeof(room)));
    }
}

static void subject(struct fields *fields, struct weir_slice raw)
{
    fields->collector->view = WEIR_BAYES_TEXT;
    weir_bayes_words(fields->collector, weir_slice_of("subject:"), decoded(fields, raw),
                     WEIR_BAYES_SINGLE | WEIR_BAYES_PAIRS | WEIR_BAYES_CAPITALS);
    fields->collector->view = WEIR_BAYES_HEAD;
}

static void value(struct fields *fields, struct weir_slice name, struct weir_slice raw)
{
    static const char *const who[] = {"from:", "reply-to:", "to:", "cc:"};
    char start[NAME_MAX + 1];
    struct weir_slice prefix = lower(name, start, NAME_MAX);

    start[prefix.len++] = ':';
    for (size_t i = 0; i < sizeof(who) / sizeof(who[0]); i++)
        if (weir_slice_equals(prefix, who[i])) {
            addresses(fields, who[i], decoded(fields, raw));
            return;
        }
    if (weir_slice_is(name, "message-id"))
        message_id(fields, decoded(fields, raw));
    else if (weir_slice_is(name, "subject"))
        subject(fields, raw);
    else if (is_one_of(name, worded, sizeof(worded) / sizeof(worded[0])))
        weir_bayes_words(fields->collector, prefix, decoded(fields, raw),
                         WEIR_BAYES_SINGLE | WEIR_BAYES_PAIRS);
}

/* The two names next to each other. */
static void order(struct fields *fields, struct weir_slice before, struct weir_slice name)
{
    char pair[2 * WEIR_BAYES_PREFIX_MAX], room[NAME_MAX];
    struct weir_line line = weir_line(pair, sizeof(pair));
    struct weir_slice small = lower(before, room, sizeof(room));

    weir_line_octets(&line, small.at, small.len);
    weir_line_text(&line, " ");
    small = lower(name, room, sizeof(room));
    weir_line_octets(&line, small.at, small.len);
    weir_bayes_put(fields->collector, "order:", weir_slice_between(line.start, line.at));
}

/* Who is behind a wall of fields is not hidden by it: what says it is read there, too. */
static void behind(struct fields *fields, const struct weir_field *wall)
{
    static const char *const name[] = {"From", "Reply-To", "To", "Cc", "Message-ID", "Subject"};

    fields->collector->cut = true;
    for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
        size_t from = 0;
        const struct weir_field *field = weir_message_field(fields->source->message, 0, name[i],
                                                            &from);
        if (field && field >= wall)
            value(fields, field->name, field->value);
    }
}

static void head(struct fields *fields)
{
    const struct weir_message *message = fields->source->message;
    const struct weir_part *part = &message->part[0];
    struct weir_slice before = {"", 0};
    size_t seen = 0;

    for (size_t i = 0; i < part->fields; i++) {
        const struct weir_field *field = &message->field[part->field + i];
        struct weir_slice name = field->name;
        if (name.len == 0 || name.len > WEIR_FIELD_NAME_MAX || is_foreign(name))
            continue;
        if (seen++ == WEIR_BAYES_FIELDS_MAX) {
            behind(fields, field);
            return;
        }
        weir_bayes_put(fields->collector, "name:",
                       (struct weir_slice){name.at, name.len < NAME_MAX ? name.len : NAME_MAX});
        order(fields, before, name);
        before = name;
        value(fields, name, field->value);
    }
    order(fields, before, (struct weir_slice){"", 0});
}

/* Whether reply and sender are at the same domain is more than both names. */
static void replies(struct fields *fields)
{
    struct weir_slice found[2];
    static const char *const name[2] = {"From", "Reply-To"};
    bool several;

    for (unsigned i = 0; i < 2; i++) {
        size_t from = 0;
        const struct weir_field *field = weir_message_field(fields->source->message, 0, name[i],
                                                            &from);
        found[i] = field ? weir_header_address(field->value, &several)
                         : (struct weir_slice){"", 0};
        const char *at = found[i].len > 0 ? memrchr(found[i].at, '@', found[i].len) : NULL;
        if (!at)
            return;
        found[i] = weir_slice_between(at + 1, found[i].at + found[i].len);
    }
    bool same = found[0].len == found[1].len &&
                strncasecmp(found[0].at, found[1].at, found[0].len) == 0;
    weir_bayes_put(fields->collector, "replies:", weir_slice_of(same ? "same" : "elsewhere"));
}

static void file_name(struct fields *fields, struct weir_slice name)
{
    char room[WEIR_BAYES_WORD_MAX];
    const char *dot = memrchr(name.at, '.', name.len);

    if (dot)
        weir_bayes_put(fields->collector, "ext:",
                       lower(weir_slice_between(dot + 1, name.at + name.len), room, sizeof(room)));
}

static void boundary(struct fields *fields, const struct weir_part *part)
{
    char room[WEIR_PARAMETER_MAX];
    struct weir_line line = weir_line(room, sizeof(room));
    struct weir_slice charset;
    bool bad;

    if (weir_parameter(part->parameters, "boundary", &line, &charset, &bad) == 1)
        shape(fields, "boundary:", weir_slice_between(line.start, line.at));
}

static void part_tokens(struct fields *fields, const struct weir_part *part)
{
    static const char *const transfer[] = {[WEIR_TRANSFER_NONE] = "none",
                                           [WEIR_TRANSFER_QUOTED] = "quoted",
                                           [WEIR_TRANSFER_BASE64] = "base64",
                                           [WEIR_TRANSFER_UUENCODE] = "uuencode"};
    char room[WEIR_BAYES_TOKEN_MAX];
    unsigned known = (unsigned)part->transfer;

    weir_bayes_put(fields->collector, "type:", lower(part->type, room, sizeof(room)));
    if (part->charset.len > 0)
        weir_bayes_put(fields->collector, "charset:", lower(part->charset, room, sizeof(room)));
    if (known < sizeof(transfer) / sizeof(transfer[0]) && transfer[known])
        weir_bayes_put(fields->collector, "transfer:", weir_slice_of(transfer[known]));
    if (part->attachment)
        weir_bayes_put(fields->collector, "attached:", lower(part->type, room, sizeof(room)));
    if (part->media == WEIR_MEDIA_MULTIPART)
        boundary(fields, part);
    file_name(fields, part->name);
}

static struct weir_slice subtype(const struct weir_part *part)
{
    const char *slash = part->type.len > 0 ? memchr(part->type.at, '/', part->type.len) : NULL;

    return slash ? weir_slice_between(slash + 1, part->type.at + part->type.len) : part->type;
}

/* The structure: each part's subtype, in parentheses what is in it. */
static void structure(struct fields *fields)
{
    const struct weir_message *message = fields->source->message;
    char text[2 * SHAPE_MAX], room[WEIR_BAYES_WORD_MAX];
    struct weir_line line = weir_line(text, sizeof(text));
    unsigned depth = 0;

    for (size_t i = 0; i < message->parts && !line.cut; i++) {
        const struct weir_part *one = &message->part[i];
        struct weir_slice type = lower(subtype(one), room, sizeof(room));
        if (one->depth > depth)
            weir_line_text(&line, "(");
        for (; depth > one->depth; depth--)
            weir_line_text(&line, ")");
        if (i > 0 && one->depth == depth)
            weir_line_text(&line, ",");
        depth = one->depth;
        weir_line_octets(&line, type.at, type.len);
    }
    for (; depth > 0; depth--)
        weir_line_text(&line, ")");
    weir_bayes_put(fields->collector, "shape:", weir_slice_between(line.start, line.at));
}

void weir_bayes_fields(struct weir_bayes_collector *collector,
                       const struct weir_bayes_source *source)
{
    struct fields fields = {collector, source,
                            weir_arena_take(collector->arena, WEIR_HEADER_TEXT_MAX)};

    if (!fields.room) {
        collector->failed = true;
        return;
    }
    head(&fields);
    replies(&fields);
    for (size_t i = 0; i < source->message->parts; i++)
        part_tokens(&fields, &source->message->part[i]);
    structure(&fields);
}

/*
 * One header block: fields with their folding, and where the body begins.
 *
 * Mail readers go on behind a line that is no field, so a spammer could end our header
 * where theirs goes on, or the other way round.  In the message's own header
 * up to BAD_LINES_MAX such lines in a row are stepped over, as SpamAssassin does; more are
 * the body, from the first of them on, and so are those at the end, or before an empty line
 * where no field was met.  In the header of a part the body begins at once.
 *
 * A line with a colon behind what is no name by RFC 5322 ("quite Delivered-To: x", 8-bit
 * octets) is such a line too, but while it is stepped over it is kept as a field of that
 * strange name, for SpamAssassin and most readers show it as one.  A name may have any length:
 * nobody who reads or forwards mail stops at one.
 *
 * A line that begins with "--" ends every header, unless it is a field by its form ("--x: y")
 * and no boundary of an open multipart: mail servers and readers take it for a field, and
 * what is below it would be hidden from us.  SpamAssassin ends the header there.
 *
 * Fields past WEIR_FIELDS_MAX are not kept, yet their Content-... still counts: a
 * thousand fields must not hide what a part is.
 */
#include "core/mail/message.h"

#include <string.h>
#include <strings.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/mail/charset.h"
#include "core/mail/message_impl.h"

enum { FIELDS_FIRST = 48, BAD_LINES_MAX = 3 };

#define HASH_START 2166136261u /* FNV-1a */
#define HASH_FACTOR 16777619u

/* A header block that is being read. */
struct head {
    struct weir_parse *parse;
    struct weir_mime_fields *mime;
    const char *start, *most; /* nothing behind most is looked at */
    const char *stop, *body;  /* where it ends and the body begins; NULL: not yet */
    const char *bad;          /* where a run of lines that are no fields began */
    size_t bad_lines, bad_from; /* bad_from: fields there were before it */
    bool of_part, has_field;
    struct weir_field field;  /* read, but perhaps not to its end */
};

static uint32_t hash_step(uint32_t hash, unsigned char c)
{
    return (hash ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * HASH_FACTOR;
}

uint32_t weir_field_hash(const char *name, size_t len)
{
    uint32_t hash = HASH_START;
    for (size_t i = 0; i < len; i++)
        hash = hash_step(hash, (unsigned char)name[i]);
    return hash;
}

static bool field_is(const struct weir_field *field, const char *name, size_t len)
{
    return field->name.len == len && strncasecmp(field->name.at, name, len) == 0;
}

const struct weir_field *weir_message_field(const struct weir_message *message, size_t part,
                                            const char *name, size_t *from)
{
    const struct weir_part *of = &message->part[part];
    size_t len = strlen(name);
    uint32_t hash = weir_field_hash(name, len);
    while (*from < of->fields) {
        const struct weir_field *field = &message->field[of->field + (*from)++];
        if (field->hash == hash && field_is(field, name, len))
            return field;
    }
    return NULL;
}

/* The line at at, without its end; *next_r is the line behind it. */
static struct weir_slice line_at(const char *at, const char *end, const char **next_r)
{
    const char *lf = memchr(at, '\n', (size_t)(end - at));
    const char *stop = lf ? lf : end;
    *next_r = lf ? lf + 1 : end;
    if (lf && stop > at && stop[-1] == '\r')
        stop--;
    return (struct weir_slice){at, (size_t)(stop - at)};
}

/* What a line that is not folded is in a header. */
enum line_kind { LINE_OTHER, LINE_STRANGE, LINE_FIELD };

/* The field in a line whose name has len octets and whose colon is at colon. */
static struct weir_field field_of(struct weir_slice line, size_t len, size_t colon, uint32_t hash)
{
    return (struct weir_field){.name = {line.at, len}, .hash = hash,
                               .value = weir_slice_behind(line, colon + 1)};
}

/* Takes a line apart that has a colon, whatever is before it. */
static enum line_kind strange_read(struct weir_slice line, struct weir_field *field_r)
{
    const char *colon = memchr(line.at, ':', line.len);
    size_t at = colon ? (size_t)(colon - line.at) : 0, len = at;
    while (len > 0 && weir_is_wsp(line.at[len - 1]))
        len--;
    if (len == 0 || weir_is_wsp(line.at[0]))
        return LINE_OTHER;
    *field_r = field_of(line, len, at, weir_field_hash(line.at, len));
    return LINE_STRANGE;
}

/* Takes "Name: value" apart. */
static enum line_kind field_read(struct weir_slice line, struct weir_field *field_r)
{
    size_t i = 0;
    uint32_t hash = HASH_START;
    for (; i < line.len && line.at[i] > ' ' && line.at[i] < 127 && line.at[i] != ':'; i++)
        hash = hash_step(hash, (unsigned char)line.at[i]);
    size_t len = i;
    while (i < line.len && weir_is_wsp(line.at[i]))
        i++;
    if (len == 0 || i == line.len || line.at[i] != ':')
        return strange_read(line, field_r);
    *field_r = field_of(line, len, i, hash);
    return LINE_FIELD;
}

static void first_of(struct weir_slice *slot, const struct weir_field *field)
{
    if (!slot->at)
        *slot = field->value;
}

static void mime_remember(struct weir_mime_fields *mime, const struct weir_field *field)
{
    if (field->name.len < 12 || (field->name.at[0] | 32) != 'c')
        return;
    if (field_is(field, "Content-Type", 12))
        first_of(&mime->type, field);
    else if (field_is(field, "Content-Transfer-Encoding", 25))
        first_of(&mime->transfer, field);
    else if (field_is(field, "Content-Disposition", 19))
        first_of(&mime->disposition, field);
}

static int fields_grow(struct weir_parse *parse)
{
    struct weir_message *message = parse->message;
    if (message->fields < parse->fields_room)
        return 0;
    size_t room = parse->fields_room ? 2 * parse->fields_room : FIELDS_FIRST;
    struct weir_field *field = weir_arena_take(parse->arena, room * sizeof(*field));
    if (!field)
        return WEIR_ENOMEM;
    if (message->fields > 0)
        memcpy(field, message->field, message->fields * sizeof(*field));
    message->field = field;
    parse->fields_room = room;
    return 0;
}

/* Keeps the field that was read, now that its last folded line is known. */
static int field_keep(struct head *head)
{
    struct weir_message *message = head->parse->message;
    if (!head->has_field)
        return 0;
    head->has_field = false;
    mime_remember(head->mime, &head->field);
    if (message->fields >= WEIR_FIELDS_MAX) {
        weir_message_note(message, WEIR_DEFECT_LIMIT);
        return 0;
    }
    int rc = fields_grow(head->parse);
    if (rc == 0)
        message->field[message->fields++] = head->field;
    return rc;
}

/* A line in front of which a field may have been folded. */
static bool is_folded(const struct head *head, struct weir_slice line)
{
    return weir_is_wsp(line.at[0]) && (head->has_field || head->bad_lines > 0);
}

/* A folded line belongs to what is before it, be that a field or a line that is none. */
static void fold(struct head *head, struct weir_slice line)
{
    const char *end = line.at + line.len;
    if (head->has_field)
        head->field.value.len = (size_t)(end - head->field.value.at);
}

static bool has_dashes(struct weir_slice line)
{
    return line.len >= 2 && line.at[0] == '-' && line.at[1] == '-';
}

static void body_without_separator(struct head *head, const char *body)
{
    weir_message_note(head->parse->message, WEIR_DEFECT_NO_SEPARATOR);
    head->stop = head->body = body;
}

/* The lines that are no fields were the body's: what was kept of them goes. */
static void body_from_bad(struct head *head)
{
    head->has_field = false;
    head->parse->message->fields = head->bad_from;
    body_without_separator(head, head->bad);
}

static void bad_line(struct head *head, struct weir_slice line, bool strange)
{
    if (head->bad_lines++ == 0) {
        head->bad = line.at;
        head->bad_from = head->parse->message->fields;
    }
    if (head->of_part || head->bad_lines > BAD_LINES_MAX) {
        body_from_bad(head);
        return;
    }
    weir_message_note(head->parse->message, WEIR_DEFECT_BAD_FIELD);
    head->has_field = strange;
}

static bool is_past_most(const struct head *head, struct weir_slice line, enum line_kind kind)
{
    return line.at >= head->most || (kind != LINE_OTHER && head->field.value.at > head->most);
}

/* A line that begins something: a field, the body, or nothing anybody knows. */
static int line_begin(struct head *head, struct weir_slice line)
{
    int rc = field_keep(head);
    if (rc < 0)
        return rc;
    enum line_kind kind = field_read(line, &head->field);
    if (has_dashes(line) &&
        (kind != LINE_FIELD || weir_multipart_is_boundary(head->parse, line.at))) {
        body_without_separator(head, line.at);
    } else if (is_past_most(head, line, kind)) {
        weir_message_note(head->parse->message, WEIR_DEFECT_LIMIT);
    } else if (kind == LINE_FIELD) {
        head->has_field = true;
        head->bad_lines = 0;
    } else {
        bad_line(head, line, kind == LINE_STRANGE);
    }
    return 0;
}

static int line_read(struct head *head, struct weir_slice line, const char *next)
{
    if (line.len == 0) {
        head->stop = line.at;
        head->body = next;
        return 0;
    }
    if (!is_folded(head, line))
        return line_begin(head, line);
    fold(head, line);
    return 0;
}

/* Values end where nothing is looked at any more. */
static void value_clamp(struct head *head)
{
    size_t most = (size_t)(head->most - head->field.value.at);
    if (head->has_field && head->field.value.len > most) {
        head->field.value.len = most;
        weir_message_note(head->parse->message, WEIR_DEFECT_LIMIT);
    }
}

static void head_end(struct head *head, struct weir_part *part)
{
    struct weir_parse *parse = head->parse;
    if (head->bad_lines > 0 && (!head->body || head->bad_from == part->field))
        body_from_bad(head);
    else if (!head->body)
        head->stop = head->body = parse->end;
    if (head->stop > head->most)
        head->stop = head->most;
    part->head = (struct weir_slice){head->start, (size_t)(head->stop - head->start)};
    part->fields = (uint32_t)(parse->message->fields - part->field);
    if (!weir_charset_is_utf8(part->head))
        weir_message_note(parse->message, WEIR_DEFECT_8BIT_HEAD);
    parse->at = head->body;
}

/* The first part of all is a message, and so is what is in a message. */
static bool is_of_part(const struct weir_message *message, const struct weir_part *part)
{
    return message->parts > 0 && message->part[part->parent].media == WEIR_MEDIA_MULTIPART;
}

int weir_head_read(struct weir_parse *parse, struct weir_part *part,
                   struct weir_mime_fields *mime_r)
{
    size_t len = (size_t)(parse->end - parse->at);
    struct head head = {.parse = parse, .mime = mime_r, .start = parse->at,
                        .of_part = is_of_part(parse->message, part)};
    head.most = head.start + (len < WEIR_HEAD_MAX ? len : WEIR_HEAD_MAX);
    *mime_r = (struct weir_mime_fields){0};
    part->field = (uint32_t)parse->message->fields;
    int rc = 0;
    for (const char *at = parse->at, *next; rc == 0 && !head.body && at < parse->end; at = next) {
        struct weir_slice line = line_at(at, parse->end, &next);
        rc = line_read(&head, line, next);
        value_clamp(&head);
    }
    if (rc == 0)
        rc = field_keep(&head);
    if (rc == 0)
        head_end(&head, part);
    return rc;
}

/* Fields there may be one of, and the defect when there is none; RFC 5322 3.6. */
static const struct single {
    const char *name;
    size_t len;
    enum weir_defect missing; /* WEIR_DEFECTS: it may be missing */
} singles[] = {
    {"Date", 4, WEIR_DEFECT_NO_DATE},       {"From", 4, WEIR_DEFECT_NO_FROM},
    {"Message-ID", 10, WEIR_DEFECT_NO_MESSAGE_ID},
    {"Sender", 6, WEIR_DEFECTS},            {"Reply-To", 8, WEIR_DEFECTS},
    {"To", 2, WEIR_DEFECTS},                {"Cc", 2, WEIR_DEFECTS},
    {"Bcc", 3, WEIR_DEFECTS},               {"In-Reply-To", 11, WEIR_DEFECTS},
    {"References", 10, WEIR_DEFECTS},       {"Subject", 7, WEIR_DEFECTS},
};

enum { SINGLES = sizeof(singles) / sizeof(singles[0]), LONGEST_SINGLE = 11 };

/* Counts a field if it is one of singles. */
static void single_count(const struct weir_field *field, unsigned count[static SINGLES])
{
    if (field->name.len > LONGEST_SINGLE)
        return;
    for (size_t i = 0; i < SINGLES; i++) {
        if (field_is(field, singles[i].name, singles[i].len))
            count[i]++;
    }
}

void weir_head_check(struct weir_message *message)
{
    unsigned count[SINGLES] = {0};
    size_t fields = message->part[0].fields;
    if (fields == 0)
        weir_message_note(message, WEIR_DEFECT_NO_HEAD);
    for (size_t i = 0; i < fields; i++)
        single_count(&message->field[i], count);
    for (size_t i = 0; i < SINGLES; i++) {
        if (count[i] > 1)
            weir_message_note(message, WEIR_DEFECT_DUPLICATE_FIELD);
        if (count[i] == 0 && singles[i].missing != WEIR_DEFECTS)
            weir_message_note(message, singles[i].missing);
    }
}

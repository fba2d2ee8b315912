/*
 * The walk from part to part.  There is no recursion: open[] holds the multiparts
 * whose boundaries are looked for (never more than WEIR_PART_DEPTH_MAX), and what is
 * in a message/rfc822 just follows it.  A boundary line ends all parts between the
 * last one and the multipart it belongs to; parse->unended and the parents name them.
 *
 * Which multipart a line belongs to is asked from the innermost outward, as mail
 * readers do; so two multiparts with the same boundary nest as they were written.
 *
 * Time: every octet is looked at a fixed number of times, and a line that begins
 * with "--" is compared with those open boundaries that are as long as the line, at most
 * WEIR_PART_DEPTH_MAX.  The message owns nothing: two arrays lie in the caller's arena.
 */
#include "core/mail/message.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/mail/message_impl.h"

enum { PARTS_FIRST = 8 };

const char *weir_defect_name(enum weir_defect defect)
{
    static const char *const name[WEIR_DEFECTS] = {
        [WEIR_DEFECT_LIMIT] = "LIMIT",
        [WEIR_DEFECT_NO_HEAD] = "NO_HEAD",
        [WEIR_DEFECT_BAD_FIELD] = "BAD_FIELD",
        [WEIR_DEFECT_NO_SEPARATOR] = "NO_SEPARATOR",
        [WEIR_DEFECT_NUL] = "NUL",
        [WEIR_DEFECT_BARE_CR] = "BARE_CR",
        [WEIR_DEFECT_MIXED_LINE_ENDS] = "MIXED_LINE_ENDS",
        [WEIR_DEFECT_LONG_LINE] = "LONG_LINE",
        [WEIR_DEFECT_8BIT_HEAD] = "8BIT_HEAD",
        [WEIR_DEFECT_DUPLICATE_FIELD] = "DUPLICATE_FIELD",
        [WEIR_DEFECT_NO_DATE] = "NO_DATE",
        [WEIR_DEFECT_NO_FROM] = "NO_FROM",
        [WEIR_DEFECT_NO_MESSAGE_ID] = "NO_MESSAGE_ID",
        [WEIR_DEFECT_NO_BOUNDARY] = "NO_BOUNDARY",
        [WEIR_DEFECT_BOUNDARY_UNUSED] = "BOUNDARY_UNUSED",
        [WEIR_DEFECT_UNCLOSED] = "UNCLOSED",
        [WEIR_DEFECT_BAD_TYPE] = "BAD_TYPE",
        [WEIR_DEFECT_BAD_ENCODING] = "BAD_ENCODING",
        [WEIR_DEFECT_BAD_BASE64] = "BAD_BASE64",
        [WEIR_DEFECT_BAD_QUOTED] = "BAD_QUOTED",
        [WEIR_DEFECT_BAD_UUENCODE] = "BAD_UUENCODE",
        [WEIR_DEFECT_BAD_CHARSET] = "BAD_CHARSET",
        [WEIR_DEFECT_BAD_WORD] = "BAD_WORD",
        [WEIR_DEFECT_BAD_PARAMETER] = "BAD_PARAMETER",
        [WEIR_DEFECT_PARTIAL] = "PARTIAL",
    };
    return (unsigned)defect < WEIR_DEFECTS ? name[defect] : "UNKNOWN";
}

/* Room for one more part; the array doubles, so that a plain mail takes little. */
static int parts_grow(struct weir_parse *parse)
{
    struct weir_message *message = parse->message;
    if (message->parts < parse->parts_room)
        return 0;
    size_t room = parse->parts_room ? 2 * parse->parts_room : PARTS_FIRST;
    struct weir_part *part = weir_arena_take(parse->arena, room * sizeof(*part));
    if (!part)
        return WEIR_ENOMEM;
    if (message->parts > 0)
        memcpy(part, message->part, message->parts * sizeof(*part));
    message->part = part;
    parse->parts_room = room;
    return 0;
}

static size_t depth_of(const struct weir_message *message, size_t parent)
{
    return message->parts == 0 ? 0 : message->part[parent].depth + 1u;
}

/* Reads the head of the next part; its body has no end yet. */
static int part_begin(struct weir_parse *parse, size_t parent, bool digest)
{
    struct weir_message *message = parse->message;
    struct weir_mime_fields mime;
    int rc = parts_grow(parse);
    if (rc < 0)
        return rc;
    struct weir_part *part = &message->part[message->parts];
    *part = (struct weir_part){.parent = (uint16_t)parent,
                               .depth = (uint16_t)depth_of(message, parent)};
    rc = weir_head_read(parse, part, &mime);
    if (rc < 0)
        return rc;
    part->body.at = parse->at;
    rc = weir_part_describe(parse, part, &mime, digest);
    if (rc == 0)
        parse->unended = message->parts++;
    return rc;
}

static bool room_for_part(struct weir_parse *parse)
{
    if (parse->message->parts < WEIR_PARTS_MAX)
        return true;
    weir_message_note(parse->message, WEIR_DEFECT_LIMIT);
    return false;
}

/* A message that is said to be in base64 is not taken apart here, for it cannot be pointed
 * into; but many only say so.  Base64 has no colon. */
static bool is_in_clear(const struct weir_parse *parse, const struct weir_part *part)
{
    size_t most = (size_t)(parse->end - parse->at);
    return part->transfer != WEIR_TRANSFER_BASE64 ||
           memchr(parse->at, ':', most < WEIR_FIELD_NAME_MAX ? most : WEIR_FIELD_NAME_MAX);
}

/* Whether the next part begins right here: inside a message/rfc822. */
static bool enter(struct weir_parse *parse)
{
    struct weir_part *part = &parse->message->part[parse->unended];
    bool multipart = part->media == WEIR_MEDIA_MULTIPART;
    if (!multipart && part->media != WEIR_MEDIA_MESSAGE)
        return false;
    if (part->depth >= WEIR_PART_DEPTH_MAX) {
        weir_message_note(parse->message, WEIR_DEFECT_LIMIT);
        return false;
    }
    if (multipart) {
        weir_multipart_open(parse, parse->unended);
        return false;
    }
    return is_in_clear(parse, part) && parse->at < parse->end && room_for_part(parse);
}

static bool has_child(const struct weir_message *message, size_t part)
{
    return part + 1 < message->parts && message->part[part + 1].parent == part;
}

static void body_end(struct weir_message *message, size_t index, const char *end)
{
    struct weir_part *part = &message->part[index];
    part->body.len = end > part->body.at ? (size_t)(end - part->body.at) : 0;
}

/* Notes what the multiparts above level, which end here, never had. */
static void multiparts_end(struct weir_parse *parse, size_t level)
{
    struct weir_message *message = parse->message;
    for (; parse->opens > level; parse->opens--) {
        size_t part = parse->open[parse->opens - 1].part;
        weir_message_note(message, has_child(message, part) ? WEIR_DEFECT_UNCLOSED
                                                            : WEIR_DEFECT_BOUNDARY_UNUSED);
    }
}

/* Ends all parts that are inside the multipart of a boundary line. */
static void parts_end(struct weir_parse *parse, const struct weir_delimiter *delimiter)
{
    size_t outer = parse->open[delimiter->level].part;
    for (size_t i = parse->unended; i != outer; i = parse->message->part[i].parent)
        body_end(parse->message, i, delimiter->body_end);
    parse->unended = outer;
    multiparts_end(parse, delimiter->level + 1);
    parse->at = delimiter->next;
}

/* Goes to the next boundary line that begins a part; of several in a row the last does. */
static bool next_part(struct weir_parse *parse)
{
    struct weir_delimiter delimiter;
    while (weir_multipart_find(parse, &delimiter)) {
        parts_end(parse, &delimiter);
        if (delimiter.closing)
            parse->opens = delimiter.level;
        else if (!weir_multipart_is_boundary(parse, parse->at))
            return room_for_part(parse);
    }
    multiparts_end(parse, 0);
    return false;
}

static int parts_read(struct weir_parse *parse)
{
    int rc = part_begin(parse, 0, false);
    while (rc == 0) {
        if (enter(parse)) {
            rc = part_begin(parse, parse->unended, false);
        } else if (next_part(parse)) {
            const struct weir_open_multipart *open = &parse->open[parse->opens - 1];
            rc = part_begin(parse, open->part, open->digest);
        } else {
            break;
        }
    }
    if (rc < 0)
        return rc;
    for (size_t i = parse->unended; i > 0; i = parse->message->part[i].parent)
        body_end(parse->message, i, parse->end);
    body_end(parse->message, 0, parse->end);
    return 0;
}

/* Whether it begins "From " as mboxes have it, and not "From :", which is a field. */
static bool has_mbox_line(struct weir_slice whole)
{
    size_t at = 5;
    if (whole.len <= at || memcmp(whole.at, "From ", at) != 0)
        return false;
    while (at < whole.len && weir_is_wsp(whole.at[at]))
        at++;
    return at == whole.len || whole.at[at] != ':';
}

/* mboxes and some gateways leave the line in front that begins "From ". */
static struct weir_slice mbox_line_off(struct weir_slice whole)
{
    const char *end = has_mbox_line(whole) ? memchr(whole.at, '\n', whole.len) : NULL;
    if (!end)
        return whole;
    size_t line = (size_t)(end + 1 - whole.at);
    return (struct weir_slice){whole.at + line, whole.len - line};
}

int weir_message_parse(const char *octets, size_t len, struct weir_arena *arena,
                       struct weir_message *message_r)
{
    struct weir_message message = {.whole = {octets, len}};
    if (len > WEIR_MESSAGE_MAX) {
        message.whole.len = WEIR_MESSAGE_MAX;
        weir_message_note(&message, WEIR_DEFECT_LIMIT);
    }
    if (len == 0)
        message.whole.at = "";
    message.whole = mbox_line_off(message.whole);
    struct weir_parse parse;
    parse.message = &message;
    parse.arena = arena;
    parse.at = message.whole.at;
    parse.end = message.whole.at + message.whole.len;
    parse.fields_room = parse.parts_room = parse.unended = parse.opens = 0;
    int rc = parts_read(&parse);
    if (rc < 0)
        return rc;
    weir_head_check(&message);
    weir_lines_check(&message);
    *message_r = message;
    return 0;
}

/*
 * Makes the texts that rules look at: one walk over the leaves of a message, each text
 * part going through content_text.c into the lines of a reading.  The lines are taken from
 * the arena once, as large as the message's text can make them; whatever does not fit
 * is left out and noted.
 *
 * A message that stands in base64 inside another is decoded here and taken apart like the
 * outer one, once: what is in base64 in there is an attachment.
 */
#include "core/mail/content.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/mail/content_impl.h"
#include "core/mail/header_text.h"
#include "core/mail/invisible.h"

/* A character takes at most three octets in UTF-8 for each that it has elsewhere, or four
 * for two. */
enum { UTF8_GROWTH = 3 };

const char *weir_area_name(enum weir_area_kind kind)
{
    static const char *const name[WEIR_AREAS] = {
        [WEIR_AREA_HEADER] = "header", [WEIR_AREA_BODY] = "body", [WEIR_AREA_RAW] = "rawbody",
        [WEIR_AREA_HTML] = "html",     [WEIR_AREA_URI] = "uri",   [WEIR_AREA_FULL] = "full",
        [WEIR_AREA_ENVELOPE] = "envelope",
    };
    return (unsigned)kind < WEIR_AREAS ? name[kind] : "unknown";
}

int weir_reading_line(struct weir_arena *arena, size_t room, struct weir_line *line_r)
{
    size_t size = (room < WEIR_AREA_MAX ? room : WEIR_AREA_MAX) + 1;
    char *buffer = weir_arena_take(arena, size);
    if (!buffer)
        return WEIR_ENOMEM;
    *line_r = weir_line(buffer, size);
    return 0;
}

static bool is_leaf(const struct weir_message *message, size_t part)
{
    return part + 1 == message->parts || message->part[part + 1].parent != part;
}

/* Blanks and dots behind a name are lost where files are saved. */
static bool is_html_name(struct weir_slice name)
{
    while (name.len > 0 && (weir_is_space(name.at[name.len - 1]) || name.at[name.len - 1] == '.'))
        name.len--;
    return weir_slice_ends(name, ".html") || weir_slice_ends(name, ".htm");
}

static bool is_html_once_decoded(struct weir_reading *reading, const struct weir_part *part)
{
    char room[UTF8_GROWTH * WEIR_PARAMETER_MAX + 1];
    struct weir_line line = weir_line(room, sizeof(room));
    unsigned defects = 0;
    if (part->name_charset.len > 0)
        weir_charset_convert(reading->charsets, part->name_charset, part->name, &line, &defects);
    else
        weir_header_decode(reading->charsets, part->name, &line, &defects);
    return is_html_name(weir_line_from(&line, 0));
}

/* Readers open what is called .html as HTML, whatever its type.  A name is decoded only where
 * that can make a difference. */
static bool is_html(struct weir_reading *reading, const struct weir_part *part)
{
    if (part->media == WEIR_MEDIA_HTML || is_html_name(part->name))
        return true;
    bool encoded = part->name_charset.len > 0 || memmem(part->name.at, part->name.len, "=?", 2);
    return encoded && is_html_once_decoded(reading, part);
}

/* A multipart without parts is shown as text by mail readers. */
static bool is_text(struct weir_reading *reading, const struct weir_part *part)
{
    return part->media != WEIR_MEDIA_MESSAGE &&
           (part->media != WEIR_MEDIA_OTHER || is_html(reading, part));
}

/* The most that text of a message can take. */
struct sizes {
    size_t text, largest, html;
};

static void size_add(struct weir_reading *reading, const struct weir_part *part,
                     struct sizes *sizes)
{
    size_t len = part->body.len < 3 * WEIR_AREA_MAX ? part->body.len : 3 * WEIR_AREA_MAX;
    bool message = part->media == WEIR_MEDIA_MESSAGE;
    if (!message && !is_text(reading, part))
        return;
    sizes->text += len;
    if (message || is_html(reading, part))
        sizes->html += len;
    if (len > sizes->largest)
        sizes->largest = len;
}

static struct sizes sizes_of(struct weir_reading *reading)
{
    const struct weir_message *message = reading->message;
    struct sizes sizes = {0};
    for (size_t i = 0; i < message->parts; i++) {
        if (is_leaf(message, i))
            size_add(reading, &message->part[i], &sizes);
    }
    return sizes;
}

/* The body has each paragraph at most twice: as it is, and as a reader sees it.  Raw text has
 * uuencoded files as they are and decoded. */
static int lines_take(struct weir_reading *reading, const struct sizes *sizes)
{
    size_t html = UTF8_GROWTH * sizes->html, largest = UTF8_GROWTH * sizes->largest;
    size_t head = UTF8_GROWTH * reading->message->part[0].head.len;
    const struct {
        struct weir_line *line;
        size_t room;
    } wanted[] = {
        {&reading->body, 2 * UTF8_GROWTH * sizes->text + html + 2 * head + WEIR_PARTS_MAX},
        {&reading->raw, 2 * sizes->text},
        {&reading->markup, html},
        {&reading->decoded, sizes->largest},
        {&reading->utf8, largest},
        {&reading->visible, html},
        {&reading->all, html},
        {&reading->again, html},
        {&reading->targets, 2 * html},
    };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if (weir_reading_line(reading->arena, wanted[i].room, wanted[i].line) < 0)
            return WEIR_ENOMEM;
    }
    return 0;
}

static int begin(struct weir_reading *reading)
{
    struct sizes sizes = sizes_of(reading);
    struct weir_html *html = &reading->html;
    html->visible = &reading->visible;
    html->all = &reading->all;
    html->again = &reading->again;
    html->targets = &reading->targets;
    /* "<a href=b>" and "a.bc " are the shortest there are. */
    html->links_most = sizes.text / 4 < WEIR_LINKS_MAX ? sizes.text / 4 : WEIR_LINKS_MAX;
    html->link = weir_arena_take(reading->arena, html->links_most * sizeof(*html->link));
    struct weir_cuts *cuts = &reading->raw_cuts;
    size_t raw = 2 * sizes.text < WEIR_AREA_MAX ? 2 * sizes.text : WEIR_AREA_MAX;
    cuts->room = raw / WEIR_AREA_LINE_MAX + 3 * WEIR_PARTS_MAX;
    cuts->start = weir_arena_take(reading->arena, (cuts->room + 1) * sizeof(*cuts->start));
    if (!html->link || !cuts->start)
        return WEIR_ENOMEM;
    cuts->start[0] = 0;
    return lines_take(reading, &sizes);
}

/* The first line of the body: the subject, or an empty one.  What a reader sees of one with
 * invisible characters stands behind it on the same line, for some rules pass that one over. */
static void subject_read(struct weir_reading *reading)
{
    static const struct weir_slice subject = {"Subject", 7};
    struct weir_line *body = &reading->body;
    if (weir_header_text(reading->outermost, reading->charsets, subject, body) != 1)
        weir_line_text(body, "\n");
    struct weir_slice text = weir_line_from(body, 0);
    struct weir_invisible found = weir_invisible_scan(text);
    reading->content->invisible += found.in_words;
    if (!found.matters)
        return;
    body->at[-1] = ' ';
    weir_invisible_strip((struct weir_slice){text.at, text.len - 1}, body);
    weir_line_text(body, "\n");
}

/* Invisible characters in the sender's name are only counted.  The text is made where the body
 * goes on, which then writes over it. */
static void from_read(struct weir_reading *reading)
{
    static const struct weir_slice from = {"From", 4};
    struct weir_line line = {.start = reading->body.at, .at = reading->body.at,
                             .end = reading->body.end};
    if (weir_header_text(reading->outermost, reading->charsets, from, &line) == 1)
        reading->content->invisible += weir_invisible_scan(weir_line_from(&line, 0)).in_words;
}

/* What is wrong with a message inside, as if it stood in the clear: of its own fields only
 * the outermost one must have all. */
static void defects_pass(struct weir_reading *reading, const struct weir_message *inner)
{
    static const enum weir_defect own[] = {
        WEIR_DEFECT_NO_HEAD, WEIR_DEFECT_DUPLICATE_FIELD, WEIR_DEFECT_NO_DATE,
        WEIR_DEFECT_NO_FROM, WEIR_DEFECT_NO_MESSAGE_ID,
    };
    uint64_t defects = inner->defects;
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        defects &= ~(UINT64_C(1) << own[i]);
    reading->outermost->defects |= defects;
}

static int leaves_read(struct weir_reading *reading);

/* A message in base64: decoded, and read as if it were in the clear. */
static int message_read(struct weir_reading *reading, const struct weir_part *part)
{
    struct weir_message *outer = reading->message, inner;
    struct weir_slice body = part->body;
    struct weir_line line;
    unsigned defects = 0;
    if (reading->inner || part->transfer == WEIR_TRANSFER_NONE || body.len == 0)
        return 0;
    if (body.len > 2 * WEIR_AREA_MAX)
        body.len = 2 * WEIR_AREA_MAX;
    if (weir_reading_line(reading->arena, body.len, &line) < 0)
        return WEIR_ENOMEM;
    weir_transfer_decode(part->transfer, body, &line, &defects);
    if (line.cut || body.len < part->body.len)
        weir_message_note(reading->outermost, WEIR_DEFECT_LIMIT);
    struct weir_slice found = weir_line_from(&line, 0);
    if (weir_message_parse(found.at, found.len, reading->arena, &inner) < 0)
        return WEIR_ENOMEM;
    defects_pass(reading, &inner);
    reading->message = &inner;
    reading->inner = true;
    int rc = leaves_read(reading);
    reading->message = outer;
    reading->inner = false;
    return rc;
}

static int leaf_read(struct weir_reading *reading, const struct weir_part *part)
{
    int rc = 0;
    if (reading->any)
        weir_body_feed(reading, (struct weir_slice){"\n", 1});
    if (part->attachment || part->media == WEIR_MEDIA_OTHER)
        weir_attachment_count(reading);
    if (part->media == WEIR_MEDIA_MESSAGE)
        rc = message_read(reading, part);
    else if (is_text(reading, part))
        weir_text_read(reading, part, is_html(reading, part));
    return rc;
}

static int leaves_read(struct weir_reading *reading)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < reading->message->parts; i++) {
        if (is_leaf(reading->message, i))
            rc = leaf_read(reading, &reading->message->part[i]);
    }
    return rc;
}

/* Addresses that are written out; what is in HTML was found already. */
static void text_links_read(struct weir_reading *reading)
{
    weir_links_find(weir_line_from(&reading->body, 0), &reading->html);
    reading->content->link = reading->html.link;
    reading->content->links = reading->html.links;
}

/* The message as it stands is one line. */
static int full_read(struct weir_reading *reading)
{
    struct weir_slice whole = reading->outermost->whole;
    uint32_t *start = weir_arena_take(reading->arena, 2 * sizeof(*start));
    if (!start)
        return WEIR_ENOMEM;
    start[0] = 0;
    start[1] = (uint32_t)(whole.len < WEIR_AREA_MAX ? whole.len : WEIR_AREA_MAX);
    reading->content->area[WEIR_AREA_FULL] = (struct weir_area){whole.at, start, whole.len > 0};
    return 0;
}

static int areas_make(struct weir_reading *reading)
{
    struct weir_content *content = reading->content;
    const struct weir_cuts *cuts = &reading->raw_cuts;
    bool body_cut = false, markup_cut = false;
    int rc = weir_area_cut(reading->arena, weir_line_from(&reading->body, 0),
                           &content->area[WEIR_AREA_BODY], &body_cut);
    if (rc == 0)
        rc = weir_area_cut(reading->arena, weir_line_from(&reading->markup, 0),
                           &content->area[WEIR_AREA_HTML], &markup_cut);
    content->area[WEIR_AREA_RAW] = (struct weir_area){reading->raw.start, cuts->start, cuts->lines};
    if (body_cut || markup_cut || reading->body.cut || reading->raw.cut || reading->markup.cut)
        weir_message_note(reading->outermost, WEIR_DEFECT_LIMIT);
    return rc;
}

int weir_content_read(struct weir_message *message, struct weir_charsets *charsets,
                      struct weir_arena *arena, struct weir_content *content_r)
{
    struct weir_content content = {0};
    struct weir_reading reading = {.message = message, .outermost = message, .arena = arena,
                                   .charsets = charsets, .content = &content};
    int rc = begin(&reading);
    if (rc < 0)
        return rc;
    subject_read(&reading);
    from_read(&reading);
    rc = leaves_read(&reading);
    if (rc < 0)
        return rc;
    weir_body_end(&reading);
    text_links_read(&reading);
    rc = weir_uris_read(&reading);
    if (rc == 0)
        rc = full_read(&reading);
    if (rc == 0)
        rc = areas_make(&reading);
    if (rc == 0)
        *content_r = content;
    return rc;
}

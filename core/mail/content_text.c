/*
 * One text part: transfer encoding undone, in UTF-8, HTML rendered.  Scratch lines of
 * the reading are used for each step that changes anything; what can stay where it is stays.
 *
 * Text that is valid UTF-8 is taken as that, whatever it claims to be in: mailers that are wrong
 * about it are more than texts in another charset that look like UTF-8 by chance.
 */
#include <string.h>

#include "core/mail/content_impl.h"
#include "core/mail/invisible.h"
#include "core/mail/message_impl.h"

static void note_transfer(struct weir_reading *reading, unsigned defects)
{
    if (defects & WEIR_TRANSFER_BAD_BASE64)
        weir_message_note(reading->outermost, WEIR_DEFECT_BAD_BASE64);
    if (defects & WEIR_TRANSFER_BAD_QUOTED)
        weir_message_note(reading->outermost, WEIR_DEFECT_BAD_QUOTED);
    if (defects & WEIR_TRANSFER_BAD_UUENCODE)
        weir_message_note(reading->outermost, WEIR_DEFECT_BAD_UUENCODE);
}

static void note_cut(struct weir_reading *reading, const struct weir_line *line)
{
    if (line->cut)
        weir_message_note(reading->outermost, WEIR_DEFECT_LIMIT);
}

static void empty(struct weir_line *line)
{
    line->at = line->start;
    line->cut = false;
}

/* Text as it was before it was encoded. */
static struct weir_slice decode(struct weir_reading *reading, enum weir_transfer transfer,
                                struct weir_slice text)
{
    unsigned defects = 0;
    if (transfer == WEIR_TRANSFER_NONE)
        return text;
    empty(&reading->decoded);
    weir_transfer_decode(transfer, text, &reading->decoded, &defects);
    note_transfer(reading, defects);
    note_cut(reading, &reading->decoded);
    return weir_line_from(&reading->decoded, 0);
}

static struct weir_slice to_utf8(struct weir_reading *reading, struct weir_slice charset,
                                 struct weir_slice text)
{
    unsigned defects = 0;
    bool keep = !weir_charset_is_shifting(charset) && weir_charset_is_utf8(text);
    struct weir_slice only_name = {" ", 1}, convert = keep ? only_name : text;
    empty(&reading->utf8);
    weir_charset_convert(reading->charsets, charset, convert, &reading->utf8, &defects);
    if (defects)
        weir_message_note(reading->outermost, WEIR_DEFECT_BAD_CHARSET);
    note_cut(reading, &reading->utf8);
    return keep ? text : weir_line_from(&reading->utf8, 0);
}

static void paragraph(struct weir_reading *reading)
{
    weir_body_feed(reading, (struct weir_slice){"\n\n", 2});
}

/* A text, and then what a reader sees in those of its paragraphs that have invisible characters. */
static void text_feed(struct weir_reading *reading, struct weir_slice text)
{
    struct weir_invisible found = weir_invisible_scan(text);
    size_t from = (size_t)(reading->body.at - reading->body.start);
    weir_body_feed(reading, text);
    reading->content->invisible += found.in_words;
    if (found.matters)
        weir_body_again(reading, from);
}

/* Hidden text is fed in its place, and then what a reader sees in paragraphs that have some. */
static void html_feed(struct weir_reading *reading, struct weir_slice text)
{
    if (reading->all.cut || reading->markup.cut) { /* full: nothing of it would be kept */
        weir_message_note(reading->outermost, WEIR_DEFECT_LIMIT);
        return;
    }
    size_t all = (size_t)(reading->all.at - reading->all.start);
    reading->html.facts = 0;
    reading->html.invisible = 0;
    empty(&reading->again);
    weir_html_read(text, &reading->html);
    weir_body_feed(reading, weir_line_from(&reading->all, all));
    if (reading->again.at > reading->again.start) {
        paragraph(reading);
        weir_body_feed(reading, weir_line_from(&reading->again, 0));
    }
    reading->content->invisible += reading->html.invisible;
    reading->content->html_facts |= reading->html.facts;
    weir_line_octets(&reading->markup, text.at, text.len);
}

/* Files uuencoded in plain text are attachments, and text when they look like it. */
static void uuencoded_read(struct weir_reading *reading, struct weir_slice text)
{
    struct weir_slice name, lines;
    size_t from = 0;
    while (weir_transfer_find_uuencode(text, &from, &name, &lines) == 1) {
        weir_attachment_count(reading);
        struct weir_slice found = decode(reading, WEIR_TRANSFER_UUENCODE, lines);
        if (!weir_charset_is_utf8(found) || memchr(found.at, '\0', found.len))
            continue;
        paragraph(reading);
        text_feed(reading, found);
        weir_raw_add(reading, found);
    }
}

void weir_text_read(struct weir_reading *reading, const struct weir_part *part, bool html)
{
    struct weir_slice body = part->body;
    size_t most = part->transfer == WEIR_TRANSFER_NONE ? WEIR_AREA_MAX : 3 * WEIR_AREA_MAX;
    if (body.len > most) {
        body.len = most;
        weir_message_note(reading->outermost, WEIR_DEFECT_LIMIT);
    }
    struct weir_slice octets = decode(reading, part->transfer, body);
    weir_raw_add(reading, octets);
    struct weir_slice text = to_utf8(reading, part->charset, octets);
    if (html) {
        html_feed(reading, text);
    } else {
        text_feed(reading, text);
        if (part->transfer == WEIR_TRANSFER_NONE)
            uuencoded_read(reading, text);
    }
    reading->content->has_html |= html;
    reading->content->has_text |= !html;
}

/*
 * Texts in lines.  What rules match is a line, so where lines begin decides what they hit;
 * the ways here are those of SpamAssassin, whose rules Weir takes:
 *
 *     body  a run of blanks with two line ends in it is a line end, any other a blank;
 *           what is longer than WEIR_AREA_LINE_MAX is cut behind the last blank that is
 *           at or before that place
 *     raw   the octets of a part, cut behind a line end (else a '>', else a blank) between
 *           one and two times WEIR_AREA_LINE_MAX, so that a rule can see several lines
 *
 * Nothing is owned; what does not fit is left out.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/mail/content_impl.h"
#include "core/mail/invisible.h"

/* What an octet of UTF-8 may be the start of. */
enum octet_kind { OCTET_TEXT, OCTET_BLANK, OCTET_NUL, OCTET_WIDE };

static const unsigned char octet_kind[256] = {
    ['\0'] = OCTET_NUL,   ['\t'] = OCTET_BLANK, ['\n'] = OCTET_BLANK, ['\v'] = OCTET_BLANK,
    ['\f'] = OCTET_BLANK, ['\r'] = OCTET_BLANK, [' '] = OCTET_BLANK,  [0xc2] = OCTET_WIDE,
    [0xe1] = OCTET_WIDE,  [0xe2] = OCTET_WIDE,  [0xe3] = OCTET_WIDE,
};

/* The length of a blank outside ASCII (no-break, em, ideographic, ...) at at, or 0. */
static size_t wide_blank(const unsigned char *at, size_t len)
{
    if (len >= 2 && at[0] == 0xc2)
        return at[1] == 0x85 || at[1] == 0xa0 ? 2 : 0;
    if (len < 3)
        return 0;
    if (at[0] == 0xe1)
        return at[1] == 0x9a && at[2] == 0x80 ? 3 : 0;
    if (at[0] == 0xe3)
        return at[1] == 0x80 && at[2] == 0x80 ? 3 : 0;
    if (at[0] != 0xe2)
        return 0;
    if (at[1] == 0x81)
        return at[2] == 0x9f ? 3 : 0;
    bool line = at[2] == 0xa8 || at[2] == 0xa9 || at[2] == 0xaf;
    return at[1] == 0x80 && (line || (at[2] >= 0x80 && at[2] <= 0x8a)) ? 3 : 0;
}

static void gap_write(struct weir_reading *reading)
{
    static const char *const text[2][2] = {{"\n", "\n "}, {" \n", " \n "}};
    struct weir_gap *gap = &reading->gap;
    if (gap->open)
        weir_line_text(&reading->body,
                       gap->line_ends >= 2 ? text[gap->before][gap->after] : " ");
    *gap = (struct weir_gap){0};
}

/* A CR counts for nothing beside a line end, and as a blank alone. */
static void gap_note(struct weir_gap *gap, char c)
{
    gap->open = true;
    if (c == '\n') {
        gap->line_ends++;
        gap->after = false;
    } else if (c != '\r') {
        gap->before |= gap->line_ends == 0;
        gap->after = gap->line_ends > 0;
    }
}

static void words_write(struct weir_reading *reading, const char *words, size_t len)
{
    if (len == 0)
        return;
    gap_write(reading);
    weir_line_octets(&reading->body, words, len);
}

void weir_body_feed(struct weir_reading *reading, struct weir_slice text)
{
    const unsigned char *octet = (const unsigned char *)text.at;
    size_t from = 0, i = 0;
    while (i < text.len && !reading->body.cut) {
        size_t blank = 1;
        unsigned char kind = octet_kind[octet[i]];
        if (kind == OCTET_WIDE && (blank = wide_blank(octet + i, text.len - i)) == 0)
            kind = OCTET_TEXT;
        if (kind == OCTET_TEXT) {
            i++;
            continue;
        }
        words_write(reading, text.at + from, i - from);
        if (kind == OCTET_NUL)
            words_write(reading, "\n", 1);
        else
            gap_note(&reading->gap, blank > 1 ? ' ' : text.at[i]);
        i += blank;
        from = i;
    }
    words_write(reading, text.at + from, i - from);
    reading->any |= text.len > 0;
}

/* A paragraph of the body in pieces, from which invisible characters are gone. */
static void again(struct weir_reading *reading, struct weir_slice paragraph)
{
    weir_body_feed(reading, (struct weir_slice){"\n\n", 2});
    while (paragraph.len > 0)
        weir_body_feed(reading, weir_invisible_next(&paragraph));
}

void weir_body_again(struct weir_reading *reading, size_t from)
{
    const char *at = reading->body.start + from, *end = reading->body.at;
    while (at < end) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        struct weir_slice paragraph = {at, (size_t)((lf ? lf : end) - at)};
        if (weir_invisible_scan(paragraph).matters)
            again(reading, paragraph);
        at = lf ? lf + 1 : end;
    }
}

void weir_body_end(struct weir_reading *reading)
{
    gap_write(reading);
}

/* Where a piece of raw text ends that must not end before least. */
static size_t raw_piece(struct weir_slice rest)
{
    static const char end[] = {'\n', '>', ' '};
    const char *least = rest.at + WEIR_AREA_LINE_MAX;
    if (rest.len <= 2 * WEIR_AREA_LINE_MAX)
        return rest.len;
    for (size_t i = 0; i < sizeof(end); i++) {
        const char *found = memchr(least, end[i], WEIR_AREA_LINE_MAX);
        if (found)
            return (size_t)(found + 1 - rest.at);
    }
    return WEIR_AREA_LINE_MAX + 1;
}

static void raw_cut(struct weir_reading *reading, struct weir_slice rest)
{
    struct weir_cuts *cuts = &reading->raw_cuts;
    while (rest.len > 0 && cuts->lines < cuts->room) {
        size_t len = raw_piece(rest);
        rest.at += len;
        rest.len -= len;
        cuts->start[++cuts->lines] = (uint32_t)(rest.at - reading->raw.start);
    }
    if (rest.len > 0)
        weir_message_note(reading->outermost, WEIR_DEFECT_LIMIT);
}

void weir_raw_add(struct weir_reading *reading, struct weir_slice octets)
{
    struct weir_line *raw = &reading->raw;
    size_t from = (size_t)(raw->at - raw->start);
    const char *at = octets.at, *end = at + octets.len;
    while (at < end && !raw->cut) {
        const char *cr = memchr(at, '\r', (size_t)(end - at));
        const char *stop = cr ? cr : end;
        bool crlf = cr && cr + 1 < end && cr[1] == '\n';
        weir_line_octets(raw, at, (size_t)(stop - at) + (cr && !crlf));
        at = cr ? cr + 1 : end;
    }
    raw_cut(reading, weir_line_from(raw, from));
}

/* The length of the line that text begins with. */
static size_t line_len(struct weir_slice text)
{
    size_t most = text.len < WEIR_AREA_LINE_MAX ? text.len : WEIR_AREA_LINE_MAX;
    const char *lf = memchr(text.at, '\n', most);
    if (lf)
        return (size_t)(lf + 1 - text.at);
    if (text.len <= WEIR_AREA_LINE_MAX)
        return text.len;
    const char *blank = memrchr(text.at, ' ', WEIR_AREA_LINE_MAX + 1);
    return blank ? (size_t)(blank + 1 - text.at) : WEIR_AREA_LINE_MAX;
}

static size_t lines_count(struct weir_slice text)
{
    size_t lines = 0;
    for (; text.len > 0 && lines <= WEIR_AREA_LINES_MAX; lines++) {
        size_t len = line_len(text);
        text.at += len;
        text.len -= len;
    }
    return lines;
}

int weir_area_cut(struct weir_arena *arena, struct weir_slice text, struct weir_area *area_r,
                  bool *cut_r)
{
    size_t lines = lines_count(text);
    *cut_r = lines > WEIR_AREA_LINES_MAX;
    if (*cut_r)
        lines = WEIR_AREA_LINES_MAX;
    uint32_t *start = weir_arena_take(arena, (lines + 1) * sizeof(*start));
    if (!start)
        return WEIR_ENOMEM;
    start[0] = 0;
    for (size_t i = 0; i < lines; i++) {
        struct weir_slice rest = {text.at + start[i], text.len - start[i]};
        start[i + 1] = start[i] + (uint32_t)line_len(rest);
    }
    *area_r = (struct weir_area){.text = text.at, .start = start, .lines = lines};
    return 0;
}

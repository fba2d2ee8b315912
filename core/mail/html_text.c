/*
 * Text on its way to the lines: blanks and line ends are held back until a word comes, so
 * that any number of them becomes one; what is hidden goes to `all` only.  Blanks in
 * hidden text that takes room are blanks for the reader too.  Blanks are all those of
 * Unicode; raw typographic double quotes become plain ones, as in SpamAssassin; NULs are left out.
 */
#include "core/mail/html_impl.h"

#include <string.h>

#include "core/mail/invisible.h"

enum class { WORD, BLANK, REFERENCE, NOTHING, LEAD };

/* LEAD: a blank or a quote may begin with it in UTF-8. */
static const uint8_t class_of[256] = {
    [0] = NOTHING,  ['\t'] = BLANK, ['\n'] = BLANK, ['\v'] = BLANK, ['\f'] = BLANK, ['\r'] = BLANK,
    [' '] = BLANK,  ['&'] = REFERENCE,
    [0xc2] = LEAD,  [0xe1] = LEAD,  [0xe2] = LEAD,  [0xe3] = LEAD,
};

enum { COUNTED = 64 }; /* letters, at least: nobody asks for more */

static bool is_blank_code(uint32_t code)
{
    return code == ' ' || (code >= '\t' && code <= '\r') || code == 0xa0 || code == 0x85 ||
           code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 ||
           code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

static void word(struct weir_html_writer *writer, const char *at, size_t len)
{
    struct weir_line *line = writer->line;
    if (!line)
        return;
    if (writer->begun && writer->ends > 0)
        weir_line_octets(line, "\n\n", writer->ends);
    else if (writer->begun && writer->blank)
        weir_line_octets(line, " ", 1);
    writer->begun = true;
    writer->blank = false;
    writer->ends = 0;
    weir_line_octets(line, at, len);
}

/* A paragraph of visible ends here.  It is wanted again when `all` has another one in its place,
 * or when there is something in it that nobody sees. */
static void paragraph_end(struct weir_html_text *text)
{
    const struct weir_line *visible = text->visible.line;
    struct weir_slice paragraph = {text->paragraph, (size_t)(visible->at - text->paragraph)};
    struct weir_invisible found = weir_invisible_scan(paragraph);
    text->invisible += found.in_words;
    if (text->again && paragraph.len > 0 && (text->touched || found.matters)) {
        if (text->again->at > text->again->start)
            weir_line_text(text->again, "\n\n");
        weir_invisible_strip(paragraph, text->again);
    }
    text->paragraph = visible->at;
    text->touched = false;
}

void weir_html_text_end(struct weir_html_text *text)
{
    paragraph_end(text);
}

/* Something is in `all` only: in this paragraph, or, when it is over, before the next one. */
static void touch(struct weir_html_text *text)
{
    if (text->visible.begun && text->visible.ends < 2)
        text->touched = true;
    text->touched_next = true;
}

/* What was hidden before a word is in its paragraph, unless in `all` one ends there. */
static void word_shown(struct weir_html_text *text, const char *at, size_t len)
{
    if (text->visible.ends == 2 && text->visible.begun)
        paragraph_end(text);
    if (text->touched_next)
        text->touched |= text->all.ends < 2;
    text->touched_next = false;
    word(&text->visible, at, len);
}

static void break_at(struct weir_html_writer *writer, enum weir_html_break at)
{
    unsigned ends = at == WEIR_BREAK_PARAGRAPH ? 2 : at == WEIR_BREAK_LINE ? 1 : 0;
    writer->ends = writer->ends + ends < 2 ? writer->ends + ends : 2;
    writer->blank = true;
}

void weir_html_text_break(struct weir_html_text *text, enum weir_html_break at, bool shown)
{
    if (at == WEIR_BREAK_NONE)
        return;
    break_at(&text->all, at);
    if (shown) {
        break_at(&text->visible, at);
        text->in_word = false;
    } else {
        touch(text);
    }
}

static bool is_word_octet(char c)
{
    return weir_html_is_letter(c) || weir_is_digit(c) || (unsigned char)c >= 0x80;
}

/* Where a piece of text goes, and what has been seen in it. */
struct piece {
    struct weir_html_text *text;
    bool shown, room;
    size_t letters, counted; /* so many, and no more */
    bool begins_word, ends_word, any;
};

static void add_word(struct piece *piece, const char *at, size_t len)
{
    if (len == 0)
        return;
    if (piece->shown)
        word_shown(piece->text, at, len);
    else
        touch(piece->text);
    word(&piece->text->all, at, len);
    if (!piece->any)
        piece->begins_word = is_word_octet(at[0]);
    piece->any = true;
    piece->ends_word = is_word_octet(at[len - 1]);
    for (size_t i = 0; i < len && piece->letters < piece->counted; i++)
        piece->letters += weir_html_is_letter(at[i]) || weir_is_digit(at[i]) ||
                          (unsigned char)at[i] >= 0xc0;
}

static void add_blank(struct piece *piece)
{
    if (piece->room)
        piece->text->visible.blank = true;
    piece->text->all.blank = true;
    piece->any = true;
    piece->ends_word = false;
}

/* The character behind a LEAD: its octets when it is a blank (*quote_r: a quote), else 0. */
static size_t special(const char *at, const char *end, bool *quote_r)
{
    const unsigned char *octet = (const unsigned char *)at;
    *quote_r = false;
    if (octet[0] == 0xc2)
        return end - at >= 2 && (octet[1] == 0xa0 || octet[1] == 0x85) ? 2 : 0;
    if (end - at < 3)
        return 0;
    uint32_t code = (octet[0] & 15u) << 12 | (octet[1] & 63u) << 6 | (octet[2] & 63u);
    *quote_r = code == 0x201c || code == 0x201d;
    return *quote_r || is_blank_code(code) ? 3 : 0;
}

static const char *add_reference(struct piece *piece, const char *at, const char *end)
{
    uint32_t code;
    char octets[4];
    size_t len = weir_html_reference(at, end, false, &code);
    if (len == 0)
        add_word(piece, at, 1);
    else if (is_blank_code(code))
        add_blank(piece);
    else
        add_word(piece, octets, weir_html_utf8(code, octets));
    return at + (len > 0 ? len : 1);
}

/* Whether the '&' at `at` can begin a reference at all. */
static bool may_refer(const char *at, const char *end)
{
    return end - at > 2 && (at[1] == '#' || weir_html_is_letter(at[1]));
}

/* Words with single blanks between them, one blank or one reference; where it ends. */
static const char *add_next(struct piece *piece, const char *at, const char *end, bool references)
{
    const char *start = at;
    size_t len = 0;
    bool quote = false;
    unsigned kind = WORD;
    for (; at < end; at++) {
        while (at < end && (kind = class_of[(unsigned char)*at]) == WORD)
            at++;
        if (at == end)
            break;
        if (kind == REFERENCE && (!references || !may_refer(at, end)))
            continue;
        if (*at == ' ' && at > start && end - at > 1 && class_of[(unsigned char)at[1]] == WORD)
            continue;
        if (kind != LEAD || (len = special(at, end, &quote)) > 0)
            break;
    }
    add_word(piece, start, (size_t)(at - start));
    if (at == end)
        return end;
    if (kind == REFERENCE)
        return add_reference(piece, at, end);
    if (quote)
        add_word(piece, "\"", 1);
    else if (kind != NOTHING)
        add_blank(piece);
    return at + (kind == LEAD ? len : 1);
}

static void note(struct piece *piece, const struct weir_html_look *look, unsigned *facts)
{
    struct weir_html_text *text = piece->text;
    if (piece->letters == 0)
        return;
    if (piece->shown) {
        text->shown += piece->letters;
    } else {
        text->hidden += piece->letters;
        if (text->hidden >= 8)
            *facts |= 1u << WEIR_HTML_HIDDEN_TEXT;
    }
    if (look->small || look->hidden & WEIR_HIDDEN_TINY)
        *facts |= 1u << WEIR_HTML_TINY_FONT;
    if (look->hidden & WEIR_HIDDEN_COLOUR)
        *facts |= 1u << WEIR_HTML_SAME_COLOUR;
}

void weir_html_text_add(struct weir_html_text *text, struct weir_slice octets, bool references,
                        const struct weir_html_look *look, unsigned *facts)
{
    const char *at = octets.at, *end = at + octets.len;
    unsigned hidden = look ? look->hidden : WEIR_HIDDEN_GONE;
    struct piece piece = {.text = text, .shown = hidden == 0,
                          .room = !(hidden & (WEIR_HIDDEN_GONE | WEIR_HIDDEN_TINY))};
    /* one is enough to know whether there are any */
    piece.counted = (piece.shown ? text->shown : text->hidden) < COUNTED ? COUNTED : 1;
    while (at < end)
        at = add_next(&piece, at, end, references);
    if (look)
        note(&piece, look, facts);
    if (!piece.shown || !piece.any)
        return;
    if (text->in_word && text->cut_here && piece.begins_word)
        *facts |= 1u << WEIR_HTML_SPLIT_WORD;
    text->in_word = piece.ends_word;
    text->cut_here = false;
}

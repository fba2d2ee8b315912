/*
 * MIME parameters as mail has them: quoted strings without an end, values with
 * blanks and no quotes, comments, RFC 2231 pieces in any order.  One pass finds all pieces
 * of the wanted parameter, then they are put together; nothing is copied before that and
 * nothing is owned.  Everybody who wants a parameter asks here: two readers of the same
 * text that differ are a way past the one that looks.
 *
 * What wins: an extended or pieced value (name*=, name*0=) over a plain one, as in RFC 6266,
 * and the first of equals; the rest is noted as bad, not as an error.  What is
 * past WEIR_PARAMETER_PARTS_MAX pieces or WEIR_PARAMETER_MAX octets is left out.
 */
#include <string.h>
#include <strings.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/slice.h"
#include "core/mail/message.h"
#include "core/mail/message_impl.h"

/* A value as it stands; quoted: without its quotes, with its backslashes. */
struct piece {
    struct weir_slice text;
    bool there, quoted, extended;
};

struct pieces {
    struct piece plain, whole; /* name=, name*= */
    struct piece numbered[WEIR_PARAMETER_PARTS_MAX]; /* set once there is one */
    bool has_numbered, bad;
};

struct scan {
    const char *at, *end;
    bool open_comment; /* one without an end was met: from there on '(' is a character */
    bool bad;
};

/* A character of a parameter's name; more than RFC 2045 allows. */
static bool is_name_char(char c)
{
    return c > ' ' && c != '=' && c != ';' && c != '"' && c != '(' && c != ')' && c != 127;
}

static void skip_comment(struct scan *scan)
{
    size_t depth = 0;

    for (const char *at = scan->at; at < scan->end; at++) {
        if (*at == '\\' && scan->end - at > 1)
            at++;
        else if (*at == '(')
            depth++;
        else if (*at == ')' && --depth == 0) {
            scan->at = at + 1;
            return;
        }
    }
    scan->open_comment = true;
    scan->bad = true;
}

static bool at_comment(const struct scan *scan)
{
    return scan->at < scan->end && *scan->at == '(' && !scan->open_comment;
}

static void skip_blanks(struct scan *scan)
{
    while (scan->at < scan->end && (weir_is_blank(*scan->at) || at_comment(scan))) {
        if (at_comment(scan))
            skip_comment(scan);
        else
            scan->at++;
    }
}

static struct weir_slice take_name(struct scan *scan)
{
    const char *start = scan->at;

    while (scan->at < scan->end && is_name_char(*scan->at))
        scan->at++;
    return (struct weir_slice){start, (size_t)(scan->at - start)};
}

/* Behind an opening quote: up to the closing one, or to the end of all. */
static struct piece take_quoted(struct scan *scan)
{
    const char *start = scan->at;

    while (scan->at < scan->end && *scan->at != '"')
        scan->at += *scan->at == '\\' && scan->end - scan->at > 1 ? 2 : 1;
    struct piece piece = {.text = {start, (size_t)(scan->at - start)}, .quoted = true};
    if (scan->at < scan->end)
        scan->at++;
    else
        scan->bad = true;
    return piece;
}

/* Whether "name=" follows, so that somebody forgot a semicolon. */
static bool at_next_parameter(const struct scan *scan)
{
    struct scan ahead = *scan;
    struct weir_slice name = take_name(&ahead);

    return name.len > 0 && ahead.at < ahead.end && *ahead.at == '=';
}

/* Up to ';', a comment, or the next parameter; blanks inside belong to it. */
static struct piece take_unquoted(struct scan *scan)
{
    const char *start = scan->at, *last = start;

    while (scan->at < scan->end && *scan->at != ';') {
        if (!weir_is_blank(*scan->at)) {
            last = ++scan->at;
            continue;
        }
        skip_blanks(scan);
        if (at_next_parameter(scan)) {
            scan->bad = true;
            break;
        }
    }
    return (struct piece){.text = {start, (size_t)(last - start)}};
}

static struct piece take_value(struct scan *scan)
{
    skip_blanks(scan);
    if (scan->at == scan->end || *scan->at != '"')
        return take_unquoted(scan);
    scan->at++;
    return take_quoted(scan);
}

/* What is no "name=value": an empty place, a string nobody named, or a word alone. */
static void skip_junk(struct scan *scan, bool word)
{
    if (word || scan->at == scan->end)
        return;
    if (*scan->at++ == '"')
        take_quoted(scan);
}

static void keep(struct pieces *pieces, struct piece *place, struct piece piece)
{
    if (place->there) {
        pieces->bad = true;
        return;
    }
    *place = piece;
    place->there = true;
}

/* Hardly any value comes in pieces: there is nothing to clear before one does. */
static struct piece *numbered_place(struct pieces *pieces, size_t number)
{
    if (!pieces->has_numbered)
        memset(pieces->numbered, 0, sizeof(pieces->numbered));
    pieces->has_numbered = true;
    return &pieces->numbered[number];
}

/* Puts a value where the '*' behind its name says: "", "*", "*7", "*7*". */
static void file_piece(struct pieces *pieces, struct weir_slice suffix, struct piece piece)
{
    size_t number = 0, at = 1;

    if (suffix.len == 0) {
        keep(pieces, &pieces->plain, piece);
        return;
    }
    piece.extended = suffix.at[suffix.len - 1] == '*';
    if (suffix.len == 1) {
        keep(pieces, &pieces->whole, piece);
        return;
    }
    for (; at < suffix.len && weir_is_digit(suffix.at[at]); at++)
        if (number < WEIR_PARAMETER_PARTS_MAX)
            number = number * 10 + (size_t)(suffix.at[at] - '0');
    bool number_bad = at == 1 || at + (piece.extended ? 1 : 0) != suffix.len;
    if (number_bad || number >= WEIR_PARAMETER_PARTS_MAX)
        pieces->bad = true;
    else
        keep(pieces, numbered_place(pieces, number), piece);
}

static void find_pieces(struct weir_slice parameters, const char *name, struct pieces *pieces)
{
    struct scan scan = {.at = parameters.at, .end = parameters.at + parameters.len};
    size_t len = strlen(name);

    pieces->plain.there = pieces->whole.there = false;
    pieces->has_numbered = pieces->bad = false;
    while (parameters.len > 0) {
        skip_blanks(&scan);
        if (scan.at == scan.end)
            break;
        struct weir_slice found = take_name(&scan);
        skip_blanks(&scan);
        bool value = scan.at < scan.end && *scan.at == '=';
        scan.bad = false;
        if (found.len == 0 || !value) {
            skip_junk(&scan, found.len > 0);
            continue;
        }
        scan.at++;
        struct piece piece = take_value(&scan);
        if (found.len < len || strncasecmp(found.at, name, len) != 0 ||
            (found.len > len && found.at[len] != '*'))
            continue;
        pieces->bad |= scan.bad;
        file_piece(pieces, (struct weir_slice){found.at + len, found.len - len}, piece);
    }
}

/* The octet at *at, with '%' undone if the piece is extended; moves *at behind it. */
static char take_octet(const struct piece *piece, size_t *at, bool *bad)
{
    const char *c = piece->text.at + *at;
    size_t left = piece->text.len - *at;

    (*at)++;
    if (piece->quoted && *c == '\\' && left > 1 && (c[1] == '"' || c[1] == '\\')) {
        (*at)++;
        return c[1];
    }
    if (!piece->extended || *c != '%')
        return *c;
    int high = left > 2 ? weir_hex_value(c[1]) : -1, low = left > 2 ? weir_hex_value(c[2]) : -1;
    if (high < 0 || low < 0) {
        *bad = true;
        return '%';
    }
    *at += 2;
    return (char)(high << 4 | low);
}

/* Appends a piece and takes what it gives from *room; line ends of folding are left out. */
static void append_piece(const struct piece *piece, struct weir_line *out, size_t *room,
                         bool *bad)
{
    for (size_t at = 0; at < piece->text.len;) {
        bool folding = piece->text.at[at] == '\r' || piece->text.at[at] == '\n';
        char octet = take_octet(piece, &at, bad);
        if (folding)
            continue;
        if (*room == 0) {
            *bad = true;
            return;
        }
        weir_line_octets(out, &octet, 1);
        (*room)--;
    }
}

/* Takes "charset'language'" off an extended value; without it nothing is said. */
static void take_charset(struct piece *piece, struct weir_slice *charset_r, bool *bad)
{
    const char *end = piece->text.at + piece->text.len;
    const char *first = memchr(piece->text.at, '\'', piece->text.len);
    const char *second = first ? memchr(first + 1, '\'', (size_t)(end - first - 1)) : NULL;

    if (!second) {
        *bad = true;
        return;
    }
    *charset_r = (struct weir_slice){piece->text.at, (size_t)(first - piece->text.at)};
    piece->text = (struct weir_slice){second + 1, (size_t)(end - second - 1)};
}

/* Joins name*0, name*1, ...; false when there is none. */
static bool append_numbered(struct pieces *pieces, struct weir_line *out,
                            struct weir_slice *charset_r)
{
    size_t room = WEIR_PARAMETER_MAX, next = 0;

    for (size_t i = 0; pieces->has_numbered && i < WEIR_PARAMETER_PARTS_MAX; i++) {
        struct piece *piece = &pieces->numbered[i];
        if (!piece->there)
            continue;
        if (next == 0 && piece->extended)
            take_charset(piece, charset_r, &pieces->bad);
        pieces->bad |= i != next; /* one is missing */
        next = i + 1;
        append_piece(piece, out, &room, &pieces->bad);
    }
    return next > 0;
}

/* Puts together what was found: false when nothing was. */
static bool join(struct pieces *pieces, struct weir_line *out, struct weir_slice *charset_r)
{
    size_t room = WEIR_PARAMETER_MAX;

    if (pieces->whole.there) {
        take_charset(&pieces->whole, charset_r, &pieces->bad);
        append_piece(&pieces->whole, out, &room, &pieces->bad);
        return true;
    }
    if (append_numbered(pieces, out, charset_r))
        return true;
    if (pieces->plain.there)
        append_piece(&pieces->plain, out, &room, &pieces->bad);
    return pieces->plain.there;
}

int weir_parameter(struct weir_slice parameters, const char *name, struct weir_line *out,
                   struct weir_slice *charset_r, bool *bad_r)
{
    struct pieces pieces;

    *charset_r = (struct weir_slice){"", 0};
    find_pieces(parameters, name, &pieces);
    bool found = join(&pieces, out, charset_r);
    *bad_r = pieces.bad;
    return found;
}

/* Whether a value stands in its place as it is meant. */
static bool is_plain(const struct pieces *pieces)
{
    const struct weir_slice *text = &pieces->plain.text;

    return !pieces->whole.there && !pieces->has_numbered && pieces->plain.there
           && text->len <= WEIR_PARAMETER_MAX
           && !(pieces->plain.quoted && memchr(text->at, '\\', text->len))
           && !memchr(text->at, '\n', text->len) && !memchr(text->at, '\r', text->len);
}

int weir_parameter_take(struct weir_slice parameters, const char *name, struct weir_arena *arena,
                        struct weir_parameter *found_r)
{
    char room[WEIR_PARAMETER_MAX + 1];
    struct weir_line line = weir_line(room, sizeof(room));
    struct pieces pieces;

    *found_r = (struct weir_parameter){.value = {"", 0}, .charset = {"", 0}};
    find_pieces(parameters, name, &pieces);
    if (is_plain(&pieces)) {
        found_r->value = pieces.plain.text;
        found_r->bad = pieces.bad;
        return 1;
    }
    bool found = join(&pieces, &line, &found_r->charset);
    found_r->bad = pieces.bad;
    if (!found)
        return 0;
    found_r->value.len = (size_t)(line.at - line.start);
    found_r->value.at = weir_arena_copy(arena, room, found_r->value.len);
    return found_r->value.at ? 1 : WEIR_ENOMEM;
}

struct weir_slice weir_mime_word(struct weir_slice *value)
{
    struct scan scan = {.at = value->at, .end = value->at + value->len};

    skip_blanks(&scan);
    const char *start = scan.at;
    while (scan.at < scan.end && !weir_is_blank(*scan.at) && *scan.at != ';' && *scan.at != ','
           && *scan.at != '(')
        scan.at++;
    *value = weir_slice_between(scan.at, scan.end);
    return weir_slice_between(start, scan.at);
}

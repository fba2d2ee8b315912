/*
 * MIME parameters as mail has them: quoted strings without an end, values with
 * blanks and no quotes, comments, RFC 2231 pieces in any order.  One pass finds all pieces
 * of the wanted parameter, then they are put together; nothing is copied before that and
 * nothing is owned.
 *
 * What wins: an extended or pieced value (name*=, name*0=) over a plain one, as in RFC 6266,
 * and the first of equals; the rest is noted as bad, not as an error.  What is
 * past WEIR_PARAMETER_PARTS_MAX pieces or WEIR_PARAMETER_MAX octets is left out.
 */
#include <string.h>
#include <strings.h>

#include "core/base/limits.h"
#include "core/mail/message.h"

/* A value as it stands; quoted: without its quotes, with its backslashes. */
struct piece {
    struct weir_slice text;
    bool there, quoted, extended;
};

struct pieces {
    struct piece plain, whole; /* name=, name*= */
    struct piece numbered[WEIR_PARAMETER_PARTS_MAX];
    bool bad;
};

struct scan {
    const char *at, *end;
    bool open_comment; /* one without an end was met: from there on '(' is a character */
    bool bad;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

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
    while (scan->at < scan->end && (is_blank(*scan->at) || at_comment(scan))) {
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
        if (!is_blank(*scan->at)) {
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
    for (; at < suffix.len && suffix.at[at] >= '0' && suffix.at[at] <= '9'; at++)
        if (number < WEIR_PARAMETER_PARTS_MAX)
            number = number * 10 + (size_t)(suffix.at[at] - '0');
    bool number_bad = at == 1 || at + (piece.extended ? 1 : 0) != suffix.len;
    if (number_bad || number >= WEIR_PARAMETER_PARTS_MAX)
        pieces->bad = true;
    else
        keep(pieces, &pieces->numbered[number], piece);
}

static void find_pieces(struct weir_slice parameters, const char *name, struct pieces *pieces)
{
    struct scan scan = {.at = parameters.at, .end = parameters.at + parameters.len};
    size_t len = strlen(name);

    for (;;) {
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

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
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
    int high = left > 2 ? hex_value(c[1]) : -1, low = left > 2 ? hex_value(c[2]) : -1;
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

    for (size_t i = 0; i < WEIR_PARAMETER_PARTS_MAX; i++) {
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

int weir_parameter(struct weir_slice parameters, const char *name, struct weir_line *out,
                   struct weir_slice *charset_r, bool *bad_r)
{
    struct pieces pieces = {0};
    size_t room = WEIR_PARAMETER_MAX;
    bool found = true;

    *charset_r = (struct weir_slice){"", 0};
    if (parameters.len > 0)
        find_pieces(parameters, name, &pieces);
    if (pieces.whole.there) {
        take_charset(&pieces.whole, charset_r, &pieces.bad);
        append_piece(&pieces.whole, out, &room, &pieces.bad);
    } else if (!append_numbered(&pieces, out, charset_r)) {
        found = pieces.plain.there;
        append_piece(&pieces.plain, out, &room, &pieces.bad);
    }
    *bad_r = pieces.bad;
    return found;
}

/*
 * Header values to UTF-8: folding, RFC 2047 encoded words, octets over 127.
 *
 * As lenient as mail readers: words inside quotes and inside other words, without blanks
 * between them, with blanks or '?' inside; and a character whose octets were put into two words.
 * So words that follow each other in the same charset are decoded to octets first and
 * converted together.  A word ends at the first "?=", or is none when another
 * begins before that.
 *
 * Buffers are on the stack and bounded by WEIR_HEADER_TEXT_MAX.  Every octet is looked at a
 * few times at most, whatever the value.
 */
#include <string.h>
#include <strings.h>

#include "core/base/slice.h"
#include "core/mail/header_text_impl.h"

/* Room for a charset's name with a language behind it. */
#define CHARSET_TOKEN_MAX (2 * WEIR_CHARSET_NAME_MAX)

struct word {
    struct weir_slice charset, text;
    bool base64;
    const char *behind;
};

/* Octets of words in one charset, not yet converted. */
struct run {
    struct weir_charsets *charsets;
    struct weir_line *out;
    unsigned *defects;
    struct weir_slice charset;
    struct weir_line octets;
};

struct weir_slice weir_header_unfold(struct weir_slice value,
                                     char room[static WEIR_HEADER_TEXT_MAX])
{
    size_t len = 0;

    if (value.len > WEIR_HEADER_TEXT_MAX)
        value.len = WEIR_HEADER_TEXT_MAX;
    value = weir_slice_trim(value);
    if (value.len == 0 || !memchr(value.at, '\n', value.len))
        return value;
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] == '\r' && i + 1 < value.len && value.at[i + 1] == '\n')
            continue;
        if (value.at[i] != '\n') {
            room[len++] = value.at[i];
            continue;
        }
        bool folded = false;
        for (; i + 1 < value.len && weir_is_wsp(value.at[i + 1]); i++)
            folded = true;
        if (folded)
            room[len++] = ' ';
    }
    return (struct weir_slice){room, len};
}

static bool is_charset_char(char c)
{
    return c > ' ' && c < 127 && !memchr("?=<>,;\"@[]()", c, 12);
}

/* The text of a word: *at is behind its second '?' pair.  Ends at "?=". */
static bool word_text(const char *start, const char *end, struct word *word)
{
    for (const char *at = start; end - at > 1; at++) {
        at = memchr(at, '?', (size_t)(end - at) - 1);
        if (!at)
            return false;
        if (at[1] == '=') {
            word->text = (struct weir_slice){start, (size_t)(at - start)};
            word->behind = at + 2;
            return true;
        }
        if (at > start && at[-1] == '=')
            return false;
    }
    return false;
}

/* Reads "=?charset?q?text?=" at at. */
static bool word_read(const char *at, const char *end, struct word *word)
{
    const char *charset = at + 2, *mark = charset;

    while (mark < end && mark - charset < CHARSET_TOKEN_MAX && is_charset_char(*mark))
        mark++;
    if (mark == charset || end - mark < 5 || mark[0] != '?' || mark[2] != '?')
        return false;
    char kind = (char)(mark[1] | 0x20);
    if (kind != 'b' && kind != 'q')
        return false;
    word->charset = (struct weir_slice){charset, (size_t)(mark - charset)};
    word->base64 = kind == 'b';
    return word_text(mark + 3, end, word);
}

/* Q is quoted-printable with '_' for a blank. */
static void q_decode(struct weir_slice text, struct weir_line *out, unsigned *defects)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i] == '_' ? ' ' : text.at[i];
        if (c == '=') {
            const char *high = i + 2 < text.len ? memchr(digits, text.at[i + 1], 32) : NULL;
            const char *low = high ? memchr(digits, text.at[i + 2], 32) : NULL;
            if (low) {
                c = (char)((high - digits) % 16 << 4 | (low - digits) % 16);
                i += 2;
            } else {
                *defects |= WEIR_HEADER_BAD_WORD;
            }
        }
        weir_line_octets(out, &c, 1);
    }
}

static void convert(struct run *run, struct weir_slice charset, struct weir_slice text)
{
    unsigned defects;

    weir_charset_convert(run->charsets, charset, text, run->out, &defects);
    if (defects)
        *run->defects |= WEIR_HEADER_BAD_CHARSET;
}

static void run_end(struct run *run)
{
    size_t len = (size_t)(run->octets.at - run->octets.start);

    if (len > 0)
        convert(run, run->charset, (struct weir_slice){run->octets.start, len});
    run->octets.at = run->octets.start;
}

static void run_add(struct run *run, const struct word *word)
{
    unsigned bad = 0;

    if (word->charset.len != run->charset.len ||
        strncasecmp(word->charset.at, run->charset.at, word->charset.len) != 0)
        run_end(run);
    run->charset = word->charset;
    if (!word->base64)
        q_decode(word->text, &run->octets, run->defects);
    else
        weir_transfer_decode(WEIR_TRANSFER_BASE64, word->text, &run->octets, &bad);
    if (bad)
        *run->defects |= WEIR_HEADER_BAD_WORD;
}

/* Text that is in no word. */
static void plain(struct run *run, const char *at, const char *end)
{
    if (at < end)
        convert(run, (struct weir_slice){"", 0}, (struct weir_slice){at, (size_t)(end - at)});
}

static bool all_blank(const char *at, const char *end)
{
    while (at < end && weir_is_space(*at))
        at++;
    return at == end;
}

void weir_words_decode(struct weir_charsets *charsets, struct weir_slice text, bool words,
                       struct weir_line *out, unsigned *defects)
{
    char octets[WEIR_HEADER_TEXT_MAX + 1];
    const char *at = text.at, *end = text.at + text.len, *done = at;
    struct run run = {.charsets = charsets, .out = out, .defects = defects, .charset = {"", 0}};
    bool after_word = false;
    struct word word;

    run.octets = weir_line(octets, sizeof octets);
    while (words && end - at > 1) {
        at = memmem(at, (size_t)(end - at), "=?", 2);
        if (!at)
            break;
        if (!word_read(at, end, &word)) {
            at++;
            continue;
        }
        if (!after_word || !all_blank(done, at)) {
            run_end(&run);
            plain(&run, done, at);
        }
        run_add(&run, &word);
        after_word = true;
        done = at = word.behind;
    }
    run_end(&run);
    plain(&run, done, end);
}

void weir_header_decode(struct weir_charsets *charsets, struct weir_slice value,
                        struct weir_line *out, unsigned *defects_r)
{
    char room[WEIR_HEADER_TEXT_MAX];

    *defects_r = 0;
    weir_words_decode(charsets, weir_header_unfold(value, room), true, out, defects_r);
}

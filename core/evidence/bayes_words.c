/*
 * Words of a text in UTF-8, by simple rules that need no tables of Unicode:
 *
 *     letters, digits and marks make words; inside them also "'", "-", "." and ",", "_", "@" and
 *     "$" where a letter or digit stands on both sides; "$" also in front, "%" and "!" behind
 *     characters of scripts without blanks between words: each alone, and each two of them
 *     arrows, dingbats, emoji: each a word
 *
 * Lower case is that of ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic.  A word longer than
 * WEIR_BAYES_WORD_MAX is known by its beginning and roughly by its length.
 *
 * A word is built in a buffer of fixed size, and the one before it is kept for pairs.  Octets that
 * are no UTF-8 part words.
 */
#include <string.h>

#include "core/base/slice.h"
#include "core/evidence/bayes_tokens_impl.h"

enum { LONG_KEPT = 8, CHARACTER_MAX = 4 };

enum kind { BLANK, LETTER, INNER, IDEOGRAPH, SYMBOL, UNSEEN };

struct word {
    char octet[WEIR_BAYES_WORD_MAX];
    size_t len;      /* of all, also what did not fit */
    unsigned capitals, smalls;
};

struct words {
    struct weir_bayes_collector *collector;
    struct weir_slice prefix;
    unsigned want;
    struct word now, before; /* before.len 0: none, or something stands between */
};

/* One character of the text, or of no UTF-8 one octet as 0. */
static uint32_t character(const char *at, const char *end, size_t *len_r)
{
    unsigned char first = (unsigned char)*at;
    size_t more = first < 0xc2 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : 0;
    uint32_t c = first & (more == 0 ? 0x7fu : 0x3fu >> more);

    *len_r = 1;
    if (first < 0x80)
        return first;
    if (more == 0 || (size_t)(end - at) <= more)
        return 0;
    for (size_t i = 1; i <= more; i++) {
        if (((unsigned char)at[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | ((unsigned char)at[i] & 0x3fu);
    }
    *len_r = more + 1;
    return c;
}

static bool within(uint32_t c, uint32_t first, uint32_t last)
{
    return c >= first && c <= last;
}

static enum kind kind_ascii(uint32_t c)
{
    if (within(c | 0x20, 'a', 'z') || within(c, '0', '9') || c == '$')
        return LETTER;
    return c > 0 && strchr("'-.,_@%!", (int)c) ? INNER : BLANK;
}

static enum kind kind_of(uint32_t c)
{
    if (c < 0x80)
        return kind_ascii(c);
    if (c == 0xad || within(c, 0x200b, 0x200f) || within(c, 0x202a, 0x202e) ||
        within(c, 0x2060, 0x206f) || within(c, 0xfe00, 0xfe0f) || c == 0xfeff ||
        within(c, 0xe0000, 0xe0fff))
        return UNSEEN;
    if (c < 0xc0 || c == 0xd7 || c == 0xf7 || within(c, 0x2000, 0x206f) ||
        within(c, 0x3000, 0x3004) || within(c, 0x3008, 0x3020) || c == 0xfffd)
        return BLANK;
    if (within(c, 0x2190, 0x2bff) || within(c, 0x1f000, 0x1faff))
        return SYMBOL;
    if (within(c, 0x0e00, 0x0eff) || within(c, 0x1000, 0x109f) || within(c, 0x1780, 0x17ff) ||
        within(c, 0x3005, 0x30ff) || within(c, 0x3400, 0x9fff) || within(c, 0xf900, 0xfaff) ||
        within(c, 0xff66, 0xff9f) || within(c, 0x20000, 0x3ffff))
        return IDEOGRAPH;
    return LETTER;
}

static uint32_t small(uint32_t c)
{
    if (within(c, 'A', 'Z') || within(c, 0xc0, 0xde) || within(c, 0x391, 0x3a9) ||
        within(c, 0x410, 0x42f))
        return c + 0x20;
    if (within(c, 0x400, 0x40f))
        return c + 0x50;
    if (within(c, 0x100, 0x137) || within(c, 0x14a, 0x177) || within(c, 0x460, 0x52f))
        return c | 1;
    if (within(c, 0x139, 0x148) || within(c, 0x179, 0x17e))
        return c + (c & 1);
    return c;
}

static size_t encode(uint32_t c, char octet[static CHARACTER_MAX])
{
    size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char mark[CHARACTER_MAX] = {0, 0xc0, 0xe0, 0xf0};

    for (size_t i = more; i > 0; i--, c >>= 6)
        octet[i] = (char)(0x80 | (c & 0x3f));
    octet[0] = (char)(mark[more] | c);
    return more + 1;
}

static void append(struct word *word, uint32_t c)
{
    char octet[CHARACTER_MAX];
    uint32_t lower = small(c);
    size_t len = encode(lower, octet);

    if (word->len + len <= sizeof(word->octet))
        memcpy(word->octet + word->len, octet, len);
    word->len += len;
    word->capitals += lower != c;
    word->smalls += lower == c && (c >= 'a' || c >= 0x80) && c != '_';
}

/* A long word by its beginning and its length in steps of ten. */
static void shorten(struct word *word)
{
    size_t kept = LONG_KEPT;
    struct weir_line line;

    while (kept > 0 && ((unsigned char)word->octet[kept] & 0xc0) == 0x80)
        kept--;
    line = weir_line(word->octet + kept, sizeof(word->octet) - kept);
    weir_line_text(&line, "~");
    weir_line_count(&line, word->len / 10);
    word->len = (size_t)(line.at - word->octet);
    word->capitals = 0;
}

static void add_single(struct words *words, const struct word *word)
{
    char upper[WEIR_BAYES_WORD_MAX];
    bool capitals = words->want & WEIR_BAYES_CAPITALS && word->capitals > 1 && word->smalls == 0;

    for (size_t i = 0; capitals && i < word->len; i++)
        upper[i] = within((unsigned char)word->octet[i], 'a', 'z') ? (char)(word->octet[i] - 0x20)
                                                                   : word->octet[i];
    weir_bayes_add(words->collector, words->prefix,
                   (struct weir_slice){capitals ? upper : word->octet, word->len});
}

static void add_pair(struct words *words)
{
    char pair[2 * WEIR_BAYES_WORD_MAX + 2];
    struct weir_line line = weir_line(pair, sizeof(pair));

    weir_line_octets(&line, words->before.octet, words->before.len);
    weir_line_text(&line, " ");
    weir_line_octets(&line, words->now.octet, words->now.len);
    weir_bayes_add(words->collector, words->prefix, weir_slice_between(line.start, line.at));
}

/* The word at hand is complete: what stood at its end and belongs to none is taken off. */
static void finish(struct words *words)
{
    struct word *now = &words->now;

    while (now->len > 0 && now->len <= sizeof(now->octet) &&
           strchr("'-.,_@", now->octet[now->len - 1]))
        now->len--;
    if (now->len == 0)
        return;
    if (now->len > sizeof(now->octet))
        shorten(now);
    if (words->want & WEIR_BAYES_SINGLE)
        add_single(words, now);
    if (words->want & WEIR_BAYES_PAIRS && words->before.len > 0)
        add_pair(words);
    words->before = *now;
    *now = (struct word){.len = 0};
}

static void apart(struct words *words)
{
    finish(words);
    words->before.len = 0;
}

/* A character that is a word: pairs of such are written without a blank. */
static void lone(struct words *words, uint32_t c)
{
    finish(words);
    append(&words->now, c);
    finish(words);
}

static void step(struct words *words, uint32_t c)
{
    if (within(c, 0xff01, 0xff5e))
        c -= 0xff01 - '!';
    switch (kind_of(c)) {
    case LETTER:
        append(&words->now, c);
        break;
    case INNER:
        if (words->now.len > 0)
            append(&words->now, c);
        break;
    case IDEOGRAPH:
    case SYMBOL:
        lone(words, c);
        break;
    case BLANK:
        if (c == '\n')
            apart(words);
        else
            finish(words);
        break;
    case UNSEEN:
        break;
    }
}

void weir_bayes_words(struct weir_bayes_collector *collector, struct weir_slice prefix,
                      struct weir_slice text, unsigned want)
{
    struct words words = {.collector = collector, .prefix = prefix, .want = want};
    const char *at = text.at, *end = text.at + text.len;
    size_t len;

    for (; at < end; at += len)
        step(&words, character(at, end, &len));
    finish(&words);
}

/*
 * The collector of a message's tokens, and what is read in which order: header, links, text.  The
 * text comes last, for of all it is what a sender can make as long as he likes; where it is longer
 * than what is looked at, its end is, too.  Each leaves room for what comes after it, so that no
 * header however long keeps the text from being read.
 *
 * All memory is the arena's.  A token's text is kept once, in pieces of some kilobytes.
 */
#include "core/evidence/bayes_tokens.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/evidence/bayes_table.h"
#include "core/evidence/bayes_tokens_impl.h"

enum { SLOTS = 2 * WEIR_BAYES_TOKENS_MAX, TEXT_PIECE = 8192, DOMAINS = 4 };
enum { /* tokens when it is done with ... */
    HEAD_MOST = WEIR_BAYES_TOKENS_MAX / 2,
    LINKS_MOST = WEIR_BAYES_TOKENS_MAX / 8 * 5,
    BEGINNING_MOST = WEIR_BAYES_TOKENS_MAX / 4 * 3
};

_Static_assert((SLOTS & (SLOTS - 1)) == 0, "a slot is found by a mask");
_Static_assert(WEIR_BAYES_TEXT == 0 && WEIR_BAYES_HEAD == 1 && WEIR_BAYES_VIEWS == 2,
               "a view is a bit");
_Static_assert(WEIR_BAYES_TOKENS_MAX < UINT16_MAX, "a slot holds a token's number and one");

static bool text_room(struct weir_bayes_collector *collector, size_t len)
{
    if ((size_t)(collector->text_end - collector->text) >= len)
        return true;
    collector->text = weir_arena_take(collector->arena, TEXT_PIECE);
    collector->failed |= !collector->text;
    collector->text_end = collector->text ? collector->text + TEXT_PIECE : NULL;
    return collector->text != NULL;
}

/* Takes in what stands at collector->text, which then belongs to the token. */
static void take(struct weir_bayes_collector *collector, size_t len)
{
    uint64_t hash = (weir_hash64(collector->key, collector->text, len) & ~UINT64_C(1)) |
                    (uint64_t)collector->view;
    size_t at = (size_t)(hash >> 1) & (SLOTS - 1);

    for (; collector->slot[at] > 0; at = (at + 1) & (SLOTS - 1))
        if (collector->token[collector->slot[at] - 1].hash == hash)
            return;
    if (collector->tokens >= collector->most) {
        collector->cut = true;
        return;
    }
    collector->token[collector->tokens++] =
        (struct weir_bayes_token){hash, collector->view, {collector->text, len}};
    collector->slot[at] = (uint16_t)collector->tokens;
    collector->text += len;
}

void weir_bayes_add(struct weir_bayes_collector *collector, struct weir_slice prefix,
                    struct weir_slice word)
{
    size_t len = prefix.len + word.len;

    if (collector->failed || !text_room(collector, WEIR_BAYES_TOKEN_MAX))
        return;
    if (len > WEIR_BAYES_TOKEN_MAX) {
        len = WEIR_BAYES_TOKEN_MAX;
        prefix.len = prefix.len < len ? prefix.len : len;
    }
    memcpy(collector->text, prefix.at, prefix.len);
    memcpy(collector->text + prefix.len, word.at, len - prefix.len);
    take(collector, len);
}

/* Without the brackets of a literal: whether it is an IPv4 address, or looks like one. */
static bool is_address(struct weir_slice *name)
{
    struct weir_slice bare = *name;

    if (bare.len > 2 && bare.at[0] == '[' && bare.at[bare.len - 1] == ']')
        bare = weir_slice_between(bare.at + 1, bare.at + bare.len - 1);
    for (size_t i = 0; i < bare.len; i++)
        if (!weir_is_digit(bare.at[i]) && bare.at[i] != '.')
            return false;
    *name = bare;
    return true;
}

/* The address and its networks of three and two octets: what is above is on the left. */
static void put_networks(struct weir_bayes_collector *collector, const char *prefix,
                         struct weir_slice address)
{
    weir_bayes_put(collector, prefix, address);
    for (unsigned i = 0; i < 2; i++) {
        const char *dot = memrchr(address.at, '.', address.len);

        if (!dot)
            return;
        address.len = (size_t)(dot - address.at);
        weir_bayes_put(collector, prefix, address);
    }
}

void weir_bayes_domain(struct weir_bayes_collector *collector, const char *prefix,
                       struct weir_slice name)
{
    if (name.len > 0 && is_address(&name)) {
        put_networks(collector, prefix, name);
        return;
    }
    for (unsigned i = 0; i < DOMAINS && name.len > 0; i++) {
        weir_bayes_put(collector, prefix, name);
        const char *dot = memchr(name.at, '.', name.len);
        if (!dot)
            return;
        name = weir_slice_between(dot + 1, name.at + name.len);
    }
}

/* The first of all tokens. */
static void reputation(struct weir_bayes_collector *collector,
                       const struct weir_bayes_source *source)
{
    if (source->reputations > 0)
        weir_bayes_put(collector, WEIR_BAYES_REPUTATIONS, weir_slice_of(""));
    for (size_t i = 0; i < source->reputations; i++)
        weir_bayes_put(collector, "", source->reputation[i]);
    collector->reputations = collector->tokens;
}

static void facts(struct weir_bayes_collector *collector, const struct weir_bayes_source *source)
{
    for (unsigned i = 0; i < WEIR_DEFECTS; i++)
        if (source->message->defects >> i & 1)
            weir_bayes_put(collector, "defect:",
                           weir_slice_of(weir_defect_name((enum weir_defect)i)));
    for (unsigned i = 0; i < WEIR_HTML_FACTS; i++)
        if (source->content->html_facts >> i & 1)
            weir_bayes_put(collector, "html:",
                           weir_slice_of(weir_html_fact_name((enum weir_html_fact)i)));
}

/* How many there are, roughly: by powers of two. */
static void size(struct weir_bayes_collector *collector, const char *prefix, size_t n)
{
    char digits[8];
    struct weir_line line = weir_line(digits, sizeof(digits));
    uint64_t bits = 0;

    for (; n > 0; n /= 2)
        bits++;
    weir_line_count(&line, bits);
    weir_bayes_put(collector, prefix, weir_slice_between(line.start, line.at));
}

/* Where the text's end begins: at a blank, where one is near. */
static size_t end_of(struct weir_slice text)
{
    size_t at = text.len > WEIR_BAYES_TAIL_MAX ? text.len - WEIR_BAYES_TAIL_MAX : 0;
    size_t blank = at;

    while (blank > 0 && at - blank < WEIR_BAYES_WORD_MAX && !weir_is_space(text.at[blank]))
        blank--;
    return weir_is_space(text.at[blank]) ? blank : at;
}

/* The end has tokens of its own, whatever is in front of it: also further Subject fields, which
 * the text begins with. */
static void body(struct weir_bayes_collector *collector, const struct weir_area *area)
{
    static const struct weir_slice none = {"", 0};
    const unsigned want = WEIR_BAYES_SINGLE | WEIR_BAYES_PAIRS | WEIR_BAYES_CAPITALS;
    struct weir_slice text = {area->text, weir_area_len(area)};

    text = weir_slice_behind(text, area->lines > 0 ? area->start[1] : 0); /* the subject */
    if (text.len == 0)
        return;
    size_t end = end_of(text), beginning = end < WEIR_BAYES_HEAD_MAX ? end : WEIR_BAYES_HEAD_MAX;
    collector->cut |= beginning < end;
    collector->most = BEGINNING_MOST;
    weir_bayes_words(collector, none, (struct weir_slice){text.at, beginning}, want);
    collector->most = WEIR_BAYES_TOKENS_MAX;
    weir_bayes_words(collector, none, weir_slice_behind(text, end), want);
}

static void read_all(struct weir_bayes_collector *collector,
                     const struct weir_bayes_source *source)
{
    const struct weir_content *content = source->content;

    collector->view = WEIR_BAYES_HEAD;
    collector->most = HEAD_MOST;
    reputation(collector, source);
    facts(collector, source);
    weir_bayes_fields(collector, source);
    size(collector, "links:", content->links);
    size(collector, "attachments:", content->attachments);
    size(collector, "length:", weir_area_len(&content->area[WEIR_AREA_BODY]));
    collector->view = WEIR_BAYES_TEXT;
    collector->most = LINKS_MOST;
    weir_bayes_links(collector, content);
    body(collector, &content->area[WEIR_AREA_BODY]);
}

int weir_bayes_tokens_read(const struct weir_hash_key *key, const struct weir_bayes_source *source,
                           struct weir_arena *arena, struct weir_bayes_tokens *tokens_r)
{
    struct weir_bayes_collector collector = {.key = key, .arena = arena};

    if (source->reputations > WEIR_BAYES_REPUTATIONS_MAX)
        return WEIR_EINVAL;
    collector.token = weir_arena_take(arena, WEIR_BAYES_TOKENS_MAX * sizeof(*collector.token));
    collector.slot = weir_arena_zero(arena, SLOTS, sizeof(*collector.slot));
    if (!collector.token || !collector.slot)
        return WEIR_ENOMEM;
    read_all(&collector, source);
    if (collector.failed)
        return WEIR_ENOMEM;
    *tokens_r = (struct weir_bayes_tokens){collector.token, collector.tokens, collector.cut,
                                           collector.reputations};
    return 0;
}

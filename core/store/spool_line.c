/*
 * One pass over the words of a line, then the hops.  What was believed of the hops when the
 * message was judged is told by the boundary's index, and only that is believed here: gateways
 * known by now, but not then, would let the reader believe in hops whose writer nobody looked at.
 *
 * Refused are lines without time or hops, with a hop that is no address, and longer ones than the
 * spool has.  A boundary that is not the hop it is said to be is none.
 */
#include "core/store/spool_line.h"

#include <string.h>

#include "core/base/slice.h"
#include "core/mail/envelope.h"

struct words { /* of a line; at NULL: not there */
    struct weir_slice at, listener, domain, recipient, name, dkim, hops, boundary, hop, action,
        info, queue_id, ground, basis, confidence, limits;
};

struct kind {
    const char *name;
    size_t len, place;
};

static const struct kind kinds[] = {
    {"at", 2, offsetof(struct words, at)},
    {"listener", 8, offsetof(struct words, listener)},
    {"hops", 4, offsetof(struct words, hops)},
    {"name", 4, offsetof(struct words, name)},
    {"dkim", 4, offsetof(struct words, dkim)},
    {"boundary", 8, offsetof(struct words, boundary)},
    {"hop", 3, offsetof(struct words, hop)},
    {"action", 6, offsetof(struct words, action)},
    {"info", 4, offsetof(struct words, info)},
    {"domain", 6, offsetof(struct words, domain)},
    {"recipient", 9, offsetof(struct words, recipient)},
    {"queue_id", 8, offsetof(struct words, queue_id)},
    {"ground", 6, offsetof(struct words, ground)},
    {"basis", 5, offsetof(struct words, basis)},
    {"confidence", 10, offsetof(struct words, confidence)},
    {"limits", 6, offsetof(struct words, limits)},
};

/* What stands before the next mark, which is taken away, too. */
static struct weir_slice next_piece(struct weir_slice *text, char mark)
{
    const char *end = text->len > 0 ? memchr(text->at, mark, text->len) : NULL;
    struct weir_slice piece = {text->at, end ? (size_t)(end - text->at) : text->len};
    size_t taken = piece.len + (end != NULL);

    text->at += taken;
    text->len -= taken;
    return piece;
}

static void take_word(struct words *words, struct weir_slice word)
{
    struct weir_slice name;

    if (word.len == 0 || !memchr(word.at, '=', word.len))
        return;
    name = next_piece(&word, '=');
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct weir_slice *value = (void *)((char *)words + kinds[i].place);

        if (name.len != kinds[i].len || memcmp(name.at, kinds[i].name, name.len) != 0)
            continue;
        if (!value->at)
            *value = word;
        return;
    }
}

/* Empty instead of "-", and of what is not there. */
static struct weir_slice told(struct weir_slice value)
{
    return !value.at || weir_slice_equals(value, "-") ? (struct weir_slice){"", 0} : value;
}

/* Without the angle brackets that the log puts around addresses of mail; empty without them,
 * because then the end of the line is missing. */
static struct weir_slice bare(struct weir_slice address)
{
    if (address.len >= 2 && address.at[0] == '<' && address.at[address.len - 1] == '>')
        return (struct weir_slice){address.at + 1, address.len - 2};
    return (struct weir_slice){"", 0};
}

static bool read_hops(struct weir_slice text, struct weir_spool_line *line)
{
    while (text.len > 0 && line->hops < WEIR_SPOOL_HOPS_MAX) {
        struct weir_slice one = next_piece(&text, ',');
        struct weir_hop *hop = &line->hop[line->hops++];

        hop->has_address = !weir_slice_equals(one, "-");
        if (hop->has_address && weir_address_parse(one.at, one.len, &hop->address) < 0)
            return false;
    }
    return line->hops > 0;
}

/* "<index>:<why>"; as far as a message may have hops. */
static bool read_index(struct weir_slice text, size_t *index_r)
{
    struct weir_slice digits = next_piece(&text, ':');
    size_t index = 0;

    for (size_t i = 0; i < digits.len; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9' || index > WEIR_HOPS_MAX)
            return false;
        index = 10 * index + (size_t)(digits.at[i] - '0');
    }
    *index_r = index;
    return digits.len > 0 && index <= WEIR_HOPS_MAX;
}

static void find_boundary(const struct words *words, struct weir_spool_line *line)
{
    struct weir_slice boundary = told(words->boundary);
    struct weir_address address;

    if (weir_address_parse(boundary.at, boundary.len, &address) < 0 ||
        !read_index(told(words->hop), &line->index)) {
        line->index = 0;
        return;
    }
    line->found = true;
    if (line->index >= line->hops) {
        line->index = line->hops - 1;
    } else {
        struct weir_hop *hop = &line->hop[line->index];

        line->found = hop->has_address && weir_address_equal(&hop->address, &address);
        hop->name = hop->host = line->name;
    }
    for (size_t i = 0; line->found && i <= line->index; i++)
        line->hop[i].believed = line->hop[i].has_address;
}

int weir_spool_line_read(struct weir_slice text, struct weir_spool_line *line_r)
{
    struct weir_spool_line *line = line_r;
    struct words words = {.at = {NULL, 0}};

    memset(line, 0, sizeof *line);
    if (text.len > WEIR_SPOOL_LINE_MAX)
        return 0;
    while (text.len > 0)
        take_word(&words, next_piece(&text, ' '));
    line->at = told(words.at);
    line->listener = told(words.listener);
    line->domain = told(words.domain);
    line->recipient = bare(told(words.recipient));
    line->name = told(words.name);
    line->dkim = told(words.dkim);
    line->action = told(words.action);
    line->info = told(words.info);
    line->queue_id = told(words.queue_id);
    if (!weir_queue_id_is(line->queue_id))
        line->queue_id = (struct weir_slice){"", 0};
    line->ground = told(words.ground);
    line->basis = told(words.basis);
    line->confidence = told(words.confidence);
    line->limits = told(words.limits);
    if (line->at.len == 0 || !read_hops(told(words.hops), line))
        return 0;
    find_boundary(&words, line);
    return 1;
}

/*
 * The two areas that are made for the rules of a set: of the header what rules look at,
 * one line for each selector, and of the envelope one line for each value.
 *
 * What a message does not have has no line.  Most of the fields that rules know are in no
 * message at all; a set of bits over the fields' hashes tells so without a search.
 * What does not fit into the room for header text is cut, and the result says so.
 */
#include <string.h>

#include "core/base/error.h"
#include "core/evidence/matcher_impl.h"
#include "core/mail/header_text.h"
#include "core/mail/invisible.h"

/* Decoding may make three octets of one, and several selectors may want one field. */
enum { ROOM_FACTOR = 8, ROOM_LEAST = 8192, HASH_BITS = 1024 };

struct lines {
    struct weir_line text;
    uint32_t *start, *selector;
    size_t lines, most;
};

static int lines_new(struct weir_matcher *matcher, size_t room, size_t most, struct lines *lines_r)
{
    char *octets = weir_arena_take(matcher->arena, room + 1);
    uint32_t *start = weir_arena_take(matcher->arena, (most + 1) * sizeof(*start));
    uint32_t *selector = weir_arena_take(matcher->arena, (most + 1) * sizeof(*selector));
    if (!octets || !start || !selector)
        return WEIR_ENOMEM;
    *lines_r = (struct lines){.text = weir_line(octets, room + 1), .start = start,
                              .selector = selector, .most = most};
    start[0] = 0;
    return 0;
}

/* What was appended to the text since the last line is a line of this selector. */
static void line_end(struct weir_matcher *matcher, struct lines *lines, size_t selector)
{
    if (lines->lines == lines->most)
        return;
    if (!matcher->has[selector])
        matcher->line_of[selector] = (uint32_t)lines->lines;
    matcher->has[selector] = true;
    lines->selector[lines->lines++] = (uint32_t)selector;
    lines->start[lines->lines] = (uint32_t)(lines->text.at - lines->text.start);
}

static struct weir_selected selected(struct weir_matcher *matcher, const struct lines *lines)
{
    matcher->cut |= lines->text.cut;
    return (struct weir_selected){
        .area = {.text = lines->text.start, .start = lines->start, .lines = lines->lines},
        .selector = lines->selector};
}

/* Header. --------------------------------------------------------------------- */

static void hash_fields(const struct weir_message *message, uint64_t bits_r[static HASH_BITS / 64])
{
    const struct weir_part *part = &message->part[0];
    memset(bits_r, 0, HASH_BITS / 8);
    for (size_t i = 0; i < part->fields; i++) {
        uint32_t hash = message->field[part->field + i].hash % HASH_BITS;
        bits_r[hash / 64] |= UINT64_C(1) << (hash % 64);
    }
}

static bool may_have(const uint64_t bits[static HASH_BITS / 64], uint32_t hash)
{
    hash %= HASH_BITS;
    return bits[hash / 64] >> (hash % 64) & 1;
}

/* The same; a text with invisible characters has a second line, without them, but not where the
 * rule wants it as it stands (":raw"). */
static void line_both(struct weir_matcher *matcher, struct lines *lines, size_t selector,
                      struct weir_slice name)
{
    size_t before = lines->lines;
    line_end(matcher, lines, selector);
    if (lines->lines == before)
        return;
    uint32_t from = lines->start[before];
    struct weir_slice text = {lines->text.start + from, lines->start[lines->lines] - from};
    if (memmem(name.at, name.len, ":raw", 4) || !weir_invisible_scan(text).matters)
        return;
    weir_invisible_strip(text, &lines->text);
    line_end(matcher, lines, selector);
}

/* Whether there is such a field; its text is not wanted. */
static bool exists(struct weir_matcher *matcher, struct weir_slice selector)
{
    char none;
    struct weir_line nowhere = weir_line(&none, 1);
    return weir_header_text(matcher->input->message, matcher->input->charsets, selector,
                            &nowhere) > 0;
}

int weir_matcher_header(struct weir_matcher *matcher, struct weir_selected *selected_r)
{
    const struct weir_image *image = &matcher->rules->image;
    struct weir_message *message = matcher->input->message;
    size_t selectors = image->count[WEIR_IMAGE_SELECTORS];
    size_t room = ROOM_FACTOR * message->part[0].head.len + ROOM_LEAST;
    uint64_t bits[HASH_BITS / 64];
    struct lines lines;
    if (lines_new(matcher, room < WEIR_AREA_MAX ? room : WEIR_AREA_MAX, 2 * selectors, &lines) < 0)
        return WEIR_ENOMEM;
    hash_fields(message, bits);
    for (size_t i = 0; i < selectors; i++) {
        const struct weir_image_selector *selector = &image->selector[i];
        uint32_t hash = matcher->rules->field_hash[i];
        matcher->has[i] = false;
        if (selector->kind != WEIR_RULE_HEADER || (hash != 0 && !may_have(bits, hash)))
            continue;
        struct weir_slice name = weir_image_text(image, selector->name);
        if (!selector->wants_text)
            matcher->has[i] = exists(matcher, name);
        else if (weir_header_text(message, matcher->input->charsets, name, &lines.text) > 0)
            line_both(matcher, &lines, i, name);
    }
    *selected_r = selected(matcher, &lines);
    return 0;
}

/* Envelope. -------------------------------------------------------------------- */

static void add_value(struct weir_matcher *matcher, struct lines *lines, size_t selector,
                      struct weir_slice value)
{
    if (value.len == 0)
        return; /* not known; for the sender: expressions see "" */
    weir_line_octets(&lines->text, value.at, value.len);
    line_end(matcher, lines, selector);
}

static bool names(struct weir_slice selector, const char *name)
{
    return selector.len == strlen(name) && memcmp(selector.at, name, selector.len) == 0;
}

static void add_values(struct weir_matcher *matcher, struct lines *lines, size_t number,
                       struct weir_slice name)
{
    const struct weir_rule_input *input = matcher->input;
    const struct weir_envelope *envelope = input->envelope;
    char text[WEIR_ADDRESS_TEXT];
    if (names(name, "recipient")) {
        for (size_t i = 0; i < input->recipients && i < WEIR_RECIPIENTS_MAX; i++)
            add_value(matcher, lines, number, input->recipient[i]);
    } else if (names(name, "client") && envelope->has_client) {
        weir_address_format(&envelope->client, text);
        add_value(matcher, lines, number, (struct weir_slice){text, strlen(text)});
    } else if (names(name, "client_name")) {
        add_value(matcher, lines, number, envelope->client_name);
    } else if (names(name, "helo")) {
        add_value(matcher, lines, number, envelope->helo);
    } else if (names(name, "sender")) {
        add_value(matcher, lines, number, envelope->sender);
    }
}

static size_t envelope_room(const struct weir_rule_input *input)
{
    const struct weir_envelope *envelope = input->envelope;
    size_t room = WEIR_ADDRESS_TEXT + envelope->client_name.len + envelope->helo.len +
                  envelope->sender.len;
    for (size_t i = 0; i < input->recipients && i < WEIR_RECIPIENTS_MAX; i++)
        room += input->recipient[i].len;
    return room < WEIR_AREA_MAX ? room : WEIR_AREA_MAX;
}

int weir_matcher_envelope(struct weir_matcher *matcher, struct weir_selected *selected_r)
{
    const struct weir_image *image = &matcher->rules->image;
    const struct weir_rule_input *input = matcher->input;
    size_t selectors = image->count[WEIR_IMAGE_SELECTORS];
    size_t recipients = input->recipients < WEIR_RECIPIENTS_MAX ? input->recipients
                                                                : WEIR_RECIPIENTS_MAX;
    struct lines lines;
    if (!input->envelope) {
        *selected_r = (struct weir_selected){.selector = NULL};
        return 0;
    }
    if (lines_new(matcher, envelope_room(input), selectors + recipients, &lines) < 0)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < selectors; i++)
        if (image->selector[i].kind == WEIR_RULE_ENVELOPE)
            add_values(matcher, &lines, i, weir_image_text(image, image->selector[i].name));
    *selected_r = selected(matcher, &lines);
    return 0;
}

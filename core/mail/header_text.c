/*
 * From a selector to the text that header rules look at.  A selector is a name and
 * modifiers; the name stands for one or more field names, whose fields are taken name
 * by name, top to bottom, and appended one by one.
 *
 * Nothing is owned.  Each value and what it gives are bounded by WEIR_HEADER_TEXT_MAX, and
 * so are all values together in which mailboxes are looked for: that is the slowest part.
 */
#include "core/mail/header_text.h"

#include <string.h>
#include <strings.h>

#include "core/base/slice.h"
#include "core/mail/header_text_impl.h"

#define NAMES_MAX 4

struct selector {
    bool raw, addr, name, first, last;
    const char *field[NAMES_MAX + 1]; /* up to a NULL */
    bool grouped; /* several field names under one: raw values are unfolded */
    char own[WEIR_FIELD_NAME_MAX + 1];
};

/* What is being made, and for whom. */
struct maker {
    struct weir_message *message;
    struct weir_charsets *charsets;
    const struct selector *selector;
    struct weir_line *out;
    size_t given; /* mailboxes so far */
    size_t budget; /* octets in which mailboxes may still be looked for */
};

static void note(struct weir_message *message, unsigned defects)
{
    if (defects & WEIR_HEADER_BAD_WORD)
        weir_message_note(message, WEIR_DEFECT_BAD_WORD);
    if (defects & WEIR_HEADER_BAD_CHARSET)
        weir_message_note(message, WEIR_DEFECT_BAD_CHARSET);
}

static void take_modifier(struct selector *selector, struct weir_slice word)
{
    selector->raw |= weir_slice_equals(word, "raw");
    selector->addr |= weir_slice_equals(word, "addr");
    selector->name |= weir_slice_equals(word, "name");
    selector->first |= weir_slice_equals(word, "first");
    selector->last |= weir_slice_equals(word, "last");
}

/* Takes the modifiers off and reads them; what is left is the name. */
static struct weir_slice take_modifiers(struct weir_slice text, struct selector *selector)
{
    const char *end = text.at + text.len;
    const char *colon = text.len > 0 ? memchr(text.at, ':', text.len) : NULL;

    if (colon)
        text.len = (size_t)(colon - text.at);
    while (colon) {
        const char *word = colon + 1;
        colon = memchr(word, ':', (size_t)(end - word));
        take_modifier(selector,
                      (struct weir_slice){word, (size_t)((colon ? colon : end) - word)});
    }
    return text;
}

static void take_names(struct weir_slice name, struct selector *selector)
{
    static const char *const message_id[NAMES_MAX] = {
        "X-Message-Id", "Resent-Message-Id", "X-Original-Message-ID", "Message-Id"};
    static const char *const to_cc[] = {"To", "Cc"};

    selector->grouped = true;
    if (weir_slice_equals(name, "MESSAGEID")) {
        memcpy(selector->field, message_id, sizeof message_id);
    } else if (weir_slice_is(name, "ToCc")) {
        memcpy(selector->field, to_cc, sizeof to_cc);
    } else if (name.len > 0 && name.len <= WEIR_FIELD_NAME_MAX) {
        memcpy(selector->own, name.at, name.len);
        selector->field[0] = selector->own;
        selector->grouped = false;
    }
}

/* Whether encoded words may stand in a field of this name. */
static bool has_words(struct weir_slice name)
{
    static const char *const without[] = {
        "Received", "Message-ID", "Resent-Message-ID", "Date", "Resent-Date", "MIME-Version",
        "References", "In-Reply-To"};

    if (weir_slice_begins(name, "List-"))
        return false;
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        if (weir_slice_is(name, without[i]))
            return false;
    return true;
}

/* A line that takes one value's worth of out's room. */
static struct weir_line part_of(const struct weir_line *out)
{
    size_t room = (size_t)(out->end - out->at);

    if (room > WEIR_HEADER_TEXT_MAX)
        room = WEIR_HEADER_TEXT_MAX;
    return (struct weir_line){.start = out->at, .at = out->at, .end = out->at + room};
}

static void give_decoded(struct maker *maker, const struct weir_field *field)
{
    char room[WEIR_HEADER_TEXT_MAX];
    struct weir_line value = part_of(maker->out);
    unsigned defects = 0;

    weir_words_decode(maker->charsets, weir_header_unfold(field->value, room),
                      has_words(field->name), &value, &defects);
    note(maker->message, defects);
    maker->out->at = value.at;
    maker->out->cut |= value.cut;
    weir_line_text(maker->out, "\n");
}

/* Text as it stands, but with LF for CRLF; unfold: a line end and blanks behind it as one
 * blank, except at the end. */
static void give_lines(struct weir_slice text, bool unfold, struct weir_line *out)
{
    const char *at = text.at, *end = at + text.len;

    while (at < end) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        const char *stop = lf ? lf : end;
        if (lf && stop > at && stop[-1] == '\r')
            stop--;
        weir_line_octets(out, at, (size_t)(stop - at));
        if (!lf)
            return;
        at = lf + 1;
        weir_line_text(out, unfold && at < end ? " " : "\n");
        while (unfold && at < end && weir_is_wsp(*at))
            at++;
    }
}

/* The same with a line end behind it, if it has none. */
static void give_raw(struct weir_slice text, bool unfold, struct weir_line *out)
{
    give_lines(text, unfold, out);
    if (text.len == 0 || text.at[text.len - 1] != '\n')
        weir_line_text(out, "\n");
}

/* Blanks made one, those at the ends and single quotes around it taken off; a name of nothing
 * but blanks stays. */
static void tidy(struct weir_line *out, char *start)
{
    char *to = start, *from = start;
    bool blank = false;

    for (; from < out->at; from++) {
        if (weir_is_space(*from)) {
            blank = true;
            continue;
        }
        if (blank && to > start)
            *to++ = ' ';
        blank = false;
        *to++ = *from;
    }
    if (to == start)
        return;
    out->at = to;
    if (to - start >= 2 && *start == '\'' && to[-1] == '\'') {
        memmove(start, start + 1, (size_t)(to - start) - 2);
        out->at -= 2;
    }
}

static void give_name(struct maker *maker, const struct weir_mailbox *mailbox)
{
    char room[WEIR_HEADER_TEXT_MAX];
    struct weir_line name = weir_line(room, sizeof room), value;
    unsigned defects = 0;

    if (!weir_mailbox_name(mailbox, &name))
        return;
    if (maker->given++ > 0)
        weir_line_text(maker->out, "\n");
    struct weir_slice text = {name.start, (size_t)(name.at - name.start)};
    if (maker->selector->raw) {
        give_lines(text, false, maker->out);
        return;
    }
    value = part_of(maker->out);
    weir_words_decode(maker->charsets, text, true, &value, &defects);
    note(maker->message, defects);
    tidy(&value, value.start);
    maker->out->at = value.at;
    maker->out->cut |= value.cut;
}

static void give_mailboxes(struct maker *maker, struct weir_slice value)
{
    struct weir_mailbox mailbox;

    if (value.len > maker->budget)
        value.len = maker->budget;
    maker->budget -= value.len;
    struct weir_mailbox_list list = weir_mailbox_list(value);
    while (weir_mailbox_next(&list, &mailbox)) {
        if (!maker->selector->addr) {
            give_name(maker, &mailbox);
        } else if (mailbox.address.len > 0) {
            if (maker->given++ > 0)
                weir_line_text(maker->out, "\n");
            weir_line_octets(maker->out, mailbox.address.at, mailbox.address.len);
        }
    }
}

/* Of grouped fields the mailboxes are looked for in the decoded value, as SpamAssassin does. */
static void give_decoded_mailboxes(struct maker *maker, const struct weir_field *field)
{
    char room[WEIR_HEADER_TEXT_MAX + 1];
    struct weir_line decoded = weir_line(room, sizeof room), *out = maker->out;

    maker->out = &decoded;
    give_decoded(maker, field);
    maker->out = out;
    give_mailboxes(maker, (struct weir_slice){room, (size_t)(decoded.at - room)});
}

static void give_field(struct maker *maker, const struct weir_field *field)
{
    const struct selector *selector = maker->selector;

    if ((selector->addr || selector->name) && selector->grouped && !selector->raw)
        give_decoded_mailboxes(maker, field);
    else if (selector->addr || selector->name)
        give_mailboxes(maker, field->value);
    else if (selector->raw)
        give_raw(field->value, selector->grouped, maker->out);
    else
        give_decoded(maker, field);
}

static int give_fields(struct maker *maker)
{
    const struct selector *selector = maker->selector;
    const struct weir_field *field, *last = NULL;

    for (const char *const *name = selector->field; *name; name++) {
        for (size_t from = 0; (field = weir_message_field(maker->message, 0, *name, &from));) {
            if (last && selector->first)
                return 1;
            last = field;
            if (!selector->last || selector->first)
                give_field(maker, field);
        }
    }
    if (last && selector->last && !selector->first)
        give_field(maker, last);
    return last && (maker->given > 0 || !(selector->addr || selector->name));
}

static int give_all(struct maker *maker)
{
    const struct weir_message *message = maker->message;
    const struct weir_part *part = &message->part[0];

    if (part->head.len == 0 && part->fields == 0)
        return 0;
    if (maker->selector->raw) {
        give_raw(part->head, false, maker->out);
        return 1;
    }
    for (size_t i = 0; i < part->fields && !maker->out->cut; i++) {
        const struct weir_field *field = &message->field[part->field + i];
        weir_line_octets(maker->out, field->name.at, field->name.len);
        weir_line_text(maker->out, ": ");
        give_decoded(maker, field);
    }
    return part->fields > 0;
}

int weir_header_text(struct weir_message *message, struct weir_charsets *charsets,
                     struct weir_slice selector, struct weir_line *out)
{
    struct selector chosen = {0};
    struct weir_slice name = take_modifiers(selector, &chosen);
    struct maker maker = {message, charsets, &chosen, out, 0, WEIR_HEADER_TEXT_MAX};

    if (weir_slice_equals(name, "ALL"))
        return give_all(&maker);
    take_names(name, &chosen);
    return give_fields(&maker);
}

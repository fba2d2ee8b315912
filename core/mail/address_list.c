/*
 * The mailboxes of From, To and their like, in the many ways they are written:
 *
 *     Name <a@b>   "Name, quoted" <a@b> (comment)   a@b   a@b (Name)   Name only   group: a@b;
 *
 * One item a call, without going back over earlier ones.  From the first item that cannot be
 * read on, only <a@b> in angle brackets is looked for, for a reader would still show it.
 * Results are places in the value; nothing is owned or copied.
 */
#include <string.h>

#include "core/base/slice.h"
#include "core/mail/header_text_impl.h"

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && weir_is_space(*at))
        at++;
    return at;
}

/* Behind the quoted string at at, or NULL when it has no end. */
static const char *quoted_end(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at < end ? at + 1 : NULL;
}

/* Behind the comment at at, or NULL when it has no end or another inside. */
static const char *comment_end(const char *at, const char *end)
{
    for (at++; at < end && *at != ')'; at++) {
        if (*at == '(')
            return NULL;
        if (*at == '\\')
            at++;
    }
    return at < end ? at + 1 : NULL;
}

static bool is_address_char(char c)
{
    return !weir_is_space(c) && !memchr("<>()[],:;", c, 9);
}

/* Behind the domain at at, or NULL. */
static const char *domain_end(const char *at, const char *end)
{
    const char *start = at;

    if (at < end && *at == '[') {
        do
            at++;
        while (at < end && ((*at >= '0' && *at <= '9') || *at == ':' || *at == '.'));
        return at < end && *at == ']' ? at + 1 : NULL;
    }
    while (at < end && is_address_char(*at) && *at != '"')
        at++;
    return at > start ? at : NULL;
}

/* Behind what looks like a mail address at at, or NULL. */
static const char *address_end(const char *at, const char *end)
{
    const char *user = at;

    at = at < end && *at == '"' ? quoted_end(at, end) : at;
    if (!at || at == end || *at != '@') {
        at = user;
        while (at < end && is_address_char(*at) && *at != '@')
            at++;
    }
    if (at == user || at == end || *at != '@')
        return NULL;
    return domain_end(at + 1, end);
}

/* An address without what is behind a second '@'; none when it has one quote only or
 * nothing in its quotes. */
static struct weir_slice checked(struct weir_slice address)
{
    const char *end = address.at + address.len, *second;
    size_t quotes = 0;

    for (size_t i = 0; i < address.len; i++)
        quotes += address.at[i] == '"';
    if (quotes == 1 || (address.len > 2 && memcmp(address.at, "\"\"@", 3) == 0))
        return weir_slice_between(end, end);
    const char *first = memchr(address.at, '@', address.len);
    second = first ? memchr(first + 1, '@', (size_t)(end - first - 1)) : NULL;
    return weir_slice_between(address.at, second ? second : end);
}

/* The address between angle brackets, blanks and a comment at its ends taken off. */
static struct weir_slice bracketed(const char *at, const char *end)
{
    struct weir_slice none = {at, 0};

    at = skip_blanks(at, end);
    if (at < end && *at == '(')
        at = comment_end(at, end);
    if (!at)
        return none;
    at = skip_blanks(at, end);
    const char *behind = address_end(at, end);
    if (!behind)
        return none;
    const char *rest = skip_blanks(behind, end);
    if (rest < end && *rest == '(')
        rest = comment_end(rest, end);
    return rest && skip_blanks(rest, end) == end ? checked(weir_slice_between(at, behind)) : none;
}

/* Words and quoted strings at at, up to ',', ';', '<' or the end; NULL for a lonely quote. */
static const char *phrase_end(const char *at, const char *end)
{
    while (at && at < end && *at != ',' && *at != ';' && *at != '<')
        at = *at == '"' ? quoted_end(at, end) : at + 1;
    return at;
}

/* A comment, if there is one, then a comma, a semicolon or the end; behind that, or NULL. */
static const char *item_end(const char *at, const char *end, struct weir_mailbox *mailbox)
{
    at = skip_blanks(at, end);
    if (at < end && *at == '(') {
        const char *behind = comment_end(at, end);
        if (!behind)
            return NULL;
        mailbox->comment = weir_slice_between(at + 1, behind - 1);
        mailbox->has_comment = true;
        at = skip_blanks(behind, end);
    }
    if (at == end)
        return end;
    return *at == ',' || *at == ';' ? at + 1 : NULL;
}

/* "<a@b>" at at, and doubles some programs put behind it; NULL when it has no end. */
static const char *brackets_end(const char *at, const char *end, struct weir_slice *address_r)
{
    const char *close = memchr(at, '>', (size_t)(end - at));

    if (!close)
        return NULL;
    *address_r = bracketed(at + 1, close);
    for (;;) {
        at = skip_blanks(close + 1, end);
        if (at == end || *at != '<')
            return close + 1;
        close = memchr(at, '>', (size_t)(end - at));
        if (!close)
            return NULL;
    }
}

/* Reads the item at at; returns what is behind it, or NULL when it cannot be read. */
static const char *read_item(const char *at, const char *end, struct weir_mailbox *mailbox)
{
    const char *phrase = phrase_end(at, end), *behind;

    *mailbox = (struct weir_mailbox){{at, 0}, {at, 0}, {at, 0}, false};
    if (!phrase)
        return NULL;
    if (phrase < end && *phrase == '<') {
        mailbox->phrase = weir_slice_between(at, phrase);
        behind = brackets_end(phrase, end, &mailbox->address);
        return behind ? item_end(behind, end, mailbox) : NULL;
    }
    const char *address = address_end(at, end);
    behind = address ? item_end(address, end, mailbox) : NULL;
    if (behind) {
        mailbox->address = checked(weir_slice_between(at, address));
        return behind;
    }
    *mailbox = (struct weir_mailbox){weir_slice_between(at, phrase), {at, 0}, {at, 0}, false};
    return phrase < end ? phrase + 1 : end;
}

/* Behind "group:" or "mailto:" at the beginning; the end for a group of nobody. */
static const char *skip_group(const char *at, const char *end)
{
    const char *start = at, *colon = NULL;

    for (; at < end && !memchr("\"()<>", *at, 5); at++)
        if (*at == ':' && at > start)
            colon = at;
    if (!colon)
        return start;
    at = skip_blanks(colon + 1, end);
    return at < end && *at == ';' ? end : at;
}

/* The next <a@b> at or behind at; its end, or NULL. */
static const char *find_bracketed(const char *at, const char *end, struct weir_mailbox *mailbox)
{
    while (at < end && (at = memchr(at, '<', (size_t)(end - at))) != NULL) {
        const char *behind = address_end(++at, end);
        if (behind && behind < end && *behind == '>') {
            struct weir_slice address = checked(weir_slice_between(at, behind));
            *mailbox = (struct weir_mailbox){{at, 0}, address, {at, 0}, false};
            if (address.len > 0)
                return behind + 1;
        }
    }
    return NULL;
}

/* A phrase that is nothing but an address with a dot in its domain. */
static void phrase_to_address(struct weir_mailbox *mailbox)
{
    struct weir_slice bare = mailbox->phrase;

    while (bare.len > 0 && (weir_is_space(*bare.at) || *bare.at == '"')) {
        bare.at++;
        bare.len--;
    }
    while (bare.len > 0 && (weir_is_space(bare.at[bare.len - 1]) || bare.at[bare.len - 1] == '"'))
        bare.len--;
    const char *end = bare.at + bare.len;
    const char *sign = bare.len > 0 ? memchr(bare.at, '@', bare.len) : NULL;
    if (!sign || !memchr(sign, '.', (size_t)(end - sign)) || address_end(bare.at, end) != end)
        return;
    mailbox->address = checked(bare);
    if (mailbox->address.len > 0)
        mailbox->phrase.len = 0;
}

struct weir_mailbox_list weir_mailbox_list(struct weir_slice value)
{
    if (value.len == 0)
        return (struct weir_mailbox_list){"", "", false};
    const char *end = value.at + value.len;
    while (end > value.at && weir_is_space(end[-1]))
        end--;
    return (struct weir_mailbox_list){skip_group(skip_blanks(value.at, end), end), end, false};
}

int weir_mailbox_next(struct weir_mailbox_list *list, struct weir_mailbox *mailbox_r)
{
    const char *from = skip_blanks(list->at, list->end), *behind = NULL;

    if (from == list->end)
        return 0;
    if (!list->broken)
        behind = read_item(from, list->end, mailbox_r);
    if (!behind) {
        list->broken = true;
        behind = find_bracketed(from, list->end, mailbox_r);
    }
    list->at = behind ? behind : list->end;
    if (behind && mailbox_r->address.len == 0)
        phrase_to_address(mailbox_r);
    return behind != NULL;
}

/* Appends words outside quotes without their comments. */
static void append_words(const char *at, const char *end, struct weir_line *out)
{
    while (at < end) {
        const char *open = memchr(at, '(', (size_t)(end - at));
        const char *behind = open ? comment_end(open, end) : NULL;
        const char *stop = !open ? end : behind ? open : open + 1;
        weir_line_octets(out, at, (size_t)(stop - at));
        at = behind ? behind : stop;
    }
}

static void append_quoted(const char *at, const char *end, struct weir_line *out)
{
    for (; at < end; at++) {
        if (*at == '\\' && end - at > 1)
            at++;
        weir_line_octets(out, at, 1);
    }
}

int weir_mailbox_name(const struct weir_mailbox *mailbox, struct weir_line *out)
{
    const char *at = mailbox->phrase.at, *end = at + mailbox->phrase.len, *start = out->at;

    while (at < end) {
        const char *quote = memchr(at, '"', (size_t)(end - at));
        append_words(at, quote ? quote : end, out);
        if (!quote)
            break;
        const char *behind = quoted_end(quote, end);
        append_quoted(quote + 1, behind ? behind - 1 : end, out);
        at = behind ? behind : end;
    }
    size_t len = (size_t)(out->at - start);
    if (len == mailbox->address.len && memcmp(start, mailbox->address.at, len) == 0)
        out->at -= len; /* says nothing that the address does not */
    else if (len > 0)
        return 1;
    weir_line_octets(out, mailbox->comment.at, mailbox->comment.len);
    return mailbox->has_comment;
}

struct weir_slice weir_header_address(struct weir_slice value, bool *several_r)
{
    struct weir_mailbox_list list = weir_mailbox_list(value);
    struct weir_slice address = {"", 0};
    struct weir_mailbox mailbox;
    size_t mailboxes = 0;

    while (mailboxes < 2 && weir_mailbox_next(&list, &mailbox)) {
        if (address.len == 0)
            address = mailbox.address;
        mailboxes += mailbox.address.len > 0;
    }
    *several_r = mailboxes > 1;
    return address;
}

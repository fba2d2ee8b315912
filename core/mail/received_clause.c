/*
 * Cuts a Received value into tokens and finds the clause of the server that wrote it.
 * Everything points into the value; nothing is copied.  Backslashes escape nothing
 * here: servers write a client's words into comments without escaping, so that a backslash
 * could only hide the end of a comment.  Refused are comments without an end.
 */
#include "core/mail/received_impl.h"

#include "core/base/slice.h"

/* The octet behind a comment that begins at at, or NULL. */
static const char *comment_end(const char *at, const char *end)
{
    size_t depth = 0;
    for (; at < end; at++) {
        depth += *at == '(';
        depth -= *at == ')';
        if (depth == 0)
            return at + 1;
    }
    return NULL;
}

/* The octet behind a word.  Blanks in a quoted string do not end it, if the string ends at all. */
static const char *word_end(const char *at, const char *end)
{
    while (at < end && !weir_is_blank(*at) && *at != '(' && *at != ')' && *at != ';') {
        const char *close = *at == '"' ? memchr(at + 1, '"', (size_t)(end - at - 1)) : NULL;
        at = close ? close + 1 : at + 1;
    }
    return at;
}

/* One token from at on; what is behind it, or NULL when the value cannot be read. */
static const char *take(struct weir_received_tokens *line, const char *at, const char *end)
{
    bool comment = *at == '(';
    const char *behind = comment ? comment_end(at, end) : word_end(at, end);
    if (!behind || line->tokens == WEIR_RECEIVED_TOKENS_MAX)
        return NULL;
    struct weir_slice text = {at + comment, (size_t)(behind - at) - 2 * comment};
    line->token[line->tokens++] = (struct weir_received_token){text, comment};
    return behind;
}

static size_t last_by(const struct weir_received_tokens *line)
{
    for (size_t i = line->tokens; i-- > 0;)
        if (!line->token[i].comment && weir_slice_is(line->token[i].text, "by"))
            return i;
    return line->tokens;
}

int weir_received_split(struct weir_slice value, struct weir_received_tokens *line_r)
{
    const char *at = value.at, *end = value.at + value.len;
    size_t dated = 0;
    line_r->tokens = 0;
    line_r->date = (struct weir_slice){end, 0};
    while (at < end) {
        if (*at == ';') {
            line_r->date = (struct weir_slice){at + 1, (size_t)(end - at - 1)};
            dated = line_r->tokens;
        }
        if (weir_is_blank(*at) || *at == ';' || *at == ')')
            at++;
        else if (!(at = take(line_r, at, end)))
            return 0;
    }
    if (line_r->date.at < end)
        line_r->tokens = dated;
    line_r->by = last_by(line_r);
    return line_r->tokens > 0;
}

struct weir_slice weir_received_word(struct weir_slice *text)
{
    while (text->len > 0 && weir_is_blank(*text->at)) {
        text->at++;
        text->len--;
    }
    struct weir_slice word = {text->at, 0};
    while (word.len < text->len && !weir_is_blank(word.at[word.len]))
        word.len++;
    text->at += word.len;
    text->len -= word.len;
    return word;
}

bool weir_received_phrase(struct weir_slice text, const char *first, const char *second)
{
    struct weir_slice word, before = {NULL, 0};
    while ((word = weir_received_word(&text)).len > 0) {
        if (before.len > 0 && weir_slice_is(before, first) && weir_slice_is(word, second))
            return true;
        before = word;
    }
    return false;
}

struct weir_slice weir_received_helo(struct weir_slice comment)
{
    static const char *const keyword[] = {"HELO", "EHLO", "LHLO"};
    struct weir_slice word;
    while ((word = weir_received_word(&comment)).len > 0) {
        if (weir_slice_begins(word, "helo="))
            return (struct weir_slice){word.at + 5, word.len - 5};
        for (size_t i = 0; i < sizeof keyword / sizeof *keyword; i++)
            if (weir_slice_is(word, keyword[i]))
                return weir_received_word(&comment);
    }
    return word;
}

/* An address without what some servers put behind it: "%eth0", and a port as "192.0.2.7.49152"
 * or "192.0.2.7:49152". */
static int parse_bare(struct weir_slice text, struct weir_address *address_r)
{
    const char *zone = memchr(text.at, '%', text.len);
    if (zone)
        text.len = (size_t)(zone - text.at);
    if (text.len == 0)
        return 0;
    if (weir_address_parse(text.at, text.len, address_r) == 0)
        return 1;
    const char *port = memrchr(text.at, ':', text.len);
    if (!port)
        port = memrchr(text.at, '.', text.len);
    if (!port || text.len > WEIR_ADDRESS_TEXT || !memchr(text.at, '.', text.len))
        return 0;
    return weir_address_parse(text.at, (size_t)(port - text.at), address_r) == 0;
}

int weir_received_address(struct weir_slice word, bool bare, struct weir_address *address_r)
{
    const char *open = memrchr(word.at, '[', word.len);
    if (!open)
        return bare && parse_bare(word, address_r);
    size_t left = (size_t)(word.at + word.len - open - 1);
    const char *close = memchr(open + 1, ']', left);
    size_t len = close ? (size_t)(close - open - 1) : left; /* "[192.0.2.7 port:4721]" */
    return parse_bare((struct weir_slice){open + 1, len}, address_r);
}

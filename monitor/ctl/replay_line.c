/*
 * replay_line - takes one line of a replayed log apart.
 *
 * Logs come from anywhere: whatever stands in a line, the answer is its parts or a reason.
 * Nothing is guessed: a column too many or too few, a time out of bounds, an
 * unknown word are all refused.  Only the domain may be anything, since senders
 * write what they like there; who judges it finds that it is no domain.
 */
#include "monitor/ctl/replay_line.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/error.h"
#include "core/base/limits.h"

#define COLUMNS_LEAST 5
#define COLUMNS_MOST 6
#define SECONDS_DIGITS 10          /* before the point: up to the year 2286 */
#define TIME_TEXT 40               /* octets of a time, decimals included */
#define SECONDS_MOST 4102444800.0  /* 2100-01-01: epochs of counters end soon after */

static bool is(struct weir_slice text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.at, word, text.len) == 0;
}

static size_t digits(const char *at, const char *end)
{
    const char *start = at;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return (size_t)(at - start);
}

/* Digits, or digits, a point and digits; nothing else that strtod() would take. */
static bool looks_like_time(struct weir_slice text, bool *whole_r)
{
    const char *end = text.at + text.len;
    size_t whole = digits(text.at, end);
    if (text.len > TIME_TEXT || whole == 0 || whole > SECONDS_DIGITS)
        return false;
    *whole_r = whole == text.len;
    if (*whole_r)
        return true;
    const char *point = text.at + whole;
    return *point == '.' && point + 1 < end && point + 1 + digits(point + 1, end) == end;
}

static const char *read_time(struct weir_slice text, struct weir_replay_line *line)
{
    char copy[TIME_TEXT + 1];
    if (!looks_like_time(text, &line->whole))
        return "the time is not Unix seconds";
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    line->seconds = strtod(copy, NULL);
    if (line->seconds > SECONDS_MOST)
        return "the time lies beyond the year 2100";
    line->time = (weir_time)(line->seconds * (double)WEIR_SECOND + 0.5);
    return NULL;
}

static const char *read_verdict(struct weir_slice text, struct weir_replay_line *line)
{
    line->verdict_text = text;
    if (is(text, "spam"))
        line->vote.verdict = WEIR_VOTE_SPAM;
    else if (is(text, "good") || is(text, "ham"))
        line->vote.verdict = WEIR_VOTE_GOOD;
    else if (is(text, "unsure"))
        line->vote.verdict = WEIR_VOTE_UNSURE;
    else
        return "the verdict is not spam, good or unsure";
    return NULL;
}

static const char *read_voter(struct weir_slice text, struct weir_replay_line *line)
{
    if (is(text, "user"))
        line->vote.voter = WEIR_VOTE_USER;
    else if (is(text, "computer"))
        line->vote.voter = WEIR_VOTE_COMPUTER;
    else
        return "by is not user or computer";
    return NULL;
}

static const char *read_address(struct weir_slice text, struct weir_replay_line *line)
{
    line->address_text = text;
    if (weir_address_parse(text.at, text.len, &line->address) != 0)
        return "the address is not IPv4 or IPv6";
    return NULL;
}

static const char *read_domain(struct weir_slice text, struct weir_replay_line *line)
{
    line->domain_text = text;
    line->domain = is(text, "-") ? (struct weir_slice){text.at, 0} : text;
    return NULL;
}

static const char *read_auth(struct weir_slice text, struct weir_replay_line *line)
{
    line->authenticated = is(text, "auth");
    if (!line->authenticated && text.len != 0 && !is(text, "-"))
        return "the sixth column is not auth";
    return NULL;
}

/* Parts the line at its tabs.  Returns the number of columns, which may be more
 * than there is room for. */
static size_t split(const char *text, size_t len, struct weir_slice column[COLUMNS_MOST])
{
    size_t n = 0;
    const char *end = text + len;
    for (;;) {
        const char *tab = memchr(text, '\t', (size_t)(end - text));
        const char *stop = tab != NULL ? tab : end;
        if (n < COLUMNS_MOST)
            column[n] = (struct weir_slice){text, (size_t)(stop - text)};
        n++;
        if (tab == NULL)
            return n;
        text = tab + 1;
    }
}

int weir_replay_line_parse(const char *text, size_t len, struct weir_replay_line *line_r,
                           const char **why_r)
{
    typedef const char *reader(struct weir_slice, struct weir_replay_line *);
    static reader *const read[COLUMNS_MOST] = {read_time,    read_address, read_domain,
                                               read_verdict, read_voter,   read_auth};
    struct weir_slice column[COLUMNS_MOST];
    struct weir_replay_line line = {0};

    if (len > 0 && text[len - 1] == '\n')
        len--;
    if (len > 0 && text[len - 1] == '\r')
        len--;
    *why_r = NULL;
    if (len > WEIR_REPLAY_LINE_MAX) {
        *why_r = "the line is too long";
        return WEIR_ELIMIT;
    }
    size_t n = split(text, len, column);
    if (len == 0)
        *why_r = "the line is empty";
    else if (memchr(text, '\0', len) != NULL)
        *why_r = "there is a NUL octet in the line";
    else if (n < COLUMNS_LEAST || n > COLUMNS_MOST)
        *why_r = "not five or six columns parted by tabs";
    for (size_t i = 0; i < n && *why_r == NULL; i++)
        *why_r = read[i](column[i], &line);
    if (*why_r != NULL)
        return WEIR_EINVAL;
    *line_r = line;
    return 0;
}

/*
 * Reading and writing what sniffers tell: one pass over the words, no copy, no memory, numbers by
 * hand, because the monitor reads some hundred thousand of these lines a second.
 *
 * A reader first looks at the two words in front, so that lines of other kinds cost next to
 * nothing.  Refused are known words that come twice, numbers with a sign, a leading zero, more
 * than their limit or anything behind them, a traffic line without an address.
 */
#include "core/store/traffic_line.h"

#include <stddef.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/line.h"
#include "core/base/slice.h"

#define SECONDS_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59 */

static const struct weir_slice quantities[WEIR_TRAFFIC_QUANTITIES] = {
    {"connections", 11}, {"syns", 4}, {"messages", 8}, {"accepted", 8}, {"recipients", 10},
    {"estimated", 9},
};

static const struct {
    struct weir_slice name;
    size_t place;
} healths[] = {
    {{"packets", 7}, offsetof(struct weir_health, packets)},
    {{"kernel_dropped", 14}, offsetof(struct weir_health, kernel_dropped)},
    {{"gaps", 4}, offsetof(struct weir_health, gaps)},
    {{"flows", 5}, offsetof(struct weir_health, flows)},
    {{"addresses", 9}, offsetof(struct weir_health, addresses)},
    {{"spool_dropped", 13}, offsetof(struct weir_health, spool_dropped)},
    {{"calibrated", 10}, offsetof(struct weir_health, calibrated)},
    {{"witnessed", 9}, offsetof(struct weir_health, witnessed)},
    {{"odd", 3}, offsetof(struct weir_health, odd)},
    {{"forged", 6}, offsetof(struct weir_health, forged)},
    {{"unproven", 8}, offsetof(struct weir_health, unproven)},
};

enum { HEALTHS = sizeof healths / sizeof healths[0] };

const char *weir_traffic_quantity_name(unsigned quantity)
{
    return quantity < WEIR_TRAFFIC_QUANTITIES ? quantities[quantity].at : "";
}

/* Reading. --------------------------------------------------------------------- */

/* One "name=value" of a line; name is empty where there is no "=". */
struct word {
    struct weir_slice name, value;
};

/* Takes the next word off the text; false at its end. */
static bool next_word(struct weir_slice *text, struct word *word_r)
{
    const char *at = text->at, *end = text->at + text->len, *blank, *mark;

    while (at < end && *at == ' ')
        at++;
    if (at == end)
        return false;
    blank = memchr(at, ' ', (size_t)(end - at));
    if (!blank)
        blank = end;
    mark = memchr(at, '=', (size_t)(blank - at));
    word_r->name = weir_slice_between(at, mark ? mark : at);
    word_r->value = weir_slice_between(mark ? mark + 1 : at, blank);
    *text = weir_slice_between(blank, end);
    return true;
}

/* A decimal number up to most, as we write it: digits only, no zero in front. */
static bool read_number(struct weir_slice text, uint64_t most, uint64_t *number_r)
{
    uint64_t number = 0;

    if (text.len == 0 || (text.len > 1 && text.at[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint64_t digit = (uint64_t)(text.at[i] - '0');

        if (!weir_is_digit(text.at[i]) || number > (most - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *number_r = number;
    return true;
}

/* Seconds, and up to six digits behind a point. */
static bool read_time(struct weir_slice text, weir_time *time_r)
{
    const char *point = text.len > 0 ? memchr(text.at, '.', text.len) : NULL;
    size_t whole = point ? (size_t)(point - text.at) : text.len;
    weir_time micros = 0;
    uint64_t seconds;

    if (!read_number((struct weir_slice){text.at, whole}, SECONDS_MAX, &seconds))
        return false;
    if (point && (text.len - whole < 2 || text.len - whole > 7))
        return false;
    for (size_t i = 1; point && i <= 6; i++) {
        char c = whole + i < text.len ? point[i] : '0';

        if (!weir_is_digit(c))
            return false;
        micros = micros * 10 + (c - '0');
    }
    *time_r = (weir_time)seconds * WEIR_SECOND + micros;
    return true;
}

/* The words in front: 1 when the line is of this kind, and then its time; 0; WEIR_EINVAL. */
static int read_front(struct weir_slice *text, struct weir_slice kind, weir_time *time_r)
{
    struct word at, word;
    size_t len = text->len;

    if (!next_word(text, &at) || !next_word(text, &word) ||
        !weir_slice_equals(word.name, "kind") || !weir_slice_same(word.value, kind))
        return 0;
    if (len > WEIR_SPOOL_LINE_MAX || !weir_slice_equals(at.name, "at") ||
        !read_time(at.value, time_r))
        return WEIR_EINVAL;
    return 1;
}

static bool take_traffic_word(struct weir_traffic *traffic, const struct word *word,
                              unsigned *seen)
{
    for (unsigned i = 0; i < WEIR_TRAFFIC_QUANTITIES; i++) {
        uint64_t number;

        if (!weir_slice_same(word->name, quantities[i]))
            continue;
        if (*seen & 1u << i || !read_number(word->value, WEIR_TRAFFIC_MAX, &number))
            return false;
        *seen |= 1u << i;
        traffic->quantity[i] = (uint32_t)number;
        return true;
    }
    if (!weir_slice_equals(word->name, "address"))
        return true;
    if (*seen & 1u << WEIR_TRAFFIC_QUANTITIES)
        return false;
    *seen |= 1u << WEIR_TRAFFIC_QUANTITIES;
    return weir_address_parse(word->value.at, word->value.len, &traffic->address) == 0;
}

int weir_traffic_line_read(struct weir_slice text, struct weir_traffic *traffic_r)
{
    static const struct weir_slice kind = {"traffic", 7};
    struct weir_traffic traffic = {.time = 0};
    struct word word;
    unsigned seen = 0;
    int is = read_front(&text, kind, &traffic.time);

    if (is <= 0)
        return is;
    while (next_word(&text, &word))
        if (!take_traffic_word(&traffic, &word, &seen))
            return WEIR_EINVAL;
    if (!(seen & 1u << WEIR_TRAFFIC_QUANTITIES))
        return WEIR_EINVAL;
    *traffic_r = traffic;
    return 1;
}

static bool take_health_word(struct weir_health *health, const struct word *word, unsigned *seen)
{
    for (unsigned i = 0; i < HEALTHS; i++) {
        uint64_t *number = (void *)((char *)health + healths[i].place);

        if (!weir_slice_same(word->name, healths[i].name))
            continue;
        if (*seen & 1u << i || !read_number(word->value, WEIR_HEALTH_MAX, number))
            return false;
        *seen |= 1u << i;
    }
    return true;
}

int weir_health_line_read(struct weir_slice text, struct weir_health *health_r)
{
    static const struct weir_slice kind = {"health", 6};
    struct weir_health health = {.time = 0};
    struct word word;
    unsigned seen = 0;
    int is = read_front(&text, kind, &health.time);

    if (is <= 0)
        return is;
    while (next_word(&text, &word))
        if (!take_health_word(&health, &word, &seen))
            return WEIR_EINVAL;
    *health_r = health;
    return 1;
}

/* Writing. --------------------------------------------------------------------- */

/* By whole numbers: a time in microseconds is too long for a float to be sure of. */
static void put_front(struct weir_line *line, weir_time time, const char *kind)
{
    char digit[7] = ".000000";
    bool known = time >= 0 && time / WEIR_SECOND <= SECONDS_MAX;
    weir_time micros = known ? time % WEIR_SECOND : 0;

    for (size_t i = 6; i > 0; i--, micros /= 10)
        digit[i] = (char)('0' + micros % 10);
    weir_line_text(line, "at=");
    weir_line_count(line, known ? (uint64_t)(time / WEIR_SECOND) : 0);
    weir_line_octets(line, digit, sizeof digit);
    weir_line_text(line, " kind=");
    weir_line_text(line, kind);
}

static void put_number(struct weir_line *line, const char *name, uint64_t number, uint64_t most)
{
    if (number == 0)
        return;
    weir_line_text(line, " ");
    weir_line_text(line, name);
    weir_line_text(line, "=");
    weir_line_count(line, number < most ? number : most);
}

const char *weir_traffic_line_write(const struct weir_traffic *traffic,
                                    char buffer[static WEIR_TRAFFIC_LINE_ROOM])
{
    struct weir_line line = weir_line(buffer, WEIR_TRAFFIC_LINE_ROOM);
    char address[WEIR_ADDRESS_TEXT];

    put_front(&line, traffic->time, "traffic");
    weir_line_text(&line, " address=");
    weir_line_text(&line, weir_address_format(&traffic->address, address));
    for (unsigned i = 0; i < WEIR_TRAFFIC_QUANTITIES; i++)
        put_number(&line, quantities[i].at, traffic->quantity[i], WEIR_TRAFFIC_MAX);
    return weir_line_end(&line);
}

const char *weir_health_line_write(const struct weir_health *health,
                                   char buffer[static WEIR_TRAFFIC_LINE_ROOM])
{
    struct weir_line line = weir_line(buffer, WEIR_TRAFFIC_LINE_ROOM);

    put_front(&line, health->time, "health");
    for (unsigned i = 0; i < HEALTHS; i++) {
        const uint64_t *number = (const void *)((const char *)health + healths[i].place);
        put_number(&line, healths[i].name.at, *number, WEIR_HEALTH_MAX);
    }
    return weir_line_end(&line);
}

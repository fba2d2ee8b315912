/*
 * A watch under test, and the latest of its events; see watched.h.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tests/unit/watched.h"

static bool note(void *context, const struct weir_watch_event *event)
{
    struct watched *w = context;
    w->event[w->count++ % WATCHED_EVENTS] = *event;
    return !w->leaves_out;
}

void watched_open(struct watched *w, const struct weir_watch_class *classes, size_t n,
                  const struct weir_watch_options *options)
{
    struct weir_watch_options own = {.wider = 4, .children = 2, .addresses = 1000};
    if (options)
        own = *options;
    own.classes = classes;
    own.class_count = n;
    *w = (struct watched){.watch = NULL};
    assert_int_equal(weir_watch_new(&own, note, w, &w->watch), 0);
}

void watched_close(struct watched *w)
{
    weir_watch_free(&w->watch);
    assert_null(w->watch);
}

const struct weir_watch_event *watched_last(const struct watched *w)
{
    assert_true(w->count > 0);
    return &w->event[(w->count - 1) % WATCHED_EVENTS];
}

bool watched_is(const struct watched *w, bool raised, const char *prefix)
{
    char text[WEIR_PREFIX_TEXT];
    const struct weir_watch_event *event = watched_last(w);
    return event->raised == raised && strcmp(weir_prefix_format(&event->prefix, text), prefix) == 0;
}

struct weir_address watched_address(const char *text)
{
    struct weir_address address;
    assert_int_equal(weir_address_parse(text, strlen(text), &address), 0);
    return address;
}

struct weir_prefix watched_prefix(const char *text)
{
    struct weir_prefix prefix;
    const char *why;
    assert_int_equal(weir_prefix_parse(text, strlen(text), &prefix, &why), 0);
    return prefix;
}

static weir_time time_of(double seconds)
{
    return WATCHED_START + (weir_time)(seconds * WEIR_SECOND);
}

void watched_charge(struct watched *w, const char *address, double seconds, uint32_t messages)
{
    struct weir_charge charge = {.time = time_of(seconds), .address = watched_address(address),
                                 .quantity = {[WEIR_QUANTITY_MESSAGES] = messages}, .server = 1};
    weir_watch_charge(w->watch, &charge);
}

double watched_tokens(const struct watched *w, const char *prefix, double seconds)
{
    struct weir_limit limit;
    struct weir_prefix p = watched_prefix(prefix);
    return weir_watch_look(w->watch, time_of(seconds), &p, WEIR_QUANTITY_MESSAGES, &limit).tokens;
}

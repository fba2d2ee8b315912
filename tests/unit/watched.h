/*
 * watched - a watch under test that notes the events it tells.
 */
#ifndef WEIR_TESTS_WATCHED_H
#define WEIR_TESTS_WATCHED_H

#include "monitor/threshold/watch.h"

#define WATCHED_START (1790000000 * WEIR_SECOND)

enum { WATCHED_EVENTS = 64 };

struct watched {
    struct weir_watch *watch;
    struct weir_watch_event event[WATCHED_EVENTS]; /* the latest ones, of count */
    size_t count;
    bool leaves_out;          /* what is told to it is not taken */
};

/* A watch of 1,000 addresses with these classes, wider 4, children 2; unless options says else. */
void watched_open(struct watched *w, const struct weir_watch_class *classes, size_t n,
                  const struct weir_watch_options *options);
void watched_close(struct watched *w);

/* The latest event. */
const struct weir_watch_event *watched_last(const struct watched *w);

/* Whether that is about a prefix. */
bool watched_is(const struct watched *w, bool raised, const char *prefix);

struct weir_address watched_address(const char *text);
struct weir_prefix watched_prefix(const char *text);

/* Charges messages of an address at a time, some seconds after the start, by server 1. */
void watched_charge(struct watched *w, const char *address, double seconds, uint32_t messages);

/* Tokens for messages left then. */
double watched_tokens(const struct watched *w, const char *prefix, double seconds);

#endif

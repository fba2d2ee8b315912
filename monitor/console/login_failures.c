/*
 * login_failures - a few places, looked through: failures are as seldom as login_limit.h lets them
 * be.
 */
#include "monitor/console/login_failures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/error.h"
#include "core/base/line.h"

#define UNKNOWN "an unknown name" /* has blanks, as no account's name */

struct burst {
    struct weir_address address;
    char name[WEIR_ACCOUNT_NAME_MAX + 1]; /* "": the place is free */
    bool begun;                  /* its first one was told */
    unsigned failed, refused;    /* not told yet */
    weir_time last, told;        /* steady */
    weir_time since;             /* wall */
};

struct weir_login_failures {
    struct burst one[WEIR_LOGIN_BURSTS + 1]; /* the last: those there was no room for */
};

int weir_login_failures_new(struct weir_login_failures **failures_r)
{
    *failures_r = calloc(1, sizeof **failures_r);
    return *failures_r ? 0 : WEIR_ENOMEM;
}

void weir_login_failures_free(struct weir_login_failures **failures)
{
    if (!failures)
        return;
    free(*failures);
    *failures = NULL;
}

static bool is_over(const struct burst *burst, weir_time now)
{
    return now - burst->last >= WEIR_LOGIN_BURST_QUIET;
}

/* Its place, or a free one, or that of one which is over and told. */
static struct burst *find(struct weir_login_failures *failures, const struct weir_address *address,
                          const char *name, weir_time now)
{
    struct burst *room = NULL;

    for (size_t i = 0; i < WEIR_LOGIN_BURSTS; i++) {
        struct burst *one = &failures->one[i];

        if (one->name[0] && is_over(one, now) && one->begun && one->failed + one->refused == 0)
            one->name[0] = '\0';
        if (one->name[0] && strcasecmp(one->name, name) == 0 &&
            memcmp(&one->address, address, sizeof *address) == 0)
            return one;
        if (!one->name[0] && !room)
            room = one;
    }
    return room;
}

/* The last place: of those there is no room for. */
static struct burst *others(struct weir_login_failures *failures, weir_time now, weir_time wall)
{
    struct burst *burst = &failures->one[WEIR_LOGIN_BURSTS];

    if (burst->failed == 0) {
        burst->begun = true;
        burst->told = now;
        burst->since = wall;
    }
    return burst;
}

/* Somebody's name is worth a place more than names that nobody has: one of those makes room.  NULL:
 * there is none. */
static struct burst *displace(struct weir_login_failures *failures, weir_time now, weir_time wall)
{
    for (size_t i = 0; i < WEIR_LOGIN_BURSTS; i++) {
        struct burst *one = &failures->one[i];
        struct burst *rest;

        if (strcmp(one->name, UNKNOWN) != 0)
            continue;
        if (one->failed + one->refused > 0) {
            rest = others(failures, now, wall);
            rest->failed += one->failed;
            rest->refused += one->refused;
            rest->last = now;
        }
        one->name[0] = '\0';
        return one;
    }
    return NULL;
}

void weir_login_failures_note(struct weir_login_failures *failures,
                              const struct weir_address *address, const char *name,
                              weir_time now, weir_time wall)
{
    const struct weir_prefix own = weir_address_prefix(address, 32, 64);
    struct burst *burst = find(failures, &own.address, name ? name : UNKNOWN, now);

    if (!burst && name)
        burst = displace(failures, now, wall);
    if (!burst) {
        burst = others(failures, now, wall);
    } else if (!burst->name[0]) {
        *burst = (struct burst){.address = own.address};
        snprintf(burst->name, sizeof burst->name, "%s", name ? name : UNKNOWN);
    }
    burst->last = now;
    burst->failed++;
}

void weir_login_failures_refused(struct weir_login_failures *failures,
                                 const struct weir_address *address, const char *name,
                                 weir_time now)
{
    const struct weir_prefix own = weir_address_prefix(address, 32, 64);
    struct burst *burst = find(failures, &own.address, name, now);

    if (!burst || !burst->name[0])
        burst = find(failures, &own.address, UNKNOWN, now);
    if (!burst || !burst->name[0])
        return;
    burst->last = now;
    burst->refused++;
}

static bool is_due(const struct burst *burst, weir_time now, bool all)
{
    unsigned left = burst->failed + burst->refused;

    if (left == 0)
        return false;
    if (!burst->begun || all || is_over(burst, now))
        return true;
    return left > 1 && now - burst->told >= WEIR_LOGIN_BURST_SPAN;
}

bool weir_login_failures_due(struct weir_login_failures *failures, weir_time now, bool all,
                             struct weir_login_burst *due_r)
{
    for (size_t i = 0; i <= WEIR_LOGIN_BURSTS; i++) {
        const struct burst *one = &failures->one[i];

        if (!is_due(one, now, all))
            continue;
        *due_r = (struct weir_login_burst){
            .place = i, .address = one->address, .failed = one->begun ? one->failed : 1,
            .refused = one->begun ? one->refused : 0, .since = one->begun ? one->since : 0};
        memcpy(due_r->name, one->name, sizeof due_r->name);
        return true;
    }
    return false;
}

void weir_login_failures_told(struct weir_login_failures *failures,
                              const struct weir_login_burst *due, weir_time now, weir_time wall)
{
    struct burst *burst = &failures->one[due->place];

    burst->failed -= due->failed;
    burst->refused -= due->refused;
    burst->begun = true;
    burst->told = now;
    burst->since = wall;
}

const char *weir_login_burst_text(const struct weir_login_burst *burst,
                                  char buffer[static WEIR_LOGIN_BURST_TEXT])
{
    struct weir_line line = weir_line(buffer, WEIR_LOGIN_BURST_TEXT);
    char text[WEIR_ADDRESS_TEXT > WEIR_TIME_TEXT ? WEIR_ADDRESS_TEXT : WEIR_TIME_TEXT];

    weir_line_text(&line, "as ");
    weir_line_text(&line, burst->name[0] ? burst->name : "many others");
    if (burst->name[0]) {
        weir_line_text(&line, " from ");
        weir_line_text(&line, weir_address_format(&burst->address, text));
    }
    if (burst->since > 0) {
        weir_line_text(&line, ": ");
        weir_line_count(&line, burst->failed);
        weir_line_text(&line, burst->name[0] ? " more since " : " since ");
        weir_line_text(&line, weir_time_format(burst->since, text));
    }
    if (burst->refused > 0) {
        weir_line_text(&line, ", and ");
        weir_line_count(&line, burst->refused);
        weir_line_text(&line, " that were not looked at, for they came too soon");
    }
    return weir_line_end(&line);
}

/*
 * witness - two rings: answers in the order in which they were heard, and messages that wait until
 * all answers that may be theirs were heard.
 *
 * The times of lines have whole seconds, of which only the last few count: so they are compared
 * as text with those, and nothing else is taken for a time.
 */
#include "sniffer/witness.h"

#include <stdlib.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/store/spool_line.h"

struct heard {
    struct weir_turn turn;
    bool found;
};

struct weir_witnesses {
    struct heard heard[WEIR_WITNESS_TURNS];
    size_t next, count;
    struct weir_witness waiting[WEIR_WITNESS_WAITING];
    size_t first, waits;
};

/* Lines. -------------------------------------------------------------------------------- */

static bool read_time(struct weir_slice text, weir_time now, weir_time *time_r)
{
    char second[WEIR_TIME_TEXT];

    for (weir_time ago = 0; ago <= WEIR_WITNESS_STALE && ago <= now; ago += WEIR_SECOND) {
        if (!weir_slice_equals(text, weir_time_format(now - ago, second)))
            continue;
        *time_r = (now - ago) / WEIR_SECOND * WEIR_SECOND;
        return true;
    }
    return false;
}

/* The listener's port; 0 when it is none. */
static uint16_t read_port(struct weir_slice text)
{
    unsigned port = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (!weir_is_digit(text.at[i]) || port > UINT16_MAX / 10)
            return 0;
        port = 10 * port + (unsigned)(text.at[i] - '0');
    }
    return port > UINT16_MAX ? 0 : (uint16_t)port;
}

int weir_witness_read(struct weir_slice text, weir_time now, struct weir_witness *witness_r)
{
    struct weir_spool_line line;
    struct weir_witness witness;

    if (weir_spool_line_read(text, &line) < 1 || !line.hop[0].has_address ||
        line.action.len == 0 || !read_time(line.at, now, &witness.time))
        return 0;
    witness.client = line.hop[0].address;
    witness.port = read_port(line.listener);
    witness.accepted = weir_slice_equals(line.action, "pass") ||
                       weir_slice_equals(line.action, "quarantine");
    *witness_r = witness;
    return 1;
}

/* Finding. ------------------------------------------------------------------------------ */

int weir_witnesses_new(struct weir_witnesses **witnesses_r)
{
    *witnesses_r = calloc(1, sizeof **witnesses_r);
    return *witnesses_r ? 0 : WEIR_ENOMEM;
}

void weir_witnesses_free(struct weir_witnesses **witnesses)
{
    if (!witnesses)
        return;
    free(*witnesses);
    *witnesses = NULL;
}

void weir_witnesses_heard(struct weir_witnesses *w, const struct weir_turn *turn)
{
    w->heard[w->next] = (struct heard){.turn = *turn};
    w->next = (w->next + 1) % WEIR_WITNESS_TURNS;
    w->count += w->count < WEIR_WITNESS_TURNS;
}

void weir_witnesses_logged(struct weir_witnesses *w, const struct weir_witness *witness)
{
    if (w->waits == WEIR_WITNESS_WAITING)
        return;
    w->waiting[(w->first + w->waits++) % WEIR_WITNESS_WAITING] = *witness;
}

/* Whether all answers since that time are still remembered. */
static bool remembers(const struct weir_witnesses *w, weir_time since)
{
    return w->count < WEIR_WITNESS_TURNS || w->heard[w->next].turn.time < since;
}

static bool may_be(const struct heard *heard, const struct weir_witness *witness)
{
    const struct weir_turn *turn = &heard->turn;

    return !heard->found && turn->time >= witness->time &&
           turn->time < witness->time + WEIR_SECOND + WEIR_WITNESS_LATE &&
           (witness->port == 0 || witness->port == turn->port) &&
           weir_address_equal(&turn->client, &witness->client);
}

/* The only answer that may be the message's, or NULL. */
static struct heard *find(struct weir_witnesses *w, const struct weir_witness *witness)
{
    struct heard *only = NULL;

    if (!remembers(w, witness->time))
        return NULL;
    for (size_t i = 0; i < w->count; i++) {
        if (!may_be(&w->heard[i], witness))
            continue;
        if (only)
            return NULL;
        only = &w->heard[i];
    }
    return only;
}

bool weir_witnesses_next(struct weir_witnesses *w, weir_time now, struct weir_turn *turn_r)
{
    while (w->waits > 0) {
        const struct weir_witness *witness = &w->waiting[w->first];
        struct heard *heard;

        if (now < witness->time + WEIR_SECOND + WEIR_WITNESS_LATE &&
            now >= witness->time - WEIR_WITNESS_STALE)
            return false;
        heard = find(w, witness);
        w->first = (w->first + 1) % WEIR_WITNESS_WAITING;
        w->waits--;
        if (!heard)
            continue;
        heard->found = true;
        if (!witness->accepted || heard->turn.reply == 0)
            continue;
        *turn_r = heard->turn;
        return true;
    }
    return false;
}

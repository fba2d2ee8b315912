/*
 * A page of votes at a time: the marks that are not there are added.
 */
#include "monitor/ctl/ctl_counters_votes.h"

#include "core/base/error.h"
#include "monitor/agent/vote_mark.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/database/database_counters_io.h"

#define PAGE 64

_Static_assert(PAGE <= WEIR_READINGS_MAX && PAGE <= WEIR_EVENTS_MAX, "a page is one reading");

struct page {
    const struct weir_hash_key *key;
    size_t n;
    int64_t last;
    struct weir_reading mark[PAGE];
};

static int take_vote(void *context, const struct weir_database_vote *vote)
{
    struct page *page = context;

    page->last = vote->number;
    page->mark[page->n++] = (struct weir_reading){
        .counter = weir_vote_mark(page->key, vote->info.uid, vote->number)};
    return 0;
}

/* How many are not there. */
static size_t leave_marks(struct weir_ctl *ctl, struct page *page)
{
    struct weir_counters *counters = ctl->stores.counters;
    weir_time now = weir_ctl_now();
    size_t unanswered = 0, lost = 0;

    (void)weir_counters_read(counters, now, page->mark, page->n);
    for (size_t i = 0; i < page->n; i++)
        if (page->mark[i].missing ||
            (page->mark[i].value < WEIR_VOTE_MARKED &&
             weir_counters_add(counters, now, &page->mark[i].counter, 1) < 0))
            unanswered++;
    (void)weir_counters_flush(counters, &lost);
    return unanswered + lost;
}

int weir_ctl_counters_votes(struct weir_ctl *ctl, struct weir_database *database, int64_t *behind,
                            size_t *unanswered)
{
    struct page page = {.key = &ctl->stores.key};

    do {
        int rc;

        page.n = 0;
        rc = weir_database_votes(database, *behind, PAGE, take_vote, &page);
        if (rc < 0)
            return weir_ctl_monitor_read(ctl, database, rc);
        if (page.n > 0) {
            *behind = page.last;
            *unanswered += leave_marks(ctl, &page);
        }
    } while (page.n == PAGE);
    return 0;
}

/*
 * ctl_decisions - weirctl decisions: what stands for all servers, by the monitor or by hand: who is
 * refused, has points or is accepted, until when, why, and by whom; of an address also what stood.
 *
 * Read from the monitor's database, also while it does not run.  Owns nothing beyond a call.
 */
#include "monitor/ctl/ctl.h"

#include <string.h>

#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/database/database_desk_io.h"
#include "monitor/view/view_events.h"

#define WHAT 32
#define PAST 50 /* of one prefix */

struct listing {
    struct weir_ctl *ctl;
    bool one, past;                /* only what touches prefix; what was ever about it */
    struct weir_prefix prefix;
    json_t *rows;                  /* of --json */
};

/* What becomes of its mail: "refused", "3.00 points", "accepted". */
static const char *what_of(const struct weir_database_decision *decision, char text[static WHAT])
{
    if (strcmp(decision->list, "score") == 0)
        snprintf(text, WHAT, "%.2f points", decision->points);
    else if (strcmp(decision->list, "accept") == 0)
        strcpy(text, "accepted");
    else
        strcpy(text, decision->defer ? "deferred" : "refused");
    return text;
}

static void print_row(const struct weir_database_decision *decision)
{
    char prefix[WEIR_PREFIX_TEXT], what[WHAT], ends[WEIR_TIME_TEXT], undone[WEIR_TIME_TEXT];

    printf("%-22s %-12s %-21s %-10s %s", weir_prefix_format(&decision->prefix, prefix),
           what_of(decision, what),
           decision->ends ? weir_time_format(decision->ends, ends) : "for ever",
           decision->origin, decision->reason);
    if (decision->undone)
        printf("; taken back %s by %s (number %lld)", weir_time_format(decision->undone, undone),
               decision->undone_by, (long long)decision->number);
    putchar('\n');
}

static int show(void *context, const struct weir_database_decision *decision)
{
    struct listing *listing = context;

    if (listing->one && !listing->past && !weir_ctl_touches(&decision->prefix, &listing->prefix))
        return 0;
    if (listing->rows)
        return json_array_append_new(listing->rows, weir_view_decision(decision));
    print_row(decision);
    return ferror(stdout);
}

static int list(struct listing *listing, struct weir_database *database)
{
    weir_time now = weir_ctl_now();

    return listing->past ? weir_database_decisions_ever_over(database, &listing->prefix, now, PAST,
                                                             show, listing)
                         : weir_database_decisions_active(database, now, show, listing);
}

int weir_ctl_decisions(struct weir_ctl *ctl)
{
    struct listing listing = {.ctl = ctl, .one = ctl->arguments > 0,
                              .past = ctl->option[WEIR_CTL_PAST] != NULL};
    struct weir_database *database = NULL;
    int code = listing.one ? weir_ctl_argument_prefix(ctl, &listing.prefix) : 0;

    if (listing.past && !listing.one)
        return weir_ctl_error(ctl, EX_USAGE, "--past of which address or prefix?");

    if (code == 0)
        code = weir_ctl_monitor_database(ctl, &database);
    if (code == 0 && ctl->option[WEIR_CTL_JSON])
        listing.rows = json_array();
    else if (code == 0)
        printf("%-22s %-12s %-21s %-10s %s\n", "ADDRESS", "IS", "UNTIL", "BY", "WHY");
    if (code == 0)
        code = weir_ctl_monitor_read(ctl, database, list(&listing, database));
    if (code == 0 && listing.rows)
        code = weir_ctl_json(ctl, json_incref(listing.rows));
    json_decref(listing.rows);
    weir_database_free(&database);
    return code;
}

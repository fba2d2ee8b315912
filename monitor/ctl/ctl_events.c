/*
 * ctl_events - weirctl events: limits that were passed, servers that fell silent, agents that were
 * refused; newest first.
 *
 * An address is meant with the networks it lies in, and a prefix with what lies in it, since that
 * is where its events are.
 */
#include "monitor/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_servers.h"
#include "monitor/view/view_events.h"

#define MOST 1000000

struct listing {
    struct weir_ctl *ctl;
    struct weir_ctl_servers servers;
    bool one;                      /* only events of what touches prefix */
    struct weir_prefix prefix;
    unsigned most, shown;
    json_t *rows;                  /* of --json */
};

static void print_event(const struct listing *listing, const struct weir_event *event,
                        const char *prefix)
{
    char raised[WEIR_TIME_TEXT], cleared[WEIR_TIME_TEXT];

    printf("%-6lld %-21s %-21s %-9s %-22s %s%s", (long long)event->number,
           weir_time_format(event->raised, raised),
           event->cleared ? weir_time_format(event->cleared, cleared)
           : event->acknowledged ? "acknowledged" : "stands", event->kind,
           event->has_prefix ? prefix : weir_ctl_server_name(&listing->servers, event->server),
           event->text, event->observed ? " (only observed)" : "");
    if (event->silence > 0 && event->silenced > weir_ctl_now())
        printf("; silenced until %s", weir_time_format(event->silenced, raised));
    if (event->acknowledged)
        printf("; %s knows%s%s", event->acknowledged_by, event->note[0] ? ": " : "", event->note);
    putchar('\n');
}

static int show(void *context, const struct weir_event *event)
{
    struct listing *listing = context;
    char prefix[WEIR_PREFIX_TEXT] = "";

    if (listing->one && (!event->has_prefix || !weir_ctl_touches(&event->prefix, &listing->prefix)))
        return 0;
    if (event->has_prefix)
        weir_prefix_format(&event->prefix, prefix);
    if (listing->rows)
        json_array_append_new(listing->rows, weir_view_event(
                                  event, weir_ctl_server_name(&listing->servers, event->server)));
    else
        print_event(listing, event, prefix);
    return ++listing->shown >= listing->most || ferror(stdout);
}

/* What is asked for: of the last day, unless it is about what stands or one address. */
static int read_filter(struct listing *listing, struct weir_event_filter *filter_r)
{
    struct weir_ctl *ctl = listing->ctl;
    bool open = ctl->option[WEIR_CTL_OPEN] != NULL;
    weir_time since = 0;
    int code = weir_ctl_option_period(ctl, WEIR_CTL_SINCE, &since);

    if (code == 0)
        code = weir_ctl_option_count(ctl, WEIR_CTL_MOST, MOST, &listing->most);
    if (code == 0 && ctl->arguments > 0) {
        listing->one = true;
        code = weir_ctl_argument_prefix(ctl, &listing->prefix);
    }
    if (since == 0 && !open && !listing->one)
        since = WEIR_DAY;
    *filter_r = (struct weir_event_filter){
        .open = open, .since = since > 0 ? weir_ctl_now() - since : 0};
    return code;
}

int weir_ctl_events(struct weir_ctl *ctl)
{
    struct listing listing = {.ctl = ctl, .most = MOST};
    struct weir_database *database = NULL;
    struct weir_event_filter filter;
    int code = read_filter(&listing, &filter);

    if (code == 0)
        code = weir_ctl_monitor_database(ctl, &database);
    if (code == 0)
        code = weir_ctl_servers_read(ctl, database, &listing.servers);
    if (code == 0 && ctl->option[WEIR_CTL_JSON])
        listing.rows = json_array();
    else if (code == 0)
        printf("%-6s %-21s %-21s %-9s %-22s %s\n", "NUMBER", "RAISED", "CLEARED", "KIND",
               "WHO", "WHAT");
    if (code == 0)
        code = weir_ctl_monitor_read(ctl, database,
                                     weir_database_events(database, &filter, show, &listing));
    if (code == 0 && listing.rows)
        code = weir_ctl_json(ctl, json_incref(listing.rows));
    json_decref(listing.rows);
    weir_ctl_servers_free(&listing.servers);
    weir_database_free(&database);
    return code;
}

/* What somebody says of the event of the first argument. */
static int say(struct weir_ctl *ctl, const char *verb, const char *then)
{
    const char *note = ctl->option[WEIR_CTL_SAYS];
    json_t *answer = NULL;
    long long number = 0;
    int code = weir_ctl_argument_number(ctl, "an event", "events", &number);

    code = code != 0 ? code : weir_ctl_configure(ctl);
    if (code == 0)
        code = weir_ctl_monitor_ask(ctl, json_pack("{s:s, s:I, s:s}", "do", verb, "number",
                                                   (json_int_t)number, "note", note ? note : ""),
                                    &answer);
    if (code == 0 && ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(ctl, answer);
    json_decref(answer);
    if (code == 0)
        printf("event %lld %s\n", number, then);
    return code;
}

int weir_ctl_events_acknowledge(struct weir_ctl *ctl)
{
    return say(ctl, "events acknowledge", "is acknowledged");
}

int weir_ctl_events_unacknowledge(struct weir_ctl *ctl)
{
    return say(ctl, "events unacknowledge", "is acknowledged no more");
}

/*
 * ctl_reports - weirctl reports: what people reported on all servers, and what came of it.
 *
 * Read from the monitor's database, also while it does not run.  Names are what somebody wrote into
 * From: they are shown with nothing in them that a terminal would obey.
 */
#include "monitor/ctl/ctl.h"

#include <string.h>

#include "core/engine/info.h"
#include "monitor/analyzer/reports_io.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_judgement.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_servers.h"
#include "monitor/view/view_rules.h"

#define MOST 50
#define MOST_MAX 1000000

struct listing {
    struct weir_ctl *ctl;
    struct weir_ctl_servers servers;
    struct weir_report_choice choice;
    json_t *rows, *counts;        /* of --json */
    bool counted;                 /* a line of counts has begun */
};

static void print_row(struct listing *listing, const struct weir_database_report *report)
{
    char name[WEIR_CTL_NAME], domain[WEIR_CTL_NAME], time[WEIR_TIME_TEXT], uid[24] = "-";

    weir_ctl_visible((struct weir_slice){report->name, strlen(report->name)}, name, sizeof name);
    weir_ctl_visible((struct weir_slice){report->domain, strlen(report->domain)}, domain,
                     sizeof domain);
    if (report->verdict[0])
        snprintf(uid, sizeof uid, "%016llx", (unsigned long long)report->uid);
    printf("%-21s %-16s %-10s %-4s %-11s %-11s %-7s %7.2f %-28s %s%s%s\n",
           weir_time_format(report->time, time), uid,
           weir_view_report_server(report, weir_ctl_server_name(&listing->servers, report->server)),
           report->spam ? "spam" : "ham",
           report->state, report->came, report->verdict[0] ? report->verdict : "-", report->score,
           name[0] ? name : "-", report->address[0] ? report->address : "-",
           domain[0] ? " " : "", domain);
}

static int show(void *context, const struct weir_database_report *report)
{
    struct listing *listing = context;

    if (listing->rows)
        json_array_append_new(listing->rows,
                              weir_view_report(report, weir_ctl_server_name(&listing->servers,
                                                                            report->server)));
    else
        print_row(listing, report);
    return ferror(stdout);
}

static int show_count(void *context, const char *what, uint64_t count)
{
    struct listing *listing = context;
    const struct weir_report_choice *choice = &listing->choice;
    const char *all = choice->name || choice->state || choice->since > 0
                          ? "in all, whoever and whatever was asked for: "
                          : "in all: ";

    if (listing->counts)
        json_object_set_new(listing->counts, what, json_integer((json_int_t)count));
    else
        printf("%s%llu %s", listing->counted ? ", " : all, (unsigned long long)count, what);
    listing->counted = true;
    return 0;
}

/* What a string may be, and what may come of a report. */
static int check_state(struct weir_ctl *ctl)
{
    const char *word[WEIR_INFO_STATES + WEIR_REPORT_CAMES + 1] = {NULL};
    unsigned n = 0, number;

    for (int i = 0; i < WEIR_REPORT_CAMES; i++)
        word[n++] = weir_report_came_name((enum weir_report_came)i);
    word[n++] = weir_info_state_name(WEIR_INFO_VALID); /* others are in what came of it, too */
    return weir_ctl_option_word(ctl, WEIR_CTL_STATE, word, &number);
}

static int read_choice(struct listing *listing)
{
    struct weir_ctl *ctl = listing->ctl;
    struct weir_report_choice *choice = &listing->choice;
    weir_time since = 0;
    int code = weir_ctl_option_period(ctl, WEIR_CTL_SINCE, &since);

    if (code == 0)
        code = weir_ctl_option_count(ctl, WEIR_CTL_MOST, MOST_MAX, &choice->most);
    if (code == 0)
        code = check_state(ctl);
    choice->name = ctl->option[WEIR_CTL_USER];
    choice->state = ctl->option[WEIR_CTL_STATE];
    choice->since = since > 0 ? weir_ctl_now() - since : 0;
    return code;
}

static int list(struct listing *listing, struct weir_database *database)
{
    struct weir_ctl *ctl = listing->ctl;
    int code;

    if (!listing->rows)
        printf("%-21s %-16s %-10s %-4s %-11s %-11s %-7s %7s %-28s %s\n", "REPORTED", "MESSAGE",
               "AT", "AS", "STATE", "CAME", "JUDGED", "POINTS", "BY", "MAIL OF");
    code = weir_ctl_monitor_read(
        ctl, database, weir_database_reports(database, &listing->choice, show, listing));
    if (code == 0)
        code = weir_ctl_monitor_read(
            ctl, database, weir_database_report_totals(database, "came:", show_count, listing));
    if (listing->counted && !listing->rows)
        putchar('\n');
    return code;
}

int weir_ctl_reports(struct weir_ctl *ctl)
{
    struct listing listing = {.ctl = ctl, .choice = {.most = MOST}};
    struct weir_database *database = NULL;
    int code = read_choice(&listing);

    if (code == 0)
        code = weir_ctl_monitor_database(ctl, &database);
    if (code == 0)
        code = weir_ctl_servers_read(ctl, database, &listing.servers);
    if (code == 0 && ctl->option[WEIR_CTL_JSON]) {
        listing.rows = json_array();
        listing.counts = json_object();
    }
    if (code == 0)
        code = list(&listing, database);
    if (code == 0 && listing.rows)
        code = weir_ctl_json(ctl, json_pack("{s:O, s:O}", "reports", listing.rows, "counts",
                                            listing.counts));
    json_decref(listing.rows);
    json_decref(listing.counts);
    weir_ctl_servers_free(&listing.servers);
    weir_database_free(&database);
    return code;
}

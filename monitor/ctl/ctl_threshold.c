/*
 * ctl_threshold - weirctl threshold: show, set and remove.
 *
 * Shown is what is in force: the default is the configuration's until one called "default" is set.
 * Set asks the monitor with a whole threshold: what no option says keeps its value.
 */
#include "monitor/ctl/ctl_threshold.h"

#include <stdlib.h>
#include <string.h>

#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/threshold/policy.h"
#include "monitor/view/view_policy.h"

#define DEFAULT WEIR_POLICY_DEFAULT

/* Reading and changing. ------------------------------------------------------------------ */

static void take(struct weir_ctl_threshold *threshold, const struct weir_threshold *from)
{
    threshold->is = *from;
    snprintf(threshold->name, sizeof threshold->name, "%s", from->name);
    snprintf(threshold->prefixes, sizeof threshold->prefixes, "%s", from->prefixes);
    snprintf(threshold->ladder, sizeof threshold->ladder, "%s", from->ladder);
    threshold->is.name = threshold->name;
    threshold->is.prefixes = threshold->prefixes;
    threshold->is.ladder = threshold->ladder;
}

struct search {
    const char *name;
    struct weir_ctl_threshold *threshold;
};

static int find(void *context, const struct weir_threshold *threshold)
{
    struct search *search = context;

    if (strcmp(threshold->name, search->name) != 0)
        return 0;
    take(search->threshold, threshold);
    search->threshold->stored = true;
    return 1;
}

int weir_ctl_threshold_read(struct weir_ctl *ctl, struct weir_database *database,
                            const char *name, struct weir_ctl_threshold *threshold_r)
{
    struct search search = {name, threshold_r};
    struct weir_threshold fallback = weir_policy_default(&ctl->config);
    int code;

    if (strlen(name) > WEIR_THRESHOLD_NAME_MAX || name[0] == '\0')
        return weir_ctl_error(ctl, EX_USAGE, "%s: a threshold's name has " WEIR_THRESHOLD_NAME,
                              name);
    take(threshold_r, &fallback);
    threshold_r->stored = false;
    code = weir_ctl_monitor_read(ctl, database, weir_database_thresholds(database, find, &search));
    if (code != 0 || threshold_r->stored || strcmp(name, DEFAULT) == 0)
        return code;
    search.name = DEFAULT;
    code = weir_ctl_monitor_read(ctl, database, weir_database_thresholds(database, find, &search));
    threshold_r->stored = false;
    snprintf(threshold_r->name, sizeof threshold_r->name, "%s", name);
    return code;
}

static int change_limits(struct weir_ctl *ctl, struct weir_threshold *threshold)
{
    static const enum weir_ctl_option letter[WEIR_QUANTITIES] = {
        WEIR_CTL_CONNECTIONS, WEIR_CTL_MESSAGES, WEIR_CTL_RECIPIENTS};

    for (size_t i = 0; i < WEIR_QUANTITIES; i++) {
        const char *text = ctl->option[letter[i]];
        if (text && !weir_view_limit_read(text, &threshold->rate[i], &threshold->maximum[i]))
            return weir_ctl_error(ctl, EX_USAGE, "--%s %s: not a limit such as 1/s:300, 30/min:100 "
                                  "or none: the rate, and how many at once",
                                  weir_ctl_option_name(letter[i]), text);
    }
    return 0;
}

int weir_ctl_threshold_change(struct weir_ctl *ctl, struct weir_ctl_threshold *threshold)
{
    bool observe = ctl->option[WEIR_CTL_OBSERVE], enforce = ctl->option[WEIR_CTL_ENFORCE];
    const char *why = "memory is short";
    int code = change_limits(ctl, &threshold->is);

    if (code == 0 && observe && enforce)
        code = weir_ctl_error(ctl, EX_USAGE, "only one of --observe, --enforce");
    if (observe || enforce)
        threshold->is.observe = observe;
    if (code == 0)
        code = weir_ctl_option_text(ctl, WEIR_CTL_PREFIX, threshold->prefixes,
                                    WEIR_DATABASE_TEXT_MAX);
    if (code == 0)
        code = weir_ctl_option_text(ctl, WEIR_CTL_LADDER, threshold->ladder,
                                    WEIR_DATABASE_TEXT_MAX);
    for (char *c = threshold->prefixes; *c != '\0'; c++)
        *c = *c == ',' ? ' ' : *c;
    if (code == 0 && strcmp(threshold->name, DEFAULT) == 0 && threshold->prefixes[0] != '\0')
        code = weir_ctl_error(ctl, EX_USAGE, "the threshold called default is for everybody else: "
                              "it takes no --prefix");
    if (code == 0 && strcmp(threshold->name, DEFAULT) != 0 && threshold->prefixes[0] == '\0')
        code = weir_ctl_error(ctl, EX_USAGE, "--prefix is missing: whom is %s for?",
                              threshold->name);
    if (code == 0 && weir_policy_check(&threshold->is, &why) < 0)
        code = weir_ctl_error(ctl, EX_USAGE, "%s: %s", threshold->name, why);
    return code;
}

/* Showing. --------------------------------------------------------------------------------- */

void weir_ctl_threshold_print(const struct weir_threshold *threshold, bool stored)
{
    char text[WEIR_QUANTITIES][WEIR_VIEW_LIMIT];

    for (size_t i = 0; i < WEIR_QUANTITIES; i++)
        weir_view_limit_text(threshold->rate[i], threshold->maximum[i], text[i]);
    printf("%s: connections %s, messages %s, recipients %s; %s: %s%s%s%s\n", threshold->name,
           text[0], text[1], text[2], threshold->observe ? "only observed" : "enforced",
           threshold->ladder, threshold->prefixes[0] ? "; for " : "", threshold->prefixes,
           stored ? "" : " (as configured)");
}

struct listing {
    const char *name;      /* NULL: all */
    bool has_default;
    size_t shown;
    json_t *rows;
};

static int show(void *context, const struct weir_threshold *threshold)
{
    struct listing *listing = context;

    listing->has_default |= strcmp(threshold->name, DEFAULT) == 0;
    if (listing->name && strcmp(listing->name, threshold->name) != 0)
        return 0;
    listing->shown++;
    if (listing->rows)
        json_array_append_new(listing->rows, weir_view_threshold(threshold, true));
    else
        weir_ctl_threshold_print(threshold, true);
    return 0;
}

static void show_configured(struct listing *listing, const struct weir_threshold *threshold)
{
    if (listing->has_default || (listing->name && strcmp(listing->name, DEFAULT) != 0))
        return;
    listing->shown++;
    if (listing->rows)
        json_array_append_new(listing->rows, weir_view_threshold(threshold, false));
    else
        weir_ctl_threshold_print(threshold, false);
}

int weir_ctl_threshold_show(struct weir_ctl *ctl)
{
    struct listing listing = {.name = ctl->arguments > 0 ? ctl->argument[0] : NULL};
    struct weir_database *database = NULL;
    struct weir_threshold fallback;
    int code = weir_ctl_monitor_database(ctl, &database);

    if (code != 0)
        return code;
    listing.rows = ctl->option[WEIR_CTL_JSON] ? json_array() : NULL;
    code = weir_ctl_monitor_read(ctl, database, weir_database_thresholds(database, show, &listing));
    fallback = weir_policy_default(&ctl->config);
    if (code == 0)
        show_configured(&listing, &fallback);
    weir_database_free(&database);
    if (code == 0 && listing.shown == 0)
        code = weir_ctl_error(ctl, WEIR_CTL_NOT_THERE, "there is no threshold %s", listing.name);
    if (code == 0 && listing.rows)
        return weir_ctl_json(ctl, listing.rows);
    json_decref(listing.rows);
    return code;
}

/* Setting and removing. --------------------------------------------------------------------- */

static json_t *question(const struct weir_threshold *threshold)
{
    const double *rate = threshold->rate, *most = threshold->maximum;

    return json_pack("{s:s, s:s, s:s, s:[f,f,f], s:[f,f,f], s:b, s:s}", "do", "threshold set",
                     "name", threshold->name, "prefixes", threshold->prefixes, "rate", rate[0],
                     rate[1], rate[2], "maximum", most[0], most[1], most[2], "observe",
                     threshold->observe, "ladder", threshold->ladder);
}

static int set(struct weir_ctl *ctl, struct weir_ctl_threshold *threshold)
{
    struct weir_database *database = NULL;
    json_t *answer = NULL;
    int code = weir_ctl_monitor_database(ctl, &database);

    if (code == 0)
        code = weir_ctl_threshold_read(ctl, database, ctl->argument[0], threshold);
    weir_database_free(&database);
    if (code == 0)
        code = weir_ctl_threshold_change(ctl, threshold);
    if (code == 0)
        code = weir_ctl_monitor_ask(ctl, question(&threshold->is), &answer);
    json_decref(answer);
    if (code == 0 && ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(ctl, weir_view_threshold(&threshold->is, true));
    if (code == 0)
        weir_ctl_threshold_print(&threshold->is, true);
    return code;
}

int weir_ctl_threshold_set(struct weir_ctl *ctl)
{
    struct weir_ctl_threshold *threshold = calloc(1, sizeof *threshold);
    int code = threshold ? set(ctl, threshold) : weir_ctl_error(ctl, EX_OSERR, "memory is short");

    free(threshold);
    return code;
}

int weir_ctl_threshold_remove(struct weir_ctl *ctl)
{
    return weir_ctl_monitor_name(ctl, "threshold remove",
                                 strcmp(ctl->argument[0], DEFAULT) == 0
                                     ? "removed: the configuration's default is in force again"
                                     : "removed: the default is for its addresses, too");
}

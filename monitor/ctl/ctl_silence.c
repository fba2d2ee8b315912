/*
 * ctl_silence - weirctl silence: alerts that for now nobody is told of, by mail or webhook.
 *
 * What is noticed and done about it stays as it is; `weirctl events` shows it.
 */
#include "monitor/ctl/ctl.h"

#include <stdlib.h>

#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/view/view_silences.h"

static int end_of(struct weir_ctl *ctl, json_int_t *ends_r)
{
    weir_time span = 0;
    int code = weir_ctl_option_period(ctl, WEIR_CTL_FOR, &span);

    if (code == 0 && span <= 0)
        return weir_ctl_error(ctl, EX_USAGE, "--for is missing: for how long, as 4h or 7d?");
    *ends_r = (json_int_t)((weir_ctl_now() + span) / WEIR_SECOND);
    return code;
}

/* What is given, as it is: of nothing the monitor says that it is no name. */
static json_t *asked_for(struct weir_ctl *ctl, json_int_t ends)
{
    const struct {
        const char *name, *value;
    } of[] = {{"prefix", ctl->arguments > 0 ? ctl->argument[0] : NULL},
              {"threshold", ctl->option[WEIR_CTL_THRESHOLD]},
              {"server", ctl->option[WEIR_CTL_SERVER]},
              {"kind", ctl->option[WEIR_CTL_KIND]},
              {"reason", ctl->option[WEIR_CTL_REASON]}};
    json_t *json = json_pack("{s:s, s:I}", "do", "silence add", "ends", ends);

    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++)
        if (of[i].value)
            json_object_set_new(json, of[i].name, weir_view_text(of[i].value));
    return json;
}

static int tell(struct weir_ctl *ctl, json_t *answer, const char *then)
{
    if (ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(ctl, answer);
    printf("silence %lld %s\n",
           (long long)json_integer_value(json_object_get(answer, "number")), then);
    json_decref(answer);
    return 0;
}

int weir_ctl_silence_add(struct weir_ctl *ctl)
{
    json_int_t ends = 0;
    json_t *answer = NULL;
    int code = end_of(ctl, &ends);

    if (code == 0)
        code = weir_ctl_configure(ctl);
    if (code == 0)
        code = weir_ctl_monitor_ask(ctl, asked_for(ctl, ends), &answer);
    return code == 0 ? tell(ctl, answer, "stands: nobody is told") : code;
}

int weir_ctl_silence_end(struct weir_ctl *ctl)
{
    json_t *answer = NULL;
    long long number = 0;
    int code = weir_ctl_argument_number(ctl, "a silence", "silence list", &number);

    code = code != 0 ? code : weir_ctl_configure(ctl);
    if (code == 0)
        code = weir_ctl_monitor_ask(ctl, json_pack("{s:s, s:I}", "do", "silence end", "number",
                                                   (json_int_t)number), &answer);
    return code == 0 ? tell(ctl, answer, "is over") : code;
}

/* list ---------------------------------------------------------------------------- */

struct listing {
    weir_time now;
    json_t *rows;                  /* of --json */
};

static void print_named(const char *what, const char *name)
{
    if (name[0])
        printf("%s%s, ", what, name);
}

static int show(void *context, const struct weir_silenced *silence)
{
    struct listing *listing = context;
    char made[WEIR_TIME_TEXT], ends[WEIR_TIME_TEXT], prefix[WEIR_PREFIX_TEXT] = "";

    if (listing->rows)
        return json_array_append_new(listing->rows, weir_view_silence(silence));
    if (silence->has_prefix)
        weir_prefix_format(&silence->prefix, prefix);
    printf("%-6lld %-21s %-21s ", (long long)silence->number,
           weir_time_format(silence->made, made),
           weir_time_format(silence->ended ? silence->ended : silence->ends, ends));
    print_named("", prefix);
    print_named("threshold ", silence->threshold);
    print_named("server ", silence->server);
    print_named("kind ", silence->kind);
    printf("by %s: %s\n", silence->who, silence->reason);
    return ferror(stdout);
}

int weir_ctl_silence_list(struct weir_ctl *ctl)
{
    bool all = ctl->option[WEIR_CTL_EXPIRED] != NULL;
    struct listing listing = {.now = weir_ctl_now()};
    struct weir_database *database = NULL;
    int code = weir_ctl_monitor_database(ctl, &database);

    if (code == 0 && ctl->option[WEIR_CTL_JSON])
        listing.rows = json_array();
    else if (code == 0)
        printf("%-6s %-21s %-21s %s\n", "NUMBER", "MADE", "ENDS", "ABOUT");
    if (code == 0)
        code = weir_ctl_monitor_read(ctl, database, weir_database_silences(
                                         database, !all, 0, listing.now, show, &listing));
    if (code == 0 && listing.rows)
        code = weir_ctl_json(ctl, json_incref(listing.rows));
    json_decref(listing.rows);
    weir_database_free(&database);
    return code;
}

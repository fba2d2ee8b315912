/*
 * ctl_block - weirctl block, unblock, unaccept and restore: an analyst's own decisions, on all
 * servers.
 *
 * The monitor writes them down and every agent puts them on its server's lists; then it is told
 * which servers have said that they did.  `blacklist add` is for this machine alone.
 */
#include "monitor/ctl/ctl.h"

#include <string.h>

#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_servers.h"
#include "monitor/database/database_decisions_io.h"

struct wish {
    struct weir_ctl *ctl;
    struct weir_prefix prefix;
    char text[WEIR_PREFIX_TEXT];
    char reason[WEIR_REASON_MAX + 1];
    weir_time now, ends;           /* ends: 0 for never */
    bool accepts;                  /* it is about what is accepted, not about what is refused */
    json_t *answer, *who;          /* what the monitor said; which servers have it */
};

/* What is too wide for a list may still be taken off. */
static int read_wish(struct weir_ctl *ctl, const char *reason, bool lists, struct wish *wish_r)
{
    weir_time period = 0;
    int code = lists ? weir_ctl_argument_narrow(ctl, &wish_r->prefix)
                     : weir_ctl_argument_prefix(ctl, &wish_r->prefix);

    if (code == 0)
        code = weir_ctl_option_period(ctl, WEIR_CTL_FOR, &period);
    snprintf(wish_r->reason, sizeof wish_r->reason, "%s", reason);
    if (code == 0)
        code = weir_ctl_option_text(ctl, WEIR_CTL_REASON, wish_r->reason, WEIR_REASON_MAX);
    wish_r->ctl = ctl;
    wish_r->now = weir_ctl_now();
    wish_r->ends = period > 0 ? wish_r->now + period : 0;
    weir_prefix_format(&wish_r->prefix, wish_r->text);
    return code != 0 ? code : weir_ctl_configure(ctl);
}

/* Asks the monitor, and waits for the servers; entry: as weir_ctl_servers_await() has it. */
static int ask(struct wish *wish, json_t *question, const char *entry)
{
    int code = weir_ctl_monitor_ask(wish->ctl, question, &wish->answer);

    return code == 0 ? weir_ctl_servers_await(wish->ctl, entry, &wish->who) : code;
}

static void forget(struct wish *wish)
{
    json_decref(wish->answer);
    json_decref(wish->who);
}

/* block. ------------------------------------------------------------------------------- */

static int tell_blocked(const struct wish *wish)
{
    struct weir_ctl *ctl = wish->ctl;
    char time[WEIR_TIME_TEXT];
    bool defer = ctl->option[WEIR_CTL_DEFER] != NULL;

    if (ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(ctl, json_pack("{s:s, s:o, s:b, s:s, s:O}", "blocked", wish->text,
                                            "ends", weir_ctl_json_time(wish->ends), "defer", defer,
                                            "reason", wish->reason, "servers", wish->who));
    printf("%s is %s until %s\n", wish->text, defer ? "told to try again later" : "refused",
           weir_time_format(wish->ends, time));
    weir_ctl_servers_tell(wish->who, "in force on");
    return 0;
}

int weir_ctl_block(struct weir_ctl *ctl)
{
    struct wish wish = {0};
    char entry[WEIR_PREFIX_TEXT + 16];
    int code;

    if (!ctl->option[WEIR_CTL_FOR])
        return weir_ctl_error(ctl, EX_USAGE, "--for is missing: for how long, as 4h or 30d?");
    code = read_wish(ctl, "blocked by hand", true, &wish);
    snprintf(entry, sizeof entry, "blacklist %s", wish.text);
    if (code == 0)
        code = ask(&wish, json_pack("{s:s, s:s, s:s, s:I, s:b, s:o}", "do", "block", "list",
                                    "blacklist", "prefix", wish.text, "ends",
                                    (json_int_t)(wish.ends / WEIR_SECOND), "defer",
                                    ctl->option[WEIR_CTL_DEFER] != NULL, "reason",
                                    weir_ctl_json_text(wish.reason, strlen(wish.reason))),
                   entry);
    if (code == 0)
        code = tell_blocked(&wish);
    forget(&wish);
    return code;
}

/* unblock. ------------------------------------------------------------------------------ */

static bool holds(const struct weir_prefix *wide, const struct weir_prefix *narrow)
{
    return wide->bits <= narrow->bits && weir_prefix_contains(wide, &narrow->address);
}

/* What was not undone because it is about more than was said. */
static int tell_wider(void *context, const struct weir_database_decision *decision)
{
    const struct wish *wish = context;
    char text[WEIR_PREFIX_TEXT];

    if ((strcmp(decision->list, "accept") == 0) == wish->accepts &&
        holds(&decision->prefix, &wish->prefix))
        weir_ctl_error(wish->ctl, 0, "note: %s, which holds it, is %s%s all the same: %s",
                       weir_prefix_format(&decision->prefix, text),
                       wish->accepts ? "accepted" : "on the ",
                       wish->accepts ? "" : decision->list, decision->reason);
    return 0;
}

static int look_wider(struct wish *wish)
{
    struct weir_database *database = NULL;
    int code = weir_ctl_monitor_database(wish->ctl, &database);

    if (code == 0)
        code = weir_ctl_monitor_read(
            wish->ctl, database,
            weir_database_decisions_active(database, wish->now, tell_wider, wish));
    weir_database_free(&database);
    return code;
}

static int tell_unblocked(const struct wish *wish)
{
    struct weir_ctl *ctl = wish->ctl;
    long long undone = json_integer_value(json_object_get(wish->answer, "undone"));
    const char *prefix = json_string_value(json_object_get(wish->answer, "prefix"));
    bool accepted = ctl->option[WEIR_CTL_ACCEPT] != NULL;
    char time[WEIR_TIME_TEXT];
    int code = 0;

    if (ctl->option[WEIR_CTL_JSON]) {
        code = weir_ctl_json(ctl, json_pack("{s:s, s:s, s:I, s:b, s:o, s:O}", "unblocked",
                                            wish->text, "prefix", prefix ? prefix : wish->text,
                                            "undone", (json_int_t)undone, "accepted", accepted,
                                            "ends", weir_ctl_json_time(wish->ends), "servers",
                                            wish->who));
    } else {
        printf("%s: %lld decision%s taken back, and its buckets are full again\n",
               prefix ? prefix : wish->text, undone, undone == 1 ? "" : "s");
        if (accepted)
            printf("%s is accepted %s%s\n", wish->text, wish->ends ? "until " : "from now on",
                   wish->ends ? weir_time_format(wish->ends, time) : "");
        if (undone > 0 || accepted)
            weir_ctl_servers_tell(wish->who, "so on");
    }
    return code == 0 && undone == 0 && !accepted ? WEIR_CTL_NOT_THERE : code;
}

int weir_ctl_unblock(struct weir_ctl *ctl)
{
    struct wish wish = {0};
    bool accept = ctl->option[WEIR_CTL_ACCEPT] != NULL;
    int code;

    if (ctl->option[WEIR_CTL_FOR] && !accept)
        return weir_ctl_error(ctl, EX_USAGE, "--for says how long it is accepted: --accept is "
                              "missing");
    code = read_wish(ctl, "accepted by hand", ctl->option[WEIR_CTL_ACCEPT], &wish);
    if (code == 0)
        code = ask(&wish, json_pack("{s:s, s:s, s:b, s:I, s:o}", "do", "undo", "prefix", wish.text,
                                    "accept", accept, "ends",
                                    (json_int_t)(wish.ends / WEIR_SECOND), "reason",
                                    weir_ctl_json_text(wish.reason, strlen(wish.reason))),
                   NULL);
    if (code == 0)
        code = look_wider(&wish);
    if (code == 0)
        code = tell_unblocked(&wish);
    forget(&wish);
    return code;
}

/* unaccept. ----------------------------------------------------------------------------- */

static int tell_unaccepted(const struct wish *wish)
{
    struct weir_ctl *ctl = wish->ctl;

    if (ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(ctl, json_pack("{s:s, s:O, s:O}", "unaccepted", wish->text, "undone",
                                            json_object_get(wish->answer, "undone"), "servers",
                                            wish->who));
    printf("%s is not accepted any more, and it is watched again\n", wish->text);
    weir_ctl_servers_tell(wish->who, "so on");
    return 0;
}

int weir_ctl_unaccept(struct weir_ctl *ctl)
{
    struct wish wish = {.accepts = true};
    int code = read_wish(ctl, "", false, &wish), wider = 0;

    if (code == 0) {
        code = ask(&wish, json_pack("{s:s, s:s}", "do", "unaccept", "prefix", wish.text),
                   NULL);
        if (code == 0 || code == WEIR_CTL_NOT_THERE)
            wider = look_wider(&wish);
    }
    if (code == 0)
        code = wider == 0 ? tell_unaccepted(&wish) : wider;
    forget(&wish);
    return code;
}

/* restore. ------------------------------------------------------------------------------ */

struct past {
    struct weir_prefix prefix;
    weir_time undone;
    bool accepted;
};

static int take_past(void *context, const struct weir_database_decision *decision)
{
    struct past *past = context;

    past->prefix = decision->prefix;
    past->undone = decision->undone;
    past->accepted = strcmp(decision->list, "accept") == 0;
    return 0;
}

/* When what was taken back, from the monitor's database. */
static int read_past(struct weir_ctl *ctl, long long number, struct past *past_r)
{
    struct weir_database *database = NULL;
    int code = weir_ctl_monitor_database(ctl, &database), found = 0;

    if (code == 0) {
        found = weir_database_decision(database, number, take_past, past_r);
        code = weir_ctl_monitor_read(ctl, database, found);
    }
    weir_database_free(&database);
    if (code == 0 && (found == 0 || past_r->undone == 0))
        return weir_ctl_error(ctl, WEIR_CTL_NOT_THERE, found == 0
                                  ? "there is no decision %lld, or not any more"
                                  : "decision %lld was not taken back", number);
    if (code == 0 && past_r->accepted)
        return weir_ctl_error(ctl, EX_DATAERR, "decision %lld is an acceptance: weirctl unblock "
                              "--accept says it anew", number);
    return code;
}

int weir_ctl_restore(struct weir_ctl *ctl)
{
    struct wish wish = {.ctl = ctl};
    struct past past = {.undone = 0};
    long long number = 0, restored;
    int code = weir_ctl_argument_number(ctl, "a decision that was taken back",
                                        "decisions ADDRESS --past", &number);

    if (code == 0)
        code = weir_ctl_option_text(ctl, WEIR_CTL_REASON, wish.reason, WEIR_REASON_MAX);
    code = code != 0 ? code : read_past(ctl, number, &past);
    weir_prefix_format(&past.prefix, wish.text);
    if (code == 0)
        code = ask(&wish, json_pack("{s:s, s:s, s:I, s:o}", "do", "restore", "prefix", wish.text,
                                    "at", (json_int_t)past.undone, "reason",
                                    weir_ctl_json_text(wish.reason, strlen(wish.reason))), NULL);
    restored = json_integer_value(json_object_get(wish.answer, "restored"));
    if (code == 0 && ctl->option[WEIR_CTL_JSON]) {
        code = weir_ctl_json(ctl, json_pack("{s:s, s:I, s:O}", "prefix", wish.text, "restored",
                                            (json_int_t)restored, "servers", wish.who));
    } else if (code == 0) {
        printf("%s: %lld decision%s put back\n", wish.text, restored, restored == 1 ? "" : "s");
        weir_ctl_servers_tell(wish.who, "so on");
    }
    forget(&wish);
    return code;
}

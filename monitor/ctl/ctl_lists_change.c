/*
 * ctl_lists_change - blacklist and accept: add and remove.
 *
 * Everything is read and checked before the first change.  What is most likely
 * a mistake is refused, since a wrong entry here loses mail: one's own network,
 * half the Internet, a top-level domain.
 */
#include "monitor/ctl/ctl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/ctl/ctl_entries.h"
#include "monitor/ctl/ctl_output.h"

#define SUSPECT_DAYS 30 /* unless told otherwise: nobody remembers to take entries off */
#define ENDED_KEPT (30 * WEIR_DAY)
#define CHUNK 8192        /* entries of one transaction */
#define SHOWN_MOST 10     /* entries told one by one */

struct change {
    struct weir_ctl *ctl;
    struct weir_ctl_entries entries;
    struct weir_list_entry model; /* what the entries have in common */
    size_t replaced, done;
    size_t missing;               /* to be removed, but not there */
};

static const char *list_name(const struct weir_ctl *ctl)
{
    return weir_ctl_list_words(ctl->verb->list);
}

/* What add was told. ------------------------------------------------------------ */

static int read_ends(struct weir_ctl *ctl, weir_time at, weir_time *ends_r)
{
    const char *span = ctl->option[WEIR_CTL_FOR], *until = ctl->option[WEIR_CTL_UNTIL];
    bool forever = ctl->option[WEIR_CTL_FOREVER] != NULL;
    weir_time period;
    if ((span != NULL) + (until != NULL) + forever > 1)
        return weir_ctl_error(ctl, EX_USAGE, "only one of --for, --until, --forever");
    *ends_r = ctl->verb->list != WEIR_LIST_ACCEPT && !forever ? at + SUSPECT_DAYS * WEIR_DAY : 0;
    if (span != NULL) {
        if (weir_ctl_period_parse(span, &period) != 0 || period == 0)
            return weir_ctl_error(ctl, EX_USAGE, "--for %s: not a span such as 4h or 30d", span);
        *ends_r = at + period;
    }
    if (until != NULL && weir_ctl_time_parse(until, ends_r) != 0)
        return weir_ctl_error(ctl, EX_USAGE, "--until %s: not a time such as 2026-12-31 or "
                              "2026-12-31T18:00:00Z", until);
    if (until != NULL && *ends_r <= at)
        return weir_ctl_error(ctl, EX_USAGE, "--until %s lies in the past", until);
    return 0;
}

static int read_points(struct weir_ctl *ctl, double *points_r)
{
    const char *text = ctl->option[WEIR_CTL_POINTS];
    char *end = NULL;
    if (ctl->verb->list != WEIR_LIST_SCORE)
        return 0;
    if (text == NULL)
        return weir_ctl_error(ctl, EX_USAGE, "--points is missing: how many?");
    *points_r = strtod(text, &end);
    if (end == text || *end != '\0' || !(fabs(*points_r) <= WEIR_RULE_SCORE_MAX) ||
        fabs(*points_r) < 0.01)
        return weir_ctl_error(ctl, EX_USAGE, "--points %s: not a number within -%d..%d, not 0",
                              text, WEIR_RULE_SCORE_MAX, WEIR_RULE_SCORE_MAX);
    return 0;
}

static int read_model(struct weir_ctl *ctl, struct weir_list_entry *model_r)
{
    memset(model_r, 0, sizeof *model_r);
    model_r->added = weir_ctl_now();
    model_r->defer = ctl->option[WEIR_CTL_DEFER] != NULL;
    strcpy(model_r->reason, "listed by hand");
    strcpy(model_r->origin, "weirctl");
    int code = read_ends(ctl, model_r->added, &model_r->ends);
    if (code == 0)
        code = read_points(ctl, &model_r->points);
    if (code == 0)
        code = weir_ctl_option_text(ctl, WEIR_CTL_REASON, model_r->reason, WEIR_REASON_MAX);
    if (code == 0)
        code = weir_ctl_option_text(ctl, WEIR_CTL_ORIGIN, model_r->origin, WEIR_ORIGIN_MAX);
    return code;
}

/* Mistakes. --------------------------------------------------------------------- */

/* A name is a suffix under which people register when a name below it is its
 * own organization. */
static bool is_suffix(struct weir_ctl *ctl, const char *domain)
{
    char below[WEIR_DOMAIN_TEXT + 2], organization[WEIR_DOMAIN_TEXT];
    int len = snprintf(below, sizeof below, "x.%s", domain);
    return weir_domain_organizational(ctl->stores.domains, below, (size_t)len, organization) ==
               1 && strcmp(below, organization) == 0;
}

static bool is_never(struct weir_ctl *ctl, const struct weir_prefix *prefix)
{
    struct weir_list_entry never;
    return weir_lists_find_in(ctl->stores.lists, weir_ctl_now(), WEIR_LIST_NEVER, &prefix->address,
                              &never) == 1 && never.prefix.bits <= prefix->bits;
}

/* Why an entry is most likely a mistake, or NULL. */
static const char *mistake(struct weir_ctl *ctl, const struct weir_ctl_entry *entry)
{
    bool suspect = ctl->verb->list != WEIR_LIST_ACCEPT;
    if (entry->domain != NULL)
        return is_suffix(ctl, entry->domain) ? "everybody can have a domain below it" : NULL;
    if (weir_prefix_too_wide(&entry->prefix))
        return WEIR_CTL_TOO_WIDE;
    if (suspect && weir_address_is_private(&entry->prefix.address))
        return "a private address: it can only be one of your own";
    return NULL;
}

static void complain(struct weir_ctl *ctl, const struct weir_ctl_entry *entry, const char *why,
                     const char *hint)
{
    struct weir_list_entry filled;
    char what[WEIR_CTL_TEXT], place[WEIR_CTL_TEXT] = "";
    weir_ctl_entry_fill(entry, &filled);
    if (entry->file != NULL)
        snprintf(place, sizeof place, "%s:%lu: ", entry->file, entry->line);
    weir_ctl_error(ctl, 0, "%s%s: %s; %s", place, weir_ctl_what(&filled, what), why, hint);
}

static int check(struct change *change)
{
    struct weir_ctl *ctl = change->ctl;
    bool force = ctl->option[WEIR_CTL_FORCE] != NULL;
    size_t bad = 0;
    for (size_t i = 0; i < change->entries.n; i++) {
        const struct weir_ctl_entry *entry = &change->entries.entry[i];
        const char *why = mistake(ctl, entry), *hint = "--force does it all the same";
        if (ctl->verb->list != WEIR_LIST_ACCEPT && is_never(ctl, &entry->prefix)) {
            why = "on the never-list of the configuration, which comes first";
            hint = "take it out of [weir] never before";
        } else if (force) {
            why = NULL;
        }
        if (why != NULL && ++bad <= WEIR_CTL_COMPLAINTS_MOST)
            complain(ctl, entry, why, hint);
    }
    return bad == 0 ? 0 : weir_ctl_error(ctl, EX_DATAERR, "%zu of %zu entries look like mistakes; "
                                         "nothing was added", bad, change->entries.n);
}

/* Chunks. ----------------------------------------------------------------------- */

typedef int one_chunk(struct change *change, const struct weir_list_entry *entry, size_t n);

static int failed(struct change *change, int rc)
{
    int code = rc == WEIR_EFULL ? EX_CANTCREAT : EX_IOERR;
    return weir_ctl_error(change->ctl, code, "the %s could not be changed: %s; %zu of %zu "
                          "entries were done before", list_name(change->ctl),
                          weir_error_reason(rc), change->done, change->entries.n);
}

/* Does all entries, some thousand in each transaction. */
static int in_chunks(struct change *change, one_chunk *chunk)
{
    size_t room = change->entries.n < CHUNK ? change->entries.n : CHUNK;
    struct weir_list_entry *entry = calloc(room, sizeof *entry);
    struct weir_ctl_progress progress = weir_ctl_progress(change->ctl, "entries");
    int rc = entry != NULL ? 0 : WEIR_ENOMEM;
    while (rc == 0 && change->done < change->entries.n) {
        size_t n = 0;
        for (; n < room && change->done + n < change->entries.n; n++) {
            weir_ctl_entry_fill(&change->entries.entry[change->done + n], &entry[n]);
            weir_ctl_progress_step(&progress, change->done + n, change->entries.n);
        }
        rc = chunk(change, entry, n);
        change->done += rc == 0 ? n : 0;
    }
    weir_ctl_progress_end(&progress);
    free(entry);
    return rc < 0 ? failed(change, rc) : 0;
}

/* add. -------------------------------------------------------------------------- */

static int add_chunk(struct change *change, const struct weir_list_entry *entry, size_t n)
{
    struct weir_lists *lists = change->ctl->stores.lists;
    enum weir_list list = change->ctl->verb->list;
    struct weir_list_entry *full = calloc(n, sizeof *full), before;
    size_t bad, replaced = 0;
    if (full == NULL)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        full[i] = entry[i];
        full[i].added = change->model.added;
        full[i].ends = change->model.ends;
        full[i].points = change->model.points;
        full[i].defer = change->model.defer;
        memcpy(full[i].origin, change->model.origin, sizeof full[i].origin);
        if (full[i].reason[0] == '\0')
            memcpy(full[i].reason, change->model.reason, sizeof full[i].reason);
        replaced += weir_lists_show(lists, list, &full[i], &before) == 1;
    }
    int rc = weir_lists_add(lists, list, full, n, &bad);
    change->replaced += rc == 0 ? replaced : 0;
    free(full);
    return rc;
}

/* What is accepted is not refused, whatever the blacklist says. */
static void warn_of_accepted(struct change *change, const struct weir_list_entry *entry)
{
    struct weir_ctl *ctl = change->ctl;
    struct weir_list_entry accepted;
    char what[WEIR_CTL_TEXT], by[WEIR_CTL_TEXT];
    if (ctl->verb->list == WEIR_LIST_ACCEPT ||
        weir_lists_find_in(ctl->stores.lists, change->model.added, WEIR_LIST_ACCEPT,
                           &entry->prefix.address, &accepted) != 1)
        return;
    weir_ctl_error(ctl, 0, "note: %s on the acceptable list comes before %s on the %s",
                   weir_ctl_what(&accepted, by), weir_ctl_what(entry, what), list_name(ctl));
}

static int tell_added(struct change *change)
{
    struct weir_ctl *ctl = change->ctl;
    char what[WEIR_CTL_TEXT], ends[WEIR_CTL_TEXT];
    struct weir_list_entry entry;
    weir_ctl_ends(&change->model, change->model.added, ends);
    for (size_t i = 0; i < change->entries.n && change->entries.n <= SHOWN_MOST; i++) {
        weir_ctl_entry_fill(&change->entries.entry[i], &entry);
        warn_of_accepted(change, &entry);
        if (ctl->option[WEIR_CTL_JSON] == NULL)
            printf("%s is on the %s %s\n", weir_ctl_what(&entry, what), list_name(ctl), ends);
    }
    if (ctl->option[WEIR_CTL_JSON] != NULL)
        return weir_ctl_json(ctl, json_pack("{s:s, s:I, s:I, s:o, s:s, s:s}", "list",
                                            weir_list_name(ctl->verb->list), "added",
                                            (json_int_t)change->done, "replaced",
                                            (json_int_t)change->replaced, "ends",
                                            weir_ctl_json_time(change->model.ends), "origin",
                                            change->model.origin, "reason",
                                            change->model.reason));
    if (change->entries.n > SHOWN_MOST)
        printf("%zu entries are on the %s %s, %zu of them replaced\n", change->done,
               list_name(ctl), ends, change->replaced);
    return 0;
}

/* Ended entries stay to be looked at for a while (`list --expired`), not for ever.
 * That they could not be swept away is no reason to call an addition failed. */
static void sweep(struct change *change)
{
    size_t removed;
    (void)weir_lists_purge(change->ctl->stores.lists, weir_ctl_now() - ENDED_KEPT, &removed);
}

int weir_ctl_list_add(struct weir_ctl *ctl)
{
    struct change change = {.ctl = ctl};
    int code = read_model(ctl, &change.model);
    if (code == 0)
        code = weir_ctl_entries_read(ctl, &change.entries);
    if (code == 0)
        code = weir_ctl_open_lists(ctl, WEIR_STORES_WRITE_LISTS);
    if (code == 0)
        code = check(&change);
    if (code == 0)
        code = in_chunks(&change, add_chunk);
    if (code == 0)
        sweep(&change);
    if (code == 0)
        code = tell_added(&change);
    weir_ctl_entries_free(&change.entries);
    return code;
}

/* remove. ----------------------------------------------------------------------- */

/* Says that an entry is not there, and which one lists it all the same. */
static void tell_missing(struct change *change, const struct weir_list_entry *entry)
{
    struct weir_ctl *ctl = change->ctl;
    struct weir_list_entry wider;
    char what[WEIR_CTL_TEXT], by[WEIR_CTL_TEXT];
    weir_ctl_what(entry, what);
    if (!entry->is_domain && weir_lists_find_in(ctl->stores.lists, weir_ctl_now(), ctl->verb->list,
                                                &entry->prefix.address, &wider) == 1)
        weir_ctl_error(ctl, 0, "%s is no entry of the %s; %s is", what, list_name(ctl),
                       weir_ctl_what(&wider, by));
    else
        weir_ctl_error(ctl, 0, "%s is not on the %s", what, list_name(ctl));
}

static int remove_chunk(struct change *change, const struct weir_list_entry *entry, size_t n)
{
    struct weir_lists *lists = change->ctl->stores.lists;
    enum weir_list list = change->ctl->verb->list;
    struct weir_list_entry before;
    size_t removed = 0;
    for (size_t i = 0; i < n; i++) {
        int rc = weir_lists_show(lists, list, &entry[i], &before);
        if (rc < 0)
            return rc;
        if (rc == 0 && ++change->missing <= SHOWN_MOST)
            tell_missing(change, &entry[i]);
    }
    int rc = weir_lists_remove(lists, list, entry, n, &removed);
    change->replaced += rc == 0 ? removed : 0;
    return rc;
}

int weir_ctl_list_remove(struct weir_ctl *ctl)
{
    struct change change = {.ctl = ctl};
    int code = weir_ctl_entries_read(ctl, &change.entries);
    if (code == 0)
        code = weir_ctl_open_lists(ctl, WEIR_STORES_WRITE_LISTS);
    if (code == 0)
        code = in_chunks(&change, remove_chunk);
    if (code == 0 && ctl->option[WEIR_CTL_JSON] != NULL)
        code = weir_ctl_json(ctl, json_pack("{s:s, s:I, s:I}", "list",
                                            weir_list_name(ctl->verb->list), "removed",
                                            (json_int_t)change.replaced, "not_there",
                                            (json_int_t)change.missing));
    else if (code == 0)
        printf("%zu taken off the %s\n", change.replaced, list_name(ctl));
    if (change.missing > SHOWN_MOST)
        weir_ctl_error(ctl, 0, "%zu more were not there", change.missing - SHOWN_MOST);
    weir_ctl_entries_free(&change.entries);
    return code == 0 && change.missing > 0 ? WEIR_CTL_NOT_THERE : code;
}

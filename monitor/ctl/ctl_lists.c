/*
 * ctl_lists - blacklist and accept: list and show.
 *
 * (add and remove are in ctl_lists_change.c.)  Showing explains a decision, so
 * it looks at all lists, whichever of the two nouns was said.
 */
#include "monitor/ctl/ctl.h"

#include <string.h>

#include "core/base/error.h"
#include "monitor/ctl/ctl_entries.h"
#include "monitor/ctl/ctl_output.h"

static int broken(struct weir_ctl *ctl, int rc)
{
    return weir_ctl_error(ctl, EX_IOERR, "the lists cannot be read: %s", weir_error_reason(rc));
}

/* list. ------------------------------------------------------------------------ */

struct listing {
    struct weir_ctl *ctl;
    weir_time now;
    uint64_t shown;
};

static void print_row(const struct weir_list_entry *entry, weir_time at)
{
    char what[WEIR_CTL_TEXT], ends[WEIR_CTL_TEXT];
    printf("%-22s %-27s %-10s ", weir_ctl_what(entry, what), weir_ctl_ends(entry, at, ends),
           entry->origin);
    if (entry->points != 0)
        printf("%+.2f points: ", entry->points);
    printf("%s%s\n", entry->defer ? "for now: " : "", entry->reason);
}

static int list_one(void *context, const struct weir_list_entry *entry)
{
    struct listing *listing = context;
    struct weir_ctl *ctl = listing->ctl;
    const char *origin = ctl->option[WEIR_CTL_ORIGIN];
    bool ended = entry->ends != 0 && entry->ends <= listing->now;
    if (ended && ctl->option[WEIR_CTL_EXPIRED] == NULL)
        return 0;
    if (origin != NULL && strcmp(origin, entry->origin) != 0)
        return 0;
    if (ctl->option[WEIR_CTL_JSON] == NULL) {
        print_row(entry, listing->now);
    } else {
        json_t *value = weir_ctl_json_entry(ctl->verb->list, entry, listing->now);
        fputs(listing->shown > 0 ? ",\n" : "\n", stdout);
        json_dumpf(value, stdout, JSON_COMPACT);
        json_decref(value);
    }
    listing->shown++;
    return ferror(stdout) ? 1 : 0; /* nobody reads any more */
}

int weir_ctl_list_list(struct weir_ctl *ctl)
{
    int code = weir_ctl_open_lists(ctl, WEIR_STORES_READ);
    if (code != 0)
        return code;
    bool json = ctl->option[WEIR_CTL_JSON] != NULL;
    struct listing listing = {.ctl = ctl, .now = weir_ctl_now()};
    if (json)
        putchar('[');
    else
        printf("%-22s %-27s %-10s %s\n", "ENTRY", "ENDS", "ORIGIN", "REASON");
    int rc = weir_lists_each(ctl->stores.lists, ctl->verb->list, list_one, &listing);
    if (json)
        puts(listing.shown > 0 ? "\n]" : "]");
    return rc < 0 ? broken(ctl, rc) : 0;
}

/* show. ------------------------------------------------------------------------ */

struct finding {
    struct weir_list_entry entry;
    enum weir_list list;
    bool decides;
};

struct findings {
    struct finding one[WEIR_LISTS + 1];
    size_t n;
};

static void note(struct findings *findings, enum weir_list list,
                 const struct weir_list_entry *entry, bool decides)
{
    findings->one[findings->n++] =
        (struct finding){.entry = *entry, .list = list, .decides = decides};
}

/* An entry of exactly this that has ended explains why nothing is found any more. */
static int note_ended(struct weir_ctl *ctl, const struct weir_list_entry *which, weir_time at,
                      struct findings *findings)
{
    struct weir_list_entry entry;
    int rc = weir_lists_show(ctl->stores.lists, ctl->verb->list, which, &entry);
    if (rc == 1 && entry.ends != 0 && entry.ends <= at)
        note(findings, ctl->verb->list, &entry, false);
    return rc < 0 ? rc : 0;
}

static int look_up_domain(struct weir_ctl *ctl, const struct weir_list_entry *which, weir_time at,
                          struct findings *findings)
{
    struct weir_list_entry entry;
    int rc = weir_lists_find_domain(ctl->stores.lists, at, which->domain, &entry);
    if (rc == 1)
        note(findings, WEIR_LIST_ACCEPT, &entry, true);
    return rc < 0 ? rc : note_ended(ctl, which, at, findings);
}

/* The narrowest entry in force that holds all of a prefix: 1, 0 or an error. */
static int find_holder(struct weir_ctl *ctl, enum weir_list list,
                       const struct weir_list_entry *which, weir_time at,
                       struct weir_list_entry *entry_r)
{
    struct weir_list_entry wider = *which;
    if (which->prefix.bits == 128 || list == WEIR_LIST_NEVER) {
        int rc = weir_lists_find_in(ctl->stores.lists, at, list, &which->prefix.address, entry_r);
        return rc == 1 && entry_r->prefix.bits > which->prefix.bits ? 0 : rc;
    }
    for (int bits = which->prefix.bits; bits >= 0; bits--) {
        wider.prefix = weir_address_mask(&which->prefix.address, (unsigned)bits);
        int rc = weir_lists_show(ctl->stores.lists, list, &wider, entry_r);
        if (rc < 0 || (rc == 1 && (entry_r->ends == 0 || entry_r->ends > at)))
            return rc;
    }
    return 0;
}

static int look_up_prefix(struct weir_ctl *ctl, const struct weir_list_entry *which, weir_time at,
                          struct findings *findings)
{
    struct weir_list_entry entry;
    for (int list = WEIR_LIST_NEVER; list < WEIR_LISTS; list++) {
        int rc = find_holder(ctl, (enum weir_list)list, which, at, &entry);
        if (rc < 0)
            return rc;
        if (rc == 1)
            note(findings, (enum weir_list)list, &entry, findings->n == 0);
    }
    return note_ended(ctl, which, at, findings);
}

static void print_finding(const char *what, const struct finding *finding, weir_time at)
{
    char entry[WEIR_CTL_TEXT], ends[WEIR_CTL_TEXT], added[WEIR_TIME_TEXT];
    bool over = finding->entry.ends != 0 && finding->entry.ends <= at;
    printf("%s %s the %s%s\n", what, over ? "was on" : "is on", weir_ctl_list_words(finding->list),
           finding->decides ? ", which decides" : over ? "" : ", which does not count here");
    printf("  entry   %s %s\n", weir_ctl_what(&finding->entry, entry),
           weir_ctl_ends(&finding->entry, at, ends));
    if (finding->list == WEIR_LIST_SCORE)
        printf("  points  %+.2f\n", finding->entry.points);
    if (finding->entry.defer)
        puts("  answer  450: for now");
    if (finding->entry.reason[0] != '\0')
        printf("  reason  %s\n", finding->entry.reason);
    if (finding->list == WEIR_LIST_NEVER)
        puts("  origin  the configuration, [weir] never");
    else
        printf("  origin  %s, %s\n", finding->entry.origin,
               weir_time_format(finding->entry.added, added));
}

static json_t *findings_as_json(const char *what, const struct findings *findings, weir_time at)
{
    json_t *decides = json_null(), *also = json_array();
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *finding = &findings->one[i];
        json_t *entry = weir_ctl_json_entry(finding->list, &finding->entry, at);
        if (finding->decides)
            decides = entry;
        else
            json_array_append_new(also, entry);
    }
    return json_pack("{s:s, s:o, s:o}", "asked", what, "decides", decides, "also", also);
}

/* 0 when it is in force on the list that was asked for, else not there. */
static int tell_findings(struct weir_ctl *ctl, const char *what, const struct findings *findings,
                         weir_time at)
{
    bool there = false;
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *finding = &findings->one[i];
        there |= finding->list == ctl->verb->list &&
                 (finding->entry.ends == 0 || finding->entry.ends > at);
        if (ctl->option[WEIR_CTL_JSON] == NULL)
            print_finding(what, finding, at);
    }
    if (ctl->option[WEIR_CTL_JSON] != NULL)
        weir_ctl_json(ctl, findings_as_json(what, findings, at));
    if (there)
        return 0;
    return weir_ctl_error(ctl, WEIR_CTL_NOT_THERE, "%s is not on the %s", what,
                          weir_ctl_list_words(ctl->verb->list));
}

int weir_ctl_list_show(struct weir_ctl *ctl)
{
    const char *text = ctl->argument[0], *why = NULL;
    struct weir_ctl_entry asked;
    struct weir_list_entry which;
    struct findings findings = {0};
    char what[WEIR_CTL_TEXT];
    if (weir_ctl_entry_parse(ctl->verb->list, text, strlen(text), &asked, &why) != 0)
        return weir_ctl_error(ctl, EX_USAGE, "%s: %s", text, why);
    int code = weir_ctl_open_lists(ctl, WEIR_STORES_READ);
    weir_ctl_entry_fill(&asked, &which);
    weir_ctl_entry_free(&asked);
    if (code != 0)
        return code;
    weir_time at = weir_ctl_now();
    int rc = which.is_domain ? look_up_domain(ctl, &which, at, &findings)
                             : look_up_prefix(ctl, &which, at, &findings);
    if (rc < 0)
        return broken(ctl, rc);
    return tell_findings(ctl, weir_ctl_what(&which, what), &findings, at);
}

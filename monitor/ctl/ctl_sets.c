/*
 * ctl_sets - opens published sets; weirctl rules sets, rules diff, and rules list of one set.
 *
 * The key to a file's signature is the one servers have (rules.pub), or at the monitor its own.
 */
#include "monitor/ctl/ctl_sets.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/engine/parcels_io.h"
#include "core/engine/secret_io.h"
#include "monitor/analyzer/publish_differ.h"
#include "monitor/analyzer/publish_io.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/database/database_sets_io.h"
#include "monitor/view/view_rules.h"

/* Opening. ------------------------------------------------------------------------- */

/* The key that is known here: false when there is none. */
static bool find_key(struct weir_ctl *ctl, uint8_t open_r[static WEIR_PARCEL_PUBLIC])
{
    const char *path = weir_config_path(&ctl->config, ctl->config.monitor_rules_key, ctl->arena);
    struct weir_parcel_keys keys;
    char text[256];
    size_t len;
    bool own;

    if (weir_parcels_key(ctl->config.state_directory, open_r) == 1)
        return true;
    own = path && weir_secret_read(path, text, sizeof text, &len) == 0 &&
          weir_parcel_keys_read((struct weir_slice){text, len}, &keys);
    if (own)
        memcpy(open_r, keys.open, WEIR_PARCEL_PUBLIC);
    sodium_memzero(text, sizeof text);
    sodium_memzero(&keys, sizeof keys);
    return own;
}

static int read_octets(struct weir_ctl *ctl, const char *which, size_t len,
                       struct weir_ctl_set *set)
{
    uint8_t open[WEIR_PARCEL_PUBLIC];
    const char *why = "";

    set->verified = find_key(ctl, open);
    if (weir_rule_parcel_read(set->octets, len, set->verified ? open : NULL, &set->parcel,
                              &why) < 0)
        return weir_ctl_error(ctl, EX_DATAERR, "%s: %s", which, why);
    return 0;
}

struct taking {
    struct weir_ctl_set *set;
    size_t len;
};

static int take(void *context, const struct weir_kept_set *kept)
{
    struct taking *taking = context;

    taking->set->octets = weir_publish_inflate(kept->file, kept->octets);
    taking->len = kept->octets;
    return taking->set->octets ? 0 : WEIR_ECORRUPT;
}

static int open_serial(struct weir_ctl *ctl, const char *which, uint32_t serial,
                       struct weir_ctl_set *set)
{
    struct taking taking = {.set = set};
    struct weir_database *database = NULL;
    int rc, code = weir_ctl_monitor_database(ctl, &database);

    if (code != 0)
        return code;
    rc = weir_database_set(database, serial, take, &taking);
    if (rc == WEIR_ECORRUPT)
        code = weir_ctl_error(ctl, EX_DATAERR, "rule set %s is damaged", which);
    else if (rc == 0)
        code = weir_ctl_error(ctl, WEIR_CTL_NOT_THERE, "there is no rule set %s, or not any more; "
                              "weirctl rules sets shows which are kept", which);
    else
        code = weir_ctl_monitor_read(ctl, database, rc);
    weir_database_free(&database);
    return code == 0 ? read_octets(ctl, which, taking.len, set) : code;
}

static int open_file(struct weir_ctl *ctl, const char *path, struct weir_ctl_set *set)
{
    size_t len;
    int done = weir_parcels_load(path, &set->octets, &len);

    if (done < 0)
        return weir_ctl_error(ctl, done == WEIR_EIO ? EX_NOINPUT : EX_DATAERR, "%s: %s", path,
                              weir_error_reason(done));
    return read_octets(ctl, path, len, set);
}

int weir_ctl_set_open(struct weir_ctl *ctl, const char *which, struct weir_ctl_set *set_r)
{
    char *end;
    unsigned long serial = strtoul(which, &end, 10);
    bool is_serial = weir_is_digit(which[0]) && *end == '\0';
    int code = ctl->arena ? 0 : weir_ctl_configure(ctl);

    *set_r = (struct weir_ctl_set){.octets = NULL};
    if (code != 0)
        return code;
    if (is_serial && (serial == 0 || serial > WEIR_RULE_SERIAL_MAX))
        return weir_ctl_error(ctl, EX_USAGE, "%s is no serial of a rule set", which);
    code = is_serial ? open_serial(ctl, which, (uint32_t)serial, set_r)
                     : open_file(ctl, which, set_r);
    if (code != 0)
        weir_ctl_set_close(set_r);
    return code;
}

void weir_ctl_set_close(struct weir_ctl_set *set)
{
    free(set->octets);
    set->octets = NULL;
}

/* rules sets. ----------------------------------------------------------------------- */

static int add_json(void *context, const struct weir_kept_set *set)
{
    json_array_append_new(context, weir_view_set(set));
    return 0;
}

static int print_set(void *context, const struct weir_kept_set *set)
{
    char made[WEIR_TIME_TEXT], size[WEIR_CTL_TEXT], why[WEIR_CTL_NAME];

    (void)context;
    printf("%9u  %-21s %7zu  %9s  %-10s  %s%s%s\n", (unsigned)set->serial,
           weir_time_format(set->made, made), set->rules, weir_ctl_bytes(set->octets, size),
           set->who, set->what, set->why[0] ? ": " : "",
           weir_ctl_visible(weir_slice_of(set->why), why, sizeof why));
    return ferror(stdout);
}

int weir_ctl_rules_sets(struct weir_ctl *ctl)
{
    struct weir_database *database = NULL;
    json_t *all = ctl->option[WEIR_CTL_JSON] ? json_array() : NULL;
    int code = weir_ctl_monitor_database(ctl, &database);

    if (code == 0 && !all)
        printf("%9s  %-21s %7s  %9s  %-10s  %s\n", "SERIAL", "MADE", "RULES", "SIZE", "WHO",
               "WHAT");
    if (code == 0)
        code = weir_ctl_monitor_read(
            ctl, database, weir_database_sets(database, all ? add_json : print_set, all));
    weir_database_free(&database);
    if (code == 0 && all)
        return weir_ctl_json(ctl, all);
    json_decref(all);
    return code;
}

/* rules diff. ----------------------------------------------------------------------- */

static int diff_json(void *context, const struct weir_rules_differ *differ)
{
    json_array_append_new(context, weir_view_differ(differ));
    return 0;
}

static int diff_print(void *context, const struct weir_rules_differ *differ)
{
    const struct weir_rule_source *rule = differ->new ? differ->new : differ->old;
    char was[WEIR_CTL_NAME], is[WEIR_CTL_NAME];
    bool both = differ->old && differ->new;

    (void)context;
    weir_ctl_visible(weir_slice_of(differ->was), was, sizeof was);
    weir_ctl_visible(weir_slice_of(differ->is), is, sizeof is);
    printf("%c %9u  %.*s  ", both ? ' ' : differ->new ? '+' : '-', (unsigned)rule->id,
           (int)rule->name.len, rule->name.at);
    if (both)
        printf("%s: %s -> %s\n", weir_rule_difference_name(differ->difference),
               was[0] ? was : "none", is[0] ? is : "none");
    else
        printf("%s  %+.2f  %s\n", differ->new ? is : was, (double)rule->score,
               weir_rule_state_name(rule->state));
    return ferror(stdout);
}

/* The list of words is part of a set, and has no rule: what there was and is of it is counted.
 * Whether it differs. */
static bool diff_words(struct weir_slice was, struct weir_slice is, json_t *all)
{
    size_t were, are;

    if (!weir_publish_other_words(was, is, &were, &are))
        return false;
    if (all)
        json_array_append_new(all, json_pack(
            "{s:i, s:s, s:s, s:o, s:o}", "id", 0, "name", "", "difference", "words", "old",
            json_sprintf("%zu", were), "new", json_sprintf("%zu", are)));
    else
        printf("words: %zu -> %zu%s\n", were, are,
               were == are ? ", which weigh something else" : "");
    return true;
}

static int diff(struct weir_ctl *ctl, const struct weir_ctl_set *old,
                const struct weir_ctl_set *new)
{
    json_t *all = ctl->option[WEIR_CTL_JSON] ? json_array() : NULL;
    int rc = weir_rules_diff(old->parcel.section[WEIR_PARCEL_RULES],
                             new->parcel.section[WEIR_PARCEL_RULES], all ? diff_json : diff_print,
                             all);

    if (rc >= 0)
        rc += diff_words(old->parcel.section[WEIR_PARCEL_BAYES],
                         new->parcel.section[WEIR_PARCEL_BAYES], all);
    if (rc >= 0 && all)
        return weir_ctl_json(ctl, all);
    json_decref(all);
    if (rc == 0)
        puts("no difference");
    return rc < 0 ? weir_ctl_error(ctl, rc == WEIR_ENOMEM ? EX_OSERR : EX_DATAERR,
                                   "the sets cannot be compared: %s", weir_error_text(rc))
                  : 0;
}

int weir_ctl_rules_diff(struct weir_ctl *ctl)
{
    struct weir_ctl_set old, new = {.octets = NULL};
    int code = weir_ctl_set_open(ctl, ctl->argument[0], &old);

    if (code == 0)
        code = weir_ctl_set_open(ctl, ctl->argument[1], &new);
    if (code == 0)
        code = diff(ctl, &old, &new);
    weir_ctl_set_close(&old);
    weir_ctl_set_close(&new);
    return code;
}

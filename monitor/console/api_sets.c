/*
 * api_sets - published rule sets, and what differs between two of them.
 */
#include <stdlib.h>

#include "core/base/error.h"
#include "core/evidence/rule_parcel.h"
#include "monitor/analyzer/publish_io.h"
#include "monitor/console/api_impl.h"
#include "monitor/view/view_rules.h"

static int add_set(void *context, const struct weir_kept_set *set)
{
    return json_array_append_new(context, weir_view_set(set)) < 0 ? WEIR_ENOMEM : 0;
}

json_t *weir_api_sets(struct weir_api_question *question)
{
    json_t *rows = json_array();
    int done = weir_database_sets(question->database, add_set, rows);

    if (done >= 0)
        return weir_api_rows(question, rows, NULL);
    json_decref(rows);
    return weir_api_trouble(question, done);
}

struct set {
    void *octets;
    size_t len;
    struct weir_rule_parcel parcel;
};

static int take(void *context, const struct weir_kept_set *kept)
{
    struct set *set = context;

    set->octets = weir_publish_inflate(kept->file, kept->octets);
    set->len = kept->octets;
    return set->octets ? 0 : WEIR_ECORRUPT;
}

/* The set of a serial that an argument names.  False: refused. */
static bool open_set(struct weir_api_question *question, const char *name, struct set *set_r)
{
    const char *why = "it is damaged";
    int64_t serial;
    int rc;

    *set_r = (struct set){.octets = NULL};
    if (!weir_api_number(question->request, name, 1, WEIR_RULE_SERIAL_MAX, 0, &serial) ||
        serial == 0) {
        (void)weir_api_refuse(question, 400, "from and to are serials of rule sets");
        return false;
    }
    rc = weir_database_set(question->database, (uint32_t)serial, take, set_r);
    if (rc == 0)
        (void)weir_api_refuse(question, 404, "there is no such rule set, or not any more");
    else if (rc < 0)
        (void)weir_api_trouble(question, rc);
    else if (weir_rule_parcel_read(set_r->octets, set_r->len, NULL, &set_r->parcel, &why) < 0)
        (void)weir_api_refuse(question, 500, why);
    else
        return true;
    return false;
}

static int add_differ(void *context, const struct weir_rules_differ *differ)
{
    return json_array_append_new(context, weir_view_differ(differ)) < 0 ? WEIR_ENOMEM : 0;
}

json_t *weir_api_sets_diff(struct weir_api_question *question)
{
    struct set from, to = {.octets = NULL};
    json_t *json = NULL, *rows;
    int rc;

    if (open_set(question, "from", &from) && open_set(question, "to", &to)) {
        rows = json_array();
        rc = weir_rules_diff(from.parcel.section[WEIR_PARCEL_RULES],
                             to.parcel.section[WEIR_PARCEL_RULES], add_differ, rows);
        json = rc < 0 ? weir_api_refuse(question, 500, weir_error_text(rc))
                      : weir_api_rows(question, json_incref(rows), NULL);
        json_decref(rows);
    }
    free(from.octets);
    free(to.octets);
    return json;
}

json_t *weir_api_rules_state(struct weir_api_question *question)
{
    struct weir_rules_newest newest;
    int rc = weir_database_rules_newest(question->database, &newest);

    return rc < 0 ? weir_api_trouble(question, rc)
                  : json_pack("{s:o, s:I, s:I}", "now", weir_view_time(question->now), "serial",
                              (json_int_t)newest.serial, "change", (json_int_t)newest.change);
}

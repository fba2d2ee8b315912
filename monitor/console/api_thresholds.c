/*
 * api_thresholds - how much addresses may do, as stored; the default as configured where none is.
 */
#include <string.h>

#include "core/base/error.h"
#include "monitor/console/api_impl.h"
#include "monitor/monitor_look_io.h"
#include "monitor/threshold/policy.h"
#include "monitor/view/view_policy.h"

struct listing {
    bool has_default;
    json_t *rows;
};

static int add(void *context, const struct weir_threshold *threshold)
{
    struct listing *listing = context;

    listing->has_default |= strcmp(threshold->name, WEIR_POLICY_DEFAULT) == 0;
    return json_array_append_new(listing->rows, weir_view_threshold(threshold, true)) < 0
               ? WEIR_ENOMEM : 0;
}

json_t *weir_api_thresholds(struct weir_api_question *question)
{
    struct listing listing = {.rows = json_array()};
    int done = weir_database_thresholds(question->database, add, &listing);

    if (done >= 0 && !listing.has_default)
        json_array_insert_new(listing.rows, 0, weir_monitor_default_threshold(question->monitor));
    if (done >= 0)
        return weir_api_rows(question, listing.rows, NULL);
    json_decref(listing.rows);
    return weir_api_trouble(question, done);
}

/* What the body says of a threshold of a name, as a question; NULL: refused. */
static json_t *asked(struct weir_api_question *question, const char *verb, const char *name)
{
    const char *prefixes, *ladder;
    const json_t *observe = json_object_get(question->request->body, "observe");
    json_t *json;

    if (!weir_api_text(question, "prefixes", &prefixes) ||
        !weir_api_text(question, "ladder", &ladder))
        return NULL;
    if (observe && !json_is_boolean(observe))
        return weir_api_refuse(question, 400, "observe is neither true nor false");
    if (strlen(prefixes) > WEIR_DATABASE_TEXT_MAX || strlen(ladder) > WEIR_DATABASE_TEXT_MAX ||
        strlen(name) > WEIR_THRESHOLD_NAME_MAX)
        return weir_api_refuse(question, 400, "too long a text of a threshold");
    if ((strcmp(name, WEIR_POLICY_DEFAULT) == 0) != (prefixes[0] == '\0'))
        return weir_api_refuse(question, 400, "the threshold called default is for everybody "
                               "else, and all others name their prefixes");
    json = question->request->body ? json_copy(question->request->body) : json_object();
    json_object_set_new(json, "do", json_string(verb));
    json_object_set_new(json, "name", json_string(name));
    return json;
}

json_t *weir_api_threshold_put(struct weir_api_question *question)
{
    json_t *json = asked(question, "threshold set", weir_api_word(question, "name"));

    return json ? weir_api_do(question, json) : NULL;
}

json_t *weir_api_threshold_try(struct weir_api_question *question)
{
    const char *name;
    json_t *json;

    if (!weir_api_text(question, "name", &name))
        return NULL;
    json = asked(question, "threshold try", name[0] ? name : WEIR_POLICY_DEFAULT);
    return json ? weir_api_do(question, json) : NULL;
}

json_t *weir_api_threshold_remove(struct weir_api_question *question)
{
    return weir_api_do(question, json_pack("{s:s, s:s}", "do", "threshold remove", "name",
                                           weir_api_word(question, "name")));
}

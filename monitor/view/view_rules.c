/*
 * view_rules - what there is to know of rules and reports, as JSON.
 */
#include "monitor/view/view_rules.h"

#include <string.h>

#include "core/base/error.h"

/* rows -------------------------------------------------------------------------------------- */

json_t *weir_view_rule_change(const struct weir_rule_changed *change)
{
    return json_pack("{s:I, s:o, s:I, s:s, s:o, s:s, s:o, s:o, s:o}", "number",
                     (json_int_t)change->number, "time", weir_view_time(change->time), "id",
                     (json_int_t)change->rule, "name", change->name, "who",
                     weir_view_text(change->who), "what", change->what, "from",
                     weir_view_text(change->old), "to", weir_view_text(change->new), "why",
                     weir_view_text(change->why));
}

json_t *weir_view_set(const struct weir_kept_set *set)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:I, s:I}", "serial", (json_int_t)set->serial,
                     "made", weir_view_time(set->made), "who", weir_view_text(set->who), "what",
                     weir_view_text(set->what), "why", weir_view_text(set->why), "rules",
                     (json_int_t)set->rules, "octets", (json_int_t)set->octets);
}

json_t *weir_view_differ(const struct weir_rules_differ *differ)
{
    const struct weir_rule_source *rule = differ->new ? differ->new : differ->old;

    return json_pack("{s:I, s:o, s:s, s:o, s:o}", "id", (json_int_t)rule->id, "name",
                     weir_view_octets(rule->name.at, rule->name.len), "difference",
                     weir_rule_difference_name(differ->difference), "old",
                     weir_view_text(differ->was), "new", weir_view_text(differ->is));
}

json_t *weir_view_rule_now(const struct weir_kept_rule *rule)
{
    return json_pack("{s:s, s:f}", "state", weir_rule_state_name(rule->state), "score",
                     rule->score);
}

json_t *weir_view_message(const struct weir_kept_message *message)
{
    char address[WEIR_ADDRESS_TEXT];
    json_t *json = json_pack("{s:o, s:o, s:s, s:f, s:f, s:o, s:s, s:o}", "uid",
                             weir_view_uid(message->uid), "time",
                             weir_view_time(message->time), "verdict", message->verdict,
                             "score", message->score, "points", message->points, "domain",
                             weir_view_text(message->domain),
                             "reported", message->reported, "queue",
                             weir_view_text_or_null(message->queue_id));

    if (message->has_address)
        json_object_set_new(json, "address",
                            json_string(weir_address_format(&message->address, address)));
    return json;
}

const char *weir_view_report_server(const struct weir_database_report *report, const char *server)
{
    return report->server == WEIR_REPORT_DESK ? "the desk" : server; /* no name has a blank */
}

json_t *weir_view_report(const struct weir_database_report *report, const char *server)
{
    bool known = report->verdict[0] != '\0';

    return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, "
                     "s:o}", "number", (json_int_t)report->number, "time",
                     weir_view_time(report->time), "server",
                     weir_view_report_server(report, server), "user",
                     weir_view_text_or_null(report->name), "told", weir_view_text(report->told),
                     "way", weir_view_text(report->way), "report", report->spam ? "spam" : "ham",
                     "state", weir_view_text(report->state), "came", weir_view_text(report->came),
                     "weighs",
                     report->vote && report->weighs && !report->taken_back, "taken_back",
                     weir_view_time(report->taken_back), "uid",
                     known ? weir_view_uid(report->uid) : json_null(), "verdict",
                     weir_view_text_or_null(report->verdict), "score",
                     known ? weir_view_points((float)report->score) : json_null(), "address",
                     weir_view_text_or_null(report->address), "domain",
                     weir_view_text_or_null(report->domain));
}

/* one rule ---------------------------------------------------------------------------------- */

struct weir_view_rule_facts weir_view_rule_facts(const struct weir_book *book,
                                                 const struct weir_book_rule *rule)
{
    struct weir_view_rule_facts facts;

    facts.changes = weir_book_analyze(book, rule, &facts.next) == 1;
    facts.evidence = weir_score_evidence(&rule->weighed.hits, &rule->weighed.all);
    facts.allowed = weir_score_allowed(&facts.evidence);
    facts.bounds = (struct weir_score_bounds){rule->is.low, rule->is.high};
    if (rule->is.low == 0 && rule->is.high == 0)
        facts.bounds = weir_score_bounds(book->settings.spam_score);
    return facts;
}

static int add_message(void *context, const struct weir_kept_message *message)
{
    return json_array_append_new(context, weir_view_message(message)) < 0 ? WEIR_ENOMEM : 0;
}

static int add_change(void *context, const struct weir_rule_changed *change)
{
    return json_array_append_new(context, weir_view_rule_change(change)) < 0 ? WEIR_ENOMEM : 0;
}

/* null: nobody's word was. */
static json_t *bounded(const struct weir_book_rule *rule)
{
    const struct weir_weighed *is = &rule->weighed;

    if (is->bounded == 0 && rule->blame == rule->blamed)
        return json_null();
    return json_pack("{s:I, s:s, s:f, s:f, s:f, s:f, s:f, s:I}", "servers",
                     (json_int_t)is->bounded, "server", rule->bounded ? rule->bounded : "",
                     "told_spam", is->told.spam, "told_ham", is->told.ham, "weight", is->weight,
                     "spam", is->hits.spam, "ham", is->hits.ham, "false_positives",
                     (json_int_t)rule->blame);
}

int weir_view_rule(const struct weir_book *book, const struct weir_book_rule *rule, unsigned most,
                   json_t **json_r)
{
    const struct weir_view_rule_facts facts = weir_view_rule_facts(book, rule);
    const struct weir_score_evidence *e = &facts.evidence;
    const struct weir_table table = weir_book_table(book);
    json_t *json = weir_table_json(&table, (size_t)(rule - book->rule));
    json_t *messages = json_array(), *history = json_array();
    int rc = weir_database_messages_of(book->database, rule->is.id, most, add_message, messages);

    rc = rc < 0 ? rc : weir_database_rule_changes(book->database, rule->is.id, 0, most, add_change,
                                                  history);
    json_object_set_new(json, "evidence", json_pack(
        "{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:o}", "llr", e->llr, "error", e->error,
        "allowed_low", facts.allowed.low, "allowed_high", facts.allowed.high, "bound_low",
        facts.bounds.low, "bound_high", facts.bounds.high, "all_spam", book->all.spam, "all_ham",
        book->all.ham, "bounded", bounded(rule)));
    json_object_set_new(json, "next_run", json_pack(
        "{s:b, s:s, s:f, s:s}", "changes", facts.changes, "state",
        weir_rule_state_name(facts.next.state), "score", facts.next.score, "why",
        facts.next.why));
    json_object_set_new(json, "messages", messages);
    json_object_set_new(json, "history", history);
    if (rc >= 0)
        *json_r = json;
    else
        json_decref(json);
    return rc < 0 ? rc : 0;
}

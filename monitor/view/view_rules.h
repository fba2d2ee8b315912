/*
 * view_rules - rules, what they hit, what became of them, and what people reported, as JSON
 * (view.h).
 */
#ifndef WEIR_VIEW_VIEW_RULES_H
#define WEIR_VIEW_VIEW_RULES_H

#include "monitor/analyzer/rules_diff.h"
#include "monitor/analyzer/score.h"
#include "monitor/database/database_messages_io.h"
#include "monitor/database/database_reports_io.h"
#include "monitor/database/database_sets_io.h"
#include "monitor/view/book.h"

/* A line of history, a published set, what differs between two. */
json_t *weir_view_rule_change(const struct weir_rule_changed *change);
json_t *weir_view_set(const struct weir_kept_set *set);
json_t *weir_view_differ(const struct weir_rules_differ *differ);

/* What a rule is now, beside what it once did: {"state", "score"}. */
json_t *weir_view_rule_now(const struct weir_kept_rule *rule);

/* A message that a rule hit. */
json_t *weir_view_message(const struct weir_kept_message *message);

/* Where a report was told: a server's name, or that it was at the desk. */
const char *weir_view_report_server(const struct weir_database_report *report, const char *server);

/* A report; server: the name of the one that told of it. */
json_t *weir_view_report(const struct weir_database_report *report, const char *server);

/* Why a rule scores what it scores, and what the next run makes of it. */
struct weir_view_rule_facts {
    struct weir_analyze_change next;
    bool changes;               /* the next run would change it */
    struct weir_score_bounds bounds, allowed;
    struct weir_score_evidence evidence;
};
struct weir_view_rule_facts weir_view_rule_facts(const struct weir_book *book,
                                                 const struct weir_book_rule *rule);

/* A rule of a book with all of that, its last messages and changes, so many each.  0 or an error of
 * the database. */
int weir_view_rule(const struct weir_book *book, const struct weir_book_rule *rule, unsigned most,
                   json_t **json_r);

#endif

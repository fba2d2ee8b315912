/*
 * api_impl - the functions behind the routes, each file for what its name says.
 */
#ifndef WEIR_CONSOLE_API_IMPL_H
#define WEIR_CONSOLE_API_IMPL_H

#include "monitor/console/api.h"
#include "monitor/view/view.h"

/* api_session.c */
weir_api_function weir_api_login, weir_api_logout, weir_api_me, weir_api_my_password;
/* api_people.c */
weir_api_function weir_api_users, weir_api_user_add, weir_api_user_put, weir_api_user_remove;
weir_api_function weir_api_tokens, weir_api_token_add, weir_api_token_remove, weir_api_audit;
/* api_overview.c */
weir_api_function weir_api_overview;
/* api_traffic.c */
weir_api_function weir_api_traffic, weir_api_minutes;
/* api_address.c */
weir_api_function weir_api_address, weir_api_block, weir_api_undo, weir_api_accept;
weir_api_function weir_api_unaccept, weir_api_restore;
/* {"standing": {"blacklist", "score", "accept"}} alone: what changes of them are based on */
weir_api_function weir_api_standing;
/* api_servers.c */
weir_api_function weir_api_servers, weir_api_server_add, weir_api_server_revoke;
/* api_silences.c */
weir_api_function weir_api_silences, weir_api_silence_add, weir_api_silence_end;
/* api_alerts.c */
weir_api_function weir_api_alerts, weir_api_acknowledge, weir_api_unacknowledge, weir_api_lists;
/* api_thresholds.c */
weir_api_function weir_api_thresholds, weir_api_threshold_put, weir_api_threshold_remove;
weir_api_function weir_api_threshold_try;
/* api_sets.c: {"serial", "change"}: of the newest set, and of the last change of a rule */
weir_api_function weir_api_rules_state;
/* api_rules.c, api_rules_change.c, api_rules_test.c, api_sets.c */
weir_api_function weir_api_rules, weir_api_rule, weir_api_rule_history;
weir_api_function weir_api_rules_add, weir_api_rule_put, weir_api_rule_reject, weir_api_analyze;
weir_api_function weir_api_rules_test;
weir_api_function weir_api_publish, weir_api_rollback, weir_api_sets, weir_api_sets_diff;
weir_api_function weir_api_rules_there;
/* api_messages.c, api_reports.c */
weir_api_function weir_api_messages, weir_api_message, weir_api_reports, weir_api_report;
weir_api_function weir_api_report_do, weir_api_reports_do, weir_api_report_desk;
weir_api_function weir_api_reports_desk;
/* api_metrics.c: a text, not an object */
weir_api_function weir_api_metrics;
/* api_description.c */
weir_api_function weir_api_openapi;

#endif

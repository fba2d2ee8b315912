/*
 * api_shapes - what answers and bodies look like: the table, and reading a row of it.
 */
#include "monitor/console/api_shapes.h"

#include <stdio.h>
#include <string.h>

#include "monitor/console/api_impl.h"

#define SUMS " connections:integer syns:integer messages:integer accepted:integer " \
    "recipients:integer estimated:integer"
#define DECISION "number:integer list:string prefix:string made:time ends:time? defer:boolean " \
    "points:number reason:string by:string undone:time? undone_by:string?"
#define RULE "name:string id:integer state:string score:number deserved:number? hits:integer " \
    "spam:integer ham:integer false_positives:integer last_hit:time? idle:number? " \
    "last_updated:time? kind:string author:string base:number low:number high:number " \
    "recent_spam:number recent_ham:number created:time? since:time? first_hit:time? " \
    "approved:boolean text:string days:array"
#define MESSAGE "uid:string time:time server:string address:string? domain:string? " \
    "verdict:string score:number serial:integer reported:string queue:string?"
#define REPORT "number:integer time:time server:string user:string? told:string way:string " \
    "report:string state:string came:string weighs:boolean taken_back:time? uid:string? " \
    "verdict:string? score:number? address:string? domain:string? kind:string votes:object " \
    "desk:string? effect:string"
#define UNDONE "undone:integer prefix:string accepted:boolean at:integer"
#define THRESHOLD "prefixes:string rate:array! maximum:array! observe:boolean ladder:string!"
#define WAS " was:object?"
#define ME "name:string role:string csrf:string version:string started:time? roles:array " \
    "alert_kinds:array limits:object"
#define SILENCE "number:integer made:time ends:time prefix:string? threshold:string? " \
    "server:string? kind:string? reason:string by:string ended:time? ended_by:string? " \
    "wide:boolean"

static const struct weir_api_shape shapes[] = {
    {weir_api_login, false, false, ME, "name:string! password:string!"},
    {weir_api_logout, false, false, "ended:boolean", NULL},
    {weir_api_me, false, false, ME, NULL},
    {weir_api_my_password, false, false, "changed:boolean", "old:string! new:string!"},
    {weir_api_overview, false, true, "now:time verdicts:array today:object scores:array "
     "limits:array servers:array attention:array open_events:integer drafts:integer "
     "reports:integer blamed:integer addresses_seen:integer live:integer", NULL},
    {weir_api_traffic, true, false, "address:string" SUMS " event:object? decision:object? "
     "first_seen:time? last_seen:time?", NULL},
    {weir_api_minutes, true, false, "time:time" SUMS, NULL},
    {weir_api_address, false, true, "now:time address:string first_seen:time? last_seen:time? "
     "sum:object minutes:array servers:array source:string events:array decisions:array "
     "standing:object domains:array domains_partly:boolean looked_to:time? bucket:object?",
     NULL},
    {weir_api_block, false, true, "list:string",
     "list:string defer:boolean points:number ends:integer! reason:string" WAS},
    {weir_api_undo, false, true, UNDONE, "accept:boolean ends:integer reason:string" WAS},
    {weir_api_restore, false, true, "restored:integer", "at:integer! reason:string"},
    {weir_api_accept, false, true, UNDONE, "ends:integer reason:string" WAS},
    {weir_api_unaccept, false, true, "undone:integer restored:integer", "reason:string" WAS},
    {weir_api_servers, true, false, "name:string number:integer state:string added:time "
     "revoked:time? last_seen:time? generation:integer newest:integer health:object? "
     "troubles:array", NULL},
    {weir_api_server_add, false, true, "server:string number:integer identity:string",
     "name:string!"},
    {weir_api_server_revoke, false, true, "server:string revoked:boolean", NULL},
    {weir_api_alerts, true, false, "number:integer kind:string raised:time cleared:time? "
     "prefix:string? server:string? quantity:string? threshold:string observed:boolean "
     "limit_rate:number? limit_most:number? rate:number? children:integer text:string "
     "acknowledged:time? acknowledged_by:string? note:string? told:time? told_again:integer "
     "silence:integer? silenced_until:time?", NULL},
    {weir_api_acknowledge, false, true, "number:integer acknowledged:time acknowledged_by:string "
     "note:string", "note:string"},
    {weir_api_unacknowledge, false, true, "number:integer acknowledged:time?", NULL},
    {weir_api_silences, true, false, SILENCE, NULL},
    {weir_api_silence_add, false, true, SILENCE, "prefix:string threshold:string server:string "
     "kind:string ends:integer! reason:string!"},
    {weir_api_silence_end, false, true, SILENCE, NULL},
    {weir_api_lists, true, false, DECISION, NULL},
    {weir_api_thresholds, true, false, "name:string source:string prefixes:string observe:boolean "
     "connections:object messages:object recipients:object ladder:string", NULL},
    {weir_api_threshold_put, false, true, "threshold:string", THRESHOLD WAS},
    {weir_api_threshold_try, false, true, "threshold:string from:time? to:time? cut:boolean",
     "name:string hours:integer " THRESHOLD},
    {weir_api_threshold_remove, false, true, "threshold:string removed:boolean", "was:object?"},
    {weir_api_messages, true, false, MESSAGE, NULL},
    {weir_api_message, false, true, MESSAGE, NULL},
    {weir_api_reports, true, false, REPORT, NULL},
    {weir_api_report, false, true, "uid:string", NULL},
    {weir_api_report_do, false, true, "uid:string", "do:string!" WAS},
    {weir_api_reports_do, false, true, "", "uids:array! do:string!" WAS},
    {weir_api_rules, true, false, RULE, NULL},
    {weir_api_rule, false, true, RULE " evidence:object next_run:object messages:array "
     "history:array", NULL},
    {weir_api_rule_history, true, false, "number:integer time:time id:integer name:string "
     "who:string what:string from:string to:string why:string", NULL},
    {weir_api_rules_add, false, true, "added:integer changed:integer",
     "text:string! state:string dry:boolean reason:string" WAS},
    {weir_api_rules_test, false, true, "messages:object rules:array hits:array",
     "text:string most:integer"},
    {weir_api_rule_put, false, true, "", "score:number low:number high:number state:string "
     "approved:boolean force:boolean text:string reason:string" WAS},
    {weir_api_rule_reject, false, true, "name:string id:integer changed:boolean",
     "reason:string" WAS},
    {weir_api_analyze, false, true, "changes:array rules:integer changed:integer", "dry:boolean"},
    {weir_api_publish, false, true, "serial:integer rules:integer octets:integer "
     "different:boolean published:boolean differences:object",
     "dry:boolean force:boolean reason:string" WAS},
    {weir_api_rollback, false, true, "serial:integer rules:integer octets:integer "
     "different:boolean published:boolean differences:object",
     "serial:integer! dry:boolean reason:string" WAS},
    {weir_api_sets, true, false, "serial:integer made:time who:string what:string why:string "
     "rules:integer octets:integer", NULL},
    {weir_api_rules_state, false, false, "now:time serial:integer change:integer", NULL},
    {weir_api_sets_diff, true, false, "id:integer name:string difference:string old:string "
     "new:string", NULL},
    {weir_api_audit, true, false, "number:integer time:time who:string what:string detail:string",
     NULL},
    {weir_api_users, true, false, "name:string role:string disabled:boolean added:time "
     "password_changed:time last_login:time?", NULL},
    {weir_api_user_add, false, true, "name:string role:string password:string",
     "name:string! role:string"},
    {weir_api_user_put, false, true, "name:string role:string",
     "role:string disabled:boolean password:boolean" WAS},
    {weir_api_user_remove, false, true, "name:string removed:boolean tokens:array",
     "was:object?"},
    {weir_api_tokens, true, false, "name:string role:string added:time ends:time? used:time? "
     "by:string", NULL},
    {weir_api_token_add, false, true, "name:string role:string token:string",
     "name:string! role:string ends:integer"},
    {weir_api_token_remove, false, true, "name:string removed:boolean tokens:array", NULL},
    {weir_api_metrics, false, false, NULL, NULL},
    {weir_api_openapi, false, true, "openapi:string info:object paths:object", NULL},
};

const struct weir_api_shape *weir_api_shape(weir_api_function *run)
{
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (shapes[i].run == run)
            return &shapes[i];
    return NULL;
}

const char *weir_api_member(const char *text, struct weir_api_member *member_r)
{
    size_t name, type, len;

    text += strspn(text, " ");
    len = strcspn(text, " ");
    name = strcspn(text, ":");
    if (len == 0 || name >= len)
        return NULL;
    type = strspn(text + name + 1, "abcdefghijklmnopqrstuvwxyz");
    snprintf(member_r->name, sizeof member_r->name, "%.*s", (int)name, text);
    snprintf(member_r->type, sizeof member_r->type, "%.*s", (int)type, text + name + 1);
    member_r->nullable = text[len - 1] == '?';
    member_r->required = text[len - 1] == '!';
    return text + len;
}

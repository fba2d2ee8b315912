/*
 * view_accounts - who may use the console, as JSON.
 */
#include "monitor/view/view_accounts.h"

json_t *weir_view_account(const struct weir_account *account)
{
    return json_pack("{s:s, s:s, s:b, s:o, s:o, s:o}", "name", account->name, "role",
                     weir_role_name(account->role), "disabled", account->disabled, "added",
                     weir_view_time(account->added), "password_changed",
                     weir_view_time(account->changed), "last_login",
                     weir_view_time(account->last_login));
}

json_t *weir_view_token(const struct weir_token *token)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "name", token->name, "role",
                     weir_role_name(token->role), "added", weir_view_time(token->added), "ends",
                     weir_view_time(token->ends), "used", weir_view_time(token->used), "by",
                     weir_view_text(token->who));
}

json_t *weir_view_audit(const struct weir_audit *line)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o}", "number", (json_int_t)line->number, "time",
                     weir_view_time(line->time), "who", weir_view_text(line->who), "what",
                     weir_view_text(line->what), "detail", weir_view_text(line->detail));
}

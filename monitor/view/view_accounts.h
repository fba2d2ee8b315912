/*
 * view_accounts - users and tokens of the console as JSON (view.h): never a hash.
 */
#ifndef WEIR_VIEW_VIEW_ACCOUNTS_H
#define WEIR_VIEW_VIEW_ACCOUNTS_H

#include "monitor/database/database_accounts_io.h"
#include "monitor/database/database_audit_io.h"
#include "monitor/view/view.h"

json_t *weir_view_account(const struct weir_account *account);
json_t *weir_view_token(const struct weir_token *token);
json_t *weir_view_audit(const struct weir_audit *line);

#endif

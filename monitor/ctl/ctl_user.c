/*
 * ctl_user - weirctl user and token: who may use the console, people and programs.
 *
 * Passwords and tokens are made by the monitor and told once.  Lists are read from its database,
 * also while it does not run.  Owns nothing beyond a call.
 */
#include "monitor/ctl/ctl.h"

#include <string.h>

#include "monitor/console/accounts.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/database/database_accounts_io.h"
#include "monitor/view/view_accounts.h"

/* asking ---------------------------------------------------------------------------- */

/* The second argument, a role; a viewer where there is none.  NULL: it is none, told. */
static const char *role_of(struct weir_ctl *ctl)
{
    const char *role = ctl->arguments > 1 ? ctl->argument[1] : weir_role_name(WEIR_VIEWER);

    if (weir_role_of(role) != WEIR_NOBODY)
        return role;
    (void)weir_ctl_error(ctl, EX_USAGE, "%s is no role: viewer, analyst, administrator", role);
    return NULL;
}

/* Programs that are let in no more, either. */
static void print_ended(const json_t *tokens)
{
    const json_t *name;
    size_t i;

    json_array_foreach(tokens, i, name)
        printf("token %s ended with it\n", json_string_value(name));
}

/* Asks, and prints what is told once, or else a sentence. */
static int ask(struct weir_ctl *ctl, json_t *question, const char *secret, const char *then)
{
    json_t *answer = NULL;
    int code = weir_ctl_monitor_ask(ctl, question, &answer);
    const char *told = json_string_value(json_object_get(answer, secret));

    if (code == 0 && ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(ctl, answer);
    if (code == 0 && told) {
        puts(told);
        fprintf(stderr, "the %s of %s, told this once\n", secret, ctl->argument[0]);
    } else if (code == 0) {
        printf("%s is %s\n", ctl->argument[0], then);
        print_ended(json_object_get(answer, "tokens"));
    }
    json_decref(answer);
    return code;
}

int weir_ctl_user_add(struct weir_ctl *ctl)
{
    const char *role = role_of(ctl);
    int code = role ? weir_ctl_configure(ctl) : EX_USAGE;

    return code != 0 ? code
                     : ask(ctl, json_pack("{s:s, s:s, s:s}", "do", "user add", "name",
                                          ctl->argument[0], "role", role), "password", "");
}

int weir_ctl_user_password(struct weir_ctl *ctl)
{
    int code = weir_ctl_configure(ctl);

    return code != 0 ? code
                     : ask(ctl, json_pack("{s:s, s:s}", "do", "user password", "name",
                                          ctl->argument[0]), "password", "");
}

int weir_ctl_user_role(struct weir_ctl *ctl)
{
    const char *role = role_of(ctl);
    int code = role ? weir_ctl_configure(ctl) : EX_USAGE;

    return code != 0 ? code
                     : ask(ctl, json_pack("{s:s, s:s, s:s}", "do", "user set", "name",
                                          ctl->argument[0], "role", role), "", role);
}

/* disable, enable. */
int weir_ctl_user_able(struct weir_ctl *ctl)
{
    bool disable = strcmp(ctl->verb->name, "disable") == 0;
    int code = weir_ctl_configure(ctl);

    return code != 0 ? code
                     : ask(ctl, json_pack("{s:s, s:s, s:b}", "do", "user set", "name",
                                          ctl->argument[0], "disabled", disable), "",
                           disable ? "disabled, and all its sessions are over" : "enabled");
}

static int removes(struct weir_ctl *ctl, const char *verb, const char *then)
{
    int code = weir_ctl_configure(ctl);

    return code != 0 ? code
                     : ask(ctl, json_pack("{s:s, s:s}", "do", verb, "name", ctl->argument[0]), "",
                           then);
}

int weir_ctl_user_remove(struct weir_ctl *ctl)
{
    return removes(ctl, "user remove", "removed, and its sessions are over");
}

int weir_ctl_token_add(struct weir_ctl *ctl)
{
    const char *role = role_of(ctl);
    weir_time span = 0;
    int code = role ? weir_ctl_option_period(ctl, WEIR_CTL_FOR, &span) : EX_USAGE;
    json_int_t ends = span > 0 ? (json_int_t)((weir_ctl_now() + span) / WEIR_SECOND) : 0;

    if (code == 0)
        code = weir_ctl_configure(ctl);
    return code != 0 ? code
                     : ask(ctl, json_pack("{s:s, s:s, s:s, s:I}", "do", "token add", "name",
                                          ctl->argument[0], "role", role, "ends", ends),
                           "token", "");
}

int weir_ctl_token_remove(struct weir_ctl *ctl)
{
    return removes(ctl, "token remove", "removed: it opens nothing any more");
}

/* lists ------------------------------------------------------------------------------- */

struct listing {
    json_t *rows;                  /* of --json */
};

static const char *when(weir_time time, const char *never, char text[static WEIR_TIME_TEXT])
{
    return time ? weir_time_format(time, text) : never;
}

static int show_user(void *context, const struct weir_account *account)
{
    struct listing *listing = context;
    char added[WEIR_TIME_TEXT], login[WEIR_TIME_TEXT];

    if (listing->rows)
        return json_array_append_new(listing->rows, weir_view_account(account));
    printf("%-32s %-14s %-21s %-21s %s\n", account->name, weir_role_name(account->role),
           weir_time_format(account->added, added), when(account->last_login, "never", login),
           account->disabled ? "disabled" : "");
    return ferror(stdout);
}

static int show_token(void *context, const struct weir_token *token)
{
    struct listing *listing = context;
    char added[WEIR_TIME_TEXT], ends[WEIR_TIME_TEXT], used[WEIR_TIME_TEXT];

    if (listing->rows)
        return json_array_append_new(listing->rows, weir_view_token(token));
    printf("%-32s %-14s %-21s %-21s %-21s %s\n", token->name, weir_role_name(token->role),
           weir_time_format(token->added, added), when(token->ends, "never", ends),
           when(token->used, "never", used), token->who);
    return ferror(stdout);
}

static int begin(struct weir_ctl *ctl, struct listing *listing, struct weir_database **database_r)
{
    listing->rows = ctl->option[WEIR_CTL_JSON] ? json_array() : NULL;
    return weir_ctl_monitor_database(ctl, database_r);
}

static int end(struct weir_ctl *ctl, struct listing *listing, struct weir_database *database,
               int code)
{
    weir_database_free(&database);
    if (code == 0 && listing->rows)
        return weir_ctl_json(ctl, listing->rows);
    json_decref(listing->rows);
    return code;
}

int weir_ctl_user_list(struct weir_ctl *ctl)
{
    struct listing listing;
    struct weir_database *database = NULL;
    int code = begin(ctl, &listing, &database);

    if (code == 0 && !listing.rows)
        printf("%-32s %-14s %-21s %-21s\n", "USER", "ROLE", "ADDED", "LAST LOGIN");
    if (code == 0)
        code = weir_ctl_monitor_read(ctl, database,
                                     weir_database_accounts(database, show_user, &listing));
    return end(ctl, &listing, database, code);
}

int weir_ctl_token_list(struct weir_ctl *ctl)
{
    struct listing listing;
    struct weir_database *database = NULL;
    int code = begin(ctl, &listing, &database);

    if (code == 0 && !listing.rows)
        printf("%-32s %-14s %-21s %-21s %-21s %s\n", "TOKEN", "ROLE", "ADDED", "ENDS", "USED",
               "MADE BY");
    if (code == 0)
        code = weir_ctl_monitor_read(ctl, database,
                                     weir_database_tokens(database, show_token, &listing));
    return end(ctl, &listing, database, code);
}

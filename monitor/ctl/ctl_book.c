/*
 * ctl_book - opens the rulebook, and names what is not in it by the set at work here.
 */
#include "monitor/ctl/ctl_book.h"

#include <stdlib.h>

#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_rules.h"

/* Names of what is not in the book: by the set at work here, or Weir's own. */
static const char *name_stranger(struct weir_book *book, const struct weir_rules *rules,
                                 uint32_t id)
{
    const char *own = weir_rule_own_name(id), *name;
    struct weir_rule rule;

    if (own)
        return own;
    if (rules && weir_rules_find(rules, id, &rule))
        name = weir_arena_copy(book->arena, rule.name.at, rule.name.len);
    else
        name = id == 0 ? "all others" : weir_arena_printf(book->arena, "number %u", id);
    return name ? name : "";
}

static int name_strangers(struct weir_ctl *ctl, struct weir_book *book)
{
    struct weir_ctl_rules set;
    int code = weir_ctl_rules_open(ctl, &set);

    for (size_t i = 0; code == 0 && i < book->rules; i++) {
        struct weir_book_rule *rule = &book->rule[i];
        struct weir_rule at_work;

        if (rule->in_book)
            continue;
        rule->is.name = name_stranger(book, set.rules, rule->is.id);
        rule->is.state = WEIR_RULE_LOCKED;
        if (set.rules && weir_rules_find(set.rules, rule->is.id, &at_work))
            rule->is.score = rule->is.base = weir_rule_points((double)at_work.score);
    }
    if (code == 0)
        weir_ctl_rules_close(&set);
    return code;
}

int weir_ctl_book_open(struct weir_ctl *ctl, bool strangers, struct weir_book *book)
{
    struct weir_database *database = NULL;
    int code = weir_ctl_monitor_database(ctl, &database);
    const struct weir_book_settings settings = {
        .idle = ctl->config.analyzer_idle, .trial = ctl->config.analyzer_trial,
        .false_positives = (unsigned)ctl->config.analyzer_false_positives,
        .people = (unsigned)ctl->config.analyzer_people, .spam_score = ctl->config.spam_score,
        .server_share = ctl->config.analyzer_server_share, .strangers = strangers};

    *book = (struct weir_book){.rule = NULL};
    if (code == 0)
        code = weir_ctl_monitor_read(ctl, database, weir_book_read(book, &settings, database,
                                                                   ctl->arena, weir_ctl_now()));
    book->database = database;
    if (code == 0 && strangers) {
        code = name_strangers(ctl, book);
        weir_book_weigh(book);
    }
    return code;
}

void weir_ctl_book_close(struct weir_book *book)
{
    weir_database_free(&book->database);
    weir_book_close(book);
}

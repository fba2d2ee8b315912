/*
 * ctl_book_list - weirctl rules list --book: the rulebook with what its rules hit, sorted and
 * chosen by any of it.
 */
#include <string.h>

#include "monitor/ctl/ctl_book.h"
#include "monitor/ctl/ctl_rulebook.h"

/* --state and --idle are conditions, too. */
static int add_conditions(struct weir_ctl *ctl)
{
    const char *where = ctl->option[WEIR_CTL_WHERE], *state = ctl->option[WEIR_CTL_STATE];
    const char *idle = ctl->option[WEIR_CTL_IDLE];
    unsigned unused;
    weir_time period;
    int code = weir_ctl_option_word(ctl, WEIR_CTL_STATE, weir_ctl_states, &unused);

    code = code != 0 ? code : weir_ctl_option_period(ctl, WEIR_CTL_IDLE, &period);
    if (code != 0 || (!state && !idle))
        return code;
    ctl->option[WEIR_CTL_WHERE] = weir_arena_printf(
        ctl->arena, "%s%s%s%s%s%s%s", where ? where : "", where ? "," : "",
        state ? "state=" : "", state ? state : "", state && idle ? "," : "",
        idle ? "idle>=" : "", idle ? idle : "");
    return ctl->option[WEIR_CTL_WHERE] ? 0 : weir_ctl_error(ctl, EX_OSERR, "memory is short");
}

int weir_ctl_book_list(struct weir_ctl *ctl)
{
    struct weir_book book = {.rule = NULL};
    struct weir_table table = weir_book_table(&book);
    int code = weir_ctl_configure(ctl);

    if (code == 0)
        code = add_conditions(ctl);
    if (code == 0)
        code = weir_ctl_table_check(ctl, &table);
    if (code == 0)
        code = weir_ctl_book_open(ctl, false, &book);
    if (code == 0) {
        table = weir_book_table(&book);
        code = weir_ctl_table_choose(ctl, &table);
    }
    if (code == 0)
        code = weir_ctl_table_show(ctl, &table);
    weir_ctl_book_close(&book);
    return code;
}

/*
 * ctl_table_choice - --sort, --where and --most of a table.
 */
#include "monitor/ctl/ctl_table.h"

#include "core/base/error.h"

static struct weir_table_choice choice_of(const struct weir_ctl *ctl)
{
    return (struct weir_table_choice){.sort = ctl->option[WEIR_CTL_SORT],
                                      .where = ctl->option[WEIR_CTL_WHERE]};
}

static int tell(struct weir_ctl *ctl, int rc, const char *why)
{
    return rc == 0             ? 0
           : rc == WEIR_ENOMEM ? weir_ctl_error(ctl, EX_OSERR, "memory is short")
                               : weir_ctl_error(ctl, EX_USAGE, "--%s", why);
}

int weir_ctl_table_check(struct weir_ctl *ctl, const struct weir_table *table)
{
    const struct weir_table_choice choice = choice_of(ctl);
    char why[WEIR_TABLE_WHY];
    unsigned most = 0;
    int code = weir_ctl_option_count(ctl, WEIR_CTL_MOST, WEIR_RULES_MAX, &most);

    if (code == 0 && ctl->option[WEIR_CTL_CSV] && ctl->option[WEIR_CTL_JSON])
        code = weir_ctl_error(ctl, EX_USAGE, "--csv or --json");
    return code != 0 ? code : tell(ctl, weir_table_check(table, &choice, ctl->arena, why), why);
}

int weir_ctl_table_choose(struct weir_ctl *ctl, struct weir_table *table)
{
    const struct weir_table_choice choice = choice_of(ctl);
    char why[WEIR_TABLE_WHY];
    int code = weir_ctl_table_check(ctl, table);

    return code != 0 ? code : tell(ctl, weir_table_choose(table, &choice, ctl->arena, why), why);
}

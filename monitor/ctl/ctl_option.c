/*
 * ctl_option - values of options and arguments that several verbs read the same way.
 *
 * Owns nothing.  What is wrong is told with the option's name and what it should look like.
 */
#include "monitor/ctl/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/ctl/ctl_entries.h"


int weir_ctl_option_text(struct weir_ctl *ctl, enum weir_ctl_option letter, char *text,
                         size_t most)
{
    const char *given = ctl->option[letter], *name = weir_ctl_option_name(letter);

    if (!given)
        return 0;
    if (strlen(given) > most)
        return weir_ctl_error(ctl, EX_USAGE, "--%s is longer than %zu octets", name, most);
    for (const unsigned char *c = (const unsigned char *)given; *c != '\0'; c++)
        if (*c < ' ' || *c == 0x7f)
            return weir_ctl_error(ctl, EX_USAGE, "--%s has a control character", name);
    strcpy(text, given);
    return 0;
}

int weir_ctl_argument_number(struct weir_ctl *ctl, const char *what, const char *shown,
                             long long *number_r)
{
    long long number;
    char *end;

    errno = 0;
    number = strtoll(ctl->argument[0], &end, 10);
    if (errno != 0 || *end != '\0' || number < 1)
        return weir_ctl_error(ctl, EX_USAGE, "%s: not the number of %s, as weirctl %s shows it",
                              ctl->argument[0], what, shown);
    *number_r = number;
    return 0;
}

int weir_ctl_option_period(struct weir_ctl *ctl, enum weir_ctl_option letter, weir_time *period)
{
    const char *given = ctl->option[letter];

    if (given && (weir_ctl_period_parse(given, period) != 0 || *period == 0))
        return weir_ctl_error(ctl, EX_USAGE, "--%s %s: not a span such as 4h or 30d",
                              weir_ctl_option_name(letter), given);
    return 0;
}

int weir_ctl_option_count(struct weir_ctl *ctl, enum weir_ctl_option letter, unsigned most,
                          unsigned *count)
{
    const char *given = ctl->option[letter];
    size_t digits = given ? strspn(given, "0123456789") : 0;
    unsigned long number = digits > 0 && digits < 10 ? strtoul(given, NULL, 10) : 0;

    if (given && (given[digits] != '\0' || number < 1 || number > most))
        return weir_ctl_error(ctl, EX_USAGE, "--%s %s: not a number within 1..%u",
                              weir_ctl_option_name(letter), given, most);
    if (given)
        *count = (unsigned)number;
    return 0;
}

int weir_ctl_option_word(struct weir_ctl *ctl, enum weir_ctl_option letter,
                         const char *const *words, unsigned *number)
{
    const char *given = ctl->option[letter];
    char known[256] = "";

    if (!given)
        return 0;
    for (unsigned i = 0; words[i]; i++) {
        size_t len = strlen(known);
        if (strcmp(given, words[i]) == 0) {
            *number = i;
            return 0;
        }
        snprintf(known + len, sizeof known - len, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    return weir_ctl_error(ctl, EX_USAGE, "--%s %s: not one of %s", weir_ctl_option_name(letter),
                          given, known);
}

int weir_ctl_argument_prefix(struct weir_ctl *ctl, struct weir_prefix *prefix_r)
{
    const char *text = ctl->argument[0], *why = "not an address or prefix";

    if (weir_prefix_parse(text, strlen(text), prefix_r, &why) == 0)
        return 0;
    return weir_ctl_error(ctl, EX_USAGE, "%s: %s", text, why);
}

int weir_ctl_argument_narrow(struct weir_ctl *ctl, struct weir_prefix *prefix_r)
{
    int code = weir_ctl_argument_prefix(ctl, prefix_r);

    if (code == 0 && weir_prefix_too_wide(prefix_r))
        code = weir_ctl_error(ctl, EX_DATAERR, "%s: " WEIR_CTL_TOO_WIDE, ctl->argument[0]);
    return code;
}

bool weir_ctl_touches(const struct weir_prefix *a, const struct weir_prefix *b)
{
    return weir_prefix_contains(a->bits < b->bits ? a : b,
                                a->bits < b->bits ? &b->address : &a->address);
}

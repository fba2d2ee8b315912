/*
 * ctl_terminal - what the standard output is like.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "monitor/ctl/ctl_table.h"

#define WIDTH 80 /* of a terminal that does not say */

size_t weir_ctl_terminal_width(void)
{
    struct winsize size = {.ws_col = 0};

    if (!isatty(STDOUT_FILENO))
        return 0;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return WIDTH;
    return size.ws_col;
}

bool weir_ctl_terminal_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *terminal = getenv("TERM"), *locale = NULL;

    for (size_t i = 0; i < 3 && (!locale || !locale[0]); i++)
        locale = getenv(names[i]);
    if (!locale || (terminal && strcmp(terminal, "dumb") == 0))
        return false;
    return strcasestr(locale, "utf-8") || strcasestr(locale, "utf8");
}

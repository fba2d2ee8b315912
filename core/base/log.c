/*
 * Makes one clean line and hands it to the sink.  The line lives on the stack
 * and dies with the call.  Refuses control characters, the eight-bit ones
 * (C1, in UTF-8) too: a terminal would obey them.
 */
#include "core/base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/base/limits.h"

static void replace_controls(char *line)
{
    for (unsigned char *c = (unsigned char *)line; *c; c++) {
        if (*c < 0x20 || *c == 0x7f)
            *c = '?';
        else if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
            c[0] = c[1] = '?';
    }
}

/* Ends a line that was too long in "..." and not within a UTF-8 character. */
static void mark_cut(char *line)
{
    static const char mark[] = "...";
    size_t at = WEIR_LOG_LINE_MAX - strlen(mark);
    while (at > 0 && ((unsigned char)line[at] & 0xc0) == 0x80)
        at--;
    memcpy(line + at, mark, sizeof(mark));
}

void weir_log(const struct weir_log *log, enum weir_log_level level, const char *format, ...)
{
    if (!log || !log->write || level > log->most)
        return;
    char line[WEIR_LOG_LINE_MAX + 1];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (len < 0)
        return;
    if ((size_t)len >= sizeof(line))
        mark_cut(line);
    replace_controls(line);
    log->write(log->context, level, line);
}

/* next is the time at which the lines let through so far would be due at one
 * an interval; it may run ahead of now by a burst.  Further ahead than that it
 * can only be when the clock was set back: then the count starts anew. */
void weir_log_problem(void *log, const char *file, unsigned line, const char *why)
{
    if (line > 0)
        weir_log(log, WEIR_LOG_ERROR, "%s:%u: %s", file, line, why);
    else
        weir_log(log, WEIR_LOG_ERROR, "%s: %s", file, why);
}

int weir_log_gate_open(struct weir_log_gate *gate, weir_time now, weir_time interval,
                       unsigned *held_r)
{
    weir_time ahead = gate->next - now;
    if (ahead < 0 || ahead > WEIR_LOG_BURST * interval)
        ahead = 0;
    if (ahead > (WEIR_LOG_BURST - 1) * interval) {
        gate->held++;
        return 0;
    }
    gate->next = now + ahead + interval;
    *held_r = gate->held;
    gate->held = 0;
    return 1;
}

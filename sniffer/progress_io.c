/* progress - a line that is written over and over; nothing at all where nobody watches. */
#include "sniffer/progress_io.h"

#include <stdio.h>
#include <unistd.h>

enum { WIDTH = 30 };

static weir_time steady(void)
{
    struct weir_clock clock = weir_clock_steady();

    return weir_clock_now(&clock);
}

struct weir_progress weir_progress_begin(const char *what, uint64_t total)
{
    return (struct weir_progress){.what = what, .total = total, .shown = steady(),
                                  .terminal = isatty(STDERR_FILENO) == 1};
}

static void show(const struct weir_progress *progress, uint64_t done)
{
    static const char full[] = "##############################";
    double part = progress->total > 0 ? (double)done / (double)progress->total : 0;
    int len = part < 1 ? (int)(part * WIDTH) : WIDTH;

    if (progress->total > 0)
        fprintf(stderr, "\r\33[K[%.*s%*s] %3.0f %%  %s", len, full, WIDTH - len, "",
                part < 1 ? 100 * part : 100, progress->what);
    else
        fprintf(stderr, "\r\33[K%.1f MB  %s", (double)done / 1e6, progress->what);
    fflush(stderr);
}

void weir_progress_step(struct weir_progress *progress, uint64_t done)
{
    weir_time now;

    if (!progress->terminal)
        return;
    now = steady();
    if (now < progress->shown + (progress->on ? WEIR_SECOND / 10 : WEIR_SECOND))
        return;
    progress->shown = now;
    progress->on = true;
    show(progress, done);
}

void weir_progress_wipe(struct weir_progress *progress)
{
    if (progress->on)
        fputs("\r\33[K", stderr);
    progress->on = false;
}

/*
 * ctl_output - how weirctl shows things.
 *
 * JSON goes to the standard output alone, so that it can be piped; the bar and
 * all complaints go to the standard error.  The bar looks at the clock only now and then,
 * so that it costs nothing.
 */
#include "monitor/ctl/ctl_output.h"

#include <errno.h>
#include <string.h>

#define BAR_WIDTH 30
#define BAR_EVERY (100 * 1000)  /* microseconds between two pictures */
#define BAR_LOOK 64             /* steps between two looks at the clock */

int weir_ctl_json(struct weir_ctl *ctl, json_t *value)
{
    const size_t flags = JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15);
    if (value == NULL || json_dumpf(value, stdout, flags) != 0) {
        json_decref(value);
        return ferror(stdout) ? 0 : weir_ctl_error(ctl, EX_OSERR, "memory is short");
    }
    json_decref(value);
    putchar('\n');
    return 0;
}

const char *weir_ctl_what(const struct weir_list_entry *entry, char buffer[static WEIR_CTL_TEXT])
{
    if (entry->is_domain)
        snprintf(buffer, WEIR_CTL_TEXT, "%s", entry->domain);
    else
        weir_prefix_format(&entry->prefix, buffer);
    return buffer;
}

static bool ended(const struct weir_list_entry *entry, weir_time now)
{
    return entry->ends != 0 && entry->ends <= now;
}

const char *weir_ctl_ends(const struct weir_list_entry *entry, weir_time now,
                          char buffer[static WEIR_CTL_TEXT])
{
    char text[WEIR_TIME_TEXT];
    if (entry->ends == 0)
        return strcpy(buffer, "for ever");
    snprintf(buffer, WEIR_CTL_TEXT, "%s %s", ended(entry, now) ? "ended" : "until",
             weir_time_format(entry->ends, text));
    return buffer;
}

json_t *weir_ctl_json_entry(enum weir_list list, const struct weir_list_entry *entry,
                            weir_time now)
{
    char text[WEIR_CTL_TEXT];
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:b, s:o, s:o}", "entry", weir_ctl_what(entry, text),
                  "kind", entry->is_domain ? "domain" : "prefix", "list", weir_list_name(list),
                  "added", weir_ctl_json_time(entry->added), "ends",
                  weir_ctl_json_time(entry->ends), "ended", ended(entry, now), "origin",
                  weir_ctl_json_text(entry->origin, strlen(entry->origin)), "reason",
                  weir_ctl_json_text(entry->reason, strlen(entry->reason)));
    if (list == WEIR_LIST_BLACK)
        json_object_set_new(json, "defer", json_boolean(entry->defer));
    if (list == WEIR_LIST_SCORE)
        json_object_set_new(json, "points", json_real(entry->points));
    return json;
}

const char *weir_ctl_list_words(enum weir_list list)
{
    static const char *const words[WEIR_LISTS] = {"never list", "acceptable list", "blacklist",
                                                  "list of scores"};
    return words[list];
}

const char *weir_ctl_bytes(uint64_t bytes, char buffer[static WEIR_CTL_TEXT])
{
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB"};
    double value = (double)bytes;
    size_t i = 0;
    for (; value >= 1024 && i < 4; i++)
        value /= 1024;
    snprintf(buffer, WEIR_CTL_TEXT, i == 0 ? "%.0f %s" : "%.1f %s", value, unit[i]);
    return buffer;
}

/* Progress. ------------------------------------------------------------------ */

static weir_time steady(void)
{
    struct weir_clock clock = weir_clock_steady();
    return weir_clock_now(&clock);
}

struct weir_ctl_progress weir_ctl_progress(struct weir_ctl *ctl, const char *steps_are)
{
    weir_time now = steady();
    return (struct weir_ctl_progress){
        .ctl = ctl, .steps_are = steps_are, .started = now, .shown = now,
        .terminal = weir_ctl_terminal()};
}

static void draw(struct weir_ctl_progress *progress, uint64_t done, uint64_t total, weir_time now)
{
    static const char full[] = "##############################";
    double seconds = (double)(now - progress->started) / (double)WEIR_SECOND;
    double share = total > 0 ? (double)done / (double)total : 0;
    int marks = (int)(BAR_WIDTH * (share > 1 ? 1 : share));
    if (total > 0)
        fprintf(stderr, "\r[%-*.*s] %3.0f %% ", BAR_WIDTH, marks, full, 100 * share);
    else
        fputc('\r', stderr);
    fprintf(stderr, "%llu %s, %.0f a second\033[K", (unsigned long long)progress->steps,
            progress->steps_are, seconds > 0 ? (double)progress->steps / seconds : 0);
    fflush(stderr);
    progress->ctl->bar = true;
    progress->shown = now;
}

void weir_ctl_progress_step(struct weir_ctl_progress *progress, uint64_t done, uint64_t total)
{
    progress->steps++;
    if (!progress->terminal || progress->steps % BAR_LOOK != 0)
        return;
    weir_time now = steady();
    if (now - progress->shown >= BAR_EVERY)
        draw(progress, done, total, now);
}

double weir_ctl_progress_end(struct weir_ctl_progress *progress)
{
    if (progress->ctl->bar)
        fputs("\r\033[K", stderr);
    progress->ctl->bar = false;
    return (double)(steady() - progress->started) / (double)WEIR_SECOND;
}

int weir_ctl_end(struct weir_ctl *ctl, int code)
{
    bool failed = fflush(stdout) != 0 || ferror(stdout);
    if (failed && errno != EPIPE)
        return weir_ctl_error(ctl, EX_IOERR, "the output could not be written: %s",
                              strerror(errno));
    return code;
}

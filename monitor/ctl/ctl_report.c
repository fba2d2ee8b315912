/*
 * ctl_report - weirctl report spam|ham: what a person says about messages, from files, a pipe of a
 * mail reader, an alias or a folder's script.
 *
 * A mail server that pipes mail in sends it back to who wrote it when a program fails for good: so
 * whatever is our trouble is to be tried again, and what cannot be verified is no failure.
 */
#include "monitor/ctl/ctl_report.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_judgement.h"
#include "monitor/ctl/ctl_output.h"

#define ARENA (1u << 16)

struct run {
    struct weir_ctl_report report;
    enum weir_report_way wish;
    bool spam;                   /* what the command says */
    struct weir_arena *arena;    /* of a file */
    struct weir_arena *one;      /* of a message in it */
    const char *name;            /* of the file */
    json_t *rows;                /* of --json, or NULL */
};

/* Showing. --------------------------------------------------------------------- */

static const char *voted_name(enum weir_ctl_voted voted)
{
    static const char *const name[] = {"none", "counted", "replaced", "repeated", "taken-back",
                                       "not-there"};

    return name[voted];
}

static json_t *as_json(const struct run *run, const struct weir_ctl_report_item *item)
{
    char uid[24];

    snprintf(uid, sizeof uid, "%016llx", (unsigned long long)item->info.uid);
    return json_pack("{s:o, s:s, s:s, s:s, s:o, s:s, s:s, s:b, s:I, s:o, s:o, s:o}", "file",
                     weir_ctl_json_text(run->name, strlen(run->name)), "report",
                     item->spam ? "spam" : "ham", "way", weir_report_way_name(item->way), "state",
                     weir_ctl_report_state(item), "user",
                     item->user.len ? weir_ctl_json_text(item->user.at, item->user.len)
                                    : json_null(),
                     "told", item->told, "reputation", voted_name(item->voted), "sent",
                     run->report.spool != NULL, "text", (json_int_t)item->text, "uid",
                     item->has_info ? json_string(uid) : json_null(), "verdict",
                     item->has_info
                         ? json_string(weir_verdict_name((enum weir_verdict)item->info.verdict))
                         : json_null(),
                     "score",
                     item->has_info ? weir_ctl_json_points(item->info.score) : json_null());
}

static void show(struct run *run, const struct weir_ctl_report_item *item)
{
    const char *said = run->report.back ? "taken back: " : "", *kind = item->spam ? "spam" : "ham";
    char time[WEIR_TIME_TEXT];

    if (run->rows) {
        json_array_append_new(run->rows, as_json(run, item));
        return;
    }
    if (item->has_info)
        printf("%s%s: %s, message %016llx, judged %s with %.2f points at %s%s%s\n", said, kind,
               weir_ctl_report_state(item), (unsigned long long)item->info.uid,
               weir_verdict_name((enum weir_verdict)item->info.verdict), (double)item->info.score,
               weir_time_format(item->info.at, time),
               item->voted != WEIR_CTL_VOTED_NOT ? "; reputation: " : "",
               item->voted != WEIR_CTL_VOTED_NOT ? voted_name(item->voted) : "");
    else
        printf("%s%s: %s, so that it changes nothing by itself\n", said, kind,
               weir_ctl_report_state(item));
}

/* Doing. ------------------------------------------------------------------------ */

static bool says_spam(const struct run *run, const struct weir_report *found)
{
    return found->said == WEIR_REPORT_NOTHING ? run->spam : found->said == WEIR_REPORT_SPAM;
}

static int report_one(struct run *run, const struct weir_report *found, struct weir_slice octets)
{
    const char *user = run->report.ctl->option[WEIR_CTL_USER];
    struct weir_ctl_report_item item = {.spam = says_spam(run, found), .way = found->way};
    int code;

    item.user = weir_slice_trim(user ? weir_slice_of(user) : found->from);
    item.told = item.user.len == 0 ? "nobody" : user ? "option" : "from";
    weir_arena_reset(run->one, 1u << 20);
    code = weir_ctl_report_one(&run->report, octets, run->one, &item);
    if (code == 0)
        show(run, &item);
    return code;
}

/* A machine's opinion about something else is not a person's about the message. */
static int report_all(struct run *run, const struct weir_report *found)
{
    int code = 0;

    if (found->said == WEIR_REPORT_NO_OPINION) {
        if (!run->rows)
            puts("no opinion about a message: nothing is reported");
        return 0;
    }
    if (found->originals == 0)
        return report_one(run, found, (struct weir_slice){"", 0});
    for (size_t i = 0; i < found->originals && code == 0; i++)
        code = report_one(run, found, found->original[i].octets);
    if (code == 0 && found->more > 0)
        weir_ctl_error(run->report.ctl, 0, "%s: %zu messages more than %d: not reported",
                       run->name, found->more, WEIR_REPORT_ORIGINALS_MAX);
    return code;
}

static int report_file(struct run *run, struct weir_slice octets)
{
    struct weir_message message;
    struct weir_report found;
    int rc;

    weir_arena_reset(run->arena, 1u << 20);
    rc = weir_message_parse(octets.at, octets.len, run->arena, &message);
    if (rc == 0)
        rc = weir_report_read(&message, run->wish, run->arena, &found);
    return rc < 0 ? weir_ctl_error(run->report.ctl, EX_TEMPFAIL, "memory is short")
                  : report_all(run, &found);
}

static int report_files(struct run *run)
{
    struct weir_ctl *ctl = run->report.ctl;
    struct weir_ctl_files *files;
    struct weir_slice octets;
    int code = weir_ctl_files_open(ctl, ctl->argument, ctl->arguments, "", &files), got = 0;

    if (code != 0)
        return code == EX_OSERR ? EX_TEMPFAIL : code;
    while (code == 0 && (got = weir_ctl_files_next(files, &run->name, &octets)) == 1)
        code = report_file(run, octets);
    if (got < 0) {
        code = weir_ctl_files_error(ctl, run->name, got);
        code = strcmp(run->name, "stdin") == 0 ? EX_TEMPFAIL : code;
    }
    weir_ctl_files_free(&files);
    return code;
}

/* Who pipes mail in may have nobody listening: that is no trouble with the report. */
static void flush_words(void)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        clearerr(stdout);
}

int weir_ctl_report(struct weir_ctl *ctl)
{
    static const char *const ways[] = {"any", "itself", "attached", NULL};
    struct run run = {.report = {.ctl = ctl, .back = ctl->option[WEIR_CTL_TAKE_BACK] != NULL},
                      .spam = strcmp(ctl->verb->name, "spam") == 0};
    unsigned wish = 0;
    int code = weir_ctl_option_word(ctl, WEIR_CTL_WHAT, ways, &wish);

    if (code != 0)
        return code;
    run.wish = (enum weir_report_way)wish;
    run.arena = weir_arena_new(ARENA);
    run.one = weir_arena_new(ARENA);
    run.rows = ctl->option[WEIR_CTL_JSON] ? json_array() : NULL;
    code = run.arena && run.one ? weir_ctl_report_open(&run.report) : EX_TEMPFAIL;
    if (code == 0)
        code = report_files(&run);
    if (run.rows && (code == 0 || json_array_size(run.rows) > 0) &&
        weir_ctl_json(ctl, json_incref(run.rows)) != 0)
        code = EX_TEMPFAIL;
    if (ctl->arguments == 0)
        flush_words();
    json_decref(run.rows);
    weir_ctl_report_close(&run.report);
    weir_arena_free(&run.one);
    weir_arena_free(&run.arena);
    return code;
}

/*
 * ctl_vote_file - enters a log of votes.
 *
 * Many lines are read from the counters in one go and stored in one go.  Two
 * good mails of one group may not stand in one batch, since only the first of
 * them is the group's first.  A line that cannot be entered is told and left
 * out; the others are entered, so only the told ones need be given again.
 * Owns the batch.
 */
#include "monitor/ctl/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/ctl/ctl_input_io.h"
#include "monitor/ctl/ctl_judge.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/replay_line.h"

#define BATCH 64
#define CLOCKS_DIFFER (5 * WEIR_MINUTE)

struct waiting {
    struct weir_ctl_question question;
    struct weir_vote vote;
    weir_time when;
};

struct batch {
    struct weir_ctl *ctl;
    struct weir_ctl_input *input;
    weir_time now;
    size_t n;
    struct waiting waiting[BATCH];
    struct weir_reading reading[BATCH * WEIR_REPUTATION_READINGS];
    unsigned long from;          /* the line of the first that waits */
    unsigned long stored, bad;   /* lines */
};

/* The counter that tells whether a group is new; NULL when there is no domain. */
static const struct weir_entity *group_of(const struct weir_ctl_question *question)
{
    for (size_t i = 0; i < question->readings; i++) {
        const struct weir_counter *counter = &question->reading[i].counter;
        if (counter->variable == WEIR_GROUP_GOOD && counter->half_life == 0)
            return &counter->entity;
    }
    return NULL;
}

static bool group_waits(const struct batch *batch, const struct weir_ctl_question *question)
{
    const struct weir_entity *group = group_of(question);
    for (size_t i = 0; i < batch->n && group != NULL; i++) {
        const struct weir_entity *other = group_of(&batch->waiting[i].question);
        if (batch->waiting[i].vote.verdict == WEIR_VOTE_GOOD && other != NULL &&
            memcmp(group, other, sizeof *group) == 0)
            return true;
    }
    return false;
}

static void read_batch(struct batch *batch)
{
    size_t at = 0;
    for (size_t i = 0; i < batch->n; i++) {
        const struct weir_ctl_question *question = &batch->waiting[i].question;
        memcpy(batch->reading + at, question->reading, question->readings * sizeof *batch->reading);
        at += question->readings;
    }
    (void)weir_counters_read(batch->ctl->stores.counters, batch->now, batch->reading, at);
    at = 0;
    for (size_t i = 0; i < batch->n; i++) {
        struct weir_ctl_question *question = &batch->waiting[i].question;
        memcpy(question->reading, batch->reading + at, question->readings * sizeof *batch->reading);
        at += question->readings;
    }
}

/* Stores what waits.  0, or EX_TEMPFAIL. */
static int store(struct batch *batch)
{
    struct weir_counters *counters = batch->ctl->stores.counters;
    size_t lost = 0;
    int rc = 0;
    read_batch(batch);
    for (size_t i = 0; i < batch->n && rc == 0; i++) {
        const struct waiting *waiting = &batch->waiting[i];
        rc = weir_ctl_learn(batch->ctl, waiting->when, &waiting->question, waiting->vote, 1);
    }
    int flushed = weir_counters_flush(counters, &lost);
    rc = rc != 0 ? rc : flushed;
    if (rc != 0)
        return weir_ctl_error(batch->ctl, EX_TEMPFAIL, "%s: not stored from line %lu on: %s (%zu "
                              "counters lost); see weirctl status, and go on from there",
                              weir_ctl_input_name(batch->input), batch->from,
                              weir_error_text(rc), lost);
    batch->stored += batch->n;
    batch->n = 0;
    return 0;
}

static int take(struct batch *batch, const struct weir_replay_line *line)
{
    struct weir_ctl_question question;
    weir_ctl_plan(batch->ctl, &line->address, line->domain, line->authenticated, &question);
    bool clash = line->vote.verdict == WEIR_VOTE_GOOD && group_waits(batch, &question);
    int code = batch->n == BATCH || clash ? store(batch) : 0;
    if (code != 0)
        return code;
    struct waiting *waiting = &batch->waiting[batch->n];
    if (batch->n++ == 0)
        batch->from = weir_ctl_input_number(batch->input);
    weir_ctl_plan(batch->ctl, &line->address, line->domain, line->authenticated,
                  &waiting->question);
    waiting->vote = line->vote;
    waiting->when = line->time;
    return 0;
}

static int take_line(struct batch *batch, int got, struct weir_slice text)
{
    struct weir_replay_line line;
    const char *why = "the line is too long";
    batch->now = weir_ctl_now();
    if (got == 1 && weir_replay_line_parse(text.at, text.len, &line, &why) == 0)
        why = line.time > batch->now + CLOCKS_DIFFER ? "the time lies in the future" : NULL;
    if (why == NULL)
        return take(batch, &line);
    batch->bad++;
    weir_ctl_error_at(batch->ctl, batch->input, why);
    return 0;
}

static int take_all(struct batch *batch)
{
    struct weir_ctl_progress progress = weir_ctl_progress(batch->ctl);
    struct weir_slice text = {0};
    int got = 0, code = 0;
    while (code == 0 &&
           ((got = weir_ctl_input_line(batch->input, &text)) > 0 || got == WEIR_ELIMIT)) {
        code = take_line(batch, got, text);
        if (code == 0 && batch->n > 0 && !weir_ctl_input_ready(batch->input))
            code = store(batch); /* what feeds us may pause for hours */
        weir_ctl_progress_step(&progress, weir_ctl_input_done(batch->input),
                               weir_ctl_input_total(batch->input));
    }
    int error = errno;
    if (code == 0 && batch->n > 0)
        code = store(batch);
    weir_ctl_progress_end(&progress);
    if (code == 0 && got < 0)
        code = weir_ctl_error(batch->ctl, EX_IOERR, "%s: %s", weir_ctl_input_name(batch->input),
                              strerror(error));
    return code;
}

static int tell(struct batch *batch, int code)
{
    struct weir_ctl *ctl = batch->ctl;
    if (ctl->option[WEIR_CTL_JSON] != NULL)
        weir_ctl_json(ctl, json_pack("{s:I, s:I}", "stored", (json_int_t)batch->stored, "bad",
                                     (json_int_t)batch->bad));
    else
        printf("%lu votes stored, %lu lines left out\n", batch->stored, batch->bad);
    return code == 0 && batch->bad > 0 ? EX_DATAERR : code;
}

int weir_ctl_vote_file(struct weir_ctl *ctl, const char *path)
{
    struct batch *batch = NULL;
    struct weir_ctl_input *input = NULL;
    int code = weir_ctl_input_open(ctl, path, WEIR_REPLAY_LINE_MAX + 1, &input);
    if (code == 0)
        code = weir_ctl_open_votes(ctl);
    if (code == 0) {
        batch = calloc(1, sizeof *batch);
        code = batch == NULL ? weir_ctl_error(ctl, EX_OSERR, "memory is short") : 0;
    }
    if (code == 0) {
        batch->ctl = ctl;
        batch->input = input;
        code = take_all(batch);
        code = tell(batch, code);
    }
    free(batch);
    weir_ctl_input_free(&input);
    return code;
}

/*
 * ctl_vote_file - enters a log of votes.
 *
 * A line that cannot be entered is told and left out; the others are entered,
 * so only the told ones need be given again.  When the store fails, the line
 * from which on nothing was stored is told.
 */
#include "monitor/ctl/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/ctl/ctl_flow.h"
#include "monitor/ctl/ctl_input_io.h"
#include "monitor/ctl/ctl_output.h"

struct feed {
    struct weir_ctl *ctl;
    struct weir_ctl_input *input;
    struct weir_ctl_flow flow;
    unsigned long from; /* the line of the first that waits */
    unsigned long bad;
};

static int failed(struct feed *feed, int rc)
{
    return weir_ctl_error(feed->ctl, EX_TEMPFAIL, "%s: not stored from line %lu on: %s (%zu "
                          "counters lost); see weirctl status, and go on from there",
                          weir_ctl_input_name(feed->input), feed->from, weir_error_reason(rc),
                          feed->flow.lost);
}

static int enter(struct feed *feed, const struct weir_replay_line *line)
{
    struct weir_reputation unused;
    int rc = weir_ctl_flow_judge(feed->ctl, &feed->flow, line, &unused);
    if (feed->flow.waiting == 0)
        feed->from = weir_ctl_input_number(feed->input);
    if (rc == 0)
        rc = weir_ctl_flow_learn(feed->ctl, &feed->flow, line);
    return rc == 0 ? 0 : failed(feed, rc);
}

static int store(struct feed *feed)
{
    int rc = weir_ctl_flow_store(feed->ctl, &feed->flow);
    return rc == 0 ? 0 : failed(feed, rc);
}

static int take_line(struct feed *feed, int got, struct weir_slice text)
{
    struct weir_replay_line line;
    const char *why = "the line is too long";
    if (got == 1 && weir_replay_line_parse(text.at, text.len, &line, &why) == 0)
        why = line.time > weir_ctl_now() + WEIR_CTL_CLOCKS_DIFFER ? "the time lies in the future"
                                                                  : NULL;
    if (why == NULL)
        return enter(feed, &line);
    feed->bad++;
    weir_ctl_error_at(feed->ctl, feed->input, why);
    return 0;
}

static int take_all(struct feed *feed)
{
    struct weir_ctl_progress progress = weir_ctl_progress(feed->ctl, "lines");
    struct weir_slice text = {0};
    int got = 0, code = 0;
    while (code == 0 &&
           ((got = weir_ctl_input_line(feed->input, &text)) > 0 || got == WEIR_ELIMIT)) {
        code = take_line(feed, got, text);
        if (code == 0 && !weir_ctl_input_ready(feed->input))
            code = store(feed); /* whoever feeds us may pause for hours */
        weir_ctl_progress_step(&progress, weir_ctl_input_done(feed->input),
                               weir_ctl_input_total(feed->input));
    }
    weir_ctl_progress_end(&progress);
    if (code == 0 && got < 0)
        code = weir_ctl_error(feed->ctl, EX_IOERR, "%s: %s", weir_ctl_input_name(feed->input),
                              strerror(errno));
    return code;
}

static int tell(struct feed *feed, int code)
{
    struct weir_ctl *ctl = feed->ctl;
    if (ctl->option[WEIR_CTL_JSON] != NULL)
        weir_ctl_json(ctl, json_pack("{s:I, s:I}", "stored", (json_int_t)feed->flow.stored, "bad",
                                     (json_int_t)feed->bad));
    else
        printf("%lu votes stored, %lu lines left out\n", feed->flow.stored, feed->bad);
    return code == 0 && feed->bad > 0 ? EX_DATAERR : code;
}

int weir_ctl_vote_file(struct weir_ctl *ctl, const char *path)
{
    struct feed *feed = calloc(1, sizeof *feed);
    if (feed == NULL)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    feed->ctl = ctl;
    int code = weir_ctl_input_open(ctl, path, WEIR_REPLAY_LINE_MAX + 1, &feed->input);
    if (code == 0)
        code = weir_ctl_open_votes(ctl);
    if (code == 0)
        code = tell(feed, take_all(feed));
    weir_ctl_input_free(&feed->input);
    free(feed);
    return code;
}

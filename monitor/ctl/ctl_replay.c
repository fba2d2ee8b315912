/*
 * ctl_replay - judges a log line by line by what came before.
 *
 * Each line is judged with the counters as they are, then learned, in a store of
 * its own.  One line of JSON goes out for each line in, whatever stands in it,
 * so that the two can be laid side by side.  Owns the probabilities it keeps
 * for the summary.
 */
#include "monitor/ctl/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/ctl/ctl_flow.h"
#include "monitor/ctl/ctl_input_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_summary.h"

struct replay {
    struct weir_ctl *ctl;
    struct weir_ctl_progress progress;
    struct weir_ctl_summary summary;
    struct weir_ctl_flow flow;
};

/* Most text needs no escapes; jansson does the rest. */
static void print_text(const char *name, struct weir_slice text)
{
    bool plain = true;
    for (size_t i = 0; i < text.len && plain; i++)
        plain = text.at[i] >= ' ' && text.at[i] < 0x7f && text.at[i] != '"' && text.at[i] != '\\';
    printf(",\"%s\":", name);
    if (plain) {
        printf("\"%.*s\"", (int)text.len, text.at);
        return;
    }
    json_t *value = weir_ctl_json_text(text.at, text.len);
    if (value == NULL || json_dumpf(value, stdout, JSON_ENCODE_ANY) != 0)
        fputs("null", stdout);
    json_decref(value);
}

/* With all digits, so that no ranking is lost. */
static void print_number(const char *name, double number)
{
    char text[32];
    snprintf(text, sizeof text, "%.17g", number);
    printf("\"%s\":%s%s", name, text, strpbrk(text, ".e") != NULL ? "" : ".0");
}

static void print_judged(struct weir_ctl *ctl, const struct weir_replay_line *line,
                         const struct weir_reputation *reputation)
{
    putchar('{');
    if (line->whole)
        printf("\"time\":%.0f", line->seconds);
    else
        print_number("time", line->seconds);
    print_text("address", line->address_text);
    print_text("domain", line->domain_text);
    print_text("verdict", line->verdict_text);
    putchar(',');
    print_number("probability", reputation->probability);
    putchar(',');
    print_number("confidence", reputation->confidence);
    printf(",\"basis\":\"%s\",\"association\":\"%s\",\"forged\":%s,\"judged\":\"%s\"}\n",
           weir_basis_name(reputation->basis), weir_association_name(reputation->association),
           reputation->forged ? "true" : "false", weir_ctl_called(ctl, reputation));
}

static void refuse(struct replay *replay, const struct weir_ctl_input *input, const char *why)
{
    replay->summary.bad++;
    printf("{\"line\":%lu,\"error\":\"%s\"}\n", weir_ctl_input_number(input), why);
    weir_ctl_error_at(replay->ctl, input, why);
}

/* Judges, prints, learns.  0 or an exit code. */
static int judge(struct replay *replay, const struct weir_replay_line *line)
{
    struct weir_ctl *ctl = replay->ctl;
    struct weir_reputation reputation;
    int rc = weir_ctl_flow_judge(ctl, &replay->flow, line, &reputation);
    if (rc == 0) {
        print_judged(ctl, line, &reputation);
        rc = weir_ctl_flow_learn(ctl, &replay->flow, line);
    }
    if (rc != 0)
        return weir_ctl_error(ctl, EX_IOERR, "the scratch store failed (%s); is there room in "
                              "TMPDIR?", weir_error_reason(rc));
    if (!weir_ctl_summary_note(&replay->summary, line->vote.verdict, reputation.probability))
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    return 0;
}

static int take_line(struct replay *replay, const struct weir_ctl_input *input, int got,
                     struct weir_slice text)
{
    struct weir_replay_line line;
    const char *why = "the line is too long";
    if (got == 1 && weir_replay_line_parse(text.at, text.len, &line, &why) == 0)
        return judge(replay, &line);
    refuse(replay, input, why);
    return 0;
}

static int replay_file(struct replay *replay, const char *path)
{
    struct weir_ctl_input *input = NULL;
    int code = weir_ctl_input_open(replay->ctl, path, WEIR_REPLAY_LINE_MAX + 1, &input);
    int got = 0;
    struct weir_slice text;
    while (code == 0 && ((got = weir_ctl_input_line(input, &text)) > 0 || got == WEIR_ELIMIT)) {
        code = take_line(replay, input, got, text);
        if (!weir_ctl_input_ready(input))
            fflush(stdout); /* whoever feeds us may wait for the answer */
        weir_ctl_progress_step(&replay->progress, weir_ctl_input_done(input),
                               weir_ctl_input_total(input));
    }
    if (code == 0 && got < 0)
        code = weir_ctl_error(replay->ctl, EX_IOERR, "%s: %s", path, strerror(errno));
    weir_ctl_input_free(&input);
    return code;
}

int weir_ctl_replay(struct weir_ctl *ctl)
{
    int code = 0;
    /* That a name is wrong should not be found out after an hour. */
    for (int i = 0; i < ctl->arguments && code == 0; i++)
        code = weir_ctl_input_check(ctl, ctl->argument[i]);
    if (code == 0)
        code = weir_ctl_open_scratch(ctl);
    struct replay *replay = code == 0 ? calloc(1, sizeof *replay) : NULL;
    if (replay == NULL)
        return code != 0 ? code : weir_ctl_error(ctl, EX_OSERR, "memory is short");
    replay->ctl = ctl;
    replay->progress = weir_ctl_progress(ctl, "lines");
    replay->summary.detailed = ctl->option[WEIR_CTL_SUMMARY] != NULL;
    for (int i = 0; i < ctl->arguments && code == 0; i++)
        code = replay_file(replay, ctl->argument[i]);
    fflush(stdout);
    replay->summary.backwards = replay->flow.backwards;
    replay->summary.seconds = weir_ctl_progress_end(&replay->progress);
    weir_ctl_summary_print(&replay->summary, ctl->option[WEIR_CTL_JSON] != NULL, stderr);
    if (code == 0 && replay->summary.bad > 0)
        code = EX_DATAERR;
    weir_ctl_summary_free(&replay->summary);
    free(replay);
    return code;
}

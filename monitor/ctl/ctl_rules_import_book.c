/*
 * ctl_rules_import_book - weirctl rules import --book: files of SpamAssassin's (*.cf) and of our
 * own go into the monitor's rulebook, all that can be taken or nothing; history says from where.
 *
 * What is made of SpamAssassin's is one file of ours.  No rule of theirs gets more points than one
 * rule may have (score.h).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/analyzer/score.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_rulebook.h"
#include "monitor/ctl/ctl_rules_import.h"

#define MADE "rules made of SpamAssassin's"
#define RULE_TEXT (2 * WEIR_RULE_PATTERN_MAX)

struct booking {
    struct weir_ctl_import import;
    json_t *files, *origins;
    size_t cut;                 /* scores that were too high */
    char *text;                 /* the file that is made */
    size_t len;
    FILE *out;
};

/* Reading. ----------------------------------------------------------------------------- */

static bool ends_in(const char *name, const char *suffix)
{
    size_t len = strlen(name), end = strlen(suffix);

    return len >= end && strcmp(name + len - end, suffix) == 0;
}

/* A file of a folder, or one that was named, which is ours when it is not theirs. */
static int take_file(struct booking *booking, const char *name, struct weir_slice octets)
{
    struct weir_ctl *ctl = booking->import.ctl;
    bool named = false;

    if (ends_in(name, ".cf"))
        return weir_ctl_import_keep(&booking->import, name, octets);
    for (int i = 0; i < ctl->arguments; i++)
        named = named || strcmp(ctl->argument[i], name) == 0;
    return named || ends_in(name, ".rules")
               ? weir_ctl_rulebook_file(ctl, booking->files, name, octets) : 0;
}

static int read_files(struct booking *booking)
{
    struct weir_ctl *ctl = booking->import.ctl;
    struct weir_ctl_files *files;
    struct weir_slice octets;
    const char *name;
    int code = weir_ctl_files_open(ctl, ctl->argument, ctl->arguments, "", &files), got = 1;

    if (code != 0)
        return code;
    booking->import.file = weir_arena_zero(ctl->arena, weir_ctl_files_count(files) + 1,
                                           sizeof *booking->import.file);
    if (!booking->import.file)
        code = weir_ctl_error(ctl, EX_OSERR, "memory is short");
    while (code == 0 && (got = weir_ctl_files_next(files, &name, &octets)) == 1)
        code = take_file(booking, name, octets);
    if (code == 0 && got < 0)
        code = weir_ctl_files_error(ctl, name, got);
    weir_ctl_files_free(&files);
    return code;
}

/* Making. --------------------------------------------------------------------------------- */

static void bound_score(struct booking *booking, struct weir_rule_source *rule)
{
    const struct weir_score_bounds bounds =
        weir_score_bounds(booking->import.ctl->config.spam_score);
    double score = fmax(bounds.low, fmin(bounds.high, (double)rule->score));

    booking->cut += score != (double)rule->score;
    rule->score = (float)score;
}

static int make_rule(struct booking *booking, struct weir_rule_source *rule, char *room)
{
    struct weir_line line = weir_line(room, RULE_TEXT);
    char name[WEIR_RULE_NAME_MAX + 1];

    bound_score(booking, rule);
    weir_rule_write(rule, &line);
    (void)weir_line_end(&line);
    if (line.cut)
        return weir_ctl_error(booking->import.ctl, EX_DATAERR, "%s:%u: too long to be written",
                              rule->file, rule->line);
    snprintf(name, sizeof name, "%.*s", (int)rule->name.len, rule->name.at);
    json_object_set_new(booking->origins, name, json_sprintf("%s:%u", rule->file,
                                                                    rule->line));
    fputs(room, booking->out);
    return 0;
}

static int make_all(struct booking *booking)
{
    struct weir_sa_import *result = &booking->import.result;
    char *room = malloc(RULE_TEXT);
    int code = 0;

    booking->out = open_memstream(&booking->text, &booking->len);
    if (!room || !booking->out)
        code = weir_ctl_error(booking->import.ctl, EX_OSERR, "memory is short");
    for (size_t i = 0; code == 0 && i < result->rules; i++)
        code = make_rule(booking, &result->rule[i], room);
    free(room);
    if (booking->out && fclose(booking->out) != 0 && code == 0)
        code = weir_ctl_error(booking->import.ctl, EX_OSERR, "memory is short");
    return code;
}

static int take_theirs(struct booking *booking)
{
    struct weir_ctl_import *import = &booking->import;
    int code;

    if (import->files == 0)
        return 0;
    if (weir_sa_import(import->file, import->files, import->ctl->arena, &import->result) < 0)
        return weir_ctl_error(import->ctl, EX_OSERR, "memory is short");
    code = make_all(booking);
    if (code == 0 && booking->len > 0)
        code = weir_ctl_rulebook_file(import->ctl, booking->files, MADE,
                                      (struct weir_slice){booking->text, booking->len});
    if (code == 0)
        weir_ctl_import_tell(&import->result);
    if (code == 0 && booking->cut > 0)
        fprintf(stderr, "%zu scores were cut to what one rule may have, +-%.2f\n", booking->cut,
                weir_score_bounds(import->ctl->config.spam_score).high);
    return code;
}

int weir_ctl_import_book(struct weir_ctl *ctl)
{
    struct booking booking = {.import = {.ctl = ctl}, .files = json_array(),
                              .origins = json_object()};
    unsigned state;
    int code = weir_ctl_option_word(ctl, WEIR_CTL_STATE, weir_ctl_states, &state);

    if (code == 0 && ctl->option[WEIR_CTL_OUTPUT])
        code = weir_ctl_error(ctl, EX_USAGE, "--output, or --book");
    if (code == 0)
        code = weir_ctl_configure(ctl);
    if (code == 0)
        code = read_files(&booking);
    if (code == 0)
        code = take_theirs(&booking);
    if (code == 0)
        code = weir_ctl_rulebook_send(ctl, booking.files, booking.origins);
    json_decref(booking.files);
    json_decref(booking.origins);
    free(booking.text);
    return code;
}

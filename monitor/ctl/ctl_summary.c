/*
 * ctl_summary - counts and the table of spam found against good mail flagged.
 *
 * A threshold lies between two probabilities that occurred; lines of equal
 * probability are flagged together or not at all, so that ties help nobody.
 */
#include "monitor/ctl/ctl_summary.h"

#include <jansson.h>
#include <stdlib.h>

static const double flagged[] = {0.001, 0.005, 0.01};
#define POINTS (sizeof flagged / sizeof flagged[0])

static bool append(struct weir_ctl_sample *sample, double value)
{
    if (sample->n == sample->room) {
        size_t room = sample->room > 0 ? 2 * sample->room : 4096;
        double *grown = reallocarray(sample->value, room, sizeof *grown);
        if (grown == NULL)
            return false;
        sample->value = grown;
        sample->room = room;
    }
    sample->value[sample->n++] = value;
    return true;
}

bool weir_ctl_summary_note(struct weir_ctl_summary *summary, enum weir_vote_verdict verdict,
                           double probability)
{
    summary->count[verdict]++;
    if (!summary->detailed || verdict == WEIR_VOTE_UNSURE)
        return true;
    return append(&summary->sample[verdict == WEIR_VOTE_GOOD], probability);
}

static int falling(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static void sort(struct weir_ctl_sample *sample)
{
    if (sample->n > 0)
        qsort(sample->value, sample->n, sizeof sample->value[0], falling);
}

double weir_ctl_summary_found(struct weir_ctl_summary *summary, double share,
                              double *threshold_r)
{
    struct weir_ctl_sample *spam = &summary->sample[0], *good = &summary->sample[1];
    size_t may = (size_t)(share * (double)good->n), found = 0;
    *threshold_r = 1;
    if (spam->n == 0 || good->n == 0)
        return 0;
    sort(spam);
    sort(good);
    *threshold_r = may < good->n ? good->value[may] : -1;
    while (found < spam->n && spam->value[found] > *threshold_r)
        found++;
    return (double)found / (double)spam->n;
}

static void print_text(struct weir_ctl_summary *summary, FILE *out)
{
    const uint64_t *count = summary->count;
    uint64_t all = count[0] + count[1] + count[2] + summary->bad;
    fprintf(out, "weirctl: %llu lines: %llu spam, %llu good, %llu unsure, %llu bad; %llu out of "
            "time order; %.0f a second\n", (unsigned long long)all,
            (unsigned long long)count[WEIR_VOTE_SPAM], (unsigned long long)count[WEIR_VOTE_GOOD],
            (unsigned long long)count[WEIR_VOTE_UNSURE], (unsigned long long)summary->bad,
            (unsigned long long)summary->backwards,
            summary->seconds > 0 ? (double)all / summary->seconds : 0);
    if (!summary->detailed)
        return;
    fputs("\n  good mail flagged   spam found   probability above\n", out);
    for (size_t i = 0; i < POINTS; i++) {
        double threshold, found = weir_ctl_summary_found(summary, flagged[i], &threshold);
        fprintf(out, "  %15.1f %%   %8.2f %%   %17.4f\n", 100 * flagged[i], 100 * found,
                threshold);
    }
}

static void print_json(struct weir_ctl_summary *summary, FILE *out)
{
    json_t *table = json_array();
    for (size_t i = 0; i < POINTS && summary->detailed; i++) {
        double threshold, found = weir_ctl_summary_found(summary, flagged[i], &threshold);
        json_array_append_new(table, json_pack("{s:f, s:f, s:f}", "good_flagged", flagged[i],
                                               "spam_found", found, "above", threshold));
    }
    json_t *all = json_pack("{s:I, s:I, s:I, s:I, s:I, s:f, s:o}", "spam",
                            (json_int_t)summary->count[WEIR_VOTE_SPAM], "good",
                            (json_int_t)summary->count[WEIR_VOTE_GOOD], "unsure",
                            (json_int_t)summary->count[WEIR_VOTE_UNSURE], "bad",
                            (json_int_t)summary->bad, "out_of_order",
                            (json_int_t)summary->backwards, "seconds", summary->seconds, "found",
                            table);
    if (all != NULL && json_dumpf(all, out, JSON_COMPACT) == 0)
        fputc('\n', out);
    json_decref(all);
}

void weir_ctl_summary_print(struct weir_ctl_summary *summary, bool json, FILE *out)
{
    if (json)
        print_json(summary, out);
    else
        print_text(summary, out);
}

void weir_ctl_summary_free(struct weir_ctl_summary *summary)
{
    for (size_t i = 0; i < 2; i++) {
        free(summary->sample[i].value);
        summary->sample[i] = (struct weir_ctl_sample){0};
    }
}

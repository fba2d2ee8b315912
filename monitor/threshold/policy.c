/*
 * policy - texts into prefixes and steps.  All prefixes lie in one array, which may move while
 * classes are added: so a class knows the number of its first, and is given the pointer at the end
 * of each addition.
 */
#include "monitor/threshold/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/threshold/ladder_text.h"

static int make_class(const struct weir_threshold *threshold, struct weir_watch_class *watch_r,
                      struct weir_ladder_class *ladder_r, const char **why_r)
{
    struct weir_watch_class watch = {.observe = threshold->observe};
    struct weir_ladder_class ladder = {.steps = 0};

    snprintf(watch.name, sizeof watch.name, "%s", threshold->name);
    snprintf(ladder.name, sizeof ladder.name, "%s", threshold->name);
    for (unsigned i = 0; i < WEIR_QUANTITIES; i++) {
        watch.limits.of[i] =
            (struct weir_limit){threshold->rate[i], threshold->maximum[i]};
        if (threshold->maximum[i] != 0 &&
            !(threshold->maximum[i] >= 1 && threshold->maximum[i] <= WEIR_BUCKET_TOKENS_MAX)) {
            *why_r = "a maximum is neither 0 (no limit) nor within 1..10000000";
            return WEIR_EINVAL;
        }
        if (!(threshold->rate[i] >= 0 && threshold->rate[i] <= WEIR_BUCKET_TOKENS_MAX)) {
            *why_r = "a rate is not within 0..10000000";
            return WEIR_EINVAL;
        }
    }
    if (weir_ladder_text_read(weir_slice_of(threshold->ladder), &ladder, why_r) < 0)
        return WEIR_EINVAL;
    *watch_r = watch;
    *ladder_r = ladder;
    return 0;
}

static int read_prefixes(const char *text, struct weir_prefix **prefix, size_t *count,
                         const char **why_r)
{
    struct weir_slice rest = weir_slice_of(text), word;

    while ((word = weir_slice_word(&rest)).len > 0) {
        struct weir_prefix *more = realloc(*prefix, (*count + 1) * sizeof **prefix);

        if (!more)
            return WEIR_ENOMEM;
        *prefix = more;
        if (weir_prefix_parse(word.at, word.len, &more[*count], why_r) < 0)
            return WEIR_EINVAL;
        if (weir_watch_own(&more[*count]).bits < more[*count].bits) {
            *why_r = "a prefix of IPv6 is longer than /64, which is counted as one address";
            return WEIR_EINVAL;
        }
        if (++*count > WEIR_WATCH_PREFIXES_MAX) {
            *why_r = "too many prefixes";
            return WEIR_ELIMIT;
        }
    }
    return 0;
}

/* Whether another class has a prefix from `before` on; the texts' length bounds how many. */
static bool shared(const struct weir_policy *policy, size_t before)
{
    for (size_t i = before; i < policy->prefixes; i++)
        for (size_t j = 0; j < before; j++)
            if (memcmp(&policy->prefix[i], &policy->prefix[j], sizeof policy->prefix[j]) == 0)
                return true;
    return false;
}

/* Points every class at its prefixes again: classes follow each other in the array. */
static void point(struct weir_policy *policy)
{
    size_t at = 0;

    for (size_t i = 0; i < policy->classes; i++) {
        policy->watch[i].prefixes = policy->watch[i].prefix_count ? policy->prefix + at : NULL;
        at += policy->watch[i].prefix_count;
    }
}

struct weir_threshold weir_policy_default(const struct weir_config *config)
{
    return (struct weir_threshold){
        .name = WEIR_POLICY_DEFAULT,
        .prefixes = "",
        .rate = {config->connections_rate, config->messages_rate, config->recipients_rate},
        .maximum = {(double)config->connections_most, (double)config->messages_most,
                    (double)config->recipients_most},
        .observe = config->threshold_observe,
        .ladder = config->threshold_ladder,
    };
}

int weir_policy_begin(const struct weir_config *config, struct weir_policy *policy_r,
                      const char **why_r)
{
    const struct weir_threshold fallback = weir_policy_default(config);

    *policy_r = (struct weir_policy){.classes = 1};
    return make_class(&fallback, &policy_r->watch[0], &policy_r->ladder[0], why_r);
}

_Static_assert(WEIR_WATCH_CLASSES_MAX == 64, "as a reason says");

int weir_policy_add(struct weir_policy *policy, const struct weir_threshold *threshold,
                    const char **why_r)
{
    bool is_default = weir_slice_trim(weir_slice_of(threshold->prefixes)).len == 0;
    size_t before = policy->prefixes, at = is_default ? 0 : policy->classes;
    int done;

    if (is_default != (strcmp(threshold->name, WEIR_POLICY_DEFAULT) == 0)) {
        *why_r = "the threshold called default, and no other, has no prefixes";
        return WEIR_EINVAL;
    }
    if (at == WEIR_WATCH_CLASSES_MAX) {
        *why_r = "there are as many thresholds as there can be: 64";
        return WEIR_ELIMIT;
    }
    done = make_class(threshold, &policy->watch[at], &policy->ladder[at], why_r);
    if (done == 0)
        done = read_prefixes(threshold->prefixes, &policy->prefix, &policy->prefixes, why_r);
    if (done == 0 && shared(policy, before)) {
        *why_r = "one of its prefixes is another threshold's already";
        done = WEIR_EINVAL;
    }
    if (done < 0) {
        policy->prefixes = before;
    } else {
        policy->watch[at].prefix_count = policy->prefixes - before;
        policy->classes += !is_default;
    }
    point(policy); /* they may have moved, also when they were refused in the end */
    return done;
}

bool weir_threshold_name_fit(struct weir_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i], low = (char)(c | 0x20);

        if (!weir_is_digit(c) && (low < 'a' || low > 'z') && (c == '\0' || !strchr("-_.", c)))
            return false;
    }
    return name.len > 0 && name.len <= WEIR_THRESHOLD_NAME_MAX;
}

int weir_policy_check(const struct weir_threshold *threshold, const char **why_r)
{
    struct weir_policy policy = {.classes = 1};
    int done;

    if (!weir_threshold_name_fit(weir_slice_of(threshold->name))) {
        *why_r = "a threshold's name has " WEIR_THRESHOLD_NAME;
        return WEIR_EINVAL;
    }
    done = weir_policy_add(&policy, threshold, why_r);

    weir_policy_free(&policy);
    return done;
}

void weir_policy_free(struct weir_policy *policy)
{
    free(policy->prefix);
    *policy = (struct weir_policy){0};
}

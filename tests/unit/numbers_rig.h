/*
 * numbers_rig - a folder of numbers, handles on them whose clock the test moves, and what a reader
 * finds there.
 */
#ifndef WEIR_TESTS_NUMBERS_RIG_H
#define WEIR_TESTS_NUMBERS_RIG_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/judge.h"
#include "core/engine/numbers_impl.h"
#include "core/engine/numbers_io.h"

#define IS "weir-milter"

struct rig {
    char folder[64], numbers[128], path[160], elsewhere[160];
    struct weir_config config;
    unsigned warnings, told; /* lines: warnings, and what is to be known */
    char last[512];          /* of these lines the last one */
    struct weir_log log;
    weir_time hand;
};

static inline void count_line(void *context, enum weir_log_level level, const char *line)
{
    struct rig *rig = context;

    if (level <= WEIR_LOG_INFO)
        snprintf(rig->last, sizeof rig->last, "%s", line);
    rig->warnings += level <= WEIR_LOG_WARNING;
    rig->told += level == WEIR_LOG_INFO;
}

static inline int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);

    assert_non_null(rig);
    strcpy(rig->folder, "/tmp/weir-numbers-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    snprintf(rig->numbers, sizeof rig->numbers, "%s/numbers", rig->folder);
    snprintf(rig->path, sizeof rig->path, "%s/" IS, rig->numbers);
    snprintf(rig->elsewhere, sizeof rig->elsewhere, "%s/elsewhere", rig->folder);
    rig->config = (struct weir_config){.state_directory = rig->folder, .numbers_folder = "numbers"};
    rig->log = (struct weir_log){.write = count_line, .context = rig, .most = WEIR_LOG_DEBUG};
    *state = rig;
    return 0;
}

static inline int teardown(void **state)
{
    struct rig *rig = *state;
    char command[256];

    snprintf(command, sizeof command, "rm -rf '%s'", rig->folder);
    assert_int_equal(system(command), 0);
    free(rig);
    return 0;
}

static inline struct weir_numbers *opened(struct rig *rig, bool lives)
{
    struct weir_numbers *numbers = NULL;

    assert_int_equal(weir_numbers_open(&rig->config, WEIR_NUMBERS_MILTER, lives, &rig->log,
                                       &numbers), 0);
    assert_non_null(numbers);
    rig->hand = weir_clock_now(&numbers->steady);
    numbers->steady = weir_clock_fixed(&rig->hand);
    return numbers;
}

static inline uint64_t slot_of(const struct weir_numbers_copy *copy, enum weir_number which,
                               unsigned at)
{
    uint16_t first[WEIR_NUMBERS];

    (void)weir_numbers_places(first);
    return copy->area->slot[first[which] + at];
}

/* A second later. */
static inline void given(struct rig *rig, struct weir_numbers *numbers)
{
    rig->hand += WEIR_SECOND;
    weir_numbers_give(numbers);
}

/* What a reader finds. */
static inline uint64_t found(struct rig *rig, enum weir_number which, unsigned at, bool up)
{
    struct weir_numbers_copy copy;
    uint64_t value;

    assert_int_equal(weir_numbers_read(&rig->config, WEIR_NUMBERS_MILTER, &copy), 1);
    assert_int_equal(copy.up, up);
    value = slot_of(&copy, which, at);
    weir_numbers_forget(&copy);
    assert_null(copy.area);
    return value;
}

/* Judges a message that such rules hit, from id on. */
static inline void judged(struct weir_numbers *numbers, uint32_t id, size_t rules)
{
    struct weir_point *point = calloc(rules, sizeof *point);
    struct weir_judgement judgement = {.point = point, .points = rules, .hits_left_out = 1};

    assert_non_null(point);
    judgement.outcome.verdict = WEIR_SPAM;
    judgement.outcome.action = WEIR_QUARANTINE;
    judgement.decision.store_missing = true;
    for (size_t i = 0; i < rules; i++)
        point[i].id = id + (uint32_t)i;
    weir_numbers_message(numbers, &judgement, 11);
    free(point);
}

static inline uint64_t hits_of(struct rig *rig, uint64_t id)
{
    struct weir_numbers_copy copy;
    uint64_t hits = 0;

    assert_int_equal(weir_numbers_read(&rig->config, WEIR_NUMBERS_MILTER, &copy), 1);
    for (unsigned i = 0; i < WEIR_NUMBERS_RULES; i++)
        if (copy.area->rule[i].id == id)
            hits += copy.area->rule[i].hits;
    weir_numbers_forget(&copy);
    return hits;
}

#endif

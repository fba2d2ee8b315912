/*
 * numbers_table - how numbers lie in memory and in the file, for who counts and who reads them.
 *
 *     magic, layout | slots of all rows | servers of counters | rules that hit
 *
 * A count or level is one slot, a histogram as many as it has buckets, and one more.  layout tells
 * one table from another: a file of another version of Weir is replaced, never misread.  As anybody
 * may have written a file, all of it is looked at before it is believed (weir_numbers_sound).
 *
 * Owner:    rows are constant; an area is whose memory it is.  Threads: pure, but for slots, which
 *           are added to by any.  Errors: none.
 */
#ifndef WEIR_ENGINE_NUMBERS_TABLE_H
#define WEIR_ENGINE_NUMBERS_TABLE_H

#include "core/engine/numbers.h"
#include "core/store/counters.h"

#define WEIR_NUMBERS_SLOTS 384u  /* of all rows; a test says that they are enough */
#define WEIR_NUMBERS_MAGIC "weirnum"
#define WEIR_NUMBERS_PROBES 64u  /* places a rule may be in */
#define WEIR_NUMBERS_MOST WEIR_HISTOGRAM_MOST /* of a count */

enum weir_number_kind { WEIR_NUMBER_COUNT, WEIR_NUMBER_LEVEL, WEIR_NUMBER_TIMES };

struct weir_number_row {
    unsigned programs;           /* bits: who has it */
    enum weir_number_kind kind;
    const char *name, *help;     /* as core/program/metrics_text.h wants them */
    const char *label;           /* NULL: one value only */
    const char *(*value)(unsigned at); /* of the label */
    unsigned values;
};

extern const struct weir_number_row weir_number_rows[WEIR_NUMBERS];

struct weir_numbers_server {
    char name[128];
    _Atomic uint64_t up, failures, took; /* took: microseconds, of late; up + 1: 0 is nobody */
};

struct weir_numbers_rule {
    _Atomic uint64_t id;         /* 0: free */
    _Atomic uint64_t hits;
};

struct weir_numbers_area {
    char magic[8];
    uint64_t layout;
    _Atomic uint64_t slot[WEIR_NUMBERS_SLOTS];
    struct weir_numbers_server server[WEIR_NODES_MAX];
    struct weir_numbers_rule rule[WEIR_NUMBERS_RULES];
};

/* Where each row begins; returns how many slots they have. */
unsigned weir_numbers_places(uint16_t first[static WEIR_NUMBERS]);

/* Slots of one value of a row, and of all. */
unsigned weir_numbers_each(const struct weir_number_row *row);
unsigned weir_numbers_slots(const struct weir_number_row *row);

/* Of this version's rows, and of any. */
uint64_t weir_numbers_layout(void);
uint64_t weir_numbers_layout_of(const struct weir_number_row table[static WEIR_NUMBERS]);

/* A histogram begins at the slot. */
struct weir_histogram *weir_numbers_histogram(struct weir_numbers_area *area, unsigned slot);

/* The place of a rule (not 0), taken where it has none yet; NULL: there is no room for it. */
struct weir_numbers_rule *weir_numbers_rule_of(struct weir_numbers_area *area, uint64_t id);

/* An empty one of this layout. */
void weir_numbers_clear(struct weir_numbers_area *area);

/* Copies one that others add to; servers must not change meanwhile. */
void weir_numbers_snapshot(struct weir_numbers_area *to, const struct weir_numbers_area *from);

/* Adds what now has more than told, an earlier snapshot of the same, to sums; with `lives` (it is a
 * daemon's) levels and servers become as they are now. */
void weir_numbers_sum(struct weir_numbers_area *sums, const struct weir_numbers_area *now,
                      const struct weir_numbers_area *told, bool lives);

/* Whether a program of this version, whose layout this is, can have written all of it: what is read
 * may be anybody's. */
bool weir_numbers_sound(const struct weir_numbers_area *area, enum weir_numbers_program program,
                        uint64_t layout);

#endif

/*
 * numbers - what a program of a mail server counts and measures of itself, for Prometheus:
 * decisions by verdict, how long they took, rules that hit, how the store of counters does, what
 * was lost.
 *
 *     weir-policyd  weir-milter  Exim's processes  weir-sniffer  weir-agent
 *           \            |             |                |            /
 *            memory of each, added to without locks
 *                                |  each second, and at the end (numbers_io.h)
 *                            numbers/NAME
 *                                |  read when somebody asks
 *               weirctl metrics, `weirctl metrics --serve` (HTTP)
 *
 * So no program in mail's way answers questions about itself, and none depends on what others do to
 * a file: it adds to memory of its own, and who asks reads what it has written.  Processes that
 * live for one message (Exim's) count like daemons, and numbers go on where they were after a
 * restart.  One table, of which each program has some rows, tells writer and reader what lies
 * where.
 *
 * Owner:    the caller (numbers_io.h opens and closes).  NULL counts nothing, everywhere.
 * Threads:  any may add.  weir_numbers_raise() and what calls it compare with what was there
 *           before: one thread at a time; weir_numbers_counters() with servers: the one that gives.
 * Limits:   WEIR_NUMBERS_RULES rules that hit, first come, and for ever, those that are retired,
 *           too; what others hit is counted together.  Who is killed takes a second's numbers with
 *           it.  The file may be removed while its program is stopped: then all begins anew.
 */
#ifndef WEIR_ENGINE_NUMBERS_H
#define WEIR_ENGINE_NUMBERS_H

#include <stdbool.h>

#include "core/base/histogram.h"

#define WEIR_NUMBERS_RULES 1024u

enum weir_numbers_program {
    WEIR_NUMBERS_POLICYD, WEIR_NUMBERS_MILTER, WEIR_NUMBERS_EXIM, WEIR_NUMBERS_SNIFFER,
    WEIR_NUMBERS_AGENT, WEIR_NUMBERS_PROGRAMS
};

/* "weir-policyd", ...: its file, and its label. */
const char *weir_numbers_program_name(enum weir_numbers_program program);

/* Rows of the table (numbers_rows.c has their names and what they are). */
enum weir_number {
    WEIR_NUMBER_START,
    /* who decides */
    WEIR_NUMBER_REQUESTS, WEIR_NUMBER_REQUEST_ACTIONS, WEIR_NUMBER_REQUEST_TIME,
    WEIR_NUMBER_MESSAGES, WEIR_NUMBER_MESSAGE_ACTIONS, WEIR_NUMBER_MESSAGE_TIME,
    WEIR_NUMBER_UNJUDGED, WEIR_NUMBER_LACKING, WEIR_NUMBER_RULES_LEFT_OUT,
    WEIR_NUMBER_ASKED, WEIR_NUMBER_AT_WORK, WEIR_NUMBER_LOG_LOST,
    WEIR_NUMBER_COUNTERS, WEIR_NUMBER_STORE_TIME, WEIR_NUMBER_SPOOL_DROPPED,
    /* the sniffer */
    WEIR_NUMBER_PACKETS, WEIR_NUMBER_KERNEL_DROPPED, WEIR_NUMBER_GAPS, WEIR_NUMBER_FLOWS,
    WEIR_NUMBER_ADDRESSES, WEIR_NUMBER_OVERFLOW, WEIR_NUMBER_ODD, WEIR_NUMBER_FORGED,
    WEIR_NUMBER_UNPROVEN, WEIR_NUMBER_WITNESSED, WEIR_NUMBER_CALIBRATED,
    /* the agent */
    WEIR_NUMBER_SERIAL, WEIR_NUMBER_REFUSED, WEIR_NUMBER_GENERATION, WEIR_NUMBER_ENTRIES,
    WEIR_NUMBER_WITHHELD, WEIR_NUMBER_WAITING_FILES, WEIR_NUMBER_WAITING_OCTETS,
    WEIR_NUMBER_SKIPPED, WEIR_NUMBER_UNREAD, WEIR_NUMBER_UNSET, WEIR_NUMBER_SILENT,
    WEIR_NUMBER_AHEAD, WEIR_NUMBER_ERRANDS, WEIR_NUMBER_ERRAND_FAILURES, WEIR_NUMBER_REST,
    WEIR_NUMBER_SHIP_TIME,
    WEIR_NUMBERS
};

enum weir_number_without { WEIR_WITHOUT_COUNTERS, WEIR_WITHOUT_LISTS, WEIR_WITHOUT_RULES,
                           WEIR_WITHOUT_TIME, WEIR_WITHOUTS };
enum weir_number_operation { WEIR_OPERATION_READ, WEIR_OPERATION_WRITE, WEIR_OPERATIONS };

struct weir_numbers;
struct weir_counters;
struct weir_decision;
struct weir_judgement;

/* `at`: which of a row's label values, 0 where it has none; others are counted nowhere. */
void weir_numbers_add(struct weir_numbers *numbers, enum weir_number which, unsigned at,
                      uint64_t amount);

/* Of a row that goes up and down; may be negative. */
void weir_numbers_set(struct weir_numbers *numbers, enum weir_number which, unsigned at,
                      int64_t value);

/* Of a row that only grows, where the program has a sum of its own: adds what it grew by since the
 * last time.  One that is less was begun anew. */
void weir_numbers_raise(struct weir_numbers *numbers, enum weir_number which, unsigned at,
                        uint64_t sum);

/* To add times to; NULL for NULL. */
struct weir_histogram *weir_numbers_times(struct weir_numbers *numbers, enum weir_number which,
                                          unsigned at);

/* A decision about a request, and one about a message, which took so long. */
void weir_numbers_request(struct weir_numbers *numbers, const struct weir_decision *decision);
void weir_numbers_message(struct weir_numbers *numbers, const struct weir_judgement *judgement,
                          weir_time took);

/* That reading and writing of a store is measured as long as it is open; and, again and again, what
 * it counted, and with `servers` how each of its servers is. */
void weir_numbers_measure(struct weir_numbers *numbers, struct weir_counters *counters);
void weir_numbers_counters(struct weir_numbers *numbers, struct weir_counters *counters,
                           bool servers);

#endif

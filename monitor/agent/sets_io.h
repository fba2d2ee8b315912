/*
 * sets - the monitor's rule sets on their way to work on this server (claims B11, B12, B31).
 *
 *     heard of -> fetched -> its signature looked at -> rules-SERIAL.db -> the image
 *
 * What is fetched may be a patch to the set that is here, or to none
 * (core/evidence/parcel_patch.h): then the file is made of it first, and from there on nothing is
 * different.  One that makes no file whose signature holds costs no more than the way: then the
 * whole file is asked for.
 *
 * What was changed on its way, cut, signed by somebody else, or is older than what is here, is
 * refused, and so is a set that cannot be made with this server's own rule files: the one at work
 * stays, and the monitor hears why.  It is tried again, less and less often.
 *
 * The key comes with the identity; where that has none it is taken from the first answer of the
 * monitor, whose certificate was looked at, and then only that one is believed.
 *
 * Patches are applied and expressions compiled in a thread of its own, so that nothing else waits
 * meanwhile.
 *
 * Owner:    the caller; the configuration must outlive it.  Threads: one beside its own.
 * Errors:   logged; weir_sets_open(): WEIR_ENOMEM.
 */
#ifndef WEIR_AGENT_SETS_IO_H
#define WEIR_AGENT_SETS_IO_H

#include <jansson.h>

#include "core/base/log.h"
#include "core/engine/config.h"
#include "monitor/agent/news.h"

struct weir_sets;

/* open: the key, or NULL: the identity has none. */
int weir_sets_open(const struct weir_config *config, const uint8_t *open,
                   const struct weir_log *log, struct weir_sets **sets_r);

/* Waits for the thread. */
void weir_sets_free(struct weir_sets **sets);

/* What an answer said; the serial that was heard of last, for the next question. */
void weir_sets_hear(struct weir_sets *sets, const struct weir_news *news, weir_time steady);
uint32_t weir_sets_heard(const struct weir_sets *sets);

/* Whether it is time to fetch the newest. */
bool weir_sets_due(const struct weir_sets *sets, weir_time steady);

/* Where: the path, with what is here.  Returns place_r. */
#define WEIR_SETS_PLACE 80
const char *weir_sets_place(const struct weir_sets *sets, char place_r[static WEIR_SETS_PLACE]);

/* What was fetched, a file or a patch, of which so many octets came over the wire. */
void weir_sets_take(struct weir_sets *sets, struct weir_slice octets, uint64_t came,
                    weir_time steady);

/* Looks after the thread, and now and then at the files.  True: there is something to tell. */
bool weir_sets_turn(struct weir_sets *sets, weir_time steady);

/* For the report of health: {"serial", "newest", "since", "refused", "refusals", "why", "patches",
 * "fetched"}; refused is 0 when the last one was taken, serial 0 when no published set is at work;
 * nothing older than newest is taken; patches: sets that were made of one, fetched: octets over the
 * wire, since the agent began.  NULL: memory is short. */
json_t *weir_sets_health(const struct weir_sets *sets);

#endif

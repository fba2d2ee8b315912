/*
 * reporter - a person who says something about mail, as a number: a keyed hash of his name, the
 * same on all servers that share the keys of spam-info strings, and nobody else's (claim B16).
 *
 * Threads:  pure functions.  Limits: WEIR_REPORT_USER_MAX octets of a name count.
 */
#ifndef WEIR_ENGINE_REPORTER_H
#define WEIR_ENGINE_REPORTER_H

#include "core/base/cursor.h"
#include "core/base/keyed_hash.h"
#include "core/engine/info.h"

/* Who writes in, and who decides at the monitor's console: of one name they are two people. */
#define WEIR_REPORTERS "people who report"
#define WEIR_REPORTERS_DESK "people who decide"
#define WEIR_REPORTERS_PURPOSE_MAX 32

/* Derives the key of a purpose, one of the above, from the first of keys; there has to be one. */
void weir_reporter_key(const struct weir_info_keys *keys, const char *purpose,
                       struct weir_hash_key *key_r);

/* The same person in any case of letters. */
uint64_t weir_reporter(const struct weir_hash_key *key, struct weir_slice name);

#endif

/*
 * rule_parcel - a rule set on its way from the monitor to mail servers, signed (claims B11 to B13).
 *
 * A file rules-SERIAL.db is text that people can read, too:
 *
 *     weir-rules 1
 *     signature 86 characters      Ed25519ph, in base64url, over "weir-rules 1", a NUL, and
 *                                  everything behind this line
 *     key 16 hex digits            which key: the first of its public half's BLAKE2b
 *     serial 12                    only grows
 *     made 1795341600              seconds since 1970
 *     rules 345                    how many
 *     section rules 45678          name and octets, in the order in which they stand
 *                                  an empty line, and behind it the sections' octets
 *
 * The section "rules" is the language of rule_source.h, each rule with its id; "bayes" a table of
 * bayes_table.h.  Sections of other names are for newer programs, and passed over.
 *
 * Nothing of a file is looked at before its signature holds, but for the first three lines.
 *
 * Owner:    what is read points into the caller's octets; what is made is malloc'ed.
 * Threads:  pure functions.
 * Errors:   WEIR_ECORRUPT with *why_r (static text): no such file, changed, cut, or another's.
 * Limits:   WEIR_RULE_PARCEL_MAX octets (WEIR_ELIMIT), WEIR_RULE_PARCEL_SECTIONS_MAX sections,
 *           WEIR_RULE_SERIAL_MAX.
 */
#ifndef WEIR_EVIDENCE_RULE_PARCEL_H
#define WEIR_EVIDENCE_RULE_PARCEL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/clock.h"
#include "core/base/cursor.h"
#include "core/base/limits.h"

#define WEIR_PARCEL_PUBLIC 32      /* octets of the half that servers know */
#define WEIR_PARCEL_SECRET 64      /* octets of the monitor's half */
#define WEIR_PARCEL_KEY_TEXT 44    /* base64url of a public half or of a seed, and a NUL */
#define WEIR_PARCEL_KEY_ID 17      /* hex digits, and a NUL */

enum weir_parcel_section { WEIR_PARCEL_RULES, WEIR_PARCEL_BAYES, WEIR_PARCEL_SECTIONS };

struct weir_rule_parcel {
    uint32_t serial;
    weir_time made;                /* whole seconds */
    size_t rules;
    char key[WEIR_PARCEL_KEY_ID];
    struct weir_slice section[WEIR_PARCEL_SECTIONS]; /* empty: none */
};

/* The monitor's key, both halves. */
struct weir_parcel_keys {
    uint8_t secret[WEIR_PARCEL_SECRET], open[WEIR_PARCEL_PUBLIC];
};

/* A fresh seed of a key as text for a file; the keys of such a text, space around it accepted:
 * false when it is none. */
void weir_parcel_seed_new(char seed_r[static WEIR_PARCEL_KEY_TEXT]);
bool weir_parcel_keys_read(struct weir_slice seed, struct weir_parcel_keys *keys_r);

/* A public half, WEIR_PARCEL_PUBLIC octets, as text; and of a text that is exactly one, else
 * false. */
const char *weir_parcel_public_text(const uint8_t *open,
                                    char text_r[static WEIR_PARCEL_KEY_TEXT]);
bool weir_parcel_public_read(struct weir_slice text, uint8_t open_r[static WEIR_PARCEL_PUBLIC]);

/* The name a key has in files.  Returns id_r. */
const char *weir_parcel_key_id(const uint8_t *open, char id_r[static WEIR_PARCEL_KEY_ID]);

/* Signs serial, made, rules and sections; key is not looked at.  0 with the file's octets, which
 * the caller frees; WEIR_EINVAL (no serial), WEIR_ELIMIT, WEIR_ENOMEM. */
int weir_rule_parcel_make(const struct weir_rule_parcel *parcel,
                          const struct weir_parcel_keys *keys, void **octets_r, size_t *len_r);

/* Reads a file that this key signed.  Without a key (NULL) the signature is not looked at: only to
 * show what stands in a file. */
int weir_rule_parcel_read(const void *octets, size_t len, const uint8_t *open,
                          struct weir_rule_parcel *parcel_r, const char **why_r);

/* The name of such a file, "rules-12.db", and the serial of one: 0 when it is no such name. */
#define WEIR_PARCEL_NAME 20
const char *weir_parcel_name(uint32_t serial, char name_r[static WEIR_PARCEL_NAME]);
uint32_t weir_parcel_serial_of(const char *name);

#endif

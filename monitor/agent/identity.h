/*
 * identity - who a mail server is to the monitor, and how it knows the monitor (claim A13).
 *
 * A small file that `weirctl server add` writes once and an operator carries to the server:
 *
 *     server = mx1
 *     secret = 43 characters
 *     monitor = https://monitor.example:8425
 *     pin = sha256//44 characters
 *     rules = 43 characters
 *
 * secret is 32 random octets in base64url; the monitor keeps only a hash of it.  pin is the SHA-256
 * of the monitor's public key as curl and browsers write it; without one the monitor's
 * certificate must be one the system trusts.  rules is the public half of the key that rule sets
 * are signed with (rule_parcel.h); identities from before there was one have none.
 *
 * Owner:    plain values.  Threads: pure functions.
 * Errors:   WEIR_EINVAL with *why_r (static text); WEIR_ELIMIT is told the same way.
 * Limits:   WEIR_SERVER_NAME_MAX, WEIR_IDENTITY_FILE_MAX.
 */
#ifndef WEIR_AGENT_IDENTITY_H
#define WEIR_AGENT_IDENTITY_H

#include <stdbool.h>

#include "core/base/clock.h"
#include "core/base/cursor.h"
#include "core/base/limits.h"
#include "core/evidence/rule_parcel.h"

#define WEIR_SECRET_OCTETS 32
#define WEIR_SECRET_TEXT 44      /* base64url of them without padding, and a NUL */
#define WEIR_SECRET_HASH 32
#define WEIR_PIN_TEXT 53         /* "sha256//" and 44 of base64, and a NUL */
#define WEIR_MONITOR_URL_MAX 255
#define WEIR_INSTANCE_OCTETS 16
#define WEIR_INSTANCE_TEXT (2 * WEIR_INSTANCE_OCTETS + 1) /* in hex, and a NUL */
#define WEIR_INSTANCES_KNOWN 12  /* an agent names so many that it was before */
#define WEIR_INSTANCES_TEXT (WEIR_INSTANCES_KNOWN * WEIR_INSTANCE_TEXT)
#define WEIR_HEALTH_EVERY (5 * WEIR_SECOND) /* agents tell how they are, unless asked for more */

struct weir_identity {
    char server[WEIR_SERVER_NAME_MAX + 1];
    char secret[WEIR_SECRET_TEXT];
    char monitor[WEIR_MONITOR_URL_MAX + 1]; /* without a slash at the end */
    char pin[WEIR_PIN_TEXT];                /* "": none */
    char rules[WEIR_PARCEL_KEY_TEXT];       /* "": none */
};

/* Whether a name can be a server's: letters, digits, '-', '_', '.', beginning with one of the first
 * two. */
bool weir_server_name_fit(struct weir_slice name);

/* Whether a text is how a monitor is reached: https://host:port without a slash at the end. */
bool weir_monitor_url_fit(struct weir_slice text);

/* Whether a text is an instance, which an agent draws at each start. */
bool weir_instance_fit(struct weir_slice text);

/* Takes the first off a list of them, which commas or line ends part.  False at its end, or where
 * something else stands. */
bool weir_instances_next(struct weir_slice *list, char instance_r[static WEIR_INSTANCE_TEXT]);

/* Whether a list is at most WEIR_INSTANCES_KNOWN instances; it may have none. */
bool weir_instances_fit(struct weir_slice list);

/* Reads the text of an identity file.  0 or WEIR_EINVAL; *why_r says what is wrong and *line_r
 * where, 0 when it is the whole file. */
int weir_identity_read(struct weir_slice text, struct weir_identity *identity_r,
                       const char **why_r, unsigned *line_r);

#define WEIR_IDENTITY_TEXT 1024

/* The text of the file.  Returns buffer. */
const char *weir_identity_write(const struct weir_identity *identity,
                                char buffer[static WEIR_IDENTITY_TEXT]);

/* A fresh secret. */
void weir_secret_new(char secret_r[static WEIR_SECRET_TEXT]);

/* The hash the monitor keeps of a secret (BLAKE2b-256; a random secret needs no slow hash), and
 * whether a secret is the one of a hash, in constant time. */
void weir_secret_hash(struct weir_slice secret, unsigned char hash_r[static WEIR_SECRET_HASH]);
bool weir_secret_is(struct weir_slice secret, const unsigned char hash[static WEIR_SECRET_HASH]);

/* Forgets a secret so that it does not stay in memory. */
void weir_identity_forget(struct weir_identity *identity);

#endif

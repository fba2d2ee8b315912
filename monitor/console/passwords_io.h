/*
 * passwords - passwords' hashes: Argon2id, 64 MB and two passes, some 80 ms of a core each.
 *
 * Two are made at once at most, whoever asks: others wait, so that nobody's guesses take the
 * monitor's memory and time.
 *
 * Owner:    the caller.  Threads: any.
 * Errors:   WEIR_ENOMEM.
 */
#ifndef WEIR_CONSOLE_PASSWORDS_IO_H
#define WEIR_CONSOLE_PASSWORDS_IO_H

#include "monitor/console/accounts.h"

struct weir_passwords;

/* 0 or WEIR_ENOMEM. */
int weir_passwords_new(struct weir_passwords **passwords_r);
void weir_passwords_free(struct weir_passwords **passwords);

/* A new hash of a password.  0 or WEIR_ENOMEM. */
int weir_passwords_hash(struct weir_passwords *passwords, struct weir_slice password,
                        char hash_r[static WEIR_PASSWORD_HASH]);

/* Whether the hash is the password's; "" is nobody's, and takes as long as any other. */
bool weir_passwords_fit(struct weir_passwords *passwords, const char *hash,
                        struct weir_slice password);

#endif

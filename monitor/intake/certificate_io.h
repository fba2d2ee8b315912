/*
 * certificate - the monitor's key and certificate: those of the operator, or made at the first
 * start.
 *
 * Agents know the monitor by the pin of its public key, so that a certificate it made itself is as
 * good as a bought one, and renewing it with the same key changes nothing for them.
 *
 * Owner:    the caller frees the texts with weir_certificate_free().
 * Errors:   WEIR_EIO (file), WEIR_EINVAL (not PEM, or key and certificate do not fit), WEIR_ENOMEM;
 *           each was logged.
 */
#ifndef WEIR_INTAKE_CERTIFICATE_IO_H
#define WEIR_INTAKE_CERTIFICATE_IO_H

#include "core/base/log.h"
#include "monitor/agent/identity.h"

struct weir_certificate {
    char *key, *chain;          /* PEM, NUL-terminated */
    char pin[WEIR_PIN_TEXT];    /* "sha256//..." of the public key, as curl writes it */
};

/* Reads both files; where neither is there, makes a key (ECDSA P-256) and a certificate for name
 * that lasts ten years, and writes them (0600 and 0644).  A key that is there alone, as a start
 * that was broken off leaves it, gets its certificate; a certificate without its key is an
 * error. */
int weir_certificate_open(const char *key_path, const char *chain_path, const char *name,
                          const struct weir_log *log, struct weir_certificate *certificate_r);
/* Whether that would succeed as far as files are there; makes nothing.  0 or an error, logged. */
int weir_certificate_check(const char *key_path, const char *chain_path,
                           const struct weir_log *log);
void weir_certificate_free(struct weir_certificate *certificate);

#endif

/*
 * domain - from whatever a sender wrote to the organizational domain.
 *
 * mail.shop.example.co.uk -> example.co.uk, by the Public Suffix List (libpsl).
 * The organizational domain is the key of reputation (claim C14), so every
 * spelling of a name must end in one form: BÜCHER.example, bücher.example. and
 * xn--bcher-kva.example are the same sender.
 *
 * Owner:    the caller owns the handle; results go to the caller's buffer.
 * Threads:  one handle, one thread: it remembers what it found.
 * Limits:   WEIR_DOMAIN_MAX, WEIR_LABEL_MAX, both of the ASCII form; longer
 *           names are no domains.  A name IDNA 2008 does not allow (emoji, a
 *           broken A-label beside a U-label) is no domain either.
 */
#ifndef WEIR_MAIL_DOMAIN_H
#define WEIR_MAIL_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/limits.h"

#define WEIR_DOMAIN_TEXT (WEIR_DOMAIN_MAX + 1)

struct weir_domains;

/* With the suffix list at path, or the one built into libpsl when path is NULL
 * or "".  0; WEIR_EIO when path cannot be read; WEIR_ECORRUPT when it holds no
 * suffix; WEIR_ENOMEM. */
int weir_domains_open(const char *path, struct weir_domains **domains_r);

/* Frees *domains and sets it to NULL; NULL is accepted. */
void weir_domains_free(struct weir_domains **domains);

/* A name in its one form: lower case ASCII (IDNA A-labels), no dot at the end.
 * Accepts letters, digits, '-', '_' and UTF-8.  1; 0 when it is no domain name
 * (empty, an [address literal], an IPv4 address or anything else whose last
 * label is a number, an empty or too long label, too long); then domain_r is
 * left as it was. */
int weir_domain_normal(const char *name, size_t len, char domain_r[static WEIR_DOMAIN_TEXT]);

/* The organizational domain of a name.  A name that is itself a public suffix
 * of the private part of the list (blogspot.com) gives what the ICANN part
 * says; a bare suffix (co.uk) gives itself.  1, or 0 as above. */
int weir_domain_organizational(struct weir_domains *domains, const char *name, size_t len,
                               char domain_r[static WEIR_DOMAIN_TEXT]);

/* Whether domain (normal form) is parent itself or lies below it. */
bool weir_domain_within(const char *domain, const char *parent);

#endif

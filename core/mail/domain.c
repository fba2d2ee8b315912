/*
 * Names are brought to ASCII by libidn2 (UTS 46, non-transitional) when they
 * hold anything else, and cut by libpsl.  Nothing libidn2 returns is trusted:
 * it maps full-width dots and digits, so its answer goes through the same
 * check as a plain name.  ASCII names never see libidn2, which refuses names
 * that are in use (r3---x.example).
 *
 * libpsl searches its list from the root for every label (about 3 us a name), so
 * what was found is remembered: of each name its hash under a key of the
 * handle's own and how long the organizational domain at its end is.
 *
 * The handle owns the suffix list; libpsl's built-in one is shared and freeing
 * it does nothing.
 */
#include "core/mail/domain.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <idn2.h>
#include <libpsl.h>

#include "core/base/error.h"
#include "core/base/keyed_hash.h"
#include "core/base/slice.h"

/* U-labels may be longer in UTF-8 than as A-labels, but never by so much. */
#define UTF8_NAME_MAX (4 * WEIR_DOMAIN_MAX)

/* No suffix has so many labels; a name of a hundred costs no more than one of ten. */
#define LABELS_LOOKED_AT 10

#define REMEMBERED 65536

struct remembered {
    uint64_t hash;    /* of the whole name; 0: nothing yet */
    uint8_t len, organizational_len;
};

struct weir_domains {
    psl_ctx_t *list;
    struct weir_hash_key key;
    struct remembered remembered[REMEMBERED];
};

int weir_domains_open(const char *path, struct weir_domains **domains_r)
{
    struct weir_domains *domains = calloc(1, sizeof(*domains));
    if (!domains)
        return WEIR_ENOMEM;
    domains->key = weir_hash_key_random();
    bool file = path && *path != '\0';
    if (file) {
        domains->list = psl_load_file(path);
    } else {
        /* libpsl hands its list out as const, yet psl_free() accepts it. */
        const psl_ctx_t *own = psl_builtin();
        memcpy(&domains->list, &own, sizeof(own));
    }
    /* A compiled list does not know its count and says -1. */
    int rc = !domains->list ? WEIR_EIO : psl_suffix_count(domains->list) == 0 ? WEIR_ECORRUPT : 0;
    if (rc < 0)
        weir_domains_free(&domains);
    else
        *domains_r = domains;
    return rc;
}

void weir_domains_free(struct weir_domains **domains)
{
    if (!*domains)
        return;
    psl_free((*domains)->list);
    free(*domains);
    *domains = NULL;
}

static bool is_name_character(char c)
{
    return weir_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
}

/* No top-level domain is a number (RFC 3696 2), but the last part of an IPv4
 * address in any of its spellings begins like one. */
static bool is_number(const char *label, size_t len)
{
    size_t digits = 0;
    while (digits < len && weir_is_digit(label[digits]))
        digits++;
    return digits == len || (len >= 2 && label[0] == '0' && (label[1] == 'x' || label[1] == 'X'));
}

/* Whether an ASCII name (no dot at its end) has labels as it should. */
static bool is_domain(const char *name, size_t len)
{
    if (len == 0 || len > WEIR_DOMAIN_MAX)
        return false;
    size_t start = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && name[i] != '.') {
            if (!is_name_character(name[i]))
                return false;
            continue;
        }
        if (i == start || i - start > WEIR_LABEL_MAX)
            return false;
        if (i < len)
            start = i + 1;
    }
    return !is_number(name + start, len - start);
}

static int normal_ascii(const char *name, size_t len, char domain_r[static WEIR_DOMAIN_TEXT])
{
    if (len > 0 && name[len - 1] == '.')
        len--;
    if (!is_domain(name, len))
        return 0;
    for (size_t i = 0; i < len; i++)
        domain_r[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
    domain_r[len] = '\0';
    return 1;
}

static int normal_unicode(const char *name, size_t len, char domain_r[static WEIR_DOMAIN_TEXT])
{
    char copy[UTF8_NAME_MAX + 1];
    if (len > UTF8_NAME_MAX)
        return 0;
    memcpy(copy, name, len);
    copy[len] = '\0';
    char *ascii = NULL;
    if (idn2_to_ascii_8z(copy, &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) != IDN2_OK)
        return 0;
    int rc = normal_ascii(ascii, strlen(ascii), domain_r);
    idn2_free(ascii);
    return rc;
}

int weir_domain_normal(const char *name, size_t len, char domain_r[static WEIR_DOMAIN_TEXT])
{
    bool ascii = true;
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)name[i] >= 0x80)
            ascii = false;
        else if (!is_name_character(name[i]))
            return 0; /* before libidn2, which would end at a NUL */
    }
    return ascii ? normal_ascii(name, len, domain_r) : normal_unicode(name, len, domain_r);
}

/* The longest tail of a name whose parent is a suffix by ICANN's part of the
 * list; the name itself when it is such a suffix. */
static const char *icann_registrable(const psl_ctx_t *list, const char *domain)
{
    const char *dot;
    for (const char *tail = domain; (dot = strchr(tail, '.')) != NULL; tail = dot + 1) {
        if (psl_is_public_suffix2(list, tail, PSL_TYPE_ICANN))
            break;
        if (psl_is_public_suffix2(list, dot + 1, PSL_TYPE_ICANN))
            return tail;
    }
    return domain;
}

static const char *last_labels(const char *domain, size_t len)
{
    size_t labels = 0;
    while (len > 0 && (domain[len - 1] != '.' || ++labels < LABELS_LOOKED_AT))
        len--;
    return domain + len;
}

static const char *look_up(const psl_ctx_t *list, const char *domain, size_t len)
{
    const char *tail = last_labels(domain, len);
    const char *found = psl_registrable_domain(list, tail);
    return found ? found : icann_registrable(list, tail);
}

int weir_domain_organizational(struct weir_domains *domains, const char *name, size_t len,
                               char domain_r[static WEIR_DOMAIN_TEXT])
{
    char domain[WEIR_DOMAIN_TEXT];
    if (!weir_domain_normal(name, len, domain))
        return 0;
    size_t whole = strlen(domain);
    uint64_t hash = weir_hash64(&domains->key, domain, whole);
    struct remembered *known = &domains->remembered[hash % REMEMBERED];
    if (known->hash != hash || known->len != whole) {
        size_t organizational = strlen(look_up(domains->list, domain, whole));
        *known = (struct remembered){hash, (uint8_t)whole, (uint8_t)organizational};
    }
    memcpy(domain_r, domain + whole - known->organizational_len, known->organizational_len + 1);
    return 1;
}

bool weir_domain_within(const char *domain, const char *parent)
{
    size_t len = strlen(domain), tail = strlen(parent);
    if (tail == 0 || tail > len || strcmp(domain + (len - tail), parent) != 0)
        return false;
    return tail == len || domain[len - tail - 1] == '.';
}

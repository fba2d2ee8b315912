/*
 * certificate - GnuTLS makes, reads and hashes; the key is wiped before its memory is given back.
 */
#include "monitor/intake/certificate_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <sodium.h>

#include "core/base/error.h"
#include "core/base/replace_io.h"
#include "core/engine/secret_io.h"

#define PEM_MAX 65536
#define TEN_YEARS (3652 * 86400)

/* making ----------------------------------------------------------------------- */

static bool sign(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const char *name)
{
    unsigned char serial[16];
    time_t now = time(NULL);

    randombytes_buf(serial, sizeof serial);
    serial[0] &= 0x7f; /* a positive number (RFC 5280 4.1.2.2) */
    return gnutls_x509_crt_set_version(crt, 3) >= 0 &&
           gnutls_x509_crt_set_serial(crt, serial, sizeof serial) >= 0 &&
           gnutls_x509_crt_set_activation_time(crt, now - 86400) >= 0 &&
           gnutls_x509_crt_set_expiration_time(crt, now + TEN_YEARS) >= 0 &&
           gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                         (unsigned)strlen(name)) >= 0 &&
           gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name,
                                                (unsigned)strlen(name), GNUTLS_FSAN_SET) >= 0 &&
           gnutls_x509_crt_set_basic_constraints(crt, 0, -1) >= 0 &&
           gnutls_x509_crt_set_key(crt, key) >= 0 &&
           gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0) >= 0;
}

static int write_pem(const char *path, unsigned mode, const gnutls_datum_t *pem)
{
    struct weir_replacement file;
    int done = weir_replace_begin(path, mode, &file);

    if (done < 0)
        return done;
    return weir_replace_end(&file, fwrite(pem->data, 1, pem->size, file.file) == pem->size);
}

/* A new key, which is written first: a start that is broken off leaves both files, none, or the key
 * alone. */
static int make_key(const char *path)
{
    gnutls_x509_privkey_t key = NULL;
    gnutls_datum_t pem = {0};
    int done = WEIR_ENOMEM;

    if (gnutls_x509_privkey_init(&key) >= 0 &&
        gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) >= 0 &&
        gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem) >= 0)
        done = write_pem(path, 0600, &pem);
    if (pem.data)
        sodium_memzero(pem.data, pem.size);
    gnutls_free(pem.data);
    gnutls_x509_privkey_deinit(key);
    return done;
}

/* A certificate for the key that is there. */
static int make_chain(const char *path, const char *key_text, const char *name)
{
    gnutls_datum_t key_pem = {(unsigned char *)(uintptr_t)key_text, (unsigned)strlen(key_text)};
    gnutls_x509_privkey_t key = NULL;
    gnutls_x509_crt_t crt = NULL;
    gnutls_datum_t pem = {0};
    int done = WEIR_EINVAL;

    if (gnutls_x509_privkey_init(&key) >= 0 && gnutls_x509_crt_init(&crt) >= 0 &&
        gnutls_x509_privkey_import2(key, &key_pem, GNUTLS_X509_FMT_PEM, NULL, 0) >= 0 &&
        sign(crt, key, name) && gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem) >= 0)
        done = write_pem(path, 0644, &pem);
    gnutls_free(pem.data);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
    return done;
}

/* reading ---------------------------------------------------------------------- */

static int read_pem(const char *path, char **text_r)
{
    size_t len;
    int done;

    *text_r = malloc(PEM_MAX);
    if (!*text_r)
        return WEIR_ENOMEM;
    done = weir_secret_read(path, *text_r, PEM_MAX, &len);
    return done == WEIR_ELIMIT ? WEIR_EINVAL : done;
}

/* The public key's hash in the order curl has it: of the SubjectPublicKeyInfo. */
static int read_pin(const struct weir_certificate *certificate, char pin_r[static WEIR_PIN_TEXT])
{
    gnutls_datum_t chain = {(unsigned char *)certificate->chain,
                            (unsigned)strlen(certificate->chain)};
    gnutls_datum_t key_pem = {(unsigned char *)certificate->key,
                              (unsigned)strlen(certificate->key)};
    gnutls_x509_privkey_t key = NULL;
    gnutls_x509_crt_t crt = NULL;
    unsigned char of_crt[32], of_key[32];
    size_t crt_len = sizeof of_crt, key_len = sizeof of_key, scheme = strlen("sha256//");
    bool good = gnutls_x509_crt_init(&crt) >= 0 && gnutls_x509_privkey_init(&key) >= 0 &&
                gnutls_x509_crt_import(crt, &chain, GNUTLS_X509_FMT_PEM) >= 0 &&
                gnutls_x509_privkey_import2(key, &key_pem, GNUTLS_X509_FMT_PEM, NULL, 0) >= 0 &&
                gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, of_crt, &crt_len) >= 0 &&
                gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, of_key,
                                               &key_len) >= 0 &&
                memcmp(of_crt, of_key, sizeof of_crt) == 0;

    if (good) {
        memcpy(pin_r, "sha256//", scheme);
        sodium_bin2base64(pin_r + scheme, WEIR_PIN_TEXT - scheme, of_crt, sizeof of_crt,
                          sodium_base64_VARIANT_ORIGINAL);
    }
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
    return good ? 0 : WEIR_EINVAL;
}

static bool is_missing(const char *path)
{
    return access(path, F_OK) < 0 && errno == ENOENT;
}

static bool is_key(const char *text)
{
    gnutls_datum_t pem = {(unsigned char *)(uintptr_t)text, (unsigned)strlen(text)};
    gnutls_x509_privkey_t key = NULL;
    bool good = gnutls_x509_privkey_init(&key) >= 0 &&
                gnutls_x509_privkey_import2(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0) >= 0;

    gnutls_x509_privkey_deinit(key);
    return good;
}

/* A key without a certificate: of a start that was broken off, or the operator's. */
static int read_key_alone(const char *path, const struct weir_log *log, char **key_r)
{
    int done = read_pem(path, key_r);

    if (done == 0 && !is_key(*key_r))
        done = WEIR_EINVAL;
    if (done < 0)
        weir_log(log, WEIR_LOG_ERROR, "%s: %s", path,
                 done == WEIR_EINVAL ? "is no PEM key" : weir_error_reason(done));
    return done;
}

/* Makes what is missing. */
static int make_whole(const char *key_path, const char *chain_path, const char *name,
                      const struct weir_log *log)
{
    bool no_key = is_missing(key_path);
    struct weir_certificate only = {0};
    int done = no_key ? make_key(key_path) : 0;

    if (done < 0)
        weir_log(log, WEIR_LOG_ERROR, "%s: %s", key_path, weir_error_reason(done));
    else
        done = read_key_alone(key_path, log, &only.key);
    if (done == 0) {
        done = make_chain(chain_path, only.key, name);
        if (done < 0)
            weir_log(log, WEIR_LOG_ERROR, "%s: %s", chain_path, weir_error_reason(done));
        else
            weir_log(log, no_key ? WEIR_LOG_INFO : WEIR_LOG_WARNING, "made %s for %s: %s, %s",
                     no_key ? "a key and a certificate"
                            : "a certificate, for there was only a key,",
                     name, key_path, chain_path);
    }
    weir_certificate_free(&only);
    return done;
}

static int read_whole(const char *key_path, const char *chain_path, const struct weir_log *log,
                      struct weir_certificate *certificate)
{
    int done = read_pem(key_path, &certificate->key);

    if (done == 0)
        done = read_pem(chain_path, &certificate->chain);
    if (done < 0)
        weir_log(log, WEIR_LOG_ERROR, "%s or %s: %s", key_path, chain_path,
                 weir_error_reason(done));
    else if ((done = read_pin(certificate, certificate->pin)) < 0)
        weir_log(log, WEIR_LOG_ERROR, "%s and %s are no PEM key and its certificate", key_path,
                 chain_path);
    return done;
}

int weir_certificate_open(const char *key_path, const char *chain_path, const char *name,
                          const struct weir_log *log, struct weir_certificate *certificate_r)
{
    struct weir_certificate certificate = {0};
    int done = is_missing(chain_path) ? make_whole(key_path, chain_path, name, log) : 0;

    if (done == 0)
        done = read_whole(key_path, chain_path, log, &certificate);
    if (done < 0)
        weir_certificate_free(&certificate);
    else
        *certificate_r = certificate;
    return done;
}

int weir_certificate_check(const char *key_path, const char *chain_path,
                           const struct weir_log *log)
{
    struct weir_certificate certificate = {0};
    int done = 0;

    if (!is_missing(chain_path))
        done = read_whole(key_path, chain_path, log, &certificate);
    else if (!is_missing(key_path))
        done = read_key_alone(key_path, log, &certificate.key);
    weir_certificate_free(&certificate);
    return done;
}

void weir_certificate_free(struct weir_certificate *certificate)
{
    if (certificate->key)
        sodium_memzero(certificate->key, strlen(certificate->key));
    free(certificate->key);
    free(certificate->chain);
    *certificate = (struct weir_certificate){0};
}

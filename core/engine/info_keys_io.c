/*
 * A text file of a few lines; what was read is wiped from memory.
 */
#include "core/engine/info_keys_io.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "core/base/error.h"
#include "core/base/keyed_hash.h"
#include "core/engine/secret_io.h"

#define KEYS_TEXT 4096 /* octets of the file */
#define FRESH 128

/* The number is random, so that two sites rarely sign with the same one. */
static void fresh_key(char text[static FRESH])
{
    struct weir_hash_key part[2] = {weir_hash_key_random(), weir_hash_key_random()};
    uint8_t number = 0;
    int at;

    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number || number == 0)
        number = 1;
    at = snprintf(text, FRESH, "%u ", (unsigned)number);
    for (size_t i = 0; i < 2 * WEIR_HASH_KEY; i++)
        at += snprintf(text + at, FRESH - (size_t)at, "%02x",
                       part[i / WEIR_HASH_KEY].octet[i % WEIR_HASH_KEY]);
    snprintf(text + at, FRESH - (size_t)at, "\n");
}

int weir_info_keys_file(const char *path, struct weir_info_keys *keys_r,
                        char why_r[static WEIR_INFO_KEYS_WHY])
{
    char fresh[FRESH], text[KEYS_TEXT];
    unsigned line = 0;
    size_t len = 0;
    int rc;

    fresh_key(fresh);
    rc = weir_secret_file(path, fresh, text, sizeof text, &len);
    snprintf(why_r, WEIR_INFO_KEYS_WHY, "%s", rc < 0 ? weir_error_reason(rc) : "");
    if (rc == 0) {
        rc = weir_info_keys_read((struct weir_slice){text, len}, keys_r, &line);
        if (rc < 0)
            snprintf(why_r, WEIR_INFO_KEYS_WHY, "line %u is no key", line);
    }
    if (rc < 0)
        *keys_r = (struct weir_info_keys){.keys = 0};
    explicit_bzero(text, sizeof text);
    explicit_bzero(fresh, sizeof fresh);
    return rc;
}

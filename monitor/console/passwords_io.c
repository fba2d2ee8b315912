/*
 * passwords - libsodium's Argon2id behind a gate for two.
 *
 * A name that is nobody's is checked against a hash that fits nothing, made when it is first
 * needed, so that an answer's time does not tell whether there is such a name.
 */
#include "monitor/console/passwords_io.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"

#define AT_ONCE 2
#define PASSES 2
#define MEMORY (64u << 20)

_Static_assert(WEIR_PASSWORD_HASH >= crypto_pwhash_argon2id_STRBYTES, "room for a hash");

struct weir_passwords {
    pthread_mutex_t lock;
    pthread_cond_t free;
    unsigned busy;
    char nobody[WEIR_PASSWORD_HASH];
};

static void enter(struct weir_passwords *passwords)
{
    pthread_mutex_lock(&passwords->lock);
    while (passwords->busy >= AT_ONCE)
        pthread_cond_wait(&passwords->free, &passwords->lock);
    passwords->busy++;
    pthread_mutex_unlock(&passwords->lock);
}

static void leave(struct weir_passwords *passwords)
{
    pthread_mutex_lock(&passwords->lock);
    passwords->busy--;
    pthread_cond_signal(&passwords->free);
    pthread_mutex_unlock(&passwords->lock);
}

int weir_passwords_new(struct weir_passwords **passwords_r)
{
    struct weir_passwords *passwords = calloc(1, sizeof *passwords);

    if (!passwords)
        return WEIR_ENOMEM;
    pthread_mutex_init(&passwords->lock, NULL);
    pthread_cond_init(&passwords->free, NULL);
    *passwords_r = passwords;
    return 0;
}

void weir_passwords_free(struct weir_passwords **passwords)
{
    if (!passwords || !*passwords)
        return;
    pthread_cond_destroy(&(*passwords)->free);
    pthread_mutex_destroy(&(*passwords)->lock);
    free(*passwords);
    *passwords = NULL;
}

int weir_passwords_hash(struct weir_passwords *passwords, struct weir_slice password,
                        char hash_r[static WEIR_PASSWORD_HASH])
{
    char hash[crypto_pwhash_argon2id_STRBYTES];
    int done;

    enter(passwords);
    done = crypto_pwhash_argon2id_str(hash, password.at, password.len, PASSES, MEMORY);
    leave(passwords);
    if (done != 0)
        return WEIR_ENOMEM;
    memset(hash_r, 0, WEIR_PASSWORD_HASH);
    memcpy(hash_r, hash, sizeof hash < WEIR_PASSWORD_HASH ? sizeof hash : WEIR_PASSWORD_HASH);
    return 0;
}

/* Makes the hash of nobody; two may do so at once, and the second stays. */
static void make_nobody(struct weir_passwords *passwords, char hash_r[static WEIR_PASSWORD_HASH])
{
    char text[WEIR_TOKEN_TEXT];

    weir_token_new(text);
    pthread_mutex_lock(&passwords->lock);
    memcpy(hash_r, passwords->nobody, WEIR_PASSWORD_HASH);
    pthread_mutex_unlock(&passwords->lock);
    if (hash_r[0] || weir_passwords_hash(passwords,
                                         (struct weir_slice){text, WEIR_TOKEN_TEXT - 1},
                                         hash_r) < 0)
        return;
    pthread_mutex_lock(&passwords->lock);
    memcpy(passwords->nobody, hash_r, WEIR_PASSWORD_HASH);
    pthread_mutex_unlock(&passwords->lock);
}

bool weir_passwords_fit(struct weir_passwords *passwords, const char *hash,
                        struct weir_slice password)
{
    char nobody[WEIR_PASSWORD_HASH];
    bool fit;

    if (!hash[0])
        make_nobody(passwords, nobody);
    enter(passwords);
    fit = crypto_pwhash_argon2id_str_verify(hash[0] ? hash : nobody, password.at,
                                            password.len) == 0;
    leave(passwords);
    return fit && hash[0];
}

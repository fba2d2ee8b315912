/*
 * gateways_io - fills a handle from configuration and file, and writes the file.
 *
 * The file is replaced at once, so that whoever reads it finds the old one or the new one.
 * Refused is a file longer than WEIR_GATEWAYS_FILE_MAX: its beginning, saved again, would be
 * all that is left of it.
 */
#include "core/engine/gateways_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/lock_io.h"
#include "core/base/limits.h"
#include "core/base/replace_io.h"

/* All of them that there is room for; 0, or why one of them was left out. */
static int add_all(struct weir_gateways *gateways, const struct weir_strings *prefixes,
                   const char *corroborates)
{
    struct weir_prefix prefix;
    const char *why;
    int first = 0, done;

    for (size_t i = 0; i < prefixes->count; i++) {
        if (weir_prefix_parse(prefixes->item[i], strlen(prefixes->item[i]), &prefix, &why) < 0)
            continue; /* the configuration's reader has told it */
        done = corroborates ? weir_gateways_corroborate(gateways, &prefix, corroborates)
                            : weir_gateways_configure(gateways, &prefix);
        if (first == 0)
            first = done;
    }
    return first;
}

static int add_configured(struct weir_gateways *gateways, const struct weir_config *config)
{
    int own = add_all(gateways, &config->gateways, NULL);
    int never = add_all(gateways, &config->never, "one of our own addresses");
    int mx = add_all(gateways, &config->mx, "an MX of our domains");

    return own < 0 ? own : never < 0 ? never : mx;
}

static int load_octets(struct weir_gateways *gateways, FILE *file, size_t size)
{
    char *text = malloc(size + 1);
    size_t len = text ? fread(text, 1, size, file) : 0;
    int done = WEIR_ENOMEM;

    if (text)
        done = ferror(file) ? WEIR_EIO : weir_gateways_load(gateways, text, len);
    free(text);
    return done;
}

static int load(struct weir_gateways *gateways, const char *path)
{
    FILE *file = fopen(path, "re");
    struct stat status;
    int done, reason;

    if (!file)
        return errno == ENOENT ? 0 : WEIR_EIO;
    if (fstat(fileno(file), &status) < 0)
        done = WEIR_EIO;
    else if (status.st_size > (off_t)WEIR_GATEWAYS_FILE_MAX)
        done = WEIR_ELIMIT;
    else
        done = load_octets(gateways, file, (size_t)status.st_size);
    reason = errno;
    fclose(file);
    errno = reason; /* of what failed, for weir_error_reason() */
    return done;
}

int weir_gateways_open(const struct weir_config *config, const struct weir_hash_key *key,
                       const char *path, struct weir_gateways **gateways_r)
{
    struct weir_gateway_settings settings = weir_gateway_defaults();
    int done = weir_gateways_new(&settings, key, gateways_r), loaded, reason;

    if (done < 0)
        return done;
    loaded = load(*gateways_r, path);
    reason = errno;
    done = add_configured(*gateways_r, config);
    errno = reason;
    return loaded < 0 ? loaded : done;
}

int weir_gateways_lock(const char *path)
{
    char name[WEIR_PATH_MAX];

    if (snprintf(name, sizeof name, "%s-lock", path) >= (int)sizeof name)
        return WEIR_ELIMIT;
    return weir_lock_take(name, 0660, true);
}

void weir_gateways_unlock(int lock)
{
    close(lock);
}

int weir_gateways_keep(const struct weir_gateways *gateways, const char *path)
{
    struct weir_replacement new;
    int done = weir_replace_begin(path, 0644, &new);

    if (done < 0)
        return done;
    return weir_replace_end(&new, weir_gateways_save(gateways, new.file) == 0);
}

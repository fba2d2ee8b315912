/*
 * gateways_io - fills a handle from configuration and file, and writes the file.
 *
 * The file is replaced by rename(), so that whoever reads it finds the old one or the new one.
 */
#include "core/engine/gateways_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/base/error.h"

#define GATEWAYS_TEXT (16u << 20) /* octets of the file */
#define PATH_MOST 4096

static void add_all(struct weir_gateways *gateways, const struct weir_strings *prefixes,
                    const char *corroborates)
{
    struct weir_prefix prefix;
    const char *why;

    for (size_t i = 0; i < prefixes->count; i++) {
        if (weir_prefix_parse(prefixes->item[i], strlen(prefixes->item[i]), &prefix, &why) < 0)
            continue;
        if (corroborates)
            (void)weir_gateways_corroborate(gateways, &prefix, corroborates);
        else
            (void)weir_gateways_configure(gateways, &prefix);
    }
}

static int load(struct weir_gateways *gateways, const char *path)
{
    FILE *file = fopen(path, "re");
    char *text;
    size_t len;
    int done;

    if (!file)
        return errno == ENOENT ? 0 : WEIR_EIO;
    text = malloc(GATEWAYS_TEXT);
    len = text ? fread(text, 1, GATEWAYS_TEXT, file) : 0;
    fclose(file);
    done = text ? weir_gateways_load(gateways, text, len) : WEIR_ENOMEM;
    free(text);
    return done;
}

int weir_gateways_open(const struct weir_config *config, const struct weir_hash_key *key,
                       const char *path, struct weir_gateways **gateways_r)
{
    struct weir_gateway_settings settings = weir_gateway_defaults();
    int done = weir_gateways_new(&settings, key, gateways_r);

    if (done < 0)
        return done;
    done = load(*gateways_r, path);
    add_all(*gateways_r, &config->gateways, NULL);
    add_all(*gateways_r, &config->never, "one of our own addresses");
    add_all(*gateways_r, &config->mx, "an MX of our domains");
    return done;
}

int weir_gateways_lock(const char *path)
{
    char name[PATH_MOST];
    int fd;

    if (snprintf(name, sizeof name, "%s-lock", path) >= (int)sizeof name)
        return WEIR_ELIMIT;
    fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
    if (fd < 0)
        return WEIR_EIO;
    if (flock(fd, LOCK_EX) == 0)
        return fd;
    close(fd);
    return WEIR_EIO;
}

void weir_gateways_unlock(int lock)
{
    close(lock);
}

int weir_gateways_keep(const struct weir_gateways *gateways, const char *path)
{
    char beside[PATH_MOST];
    FILE *file;
    int done;

    if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside)
        return WEIR_ELIMIT;
    file = fopen(beside, "we");
    if (!file)
        return WEIR_EIO;
    done = weir_gateways_save(gateways, file);
    if (fflush(file) != 0 || fsync(fileno(file)) != 0)
        done = WEIR_EIO;
    if (fclose(file) != 0 || done < 0 || rename(beside, path) < 0) {
        (void)unlink(beside);
        return done < 0 ? done : WEIR_EIO;
    }
    return 0;
}

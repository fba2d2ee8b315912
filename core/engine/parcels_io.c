/*
 * Files of published sets, found by their names.  Readable by everybody, as the image is that is
 * made of them: the key in rules.pub is the public half.
 */
#include "core/engine/parcels_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/replace_io.h"
#include "core/base/slice.h"
#include "core/engine/secret_io.h"

#define KEPT 2
#define KEY_FILE_MOST 128

static const char *path_of(const char *folder, const char *name,
                           char path_r[static WEIR_PATH_MAX])
{
    if (snprintf(path_r, WEIR_PATH_MAX, "%s/%s", folder, name) >= WEIR_PATH_MAX)
        path_r[0] = '\0'; /* is nowhere */
    return path_r;
}

const char *weir_parcels_path(const char *folder, uint32_t serial,
                              char path_r[static WEIR_PATH_MAX])
{
    char name[WEIR_PARCEL_NAME];

    return path_of(folder, weir_parcel_name(serial, name), path_r);
}

/* The key. --------------------------------------------------------------------------------- */

int weir_parcels_key(const char *folder, uint8_t open_r[static WEIR_PARCEL_PUBLIC])
{
    char path[WEIR_PATH_MAX], text[KEY_FILE_MOST];
    size_t len;
    int done = weir_secret_read(path_of(folder, WEIR_PARCELS_KEY, path), text, sizeof text, &len);

    if (done < 0)
        return done == WEIR_EIO && errno == ENOENT ? 0 : done == WEIR_EIO ? done : WEIR_ECORRUPT;
    return weir_parcel_public_read(weir_slice_trim((struct weir_slice){text, len}), open_r)
               ? 1 : WEIR_ECORRUPT;
}

int weir_parcels_keep_key(const char *folder, const uint8_t open[static WEIR_PARCEL_PUBLIC])
{
    char path[WEIR_PATH_MAX], text[WEIR_PARCEL_KEY_TEXT];
    struct weir_replacement new;
    int done = weir_replace_begin(path_of(folder, WEIR_PARCELS_KEY, path), 0644, &new);

    if (done < 0)
        return WEIR_EIO;
    return weir_replace_end(&new, fprintf(new.file, "%s\n",
                                          weir_parcel_public_text(open, text)) > 0);
}

/* The folder. ------------------------------------------------------------------------------ */

/* The highest serials, the newest first: how many there are of them. */
static size_t newest(const char *folder, uint32_t serial_r[static KEPT])
{
    DIR *open = opendir(folder);
    size_t count = 0;

    for (struct dirent *entry; open && (entry = readdir(open)) != NULL;) {
        uint32_t serial = weir_parcel_serial_of(entry->d_name);
        size_t at = count;

        if (serial == 0)
            continue;
        while (at > 0 && serial_r[at - 1] < serial)
            at--;
        if (at == KEPT)
            continue;
        count += count < KEPT;
        memmove(serial_r + at + 1, serial_r + at, (count - at - 1) * sizeof *serial_r);
        serial_r[at] = serial;
    }
    if (open)
        closedir(open);
    return count;
}

uint32_t weir_parcels_newest(const char *folder)
{
    uint32_t serial[KEPT];

    return newest(folder, serial) > 0 ? serial[0] : 0;
}

void weir_parcels_remove(const char *folder, uint32_t serial)
{
    char path[WEIR_PATH_MAX];

    (void)unlink(weir_parcels_path(folder, serial, path));
}

void weir_parcels_forget(const char *folder)
{
    uint32_t kept[KEPT];
    size_t count = newest(folder, kept);
    DIR *open = count == KEPT ? opendir(folder) : NULL;

    for (struct dirent *entry; open && (entry = readdir(open)) != NULL;) {
        uint32_t serial = weir_parcel_serial_of(entry->d_name);

        if (serial != 0 && serial < kept[KEPT - 1])
            weir_parcels_remove(folder, serial);
    }
    if (open)
        closedir(open);
}

/* One of them. ------------------------------------------------------------------------------ */

/* All of a regular file: 0, WEIR_EIO, WEIR_ECORRUPT, WEIR_ELIMIT, WEIR_ENOMEM. */
static int read_whole(int fd, void **octets_r, size_t *len_r)
{
    struct stat status;
    size_t len = 0;
    char *octets;

    if (fstat(fd, &status) < 0)
        return WEIR_EIO;
    if (!S_ISREG(status.st_mode))
        return WEIR_ECORRUPT;
    if (status.st_size > WEIR_RULE_PARCEL_MAX)
        return WEIR_ELIMIT;
    octets = malloc((size_t)status.st_size + 1);
    if (!octets)
        return WEIR_ENOMEM;
    for (ssize_t got; len < (size_t)status.st_size; len += (size_t)got) {
        got = read(fd, octets + len, (size_t)status.st_size - len);
        if (got > 0)
            continue;
        free(octets);
        return got < 0 ? WEIR_EIO : WEIR_ECORRUPT;
    }
    *octets_r = octets;
    *len_r = len;
    return 0;
}

int weir_parcels_load(const char *path, void **octets_r, size_t *len_r)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), kept, done;

    if (fd < 0)
        return WEIR_EIO;
    done = read_whole(fd, octets_r, len_r);
    kept = errno;
    close(fd);
    errno = kept;
    return done;
}

int weir_parcels_read(const char *folder, uint32_t serial, void **octets_r,
                      struct weir_rule_parcel *parcel_r, const char **why_r)
{
    uint8_t open[WEIR_PARCEL_PUBLIC];
    char path[WEIR_PATH_MAX];
    void *octets = NULL;
    size_t len;
    int done = weir_parcels_key(folder, open);

    *why_r = done == WEIR_ECORRUPT ? "the key to it, in " WEIR_PARCELS_KEY ", is none" : "";
    if (done <= 0)
        return done;
    done = weir_parcels_load(weir_parcels_path(folder, serial, path), &octets, &len);
    if (done < 0) {
        *why_r = weir_error_reason(done);
        return done == WEIR_EIO && errno == ENOENT ? 0 : done;
    }
    done = weir_rule_parcel_read(octets, len, open, parcel_r, why_r);
    if (done == 0 && parcel_r->serial != serial) {
        *why_r = "its name says another serial than it has";
        done = WEIR_ECORRUPT;
    }
    if (done < 0) {
        free(octets);
        return done;
    }
    *octets_r = octets;
    return 1;
}

int weir_parcels_write(const char *folder, uint32_t serial, const void *octets, size_t len)
{
    char path[WEIR_PATH_MAX];
    struct weir_replacement new;
    int done = weir_replace_begin(weir_parcels_path(folder, serial, path), 0644, &new);

    if (done < 0)
        return WEIR_EIO;
    return weir_replace_end(&new, fwrite(octets, 1, len, new.file) == len);
}

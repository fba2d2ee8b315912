/*
 * parcels - published rule sets on a mail server: the files rules-SERIAL.db in the state directory,
 * which its agent writes, and in rules.pub the key they have to be signed with (claims B12, B13).
 *
 * The newest is the one of the highest serial, whatever else is in it: when it was changed or cut,
 * that is told, and no older one takes its place by itself.
 *
 * Owner:    octets that are read are malloc'ed, and the caller's.  Threads: any.
 * Errors:   WEIR_EIO with errno; WEIR_ECORRUPT and WEIR_ELIMIT with *why_r (static text).
 */
#ifndef WEIR_ENGINE_PARCELS_IO_H
#define WEIR_ENGINE_PARCELS_IO_H

#include "core/base/replace_io.h"
#include "core/evidence/rule_parcel.h"

#define WEIR_PARCELS_KEY "rules.pub"

/* The key that sets are signed with: 1; 0 when there is none yet; WEIR_EIO, WEIR_ECORRUPT. */
int weir_parcels_key(const char *folder, uint8_t open_r[static WEIR_PARCEL_PUBLIC]);

/* Keeps it, durable.  0 or WEIR_EIO. */
int weir_parcels_keep_key(const char *folder, const uint8_t open[static WEIR_PARCEL_PUBLIC]);

/* The serial of the newest by its name; 0: there is none. */
uint32_t weir_parcels_newest(const char *folder);

/* Where one lies.  Returns path_r. */
const char *weir_parcels_path(const char *folder, uint32_t serial,
                              char path_r[static WEIR_PATH_MAX]);

/* Reads one and looks at its signature: 1; 0 when it is not there, or there is no key; an error.
 * One whose name says another serial is WEIR_ECORRUPT. */
int weir_parcels_read(const char *folder, uint32_t serial, void **octets_r,
                      struct weir_rule_parcel *parcel_r, const char **why_r);

/* Reads a file of octets, of at most WEIR_RULE_PARCEL_MAX.  0 or an error. */
int weir_parcels_load(const char *path, void **octets_r, size_t *len_r);

/* Writes one in its place, durable.  0 or WEIR_EIO. */
int weir_parcels_write(const char *folder, uint32_t serial, const void *octets, size_t len);

/* Removes one; and all but the two newest. */
void weir_parcels_remove(const char *folder, uint32_t serial);
void weir_parcels_forget(const char *folder);

#endif

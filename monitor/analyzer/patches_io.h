/*
 * patches - the newest rule set as servers fetch it, told as what became of the set they have
 * (core/evidence/parcel_patch.h), or of none; each made once for all that have the same.
 *
 *     a server asks with serial and id -> kept: it gets the patch
 *                                      -> not yet made: it waits, and all that ask the same with it
 *                                      -> there is none: it gets that from none, as if it had no
 *                                         set; and where there is none of that, the whole file
 *
 * One thread makes them, one after the other, of the files that the database keeps; that one from
 * the set before is made as soon as a set is published.  A patch is kept when applying it makes the
 * very file, and it is less than half of the deflated one; that from none, when it is less at all.
 * They go when the next set is published.
 *
 * Owner:    the caller owns it; the database is handed in, with the lock that guards it, which is
 *           held only while a file is copied.
 * Threads:  any.
 * Errors:   weir_patches_open(): WEIR_ENOMEM, WEIR_EIO.  A patch that cannot be made is none.
 * Limits:   WEIR_PATCHES_MAX patches to one set, and one from none, of WEIR_PATCHES_OCTETS_MAX
 *           octets together.  None is made twice and none goes to make room: whoever asks for all
 *           that can be asked for takes so many moments of the one thread, and no more.  From a set
 *           that is not there, there is none, and that takes nobody's place.
 */
#ifndef WEIR_ANALYZER_PATCHES_IO_H
#define WEIR_ANALYZER_PATCHES_IO_H

#include <pthread.h>

#include "monitor/database/database_io.h"
#include "monitor/intake/shared_text.h"

struct weir_patches;

struct weir_patches_options {
    struct weir_database *database;
    pthread_mutex_t *lock;       /* of the database */
    /* Somebody's patch is there now, or known to be none; called by the thread. */
    void (*made)(void *context);
    void *context;
};

/* Begins to listen to what is wanted; nothing is the newest yet. */
int weir_patches_open(const struct weir_patches_options *options, struct weir_patches **patches_r);

/* Ends the thread: made() is not called any more, and what is not made stays so. */
void weir_patches_stop(struct weir_patches *patches);
void weir_patches_free(struct weir_patches **patches);

/* This is the newest set from now on: its serial, its file, deflated, of which it becomes a holder,
 * and the octets of that file; `before` is the serial of the one that most servers have: 0, that is
 * not known. */
void weir_patches_newest(struct weir_patches *patches, uint32_t serial,
                         struct weir_shared_text *file, size_t octets, uint32_t before);

/* For a server with the set of this serial and id (0 and 0: it has none): 1, the caller is a holder
 * of what it needs; 0: it needs the whole file; WEIR_EBUSY: that is being made. */
int weir_patches_get(struct weir_patches *patches, uint32_t serial, uint64_t id,
                     struct weir_shared_text **patch_r);

struct weir_patches_counts {
    uint64_t made, given, octets; /* octets: of those given */
    uint64_t none;                /* that could not be made, or did not pay */
};

struct weir_patches_counts weir_patches_count(struct weir_patches *patches);

#endif

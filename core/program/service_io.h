/*
 * service - a configuration and everything that was opened for it.
 *
 *     read    the file is read and checked, nothing is opened
 *     open    stores and engine
 *     shut    stores and engine closed, the configuration still there
 *
 * Two services never have stores open at the same time: LMDB forbids one file twice
 * in one process.  So a reload reads the new one, shuts the old one, opens the
 * new one; and if that is worse than before, the old one is opened again.
 *
 * Owner:    the caller owns the service; it never moves, since the engine points into it.
 * Errors:   a store that cannot be opened is no error at the start: mail flows without
 *           it; `trouble` says so.
 */
#ifndef WEIR_PROGRAM_SERVICE_IO_H
#define WEIR_PROGRAM_SERVICE_IO_H

#include "core/engine/engine.h"
#include "core/engine/stores_io.h"

struct weir_service {
    struct weir_config config;
    struct weir_arena *arena; /* of the configuration */
    struct weir_stores stores;
    struct weir_engine *engine; /* NULL: shut */
    int trouble; /* 0, or why a store is missing */
};

/* Reads the file at path (NULL: the usual place when there is one, else
 * the defaults); every problem goes to report.  0, WEIR_EINVAL, WEIR_EIO, WEIR_ENOMEM. */
int weir_service_read(const char *path, const struct weir_settings_report *report,
                      struct weir_service **service_r);

/* Opens stores and engine.  0, also with trouble; WEIR_ENOMEM. */
int weir_service_open(struct weir_service *service, const struct weir_log *log);

void weir_service_shut(struct weir_service *service);

/* Shuts and frees *service; NULL is accepted. */
void weir_service_free(struct weir_service **service);

/* Puts next, which was read, in the place of *service, which is open, and frees what is no
 * longer needed.  0; or an error, and then *service is as it was, and next is freed. */
int weir_service_replace(struct weir_service **service, struct weir_service **next,
                         const struct weir_log *log);

#endif

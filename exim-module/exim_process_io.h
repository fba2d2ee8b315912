/*
 * exim_process - what one of Exim's processes keeps between messages: the configuration and
 * what was opened for it.
 *
 * Exim has a process for each SMTP connection and one more for each delivery, all forked, none
 * told of its end.  So everything is opened when it is first needed, and what a parent
 * opened is left alone by its child, which opens its own; only the configuration, mere memory,
 * is inherited.  A file is read again when another one is named.
 *
 *     use -> (engine | judges) ... end
 *
 * Owner:    the caller owns the value, all zeroes but its log; it must not move.
 * Threads:  one.
 * Errors:   0; WEIR_EINVAL for a wrong configuration (logged line by line), WEIR_EIO for one
 *           that cannot be read, WEIR_ENOMEM.  Stores that cannot be opened are no
 *           errors: they are logged, and mail flows without them.
 */
#ifndef WEIR_EXIM_MODULE_EXIM_PROCESS_IO_H
#define WEIR_EXIM_MODULE_EXIM_PROCESS_IO_H

#include <limits.h>
#include <sys/types.h>

#include "core/engine/judges_io.h"
#include "core/engine/numbers_io.h"

struct weir_exim_process {
    struct weir_log log;           /* set by the caller; its level follows the configuration */
    pid_t pid;                     /* who opened what is open */
    char path[PATH_MAX];           /* of the configuration; "" for the usual place */
    struct weir_arena *arena;      /* of the configuration; NULL: not read yet */
    struct weir_config config;
    int trouble;                   /* why it cannot be used, or 0 */
    bool opened;                   /* the stores were */
    bool busy;                     /* at work: a signal may have torn it away from there */
    struct weir_stores stores;
    struct weir_numbers *numbers;  /* NULL: not opened yet */
    struct weir_engine *engine;
    struct weir_judges *judges;
};

/* Reads the configuration at path (NULL or "": the usual place) unless it was read already.
 * Wrong or not, config.on_failure and config.mode can be used afterwards: they are what the file
 * says as far as it could be read, else their defaults. */
int weir_exim_process_use(struct weir_exim_process *process, const char *path);

/* The engine for lists and reputation, or NULL when memory is short. */
struct weir_engine *weir_exim_process_engine(struct weir_exim_process *process);

/* What judges whole messages, or NULL when memory is short. */
struct weir_judges *weir_exim_process_judges(struct weir_exim_process *process);

/* What is counted of this process, or NULL when memory is short. */
struct weir_numbers *weir_exim_process_numbers(struct weir_exim_process *process);

/* Closes everything that this very process has opened. */
void weir_exim_process_end(struct weir_exim_process *process);

#endif

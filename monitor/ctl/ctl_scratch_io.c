/*
 * ctl_scratch - a counter store for one run, of which nothing remains.
 *
 * It lies in a folder of its own under TMPDIR (/tmp) whose names are removed as soon as
 * the files are open: however the program ends, even by SIGKILL, the system
 * takes the space back.  Signals wait for the moment in which the names exist.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor/ctl/ctl.h"

#define ROOM (UINT64_C(64) << 30) /* of addresses, not of disk: only what is used is taken */
#define ROOM_LEAST (UINT64_C(1) << 30) /* where addresses are limited (ulimit -v) */

static int open_store(struct weir_ctl *ctl, const char *path, const char **why_r)
{
    int rc = -1;
    for (uint64_t room = ROOM; rc != 0 && room >= ROOM_LEAST; room /= 8) {
        struct weir_counters_local_options options = {
            .path = path, .bytes_most = room, .scratch = true, .mode = 0600};
        rc = weir_counters_open_local(&options, &ctl->log, &ctl->stores.counters, why_r);
    }
    return rc;
}

static int open_in_folder(struct weir_ctl *ctl, char *folder)
{
    const char *path = weir_arena_printf(ctl->arena, "%s/counters.db", folder);
    const char *lock = weir_arena_printf(ctl->arena, "%s/counters.db-lock", folder);
    const char *why = "memory is short";
    int rc = -1;
    if (path != NULL && lock != NULL) {
        rc = open_store(ctl, path, &why);
        unlink(path);
        unlink(lock);
    }
    if (rmdir(folder) != 0)
        weir_ctl_error(ctl, 0, "%s cannot be removed: %s", folder, strerror(errno));
    if (rc != 0)
        return weir_ctl_error(ctl, EX_CANTCREAT, "a store in %s cannot be made: %s; set TMPDIR to "
                              "a folder with room", folder, why);
    return 0;
}

static int open_counters(struct weir_ctl *ctl)
{
    const char *under = getenv("TMPDIR");
    char *folder = weir_arena_printf(ctl->arena, "%s/weirctl-XXXXXX",
                                     under != NULL && under[0] != '\0' ? under : "/tmp");
    if (folder == NULL)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    int code = 0;
    if (mkdtemp(folder) == NULL)
        code = weir_ctl_error(ctl, EX_CANTCREAT, "no folder %s can be made: %s; set TMPDIR", folder,
                              strerror(errno));
    else
        code = open_in_folder(ctl, folder);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return code;
}

int weir_ctl_open_scratch(struct weir_ctl *ctl)
{
    int code = weir_ctl_configure(ctl);
    if (code != 0)
        return code;
    if (weir_domains_open(ctl->config.suffix_list, &ctl->stores.domains) != 0)
        return weir_ctl_error(ctl, EX_CONFIG, "%s: the suffix list cannot be read",
                              ctl->config.suffix_list);
    ctl->stores.key = weir_hash_key_random();
    code = open_counters(ctl);
    return code != 0 ? code : weir_ctl_make_engine(ctl);
}

/*
 * ctl_scratch - a counter store for one run, of which nothing remains.
 *
 * It lies in a folder of its own under TMPDIR (/tmp).  A janitor, a child that
 * does nothing but wait for the other end of a pipe to close, removes the
 * folder: however this process ends, even by SIGKILL, its end is closed then.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/error.h"
#include "monitor/ctl/ctl.h"

#define ROOM (UINT64_C(64) << 30)      /* of addresses, not of disk: what is used is taken */
#define ROOM_LEAST (UINT64_C(1) << 26) /* where addresses are limited (ulimit -v) */

/* The janitor. -------------------------------------------------------------------- */

static void remove_folder(const char *folder)
{
    DIR *open = opendir(folder);
    for (struct dirent *entry; open != NULL && (entry = readdir(open)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(open), entry->d_name, 0);
    if (open != NULL)
        closedir(open);
    rmdir(folder);
}

/* Signals stay blocked here, since Ctrl-C goes to both of us.  Our standard
 * streams are closed, lest who reads them waits for us. */
static _Noreturn void be_janitor(const char *folder, int from)
{
    char nothing;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fd != from)
            close(fd);
    while (read(from, &nothing, 1) < 0 && errno == EINTR)
        ;
    remove_folder(folder);
    _exit(0);
}

/* Makes the folder and its janitor.  0 or an errno. */
static int make_folder(struct weir_ctl *ctl, char *folder)
{
    int ends[2];
    if (mkdtemp(folder) == NULL)
        return errno;
    ctl->janitor = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
    int error = errno;
    if (ctl->janitor == 0) {
        close(ends[1]);
        be_janitor(folder, ends[0]);
    }
    if (ctl->janitor < 0) {
        rmdir(folder);
        return error;
    }
    close(ends[0]);
    ctl->janitor_end = ends[1];
    return 0;
}

void weir_ctl_close_scratch(struct weir_ctl *ctl)
{
    if (ctl->janitor <= 0)
        return;
    close(ctl->janitor_end);
    while (waitpid((pid_t)ctl->janitor, NULL, 0) < 0 && errno == EINTR)
        ;
    ctl->janitor = 0;
}

/* The store. ---------------------------------------------------------------------- */

/* Whether the store can really be written to, which is when its file is made. */
static int try_out(struct weir_counters *counters)
{
    const struct weir_counter nobody = {.variable = WEIR_SPAM_USER, .half_life = 1};
    int rc = weir_counters_add(counters, 0, &nobody, 1);
    return rc != 0 ? rc : weir_counters_flush(counters, NULL);
}

static int open_store(struct weir_ctl *ctl, const char *path)
{
    const char *why;
    int rc = WEIR_ENOMEM;
    for (uint64_t room = ROOM; rc == WEIR_ENOMEM && room >= ROOM_LEAST; room /= 8) {
        struct weir_counters_local_options options = {
            .path = path, .bytes_most = room, .scratch = true, .mode = 0600};
        weir_counters_free(&ctl->stores.counters);
        rc = weir_counters_open_local(&options, &ctl->log, &ctl->stores.counters, &why);
        if (rc == 0)
            rc = try_out(ctl->stores.counters);
    }
    return rc;
}

static int open_counters(struct weir_ctl *ctl)
{
    const char *under = getenv("TMPDIR");
    char *folder = weir_arena_printf(ctl->arena, "%s/weirctl-XXXXXX",
                                     under != NULL && under[0] != '\0' ? under : "/tmp");
    const char *path = NULL;
    sigset_t all, before;
    if (folder == NULL)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    int error = make_folder(ctl, folder);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return weir_ctl_error(ctl, EX_CANTCREAT, "no folder %s can be made: %s; set TMPDIR", folder,
                              strerror(error));
    path = weir_arena_printf(ctl->arena, "%s/counters.db", folder);
    int rc = path != NULL ? open_store(ctl, path) : WEIR_ENOMEM;
    if (rc != 0)
        return weir_ctl_error(ctl, EX_CANTCREAT, "no store can be made in %s: %s; set TMPDIR to a "
                              "folder with room", folder, weir_error_reason(rc));
    return 0;
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

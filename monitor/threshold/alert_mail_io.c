/*
 * A message to sendmail: a child with a memory file as its standard input, so that no pipe can
 * block, and one of bounded size for what it says; it is waited for with a deadline, and killed
 * with all of its process group when that is over.  No shell; recipients stand behind "--".
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/line.h"
#include "core/base/slice.h"
#include "monitor/threshold/alert_impl.h"

#define SAID_ROOM 4096
#define SLICE_MS 100 /* between two looks at whether the monitor is closing */

struct child {
    char *argument[WEIR_ALERT_RECIPIENTS_MAX + 4];
    char program[PATH_MAX], option[3], end[3];
    char recipients[WEIR_ALERT_RECIPIENTS_MAX * (WEIR_ALERT_RECIPIENT_MAX + 2)];
    int input, said;
    pid_t pid;
};

static bool name_arguments(struct child *child, const struct weir_alerts_options *options)
{
    size_t n = 0;
    char *rest = child->recipients, *word;

    snprintf(child->program, sizeof child->program, "%s", options->sendmail);
    strcpy(child->option, "-i"); /* a line of one point is no end */
    strcpy(child->end, "--");
    child->argument[n++] = child->program;
    child->argument[n++] = child->option;
    child->argument[n++] = child->end;
    snprintf(child->recipients, sizeof child->recipients, "%s", options->mail);
    while ((word = strsep(&rest, ", ")) != NULL && n < WEIR_ALERT_RECIPIENTS_MAX + 3)
        if (word[0])
            child->argument[n++] = word;
    child->argument[n] = NULL;
    return n > 3;
}

static bool fill(int file, const char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        ssize_t done = write(file, text, len);
        if (done <= 0)
            return false;
        text += done;
        len -= (size_t)done;
    }
    return lseek(file, 0, SEEK_SET) == 0;
}

static bool open_files(struct child *child, const char *text)
{
    child->input = memfd_create("weir-alert", MFD_CLOEXEC);
    child->said = memfd_create("weir-alert-said", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return child->input >= 0 && child->said >= 0 && fill(child->input, text) &&
           ftruncate(child->said, SAID_ROOM) == 0 &&
           fcntl(child->said, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SEAL) == 0;
}

/* With a clean environment, no signal blocked or ignored, and no file but these. */
static int spawn(struct child *child)
{
    char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", language[] = "LC_ALL=C";
    char *environment[] = {path, language, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int error;

    sigemptyset(&none);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&files, child->input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, child->said, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, child->said, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    error = posix_spawn(&child->pid, child->argument[0], &files, &attributes, child->argument,
                        environment);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return error;
}

/* Waits for its end: true with its status; false when it had to be killed. */
static bool wait_for(struct alert_channel *channel, pid_t pid, weir_time deadline, int *status_r)
{
    struct pollfd end = {.fd = pidfd_open(pid, 0), .events = POLLIN};
    bool ended = false;

    while (!ended && weir_clock_now(&channel->steady) < deadline &&
           weir_clock_now(&channel->steady) < atomic_load(&channel->deadline)) {
        (void)poll(&end, end.fd >= 0, SLICE_MS);
        ended = waitpid(pid, status_r, WNOHANG) == pid;
    }
    if (!ended) {
        (void)kill(-pid, SIGKILL);
        while (waitpid(pid, status_r, 0) < 0 && errno == EINTR)
            continue;
    }
    if (end.fd >= 0)
        close(end.fd);
    return ended;
}

/* The first line of what it said. */
static void add_said(struct weir_line *line, int said)
{
    char text[200];
    ssize_t len = pread(said, text, sizeof text, 0);
    struct weir_slice first = {text, len > 0 ? strnlen(text, (size_t)len) : 0};
    const char *end = memchr(text, '\n', first.len);

    if (end)
        first.len = (size_t)(end - text);
    if (first.len == 0)
        return;
    weir_line_text(line, ": ");
    weir_line_foreign(line, first, true);
}

static void tell_end(const struct child *child, bool ended, int status,
                     char why[static WEIR_ALERT_WHY])
{
    struct weir_line line = weir_line(why, WEIR_ALERT_WHY);

    weir_line_text(&line, child->argument[0]);
    if (!ended)
        weir_line_text(&line, " took too long");
    else if (WIFEXITED(status)) {
        weir_line_text(&line, " ended with ");
        weir_line_count(&line, (uint64_t)WEXITSTATUS(status));
    } else {
        weir_line_text(&line, " was killed");
    }
    add_said(&line, child->said);
    weir_line_end(&line);
}

static bool run(struct alert_channel *channel, struct child *child,
                char why[static WEIR_ALERT_WHY])
{
    weir_time deadline = weir_alert_deadline(channel);
    int error = spawn(child), status = 0;
    bool ended;

    if (error != 0) {
        snprintf(why, WEIR_ALERT_WHY, "%s: %s", child->argument[0], strerror(error));
        return false;
    }
    ended = wait_for(channel, child->pid, deadline, &status);
    if (ended && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    tell_end(child, ended, status, why);
    return false;
}

bool weir_alert_hand_to_sendmail(struct alert_channel *channel, char why[static WEIR_ALERT_WHY])
{
    struct child child = {.input = -1, .said = -1};
    const struct weir_alert_letter letter = {.host = channel->host,
                                             .to = channel->options->mail,
                                             .console = channel->options->console,
                                             .template = channel->options->mail_template,
                                             .now = weir_clock_now(&channel->wall),
                                             .number = channel->sending.count};
    char *text = weir_alert_mail(&channel->sending, &letter);
    bool done = false;

    snprintf(why, WEIR_ALERT_WHY, "memory is short");
    if (text && name_arguments(&child, channel->options) && open_files(&child, text))
        done = run(channel, &child, why);
    if (child.input >= 0)
        close(child.input);
    if (child.said >= 0)
        close(child.said);
    free(text);
    return done;
}

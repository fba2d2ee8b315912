/*
 * memcached_rig - see the header.  A rig owns one child process; the child asks
 * the kernel to be killed with its parent, so that a crashed test leaves
 * nothing behind.  The kernel forgets this when a process changes its user, so
 * root becomes "nobody" before asking, and memcached need not.  A port is found by
 * binding to port 0 and letting go; should somebody else take it in between,
 * another one is tried.
 */
#include "tests/unit/memcached_rig.h"

#include <arpa/inet.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_STEPS 1000 /* of 5 ms: how long a start may take */
#define PORT_TRIES 5

struct memcached_rig {
    pid_t pid; /* 0: not running */
    unsigned port;
    char server[108];
};

static bool program_of(char *path, size_t room)
{
    const char *named = getenv("WEIR_MEMCACHED");
    if (named && *named) {
        snprintf(path, room, "%s", named);
        return access(path, X_OK) == 0;
    }
    const char *search = getenv("PATH");
    while (search && *search) {
        size_t len = strcspn(search, ":");
        snprintf(path, room, "%.*s/memcached", (int)len, search);
        if (access(path, X_OK) == 0)
            return true;
        search += len + (search[len] == ':');
    }
    return false;
}

bool memcached_rig_available(void)
{
    char path[4096];
    if (program_of(path, sizeof path))
        return true;
    fprintf(stderr, "no memcached found: set WEIR_MEMCACHED or install memcached\n");
    return false;
}

/* Where the program lies may be closed to "nobody": then memcached has to change
 * its user itself, and a crashed test leaves it behind. */
static bool become_nobody(const char *program)
{
    const struct passwd *nobody = getpwnam("nobody");
    if (geteuid() != 0 || !nobody)
        return false;
    bool open = seteuid(nobody->pw_uid) == 0 && eaccess(program, X_OK) == 0;
    return seteuid(0) == 0 && open && setgroups(0, NULL) == 0 && setgid(nobody->pw_gid) == 0 &&
           setuid(nobody->pw_uid) == 0;
}

static void run_child(const char *program, const struct memcached_rig *rig, pid_t parent)
{
    char port[16];
    snprintf(port, sizeof port, "%u", rig->port);
    const char *words[20] = {program, "-m", "32", "-t", "1", "-U", "0"};
    size_t n = 7;
    if (geteuid() == 0 && !become_nobody(program)) {
        words[n++] = "-u";
        words[n++] = "nobody";
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    words[n++] = rig->port ? "-l" : "-s";
    words[n++] = rig->port ? "127.0.0.1" : rig->server;
    if (rig->port) {
        words[n++] = "-p";
        words[n++] = port;
    } else {
        words[n++] = "-a";
        words[n++] = "0777";
    }
    char *arguments[20] = {0};
    for (size_t i = 0; i < n; i++)
        arguments[i] = strdup(words[i]);
    execv(program, arguments);
    _exit(1);
}

static int connect_to(const struct memcached_rig *rig)
{
    struct sockaddr_in inet = {.sin_family = AF_INET, .sin_port = htons((uint16_t)rig->port)};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    snprintf(local.sun_path, sizeof local.sun_path, "%.107s", rig->server);
    int fd = socket(rig->port ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    const void *at = rig->port ? (const void *)&inet : (const void *)&local;
    if (connect(fd, at, rig->port ? sizeof inet : sizeof local) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool answers(const struct memcached_rig *rig)
{
    struct timeval wait = {.tv_sec = 1};
    char answer[64] = "";
    int fd = connect_to(rig);
    if (fd < 0)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    bool sent = send(fd, "version\r\n", 9, MSG_NOSIGNAL) == 9;
    bool good = sent && recv(fd, answer, sizeof answer - 1, 0) > 8;
    close(fd);
    return good && strncmp(answer, "VERSION ", 8) == 0;
}

/* A server that lost its port to somebody else ends at once: seen by waitpid. */
static bool wait_until_up(struct memcached_rig *rig)
{
    const struct timespec step = {.tv_nsec = 5000000};
    for (int i = 0; i < WAIT_STEPS; i++) {
        if (waitpid(rig->pid, NULL, WNOHANG) == rig->pid) {
            rig->pid = 0;
            return false;
        }
        if (answers(rig))
            return true;
        nanosleep(&step, NULL);
    }
    return false;
}

static bool launch(struct memcached_rig *rig)
{
    char program[4096];
    if (!program_of(program, sizeof program))
        return false;
    pid_t parent = getpid();
    fflush(NULL);
    rig->pid = fork();
    if (rig->pid < 0)
        rig->pid = 0;
    else if (rig->pid == 0)
        run_child(program, rig, parent);
    if (rig->pid == 0)
        return false;
    if (wait_until_up(rig))
        return true;
    memcached_rig_kill(rig);
    return false;
}

static unsigned free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    bool bound = bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
                 getsockname(fd, (struct sockaddr *)&at, &len) == 0;
    close(fd);
    return bound ? ntohs(at.sin_port) : 0;
}

struct memcached_rig *memcached_rig_start(void)
{
    struct memcached_rig *rig = calloc(1, sizeof *rig);
    for (int i = 0; rig && i < PORT_TRIES; i++) {
        rig->port = free_port();
        snprintf(rig->server, sizeof rig->server, "127.0.0.1:%u", rig->port);
        if (rig->port && launch(rig))
            return rig;
    }
    memcached_rig_stop(&rig);
    return NULL;
}

struct memcached_rig *memcached_rig_start_socket(const char *path)
{
    struct memcached_rig *rig = calloc(1, sizeof *rig);
    if (rig) {
        snprintf(rig->server, sizeof rig->server, "%.107s", path);
        if (launch(rig))
            return rig;
    }
    memcached_rig_stop(&rig);
    return NULL;
}

const char *memcached_rig_server(const struct memcached_rig *rig)
{
    return rig->server;
}

unsigned memcached_rig_port(const struct memcached_rig *rig)
{
    return rig->port;
}

void memcached_rig_kill(struct memcached_rig *rig)
{
    if (rig->pid == 0)
        return;
    kill(rig->pid, SIGKILL);
    waitpid(rig->pid, NULL, 0);
    rig->pid = 0;
}

bool memcached_rig_restart(struct memcached_rig *rig)
{
    memcached_rig_kill(rig);
    return launch(rig);
}

void memcached_rig_pause(struct memcached_rig *rig)
{
    if (rig->pid == 0)
        return;
    kill(rig->pid, SIGSTOP);
    waitpid(rig->pid, NULL, WUNTRACED);
}

void memcached_rig_resume(struct memcached_rig *rig)
{
    if (rig->pid != 0)
        kill(rig->pid, SIGCONT);
}

void memcached_rig_stop(struct memcached_rig **rig)
{
    if (!*rig)
        return;
    memcached_rig_kill(*rig);
    if ((*rig)->port == 0)
        unlink((*rig)->server);
    free(*rig);
    *rig = NULL;
}

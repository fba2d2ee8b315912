/*
 * memcached_rig - real memcached servers for tests: start, kill, pause, restart.
 *
 * Each server listens on 127.0.0.1 and a free port only (no UDP), or on a Unix
 * socket, and dies with the test program.  The program is taken from the
 * environment (WEIR_MEMCACHED), else found along PATH.
 *
 *     if (!memcached_rig_available())
 *         skip();
 *     struct memcached_rig *rig = memcached_rig_start();
 *     assert_non_null(rig);
 *     const char *server = memcached_rig_server(rig);   "127.0.0.1:PORT"
 *     memcached_rig_pause(rig);                         alive, but silent
 *     memcached_rig_resume(rig);
 *     memcached_rig_kill(rig);                          connections are reset
 *     memcached_rig_restart(rig);                       same port, empty
 *     memcached_rig_stop(&rig);
 *
 * Owner:    the test; only processes started here are ever signalled, by pid.
 */
#ifndef WEIR_TESTS_MEMCACHED_RIG_H
#define WEIR_TESTS_MEMCACHED_RIG_H

#include <stdbool.h>

struct memcached_rig;

/* Whether there is a memcached to run; prints why not, so that a skipped test
 * is explained. */
bool memcached_rig_available(void);

/* Starts one and returns once it answers; NULL when that takes over 5 s. */
struct memcached_rig *memcached_rig_start(void);

/* The same on a Unix socket of this path (absolute, shorter than 100).  Started
 * by root the server is "nobody", who must be able to write to the directory. */
struct memcached_rig *memcached_rig_start_socket(const char *path);

/* As weir_counters_memcached_options wants it: "127.0.0.1:PORT" or the path. */
const char *memcached_rig_server(const struct memcached_rig *rig);

/* 0 for a Unix socket. */
unsigned memcached_rig_port(const struct memcached_rig *rig);

/* SIGKILL, and waits for the end; nothing when it is not running. */
void memcached_rig_kill(struct memcached_rig *rig);

/* Starts it again, empty, at the same place, killing it before if need be;
 * true once it answers. */
bool memcached_rig_restart(struct memcached_rig *rig);

/* SIGSTOP, and waits until it stands; SIGCONT. */
void memcached_rig_pause(struct memcached_rig *rig);
void memcached_rig_resume(struct memcached_rig *rig);

/* Kills it, frees *rig and sets it to NULL; NULL is accepted. */
void memcached_rig_stop(struct memcached_rig **rig);

#endif

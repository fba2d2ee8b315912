/*
 * console - the analyst's desk: a web server in weir-monitor (claims A8, A25, B3, B16, B17, B32,
 * B33, C2; field.md, "Console").
 *
 *     GET  /                    the pages: embedded files, the same for everybody
 *     POST /api/v1/login        {"name", "password"} -> a cookie and a token against forgery
 *     *    /api/v1/...          api.h: what is asked and done, as JSON
 *     GET  /api/v1/live         server-sent events (feed_io.h)
 *
 * Who asks is known by a cookie (HttpOnly, SameSite=Strict, Secure under TLS), or, programs, by
 * `Authorization: Bearer TOKEN`.  With a cookie, whatever is no GET needs the session's token in
 * the field Weir-Csrf.  Logins are limited by address and by name (login_limit.h), and say only
 * that name and password do not go together.  A Host field that names no address, "localhost", this
 * host, or what [console] url says, is refused: no other site's name can be made to point here.
 *
 * Every answer has Content-Security-Policy: default-src 'none'; script-src 'self'; style-src
 * 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none';
 * frame-ancestors 'none'; and nosniff, no-referrer, no-store (API).
 *
 * Owner:    the caller owns the console; the monitor must live as long.
 * Threads:  libmicrohttpd's, which reads and writes; WEIR_CONSOLE_WORKERS, each with a handle of
 *           the database, which answer what was asked while its connection sleeps; one that looks
 *           once a second what is new for live pages.  Passwords keep two workers at most.
 * Errors:   weir_console_open(): WEIR_EINVAL, WEIR_EIO, WEIR_ENOMEM, logged.
 * Limits:   console_impl.h: how long a request may take to come, how many strangers there may be;
 *           WEIR_CONSOLE_BODIES octets of bodies under way that are longer than
 *           WEIR_CONSOLE_STRANGERS_BODY, which is all that who shows neither session nor token may
 *           send; WEIR_CONSOLE_CONNECTIONS_MAX connections, WEIR_CONSOLE_OF_ADDRESS of an address,
 *           which may be a proxy; WEIR_CONSOLE_LIVE_MAX of them live; WEIR_CONSOLE_WAITING_MAX
 *           questions that wait for a worker, a quarter of them one account's or token's, for which
 *           WEIR_CONSOLE_SHARE workers do something at once.
 */
#ifndef WEIR_CONSOLE_CONSOLE_IO_H
#define WEIR_CONSOLE_CONSOLE_IO_H

#include "core/base/log.h"

#define WEIR_CONSOLE_WORKERS 6
#define WEIR_CONSOLE_SHARE 3
#define WEIR_CONSOLE_CONNECTIONS_MAX 2048u
#define WEIR_CONSOLE_OF_ADDRESS 1024u
#define WEIR_CONSOLE_LIVE_MAX 1000u
#define WEIR_CONSOLE_STRANGERS_BODY ((size_t)4096)
#define WEIR_CONSOLE_BODIES ((size_t)32 << 20)
#define WEIR_CONSOLE_WAITING_MAX 256u
#define WEIR_CONSOLE_LOGINS_MAX 64u /* of them, passwords; twice as many with a device's mark */

struct weir_monitor;
struct weir_console;

struct weir_console_options {
    const char *listen;                          /* inet:host:port */
    const char *url;                             /* how people reach it, or "" */
    const char *certificate, *key;               /* paths, or NULL: plain HTTP */
    const char *database;                        /* path */
    const struct weir_log *log;
};

/* Listens, and answers for the monitor, which must live as long; texts, until it returns. */
int weir_console_open(struct weir_monitor *monitor, const struct weir_console_options *options,
                      struct weir_console **console_r);
void weir_console_close(struct weir_console **console);

unsigned weir_console_port(const struct weir_console *console);

#endif

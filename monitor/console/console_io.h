/*
 * console - the analyst's desk: a web server in weir-monitor (claims A8, A25, B3, B16, B17, B32,
 * B33, C2; field.md, "Console").
 *
 *     GET  /                    the pages: embedded files, the same for everybody
 *     POST /api/v1/login        {"name", "password"} -> a cookie and a token against forgery
 *     *    /api/v1/...          api.h: what is asked and done, as JSON
 *     GET  /api/v1/live         server-sent events (live_io.h)
 *     GET  /metrics             Prometheus text, on loopback or with a token
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
 * Threads:  libmicrohttpd's own, a pool; an API question that takes long keeps one of them.
 * Errors:   weir_console_open(): WEIR_EINVAL, WEIR_EIO, WEIR_ENOMEM, logged.
 * Limits:   WEIR_CONSOLE_CONNECTIONS_MAX connections, WEIR_CONSOLE_OF_ADDRESS of one address;
 *           WEIR_CONSOLE_LIVE_MAX of them live.
 */
#ifndef WEIR_CONSOLE_CONSOLE_IO_H
#define WEIR_CONSOLE_CONSOLE_IO_H

#include "core/base/endpoint.h"
#include "core/base/log.h"

struct weir_monitor;
struct weir_console;

/* Listens where [console] listen says (inet:127.0.0.1:8426); an empty one has no console.  Where
 * there is no account yet, makes "admin" with a random password: on a terminal it is printed once,
 * else written to first-password in state_directory, for its owner alone, and removed at the first
 * login. */
int weir_console_open(struct weir_monitor *monitor, struct weir_console **console_r);
void weir_console_close(struct weir_console **console);

/* Once a second: tells all live pages what is new. */
void weir_console_tick(struct weir_console *console, weir_time now, weir_time steady);

unsigned weir_console_port(const struct weir_console *console);

#endif

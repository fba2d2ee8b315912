/*
 * admin - the monitor's door for its operator: JSON over a Unix socket, asked by weirctl.
 *
 *     POST /admin/v1/do    {"do": "server add", "name": "mx1"}
 *         200 what came of it; 400 {"error": "..."}: it cannot be done; 404: there is no such
 *         server, threshold or acceptance; 500: trouble, as with the database
 *
 * Verbs are those of monitor_verbs_io.h, of whom the socket says that he asks ("uid 0").
 * What only reads (events, servers, top, history) reads the database itself.
 *
 * Owner:    the monitor's.
 * Threads:  one for each connection: what takes its time over a rulebook keeps nobody else waiting,
 *           who wants to block an address or to know how things are.
 * Errors:   weir_admin_open(): WEIR_EIO, WEIR_EINVAL, logged.
 * Limits:   WEIR_ADMIN_BODY_MAX octets of a question.  The socket is its owner's and group's.
 */
#ifndef WEIR_MONITOR_ADMIN_IO_H
#define WEIR_MONITOR_ADMIN_IO_H

struct weir_monitor;

/* Opens the door; an empty [monitor] admin has none. */
int weir_admin_open(struct weir_monitor *monitor);
void weir_admin_close(struct weir_monitor *monitor);

#endif

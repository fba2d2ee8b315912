/*
 * alert_link - the page of the console that an alert links to.
 *
 *     https://weir.example.org + alert 17            -> https://weir.example.org/#/alerts/17
 *     https://weir.example.org + 203.0.113.0/24      -> .../#/addresses/203.0.113.0%2F24
 *
 * What stands behind the '#' never leaves the browser: who has to log in first is on that page
 * afterwards.
 *
 * Owner:    the caller.  Threads: pure functions.  Errors: none.
 * Limits:   WEIR_ALERT_CONSOLE_MAX octets of the console's address; a longer one is none.
 */
#ifndef WEIR_THRESHOLD_ALERT_LINK_H
#define WEIR_THRESHOLD_ALERT_LINK_H

#include <stdbool.h>

#include "core/base/limits.h"
#include "monitor/threshold/alert.h"

#define WEIR_ALERT_LINK_ROOM (WEIR_ALERT_CONSOLE_MAX + WEIR_PREFIX_TEXT + 32)

/* Where people reach the console: what [console] url says; else what it listens at, in the place of
 * an address that is all addresses the host's name.  "" where there is no console, or at a port
 * nobody knows yet.  Returns buffer. */
const char *weir_alert_console(const char *url, const char *listen, bool secure, const char *host,
                               char buffer[static WEIR_ALERT_CONSOLE_MAX + 1]);

/* The page of an alert, of its address where it is no row of the events, and of all alerts where
 * there is none (NULL); "" where there is no console.  Returns buffer. */
const char *weir_alert_link(const char *console, const struct weir_alert *alert,
                            char buffer[static WEIR_ALERT_LINK_ROOM]);

#endif

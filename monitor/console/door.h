/*
 * door - what the fields of a request say of who asks.
 *
 *     Cookie: weir_session=...    of a page
 *     Authorization: Bearer ...   of a program
 *
 * Owner:    the caller.  Threads: pure.
 * Limits:   those of tokens.
 */
#ifndef WEIR_CONSOLE_DOOR_H
#define WEIR_CONSOLE_DOOR_H

#include <stdbool.h>

#include "core/base/address.h"
#include "core/base/cursor.h"
#include "monitor/console/accounts.h"

#define WEIR_DOOR_COOKIE "weir_session"
#define WEIR_DOOR_DEVICE "weir_device"           /* accounts.h, weir_device_new() */

/* Whether who asks is on this machine and no proxy's client: url is the host of [console] url, or
 * ""; forwarded: a field that proxies add, or NULL.  With a url of another host people come by a
 * proxy, as far as we know, and all of them from its address. */
bool weir_door_is_near(const struct weir_address *from, const char *url, const char *forwarded);

/* The session of a Cookie field, or the token of an Authorization field; false: there is none that
 * could be ours, or more than one. */
bool weir_door_cookie(const char *field, char session_r[static WEIR_TOKEN_TEXT]);
bool weir_door_device(const char *field, char device_r[static WEIR_TOKEN_TEXT]);
bool weir_door_bearer(const char *field, char token_r[static WEIR_TOKEN_TEXT]);

#endif

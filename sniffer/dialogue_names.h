/*
 * dialogue_names - the addresses of the message at hand, and of commands that still wait.
 *
 * One buffer of names in the order they were said: first those of the message at hand, then
 * those whose commands wait for replies.  A reply moves the border between them by one.
 *
 * Owner:    owns its buffer, made when the first name is kept; slices given out live until
 *           the next call.
 * Limits:   WEIR_DIALOGUE_RECIPIENTS_MAX recipients, WEIR_DIALOGUE_NAMES_MAX octets.  When a name
 *           finds no room, or memory is short, it is not kept, and so are those behind it until
 *           all waiting ones have been answered: names never belong to the wrong reply.
 */
#ifndef WEIR_SNIFFER_DIALOGUE_NAMES_H
#define WEIR_SNIFFER_DIALOGUE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/cursor.h"

struct weir_names {
    char *text;
    uint32_t first, border, end, room;
    uint32_t unnamed;  /* waiting commands behind the kept ones, without names */
};

void weir_names_free(struct weir_names *names);

/* A command says a name, or one that is not to be kept. */
void weir_names_say(struct weir_names *names, bool has_name, struct weir_slice name);

/* The next waiting command was answered: its name becomes the sender, or a recipient, of the
 * message at hand, or nobody. */
enum weir_name_use { WEIR_NAME_NOBODY, WEIR_NAME_SENDER, WEIR_NAME_RECIPIENT };
void weir_names_use(struct weir_names *names, enum weir_name_use use);

/* Forgets the names of the message at hand, or those that wait. */
void weir_names_forget(struct weir_names *names);
void weir_names_forget_waiting(struct weir_names *names);

/* Names of the message at hand: whether its sender is known, and how many recipients were
 * written to room. */
bool weir_names_sender(const struct weir_names *names, struct weir_slice *sender_r);
size_t weir_names_recipients(const struct weir_names *names, struct weir_slice *room, size_t most);

#endif

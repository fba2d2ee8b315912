/*
 * shared_text - a long text that many read at once, and that goes with the last of them.
 *
 * Owner:    whoever holds it; the first holder is its maker.  Threads: any.
 * Errors:   NULL: memory is short.
 */
#ifndef WEIR_INTAKE_SHARED_TEXT_H
#define WEIR_INTAKE_SHARED_TEXT_H

#include <stdatomic.h>
#include <stddef.h>

struct weir_shared_text {
    atomic_uint holders;
    size_t len;
    char *text;
};

/* Takes a text from malloc(), which is freed at the end, or at once when this fails. */
struct weir_shared_text *weir_shared_text_new(char *text);

/* The same for octets that are no text. */
struct weir_shared_text *weir_shared_text_octets(char *octets, size_t len);

/* One holder more; gives it back. */
struct weir_shared_text *weir_shared_text_hold(struct weir_shared_text *shared);

/* One less; NULL is accepted, and the pointer is NULL then. */
void weir_shared_text_free(struct weir_shared_text **shared);

#endif

/*
 * visible - which octets of a stranger's text may be shown to a person, or written where a person
 * will read them: characters of proper UTF-8 (RFC 3629) that are neither control characters nor
 * change how the others look, by turning their direction or by being no character to the eye.
 *
 * U+200C and U+200D, which join letters or keep them apart, are characters: words of several
 * languages are written with them.
 *
 * Threads:  pure functions.
 */
#ifndef WEIR_BASE_VISIBLE_H
#define WEIR_BASE_VISIBLE_H

#include <stdbool.h>

#include "core/base/cursor.h"

/* The octets of the character the text begins with, 0 when it is none that may be shown. */
size_t weir_visible_octets(struct weir_slice text);

/* Whether all of its characters may be shown; an empty text is. */
bool weir_visible(struct weir_slice text);

#endif

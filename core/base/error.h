/*
 * error - the one return contract of Weir's functions.
 *
 *     1   there is one: found, got, complete
 *     0   there is none: not found, nothing more, partly
 *    <0   an enum weir_error
 *
 * Functions that only do something give 0 when it was done.  Outputs come
 * last and end in _r; they are written only when the result is >= 0, unless
 * the header says otherwise.  A reason, where one is given, is static text or
 * text in the caller's arena, so that nobody has to free it.
 */
#ifndef WEIR_BASE_ERROR_H
#define WEIR_BASE_ERROR_H

enum weir_error {
    WEIR_EINVAL = -1,   /* what was handed in is malformed */
    WEIR_ENOMEM = -2,   /* memory is short */
    WEIR_ELIMIT = -3,   /* a named limit (limits.h) would be passed */
    WEIR_EIO = -4,      /* the system said no; errno tells why */
    WEIR_ECORRUPT = -5, /* stored bytes are not what we wrote */
    WEIR_EDOWN = -6,    /* a store does not answer */
    WEIR_EFULL = -7,    /* a store has no room left */
    WEIR_EBUG = -8,     /* an invariant of ours is broken */
    WEIR_EBUSY = -9,    /* another process has what there is to be had once only */
};

/* A few words for a message.  Static text; never NULL, whatever the number. */
const char *weir_error_text(int error);

/* Whether the same may work a little later: what was asked is locked, or there is no room. */
static inline int weir_error_passes(int error)
{
    return error == WEIR_EDOWN || error == WEIR_EFULL;
}

/* The same, but for WEIR_EIO what errno says; to be asked before anything else
 * touches errno. */
const char *weir_error_reason(int error);

#endif

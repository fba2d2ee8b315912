/*
 * reported_text - the message that a person reports, as it goes from the server's spool to the
 * monitor: for the analyst, and for drafts of rules (claims B16, B32).
 *
 *     weir_reported_text_cut()    header and text as they stand; in the place of each attachment a
 *                                 line: [attachment left out: application/pdf, "bill.pdf", 4711
 *                                 octets, sha256 <64 hex digits>]
 *     weir_reported_text_pack()   report=<spam|ham> cut=<yes|no> reporter=<16 hex> binding=<16 hex>
 *                                 info=<v1;... or -> len=<octets> packed=<zlib|no>, a line end, and
 *                                 the octets, compressed where that makes them fewer
 *     weir_reported_text_read(), weir_reported_text_unpack()  the monitor's side
 *
 * The reader verifies the string itself.  What is in the text is hostile: whoever shows it escapes
 * it, and nobody believes a word of it.
 *
 * Owner:    results in the caller's arena or buffer; what was read points into what was handed in.
 * Threads:  pure functions.
 * Errors:   WEIR_ENOMEM; WEIR_ECORRUPT: not what pack() made.
 * Limits:   WEIR_REPORTED_TEXT_MAX octets of a text, however it claims to be packed.
 */
#ifndef WEIR_ANALYZER_REPORTED_TEXT_H
#define WEIR_ANALYZER_REPORTED_TEXT_H

#include "core/base/limits.h"
#include "core/mail/message.h"

struct weir_reported_text {
    bool spam;                 /* as it was reported */
    bool cut;                  /* there was more of it */
    uint64_t reporter, binding;
    struct weir_slice info;    /* "v1;..."; empty: there was none */
    /* Of weir_reported_text_read(): */
    size_t len;                /* of the text */
    bool packed;
    struct weir_slice octets;
};

/* A message's text, at most so many octets; *cut_r: that is not all of it.  0 or WEIR_ENOMEM. */
int weir_reported_text_cut(const struct weir_message *message, size_t most,
                           struct weir_arena *arena, struct weir_slice *text_r, bool *cut_r);

/* What such a line says.  A text can have some of its sender's own making: what a mark says is
 * shown, and nothing is made of it. */
struct weir_reported_mark {
    struct weir_slice type, name, hash; /* of the line */
    uint64_t octets;
};

/* Of a line without its end; false: it is no mark. */
bool weir_reported_mark_read(struct weir_slice line, struct weir_reported_mark *mark_r);

/* All of it as octets.  0 or WEIR_ENOMEM. */
int weir_reported_text_pack(const struct weir_reported_text *told, struct weir_slice text,
                            struct weir_arena *arena, struct weir_slice *octets_r);

/* 1, or 0 for what is no such thing. */
int weir_reported_text_read(struct weir_slice octets, struct weir_reported_text *told_r);

/* The text, into a buffer with room for len octets.  0 or WEIR_ECORRUPT. */
int weir_reported_text_unpack(const struct weir_reported_text *told, char *buffer);

#endif

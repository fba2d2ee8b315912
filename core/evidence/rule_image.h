/*
 * rule_image - the octets of a built rule set: where what lies.
 *
 *     head | rules | selectors | formulas | code | special | by name | by id
 *          | dependents | which formulas start true | networks | text | prefilter
 *          | ready | ready octets
 *
 * Numbers are in the machine's own order and every piece begins at a multiple of 8, so
 * that a mapped file is used as it is; a file from another kind of machine, or of a
 * program that knows other facts, is refused.
 *
 * Owner:    the writer owns its octets until taken; an image is a view into the caller's.
 * Threads:  an image is only read.
 * Errors:   WEIR_ECORRUPT.  Attaching looks at the head; what the pieces say (a
 *           number, an offset) is checked by whoever uses it, so that damaged octets
 *           cannot lead outside.
 */
#ifndef WEIR_EVIDENCE_RULE_IMAGE_H
#define WEIR_EVIDENCE_RULE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/cursor.h"

enum weir_image_piece {
    WEIR_IMAGE_RULES,      /* struct weir_image_rule, by number */
    WEIR_IMAGE_SELECTORS,  /* struct weir_image_selector */
    WEIR_IMAGE_METAS,      /* struct weir_image_meta, each behind those it needs */
    WEIR_IMAGE_CODE,       /* u32: their programs */
    WEIR_IMAGE_SPECIAL,    /* u32: rules that hit where nothing is found */
    WEIR_IMAGE_BY_NAME,    /* u32: numbers of rules by their names */
    WEIR_IMAGE_BY_ID,      /* u32: numbers of rules by their ids */
    WEIR_IMAGE_DEPENDENT_FIRST, /* u32 for each rule and fact, and one more: into ... */
    WEIR_IMAGE_DEPENDENTS, /* u32: formulas that look at it */
    WEIR_IMAGE_START_TRUE, /* u64: bits of formulas that are true when nothing hits */
    WEIR_IMAGE_NETWORKS,   /* struct weir_image_network, by address, wider ones first */
    WEIR_IMAGE_TEXT,       /* names, expressions, descriptions */
    WEIR_IMAGE_PREFILTER,
    WEIR_IMAGE_READY,      /* struct weir_image_ready, by number; or none */
    WEIR_IMAGE_READY_OCTETS, /* what they and struct weir_image_ready_head lead into */
    WEIR_IMAGE_PIECES
};

struct weir_image_span { uint32_t at, len; }; /* of TEXT, CODE, READY_OCTETS */

enum weir_image_flag { /* above those of enum weir_rule_flag */
    WEIR_IMAGE_HIDDEN = 1 << 16,      /* "__": for formulas only */
    WEIR_IMAGE_WITHOUT = 1 << 17,     /* the expression matches where there is no such field */
};

enum { WEIR_IMAGE_NO_SELECTOR = UINT32_MAX };

struct weir_image_rule {
    uint32_t id, kind, state, flags, hits_most, selector;
    float score; /* as written; what a hit adds follows from the state */
    float most;  /* how often it hits, or what its formula gives, at most; may be infinite */
    struct weir_image_span name, description, pattern;
};

struct weir_image_selector {
    uint32_t kind;       /* WEIR_RULE_HEADER, WEIR_RULE_ENVELOPE */
    uint32_t wants_text; /* 0: it only matters whether there is one */
    struct weir_image_span name;
};

struct weir_image_meta {
    uint32_t rule;
    struct weir_image_span code;
};

struct weir_image_network {
    uint8_t octet[16];
    uint32_t bits;
    uint32_t rule;
    uint32_t wider; /* the nearest one before it that holds it; UINT32_MAX: none */
};

struct weir_image_ready {
    struct weir_image_span own; /* behind what all begin with; empty: to be compiled */
    uint64_t checksum;          /* of own; rule_regex.h tells which */
};

/* READY_OCTETS begin with it, unless there are none. */
struct weir_image_ready_head {
    uint8_t maker[16];             /* the PCRE2 that compiled them */
    uint64_t checksum;             /* of common */
    struct weir_image_span common; /* what all begin with */
};

struct weir_image {
    const uint8_t *octets;
    size_t len;
    uint32_t serial;
    const struct weir_image_rule *rule;
    const struct weir_image_selector *selector;
    const struct weir_image_meta *meta;
    const uint32_t *code, *special, *by_name, *by_id, *dependent_first, *dependent;
    const uint64_t *start_true;
    const struct weir_image_network *network;
    const char *text;
    const uint8_t *prefilter;
    const struct weir_image_ready *ready;
    const uint8_t *ready_octets;
    size_t count[WEIR_IMAGE_PIECES]; /* of entries */
};

/* Looks at an image, aligned to 8; full: checks its checksum, too.  0 or WEIR_ECORRUPT. */
int weir_image_attach(const void *octets, size_t len, bool full, struct weir_image *image_r);

/* A text of the image; empty when the span leads outside. */
struct weir_slice weir_image_text(const struct weir_image *image, struct weir_image_span span);

/* Octets of READY_OCTETS; empty when the span leads outside. */
struct weir_slice weir_image_ready_octets(const struct weir_image *image,
                                          struct weir_image_span span);

/* A program of the image, *len_r words; none when the span leads outside. */
const uint32_t *weir_image_code(const struct weir_image *image, struct weir_image_span span,
                                size_t *len_r);

/* The formulas that look at a value; none when the octets are damaged. */
const uint32_t *weir_image_dependents(const struct weir_image *image, size_t value, size_t *n_r);

/* Rule number by name or id: 1 or 0. */
int weir_image_named(const struct weir_image *image, struct weir_slice name, uint32_t *number_r);
int weir_image_with_id(const struct weir_image *image, uint32_t id, uint32_t *number_r);

/* Building. ------------------------------------------------------------------ */

struct weir_image_writer {
    uint8_t *octets; /* malloc'ed */
    size_t len, room;
    bool failed;     /* memory was short */
};

/* Begins with room for the head. */
void weir_image_begin(struct weir_image_writer *writer);
/* Appends a piece; each once, in any order. */
void weir_image_add(struct weir_image_writer *writer, enum weir_image_piece piece,
                    const void *entries, size_t n);
/* Fills in the head: 0 with octets the caller frees, or WEIR_ENOMEM, WEIR_ELIMIT and nothing
 * is left to be freed. */
int weir_image_end(struct weir_image_writer *writer, uint32_t serial, void **octets_r,
                   size_t *len_r);

#endif

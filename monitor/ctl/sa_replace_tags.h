/*
 * sa_replace_tags - SpamAssassin's plugin of that name: <A> in an expression stands for
 * all the ways in which spammers write an "a".
 *
 *     replace_tag A [a@4]     replace_pre, replace_post, replace_inter: "<pre N>" in an
 *     replace_rules RULE      expression puts the text N before every tag, behind it, or
 *                             between tags that touch
 *
 * Owner:    tables in the arena; texts are the caller's lines, which must outlive them.
 * Errors:   WEIR_ENOMEM; WEIR_ELIMIT.
 * Limits:   WEIR_RULE_PATTERN_MAX of an expression; SA_TAGS_WORK_MAX octets gone through for
 *           all of them, then no more are replaced.
 */
#ifndef WEIR_CTL_SA_REPLACE_TAGS_H
#define WEIR_CTL_SA_REPLACE_TAGS_H

#include <stdbool.h>

#include "monitor/ctl/sa_names.h"

#define SA_TAGS_WORK_MAX (64u << 20) /* SpamAssassin's own rules take 0.4 MB */

enum sa_tag_kind { SA_TAG, SA_TAG_PRE, SA_TAG_POST, SA_TAG_INTER, SA_TAG_KINDS };

struct sa_tags {
    struct sa_names kind[SA_TAG_KINDS]; /* value: struct weir_slice */
    struct weir_slice start, end;       /* "<" and ">" */
    char *room[3];                      /* of WEIR_RULE_PATTERN_MAX + 1 octets, once needed */
    size_t work;                        /* octets gone through */
};

struct sa_tags sa_tags(struct weir_arena *arena);

/* Takes a line when it is about tags: 1; 0 when it is not; WEIR_EINVAL when something is missing
 * in it; WEIR_ENOMEM.  replace_rules is not among them. */
int sa_tags_line(struct sa_tags *tags, struct weir_slice key, struct weir_slice value);

/* The expression with its tags replaced.  0 or an error. */
int sa_tags_replace(struct sa_tags *tags, struct weir_slice pattern,
                    struct weir_slice *pattern_r);

#endif

/*
 * view_told - reported messages as the monitor keeps them, taken apart for who shows them.
 *
 * They are hostile: attachments were left out where they came from, and what says so may be the
 * sender's own words; HTML is rendered as text, nothing is fetched, and strings are verified anew
 * with the keys there are now.
 *
 * Owner:    what was read lies in the arena, and points into the text's row.
 * Threads:  as the database's handle.
 * Errors:   WEIR_ENOMEM, WEIR_ECORRUPT.
 */
#ifndef WEIR_VIEW_VIEW_TOLD_H
#define WEIR_VIEW_VIEW_TOLD_H

#include "core/engine/info.h"
#include "core/mail/content.h"
#include "core/mail/message.h"
#include "monitor/analyzer/reported_text.h"
#include "monitor/database/database_texts_io.h"
#include "monitor/view/view.h"

struct weir_view_told {
    const struct weir_database_text *text;
    struct weir_charsets *charsets; /* the caller's */
    struct weir_reported_text told;
    struct weir_message message;
    struct weir_content content;
    enum weir_info_state state;
    struct weir_info info;         /* when state is valid or unbound */
    struct weir_slice subject;     /* as rules read it: the beginning of its first line */
};

/* Takes a text apart; the arena is emptied first.  0 or an error. */
int weir_view_told_read(const struct weir_database_text *text, const struct weir_info_keys *keys,
                        struct weir_charsets *charsets, struct weir_arena *arena,
                        struct weir_view_told *told_r);

/* Whether info says something. */
bool weir_view_told_is_readable(const struct weir_view_told *told);

/* Its text as it is read, and its links. */
struct weir_slice weir_view_told_body(const struct weir_view_told *told);
struct weir_slice weir_view_told_links(const struct weir_view_told *told);

/* A rule's name: in the rulebook, Weir's own, or ""; returns buffer. */
#define WEIR_VIEW_RULE_NAME 80
const char *weir_view_rule_name(struct weir_database *database, uint32_t id,
                                char buffer[static WEIR_VIEW_RULE_NAME]);

/* What the string says; null: nothing. */
json_t *weir_view_info(struct weir_database *database, const struct weir_view_told *told);

/* All of it; whole: with the message. */
json_t *weir_view_told(struct weir_database *database, const struct weir_view_told *told,
                       const char *server, bool whole);

/* {"headers": [[name, value]], "subject", "text", "links", "attachments": [{"name", "type", "size",
 * "hash"}], "cut"}: headers are as they stand, and where one has encoded words a third text is how
 * it is read; the subject as rules read it; what was left out is what marks in the text say, and
 * marks may be the sender's own. */
json_t *weir_view_told_message(const struct weir_view_told *told);

#endif

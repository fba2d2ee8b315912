/*
 * html - the text a reader sees in HTML, what is hidden from him, and where links lead.
 *
 * A tokenizer, not a DOM: one pass, constant memory, linear time whatever the
 * markup (unclosed quotes, a million open tags, comments without end).  It
 * follows how browsers read broken HTML where spammers make use of it: attributes without
 * quotes, tags cut by comments, character references without a semicolon, NULs.
 *
 * Hidden is text that no reader sees: display:none, visibility:hidden, font-size of
 * 0..1 px, opacity 0, text in the colour of its background, the hidden attribute, a box of no
 * height that clips; also what is in <title>, <template>, <noframes>, <iframe> and behind a
 * comment that never ends.  What is in <style> and <script> is no text at all.
 *
 * Styles are those of style attributes and of <style>, wherever it stands: rules for an element,
 * a class, an id, or an element with one of both.  Other selectors are passed over, and so is what
 * holds for some media only, for honest mail hides with it what is for telephones.
 *
 * Owner:    output goes to the caller's lines and array; what does not fit is left
 *           out (line->cut).  Input is UTF-8 or at least ASCII-compatible.
 * Errors:   none.
 * Limits:   WEIR_HTML_DEPTH_MAX, WEIR_LINKS_MAX, WEIR_LINK_MAX,
 *           WEIR_HTML_ENTITY_MAX, WEIR_HTML_ATTRIBUTES_MAX, WEIR_HTML_SHEET_MAX,
 *           WEIR_HTML_RULES_MAX, WEIR_HTML_SELECTOR_MAX.
 */
#ifndef WEIR_MAIL_HTML_H
#define WEIR_MAIL_HTML_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/cursor.h"
#include "core/base/line.h"

enum weir_link_kind {
    WEIR_LINK_TEXT,   /* an address written in plain text */
    WEIR_LINK_ANCHOR, /* a href, area href */
    WEIR_LINK_IMAGE,  /* img src, background */
    WEIR_LINK_FORM,   /* form action */
    WEIR_LINK_OTHER,  /* base, link, iframe, script, object, meta refresh */
};

struct weir_link {
    enum weir_link_kind kind;
    struct weir_slice target;  /* character references undone, blanks at the ends off,
                                * made absolute by <base>; in the caller's targets line */
    struct weir_slice text;    /* of an anchor: what the reader sees, in the visible line */
};

/* What HTML does, as bits; rules know them as HTML_<name>. */
enum weir_html_fact {
    WEIR_HTML_HIDDEN_TEXT,   /* at least 8 letters or digits of text are hidden */
    WEIR_HTML_TINY_FONT,
    WEIR_HTML_SAME_COLOUR,   /* text in its background's colour */
    WEIR_HTML_MISMATCH,      /* a link's text names another host than its target */
    WEIR_HTML_FORM,
    WEIR_HTML_SCRIPT,        /* script, event attributes, javascript: */
    WEIR_HTML_EMBED,         /* iframe, object, embed, applet */
    WEIR_HTML_REFRESH,       /* meta refresh */
    WEIR_HTML_BASE,
    WEIR_HTML_SPLIT_WORD,    /* comments or empty tags inside words */
    WEIR_HTML_BAD,           /* markup that never ends */
    WEIR_HTML_ONLY_IMAGE,    /* images and fewer than 20 letters of visible text */
    WEIR_HTML_FACTS
};

/* "HIDDEN_TEXT", ...  Static text. */
const char *weir_html_fact_name(enum weir_html_fact fact);

struct weir_html {
    struct weir_line *visible; /* text, block elements and <br> as line ends, paragraphs as empty
                                * lines, blanks collapsed as browsers do */
    struct weir_line *all;     /* the same with hidden text in its place; NULL: not wanted */
    struct weir_line *again;   /* the paragraphs of visible that are others in all, and those with
                                * invisible characters (invisible.h), which are taken out; NULL:
                                * not wanted */
    struct weir_line *targets; /* octets of the links' targets */
    struct weir_link *link;    /* in: room for links_most */
    size_t links, links_most;  /* out: links found */
    unsigned facts;            /* out: bits 1 << enum weir_html_fact */
    size_t invisible;          /* out: invisible characters inside words, of visible */
    struct weir_slice title;   /* out: as it stands in the HTML */
};

/* Text goes where SpamAssassin's renderer puts it, so that its rules find what they were
 * written for: `all` is its rendered text, but for blanks between list options and the like,
 * and numbers 128 to 159, which are read as windows-1252.
 *
 * Reads HTML and appends to html's lines and links; links and facts are added to. */
void weir_html_read(struct weir_slice text, struct weir_html *html);

/* Finds addresses in plain text ("http://...", "www.example.com/x", "user@example.com" not)
 * and adds them as WEIR_LINK_TEXT; targets point into text. */
void weir_links_find(struct weir_slice text, struct weir_html *html);

/* The host of a link (lower case, no user, no port), appended to out: "" when it
 * has none (mailto:, cid:).  Percent signs in hosts are undone, as browsers do. */
void weir_link_host(struct weir_slice target, struct weir_line *out);

#endif

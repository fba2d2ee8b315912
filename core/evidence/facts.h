/*
 * facts - what is known about a message besides its text, by names that meta rules can use.
 *
 * A meta rule says "DEFECT_BAD_BASE64 && HTML_HIDDEN_TEXT"; each of these names
 * is a number here: 0 or 1, or a count.  The engine sets them, the rules read them.
 *
 *     DEFECT_<name>     defects of the message (message.h)
 *     HTML_<name>       what its HTML does (html.h)
 *     the rows below    reputation, boundary, authentication
 */
#ifndef WEIR_EVIDENCE_FACTS_H
#define WEIR_EVIDENCE_FACTS_H

#include "core/mail/html.h"
#include "core/mail/message.h"

enum weir_fact {
    WEIR_FACT_FORGED_DOMAIN,     /* somebody else uses the domain's name (C32) */
    WEIR_FACT_FORGED_INFO,       /* a spam-info string of ours that does not verify */
    WEIR_FACT_OWN_INFO,          /* a valid one: it passed here before */
    WEIR_FACT_NO_STORE,          /* counters did not answer */
    WEIR_FACT_NULL_SENDER,
    WEIR_FACT_AUTH_SPF_PASS, WEIR_FACT_AUTH_SPF_FAIL,
    WEIR_FACT_AUTH_DKIM_PASS, WEIR_FACT_AUTH_DKIM_FAIL,
    WEIR_FACT_AUTH_DMARC_PASS, WEIR_FACT_AUTH_DMARC_FAIL,
    WEIR_FACT_AUTH_VOUCHED,      /* one of them for the stated domain */
    WEIR_FACT_UNCOMMON,          /* the network is strange for the domain (C3) */
    WEIR_FACT_KNOWN_GOOD,        /* the pair has a good name of its own */
    WEIR_FACT_NO_NAME,           /* the boundary address has no verified name */
    WEIR_FACT_HELO_NOT_NAME,     /* HELO and verified name have no domain in common */
    WEIR_FACT_BOUNDARY_UNUSUAL,  /* no gateway where there always was one */
    WEIR_FACT_RECIPIENTS,        /* their number */
    WEIR_FACT_PARTS, WEIR_FACT_ATTACHMENTS, WEIR_FACT_LINKS, /* numbers */
    WEIR_FACT_INVISIBLE,         /* the number of invisible characters inside words */
    WEIR_FACT_HAS_HTML, WEIR_FACT_HAS_TEXT,
    WEIR_FACT_DEFECT,            /* the first of the defects */
    WEIR_FACT_HTML = WEIR_FACT_DEFECT + WEIR_DEFECTS,
    WEIR_FACTS = WEIR_FACT_HTML + WEIR_HTML_FACTS
};

/* The name of a fact, or NULL; and back: an index, or -1. */
const char *weir_fact_name(unsigned fact);
int weir_fact_named(const char *name, size_t len);
/* One sentence for manuals. */
const char *weir_fact_sentence(unsigned fact);

/* Sets the facts that follow from a message and its content. */
struct weir_content;
void weir_facts_of_message(const struct weir_message *message, const struct weir_content *content,
                           float fact_r[static WEIR_FACTS]);

#endif

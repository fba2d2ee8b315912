/*
 * bayes_tokens - what of a message the Bayesian classifier learns and judges by.
 *
 * Each token is 64 bits of SipHash of a short text, under the key that lies in the published
 * table: who does not know the key can aim at no collision.  A message has each token once.  The
 * lowest bit is not SipHash's: it is the token's view, so that who has but hashes knows it, too.
 *
 *     lottery            a word of the text as a reader reads it, in lower case
 *     FREE               a word in capitals; the same word in lower case is another
 *     claim your         two words next to each other, in lower case
 *     subject:won        words and pairs of Subject, From, Reply-To, To, Cc, of what names the
 *                        sender's program (X-Mailer, User-Agent, X-Priority, ...), of List-...
 *     from:@a.example    mail addresses as they are, their domains and those above these
 *     order:to subject   neighbours among the header fields, name:MIME-Version how one is written,
 *                        mid:<9.9 how the Message-ID is made and mid:@a.example where
 *     type:text/html     Content-Type and disposition of each part, ext:exe of file names,
 *                        shape:mixed(alternative(plain,html)) the structure
 *     url:a.example      hosts of links, domains above them, words of their paths
 *     html:HIDDEN_TEXT   facts about HTML and defects (defect:BAD_BASE64), as rules know them;
 *                        links:, attachments:, length: how many, by powers of two
 *     rep:forged         what reputation says, ready-made by the caller; rep:any in front of them
 *                        counts who was asked about at all, for mail out of files was not
 *
 * A text of a script without blanks between words (Han, Kana, Thai, ...) gives each two
 * neighbouring characters.  Full-width letters count as ASCII, and characters that nobody sees are
 * as if not there.  What our own programs, other filters, the relays on the way and the mailbox
 * added is passed over (Received, Return-Path, Delivered-To, Date, X-Spam-..., X-Weir-..., ARC-...
 * and so on): it would tell how a message was judged and stored, not what it is.
 *
 * Owner:    tokens and their texts lie in the caller's arena.
 * Errors:   WEIR_ENOMEM; WEIR_EINVAL for more than WEIR_BAYES_REPUTATIONS_MAX words of reputation.
 * Limits:   WEIR_BAYES_TOKENS_MAX tokens, of which the header gets half, links five eighths, the
 *           text's beginning three quarters at most; WEIR_BAYES_HEAD_MAX octets of a long text from
 *           its beginning and WEIR_BAYES_TAIL_MAX from its end; WEIR_BAYES_FIELDS_MAX fields (From,
 *           To, Subject and the like also behind them, once each) and WEIR_BAYES_VALUE_MAX octets
 *           of each; WEIR_BAYES_LINKS_MAX links;
 *           WEIR_BAYES_WORD_MAX octets of a word.  One pass, linear time.
 * See also: claims C28, C29; bayes_table.h, bayes.h.
 */
#ifndef WEIR_EVIDENCE_BAYES_TOKENS_H
#define WEIR_EVIDENCE_BAYES_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/keyed_hash.h"
#include "core/mail/content.h"

/* What is judged apart (bayes.h), for one says little of the other: */
enum weir_bayes_view {
    WEIR_BAYES_TEXT, /* what was written: words of subject and text, links */
    WEIR_BAYES_HEAD, /* who sent it, and with what: header, structure, reputation */
    WEIR_BAYES_VIEWS
};

static inline enum weir_bayes_view weir_bayes_view_of(uint64_t hash)
{
    return (hash & 1) == 0 ? WEIR_BAYES_TEXT : WEIR_BAYES_HEAD;
}

struct weir_bayes_token {
    uint64_t hash;
    enum weir_bayes_view view;
    struct weir_slice text; /* for explanations; hostile: any octets may be in it */
};

struct weir_bayes_tokens {
    const struct weir_bayes_token *token; /* no hash twice */
    size_t tokens;
    bool cut; /* a limit: there would have been more */
    size_t reputations; /* so many of them, the first, are "rep:any" and what reputation says */
};

struct weir_bayes_source {
    struct weir_message *message;
    const struct weir_content *content;
    struct weir_charsets *charsets;
    const struct weir_slice *reputation; /* "rep:forged", ...; taken as they are */
    size_t reputations;
};

/* The tokens of a message.  0, WEIR_ENOMEM, WEIR_EINVAL. */
int weir_bayes_tokens_read(const struct weir_hash_key *key, const struct weir_bayes_source *source,
                           struct weir_arena *arena, struct weir_bayes_tokens *tokens_r);

#endif

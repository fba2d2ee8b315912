/*
 * verdict - what was decided about a message, and the words for it.
 *
 * Log lines, headers and replies carry text from senders (host names, sender
 * addresses) and operators (reasons): all of it goes through
 * weir_line_foreign(), so that nobody forges a field or a second line.
 */
#include "core/engine/verdict.h"

#include <string.h>

#include "core/base/line.h"
#include "core/base/slice.h"

const char *weir_verdict_name(enum weir_verdict verdict)
{
    static const char *const name[] = {"ham", "unsure", "spam", "blocked"};
    return name[verdict];
}

const char *weir_action_name(enum weir_action action)
{
    static const char *const name[] = {"pass", "defer", "reject", "quarantine"};
    return name[action];
}

const char *weir_ground_name(enum weir_ground ground)
{
    static const char *const name[WEIR_GROUNDS] = {
        "nothing", "authenticated", "null-sender", "role",      "never",
        "accept",  "whitelist",     "blacklist",   "reputation", "score"};
    return name[ground];
}

static void put_client(struct weir_line *line, const struct weir_envelope *envelope)
{
    char text[WEIR_ADDRESS_TEXT];

    weir_line_text(line, envelope->has_client ? weir_address_format(&envelope->client, text)
                                              : "local");
}

static void put_domain(struct weir_line *line, const struct weir_decision *decision)
{
    weir_line_text(line, decision->domain[0] ? decision->domain : "-");
}

static void put_percent(struct weir_line *line, double share)
{
    weir_line_number(line, 100 * share, 0);
    weir_line_text(line, " %");
}

/* "until 2026-11-22T10:00:00Z", or that it stays. */
static void put_end(struct weir_line *line, weir_time ends)
{
    char text[WEIR_TIME_TEXT];

    if (ends == 0) {
        weir_line_text(line, "until it is removed");
        return;
    }
    weir_line_text(line, "until ");
    weir_line_text(line, weir_time_format(ends, text));
}

static void put_why_refused(struct weir_line *line, const struct weir_decision *decision,
                            const struct weir_envelope *envelope)
{
    if (decision->ground == WEIR_GROUND_SCORE) {
        weir_line_text(line, "this message looks like spam, score ");
        weir_line_number(line, decision->score, 1);
        return;
    }
    put_client(line, envelope);
    if (decision->ground == WEIR_GROUND_BLACKLIST) {
        weir_line_text(line, " is listed ");
        put_end(line, decision->entry.ends);
        return;
    }
    weir_line_text(line, " sends mostly spam");
    if (decision->reputation.basis < WEIR_BASIS_NETWORK_DOMAIN)
        return; /* known for other domains, not for this one */
    weir_line_text(line, " for ");
    weir_line_text(line, decision->domain);
}

const char *weir_decision_reply(const struct weir_decision *decision,
                                const struct weir_envelope *envelope, const char *help_url,
                                char buffer[static WEIR_DECISION_TEXT])
{
    struct weir_line line = weir_line(buffer, WEIR_REPLY_MAX + 1);

    weir_line_text(&line, decision->action == WEIR_DEFER ? "450 4.7.1 Deferred: "
                                                         : "550 5.7.1 Refused: ");
    put_why_refused(&line, decision, envelope);
    weir_line_text(&line, " (ref ");
    weir_line_text(&line, decision->id);
    weir_line_text(&line, ")");
    if (decision->ground == WEIR_GROUND_BLACKLIST && decision->entry.reason[0]) {
        weir_line_text(&line, ": ");
        weir_line_foreign(&line, weir_slice_of(decision->entry.reason), true);
    }
    if (help_url[0]) {
        weir_line_text(&line, "; see ");
        weir_line_foreign(&line, weir_slice_of(help_url), false);
    } else {
        weir_line_text(&line, "; ask the recipient's postmaster");
    }
    return weir_line_end(&line);
}

static void put_rules(struct weir_line *line, const struct weir_decision *decision)
{
    if (!decision->judged && !decision->forged) {
        weir_line_text(line, "-");
        return;
    }
    weir_line_text(line, "REPUTATION(");
    weir_line_number(line, decision->reputation.points, 2);
    weir_line_text(line, decision->forged ? "),FORGED_DOMAIN" : ")");
}

static void put_reputation(struct weir_line *line, const struct weir_reputation *reputation)
{
    weir_line_text(line, " probability=");
    weir_line_number(line, reputation->probability, 4);
    weir_line_text(line, " confidence=");
    weir_line_number(line, reputation->confidence, 2);
    weir_line_text(line, " basis=");
    weir_line_text(line, weir_basis_name(reputation->basis));
    weir_line_text(line, " association=");
    weir_line_text(line, weir_association_name(reputation->association));
}

static void put_core(struct weir_line *line, const struct weir_decision *decision)
{
    weir_line_text(line, "verdict=");
    weir_line_text(line, weir_verdict_name(decision->verdict));
    weir_line_text(line, " score=");
    weir_line_number(line, decision->score, 2);
    weir_line_text(line, " action=");
    weir_line_text(line, weir_action_name(decision->action));
    if (decision->intended != decision->action) {
        weir_line_text(line, " intended=");
        weir_line_text(line, weir_action_name(decision->intended));
    }
    weir_line_text(line, " ground=");
    weir_line_text(line, weir_ground_name(decision->ground));
}

static void put_missing(struct weir_line *line, const struct weir_decision *decision)
{
    if (decision->store_missing)
        weir_line_text(line, " missing=counters");
    if (decision->lists_missing)
        weir_line_text(line, " missing=lists");
}

/* Before the message is there, the boundary address is the client's. */
static void put_boundary(struct weir_line *line, const struct weir_envelope *envelope,
                         const struct weir_decision_more *more)
{
    weir_line_text(line, " boundary=");
    if (!more) {
        put_client(line, envelope);
        return;
    }
    weir_line_text(line, more->boundary);
    weir_line_text(line, " hop=");
    weir_line_text(line, more->hop);
}

static void put_more(struct weir_line *line, const struct weir_decision_more *more)
{
    weir_line_text(line, more->rules);
    weir_line_text(line, " serial=");
    weir_line_count(line, more->serial);
    weir_line_text(line, more->missing);
}

const char *weir_decision_facts(const struct weir_decision *decision,
                                const struct weir_envelope *envelope,
                                const struct weir_decision_more *more,
                                char buffer[static WEIR_DECISION_TEXT])
{
    struct weir_line line = weir_line(buffer, more ? WEIR_DECISION_TEXT : WEIR_REPLY_MAX + 1);

    put_core(&line, decision);
    weir_line_text(&line, " client=");
    put_client(&line, envelope);
    put_boundary(&line, envelope, more);
    weir_line_text(&line, " domain=");
    put_domain(&line, decision);
    if (decision->judged)
        put_reputation(&line, &decision->reputation);
    weir_line_text(&line, " rules=");
    if (more)
        put_more(&line, more);
    else
        put_rules(&line, decision);
    put_missing(&line, decision);
    weir_line_text(&line, " id=");
    weir_line_text(&line, decision->id);
    return weir_line_end(&line);
}

const char *weir_decision_log(const char *facts, const struct weir_envelope *envelope,
                              char buffer[static WEIR_DECISION_TEXT])
{
    struct weir_line line = weir_line(buffer, WEIR_DECISION_TEXT);

    weir_line_text(&line, facts);
    if (weir_queue_id_is(envelope->queue_id)) {
        weir_line_text(&line, " queue_id=");
        weir_line_octets(&line, envelope->queue_id.at, envelope->queue_id.len);
    }
    weir_line_text(&line, " sender=<");
    weir_line_foreign(&line, envelope->sender, false);
    weir_line_text(&line, "> recipient=<");
    weir_line_foreign(&line, envelope->recipient, false);
    weir_line_text(&line, ">");
    return weir_line_end(&line);
}

static void put_entry_reason(struct weir_line *line, const struct weir_decision *decision)
{
    const struct weir_list_entry *entry = &decision->entry;
    char text[WEIR_PREFIX_TEXT];

    if (entry->is_domain)
        weir_line_text(line, entry->domain);
    else
        weir_line_text(line, weir_prefix_format(&entry->prefix, text));
    weir_line_text(line, decision->ground == WEIR_GROUND_BLACKLIST ? " is on the blacklist "
                                                                   : " is acceptable ");
    put_end(line, entry->ends);
    if (entry->reason[0]) {
        weir_line_text(line, ": ");
        weir_line_foreign(line, weir_slice_of(entry->reason), true);
    }
}

const char *weir_basis_words(enum weir_basis basis)
{
    static const char *const words[WEIR_BASES] = {
        "nothing is known, so all mail", "this network", "this domain", "this address",
        "this network for this domain",  "this address for this domain"};

    return words[basis];
}

static void put_reputation_reason(struct weir_line *line, const struct weir_decision *decision)
{
    const struct weir_reputation *reputation = &decision->reputation;

    weir_line_text(line, weir_basis_words(reputation->basis));
    weir_line_text(line, ": spam with ");
    put_percent(line, reputation->probability);
    weir_line_text(line, " probability, confidence ");
    put_percent(line, reputation->confidence);
    if (decision->forged)
        weir_line_text(line, "; the domain's name seems forged");
}

const char *weir_decision_reason(const struct weir_decision *decision,
                                 char buffer[static WEIR_DECISION_TEXT])
{
    static const char *const plain[WEIR_GROUNDS] = {
        [WEIR_GROUND_NOTHING] = "nothing to decide on",
        [WEIR_GROUND_AUTHENTICATED] = "one of our own users",
        [WEIR_GROUND_NULL_SENDER] = "bounces always pass",
        [WEIR_GROUND_ROLE] = "postmaster and abuse can always be reached",
        [WEIR_GROUND_NEVER] = "on the never-list of the configuration",
        [WEIR_GROUND_SCORE] = "the sum of all points",
    };
    struct weir_line line = weir_line(buffer, WEIR_DECISION_TEXT);

    if (decision->ground == WEIR_GROUND_REPUTATION)
        put_reputation_reason(&line, decision);
    else if (plain[decision->ground])
        weir_line_text(&line, plain[decision->ground]);
    else
        put_entry_reason(&line, decision);
    return weir_line_end(&line);
}

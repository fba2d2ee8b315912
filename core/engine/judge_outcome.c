/*
 * judge_outcome - a judgement in the words of others: headers for readers, a reply for the
 * sender, a line for the log, a string for whoever reports the message, a line for the spool.
 *
 * Names and evidence come from rule files and senders: all of it goes through
 * weir_line_foreign() wherever a line end or a blank would forge something.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/engine/judge_impl.h"

#define STATUS_TEXT 1000        /* of X-Spam-Status, all its lines together */
#define RULES_TEXT 400          /* of the rules named in a log line */
#define STARS_MOST 50           /* of X-Spam-Level */
#define FOLD_AT 70              /* a header line is folded behind this column */

static const char *const our_headers[] = {WEIR_OUR_HEADERS};

/* headers ------------------------------------------------------------------------- */

/* Whether there are any is the mail server's to know: it sees fields that a bounded reader may
 * not have come to. */
static void remove_foreign(struct weir_outcome *outcome)
{
    for (size_t i = 0; i < sizeof our_headers / sizeof our_headers[0]; i++)
        outcome->remove[outcome->removes++] = our_headers[i];
}

/* Three of ours and the string: there is room. */
_Static_assert(sizeof our_headers / sizeof our_headers[0] <= WEIR_OUTCOME_HEADERS_MAX,
               "an outcome has room for our headers");

static void add_header(struct weir_outcome *outcome, const char *name, const char *value)
{
    outcome->add[outcome->adds++] = (struct weir_header_added){name, value};
}

/* The names of rules, folded.  Not where strings are sealed: what is hidden there would stand
 * here. */
static void put_tests(struct weir_line *line, const struct weir_judgement *judgement)
{
    size_t column = FOLD_AT;
    bool first = true;

    weir_line_text(line, "\n tests=");
    for (size_t i = 0; i < judgement->points; i++) {
        struct weir_slice name = judgement->point[i].name;

        if ((size_t)(line->end - line->at) < name.len + 4)
            break;
        if (!first)
            weir_line_text(line, column + name.len > FOLD_AT ? ",\n " : ",");
        if (first || column + name.len > FOLD_AT)
            column = 0;
        weir_line_foreign(line, name, false);
        column += name.len + 1;
        first = false;
    }
    if (first)
        weir_line_text(line, "none");
}

static const char *status_text(struct weir_judge *judge)
{
    const struct weir_judgement *judgement = &judge->judgement;
    char *room = weir_arena_take(judge->arena, STATUS_TEXT);
    bool spam = judgement->decision.verdict >= WEIR_SPAM;
    struct weir_line line;

    if (!room)
        return NULL;
    line = weir_line(room, STATUS_TEXT);
    weir_line_text(&line, spam ? "Yes, score=" : "No, score=");
    weir_line_number(&line, judgement->decision.score, 2);
    weir_line_text(&line, " required=");
    weir_line_number(&line, judge->parts.config->spam_score, 2);
    weir_line_text(&line, " verdict=");
    weir_line_text(&line, weir_verdict_name(judgement->decision.verdict));
    if (!judge->parts.config->info_sealed)
        put_tests(&line, judgement);
    return weir_line_end(&line);
}

static const char *stars(struct weir_judge *judge)
{
    static const char star[] = "**************************************************";
    double score = judge->judgement.decision.score;
    size_t n = score < 1 ? 0 : score > STARS_MOST ? STARS_MOST : (size_t)score;

    return n ? star + STARS_MOST - n : NULL;
}

static int write_headers(struct weir_judge *judge)
{
    struct weir_outcome *outcome = &judge->judgement.outcome;
    bool ham = judge->judgement.decision.verdict == WEIR_HAM;
    const char *level = stars(judge), *status;

    remove_foreign(outcome);
    if (judge->judgement.decision.verdict >= WEIR_SPAM)
        add_header(outcome, "X-Spam-Flag", "YES");
    if (level && !ham)
        add_header(outcome, "X-Spam-Level", level);
    if (!ham || judge->parts.config->tag_ham) {
        status = status_text(judge);
        if (!status)
            return WEIR_ENOMEM;
        add_header(outcome, "X-Spam-Status", status);
    }
    return 0;
}

/* the spam-info string -------------------------------------------------------------- */

static uint8_t lacking(const struct weir_judgement *judgement)
{
    return (uint8_t)((judgement->decision.store_missing ? WEIR_LACKING_COUNTERS : 0) |
                     (judgement->decision.lists_missing ? WEIR_LACKING_LISTS : 0) |
                     (judgement->rules_missing ? WEIR_LACKING_RULES : 0) |
                     (judgement->rules_cut ? WEIR_LACKING_CUT : 0) |
                     (judgement->decision.judged ? 0 : WEIR_LACKING_REPUTATION));
}

static void describe(struct weir_judge *judge, struct weir_info *info)
{
    const struct weir_judgement *judgement = &judge->judgement;

    *info = (struct weir_info){
        .server = (uint64_t)judge->parts.config->server_number,
        .at = judge->now / WEIR_SECOND * WEIR_SECOND,
        .uid = weir_info_uid(),
        .binding = weir_info_binding(&judge->message),
        .has_boundary = judgement->boundary.found,
        .boundary = judgement->boundary.address,
        .verdict = (uint8_t)judgement->decision.verdict,
        .score = (float)judgement->decision.score,
        .probability = judgement->decision.judged
                           ? (float)judgement->decision.reputation.probability
                           : 0.5f,
        .lacking = lacking(judgement),
        .counted = judgement->counted,
        .serial = judgement->serial,
    };
    memcpy(info->domain, judgement->decision.domain, sizeof info->domain);
}

static int write_info(struct weir_judge *judge)
{
    struct weir_judgement *judgement = &judge->judgement;
    const struct weir_judge_parts *parts = &judge->parts;
    struct weir_info_rule *rule;
    struct weir_info *info;
    char *text, *folded;

    judgement->outcome.info = "";
    if (!parts->keys || parts->keys->keys == 0)
        return 0;
    info = weir_arena_take(judge->arena, sizeof *info);
    rule = weir_arena_take(judge->arena, (judgement->points + 1) * sizeof *rule);
    text = weir_arena_take(judge->arena, WEIR_INFO_TEXT_MAX + 1);
    folded = weir_arena_take(judge->arena, WEIR_INFO_FOLDED_MAX);
    if (!info || !rule || !text || !folded)
        return WEIR_ENOMEM;
    describe(judge, info);
    judge->uid = info->uid;
    judge->binding = info->binding;
    for (size_t i = 0; i < judgement->points; i++)
        rule[i] = (struct weir_info_rule){judgement->point[i].id,
                                          (float)judgement->point[i].points};
    if (weir_info_make(info, rule, judgement->points, parts->keys, parts->config->info_sealed,
                       text) < 0)
        return 0;
    judgement->outcome.info = text;
    add_header(&judgement->outcome, WEIR_INFO_HEADER, weir_info_fold(text, folded));
    return 0;
}

/* reply and log ---------------------------------------------------------------------- */

static int write_reply(struct weir_judge *judge)
{
    struct weir_judgement *judgement = &judge->judgement;
    char *text;

    judgement->outcome.reply = "";
    if (judgement->decision.action != WEIR_REJECT && judgement->decision.action != WEIR_DEFER)
        return 0;
    text = weir_arena_take(judge->arena, WEIR_DECISION_TEXT);
    if (!text)
        return WEIR_ENOMEM;
    judgement->outcome.reply = weir_decision_reply(&judgement->decision, &judge->envelope,
                                                   judge->parts.config->help_url, text);
    return 0;
}

static void put_rule_points(struct weir_line *line, const struct weir_judgement *judgement)
{
    for (size_t i = 0; i < judgement->points; i++) {
        const struct weir_point *point = &judgement->point[i];

        if ((size_t)(line->end - line->at) < point->name.len + 16) {
            weir_line_text(line, ",...");
            return;
        }
        if (i > 0)
            weir_line_text(line, ",");
        weir_line_foreign(line, point->name, false);
        weir_line_text(line, "(");
        weir_line_number(line, point->points, 2);
        weir_line_text(line, ")");
    }
    if (judgement->points == 0)
        weir_line_text(line, "-");
}

static const char *missing_text(const struct weir_judgement *judgement)
{
    if (judgement->rules_missing)
        return " missing=rules";
    return judgement->rules_cut ? " cut=rules" : "";
}

static int write_log(struct weir_judge *judge)
{
    struct weir_judgement *judgement = &judge->judgement;
    const struct weir_boundary *boundary = &judgement->boundary;
    char address[WEIR_ADDRESS_TEXT], hop[64], names[RULES_TEXT];
    struct weir_line rules = weir_line(names, sizeof names);
    char *facts = weir_arena_take(judge->arena, WEIR_DECISION_TEXT);
    char *text = weir_arena_take(judge->arena, WEIR_DECISION_TEXT);
    struct weir_decision_more more;

    if (!facts || !text)
        return WEIR_ENOMEM;
    put_rule_points(&rules, judgement);
    snprintf(hop, sizeof hop, "%zu:%s", boundary->index, weir_boundary_end_name(boundary->end));
    more = (struct weir_decision_more){
        .boundary = boundary->found ? weir_address_format(&boundary->address, address) : "-",
        .hop = hop,
        .rules = weir_line_end(&rules),
        .missing = missing_text(judgement),
        .serial = judgement->serial,
    };
    weir_decision_facts(&judgement->decision, &judge->mail->envelope, &more, facts);
    judgement->outcome.log = weir_decision_log(facts, &judge->mail->envelope, text);
    return 0;
}

int weir_judge_write(struct weir_judge *judge)
{
    struct weir_outcome *outcome = &judge->judgement.outcome;
    int done;

    outcome->verdict = judge->judgement.decision.verdict;
    outcome->action = judge->judgement.decision.action;
    outcome->score = judge->judgement.decision.score;
    if ((done = write_headers(judge)) < 0 || (done = write_info(judge)) < 0 ||
        (done = write_reply(judge)) < 0)
        return done;
    return write_log(judge);
}

/* the spool ----------------------------------------------------------------------------- */

static void put_hops(struct weir_line *line, const struct weir_boundary *boundary)
{
    char text[WEIR_ADDRESS_TEXT];

    weir_line_text(line, " hops=");
    for (size_t i = 0; i < boundary->hops && i < WEIR_SPOOL_HOPS_MAX; i++) {
        if (i > 0)
            weir_line_text(line, ",");
        weir_line_text(line, boundary->hop[i].has_address
                                 ? weir_address_format(&boundary->hop[i].address, text)
                                 : "-");
    }
}

static void put_foreign(struct weir_line *line, const char *name, struct weir_slice value)
{
    weir_line_text(line, name);
    weir_line_foreign(line, value, false);
}

/* Against what its score was held: whoever reads the line later may have others. */
static void put_limits(struct weir_line *line, const struct weir_config *config)
{
    const double limit[] = {config->unsure_score, config->spam_score, config->reject_score};

    for (size_t i = 0; i < sizeof limit / sizeof limit[0]; i++) {
        weir_line_text(line, i == 0 ? " limits=" : ",");
        weir_line_number(line, limit[i], 2);
    }
}

/* Without its blank, which would part it in two; readers of strings drop blanks anyway. */
static void put_info(struct weir_line *line, const char *info)
{
    weir_line_text(line, " info=");
    for (; *info; info++)
        if (*info != ' ')
            weir_line_octets(line, info, 1);
}

static struct weir_slice or_dash(struct weir_slice text)
{
    return text.len > 0 ? text : weir_slice_of("-");
}

/* Of the signatures that a trusted server found to be good, that of the host's own domain, else
 * the first. */
static struct weir_slice dkim_domain(const struct weir_judgement *judgement)
{
    struct weir_slice first = {0};

    for (size_t i = 0; i < judgement->auths; i++) {
        const struct weir_auth *auth = &judgement->auth[i];

        if (auth->method != WEIR_AUTH_DKIM || auth->result != WEIR_AUTH_PASS)
            continue;
        if (weir_slice_within(judgement->boundary.name, auth->domain))
            return auth->domain;
        if (first.len == 0)
            first = auth->domain;
    }
    return first;
}

void weir_judge_spool(struct weir_judge *judge)
{
    const struct weir_judgement *judgement = &judge->judgement;
    const struct weir_slice told = judge->mail->envelope.queue_id;
    const struct weir_slice queue_id = weir_queue_id_is(told) ? told : weir_slice_of("-");
    char text[WEIR_SPOOL_LINE_MAX], time[WEIR_TIME_TEXT];
    struct weir_line line = weir_line(text, sizeof text);

    weir_line_text(&line, "at=");
    weir_line_text(&line, weir_time_format(judge->now, time));
    weir_line_text(&line, " program=");
    weir_line_text(&line, judge->parts.program);
    put_foreign(&line, " queue_id=", queue_id);
    put_foreign(&line, " listener=", judge->mail->listener);
    put_hops(&line, &judgement->boundary);
    put_foreign(&line, " name=", or_dash(judgement->boundary.name));
    put_foreign(&line, " dkim=", or_dash(dkim_domain(judgement)));
    weir_line_text(&line, " recipients=");
    weir_line_count(&line, judge->mail->recipients + judge->mail->recipients_more);
    put_limits(&line, judge->parts.config);
    weir_line_text(&line, " ");
    weir_line_text(&line, judgement->outcome.log);
    put_info(&line, judgement->outcome.info);
    (void)weir_spool_write(judge->parts.spool, judge->now, weir_line_end(&line));
}

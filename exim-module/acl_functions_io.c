/*
 * acl_functions - envelopes made of what an ACL hands over, decided by the engine, said in
 * words.  Owns nothing; refuses an address that is none, which nothing is known about.
 */
#include "exim-module/acl_functions_io.h"

#include <string.h>

#include "core/base/line.h"
#include "core/base/slice.h"

static bool fill(const struct weir_acl_question *question, struct weir_envelope *envelope)
{
    struct weir_slice client = weir_slice_maybe(question->client);
    bool named = question->client_name && question->client_name[0];

    *envelope = (struct weir_envelope){
        .stage = question->recipient ? WEIR_STAGE_RCPT : WEIR_STAGE_CONNECT,
        .has_client = true,
        .client_name = weir_slice_maybe(named ? question->client_name : "unknown"),
        .helo = weir_slice_maybe(question->helo),
        .sender = weir_slice_maybe(question->sender),
        .recipient = weir_slice_maybe(question->recipient),
    };
    return weir_address_parse(client.at, client.len, &envelope->client) == 0;
}

static bool decide(struct weir_exim_process *process, const struct weir_acl_question *question,
                   struct weir_envelope *envelope, struct weir_decision *decision)
{
    const struct weir_clock wall = weir_clock_system(), steady = weir_clock_steady();
    const weir_time since = weir_clock_now(&steady);
    struct weir_engine *engine =
        fill(question, envelope) ? weir_exim_process_engine(process) : NULL;

    if (!engine)
        return false;
    (void)weir_engine_decide(engine, weir_clock_now(&wall), envelope, decision, 1);
    weir_numbers_request(process->numbers, decision);
    weir_histogram_add(weir_numbers_times(process->numbers, WEIR_NUMBER_REQUEST_TIME, 0),
                       weir_clock_now(&steady) - since, 1);
    (void)weir_numbers_give(process->numbers);
    return true;
}

static void log_refusal(const struct weir_exim_process *process, const char *facts,
                        const struct weir_envelope *envelope)
{
    char line[WEIR_DECISION_TEXT];

    weir_log(&process->log, WEIR_LOG_INFO, "%s", weir_decision_log(facts, envelope, line));
}

bool weir_acl_blacklisted(struct weir_exim_process *process, const char *client)
{
    const struct weir_acl_question question = {.client = client};
    struct weir_envelope envelope;
    struct weir_decision decision;
    char facts[WEIR_DECISION_TEXT];

    if (!decide(process, &question, &envelope, &decision) ||
        decision.ground != WEIR_GROUND_BLACKLIST)
        return false;
    weir_decision_facts(&decision, &envelope, NULL, facts);
    log_refusal(process, facts, &envelope);
    return decision.action == WEIR_REJECT;
}

const char *weir_acl_reputation(struct weir_exim_process *process,
                                const struct weir_acl_question *question,
                                char buffer[static WEIR_ACL_TEXT])
{
    struct weir_line line = weir_line(buffer, WEIR_ACL_TEXT);
    struct weir_envelope envelope;
    struct weir_decision decision;
    char facts[WEIR_DECISION_TEXT], reply[WEIR_DECISION_TEXT];

    if (!decide(process, question, &envelope, &decision)) {
        weir_line_text(&line, WEIR_ACL_NOTHING);
        return weir_line_end(&line);
    }
    weir_decision_facts(&decision, &envelope, NULL, facts);
    weir_line_text(&line, facts);
    if (decision.action != WEIR_PASS) {
        log_refusal(process, facts, &envelope);
        weir_decision_reply(&decision, &envelope, process->config.help_url, reply);
        weir_line_text(&line, " reply=\"");
        for (const char *at = reply; *at; at++)
            weir_line_octets(&line, *at == '"' || *at == '\\' ? "'" : at, 1);
        weir_line_text(&line, "\"");
    }
    return weir_line_end(&line);
}

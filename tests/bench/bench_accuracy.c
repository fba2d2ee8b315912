/*
 * bench_accuracy - real mail judged in the order of its lines, each message by what came before.
 *
 *     bench_accuracy boundary CONF    reads lines "PATH": messages out of a mailbox.  One line
 *                                     each, "ADDRESS NAME HELO": who handed it in from outside,
 *                                     by CONF's gateways; "-" for what is not known
 *     bench_accuracy judge CONF       reads lines "TIME JUDGED LABEL PATH": seconds, 1 to judge it
 *                                     or 0, "spam" or "ham" to learn it afterwards or "none"
 *
 * Judging is the engine's own, with the stores, rules and reputation that CONF names, at the
 * message's time.  One line of key=value a judged message.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/engine/judges_io.h"
#include "core/evidence/bayes.h"
#include "core/mail/header_text.h"
#include "monitor/analyzer/bayes_learn.h"
#include "monitor/ctl/ctl_judge.h"
#include "tests/bench/bench_rig.h"

enum { LINE_ROOM = 4096, ARENA_FIRST = 1 << 20, TOKENS = 1 << 23 };

struct bench {
    struct weir_ctl ctl;
    struct weir_judges *judges;
    struct weir_judge *judge;
    struct weir_hash_key key;
    struct weir_arena *arena;
    struct weir_charsets *charsets;
    struct weir_bayes_learner *learner;
};

struct line {
    weir_time at;
    bool judged, learned, spam;
    const char *path;
};

static void must(int done, const char *what)
{
    if (done < 0)
        bench_die(what);
}

/* Who handed it in. */
static void print_text(struct weir_slice text)
{
    bool plain = text.len > 0;

    for (size_t i = 0; i < text.len; i++)
        plain &= text.at[i] > ' ' && text.at[i] <= '~';
    printf(" %.*s", plain ? (int)text.len : 1, plain ? text.at : "-");
}

static void print_boundary(struct bench *bench, const char *path)
{
    char address[WEIR_ADDRESS_TEXT];
    size_t len;
    char *octets = bench_read_file(path, &len);
    struct weir_mail mail = {.message = {octets, len}};
    const struct weir_judgement *judgement;
    struct weir_message message;
    struct weir_peer peer = {0};

    weir_arena_reset(bench->arena, SIZE_MAX);
    must(weir_message_parse(octets, len, bench->arena, &message), path);
    mail.envelope.stage = WEIR_STAGE_END;
    if (weir_peer_of_message(&message, &peer)) {
        mail.envelope.has_client = peer.has_address;
        mail.envelope.client = peer.address;
        mail.envelope.client_name = peer.name;
        mail.envelope.helo = peer.helo;
        mail.received_skip = peer.skip;
    }
    must(weir_judge_mail(bench->judge, WEIR_SECOND, &mail, &judgement), path);
    printf("%s", judgement->boundary.found
                     ? weir_address_format(&judgement->boundary.address, address) : "-");
    print_text(judgement->boundary.name);
    print_text(judgement->boundary.helo);
    putchar('\n');
    free(octets);
}

static struct weir_slice word(const char *text)
{
    must(text ? 0 : WEIR_ENOMEM, "memory is short");
    return weir_slice_of(text);
}

static int steps(double probability, double prior)
{
    double l = log(probability / (1 - probability)) - log(prior / (1 - prior));
    return (int)lrint(fmin(fmax(l, -4), 4));
}

static size_t reputation_words(struct bench *bench, const struct weir_judgement *judgement,
                               struct weir_slice token[4])
{
    const struct weir_reputation *r = &judgement->decision.reputation;
    size_t n = 0;

    if (!judgement->decision.judged)
        return 0;
    token[n++] = word(weir_arena_printf(bench->arena, "rep:pair:%d:%d",
                                               steps(r->probability, r->prior),
                                               (int)(r->confidence * 2.999)));
    token[n++] = word(weir_arena_printf(bench->arena, "rep:assoc:%s",
                                               weir_association_name(r->association)));
    if (r->cell[WEIR_BASIS_NETWORK].confidence > 0)
        token[n++] = word(weir_arena_printf(
            bench->arena, "rep:net:%d:%d", steps(r->cell[WEIR_BASIS_NETWORK].probability, r->prior),
            (int)(r->cell[WEIR_BASIS_NETWORK].confidence * 2.999)));
    if (r->forged)
        token[n++] = weir_slice_of("rep:forged");
    return n;
}

static void tokens_of(struct bench *bench, struct weir_slice octets,
                      const struct weir_judgement *judgement, struct weir_bayes_tokens *tokens_r)
{
    struct weir_message message;
    struct weir_content content;
    struct weir_slice reputation[4];
    struct weir_bayes_source source = {.message = &message, .content = &content,
                                       .charsets = bench->charsets, .reputation = reputation};

    source.reputations = getenv("NOREP") ? 0 : reputation_words(bench, judgement, reputation);
    must(weir_message_parse(octets.at, octets.len, bench->arena, &message), "parse");
    must(weir_content_read(&message, bench->charsets, bench->arena, &content), "content");
    must(weir_bayes_tokens_read(&bench->key, &source, bench->arena, tokens_r), "tokens");
}

/* A table of these tokens alone: they have the counts that a whole one would have now. */
static void *now_known(struct bench *bench, const struct weir_bayes_tokens *tokens,
                      struct weir_bayes_table *table_r)
{
    struct weir_bayes_learner_state state = weir_bayes_learner_state(bench->learner);
    struct weir_bayes_count *count = calloc(tokens->tokens + 1, sizeof(*count));
    struct weir_bayes_counts counts = {bench->key, state.spam, state.ham, count, tokens->tokens};
    void *octets;
    size_t len;
    for (size_t i = 0; count && i < tokens->tokens; i++)
        weir_bayes_learner_find(bench->learner, tokens->token[i].hash, &count[i]);
    must(count ? weir_bayes_table_build(&counts, 0, &octets, &len) : WEIR_ENOMEM, "build");
    must(weir_bayes_table_attach(octets, len, true, table_r), "attach");
    free(count);
    return octets;
}

static void print_judgement(struct bench *bench, const struct weir_judgement *judgement,
                            const struct weir_bayes_tokens *tokens, const struct line *line)
{
    const struct weir_reputation *r = &judgement->decision.reputation;
    struct weir_bayes_settings settings = weir_bayes_defaults();
    struct weir_bayes_result result;
    struct weir_bayes_table table;
    void *octets = now_known(bench, tokens, &table);
    char address[WEIR_ADDRESS_TEXT];

    must(weir_bayes_judge(&table, &settings, tokens, bench->arena, &result), "judge");
    printf("score=%.17g rep=%.17g p=%.17g conf=%.17g prior=%.17g basis=%s assoc=%s forged=%d "
           "weight=%.17g text=%.17g head=%.17g known=%zu dom=%s addr=%s rules=",
           judgement->decision.score, r->points, r->probability, r->confidence, r->prior,
           weir_basis_name(r->basis), weir_association_name(r->association), r->forged,
           result.weight, result.view[0], result.view[1], result.known,
           judgement->decision.domain[0] ? judgement->decision.domain : "-",
           judgement->boundary.found ? weir_address_format(&judgement->boundary.address, address) : "-");
    for (size_t i = 0; i < judgement->points; i++)
        printf("%s%.*s:%g", i ? "," : "", (int)judgement->point[i].name.len,
               judgement->point[i].name.at, judgement->point[i].points);
    printf(" path=%s\n", line->path);
    if (getenv("TELL"))
        for (size_t i = 0; i < result.tellings; i++)
            printf("  %d %.4f %u/%u %.*s\n", (int)result.telling[i].token->view, result.telling[i].spam, result.telling[i].count.spam,
                   result.telling[i].count.ham, (int)result.telling[i].token->text.len, result.telling[i].token->text.at);
    free(octets);
}

/* What a person says of it. */
static void learn(struct bench *bench, const struct weir_judgement *judgement,
                  const struct weir_bayes_tokens *tokens, const struct line *line)
{
    struct weir_ctl_question question;
    struct weir_vote vote = {line->spam ? WEIR_VOTE_SPAM : WEIR_VOTE_GOOD, WEIR_VOTE_USER};
    size_t lost;

    must(weir_bayes_learn(bench->learner, tokens, line->spam, line->at), "learn");
    if (!judgement->boundary.found)
        return;
    weir_ctl_plan(&bench->ctl, &judgement->boundary.address,
                  weir_slice_of(judgement->decision.domain), judgement->vouched, &question);
    must(weir_ctl_enter(&bench->ctl, line->at, &question, false, vote, 1, &lost), "counters");
}

static void judge(struct bench *bench, const struct line *line)
{
    size_t len;
    char *octets = bench_read_file(line->path, &len);
    struct weir_mail mail = {.message = {octets, len}, .envelope.stage = WEIR_STAGE_END};
    const struct weir_judgement *judgement;
    struct weir_message message;
    struct weir_bayes_tokens tokens;
    const struct weir_field *field;
    struct weir_peer peer;
    size_t from = 0;
    bool several;

    weir_arena_reset(bench->arena, SIZE_MAX);
    must(weir_message_parse(octets, len, bench->arena, &message), line->path);
    if (weir_peer_of_message(&message, &peer)) {
        mail.envelope.has_client = peer.has_address;
        mail.envelope.client = peer.address;
        mail.envelope.client_name = peer.name;
        mail.envelope.helo = peer.helo;
        mail.received_skip = peer.skip;
    }
    if ((field = weir_message_field(&message, 0, "From", &from)))
        mail.envelope.sender = weir_header_address(field->value, &several);
    must(weir_judge_mail(bench->judge, line->at, &mail, &judgement), line->path);
    tokens_of(bench, mail.message, judgement, &tokens);
    if (line->judged)
        print_judgement(bench, judgement, &tokens, line);
    if (line->learned)
        learn(bench, judgement, &tokens, line);
    free(octets);
}

static void open_all(struct bench *bench, const char *path)
{
    struct weir_settings_report report = weir_settings_report_stderr();
    struct weir_judges_options options = {.program = "bench"};
    struct weir_engine_parts parts = {.config = &bench->ctl.config};

    bench->arena = weir_arena_new(ARENA_FIRST);
    bench->ctl.arena = weir_arena_new(ARENA_FIRST);
    must(weir_config_load(path, bench->ctl.arena, &report, &bench->ctl.config), path);
    must(weir_stores_open(&bench->ctl.config, WEIR_STORES_WRITE_COUNTERS | WEIR_STORES_WRITE_LISTS,
                          NULL, &bench->ctl.stores), "stores");
    must(weir_judges_open(&bench->ctl.config, &bench->ctl.stores, &options, NULL, &bench->judges),
         "judges");
    bench->judge = weir_judges_take(bench->judges);
    parts.key = &bench->ctl.stores.key;
    parts.domains = bench->ctl.stores.domains;
    parts.counters = bench->ctl.stores.counters;
    must(weir_engine_new(&parts, &bench->ctl.engine), "engine");
    must(weir_charsets_new(&bench->charsets), "charsets");
    must(weir_bayes_learner_new(&bench->key, TOKENS, &bench->learner), "learner");
}

static struct line line_of(char *text)
{
    char *rest;
    weir_time at = (weir_time)(strtod(text, &rest) * (double)WEIR_SECOND);
    bool judged = strtol(rest, &rest, 10) == 1;
    char *label = rest + strspn(rest, " "), *path = strchr(label, ' ');

    if (!path)
        bench_die("a line without a path");
    return (struct line){at, judged, label[0] != 'n', label[0] == 's', path + 1};
}

int main(int argc, char **argv)
{
    static struct bench bench;
    char text[LINE_ROOM];

    if (argc != 3)
        bench_die("usage: bench_accuracy boundary|judge CONF <lines");
    open_all(&bench, argv[2]);
    while (fgets(text, sizeof(text), stdin)) {
        text[strcspn(text, "\n")] = '\0';
        if (argv[1][0] == 'b') {
            print_boundary(&bench, text);
        } else {
            struct line line = line_of(text);
            judge(&bench, &line);
        }
    }
    return 0;
}

/*
 * bench_accuracy - real mail judged in the order of its lines, each message by what came before.
 *
 *     bench_accuracy boundary CONF    reads lines "PATH": messages out of a mailbox.  One line
 *                                     each, "ADDRESS NAME HELO FIELDS": who handed it in from
 *                                     outside, by CONF's gateways, "-" for what is not known; and
 *                                     how many Received fields our own side wrote
 *     bench_accuracy judge CONF       reads lines "TIME JUDGED LABEL PATH": seconds, 1 to judge it
 *                                     or 0, "spam" or "ham" to learn it afterwards or "none";
 *                                     "file-spam" or "file-ham": as bayes learn does out of files,
 *                                     of which reputation is not asked and learns nothing
 *
 * It is the engine that judges, with the stores and rules CONF names, as of the message's time,
 * and what people say of it is learned as the monitor learns it; the word list has at every
 * message the counts that a list published right then would have, and weights fitted as for one
 * published at the last tenth message.  One line a judged message:
 * score, what rules, reputation and classifier gave of it, the classifier's weight, and the path.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/engine/gateways_io.h"
#include "core/engine/judges_io.h"
#include "core/engine/lesson.h"
#include "core/mail/header_text.h"
#include "monitor/analyzer/bayes_weigh.h"
#include "monitor/ctl/ctl_judge.h"
#include "tests/bench/bench_rig.h"

enum { LINE_ROOM = 4096, ARENA_FIRST = 1 << 20, TOKENS = 1 << 23, LESSONS = 1 << 14,
       FIT_EVERY = 10, FIT_LEAST = 200 };

struct lesson {
    struct weir_slice tokens; /* as they stand in one */
    bool spam;
};

struct bench {
    struct weir_ctl ctl;            /* of it: configuration, stores, engine */
    struct weir_judges *judges;     /* opens rules and gateways */
    struct weir_judge *judge;
    struct weir_arena *arena;
    struct weir_bayes_learner *learner;
    struct weir_gateways *gateways;
    struct weir_bayes_file *words;
    struct weir_bayes_list list;    /* what words gives */
    void *octets;                   /* of the list */
    struct weir_bayes_fit *fit;     /* NULL: too little was learned */
    struct lesson lesson[LESSONS];
    size_t lessons;
};

struct line {
    weir_time at;
    bool judged, learned, spam, file;
    const char *path;
};

static void must(int done, const char *what)
{
    if (done < 0)
        bench_die(what);
}

/* A message as its file tells of it, as weirctl check has it. */
static void read_mail(struct bench *bench, struct weir_slice octets, struct weir_mail *mail)
{
    struct weir_message message;
    struct weir_peer peer;
    const struct weir_field *field;
    size_t from = 0;
    bool several;

    *mail = (struct weir_mail){.message = octets, .envelope.stage = WEIR_STAGE_END};
    weir_arena_reset(bench->arena, SIZE_MAX);
    must(weir_message_parse(octets.at, octets.len, bench->arena, &message), "a message");
    field = weir_message_field(&message, 0, "From", &from);
    if (field)
        mail->envelope.sender = weir_header_address(field->value, &several);
    if (!weir_peer_of_message(&message, &peer))
        return;
    mail->envelope.has_client = peer.has_address;
    mail->envelope.client = peer.address;
    mail->envelope.client_name = peer.name;
    mail->envelope.helo = peer.helo;
    mail->received_skip = peer.skip;
}

static const struct weir_judgement *judge(struct bench *bench, weir_time at,
                                          const struct weir_mail *mail)
{
    const struct weir_judgement *judgement;

    must(weir_judge_mail(bench->judge, at, mail, &judgement), "a judgement");
    return judgement;
}

static void print_text(struct weir_slice text)
{
    bool plain = text.len > 0;

    for (size_t i = 0; i < text.len; i++)
        plain &= text.at[i] > ' ' && text.at[i] <= '~';
    printf(" %.*s", plain ? (int)text.len : 1, plain ? text.at : "-");
}

static void print_boundary(struct bench *bench, const struct weir_mail *mail)
{
    const struct weir_boundary *boundary = &judge(bench, WEIR_SECOND, mail)->boundary;
    char address[WEIR_ADDRESS_TEXT];

    printf("%s", boundary->found ? weir_address_format(&boundary->address, address) : "-");
    print_text(boundary->name);
    print_text(boundary->helo);
    printf(" %zu\n", mail->received_skip + boundary->index);
}

/* A list of these tokens alone has for them what a whole one would have now. */
static void use_words(struct bench *bench, const struct weir_bayes_tokens *tokens)
{
    free(bench->octets);
    must(weir_bayes_learner_table(bench->learner, bench->fit, tokens, &bench->octets,
                                  &bench->list.table), "a word list");
    /* also as long as nothing was learned, so that a classifier is asked at all */
    bench->list.table.spam += !bench->list.table.spam;
    bench->list.table.ham += !bench->list.table.ham;
}

static double points_of(const struct weir_judgement *judgement, uint32_t id)
{
    double points = 0;

    for (size_t i = 0; i < judgement->points; i++)
        points += judgement->point[i].id == id ? judgement->point[i].points : 0;
    return points;
}

static void print_judgement(const struct weir_judgement *judgement, const char *path)
{
    double words = points_of(judgement, WEIR_POINT_BAYES);
    double reputation = points_of(judgement, WEIR_POINT_REPUTATION) +
                        points_of(judgement, WEIR_POINT_FORGED_DOMAIN);
    double score = judgement->decision.score;

    printf("score=%.17g rules=%.17g reputation=%.17g words=%.17g weight=%.17g path=%s\n", score,
           score - words - reputation, reputation, words, judgement->bayes.said.weight, path);
}

static void fit(struct bench *bench)
{
    int added = 1;

    weir_bayes_fit_free(&bench->fit);
    must(weir_bayes_fit_new(0, &bench->fit), "a fit");
    for (size_t i = bench->lessons; added == 1 && i > 0; i--) {
        const struct lesson *lesson = &bench->lesson[i - 1];

        added = weir_bayes_fit_add(bench->fit, (const uint8_t *)lesson->tokens.at,
                                   lesson->tokens.len / 8, lesson->spam);
        must(added, "a fit");
    }
    if (weir_bayes_fit_messages(bench->fit, false) < FIT_LEAST ||
        weir_bayes_fit_messages(bench->fit, true) < FIT_LEAST)
        weir_bayes_fit_free(&bench->fit);
    else
        must(weir_bayes_fit_run(bench->fit), "a fit");
}

/* Keeps what servers would tell of it. */
static void keep(struct bench *bench, const struct weir_bayes_tokens *tokens, bool spam)
{
    const struct weir_lesson none = {.tokens = 0};
    struct weir_slice octets;
    char *kept;

    must(weir_lesson_write(&none, tokens, bench->arena, &octets), "a lesson");
    octets = weir_slice_behind(octets, WEIR_LESSON_HEAD);
    kept = malloc(octets.len + 1);
    must(kept && bench->lessons < LESSONS ? 0 : WEIR_ENOMEM, "lessons");
    if (octets.len > 0)
        memcpy(kept, octets.at, octets.len);
    bench->lesson[bench->lessons++] = (struct lesson){{kept, octets.len}, spam};
    if (bench->lessons % FIT_EVERY == 0)
        fit(bench);
}

/* A person says what it is, of which the classifier, and address and domain, get their part. */
static void learn(struct bench *bench, const struct weir_judgement *judgement,
                  const struct line *line)
{
    struct weir_vote vote = {line->spam ? WEIR_VOTE_SPAM : WEIR_VOTE_GOOD, WEIR_VOTE_USER};
    unsigned times, most = (unsigned)bench->ctl.config.bayes_report_weight;
    struct weir_bayes_tokens tokens = *judgement->bayes.tokens;
    struct weir_ctl_question question;
    size_t lost, without = line->file ? tokens.reputations : 0;

    tokens.token += without;
    tokens.tokens -= without;
    must(weir_bayes_weigh(bench->learner, &tokens, line->spam, most, &times), "words");
    while (times-- > 0)
        must(weir_bayes_learn(bench->learner, &tokens, line->spam, line->at), "words");
    keep(bench, &tokens, line->spam);
    if (!judgement->boundary.found || line->file)
        return;
    weir_ctl_plan(&bench->ctl, &judgement->boundary.address,
                  weir_slice_of(judgement->decision.domain), judgement->vouched, &question);
    must(weir_ctl_enter(&bench->ctl, line->at, &question, false, vote, 1, &lost), "counters");
}

/* Judged for its tokens first, then with what is known of them. */
static void take(struct bench *bench, const struct line *line, const struct weir_mail *mail)
{
    const struct weir_judgement *judgement = judge(bench, line->at, mail);

    use_words(bench, judgement->bayes.tokens);
    judgement = judge(bench, line->at, mail);
    if (line->judged)
        print_judgement(judgement, line->path);
    if (line->learned)
        learn(bench, judgement, line);
}

static void open_judge(struct bench *bench)
{
    struct weir_judges_options options = {.program = "bench"};
    const struct weir_stores *stores = &bench->ctl.stores;
    struct weir_engine_parts engine = {.config = &bench->ctl.config, .key = &stores->key,
                                       .domains = stores->domains, .lists = stores->lists,
                                       .counters = stores->counters};
    struct weir_judge_parts parts = {.config = &bench->ctl.config, .domains = stores->domains,
                                     .program = "bench"};

    must(weir_judges_open(&bench->ctl.config, stores, &options, NULL, &bench->judges), "judges");
    must(weir_gateways_open(&bench->ctl.config, &stores->key, "", &bench->gateways), "gateways");
    must(weir_engine_new(&engine, &bench->ctl.engine), "an engine");
    must(weir_bayes_file_of_list(&bench->list, &bench->words), "a word list");
    parts.engine = bench->ctl.engine;
    parts.rules = weir_judges_rules(bench->judges);
    parts.gateways = bench->gateways;
    parts.bayes = bench->words;
    must(weir_judge_new(&parts, &bench->judge), "a judge");
}

static void open_all(struct bench *bench, const char *path)
{
    struct weir_settings_report report = weir_settings_report_stderr();
    struct weir_hash_key key = {{'b', 'e', 'n', 'c', 'h'}};
    struct weir_bayes_tokens none = {.tokens = 0};

    bench->arena = weir_arena_new(ARENA_FIRST);
    bench->ctl.arena = weir_arena_new(ARENA_FIRST);
    must(bench->arena && bench->ctl.arena ? 0 : WEIR_ENOMEM, "memory is short");
    must(weir_config_load(path, bench->ctl.arena, &report, &bench->ctl.config), path);
    must(weir_stores_open(&bench->ctl.config, WEIR_STORES_WRITE_COUNTERS | WEIR_STORES_WRITE_LISTS,
                          NULL, &bench->ctl.stores), "stores");
    must(weir_bayes_learner_new(&key, TOKENS, &bench->learner), "a learner");
    use_words(bench, &none);
    open_judge(bench);
}

static struct line line_of(char *text)
{
    char *rest;
    weir_time at = (weir_time)(strtod(text, &rest) * (double)WEIR_SECOND);
    bool judged = strtol(rest, &rest, 10) == 1;
    char *label = rest + strspn(rest, " "), *path = strchr(label, ' ');

    bool file = strncmp(label, "file-", 5) == 0;

    if (!path)
        bench_die("a line without a path");
    label += file ? 5 : 0;
    return (struct line){at, judged, label[0] != 'n', label[0] == 's', file, path + 1};
}

static void take_line(struct bench *bench, bool boundary, char *text)
{
    struct line line = boundary ? (struct line){.path = text} : line_of(text);
    struct weir_mail mail;
    size_t len;
    char *octets = bench_read_file(line.path, &len);

    read_mail(bench, (struct weir_slice){octets, len}, &mail);
    if (boundary)
        print_boundary(bench, &mail);
    else
        take(bench, &line, &mail);
    free(octets);
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
        take_line(&bench, strcmp(argv[1], "boundary") == 0, text);
    }
    return 0;
}

/*
 * judges - what is opened for deciding about messages, what mail does without, and several
 * threads at once (core/engine/judges_io.c).  Run under the thread sanitizer, too.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/judge_rig.h"
#include "tests/unit/seeded.h"

#define RULES \
    "body LOAN /cheap loan/i\nscore LOAN 3.5\nbody KITTEN /kitten/\nscore KITTEN -2\n" \
    "header HELLO Subject =~ /^hello/\nscore HELLO 0.25\nbody WORDS /\\bword\\d+\\b/\n" \
    "score WORDS 0.5\ntflags WORDS multiple maxhits=5\nmeta BOTH LOAN && KITTEN\nscore BOTH 1\n"

/* A log that threads may write to at once. */
struct ear {
    pthread_mutex_t lock;
    char said[8192];
};

static void hear(void *context, enum weir_log_level level, const char *line)
{
    struct ear *ear = context;

    (void)level;
    pthread_mutex_lock(&ear->lock);
    strncat(ear->said, line, sizeof ear->said - strlen(ear->said) - 2);
    strcat(ear->said, "\n");
    pthread_mutex_unlock(&ear->lock);
}

struct bench {
    struct judge_rig *rig;
    struct ear ear;
    struct weir_log log;
    struct weir_judges *judges;
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    void *rig = NULL;

    assert_non_null(bench);
    assert_int_equal(rig_set_up(&rig), 0);
    bench->rig = rig;
    pthread_mutex_init(&bench->ear.lock, NULL);
    bench->log = (struct weir_log){hear, &bench->ear, WEIR_LOG_INFO};
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    void *rig = bench->rig;

    weir_judges_free(&bench->judges);
    rig_tear_down(&rig);
    pthread_mutex_destroy(&bench->ear.lock);
    free(bench);
    return 0;
}

/* The rig's stores stay open; judges are opened anew with these options. */
static void open_with(struct bench *bench, const struct weir_judges_options *options)
{
    struct judge_rig *rig = bench->rig;

    if (!rig->judges)
        rig_open(rig);
    weir_judges_free(&bench->judges);
    assert_int_equal(weir_judges_open(&rig->config, &rig->stores, options, &bench->log,
                                      &bench->judges), 0);
}

static void open_plain(struct bench *bench)
{
    open_with(bench, &(struct weir_judges_options){.program = "test"});
}

static const char *place(const struct bench *bench, const char *name)
{
    const char *path = weir_arena_printf(bench->rig->arena, "%s/%s", bench->rig->folder, name);

    assert_non_null(path);
    return path;
}

static void put(const struct bench *bench, const char *name, const char *text)
{
    FILE *file = fopen(place(bench, name), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* One mail from a client, judged by a judge of the pool; what is checked later is copied. */
struct result {
    enum weir_verdict verdict;
    double score;
    size_t points;
    char domain[WEIR_DOMAIN_TEXT];
    char names[256];
    bool rules_missing, signed_string;
    weir_time spent;
};

static void copy_result(const struct weir_judgement *judgement, struct result *result_r)
{
    *result_r = (struct result){
        .verdict = judgement->decision.verdict,
        .score = judgement->decision.score,
        .points = judgement->points,
        .rules_missing = judgement->rules_missing,
        .signed_string = strncmp(judgement->outcome.info, "v1; ", 4) == 0,
    };
    snprintf(result_r->domain, sizeof result_r->domain, "%s", judgement->decision.domain);
    for (size_t i = 0; i < judgement->points; i++) {
        size_t used = strlen(result_r->names);
        snprintf(result_r->names + used, sizeof result_r->names - used, "%.*s*%u ",
                 (int)judgement->point[i].name.len, judgement->point[i].name.at,
                 judgement->point[i].times);
    }
    for (size_t i = 0; i < WEIR_WORKS; i++)
        result_r->spent += judgement->spent[i];
}

/* No assertion in here: it runs in threads. */
static int judge_text(struct weir_judges *judges, weir_time now, const char *text,
                      struct result *result_r)
{
    static const struct weir_slice recipient = {"user@test.example", 17};
    struct weir_judge *judge = weir_judges_take(judges);
    const struct weir_judgement *judgement;
    struct weir_mail mail = {.recipient = &recipient, .recipients = 1,
                             .message = {text, strlen(text)}};
    int done;

    if (!judge)
        return -1;
    mail.envelope.stage = WEIR_STAGE_END;
    mail.envelope.recipient = recipient;
    mail.envelope.sender = (struct weir_slice){"a@shop.example", 14};
    mail.envelope.has_client = weir_address_parse("203.0.113.7", 11, &mail.envelope.client) == 0;
    done = weir_judge_mail(judge, now, &mail, &judgement);
    if (done == 0)
        copy_result(judgement, result_r);
    weir_judges_give(judges, &judge);
    return done;
}

static struct result judge_one(struct bench *bench, const char *body)
{
    struct result result;

    assert_int_equal(judge_text(bench->judges, bench->rig->now,
                                rig_message(bench->rig, "a@shop.example", body), &result), 0);
    return result;
}

/* the pool ------------------------------------------------------------------------ */

static void a_judge_given_back_is_taken_again(void **state)
{
    struct bench *bench = *state;
    struct weir_judge *first, *second, *third;

    open_plain(bench);
    first = third = weir_judges_take(bench->judges);
    second = weir_judges_take(bench->judges);
    assert_non_null(first);
    assert_non_null(second);
    assert_ptr_not_equal(first, second);
    weir_judges_give(bench->judges, &first);
    assert_null(first);
    weir_judges_give(bench->judges, &first);
    assert_ptr_equal(weir_judges_take(bench->judges), third);
    weir_judges_give(bench->judges, &third);
    weir_judges_give(bench->judges, &second);
}

/* More than the pool keeps: the rest is freed, and nothing is lost (a leak would be told). */
static void any_number_of_judges_may_be_out_at_once(void **state)
{
    struct bench *bench = *state;
    struct weir_judge *out[300];

    open_plain(bench);
    for (size_t i = 0; i < 300; i++)
        assert_non_null(out[i] = weir_judges_take(bench->judges));
    for (size_t i = 0; i < 300; i++) {
        weir_judges_give(bench->judges, &out[i]);
        assert_null(out[i]);
    }
}

/* threads ------------------------------------------------------------------------- */

#define MAILS 24
#define THREADS 4
#define ROUNDS 3

struct worker {
    pthread_t thread;
    struct bench *bench;
    const char *const *text;
    size_t begin;
    struct result result[MAILS];
    int failed;
};

static void *work(void *context)
{
    struct worker *worker = context;

    for (size_t i = 0; i < ROUNDS * MAILS; i++) {
        size_t which = (worker->begin + i) % MAILS;

        if (judge_text(worker->bench->judges, worker->bench->rig->now, worker->text[which],
                       &worker->result[which]) != 0)
            worker->failed++;
    }
    return NULL;
}

static const char *random_mail(struct bench *bench, struct seeded *seeded)
{
    static const char *const word[] = {"cheap loan", "kitten", "word17", "word4", "nothing"};
    char body[512] = "";

    for (unsigned i = seeded_below(seeded, 12); i > 0; i--) {
        strcat(body, word[seeded_below(seeded, 5)]);
        strcat(body, seeded_below(seeded, 4) == 0 ? "\n\n" : " ");
    }
    return rig_message(bench->rig, seeded_below(seeded, 2) ? "a@shop.example" : "b@other.example",
                       body);
}

static void threads_at_once_decide_the_same_as_one(void **state)
{
    struct bench *bench = *state;
    struct seeded seeded = seeded_new("threads_at_once");
    struct worker *worker = calloc(THREADS, sizeof *worker);
    struct result alone[MAILS];
    const char *text[MAILS];

    assert_non_null(worker);
    assert_int_equal(rig_rules(bench->rig, RULES), 0);
    rig_vote(bench->rig, "203.0.113.7", "shop.example", WEIR_VOTE_SPAM, 2);
    bench->rig->config.spool_folder = "spool";
    open_with(bench, &(struct weir_judges_options){.program = "test", .spool = true});
    for (size_t i = 0; i < MAILS; i++) {
        text[i] = random_mail(bench, &seeded);
        assert_int_equal(judge_text(bench->judges, bench->rig->now, text[i], &alone[i]), 0);
    }
    for (size_t t = 0; t < THREADS; t++) {
        worker[t].bench = bench;
        worker[t].text = text;
        worker[t].begin = t * MAILS / THREADS;
        assert_int_equal(pthread_create(&worker[t].thread, NULL, work, &worker[t]), 0);
    }
    for (size_t t = 0; t < THREADS; t++) {
        assert_int_equal(pthread_join(worker[t].thread, NULL), 0);
        assert_int_equal(worker[t].failed, 0);
        for (size_t i = 0; i < MAILS; i++)
            assert_memory_equal(&worker[t].result[i], &alone[i], sizeof alone[i]);
    }
    free(worker);
}

/* While threads judge, the set is changed under them: each mail meets the old or the new one. */
static void a_set_changed_at_work_is_seen_by_threads_whole(void **state)
{
    struct bench *bench = *state;
    struct worker *worker = calloc(THREADS, sizeof *worker);
    const char *text[MAILS];

    assert_non_null(worker);
    assert_int_equal(rig_rules(bench->rig, "body A /loan/\nscore A 1\nbody B /loan/\nscore B 2\n"),
                     0);
    open_plain(bench);
    for (size_t i = 0; i < MAILS; i++)
        text[i] = rig_message(bench->rig, "a@shop.example", "a loan");
    assert_int_equal(rig_rules(bench->rig, "body C /loan/\nscore C 4\nbody D /loan/\nscore D 8\n"),
                     0);
    for (size_t t = 0; t < THREADS; t++) {
        worker[t].bench = bench;
        worker[t].text = text;
        assert_int_equal(pthread_create(&worker[t].thread, NULL, work, &worker[t]), 0);
    }
    for (size_t t = 0; t < THREADS; t++) {
        assert_int_equal(pthread_join(worker[t].thread, NULL), 0);
        assert_int_equal(worker[t].failed, 0);
        for (size_t i = 0; i < MAILS; i++)
            assert_true(worker[t].result[i].score == 3 || worker[t].result[i].score == 12);
    }
    assert_true(judge_one(bench, "a loan").score == 12);
    free(worker);
}

/* what is missing ------------------------------------------------------------------ */

static void keys_are_made_once_and_read_by_the_next(void **state)
{
    struct bench *bench = *state;
    struct weir_info_keys keys;

    open_plain(bench);
    keys = *weir_judges_keys(bench->judges);
    assert_int_equal(keys.keys, 1);
    assert_int_not_equal(keys.key[0].id, 0);
    open_plain(bench);
    assert_int_equal(weir_judges_keys(bench->judges)->keys, 1);
    assert_memory_equal(&weir_judges_keys(bench->judges)->key[0], &keys.key[0],
                        sizeof keys.key[0]);
    assert_true(judge_one(bench, "x").signed_string);
    assert_string_equal(bench->ear.said, "");
}

static void wrong_keys_are_logged_with_their_line_and_mail_is_judged_without_a_string(void **state)
{
    struct bench *bench = *state;
    struct result result;

    put(bench, "info.key", "# ours\n1 0123\n");
    open_plain(bench);
    assert_non_null(strstr(bench->ear.said, "info.key: line 2 is no key"));
    assert_int_equal(weir_judges_keys(bench->judges)->keys, 0);
    result = judge_one(bench, "x");
    assert_int_equal(result.verdict, WEIR_HAM);
    assert_false(result.signed_string);
}

static void without_a_rule_set_mail_is_judged_and_a_later_one_is_seen(void **state)
{
    struct bench *bench = *state;

    open_plain(bench);
    assert_true(judge_one(bench, "a cheap loan").rules_missing);
    assert_string_equal(bench->ear.said, "");
    assert_int_equal(rig_rules(bench->rig, RULES), 0);
    assert_int_equal(judge_one(bench, "a cheap loan").verdict, WEIR_UNSURE);
}

static void a_damaged_rule_set_is_logged_and_mail_is_judged_without_rules(void **state)
{
    struct bench *bench = *state;

    put(bench, "rules.image", "junk, and not even much of it");
    open_plain(bench);
    assert_non_null(strstr(bench->ear.said, "rules.image"));
    assert_non_null(strstr(bench->ear.said, "without rules"));
    assert_true(judge_one(bench, "a cheap loan").rules_missing);
    assert_null(weir_judges_rules(bench->judges));
}

static void with_refresh_a_damaged_or_missing_set_is_made_first(void **state)
{
    struct bench *bench = *state;
    struct weir_judges_options options = {.program = "test", .refresh = true};

    put(bench, "rules/10.rules", RULES);
    for (int damaged = 0; damaged < 2; damaged++) {
        if (damaged)
            put(bench, "rules.image", "junk");
        bench->ear.said[0] = '\0';
        open_with(bench, &options);
        assert_non_null(strstr(bench->ear.said, "rule set 1 made"));
        assert_int_equal(judge_one(bench, "a cheap loan").verdict, WEIR_UNSURE);
    }
}

static void damaged_gateways_are_logged_only_when_they_are_wanted(void **state)
{
    struct bench *bench = *state;

    put(bench, "gateways", "junk\n");
    open_plain(bench);
    assert_string_equal(bench->ear.said, "");
    bench->rig->config.boundary_mode = WEIR_BOUNDARY_LEARNED;
    open_plain(bench);
    assert_non_null(strstr(bench->ear.said, "without learned gateways"));
    assert_int_equal(judge_one(bench, "x").verdict, WEIR_HAM);
}

/* the spool ------------------------------------------------------------------------ */

static int lines_in(struct bench *bench, const char *suffix)
{
    char command[160], text[16] = "";
    FILE *pipe;

    snprintf(command, sizeof command, "cat %s/spool/*%s 2>/dev/null | wc -l", bench->rig->folder,
             suffix);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(text, sizeof text, pipe));
    pclose(pipe);
    return atoi(text);
}

static void B15_each_decision_is_a_line_of_the_spool_when_asked_for(void **state)
{
    struct bench *bench = *state;

    bench->rig->config.spool_folder = "spool";
    open_plain(bench);
    judge_one(bench, "x");
    assert_int_equal(lines_in(bench, ""), 0);
    open_with(bench, &(struct weir_judges_options){.program = "test", .spool = true});
    for (int i = 0; i < 3; i++)
        judge_one(bench, "x");
    assert_int_equal(lines_in(bench, ".log.part"), 3);
    weir_judges_tick(bench->judges, bench->rig->now + bench->rig->config.spool_turn - 1);
    assert_int_equal(lines_in(bench, ".log"), 0);
    weir_judges_tick(bench->judges, bench->rig->now + 2 * bench->rig->config.spool_turn);
    assert_int_equal(lines_in(bench, ".log"), 3);
}

static void a_spool_that_cannot_be_written_is_logged_and_mail_is_judged(void **state)
{
    struct bench *bench = *state;

    put(bench, "spool", "in the way");
    bench->rig->config.spool_folder = "spool";
    open_with(bench, &(struct weir_judges_options){.program = "test", .spool = true});
    assert_int_equal(judge_one(bench, "x").verdict, WEIR_HAM);
    assert_non_null(strstr(bench->ear.said, "spool"));
    weir_judges_tick(bench->judges, bench->rig->now + WEIR_HOUR);
}

/* measuring ------------------------------------------------------------------------- */

static void time_is_measured_when_asked_for(void **state)
{
    struct bench *bench = *state;
    struct weir_judges_profile rule[8];
    weir_time spent = 0;
    size_t n;

    assert_int_equal(rig_rules(bench->rig, RULES), 0);
    open_plain(bench);
    assert_int_equal(judge_one(bench, "a cheap loan, word1").spent, 0);
    open_with(bench, &(struct weir_judges_options){.program = "test", .timed = true,
                                                   .profile = true});
    for (int i = 0; i < 50; i++)
        spent += judge_one(bench, "a cheap loan, word1").spent;
    assert_true(spent > 0);
    n = weir_judges_profile(bench->judges, rule, 8);
    assert_true(n > 0 && n <= 8);
    for (size_t i = 0; i < n; i++) {
        assert_true(rule[i].name[0] != '\0');
        assert_true(i == 0 || rule[i].nanoseconds <= rule[i - 1].nanoseconds);
    }
    assert_int_equal(weir_judges_profile(bench->judges, rule, 1), 1);
}

#define WITH_BENCH(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(a_judge_given_back_is_taken_again),
        WITH_BENCH(any_number_of_judges_may_be_out_at_once),
        WITH_BENCH(threads_at_once_decide_the_same_as_one),
        WITH_BENCH(a_set_changed_at_work_is_seen_by_threads_whole),
        WITH_BENCH(keys_are_made_once_and_read_by_the_next),
        WITH_BENCH(wrong_keys_are_logged_with_their_line_and_mail_is_judged_without_a_string),
        WITH_BENCH(without_a_rule_set_mail_is_judged_and_a_later_one_is_seen),
        WITH_BENCH(a_damaged_rule_set_is_logged_and_mail_is_judged_without_rules),
        WITH_BENCH(with_refresh_a_damaged_or_missing_set_is_made_first),
        WITH_BENCH(damaged_gateways_are_logged_only_when_they_are_wanted),
        WITH_BENCH(B15_each_decision_is_a_line_of_the_spool_when_asked_for),
        WITH_BENCH(a_spool_that_cannot_be_written_is_logged_and_mail_is_judged),
        WITH_BENCH(time_is_measured_when_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

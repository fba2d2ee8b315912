/*
 * judge_rig - opens stores and judges for a test, and takes the folder away again.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/judge_rig.h"

static void keep_line(void *context, enum weir_log_level level, const char *line)
{
    struct judge_rig *rig = context;
    size_t used = strlen(rig->logged);

    (void)level;
    if (used + strlen(line) + 2 < sizeof rig->logged)
        snprintf(rig->logged + used, sizeof rig->logged - used, "%s\n", line);
}

static void report(void *context, const char *file, unsigned line, const char *why)
{
    weir_log(context, WEIR_LOG_ERROR, "%s:%u: %s", file, line, why);
}

int rig_set_up(void **state)
{
    struct judge_rig *rig = calloc(1, sizeof *rig);

    strcpy(rig->folder, "/tmp/weir-judge-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    snprintf(rig->rules, sizeof rig->rules, "%s/rules", rig->folder);
    assert_int_equal(mkdir(rig->rules, 0700), 0);
    rig->arena = weir_arena_new(65536);
    assert_int_equal(weir_settings_default(weir_config_settings(), rig->arena, &rig->config), 0);
    rig->config.state_directory = rig->folder;
    rig->config.rules_folder = rig->rules;
    rig->config.counters_size = 16 << 20;
    rig->config.spool_folder = "";
    rig->config.learn = false; /* a test that is about it says so: no mail changes the next */
    rig->log = (struct weir_log){keep_line, rig, WEIR_LOG_DEBUG};
    rig->now = RIG_NOW;
    *state = rig;
    return 0;
}

static void shut(struct judge_rig *rig)
{
    if (rig->judges)
        weir_judges_give(rig->judges, &rig->judge);
    weir_judges_free(&rig->judges);
    weir_stores_close(&rig->stores);
}

int rig_tear_down(void **state)
{
    struct judge_rig *rig = *state;
    char command[128];

    shut(rig);
    weir_arena_free(&rig->arena);
    snprintf(command, sizeof command, "rm -rf %s", rig->folder);
    assert_int_equal(system(command), 0);
    free(rig);
    return 0;
}

void rig_open(struct judge_rig *rig)
{
    struct weir_judges_options options = {.program = "test", .spool = true};

    shut(rig);
    assert_int_equal(weir_stores_open(&rig->config,
                                      WEIR_STORES_WRITE_LISTS | WEIR_STORES_WRITE_COUNTERS,
                                      &rig->log, &rig->stores), 0);
    assert_int_equal(
        weir_judges_open(&rig->config, &rig->stores, &options, &rig->log, &rig->judges), 0);
    rig->judge = weir_judges_take(rig->judges);
    assert_non_null(rig->judge);
}

int rig_rules(struct judge_rig *rig, const char *text)
{
    struct weir_rule_set_made made;
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/10-test.rules", rig->rules);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    rig->now += 2 * WEIR_SECOND; /* a set is looked for once a second */
    return weir_rule_set_make(&rig->config, true, report, &rig->log, &made);
}

static struct weir_slice slice(const char *text)
{
    return (struct weir_slice){text, strlen(text)};
}

const struct weir_judgement *rig_judge(struct judge_rig *rig, const char *client,
                                       const char *sender, const char *octets)
{
    static const struct weir_slice recipient = {"user@test.example", 17};
    const struct weir_judgement *judgement = NULL;
    struct weir_mail *mail = &rig->mail;

    if (!rig->judges)
        rig_open(rig);
    mail->envelope.stage = WEIR_STAGE_END;
    mail->envelope.has_client = client != NULL;
    if (client)
        assert_int_equal(weir_address_parse(client, strlen(client), &mail->envelope.client), 0);
    mail->envelope.sender = slice(sender);
    if (mail->recipients == 0) {
        mail->recipient = &recipient;
        mail->recipients = 1;
        mail->envelope.recipient = recipient;
    }
    mail->message = slice(octets);
    assert_int_equal(weir_judge_mail(rig->judge, rig->now, mail, &judgement), 0);
    assert_non_null(judgement);
    return judgement;
}

const char *rig_message(struct judge_rig *rig, const char *from, const char *body)
{
    const char *text = weir_arena_printf(
        rig->arena,
        "From: %s\nTo: user@test.example\nSubject: hello\nDate: Sat, 21 Nov 2026 18:13:00 +0000\n"
        "Message-Id: <1@client.example>\n\n%s\n",
        from, body);

    assert_non_null(text);
    return text;
}

void rig_vote(struct judge_rig *rig, const char *client, const char *domain,
              enum weir_vote_verdict verdict, int times)
{
    struct weir_reading reading[WEIR_REPUTATION_READINGS];
    struct weir_addition addition[WEIR_REPUTATION_ADDITIONS];
    struct weir_reputation_query query = {.domain = domain};
    const struct weir_reputation_settings *settings = &rig->config.reputation;

    if (!rig->judges)
        rig_open(rig);
    assert_int_equal(weir_address_parse(client, strlen(client), &query.address), 0);
    for (int i = 0; i < times; i++) {
        size_t n = weir_reputation_plan(settings, &rig->stores.key, &query, reading);

        weir_counters_read(rig->stores.counters, rig->now, reading, n);
        n = weir_reputation_learn(settings, &rig->stores.key, &query, reading,
                                  (struct weir_vote){verdict, WEIR_VOTE_USER}, addition);
        for (size_t a = 0; a < n; a++)
            weir_counters_add(rig->stores.counters, rig->now, &addition[a].counter,
                              addition[a].weight);
        weir_counters_flush(rig->stores.counters, NULL);
    }
}

void rig_list(struct judge_rig *rig, enum weir_list list, const char *what)
{
    rig_list_more(rig, list, what, 0, false);
}

void rig_list_more(struct judge_rig *rig, enum weir_list list, const char *what, double points,
                   bool defer)
{
    struct weir_list_entry entry = {.added = rig->now, .origin = "test", .reason = "why",
                                    .points = points, .defer = defer};
    const char *why;
    size_t bad;

    if (!rig->judges)
        rig_open(rig);
    if (weir_prefix_parse(what, strlen(what), &entry.prefix, &why) < 0) {
        entry.is_domain = true;
        snprintf(entry.domain, sizeof entry.domain, "%s", what);
    }
    assert_int_equal(weir_lists_add(rig->stores.lists, list, &entry, 1, &bad), 0);
}

double rig_points(const struct weir_judgement *judgement, const char *name)
{
    for (size_t i = 0; i < judgement->points; i++)
        if (judgement->point[i].name.len == strlen(name) &&
            memcmp(judgement->point[i].name.at, name, strlen(name)) == 0)
            return judgement->point[i].points;
    return (double)NAN;
}

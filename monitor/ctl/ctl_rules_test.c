/*
 * ctl_rules_test - weirctl rules test: what rules hit among messages, spam and good mail told
 * apart, and how long it takes.
 *
 * Messages are judged as the mail server would, with these rules alone, and without lists and
 * counters.  Names of files and what rules saw are hostile.  Recent messages are those that people
 * reported and that came along with it; what a rule of the book hit among all is told beside it.
 */
#include "monitor/ctl/ctl_rules_test.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/line.h"
#include "core/engine/judges_io.h"
#include "monitor/analyzer/reported_text.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_mails_io.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/database/database_drafts_io.h"

#define HITS_SHOWN 20
#define HITS_KEPT 100000
#define EVIDENCE 70

struct hit {
    enum weir_ctl_said said;
    const char *message, *evidence, *rule;
};

struct testing {
    struct weir_ctl *ctl;
    struct weir_ctl_tested tested;
    struct weir_ctl_test_counts *counts; /* by number of a rule */
    struct weir_ctl_test_all all;
    struct weir_judges *judges;
    struct weir_judge *judge;
    struct weir_arena *arena;            /* of a message */
    struct weir_log quiet;
    weir_time now;
    struct hit *hit;
    size_t hits, hit_room, most;
    size_t unread;
    bool recent;
    char *text;                          /* of a reported message */
    struct weir_ctl_progress progress;
};

/* Judging. ------------------------------------------------------------------------------ */

static const char *evidence_of(struct testing *testing, struct weir_slice evidence)
{
    char text[512];
    struct weir_line line = weir_line(text, sizeof text);
    bool cut = evidence.len > EVIDENCE;

    weir_line_foreign(&line, (struct weir_slice){evidence.at, cut ? EVIDENCE : evidence.len}, true);
    if (cut)
        weir_line_text(&line, "...");
    (void)weir_line_end(&line);
    return weir_arena_copy(testing->ctl->arena, text, strlen(text));
}

static int keep_hit(struct testing *testing, enum weir_ctl_said said, const char *message,
                    const struct weir_ctl_tested_rule *rule, struct weir_slice evidence)
{
    struct hit *hit = &testing->hit[testing->hits];
    char shown[WEIR_CTL_NAME];

    if (testing->hits == testing->hit_room)
        return 0;
    weir_ctl_visible((struct weir_slice){message, strlen(message)}, shown, sizeof shown);
    *hit = (struct hit){said, weir_arena_copy(testing->ctl->arena, shown, strlen(shown)),
                        evidence_of(testing, evidence), rule->name};
    testing->hits++;
    if (!hit->message || !hit->evidence)
        return weir_ctl_error(testing->ctl, EX_OSERR, "memory is short");
    return 0;
}

static int judge_one(struct testing *testing, enum weir_ctl_said said, const char *name,
                     struct weir_slice octets)
{
    size_t most = (size_t)testing->ctl->config.milter_size;
    struct weir_mail mail = {.recipients = 0};
    const struct weir_judgement *judgement;
    int code = 0;

    weir_arena_reset(testing->arena, 1 << 20);
    mail.message = (struct weir_slice){octets.at, octets.len < most ? octets.len : most};
    mail.envelope.stage = WEIR_STAGE_END;
    weir_ctl_mail_read(mail.message, testing->arena, true, &mail);
    if (weir_judge_mail(testing->judge, testing->now, &mail, &judgement) < 0)
        return weir_ctl_error(testing->ctl, EX_OSERR, "memory is short");
    testing->all.messages[said]++;
    for (size_t i = 0; code == 0 && i < judgement->points; i++) {
        const struct weir_point *point = &judgement->point[i];
        const struct weir_ctl_tested_rule *rule = weir_ctl_tested_find(&testing->tested, point->id);

        if (!rule)
            continue;
        testing->counts[rule - testing->tested.rule].hit[said]++;
        code = keep_hit(testing, said, name, rule, point->evidence);
    }
    return code;
}

static int judge_paths(struct testing *testing, enum weir_ctl_said said, char **path, int paths)
{
    struct weir_ctl_mails *mails = NULL;
    struct weir_slice octets;
    const char *name;
    int code = weir_ctl_mails_open(testing->ctl, path, paths, &mails);

    while (code == 0 && weir_ctl_mails_next(mails, &name, &octets) == 1) {
        code = judge_one(testing, said, name, octets);
        weir_ctl_progress_step(&testing->progress, weir_ctl_mails_done(mails),
                               weir_ctl_mails_files(mails));
    }
    if (mails)
        testing->unread += weir_ctl_mails_unread(mails);
    weir_ctl_mails_free(&mails);
    return code;
}

/* A message that was reported. */
static int take_text(void *context, const struct weir_drafts_text *text)
{
    struct testing *testing = context;
    struct weir_reported_text told;
    char name[40];

    if (weir_reported_text_read(text->octets, &told) != 1 ||
        weir_reported_text_unpack(&told, testing->text) < 0)
        return 0;
    snprintf(name, sizeof name, "reported message %016llx", (unsigned long long)text->uid);
    weir_ctl_progress_step(&testing->progress, 0, 0);
    return judge_one(testing, text->spam ? WEIR_CTL_SPAM_SAID : WEIR_CTL_HAM_SAID, name,
                     (struct weir_slice){testing->text, told.len}) == 0 ? 0 : WEIR_ENOMEM;
}

static int judge_recent(struct testing *testing)
{
    struct weir_database *database = NULL;
    int code = weir_ctl_monitor_database(testing->ctl, &database);

    testing->progress = weir_ctl_progress(testing->ctl, "messages");
    testing->text = malloc(WEIR_REPORTED_TEXT_MAX);
    if (code == 0 && !testing->text)
        code = weir_ctl_error(testing->ctl, EX_OSERR, "memory is short");
    if (code == 0)
        code = weir_ctl_monitor_read(testing->ctl, database, weir_database_drafts_texts(
                                     database, WEIR_DRAFTS_TEXTS_MAX, take_text, testing));
    testing->all.seconds = weir_ctl_progress_end(&testing->progress);
    weir_database_free(&database);
    free(testing->text);
    return code;
}

/* All that was named; the standard input when nothing was. */
static int judge_all(struct testing *testing)
{
    struct weir_ctl *ctl = testing->ctl;
    char *ham = (char *)(uintptr_t)ctl->option[WEIR_CTL_HAM];
    char *spam = (char *)(uintptr_t)ctl->option[WEIR_CTL_SPAM];
    int code = 0;

    testing->progress = weir_ctl_progress(ctl, "messages");
    if (ham)
        code = judge_paths(testing, WEIR_CTL_HAM_SAID, &ham, 1);
    if (code == 0 && spam)
        code = judge_paths(testing, WEIR_CTL_SPAM_SAID, &spam, 1);
    if (code == 0 && (ctl->arguments > 1 || (!ham && !spam)))
        code = judge_paths(testing, WEIR_CTL_NOTHING_SAID, ctl->argument + 1, ctl->arguments - 1);
    testing->all.seconds = weir_ctl_progress_end(&testing->progress);
    return code;
}

/* How long each took, as the judge tells that is given back. */
static int note_times(struct testing *testing)
{
    size_t rules = testing->tested.rules, known;
    struct weir_judges_profile *profile = calloc(rules + 1, sizeof *profile);
    uint64_t messages = 0;

    if (!profile)
        return weir_ctl_error(testing->ctl, EX_OSERR, "memory is short");
    for (int said = 0; said < WEIR_CTL_SAIDS; said++)
        messages += testing->all.messages[said];
    weir_judges_give(testing->judges, &testing->judge);
    known = weir_judges_profile(testing->judges, profile, rules);
    for (size_t i = 0; i < known; i++)
        for (size_t r = 0; r < rules; r++)
            if (strcmp(profile[i].name, testing->tested.rule[r].name) == 0)
                testing->counts[r].microseconds =
                    (double)profile[i].nanoseconds / 1000 / (double)(messages ? messages : 1);
    free(profile);
    return 0;
}

/* Nobody wants to hear that keys or gateways are missing. */
static void say_nothing(void *context, enum weir_log_level level, const char *text)
{
    (void)context;
    (void)level;
    (void)text;
}

static int open_judges(struct testing *testing)
{
    struct weir_ctl *ctl = testing->ctl;
    const struct weir_judges_options options = {.program = "weirctl", .profile = true,
                                                .hidden = true};

    if (weir_domains_open(ctl->config.suffix_list, &ctl->stores.domains) < 0)
        return weir_ctl_error(ctl, EX_CONFIG, "%s: the suffix list cannot be read",
                              ctl->config.suffix_list);
    ctl->config.rules_file = testing->tested.path;
    testing->quiet = (struct weir_log){say_nothing, NULL, WEIR_LOG_ERROR};
    testing->arena = weir_arena_new(65536);
    testing->counts = weir_arena_zero(ctl->arena, testing->tested.rules,
                                      sizeof *testing->counts);
    testing->hit = calloc(testing->hit_room + 1, sizeof *testing->hit);
    if (!testing->arena || !testing->counts || !testing->hit ||
        weir_judges_open(&ctl->config, &ctl->stores, &options, &testing->quiet,
                         &testing->judges) < 0 ||
        (testing->judge = weir_judges_take(testing->judges)) == NULL)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    return 0;
}

/* Showing. -------------------------------------------------------------------------------- */

static const char *const said_names[WEIR_CTL_SAIDS] = {"ham", "spam", "other"};

static json_t *hits_json(const struct testing *testing)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < testing->hits; i++) {
        const struct hit *hit = &testing->hit[i];

        json_array_append_new(rows, json_pack(
            "{s:s, s:o, s:s, s:o}", "said", said_names[hit->said], "message",
            weir_ctl_json_text(hit->message, strlen(hit->message)), "rule", hit->rule, "evidence",
            weir_ctl_json_text(hit->evidence, strlen(hit->evidence))));
    }
    return rows;
}

/* Good mail first: that is what hurts. */
static void print_hits(const struct testing *testing)
{
    size_t shown = 0;

    for (int said = 0; said < WEIR_CTL_SAIDS; said++)
        for (size_t i = 0; i < testing->hits; i++) {
            const struct hit *hit = &testing->hit[i];

            if ((int)hit->said == said && shown++ < testing->most)
                printf("  %-5s  %s: %s%s%s\n", said_names[said], hit->message,
                       testing->tested.rules > 1 ? hit->rule : "",
                       testing->tested.rules > 1 && hit->evidence[0] ? ": " : "", hit->evidence);
        }
    if (shown > testing->most)
        printf("  and %zu more: --most %zu\n", shown - testing->most, shown);
}

static int show_json(struct testing *testing, const struct weir_ctl_test_result *result)
{
    struct weir_ctl *ctl = testing->ctl;
    json_t *tried = weir_ctl_test_json(ctl, result, hits_json(testing)), *counted = NULL;
    int code = tried ? 0 : EX_USAGE;

    if (code == 0 && testing->recent)
        code = weir_ctl_test_counted(ctl, (unsigned)testing->most, &counted);
    if (code != 0) {
        json_decref(tried);
        return code;
    }
    if (testing->recent)
        tried = json_pack("{s:o, s:o}", "tried", tried, "counted",
                          counted ? counted : json_null());
    return weir_ctl_json(ctl, tried);
}

static int show(struct testing *testing)
{
    const struct weir_ctl_test_result result = {&testing->all, testing->counts,
                                                testing->tested.rule, testing->tested.rules};
    struct weir_ctl *ctl = testing->ctl;
    int code;

    if (ctl->option[WEIR_CTL_JSON])
        return show_json(testing, &result);
    code = weir_ctl_test_show(ctl, &result);
    if (code != 0 || ctl->option[WEIR_CTL_CSV])
        return code;
    if (testing->recent)
        puts("that people reported, as they came along: without attachments");
    print_hits(testing);
    return testing->recent ? weir_ctl_test_counted(ctl, (unsigned)testing->most, NULL) : 0;
}

static int test_files(struct testing *testing)
{
    int code = weir_ctl_tested_open(testing->ctl, testing->ctl->argument[0], &testing->tested);

    if (code == 0)
        code = open_judges(testing);
    if (code == 0)
        code = testing->recent ? judge_recent(testing) : judge_all(testing);
    if (code == 0)
        code = note_times(testing);
    if (code == 0)
        code = show(testing);
    if (code == 0 && testing->unread > 0)
        code = EX_NOINPUT;
    if (testing->judge)
        weir_judges_give(testing->judges, &testing->judge);
    weir_judges_free(&testing->judges);
    weir_arena_free(&testing->arena);
    weir_ctl_tested_close(&testing->tested);
    free(testing->hit);
    return code;
}

int weir_ctl_rules_test(struct weir_ctl *ctl)
{
    struct testing testing = {.ctl = ctl, .now = weir_ctl_now(), .tested = {.fd = -1}};
    bool recent = ctl->option[WEIR_CTL_RECENT] != NULL;
    unsigned most = HITS_SHOWN;
    int code = weir_ctl_configure(ctl);

    code = code != 0 ? code : weir_ctl_option_count(ctl, WEIR_CTL_MOST, HITS_KEPT, &most);
    if (code == 0)
        code = weir_ctl_test_check(ctl);
    if (code == 0 && recent && (ctl->arguments > 1 || ctl->option[WEIR_CTL_HAM] ||
                                ctl->option[WEIR_CTL_SPAM]))
        code = weir_ctl_error(ctl, EX_USAGE, "--recent, or files");
    if (code != 0)
        return code;
    testing.recent = recent;
    testing.most = most;
    testing.hit_room = HITS_KEPT;
    return test_files(&testing);
}

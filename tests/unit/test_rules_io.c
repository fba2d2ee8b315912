/* rules_io and rule_file_io.c: rule files read, images written, and sets changed at work, by
 * threads, too. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>


#include "core/base/error.h"
#include "core/evidence/rules_io.h"
#include "tests/unit/rules_rig.h"
#include "tests/unit/scratch.h"

struct lines {
    char text[4000];
    unsigned errors;
};

static void log_line(void *context, enum weir_log_level level, const char *line)
{
    struct lines *lines = context;
    size_t len = strlen(lines->text);
    lines->errors += level == WEIR_LOG_ERROR;
    snprintf(lines->text + len, sizeof(lines->text) - len, "%s\n", line);
}

static void report(void *context, const char *file, unsigned line, const char *why)
{
    struct lines *lines = context;
    size_t len = strlen(lines->text);
    const char *slash = strrchr(file, '/');
    snprintf(lines->text + len, sizeof(lines->text) - len, "%s:%u: %s\n", slash ? slash + 1 : file,
             line, why);
}

static void write_text(struct scratch *s, const char *name, const char *text)
{
    FILE *file = fopen(scratch_path(s, name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void write_image(const char *path, const char *rules)
{
    struct rules_rig *rig = rules_rig_new(rules);
    assert_int_equal(rig->built, 0);
    assert_int_equal(weir_rules_write_image(path, rig->octets, rig->len), 0);
    rules_rig_free(rig);
}

static void rule_files_of_a_folder_are_read_by_name(void **state)
{
    (void)state;
    struct scratch *s = scratch_new();
    struct weir_arena *arena = weir_arena_new(4096);
    struct weir_rule_sources sources;
    struct lines told = {.errors = 0};
    write_text(s, "20.rules", "score A 2\nbody B /b/\nbody\n");
    write_text(s, "10.rules", "body A /a/\nscore A 1\n");
    write_text(s, "30.rules.bak", "body C /c/\n");
    write_text(s, ".40.rules", "body D /d/\n");
    assert_int_equal(weir_rules_read_files(s->directory, arena, report, &told, &sources), 0);
    assert_int_equal(sources.rules, 2);
    assert_true(sources.rule[0].score == 2.0f);
    assert_int_equal(sources.errors, 1);
    assert_non_null(strstr(told.text, "20.rules:3: "));
    assert_int_equal(weir_rules_read_files(scratch_path(s, "10.rules"), arena, report, &told,
                                           &sources), 0);
    assert_int_equal(sources.rules, 1);
    assert_int_equal(weir_rules_read_files(scratch_path(s, "none"), arena, report, &told,
                                           &sources), WEIR_EIO);
    weir_arena_free(&arena);
    scratch_free(s);
}

static void make_socket(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(strlen(path) < sizeof(name.sun_path));
    memcpy(name.sun_path, path, strlen(path) + 1);
    assert_int_equal(bind(fd, (const struct sockaddr *)&name, sizeof(name)), 0);
    close(fd);
}

static void what_is_no_regular_file_is_refused_by_its_name_and_not_waited_for(void **state)
{
    (void)state;
    struct scratch *s = scratch_new();
    struct weir_arena *arena = weir_arena_new(4096);
    struct weir_rule_sources sources;
    struct lines told = {.errors = 0};
    write_text(s, "10.rules", "body A /a/\nscore A 1\n");
    assert_int_equal(mkfifo(scratch_path(s, "20.rules"), 0600), 0);
    assert_int_equal(mkdir(scratch_path(s, "30.rules"), 0700), 0);
    make_socket(scratch_path(s, "40.rules"));
    assert_int_equal(symlink("/dev/zero", scratch_path(s, "50.rules")), 0);
    assert_int_equal(symlink("10.rules", scratch_path(s, "60.rules")), 0);
    assert_int_equal(weir_rules_read_files(s->directory, arena, report, &told, &sources), 0);
    assert_int_equal(sources.errors, 4);
    assert_int_equal(sources.rules, 1);
    for (int i = 2; i <= 5; i++) {
        char want[60];
        snprintf(want, sizeof(want), "%d0.rules:0: it is no regular file\n", i);
        assert_non_null(strstr(told.text, want));
    }
    assert_int_equal(weir_rules_read_files(scratch_path(s, "20.rules"), arena, report, &told,
                                           &sources), 0);
    assert_int_equal(sources.errors, 1);
    rmdir(scratch_path(s, "30.rules"));
    weir_arena_free(&arena);
    scratch_free(s);
}

static const struct weir_rule_file_options checked = {.full = true};

static void the_starter_rules_are_in_order_and_none_condemns_alone(void **state)
{
    (void)state;
    struct weir_arena *arena = weir_arena_new(4096);
    struct weir_rule_sources sources;
    struct lines told = {.errors = 0};
    const struct weir_rules_options options = {.serial = 1};
    void *octets = NULL;
    size_t len;
    assert_int_equal(weir_rules_read_files("core/evidence/starter.rules", arena, report, &told,
                                           &sources), 0);
    assert_int_equal(weir_rules_build(&sources, &options, report, &told, &octets, &len), 0);
    assert_string_equal(told.text, "");
    for (size_t i = 0; i < sources.rules; i++) {
        const struct weir_rule_source *rule = &sources.rule[i];
        bool gtube = rule->id == 1, hidden = memcmp(rule->name.at, "__", 2) == 0;
        assert_true(hidden || (rule->id < 1000 && rule->description.len > 0));
        assert_true(gtube ? rule->score == 100 : rule->score <= 3.5f && rule->score >= -3.5f);
        assert_int_equal(!hidden && rule->score < 0, (rule->flags & WEIR_RULE_NICE) != 0);
    }
    free(octets);
    weir_arena_free(&arena);
}

static size_t rules_now(struct weir_rule_file *file, weir_time now)
{
    struct weir_matcher *matcher = weir_rule_file_take(file, now);
    size_t rules = matcher ? weir_rules_count(weir_matcher_rules(matcher)) : 0;
    if (matcher)
        weir_rule_file_give(file, &matcher);
    assert_null(matcher);
    return rules;
}

static void a_new_image_is_at_work_a_second_later(void **state)
{
    (void)state;
    struct scratch *s = scratch_new();
    struct lines lines = {.errors = 0};
    const struct weir_log log = {log_line, &lines, WEIR_LOG_DEBUG};
    const char *path = scratch_path(s, "rules.image"), *why = "";
    struct weir_rule_file *file = NULL;
    assert_int_equal(weir_rule_file_open(path, &checked, &log, &file, &why), 0);
    assert_int_equal(rules_now(file, 10 * WEIR_SECOND), 0); /* not there yet */
    write_image(path, "body A /a/\n");
    assert_int_equal(rules_now(file, 10 * WEIR_SECOND + 999999), 0);
    assert_int_equal(rules_now(file, 11 * WEIR_SECOND), 1);
    struct weir_matcher *old = weir_rule_file_take(file, 11 * WEIR_SECOND);
    write_image(path, "body A /a/\nbody B /b/\n");
    assert_int_equal(rules_now(file, 12 * WEIR_SECOND), 2);
    assert_int_equal(weir_rules_count(weir_matcher_rules(old)), 1); /* goes on with its own */
    assert_int_equal(weir_rule_file_compile(file, 12 * WEIR_SECOND), 0);
    weir_rule_file_give(file, &old);
    assert_int_equal(lines.errors, 0);
    assert_int_equal(remove(path), 0);
    assert_int_equal(rules_now(file, 14 * WEIR_SECOND), 2); /* gone is no new one */
    write_image(path, "body C /c/\n");
    assert_int_equal(rules_now(file, 3 * WEIR_SECOND), 1); /* a clock set back delays nothing */
    weir_rule_file_free(&file);
    scratch_free(s);
}

static void a_bad_new_image_keeps_the_old_rules_and_is_told_once(void **state)
{
    (void)state;
    struct scratch *s = scratch_new();
    struct lines lines = {.errors = 0};
    const struct weir_log log = {log_line, &lines, WEIR_LOG_DEBUG};
    const char *path = scratch_path(s, "rules.image"), *why = "";
    struct weir_rule_file *file = NULL;
    write_image(path, "body A /a/\n");
    assert_int_equal(weir_rule_file_open(path, &checked, &log, &file, &why), 0);
    assert_int_equal(weir_rules_write_image(path, "nonsense", 8), 0);
    for (weir_time second = 1; second < 6; second++)
        assert_int_equal(rules_now(file, second * WEIR_SECOND), 1);
    assert_int_equal(lines.errors, 1);
    assert_int_equal(weir_rules_write_image(path, "", 0), 0);
    assert_int_equal(rules_now(file, 7 * WEIR_SECOND), 1);
    assert_int_equal(lines.errors, 2);
    write_image(path, "body A /a/\nbody B /b/\n");
    assert_int_equal(rules_now(file, 9 * WEIR_SECOND), 2);
    assert_int_equal(lines.errors, 2);
    weir_rule_file_free(&file);
    assert_int_equal(weir_rules_write_image(path, "nonsense", 8), 0);
    assert_int_equal(weir_rule_file_open(path, &checked, &log, &file, &why), WEIR_ECORRUPT);
    assert_null(file);
    assert_non_null(strstr(why, "damaged"));
    scratch_free(s);
}

static void engine_hyperscan_is_used_or_its_lack_told_once(void **state)
{
    (void)state;
    struct scratch *s = scratch_new();
    struct lines lines = {.errors = 0};
    const struct weir_log log = {log_line, &lines, WEIR_LOG_WARNING};
    const struct weir_rule_file_options options = {.full = true, .hyperscan = true};
    const char *path = scratch_path(s, "rules.image"), *why = "";
    struct weir_rule_file *file = NULL;
    struct rules_rig *rig = rules_rig_new("body A /a/\n");
    int usable = weir_rules_use_hyperscan(rig->rules);
    assert_true(usable == 0 || usable == WEIR_EDOWN);
    assert_int_equal(weir_rules_use_hyperscan(rig->rules), usable);
    rules_rig_free(rig);
    write_image(path, "body A /a/\n");
    assert_int_equal(weir_rule_file_open(path, &options, &log, &file, &why), 0);
    assert_int_equal(rules_now(file, 1 * WEIR_SECOND), 1);
    write_image(path, "body A /a/\nbody B /b/\n");
    assert_int_equal(rules_now(file, 3 * WEIR_SECOND), 2);
    weir_rule_file_free(&file);
    if (usable == 0) {
        assert_string_equal(lines.text, "");
    } else {
        assert_non_null(strstr(lines.text, "hyperscan"));
        assert_ptr_equal(strchr(lines.text, '\n'), lines.text + strlen(lines.text) - 1);
    }
    scratch_free(s);
}

static void an_image_is_replaced_and_never_written_over(void **state)
{
    (void)state;
    struct scratch *s = scratch_new();
    const char *path = scratch_path(s, "rules.image");
    struct stat before, after;
    write_image(path, "body A /a/\n");
    assert_int_equal(stat(path, &before), 0);
    FILE *held = fopen(path, "r"); /* keeps its inode from being used again */
    write_image(path, "body B /b/\n");
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino != after.st_ino);
    assert_int_equal(after.st_mode & 0777, 0644);
    fclose(held);
    assert_int_equal(weir_rules_write_image(scratch_path(s, "no/such/folder"), "x", 1), WEIR_EIO);
    scratch_free(s);
}

/* Threads. ----------------------------------------------------------------------- */

enum { THREADS = 4, MAILS = 300 };

struct work {
    struct weir_rule_file *file;
    atomic_long *clock;
    unsigned wrong;
};

/* Every set there is hits A and not B. */
static void one_mail(struct work *work, struct weir_arena *arena, struct weir_charsets *charsets)
{
    static const char mail[] = "From: a@example.com\nSubject: x\n\nhello wonderful world\n";
    struct weir_message message;
    struct weir_content content;
    struct weir_rule_result result = {.hits = 0};
    weir_time now = atomic_fetch_add(work->clock, WEIR_SECOND / 8);
    struct weir_matcher *matcher = weir_rule_file_take(work->file, now);
    weir_arena_reset(arena, 1 << 20);
    if (!matcher || weir_message_parse(mail, sizeof(mail) - 1, arena, &message) < 0 ||
        weir_content_read(&message, charsets, arena, &content) < 0) {
        work->wrong++;
        return;
    }
    const struct weir_rule_input input = {.message = &message, .content = &content,
                                          .charsets = charsets};
    if (weir_rules_match(matcher, &input, 0, arena, &result) < 0 || result.hits != 2)
        work->wrong++;
    weir_rule_file_give(work->file, &matcher);
}

static void *work_through(void *context)
{
    struct work *work = context;
    struct weir_arena *arena = weir_arena_new(1 << 16);
    struct weir_charsets *charsets = NULL;
    if (!arena || weir_charsets_new(&charsets) < 0)
        work->wrong++;
    for (unsigned i = 0; work->wrong == 0 && i < MAILS; i++)
        one_mail(work, arena, charsets);
    weir_charsets_free(&charsets);
    weir_arena_free(&arena);
    return NULL;
}

static void threads_go_on_while_rules_change(void **state)
{
    (void)state;
    struct scratch *s = scratch_new();
    const char *path = scratch_path(s, "rules.image"), *why = "";
    struct weir_rule_file *file = NULL;
    atomic_long clock = 0;
    struct work work[THREADS];
    pthread_t thread[THREADS];
    write_image(path, "body A /wonder[a-z]+ world/\nmeta M A\nbody B /nothing[a-z]/\n");
    assert_int_equal(weir_rule_file_open(path, &checked, NULL, &file, &why), 0);
    for (size_t i = 0; i < THREADS; i++) {
        work[i] = (struct work){.file = file, .clock = &clock};
        assert_int_equal(pthread_create(&thread[i], NULL, work_through, &work[i]), 0);
    }
    for (unsigned i = 0; i < 20; i++) {
        write_image(path, i % 2 ? "body A /hello w[a-z]+/\nmeta M A > 0\nbody B /no[a-z]/\n"
                                : "meta M A\nbody A /\\bwo[a-z]+l world/\nbody B /nope/\n");
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(work[i].wrong, 0);
    }
    weir_rule_file_free(&file);
    scratch_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_files_of_a_folder_are_read_by_name),
        cmocka_unit_test(what_is_no_regular_file_is_refused_by_its_name_and_not_waited_for),
        cmocka_unit_test(the_starter_rules_are_in_order_and_none_condemns_alone),
        cmocka_unit_test(a_new_image_is_at_work_a_second_later),
        cmocka_unit_test(a_bad_new_image_keeps_the_old_rules_and_is_told_once),
        cmocka_unit_test(an_image_is_replaced_and_never_written_over),
        cmocka_unit_test(engine_hyperscan_is_used_or_its_lack_told_once),
        cmocka_unit_test(threads_go_on_while_rules_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* spool: lines reach the folder whole, whatever happens to processes, folder and disk
 * (spool_io.c, spool_folder_io.c), and people are told what lies there (spool_survey_io.c). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/store/spool_io.h"
#include "tests/unit/scratch.h"

#define NOW (1795000000 * WEIR_SECOND)

struct fixture {
    struct scratch *scratch;
    char folder[256];
    struct weir_spool_options options;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->scratch = scratch_new();
    strcpy(f->folder, scratch_path(f->scratch, "spool"));
    f->options = (struct weir_spool_options){.folder = f->folder, .name = "milter",
                                             .bytes_most = 1 << 20, .turn = WEIR_MINUTE};
    *state = f;
    return 0;
}

static void empty(const char *folder)
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[600];
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (dir)
        closedir(dir);
    rmdir(folder);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    empty(f->folder);
    scratch_free(f->scratch);
    free(f);
    return 0;
}

static struct weir_spool *open_spool(struct fixture *f)
{
    struct weir_spool *spool = NULL;
    assert_int_equal(weir_spool_open(&f->options, NULL, &spool), 0);
    return spool;
}

/* What is in the folder. ----------------------------------------------------- */

struct contents {
    size_t files, parts, lines, torn;
    uint64_t bytes, dropped;
    char last_name[300], first_line[WEIR_SPOOL_LINE_MAX + 10];
};

static void read_lines(const char *path, struct contents *c)
{
    static char line[WEIR_SPOOL_LINE_MAX + 10];
    FILE *file = fopen(path, "r");
    for (bool first = true; file && fgets(line, sizeof(line), file); first = false) {
        size_t len = strlen(line);
        c->lines++;
        c->torn += len == 0 || line[len - 1] != '\n';
        c->bytes += len;
        if (strncmp(line, "dropped=", 8) == 0) {
            c->dropped += strtoull(line + 8, NULL, 10);
            c->lines--;
        }
        if (first)
            strcpy(c->first_line, line);
    }
    if (file)
        fclose(file);
}

static struct contents contents(const struct fixture *f)
{
    struct contents c = {0};
    DIR *dir = opendir(f->folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[600];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", f->folder, entry->d_name);
        c.files++;
        c.parts += strstr(entry->d_name, ".part") != NULL;
        snprintf(c.last_name, sizeof(c.last_name), "%s", entry->d_name);
        read_lines(path, &c);
    }
    if (dir)
        closedir(dir);
    return c;
}

/* One process. --------------------------------------------------------------- */

static void a_file_is_named_when_it_is_closed(void **state)
{
    struct fixture *f = *state;
    char want[100];
    struct stat status;
    struct weir_spool *spool = open_spool(f);
    assert_int_equal(contents(f).files, 0);
    assert_int_equal(weir_spool_write(spool, NOW, "one"), 0);
    assert_int_equal(stat(f->folder, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0770);
    struct contents c = contents(f);
    assert_int_equal(c.files, 1);
    assert_int_equal(c.parts, 1);
    assert_string_equal(c.first_line, "one\n");
    weir_spool_free(&spool);
    assert_null(spool);
    weir_spool_free(&spool);
    c = contents(f);
    assert_int_equal(c.files, 1);
    snprintf(want, sizeof(want), "milter-1795000000-%ld.", (long)getpid());
    assert_memory_equal(c.last_name, want, strlen(want));
}

static void a_handle_that_writes_nothing_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct weir_spool *spool = open_spool(f);
    weir_spool_turn(spool, NOW);
    weir_spool_free(&spool);
    assert_int_equal(contents(f).files, 0);
}

static void a_file_is_turned_after_its_time(void **state)
{
    struct fixture *f = *state;
    struct weir_spool *spool = open_spool(f);
    weir_spool_write(spool, NOW, "one");
    weir_spool_turn(spool, NOW + WEIR_MINUTE - 1);
    weir_spool_write(spool, NOW + WEIR_MINUTE - 1, "two");
    assert_int_equal(contents(f).files, 1);
    weir_spool_turn(spool, NOW + WEIR_MINUTE);
    assert_int_equal(contents(f).parts, 0);
    weir_spool_write(spool, NOW + WEIR_MINUTE, "three");
    assert_int_equal(contents(f).parts, 1);
    weir_spool_write(spool, NOW + 2 * WEIR_MINUTE, "four");
    struct contents c = contents(f);
    assert_int_equal(c.files, 3);
    assert_int_equal(c.parts, 1);
    assert_int_equal(c.lines, 4);
    weir_spool_write(spool, NOW - WEIR_HOUR, "the clock was set back");
    assert_int_equal(contents(f).files, 4);
    weir_spool_free(&spool);
    assert_int_equal(contents(f).lines, 5);
}

static void no_file_takes_the_name_of_an_earlier_one(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 5; i++) {
        struct weir_spool *spool = open_spool(f), *other = open_spool(f);
        assert_int_equal(weir_spool_write(spool, NOW, "same second"), 0);
        assert_int_equal(weir_spool_write(other, NOW, "same second"), 0);
        weir_spool_free(&spool);
        weir_spool_free(&other);
    }
    assert_int_equal(contents(f).files, 10);
    assert_int_equal(contents(f).lines, 10);
}

static void long_lines_are_cut_and_line_ends_are_taken_out(void **state)
{
    struct fixture *f = *state;
    struct weir_spool *spool = open_spool(f);
    char line[WEIR_SPOOL_LINE_MAX + 2];
    memset(line, 'x', sizeof(line));
    line[WEIR_SPOOL_LINE_MAX] = '\0';
    assert_int_equal(weir_spool_write(spool, NOW, line), 0);
    assert_int_equal(contents(f).bytes, WEIR_SPOOL_LINE_MAX + 1);
    line[WEIR_SPOOL_LINE_MAX] = 'x';
    line[WEIR_SPOOL_LINE_MAX + 1] = '\0';
    assert_int_equal(weir_spool_write(spool, NOW, line), 0);
    assert_int_equal(contents(f).bytes, 2 * (WEIR_SPOOL_LINE_MAX + 1));
    assert_int_equal(weir_spool_write(spool, NOW, "a\nforged=line\r\n"), 0);
    assert_int_equal(contents(f).lines, 3);
    weir_spool_free(&spool);
}

static void names_and_paths_have_limits(void **state)
{
    struct fixture *f = *state;
    struct weir_spool *spool = NULL;
    char name[66], folder[600];
    memset(name, 'n', sizeof(name));
    memset(folder, '/', sizeof(folder));
    name[64] = folder[599] = '\0';
    f->options.name = name;
    assert_int_equal(weir_spool_open(&f->options, NULL, &spool), 0);
    weir_spool_free(&spool);
    name[64] = 'n';
    name[65] = '\0';
    assert_int_equal(weir_spool_open(&f->options, NULL, &spool), WEIR_ELIMIT);
    f->options.name = "a/b";
    assert_int_equal(weir_spool_open(&f->options, NULL, &spool), WEIR_ELIMIT);
    f->options.name = "";
    assert_int_equal(weir_spool_open(&f->options, NULL, &spool), WEIR_ELIMIT);
    f->options.name = "milter";
    f->options.folder = folder;
    assert_int_equal(weir_spool_open(&f->options, NULL, &spool), WEIR_ELIMIT);
}

/* No room. ------------------------------------------------------------------- */

static void the_folder_is_filled_to_the_limit_and_not_beyond(void **state)
{
    struct fixture *f = *state;
    f->options.bytes_most = 1000;
    struct weir_spool *spool = open_spool(f);
    char line[100];
    memset(line, 'x', 99);
    line[99] = '\0';
    for (int i = 0; i < 10; i++)
        assert_int_equal(weir_spool_write(spool, NOW + i, line), 0);
    assert_int_equal(weir_spool_write(spool, NOW + 10, ""), WEIR_EFULL);
    assert_int_equal(weir_spool_dropped(spool), 1);
    assert_int_equal(contents(f).bytes, 1000);
    weir_spool_free(&spool);

    f->options.bytes_most = 1001;
    spool = open_spool(f);
    assert_int_equal(weir_spool_write(spool, NOW, "x"), WEIR_EFULL);
    assert_int_equal(contents(f).bytes, 1000);
    weir_spool_free(&spool);
}

static void B15_dropped_lines_are_counted_and_told_first_when_there_is_room(void **state)
{
    struct fixture *f = *state;
    f->options.bytes_most = 100;
    struct weir_spool *spool = open_spool(f);
    char line[50];
    memset(line, 'x', 49);
    line[49] = '\0';
    weir_spool_write(spool, NOW, line);
    weir_spool_write(spool, NOW, line);
    weir_spool_turn(spool, NOW + WEIR_MINUTE);
    char path[600];
    snprintf(path, sizeof(path), "%s/%s", f->folder, contents(f).last_name);
    for (int i = 0; i < 7; i++)
        assert_int_equal(weir_spool_write(spool, NOW + WEIR_MINUTE, line), WEIR_EFULL);
    assert_int_equal(unlink(path), 0); /* the agent has shipped it */
    assert_int_equal(weir_spool_write(spool, NOW + WEIR_MINUTE + WEIR_SECOND, "again"), 0);
    struct contents c = contents(f);
    assert_string_equal(c.first_line, "dropped=7\n");
    assert_int_equal(c.lines, 1);
    assert_int_equal(weir_spool_dropped(spool), 7);
    weir_spool_write(spool, NOW + WEIR_MINUTE + WEIR_SECOND, "once more");
    assert_int_equal(contents(f).dropped, 7);
    weir_spool_free(&spool);
}

static void what_a_short_lived_process_dropped_the_next_one_tells(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        f->options.bytes_most = 0;
        struct weir_spool *spool = open_spool(f);
        assert_int_equal(weir_spool_write(spool, NOW, "lost"), WEIR_EFULL);
        assert_int_equal(weir_spool_write(spool, NOW, "lost"), WEIR_EFULL);
        weir_spool_free(&spool);
    }
    f->options.bytes_most = 1000;
    struct weir_spool *spool = open_spool(f);
    assert_int_equal(weir_spool_write(spool, NOW, "kept"), 0);
    weir_spool_free(&spool);
    assert_int_equal(contents(f).dropped, 6);
    assert_int_equal(contents(f).lines, 1);
}

static void a_survey_tells_of_files_and_dropped_lines_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct weir_spool_survey survey;
    assert_int_equal(weir_spool_survey(f->folder, &survey), 0);
    f->options.bytes_most = 0;
    struct weir_spool *spool = open_spool(f);
    assert_int_equal(weir_spool_write(spool, NOW, "lost"), WEIR_EFULL);
    weir_spool_free(&spool);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(weir_spool_survey(f->folder, &survey), 1);
        assert_int_equal(survey.dropped, 1);
    }
    f->options.bytes_most = 1000;
    spool = open_spool(f);
    assert_int_equal(weir_spool_write(spool, NOW, "kept dropped=5"), 0);
    assert_int_equal(weir_spool_survey(f->folder, &survey), 1);
    assert_int_equal(survey.dropped, 1);
    assert_int_equal(survey.files, 1);
    assert_int_equal(survey.bytes, contents(f).bytes);
    assert_int_equal(survey.unread, 0);
    weir_spool_free(&spool);
}

static void WEIR_SPOOL_SURVEY_MAX_octets_are_surveyed(void **state)
{
    struct fixture *f = *state;
    struct weir_spool_survey survey;
    char path[600];
    assert_int_equal(mkdir(f->folder, 0700), 0);
    snprintf(path, sizeof(path), "%s/x-1-1.log", f->folder);
    for (int more = 0; more <= 1; more++) { /* the line begins before the limit, or at it */
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        char lines[4096];
        memset(lines, 'x', sizeof(lines));
        lines[sizeof(lines) - 1] = '\n';
        for (unsigned i = 1; i < WEIR_SPOOL_SURVEY_MAX / sizeof(lines); i++)
            fwrite(lines, 1, sizeof(lines), file);
        fwrite(lines + !more, 1, sizeof(lines) - !more, file);
        fputs("dropped=7\n", file);
        fclose(file);
        assert_int_equal(weir_spool_survey(f->folder, &survey), 1);
        assert_int_equal(survey.dropped, more ? 0 : 7);
        assert_int_equal(survey.unread, 1);
        assert_int_equal(truncate(path, 0) | truncate(path, WEIR_SPOOL_SURVEY_MAX - !more), 0);
        assert_int_equal(weir_spool_survey(f->folder, &survey), 1);
        assert_int_equal(survey.unread, more); /* NULs count, too */
    }
}

static void a_full_disk_costs_whole_lines_only(void **state)
{
    struct fixture *f = *state;
    struct weir_spool *spool = open_spool(f);
    struct rlimit before, small;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){.rlim_cur = 25, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    int first = weir_spool_write(spool, NOW, "ten octets");
    int second = weir_spool_write(spool, NOW, "ten octets");
    int third = weir_spool_write(spool, NOW, "ten octets"); /* 3 octets of it would fit */
    int fourth = weir_spool_write(spool, NOW, "ten octets");
    setrlimit(RLIMIT_FSIZE, &before);
    assert_true(first == 0 && second == 0 && third == WEIR_EIO && fourth == WEIR_EIO);
    assert_int_equal(contents(f).bytes, 22);
    assert_int_equal(contents(f).torn, 0);
    assert_int_equal(weir_spool_write(spool, NOW, "room again"), 0);
    struct contents c = contents(f);
    assert_int_equal(c.lines, 3);
    assert_int_equal(c.dropped, 2);
    weir_spool_free(&spool);
}

static void a_folder_that_vanishes_and_comes_back_is_written_to_again(void **state)
{
    struct fixture *f = *state;
    struct weir_spool *spool = open_spool(f);
    char away[300];
    assert_int_equal(weir_spool_write(spool, NOW, "one"), 0);
    empty(f->folder);
    assert_int_equal(weir_spool_write(spool, NOW + 1, "two"), 0);
    assert_string_equal(contents(f).first_line, "two\n");

    snprintf(away, sizeof(away), "%s.away", f->folder);
    assert_int_equal(rename(f->folder, away), 0);
    assert_int_equal(weir_spool_write(spool, NOW + 2 * WEIR_SECOND, "three"), 0);
    assert_string_equal(contents(f).first_line, "three\n");
    empty(away);

    empty(f->folder);
    FILE *file = fopen(f->folder, "w"); /* something else stands there now */
    fclose(file);
    assert_int_equal(weir_spool_write(spool, NOW + 3 * WEIR_SECOND, "lost"), WEIR_EIO);
    unlink(f->folder);
    assert_int_equal(weir_spool_write(spool, NOW + 3 * WEIR_SECOND, "four"), 0);
    assert_int_equal(contents(f).dropped, 1);
    weir_spool_free(&spool);
}

struct told { unsigned lines; char last[WEIR_LOG_LINE_MAX + 1]; };

static void remember(void *context, enum weir_log_level level, const char *line)
{
    struct told *told = context;
    (void)level;
    told->lines++;
    snprintf(told->last, sizeof(told->last), "%s", line);
}

static void dropping_is_logged_once_a_minute(void **state)
{
    struct fixture *f = *state;
    struct told told = {0};
    struct weir_log log = {.write = remember, .context = &told, .most = WEIR_LOG_DEBUG};
    struct weir_spool *spool = NULL;
    f->options.bytes_most = 3;
    assert_int_equal(weir_spool_open(&f->options, &log, &spool), 0);
    for (int second = 0; second < 120; second++)
        weir_spool_write(spool, NOW + second * WEIR_SECOND, "lost");
    assert_int_equal(told.lines, 2);
    assert_non_null(strstr(told.last, "(61 so far): it is full"));
    weir_spool_free(&spool);
}

/* Several processes. --------------------------------------------------------- */

/* Runs a process that writes count lines at times a millisecond apart, and ends as told. */
static pid_t writer(struct fixture *f, int number, int count, int ending)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    struct weir_spool *spool = open_spool(f);
    char line[600];
    for (int i = 0; i < count; i++) {
        int len = snprintf(line, sizeof(line), "writer=%d line=%d ", number, i);
        memset(line + len, 'a' + number, (size_t)(i % 500));
        line[len + i % 500] = '\0';
        if (weir_spool_write(spool, NOW + i * (WEIR_SECOND / 1000), line) != 0)
            _exit(1);
    }
    if (ending == SIGKILL)
        kill(getpid(), SIGKILL);
    if (ending == 0)
        weir_spool_free(&spool);
    _exit(0);
}

static void wait_for(int children)
{
    for (int i = 0; i < children; i++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    }
}

static void B15_lines_of_many_processes_are_whole_and_all_there(void **state)
{
    struct fixture *f = *state;
    f->options.bytes_most = 64 << 20;
    for (int leave = 0; leave < 2; leave++) {
        f->options.leave = leave;
        for (int number = 0; number < 6; number++)
            writer(f, number, 2000, 0);
        wait_for(6);
    }
    struct contents c = contents(f);
    assert_int_equal(c.lines, 2 * 6 * 2000);
    assert_int_equal(c.torn, 0);
}

static void B15_what_a_killed_process_wrote_is_there_and_gets_its_name(void **state)
{
    struct fixture *f = *state;
    for (int number = 0; number < 3; number++)
        writer(f, number, 500, SIGKILL);
    wait_for(3);
    assert_int_equal(contents(f).lines, 1500);
    assert_int_equal(contents(f).parts, contents(f).files);

    struct weir_spool *spool = open_spool(f); /* young: one of them is gone on with */
    size_t files = contents(f).files;
    assert_int_equal(weir_spool_write(spool, NOW + WEIR_SECOND, "next"), 0);
    assert_int_equal(contents(f).files, files);
    weir_spool_free(&spool);

    spool = open_spool(f); /* old: the others are renamed */
    assert_int_equal(weir_spool_write(spool, NOW + WEIR_HOUR, "later"), 0);
    assert_int_equal(contents(f).parts, 1);
    assert_int_equal(contents(f).files, files + 1);
    assert_int_equal(contents(f).lines, 1502);
    weir_spool_free(&spool);
}

static void short_lived_processes_share_a_file_a_minute(void **state)
{
    struct fixture *f = *state;
    f->options.leave = true;
    for (int number = 0; number < 50; number++) {
        writer(f, number % 20, 3, 0);
        wait_for(1);
    }
    assert_int_equal(contents(f).files, 1);
    assert_int_equal(contents(f).lines, 150);
    assert_int_equal(weir_spool_sweep(f->folder, NOW + WEIR_MINUTE - 1, WEIR_MINUTE), 0);
    assert_int_equal(contents(f).parts, 1);
    assert_int_equal(weir_spool_sweep(f->folder, NOW + WEIR_MINUTE, WEIR_MINUTE), 0);
    assert_int_equal(contents(f).parts, 0);
    assert_int_equal(contents(f).files, 1);
}

static void a_file_that_is_being_written_is_nobody_elses(void **state)
{
    struct fixture *f = *state;
    struct weir_spool *spool = open_spool(f), *other = open_spool(f);
    weir_spool_write(spool, NOW, "mine");
    weir_spool_write(other, NOW, "other");
    weir_spool_sweep(f->folder, NOW + WEIR_HOUR, WEIR_MINUTE);
    assert_int_equal(contents(f).parts, 2);
    f->options.name = "exim"; /* files of another name are not gone on with */
    weir_spool_free(&other);
    pid_t pid = writer(f, 0, 1, SIGKILL);
    assert_true(pid > 0);
    wait_for(1);
    f->options.name = "ex";
    other = open_spool(f);
    weir_spool_write(other, NOW, "x");
    assert_int_equal(contents(f).parts, 3);
    weir_spool_free(&other);
    weir_spool_free(&spool);
}

static void a_torn_last_line_is_cut_when_a_file_is_taken_over(void **state)
{
    struct fixture *f = *state;
    char path[600];
    f->options.leave = true;
    struct weir_spool *spool = open_spool(f);
    weir_spool_write(spool, NOW, "whole");
    weir_spool_write(spool, NOW, "never seen");
    weir_spool_free(&spool);
    snprintf(path, sizeof(path), "%s/%s", f->folder, contents(f).last_name);
    assert_int_equal(truncate(path, strlen("whole\nne")), 0);
    spool = open_spool(f);
    assert_int_equal(weir_spool_write(spool, NOW, "next"), 0);
    weir_spool_free(&spool);
    assert_int_equal(contents(f).files, 1);
    assert_int_equal(contents(f).lines, 2);
    assert_int_equal(contents(f).bytes, strlen("whole\nnext\n"));
}

static void other_files_in_the_folder_are_left_alone(void **state)
{
    static const char *const name[] = {"README", "milter-x-1.log.part", "-1-1.log.part",
                                       "1.log.part", "milter-99999999999999999999-1.log.part"};
    struct fixture *f = *state;
    char path[600];
    mkdir(f->folder, 0770);
    for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++) {
        snprintf(path, sizeof(path), "%s/%s", f->folder, name[i]);
        FILE *file = fopen(path, "w");
        fputs("text\n", file);
        fclose(file);
    }
    struct weir_spool *spool = open_spool(f);
    assert_int_equal(weir_spool_write(spool, NOW, "mine"), 0);
    weir_spool_free(&spool);
    assert_int_equal(weir_spool_sweep(f->folder, NOW + WEIR_DAY, WEIR_MINUTE), 0);
    for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++) {
        snprintf(path, sizeof(path), "%s/%s", f->folder, name[i]);
        assert_int_equal(access(path, F_OK), 0);
    }
    assert_int_equal(weir_spool_sweep("/nowhere/at/all", NOW, WEIR_MINUTE), WEIR_EIO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_named_when_it_is_closed),
        TEST(a_handle_that_writes_nothing_leaves_nothing),
        TEST(a_file_is_turned_after_its_time),
        TEST(no_file_takes_the_name_of_an_earlier_one),
        TEST(long_lines_are_cut_and_line_ends_are_taken_out),
        TEST(names_and_paths_have_limits),
        TEST(the_folder_is_filled_to_the_limit_and_not_beyond),
        TEST(B15_dropped_lines_are_counted_and_told_first_when_there_is_room),
        TEST(what_a_short_lived_process_dropped_the_next_one_tells),
        TEST(a_survey_tells_of_files_and_dropped_lines_and_changes_nothing),
        TEST(WEIR_SPOOL_SURVEY_MAX_octets_are_surveyed),
        TEST(a_full_disk_costs_whole_lines_only),
        TEST(a_folder_that_vanishes_and_comes_back_is_written_to_again),
        TEST(dropping_is_logged_once_a_minute),
        TEST(B15_lines_of_many_processes_are_whole_and_all_there),
        TEST(B15_what_a_killed_process_wrote_is_there_and_gets_its_name),
        TEST(short_lived_processes_share_a_file_a_minute),
        TEST(a_file_that_is_being_written_is_nobody_elses),
        TEST(a_torn_last_line_is_cut_when_a_file_is_taken_over),
        TEST(other_files_in_the_folder_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

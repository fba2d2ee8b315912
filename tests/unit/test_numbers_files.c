/* numbers - the files: handles that share one, and whatever can be done to it. */
#include "tests/unit/numbers_rig.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/limits.h"

#define CROWD 8

/* files ---------------------------------------------------------------------------------------- */

static void handles_and_restarts_go_on_with_one_file(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers_copy copy;
    struct weir_numbers *one, *other;
    struct stat file;

    assert_int_equal(weir_numbers_read(&rig->config, WEIR_NUMBERS_MILTER, &copy), 0);
    assert_null(copy.area);
    one = opened(rig, true);
    other = opened(rig, false);
    assert_int_equal(stat(rig->path, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0640);
    assert_int_equal(stat(rig->numbers, &file), 0);
    assert_int_equal(file.st_mode & 07777, 01770);
    weir_numbers_add(one, WEIR_NUMBER_UNJUDGED, 0, 2);
    weir_numbers_add(other, WEIR_NUMBER_UNJUDGED, 0, 3);
    assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, true), 0);
    weir_numbers_give(one); /* its second is not over */
    weir_numbers_give(other);
    assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, true), 3);
    given(rig, one);
    assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, true), 5);
    given(rig, one);
    weir_numbers_close(&one);
    assert_null(one);
    assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, false), 5);
    weir_numbers_close(&other);
    one = opened(rig, true);
    weir_numbers_add(one, WEIR_NUMBER_UNJUDGED, 0, 1);
    weir_numbers_close(&one);
    assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, false), 6);
    assert_int_equal(rig->warnings, 0);
}

static void one_that_is_killed_is_not_up(void **state)
{
    struct rig *rig = *state;
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        struct weir_numbers *numbers = opened(rig, true);

        weir_numbers_add(numbers, WEIR_NUMBER_UNJUDGED, 0, 7);
        given(rig, numbers);
        weir_numbers_add(numbers, WEIR_NUMBER_UNJUDGED, 0, 1); /* of the last second */
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, false), 7);
}

/* Adds one, and is gone. */
static void add_one(struct rig *rig)
{
    struct weir_numbers *numbers = opened(rig, false);

    weir_numbers_add(numbers, WEIR_NUMBER_UNJUDGED, 0, 1);
    weir_numbers_close(&numbers);
}

/* The same, however long the others add. */
static void add_one_for_sure(struct rig *rig)
{
    struct weir_numbers *numbers = opened(rig, false);

    weir_numbers_add(numbers, WEIR_NUMBER_UNJUDGED, 0, 1);
    while (!weir_numbers_give(numbers))
        ;
    weir_numbers_close(&numbers);
}

/* Octets at a place of the file. */
static void write_at(const struct rig *rig, long place, const char *octets, size_t len)
{
    FILE *file = fopen(rig->path, "r+");

    assert_non_null(file);
    assert_int_equal(fseek(file, place, SEEK_SET), 0);
    assert_int_equal(fwrite(octets, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* All begin at once, with what is there: each makes a file, or finds that of another one. */
static void let_a_crowd_add(struct rig *rig)
{
    int gate[2], status;
    pid_t child[CROWD];

    assert_int_equal(pipe(gate), 0);
    for (unsigned i = 0; i < CROWD; i++) {
        child[i] = fork();
        assert_true(child[i] >= 0);
        if (child[i] == 0) {
            close(gate[1]);
            (void)!read(gate[0], &status, 1); /* until it is closed */
            add_one_for_sure(rig);
            _exit(0);
        }
    }
    close(gate[0]);
    close(gate[1]);
    for (unsigned i = 0; i < CROWD; i++)
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
    assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, false), CROWD);
}

static void processes_that_begin_together_count_in_one_file(void **state)
{
    struct rig *rig = *state;

    for (unsigned round = 0; round < 20; round++) {
        let_a_crowd_add(rig);
        assert_int_equal(unlink(rig->path), 0);
    }
}

static void a_file_of_another_version_is_replaced_not_misread(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *numbers;
    struct weir_numbers_copy copy;
    const long layout = offsetof(struct weir_numbers_area, layout);

    for (unsigned i = 0; i < 4; i++) {
        add_one(rig);
        if (i == 0)
            write_at(rig, 0, "x", 1);
        else if (i == 1)
            write_at(rig, layout, "\xff\xff\xff\xff", 4);
        else
            assert_int_equal(truncate(rig->path, sizeof(struct weir_numbers_area) + 5 - 2 * i), 0);
        assert_int_equal(weir_numbers_read(&rig->config, WEIR_NUMBERS_MILTER, &copy),
                         WEIR_ECORRUPT);
        assert_int_equal(copy.error, WEIR_ECORRUPT);
        numbers = opened(rig, true);
        assert_int_equal(rig->warnings, i + 1);
        assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, true), 0);
        weir_numbers_close(&numbers);
    }
}

/* After an update: each finds the old file, and one of them replaces it. */
static void processes_that_replace_it_together_count_in_one_file(void **state)
{
    struct rig *rig = *state;

    for (unsigned round = 0; round < 40; round++) {
        add_one(rig);
        if (round % 2)
            write_at(rig, offsetof(struct weir_numbers_area, layout), "\xff\xff\xff\xff", 4);
        else
            assert_int_equal(truncate(rig->path, sizeof(struct weir_numbers_area) - 8), 0);
        let_a_crowd_add(rig);
        assert_int_equal(unlink(rig->path), 0);
    }
}

/* breaking a file ------------------------------------------------------------------------------ */

static void cut_to_nothing(const struct rig *rig)
{
    assert_int_equal(truncate(rig->path, 0), 0);
}

static void cut_short(const struct rig *rig)
{
    assert_int_equal(truncate(rig->path, sizeof(struct weir_numbers_area) - 1), 0);
}

static void make_longer(const struct rig *rig)
{
    assert_int_equal(truncate(rig->path, sizeof(struct weir_numbers_area) + 1), 0);
}

static void make_huge(const struct rig *rig)
{
    assert_int_equal(truncate(rig->path, (off_t)1 << 40), 0);
}

static void take_away(const struct rig *rig)
{
    assert_int_equal(unlink(rig->path), 0);
}

static void make_link(const struct rig *rig)
{
    take_away(rig);
    assert_int_equal(symlink("../elsewhere", rig->path), 0);
    assert_int_equal(close(open(rig->elsewhere, O_CREAT | O_WRONLY, 0600)), 0);
}

static void make_folder(const struct rig *rig)
{
    take_away(rig);
    assert_int_equal(mkdir(rig->path, 0700), 0);
}

static void make_pipe(const struct rig *rig)
{
    take_away(rig);
    assert_int_equal(mkfifo(rig->path, 0600), 0);
}

static void give_it_another_name(const struct rig *rig)
{
    assert_int_equal(link(rig->path, rig->elsewhere), 0);
}

static void take_the_folder_away(const struct rig *rig)
{
    take_away(rig);
    assert_int_equal(rmdir(rig->numbers), 0);
}

static void write_rubbish(const struct rig *rig)
{
    write_at(rig, offsetof(struct weir_numbers_area, slot), "rubbish, rubbish, rubbish", 24);
}

static void change_the_version(const struct rig *rig)
{
    write_at(rig, offsetof(struct weir_numbers_area, layout), "\xff\xff\xff\xff", 4);
}

static void give_it_away(const struct rig *rig)
{
    if (geteuid() == 0)
        assert_int_equal(chown(rig->path, 12345, 12345), 0);
    else
        take_away(rig);
}

typedef void breaking(const struct rig *rig);
static breaking *const breakings[] = {
    cut_to_nothing, cut_short, make_longer, make_huge, take_away, make_link, make_folder,
    make_pipe, give_it_another_name, take_the_folder_away, write_rubbish, change_the_version,
    give_it_away};
#define BREAKINGS (sizeof breakings / sizeof breakings[0])

static void whatever_is_done_to_a_file_a_daemon_counts_on(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *numbers = opened(rig, true);
    struct stat there;

    for (unsigned i = 0; i < BREAKINGS; i++) {
        uint64_t sum = 2 * i + 1;

        weir_numbers_add(numbers, WEIR_NUMBER_UNJUDGED, 0, 1);
        given(rig, numbers);
        breakings[i](rig);
        weir_numbers_add(numbers, WEIR_NUMBER_UNJUDGED, 0, 1);
        rig->hand += WEIR_HOUR; /* each is told */
        given(rig, numbers);
        if (rig->warnings != i + 1 || found(rig, WEIR_NUMBER_UNJUDGED, 0, true) != sum + 1)
            fail_msg("breaking %u: %u warnings", i, rig->warnings);
        assert_int_equal(lstat(rig->path, &there), 0);
        assert_true(S_ISREG(there.st_mode) && there.st_uid == geteuid());
        assert_int_equal(there.st_mode & 07777, 0640);
        if (stat(rig->elsewhere, &there) == 0)
            assert_int_equal(unlink(rig->elsewhere), 0);
    }
    weir_numbers_close(&numbers);
    assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, false), 2 * BREAKINGS);
}

static void whatever_is_done_to_a_file_the_next_process_counts(void **state)
{
    struct rig *rig = *state;

    for (unsigned i = 0; i < BREAKINGS; i++) {
        add_one(rig);
        breakings[i](rig);
        add_one(rig);
        add_one(rig);
        if (found(rig, WEIR_NUMBER_UNJUDGED, 0, false) != 2)
            fail_msg("breaking %u", i);
        (void)unlink(rig->elsewhere);
        take_away(rig);
    }
    assert_int_equal(rig->warnings, 0);
}

static void a_link_is_not_followed(void **state)
{
    struct rig *rig = *state;
    struct stat there;

    add_one(rig);
    make_link(rig);
    add_one(rig);
    assert_int_equal(stat(rig->elsewhere, &there), 0);
    assert_int_equal(there.st_size, 0);
}

/* Told once, and again when it is well. */
static void what_cannot_be_replaced_stays(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *numbers = opened(rig, true);
    char inside[sizeof rig->path + 8];

    make_folder(rig);
    snprintf(inside, sizeof inside, "%s/inside", rig->path);
    assert_int_equal(mkdir(inside, 0700), 0);
    for (unsigned i = 0; i < 5; i++) {
        weir_numbers_add(numbers, WEIR_NUMBER_UNJUDGED, 0, 1);
        given(rig, numbers);
    }
    assert_int_equal(rig->warnings, 1);
    assert_int_equal(rig->told, 0);
    assert_int_equal(rmdir(inside), 0);
    given(rig, numbers);
    given(rig, numbers);
    assert_int_equal(rig->told, 1);
    assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, true), 5);
    weir_numbers_close(&numbers);
}

/* However often the file was made anew, and however often that it cannot be came and went. */
static void what_was_told_last_is_how_it_is(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *numbers = opened(rig, true);
    char inside[sizeof rig->path + 8];
    unsigned lines;

    snprintf(inside, sizeof inside, "%s/inside", rig->path);
    for (unsigned i = 0; i < 2 * WEIR_LOG_BURST; i++) {
        take_away(rig);
        given(rig, numbers);
    }
    assert_int_equal(rig->warnings, WEIR_LOG_BURST);
    for (unsigned i = 0; i < 2 * WEIR_LOG_BURST; i++) {
        lines = rig->warnings;
        make_folder(rig);
        assert_int_equal(mkdir(inside, 0700), 0);
        given(rig, numbers);
        if (i == 0)
            assert_int_equal(rig->warnings, lines + 1);
        assert_int_equal(rmdir(inside), 0);
        given(rig, numbers);
    }
    assert_in_range(rig->told + rig->warnings, 2 * WEIR_LOG_BURST, 2 * WEIR_LOG_BURST + 2);
    make_folder(rig);
    assert_int_equal(mkdir(inside, 0700), 0);
    lines = rig->told + rig->warnings;
    for (unsigned i = 0; i < 61; i++)
        given(rig, numbers);
    assert_true(strstr(rig->last, "nobody can ask") != NULL);
    assert_in_range(rig->told + rig->warnings, lines, lines + 2);
    weir_numbers_close(&numbers);
}

/* A daemon that is locked out, and cannot make another file. */
static void who_cannot_replace_what_is_locked_says_so(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *numbers = opened(rig, true);
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 1};
    int fd = open(rig->path, O_RDONLY);
    char beside[sizeof rig->path + 24];

    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
    snprintf(beside, sizeof beside, "%s.%ld", rig->path, (long)getpid());
    assert_int_equal(mkdir(beside, 0700), 0);
    given(rig, numbers);
    assert_int_equal(rig->warnings, 0);
    rig->hand += WEIR_NUMBERS_PATIENCE;
    given(rig, numbers);
    given(rig, numbers);
    assert_int_equal(rig->warnings, 1);
    assert_non_null(strstr(rig->last, "nobody can ask"));
    assert_int_equal(rmdir(beside), 0);
    given(rig, numbers);
    assert_non_null(strstr(rig->last, "again"));
    close(fd);
    weir_numbers_close(&numbers);
}

/* Two of one name at once; who gave last finds the file gone, and has all of it. */
static void daemons_of_one_name_are_added_up(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *one = opened(rig, true), *other = opened(rig, true);

    for (unsigned i = 0; i < 10; i++) {
        weir_numbers_add(one, WEIR_NUMBER_UNJUDGED, 0, 1);
        judged(one, 77, 1);
        weir_numbers_add(other, WEIR_NUMBER_UNJUDGED, 0, 10);
        judged(other, 76, 2);
        given(rig, i % 3 ? one : other);
        given(rig, i % 2 ? one : other);
        if (i == 1)
            take_away(rig);
    }
    weir_numbers_close(&one);
    weir_numbers_close(&other);
    assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, false), 110);
    assert_int_equal(hits_of(rig, 77), 20);
    assert_int_equal(hits_of(rig, 76), 10);
}

/* A lock of our own making, by what may only read. */
static void who_holds_the_lock_keeps_nobody_waiting(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *numbers = opened(rig, true);
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 1};
    int fd = open(rig->path, O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
    add_one(rig); /* is lost */
    weir_numbers_add(numbers, WEIR_NUMBER_UNJUDGED, 0, 2);
    given(rig, numbers);
    rig->hand += WEIR_NUMBERS_PATIENCE - 1 - WEIR_SECOND;
    given(rig, numbers);
    assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, true), 0);
    assert_int_equal(rig->warnings, 0);
    given(rig, numbers);
    assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, true), 2);
    assert_int_equal(rig->warnings, 1);
    close(fd);
    weir_numbers_close(&numbers);
}

/* A full disk: a file system of our own, which only root can make. */
static void a_full_disk_is_waited_for(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers *numbers;
    int fd;

    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", rig->folder, "tmpfs", 0, "size=64k") != 0)
        skip();
    fd = open(rig->elsewhere, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    assert_int_not_equal(posix_fallocate(fd, 0, 1 << 20), 0);
    (void)!ftruncate(fd, 0);
    assert_int_equal(posix_fallocate(fd, 0, 48 << 10), 0);
    numbers = opened(rig, true);
    assert_int_equal(rig->warnings, 1);
    for (unsigned i = 0; i < 5; i++) {
        weir_numbers_add(numbers, WEIR_NUMBER_UNJUDGED, 0, 1);
        given(rig, numbers);
    }
    assert_int_equal(rig->warnings, 1);
    close(fd);
    assert_int_equal(unlink(rig->elsewhere), 0);
    given(rig, numbers);
    assert_int_equal(rig->told, 1);
    assert_int_equal(found(rig, WEIR_NUMBER_UNJUDGED, 0, true), 5);
    weir_numbers_close(&numbers);
    assert_int_equal(umount2(rig->folder, MNT_DETACH), 0);
}

static void no_folder_no_trouble(void **state)
{
    struct rig *rig = *state;
    struct weir_numbers_copy copy;
    struct weir_numbers *numbers;

    rig->config.numbers_folder = "";
    numbers = opened(rig, true);
    weir_numbers_add(numbers, WEIR_NUMBER_UNJUDGED, 0, 1);
    weir_numbers_close(&numbers);
    assert_int_equal(rig->warnings, 0);
    assert_int_equal(weir_numbers_read(&rig->config, WEIR_NUMBERS_MILTER, &copy), 0);
    rig->config.numbers_folder = "/dev/null/numbers";
    numbers = opened(rig, true);
    weir_numbers_add(numbers, WEIR_NUMBER_UNJUDGED, 0, 1);
    weir_numbers_close(&numbers);
    assert_int_equal(rig->warnings, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(handles_and_restarts_go_on_with_one_file, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_is_killed_is_not_up, setup, teardown),
        cmocka_unit_test_setup_teardown(processes_that_begin_together_count_in_one_file, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(processes_that_replace_it_together_count_in_one_file, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_of_another_version_is_replaced_not_misread, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(whatever_is_done_to_a_file_a_daemon_counts_on, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(whatever_is_done_to_a_file_the_next_process_counts, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_link_is_not_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_replaced_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_told_last_is_how_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(who_cannot_replace_what_is_locked_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(daemons_of_one_name_are_added_up, setup, teardown),
        cmocka_unit_test_setup_teardown(who_holds_the_lock_keeps_nobody_waiting, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_is_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(no_folder_no_trouble, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

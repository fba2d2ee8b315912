/*
 * ask_daemon_io - a daemon that answers, and all the ways in which one does not.
 * Also of exim_decide_io and exim_process_io: whoever decides, there is a decision.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/error.h"
#include "exim-module/ask_daemon_io.h"
#include "exim-module/exim_decide_io.h"
#include "tests/unit/scratch.h"

#define GOOD "weir-outcome 1\nverdict=spam\naction=reject\nscore=7.5\nreply=550 no\n\n"

/* A daemon that takes one connection, reads so many octets, says something, and hangs up, or, with
 * silent, keeps the connection open and says nothing more. */
struct fake {
    struct scratch *scratch;
    char address[300];
    int listener, connection;
    size_t reads;
    const char *says;
    size_t piece;
    bool silent;
    pthread_t thread;
};

static struct weir_arena *arena;
static struct fake fake;

static void *serve(void *context)
{
    char octets[4096];
    size_t len = strlen(fake.says);

    (void)context;
    fake.connection = accept(fake.listener, NULL, NULL);
    for (size_t got = 0; got < fake.reads;) {
        ssize_t more = read(fake.connection, octets, sizeof octets);

        if (more <= 0)
            break;
        got += (size_t)more;
    }
    for (size_t at = 0; at < len; at += fake.piece) {
        size_t n = fake.piece < len - at ? fake.piece : len - at;

        if (send(fake.connection, fake.says + at, n, MSG_NOSIGNAL) < 0)
            break;
    }
    if (!fake.silent)
        shutdown(fake.connection, SHUT_RDWR);
    return NULL;
}

static int set_up(void **state)
{
    struct sockaddr_un place = {.sun_family = AF_UNIX};

    (void)state;
    arena = weir_arena_new(4096);
    fake = (struct fake){.scratch = scratch_new(), .connection = -1, .reads = 1, .says = GOOD,
                         .piece = 4096};
    snprintf(fake.address, sizeof fake.address, "unix:%s", scratch_path(fake.scratch, "socket"));
    snprintf(place.sun_path, sizeof place.sun_path, "%.100s", fake.scratch->path);
    fake.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return bind(fake.listener, (struct sockaddr *)&place, sizeof place) == 0 &&
           listen(fake.listener, 1) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    if (fake.connection >= 0)
        close(fake.connection);
    close(fake.listener);
    scratch_free(fake.scratch);
    weir_arena_free(&arena);
    return 0;
}

static int ask(const char *address, struct weir_slice message, weir_time wait,
               struct weir_outcome *outcome_r, const char **why_r)
{
    const struct weir_clock steady = weir_clock_steady();
    const struct weir_mail mail = {.envelope = {.stage = WEIR_STAGE_END}, .message = message};

    return weir_ask_daemon(address, &mail, weir_clock_now(&steady) + wait, arena, outcome_r,
                           why_r);
}

static int ask_fake(struct weir_slice message, weir_time wait, struct weir_outcome *outcome_r,
                    const char **why_r)
{
    int done;

    assert_int_equal(pthread_create(&fake.thread, NULL, serve, NULL), 0);
    done = ask(fake.address, message, wait, outcome_r, why_r);
    pthread_join(fake.thread, NULL);
    return done;
}

static void an_answer_is_read_however_it_comes(void **state)
{
    struct weir_outcome outcome;
    const char *why;

    (void)state;
    for (fake.piece = 1; fake.piece < 100; fake.piece += 33) {
        assert_int_equal(ask_fake((struct weir_slice){"x", 1}, 5 * WEIR_SECOND, &outcome, &why),
                         0);
        assert_int_equal(outcome.action, WEIR_REJECT);
        assert_string_equal(outcome.reply, "550 no");
        close(fake.connection);
    }
}

static void a_large_message_is_sent_whole(void **state)
{
    size_t size = 5u << 20;
    char *octets = calloc(size, 1);
    struct weir_outcome outcome;
    const char *why;

    (void)state;
    fake.reads = size;
    assert_int_equal(ask_fake((struct weir_slice){octets, size}, 20 * WEIR_SECOND, &outcome, &why),
                     0);
    free(octets);
}

static void whoever_is_not_there_is_not_waited_for(void **state)
{
    static const char *const address[] = {"unix:/nonexistent/weir.sock", "inet:127.0.0.1:1",
                                          "nonsense", ""};
    struct weir_outcome outcome;
    const char *why;

    (void)state;
    for (size_t i = 0; i < sizeof address / sizeof address[0]; i++) {
        why = NULL;
        assert_int_equal(ask(address[i], (struct weir_slice){"x", 1}, WEIR_SECOND, &outcome, &why),
                         WEIR_EDOWN);
        assert_non_null(why);
        assert_true(why[0] != '\0');
    }
}

static void what_is_no_answer_is_none(void **state)
{
    static const struct {
        const char *says;
        int want;
    } table[] = {
        {"", WEIR_EDOWN},
        {"weir-outcome 1\nverdict=sp", WEIR_EDOWN}, /* and hangs up */
        {"action=DUNNO\n\n", WEIR_EINVAL},
        {"weir-outcome 1\n\n", WEIR_EINVAL},
    };
    struct weir_outcome outcome;
    const char *why;

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        fake.says = table[i].says;
        assert_int_equal(ask_fake((struct weir_slice){"x", 1}, 5 * WEIR_SECOND, &outcome, &why),
                         table[i].want);
        close(fake.connection);
    }
}

static void a_silent_daemon_is_left_at_the_deadline(void **state)
{
    const struct weir_clock steady = weir_clock_steady();
    weir_time began = weir_clock_now(&steady);
    struct weir_outcome outcome;
    const char *why;

    (void)state;
    fake.says = "";
    fake.silent = true;
    assert_int_equal(ask_fake((struct weir_slice){"x", 1}, WEIR_SECOND / 20, &outcome, &why),
                     WEIR_EDOWN);
    assert_true(weir_clock_now(&steady) - began >= WEIR_SECOND / 20);
}

static void a_daemon_that_does_not_read_is_left_at_the_deadline(void **state)
{
    size_t size = 5u << 20;
    char *octets = calloc(size, 1);
    struct weir_outcome outcome;
    const char *why;

    (void)state;
    fake.says = "";
    fake.silent = true;
    assert_int_equal(ask_fake((struct weir_slice){octets, size}, WEIR_SECOND / 20, &outcome, &why),
                     WEIR_EDOWN);
    free(octets);
}

/* the decision around it --------------------------------------------------- */

static unsigned warnings;

static void count_lines(void *context, enum weir_log_level level, const char *line)
{
    (void)context;
    warnings += level == WEIR_LOG_WARNING && strstr(line, "deciding without the daemon") != NULL;
}

static void write_config(const char *more, char path[static 300])
{
    FILE *file;

    snprintf(path, 300, "%s", scratch_path(fake.scratch, "weir.conf"));
    file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "[weir]\nstate_directory = %s\n[spool]\nfolder =\n%s", fake.scratch->directory,
            more);
    fclose(file);
}

static int decide(struct weir_exim_process *process, struct weir_outcome *outcome_r)
{
    const struct weir_mail mail = {.envelope = {.stage = WEIR_STAGE_END},
                                   .message = {"Subject: x\n\nHello.\n", 19}};
    struct weir_exim_decision decision = {.process = process, .arena = arena,
                                          .left = 4 * WEIR_SECOND};
    int done = weir_exim_decide(&decision, &mail);

    if (done == 0)
        *outcome_r = *decision.outcome;
    weir_exim_decided(&decision);
    return done;
}

static void the_daemon_decides_and_without_it_the_core_does(void **state)
{
    struct weir_exim_process process = {.log = {.write = count_lines, .most = WEIR_LOG_INFO}};
    struct weir_outcome outcome;
    char more[400], path[300];

    (void)state;
    warnings = 0;
    snprintf(more, sizeof more, "[exim]\ndecide = %s\n", fake.address);
    write_config(more, path);
    assert_int_equal(weir_exim_process_use(&process, path), 0);
    assert_int_equal(pthread_create(&fake.thread, NULL, serve, NULL), 0);
    assert_int_equal(decide(&process, &outcome), 0);
    pthread_join(fake.thread, NULL);
    assert_int_equal(outcome.verdict, WEIR_SPAM);
    assert_false(process.opened); /* nothing of our own was needed */
    fake.says = "nonsense\n\n";
    close(fake.connection);
    assert_int_equal(pthread_create(&fake.thread, NULL, serve, NULL), 0);
    assert_int_equal(decide(&process, &outcome), 0);
    pthread_join(fake.thread, NULL);
    assert_int_equal(outcome.verdict, WEIR_HAM);
    assert_int_equal(warnings, 1);
    weir_exim_process_end(&process);
    weir_arena_free(&process.arena);
}

static void a_child_opens_its_own_and_leaves_its_parents_alone(void **state)
{
    struct weir_exim_process process = {.log = {.write = count_lines, .most = WEIR_LOG_INFO}};
    struct weir_outcome outcome;
    char path[300];
    int status;
    pid_t child;

    (void)state;
    write_config("", path);
    assert_int_equal(weir_exim_process_use(&process, path), 0);
    assert_int_equal(decide(&process, &outcome), 0);
    const struct weir_judges *judges = process.judges;
    child = fork();
    if (child == 0) {
        weir_exim_process_end(&process); /* not its own: nothing happens */
        bool same = process.judges == judges;
        bool used = weir_exim_process_use(&process, path) == 0 && !process.judges;

        _exit(same && used && decide(&process, &outcome) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(decide(&process, &outcome), 0);
    weir_exim_process_end(&process);
    assert_null(process.judges);
    weir_arena_free(&process.arena);
}

static void a_wrong_configuration_still_says_what_failures_are_to_do(void **state)
{
    struct weir_exim_process process = {.log = {.write = count_lines, .most = WEIR_LOG_INFO}};
    char path[300];

    (void)state;
    write_config("[message]\non_failure = tempfail\nspam_score = many\n", path);
    assert_int_equal(weir_exim_process_use(&process, path), WEIR_EINVAL);
    assert_int_equal(process.config.on_failure, WEIR_ON_FAILURE_TEMPFAIL);
    assert_int_equal(weir_exim_process_use(&process, "/nonexistent/weir.conf"), WEIR_EIO);
    assert_int_equal(process.config.on_failure, WEIR_ON_FAILURE_ACCEPT);
    write_config("", path);
    assert_int_equal(weir_exim_process_use(&process, path), 0); /* mended */
    weir_exim_process_end(&process);
    weir_arena_free(&process.arena);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_answer_is_read_however_it_comes),
        TEST(a_large_message_is_sent_whole),
        TEST(whoever_is_not_there_is_not_waited_for),
        TEST(what_is_no_answer_is_none),
        TEST(a_silent_daemon_is_left_at_the_deadline),
        TEST(a_daemon_that_does_not_read_is_left_at_the_deadline),
        TEST(the_daemon_decides_and_without_it_the_core_does),
        TEST(a_child_opens_its_own_and_leaves_its_parents_alone),
        TEST(a_wrong_configuration_still_says_what_failures_are_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

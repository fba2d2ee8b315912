/*
 * Every step is asserted; what a child finds wrong ends it with an exit code.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/lists_rig.h"

static void count_line(void *context, enum weir_log_level level, const char *line)
{
    struct lists_rig *rig = context;
    (void)level, (void)line;
    rig->logged++;
}

int lists_rig_setup(void **state)
{
    struct lists_rig *rig = calloc(1, sizeof(*rig));
    if (!rig)
        return -1;
    rig->scratch = scratch_new();
    snprintf(rig->path, sizeof(rig->path), "%s", scratch_path(rig->scratch, "lists.db"));
    rig->log = (struct weir_log){.write = count_line, .context = rig, .most = WEIR_LOG_DEBUG};
    *state = rig;
    return 0;
}

int lists_rig_teardown(void **state)
{
    struct lists_rig *rig = *state;
    scratch_free(rig->scratch);
    free(rig);
    return 0;
}

struct weir_lists *lists_rig_open(struct lists_rig *rig, bool write,
                                     const struct weir_prefix *never, size_t nevers)
{
    struct weir_lists_options options = {.path = rig->path, .write = write, .mode = 0640,
                                         .never = never, .nevers = nevers};
    struct weir_lists *lists = NULL;
    const char *why;
    int rc = weir_lists_open(&options, &rig->log, &lists, &why);
    if (rc != 0)
        fail_msg("open: %d %s", rc, why);
    return lists;
}

struct weir_prefix rig_prefix(const char *text)
{
    struct weir_prefix prefix;
    const char *why;
    if (weir_prefix_parse(text, strlen(text), &prefix, &why) != 0)
        fail_msg("%s: %s", text, why);
    return prefix;
}

struct weir_address rig_address(const char *text)
{
    struct weir_address address;
    assert_int_equal(weir_address_parse(text, strlen(text), &address), 0);
    return address;
}

struct weir_list_entry rig_entry(const char *what, weir_time ends)
{
    struct weir_list_entry entry = {.added = RIG_NOW, .ends = ends};
    if (strpbrk(what, "/:") || weir_address_parse(what, strlen(what), &entry.prefix.address) == 0) {
        entry.prefix = rig_prefix(what);
    } else {
        entry.is_domain = true;
        snprintf(entry.domain, sizeof(entry.domain), "%s", what);
    }
    snprintf(entry.origin, sizeof(entry.origin), "test");
    snprintf(entry.reason, sizeof(entry.reason), "because of %s", what);
    return entry;
}

void rig_add(struct weir_lists *lists, enum weir_list list, const char *what, weir_time ends)
{
    struct weir_list_entry one = rig_entry(what, ends);
    assert_int_equal(weir_lists_add(lists, list, &one, 1, NULL), 0);
}

size_t rig_take_out(struct weir_lists *lists, enum weir_list list, const char *what)
{
    struct weir_list_entry one = rig_entry(what, 0);
    size_t removed;
    assert_int_equal(weir_lists_remove(lists, list, &one, 1, &removed), 0);
    return removed;
}

const char *rig_decides(struct weir_lists *lists, weir_time now, const char *client)
{
    static char text[128];
    struct weir_address a = rig_address(client);
    enum weir_list list;
    struct weir_list_entry found;
    char buffer[WEIR_PREFIX_TEXT];
    int rc = weir_lists_find(lists, now, &a, &list, &found);
    if (rc == 0)
        return "-";
    assert_int_equal(rc, 1);
    snprintf(text, sizeof(text), "%s %s", weir_list_name(list),
             weir_prefix_format(&found.prefix, buffer));
    return text;
}

pid_t rig_child(void (*work)(struct lists_rig *rig), struct lists_rig *rig)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing running */
        work(rig);
        _exit(0);
    }
    return child;
}

void rig_wait(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

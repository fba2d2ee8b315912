/*
 * lists_rig - a lists.db of a test's own, and short ways to use it.
 */
#ifndef WEIR_TESTS_LISTS_RIG_H
#define WEIR_TESTS_LISTS_RIG_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/store/lists_io.h"
#include "tests/unit/scratch.h"

#define RIG_NOW (1700000000 * WEIR_SECOND)

struct lists_rig {
    struct scratch *scratch;
    char path[256];
    unsigned logged; /* lines that were written to log */
    struct weir_log log;
};

/* For cmocka: *state is the rig. */
int lists_rig_setup(void **state);
int lists_rig_teardown(void **state);

struct weir_lists *lists_rig_open(struct lists_rig *rig, bool write,
                                  const struct weir_prefix *never, size_t nevers);

struct weir_prefix rig_prefix(const char *text);
struct weir_address rig_address(const char *text);

/* An entry for a prefix, an address or a domain. */
struct weir_list_entry rig_entry(const char *what, weir_time ends);
void rig_add(struct weir_lists *lists, enum weir_list list, const char *what, weir_time ends);
size_t rig_take_out(struct weir_lists *lists, enum weir_list list, const char *what);

/* "accept 192.0.2.0/24" for the entry that decides, "-" for none. */
const char *rig_decides(struct weir_lists *lists, weir_time now, const char *client);

/* Work in a process of its own, and its end, which must be a good one. */
pid_t rig_child(void (*work)(struct lists_rig *rig), struct lists_rig *rig);
void rig_wait(pid_t child);

#endif

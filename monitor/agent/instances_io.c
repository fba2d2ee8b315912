/*
 * A file of two lines, replaced at once: what is in it is worth nothing without the identity.
 */
#include "monitor/agent/instances_io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "core/base/error.h"
#include "core/base/line.h"
#include "core/base/replace_io.h"
#include "core/base/slice.h"
#include "core/engine/secret_io.h"

#define MACHINE "machine "
#define FILE_TEXT (WEIR_INSTANCES_TEXT + 64) /* a list and a machine's name */

static void write_list(const struct weir_instances *instances, const char *list,
                       const struct weir_log *log)
{
    struct weir_replacement file;
    int done = weir_replace_begin(instances->path, 0640, &file);

    if (done == 0) {
        bool good = fprintf(file.file, "%s\n" MACHINE "%s\n", list,
                            instances->machine) > 0;
        done = weir_replace_end(&file, good);
    }
    if (done < 0)
        weir_log(log, WEIR_LOG_ERROR, "%s cannot be written: %s", instances->path,
                 strerror(errno));
}

/* Whether what stands behind the list names no other machine. */
static bool is_here(const struct weir_instances *instances, struct weir_slice rest)
{
    if (!weir_slice_begins(rest, MACHINE))
        return true;
    return weir_slice_equals(weir_slice_trim(weir_slice_behind(rest, strlen(MACHINE))),
                             instances->machine);
}

/* Those that the agent was before: first the one that was let in, then those of which that is not
 * known, for they were killed before they had heard or written it; the latest of many. */
static void read_list(struct weir_instances *instances, const struct weir_log *log)
{
    char text[FILE_TEXT], one[WEIR_INSTANCE_TEXT];
    struct weir_slice list = {text, 0};
    size_t known = 0, len = WEIR_INSTANCE_TEXT - 1;

    if (weir_secret_read(instances->path, text, sizeof text, &list.len) < 0)
        return;
    for (; weir_instances_next(&list, one); known++) {
        char *to = instances->before + known * WEIR_INSTANCE_TEXT;

        if (known == WEIR_INSTANCES_KNOWN - 1) { /* room for the one that begins now */
            char *second = instances->before + WEIR_INSTANCE_TEXT;

            memmove(second, second + WEIR_INSTANCE_TEXT,
                    (WEIR_INSTANCES_KNOWN - 3) * WEIR_INSTANCE_TEXT);
            to -= WEIR_INSTANCE_TEXT;
            known--;
        }
        if (known > 0)
            to[-1] = ',';
        memcpy(to, one, len + 1);
    }
    if (is_here(instances, list))
        return;
    instances->before[0] = '\0';
    weir_log(log, WEIR_LOG_WARNING, "%s is of another machine, or of this one with other network "
             "cards: the monitor lets this agent in when that one is not heard any more",
             instances->path);
}

/* A new one for each start, written down before the monitor hears of it: who is killed before he
 * has heard that he was let in must be able to name himself later. */
void weir_instances_begin(struct weir_instances *instances, const char *path, const char *machine,
                          const struct weir_log *log)
{
    unsigned char octets[WEIR_INSTANCE_OCTETS];
    char list[WEIR_INSTANCES_TEXT];
    struct weir_line line = weir_line(list, sizeof list);

    *instances = (struct weir_instances){.path = path, .machine = machine};
    read_list(instances, log);
    randombytes_buf(octets, sizeof octets);
    sodium_bin2hex(instances->now, sizeof instances->now, octets, sizeof octets);
    weir_line_text(&line, instances->before);
    weir_line_text(&line, instances->before[0] ? "," : "");
    weir_line_text(&line, instances->now);
    write_list(instances, weir_line_end(&line), log);
}

/* The monitor has let it in: who it was before does not matter any more.  Not sooner: an agent that
 * is started again and again while the monitor is away must still be able to name the one that is
 * known there. */
void weir_instances_let_in(struct weir_instances *instances, const struct weir_log *log)
{
    if (instances->known)
        return;
    instances->known = true;
    write_list(instances, instances->now, log);
}

/*
 * apply - one transaction for what is set and one for what goes, for each list.
 */
#include "monitor/agent/apply_io.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"

/* What is to go from a list. */
struct going {
    struct weir_list_entry *entry; /* of the monitor */
    size_t count, room;
    const struct weir_command *command;
    enum weir_list list;
};

static bool of_monitor(const struct weir_list_entry *entry)
{
    return strcmp(entry->origin, WEIR_COMMAND_ORIGIN) == 0;
}

static int by_prefix(const void *a, const void *b)
{
    const struct weir_command_entry *one = a, *other = b;
    int order = memcmp(one->entry.prefix.address.octet, other->entry.prefix.address.octet, 16);

    if (one->list != other->list)
        return one->list < other->list ? -1 : 1;
    return order ? order : one->entry.prefix.bits - other->entry.prefix.bits;
}

static bool names(const struct weir_command *command, enum weir_list list,
                  const struct weir_list_entry *entry)
{
    const struct weir_command_entry key = {.list = list, .entry.prefix = entry->prefix};

    return bsearch(&key, command->set, command->sets, sizeof key, by_prefix) != NULL;
}

/* Collecting, since lists must not be changed while they are walked. */
static int note_going(struct going *going, const struct weir_list_entry *entry)
{
    struct weir_list_entry *more = weir_grown(going->entry, going->count, &going->room,
                                              sizeof *more);

    if (!more)
        return WEIR_ENOMEM;
    going->entry = more;
    going->entry[going->count++] = *entry;
    return 0;
}

/* What a full command does not name. */
static int note_stale(void *context, const struct weir_list_entry *entry)
{
    struct going *going = context;

    if (!of_monitor(entry) || entry->is_domain || names(going->command, going->list, entry))
        return 0;
    return note_going(going, entry);
}

static int note_removed(struct weir_lists *lists, struct going *going)
{
    struct weir_list_entry there;
    int done = 0;

    for (size_t i = 0; i < going->command->removes && done == 0; i++) {
        const struct weir_command_entry *gone = &going->command->removed[i];

        if (gone->list == going->list &&
            weir_lists_show(lists, going->list, &gone->entry, &there) == 1 && of_monitor(&there))
            done = note_going(going, &there);
    }
    return done;
}

/* A transaction is written through to the disk: thousands of them would take many seconds. */
static int remove_all(struct weir_lists *lists, const struct weir_command *command,
                      enum weir_list list, struct weir_applied *applied)
{
    struct going going = {.command = command, .list = list};
    size_t removed = 0;
    int done = command->full ? weir_lists_each(lists, list, note_stale, &going) : 0;

    if (done >= 0)
        done = note_removed(lists, &going);
    if (done >= 0 && going.count > 0)
        done = weir_lists_remove(lists, list, going.entry, going.count, &removed);
    free(going.entry);
    applied->removed += removed;
    return done < 0 ? done : 0;
}

/* Whether a list of this server has all of a prefix. */
static bool holds(struct weir_lists *lists, enum weir_list list, const struct weir_prefix *prefix,
                  weir_time now)
{
    struct weir_list_entry there;

    return weir_lists_find_in(lists, now, list, &prefix->address, &there) == 1 &&
           there.prefix.bits <= prefix->bits;
}

/* Why an entry may not be set: inside the never-list, or somebody else's stands there; or NULL. */
static const char *forbidden_by(struct weir_lists *lists, enum weir_list list,
                                const struct weir_list_entry *entry, weir_time now)
{
    struct weir_list_entry there;

    if (list != WEIR_LIST_ACCEPT && holds(lists, WEIR_LIST_NEVER, &entry->prefix, now))
        return "never";
    if (weir_lists_show(lists, list, entry, &there) == 1 && !of_monitor(&there) &&
        (there.ends == 0 || there.ends > now))
        return "own";
    return NULL;
}

static void note(struct weir_applied *applied, enum weir_list list,
                 const struct weir_list_entry *entry, const char *by)
{
    if (applied->overruleds < WEIR_OVERRULED_MAX)
        applied->overruled[applied->overruleds++] =
            (struct weir_overruled){list, entry->prefix, entry->ends, by};
}

static bool removes(const struct weir_command *command, const struct weir_overruled *one)
{
    for (size_t i = 0; i < command->removes; i++)
        if (command->removed[i].list == one->list &&
            memcmp(&command->removed[i].entry.prefix, &one->prefix, sizeof one->prefix) == 0)
            return true;
    return false;
}

/* What was noted before and is not spoken of now is so still; a full command speaks of all. */
static void keep_noted(struct weir_applied *applied, const struct weir_applied *before,
                       const struct weir_command *command, weir_time now)
{
    for (size_t i = 0; i < before->overruleds && !command->full; i++) {
        const struct weir_overruled *one = &before->overruled[i];
        const struct weir_list_entry entry = {.prefix = one->prefix, .ends = one->ends};

        if (!names(command, one->list, &entry) && !removes(command, one) &&
            (one->ends == 0 || one->ends > now))
            note(applied, one->list, &entry, one->by);
    }
}

/* Adds all it may; one that the lists refuse all the same is left out and the rest tried again. */
static int add_all(struct weir_lists *lists, enum weir_list list, struct weir_list_entry *entry,
                   size_t count, struct weir_applied *applied)
{
    size_t bad;
    int done;

    while (count > 0) {
        bad = count;
        done = weir_lists_add(lists, list, entry, count, &bad);
        if (done == 0) {
            applied->set += count;
            return 0;
        }
        if ((done != WEIR_EINVAL && done != WEIR_ELIMIT) || bad >= count)
            return done;
        applied->withheld++;
        note(applied, list, &entry[bad], "lists");
        memmove(entry + bad, entry + bad + 1, (count - bad - 1) * sizeof *entry);
        count--;
    }
    return 0;
}

static int count_one(void *context, const struct weir_list_entry *entry)
{
    size_t *count = context;

    *count += of_monitor(entry) && !entry->is_domain;
    return 0;
}

static int set_list(struct weir_lists *lists, const struct weir_command *command,
                    enum weir_list list, weir_time now, struct weir_applied *applied)
{
    struct weir_list_entry *entry = calloc(command->sets ? command->sets : 1, sizeof *entry);
    size_t count = 0;
    int done;

    if (!entry)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < command->sets; i++) {
        const struct weir_command_entry *from = &command->set[i];
        const char *by;

        if (from->list != list || (from->entry.ends != 0 && from->entry.ends <= now))
            continue;
        if ((by = forbidden_by(lists, list, &from->entry, now)) != NULL) {
            applied->withheld++;
            note(applied, list, &from->entry, by);
            continue;
        }
        if (list != WEIR_LIST_ACCEPT && holds(lists, WEIR_LIST_ACCEPT, &from->entry.prefix, now))
            note(applied, list, &from->entry, "accept");
        entry[count] = from->entry;
        entry[count].added = now;
        memcpy(entry[count].origin, WEIR_COMMAND_ORIGIN, sizeof WEIR_COMMAND_ORIGIN);
        count++;
    }
    done = add_all(lists, list, entry, count, applied);
    free(entry);
    return done;
}

int weir_apply(struct weir_lists *lists, const struct weir_command *command, weir_time now,
               const struct weir_log *log, struct weir_applied *applied_r)
{
    struct weir_applied applied = {.entries = command->full ? 0 : applied_r->entries};
    int done = 0;

    qsort(command->set, command->sets, sizeof *command->set, by_prefix);
    for (enum weir_list list = WEIR_LIST_ACCEPT; list < WEIR_LISTS && done >= 0; list++) {
        done = remove_all(lists, command, list, &applied);
        if (done >= 0)
            done = set_list(lists, command, list, now, &applied);
        if (done >= 0 && command->full)
            done = weir_lists_each(lists, list, count_one, &applied.entries);
    }
    if (applied.withheld > 0)
        weir_log(log, WEIR_LOG_WARNING, "%zu entries of the monitor were left out: on the "
                 "never-list here, or somebody else's", applied.withheld);
    keep_noted(&applied, applied_r, command, now);
    *applied_r = applied;
    return done < 0 ? done : 0;
}

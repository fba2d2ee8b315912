/* Any bytes as what a monitor says to list: what is read keeps its limits, and is read the same
 * when it is written. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/agent/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void again(const struct weir_command_entry *entry)
{
    json_t *json = weir_command_entry_json(entry->list, &entry->entry, false);
    json_t *whole = json_pack("{s:i, s:b, s:[o], s:[]}", "generation", 1, "full", 0, "set", json,
                              "remove");
    char *text = json_dumps(whole, 0);
    struct weir_command same;
    const char *why;

    must(text && weir_command_read((struct weir_slice){text, strlen(text)}, &same, &why) == 0);
    must(memcmp(&same.set[0].entry.prefix, &entry->entry.prefix, sizeof entry->entry.prefix) == 0);
    must(same.set[0].entry.ends == entry->entry.ends && same.set[0].list == entry->list);
    weir_command_free(&same);
    free(text);
    json_decref(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_command command;
    const char *why;

    if (weir_command_read((struct weir_slice){(const char *)data, size}, &command, &why) < 0)
        return 0;
    must(command.generation >= 0);
    for (size_t i = 0; i < command.sets; i++) {
        must(command.set[i].list != WEIR_LIST_NEVER && command.set[i].entry.ends >= 0);
        must(fabs(command.set[i].entry.points) <= WEIR_RULE_SCORE_MAX);
        again(&command.set[i]);
    }
    weir_command_free(&command);
    return 0;
}

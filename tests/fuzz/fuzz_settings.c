/* Any bytes as weir.conf: refused with a reason, or taken, and then what is
 * shown of the values reads as the same values. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/settings.h"

struct values {
    const char *text;
    int choice;
    bool yes;
    int64_t count, size, period, bits;
    double number, rate;
    struct weir_strings list;
};

static const struct weir_setting rows[] = {
    {"a", "text", WEIR_TEXT, "x", 0, 0, NULL, offsetof(struct values, text), "", NULL},
    {"a", "choice", WEIR_CHOICE, "x", 0, 0, "x|y", offsetof(struct values, choice), "", NULL},
    {"a", "yes", WEIR_YESNO, "no", 0, 0, NULL, offsetof(struct values, yes), "", NULL},
    {"a", "count", WEIR_COUNT, "1", 0, 1000, NULL, offsetof(struct values, count), "", NULL},
    {"a", "size", WEIR_SIZE, "1", 0, 0, NULL, offsetof(struct values, size), "", NULL},
    {"b", "period", WEIR_PERIOD, "1s", 0, 0, NULL, offsetof(struct values, period), "", NULL},
    {"b", "bits", WEIR_BITS, "24", 0, 0, NULL, offsetof(struct values, bits), "", NULL},
    {"b", "number", WEIR_NUMBER, "1", 0, 0, NULL, offsetof(struct values, number), "", NULL},
    {"b", "rate", WEIR_RATE, "1/s", 0, 0, NULL, offsetof(struct values, rate), "", NULL},
    {"b", "list", WEIR_LIST, "x", 0, 0, NULL, offsetof(struct values, list), "", NULL},
};
static const struct weir_settings table = {rows, sizeof(rows) / sizeof(rows[0])};

static void count_problem(void *context, const char *file, unsigned line, const char *reason)
{
    size_t *problems = context;
    *problems += strlen(file) + line + strlen(reason) > 0;
}

/* All values as a file. */
static char *show_all(const struct values *values, struct weir_arena *arena)
{
    char *file = weir_arena_copy(arena, "", 0);
    for (size_t i = 0; i < table.count; i++)
        file = weir_arena_printf(arena, "%s[%s]\n%s = %s\n", file, rows[i].section, rows[i].name,
                                 weir_setting_show(&rows[i], values, arena));
    return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_arena *arena = weir_arena_new(1 << 16);
    size_t problems = 0;
    struct weir_settings_report report = {count_problem, &problems};
    struct values values;
    int rc = weir_settings_read_bytes(&table, "fuzz", (const char *)data, size, arena, &report,
                                      &values);
    if ((rc == 0) != (problems == 0))
        abort();
    if (rc == 0) {
        char *shown = show_all(&values, arena);
        rc = weir_settings_read_bytes(&table, "again", shown, strlen(shown), arena, &report,
                                      &values);
        if (rc != 0 || strcmp(shown, show_all(&values, arena)) != 0)
            abort();
    }
    weir_arena_free(&arena);
    return 0;
}

/* The table of every kind, and reading a file against it. */
#include "tests/unit/settings_rig.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"

static const struct weir_setting rows[] = {
    {"main", "text", WEIR_TEXT, "some text", 0, 0, NULL, AT(text), "A text.", NULL},
    {"main", "mode", WEIR_CHOICE, "observe", 0, 0, "observe|enforce", AT(mode), "What to do.",
     NULL},
    {"main", "yes", WEIR_YESNO, "no", 0, 0, NULL, AT(yes), "Whether.", NULL},
    {"main", "count", WEIR_COUNT, "250", 0, 0, NULL, AT(count), "How many.", NULL},
    {"main", "count_at_large", WEIR_COUNT, "0", 0, 0x1p62, NULL, AT(count_at_large),
     "How many of very many.", NULL},
    {"main", "size", WEIR_SIZE, "64k", 0, 0, NULL, AT(size), "How large.", NULL},
    {"main", "period", WEIR_PERIOD, "30d", 0, 0, NULL, AT(period), "How long.", NULL},
    {"main", "period_from_1m", WEIR_PERIOD, "4h", WEIR_MINUTE, 30 * WEIR_DAY, NULL,
     AT(period_from_1m), "How long within bounds.", NULL},
    {"main", "bits", WEIR_BITS, "/24", 8, 32, NULL, AT(bits), "How wide.", NULL},
    {"main", "any_bits", WEIR_BITS, "128", 0, 0, NULL, AT(any_bits), "How wide, any width.", NULL},
    {"main", "number", WEIR_NUMBER, "-0.5", 0, 0, NULL, AT(number), "How much.", NULL},
    {"main", "share", WEIR_NUMBER, "12 %", 0, 1, NULL, AT(share), "Which part.", NULL},
    {"main", "rate", WEIR_RATE, "10/min", 0, 0, NULL, AT(rate), "How often.", NULL},
    {"main", "rate_to_10", WEIR_RATE, "1/s", 0, 10, NULL, AT(rate_to_10), "How often at most.",
     NULL},
    {"main", "list", WEIR_LIST, "a, b", 0, 0, NULL, AT(list), "Which ones.", NULL},
    {"other", "count", WEIR_COUNT, "7", 0, 0, NULL, AT(other_count),
     "Another section's count, which has a sentence so long that the sample file has to break it "
     "into lines.", NULL},
};

const struct weir_settings every_kind = {rows, sizeof(rows) / sizeof(rows[0])};

static void tell(void *context, const char *file, unsigned line, const char *reason)
{
    struct told *told = context;
    size_t at = strlen(told->text);
    told->count++;
    snprintf(told->text + at, sizeof(told->text) - at, "%s:%u: %s\n", file, line, reason);
}

int settings_set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.arena = weir_arena_new(4096)};
    f.report = (struct weir_settings_report){.problem = tell, .context = &f.told};
    *state = &f;
    return f.arena ? 0 : -1;
}

int settings_tear_down(void **state)
{
    struct fixture *f = *state;
    weir_arena_free(&f->arena);
    return 0;
}

int read_settings_bytes(struct fixture *f, const char *bytes, size_t len)
{
    f->told.text[0] = '\0';
    f->told.count = 0;
    weir_arena_reset(f->arena, SIZE_MAX);
    memset(&f->values, 0x55, sizeof(f->values));
    return weir_settings_read_bytes(&every_kind, "weir.conf", bytes, len, f->arena, &f->report,
                                    &f->values);
}

int read_settings(struct fixture *f, const char *text)
{
    return read_settings_bytes(f, text, strlen(text));
}

const struct weir_setting *setting_named(const char *name)
{
    for (size_t i = 0; i < every_kind.count; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    }
    fail_msg("no row %s", name);
    return NULL;
}

int read_setting(struct fixture *f, const char *name, const char *text)
{
    char file[4096];
    snprintf(file, sizeof(file), "[main]\n%s = %s\n", name, text);
    return read_settings(f, file);
}

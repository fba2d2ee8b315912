/*
 * The set is built as servers build theirs, in memory that looks like a file.  Its rules are in the
 * test, so that they hit and nothing is decided by them.
 */
#include "monitor/ctl/ctl_rules_tested.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/evidence/rules_io.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_rules.h"
#include "monitor/database/database_rules_io.h"

static const char typed_file[] = "the rule";

struct choosing {
    struct weir_ctl *ctl;
    const char *which;
    const char *file;           /* whose rules are wanted; NULL: one of a name or number */
    struct weir_rule_reader *reader;
    struct weir_rule_sources sources;
    bool *wanted, *needed;      /* by number of a source */
};

/* Where rules come from. ------------------------------------------------------------------ */

/* A rule of the book as a file of its own, so that what is wrong is told by its name. */
static int add_kept(void *context, const struct weir_kept_rule *rule)
{
    struct choosing *choosing = context;
    struct weir_arena *arena = choosing->ctl->arena;
    char *text = weir_arena_printf(arena, "%sid %s %u\nscore %s %.2f\n", rule->text, rule->name,
                                   (unsigned)rule->id, rule->name, rule->score);
    char *file = weir_arena_printf(arena, "rule %s", rule->name);

    if (!text || !file)
        return WEIR_ENOMEM;
    return weir_rule_reader_add(choosing->reader, file,
                                (struct weir_slice){text, strlen(text)});
}

static int add_book(struct choosing *choosing)
{
    struct weir_ctl *ctl = choosing->ctl;
    struct weir_database *database = NULL;
    int code = weir_ctl_monitor_database(ctl, &database);

    if (code == 0)
        code = weir_ctl_monitor_read(ctl, database, weir_database_rules(database, 0, add_kept,
                                                                        choosing));
    weir_database_free(&database);
    return code;
}

static int add_files(struct choosing *choosing, const char *path)
{
    int rc = weir_rules_add_files(choosing->reader, path, choosing->ctl->arena);

    return rc < 0 ? weir_ctl_error(choosing->ctl, EX_NOINPUT, "%s: %s", path,
                                   weir_error_reason(rc)) : 0;
}

/* "/text/i", or lines of a rule file. */
static int add_typed(struct choosing *choosing)
{
    bool bare = choosing->which[0] == '/';
    char *text = weir_arena_printf(choosing->ctl->arena, "%s%s\n", bare ? "body TYPED " : "",
                                   choosing->which);

    if (!text || weir_rule_reader_add(choosing->reader, typed_file,
                                      (struct weir_slice){text, strlen(text)}) < 0)
        return weir_ctl_error(choosing->ctl, EX_OSERR, "memory is short");
    choosing->file = typed_file;
    return 0;
}

static bool is_regular(const char *path)
{
    struct stat there;

    return stat(path, &there) == 0 && S_ISREG(there.st_mode);
}

static bool is_typed(const char *which)
{
    const char *end = strrchr(which, '/');

    if (strpbrk(which, " \t\n"))
        return true;
    return which[0] == '/' && end > which && strspn(end + 1, "imsx") == strlen(end + 1) &&
           !is_regular(which);
}

static bool is_file(const char *which)
{
    return strchr(which, '.') != NULL && is_regular(which);
}

static int read_all(struct choosing *choosing)
{
    struct weir_ctl *ctl = choosing->ctl;
    const char *folder = ctl->config.rules_folder;
    int code = 0;

    if (weir_rule_reader_new(ctl->arena, weir_ctl_rules_tell, NULL, &choosing->reader) < 0)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    if (weir_ctl_monitor_is_here(ctl))
        code = add_book(choosing);
    else if (access(folder, F_OK) == 0)
        code = add_files(choosing, folder);
    if (code == 0 && is_typed(choosing->which)) {
        code = add_typed(choosing);
    } else if (code == 0 && is_file(choosing->which)) {
        choosing->file = choosing->which;
        code = add_files(choosing, choosing->which);
    }
    if (code == 0 && weir_rule_reader_end(choosing->reader, &choosing->sources) < 0)
        code = weir_ctl_error(ctl, EX_OSERR, "memory is short");
    if (code == 0 && choosing->sources.errors > 0)
        code = weir_ctl_error(ctl, EX_DATAERR, "correct the rules above");
    return code;
}

/* Which. -------------------------------------------------------------------------------------- */

static bool is_named(struct weir_slice name, const char *text)
{
    return name.len == strlen(text) && memcmp(name.at, text, name.len) == 0;
}

static bool is_wanted(const struct choosing *choosing, const struct weir_rule_source *source)
{
    char *end;
    unsigned long id = strtoul(choosing->which, &end, 10);

    if (choosing->file)
        return strcmp(source->file, choosing->file) == 0;
    return *end == '\0' && id > 0 ? source->id == id : is_named(source->name, choosing->which);
}

/* Marks what a formula names; whether there is more than before. */
static bool need_named(struct choosing *choosing, struct weir_slice formula)
{
    bool more = false;

    for (size_t at = 0; at < formula.len;) {
        size_t len = 0;

        while (at + len < formula.len &&
               (isalnum((unsigned char)formula.at[at + len]) || formula.at[at + len] == '_'))
            len++;
        for (size_t i = 0; len > 0 && i < choosing->sources.rules; i++) {
            struct weir_slice name = choosing->sources.rule[i].name;

            if (name.len == len && memcmp(name.at, formula.at + at, len) == 0) {
                more |= !choosing->needed[i];
                choosing->needed[i] = true;
            }
        }
        at += len + (len == 0);
    }
    return more;
}

static size_t mark(struct choosing *choosing)
{
    const struct weir_rule_sources *sources = &choosing->sources;
    size_t wanted = 0;
    bool more = true;

    for (size_t i = 0; i < sources->rules; i++) {
        choosing->wanted[i] = choosing->needed[i] = is_wanted(choosing, &sources->rule[i]);
        wanted += choosing->wanted[i];
    }
    while (more) {
        more = false;
        for (size_t i = 0; i < sources->rules; i++)
            if (choosing->needed[i] && sources->rule[i].kind == WEIR_RULE_META)
                more |= need_named(choosing, sources->rule[i].pattern);
    }
    return wanted;
}

static int by_id(const void *a, const void *b)
{
    const struct weir_ctl_tested_rule *one = a, *other = b;

    return (one->id > other->id) - (one->id < other->id);
}

/* Leaves what is needed among the sources, and lists what is wanted. */
static int choose(struct choosing *choosing, struct weir_ctl_tested *tested)
{
    struct weir_rule_sources *sources = &choosing->sources;
    struct weir_arena *arena = choosing->ctl->arena;
    size_t wanted, kept = 0;

    choosing->wanted = weir_arena_zero(arena, sources->rules + 1, sizeof(bool));
    choosing->needed = weir_arena_zero(arena, sources->rules + 1, sizeof(bool));
    if (!choosing->wanted || !choosing->needed)
        return weir_ctl_error(choosing->ctl, EX_OSERR, "memory is short");
    wanted = mark(choosing);
    if (wanted == 0)
        return weir_ctl_error(choosing->ctl, WEIR_CTL_NOT_THERE, "there is no rule %s; a rule may "
                              "be typed, too: '/cheap loan/i', 'header X Subject =~ /y/'",
                              choosing->which);
    tested->rule = weir_arena_zero(arena, wanted, sizeof *tested->rule);
    for (size_t i = 0; tested->rule && i < sources->rules; i++) {
        struct weir_rule_source *source = &sources->rule[i];

        if (choosing->wanted[i])
            tested->rule[tested->rules++] = (struct weir_ctl_tested_rule){
                source->id, weir_arena_copy(arena, source->name.at, source->name.len),
                source->kind};
        if (source->name.len < 2 || memcmp(source->name.at, "__", 2) != 0)
            source->state = WEIR_RULE_TEST;
        if (choosing->needed[i])
            sources->rule[kept++] = *source;
    }
    sources->rules = kept;
    if (!tested->rule)
        return weir_ctl_error(choosing->ctl, EX_OSERR, "memory is short");
    qsort(tested->rule, tested->rules, sizeof *tested->rule, by_id);
    return 0;
}

/* The set. ---------------------------------------------------------------------------- */

static bool write_all(int fd, const char *octets, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, octets, len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        octets += put;
        len -= (size_t)put;
    }
    return true;
}

static int make_set(struct choosing *choosing, struct weir_ctl_tested *tested)
{
    const struct weir_rules_options options = {0};
    struct weir_ctl *ctl = choosing->ctl;
    void *octets = NULL;
    size_t len = 0;
    int rc = weir_rules_build(&choosing->sources, &options, weir_ctl_rules_tell, NULL, &octets,
                              &len);

    if (rc == WEIR_EINVAL)
        return weir_ctl_error(ctl, EX_DATAERR, "correct the rules above");
    if (rc == 0)
        tested->fd = memfd_create("rules", MFD_CLOEXEC);
    if (rc < 0 || tested->fd < 0 || !write_all(tested->fd, octets, len)) {
        free(octets);
        return weir_ctl_error(ctl, EX_OSERR, "no set can be made of them: %s",
                              rc < 0 ? weir_error_reason(rc) : strerror(errno));
    }
    free(octets);
    tested->path = weir_arena_printf(ctl->arena, "/proc/self/fd/%d", tested->fd);
    return tested->path ? 0 : weir_ctl_error(ctl, EX_OSERR, "memory is short");
}

int weir_ctl_tested_open(struct weir_ctl *ctl, const char *which, struct weir_ctl_tested *tested)
{
    struct choosing choosing = {.ctl = ctl, .which = which};
    int code;

    *tested = (struct weir_ctl_tested){.fd = -1};
    code = read_all(&choosing);
    if (code == 0)
        code = choose(&choosing, tested);
    if (code == 0)
        code = make_set(&choosing, tested);
    return code;
}

void weir_ctl_tested_close(struct weir_ctl_tested *tested)
{
    if (tested->fd >= 0)
        close(tested->fd);
    tested->fd = -1;
}

const struct weir_ctl_tested_rule *weir_ctl_tested_find(const struct weir_ctl_tested *tested,
                                                        uint32_t id)
{
    const struct weir_ctl_tested_rule wanted = {.id = id};

    return tested->rules == 0 ? NULL : bsearch(&wanted, tested->rule, tested->rules,
                                               sizeof wanted, by_id);
}

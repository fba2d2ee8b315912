/*
 * ctl_rules_import - weirctl rules import: SpamAssassin's files become one of ours.
 *
 * What was taken goes to --output or the standard output; what could not be is told on the
 * standard error, rule by rule, so that nothing is lost in silence.  Rules get no ids: those
 * follow from their names.  An output file that is there already is replaced only when an import
 * made it.
 */
#include "monitor/ctl/ctl_rules_import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/replace_io.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_output.h"

#define RULE_TEXT (2 * WEIR_RULE_PATTERN_MAX)
#define FIRST_LINE "# Made by weirctl rules import"

int weir_ctl_import_keep(struct weir_ctl_import *import, const char *name,
                         struct weir_slice octets)
{
    struct weir_ctl *ctl = import->ctl;
    struct weir_sa_file *file = &import->file[import->files++];
    char shown[WEIR_CTL_NAME];

    weir_ctl_visible((struct weir_slice){name, strlen(name)}, shown, sizeof shown);
    file->name = weir_arena_copy(ctl->arena, shown, strlen(shown));
    file->text = (struct weir_slice){weir_arena_copy(ctl->arena, octets.at, octets.len),
                                     octets.len};
    if (!file->name || (!file->text.at && octets.len > 0))
        return weir_ctl_error(ctl, EX_DATAERR, "%s: too much for one import", shown);
    return 0;
}

static int read_files(struct weir_ctl_import *import)
{
    struct weir_ctl *ctl = import->ctl;
    struct weir_ctl_files *files;
    struct weir_slice octets;
    const char *name;
    int code = weir_ctl_files_open(ctl, ctl->argument, ctl->arguments, ".cf", &files), got = 1;

    if (code != 0)
        return code;
    import->file = weir_arena_zero(ctl->arena, weir_ctl_files_count(files) + 1,
                                   sizeof *import->file);
    while (code == 0 && import->file && (got = weir_ctl_files_next(files, &name, &octets)) == 1)
        code = weir_ctl_import_keep(import, name, octets);
    if (!import->file)
        code = weir_ctl_error(ctl, EX_OSERR, "memory is short");
    else if (got < 0)
        code = weir_ctl_files_error(ctl, name, got);
    weir_ctl_files_free(&files);
    return code;
}

static bool is_file(const char *path)
{
    struct stat there;
    return stat(path, &there) == 0 && S_ISREG(there.st_mode);
}

/* What somebody wrote by hand is not replaced unasked: 0 or an exit code, said. */
static int spare_foreign_file(struct weir_ctl *ctl)
{
    const char *path = ctl->option[WEIR_CTL_OUTPUT];
    char begins[sizeof FIRST_LINE] = "";
    FILE *file;
    size_t len;

    if (!path || ctl->option[WEIR_CTL_FORCE] || !is_file(path))
        return 0;
    file = fopen(path, "re");
    if (!file)
        return weir_ctl_error(ctl, EX_CANTCREAT, "%s: cannot be read (%s), so that it may not have "
                              "been made by an import; --force replaces it", path,
                              strerror(errno));
    len = fread(begins, 1, sizeof begins - 1, file);
    fclose(file);
    if (len == 0 || strcmp(begins, FIRST_LINE) == 0)
        return 0;
    return weir_ctl_error(ctl, EX_CANTCREAT, "%s: was not made by an import, and would be "
                          "replaced; --force does so", path);
}

static int write_rules(struct weir_ctl_import *import, FILE *out)
{
    char *room = malloc(RULE_TEXT);

    if (!room)
        return WEIR_ENOMEM;
    fputs(FIRST_LINE "; another import to this file replaces it.\n", out);
    for (size_t i = 0; i < import->result.rules; i++) {
        struct weir_line line = weir_line(room, RULE_TEXT);

        weir_rule_write(&import->result.rule[i], &line);
        if (line.cut)
            fprintf(stderr, "%s: too long to be written\n", import->result.rule[i].file);
        else
            fprintf(out, "%s\n", weir_line_end(&line));
    }
    free(room);
    return fflush(out) == 0 ? 0 : WEIR_EIO;
}

/* A disk that is full costs nothing: 0 or an exit code, said. */
static int replace_output(struct weir_ctl_import *import, const char *path)
{
    struct weir_replacement new;
    int done = weir_replace_begin(path, 0644, &new);

    if (done < 0)
        return weir_ctl_error(import->ctl, EX_CANTCREAT, "%s: %s", path, weir_error_reason(done));
    done = weir_replace_end(&new, write_rules(import, new.file) == 0);
    return done < 0
               ? weir_ctl_error(import->ctl, EX_IOERR, "%s: %s", path, weir_error_reason(done))
               : 0;
}

/* What is there and no file (a device, a pipe) is written to, never replaced. */
static int write_output(struct weir_ctl_import *import)
{
    struct weir_ctl *ctl = import->ctl;
    const char *path = ctl->option[WEIR_CTL_OUTPUT];
    FILE *out;
    int done;

    if (!path)
        return write_rules(import, stdout) < 0 ? EX_IOERR : 0;
    if (access(path, F_OK) != 0 || is_file(path))
        return replace_output(import, path);
    out = fopen(path, "we");
    if (!out)
        return weir_ctl_error(ctl, EX_CANTCREAT, "%s: %s", path, strerror(errno));
    done = write_rules(import, out);
    if (fclose(out) != 0 || done < 0)
        return weir_ctl_error(ctl, EX_IOERR, "%s: %s", path, strerror(errno));
    return 0;
}

/* What stands in the files of strangers. */
struct shown { char text[WEIR_CTL_NAME]; };

static const char *show(const char *text, struct shown *buffer)
{
    return weir_ctl_visible((struct weir_slice){text, strlen(text)}, buffer->text,
                            sizeof buffer->text);
}

static json_t *json_summary(const struct weir_sa_import *result)
{
    json_t *missed = json_array(), *words = json_object();
    struct shown word;

    for (size_t i = 0; i < result->missing; i++) {
        const struct weir_sa_missed *it = &result->missed[i];
        json_array_append_new(
            missed, json_pack("{s:o, s:s, s:s, s:i, s:o}", "name",
                              weir_ctl_json_text(it->name, strlen(it->name)), "reason",
                              weir_sa_reason_name(it->reason), "file", it->file, "line",
                              (int)it->line, "why", weir_ctl_json_text(it->why, strlen(it->why))));
    }
    for (size_t i = 0; i < result->words; i++)
        json_object_set_new(words, show(result->word[i].word, &word),
                            json_integer((json_int_t)result->word[i].count));
    return json_pack("{s:I, s:o, s:o}", "taken", (json_int_t)result->rules, "not_taken", missed,
                     "words", words);
}

void weir_ctl_import_tell(const struct weir_sa_import *result)
{
    size_t by_reason[WEIR_SA_REASONS] = {0};
    struct shown name, why;

    for (size_t i = 0; i < result->missing; i++) {
        const struct weir_sa_missed *it = &result->missed[i];
        by_reason[it->reason]++;
        fprintf(stderr, "%s:%u: %s: %s\n", it->file, it->line,
                it->name[0] ? show(it->name, &name) : "line", show(it->why, &why));
    }
    for (size_t i = 0; i < result->words; i++)
        fprintf(stderr, "not about rules: %s, %zu times\n",
                show(result->word[i].word, &name), result->word[i].count);
    fprintf(stderr, "%zu rules taken, %zu lines listed above", result->rules, result->missing);
    for (unsigned i = 0; i < WEIR_SA_REASONS; i++)
        if (by_reason[i] > 0)
            fprintf(stderr, ", %s %zu", weir_sa_reason_name((enum weir_sa_reason)i),
                    by_reason[i]);
    fputc('\n', stderr);
}

int weir_ctl_rules_import(struct weir_ctl *ctl)
{
    struct weir_ctl_import import = {.ctl = ctl};
    int code;

    if (ctl->option[WEIR_CTL_BOOK])
        return weir_ctl_import_book(ctl);
    if (ctl->option[WEIR_CTL_STATE] || ctl->option[WEIR_CTL_REASON] || ctl->option[WEIR_CTL_DRY])
        return weir_ctl_error(ctl, EX_USAGE, "--state, --reason and --dry-run are for --book");
    if (ctl->option[WEIR_CTL_JSON] && !ctl->option[WEIR_CTL_OUTPUT])
        return weir_ctl_error(ctl, EX_USAGE, "--json needs --output: without it the rules "
                              "themselves are printed");
    code = weir_ctl_make_arena(ctl);
    if (code == 0)
        code = spare_foreign_file(ctl);
    if (code == 0)
        code = read_files(&import);
    if (code == 0 &&
        weir_sa_import(import.file, import.files, ctl->arena, &import.result) < 0)
        code = weir_ctl_error(ctl, EX_OSERR, "memory is short");
    if (code == 0)
        code = write_output(&import);
    if (code != 0)
        return code;
    if (ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(ctl, json_summary(&import.result));
    weir_ctl_import_tell(&import.result);
    return 0;
}

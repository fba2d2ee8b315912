/*
 * ctl_entries - reads addresses, prefixes and domains, all or nothing.
 *
 * All mistakes of a file are told at once, with their lines, and then nothing
 * is done: half a list is worse than none.  Owns the texts of the entries.
 */
#include "monitor/ctl/ctl_entries.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/ctl/ctl_input_io.h"
#include "monitor/ctl/ctl_output.h"

/* One entry. ------------------------------------------------------------------ */

static bool may_be_domain(const char *text, size_t len)
{
    if (len > 1 && text[len - 1] == '.')
        len--;
    const char *dot = memrchr(text, '.', len);
    const char *last = dot != NULL ? dot + 1 : text;
    return memchr(text, '/', len) == NULL && memchr(text, ':', len) == NULL &&
           last < text + len && !isdigit((unsigned char)*last);
}

/* Text that is no address: perhaps a domain, where domains may stand. */
static int parse_domain(enum weir_list list, const char *text, size_t len,
                        struct weir_ctl_entry *entry_r, const char **why_r)
{
    char domain[WEIR_DOMAIN_TEXT];
    if (memchr(text, '@', len) != NULL) {
        *why_r = "a mail address; only the domain behind the @ can be listed";
        return WEIR_EINVAL;
    }
    if (weir_domain_normal(text, len, domain) != 1) {
        *why_r = "neither an address nor a prefix nor a domain";
        return WEIR_EINVAL;
    }
    if (list != WEIR_LIST_ACCEPT) {
        *why_r = list == WEIR_LIST_BLACK
                     ? "a domain; the blacklist has only addresses and prefixes, since any "
                       "sender can write any domain"
                     : "a domain; only addresses and prefixes have points of their own";
        return WEIR_EINVAL;
    }
    *why_r = "memory is short";
    entry_r->domain = strdup(domain);
    return entry_r->domain != NULL ? 0 : WEIR_ENOMEM;
}

int weir_ctl_entry_parse(enum weir_list list, const char *text, size_t len,
                         struct weir_ctl_entry *entry_r, const char **why_r)
{
    *entry_r = (struct weir_ctl_entry){0};
    int rc = weir_prefix_parse(text, len, &entry_r->prefix, why_r);
    if (rc == 0 || !may_be_domain(text, len))
        return rc;
    return parse_domain(list, text, len, entry_r, why_r);
}

void weir_ctl_entry_free(struct weir_ctl_entry *entry)
{
    free(entry->domain);
    free(entry->reason);
}

void weir_ctl_entry_fill(const struct weir_ctl_entry *from, struct weir_list_entry *entry_r)
{
    memset(entry_r, 0, sizeof *entry_r);
    entry_r->is_domain = from->domain != NULL;
    entry_r->prefix = from->prefix;
    if (from->domain != NULL)
        snprintf(entry_r->domain, sizeof entry_r->domain, "%s", from->domain);
    if (from->reason != NULL)
        snprintf(entry_r->reason, sizeof entry_r->reason, "%s", from->reason);
}

/* Many. ----------------------------------------------------------------------- */

static int append(struct weir_ctl_entries *entries, const struct weir_ctl_entry *entry)
{
    if (entries->n == WEIR_CTL_ENTRIES_MAX)
        return WEIR_ELIMIT;
    if (entries->n == entries->room) {
        size_t room = entries->room > 0 ? 2 * entries->room : 64;
        struct weir_ctl_entry *grown = reallocarray(entries->entry, room, sizeof *grown);
        if (grown == NULL)
            return WEIR_ENOMEM;
        entries->entry = grown;
        entries->room = room;
    }
    entries->entry[entries->n++] = *entry;
    return 0;
}

void weir_ctl_entries_free(struct weir_ctl_entries *entries)
{
    for (size_t i = 0; i < entries->n; i++)
        weir_ctl_entry_free(&entries->entry[i]);
    free(entries->entry);
    *entries = (struct weir_ctl_entries){0};
}

/* What stands before a '#' that begins the line or follows a blank. */
static struct weir_slice without_comment(struct weir_slice line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.at[i] == '#' && (i == 0 || weir_is_space(line.at[i - 1])))
            return weir_slice_trim((struct weir_slice){line.at, i});
    return weir_slice_trim(line);
}

static const char *read_reason(struct weir_slice text, struct weir_ctl_entry *entry)
{
    if (text.len > WEIR_REASON_MAX)
        return "the reason is longer than 255 octets";
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f)
            return "the reason has a control character";
    entry->reason = text.len > 0 ? strndup(text.at, text.len) : NULL;
    return text.len > 0 && entry->reason == NULL ? "memory is short" : NULL;
}

/* Reads a line that is not empty.  NULL or what is wrong with it. */
static const char *read_line(struct weir_ctl *ctl, const struct weir_ctl_input *input,
                             struct weir_slice line, struct weir_ctl_entries *entries)
{
    const char *end = line.at + line.len, *stop = line.at, *why = NULL;
    struct weir_ctl_entry entry;
    while (stop < end && !weir_is_space(*stop))
        stop++;
    if (weir_ctl_entry_parse(ctl->verb->list, line.at, (size_t)(stop - line.at), &entry, &why))
        return why;
    why = read_reason(weir_slice_trim(weir_slice_between(stop, end)), &entry);
    entry.file = weir_ctl_input_name(input);
    entry.line = weir_ctl_input_number(input);
    if (why == NULL && append(entries, &entry) == 0)
        return NULL;
    weir_ctl_entry_free(&entry);
    return why != NULL ? why : "too many entries";
}

static int read_open_file(struct weir_ctl *ctl, struct weir_ctl_input *input,
                          struct weir_ctl_entries *entries)
{
    struct weir_ctl_progress progress = weir_ctl_progress(ctl, "lines");
    unsigned long bad = 0;
    struct weir_slice line = {0};
    int got;
    while ((got = weir_ctl_input_line(input, &line)) > 0 || got == WEIR_ELIMIT) {
        const char *why = got < 0 ? "the line is longer than 1,024 octets" : NULL;
        struct weir_slice text = got < 0 ? line : without_comment(line);
        if (got > 0 && text.len > 0)
            why = read_line(ctl, input, text, entries);
        if (why != NULL && ++bad <= WEIR_CTL_COMPLAINTS_MOST)
            weir_ctl_error_at(ctl, input, why);
        weir_ctl_progress_step(&progress, weir_ctl_input_done(input),
                               weir_ctl_input_total(input));
    }
    weir_ctl_progress_end(&progress);
    if (got < 0)
        return weir_ctl_error(ctl, EX_IOERR, "%s: %s", weir_ctl_input_name(input),
                              strerror(errno));
    if (bad > 0)
        return weir_ctl_error(ctl, EX_DATAERR, "%s: %lu wrong lines; nothing was done",
                              weir_ctl_input_name(input), bad);
    return 0;
}

static int read_file(struct weir_ctl *ctl, const char *path, struct weir_ctl_entries *entries)
{
    struct weir_ctl_input *input = NULL;
    int code = weir_ctl_input_open(ctl, path, WEIR_CTL_LINE_MAX, &input);
    if (code == 0)
        code = read_open_file(ctl, input, entries);
    weir_ctl_input_free(&input);
    return code;
}

static int read_argument(struct weir_ctl *ctl, const char *text, struct weir_ctl_entries *entries)
{
    struct weir_ctl_entry entry;
    const char *why = NULL;
    if (strcmp(text, "-") == 0)
        return read_file(ctl, text, entries);
    if (weir_ctl_entry_parse(ctl->verb->list, text, strlen(text), &entry, &why) != 0)
        return weir_ctl_error(ctl, EX_USAGE, "%s: %s", text, why);
    if (append(entries, &entry) == 0)
        return 0;
    weir_ctl_entry_free(&entry);
    return weir_ctl_error(ctl, EX_OSERR, "memory is short");
}

int weir_ctl_entries_read(struct weir_ctl *ctl, struct weir_ctl_entries *entries_r)
{
    const char *file = ctl->option[WEIR_CTL_FILE];
    int code = 0;
    *entries_r = (struct weir_ctl_entries){0};
    for (int i = 0; i < ctl->arguments; i++) {
        int rc = read_argument(ctl, ctl->argument[i], entries_r);
        code = rc != 0 ? rc : code;
    }
    if (file != NULL) {
        int rc = read_file(ctl, file, entries_r);
        code = rc != 0 ? rc : code;
    }
    if (code == 0 && entries_r->n == 0)
        code = weir_ctl_error(ctl, EX_DATAERR, "there is not one entry; nothing was done");
    if (code != 0)
        weir_ctl_entries_free(entries_r);
    return code;
}

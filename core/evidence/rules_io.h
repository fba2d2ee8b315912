/*
 * rules_io - rule sets in files: sources read, images built, mapped and changed at work.
 *
 * An image file is never written over, only replaced by rename(), so that whoever has
 * it mapped goes on with the old one.  A set at work looks once a second whether there
 * is a new file; a new one that cannot be used is logged once, and the old one stays.
 *
 * Owner:    the caller owns handles.  Threads: a weir_rule_file may be used by many threads;
 *           each takes and gives back what it works with.
 */
#ifndef WEIR_EVIDENCE_RULES_IO_H
#define WEIR_EVIDENCE_RULES_IO_H

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/evidence/rules.h"

/* Reads the rule files of a folder (*.rules, by name) or one file.  0 or an error with errno;
 * what is wrong in them is counted in sources_r->errors and reported, and so is one that is no
 * regular file (a pipe, a folder, ...). */
int weir_rules_read_files(const char *path, struct weir_arena *arena, weir_rule_report *report,
                          void *context, struct weir_rule_sources *sources_r);

/* The same, adding to what a reader has already; a place that is not there is WEIR_EIO. */
int weir_rules_add_files(struct weir_rule_reader *reader, const char *path,
                         struct weir_arena *arena);

/* Whether a folder's file of this name is read: *.rules, and no dot in front. */
bool weir_rules_is_file(const char *name);

/* Writes an image beside path and renames it there, durable.  0 or WEIR_EIO. */
int weir_rules_write_image(const char *path, const void *octets, size_t len);

struct weir_rule_file;

struct weir_rule_file_options {
    bool full;      /* see weir_rules_attach() */
    bool trust_folder; /* of a set that is not full: ready-made expressions are also believed when
                        * the file is its folder's owner's */
    bool hyperscan; /* see weir_rules_use_hyperscan(); where it cannot be used, logged once */
};

/* Opens the image at path; a file that is not there yet is an empty set.  0, WEIR_ECORRUPT,
 * WEIR_EIO, WEIR_ENOMEM; *why_r static text. */
int weir_rule_file_open(const char *path, const struct weir_rule_file_options *options,
                        const struct weir_log *log, struct weir_rule_file **file_r,
                        const char **why_r);
void weir_rule_file_free(struct weir_rule_file **file);

/* Compiles all expressions of the set as it is now, for a daemon that has time before its
 * first message.  Returns how many could not be. */
size_t weir_rule_file_compile(struct weir_rule_file *file, weir_time now);

/* A matcher for the set as it is now (looked at again when a second has passed), from a
 * pool; NULL when there are no rules or memory is short.  Given back after the message. */
struct weir_matcher *weir_rule_file_take(struct weir_rule_file *file, weir_time now);
void weir_rule_file_give(struct weir_rule_file *file, struct weir_matcher **matcher);

#endif

/*
 * bayes_file - the word list at work: the section "bayes" of the published set that the rules at
 * work were made of, read where it lies in its file (claims B12, C28, C29).
 *
 * The file is mapped, never copied; all processes of a server share its pages.  Another set's rules
 * at work bring that set's word list with them; one that cannot be used, because it was changed,
 * cut, or signed by somebody else, is told of once, and the one before stays.
 *
 * Owner:    the caller owns the handle; a list that was taken lives until it is given back.
 * Threads:  any; no lock is held while a file is read.
 * Errors:   no list is no error: mail is judged without.
 * Limits:   WEIR_RULE_PARCEL_MAX octets.  Who writes over the file, instead of replacing it as the
 *           agent does, takes down who reads it.
 * See also: parcels_io.h, core/evidence/bayes_table.h.
 */
#ifndef WEIR_ENGINE_BAYES_FILE_IO_H
#define WEIR_ENGINE_BAYES_FILE_IO_H

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/evidence/bayes_table.h"

struct weir_bayes_file;

struct weir_bayes_list {
    struct weir_bayes_table table;
    uint32_t serial;   /* of its set */
};

/* Of the published sets in a folder, which is copied.  full: signatures are looked at, some 2 ms a
 * megabyte; without, for processes that live for one message, the rules at work answer for it: they
 * were made of a set that was looked at.  0 or WEIR_ENOMEM. */
int weir_bayes_file_new(const char *folder, bool full, const struct weir_log *log,
                        struct weir_bayes_file **file_r);
void weir_bayes_file_free(struct weir_bayes_file **file);

/* The word list for rules of a serial; NULL: there is none.  While another thread reads a new one,
 * that is the one before. */
const struct weir_bayes_list *weir_bayes_file_take(struct weir_bayes_file *file, uint32_t serial,
                                                   weir_time now);
void weir_bayes_file_give(struct weir_bayes_file *file, const struct weir_bayes_list **list);

#endif

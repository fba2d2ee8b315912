/*
 * ctl_mails - messages one after the other: files of one message, mboxes, folders of both,
 * Maildirs.
 *
 * A file whose first line begins with "From " is an mbox: a message ends before such a line behind
 * an empty one, and ">From " is "From " again (mboxrd).  Of a Maildir what is still being delivered
 * (tmp) is passed over.
 *
 * Owner:    the caller owns the handle; a message and its name live until the next one.
 * Errors:   exit codes, after what went wrong was told; a file that cannot be read is told,
 *           counted, and passed over.
 * Limits:   WEIR_MESSAGE_MAX octets of a message are read.
 */
#ifndef WEIR_CTL_MAILS_IO_H
#define WEIR_CTL_MAILS_IO_H

#include "core/engine/judge.h"
#include "monitor/ctl/ctl.h"

struct weir_ctl_mails;

/* Of paths ("-" or none: the standard input).  0 or an exit code. */
int weir_ctl_mails_open(struct weir_ctl *ctl, char **path, int paths,
                        struct weir_ctl_mails **mails_r);
void weir_ctl_mails_free(struct weir_ctl_mails **mails);

/* The next one: 1 with its name ("mbox:3": the third) and octets, or 0 at the end. */
int weir_ctl_mails_next(struct weir_ctl_mails *mails, const char **name_r,
                        struct weir_slice *octets_r);

/* Files that could not be read; files behind us, and in all. */
size_t weir_ctl_mails_unread(const struct weir_ctl_mails *mails);
size_t weir_ctl_mails_done(const struct weir_ctl_mails *mails);
size_t weir_ctl_mails_files(const struct weir_ctl_mails *mails);

/* What a message that lies in a file says itself (ctl_mail.c): its sender; with client who handed
 * it to its reader's server, too.  What it points to lives in octets and the arena. */
void weir_ctl_mail_read(struct weir_slice octets, struct weir_arena *arena, bool client,
                        struct weir_mail *mail);

#endif

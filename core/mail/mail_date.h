/*
 * mail_date - the date of an RFC 5322 field as a time.
 *
 *     Mon, 10 Jun 2002 08:15:20 +0100 (IST)      also without day of week or seconds,
 *     10 Jun 02 08:15 GMT                        two-digit years, named and military zones
 *     Mon Jun 10 08:15:20 2002 +0100             as ctime() writes it
 *
 * Errors:   0 for what is no date, or one outside the years 1970..9999.
 * Limits:   a zone nobody can know (a name without a number behind it) counts as
 *           UTC, as RFC 5322 4.3 says.
 */
#ifndef WEIR_MAIL_MAIL_DATE_H
#define WEIR_MAIL_MAIL_DATE_H

#include "core/base/clock.h"
#include "core/base/cursor.h"

/* 1, or 0.  What stands behind the zone (a comment) does not matter. */
int weir_mail_date_read(struct weir_slice text, weir_time *time_r);

#endif

/*
 * view_time - reads times and spans as people write them.
 *
 * Threads:  pure.  Errors: WEIR_EINVAL.
 */
#ifndef WEIR_VIEW_VIEW_TIME_H
#define WEIR_VIEW_VIEW_TIME_H

#include "core/base/clock.h"

/* "2026-11-21", "2026-11-21 18:13", "2026-11-21T18:13:00Z" (all UTC; "+01:00" behind it is
 * understood) or Unix seconds with or without decimals.  0 or WEIR_EINVAL. */
int weir_view_time_read(const char *text, weir_time *time_r);

/* A span: digits and ms, s, m, h, d or w.  0 or WEIR_EINVAL. */
int weir_view_period_read(const char *text, weir_time *period_r);

#endif

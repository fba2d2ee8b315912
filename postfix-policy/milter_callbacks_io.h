/*
 * milter_callbacks - what libmilter calls, and what is done with an outcome.
 */
#ifndef WEIR_POLICY_MILTER_CALLBACKS_IO_H
#define WEIR_POLICY_MILTER_CALLBACKS_IO_H

#include "postfix-policy/milter_service_io.h"

/* Tells libmilter of this filter; its callbacks use the service, which must outlive them.
 * 0 or WEIR_ENOMEM. */
int weir_milter_register(struct weir_milter_service *service);

/* Messages that have begun and not ended, in all sessions. */
unsigned weir_milter_messages(void);

#endif

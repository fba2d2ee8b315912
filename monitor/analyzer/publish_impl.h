/*
 * publish_impl - the publisher from inside: making and keeping sets (publish_io.c), and what is
 * known of their serials besides the database (publish_serials_io.c).
 */
#ifndef WEIR_ANALYZER_PUBLISH_IMPL_H
#define WEIR_ANALYZER_PUBLISH_IMPL_H

#include "monitor/analyzer/publish_io.h"

struct weir_publisher {
    struct weir_publisher_options options;
    const struct weir_log *log;
    struct weir_parcel_keys keys;
    char key[WEIR_PARCEL_KEY_TEXT];
    pthread_mutex_t turn, giving;
    uint32_t serial;                 /* with `giving`, and what follows */
    uint32_t last;                   /* serial that was given, as far as is known */
    struct weir_shared_text *file;
    bool held;
    struct weir_log_gate doubts;
};

/* With the database's lock: serials go on behind those that the file beside the key knows.  0 or an
 * error of the database. */
int weir_publish_serials_open(struct weir_publisher *publisher);

/* Notes in that file what was given; that it cannot be written is logged. */
void weir_publish_serials_note(struct weir_publisher *publisher, uint32_t serial);

#endif

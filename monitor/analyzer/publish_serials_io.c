/*
 * Servers refuse a set that is older than theirs, and a database can be lost, or put back from an
 * old copy: then serials that start anew would be refused everywhere.  So the last one is noted
 * beside the key as well, in KEY.serial, and heard from servers.
 *
 * A server is believed as far as WEIR_RULE_SERIAL_AHEAD beyond the newest set here, so that whoever
 * has stolen an identity cannot use up the serials; what is in the file is our own.
 */
#include "monitor/analyzer/publish_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/replace_io.h"
#include "monitor/database/database_sets_io.h"

#define SUFFIX ".serial"

static const char *path_of(const struct weir_publisher *publisher,
                           char path_r[static WEIR_PATH_MAX])
{
    snprintf(path_r, WEIR_PATH_MAX, "%s" SUFFIX, publisher->options.key_path);
    return path_r;
}

static void tell(const struct weir_publisher *publisher, const char *who, uint32_t serial)
{
    weir_log(publisher->log, WEIR_LOG_WARNING, "%s: rule set %" PRIu32 " was published, and the "
             "database knows none newer than %" PRIu32 ": it was made anew, or is an old copy; see "
             "that the rulebook is as it should be, and publish: servers will get set %" PRIu32,
             who, serial, publisher->serial, serial + 1);
}

/* 0: there is none, or it is damaged. */
static uint32_t read_file(const struct weir_publisher *publisher)
{
    char path[WEIR_PATH_MAX];
    uint32_t serial = 0;
    FILE *file = fopen(path_of(publisher, path), "re");

    if (!file)
        return 0;
    if (fscanf(file, "%10" SCNu32, &serial) != 1 || serial > WEIR_RULE_SERIAL_MAX) {
        weir_log(publisher->log, WEIR_LOG_WARNING, "%s: it is no serial, and not looked at", path);
        serial = 0;
    }
    fclose(file);
    return serial;
}

void weir_publish_serials_note(struct weir_publisher *publisher, uint32_t serial)
{
    struct weir_replacement new;
    char path[WEIR_PATH_MAX];
    int rc = weir_replace_begin(path_of(publisher, path), 0644, &new);

    if (rc == 0)
        rc = weir_replace_end(&new, fprintf(new.file, "%" PRIu32 "\n", serial) > 0);
    if (rc < 0)
        weir_log(publisher->log, WEIR_LOG_WARNING, "%s: %s: should the database be lost, serials "
                 "go on only behind those that servers tell of", path, strerror(errno));
}

int weir_publish_serials_open(struct weir_publisher *publisher)
{
    struct weir_database *database = publisher->options.database;
    uint32_t noted = read_file(publisher), last = 0;
    int rc = weir_database_set_given(database, noted);

    if (rc >= 0)
        rc = weir_database_set_last(database, &last);
    if (rc < 0)
        return rc;
    publisher->last = last;
    if (last > publisher->serial)
        tell(publisher, "monitor", last);
    if (last > noted)
        weir_publish_serials_note(publisher, last);
    return 0;
}

/* What is heard, under the lock: the first look is on the way of every server's report. */
enum heard { KNOWN, NEWS, DOUBTED, DOUBTED_TOLD };

static enum heard look(struct weir_publisher *publisher, uint32_t serial, weir_time now,
                       unsigned *more_r)
{
    enum heard heard = KNOWN;

    pthread_mutex_lock(&publisher->giving);
    if (serial > publisher->last) {
        heard = serial > WEIR_RULE_SERIAL_MAX || serial - publisher->serial > WEIR_RULE_SERIAL_AHEAD
                    ? DOUBTED : NEWS;
        if (heard == DOUBTED && weir_log_gate_open(&publisher->doubts, now, WEIR_HOUR, more_r))
            heard = DOUBTED_TOLD;
    }
    pthread_mutex_unlock(&publisher->giving);
    return heard;
}

static int take(struct weir_publisher *publisher, uint32_t serial)
{
    int rc;

    pthread_mutex_lock(publisher->options.lock);
    rc = weir_database_set_given(publisher->options.database, serial);
    if (rc < 0)
        weir_log(publisher->log, WEIR_LOG_ERROR, "%s",
                 weir_database_why(publisher->options.database));
    pthread_mutex_unlock(publisher->options.lock);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&publisher->giving);
    if (publisher->last < serial)
        publisher->last = serial;
    pthread_mutex_unlock(&publisher->giving);
    return rc;
}

int weir_publisher_heard(struct weir_publisher *publisher, const char *who, uint32_t serial,
                         weir_time now)
{
    unsigned more = 0;
    enum heard heard = look(publisher, serial, now, &more);
    int rc;

    if (heard == DOUBTED_TOLD)
        weir_log(publisher->log, WEIR_LOG_ERROR, "%s says it has rule set %" PRIu32 ", which is "
                 "too far from the newest one: it is not believed (and %u times more)", who,
                 serial, more);
    if (heard != NEWS)
        return heard == KNOWN ? 0 : WEIR_ELIMIT;
    rc = take(publisher, serial);
    if (rc == 1)
        tell(publisher, who, serial);
    return rc;
}

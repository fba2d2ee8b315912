/*
 * What becomes of times when the wall clock is put back: a clock that was ahead for a while must
 * not count for as long as it was ahead.
 *
 * What is in memory is moved in any case, and so are alerts and silences: better is somebody told
 * too soon than nobody for as long as the clock was ahead.  Decisions of the database are moved
 * only where the clock had been put forward within the hour before: else nobody knows which of the
 * two was right, and a clock that is behind for some seconds must not end all blocks early.
 * A clock that was put forward and then too far back is believed no more than before: nothing
 * that lies in the past by the clock from before is moved, or the way back to it would be time in
 * which buckets fill.  Forward a clock just goes on: what lay in between is gone.
 *
 * What is counted and said goes by the sound clock, which a glitch does not touch (sound.h).
 */
#include "monitor/database/database_rebase_io.h"
#include "monitor/monitor_impl.h"

#define GLITCH WEIR_HOUR    /* no longer than that was it wrong */

static void rebase(struct weir_monitor *monitor, weir_time now, bool stored)
{
    int moved;

    weir_receiver_lock(monitor->receiver);
    weir_receiver_rebase(monitor->receiver, now);
    weir_watch_rebase(monitor->watch, now);
    weir_receiver_unlock(monitor->receiver);
    weir_admit_rebase(monitor->admit, now);
    pthread_mutex_lock(&monitor->lock);
    moved = weir_database_servers_rebase(monitor->database, now);
    if (moved >= 0)
        moved = weir_database_rebase_alerts(monitor->database, now);
    if (moved >= 0)
        moved = weir_responder_rebase(monitor->responder, now, stored);
    if (moved < 0)
        weir_monitor_trouble(monitor, "what was decided while the clock was ahead lasts too long",
                             moved);
    (void)weir_monitor_read_silences(monitor);
    pthread_mutex_unlock(&monitor->lock);
    if (moved > 0)
        weir_log(&monitor->shared_log, WEIR_LOG_WARNING, "%d decisions were made while the clock "
                 "was ahead: they last as long from now on", moved);
}

/* Set back: what it dated later is of now, or of what it would be had nobody set it. */
static void take_back(struct weir_monitor *monitor, weir_time now, weir_time steady)
{
    const struct weir_monitor_clocks *clocks = &monitor->clocks;
    bool glitch = clocks->forward > 0 && steady - clocks->forward < GLITCH;
    weir_time then = steady + clocks->trusted;

    rebase(monitor, glitch && then > now ? then : now, glitch);
}

weir_time weir_monitor_look_at_clock(struct weir_monitor *monitor, weir_time now,
                                     weir_time steady)
{
    struct weir_monitor_clocks *clocks = &monitor->clocks;
    weir_time before = clocks->step.looked ? clocks->step.ahead : now - steady;
    weir_time by = weir_step_look(&clocks->step, now, steady);

    if (clocks->stepped == 0 || steady - clocks->stepped > GLITCH)
        clocks->trusted = by != 0 ? before : clocks->step.ahead;
    if (by == 0)
        return 0;
    clocks->stepped = steady;
    weir_log(&monitor->shared_log, WEIR_LOG_WARNING, "the clock was put %s by %.0f seconds%s",
             by > 0 ? "forward" : "back", (double)(by > 0 ? by : -by) / WEIR_SECOND,
             by > 0 ? "" : ": what it dated later counts from now on");
    if (by > 0)
        clocks->forward = steady;
    else
        take_back(monitor, now, steady);
    return by;
}

/* The sound clock. ------------------------------------------------------------- */

static weir_time read_sound(void *context)
{
    struct weir_monitor *monitor = context;
    weir_time sound;

    pthread_mutex_lock(&monitor->sounding);
    sound = weir_sound_now(&monitor->sounds, weir_clock_now(&monitor->wall),
                           weir_clock_now(&monitor->steady));
    pthread_mutex_unlock(&monitor->sounding);
    return sound;
}

void weir_monitor_sound_open(struct weir_monitor *monitor)
{
    pthread_mutex_init(&monitor->sounding, NULL);
    monitor->sound = (struct weir_clock){.now = read_sound, .context = monitor};
}

void weir_monitor_sound_close(struct weir_monitor *monitor)
{
    pthread_mutex_destroy(&monitor->sounding);
}

/* What waits goes to the database first, so that it is moved there; what is moved in memory after
 * that.  How many rows of it were moved, or an error; *later_r: not yet. */
static int rebase_counts(struct weir_monitor *monitor, weir_time now, bool *later_r)
{
    int done = weir_counting_store(monitor->counting, now), moved = 0;

    *later_r = done > 0;
    if (done == 0)
        done = moved = weir_database_rebase_counts(monitor->database, now);
    if (done >= 0 && !*later_r && weir_counting_rebase(monitor->counting, now)) {
        moved++;
        done = weir_counting_store(monitor->counting, now);
    }
    return done < 0 ? done : moved;
}

void weir_monitor_rebase_counts(struct weir_monitor *monitor, bool timely)
{
    weir_time now = weir_clock_now(&monitor->sound);
    bool due = monitor->counted == 0 || now < monitor->counted, later = false;
    int moved = 0;

    if (due && timely) {
        pthread_mutex_lock(&monitor->lock);
        moved = rebase_counts(monitor, now, &later);
        if (moved < 0)
            weir_monitor_trouble(monitor, "what was counted while the clock was ahead counts too "
                                 "much", moved);
        pthread_mutex_unlock(&monitor->lock);
    }
    if (moved > 0)
        weir_log(&monitor->shared_log, WEIR_LOG_WARNING, "%d records of rules, messages and "
                 "reports were dated later than now: they are of now", moved);
    if (!due || (timely && !later && moved >= 0))
        monitor->counted = now;
}

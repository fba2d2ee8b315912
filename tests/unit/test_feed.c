/* feed - an event as long as it may be is told, and one past it is not; who listens is asked about.
 * What listeners get is tested by real ones: tests/end2end/test_console.py, test_console_live.py.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/console/feed_io.h"

#define AROUND 96 /* octets of an event beside its name and what it says, at most */

static int setup(void **state)
{
    struct weir_feed *feed;

    assert_int_equal(weir_feed_new(WEIR_SECOND, 2, &feed), 0);
    *state = feed;
    return 0;
}

static int teardown(void **state)
{
    struct weir_feed *feed = *state;

    weir_feed_close(feed);
    weir_feed_free(&feed);
    weir_feed_free(&feed);
    weir_feed_free(NULL);
    return 0;
}

static int tell(struct weir_feed *feed, size_t len)
{
    char *data = malloc(len + 1);
    int rc;

    memset(data, 'x', len);
    data[len] = '\0';
    rc = weir_feed_tell(feed, "rules", data);
    free(data);
    return rc;
}

static void an_event_is_so_long_and_no_longer(void **state)
{
    const size_t most = WEIR_FEED_EVENT_MAX - AROUND - strlen("rules");

    assert_int_equal(tell(*state, 0), 0);
    assert_int_equal(tell(*state, most), 0);
    assert_int_equal(tell(*state, most + 1), WEIR_ELIMIT);
}

static void what_is_too_old_goes_and_more_names_than_there_are_harm_nothing(void **state)
{
    char name[] = "name-a";

    for (int i = 0; i < 3 * WEIR_FEED_KEPT; i++) {
        name[5] = (char)('a' + i % (WEIR_FEED_NAMES + 2));
        assert_int_equal(weir_feed_tell(*state, name, "{}"), 0);
        assert_int_equal(weir_feed_beat(*state), 0);
    }
}

static bool nobody(void *context, const struct weir_feed_who *who)
{
    (void)context, (void)who;
    fail_msg("nobody listens");
    return false;
}

static void while_nobody_listens_nobody_is_asked_about(void **state)
{
    assert_int_equal(weir_feed_listeners(*state), 0);
    assert_int_equal(weir_feed_ask(*state, nobody, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_event_is_so_long_and_no_longer, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_is_too_old_goes_and_more_names_than_there_are_harm_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(while_nobody_listens_nobody_is_asked_about, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

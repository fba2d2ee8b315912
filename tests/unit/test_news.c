/*
 * What answers of the monitor say of its newest rule set (monitor/agent/news.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/slice.h"
#include "monitor/agent/news.h"

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" /* the octets 0 to 31 */

static void what_is_written_is_read_again(void **state)
{
    struct weir_news news = {.serial = WEIR_RULE_SERIAL_MAX, .within = 20 * WEIR_SECOND}, again;
    char text[WEIR_NEWS_TEXT];

    (void)state;
    for (uint8_t i = 0; i < sizeof news.open; i++)
        news.open[i] = i;
    assert_string_equal(weir_news_write(&news, text), "268435455 " KEY " 20000");
    assert_true(weir_news_read(weir_slice_of(text), &again));
    assert_int_equal(again.serial, news.serial);
    assert_int_equal(again.within, news.within);
    assert_memory_equal(again.open, news.open, sizeof news.open);
}

static void a_time_that_is_too_long_is_the_longest(void **state)
{
    struct weir_news news;

    (void)state;
    assert_true(weir_news_read(weir_slice_of("1 " KEY " 30000"), &news));
    assert_int_equal(news.within, WEIR_NEWS_WITHIN_MAX);
    assert_true(weir_news_read(weir_slice_of("1 " KEY " 4294967295"), &news));
    assert_int_equal(news.within, WEIR_NEWS_WITHIN_MAX);
}

static void whatever_else_it_says_is_none(void **state)
{
    static const char *const none[] = {
        "", "1", "1 " KEY, "1 " KEY " ", " 1 x 0", "x " KEY " 0", "-1 " KEY " 0",
        "268435456 " KEY " 0", "99999999999999999999 " KEY " 0", "1 " KEY "A 0", "1 A" KEY " 0",
        "1 " KEY " 4294967296", "1 " KEY " 0 more", "1 " KEY " -5", "1 ? 0",
    };
    struct weir_news news;

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        if (weir_news_read(weir_slice_of(none[i]), &news))
            fail_msg("\"%s\" was taken", none[i]);
    assert_true(weir_news_read(weir_slice_of("0 " KEY " 0"), &news)); /* nothing published yet */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(a_time_that_is_too_long_is_the_longest),
        cmocka_unit_test(whatever_else_it_says_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

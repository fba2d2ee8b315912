/* visitors - who drips is cut, who crowds cuts his own, and who is known or waits for us is not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/program/visitors.h"

#define NOW (1000 * WEIR_SECOND)
#define OF_ADDRESS 64u
#define STRANGERS 1024u
#define HEAD (30 * WEIR_SECOND)

static struct weir_visitor pool[STRANGERS + 2];

static struct weir_visitor *open_one(struct weir_visitors *visitors, size_t i, const char *from)
{
    struct weir_address address;

    assert_int_equal(weir_address_parse(from, strlen(from), &address), 0);
    return weir_visitors_opened(visitors, &pool[i], (int)i, &address, NOW);
}

static void who_has_not_asked_in_time_is_cut_once(void **state)
{
    struct weir_visitors visitors = {.limits = {OF_ADDRESS, STRANGERS, HEAD}};
    (void)state;
    assert_null(open_one(&visitors, 0, "192.0.2.1"));
    assert_null(weir_visitors_late(&visitors, NOW + HEAD - 1));
    assert_ptr_equal(weir_visitors_late(&visitors, NOW + HEAD), &pool[0]);
    assert_null(weir_visitors_late(&visitors, NOW + HEAD));
    assert_null(open_one(&visitors, 1, "192.0.2.1"));
    pool[1].due = 0;
    assert_null(weir_visitors_late(&visitors, NOW + 10 * WEIR_HOUR));
    pool[1].due = NOW + WEIR_HOUR;
    pool[1].known = true;
    assert_ptr_equal(weir_visitors_late(&visitors, NOW + WEIR_HOUR), &pool[1]);
}

static void an_address_that_crowds_cuts_its_own(void **state)
{
    struct weir_visitors visitors = {.limits = {OF_ADDRESS, STRANGERS, HEAD}};
    (void)state;
    assert_null(open_one(&visitors, 0, "192.0.2.1"));
    for (size_t i = 1; i <= OF_ADDRESS; i++)
        assert_null(open_one(&visitors, i, "2001:db8::1"));
    assert_ptr_equal(open_one(&visitors, OF_ADDRESS + 1, "2001:db8::ffff"),
                     &pool[1]);
    pool[2].known = true;
    pool[3].due = 0;
    assert_null(open_one(&visitors, OF_ADDRESS + 2, "2001:db8::2"));
    assert_null(open_one(&visitors, OF_ADDRESS + 3, "2001:db8::2"));
    assert_ptr_equal(open_one(&visitors, OF_ADDRESS + 4, "2001:db8::2"), &pool[4]);
}

static void among_too_many_strangers_the_oldest_goes(void **state)
{
    struct weir_visitors visitors = {.limits = {OF_ADDRESS, STRANGERS, HEAD}};
    char from[32];
    (void)state;
    for (size_t i = 0; i < STRANGERS; i++) {
        snprintf(from, sizeof from, "10.0.%zu.%zu", i / 250, i % 250);
        assert_null(open_one(&visitors, i, from));
    }
    assert_ptr_equal(open_one(&visitors, STRANGERS, "192.0.2.1"), &pool[0]);
    for (size_t i = 0; i <= STRANGERS; i += 2)
        weir_visitors_closed(&visitors, &pool[i]);
    for (size_t i = 1; i < STRANGERS; i += 2)
        weir_visitors_closed(&visitors, &pool[i]);
    assert_true(!visitors.first && !visitors.last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_not_asked_in_time_is_cut_once),
        cmocka_unit_test(an_address_that_crowds_cuts_its_own),
        cmocka_unit_test(among_too_many_strangers_the_oldest_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

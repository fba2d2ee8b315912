/* metrics_text - what Prometheus reads, whatever stands in labels; view_metrics.c - the same of
 * JSON. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/program/metrics_text.h"
#include "monitor/view/view_metrics.h"

static int setup(void **state)
{
    *state = weir_metrics_new();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct weir_metrics *metrics = *state;

    weir_metrics_free(&metrics);
    weir_metrics_free(&metrics);
    return 0;
}

static const char *text_of(const struct weir_metrics *metrics, int error)
{
    const char *text;

    assert_int_equal(weir_metrics_text(metrics, &text), error);
    return text;
}

static void families_have_heads_and_samples(void **state)
{
    struct weir_metrics *metrics = *state;

    assert_string_equal(text_of(metrics, 0), "");
    weir_metrics_family(metrics, WEIR_COUNTER_METRIC, "weir_a_total", "What \\ it\nis, \"a\".");
    weir_metrics_sample(metrics, (struct weir_metrics_label[]){{"x", "1"}, {"y", "2"}}, 2, 3);
    weir_metrics_sample(metrics, (struct weir_metrics_label[]){{"x", "2"}}, 1, 0.25);
    weir_metrics_family(metrics, WEIR_GAUGE_METRIC, "weir_left_out", "It has none.");
    weir_metrics_family(metrics, WEIR_GAUGE_METRIC, "weir_b", "Another.");
    weir_metrics_sample(metrics, NULL, 0, -7);
    assert_string_equal(text_of(metrics, 0),
                        "# HELP weir_a_total What \\\\ it\\nis, \"a\".\n"
                        "# TYPE weir_a_total counter\n"
                        "weir_a_total{x=\"1\",y=\"2\"} 3\n"
                        "weir_a_total{x=\"2\"} 0.25\n"
                        "# HELP weir_b Another.\n"
                        "# TYPE weir_b gauge\n"
                        "weir_b -7\n");
}

/* The value of the only label of the only sample. */
static void shown(const char *value, const char *want)
{
    struct weir_metrics *metrics = weir_metrics_new();
    char line[1024];

    assert_non_null(metrics);
    weir_metrics_family(metrics, WEIR_GAUGE_METRIC, "weir_a", "A.");
    weir_metrics_sample(metrics, (struct weir_metrics_label[]){{"x", value}}, 1, 1);
    snprintf(line, sizeof line, "\nweir_a{x=\"%s\"} 1\n", want);
    assert_non_null(strstr(text_of(metrics, 0), line));
    weir_metrics_free(&metrics);
}

static void hostile_values_stay_in_their_quotes(void **state)
{
    char value[WEIR_METRICS_VALUE + 2], want[WEIR_METRICS_VALUE + 2];

    (void)state;
    shown("", "");
    shown("a\"} 1\nweir_b 2\\", "a\\\"} 1\\nweir_b 2\\\\");
    shown("\r\t\x01\x7f", "????");
    shown("\xff\xc0\xaf" "a\xe2\x82", "???a??");
    shown("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
    shown("\xe2\x80\xae" "txt", "???txt");
    memset(value, 'a', sizeof value);
    value[WEIR_METRICS_VALUE + 1] = '\0';
    memset(want, 'a', sizeof want);
    want[WEIR_METRICS_VALUE] = '\0';
    shown(want, want);
    shown(value, want);
    memcpy(value + WEIR_METRICS_VALUE - 1, "\xc3\xbc", 2); /* half of it would fit */
    want[WEIR_METRICS_VALUE - 1] = '\0';
    shown(value, want);
}

static void numbers_are_written_as_they_are(void **state)
{
    static const struct {
        double value;
        const char *want;
    } cases[] = {
        {0, "weir_a 0\n"}, {1e14, "weir_a 100000000000000\n"}, {1.5, "weir_a 1.5\n"},
        {1e300, "weir_a 1e+300\n"}, {NAN, "weir_a NaN\n"}, {INFINITY, "weir_a +Inf\n"},
        {-INFINITY, "weir_a -Inf\n"}, {4294967296.0, "weir_a 4294967296\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_metrics *metrics = weir_metrics_new();

        assert_non_null(metrics);
        weir_metrics_family(metrics, WEIR_GAUGE_METRIC, "weir_a", "A.");
        weir_metrics_sample(metrics, NULL, 0, cases[i].value);
        assert_non_null(strstr(text_of(metrics, 0), cases[i].want));
        weir_metrics_free(&metrics);
    }
}

static void wrong_names_are_refused(void **state)
{
    static const struct {
        enum weir_metrics_type type;
        const char *name;
        int error;
    } cases[] = {
        {WEIR_COUNTER_METRIC, "weir_a_total", 0},
        {WEIR_GAUGE_METRIC, "weir_a_octets", 0},
        {WEIR_COUNTER_METRIC, "weir_a", WEIR_EINVAL},
        {WEIR_GAUGE_METRIC, "weir_a_total", WEIR_EINVAL},
        {WEIR_GAUGE_METRIC, "a", WEIR_EINVAL},
        {WEIR_GAUGE_METRIC, "", WEIR_EINVAL},
        {WEIR_GAUGE_METRIC, "weir_a b", WEIR_EINVAL},
        {WEIR_GAUGE_METRIC, "weir_A", WEIR_EINVAL},
        {WEIR_HISTOGRAM_METRIC, "weir_a_seconds", 0},
        {WEIR_HISTOGRAM_METRIC, "weir_a", WEIR_EINVAL},
        {WEIR_HISTOGRAM_METRIC, "weir_a_total", WEIR_EINVAL},
        {WEIR_GAUGE_METRIC, "weir_a{x=\"", WEIR_EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_metrics *metrics = weir_metrics_new();

        assert_non_null(metrics);
        weir_metrics_family(metrics, cases[i].type, cases[i].name, "A.");
        (void)text_of(metrics, cases[i].error);
        weir_metrics_free(&metrics);
    }
}

static void a_family_comes_once(void **state)
{
    struct weir_metrics *metrics = *state;

    weir_metrics_family(metrics, WEIR_GAUGE_METRIC, "weir_a", "A.");
    weir_metrics_sample(metrics, NULL, 0, 1);
    weir_metrics_family(metrics, WEIR_GAUGE_METRIC, "weir_a_b", "A.");
    weir_metrics_sample(metrics, NULL, 0, 1);
    (void)text_of(metrics, 0);
    weir_metrics_family(metrics, WEIR_GAUGE_METRIC, "weir_a", "A.");
    (void)text_of(metrics, WEIR_EINVAL);
}

static void a_sample_needs_a_family_and_names_of_labels(void **state)
{
    struct weir_metrics *metrics = *state, *other = weir_metrics_new();

    assert_non_null(other);
    weir_metrics_sample(metrics, NULL, 0, 1);
    (void)text_of(metrics, WEIR_EINVAL);
    weir_metrics_family(other, WEIR_GAUGE_METRIC, "weir_a", "A.");
    weir_metrics_sample(other, (struct weir_metrics_label[]){{"x=\"", "1"}}, 1, 1);
    assert_string_equal(text_of(other, WEIR_EINVAL), "");
    weir_metrics_free(&other);
}

static void so_many_labels_and_no_more(void **state)
{
    const struct weir_metrics_label label[WEIR_METRICS_LABELS + 1] = {
        {"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}, {"e", "5"}};
    struct weir_metrics *metrics = *state;

    weir_metrics_family(metrics, WEIR_GAUGE_METRIC, "weir_a", "A.");
    weir_metrics_sample(metrics, label, WEIR_METRICS_LABELS, 1);
    (void)text_of(metrics, 0);
    weir_metrics_sample(metrics, label, WEIR_METRICS_LABELS + 1, 1);
    (void)text_of(metrics, WEIR_ELIMIT);
}

static void histograms_add_up_to_all(void **state)
{
    const struct weir_histogram_reading reading = {
        .bucket = {[0] = 1, [6] = 4, [WEIR_HISTOGRAM_BOUNDS - 1] = 2, [WEIR_HISTOGRAM_BOUNDS] = 8},
        .sum = 1500000};
    struct weir_metrics *metrics = *state;
    const char *text;

    weir_metrics_family(metrics, WEIR_HISTOGRAM_METRIC, "weir_a_seconds", "A.");
    weir_metrics_histogram(metrics, (struct weir_metrics_label[]){{"x", "1"}}, 1, &reading);
    weir_metrics_histogram(metrics, NULL, 0, &reading);
    text = text_of(metrics, 0);
    assert_non_null(strstr(text, "# TYPE weir_a_seconds histogram\n"
                                 "weir_a_seconds_bucket{x=\"1\",le=\"1e-05\"} 1\n"
                                 "weir_a_seconds_bucket{x=\"1\",le=\"2.5e-05\"} 1\n"));
    assert_non_null(strstr(text, "\nweir_a_seconds_bucket{x=\"1\",le=\"0.001\"} 5\n"));
    assert_non_null(strstr(text, "\nweir_a_seconds_bucket{x=\"1\",le=\"10\"} 7\n"
                                 "weir_a_seconds_bucket{x=\"1\",le=\"+Inf\"} 15\n"
                                 "weir_a_seconds_sum{x=\"1\"} 1.5\n"
                                 "weir_a_seconds_count{x=\"1\"} 15\n"
                                 "weir_a_seconds_bucket{le=\"1e-05\"} 1\n"));
    assert_non_null(strstr(text, "\nweir_a_seconds_sum 1.5\nweir_a_seconds_count 15\n"));
}

/* A sample of one kind in a family of the other, and one label too many. */
static void histograms_and_numbers_are_not_mixed(void **state)
{
    const struct weir_metrics_label label[WEIR_METRICS_LABELS] = {
        {"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}};
    const struct weir_histogram_reading reading = {{0}, 0};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct weir_metrics *metrics = weir_metrics_new();

        assert_non_null(metrics);
        weir_metrics_family(metrics, i == 0 ? WEIR_GAUGE_METRIC : WEIR_HISTOGRAM_METRIC,
                            "weir_a_seconds", "A.");
        if (i == 1)
            weir_metrics_sample(metrics, NULL, 0, 1);
        else
            weir_metrics_histogram(metrics, label, i == 0 ? 0 : WEIR_METRICS_LABELS, &reading);
        assert_string_equal(text_of(metrics, i == 2 ? WEIR_ELIMIT : WEIR_EINVAL), "");
        weir_metrics_free(&metrics);
    }
}

static void a_text_has_an_end(void **state)
{
    struct weir_metrics *metrics = *state;
    char value[WEIR_METRICS_VALUE + 1];
    const char *text;

    memset(value, 'a', WEIR_METRICS_VALUE);
    value[WEIR_METRICS_VALUE] = '\0';
    weir_metrics_family(metrics, WEIR_GAUGE_METRIC, "weir_a", "A.");
    for (size_t i = 0; i < WEIR_METRICS_OCTETS / WEIR_METRICS_VALUE; i++)
        weir_metrics_sample(metrics, (struct weir_metrics_label[]){{"x", value}}, 1, 1);
    text = text_of(metrics, WEIR_ELIMIT);
    assert_true(strlen(text) <= WEIR_METRICS_OCTETS);
}

/* JSON ------------------------------------------------------------------------------------- */

static const struct weir_view_metric table[] = {
    {"up", NULL, WEIR_GAUGE_METRIC, "weir_up", "Whether."},
    {"of.n", NULL, WEIR_COUNTER_METRIC, "weir_n_total", "N."},
    {"of.by", "kind", WEIR_GAUGE_METRIC, "weir_by", "By."},
};

static const char *viewed(struct weir_metrics *metrics, const char *own, const char *json)
{
    json_t *objects = json_loads(json, 0, NULL);

    assert_non_null(objects);
    weir_view_metrics(metrics, table, sizeof table / sizeof table[0], own, objects);
    json_decref(objects);
    return text_of(metrics, 0);
}

static void members_become_families_over_all_objects(void **state)
{
    assert_string_equal(
        viewed(*state, "name", "[{\"name\": \"a\", \"up\": true, \"of\": {\"n\": 3, \"by\": "
               "{\"x\\\"\": 1, \"y\": 0.5}}}, {\"name\": \"b\", \"up\": false, \"of\": {\"n\": 4}},"
               "{\"up\": true}]"),
        "# HELP weir_up Whether.\n# TYPE weir_up gauge\n"
        "weir_up{name=\"a\"} 1\nweir_up{name=\"b\"} 0\n"
        "# HELP weir_n_total N.\n# TYPE weir_n_total counter\n"
        "weir_n_total{name=\"a\"} 3\nweir_n_total{name=\"b\"} 4\n"
        "# HELP weir_by By.\n# TYPE weir_by gauge\n"
        "weir_by{name=\"a\",kind=\"x\\\"\"} 1\nweir_by{name=\"a\",kind=\"y\"} 0.5\n");
}

static void what_is_no_number_is_left_out(void **state)
{
    assert_string_equal(
        viewed(*state, NULL, "[{\"up\": \"yes\", \"of\": {\"n\": null, \"by\": {\"x\": [], \"y\": "
               "2}}}]"),
        "# HELP weir_by By.\n# TYPE weir_by gauge\nweir_by{kind=\"y\"} 2\n");
}

static void other_json_is_nothing(void **state)
{
    assert_string_equal(viewed(*state, NULL, "[{\"up\": {}, \"of\": 7}, 3, null, []]"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(families_have_heads_and_samples, setup, teardown),
        cmocka_unit_test(hostile_values_stay_in_their_quotes),
        cmocka_unit_test(numbers_are_written_as_they_are),
        cmocka_unit_test(wrong_names_are_refused),
        cmocka_unit_test_setup_teardown(a_family_comes_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_sample_needs_a_family_and_names_of_labels, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(so_many_labels_and_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(histograms_add_up_to_all, setup, teardown),
        cmocka_unit_test(histograms_and_numbers_are_not_mixed),
        cmocka_unit_test_setup_teardown(a_text_has_an_end, setup, teardown),
        cmocka_unit_test_setup_teardown(members_become_families_over_all_objects, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_number_is_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(other_json_is_nothing, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

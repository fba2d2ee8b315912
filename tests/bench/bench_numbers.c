/*
 * bench_numbers FOLDER - what counting and measuring a decision costs (core/engine/numbers.h).
 *
 * In a file of the folder, as a daemon does: a request with its own two looks at the clock, though
 * weir-policyd shares them among all that are answered together; and a message that RULES rules
 * hit.  Prints one line of key=value: nanoseconds of processor time; open is what a process of one
 * message does with the file: it counts, and adds that.
 */
#include "core/engine/judge.h"
#include "core/engine/numbers_io.h"
#include "tests/bench/bench_rig.h"

#define ROUNDS 2000000
#define OPENINGS 5000
#define RULES 20

static double count_requests(struct weir_numbers *numbers)
{
    const struct weir_clock steady = weir_clock_steady();
    struct weir_decision *decision = calloc(1, sizeof *decision);
    double began = bench_spent();

    if (!decision)
        bench_die("memory is short");
    for (unsigned i = 0; i < ROUNDS; i++) {
        weir_time since = weir_clock_now(&steady);

        decision->verdict = (enum weir_verdict)(i % 4);
        weir_numbers_request(numbers, decision);
        weir_histogram_add(weir_numbers_times(numbers, WEIR_NUMBER_REQUEST_TIME, 0),
                           weir_clock_now(&steady) - since + i % 200, 1);
    }
    free(decision);
    return (bench_spent() - began) * 1e3 / ROUNDS;
}

static double count_messages(struct weir_numbers *numbers)
{
    struct weir_point point[RULES] = {{0}};
    struct weir_judgement *judgement = calloc(1, sizeof *judgement);
    double began = bench_spent();

    if (!judgement)
        bench_die("memory is short");
    judgement->point = point;
    judgement->points = RULES;
    for (unsigned i = 0; i < ROUNDS / RULES; i++) {
        for (unsigned j = 0; j < RULES; j++)
            point[j].id = 1000 + (i * 7 + j) % 500;
        weir_numbers_message(numbers, judgement, i % 5000);
    }
    free(judgement);
    return (bench_spent() - began) * 1e3 / (ROUNDS / RULES);
}

static double open_often(const struct weir_config *config)
{
    double began = bench_spent();

    for (unsigned i = 0; i < OPENINGS; i++) {
        struct weir_numbers *numbers;

        if (weir_numbers_open(config, WEIR_NUMBERS_EXIM, false, NULL, &numbers) < 0)
            bench_die("memory is short");
        weir_numbers_add(numbers, WEIR_NUMBER_UNJUDGED, 0, 1);
        weir_numbers_close(&numbers);
    }
    return (bench_spent() - began) * 1e3 / OPENINGS;
}

int main(int argc, char **argv)
{
    struct weir_config config = {.state_directory = argc > 1 ? argv[1] : "",
                                 .numbers_folder = "numbers"};
    struct weir_numbers *numbers = NULL;
    double request, message;

    if (argc != 2 ||
        weir_numbers_open(&config, WEIR_NUMBERS_POLICYD, true, NULL, &numbers) < 0)
        bench_die("usage: bench_numbers FOLDER");
    request = count_requests(numbers);
    message = count_messages(numbers);
    weir_numbers_close(&numbers);
    printf("request=%.1f message=%.1f open=%.0f\n", request, message, open_often(&config));
    return 0;
}

/*
 * Each character is a number of steps high; a bar fills whole ones and one part.
 */
#include "monitor/ctl/ctl_chart.h"

#include <math.h>
#include <string.h>

#define STEPS_UTF8 8
#define STEPS_ASCII 3

static const char *const standing[STEPS_UTF8 + 1] = {" ", "▁", "▂", "▃", "▄",
                                                    "▅", "▆", "▇", "█"};
static const char *const lying[STEPS_UTF8 + 1] = {"", "▏", "▎", "▍", "▌",
                                                 "▋", "▊", "▉", "█"};
static const char *const plain[STEPS_ASCII + 1] = {" ", ".", ":", "#"};

static double value_of(const struct weir_ctl_chart *chart, size_t number)
{
    double value = chart->value[number];

    return value > 0 && isfinite(value) ? value : 0;
}

static double most_of(const struct weir_ctl_chart *chart)
{
    double most = 0;

    for (size_t i = 0; i < chart->values; i++)
        most = fmax(most, value_of(chart, i));
    return most;
}

/* Steps that a part 0..1 of all is high. */
static unsigned steps_of(double part, unsigned all)
{
    unsigned steps = (unsigned)(fmin(part, 1) * all + 0.5);

    return part > 0 && steps == 0 ? 1 : steps;
}

static void print_line(const struct weir_ctl_chart *chart, unsigned line, double most, FILE *out)
{
    unsigned each = chart->utf8 ? STEPS_UTF8 : STEPS_ASCII, below = line * each;

    for (size_t i = 0; i < chart->values; i++) {
        unsigned steps = most > 0 ? steps_of(value_of(chart, i) / most, chart->height * each) : 0;
        unsigned here = steps <= below ? 0 : steps - below < each ? steps - below : each;

        fprintf(out, "%s%s", chart->utf8 ? standing[here] : plain[here], chart->wide ? " " : "");
    }
    fputc('\n', out);
}

void weir_ctl_chart(const struct weir_ctl_chart *chart, FILE *out)
{
    double most = most_of(chart);

    for (unsigned line = chart->height; line-- > 0;) {
        if (line == chart->height - 1)
            fprintf(out, "%*.0f |", WEIR_CTL_CHART_MARGIN - 2, most);
        else
            fprintf(out, "%*s |", WEIR_CTL_CHART_MARGIN - 2, line == 0 ? "0" : "");
        print_line(chart, line, most, out);
    }
}

const char *weir_ctl_bar(double part, unsigned characters, bool utf8, char *buffer)
{
    unsigned each = utf8 ? STEPS_UTF8 : 1;
    unsigned steps = part > 0 ? steps_of(part, characters * each) : 0;
    char *end = buffer;

    for (; steps >= each; steps -= each)
        end = stpcpy(end, utf8 ? lying[STEPS_UTF8] : "#");
    *end = '\0';
    if (utf8)
        strcpy(end, lying[steps]);
    return buffer;
}

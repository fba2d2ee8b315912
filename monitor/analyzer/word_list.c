/*
 * Fits the weights, puts them beside the counts, and has the table made of both.  A word that no
 * kept message has weighs nothing: its counts go on telling of it.
 */
#include "monitor/analyzer/word_list.h"

#include <stdlib.h>

static struct weir_bayes_count *own(const struct weir_words *words)
{
    return (struct weir_bayes_count *)(uintptr_t)words->counts.count;
}

int weir_word_list_build(struct weir_words *words, size_t room, void **octets_r, size_t *len_r)
{
    if (words->fit) {
        struct weir_bayes_count *count = own(words);

        weir_bayes_fit_run(words->fit);
        for (size_t i = 0; i < words->counts.counts; i++)
            count[i].weight = weir_bayes_fit_weight(words->fit, count[i].hash);
    }
    words->counts.weighed = words->fit != NULL;
    return weir_bayes_table_build(&words->counts, room < words->most ? room : words->most,
                                  octets_r, len_r);
}

void weir_words_free(struct weir_words *words)
{
    free(own(words));
    weir_bayes_fit_free(&words->fit);
    *words = (struct weir_words){.most = 0};
}

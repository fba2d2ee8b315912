/*
 * exim_decide - asks first where that is configured; never waits so long for the daemon that no
 * time is left to decide here.  Owns a judge from decide to decided.
 */
#include "exim-module/exim_decide_io.h"

#include "core/base/error.h"
#include "exim-module/ask_daemon_io.h"

#define SHARE 2 /* the daemon gets one such part of the time left */

static bool ask(struct weir_exim_decision *decision, const struct weir_mail *mail)
{
    struct weir_exim_process *process = decision->process;
    const struct weir_config *config = &process->config;
    const struct weir_clock steady = weir_clock_steady();
    weir_time wait = config->decide_timeout;
    const char *why;
    int done;

    if (wait > decision->left / SHARE)
        wait = decision->left / SHARE;
    done = weir_ask_daemon(config->decide, mail, weir_clock_now(&steady) + wait, decision->arena,
                           &decision->answered, &why);
    weir_numbers_add(weir_exim_process_numbers(process), WEIR_NUMBER_ASKED, done == 0, 1);
    if (done < 0)
        weir_log(&process->log, WEIR_LOG_WARNING, "%s: %s; deciding without the daemon",
                 config->decide, why);
    else
        decision->outcome = &decision->answered;
    return done == 0;
}

static int judge(struct weir_exim_decision *decision, const struct weir_mail *mail)
{
    const struct weir_clock wall = weir_clock_system(), steady = weir_clock_steady();
    const weir_time since = weir_clock_now(&steady); /* for one message opening is a part of it */
    const struct weir_judgement *judgement;
    struct weir_judges *judges = weir_exim_process_judges(decision->process);
    int done;

    decision->judge = judges ? weir_judges_take(judges) : NULL;
    if (!decision->judge) {
        weir_numbers_add(weir_exim_process_numbers(decision->process), WEIR_NUMBER_UNJUDGED, 0, 1);
        return WEIR_ENOMEM;
    }
    done = weir_judges_decide(judges, decision->judge, weir_clock_now(&wall), since, mail,
                              &judgement);
    if (done == 0)
        decision->outcome = &judgement->outcome;
    return done;
}

int weir_exim_decide(struct weir_exim_decision *decision, const struct weir_mail *mail)
{
    if (decision->process->config.decide[0] && ask(decision, mail))
        return 0;
    return judge(decision, mail);
}

void weir_exim_decided(struct weir_exim_decision *decision)
{
    if (decision->judge)
        weir_judges_give(decision->process->judges, &decision->judge);
    /* nobody tells a process of its end */
    (void)weir_numbers_give(decision->process->numbers);
    decision->outcome = NULL;
}

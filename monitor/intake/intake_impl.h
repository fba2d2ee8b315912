/*
 * intake_impl - the intake from inside: opening and closing (intake_io.c), who may come and stay
 * (intake_guests_io.c), requests and their answers (intake_request_io.c), those that are held:
 * questions for commands (intake_held_io.c) and for patches (intake_rules_io.c).
 */
#ifndef WEIR_INTAKE_INTAKE_IMPL_H
#define WEIR_INTAKE_INTAKE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include <microhttpd.h>

#include "core/base/chain.h"
#include "core/base/histogram.h"
#include "monitor/intake/doorstep.h"
#include "monitor/intake/intake_io.h"

#define WEIR_INTAKE_SERVERS 65536 /* numbers modulo this */

/* A connection. */
struct guest {
    struct weir_address address;
    int fd;
    weir_time until;             /* it is to say who it is */
    struct weir_chained waits;   /* among those who have not */
    bool admitted;
    uint32_t server;             /* then it counts among this one's */
};

enum route { ROUTE_SPOOL, ROUTE_COMMANDS, ROUTE_HEALTH, ROUTE_RULES, ROUTE_VOTES, ROUTES };
_Static_assert((int)ROUTES == WEIR_INTAKE_ROUTES, "as many as are told of");

struct request {
    struct weir_intake *intake;
    struct MHD_Connection *connection;
    enum route route;
    uint32_t server;
    char *body;
    size_t len, room;
    bool too_large;
    weir_time since;             /* its head was there */
    weir_time until;             /* a held one: until when; 0: not held yet */
    struct weir_chained held;    /* among all that are */
};

struct weir_intake {
    struct weir_intake_handler handler;
    const struct weir_log *log;
    struct MHD_Daemon *daemon;
    struct weir_clock steady;
    pthread_mutex_t lock;        /* of those held */
    struct weir_chain held;      /* requests */
    atomic_bool closing;
    atomic_uint_fast64_t wakes;
    pthread_mutex_t door;        /* of guests: held for moments, and no other lock in it */
    struct weir_doorstep *doorstep;
    struct weir_chain waiting;   /* guests, oldest first */
    uint16_t *of_server;         /* connections */
    atomic_int_fast64_t health_every;
    atomic_uint_fast64_t requests, refused, unknown, octets, turned_away, hung_up;
    struct weir_histogram times[ROUTES];
};

/* libmicrohttpd's: whether to let a connection come; that one came or went. */
enum MHD_Result weir_intake_may_come(void *intake, const struct sockaddr *from, socklen_t len);
void weir_intake_guest(void *intake, struct MHD_Connection *connection, void **guest,
                       enum MHD_ConnectionNotificationCode code);

/* The guest has said that it is a server's agent: whether it may stay. */
bool weir_intake_let_in(struct weir_intake *intake, struct MHD_Connection *connection,
                        uint32_t server);

/* Ends connections that have not said in time whose they are. */
void weir_intake_hang_up(struct weir_intake *intake, weir_time steady);

/* libmicrohttpd's: a piece of a request; that it is over. */
enum MHD_Result weir_intake_handle(void *intake, struct MHD_Connection *connection,
                                   const char *path, const char *method, const char *version,
                                   const char *octets, size_t *len, void **request);
void weir_intake_completed(void *intake, struct MHD_Connection *connection, void **request,
                           enum MHD_RequestTerminationCode code);

/* Answers with JSON, and gives the response up. */
enum MHD_Result weir_intake_respond(struct MHD_Connection *connection, int status,
                                    struct MHD_Response *response);

/* Answers, and for a refusal counts and says why. */
enum MHD_Result weir_intake_answer(struct MHD_Connection *connection, int status,
                                   const char *text);
enum MHD_Result weir_intake_refuse(struct weir_intake *intake, struct MHD_Connection *connection,
                                   int status, const char *why);

/* A number among the arguments, or false. */
bool weir_intake_number(struct request *request, const char *name, uint64_t *number_r);

/* The same with an answer that becomes the text's holder. */
enum MHD_Result weir_intake_share(struct MHD_Connection *connection, struct weir_shared_text *text,
                                  const char *field, const char *value);

/* A question for commands, or for the newest rule set: answered, or held. */
enum MHD_Result weir_intake_commands(struct request *request);
enum MHD_Result weir_intake_rules(struct request *request);

/* Holds a request, unless somebody was woken since there were so many wakes: what he was woken for
 * may be new here, too. */
bool weir_intake_hold(struct request *request, uint64_t wakes);

/* An argument, or NULL. */
const char *weir_intake_argument(struct request *request, const char *name);

#endif

/*
 * api_servers - mail servers, and who of them is let in.
 */
#include "monitor/console/api_servers.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "monitor/console/api_impl.h"
#include "monitor/database/database_decisions_io.h"
#include "monitor/monitor_look_io.h"
#include "monitor/view/view_servers.h"

/* names -------------------------------------------------------------------------------------- */

static int add_name(void *context, const struct weir_server *server)
{
    struct weir_api_names *names = context;
    struct weir_api_name *more = weir_grown(names->one, names->count, &names->room, sizeof *more);

    if (!more)
        return WEIR_ENOMEM;
    names->one = more;
    more[names->count].number = server->number;
    snprintf(more[names->count++].name, sizeof more->name, "%s", server->name);
    return 0;
}

int weir_api_names_read(struct weir_database *database, struct weir_api_names *names_r)
{
    *names_r = (struct weir_api_names){.count = 0};
    return weir_database_servers(database, add_name, names_r);
}

void weir_api_names_free(struct weir_api_names *names)
{
    free(names->one);
    *names = (struct weir_api_names){.count = 0};
}

const char *weir_api_server_name(const struct weir_api_names *names, uint32_t number)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->one[i].number == number)
            return names->one[i].name;
    return "";
}

/* servers ------------------------------------------------------------------------------------- */

struct listing {
    weir_time now, silence;
    uint64_t newest;
    json_t *rows;
};

static int add_server(void *context, const struct weir_server *server)
{
    struct listing *listing = context;
    json_t *health = weir_view_server_health(server);
    json_t *row = weir_view_server(
        server, weir_view_server_state(server, listing->now, listing->silence), health,
        listing->newest);

    json_decref(health);
    return json_array_append_new(listing->rows, row) < 0 ? WEIR_ENOMEM : 0;
}

json_t *weir_api_servers(struct weir_api_question *question)
{
    struct listing listing = {.now = question->now};
    struct weir_look look;
    int done;

    weir_monitor_look(question->monitor, &look);
    listing.silence = look.silence;
    listing.rows = json_array();
    done = weir_database_generation(question->database, &listing.newest);
    done = done < 0 ? done : weir_database_servers(question->database, add_server, &listing);
    if (done >= 0)
        return weir_api_rows(question, listing.rows, NULL);
    json_decref(listing.rows);
    return weir_api_trouble(question, done);
}

json_t *weir_api_server_add(struct weir_api_question *question)
{
    const char *name;

    if (!weir_api_text(question, "name", &name))
        return NULL;
    return weir_api_do(question, json_pack("{s:s, s:s}", "do", "server add", "name", name));
}

json_t *weir_api_server_revoke(struct weir_api_question *question)
{
    return weir_api_do(question, json_pack("{s:s, s:s}", "do", "server revoke", "name",
                                           weir_api_word(question, "name")));
}

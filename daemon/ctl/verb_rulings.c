/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `rulings`: gives, lists and releases a steward's rulings by the admin socket. They are checked by
 * the daemon, which knows the namespaces.
 *
 * Exit 1: there is no ruling of that id. Exit 2: the daemon says what is wrong with it. Exit 4: it
 * is refused, for want of the role, or as the id is known with another content.
 */
#include "admin.h"
#include "table.h"

#include <string.h>

enum { PAGE = 1000 };

static int fail_syntax(struct bb_ctl *ctl)
{
	return bb_ctl_fail(ctl, BB_CTL_USAGE, "expected `backbonectl rulings %s`",
			   ctl->verb->syntax);
}

/* `ns:value` as an object; NULL: it is not of that form. */
static json_t *identifier_of(const char *key)
{
	const char *colon = strchr(key, ':');

	if (!colon || colon == key || !colon[1])
		return NULL;
	return json_pack("{s:s%,s:s}", "ns", key, (size_t)(colon - key), "value", colon + 1);
}

static void set_option(const struct bb_ctl *ctl, json_t *ruling, const char *name)
{
	const char *value = bb_ctl_value(ctl, name);

	if (value)
		json_object_set_new(ruling, name, json_string(value));
}

/* The body of a ruling of the command line; NULL after printing why. */
static json_t *ruling_of_line(struct bb_ctl *ctl)
{
	bool is_pair = ctl->arg_n == 4;
	json_t *ruling = json_pack("{s:s}", "ruling", ctl->args[1]), *ids = json_array();

	for (int i = 2; i < ctl->arg_n; i++)
		json_array_append_new(ids, identifier_of(ctl->args[i]));
	if (!ruling || (int)json_array_size(ids) != ctl->arg_n - 2) {
		bb_ctl_fail(ctl, BB_CTL_USAGE,
			    "an identifier is written namespace:value, as email:ann@example.org");
		json_decref(ruling);
		ruling = NULL;
	} else if (is_pair) {
		json_object_set(ruling, "pair", ids);
	} else {
		json_object_set(ruling, "identifier", json_array_get(ids, 0));
	}
	json_decref(ids);
	if (ruling) {
		set_option(ctl, ruling, "id");
		set_option(ctl, ruling, "actor");
		set_option(ctl, ruling, "reason");
	}
	return ruling;
}

static int print_given(struct bb_ctl *ctl, const json_t *answer)
{
	const json_t *ruling = json_object_get(answer, "ruling");
	const char *result = json_string_value(json_object_get(answer, "result"));
	const char *id = json_string_value(json_object_get(ruling, "id"));

	if (ctl->json)
		bb_admin_print(ctl, answer);
	else if (result && strcmp(result, "applied") == 0)
		fprintf(ctl->out, "%s: given\n", id ? id : "");
	else
		fprintf(ctl->out, "%s: it was given before; nothing has changed\n",
			id ? id : "the release");
	return BB_CTL_OK;
}

static int add(struct bb_ctl *ctl)
{
	bool is_pair = ctl->arg_n > 1 &&
		       (strcmp(ctl->args[1], "join") == 0 || strcmp(ctl->args[1], "split") == 0);
	bool is_one = ctl->arg_n > 1 &&
		      (strcmp(ctl->args[1], "block") == 0 || strcmp(ctl->args[1], "allow") == 0);
	json_t *ruling, *answer = NULL;
	int ret;

	if (!(is_pair && ctl->arg_n == 4) && !(is_one && ctl->arg_n == 3))
		return fail_syntax(ctl);
	ruling = ruling_of_line(ctl);
	if (!ruling)
		return BB_CTL_USAGE;
	ret = bb_admin_post(ctl, "/v1/rulings", ruling, &answer);
	if (ret == BB_CTL_OK)
		ret = print_given(ctl, answer);
	json_decref(answer);
	return ret;
}

static int release(struct bb_ctl *ctl)
{
	static const char *const names[] = {"id", "actor", "reason"};
	struct bb_net_request request = {.method = "DELETE"};
	const char *target;
	json_t *answer = NULL;
	int ret;

	if (ctl->arg_n != 2)
		return fail_syntax(ctl);
	target = bb_arena_printf(&ctl->arena, "/v1/rulings/%s", bb_admin_escape(ctl, ctl->args[1]))
			 .p;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (bb_ctl_value(ctl, names[i]))
			target = bb_arena_printf(&ctl->arena, "%s%c%s=%s", target,
						 strchr(target, '?') ? '&' : '?', names[i],
						 bb_admin_escape(ctl, bb_ctl_value(ctl, names[i])))
					 .p;
	request.target = target;
	ret = bb_admin_ask(ctl, &request, &answer, NULL);
	if (ret == BB_CTL_OK)
		ret = print_given(ctl, answer);
	json_decref(answer);
	return ret;
}

/* --- list ------------------------------------------------------------------------------------- */

static struct bb_text name_of(struct bb_arena *arena, const json_t *id)
{
	struct bb_text ns = bb_admin_text(arena, id, "ns"),
		       value = bb_admin_text(arena, id, "value");

	return bb_arena_printf(arena, "%.*s:%.*s", (int)ns.n, ns.p, (int)value.n, value.p);
}

static struct bb_text on_what(struct bb_arena *arena, const json_t *ruling)
{
	const json_t *pair = json_object_get(ruling, "pair");
	const json_t *one = json_object_get(ruling, "identifier");
	struct bb_text a, b;

	if (one)
		return name_of(arena, one);
	if (!pair)
		return bb_admin_text(arena, ruling, "releases");
	a = name_of(arena, json_array_get(pair, 0));
	b = name_of(arena, json_array_get(pair, 1));
	return bb_arena_printf(arena, "%.*s  %.*s", (int)a.n, a.p, (int)b.n, b.p);
}

static void add_row(struct bb_ctl_table *table, const json_t *row)
{
	const json_t *ruling = json_object_get(row, "ruling");
	struct bb_table_row *line = bb_ctl_table_row(table);
	struct bb_arena *arena = table->arena;
	struct bb_text kind = bb_admin_text(arena, ruling, "ruling");

	line->cells[0] = bb_admin_text(arena, ruling, "id");
	line->cells[1] = bb_admin_text(arena, ruling, "time");
	line->cells[2] = kind;
	line->cells[3] = json_is_true(json_object_get(row, "holds"))	  ? BB_TEXT("holds")
			 : json_is_true(json_object_get(row, "released")) ? BB_TEXT("released")
			 : bb_text_equal(kind, BB_TEXT("release"))	  ? BB_TEXT("")
									  : BB_TEXT("overruled");
	line->cells[4] = bb_admin_text(arena, ruling, "actor");
	line->cells[5] = on_what(arena, ruling);
	line->cells[6] = bb_admin_text(arena, ruling, "reason");
}

static void begin_table(struct bb_ctl_table *table, struct bb_arena *arena)
{
	static const char *const titles[] = {"ID",    "TIME", "RULING", "STATE",
					     "ACTOR", "ON",   "REASON"};

	*table = (struct bb_ctl_table){.arena = arena, .columns = 7};
	bb_ctl_table_titles(table, titles);
}

static int list(struct bb_ctl *ctl)
{
	struct bb_net_request request = {.method = "GET"};
	const char *from = "";
	int ret = BB_CTL_OK;

	while (ret == BB_CTL_OK && from) {
		struct bb_ctl_table table;
		json_t *answer = NULL, *row;
		struct bb_text next;
		size_t i;

		request.target =
			bb_arena_printf(&ctl->arena, "/v1/rulings?limit=%d&from=%s", PAGE, from).p;
		ret = bb_admin_ask(ctl, &request, &answer, NULL);
		if (ret != BB_CTL_OK)
			break;
		begin_table(&table, &ctl->arena);
		json_array_foreach(json_object_get(answer, "rulings"), i, row)
		{
			if (ctl->json)
				bb_admin_print(ctl, row);
			else
				add_row(&table, row);
		}
		if (!ctl->json && table.n > 1)
			bb_ctl_table_print(&table, ctl->out);
		next = bb_admin_text(&ctl->arena, answer, "next");
		from = next.n ? bb_arena_printf(&ctl->arena, "%.*s", (int)next.n, next.p).p : NULL;
		json_decref(answer);
	}
	return ret;
}

int bb_ctl_rulings(struct bb_ctl *ctl)
{
	const char *what = ctl->args[0];

	if (strcmp(what, "add") == 0)
		return add(ctl);
	if (strcmp(what, "release") == 0)
		return release(ctl);
	if (strcmp(what, "list") == 0 && ctl->arg_n == 1)
		return list(ctl);
	return fail_syntax(ctl);
}

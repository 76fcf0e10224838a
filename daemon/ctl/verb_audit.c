/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `audit` and `identifiers`: from the daemon, or from the store where none answers.
 *
 * `audit verify` walks the chain of hashes; exit 1 and the first wrong number where it is broken.
 */
#include "admin.h"
#include "table.h"

#include <backbone/audit.h>
#include <backbone/identifiers.h>
#include <string.h>

enum { PAGE = 1000, TABLE_ROWS = 100 };

struct listing {
	struct bb_ctl *ctl;
	struct bb_ctl_table table;
	struct bb_arena arena; /* of the table */
	uint64_t after;
};

static void begin_table(struct listing *listing)
{
	static const char *const titles[] = {"NUMBER", "TIME",	  "UID",   "ACTOR",
					     "ACTION", "SUBJECT", "DETAIL"};

	bb_arena_reset(&listing->arena);
	listing->table = (struct bb_ctl_table){
		.arena = &listing->arena, .columns = 7, .right = 1u << 0 | 1u << 2};
	bb_ctl_table_titles(&listing->table, titles);
}

static void end_table(struct listing *listing)
{
	if (!listing->ctl->json && listing->table.n > 1)
		bb_ctl_table_print(&listing->table, listing->ctl->out);
}

static void print_entry(struct listing *listing, const json_t *entry)
{
	static const char *const texts[] = {"time", "", "actor", "action", "subject", "detail"};
	const json_t *uid = json_object_get(entry, "uid");
	struct bb_table_row *row;

	listing->after = (uint64_t)json_integer_value(json_object_get(entry, "number"));
	if (listing->ctl->json) {
		bb_admin_print(listing->ctl, entry);
		return;
	}
	row = bb_ctl_table_row(&listing->table);
	row->cells[0] = bb_ctl_table_number(&listing->table, (long long)listing->after);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		row->cells[i + 1] = bb_admin_text(&listing->arena, entry, texts[i]);
	if (json_is_integer(uid))
		row->cells[2] = bb_ctl_table_number(&listing->table, json_integer_value(uid));
	if (listing->table.n > TABLE_ROWS) {
		end_table(listing);
		begin_table(listing);
	}
}

static int list_of_daemon(struct listing *listing, bool *ret_unreachable)
{
	struct bb_ctl *ctl = listing->ctl;
	struct bb_net_request request = {.method = "GET"};
	bool more = true;
	int ret = BB_CTL_OK;

	while (ret == BB_CTL_OK && more) {
		json_t *answer = NULL, *entry;
		size_t i;

		request.target = bb_arena_printf(&ctl->arena, "/v1/audit?limit=%d&after=%llu", PAGE,
						 (unsigned long long)listing->after)
					 .p;
		ret = bb_admin_ask(ctl, &request, &answer, ret_unreachable);
		json_array_foreach(json_object_get(answer, "audit"), i, entry)
			print_entry(listing, entry);
		more = json_is_integer(json_object_get(answer, "next"));
		json_decref(answer);
	}
	return ret;
}

static int list_of_store(struct bb_ctl *ctl, struct bb_kv *kv, void *ctx)
{
	struct listing *listing = ctx;
	struct bb_buf line = BB_BUF_EMPTY;
	struct bb_audit entry;
	struct bb_arena arena;
	int err;

	(void)ctl;
	bb_arena_init(&arena);
	while ((err = bb_audit_next(kv, listing->after, &arena, &entry)) == BB_OK) {
		json_t *object;

		line.n = 0;
		bb_audit_json(&entry, &line);
		object = json_loadb(line.p, line.n, JSON_ALLOW_NUL, NULL);
		print_entry(listing, object);
		json_decref(object);
		listing->after = entry.number;
		bb_arena_reset(&arena);
	}
	bb_arena_fini(&arena);
	bb_buf_fini(&line);
	return err == BB_ENOTFOUND ? BB_OK : err;
}

static int list(struct bb_ctl *ctl)
{
	struct listing listing = {.ctl = ctl};
	bool unreachable = false;
	int ret;

	bb_arena_init(&listing.arena);
	begin_table(&listing);
	ret = list_of_daemon(&listing, &unreachable);
	if (unreachable)
		ret = bb_admin_read_store(ctl, list_of_store, &listing);
	if (ret == BB_CTL_OK)
		end_table(&listing);
	bb_arena_fini(&listing.arena);
	return ret;
}

static int verify_store(struct bb_ctl *ctl, struct bb_kv *kv, void *ctx)
{
	struct bb_buf line = BB_BUF_EMPTY;
	struct bb_audit_check check;
	int err = bb_audit_verify(kv, &check);

	(void)ctl;
	if (err == BB_OK) {
		bb_audit_check_json(&check, &line);
		*(json_t **)ctx = json_loadb(line.p, line.n, 0, NULL);
	}
	bb_buf_fini(&line);
	return err;
}

static int verify(struct bb_ctl *ctl)
{
	struct bb_net_request request = {.method = "GET", .target = "/v1/audit/verify"};
	bool unreachable = false;
	json_t *check = NULL;
	const json_t *wrong;
	int ret = bb_admin_ask(ctl, &request, &check, &unreachable);

	if (unreachable)
		ret = bb_admin_read_store(ctl, verify_store, &check);
	if (ret != BB_CTL_OK)
		return ret;
	wrong = json_object_get(check, "wrong");
	if (ctl->json)
		bb_admin_print(ctl, check);
	else if (!json_is_integer(wrong))
		fprintf(ctl->out, "%lld entries, as they were written; the last hash is %s\n",
			(long long)json_integer_value(json_object_get(check, "entries")),
			json_string_value(json_object_get(check, "hash")));
	if (json_is_integer(wrong))
		ret = bb_ctl_fail(ctl, BB_CTL_NO,
				  "entry %lld is not as it was written, or is missing; those "
				  "before it are good",
				  (long long)json_integer_value(wrong));
	json_decref(check);
	return ret;
}

int bb_ctl_audit(struct bb_ctl *ctl)
{
	if (strcmp(ctl->args[0], "list") == 0)
		return list(ctl);
	if (strcmp(ctl->args[0], "verify") == 0)
		return verify(ctl);
	return bb_ctl_fail(ctl, BB_CTL_USAGE, "expected `backbonectl audit %s`", ctl->verb->syntax);
}

/* --- identifiers ------------------------------------------------------------------------------ */

struct question {
	bool want_blocked;
	uint64_t top;
	json_t *answer;
};

static int top_of_store(struct bb_ctl *ctl, struct bb_kv *kv, void *ctx)
{
	struct question *question = ctx;
	struct bb_buf json = BB_BUF_EMPTY;
	int err = bb_identifiers_top(kv, &ctl->config->rules, question->want_blocked, question->top,
				     &json);

	if (err == BB_OK)
		question->answer = json_loadb(json.p, json.n, JSON_ALLOW_NUL, NULL);
	bb_buf_fini(&json);
	return err;
}

/* Which caps are broken: `12 owners of user, 5 allowed`. */
static struct bb_text caps_of(struct bb_arena *arena, const json_t *counts)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	const json_t *count;
	struct bb_text text;
	size_t i;

	json_array_foreach(counts, i, count)
	{
		const char *ns = json_string_value(json_object_get(count, "ns"));

		if (!json_is_true(json_object_get(count, "over")))
			continue;
		bb_buf_printf(&buf, "%s%lld %s%s%s, %lld allowed", buf.n ? "; " : "",
			      (long long)json_integer_value(json_object_get(count, "found")),
			      json_string_value(json_object_get(count, "of")), ns ? " of " : "",
			      ns ? ns : "",
			      (long long)json_integer_value(json_object_get(count, "allowed")));
	}
	text = bb_arena_copy(arena, bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return text;
}

/* Records are among the counts of a shared identifier. */
static long long records_of(const json_t *item)
{
	const json_t *count, *counts = json_object_get(item, "counts");
	size_t i;

	json_array_foreach(counts, i, count)
	{
		const char *of = json_string_value(json_object_get(count, "of"));

		if (of && strcmp(of, "records") == 0)
			return json_integer_value(json_object_get(count, "found"));
	}
	return json_integer_value(json_object_get(item, "records"));
}

static struct bb_text why_of(struct bb_arena *arena, const json_t *item)
{
	const json_t *ruling = json_object_get(item, "ruling");
	struct bb_text text = bb_admin_text(arena, ruling, "id");

	if (json_object_get(item, "counts"))
		return caps_of(arena, json_object_get(item, "counts"));
	if (ruling)
		return bb_arena_printf(arena, "ruling %.*s", (int)text.n, text.p);
	text = bb_admin_text(arena, item, "pattern");
	return text.n ? text : bb_admin_text(arena, item, "rule");
}

static void print_top(struct bb_ctl *ctl, const json_t *answer)
{
	struct bb_ctl_table table = {.arena = &ctl->arena, .columns = 3, .right = 1u << 0};
	const json_t *item;
	size_t i;

	bb_ctl_table_titles(&table, (const char *const[]){"RECORDS", "IDENTIFIER", "WHY"});
	json_array_foreach(json_object_get(answer, "identifiers"), i, item)
	{
		struct bb_table_row *row = bb_ctl_table_row(&table);

		row->cells[0] = bb_ctl_table_number(&table, records_of(item));
		row->cells[1] = bb_admin_text(&ctl->arena, item, "key");
		row->cells[2] = why_of(&ctl->arena, item);
	}
	bb_ctl_table_print(&table, ctl->out);
	fprintf(ctl->out, "%lld shared, %lld blocked in all\n",
		(long long)json_integer_value(json_object_get(answer, "shared")),
		(long long)json_integer_value(json_object_get(answer, "blocked")));
}

int bb_ctl_identifiers(struct bb_ctl *ctl)
{
	struct question question = {.want_blocked = bb_ctl_value(ctl, "blocked") != NULL};
	struct bb_net_request request = {.method = "GET"};
	bool unreachable = false;
	int ret;

	if (question.want_blocked == (bb_ctl_value(ctl, "shared") != NULL))
		return bb_ctl_fail(ctl, BB_CTL_USAGE, "which: --shared or --blocked");
	if (!bb_ctl_number(ctl, "top", 20, BB_IDENTIFIERS_TOP_MAX, &question.top))
		return BB_CTL_USAGE;
	if (question.top == 0)
		return bb_ctl_fail(ctl, BB_CTL_USAGE, "--top: expected 1 to %d",
				   BB_IDENTIFIERS_TOP_MAX);
	request.target = bb_arena_printf(&ctl->arena, "/v1/identifiers?which=%s&top=%llu",
					 question.want_blocked ? "blocked" : "shared",
					 (unsigned long long)question.top)
				 .p;
	ret = bb_admin_ask(ctl, &request, &question.answer, &unreachable);
	if (unreachable)
		ret = bb_admin_read_store(ctl, top_of_store, &question);
	if (ret == BB_CTL_OK && ctl->json)
		bb_admin_print(ctl, question.answer);
	else if (ret == BB_CTL_OK)
		print_top(ctl, question.answer);
	json_decref(question.answer);
	return ret;
}

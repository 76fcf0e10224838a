/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that hold JSON or a query: what they hold becomes an element, with the one they stand in
 * around it. A text is opened once, however many sources look into it, and stays open until the run
 * ends; what is an object, or of JSON a list, already is taken as it is.
 *
 * A text that cannot be read is refused, with the byte of the text; what that costs is for the
 * caller to say. Where there is no text there is nothing to refuse, and nothing to find.
 */
#include <backbone/assert.h>

#include "query.h"
#include "run.h"

const struct bb_json *bb_parse_json(struct bb_run *run, struct bb_text text,
				    struct bb_refusal *ret_refusal)
{
	struct bb_json *doc = bb_arena_zalloc(run->arena, sizeof(*doc));

	return run->read(text, run->arena, &doc->root, ret_refusal) ? doc : NULL;
}

const struct bb_json *bb_parse_query(struct bb_run *run, struct bb_text text,
				     struct bb_refusal *ret_refusal)
{
	const struct bb_json *doc;
	struct bb_text json;

	if (!bb_query_json(text, run->arena, &json, ret_refusal))
		return NULL;
	doc = bb_parse_json(run, json, ret_refusal);
	if (!doc)
		ret_refusal->byte_offset = -1; /* it is one of `json` */
	return doc;
}

/* The document of a text; NULL: refused. */
static const struct bb_json *read_text(struct bb_run *run, const struct bb_parse *parse,
				       struct bb_text text, struct bb_refusal *ret_refusal)
{
	const struct bb_json *doc;
	enum bb_json_kind kind;

	if (parse->kind == BB_PARSE_QUERY)
		return bb_parse_query(run, text, ret_refusal);
	doc = bb_parse_json(run, text, ret_refusal);
	if (!doc)
		return NULL;
	kind = bb_json_kind(doc, &doc->root);
	if (kind == BB_JSON_MAP || kind == BB_JSON_LIST)
		return doc;
	*ret_refusal = (struct bb_refusal){.reason = BB_DEAD_NOT_AN_OBJECT,
					   .detail = BB_TEXT("the text holds no JSON object"),
					   .byte_offset = -1};
	return NULL;
}

struct bb_refusal bb_parse_placed(struct bb_arena *arena, struct bb_text name,
				  struct bb_refusal why)
{
	why.at = name;
	if (why.byte_offset >= 0)
		why.detail =
			bb_arena_printf(arena, "%.*s, at byte %lld of this text", (int)why.detail.n,
					why.detail.p, (long long)why.byte_offset);
	why.byte_offset = -1;
	return why;
}

static struct bb_opened *opened(struct bb_run *run, const struct bb_parse *parse)
{
	size_t n = run->connector->parse_n;

	if (!run->opened)
		run->opened = bb_arena_zalloc(run->arena, n * sizeof(*run->opened));
	return &run->opened[parse->slot];
}

enum bb_parsed bb_parse_open(struct bb_run *run, const struct bb_parse *parse,
			     struct bb_frame *ret_frame, struct bb_refusal *ret_refusal)
{
	struct bb_opened *open = opened(run, parse);
	struct bb_found_value found;

	if (!bb_eval_source(run, &parse->text, false, &found))
		return BB_PARSED_NOTHING;
	if (found.kind == BB_FOUND_MAP ||
	    (parse->kind == BB_PARSE_JSON && found.kind == BB_FOUND_LIST)) {
		*ret_frame = (struct bb_frame){.doc = found.doc, .node = found.node};
		return BB_PARSED;
	}
	if (!bb_eval_is_single(&found) ||
	    (parse->kind == BB_PARSE_QUERY && found.kind != BB_FOUND_TEXT))
		return BB_PARSED_NOTHING;
	if (open->text.p != found.text.p || open->text.n != found.text.n) {
		*open = (struct bb_opened){.parse = parse, .text = found.text};
		open->doc = read_text(run, parse, found.text, &open->refusal);
		if (!open->doc)
			open->refusal = bb_parse_placed(run->arena, parse->name, open->refusal);
	}
	if (!open->doc) {
		open->failed = true;
		*ret_refusal = open->refusal;
		return BB_PARSED_REFUSED;
	}
	*ret_frame = (struct bb_frame){.doc = open->doc, .node = bb_json_root(open->doc)};
	return BB_PARSED;
}

bool bb_parse_source(struct bb_run *run, const struct bb_expr *expr, bool texts_only,
		     struct bb_found_value *ret)
{
	struct bb_refusal ignored; /* the event is warned of it */
	struct bb_frame frame;
	bool found;

	*ret = (struct bb_found_value){.kind = BB_FOUND_NOTHING};
	if (bb_parse_open(run, expr->parse, &frame, &ignored) != BB_PARSED)
		return false;
	bb_assert(run->depth + 1 < BB_PLAN_FRAMES_MAX);
	run->frames[++run->depth] = frame;
	found = bb_eval_first(run, &expr->list, texts_only, ret);
	run->depth--;
	return found;
}

void bb_parse_forget_failures(struct bb_run *run)
{
	for (size_t i = 0; run->opened && i < run->connector->parse_n; i++)
		run->opened[i].failed = false;
}

void bb_parse_warn(struct bb_run *run, struct bb_event *ev)
{
	for (size_t i = 0; run->opened && i < run->connector->parse_n; i++)
		if (run->opened[i].failed)
			bb_fill_warn(run, ev, "text_unreadable", run->opened[i].parse->name,
				     (struct bb_text){NULL, 0});
}

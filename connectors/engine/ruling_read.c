/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ruling written as JSON: a line of a canonical topic or file, or the body of a request. Members
 * are read by their names and checked for their JSON types; what values may be is for
 * bb_ruling_check. Null members are absent ones; members with other names are not looked at.
 *
 * A wrong type, a missing member, or one that this kind of ruling cannot have is a refusal that
 * names the member.
 */
#include <backbone/clock.h>
#include <backbone/json.h>
#include <backbone/message.h>

#include "run.h"

struct reader {
	const struct bb_json *doc;
	const struct bb_json_node *map;
	struct bb_arena *arena;
	struct bb_refusal *refusal;
};

static bool refuse(struct reader *r, const char *at, const char *detail)
{
	return bb_fill_refuse(r->refusal, bb_text_of(at), detail);
}

/* NULL: absent, or null. */
static const struct bb_json_node *present(struct reader *r, const struct bb_json_node *map,
					  const char *name)
{
	const struct bb_json_node *node = bb_json_member(r->doc, map, bb_text_of(name));

	return node && bb_json_kind(r->doc, node) != BB_JSON_NULL ? node : NULL;
}

/* A text, if it is there. */
static bool read_text(struct reader *r, const char *name, struct bb_text *ret_text)
{
	const struct bb_json_node *node = present(r, r->map, name);

	if (!node)
		return true;
	if (bb_json_kind(r->doc, node) != BB_JSON_TEXT)
		return refuse(r, name, "must be a text");
	*ret_text = bb_arena_copy(r->arena, bb_json_text(r->doc, node));
	return true;
}

static bool read_kind(struct reader *r, enum bb_ruling_kind *ret_kind)
{
	const struct bb_json_node *node = present(r, r->map, "ruling");

	if (node && bb_json_kind(r->doc, node) == BB_JSON_TEXT &&
	    bb_ruling_kind_of(bb_json_text(r->doc, node), ret_kind))
		return true;
	return refuse(r, "ruling", "must be join, split, block, allow or release");
}

static bool read_time(struct reader *r, int64_t *ret_time_ms)
{
	const struct bb_json_node *node = present(r, r->map, "time");

	*ret_time_ms = BB_NO_TIMESTAMP;
	if (!node)
		return true;
	return (bb_json_kind(r->doc, node) == BB_JSON_TEXT &&
		bb_clock_parse_rfc3339(bb_json_text(r->doc, node), ret_time_ms)) ||
	       refuse(r, "time",
		      "must be an RFC 3339 time with a zone, 1970 to 9999, e.g. "
		      "2026-01-02T03:04:05Z");
}

static bool read_identifier(struct reader *r, const struct bb_json_node *node, const char *at,
			    struct bb_identifier *id)
{
	const struct bb_json_node *ns, *value;

	if (!node || bb_json_kind(r->doc, node) != BB_JSON_MAP)
		return refuse(r, at, "must be an object with ns and value");
	ns = present(r, node, "ns");
	value = present(r, node, "value");
	if (!ns || bb_json_kind(r->doc, ns) != BB_JSON_TEXT || !value ||
	    bb_json_kind(r->doc, value) != BB_JSON_TEXT)
		return refuse(r, at, "must have ns and value, both texts");
	*id = (struct bb_identifier){
		.ns = bb_arena_copy(r->arena, bb_json_text(r->doc, ns)),
		.value = bb_arena_copy(r->arena, bb_json_text(r->doc, value)),
		.ns_index = BB_NS_UNKNOWN,
	};
	return true;
}

static bool read_ends(struct reader *r, struct bb_ruling *ruling)
{
	static const char *const names[] = {"pair[0]", "pair[1]"};
	const struct bb_json_node *pair = present(r, r->map, "pair");
	const struct bb_json_node *one = present(r, r->map, "identifier");
	unsigned n = bb_ruling_ends(ruling->kind);

	if (pair && n != 2)
		return refuse(r, "pair", "only join and split are on a pair");
	if (one && n != 1)
		return refuse(r, "identifier", "only block and allow are on one identifier");
	if (n == 1)
		return read_identifier(r, one, "identifier", &ruling->on[0]);
	if (n == 0)
		return true;
	if (!pair || bb_json_kind(r->doc, pair) != BB_JSON_LIST || bb_json_size(r->doc, pair) != 2)
		return refuse(r, "pair", "must be a list of two identifiers");
	for (size_t i = 0; i < 2; i++)
		if (!read_identifier(r, bb_json_item(r->doc, pair, i), names[i], &ruling->on[i]))
			return false;
	return true;
}

static bool read_releases(struct reader *r, struct bb_ruling *ruling)
{
	if (!read_text(r, "releases", &ruling->releases))
		return false;
	if (ruling->kind == BB_RULING_RELEASE)
		return ruling->releases.p ||
		       refuse(r, "releases", "missing: the id of what is released");
	return !ruling->releases.p || refuse(r, "releases", "only with the ruling release");
}

bool bb_ruling_read_node(const struct bb_json *doc, const struct bb_json_node *map,
			 struct bb_arena *arena, struct bb_ruling *ret_ruling,
			 struct bb_refusal *ret_refusal)
{
	struct reader r = {doc, map, arena, ret_refusal};
	struct bb_ruling ruling = {.actor = BB_TEXT(""), .reason = BB_TEXT("")};

	if (!read_kind(&r, &ruling.kind) || !read_text(&r, "id", &ruling.id) ||
	    !read_time(&r, &ruling.time_ms) || !read_text(&r, "actor", &ruling.actor) ||
	    !read_text(&r, "reason", &ruling.reason) || !read_ends(&r, &ruling) ||
	    !read_releases(&r, &ruling))
		return false;
	*ret_ruling = ruling;
	return true;
}

bool bb_ruling_read(struct bb_text bytes, struct bb_arena *arena, struct bb_ruling *ret_ruling,
		    struct bb_refusal *ret_refusal)
{
	struct bb_json *doc = bb_json_read(bytes, ret_refusal);
	bool good;

	if (!doc)
		return false;
	if (bb_json_kind(doc, bb_json_root(doc)) == BB_JSON_MAP) {
		good = bb_ruling_read_node(doc, bb_json_root(doc), arena, ret_ruling, ret_refusal);
	} else {
		good = bb_fill_refuse(ret_refusal, (struct bb_text){NULL, 0},
				      "a ruling is a JSON object");
		ret_refusal->reason = BB_DEAD_NOT_AN_OBJECT;
	}
	bb_json_free(doc);
	return good;
}

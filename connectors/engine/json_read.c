/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of documents: one pass that checks every byte and keeps what is asked for, which is
 * everything, or what lies on a projection (project.h). Values on the way to nothing are checked
 * and passed over; nothing is made of them. Texts and numbers are slices of the document; only
 * texts with escapes are written anew.
 *
 *	bytes -> value -> map or list -> value ...
 *	          |
 *	          +-> slot of its path, node of the map or list around, or nothing
 *
 * Containers are recursive; the depth is limited before the stack could be. Keys that come twice
 * are found in json_keys.c, in values that are passed over too.
 *
 * It fails at the first thing that is not of the form, with the reason and the offset of the first
 * byte of what is wrong. A document that is of the form but has a key twice is refused at its end,
 * with the offset of the first such key.
 */
#include "json_tree.h"

#include "json_bytes.h"
#include "json_keys.h"

#define STACK_MIN 96 /* keys, and values, that have room on the thread's stack */

typedef const unsigned char *cursor;

struct reader {
	cursor start, end;
	struct bb_arena *arena;
	struct bb_refusal *refusal;
	unsigned depth;
	struct bb_slots *slots;
	struct bb_json_keys keys;   /* of all open maps */
	struct bb_json_node *nodes; /* values of open maps and lists that are kept whole */
	size_t node_n, node_room;
};

/* What is asked of a value: nothing at all where there is no spot and `whole` is not set. */
struct wish {
	const struct bb_spot *spot;
	bool whole;
};

static inline cursor read_value(struct reader *r, cursor p, struct wish wish,
				struct bb_json_node *out);

static cursor fail(struct reader *r, enum bb_dead_reason reason, cursor at, const char *detail)
{
	*r->refusal = (struct bb_refusal){
		.reason = reason,
		.detail = bb_text_of(detail),
		.byte_offset = at - r->start,
	};
	return NULL;
}

/* What stands at `p` is not what the grammar wants there. */
static cursor __attribute__((noinline)) unexpected(struct reader *r, cursor p, const char *detail)
{
	if (p == r->end)
		return fail(r, BB_DEAD_INVALID_JSON, p, "ends in the middle of a value");
	if (*p >= 0x80 && bb_json_utf8(p, r->end) == 0)
		return fail(r, BB_DEAD_INVALID_UTF8, p, "not UTF-8");
	return fail(r, BB_DEAD_INVALID_JSON, p, detail);
}

/* \uXXXX, the backslash at `at`; the second half of a pair is taken with the first. */
static cursor read_unicode_escape(struct reader *r, cursor at, bool key)
{
	int unit = bb_json_hex4(at + 2, r->end), low;

	if (unit < 0)
		return fail(r, BB_DEAD_INVALID_JSON, at, "\\u without four hexadecimal digits");
	if (unit == 0 && key)
		return fail(r, BB_DEAD_INVALID_JSON, at, "the name of a member contains \\u0000");
	if (unit < 0xd800 || unit > 0xdfff)
		return at + 6;
	low = unit < 0xdc00 && r->end - at >= 12 && at[6] == '\\' && at[7] == 'u'
		      ? bb_json_hex4(at + 8, r->end)
		      : -1;
	if (low < 0xdc00 || low > 0xdfff)
		return fail(r, BB_DEAD_LONE_SURROGATE, at, "half of a surrogate pair");
	return at + 12;
}

static cursor read_escape(struct reader *r, cursor at, bool key)
{
	if (r->end - at < 2)
		return fail(r, BB_DEAD_INVALID_JSON, r->end, "ends in the middle of a value");
	if (at[1] == 'u')
		return read_unicode_escape(r, at, key);
	if (!strchr("\"\\/bfnrt", at[1]) || at[1] == '\0')
		return fail(r, BB_DEAD_INVALID_JSON, at, "unknown escape");
	return at + 2;
}

/* What ends no text but is special: an escape, or bytes beyond ASCII. Returns what follows. */
static cursor __attribute__((noinline)) read_special(struct reader *r, cursor p, bool key)
{
	size_t n;

	if (p == r->end)
		return unexpected(r, p, "");
	if (*p == '\\')
		return read_escape(r, p, key);
	if (*p < 0x20)
		return fail(r, BB_DEAD_INVALID_JSON, p,
			    "a control character in a text; write it as an escape");
	while (p < r->end && *p >= 0x80) {
		n = bb_json_utf8(p, r->end);
		if (n == 0)
			return fail(r, BB_DEAD_INVALID_UTF8, p, "not UTF-8");
		p += n;
	}
	return p;
}

/* The text from `p`, behind its opening quote. Returns its closing quote. */
static inline cursor read_string(struct reader *r, cursor p, bool key, bool *ret_escaped)
{
	*ret_escaped = false;
	for (;;) {
		p = bb_json_skip_plain(p, r->end);
		if (p < r->end && *p == '"')
			return p;
		*ret_escaped |= p < r->end && *p == '\\';
		p = read_special(r, p, key);
		if (!p)
			return NULL;
	}
}

static inline struct bb_text string_text(struct reader *r, cursor from, cursor to, bool escaped)
{
	if (escaped)
		return bb_json_decode(from, to, r->arena);
	return bb_text_bytes(from, (size_t)(to - from));
}

static cursor skip_digits(const struct reader *r, cursor p)
{
	while (p < r->end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

static cursor read_number(struct reader *r, cursor from, struct bb_json_node *out)
{
	cursor digits = from + (*from == '-'), p = digits, mantissa_end, exponent;

	if (p < r->end && *p == '0')
		p++;
	else
		p = skip_digits(r, p);
	if (p == digits)
		return unexpected(r, p, "a number without digits");
	if (p < r->end && *p == '.') {
		p = skip_digits(r, p + 1);
		if (p[-1] == '.')
			return unexpected(r, p, "a number that ends with its decimal point");
	}
	mantissa_end = p;
	if (p < r->end && (*p == 'e' || *p == 'E')) {
		p++;
		p += p < r->end && (*p == '-' || *p == '+');
		exponent = p;
		p = skip_digits(r, p);
		if (p == exponent)
			return unexpected(r, p, "an exponent without digits");
	}
	if (!bb_json_in_range(digits, mantissa_end, p))
		return fail(r, BB_DEAD_NUMBER_RANGE, from, "a number beyond 1e9999 or 1e-9999");
	*out = (struct bb_json_node){from, (uint32_t)(p - from), 1 + BB_JSON_NUMBER, false};
	return p;
}

static cursor read_word(struct reader *r, cursor p, struct bb_text word, enum bb_json_kind kind,
			struct bb_json_node *out)
{
	if ((size_t)(r->end - p) < word.n || memcmp(p, word.p, word.n) != 0)
		return unexpected(r, p, "expected a value");
	*out = (struct bb_json_node){NULL, 0, (uint8_t)(1 + kind), false};
	return p + word.n;
}

/* The opening bracket is at `p`. */
static inline cursor enter(struct reader *r, cursor p)
{
	if (r->depth == BB_MESSAGE_DEPTH_MAX)
		return fail(r, BB_DEAD_TOO_DEEP, p, "nested deeper than 64 levels");
	r->depth++;
	return bb_json_skip_space(p + 1, r->end);
}

static inline void push_node(struct reader *r, const struct bb_json_node *node)
{
	if (r->node_n == r->node_room) {
		r->nodes = bb_arena_grow(r->arena, r->nodes, r->node_n, &r->node_room,
					 sizeof(*r->nodes));
	}
	r->nodes[r->node_n++] = *node;
}

/* The members of the map that closes, out of both stacks. */
static struct bb_json_member *keep_members(struct reader *r, const struct bb_json_key_set *set,
					   size_t n)
{
	const struct bb_json_node *values = &r->nodes[r->node_n - n];
	const struct bb_json_key *keys = &r->keys.items[set->first];
	size_t order_n = n > BB_JSON_MAP_LARGE ? n : 0;
	struct bb_json_member *members =
		bb_arena_alloc(r->arena, n * sizeof(*members) + order_n * sizeof(uint32_t));

	for (size_t i = 0; i < n; i++)
		members[i] = (struct bb_json_member){keys[i].name, values[i]};
	r->node_n -= n;
	return members;
}

static void close_map(struct reader *r, const struct bb_json_key_set *set, struct wish wish,
		      struct bb_json_node *out)
{
	size_t n = r->keys.n - set->first;
	struct bb_json_member *members = wish.whole ? keep_members(r, set, n) : NULL;

	if (n > BB_JSON_MAP_LARGE)
		bb_json_keys_sort(&r->keys, set,
				  members ? (uint32_t *)(void *)(members + n) : NULL);
	r->keys.n = set->first;
	r->depth--;
	*out = (struct bb_json_node){members, (uint32_t)n, 1 + BB_JSON_MAP, !wish.whole};
}

static struct bb_slots *new_slots(struct bb_arena *arena, const struct bb_shape *shape)
{
	return bb_arena_zalloc(arena, sizeof(struct bb_slots) +
					      shape->slot_n * sizeof(struct bb_json_node));
}

/* The elements of a list that is walked, or the members of a map. */
struct walked {
	struct bb_slots *first, *last;
};

/* One of them: its values go to slots of their own. `name`: of a member. */
static cursor read_element(struct reader *r, cursor p, const struct bb_shape *shape, bool whole,
			   struct walked *walked, struct bb_text name, struct bb_json_node *out)
{
	struct bb_slots *around = r->slots, *slots = new_slots(r->arena, shape);

	if (walked->last)
		walked->last->next = slots;
	else
		walked->first = slots;
	walked->last = slots;
	slots->member = name;
	r->slots = slots;
	p = read_value(r, p, (struct wish){shape->root, whole}, out);
	r->slots = around;
	return p;
}

/* All of them are read. */
static void close_walk(struct reader *r, const struct bb_spot_walk *walk,
		       const struct walked *walked, size_t n)
{
	r->slots->at[walk->slot] =
		(struct bb_json_node){walked->first, (uint32_t)n, 1 + BB_JSON_LIST, true};
}

static inline const struct bb_spot *spot_of_name(const struct bb_spot *spot, struct bb_text name,
						 uint32_t tag)
{
	size_t mask, i;

	if (!spot || !spot->names)
		return NULL;
	mask = ((size_t)1 << spot->name_bits) - 1;
	i = (size_t)((uint64_t)tag << spot->name_bits >> 32);
	for (; spot->names[i].to; i = (i + 1) & mask)
		if (spot->names[i].tag == tag && bb_json_same(spot->names[i].name, name))
			return spot->names[i].to;
	return NULL;
}

/* A name and its value. */
static inline cursor read_member(struct reader *r, cursor p, struct wish wish,
				 struct bb_json_key_set *set, struct walked *walked)
{
	const struct bb_spot_walk *walk = wish.spot ? &wish.spot->members : NULL;
	struct bb_json_node value;
	struct bb_text name;
	bool escaped;
	uint32_t tag;
	cursor from;

	if (p == r->end || *p != '"')
		return unexpected(r, p, "expected the name of a member in double quotes");
	from = p + 1;
	p = read_string(r, from, true, &escaped);
	if (!p)
		return NULL;
	name = string_text(r, from, p, escaped);
	tag = bb_json_tag(name);
	bb_json_keys_add(&r->keys, set, name, tag, (size_t)(from - 1 - r->start));
	p = bb_json_skip_space(p + 1, r->end);
	if (p == r->end || *p != ':')
		return unexpected(r, p, "expected :");
	p = bb_json_skip_space(p + 1, r->end);
	if (walk && walk->shape) {
		p = read_element(r, p, walk->shape, wish.whole, walked, name, &value);
	} else {
		wish.spot = spot_of_name(wish.spot, name, tag);
		p = read_value(r, p, wish, &value);
	}
	if (p && wish.whole)
		push_node(r, &value);
	return p;
}

static cursor __attribute__((noinline))
read_map(struct reader *r, cursor p, struct wish wish, struct bb_json_node *out)
{
	struct bb_json_key_set set = {.first = r->keys.n};
	struct walked walked = {NULL, NULL};

	p = enter(r, p);
	if (!p)
		return NULL;
	if (p < r->end && *p == '}') {
		close_map(r, &set, wish, out);
		return p + 1;
	}
	for (;;) {
		p = read_member(r, p, wish, &set, &walked);
		if (!p)
			return NULL;
		p = bb_json_skip_space(p, r->end);
		if (p == r->end || *p != ',')
			break;
		p = bb_json_skip_space(p + 1, r->end);
	}
	if (p == r->end || *p != '}')
		return unexpected(r, p, "expected , or }");
	if (walked.first)
		close_walk(r, &wish.spot->members, &walked, r->keys.n - set.first);
	close_map(r, &set, wish, out);
	return p + 1;
}

static const struct bb_spot *spot_of_index(const struct bb_spot *spot, size_t index)
{
	for (size_t i = 0; spot && i < spot->index_n; i++)
		if (spot->indexes[i].index == index)
			return spot->indexes[i].to;
	return NULL;
}

static void close_list(struct reader *r, size_t n, struct wish wish, const struct walked *walked,
		       struct bb_json_node *out)
{
	struct bb_json_node *items = NULL;

	r->depth--;
	if (wish.whole) {
		r->node_n -= n;
		items = bb_arena_alloc(r->arena, n * sizeof(*items));
		memcpy(items, &r->nodes[r->node_n], n * sizeof(*items));
	}
	if (wish.spot && wish.spot->each.shape)
		close_walk(r, &wish.spot->each, walked, n);
	*out = (struct bb_json_node){items, (uint32_t)n, 1 + BB_JSON_LIST, !wish.whole};
}

static cursor __attribute__((noinline))
read_list(struct reader *r, cursor p, struct wish wish, struct bb_json_node *out)
{
	struct walked walked = {NULL, NULL};
	struct bb_json_node item;
	size_t n = 0;

	p = enter(r, p);
	if (!p)
		return NULL;
	if (p < r->end && *p == ']') {
		close_list(r, 0, wish, &walked, out);
		return p + 1;
	}
	for (;; n++) {
		p = bb_json_skip_space(p, r->end);
		if (wish.spot && wish.spot->each.shape)
			p = read_element(r, p, wish.spot->each.shape, wish.whole, &walked,
					 (struct bb_text){NULL, 0}, &item);
		else
			p = read_value(r, p, (struct wish){spot_of_index(wish.spot, n), wish.whole},
				       &item);
		if (!p)
			return NULL;
		if (wish.whole)
			push_node(r, &item);
		p = bb_json_skip_space(p, r->end);
		if (p == r->end || *p != ',')
			break;
		p++;
	}
	if (p == r->end || *p != ']')
		return unexpected(r, p, "expected , or ]");
	close_list(r, n + 1, wish, &walked, out);
	return p + 1;
}

static inline cursor read_text(struct reader *r, cursor p, bool wanted, struct bb_json_node *out)
{
	cursor from = p + 1;
	struct bb_text text;
	bool escaped;

	p = read_string(r, from, false, &escaped);
	if (!p)
		return NULL;
	text = string_text(r, from, p, escaped && wanted);
	*out = (struct bb_json_node){text.p, (uint32_t)text.n, 1 + BB_JSON_TEXT, false};
	return p + 1;
}

static cursor __attribute__((noinline))
read_scalar(struct reader *r, cursor p, struct bb_json_node *out)
{
	switch (*p) {
	case 't':
		return read_word(r, p, BB_TEXT("true"), BB_JSON_TRUE, out);
	case 'f':
		return read_word(r, p, BB_TEXT("false"), BB_JSON_FALSE, out);
	case 'n':
		return read_word(r, p, BB_TEXT("null"), BB_JSON_NULL, out);
	default:
		if (*p == '-' || (*p >= '0' && *p <= '9'))
			return read_number(r, p, out);
		return unexpected(r, p, "expected a value");
	}
}

/* A value that a slot waits for is made in its place. */
static inline cursor read_value(struct reader *r, cursor p, struct wish wish,
				struct bb_json_node *out)
{
	struct bb_json_node *place = out;
	bool around = wish.whole;

	if (p == r->end)
		return unexpected(r, p, "");
	if (wish.spot) {
		wish.whole |= wish.spot->whole;
		if (wish.spot->slot >= 0)
			place = &r->slots->at[wish.spot->slot];
	}
	if (*p == '"')
		p = read_text(r, p, wish.spot || wish.whole, place);
	else if (*p == '{')
		p = read_map(r, p, wish, place);
	else if (*p == '[')
		p = read_list(r, p, wish, place);
	else
		p = read_scalar(r, p, place);
	if (around && place != out)
		*out = *place;
	return p;
}

/* The value, and nothing but space around it. */
static bool read_document(struct reader *r, struct wish wish, struct bb_json_node *ret_root)
{
	cursor p = bb_json_skip_space(r->start, r->end);

	if (p == r->end)
		return fail(r, BB_DEAD_INVALID_JSON, p, "empty") != NULL;
	p = read_value(r, p, wish, ret_root);
	if (!p)
		return false;
	if (wish.spot && wish.spot->slot >= 0)
		*ret_root = r->slots->at[wish.spot->slot];
	p = bb_json_skip_space(p, r->end);
	if (p < r->end)
		return fail(r, BB_DEAD_TRAILING_BYTES, p, "something follows the value") != NULL;
	if (r->keys.duplicate == SIZE_MAX)
		return true;
	return fail(r, BB_DEAD_DUPLICATE_KEY, r->start + r->keys.duplicate,
		    "the same member twice in one object") != NULL;
}

static bool read_wished(struct bb_text bytes, struct bb_arena *arena, struct wish wish,
			struct bb_slots *slots, struct bb_json_node *ret_root,
			struct bb_refusal *ret_refusal)
{
	struct bb_json_key keys[STACK_MIN];
	struct bb_json_node nodes[STACK_MIN];
	cursor start = (cursor)bytes.p;
	struct reader r = {
		.start = start,
		.end = start + bytes.n,
		.arena = arena,
		.refusal = ret_refusal,
		.slots = slots,
		.keys = {.arena = arena, .duplicate = SIZE_MAX, .items = keys, .room = STACK_MIN},
		.nodes = nodes,
		.node_room = STACK_MIN,
	};

	return bb_json_outside(bytes, ret_refusal) && read_document(&r, wish, ret_root);
}

bool bb_json_read_tree(struct bb_text bytes, struct bb_arena *arena, struct bb_json_node *ret_root,
		       struct bb_refusal *ret_refusal)
{
	return read_wished(bytes, arena, (struct wish){NULL, true}, NULL, ret_root, ret_refusal);
}

bool bb_json_read_slots(struct bb_text bytes, const struct bb_shape *shape, struct bb_arena *arena,
			struct bb_json_node *ret_root, struct bb_slots **ret_slots,
			struct bb_refusal *ret_refusal)
{
	*ret_slots = new_slots(arena, shape);
	return read_wished(bytes, arena, (struct wish){shape->root, false}, *ret_slots, ret_root,
			   ret_refusal);
}

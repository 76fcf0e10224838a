/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths: the singular queries of RFC 9535 with two additions, `^` for the elements around the
 * current one, and `[*]` where a list is walked, `.*` where an object is. A path is read from left
 * to right into steps; reading ends at the first character that cannot go on, so that a template
 * can hold paths.
 *
 * A mistake is reported with its position. On a document nothing fails: a step that leads nowhere
 * leads to nothing.
 */
#include "path.h"

#include <backbone/buf.h>

#define INDEX_DIGITS_MAX 15 /* within the whole numbers that I-JSON has */
#define UP_MAX (BB_PLAN_FRAMES_MAX - 1)

struct reader {
	struct bb_text text;
	size_t pos;
	struct bb_arena *arena;
	const char *wrong;
};

static bool fail(struct reader *r, const char *wrong)
{
	r->wrong = wrong;
	return false;
}

static int peek(const struct reader *r)
{
	return r->pos < r->text.n ? (unsigned char)r->text.p[r->pos] : -1;
}

static bool take(struct reader *r, char c)
{
	if (peek(r) != c)
		return false;
	r->pos++;
	return true;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_first(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool read_shorthand(struct reader *r, struct bb_step *step)
{
	size_t from = r->pos;

	if (!is_name_first(peek(r)))
		return fail(r, "a name must follow the dot; one with other characters than "
			       "letters, digits and _ is written ['so-and-so']");
	while (is_name_first(peek(r)) || is_digit(peek(r)))
		r->pos++;
	if (peek(r) == '-')
		return fail(r, "a name with a hyphen is written ['so-and-so']");
	step->kind = BB_STEP_NAME;
	step->name = bb_arena_copy(r->arena, bb_text_bytes(r->text.p + from, r->pos - from));
	return true;
}

static bool read_hex4(struct reader *r, unsigned *ret_unit)
{
	*ret_unit = 0;
	for (int i = 0; i < 4; i++) {
		int digit = peek(r) < 0 ? -1 : bb_text_hex_digit((char)peek(r));

		if (digit < 0)
			return fail(r, "\\u needs four hexadecimal digits");
		*ret_unit = *ret_unit * 16 + (unsigned)digit;
		r->pos++;
	}
	return true;
}

static bool read_unicode(struct reader *r, struct bb_buf *name)
{
	unsigned unit, low;

	if (!read_hex4(r, &unit))
		return false;
	if (unit >= 0xd800 && unit <= 0xdfff) {
		if (unit > 0xdbff || !take(r, '\\') || !take(r, 'u') || !read_hex4(r, &low) ||
		    low < 0xdc00 || low > 0xdfff)
			return fail(r, "half of a surrogate pair");
		unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
	}
	name->n += bb_text_put_utf8(unit, bb_buf_reserve(name, 4));
	return true;
}

static bool read_escape(struct reader *r, char quote, struct bb_buf *name)
{
	static const char from[] = "bfnrt/\\", to[] = "\b\f\n\r\t/\\";
	int c = peek(r);
	const char *found = c > 0 ? strchr(from, c) : NULL;

	if (c == 'u') {
		r->pos++;
		return read_unicode(r, name);
	}
	if (!found && c != quote)
		return fail(r, "unknown escape in a name");
	bb_buf_byte(name, found ? to[found - from] : quote);
	r->pos++;
	return true;
}

/* ['name'], the opening quote at the position. */
static bool read_quoted(struct reader *r, struct bb_step *step)
{
	char quote = r->text.p[r->pos++];
	struct bb_buf name = BB_BUF_EMPTY;
	bool ok = true;

	bb_buf_reserve(&name, 1);
	while (ok && peek(r) != quote) {
		if (peek(r) < 0x20)
			ok = fail(r, peek(r) < 0 ? "the name has no closing quote"
						 : "a control character in a name");
		else if (take(r, '\\'))
			ok = read_escape(r, quote, &name);
		else
			bb_buf_byte(&name, r->text.p[r->pos++]);
	}
	if (ok) {
		r->pos++;
		step->kind = BB_STEP_NAME;
		step->name = bb_arena_copy(r->arena, bb_buf_slice(&name));
	}
	bb_buf_fini(&name);
	return ok;
}

static bool read_index(struct reader *r, struct bb_step *step)
{
	bool negative = take(r, '-');
	size_t from = r->pos;
	int64_t value = 0;

	while (is_digit(peek(r)) && r->pos - from <= INDEX_DIGITS_MAX)
		value = value * 10 + (r->text.p[r->pos++] - '0');
	if (r->pos == from)
		return fail(r, "[ takes a number, a 'name' in quotes, or *");
	if (r->pos - from > INDEX_DIGITS_MAX)
		return fail(r, "this index is too large");
	if (r->text.p[from] == '0' && (r->pos - from > 1 || negative))
		return fail(r, "an index has no zeros in front, and no -0");
	step->kind = BB_STEP_INDEX;
	step->index = negative ? -value : value;
	return true;
}

/* What stands in brackets; the opening one has been taken. */
static bool read_bracket(struct reader *r, struct bb_step *step)
{
	bool ok = true;

	if (take(r, '*'))
		step->kind = BB_STEP_EACH;
	else if (peek(r) == '\'' || peek(r) == '"')
		ok = read_quoted(r, step);
	else
		ok = read_index(r, step);
	if (ok && !take(r, ']'))
		return fail(r, "] is missing");
	return ok;
}

static bool read_steps(struct reader *r, struct bb_path *path)
{
	for (;;) {
		struct bb_step step = {.kind = BB_STEP_NAME};

		if (take(r, '.')) {
			if (take(r, '.'))
				return fail(r, "nothing is found by searching: .. is not allowed, "
					       "name every step");
			if (take(r, '*'))
				step.kind = BB_STEP_MEMBERS;
			else if (!read_shorthand(r, &step))
				return false;
		} else if (take(r, '[')) {
			if (!read_bracket(r, &step))
				return false;
		} else {
			return true;
		}
		BB_ARENA_PUSH(r->arena, path->steps, path->step_n, path->step_room) = step;
	}
}

bool bb_path_read(struct bb_text text, size_t *pos, struct bb_arena *arena, struct bb_path *ret,
		  const char **ret_wrong)
{
	struct reader r = {.text = text, .pos = *pos, .arena = arena};
	bool ok = true;

	*ret = (struct bb_path){.up = 0};
	while (take(&r, '^'))
		ret->up++;
	if (ret->up > UP_MAX)
		ok = fail(&r, "more than 19 ^");
	else if (ret->up == 0 && !take(&r, '$'))
		ok = fail(&r, "a path begins with $ or ^");
	ok = ok && read_steps(&r, ret);
	*pos = r.pos;
	*ret_wrong = r.wrong;
	return ok;
}

bool bb_path_read_inner(struct bb_text text, size_t *pos, struct bb_arena *arena,
			struct bb_path *ret, const char **ret_wrong)
{
	struct reader r = {.text = text, .pos = *pos, .arena = arena};
	struct bb_step first = {.kind = BB_STEP_NAME};
	bool ok = true;

	*ret = (struct bb_path){.up = 0};
	if (is_name_first(peek(&r))) {
		ok = read_shorthand(&r, &first);
		if (ok)
			BB_ARENA_PUSH(arena, ret->steps, ret->step_n, ret->step_room) = first;
	} else if (peek(&r) != '[') {
		ok = fail(&r, "a path inside an element begins with a name or a bracket: email, "
			      "values[0], ['so-and-so']");
	}
	ok = ok && read_steps(&r, ret);
	*pos = r.pos;
	*ret_wrong = r.wrong;
	return ok;
}

bool bb_path_walks(const struct bb_step *step)
{
	return step->kind == BB_STEP_EACH || step->kind == BB_STEP_MEMBERS;
}

bool bb_path_has_each(const struct bb_path *path)
{
	for (size_t i = 0; i < path->step_n; i++)
		if (bb_path_walks(&path->steps[i]))
			return true;
	return false;
}

static bool step_equal(const struct bb_step *a, const struct bb_step *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == BB_STEP_NAME)
		return bb_text_equal(a->name, b->name);
	return bb_path_walks(a) || a->index == b->index;
}

bool bb_path_begins(const struct bb_path *b, const struct bb_path *a)
{
	if (a->up != b->up || a->step_n > b->step_n)
		return false;
	for (size_t i = 0; i < a->step_n; i++)
		if (!step_equal(&a->steps[i], &b->steps[i]))
			return false;
	return true;
}

bool bb_path_equal(const struct bb_path *a, const struct bb_path *b)
{
	return a->step_n == b->step_n && bb_path_begins(b, a);
}

const struct bb_json_node *bb_path_step(const struct bb_json *doc, const struct bb_json_node *node,
					const struct bb_step *step)
{
	enum bb_json_kind kind = bb_json_kind(doc, node);
	int64_t n, i = step->index;

	if (step->kind == BB_STEP_NAME)
		return kind == BB_JSON_MAP ? bb_json_member(doc, node, step->name) : NULL;
	if (kind != BB_JSON_LIST)
		return NULL;
	n = (int64_t)bb_json_size(doc, node);
	if (i < 0)
		i += n;
	return i >= 0 && i < n ? bb_json_item(doc, node, (size_t)i) : NULL;
}

const struct bb_json_node *bb_path_walk(const struct bb_json *doc, const struct bb_json_node *node,
					const struct bb_path *path)
{
	for (size_t i = 0; i < path->step_n && node; i++)
		node = bb_path_step(doc, node, &path->steps[i]);
	return node;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A query (application/x-www-form-urlencoded) as an object of JSON: names and values are decoded,
 * what stands there once is a text, what stands there more often a list of them, in the order of
 * the query. Of a whole URL only the query is read. A line feed at the end is not part of it.
 *
 * Refused, with the byte where it is: a percent sign without two hexadecimal digits, and what is no
 * UTF-8 when it is decoded.
 */
#include "query.h"

#include <backbone/buf.h>

#include "json_bytes.h"

#include <stdlib.h>

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Whether it begins as `https://` does, or with a slash. */
static bool is_address(struct bb_text text)
{
	size_t i = 0;

	if (text.n > 0 && text.p[0] == '/')
		return true;
	while (i < text.n && (is_letter(text.p[i]) || (text.p[i] >= '0' && text.p[i] <= '9') ||
			      memchr("+.-", text.p[i], 3)))
		i++;
	return i > 0 && is_letter(text.p[0]) && text.n - i >= 3 &&
	       memcmp(text.p + i, "://", 3) == 0;
}

struct bb_text bb_query_of(struct bb_text text)
{
	const char *end, *mark, *equals, *fragment;

	text = bb_json_without_line_end(text);
	end = text.p + text.n;
	mark = memchr(text.p, '?', text.n);
	equals = memchr(text.p, '=', text.n);
	if (!mark && is_address(text))
		return (struct bb_text){end, 0};
	if (!mark || (equals && equals < mark && !is_address(text)))
		return text;
	text = bb_text_bytes(mark + 1, (size_t)(end - mark - 1));
	fragment = memchr(text.p, '#', text.n);
	if (fragment)
		text.n = (size_t)(fragment - text.p);
	return text;
}

struct bb_text bb_query_next(struct bb_text *rest)
{
	const char *end = memchr(rest->p, '&', rest->n);
	struct bb_text piece = {rest->p, end ? (size_t)(end - rest->p) : rest->n};

	rest->p += piece.n + (end != NULL);
	rest->n -= piece.n + (end != NULL);
	return piece;
}

void bb_query_split(struct bb_text piece, struct bb_text *ret_name, struct bb_text *ret_value)
{
	const char *equals = memchr(piece.p, '=', piece.n);
	size_t n = equals ? (size_t)(equals - piece.p) : piece.n;

	*ret_name = bb_text_bytes(piece.p, n);
	*ret_value = equals ? bb_text_bytes(equals + 1, piece.n - n - 1)
			    : bb_text_bytes(piece.p + piece.n, 0);
}

static const char *refuse(struct bb_refusal *ret_refusal, enum bb_dead_reason reason,
			  const char *detail, const char *where)
{
	*ret_refusal = (struct bb_refusal){.reason = reason, .detail = bb_text_of(detail)};
	return where;
}

const char *bb_query_decode(struct bb_text text, struct bb_arena *arena, struct bb_text *ret_text,
			    struct bb_refusal *ret_refusal)
{
	char *out = bb_arena_alloc(arena, text.n);
	struct bb_text decoded;
	int high, low;
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		out[n++] = text.p[i] == '+' ? ' ' : text.p[i];
		if (text.p[i] != '%')
			continue;
		high = text.n - i < 3 ? -1 : bb_text_hex_digit(text.p[i + 1]);
		low = high < 0 ? -1 : bb_text_hex_digit(text.p[i + 2]);
		if (low < 0)
			return refuse(ret_refusal, BB_DEAD_INVALID_QUERY,
				      "a % without two hexadecimal digits", text.p + i);
		out[n - 1] = (char)(high * 16 + low);
		i += 2;
	}
	decoded = bb_text_bytes(out, n);
	if (bb_json_bad_utf8(decoded) < n)
		return refuse(ret_refusal, BB_DEAD_INVALID_UTF8, "not UTF-8 when it is decoded",
			      text.p);
	*ret_text = decoded;
	return NULL;
}

/* A name with its value; `next` has the same name. */
struct parameter {
	struct bb_text name, value;
	struct parameter *next;
	bool repeated; /* not the first of its name */
};

struct parameters {
	struct parameter *items;
	size_t n, room;
};

static int compare_names(const void *a, const void *b)
{
	const struct parameter *x = *(struct parameter *const *)a;
	const struct parameter *y = *(struct parameter *const *)b;
	int d = bb_text_compare(x->name, y->name);

	return d ? d : (x > y) - (x < y);
}

static void link_repeated(struct parameters *list, struct bb_arena *arena)
{
	struct parameter **sorted = bb_arena_alloc(arena, list->n * sizeof(struct parameter *));

	for (size_t i = 0; i < list->n; i++)
		sorted[i] = &list->items[i];
	qsort(sorted, list->n, sizeof(struct parameter *), compare_names);
	for (size_t i = 1; i < list->n; i++) {
		if (!bb_text_equal(sorted[i - 1]->name, sorted[i]->name))
			continue;
		sorted[i - 1]->next = sorted[i];
		sorted[i]->repeated = true;
	}
}

static void write_parameter(const struct parameter *first, struct bb_buf *buf)
{
	bb_buf_json(buf, first->name);
	bb_buf_text(buf, first->next ? BB_TEXT(":[") : BB_TEXT(":"));
	for (const struct parameter *one = first; one; one = one->next) {
		if (one != first)
			bb_buf_byte(buf, ',');
		bb_buf_json(buf, one->value);
	}
	if (first->next)
		bb_buf_byte(buf, ']');
}

static struct bb_text write_all(const struct parameters *list, struct bb_arena *arena)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_text json;

	bb_buf_byte(&buf, '{');
	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i].repeated)
			continue;
		if (buf.n > 1)
			bb_buf_byte(&buf, ',');
		write_parameter(&list->items[i], &buf);
	}
	bb_buf_byte(&buf, '}');
	json = bb_arena_copy(arena, bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return json;
}

bool bb_query_json(struct bb_text text, struct bb_arena *arena, struct bb_text *ret_json,
		   struct bb_refusal *ret_refusal)
{
	struct parameters list = {NULL, 0, 0};
	struct bb_text rest, piece, name, value;

	if (!bb_json_outside(text, ret_refusal))
		return false;
	rest = bb_query_of(text);
	while (rest.n > 0) {
		struct parameter one = {.next = NULL};
		const char *wrong;

		piece = bb_query_next(&rest);
		if (piece.n == 0)
			continue;
		bb_query_split(piece, &name, &value);
		wrong = bb_query_decode(name, arena, &one.name, ret_refusal);
		if (!wrong)
			wrong = bb_query_decode(value, arena, &one.value, ret_refusal);
		if (wrong) {
			ret_refusal->byte_offset = wrong - text.p;
			return false;
		}
		BB_ARENA_PUSH(arena, list.items, list.n, list.room) = one;
	}
	link_repeated(&list, arena);
	*ret_json = write_all(&list, arena);
	return true;
}

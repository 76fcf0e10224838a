/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `format: tsv`: one line, its fields between tabs, as many as there are columns. A line feed at
 * the end is not part of it. Fields are slices of the message.
 *
 * A wrong number of fields, bytes that are no UTF-8, a byte order mark and more than 256 KiB are
 * refused.
 */
#include "json_bytes.h"
#include "run.h"

static struct bb_text without_line_end(struct bb_text line)
{
	if (line.n > 0 && line.p[line.n - 1] == '\n')
		line.n--;
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static size_t count_fields(struct bb_text line)
{
	size_t n = 1;

	for (size_t i = 0; i < line.n; i++)
		n += line.p[i] == '\t';
	return n;
}

const struct bb_text *bb_tsv_split(const struct bb_connector *connector, struct bb_text line,
				   struct bb_arena *arena, struct bb_refusal *ret_refusal)
{
	size_t columns = connector->columns.n, n, bad;
	struct bb_text *fields;
	const char *end;

	if (!bb_json_outside(line, ret_refusal))
		return NULL;
	bad = bb_json_bad_utf8(line);
	*ret_refusal = (struct bb_refusal){.reason = BB_DEAD_INVALID_UTF8,
					   .detail = BB_TEXT("not UTF-8"),
					   .byte_offset = (int64_t)bad};
	if (bad < line.n)
		return NULL;
	line = without_line_end(line);
	n = count_fields(line);
	if (n != columns) {
		*ret_refusal = (struct bb_refusal){
			.reason = BB_DEAD_WRONG_COLUMNS,
			.detail = bb_arena_printf(arena, "%zu columns, but %zu fields", columns, n),
			.byte_offset = -1};
		return NULL;
	}
	fields = bb_arena_alloc(arena, columns * sizeof(*fields));
	for (size_t i = 0; i < columns; i++) {
		end = memchr(line.p, '\t', line.n);
		fields[i] = bb_text_bytes(line.p, end ? (size_t)(end - line.p) : line.n);
		line.p += fields[i].n + (end != NULL);
		line.n -= fields[i].n + (end != NULL);
	}
	return fields;
}

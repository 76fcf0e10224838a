/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `format: tsv` and `csv`: one record, its fields between tabs or delimiters, as many as there are
 * columns. A line feed at the end is not part of it. Fields of csv may stand in quotes (RFC 4180),
 * and then hold delimiters, line feeds and doubled quotes. Fields are slices of the message, those
 * with doubled quotes of the arena. Columns have their names from the connector, or from the
 * heading: the first record of the file.
 *
 * Another number of fields, a quote that is never closed, bytes that are no UTF-8, a byte order
 * mark before tsv, and more than 256 KiB are refused.
 */
#include "columns.h"

#include <backbone/record.h>

#include "json_bytes.h"

bool bb_connector_has_records(const struct bb_connector *connector)
{
	return connector->format == BB_FORMAT_TSV || connector->format == BB_FORMAT_CSV;
}

bool bb_connector_has_heading(const struct bb_connector *connector)
{
	return bb_connector_has_records(connector) && connector->heading;
}

static char delimiter_of(const struct bb_connector *connector)
{
	if (connector->format == BB_FORMAT_TSV)
		return '\t';
	return connector->delimiter.p ? connector->delimiter.p[0] : ',';
}

static size_t mark_bytes(struct bb_text text)
{
	return text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

bool bb_connector_record(const struct bb_connector *connector, struct bb_text text,
			 size_t *ret_bytes)
{
	const char *feed = text.n ? memchr(text.p, '\n', text.n) : NULL;
	char delimiter = delimiter_of(connector);
	bool begins = true, quoted = false;
	size_t i;

	if (connector->format != BB_FORMAT_CSV || !feed) {
		*ret_bytes = feed ? (size_t)(feed - text.p) : text.n;
		return feed != NULL;
	}
	for (i = mark_bytes(text); i < text.n && (quoted || text.p[i] != '\n'); i++) {
		if (text.p[i] == '"' && quoted && i + 1 < text.n && text.p[i + 1] == '"')
			i++;
		else if (text.p[i] == '"' && (quoted || begins))
			quoted = !quoted;
		begins = !quoted && text.p[i] == delimiter;
	}
	*ret_bytes = i;
	return i < text.n;
}

static bool refuse(struct bb_refusal *ret_refusal, const char *detail, size_t offset)
{
	*ret_refusal = (struct bb_refusal){.reason = BB_DEAD_INVALID_CSV,
					   .detail = bb_text_of(detail),
					   .byte_offset = (int64_t)offset};
	return false;
}

/* Without its doubled quotes. */
static struct bb_text unquoted(struct bb_text text, struct bb_arena *arena)
{
	char *out;
	size_t n = 0;

	if (!memchr(text.p, '"', text.n))
		return text;
	out = bb_arena_alloc(arena, text.n);
	for (size_t i = 0; i < text.n; i++) {
		out[n++] = text.p[i];
		i += text.p[i] == '"';
	}
	return bb_text_bytes(out, n);
}

/* The field in quotes at *pos, which is behind the closing one then. */
static bool take_quoted(struct bb_text line, size_t *pos, struct bb_arena *arena,
			struct bb_text *ret_field, struct bb_refusal *ret_refusal)
{
	size_t from = *pos + 1, i = from;

	while (i < line.n && (line.p[i] != '"' || (i + 1 < line.n && line.p[i + 1] == '"')))
		i += line.p[i] == '"' ? 2 : 1;
	if (i >= line.n)
		return refuse(ret_refusal, "a quote is never closed", from - 1);
	*ret_field = unquoted(bb_text_bytes(line.p + from, i - from), arena);
	*pos = i + 1;
	return true;
}

static bool take_field(struct bb_text line, bool quotes, char delimiter, size_t *pos,
		       struct bb_arena *arena, struct bb_text *ret_field,
		       struct bb_refusal *ret_refusal)
{
	const char *end;

	if (quotes && *pos < line.n && line.p[*pos] == '"') {
		if (!take_quoted(line, pos, arena, ret_field, ret_refusal))
			return false;
		if (*pos < line.n && line.p[*pos] != delimiter)
			return refuse(ret_refusal, "something follows the closing quote of a field",
				      *pos);
		return true;
	}
	end = *pos < line.n ? memchr(line.p + *pos, delimiter, line.n - *pos) : NULL;
	*ret_field =
		bb_text_bytes(line.p + *pos, end ? (size_t)(end - line.p) - *pos : line.n - *pos);
	*pos += ret_field->n;
	end = quotes ? memchr(ret_field->p, '\n', ret_field->n) : NULL;
	if (end)
		return refuse(ret_refusal, "more than one record", (size_t)(end - line.p));
	return true;
}

/* All fields of a record. */
static bool split(const struct bb_connector *connector, struct bb_text line, struct bb_arena *arena,
		  struct bb_fields *ret_fields, struct bb_refusal *ret_refusal)
{
	bool quotes = connector->format == BB_FORMAT_CSV;
	char delimiter = delimiter_of(connector);
	struct bb_fields fields = {NULL, 0, 0};
	size_t pos = 0, room = 0, bad;
	struct bb_text field;

	bad = bb_json_bad_utf8(line);
	*ret_refusal = (struct bb_refusal){.reason = BB_DEAD_INVALID_UTF8,
					   .detail = BB_TEXT("not UTF-8"),
					   .byte_offset = (int64_t)bad};
	if (bad < line.n)
		return false;
	for (;;) {
		if (!take_field(line, quotes, delimiter, &pos, arena, &field, ret_refusal))
			return false;
		BB_ARENA_PUSH(arena, fields.items, fields.n, room) = field;
		if (pos++ >= line.n)
			break;
	}
	*ret_fields = fields;
	return true;
}

static struct bb_text trimmed(struct bb_text text)
{
	while (text.n > 0 && (unsigned char)text.p[0] <= ' ')
		text = bb_text_bytes(text.p + 1, text.n - 1);
	while (text.n > 0 && (unsigned char)text.p[text.n - 1] <= ' ')
		text.n--;
	return text;
}

/* The names in the heading. */
static bool read_heading(const struct bb_connector *connector, struct bb_text heading,
			 struct bb_arena *arena, struct bb_fields *ret_names,
			 struct bb_refusal *ret_refusal)
{
	size_t mark = mark_bytes(heading);

	heading = bb_json_without_line_end(bb_text_bytes(heading.p + mark, heading.n - mark));
	if (!split(connector, heading, arena, ret_names, ret_refusal)) {
		ret_refusal->detail =
			bb_arena_printf(arena, "in the header line: %s", ret_refusal->detail.p);
		return false;
	}
	for (size_t i = 0; i < ret_names->n; i++)
		ret_names->items[i] = trimmed(ret_names->items[i]);
	return true;
}

bool bb_columns_read(const struct bb_connector *connector, const struct bb_message *msg,
		     struct bb_arena *arena, struct bb_record *ret_record,
		     struct bb_refusal *ret_refusal)
{
	bool named = connector->columns.n > 0;
	struct bb_text line = msg->value;
	struct bb_record record = {.column_n = connector->columns.n};
	size_t mark = connector->format == BB_FORMAT_CSV ? mark_bytes(line) : 0;

	line = bb_text_bytes(line.p + mark, line.n - mark);
	if (!bb_json_outside(line, ret_refusal))
		return false;
	if (!named && !msg->heading.p)
		return refuse(ret_refusal,
			      "there is no header line that names the columns: a record of a topic "
			      "has none",
			      0);
	if (!named && !read_heading(connector, msg->heading, arena, &record.names, ret_refusal))
		return false;
	if (!named)
		record.column_n = record.names.n;
	if (!split(connector, bb_json_without_line_end(line), arena, &record.fields, ret_refusal)) {
		ret_refusal->byte_offset += (int64_t)mark;
		return false;
	}
	*ret_refusal = (struct bb_refusal){.reason = BB_DEAD_WRONG_COLUMNS, .byte_offset = -1};
	if (record.fields.n != record.column_n) {
		ret_refusal->detail = bb_arena_printf(arena, "%zu columns, but %zu fields",
						      record.column_n, record.fields.n);
		return false;
	}
	*ret_record = record;
	return true;
}

struct bb_text bb_columns_find(const struct bb_record *record, const struct bb_path *path)
{
	if (record->names.n == 0)
		return record->fields.items[path->column];
	for (size_t i = 0; i < record->names.n; i++)
		if (bb_text_equal(record->names.items[i], path->steps[0].name))
			return record->fields.items[i];
	return (struct bb_text){NULL, 0};
}

void bb_columns_write(const struct bb_connector *connector, const struct bb_record *record,
		      struct bb_buf *buf)
{
	char delimiter = delimiter_of(connector);

	for (size_t i = 0; i < record->fields.n; i++) {
		struct bb_text field = record->fields.items[i];
		bool quotes =
			connector->format == BB_FORMAT_CSV &&
			(memchr(field.p, delimiter, field.n) || memchr(field.p, '"', field.n) ||
			 memchr(field.p, '\n', field.n) || memchr(field.p, '\r', field.n));

		if (i > 0)
			bb_buf_byte(buf, delimiter);
		if (quotes)
			bb_buf_byte(buf, '"');
		for (size_t k = 0; quotes && k < field.n; k++)
			bb_buf_add(buf, field.p[k] == '"' ? "\"\"" : field.p + k,
				   field.p[k] == '"' ? 2 : 1);
		if (quotes)
			bb_buf_byte(buf, '"');
		else
			bb_buf_text(buf, field);
	}
}

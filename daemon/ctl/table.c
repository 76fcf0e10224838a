/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns are as wide as their widest cell, counted in code points; two blanks between them. Cannot
 * fail; what cannot be written shows when the stream is flushed.
 */
#include "table.h"

#include <backbone/assert.h>

struct bb_table_row *bb_ctl_table_row(struct bb_ctl_table *table)
{
	bb_assert(table->columns <= BB_TABLE_COLUMNS_MAX);
	BB_ARENA_PUSH(table->arena, table->rows, table->n, table->room) = (struct bb_table_row){0};
	return &table->rows[table->n - 1];
}

void bb_ctl_table_titles(struct bb_ctl_table *table, const char *const *titles)
{
	struct bb_table_row *row = bb_ctl_table_row(table);

	for (size_t i = 0; i < table->columns; i++)
		row->cells[i] = bb_text_of(titles[i]);
}

struct bb_text bb_ctl_table_number(struct bb_ctl_table *table, long long value)
{
	return bb_arena_printf(table->arena, "%lld", value);
}

static size_t width(struct bb_text text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	return n;
}

void bb_ctl_print_safe(struct bb_text text, FILE *out)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		/* U+0080 to U+009F are controls too: C2 80 to C2 9F */
		bool is_c1 =
			c >= 0x80 && c <= 0x9f && i > 0 && (unsigned char)text.p[i - 1] == 0xc2;

		fputc(c < ' ' || c == 0x7f || is_c1 ? '?' : c, out);
	}
}

void bb_ctl_table_print(const struct bb_ctl_table *table, FILE *out)
{
	size_t widths[BB_TABLE_COLUMNS_MAX] = {0};

	for (size_t r = 0; r < table->n; r++) {
		for (size_t c = 0; c < table->columns; c++) {
			size_t w = width(table->rows[r].cells[c]);

			widths[c] = w > widths[c] ? w : widths[c];
		}
	}
	for (size_t r = 0; r < table->n; r++) {
		size_t last = table->columns;

		while (last > 0 && table->rows[r].cells[last - 1].n == 0)
			last--; /* no blanks at the end of a line */
		for (size_t c = 0; c < last; c++) {
			struct bb_text cell = table->rows[r].cells[c];
			int pad = (int)(widths[c] - width(cell));
			bool right = table->right >> c & 1;

			fprintf(out, "%s%*s", c > 0 ? "  " : "", right ? pad : 0, "");
			bb_ctl_print_safe(cell, out);
			if (!right && c + 1 < last)
				fprintf(out, "%*s", pad, "");
		}
		fputc('\n', out);
	}
}

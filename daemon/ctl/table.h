/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of text in columns that line up, for people. */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <backbone/arena.h>
#include <stdio.h>

#define BB_TABLE_COLUMNS_MAX 12

struct bb_table_row {
	struct bb_text cells[BB_TABLE_COLUMNS_MAX];
};

struct bb_ctl_table {
	struct bb_arena *arena;
	size_t columns;
	unsigned right; /* mask of columns that stand to the right: numbers */
	struct bb_table_row *rows;
	size_t n, room;
};

/* A new row, its cells empty; text is borrowed until the table is printed. */
struct bb_table_row *bb_ctl_table_row(struct bb_ctl_table *table);

/* The first row: as many as there are columns. */
void bb_ctl_table_titles(struct bb_ctl_table *table, const char *const *titles);

/* A number as text, in the table's arena. */
struct bb_text bb_ctl_table_number(struct bb_ctl_table *table, long long value);

/* Control characters are shown as `?`, so that stored text cannot steer a terminal. */
void bb_ctl_table_print(const struct bb_ctl_table *table, FILE *out);

/* Text for a terminal: the same for a single piece. */
void bb_ctl_print_safe(struct bb_text text, FILE *out);

#endif

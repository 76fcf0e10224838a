/* SPDX-License-Identifier: Apache-2.0 */
/* Files are read from the source tree; a file that is missing fails the test that wants it. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define FOLDER BB_SOURCE_DIR "/tests/unit/engine/"

const struct bb_rules *fixture_rules(void)
{
	static struct bb_attribute_rule points = {"points", BB_FOLD_MAX};
	static struct bb_namespace namespaces[3];
	static struct bb_rules rules;

	bb_rules_defaults(&rules);
	bb_rules_namespace_defaults(&namespaces[0], "shop_customer", true, true);
	bb_rules_namespace_defaults(&namespaces[1], "email", false, true);
	namespaces[1].normaliser = BB_NORMALISE_EMAIL;
	bb_rules_namespace_defaults(&namespaces[2], "phone", false, true);
	namespaces[2].normaliser = BB_NORMALISE_PHONE;
	rules.namespaces = namespaces;
	rules.namespace_n = 3;
	rules.attributes = &points;
	rules.attribute_n = 1;
	return &rules;
}

struct bb_buf fixture_file(const char *name)
{
	struct bb_buf path = BB_BUF_EMPTY, text = BB_BUF_EMPTY;
	FILE *file;

	bb_buf_printf(&path, FOLDER "%s", name);
	bb_buf_byte(&path, '\0');
	file = fopen(path.p, "re");
	cr_assert_not_null(file, "%s", path.p);
	while (!feof(file) && !ferror(file))
		text.n += fread(bb_buf_reserve(&text, 65536), 1, 65536, file);
	fclose(file);
	bb_buf_fini(&path);
	*bb_buf_reserve(&text, 1) = '\0';
	return text;
}

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct bb_names_list fixture_list(struct bb_arena *arena, const char *folder, const char *ending)
{
	struct bb_text path = bb_arena_printf(arena, FOLDER "%s", folder);
	struct bb_names_list list = {NULL, 0, 0};
	struct dirent *entry;
	DIR *dir = opendir(path.p);

	cr_assert_not_null(dir, "%s", path.p);
	while ((entry = readdir(dir)) != NULL) {
		size_t n = strlen(entry->d_name), end = strlen(ending);

		if (n > end && strcmp(entry->d_name + n - end, ending) == 0)
			BB_ARENA_PUSH(arena, list.items, list.n, list.room) =
				bb_arena_copy(arena, bb_text_of(entry->d_name)).p;
	}
	closedir(dir);
	qsort(list.items, list.n, sizeof(*list.items), compare_words);
	return list;
}

void fixture_print_diagnostics(const struct bb_diagnostics *diagnostics, struct bb_buf *buf)
{
	for (size_t i = 0; i < diagnostics->n; i++) {
		bb_diagnostic_print(&diagnostics->items[i], buf);
		bb_buf_byte(buf, '\n');
	}
}

static void print_refusal(const struct bb_refusal *refusal, struct bb_buf *buf)
{
	bb_buf_printf(buf, " %s", bb_dead_reason_text(refusal->reason));
	if (refusal->at.p)
		bb_buf_printf(buf, " at %.*s", (int)refusal->at.n, refusal->at.p);
	if (refusal->byte_offset >= 0)
		bb_buf_printf(buf, " byte %lld", (long long)refusal->byte_offset);
	bb_buf_printf(buf, ": %.*s\n", (int)refusal->detail.n, refusal->detail.p);
}

void fixture_print_extraction(const struct bb_extraction *extraction, struct bb_buf *buf)
{
	for (size_t i = 0; i < extraction->n; i++) {
		const struct bb_extracted *item = &extraction->items[i];

		if (item->kind == BB_EXTRACTED_EVENT) {
			bb_event_json(item->event, buf);
			bb_buf_byte(buf, '\n');
			continue;
		}
		if (item->kind == BB_EXTRACTED_RULING) {
			bb_ruling_json(item->ruling, buf);
			bb_buf_byte(buf, '\n');
			continue;
		}
		bb_buf_printf(buf, "%s", item->kind == BB_EXTRACTED_SKIP ? "skip" : "refused");
		print_refusal(&item->refusal, buf);
	}
}

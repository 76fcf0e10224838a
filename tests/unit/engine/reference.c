/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manual holds the reference of all keys as the table of options gives it: from the heading of
 * the first place to the end of its page. With BB_UPDATE_DOCS set in the environment the file is
 * brought into step instead.
 */
#include <backbone/connector.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define MANUAL BB_SOURCE_DIR "/docs/connectors/reference.md"
#define FIRST "\n## Keys of the file\n"

static char manual[262144];

static void read_manual(char **ret_start)
{
	FILE *file = fopen(MANUAL, "r");
	size_t n;

	cr_assert_not_null(file, "%s", MANUAL);
	n = fread(manual, 1, sizeof manual - 1, file);
	fclose(file);
	cr_assert_lt(n, sizeof manual - 1);
	manual[n] = '\0';
	*ret_start = strstr(manual, FIRST);
	cr_assert_not_null(*ret_start, "%s has no heading of the first place", MANUAL);
	++*ret_start;
}

static void write_manual(const char *start, const char *reference)
{
	FILE *file = fopen(MANUAL ".new", "w");

	cr_assert_not_null(file);
	fprintf(file, "%.*s%s", (int)(start - manual), manual, reference);
	cr_assert_eq(fclose(file), 0);
	cr_assert_eq(rename(MANUAL ".new", MANUAL), 0);
}

Test(manual, reference_is_that_of_the_table)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	char *start;

	read_manual(&start);
	bb_connector_reference(&buf);
	bb_buf_byte(&buf, '\0');
	if (getenv("BB_UPDATE_DOCS"))
		write_manual(start, buf.p);
	else
		cr_assert_str_eq(start, buf.p,
				 "%s is not in step; run this test with BB_UPDATE_DOCS=1", MANUAL);
	bb_buf_fini(&buf);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docs/configuration.md ends with the reference of all options, as the table of options gives it.
 * With BB_UPDATE_DOCS set in the environment the file is brought into step instead.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "helpers.h"
#include "option.h"

#define MANUAL BB_SOURCE_DIR "/docs/configuration.md"
#define FIRST "\n## `profile_key`\n"

static char manual[131072];

/* Where the reference begins. */
static char *read_manual(void)
{
	FILE *file = fopen(MANUAL, "r");
	char *start;
	size_t n;

	cr_assert_not_null(file, "%s", MANUAL);
	n = fread(manual, 1, sizeof manual - 1, file);
	fclose(file);
	cr_assert_lt(n, sizeof manual - 1);
	manual[n] = '\0';
	start = strstr(manual, FIRST);
	cr_assert_not_null(start, "%s has no heading of the first option", MANUAL);
	return start + 1;
}

static void write_manual(char *start, const char *reference)
{
	FILE *file;

	*start = '\0';
	file = fopen(MANUAL, "w");
	cr_assert_not_null(file);
	fputs(manual, file);
	fputs(reference, file);
	cr_assert_eq(fclose(file), 0);
}

Test(config, reference_in_the_manual_is_that_of_the_table)
{
	char *start = read_manual();
	struct bb_buf buf = BB_BUF_EMPTY;

	bb_config_reference(&buf);
	bb_buf_byte(&buf, '\0');
	if (getenv("BB_UPDATE_DOCS"))
		write_manual(start, buf.p);
	else
		cr_assert_str_eq(start, buf.p,
				 "%s is not in step; run this test with BB_UPDATE_DOCS=1", MANUAL);
	bb_buf_fini(&buf);
}

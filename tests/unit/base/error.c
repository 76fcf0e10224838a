/* SPDX-License-Identifier: Apache-2.0 */
/* Error texts, and failed assertions. */
#include <backbone/assert.h>
#include <backbone/error.h>
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

Test(base, error_has_a_text_for_every_code)
{
#define X(name, value, text) cr_assert_str_eq(bb_error_text(BB_##name), text);
	BB_ERRORS(X)
#undef X
	cr_assert_str_eq(bb_error_text(BB_OK), "ok");
	cr_assert_str_eq(bb_error_text(-4711), "unknown error");
	cr_assert_str_eq(bb_error_text(1), "unknown error");
}

Test(base, error_set_returns_its_code)
{
	struct bb_error err;

	cr_assert_eq(bb_error_set(&err, BB_EIO, "%s: %d", "disk", 5), BB_EIO);
	cr_assert_eq(err.code, BB_EIO);
	cr_assert_str_eq(err.msg, "disk: 5");
	cr_assert_eq(bb_error_set(NULL, BB_EBUSY, "nobody %s", "asks"), BB_EBUSY);
}

Test(base, error_is_one_line_and_bounded)
{
	static char longest[4000];
	struct bb_error err;

	bb_error_set(&err, BB_EIO,
		     "a\nb\tc\x7f"
		     "d\xc3\xa9");
	cr_assert_str_eq(err.msg, "a?b?c?d\xc3\xa9");
	memset(longest, 'x', sizeof longest - 1);
	bb_error_set(&err, BB_EIO, "%s", longest);
	cr_assert_eq(strlen(err.msg), sizeof err.msg - 1);
}

Test(base, assert_passes)
{
	bb_assert(1 + 1 == 2);
}

Test(base, assert_aborts, .signal = SIGABRT)
{
	bb_assert(1 + 1 == 3);
}

Test(base, assert_aborts_with_a_long_expression, .signal = SIGABRT)
{
	static char longest[2000];

	memset(longest, 'x', sizeof longest - 1);
	bb_assert_fail(longest, "file.c", 1);
}

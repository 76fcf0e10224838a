/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of files: how they are cut, where reading goes on, and when a file is not the same any
 * more. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place.h"
#include "rig.h"

TestSuite(replay, .init = setup, .fini = teardown, .timeout = 30);

Test(replay, lines_are_numbered_from_nought)
{
	static const struct {
		const char *what, *bytes;
		struct {
			int64_t number;
			const char *text;
		} lines[4];
	} rows[] = {
		{"two lines", "a\nb\n", {{0, "a"}, {1, "b"}}},
		{"no line feed at the end", "a\nb", {{0, "a"}, {1, "b"}}},
		{"blank lines give nothing", "\n  \na\n\t\nb\n\n", {{2, "a"}, {4, "b"}}},
		{"carriage returns", "a\r\n\r\nb\r\n", {{0, "a"}, {2, "b"}}},
		{"empty", "", {{0, NULL}}},
		{"blanks only", "\n\n \n", {{0, NULL}}},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		write_file(0, "w", rows[i].bytes);
		stored[0] = (struct bb_resume){0};
		open_source(1);
		for (size_t k = 0; k < 4 && rows[i].lines[k].text; k++)
			expect_line(0, rows[i].lines[k].number, rows[i].lines[k].text);
		expect_nothing();
	}
}

Test(replay, files_come_one_after_the_other)
{
	struct bb_error why = {0};

	write_file(0, "w", "a\nb\n");
	write_file(1, "w", "");
	write_file(2, "w", "c\n");
	open_source(3);
	cr_expect_not(source->ops->ready(source, &why));
	cr_expect_not(source->ops->drained(source));
	cr_expect_eq(source->ops->fd(source), -1);
	expect_line(0, 0, "a");
	expect_line(0, 1, "b");
	expect_line(2, 0, "c");
	expect_nothing();
	cr_expect(source->ops->ready(source, &why));
	cr_expect_eq(source->ops->end(source, BB_TEXT("file:/x"), 0), -1);
}

Test(replay, a_start_goes_on_behind_the_last_line)
{
	write_file(0, "w", "a\n\nb\nc\nd");
	for (int64_t i = 0; i < 5; i++) {
		static const char *const lines[] = {"a", "", "b", "c", "d"};

		if (i == 1)
			continue; /* the blank one */
		open_source(1);
		expect_line(0, i, lines[i]);
	}
	open_source(1);
	expect_nothing();
}

Test(replay, a_file_may_grow_by_lines)
{
	write_file(0, "w", "a\n");
	open_source(1);
	expect_line(0, 0, "a");
	expect_nothing();
	write_file(0, "a", "b\n");
	expect_line(0, 1, "b");
	expect_nothing();
	open_source(1);
	write_file(0, "a", "c\n");
	expect_line(0, 2, "c");
}

Test(replay, a_line_feed_that_comes_late_ends_the_line_before)
{
	write_file(0, "w", "a\nb");
	open_source(1);
	expect_line(0, 0, "a");
	expect_line(0, 1, "b");
	expect_nothing();
	write_file(0, "a", "\nc\n");
	expect_line(0, 2, "c");
	stored[0].known = false;
	write_file(0, "w", "a\nb");
	open_source(1);
	expect_line(0, 0, "a");
	expect_line(0, 1, "b");
	write_file(0, "a", "\nc\n");
	open_source(1);
	expect_line(0, 2, "c");
}

Test(replay, a_line_that_grows_after_it_was_read_is_a_gap)
{
	write_file(0, "w", "a\nb");
	open_source(1);
	expect_line(0, 0, "a");
	expect_line(0, 1, "b");
	write_file(0, "a", "b\nc\n");
	open_source(1);
	expect_gap("has grown");
}

Test(replay, a_shorter_file_is_a_gap)
{
	write_file(0, "w", "first\nsecond\n");
	open_source(1);
	expect_line(0, 0, "first");
	expect_line(0, 1, "second");
	write_file(0, "w", "first\n");
	open_source(1);
	expect_gap("shorter");
}

Test(replay, another_last_line_is_a_gap)
{
	write_file(0, "w", "first\nsecond\n");
	open_source(1);
	expect_line(0, 0, "first");
	expect_line(0, 1, "second");
	write_file(0, "w", "first\nSecond\nthird\n");
	open_source(1);
	expect_gap("has changed");
}

/* Another time of writing, as far away as a test needs it. */
static void touch(int i)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1000000000}};

	cr_assert_eq(utimensat(AT_FDCWD, paths[i], times, 0), 0);
}

Test(replay, a_file_that_changes_while_it_is_read_is_a_gap)
{
	static const struct {
		const char *what, *bytes, *words;
		bool replaced;
	} rows[] = {
		{"cut to nothing", "", "has become shorter", false},
		{"cut between lines", "first\n", "has become shorter", false},
		{"cut in a line", "first\nsec", "has become shorter", false},
		{"written anew, as long", "First\nSecond\n", "has changed", false},
		{"written anew, longer", "First\nSecond\nthird\n", "has changed", false},
		{"replaced, shorter", "first\n", "replaced by one that is shorter", true},
		{"replaced, another line there", "first\nSecond\nthird\n", "has changed", true},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool at_end = i % 2;

		stored[0] = (struct bb_resume){0};
		write_file(0, "w", "first\nsecond\n");
		open_source(1);
		expect_line(0, 0, "first");
		expect_line(0, 1, "second");
		if (at_end)
			expect_nothing();
		if (rows[i].replaced)
			cr_assert_eq(unlink(paths[0]), 0);
		write_file(0, "w", rows[i].bytes);
		touch(0);
		cr_log_info("%s", rows[i].what);
		expect_gap(rows[i].words);
	}
}

Test(replay, a_cut_between_two_blocks_is_a_gap_before_the_next_one)
{
	struct bb_delivery got[64];
	size_t n = 0, lines = 0;
	int code;

	write_file(0, "w", "first\n");
	for (int i = 0; i < 20; i++)
		write_long(200 * 1024);
	open_source(1);
	cr_assert_eq(take(got, 64, &n), BB_OK);
	cr_assert(n > 1 && n < 20);
	source->ops->release(source, got, n);
	cr_assert_eq(truncate(paths[0], 1000), 0);
	while ((code = take(got, 64, &n)) == BB_OK && n) {
		source->ops->release(source, got, n);
		lines += n;
	}
	cr_expect_eq(code, BB_EGAP);
	cr_expect_eq(lines, 0);
	cr_expect(strstr(err.msg, "has become shorter"), "%s", err.msg);
	expect_nothing();
}

Test(replay, a_file_replaced_by_one_with_the_same_lines_is_read_on)
{
	write_file(0, "w", "first\nsecond\n");
	open_source(1);
	expect_line(0, 0, "first");
	expect_line(0, 1, "second");
	expect_nothing();
	cr_assert_eq(rename(paths[0], paths[1]), 0);
	write_file(0, "w", "first\nsecond\nthird\n");
	write_file(1, "a", "nobody reads this\n");
	expect_line(0, 2, "third");
	expect_nothing();
}

Test(replay, a_file_that_goes_is_said_until_it_is_back)
{
	struct bb_error why = {0};
	struct bb_delivery got;
	size_t n = 0;

	write_file(0, "w", "first\n");
	open_source(1);
	expect_line(0, 0, "first");
	cr_assert_eq(unlink(paths[0]), 0);
	for (int i = 0; i < 2; i++) {
		cr_expect_eq(take(&got, 1, &n), BB_EIO);
		cr_expect(strstr(err.msg, "No such file"), "%s", err.msg);
	}
	cr_expect(source->ops->ready(source, &why), "what was read of it is not lost");
	write_file(0, "w", "first\nsecond\n");
	expect_line(0, 1, "second");
}

Test(replay, a_position_without_a_place_is_a_gap)
{
	write_file(0, "w", "a\nb\n");
	stored[0] =
		(struct bb_resume){.known = true, .next_offset = 1, .token = BB_TEXT("nonsense")};
	open_source(1);
	expect_gap("does not know");
}

Test(replay, after_an_operators_word_it_is_read_from_the_start)
{
	write_file(0, "w", "a\nb\n");
	stored[0] = (struct bb_resume){.known = true, .next_offset = BB_RESUME_START};
	open_source(1);
	expect_line(0, 0, "a");
}

Test(replay, other_files_go_on_behind_a_gap_or_an_unreadable_one)
{
	struct bb_delivery got;
	size_t n = 0;

	write_file(0, "w", "a\n");
	stored[0] =
		(struct bb_resume){.known = true, .next_offset = 1, .token = BB_TEXT("nonsense")};
	write_file(2, "w", "c\n");
	open_source(3);
	cr_expect_eq(take(&got, 1, &n), BB_EGAP);
	expect_line(2, 0, "c");
	cr_expect_eq(take(&got, 1, &n), BB_EIO, "the second one is not there");
	cr_expect(strstr(err.msg, paths[1]), "%s", err.msg);
	cr_expect(source->ops->drained(source), "what cannot be read does not hold up the end");
	write_file(1, "w", "b\n");
	expect_line(1, 0, "b");
}

Test(replay, a_folder_is_not_read)
{
	struct bb_delivery got;
	size_t n = 0;

	cr_assert_eq(mkdir(paths[0], 0700), 0);
	open_source(1);
	cr_expect_eq(take(&got, 1, &n), BB_EIO);
	cr_expect(strstr(err.msg, "not a regular file"), "%s", err.msg);
	rmdir(paths[0]);
}

Test(replay, a_line_that_is_too_long_is_cut_and_the_next_one_is_whole)
{
	static const size_t sizes[] = {BB_REPLAY_LINE_MAX, BB_REPLAY_LINE_MAX + 1, 1 << 20,
				       (1 << 20) + 1, 3 << 20};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		unlink(paths[0]);
		stored[0] = (struct bb_resume){0};
		write_file(0, "w", "a\n");
		write_long(sizes[i]);
		write_file(0, "a", "b\n");
		open_source(1);
		expect_line(0, 0, "a");
		take_long(1, BB_REPLAY_LINE_MAX);
		if (i % 2)
			open_source(1); /* also when a start falls between */
		expect_line(0, 2, "b");
		expect_nothing();
	}
}

Test(replay, many_lines_over_many_blocks_come_whole)
{
	struct bb_delivery got[100];
	char expected[64];
	size_t n, seen = 0;
	FILE *file = fopen(paths[0], "w");

	for (int i = 0; i < 100000; i++)
		fprintf(file, "line %d with some more bytes\n", i);
	fclose(file);
	open_source(1);
	while (take(got, 100, &n) == BB_OK && n) {
		for (size_t i = 0; i < n; i++) {
			snprintf(expected, sizeof expected, "line %zu with some more bytes",
				 seen + i);
			cr_assert(bb_text_equal(got[i].message.value, bb_text_of(expected)),
				  "line %zu", seen + i);
			cr_assert_eq(got[i].message.offset, (int64_t)(seen + i));
		}
		seen += n;
		source->ops->release(source, got, n);
	}
	cr_expect_eq(seen, 100000);
}

Test(replay, lines_outlive_the_reading_of_the_next_ones)
{
	struct bb_delivery first, more[64];
	size_t n;

	write_file(0, "w", "first\n");
	for (int i = 0; i < 20; i++)
		write_long(200 * 1024);
	open_source(1);
	cr_assert_eq(take(&first, 1, &n), BB_OK);
	cr_assert_eq(n, 1);
	for (size_t got = 0; got < 20; got += n) {
		cr_assert_eq(take(more + got, 64 - got, &n), BB_OK);
		cr_assert_gt(n, 0, "after %zu lines", got);
	}
	cr_expect(bb_text_equal(first.message.value, BB_TEXT("first")));
	source->ops->release(source, more, 20);
	source->ops->release(source, &first, 1);
}

Test(replay, a_place_is_read_as_it_was_written)
{
	struct bb_place place = {10, 20, 9, true, false, bb_place_hash(BB_TEXT("x")), 3}, again;
	struct bb_text bytes = bb_place_encode(&place, &arena);

	cr_assert(bb_place_decode(bytes, &again));
	cr_expect_eq(again.start, 10);
	cr_expect_eq(again.next, 20);
	cr_expect_eq(again.bytes, 9);
	cr_expect(again.cut && !again.unended);
	cr_expect_eq(again.more, 3);
	cr_expect(bb_hash_equal(&again.hash, &place.hash));
	for (size_t n = 0; n < bytes.n; n++)
		cr_expect_not(bb_place_decode(bb_text_bytes(bytes.p, n), &again), "%zu", n);
	place.next = 5;
	cr_expect_not(bb_place_decode(bb_place_encode(&place, &arena), &again), "backwards");
}

Test(replay, a_place_of_the_first_form_is_read)
{
	struct bb_place place = {10, 20, 9, false, true, bb_place_hash(BB_TEXT("x")), 3}, again;
	struct bb_text bytes = bb_place_encode(&place, &arena);
	char *old = memcpy(bb_arena_alloc(&arena, bytes.n), bytes.p, bytes.n);

	old[0] = 1;
	cr_assert(bb_place_decode(bb_text_bytes(old, bytes.n - 4), &again));
	cr_expect_eq(again.next, 20);
	cr_expect(again.unended && !again.cut);
	cr_expect_eq(again.more, 0);
	cr_expect(bb_hash_equal(&again.hash, &place.hash));
}

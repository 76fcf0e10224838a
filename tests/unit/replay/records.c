/* SPDX-License-Identifier: Apache-2.0 */
/* Records of csv: how they are cut, and the heading that goes along with them. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <unistd.h>

#include "rig.h"

TestSuite(records, .init = setup, .fini = teardown, .timeout = 30);

static void use_csv(const char *more)
{
	struct bb_diagnostics diagnostics = {.arena = &arena};
	struct bb_text yaml =
		bb_arena_printf(&arena,
				"connector: partner\nchannel: partner\ntopics: []\nformat: csv\n%s"
				"events: [{type: t, identify: {ns: email, from: x}}]\n",
				more);

	bb_connector_free(connector);
	connector = bb_connector_compile("c.yaml", yaml, NULL, &diagnostics);
	cr_assert_not_null(connector);
}

/* The next record, with the heading of its file. */
static void expect_record(int64_t number, const char *text, const char *heading)
{
	struct bb_delivery got;
	size_t n = 0;

	cr_assert_eq(take(&got, 1, &n), BB_OK, "%s", err.msg);
	cr_assert_eq(n, 1, "record %ld did not come", (long)number);
	cr_expect_eq(got.message.offset, number, "%ld instead of %ld", (long)got.message.offset,
		     (long)number);
	cr_expect(bb_text_equal(got.message.value, bb_text_of(text)), "%.*s instead of %s",
		  (int)got.message.value.n, got.message.value.p, text);
	cr_expect_eq(got.message.heading.p != NULL, heading != NULL);
	if (heading)
		cr_expect(bb_text_equal(got.message.heading, bb_text_of(heading)), "%.*s",
			  (int)got.message.heading.n, got.message.heading.p);
	stored[0] = (struct bb_resume){.known = true,
				       .next_offset = number + 1,
				       .token = source->ops->token(source, &got, &arena)};
	source->ops->release(source, &got, 1);
}

Test(records, records_of_csv_may_have_several_lines)
{
	static const struct {
		int64_t number;
		const char *text;
	} records[] = {
		{2, "1,\"a\nb\n\"\"c\""},
		{5, "2,x\"y"},
		{7, "\"3\",\"\n\""},
		{9, "4,z"},
	};
	const char *heading = "\xef\xbb\xbf\"n\",\"long\nname\"";

	use_csv("");
	write_file(0, "w", heading);
	write_file(0, "a", "\n1,\"a\nb\n\"\"c\"\r\n2,x\"y\n\n\"3\",\"\n\"\n4,z");
	for (size_t i = 0; i < 8; i++) {
		if (i % 4 == 0)
			stored[0] = (struct bb_resume){0};
		if (i < 4 || i == 4)
			open_source(1); /* a start before each, and before none */
		expect_record(records[i % 4].number, records[i % 4].text, heading);
	}
	expect_nothing();
	open_source(1);
	expect_nothing();
}

Test(records, a_quote_that_is_never_closed_costs_its_line)
{
	use_csv("columns: [a, b]\nheader: true\n");
	write_file(0, "w", "a,b\n1,\"open\n2,x\n3,\"y\nz\"\n");
	open_source(1);
	expect_record(1, "1,\"open\n2,x\n3,\"y", "a,b"); /* RFC 4180 cannot know better */
	expect_record(4, "z\"", "a,b");
	expect_nothing();
	stored[0] = (struct bb_resume){0};
	write_file(0, "w", "a,b\n1,\"open\n2,x\n3,y\n");
	open_source(1);
	expect_record(1, "1,\"open", "a,b");
	expect_record(2, "2,x", "a,b");
	expect_record(3, "3,y", "a,b");
	expect_nothing();
	stored[0] = (struct bb_resume){0};
	write_file(0, "w", "a,b\n1,\"open\n");
	write_long(200 * 1024);
	write_long(200 * 1024);
	write_file(0, "a", "2,x\n");
	open_source(1);
	expect_record(1, "1,\"open", "a,b");
	take_long(2, 200 * 1024);
	take_long(3, 200 * 1024);
	expect_record(4, "2,x", "a,b");
	expect_nothing();
}

Test(records, without_a_heading_the_first_line_is_a_record)
{
	use_csv("columns: [a, b]\n");
	write_file(0, "w", "1,2\n3,4\n");
	open_source(1);
	expect_record(0, "1,2", NULL);
	expect_record(1, "3,4", NULL);
	expect_nothing();
}

Test(records, a_heading_that_changes_is_a_gap)
{
	use_csv("");
	write_file(0, "w", "a,b\n1,2\n");
	open_source(1);
	expect_record(1, "1,2", "a,b");
	expect_nothing();
	cr_assert_eq(unlink(paths[0]), 0);
	write_file(0, "w", "b,a\n1,2\n3,4\n");
	expect_gap("header line has changed");
}

Test(records, an_empty_first_line_is_the_heading_and_read_once)
{
	int fd;

	use_csv("");
	write_file(0, "w", "\n1,2\n3,4\n");
	open_source(1);
	expect_record(1, "1,2", NULL);
	fd = open(paths[0], O_WRONLY);
	cr_assert_eq(pwrite(fd, "x", 1, 0), 1);
	close(fd);
	expect_record(2, "3,4", NULL); /* nothing was read again for it */
}

Test(records, a_heading_comes_with_the_file)
{
	use_csv("");
	write_file(0, "w", "");
	open_source(1);
	expect_nothing();
	write_file(0, "a", "a,b\n");
	expect_nothing();
	write_file(0, "a", "1,2\n3,4\n");
	expect_record(1, "1,2", "a,b");
	bb_replay_route(source, connector); /* a reload in the middle */
	expect_record(2, "3,4", "a,b");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines, and how many of them. */
#include <backbone/log.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log_limit.h"

static int kept, ends[2];

static void capture_begin(void)
{
	fflush(stderr);
	kept = dup(STDERR_FILENO);
	cr_assert_eq(pipe(ends), 0);
	cr_assert_geq(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20), 0);
	dup2(ends[1], STDERR_FILENO);
}

static const char *capture_end(void)
{
	static char text[1 << 20];
	size_t n = 0;
	ssize_t got;

	dup2(kept, STDERR_FILENO);
	close(kept);
	close(ends[1]);
	while ((got = read(ends[0], text + n, sizeof text - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	close(ends[0]);
	return text;
}

Test(base, log_writes_priority_event_and_pairs)
{
	capture_begin();
	bb_log(BB_LOG_WARNING, "partition_assigned", "topic=%s partition=%d", "shop", 3);
	bb_log(BB_LOG_ERROR, "alone", "%s", "");
	cr_assert_str_eq(capture_end(), "<4>partition_assigned topic=shop partition=3\n<3>alone\n");
}

Test(base, log_is_one_line_whatever_it_is_told)
{
	capture_begin();
	bb_log(BB_LOG_INFO, "peer", "name=\"%s\"", "a\n<0>forged\r\x1b[31m");
	cr_assert_str_eq(capture_end(), "<6>peer name=\"a?<0>forged??[31m\"\n");
}

Test(base, log_cuts_long_lines)
{
	static char longest[5000];
	const char *line;

	memset(longest, 'x', sizeof longest - 1);
	capture_begin();
	bb_log(BB_LOG_INFO, "long", "%s", longest);
	line = capture_end();
	cr_assert_eq(strlen(line), 2048);
	cr_assert_str_eq(line + 2048 - 5, "x...\n");
}

Test(base, log_obeys_its_level)
{
	capture_begin();
	bb_log(BB_LOG_DEBUG, "quiet", "n=1");
	bb_log_level_set(BB_LOG_DEBUG);
	bb_log(BB_LOG_DEBUG, "loud", "n=2");
	bb_log_level_set(BB_LOG_ERROR);
	bb_log(BB_LOG_WARNING, "quiet_again", "n=3");
	cr_assert_str_eq(capture_end(), "<7>loud n=2\n");
}

Test(base, log_stops_at_the_burst)
{
	const char *p;
	int lines = 0;

	capture_begin();
	for (int i = 0; i < 2 * BB_LOG_BURST; i++)
		bb_log(BB_LOG_INFO, "often", "n=%d", i);
	bb_log(BB_LOG_INFO, "other", "n=1");
	for (p = capture_end(); (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	cr_assert_eq(lines, BB_LOG_BURST + 1, "%d", lines);
}

Test(base, log_limit_says_what_was_dropped_with_the_next_line)
{
	static struct bb_log_limit limit;
	uint32_t dropped;
	int admitted = 0;

	for (int i = 0; i < BB_LOG_BURST + 7; i++)
		admitted += bb_log_limit_admit(&limit, "often", 100000, &dropped);
	cr_assert_eq(admitted, BB_LOG_BURST);
	cr_assert(bb_log_limit_admit(&limit, "other", 100000, &dropped));
	cr_assert_eq(dropped, 0, "another name has its own count");
	cr_assert_not(bb_log_limit_admit(&limit, "often", 100000 + BB_LOG_WINDOW_MS - 1, &dropped));
	cr_assert(bb_log_limit_admit(&limit, "often", 100000 + BB_LOG_WINDOW_MS, &dropped));
	cr_assert_eq(dropped, 8);
	cr_assert(bb_log_limit_admit(&limit, "often", 100000 + BB_LOG_WINDOW_MS, &dropped));
	cr_assert_eq(dropped, 0, "said once");
}

Test(base, log_limit_lets_through_what_finds_no_place)
{
	static struct bb_log_limit limit;
	uint32_t dropped;
	char name[32];

	for (int i = 0; i < BB_LOG_NAMES; i++) {
		snprintf(name, sizeof name, "event_%d", i);
		cr_assert(bb_log_limit_admit(&limit, name, 1, &dropped));
	}
	for (int i = 0; i < 2 * BB_LOG_BURST; i++)
		cr_assert(bb_log_limit_admit(&limit, "one_too_many", 1, &dropped), "%d", i);
}

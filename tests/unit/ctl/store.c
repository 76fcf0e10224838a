/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that read the store of a daemon that is down. */
#include "ctl.h"
#include "run.h"

#include <backbone/deadletter.h>
#include <backbone/gate.h>
#include <backbone/pipeline.h>
#include <backbone/progress.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const people[] = {
	"{\"source\":\"x\",\"type\":\"t\",\"id\":\"1\",\"time\":\"2026-01-02T03:04:05Z\","
	"\"identifiers\":[{\"ns\":\"user\",\"value\":\"a\"}]}",
	"{\"source\":\"x\",\"type\":\"t\",\"id\":\"2\",\"time\":\"2026-01-02T03:04:05Z\","
	"\"identifiers\":[{\"ns\":\"user\",\"value\":\"b\"}]}",
	"{\"source\":\"x\",\"type\":\"t\",\"id\":\"3\",\"time\":\"2026-01-02T03:04:05Z\","
	"\"identifiers\":[{\"ns\":\"user\",\"value\":\"c\"}]}",
};

static void put_rows(struct bb_kv *kv)
{
	struct bb_progress progress = {.topic = BB_TEXT("shop"),
				       .partition = 1,
				       .next_offset = 5,
				       .passed = 5,
				       .results = {3, 0, 0, 0, 2}};
	struct bb_deadletter letter = {.stored_ms = 1000,
				       .refusal = {.reason = BB_DEAD_INVALID_EVENT,
						   .at = BB_TEXT("amount.value"),
						   .detail = BB_TEXT("no money"),
						   .byte_offset = -1},
				       .connector = BB_TEXT("till"),
				       .message = {.topic = BB_TEXT("shop"),
						   .partition = 1,
						   .offset = 3,
						   .timestamp_ms = BB_NO_TIMESTAMP,
						   .value = BB_TEXT("{\"a\":\"\x1b[31m\"}")},
				       .has_value = true,
				       .value_bytes = 13};
	uint64_t number;

	cr_assert_eq(bb_progress_put(kv, &progress), BB_OK);
	cr_assert_eq(bb_deadletter_put(kv, &letter, &number), BB_OK);
	letter.message.value = BB_TEXT("\xff");
	letter.message.offset = 4;
	cr_assert_eq(bb_deadletter_put(kv, &letter, &number), BB_OK);
}

static void store_open(void)
{
	run_open_store(people, sizeof(people) / sizeof(people[0]), put_rows);
}

#define STORE_TEST(name) Test(ctl, name, .init = store_open, .fini = run_close)

STORE_TEST(dump_prints_views_sorted_by_profile)
{
	char last[64] = "", *rest;
	size_t n = 0;

	cr_assert_eq(run_with_config("dump", "--views", NULL), 0, "%s", run_err);
	for (char *line = strtok_r(run_out, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest), n++) {
		cr_assert(strncmp(line, "{\"profile\":\"p", 13) == 0, "%s", line);
		cr_assert(strncmp(last, line, 39) < 0);
		snprintf(last, sizeof(last), "%.39s", line);
	}
	cr_assert_eq(n, 3);
}

STORE_TEST(dump_prints_offsets)
{
	cr_assert_eq(run_with_config("dump", "--offsets", NULL), 0, "%s", run_err);
	cr_assert_str_eq(run_out,
			 "{\"topic\":\"shop\",\"partition\":1,\"next_offset\":5,\"passed\":5,"
			 "\"applied\":3,\"duplicate\":0,\"skipped\":0,\"no_identifier\":0,"
			 "\"dead_letter\":2,\"holes\":0,\"dropped\":0,\"gaps\":0}\n");
}

STORE_TEST(digest_and_scrub_read_the_store)
{
	cr_assert_eq(run_with_config("digest", NULL), 0, "%s", run_err);
	cr_assert_eq(strlen(run_out), 32 + strlen("  3 profiles\n"), "%s", run_out);
	cr_assert_eq(run_with_config("--json", "digest", NULL), 0);
	cr_assert(strncmp(run_out, "{\"digest\":\"", 11) == 0 &&
		  strstr(run_out, "\",\"profiles\":3}\n"));
	cr_assert_eq(run_with_config("scrub", NULL), 0, "%s", run_err);
	cr_assert(strstr(run_out, " values, none damaged\n"), "%s", run_out);
	cr_assert_eq(run_with_config("scrub", "--json", NULL), 0);
	cr_assert(strstr(run_out, "\"damaged\":0}\n"), "%s", run_out);
}

STORE_TEST(dead_letters_come_from_the_store)
{
	cr_assert_eq(run_with_config("dead-letters", NULL), 0, "%s", run_err);
	cr_assert(strstr(run_out, "shop/1/3"), "%s", run_out);
	cr_assert(strstr(run_out, "amount.value") && strstr(run_out, "invalid_event"));
	cr_assert(!strstr(run_out, "/w=="));
	cr_assert_eq(run_with_config("dead-letters", "--values", NULL), 0);
	cr_assert(strstr(run_out, "{\"a\":\"?[31m\"}"), "no control characters: %s", run_out);
	cr_assert(strstr(run_out, "/w=="), "%s", run_out);
	cr_assert_eq(run_with_config("dead-letters", "--json", "--limit", "1", NULL), 0);
	cr_assert(strncmp(run_out, "{\"number\":1,", 12) == 0, "%s", run_out);
	cr_assert_eq(strchr(run_out, '\n'), run_out + strlen(run_out) - 1, "one line");
	cr_assert_eq(run_with_config("dead-letters", "--json", "--from", "2", NULL), 0);
	cr_assert(strncmp(run_out, "{\"number\":2,", 12) == 0, "%s", run_out);
	cr_assert(strstr(run_out, "\"value_base64\":\"/w==\"}"), "%s", run_out);
}

STORE_TEST(another_key_is_refused)
{
	char text[2048];
	FILE *file = fopen(run_path("b.yaml"), "r");
	size_t n = fread(text, 1, sizeof(text) - 1, file);

	fclose(file);
	text[n] = '\0';
	memcpy(strstr(text, "8c6a"), "0000", 4);
	run_file("b.yaml", text);
	cr_assert_eq(run_with_config("dump", "--views", NULL), BB_CTL_REFUSED, "%s", run_err);
	cr_assert_eq(run_with_config("digest", NULL), BB_CTL_REFUSED);
	cr_assert_eq(run_with_config("scrub", NULL), BB_CTL_REFUSED);
	cr_assert_eq(run_with_config("dead-letters", NULL), BB_CTL_REFUSED);
}

STORE_TEST(with_a_wrong_configuration_it_is_said_why_the_store_is_not_read)
{
	static const char *const verbs[] = {"digest", "dead-letters"};
	const char *path = run_file("w.yaml", "storee: 1\nserve: {query: {path: q}, admin: {path: "
					      "q}}\n");

	for (size_t i = 0; i < 2; i++) {
		cr_expect_eq(run("--config", path, verbs[i], NULL), BB_CTL_USAGE);
		cr_expect(strstr(run_err, "going on with the socket") &&
				  strstr(run_err, "no daemon answers on ") &&
				  strstr(run_err, "no mistakes:\n") && strstr(run_err, "storee"),
			  "%s: %s", verbs[i], run_err);
		cr_expect_eq(run_with_config(verbs[i], NULL), BB_CTL_OK);
		cr_expect_not(strstr(run_err, "no daemon answers"), "%s", run_err);
	}
}

RUN_TEST(a_store_that_is_not_there_is_not_reachable)
{
	cr_assert_eq(run_with_config("dump", "--views", NULL), BB_CTL_UNREACHABLE, "%s", run_err);
	cr_assert_eq(run_with_config("scrub", NULL), BB_CTL_UNREACHABLE);
}

STORE_TEST(damage_is_a_no)
{
	int fd = open(run_path("store/data.mdb"), O_RDWR);
	off_t size = lseek(fd, 0, SEEK_END);
	char page[4096];

	/* Every text of the third event, wherever it stands. */
	for (off_t at = 0; at < size; at += (off_t)sizeof(page)) {
		ssize_t n = pread(fd, page, sizeof(page), at);
		char *found = n > 0 ? memmem(page, (size_t)n, "no money", 8) : NULL;

		if (found) {
			memcpy(found, "NO", 2);
			cr_assert_eq(pwrite(fd, page, (size_t)n, at), n);
		}
	}
	close(fd);
	cr_assert_eq(run_with_config("scrub", NULL), BB_CTL_NO, "%s%s", run_out, run_err);
	cr_assert_eq(run_with_config("dead-letters", NULL), BB_CTL_NO);
}

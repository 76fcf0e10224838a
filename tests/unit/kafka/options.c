/* SPDX-License-Identifier: Apache-2.0 */
/* What may be passed on to librdkafka, and how mistakes are told. */
#include <backbone/kafka.h>
#include <criterion/criterion.h>

static const struct {
	const char *name, *value;
	const char *message; /* a part of it; NULL: accepted */
} rows[] = {
	{"security.protocol", "SASL_SSL", NULL},
	{"sasl.mechanisms", "PLAIN", NULL},
	{"fetch.wait.max.ms", "10", NULL},
	{"socket.nagle.disable", "false", NULL},
	{"client.id", "another", NULL},
	{"enable.auto.commit", "true", "positions are kept in the store"},
	{"auto.commit.enable", "true", "positions are kept in the store"},
	{"enable.auto.offset.store", "true", "positions are kept in the store"},
	{"auto.offset.reset", "latest", "a gap in the log must be seen"},
	{"isolation.level", "read_uncommitted", "intact and once"},
	{"check.crcs", "false", "intact and once"},
	{"enable.partition.eof", "false", "end of a log"},
	{"allow.auto.create.topics", "true", "must not make topics"},
	{"queued.max.messages.kbytes", "1", "memory is bounded"},
	{"bootstrap.servers", "b:1", "kafka.brokers"},
	{"metadata.broker.list", "b:1", "kafka.brokers"},
	{"group.id", "g", "kafka.group"},
	{"partition.assignment.strategy", "range", "no group"},
	{"plugin.library.paths", "x.so", "foreign code"},
	{"security.protokol", "SASL_SSL", "did you mean \"security.protocol\"?"},
	{"security.protocol", "TLS", "does not take this value"},
	{"fetch.wait.max.ms", "soon", "does not take this value"},
};

Test(kafka_options, each_is_accepted_or_explained)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bb_kafka_option option = {rows[i].name, rows[i].value, 7, 3};
		struct bb_diagnostics diagnostics = {0};
		struct bb_arena arena;

		bb_arena_init(&arena);
		diagnostics.arena = &arena;
		cr_expect_eq(bb_kafka_check("b.yaml", &option, 1, &diagnostics), !rows[i].message,
			     "%s", rows[i].name);
		cr_expect_eq(diagnostics.n, rows[i].message ? 1 : 0, "%s", rows[i].name);
		if (diagnostics.n && rows[i].message) {
			cr_expect(strstr(diagnostics.items[0].message, rows[i].message), "%s: %s",
				  rows[i].name, diagnostics.items[0].message);
			cr_expect_str_eq(diagnostics.items[0].file, "b.yaml");
			cr_expect_eq(diagnostics.items[0].line, 7);
			cr_expect_eq(diagnostics.items[0].column, 3);
			cr_expect(strstr(diagnostics.items[0].path, rows[i].name));
		}
		bb_arena_fini(&arena);
	}
}

static int no_resume(void *ctx, struct bb_text topic, int32_t partition, struct bb_arena *arena,
		     struct bb_resume *ret_resume)
{
	(void)ctx;
	(void)topic;
	(void)partition;
	(void)arena;
	*ret_resume = (struct bb_resume){0};
	return BB_OK;
}

Test(kafka_options, a_wrong_one_makes_no_source)
{
	struct bb_kafka_option option = {"check.crcs", "false", 1, 1};
	struct bb_kafka_options options = {
		.brokers = "127.0.0.1:1", .options = &option, .option_n = 1, .resume = no_resume};
	struct bb_source *source = NULL;
	struct bb_error err = {0};

	cr_expect_eq(bb_kafka_new(&options, &source, &err), BB_ECONFIG);
	cr_expect(strstr(err.msg, "kafka.options.check.crcs"), "%s", err.msg);
	cr_expect_null(source);
}

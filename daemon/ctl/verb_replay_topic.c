/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `replay-topic`: has the daemon read topics of a connector again. Which topics, and since when
 * names of events are remembered, is asked of the daemon; which offset a time is, of the broker;
 * the order goes to the daemon, whose status says how far it is.
 *
 * What lies before the time from which on names are remembered is refused with that time: nothing
 * would tell copies from events. A daemon that ends on the way goes on after its start.
 */
#include "admin.h"
#include "broker.h"

#include <backbone/buf.h>
#include <backbone/clock.h>
#include <backbone/event.h>
#include <backbone/yaml.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS 200000000L

struct replay {
	struct bb_ctl *ctl;
	json_t *status, *connectors; /* as the daemon said at first */
	const json_t *connector;
	const char *topic; /* the only one that is wanted; NULL: all */
	int64_t partition; /* the same; -1 */
	bool has_time;
	int64_t from, since_ms; /* from: a time or an offset */
	struct bb_buf list;	/* of the order */
	size_t n;
};

/* --- what is wanted --------------------------------------------------------------------------- */

static bool is_number(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && n < 19 && text[n] == '\0';
}

static int read_options(struct replay *replay)
{
	struct bb_ctl *ctl = replay->ctl;
	const char *from = bb_ctl_value(ctl, "from");
	uint64_t partition;

	replay->topic = bb_ctl_value(ctl, "topic");
	if (!bb_ctl_number(ctl, "partition", 0, INT32_MAX, &partition))
		return BB_CTL_USAGE;
	replay->partition = bb_ctl_value(ctl, "partition") ? (int64_t)partition : -1;
	if (!from)
		return bb_ctl_fail(ctl, BB_CTL_USAGE,
				   "say from where: --from TIME, or --from OFFSET");
	replay->has_time = !is_number(from);
	if (!replay->has_time)
		replay->from = strtoll(from, NULL, 10);
	else if (!bb_clock_parse_rfc3339(bb_text_of(from), &replay->from))
		return bb_ctl_fail(ctl, BB_CTL_USAGE,
				   "--from: expected an offset, or a time with a zone, as "
				   "2026-01-02T03:04:05Z");
	return BB_CTL_OK;
}

static int fail_connector(struct replay *replay)
{
	const json_t *list = json_object_get(replay->connectors, "connectors"), *item;
	size_t n = json_array_size(list), i;
	const char **names = bb_arena_zalloc(&replay->ctl->arena, (n + 1) * sizeof(*names));
	const char *nearest;

	json_array_foreach(list, i, item)
	{
		names[i] = json_string_value(json_object_get(item, "connector"));
	}
	nearest = bb_yaml_nearest(bb_text_of(replay->ctl->args[0]), names, n);
	return bb_ctl_fail(replay->ctl, BB_CTL_USAGE, "the daemon has no connector `%s`%s%s%s",
			   replay->ctl->args[0], nearest ? "; did you mean `" : "",
			   nearest ? nearest : "", nearest ? "`?" : "");
}

static int ask_daemon(struct replay *replay)
{
	struct bb_net_request connectors = {.method = "GET", .target = "/v1/connectors"};
	struct bb_net_request status = {.method = "GET", .target = "/v1/status"};
	const json_t *item;
	size_t i;
	int ret = bb_admin_ask(replay->ctl, &connectors, &replay->connectors, NULL);

	if (ret == BB_CTL_OK)
		ret = bb_admin_ask(replay->ctl, &status, &replay->status, NULL);
	if (ret != BB_CTL_OK)
		return ret;
	json_array_foreach(json_object_get(replay->connectors, "connectors"), i, item)
	{
		const char *name = json_string_value(json_object_get(item, "connector"));

		if (name && strcmp(name, replay->ctl->args[0]) == 0)
			replay->connector = item;
	}
	if (!replay->connector)
		return fail_connector(replay);
	if (!bb_clock_parse_rfc3339(
		    bb_admin_text(&replay->ctl->arena, replay->connectors, "names_since"),
		    &replay->since_ms))
		return bb_ctl_fail(replay->ctl, BB_CTL_REFUSED,
				   "the daemon does not say since when names are remembered");
	return BB_CTL_OK;
}

/* --- which offsets ---------------------------------------------------------------------------- */

static int fail_too_old(struct replay *replay, int64_t offset)
{
	char iso[BB_ISO_BYTES];

	bb_clock_iso(replay->since_ms, iso);
	if (replay->has_time)
		return bb_ctl_fail(
			replay->ctl, BB_CTL_REFUSED,
			"names of events are remembered since %.*s (store.window): from "
			"before that nothing would tell copies from events; the earliest "
			"is --from %.*s. For what lies before there is `backbonectl rebuild`",
			BB_ISO_BYTES, iso, BB_ISO_BYTES, iso);
	return bb_ctl_fail(replay->ctl, BB_CTL_REFUSED,
			   "names of events are remembered since %.*s (store.window), which is "
			   "offset %lld there: from before that nothing would tell copies from "
			   "events. For what lies before there is `backbonectl rebuild`",
			   BB_ISO_BYTES, iso, (long long)offset);
}

/* How far the daemon has read it; 0: not at all. */
static int64_t read_so_far(const struct replay *replay, const char *topic, int32_t partition)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(replay->status, "partitions"), i, item)
	{
		const char *name = json_string_value(json_object_get(item, "topic"));

		if (name && strcmp(name, topic) == 0 &&
		    json_integer_value(json_object_get(item, "partition")) == partition)
			return json_integer_value(json_object_get(item, "next_offset"));
	}
	return 0;
}

static int find_from(struct replay *replay, struct bb_broker *broker, int32_t partition,
		     int64_t *ret_from)
{
	int64_t earliest = 0;
	int ret;

	*ret_from = replay->from;
	if (replay->has_time)
		return bb_broker_at(broker, partition, replay->from, ret_from);
	ret = bb_broker_at(broker, partition, replay->since_ms, &earliest);
	if (ret == BB_CTL_OK && replay->from < earliest)
		ret = fail_too_old(replay, earliest);
	return ret;
}

static int add_topic(struct replay *replay, struct bb_broker *broker, const char *topic)
{
	int32_t n = 0;
	int ret = bb_broker_topic(broker, topic, &n);

	if (ret == BB_CTL_OK && replay->partition >= n)
		ret = bb_ctl_fail(replay->ctl, BB_CTL_USAGE, "--partition %lld: topic %s has %d",
				  (long long)replay->partition, topic, (int)n);
	if (ret == BB_CTL_OK && !replay->has_time && n > 1 && replay->partition < 0)
		ret = bb_ctl_fail(replay->ctl, BB_CTL_USAGE,
				  "an offset is of one partition, and topic %s has %d: give "
				  "--partition P, or --from TIME",
				  topic, (int)n);
	for (int32_t p = 0; ret == BB_CTL_OK && p < n; p++) {
		int64_t from = 0;

		if (replay->partition >= 0 && p != replay->partition)
			continue;
		ret = find_from(replay, broker, p, &from);
		if (ret != BB_CTL_OK || from >= read_so_far(replay, topic, p))
			continue;
		bb_buf_printf(&replay->list, "%s{\"topic\":", replay->n++ > 0 ? "," : "");
		bb_buf_json(&replay->list, bb_text_of(topic));
		bb_buf_printf(&replay->list, ",\"partition\":%d,\"from\":%lld}", (int)p,
			      (long long)from);
	}
	return ret;
}

static bool is_wanted(const struct replay *replay, const char *topic)
{
	if (replay->topic)
		return strcmp(topic, replay->topic) == 0;
	return strncmp(topic, "file:", strlen("file:")) != 0;
}

static int add_topics(struct replay *replay, struct bb_broker *broker)
{
	const json_t *reads = json_object_get(replay->connector, "reads"), *item;
	size_t wanted = 0, i;
	int ret = BB_CTL_OK;

	json_array_foreach(reads, i, item)
	{
		wanted += is_wanted(replay, json_string_value(json_object_get(item, "topic")));
	}
	if (wanted == 0)
		return bb_ctl_fail(replay->ctl, BB_CTL_USAGE,
				   "the daemon reads no topic%s%s for the connector %s",
				   replay->topic ? " " : "", replay->topic ? replay->topic : "",
				   replay->ctl->args[0]);
	if (wanted > 1 && !replay->has_time)
		return bb_ctl_fail(replay->ctl, BB_CTL_USAGE,
				   "an offset is of one partition: give --topic T, or --from TIME");
	json_array_foreach(reads, i, item)
	{
		const char *topic = json_string_value(json_object_get(item, "topic"));

		if (ret == BB_CTL_OK && is_wanted(replay, topic))
			ret = add_topic(replay, broker, topic);
	}
	return ret;
}

static int find_ranges(struct replay *replay)
{
	struct bb_ctl *ctl = replay->ctl;
	struct bb_broker *broker = NULL;
	int ret;

	if (replay->has_time && replay->from < replay->since_ms)
		return fail_too_old(replay, 0);
	ret = bb_broker_open(ctl, &broker);
	if (ret != BB_CTL_OK)
		return ret;
	ret = add_topics(replay, broker);
	bb_broker_close(broker);
	if (ret == BB_CTL_OK && replay->n == 0)
		ret = bb_ctl_fail(ctl, BB_CTL_NO, "nothing from there on was read yet");
	return ret;
}

/* --- the order, and what becomes of it -------------------------------------------------------- */

static int order(struct replay *replay, json_t **ret_answer)
{
	struct bb_net_request request = {.method = "POST", .target = "/v1/replays"};
	struct bb_buf body = BB_BUF_EMPTY;
	int ret;

	bb_buf_printf(&body, "{\"connector\":");
	bb_buf_json(&body, bb_text_of(replay->ctl->args[0]));
	bb_buf_printf(&body, ",\"partitions\":[%.*s]}", (int)replay->list.n, replay->list.p);
	request.body = bb_buf_slice(&body);
	ret = bb_admin_ask(replay->ctl, &request, ret_answer, NULL);
	bb_buf_fini(&body);
	return ret;
}

struct sums {
	long long read, left, results[BB_VERDICT_COUNT], too_old;
};

static bool is_of(const json_t *range, const json_t *part, const json_t *again)
{
	return json_equal(json_object_get(range, "topic"), json_object_get(part, "topic")) &&
	       json_equal(json_object_get(range, "partition"),
			  json_object_get(part, "partition")) &&
	       json_equal(json_object_get(range, "from"), json_object_get(again, "from")) &&
	       json_equal(json_object_get(range, "to"), json_object_get(again, "to"));
}

static void add_up(const json_t *again, struct sums *sums)
{
	long long next = json_integer_value(json_object_get(again, "next"));

	sums->read += next - json_integer_value(json_object_get(again, "from"));
	sums->left += json_integer_value(json_object_get(again, "to")) - next;
	sums->too_old += json_integer_value(json_object_get(again, "too_old"));
	for (unsigned v = 0; v < BB_VERDICT_COUNT; v++)
		sums->results[v] += json_integer_value(json_object_get(again, bb_verdict_text(v)));
}

static int look(struct replay *replay, const json_t *ranges, struct sums *ret_sums)
{
	struct bb_net_request request = {.method = "GET", .target = "/v1/status"};
	json_t *root = NULL, *part, *range;
	size_t found = 0, i, k;
	int ret = bb_admin_ask(replay->ctl, &request, &root, NULL);

	*ret_sums = (struct sums){0};
	if (ret != BB_CTL_OK)
		return ret;
	json_array_foreach(json_object_get(root, "partitions"), i, part)
	{
		const json_t *again = json_object_get(part, "reread");

		json_array_foreach(ranges, k, range)
		{
			if (!is_of(range, part, again))
				continue;
			found++;
			add_up(again, ret_sums);
		}
	}
	json_decref(root);
	if (found == json_array_size(ranges))
		return BB_CTL_OK;
	return bb_ctl_fail(replay->ctl, BB_CTL_REFUSED,
			   "another order, or a rebuild, has taken the place of this one: "
			   "see the status");
}

static bool shows_progress(const struct bb_ctl *ctl)
{
	return !ctl->json && isatty(fileno(ctl->err));
}

static int wait_for(struct replay *replay, const json_t *ranges, struct sums *ret_sums)
{
	const struct timespec pause = {0, LOOK_NS};
	struct bb_ctl *ctl = replay->ctl;
	int ret = look(replay, ranges, ret_sums);

	while (ret == BB_CTL_OK && ret_sums->left > 0) {
		if (shows_progress(ctl))
			fprintf(ctl->err, "\r%3lld %% read again  ",
				100 * ret_sums->read / (ret_sums->read + ret_sums->left));
		nanosleep(&pause, NULL);
		ret = look(replay, ranges, ret_sums);
	}
	if (shows_progress(ctl))
		fputs("\r\033[K", ctl->err);
	return ret;
}

static void print_sums(struct bb_ctl *ctl, const json_t *answer, const struct sums *sums)
{
	struct bb_text since = bb_admin_text(&ctl->arena, answer, "since");

	if (ctl->json) {
		char *ranges = json_dumps(json_object_get(answer, "partitions"), JSON_COMPACT);

		fprintf(ctl->out, "{\"since\":\"%.*s\",\"partitions\":%s,\"offsets\":%lld",
			(int)since.n, since.p, ranges, sums->read);
		for (unsigned v = 0; v < BB_VERDICT_COUNT; v++)
			fprintf(ctl->out, ",\"%s\":%lld", bb_verdict_text(v), sums->results[v]);
		fprintf(ctl->out, ",\"too_old\":%lld}\n", sums->too_old);
		free(ranges);
		return;
	}
	fprintf(ctl->out,
		"%lld offsets of %zu partitions read again: %lld records applied, %lld known "
		"already, %lld skipped, %lld without an identifier, %lld dead letters\n",
		sums->read, json_array_size(json_object_get(answer, "partitions")),
		sums->results[BB_VERDICT_APPLIED], sums->results[BB_VERDICT_DUPLICATE],
		sums->results[BB_VERDICT_SKIPPED], sums->results[BB_VERDICT_NO_IDENTIFIER],
		sums->results[BB_VERDICT_DEAD]);
	if (sums->too_old)
		fprintf(ctl->out, "%lld from before %.*s were left as they are\n", sums->too_old,
			(int)since.n, since.p);
}

static int run(struct replay *replay)
{
	json_t *answer = NULL;
	struct sums sums = {0};
	int ret = read_options(replay);

	if (ret == BB_CTL_OK)
		ret = ask_daemon(replay);
	if (ret == BB_CTL_OK)
		ret = find_ranges(replay);
	if (ret == BB_CTL_OK)
		ret = order(replay, &answer);
	if (ret == BB_CTL_OK)
		ret = wait_for(replay, json_object_get(answer, "partitions"), &sums);
	if (ret == BB_CTL_OK)
		print_sums(replay->ctl, answer, &sums);
	json_decref(answer);
	return ret;
}

int bb_ctl_replay_topic(struct bb_ctl *ctl)
{
	struct replay replay = {.ctl = ctl, .partition = -1, .list = BB_BUF_EMPTY};
	int ret = run(&replay);

	json_decref(replay.status);
	json_decref(replay.connectors);
	bb_buf_fini(&replay.list);
	return ret;
}

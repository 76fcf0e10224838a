/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of who waits and one timer for the first whose time is over. After a commit the last
 * number is read once, and only those are woken for whom there is something.
 *
 * Where the store cannot be read all are woken, so that each says so.
 */
#include "follow.h"

#include <backbone/assert.h>
#include <backbone/change.h>
#include <stdlib.h>

struct bb_followers {
	uv_loop_t *loop;
	struct bb_handles *handles;
	struct bb_lookup *lookup;
	struct bb_follower *first;
	size_t n;
	uv_timer_t timer;
	bool is_stopping;
};

struct bb_followers *bb_followers_new(uv_loop_t *loop, struct bb_handles *handles,
				      struct bb_lookup *lookup)
{
	struct bb_followers *followers = calloc(1, sizeof(*followers));

	bb_assert(followers);
	followers->loop = loop;
	followers->handles = handles;
	followers->lookup = lookup;
	uv_timer_init(loop, &followers->timer);
	followers->timer.data = followers;
	bb_handles_opened(handles);
	return followers;
}

void bb_follow_forget(struct bb_followers *followers, struct bb_follower *follower)
{
	follower->is_woken = false;
	if (!follower->is_waiting)
		return;
	follower->is_waiting = false;
	*(follower->prev ? &follower->prev->next : &followers->first) = follower->next;
	if (follower->next)
		follower->next->prev = follower->prev;
	follower->prev = follower->next = NULL;
	followers->n--;
}

static void wake(struct bb_followers *followers, struct bb_follower *follower)
{
	bb_follow_forget(followers, follower);
	follower->is_woken = true;
	follower->on_wake(follower);
}

static void on_timer(uv_timer_t *timer);

/* To the first whose time is over. */
static void set_timer(struct bb_followers *followers)
{
	uint64_t end_ms = UINT64_MAX, now_ms = uv_now(followers->loop);

	for (struct bb_follower *follower = followers->first; follower; follower = follower->next)
		if (follower->end_ms < end_ms)
			end_ms = follower->end_ms;
	if (end_ms == UINT64_MAX)
		uv_timer_stop(&followers->timer);
	else
		uv_timer_start(&followers->timer, on_timer, end_ms > now_ms ? end_ms - now_ms : 0,
			       0);
}

static void on_timer(uv_timer_t *timer)
{
	struct bb_followers *followers = timer->data;
	uint64_t now_ms = uv_now(followers->loop);
	struct bb_follower *next;

	for (struct bb_follower *follower = followers->first; follower; follower = next) {
		next = follower->next;
		if (follower->end_ms <= now_ms)
			wake(followers, follower);
	}
	set_timer(followers);
}

bool bb_follow(struct bb_followers *followers, struct bb_follower *follower, uint64_t timeout_ms)
{
	bb_assert(!follower->is_waiting && follower->on_wake);
	if (followers->is_stopping || followers->n == BB_FOLLOWERS_MAX)
		return false;
	follower->is_waiting = true;
	follower->end_ms = uv_now(followers->loop) + timeout_ms;
	follower->next = followers->first;
	if (follower->next)
		follower->next->prev = follower;
	followers->first = follower;
	followers->n++;
	set_timer(followers);
	return true;
}

void bb_follow_wake(struct bb_followers *followers)
{
	uint64_t first, last = UINT64_MAX;
	struct bb_follower *next;
	struct bb_kv *kv;

	if (!followers->first || followers->is_stopping)
		return;
	if (bb_lookup_begin(followers->lookup, &kv) != BB_OK ||
	    bb_change_range(kv, &first, &last) != BB_OK)
		last = UINT64_MAX;
	bb_lookup_end(followers->lookup);
	for (struct bb_follower *follower = followers->first; follower; follower = next) {
		next = follower->next;
		if (follower->after < last)
			wake(followers, follower);
	}
	set_timer(followers);
}

static void on_closed(uv_handle_t *handle)
{
	struct bb_followers *followers = handle->data;

	bb_handles_closed(followers->handles);
}

void bb_followers_stop(struct bb_followers *followers)
{
	followers->is_stopping = true;
	uv_close((uv_handle_t *)&followers->timer, on_closed);
}

void bb_followers_free(struct bb_followers *followers)
{
	bb_assert(!followers || !followers->first);
	free(followers);
}

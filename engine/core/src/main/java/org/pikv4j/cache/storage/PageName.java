package org.pikv4j.cache.storage;

/**
 * What a page on a shard is called in messages, together with its layer and KV head: its place in a list that the shard keeps. The pages
 * of a sequence stand one after the other there, so that one run names many.
 *
 * @param list which list: each sequence has one of its own
 * @param entry its place there
 */
public record PageName(long list, int entry) {}

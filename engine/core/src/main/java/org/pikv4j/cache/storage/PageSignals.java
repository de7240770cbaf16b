package org.pikv4j.cache.storage;

/**
 * What the modules of the cache know of a page: the one record that routers and eviction policies decide by.
 *
 * @param position position of the first token
 * @param tokens tokens held
 */
public record PageSignals(int position, int tokens) {}

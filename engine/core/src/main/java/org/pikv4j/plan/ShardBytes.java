package org.pikv4j.plan;

/**
 * What one shard of a device holds, if the device's full pages are shared out exactly by weight.
 *
 * @param shard its number
 * @param share its share of the full pages, 0 to 1
 * @param kvBytes their bytes
 * @param kvPages how many they are
 */
public record ShardBytes(int shard, double share, long kvBytes, long kvPages) {}

package org.pikv4j.cache.storage;

/** Bytes read, of which half is forgotten from one epoch to the next. */
final class ReadCount {
    private long bytes;
    private int epoch;

    void add(long more, int now) {
        bytes = bytes(now) + more;
        epoch = now;
    }

    long bytes(int now) {
        return bytes >> Math.min(now - epoch, Long.SIZE - 1);
    }
}

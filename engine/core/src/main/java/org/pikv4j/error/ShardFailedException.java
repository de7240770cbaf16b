package org.pikv4j.error;

import org.jspecify.annotations.Nullable;

/** A shard of the cache has failed; what lived there is lost to the sessions that it belonged to. */
public final class ShardFailedException extends PiKVException {
    private static final long serialVersionUID = 1L;

    private final int shard;

    public ShardFailedException(int shard, @Nullable Throwable cause) {
        super("shard " + shard + " of the KV cache has failed: " + cause);
        initCause(cause);
        this.shard = shard;
    }

    /**
     * @return its number
     */
    public int shard() {
        return shard;
    }
}

package org.pikv4j.cli;

/** What the programs end with. */
public final class ExitCodes {
    public static final int OK = 0;
    /** Something went wrong that nobody foresaw. */
    public static final int FAILURE = 1;
    /** The caller can mend it: a wrong option, a bad file, a budget that is too small. */
    public static final int USAGE = 2;
    /** Ctrl-C, as shells report it: 128 and the number of the signal. */
    public static final int INTERRUPTED = 130;
    /** The reader of stdout went away, as shells report it. */
    public static final int BROKEN_PIPE = 141;

    private ExitCodes() {}
}

package org.pikv4j.cache.routing;

/** Numbers that look random, and are the same for the same input. */
public final class Mixing {
    private Mixing() {}

    /**
     * SplitMix64's finaliser (Steele, Lea and Flood, OOPSLA 2014).
     *
     * @param value any number
     * @return another
     */
    public static long mixed(long value) {
        long z = value + 0x9e3779b97f4a7c15L;
        z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }

    /**
     * @param mixed a mixed number
     * @return a number above 0 and up to 1
     */
    public static double uniform(long mixed) {
        return ((mixed >>> 11) + 1) * 0x1p-53;
    }
}

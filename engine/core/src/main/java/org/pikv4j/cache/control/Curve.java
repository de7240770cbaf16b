package org.pikv4j.cache.control;

/**
 * What one thing can give up, level by level: nothing at level 0, then ever more bytes for ever more error.
 *
 * @param bytes what each level frees in all, ascending from 0
 * @param errors what each costs in all, ascending from 0
 */
record Curve(long[] bytes, double[] errors) {

    Curve {
        if (bytes.length != errors.length || bytes.length == 0 || bytes[0] != 0 || errors[0] != 0) {
            throw new IllegalArgumentException("a curve begins with nothing for nothing");
        }
        for (int i = 1; i < bytes.length; i++) {
            if (bytes[i] <= bytes[i - 1] || !(errors[i] >= errors[i - 1])) {
                throw new IllegalArgumentException("a level frees more than the one before, for no less");
            }
        }
    }

    /**
     * @param level where it stands
     * @return the level above it that costs least for what it frees beyond it, the nearest of several; the same if it is the last
     */
    int next(int level) {
        int best = level;
        double least = Double.POSITIVE_INFINITY;
        for (int i = level + 1; i < bytes.length; i++) {
            double price = price(level, i);
            if (best == level || price < least) {
                best = i;
                least = price;
            }
        }
        return best;
    }

    /**
     * @param from a level
     * @param to a higher one
     * @return error for each byte between them
     */
    double price(int from, int to) {
        return (errors[to] - errors[from]) / (bytes[to] - bytes[from]);
    }
}

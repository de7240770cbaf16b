package org.pikv4j.cache.storage;

/** How far rows are from what they stand for. */
public final class RelativeError {
    private RelativeError() {}

    /**
     * @param rows what was to be kept
     * @param held what was kept, of the same length
     * @return the Frobenius norm of the difference over that of the rows; 0 where these are all 0
     */
    public static double of(float[] rows, float[] held) {
        double lost = 0;
        double all = 0;
        for (int i = 0; i < rows.length; i++) {
            double difference = (double) held[i] - rows[i];
            lost += difference * difference;
            all += (double) rows[i] * rows[i];
        }
        return all > 0 ? Math.sqrt(lost / all) : 0;
    }
}

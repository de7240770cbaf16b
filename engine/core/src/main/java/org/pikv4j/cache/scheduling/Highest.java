package org.pikv4j.cache.scheduling;

import java.util.BitSet;

/** Chooses the highest of some scores, in linear time (quickselect: Hoare, "Algorithm 65: Find", 1961). */
public final class Highest {
    private Highest() {}

    /**
     * @param scores the scores, none of them NaN
     * @param count how many to choose
     * @return indices of the highest; of equals those that come last
     */
    public static BitSet of(float[] scores, int count) {
        BitSet chosen = new BitSet(scores.length);
        if (count >= scores.length) {
            chosen.set(0, scores.length);
            return chosen;
        }
        if (count <= 0) {
            return chosen;
        }
        float threshold = smallest(scores.clone(), scores.length - count);
        int left = count;
        for (int i = 0; i < scores.length; i++) {
            if (scores[i] > threshold) {
                chosen.set(i);
                left--;
            }
        }
        for (int i = scores.length - 1; i >= 0 && left > 0; i--) {
            if (scores[i] == threshold) {
                chosen.set(i);
                left--;
            }
        }
        return chosen;
    }

    /** The value that would stand at a place if they were sorted; brings them into disorder. */
    private static float smallest(float[] values, int place) {
        int low = 0;
        int high = values.length - 1;
        while (low < high) {
            float a = values[low];
            float b = values[(low + high) >>> 1];
            float c = values[high];
            float pivot = Math.max(Math.min(a, b), Math.min(Math.max(a, b), c)); // the median of three
            int i = low;
            int j = high;
            while (i <= j) {
                while (values[i] < pivot) {
                    i++;
                }
                while (values[j] > pivot) {
                    j--;
                }
                if (i <= j) {
                    float swapped = values[i];
                    values[i++] = values[j];
                    values[j--] = swapped;
                }
            }
            if (place <= j) {
                high = j;
            } else if (place >= i) {
                low = i;
            } else {
                return values[place];
            }
        }
        return values[place];
    }
}

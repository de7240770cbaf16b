package org.pikv4j.decode;

import org.pikv4j.model.RopeSpec;

/** The cosines and sines that one rotary embedding needs for the rows of a batch. */
final class Rotations {
    private final float[] inverseFrequencies;
    private final float[] cos; // (row, pair)
    private final float[] sin;

    Rotations(RopeSpec rope, int maxRows) {
        inverseFrequencies = rope.inverseFrequencies();
        cos = new float[maxRows * inverseFrequencies.length];
        sin = new float[maxRows * inverseFrequencies.length];
    }

    void place(int row, int position) {
        int at = row * inverseFrequencies.length;
        for (int i = 0; i < inverseFrequencies.length; i++) {
            float angle = position * inverseFrequencies[i];
            cos[at + i] = (float) Math.cos(angle);
            sin[at + i] = (float) Math.sin(angle);
        }
    }

    int pairs() {
        return inverseFrequencies.length;
    }

    float[] cos() {
        return cos;
    }

    float[] sin() {
        return sin;
    }
}

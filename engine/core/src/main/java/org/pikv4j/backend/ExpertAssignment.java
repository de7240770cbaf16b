package org.pikv4j.backend;

import java.util.Arrays;

/**
 * Which rows of a batch go to which experts: slots sorted by expert, then by row.
 *
 * <p>Filled by {@link #begin} and {@link #choose}, made ready by {@link #sort}; reused from layer to layer.
 */
public final class ExpertAssignment {
    private int[] chosenExpert = {};
    private float[] chosenWeight = {};
    private int perRow;
    private int rows;
    private int[] starts = {};
    private int[] slotRows = {};
    private float[] slotWeights = {};

    /**
     * @param rows rows of the batch
     * @param perRow experts per row
     */
    public void begin(int rows, int perRow) {
        this.rows = rows;
        this.perRow = perRow;
        int slots = rows * perRow;
        if (chosenExpert.length < slots) {
            chosenExpert = new int[slots];
            chosenWeight = new float[slots];
            slotRows = new int[slots];
            slotWeights = new float[slots];
        }
    }

    /**
     * @param row the row
     * @param rank which of its choices, below {@code perRow}
     * @param expert the expert
     * @param weight factor on the expert's output
     */
    public void choose(int row, int rank, int expert, float weight) {
        chosenExpert[row * perRow + rank] = expert;
        chosenWeight[row * perRow + rank] = weight;
    }

    /**
     * Every row goes to the one expert there is.
     *
     * @param count number of rows
     * @param weights factor per row
     */
    public void all(int count, float[] weights) {
        begin(count, 1);
        for (int row = 0; row < count; row++) {
            choose(row, 0, 0, weights[row]);
        }
        sort(1);
    }

    /**
     * @param experts number of experts
     */
    public void sort(int experts) {
        if (starts.length < experts + 1) {
            starts = new int[experts + 1];
        }
        Arrays.fill(starts, 0);
        int slots = rows * perRow;
        for (int i = 0; i < slots; i++) {
            starts[chosenExpert[i] + 1]++;
        }
        for (int e = 0; e < experts; e++) {
            starts[e + 1] += starts[e];
        }
        // Each start moves to its expert's end as slots are filled, and is put back after.
        for (int i = 0; i < slots; i++) {
            int slot = starts[chosenExpert[i]]++;
            slotRows[slot] = i / perRow;
            slotWeights[slot] = chosenWeight[i];
        }
        System.arraycopy(starts, 0, starts, 1, experts);
        starts[0] = 0;
    }

    /**
     * @return rows of the batch
     */
    public int rows() {
        return rows;
    }

    /**
     * @return number of slots: rows times experts per row
     */
    public int slots() {
        return rows * perRow;
    }

    /**
     * @param expert the expert
     * @return its first slot
     */
    public int start(int expert) {
        return starts[expert];
    }

    /**
     * @param expert the expert
     * @return one past its last slot
     */
    public int end(int expert) {
        return starts[expert + 1];
    }

    /**
     * @return the row of each slot
     */
    public int[] slotRows() {
        return slotRows;
    }

    /**
     * @return the weight of each slot
     */
    public float[] slotWeights() {
        return slotWeights;
    }
}

package org.pikv4j.calibration;

import java.util.List;

/**
 * The bases of one layer and side, one per KV head, all of one rank.
 *
 * @param rank numbers stored per token and head
 * @param headDim width of a head
 * @param heads one entry per KV head
 */
record LayerBases(int rank, int headDim, List<Head> heads) {
    LayerBases {
        heads = List.copyOf(heads);
    }

    /**
     * @param down D, (rank, headDim)
     * @param up U, (headDim, rank)
     * @param bias b, (headDim); zeros for none
     * @param energyKept share of the energy of the calibration text that it keeps
     */
    record Head(float[] down, float[] up, float[] bias, float energyKept) {}

    /** Mean share of the energy kept. */
    double energyKept() {
        return heads.stream().mapToDouble(Head::energyKept).average().orElse(0);
    }
}

package org.pikv4j.cache.compression;

import org.pikv4j.error.InvalidOptionException;

/** Where bases come from that must be fitted to a model. */
public interface BasisSource {

    /** No calibration: every question is answered with what to do about it. */
    BasisSource NONE = (term, side, layer, kvHead, headDim) -> {
        throw new InvalidOptionException("kv-dtype " + term
                + " needs a calibration of this model: make one with 'calibrate', name it with kv-calibration");
    };

    /**
     * @param term as options spell it: a method and its rank, {@code svd:32} for instance
     * @param side keys or values
     * @param layer index of the layer
     * @param kvHead index of the KV head
     * @param headDim width of a head
     * @return the basis
     * @throws org.pikv4j.error.InvalidOptionException if there is none for it, or its rank is larger than the head dim
     */
    Basis basis(String term, HalfShape.Side side, int layer, int kvHead, int headDim);
}

package org.pikv4j.cache.scheduling;

import org.pikv4j.error.InvalidOptionException;

/** What a calibration says of the heads of a model. */
@FunctionalInterface
public interface HeadScores {

    /** No calibration: every question is answered with what to do about it. */
    HeadScores NONE = () -> {
        throw new InvalidOptionException(
                "kv-policy needs a calibration of this model: make one with 'calibrate', name it with kv-calibration");
    };

    /**
     * @return (layer, kvHead): how much is lost where a head sees nothing but the first tokens and the newest, relative to what it
     *     gives; 0 for heads that lose nothing
     * @throws InvalidOptionException if it is not known
     */
    float[][] streamingError();
}

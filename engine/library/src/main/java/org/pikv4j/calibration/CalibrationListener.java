package org.pikv4j.calibration;

/** Hears how far a calibration has come. The text is read on the engine's thread, and bases are fitted on the caller's. */
public interface CalibrationListener {
    /** Does not listen. */
    CalibrationListener NONE = new CalibrationListener() {
        @Override
        public void reading(int done, int total) {}

        @Override
        public void fitting(int done, int total) {}
    };

    /**
     * @param done tokens that the model has read
     * @param total tokens in all
     */
    void reading(int done, int total);

    /**
     * @param done layers for which bases have been fitted, counted once for each method
     * @param total such layers in all
     */
    void fitting(int done, int total);
}
